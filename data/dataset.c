/* Datasets: split, scaled, and copied into batches. */
#include "data/dataset.h"

#include <inttypes.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/random.h"

void rv_dataset_free(rv_dataset *dataset)
{
    if (dataset != NULL) {
        rv_tensor_free(&dataset->images);
        rv_tensor_free(&dataset->labels);
        *dataset = (rv_dataset){0};
    }
}

/* A dataset of the images order[0 .. count-1]. */
static bool pick(const rv_dataset *all, const int64_t *order, int64_t count, rv_dataset *out,
                 rv_error *error)
{
    rv_shape shape = all->images.shape;
    shape.dim[0] = count;
    if (!rv_tensor_new(&out->images, all->images.dtype, shape, error) ||
        !rv_tensor_new(&out->labels, all->labels.dtype, RV_SHAPE(count), error)) {
        return false;
    }
    out->count = count;
    out->classes = all->classes;
    return rv_dataset_batch(all, order, 0, &out->images, &out->labels, error);
}

bool rv_dataset_split(const rv_dataset *all, int64_t held_out, uint64_t seed, rv_dataset *train,
                      rv_dataset *test, rv_error *error)
{
    *train = *test = (rv_dataset){0};
    if (held_out <= 0 || held_out >= all->count) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%" PRId64 " images held out of %" PRId64
                       "; expected at least 1, and at least 1 left to train on",
                       held_out, all->count);
    }
    int64_t *order = rv_alloc((size_t)all->count, sizeof *order);
    if (order == NULL) return rv_fail_memory(error);
    rv_random_permutation(order, all->count, seed);
    bool ok = pick(all, order, held_out, test, error) &&
              pick(all, order + held_out, all->count - held_out, train, error);
    rv_free(order);
    if (!ok) {
        rv_dataset_free(train);
        rv_dataset_free(test);
    }
    return ok;
}

void rv_dataset_scale(rv_dataset *dataset, double factor)
{
    int64_t count = rv_tensor_count(&dataset->images);
    for (int64_t i = 0; i < count; i++) {
        rv_tensor_set(&dataset->images, i, rv_tensor_get(&dataset->images, i) * factor);
    }
}

typedef enum label_form { LABEL_NONE, LABEL_INDEX, LABEL_ONE_HOT, LABEL_NUMBER } label_form;

/* What y's shape asks for. With a single class [n,1] is a number too. */
static label_form form_of(const rv_dataset *dataset, rv_shape y, int64_t n)
{
    if (rv_shape_equal(y, RV_SHAPE(n))) return LABEL_INDEX;
    if (rv_shape_equal(y, RV_SHAPE(n, 1))) return LABEL_NUMBER;
    return rv_shape_equal(y, RV_SHAPE(n, dataset->classes)) ? LABEL_ONE_HOT : LABEL_NONE;
}

static bool check_batch(const rv_dataset *dataset, const int64_t *order, int64_t first,
                        const rv_tensor *x, const rv_tensor *y, label_form *form, rv_error *error)
{
    char has[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    int64_t n = x->shape.dim[0];
    rv_shape fits = dataset->images.shape;
    fits.dim[0] = n;
    if (!rv_shape_equal(x->shape, fits)) {
        fits.dim[0] = 1;
        return rv_fail(
            error, RV_ERROR_SHAPE,
            "a batch of images of shape %s; expected %s, times the batch's size in front",
            rv_shape_text(x->shape, has), rv_shape_text(fits, expected));
    }
    *form = form_of(dataset, y->shape, n);
    if (*form == LABEL_NONE) {
        return rv_fail(error, RV_ERROR_SHAPE,
                       "labels of shape %s for %" PRId64 " images; expected [%" PRId64
                       "], one-hot [%" PRId64 ",%" PRId64 "] or [%" PRId64 ",1]",
                       rv_shape_text(y->shape, has), n, n, n, dataset->classes, n);
    }
    if (first < 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "a batch from position %" PRId64 "; expected 0 on",
                       first);
    }
    for (int64_t i = 0; order != NULL && i < n; i++) {
        int64_t image = order[(first % dataset->count + i) % dataset->count];
        if (image < 0 || image >= dataset->count) {
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "the order names image %" PRId64 "; expected 0 to %" PRId64, image,
                           dataset->count - 1);
        }
    }
    return true;
}

static void put_image(const rv_tensor *images, int64_t image, rv_tensor *x, int64_t row)
{
    int64_t pixels = rv_tensor_count(images) / images->shape.dim[0];
    if (x->dtype == images->dtype) {
        size_t bytes = (size_t)pixels * rv_dtype_size(x->dtype);
        memcpy((char *)x->data + (size_t)row * bytes,
               (const char *)images->data + (size_t)image * bytes, bytes);
        return;
    }
    for (int64_t i = 0; i < pixels; i++) {
        rv_tensor_set(x, row * pixels + i, rv_tensor_get(images, image * pixels + i));
    }
}

static void put_label(const rv_dataset *dataset, int64_t image, rv_tensor *y, int64_t row,
                      label_form form)
{
    double label = rv_tensor_get(&dataset->labels, image);
    if (form != LABEL_ONE_HOT) {
        rv_tensor_set(y, row, label);
        return;
    }
    for (int64_t c = 0; c < dataset->classes; c++) {
        rv_tensor_set(y, row * dataset->classes + c, label == (double)c ? 1.0 : 0.0);
    }
}

bool rv_dataset_batch(const rv_dataset *dataset, const int64_t *order, int64_t first, rv_tensor *x,
                      rv_tensor *y, rv_error *error)
{
    label_form form;
    if (x == NULL || y == NULL)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "batch: %s is NULL; if it comes from rv_program_input, the program has no "
                       "input of that name",
                       x == NULL ? "x" : "y");
    if (!check_batch(dataset, order, first, x, y, &form, error)) return false;
    int64_t n = x->shape.dim[0];
    for (int64_t i = 0; i < n; i++) {
        int64_t position = (first % dataset->count + i) % dataset->count;
        int64_t image = order != NULL ? order[position] : position;
        put_image(&dataset->images, image, x, i);
        put_label(dataset, image, y, i, form);
    }
    return true;
}
