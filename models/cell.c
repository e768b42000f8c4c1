/* Unrolling a cell over time, and the maps its equations are made of. */
#include "models/cell.h"

#include <math.h>
#include <stdio.h>

#include "ops/ops.h"

enum { MOST_STATES = 8 };

struct rv_cell {
    rv_tape *tape;
    rv_cell_options options;
    bool probe; /* only shapes matter: parameters need no values */
};

/* ---- initial states ---- */

/* A state has the shape that a step gives back as it got it. Size 1 stands for "any" at first, since
 * it broadcasts: convolutions that keep the size keep it 1, and the input brings the real size in. */
static bool find_shapes(rv_cell_step step, const rv_cell *cell, rv_var x, rv_shape *shape)
{
    enum { TRIES = 4 };
    int states = cell->options.states;
    bool found = false;
    rv_error why = {0};
    rv_store *store = rv_store_new(0);
    for (int s = 0; s < states; s++) {
        shape[s] = rv_shape_of(x);
        for (int64_t d = 1; d < shape[s].rank; d++)
            shape[s].dim[d] = d == 1 ? cell->options.units : 1;
    }
    for (int attempt = 0; store && attempt < TRIES && !found && !why.code; attempt++) {
        rv_cell probe = {rv_tape_new(store, cell->tape ? rv_tape_dtype(cell->tape) : RV_F32),
                         cell->options, true};
        rv_var h[MOST_STATES] = {{0}};
        for (int s = 0; s < states; s++) h[s] = rv_full(probe.tape, shape[s], 0);
        step(&probe, rv_input_typed(probe.tape, "x", rv_dtype_of(x), rv_shape_of(x)), h);
        why = *rv_tape_error(probe.tape);
        found = !why.code;
        for (int s = 0; s < states && !why.code; s++) {
            found = found && rv_shape_equal(rv_shape_of(h[s]), shape[s]);
            shape[s] = rv_shape_of(h[s]);
        }
        rv_tape_free(probe.tape);
    }
    rv_store_free(store);
    if (!found)
        rv_tape_fail(cell->tape, why.code ? why.code : RV_ERROR_SHAPE,
                     "unroll: the shape of the state could not be worked out%s%s; mend the cell "
                     "or, in rv_cell_options, its number of states or their initial values",
                     why.code ? ": " : ", it changes from step to step", why.text);
    return found;
}

static bool start(rv_cell_step step, rv_cell *cell, rv_var x, rv_var *h)
{
    rv_shape shape[MOST_STATES];
    rv_cell_options *o = &cell->options;
    if (rv_is_null(x) || rv_tape_error(cell->tape)->code) return false;
    if (!step) {
        rv_tape_fail(cell->tape, RV_ERROR_ARGUMENT, "unroll: the step is NULL; give a cell");
        return false;
    }
    if (!o->units) o->units = 1;
    if (!o->states) o->states = 1;
    if (o->units < 1 || o->states < 1 || o->states > MOST_STATES) {
        rv_tape_fail(cell->tape, RV_ERROR_ARGUMENT,
                     "unroll: %lld units and %d states, expected at least 1 and at most %d states",
                     (long long)o->units, o->states, MOST_STATES);
        return false;
    }
    if (!o->initial && !find_shapes(step, cell, x, shape)) return false;
    for (int s = 0; s < o->states; s++)
        h[s] = o->initial ? o->initial[s] : rv_full(cell->tape, shape[s], 0);
    return true;
}

/* ---- unrolling ---- */

/* x[:, t] of a sequence [n,steps,...]. */
static rv_var at_time(rv_var x, int64_t t)
{
    rv_shape shape = rv_shape_of(x), one = {.rank = shape.rank - 1, .dim = {shape.dim[0]}};
    for (int64_t d = 1; d < one.rank; d++) one.dim[d] = shape.dim[d + 1];
    return rv_reshape(rv_slice_axis(x, 1, t, 1), one);
}

static rv_var unroll(rv_cell_step step, rv_var x, int64_t steps, bool sequence,
                     rv_cell_options options, rv_var *outputs)
{
    rv_cell cell = {x.tape, options, false};
    rv_var h[MOST_STATES] = {{0}}, null = {x.tape, -1};
    if (steps < 1)
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT, "unroll: %lld steps, expected at least 1",
                            (long long)steps);
    if (!start(step, &cell, sequence ? at_time(x, 0) : x, h)) return null;
    for (int64_t t = 0; t < steps; t++) {
        char name[32];
        snprintf(name, sizeof name, "step %lld", (long long)t + 1);
        rv_scope_push(x.tape, name);
        step(&cell, sequence ? at_time(x, t) : x, h);
        rv_scope_pop(x.tape);
        for (int s = 0; s < cell.options.states; s++)
            if (rv_is_null(h[s]))
                return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                                    "unroll: the step left h[%d] a null var; check the cell", s);
        if (outputs) outputs[t] = h[0];
    }
    return h[0];
}

