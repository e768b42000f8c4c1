/* The built-in digits. The build turns digits.csv.gz into digits.inc: one line per image, 64 pixels
 * (0 to 16) and the digit. */
#include "data/tensors.h"

#include <stddef.h>

#include "tensor/needs_internal.h"

enum { IMAGES = RV_DIGITS, SIDE = RV_DIGIT_SIDE, PIXELS = SIDE * SIDE, DIGITS = 10 };

static const unsigned char digits[] = {
#include "data/digits.inc"
};

_Static_assert(sizeof digits == IMAGES * (PIXELS + 1), "every image has 64 pixels and a label");

const unsigned char *rv_digit(int64_t index, int *digit)
{
    if (index < 0 || index >= RV_DIGITS) return NULL;
    const unsigned char *row = &digits[index * (PIXELS + 1)];
    if (digit) {
        *digit = row[PIXELS];
    }
    return row;
}

/* label_of[d] becomes the label of digit d, or -1 if d is left out. */
static bool choose(const int *classes, int count, int label_of[DIGITS], rv_error *error)
{
    bool all = !classes && count == 0;
    if (!all && (!classes || count < 1 || count > DIGITS)) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%d digit(s) listed; expected 1 to 10 of them, or NULL and 0 for all",
                       count);
    }
    for (int d = 0; d < DIGITS; d++) {
        label_of[d] = all ? d : -1;
    }
    for (int i = 0; i < count; i++) {
        int d = classes[i];
        if (d < 0 || d >= DIGITS || label_of[d] >= 0) {
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "digit %d at index %d of the list; expected 0 to 9, each at most once",
                           d, i);
        }
        label_of[d] = i;
    }
    return true;
}

bool rv_source_digits(rv_source *source, const int *classes, int count, rv_error *error)
{
    if (!RV_NEEDS(error, source)) return false;
    *source = (rv_source){0};
    int label_of[DIGITS];
    if (!choose(classes, count, label_of, error)) return false;
    int64_t kept = 0;
    for (int i = 0; i < IMAGES; i++) {
        kept += label_of[digits[i * (PIXELS + 1) + PIXELS]] >= 0;
    }
    rv_tensor x = {0}, y = {0};
    bool ok = rv_tensor_new(&x, RV_F32, RV_SHAPE(kept, 1, SIDE, SIDE), error) &&
              rv_tensor_new(&y, RV_I32, RV_SHAPE(kept), error);
    float *pixel = x.data;
    int32_t *label = y.data;
    for (int i = 0; ok && i < IMAGES; i++) {
        const unsigned char *row = &digits[i * (PIXELS + 1)];
        if (label_of[row[PIXELS]] < 0) continue;
        for (int j = 0; j < PIXELS; j++) {
            *pixel++ = (float)row[j] / 16;
        }
        *label++ = label_of[row[PIXELS]];
    }
    ok = ok && rv_source_tensors(source, &x, &y, count > 0 ? count : DIGITS, error);
    if (ok) {
        source->name = "digits";
    }
    rv_tensor_free(&x);
    rv_tensor_free(&y);
    return ok;
}
