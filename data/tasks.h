/* Tasks that a program makes up, to see what a recurrent cell can learn and hold: mostly those of
 * Collins, Sohl-Dickstein and Sussillo, "Capacity and trainability in recurrent neural networks"
 * (arXiv 1611.09913). A sample is a pure function of (seed, epoch, index): all but capacity and
 * random-function, which are there to be learned by heart, are new each epoch. */
#ifndef RV_DATA_TASKS_H
#define RV_DATA_TASKS_H

#include "data/source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0: as is usual for the task. */
typedef struct rv_task_options {
    int64_t count; /* samples of an epoch */
    int64_t steps; /* time steps of a sample */
    int64_t size;  /* what it counts is in the task's `about` */
    uint64_t seed;
} rv_task_options;

typedef struct rv_task {
    const char *name;
    const char *about;     /* one line; x, y and size */
    const char *baseline;  /* what an answer without any skill achieves, with the usual options */
    rv_task_options usual; /* size or steps of 0: the task has none to choose */
    bool by_heart;         /* the same samples each epoch, at random: there is no rule to find */
} rv_task;

int rv_task_count(void);
const rv_task *rv_task_at(int index);          /* 0 .. rv_task_count()-1, else NULL */
const rv_task *rv_task_find(const char *name); /* NULL if there is none */

/* A task by its name. options NULL: the usual ones. RV_ERROR_NAME lists the names there are;
 * RV_ERROR_ARGUMENT for options that the task does not have or that leave it no room.
 *
 *   adding (Hochreiter and Schmidhuber 1997)
 *     x f32 [steps,2]: numbers uniform in 0..1, and marks, 1 at one step of each half, else 0.
 *     y f32 [1]: the sum of the two marked numbers.
 *   arithmetic
 *     x i32 tokens [steps]: a + b =, characters of "0123456789+= ", a and b of 1 to `size` digits
 *     (each number of digits as likely; no leading zeros), spaces behind. y i32 [steps], for each
 *     step, the same characters: the sum's digits from the step of "=" on, else a space.
 *     Lengths differ; steps = 3 size + 2.
 *   capacity
 *     x f32 [steps,size]: random bits at the first step, zeros after. y: a random label, 0 or 1.
 *   copy (after Hochreiter and Schmidhuber 1997, as in Arjovsky, Shah and Bengio 2016)
 *     x i32 tokens [steps]: `size` random symbols 1..8, blanks 0, and size+1 steps before the end
 *     the cue 9. y i32 [steps], for each step: blanks, and at the last `size` steps the symbols.
 *   memory
 *     x f32 [steps,size]: numbers N(0,1) at the first step, zeros after. y f32 [size]: the numbers.
 *   moving-digits
 *     x f32 [steps,1,size,size]: two of the built-in digits, pixels 0..1, on straight paths of 0.5
 *     to 1.5 pixels a step in each direction, rounded; they bounce off the edges; the brighter
 *     pixel is seen. y of the same shape, for each step: the frame that follows.
 *   parentheses
 *     x f32 [steps,3 size]: `size` independent streams, each 1 in one of three places: "(", ")",
 *     noise, each as likely. y f32 [steps,size], for each step: how many are open in each stream;
 *     a ")" that closes none and a "(" beyond 9 open are ignored.
 *   parity
 *     x f32 [steps,1]: random bits. y: the label 1 if an odd number of them is 1.
 *   random-function
 *     x as capacity's. y f32 [1]: a random number N(0,1). */
bool rv_source_task(rv_source *source, const char *name, const rv_task_options *options,
                    rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
