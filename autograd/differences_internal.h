/* A loss as a function of one element of a leaf: its slopes by differences, and where it has
 * kinks. */
#ifndef RV_AUTOGRAD_DIFFERENCES_INTERNAL_H
#define RV_AUTOGRAD_DIFFERENCES_INTERNAL_H

#include "autograd/gradcheck.h"
#include "autograd/program.h"

/* The loss alone, on a tape of its own. Gradients treat the values behind stop_gradient as
 * constants, so here they are inputs, which keep the values that they have at the point. */
typedef struct rv_held_loss {
    rv_tape *tape;
    rv_var loss;
    rv_program *program; /* output: loss */
    int32_t *stopped;    /* ids of the stop_gradients on the tape of the original loss */
    int stopped_count;
    size_t stopped_capacity;
    double at_point; /* the loss at the point */
    double epsilon;  /* of the dtype */
    double rounding; /* what rounding can do to the loss; 0: not found yet */
    rv_var *shown;   /* the values of the loss that may change, in order */
    int shown_count;
    rv_program *values; /* outputs: shown; made when a kink is looked for */
} rv_held_loss;

/* Returns false with an error. rv_held_loss_free, either way. */
bool rv_held_loss_make(rv_held_loss *h, rv_var loss, rv_error *error);
void rv_held_loss_free(rv_held_loss *h);

/* Gives stopped[k] the value that it has at the point. */
bool rv_held_loss_hold(rv_held_loss *h, int k, const rv_tensor *value, rv_error *error);

/* An element of a leaf, in the memory from which `program` reads it. */
typedef struct rv_element {
    rv_tensor *x;
    int64_t index;
    const char *input; /* name of the leaf, if it is an input; else NULL */
} rv_element;

/* The five-point central difference
 *     (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h,  h = step max(1, |x|),
 * which is exact for polynomials up to degree 4. */
double rv_central_difference(const rv_held_loss *h, rv_element e, double step);

/* Finds `rounding`, to first order: the sum over all values v of |v d loss / d v| epsilon. */
bool rv_find_rounding(rv_held_loss *h, rv_error *error);

/* `doubt` bounds the error, as far as steps of different sizes and the rounding of the loss show
 * it; infinite if no difference was finite. */
typedef struct rv_estimate {
    double value, doubt;
} rv_estimate;

typedef struct rv_slopes {
    rv_estimate central, left, right;
    double step; /* of the best central difference */
} rv_slopes;

/* Takes differences with a step, a quarter of it, and so on, while the loss resolves them. Returns
 * early if a central difference is within `tolerance` of `expected` (rv_relative_error). */
rv_slopes rv_find_slopes(const rv_held_loss *h, rv_element e, double step, double expected,
                         double tolerance, double floor);

/* |a - n| / max(|a|, |n|, floor); infinity for NaN. */
double rv_relative_error(double a, double n, double floor);

/* Looks for the first value that is not smooth in the element although its inputs are, and
 * describes it: relu in "a" has a kink at this point. Returns whether there is one; false with an
 * error, too. */
bool rv_find_kink(rv_held_loss *h, rv_element e, double step, char text[RV_GRADCHECK_REASON],
                  rv_error *error);

#endif
