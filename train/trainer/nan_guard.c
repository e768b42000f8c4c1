#include "train/trainer/nan_guard.h"

#include <math.h>

#include "autograd/anomaly.h"
#include "autograd/feed.h"
#include "tensor/memory.h"

bool rv_nan_guard_keep(rv_nan_guard *guard, const rv_store *store, rv_error *error)
{
    size_t count = rv_store_count(store);
    if (!rv_reserve(&guard->kept, &guard->capacity, count, sizeof *guard->kept))
        return rv_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        const rv_tensor *from = &rv_store_at(store, i)->tensor;
        if (i == guard->count && !rv_tensor_new(&guard->kept[i], from->dtype, from->shape, error))
            return false;
        if (i == guard->count) guard->count++;
        if (!rv_tensor_copy(&guard->kept[i], from, error)) return false;
    }
    return true;
}

void rv_nan_guard_free(rv_nan_guard *guard)
{
    for (size_t i = 0; i < guard->count; i++) rv_tensor_free(&guard->kept[i]);
    rv_free(guard->kept);
    *guard = (rv_nan_guard){0};
}

static bool is_finite(const rv_tensor *tensor) { return rv_tensor_extent(tensor).first < 0; }

bool rv_parameters_finite(const rv_store *store)
{
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role == RV_PARAMETER && !is_finite(&entry->tensor)) return false;
    }
    return true;
}

/* All entries count: when an optimizer's state overflows, parameters may stay finite but stop
 * changing. */
bool rv_nan_guard_damaged(const rv_nan_guard *guard, const rv_store *store)
{
    for (size_t i = 0; i < guard->count; i++)
        if (!is_finite(&rv_store_at(store, i)->tensor) && is_finite(&guard->kept[i])) return true;
    return false;
}

void rv_nan_guard_restore(const rv_nan_guard *guard, rv_store *store)
{
    for (size_t i = 0; i < guard->count; i++)
        rv_tensor_copy(&rv_store_at(store, i)->tensor, &guard->kept[i], NULL);
}

bool rv_nan_guard_fail(rv_error *error)
{
    return rv_fail(error, RV_ERROR_NUMBER,
                   "the loss, a parameter or a state is not finite, though each op by itself makes "
                   "finite numbers; try `dtype` f64");
}

/* Repeats the run op by op to find the op at fault. A checked run ends before it assigns
 * anything. */
static bool name_the_op(const rv_setup *s, rv_store *store, const rv_batch *batch, bool training,
                        rv_error *error)
{
    rv_batch_program slow;
    if (!rv_batch_program_make(&slow, s, store, batch->count, training, RV_CHECKED, error))
        return false;
    if (rv_batch_program_feed(&slow, batch, error)) rv_run_checked(slow.program, NULL, error);
    rv_batch_program_free(&slow);
    return error->code == RV_OK;
}

static bool check(rv_nan_guard *guard, const rv_setup *s, rv_store *store,
                  const rv_batch_program *b, const rv_batch *batch, bool training,
                  const char *words, rv_error *error)
{
    rv_error why = {0};
    if (isfinite(rv_value(b->program, 0)) && !rv_nan_guard_damaged(guard, store)) return true;
    rv_nan_guard_restore(guard, store);
    if (name_the_op(s, store, batch, training, &why)) rv_nan_guard_fail(&why);
    rv_nan_guard_restore(guard, store);
    return rv_fail(error, why.code, "%s: %-s", words, why.text);
}

bool rv_run_guarded(const rv_setup *s, rv_store *store, const rv_batch_program *b,
                    rv_nan_guard *guard, const rv_batch *batch, bool training, const char *words,
                    rv_error *error)
{
    if (!s->anomaly) return rv_batch_program_run(b, batch, error);
    return rv_nan_guard_keep(guard, store, error) && rv_batch_program_run(b, batch, error) &&
           check(guard, s, store, b, batch, training, words, error);
}
