/* A part of a source. */
#include <inttypes.h>

#include "data/order_internal.h"
#include "data/views.h"
#include "tensor/memory.h"

typedef struct part {
    rv_source whole;
    rv_part options;
    rv_order order;
} part;

static bool read_part(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                      int32_t *length, rv_error *error)
{
    const part *p = s->context;
    int64_t place = p->options.first + index;
    return rv_source_read(&p->whole, epoch,
                          p->options.in_order ? place : rv_order_at(&p->order, place), x, y, length,
                          error);
}

static void close_part(rv_source *s)
{
    part *p = s->context;
    rv_order_free(&p->order);
    rv_free(p);
}

bool rv_source_part(rv_source *source, const rv_source *whole, rv_part options, rv_error *error)
{
    *source = (rv_source){0};
    if (!rv_source_check(whole, error)) return false;
    int64_t left = options.first < 0 ? 0 : whole->count - options.first;
    int64_t count = options.count != 0 ? options.count : left;
    if (left < 1 || count < 1 || count > left) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: %" PRId64 " samples from %" PRId64 " on, of %" PRId64
                       "; expected at least 1, and no more than there are",
                       whole->name, options.count, options.first, whole->count);
    }
    part *p = rv_alloc(1, sizeof *p);
    if (!p) return rv_fail_memory(error);
    p->whole = *whole;
    p->options = options;
    if (!options.in_order && !rv_order_new(&p->order, whole->count, options.seed, error)) {
        rv_free(p);
        return false;
    }
    *source = *whole;
    source->count = count;
    source->read = read_part;
    source->close = close_part;
    source->context = p;
    return true;
}
