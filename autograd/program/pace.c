#include "autograd/program/pace.h"

/* Only medians of blocks of runs count, so that a single run that another process has disturbed
 * does not. While the same way stays faster, trials of the slower way become rare. Patience is in
 * lengths of a trial, and bounds the share of the time that trials take. */
enum { FIRST_PATIENCE = 4, MOST_PATIENCE = 256 };
#define LONG_SECONDS 0.02 /* of a run; a trial of a longer one is a single run */

static void insert(rv_pace *p, double seconds)
{
    int i = p->run++;
    for (; i > 0 && p->sample[i - 1] > seconds; i--) p->sample[i] = p->sample[i - 1];
    p->sample[i] = seconds;
}

void rv_pace_note(rv_pace *p, double seconds)
{
    insert(p, seconds);
    const bool brief = p->trial && p->seconds[!p->alone] > LONG_SECONDS;
    if (p->run < RV_PACE_RUNS && !brief) return;
    p->seconds[p->alone] = p->sample[p->run / 2];
    p->wait -= p->run;
    const bool alone = p->seconds[1] > 0 && p->seconds[1] < p->seconds[0];
    if (p->trial) {
        const bool won = alone == p->alone;
        p->patience = won || !p->patience ? FIRST_PATIENCE : 2 * p->patience;
        if (p->patience > MOST_PATIENCE) p->patience = MOST_PATIENCE;
        p->wait = p->patience * p->run;
    }
    p->run = 0;
    p->trial = p->wait <= 0;
    p->alone = alone != p->trial;
}
