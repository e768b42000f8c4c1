#include "tools/run/watch.h"

#include <math.h>

#include "tensor/memory.h"

bool watch_keep(watch *w, const rv_store *store, rv_error *error)
{
    size_t count = rv_store_count(store);
    if (!rv_reserve(&w->kept, &w->capacity, count, sizeof *w->kept)) return rv_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        const rv_tensor *from = &rv_store_at(store, i)->tensor;
        if (i == w->count && !rv_tensor_new(&w->kept[i], from->dtype, from->shape, error))
            return false;
        if (i == w->count) w->count++;
        if (!rv_tensor_copy(&w->kept[i], from, error)) return false;
    }
    return true;
}

void watch_free(watch *w)
{
    for (size_t i = 0; i < w->count; i++) rv_tensor_free(&w->kept[i]);
    rv_free(w->kept);
    *w = (watch){0};
}

static bool is_finite(const rv_tensor *tensor) { return rv_tensor_extent(tensor).first < 0; }

bool watch_damaged(const rv_store *store)
{
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role == RV_PARAMETER && !is_finite(&entry->tensor)) return true;
    }
    return false;
}

/* An optimizer's state that overflows can leave parameters finite, which do not learn any more. */
static bool store_damaged(const watch *w, const rv_store *store)
{
    for (size_t i = 0; i < w->count; i++)
        if (!is_finite(&rv_store_at(store, i)->tensor) && is_finite(&w->kept[i])) return true;
    return false;
}

static void take_back(const watch *w, rv_store *store)
{
    for (size_t i = 0; i < w->count; i++)
        rv_tensor_copy(&rv_store_at(store, i)->tensor, &w->kept[i], NULL);
}

/* All once more, an op at a time; it ends before anything is assigned. */
static bool name_the_op(const experiment *e, rv_store *store, const rv_batch *batch, bool learn,
                        rv_error *error)
{
    batch_program slow;
    if (!batch_program_make(&slow, e, store, batch->count, learn, RV_CHECKED, error)) return false;
    if (batch_program_feed(&slow, batch, error)) rv_run_checked(slow.program, NULL, error);
    rv_program_free(slow.program);
    return error->code == RV_OK;
}

bool watch_look(watch *w, const experiment *e, rv_store *store, const batch_program *b,
                const rv_batch *batch, bool learn, const char *words, rv_error *error)
{
    rv_error why = {0};
    if (isfinite(rv_value(b->program, 0)) && !store_damaged(w, store)) return true;
    take_back(w, store);
    if (name_the_op(e, store, batch, learn, &why))
        rv_fail(&why, RV_ERROR_NUMBER, "the cost, a parameter or a state is not finite, %s",
                "though each op by itself makes finite numbers; try --dtype f64");
    take_back(w, store);
    return rv_fail(error, why.code, "%s: %s", words, why.text);
}
