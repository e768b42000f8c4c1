/* L-BFGS: the two-loop recursion and the line search, in doubles on the host. */
#include "optim/lbfgs.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "autograd/gradient.h"
#include "optim/parameters_internal.h"
#include "tensor/memory.h"

enum { SEARCH_STEPS = 40 };
static const double FLAT =
    0.9; /* of the strong Wolfe conditions: the slope's bound relative to the first slope */

/* A point a along the direction: the loss there and its slope. */
typedef struct point {
    double a, loss, slope;
} point;

typedef struct lbfgs {
    rv_lbfgs_options options;
    rv_program *program; /* outputs: the loss, then the gradient by each parameter */
    rv_tensor **w;       /* the parameters */
    int parameters;
    size_t n;                /* their elements, in all */
    double *x, *g;           /* the current point, its gradient */
    double *d;               /* the direction */
    double *x1, *g1;         /* the point tried last, its gradient */
    double *s, *y;           /* [history][n]: steps, and how the gradient changed on them */
    double *product, *alpha; /* [history]: s y, and the factors of the two-loop recursion */
    int pairs, newest;       /* the number of pairs, the index of the newest */
    double loss, epsilon;    /* its rounding, relative */
    int evaluations;
} lbfgs;

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static double largest(size_t n, const double *a)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(a[i]));
    return most;
}

/* y += k x */
static void add(size_t n, double *y, double k, const double *x)
{
    for (size_t i = 0; i < n; i++) y[i] += k * x[i];
}

/* ---- between vectors and tensors ---- */

static double *gather(const rv_tensor *tensor, double *to)
{
    for (int64_t i = 0; i < rv_tensor_count(tensor); i++) *to++ = rv_tensor_get(tensor, i);
    return to;
}

static void scatter(const lbfgs *l, const double *x)
{
    for (int k = 0; k < l->parameters; k++)
        for (int64_t i = 0; i < rv_tensor_count(l->w[k]); i++) rv_tensor_set(l->w[k], i, *x++);
}

/* Evaluates the loss at the current parameters. x1 gets these, rounded to their dtype, and g1 the
 * gradient. */
static double evaluate(lbfgs *l)
{
    double *x = l->x1, *g = l->g1;
    if (rv_run(l->program)) return NAN; /* another thread has the store */
    for (int k = 0; k < l->parameters; k++) {
        x = gather(l->w[k], x);
        g = gather(rv_program_output(l->program, k + 1), g);
    }
    l->evaluations++;
    return rv_value(l->program, 0);
}

/* Tries x + a d. */
static point try(lbfgs *l, double a)
{
    memcpy(l->x1, l->x, l->n * sizeof *l->x);
    add(l->n, l->x1, a, l->d);
    scatter(l, l->x1);
    double loss = evaluate(l);
    return (point){a, loss, dot(l->n, l->g1, l->d)};
}

/* ---- the line search ---- */

/* The minimum of the cubic through two points and their slopes, kept away from both ends. */
static double between(point lo, point hi)
{
    double width = hi.a - lo.a;
    double p = lo.slope + hi.slope - 3 * (hi.loss - lo.loss) / width;
    double q = copysign(sqrt(p * p - lo.slope * hi.slope), width);
    double a = hi.a - width * (hi.slope + q - p) / (hi.slope - lo.slope + 2 * q);
    double fraction = (a - lo.a) / width;
    if (!isfinite(fraction))
        fraction = 0.5; /* the cubic has no minimum, or the loss is not finite */
    return lo.a + width * fmin(fmax(fraction, 0.1), 0.9);
}

/* Whether the point decreases the loss enough. Near the minimum rounding hides the change of the
 * loss, so the slope decides (Hager and Zhang 2005, the approximate Wolfe conditions). */
static bool is_low(const lbfgs *l, point p, point lo, double slope)
{
    const double sufficient = 1e-4;
    if (!isfinite(p.loss) || !isfinite(p.slope)) return false;
    if (fabs(p.loss - l->loss) <= l->epsilon * fabs(l->loss)) return p.slope <= -FLAT * slope;
    return p.loss < lo.loss && p.loss <= l->loss + sufficient * p.a * slope;
}

/* Searches from x along d for a point that satisfies the strong Wolfe conditions, and leaves it in
 * x1 and g1. `lo` is the best point so far; a suitable point lies between it and `hi`. */
