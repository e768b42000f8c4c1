/* The options --limit-seconds and --limit-numbers of commands that work on texts. */
#ifndef RV_TOOLS_CLI_LIMITS_H
#define RV_TOOLS_CLI_LIMITS_H

#include "tools/cli/options.h"

typedef struct work_limits {
    double seconds;   /* 0: none */
    int64_t numbers;  /* 0: 10^12, as in the library */
    double end;       /* on the monotonic clock */
    int64_t computed; /* numbers so far */
} work_limits;

/* Rows for a field `limits` of the owner. */
#define LIMIT_SECONDS_ROW(owner) \
    OPTION_ROW(owner, limits.seconds, "limit-seconds", "S", RV_CONFIG_POSITIVE, \
               "stop with exit status 1 after this time (default: never)")
#define LIMIT_NUMBERS_ROW(owner) \
    OPTION_ROW(owner, limits.numbers, "limit-numbers", "N", RV_CONFIG_WHOLE, \
               "numbers that a proof may compute (default: 10^12)", .low = 1, \
               .high = (int64_t)1 << 53)

/* Starts the clock. The limits refer to *l. */
rv_lang_limits limits_start(work_limits *l);
/* Whether the time is over. */
bool limits_reached(void *l);
/* Counts numbers as rv_gradcheck does. */
bool limits_proceed(void *l, int64_t numbers);
/* If the work ended at a limit, replaces the error by one that names the option. */
void limits_explain(const work_limits *l, rv_error *error);

#endif
