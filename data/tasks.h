/* Synthetic tasks that measure what a recurrent cell can learn and remember, most of them from
 * Collins, Sohl-Dickstein and Sussillo, "Capacity and trainability in recurrent neural networks"
 * (arXiv 1611.09913). A sample is a pure function of (seed, epoch, index). Samples are new in each
 * epoch, except those of capacity and random-function, which are to be memorized. */
#ifndef RV_DATA_TASKS_H
#define RV_DATA_TASKS_H

#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0: the task's default. */
typedef struct rv_task_options {
    int64_t count;  /* samples per epoch */
    int64_t length; /* time steps of a sample */
    int64_t size;   /* its meaning depends on the task: see `about` */
    uint64_t seed;
} rv_task_options;

typedef struct rv_task {
    const char *name;
    const char *about;        /* one line */
    const char *baseline;     /* score of an answer that ignores x, with default options */
    rv_task_options defaults; /* length or size of 0: the task has no such option */
    bool memorized;           /* the same random samples each epoch: there is no rule to learn */
} rv_task;

int rv_task_count(void);
const rv_task *rv_task_at(int index);          /* 0 .. rv_task_count()-1, else NULL */
const rv_task *rv_task_find(const char *name); /* NULL if there is none */

/* Opens a task by name. NULL options: the defaults. RV_ERROR_NAME lists the existing names;
 * RV_ERROR_ARGUMENT for options that the task does not have and values that are too small.
 *
 *   adding (Hochreiter and Schmidhuber 1997)
 *     x f32 [length,2]: numbers uniform in 0..1, and marks: 1 at one step of each half, else 0.
 *     y f32 [1]: the sum of the two marked numbers.
 *   arithmetic
 *     x i32 tokens [length]: "a+b=", padded with spaces, in characters of "0123456789+= ". a and b
 *     have 1 to `size` digits (each number of digits equally likely) and no leading zeros.
 *     y i32 [length], for each step, in the same characters: the digits of the sum from the step of
 *     "=" on, else spaces. Lengths differ; length = 3 size + 2.
 *   capacity
 *     x f32 [length,size]: random bits at the first step, zeros after. y: a random label, 0 or 1.
 *   copy (after Hochreiter and Schmidhuber 1997, as in Arjovsky, Shah and Bengio 2016)
 *     x i32 tokens [length]: `size` random symbols 1..8, then blanks 0, with the cue 9 at size+1
 *     steps before the end. y i32 [length], for each step: blanks, then the symbols at the last
 *     `size` steps.
 *   memory
 *     x f32 [length,size]: numbers N(0,1) at the first step, zeros after. y f32 [size]: the
 *     numbers.
 *   moving-digits
 *     x f32 [length,1,size,size]: two of the built-in digits, pixels 0..1. They move along straight
 *     lines by 0.5 to 1.5 pixels per step along each axis, rounded, and bounce off the edges. Where
 *     they overlap, the brighter pixel wins. y of the same shape, for each step: the next frame.
 *   parentheses
 *     x f32 [length,3 size]: `size` independent streams, each a one-hot of "(", ")" and noise,
 *     equally likely. y f32 [length,size], for each step: the number of open parentheses in each
 *     stream. A ")" without an open "(" and a "(" beyond 9 open ones are ignored.
 *   parity
 *     x f32 [length,1]: random bits. y: the label 1 if an odd number of them is 1.
 *   random-function
 *     x as in capacity. y f32 [1]: a random number N(0,1). */
bool rv_source_task(rv_source *source, const char *name, const rv_task_options *options,
                    rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