static bool search(lbfgs *l, double slope, double a, double *loss)
{
    point lo = {0, l->loss, slope}, hi = {INFINITY, 0, 0}, p = lo;
    for (int step = 0; step < SEARCH_STEPS; step++) {
        p = try(l, a);
        bool low = is_low(l, p, lo, slope);
        if (low && fabs(p.slope) <= -FLAT * slope) {
            *loss = p.loss;
            return true;
        }
        if (!low) {
            hi = p;
        } else {
            if (p.slope * (hi.a - lo.a) >= 0) hi = lo;
            lo = p;
        }
        a = isfinite(hi.a) ? between(lo, hi) : 2 * a;
    }
    if (lo.a > 0) p = try(l, lo.a);
    *loss = p.loss;
    return lo.a > 0 && lo.loss < l->loss;
}

/* ---- the direction ---- */

/* d = -H g, with H the approximate inverse Hessian of the pairs. */
static void choose_direction(lbfgs *l)
{
    const int history = l->options.history;
    const size_t n = l->n;
    for (size_t i = 0; i < n; i++) l->d[i] = -l->g[i];
    for (int k = 0; k < l->pairs; k++) {
        size_t at = (size_t)((l->newest - k + history) % history);
        l->alpha[at] = dot(n, l->s + at * n, l->d) / l->product[at];
        add(n, l->d, -l->alpha[at], l->y + at * n);
    }
    if (l->pairs) {
        const double *y = l->y + (size_t)l->newest * n;
        double scale = l->product[l->newest] / dot(n, y, y);
        for (size_t i = 0; i < n; i++) l->d[i] *= scale;
    }
    for (int k = l->pairs - 1; k >= 0; k--) {
        size_t at = (size_t)((l->newest - k + history) % history);
        double back = dot(n, l->y + at * n, l->d) / l->product[at];
        add(n, l->d, l->alpha[at] - back, l->s + at * n);
    }
}

/* Stores the step from x to x1 as a pair, unless its curvature is not positive. */
static void remember_pair(lbfgs *l)
{
    const size_t n = l->n;
    int next = (l->newest + 1) % l->options.history;
    double *s = l->s + (size_t)next * n, *y = l->y + (size_t)next * n;
    for (size_t i = 0; i < n; i++) {
        s[i] = l->x1[i] - l->x[i];
        y[i] = l->g1[i] - l->g[i];
    }
    double product = dot(n, s, y);
    if (!(product > DBL_EPSILON * sqrt(dot(n, s, s) * dot(n, y, y)))) {
        l->pairs = 0; /* its slot was the oldest pair's */
        return;
    }
    l->product[next] = product;
    l->newest = next;
    if (l->pairs < l->options.history) l->pairs++;
}

/* One iteration; false if no lower point is found. */
static bool iterate(lbfgs *l)
{
    const size_t n = l->n;
    double loss = 0;
    for (;;) {
        choose_direction(l);
        double slope = dot(n, l->d, l->g), first = 1;
        if (!l->pairs) first = fmin(1, 1 / sqrt(dot(n, l->g, l->g)));
        if (slope < 0 && isfinite(slope) && search(l, slope, first, &loss)) break;
        scatter(l, l->x);
        if (!l->pairs) return false;
        l->pairs = 0; /* retry along the gradient, without the pairs */
    }
    remember_pair(l);
    memcpy(l->x, l->x1, n * sizeof *l->x);
    memcpy(l->g, l->g1, n * sizeof *l->g);
    l->loss = loss;
    return true;
}

static rv_lbfgs_reason run(lbfgs *l, int *iterations)
{
    const rv_lbfgs_options *o = &l->options;
    while (largest(l->n, l->g) > o->gradient_tolerance) {
        double before = l->loss;
        if (*iterations == o->iterations) return RV_LBFGS_ITERATIONS;
        if (!iterate(l)) return RV_LBFGS_LINE_SEARCH;
        ++*iterations;
        if (o->loss_tolerance > 0 && before - l->loss <= o->loss_tolerance * fabs(before))
            return RV_LBFGS_LOSS;
    }
    return RV_LBFGS_GRADIENT;
}

/* ---- setting up ---- */

