/* Timing a program's instructions. */
#ifndef RV_TOOLS_PROFILE_PROFILING_H
#define RV_TOOLS_PROFILE_PROFILING_H

#include "tools/profile/instruction.h"
#include "tools/profile/limit.h"

typedef struct profile_line {
    rv_instruction is;
    instruction_words words;
    double seconds;    /* of the thread that takes longest; the median of all runs */
    double limit;      /* seconds that the machine needs at least */
    const char *bound; /* what the limit comes from: "FMA", "L1", ... */
} profile_line;

/* Of one kind of op, or of one phase. */
typedef struct profile_sum {
    const char *name;
    int64_t instructions;
    double seconds, operations;
} profile_sum;

typedef struct profile {
    int threads;
    int64_t count, runs;
    profile_line *lines; /* [count], in the program's order */
    rv_span *quickest;   /* [threads][count] of the quickest run, from its start */
    int64_t end;         /* of that, in nanoseconds */
    double step;         /* seconds of a run that nobody times inside */
    double sum;          /* of the lines */
    double clock;        /* seconds that looking at the clock takes, which lines are without */
    machine machines[2]; /* of one thread; of all, if there are more */
    int machine_count;
    profile_sum *kinds; /* [kind_count], by time */
    int64_t kind_count;
    profile_sum phases[RV_PHASES];
} profile;

/* Runs the program for about so many seconds. For profile_free, either way. */
bool profile_make(profile *p, rv_program *program, rv_dtype dtype, double seconds, rv_error *error);
void profile_free(profile *p);

/* The lines, the longest first or in the program's order. For rv_free; NULL: out of memory. */
const profile_line **profile_order(const profile *p, bool by_time);

#endif
