#include "tools/proof/story.h"

#include <math.h>
#include <string.h>

#include "recurve.h"

const story_setting story_settings[STORY_SETTINGS] = {
    {.pixel_scale = 1, .recurrent_scale = 1, .step = 1.5e-4},
    {.pixel_scale = 1.0 / 16, .recurrent_scale = 100, .step = 1e-3},
};

/* The six weights: in the store by name, in the derivation by hand by place. */
static const struct place {
    const char *name;
    size_t offset;
    int count;
    bool recurrent, published_right;
} places[STORY_WEIGHTS] = {
    {"Wxc", offsetof(by_hand_curnn, wxc), 25, false, false},
    {"Wxg", offsetof(by_hand_curnn, wxg), 25, false, false},
    {"Wrecc", offsetof(by_hand_curnn, wrecc), 9, true, false},
    {"Wrecg", offsetof(by_hand_curnn, wrecg), 9, true, false},
    {"W1", offsetof(by_hand_curnn, w1), 16 * 34, false, true},
    {"W2", offsetof(by_hand_curnn, w2), 34, false, true},
};

static double *numbers(by_hand_curnn *net, int weight)
{
    return (double *)(void *)((char *)net + places[weight].offset);
}

/* ---- the library's side ---- */

typedef struct bench {
    rv_store *store;
    rv_tape *tape;
    rv_var cost, weight[STORY_WEIGHTS];
    rv_tensor x, y;    /* [images,1,8,8], [images] */
    by_hand_curnn net; /* the store's weights */
    double h0[16];
    by_hand_curnn autodiff; /* the library's gradient */
    double differences[STORY_WEIGHTS];
} bench;

static bool fail_tape(const bench *b, rv_error *error)
{
    return rv_fail(error, rv_tape_error(b->tape)->code, "%s", rv_tape_error(b->tape)->text);
}

/* The first zeros and ones of the built-in digits. */
static bool load_images(bench *b, double pixel_scale, rv_error *error)
{
    int64_t found = 0;
    if (!rv_tensor_new(&b->x, RV_F64, RV_SHAPE(STORY_IMAGES, 1, 8, 8), error) ||
        !rv_tensor_new(&b->y, RV_F64, RV_SHAPE(STORY_IMAGES), error))
        return false;
    for (int64_t i = 0; found < STORY_IMAGES; i++) {
        int digit;
        const unsigned char *pixels = rv_digit(i, &digit);
        if (digit > 1) continue;
        for (int64_t j = 0; j < 64; j++)
            rv_tensor_set(&b->x, 64 * found + j, pixel_scale * pixels[j]);
        rv_tensor_set(&b->y, found++, digit);
    }
    return true;
}

/* The model as it is registered, its cost a mean over the images. */
static bool record(bench *b, uint64_t seed, rv_error *error)
{
    const rv_model *model = rv_model_find("curnn-blog");
    b->store = rv_store_new(seed);
    b->tape = rv_tape_new(b->store, RV_F64);
    if (!model || !b->tape) return rv_fail_memory(error);
    rv_net_options options = {.classes = 2};
    b->cost = rv_model_record(model, &options, rv_input(b->tape, "x", b->x.shape),
                              rv_input(b->tape, "y", b->y.shape))
                  .loss;
    for (int w = 0; w < STORY_WEIGHTS; w++) { /* made above: this finds them */
        const rv_entry *entry = rv_store_find(b->store, places[w].name);
        if (!entry || rv_tensor_count(&entry->tensor) != places[w].count)
            return rv_fail(error, RV_ERROR_NAME, "the model has no weight \"%s\" of %d numbers",
                           places[w].name, places[w].count);
        b->weight[w] = rv_parameter(b->tape, entry->name, entry->tensor.shape, (rv_init){0});
    }
    return !rv_is_null(b->cost) || fail_tape(b, error);
}

/* Scales the recurrent kernels in the store and copies all weights out of it. */
static bool copy_weights(bench *b, double recurrent_scale, rv_error *error)
{
    const rv_entry *h0 = rv_store_find(b->store, "h0");
    if (!h0 || rv_tensor_count(&h0->tensor) != 16)
        return rv_fail(error, RV_ERROR_NAME, "the model has no state \"h0\" of 16 numbers");
    for (int i = 0; i < 16; i++) b->h0[i] = rv_tensor_get(&h0->tensor, i);
    for (int w = 0; w < STORY_WEIGHTS; w++) {
        rv_tensor *weight = &rv_store_find(b->store, places[w].name)->tensor;
        for (int i = 0; i < places[w].count; i++) {
            double value = rv_tensor_get(weight, i) * (places[w].recurrent ? recurrent_scale : 1);
            rv_tensor_set(weight, i, value);
            numbers(&b->net, w)[i] = value;
        }
    }
    return true;
}

/* The library's gradients, and how far they are from differences of its forward pass. */
static bool differentiate(bench *b, double step, rv_error *error)
{
    rv_named_tensor inputs[] = {{"x", b->x}, {"y", b->y}};
    rv_gradcheck_options options = {.inputs = inputs, .input_count = 2, .step = step};
    rv_gradcheck_result result[STORY_WEIGHTS];
    rv_gradcheck(b->cost, b->weight, STORY_WEIGHTS, &options, result);
    rv_var gradient[STORY_WEIGHTS];
    rv_gradient(b->cost, b->weight, STORY_WEIGHTS, gradient);
    rv_program *program = rv_compile(b->tape, gradient, STORY_WEIGHTS);
    if (!program) return fail_tape(b, error);
    bool ok = rv_tensor_copy(rv_program_input(program, "x"), &b->x, error) &&
              rv_tensor_copy(rv_program_input(program, "y"), &b->y, error);
    rv_run(program);
    for (int w = 0; w < STORY_WEIGHTS; w++) {
        b->differences[w] = result[w].max_relative_error;
        for (int i = 0; i < places[w].count; i++)
            numbers(&b->autodiff, w)[i] = rv_tensor_get(rv_program_output(program, w), i);
    }
    rv_program_free(program);
    return ok;
}

