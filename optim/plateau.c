#include "optim/plateau.h"

#include <math.h>

#include "optim/groups_internal.h"
#include "tensor/needs_internal.h"

enum { BEST, BAD, COOL, SEEN, FIELDS };

static bool check(const rv_plateau *p, rv_error *error)
{
    if (!(p->factor > 0 && p->factor < 1))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "plateau: factor is %g; give one above 0 and below 1", p->factor);
    if (p->patience < 0 || p->cool_down < 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "plateau: patience %d and cool-down %d; give numbers from 0", p->patience,
                       p->cool_down);
    if (!(p->threshold >= 0 && isfinite(p->threshold)) || !(p->least >= 0 && isfinite(p->least)))
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "plateau: threshold %g and least learning rate %g; give finite numbers from 0",
            p->threshold, p->least);
    return true;
}

static void lower(const rv_plateau *p, rv_store *store)
{
    for (size_t i = 0; i < rv_store_count(store); i++) {
        rv_entry *entry = rv_store_at(store, i);
        double rate = rv_is_learning_rate(entry) ? rv_tensor_get(&entry->tensor, 0) : 0;
        if (rate > p->least) rv_tensor_set(&entry->tensor, 0, fmax(rate * p->factor, p->least));
    }
}

/* The loss that an observation must stay below to count as an improvement. */
static double mark(const rv_plateau *p, double best)
{
    return best - p->threshold * (p->absolute || isinf(best) ? 1 : fabs(best));
}

bool rv_plateau_observe(const rv_plateau *p, rv_store *store, double loss, bool *lowered,
                        rv_error *error)
{
    if (!RV_NEEDS(error, p, store)) return false;
    if (lowered) *lowered = false;
    if (!check(p, error)) return false;
    rv_entry *entry = rv_store_get(store, "optimizer/plateau", RV_STATE, RV_F64, RV_SHAPE(FIELDS),
                                   rv_init_constant(0), error);
    if (!entry) return false;
    double *state = entry->tensor.data, best = state[SEEN] > 0 ? state[BEST] : INFINITY;
    bool better = loss < mark(p, best);
    state[SEEN]++;
    state[BEST] = better ? loss : best;
    state[BAD] = better ? 0 : state[BAD] + 1;
    if (state[COOL] > 0) {
        state[COOL]--;
        state[BAD] = 0;
    }
    if (state[BAD] > p->patience) {
        lower(p, store);
        state[COOL] = p->cool_down;
        state[BAD] = 0;
        if (lowered) *lowered = true;
    }
    return true;
}
