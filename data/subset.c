/* A subset of the samples of a source. */
#include <inttypes.h>

#include "data/shuffle_internal.h"
#include "data/transforms.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

typedef struct subset {
    rv_source whole;
    rv_subset options;
    rv_shuffle shuffle;
} subset;

static bool read_subset(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    const subset *p = s->context;
    int64_t position = p->options.first + index;
    return rv_source_read(&p->whole, epoch,
                          p->options.in_order ? position : rv_shuffle_at(&p->shuffle, position), x,
                          y, length, error);
}

static void close_subset(rv_source *s)
{
    subset *p = s->context;
    rv_shuffle_free(&p->shuffle);
    rv_free(p);
}

bool rv_source_subset(rv_source *source, const rv_source *whole, rv_subset options, rv_error *error)
{
    if (!RV_NEEDS(error, source, whole)) return false;
    *source = (rv_source){0};
    if (!rv_source_check(whole, error)) return false;
    int64_t left = options.first < 0 ? 0 : whole->count - options.first;
    int64_t count = options.count != 0 ? options.count : left;
    if (left < 1 || count < 1 || count > left) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: a subset of %" PRId64 " sample(s) from %" PRId64 " on, of %" PRId64
                       "; expected at least 1 and no more than the source has",
                       whole->name, options.count, options.first, whole->count);
    }
    subset *p = rv_alloc(1, sizeof *p);
    if (!p) return rv_fail_memory(error);
    p->whole = *whole;
    p->options = options;
    if (!options.in_order && !rv_shuffle_new(&p->shuffle, whole->count, options.seed, error)) {
        rv_free(p);
        return false;
    }
    *source = *whole;
    source->count = count;
    source->read = read_subset;
    source->close = close_subset;
    source->context = p;
    return true;
}
