/* Timing a program's instructions. */
#ifndef RV_TOOLS_PROFILE_PROFILING_H
#define RV_TOOLS_PROFILE_PROFILING_H

#include "tools/profile/instruction.h"
#include "tools/profile/limit.h"

typedef struct profile_line {
    rv_instruction is;
    instruction_words words;
    double seconds;    /* of the slowest thread; the median over all runs */
    double waiting;    /* of all threads before it; the mean over all runs */
    double limit;      /* the shortest time in seconds that the machine allows */
    const char *bound; /* what the limit comes from: "FMA", "L1", ... */
} profile_line;

/* The total of one kind of op, or of one phase. */
typedef struct profile_sum {
    const char *name;
    int64_t instructions;
    double seconds, operations;
} profile_sum;

/* What a thread does in a run with timing inside: means over all runs, in seconds. */
typedef struct profile_thread {
    double busy, waiting;
    double stolen; /* the part of busy that belongs to lanes of other threads */
} profile_thread;

typedef struct profile {
    int threads;
    int64_t count, runs;
    profile_line *lines;       /* [count], in the program's order */
    profile_thread *by_thread; /* [threads] */
    rv_span *quickest;         /* [threads][count] of the quickest run, from its start */
    int64_t end;               /* of the quickest run, in nanoseconds */
    double step;               /* seconds of a run without timing inside */
    double sum;                /* of the lines */
    double clock;              /* seconds of reading the clock, subtracted from the lines */
    machine machines[2];       /* for one thread; for all threads, if there are more */
    int machine_count;
    profile_sum *kinds; /* [kind_count], by time */
    int64_t kind_count;
    profile_sum phases[RV_PHASES];
} profile;

/* Runs the program for about this many seconds. Call profile_free even on failure. */
bool profile_make(profile *p, rv_program *program, rv_dtype dtype, double seconds, rv_error *error);
void profile_free(profile *p);

typedef enum profile_sorting {
    PROFILE_AS_THEY_RUN,
    PROFILE_LONGEST, /* first */
    PROFILE_WAITING  /* those that threads wait for longest first */
} profile_sorting;

/* The lines in an order, for rv_free. NULL: out of memory. */
const profile_line **profile_order(const profile *p, profile_sorting sorting);

#endif