static bool set_up(bench *b, const story_setting *setting, uint64_t seed, rv_error *error)
{
    *b = (bench){0};
    return load_images(b, setting->pixel_scale, error) && record(b, seed, error) &&
           copy_weights(b, setting->recurrent_scale, error) &&
           differentiate(b, setting->step, error);
}

static void clear_up(bench *b)
{
    rv_tensor_free(&b->x);
    rv_tensor_free(&b->y);
    rv_tape_free(b->tape);
    rv_store_free(b->store);
}

/* ---- the derivation's side ---- */

/* Its mean gradient over the images. */
static by_hand_curnn derive(const bench *b, unsigned corrections)
{
    by_hand_curnn sum = {0};
    for (int n = 0; n < STORY_IMAGES; n++) {
        double x[64];
        by_hand_curnn_trace trace;
        by_hand_curnn one;
        for (int i = 0; i < 64; i++) x[i] = rv_tensor_get(&b->x, 64 * n + i);
        by_hand_curnn_forward(&b->net, b->h0, x, rv_tensor_get(&b->y, n), &trace);
        by_hand_curnn_gradient(&b->net, &trace, corrections, &one);
        for (int w = 0; w < STORY_WEIGHTS; w++)
            for (int i = 0; i < places[w].count; i++)
                numbers(&sum, w)[i] += numbers(&one, w)[i] / STORY_IMAGES;
    }
    return sum;
}

/* ---- comparing ---- */

static double error_of(by_hand_curnn *derived, bench *b, int w)
{
    const double *a = numbers(derived, w), *right = numbers(&b->autodiff, w);
    double difference = 0, size = STORY_FLOOR;
    for (int i = 0; i < places[w].count; i++) {
        difference = fmax(difference, fabs(a[i] - right[i]));
        size = fmax(size, fabs(right[i]));
    }
    return difference / size;
}

static double worst_error(bench *b, unsigned corrections)
{
    by_hand_curnn derived = derive(b, corrections);
    double worst = 0;
    for (int w = 0; w < STORY_WEIGHTS; w++) worst = fmax(worst, error_of(&derived, b, w));
    return worst;
}

static void compare(bench *b, story_weight *rows)
{
    by_hand_curnn corrected = derive(b, BY_HAND_ALL_CORRECTIONS);
    by_hand_curnn published = derive(b, BY_HAND_AS_PUBLISHED);
    for (int w = 0; w < STORY_WEIGHTS; w++) {
        const double *a = numbers(&published, w), *right = numbers(&b->autodiff, w);
        double aa = 0, rr = 0, ar = 0;
        for (int i = 0; i < places[w].count; i++) {
            aa += a[i] * a[i];
            rr += right[i] * right[i];
            ar += a[i] * right[i];
        }
        rows[w] = (story_weight){.name = places[w].name,
                                 .published_right = places[w].published_right,
                                 .differences = b->differences[w],
                                 .corrected = error_of(&corrected, b, w),
                                 .published = error_of(&published, b, w),
                                 .cosine = rr > 0 ? ar / sqrt(aa * rr) : 0,
                                 .ratio = sqrt(aa / rr)};
    }
}

/* Each mistake alone, the others corrected: one by one in a row, they would hide each other. */
static void find_mistakes(bench *b, story_mistake *rows)
{
    for (int m = 0; m < STORY_MISTAKES; m++) {
        const by_hand_mistake *mistake = &by_hand_curnn_mistakes[m];
        rows[m].mistake = mistake;
        rows[m].before = worst_error(b, BY_HAND_ALL_CORRECTIONS & ~mistake->correction);
        rows[m].after = worst_error(b, BY_HAND_ALL_CORRECTIONS);
    }
}

/* Written so that a NaN is not ok. */
static bool as_they_must_be(const story_weight *rows)
{
    for (const story_weight *w = rows; w < rows + STORY_WEIGHTS; w++) {
        bool published =
            w->published_right ? w->published <= STORY_EXACT : w->published >= STORY_MISTAKEN;
        if (!(w->differences <= STORY_NUMERIC && w->corrected <= STORY_EXACT && published))
            return false;
    }
    return true;
}

static bool mistakes_show(const story_mistake *rows)
{
    for (const story_mistake *m = rows; m < rows + STORY_MISTAKES; m++)
        if (!(m->before >= STORY_MISTAKEN && m->after <= STORY_EXACT)) return false;
    return true;
}

bool story_tell(story *s, uint64_t seed, rv_error *error)
{
    bool ok = true;
    *s = (story){.ok = true};
    for (int i = 0; ok && i < STORY_SETTINGS; i++) {
        bench b;
        ok = set_up(&b, &story_settings[i], seed, error);
        if (ok) compare(&b, s->weight[i]);
        if (ok && i == STORY_SETTINGS - 1) find_mistakes(&b, s->mistake);
        clear_up(&b);
        s->ok = s->ok && as_they_must_be(s->weight[i]);
    }
    s->ok = ok && s->ok && mistakes_show(s->mistake);
    return ok;
}
