/* Augmentation: random shifts and noise. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "data/shuffle_internal.h"
#include "data/transforms.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "tensor/random.h"

typedef struct augment {
    rv_source plain;
    rv_augment options;
} augment;

/* Uniform in -shift .. shift. */
static int64_t draw_shift(uint64_t seed, uint64_t index, int64_t shift)
{
    int64_t choices = 2 * shift + 1;
    return (int64_t)(rv_random_uniform(seed, index) * (double)choices) - shift;
}

/* Shifts an image [h,w] in place. The order of the rows is such that none is overwritten before it
 * is read. */
static void move(float *image, int64_t h, int64_t w, int64_t down, int64_t right)
{
    int64_t kept = w - (right < 0 ? -right : right);
    for (int64_t i = 0; i < h; i++) {
        int64_t to = down > 0 ? h - 1 - i : i, from = to - down;
        float *row = image + to * w;
        if (from < 0 || from >= h) {
            memset(row, 0, (size_t)w * sizeof *row);
            continue;
        }
        const float *old = image + from * w;
        memmove(row + (right > 0 ? right : 0), old + (right < 0 ? -right : 0),
                (size_t)kept * sizeof *row);
        memset(row + (right > 0 ? 0 : kept), 0, (size_t)(w - kept) * sizeof *row);
    }
}

static bool read_varied(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    const augment *a = s->context;
    if (!rv_source_read(&a->plain, epoch, index, x, y, length, error)) return false;
    uint64_t seed = rv_sample_seed(a->options.seed, epoch, (uint64_t)index);
    float *value = x;
    int64_t count = rv_shape_count(s->x);
    if (a->options.shift > 0) {
        int64_t h = s->x.dim[s->x.rank - 2], w = s->x.dim[s->x.rank - 1];
        int64_t down = draw_shift(seed, 0, a->options.shift);
        int64_t right = draw_shift(seed, 1, a->options.shift);
        for (int64_t at = 0; at < count; at += h * w) {
            move(value + at, h, w, down, right);
        }
    }
    for (int64_t i = 0; i < count && a->options.noise > 0; i++) {
        value[i] += (float)(a->options.noise * rv_random_normal(seed, (uint64_t)i));
    }
    return true;
}

static void close_varied(rv_source *s) { rv_free(s->context); }

static bool check_options(const rv_source *plain, rv_augment options, rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    const rv_shape *x = &plain->x;
    const bool noise = options.noise != 0;
    if (!(options.noise >= 0) || !isfinite(options.noise))
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: `noise` is %g; give a finite number from 0",
                       plain->name, options.noise);
    if (plain->x_type != RV_F32)
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: x is %s, but `%s` needs numbers", plain->name,
                       rv_dtype_name(plain->x_type), noise ? "noise" : "shift");
    if (options.shift == 0) return true;
    if (x->rank < 2 || options.shift < 0 || options.shift >= x->dim[x->rank - 2] ||
        options.shift >= x->dim[x->rank - 1])
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: `shift` by up to %" PRId64
                       " pixel(s) of x %s; expected images that are larger than the shift",
                       plain->name, options.shift, rv_shape_text(*x, text));
    if (!plain->each_step || plain->classes > 0) return true;
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "%s: y holds numbers for each step, which would have to shift with x; "
                   "expected labels, or `shift` 0",
                   plain->name);
}

bool rv_source_augment(rv_source *varied, const rv_source *plain, rv_augment options,
                       rv_error *error)
{
    if (!RV_NEEDS(error, varied, plain)) return false;
    *varied = (rv_source){0};
    if (!rv_source_check(plain, error) || !check_options(plain, options, error)) return false;
    augment *a = rv_alloc(1, sizeof *a);
    if (!a) return rv_fail_memory(error);
    *a = (augment){*plain, options};
    *varied = *plain;
    varied->read = read_varied;
    varied->close = close_varied;
    varied->context = a;
    return true;
}