static bool choose_options(lbfgs *l, rv_var loss, const rv_lbfgs_options *given)
{
    rv_lbfgs_options *o = &l->options;
    l->epsilon = rv_dtype_of(loss) == RV_F32 ? FLT_EPSILON : DBL_EPSILON;
    if (given) *o = *given;
    if (o->history < 0 || o->iterations < 0 ||
        !(o->gradient_tolerance >= 0 && o->loss_tolerance >= 0)) {
        rv_tape_fail(loss.tape, RV_ERROR_ARGUMENT,
                     "lbfgs: history %d, iterations %d, tolerances %g and %g; give numbers from 0, "
                     "0 for the default",
                     o->history, o->iterations, o->gradient_tolerance, o->loss_tolerance);
        return false;
    }
    if (!o->history) o->history = 10;
    if (!o->iterations) o->iterations = 200;
    if (o->gradient_tolerance == 0) o->gradient_tolerance = sqrt(l->epsilon);
    return true;
}

/* Compiles the loss and its gradients, and finds the parameters' tensors. */
static bool make_program(lbfgs *l, rv_var loss, const rv_var *w, rv_var *output)
{
    output[0] = loss;
    l->w = rv_alloc((size_t)l->parameters, sizeof *l->w);
    if (!l->w || !rv_gradient(loss, w, l->parameters, output + 1)) return false;
    for (int k = 0; k < l->parameters; k++) {
        l->w[k] = &rv_tape_node(loss.tape, w[k].id)->entry->tensor;
        l->n += (size_t)rv_tensor_count(l->w[k]);
    }
    l->program = rv_compile_with(loss.tape, output, l->parameters + 1, RV_VALUES);
    return l->program;
}

/* All vectors in one piece of memory. */
static bool make_vectors(lbfgs *l)
{
    size_t m = (size_t)l->options.history;
    if (m > SIZE_MAX / 4 / sizeof *l->x || l->n > SIZE_MAX / (2 * m + 6)) return false;
    l->x = rv_alloc((2 * m + 5) * l->n + 2 * m, sizeof *l->x);
    if (!l->x) return false;
    l->g = l->x + l->n;
    l->d = l->g + l->n;
    l->x1 = l->d + l->n;
    l->g1 = l->x1 + l->n;
    l->s = l->g1 + l->n;
    l->y = l->s + m * l->n;
    l->product = l->y + m * l->n;
    l->alpha = l->product + m;
    return true;
}

static bool start(lbfgs *l, rv_tape *tape)
{
    const rv_lbfgs_options *o = &l->options;
    if (o->fill && !o->fill(l->program, o->context)) {
        rv_tape_fail(tape, RV_ERROR_ARGUMENT, "lbfgs: the inputs could not be filled");
        return false;
    }
    l->loss = evaluate(l);
    memcpy(l->x, l->x1, l->n * sizeof *l->x);
    memcpy(l->g, l->g1, l->n * sizeof *l->g);
    if (isfinite(l->loss) && isfinite(dot(l->n, l->g, l->g))) return true;
    rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                 "lbfgs: the loss is %g at the start, or its gradient not finite; start elsewhere",
                 l->loss);
    return false;
}

bool rv_lbfgs(rv_var loss, const rv_lbfgs_options *options, rv_lbfgs_result *result)
{
    rv_lbfgs_result none, *r = result ? result : &none;
    *r = (rv_lbfgs_result){0};
    if (rv_is_null(loss)) return false;
    rv_tape *tape = loss.tape;
    lbfgs l = {0};
    rv_var *w = rv_parameters_of(loss, &l.parameters);
    rv_var *output = rv_alloc((size_t)l.parameters + 1, sizeof *output);
    if (w && !l.parameters)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "lbfgs: the loss depends on no parameter; make one with rv_parameter");
    bool good = w && output && l.parameters && choose_options(&l, loss, options) &&
                make_program(&l, loss, w, output) && make_vectors(&l);
    if (!good) /* a failure without an error is one of memory; the first error stays */
        rv_tape_fail(tape, RV_ERROR_MEMORY, "lbfgs: out of memory");
    if (good && start(&l, tape)) {
        r->reason = run(&l, &r->iterations);
        r->evaluations = l.evaluations;
        r->loss = l.loss;
        r->gradient = largest(l.n, l.g);
    }
    rv_program_free(l.program);
    rv_free(l.x);
    rv_free(l.w);
    rv_free(output);
    rv_free(w);
    return r->reason != RV_LBFGS_FAILED;
}