rv_var rv_unroll(rv_cell_step step, rv_var x, int64_t steps)
{
    return rv_unroll_with(step, x, steps, (rv_cell_options){0});
}

rv_var rv_unroll_with(rv_cell_step step, rv_var x, int64_t steps, rv_cell_options options)
{
    return unroll(step, x, steps, false, options, NULL);
}

rv_var rv_unroll_sequence(rv_cell_step step, rv_var x, rv_cell_options options, rv_var *outputs)
{
    if (rv_is_null(x)) return x;
    if (rv_shape_of(x).rank < 2)
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "unroll: a sequence of rank %lld, expected [n,steps,...]; reshape it",
                            (long long)rv_shape_of(x).rank);
    return unroll(step, x, rv_shape_of(x).dim[1], true, options, outputs);
}

/* ---- for the bodies of cells ---- */

rv_tape *rv_cell_tape(const rv_cell *k) { return k->tape; }
const rv_cell_options *rv_cell_get(const rv_cell *k) { return &k->options; }

rv_var rv_cell_parameter(rv_cell *k, const char *name, rv_shape shape, rv_init init)
{
    char full[256];
    snprintf(full, sizeof full, "%s%s%s", k->options.name ? k->options.name : "",
             k->options.name ? "/" : "", name);
    return rv_parameter(k->tape, full, shape, k->probe ? rv_init_constant(0) : init);
}

static rv_init fan_in(int64_t inputs)
{
    double bound = 1 / sqrt((double)inputs);
    return rv_init_uniform(-bound, bound);
}

/* Whether x has the rank a map needs; else an error that says so. */
static bool has_rank(rv_cell *k, rv_var x, int64_t rank, const char *name, const char *expected)
{
    char text[RV_SHAPE_TEXT];
    if (rv_is_null(x) || rv_shape_of(x).rank == rank) return !rv_is_null(x);
    rv_tape_fail(k->tape, RV_ERROR_SHAPE,
                 "cell: \"%s\" maps %s, but its argument is %s; reshape it", name, expected,
                 rv_shape_text(rv_shape_of(x), text));
    return false;
}

rv_var rv_cell_conv(rv_cell *k, rv_var x, const char *name, int64_t size)
{
    if (!has_rank(k, x, 4, name, "images [n,channels,height,width]")) return (rv_var){k->tape, -1};
    int64_t channels = rv_shape_of(x).dim[1];
    rv_shape shape = RV_SHAPE(k->options.units, channels, size, size);
    return rv_conv2d(x, rv_cell_parameter(k, name, shape, fan_in(channels * size * size)),
                     (rv_conv2d_options){0});
}

static rv_var same_conv(rv_cell *k, rv_var x, const char *name)
{
    int64_t size = k->options.kernel, ring = (size - 1) / 2;
    if (!has_rank(k, x, 4, name, "images [n,channels,height,width]")) return (rv_var){k->tape, -1};
    if (size < 0 || size % 2 == 0)
        return rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                            "cell: kernel size %lld cannot keep height and width; use an odd one",
                            (long long)size);
    int64_t channels = rv_shape_of(x).dim[1];
    rv_shape shape = RV_SHAPE(k->options.units, channels, size, size);
    rv_conv2d_options same = {.top = ring, .bottom = ring, .left = ring, .right = ring};
    return rv_conv2d(x, rv_cell_parameter(k, name, shape, fan_in(channels * size * size)), same);
}

rv_var rv_cell_map(rv_cell *k, rv_var x, const char *name)
{
    if (k->options.kernel) return same_conv(k, x, name);
    if (!has_rank(k, x, 2, name, "rows [n,inputs]")) return (rv_var){k->tape, -1};
    int64_t inputs = rv_shape_of(x).dim[1];
    rv_shape shape = RV_SHAPE(inputs, k->options.units);
    return rv_matmul(x, rv_cell_parameter(k, name, shape, fan_in(inputs)), false, false);
}

rv_var rv_cell_bias(rv_cell *k, rv_var x, const char *name, double offset)
{
    if (rv_is_null(x)) return x;
    if (!k->options.bias) return offset == 0 ? x : rv_shift(x, offset);
    rv_shape along = {.rank = rv_shape_of(x).rank - 1, .dim = {k->options.units}}; /* axis 1 of x */
    for (int64_t d = 1; d < along.rank; d++) along.dim[d] = 1;
    rv_var b = rv_cell_parameter(k, name, RV_SHAPE(k->options.units), rv_init_constant(offset));
    return rv_add(x, rv_reshape(b, along));
}
