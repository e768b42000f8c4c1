/* The building blocks of cell equations: parameters, biases, maps and recurrent dropout. */
#include "models/cell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/cell_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

const rv_rnn_options *rv_cell_options(const rv_cell *k)
{
    if (!k) return NULL;
    return k->options;
}

rv_var rv_cell_input(rv_cell *k, int index)
{
    if (!k) return (rv_var){NULL, -1};
    if (index >= 0 && index < k->options->input_count) return k->inputs[index];
    return rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                        "cell: it reads the further input %d of %d; set inputs of the options",
                        index, k->options->input_count);
}

double rv_cell_forget(const rv_cell *k) { return 1 + k->options->forget_shift; }

rv_var rv_cell_tanh(rv_cell *k, rv_var x)
{
    if (!k) return (rv_var){NULL, -1};
    return k->options->activation ? k->options->activation(x) : rv_tanh(x);
}

const char *rv_cell_full_name(const rv_cell *k, const char *name, char full[RV_CELL_NAME])
{
    rv_join(full, RV_CELL_NAME, k->prefix, name, NULL);
    return full;
}

/* A parameter, or with `constant` a state with the values that the parameter would start from. */
static rv_var stored(rv_cell *k, const char *name, rv_shape shape, rv_init init, bool constant)
{
    if (!name)
        return rv_tape_fail(k->tape, RV_ERROR_NAME,
                            "cell: a parameter without a name; give it one");
    char full[RV_CELL_NAME], shared[RV_CELL_NAME];
    if (strlen(name) > RV_CELL_GIVEN_NAME)
        return rv_tape_fail(k->tape, RV_ERROR_NAME,
                            "cell: the name \"%.40s...\" is too long; use at most %d byte(s)", name,
                            RV_CELL_GIVEN_NAME);
    rv_cell_full_name(k, name, full);
    if (init.shared) init.shared = rv_cell_full_name(k, init.shared, shared);
    if (k->probe) init = rv_init_constant(0);
    return constant ? rv_state(k->tape, full, shape, init)
                    : rv_parameter(k->tape, full, shape, init);
}

rv_var rv_cell_parameter(rv_cell *k, const char *name, rv_shape shape, rv_init init)
{
    if (!k) return (rv_var){NULL, -1};
    rv_var w = stored(k, name, shape, init, false);
    return k->options->probes ? rv_probe(w, k->taken) : w;
}

/* ---- states ---- */

/* The shape of a state of n samples. */
static rv_shape of_samples(int64_t n, rv_shape sample)
{
    rv_shape all = {.rank = sample.rank + 1, .dim = {n}};
    for (int64_t d = 0; d < sample.rank; d++) all.dim[d + 1] = sample.dim[d];
    return all;
}

static bool check_declaration(rv_cell *k, int s, rv_shape shape, const rv_init *start)
{
    rv_error error = {0};
    if (s < 0 || s >= RV_CELL_STATES)
        rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                     "cell: h[%d] is declared, expected a state from h[0] to h[%d]", s,
                     RV_CELL_STATES - 1);
    else if (start->kind == RV_INIT_BLOCKS || start->shared)
        rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                     "cell: h[%d] starts from blocks or from the draw of a parameter; give it one "
                     "number or distribution",
                     s);
    else if (shape.rank < 0 || shape.rank >= RV_MAX_RANK)
        rv_tape_fail(
            k->tape, RV_ERROR_SHAPE,
            "cell: h[%d] is declared with the rank %lld for one sample, expected at most %d", s,
            (long long)shape.rank, RV_MAX_RANK - 1);
    else if (shape.rank && !rv_init_check(*start, shape, &error))
        rv_tape_fail(k->tape, error.code, "cell: h[%d]: %s", s, error.text);
    else
        return true;
    return false;
}

rv_var rv_cell_state(rv_cell *k, rv_var *h, int s, rv_shape shape, rv_init start)
{
    if (!k) return (rv_var){NULL, -1};
    if (!h)
        return rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                            "cell: the states are NULL; give those of the step");
    if (!check_declaration(k, s, shape, &start)) return (rv_var){k->tape, -1};
    if (!k->probe || !k->declared) return h[s];
    k->declared[s] = (rv_declared_state){true, shape, start};
    rv_shape all = of_samples(rv_shape_of(h[s]).dim[0], shape);
    if (!shape.rank || rv_shape_equal(rv_shape_of(h[s]), all)) return h[s];
    char name[16]; /* another name than that of the input which this one replaces */
    snprintf(name, sizeof name, "h[%d]", s);
    k->before.h[s] = h[s] = rv_input(k->tape, name, all);
    return h[s];
}

/* ---- parameters along axis 1 ---- */

/* A vector, reshaped to broadcast along axis 1 of x. A tensor of more axes broadcasts from the last
 * one on. */
static rv_var along_units(rv_var vector, rv_var x)
{
    rv_shape along = {.rank = rv_shape_of(x).rank - 1, .dim = {rv_shape_of(vector).dim[0]}};
    for (int64_t d = 1; d < along.rank; d++) along.dim[d] = 1;
    return rv_is_null(vector) || rv_shape_of(vector).rank > 1 ? vector : rv_reshape(vector, along);
}

static rv_shape or_units(const rv_cell *k, rv_shape shape)
{
    return shape.rank ? shape : RV_SHAPE(k->options->units);
}

rv_var rv_cell_bias_from(rv_cell *k, rv_var x, const char *name, rv_shape shape, rv_init init)
{
    if (!k) return (rv_var){NULL, -1};
    if (rv_is_null(x)) return x;
    bool number = init.kind == RV_INIT_CONSTANT && !k->options->bias;
    double offset = number ? init.a * init.factor : 0;
    shape = or_units(k, shape);
    rv_var y = number && offset == 0 ? x
               : number              ? rv_shift(x, offset)
               : k->options->bias
                   ? rv_add(x, along_units(rv_cell_parameter(k, name, shape, init), x))
                   : rv_add(x, along_units(stored(k, name, shape, init, true), x));
    if (rv_is_null(y) || !name) return y;
    const char *gate =
        name[0] == 'b' && name[1] ? name + 1 : name; /* "bg" is the bias of the gate g */
    return rv_name_argument(y, strcmp(gate, "b") == 0 ? "h" : gate);
}

rv_var rv_cell_bias(rv_cell *k, rv_var x, const char *name)
{
    if (!k) return (rv_var){NULL, -1};
    return rv_cell_bias_from(k, x, name, RV_SCALAR, rv_init_constant(0));
}

rv_var rv_cell_forget_bias(rv_cell *k, rv_var x, const char *name)
{
    if (!k) return (rv_var){NULL, -1};
    return rv_cell_bias_from(k, x, name, RV_SCALAR, rv_init_constant(rv_cell_forget(k)));
}

rv_var rv_cell_scale(rv_cell *k, rv_var x, const char *name, rv_shape shape, rv_init init)
{
    if (!k) return (rv_var){NULL, -1};
    if (rv_is_null(x)) return x;
    rv_var p = rv_cell_parameter(k, name, or_units(k, shape), init);
    return rv_multiply(along_units(p, x), x);
}

rv_var rv_cell_vector(rv_cell *k, rv_var x, const char *name, rv_shape shape, rv_init init)
{
    if (!k) return (rv_var){NULL, -1};
    if (rv_is_null(x)) return x;
    rv_var p = rv_cell_parameter(k, name, or_units(k, shape), init);
    if (shape.rank > 1) return p;
    rv_shape one = {.rank = rv_shape_of(x).rank};
    for (int64_t d = 0; d < one.rank; d++) one.dim[d] = d == 1 ? or_units(k, shape).dim[0] : 1;
    return rv_reshape(p, one);
}

/* ---- recurrent dropout ---- */

rv_var rv_cell_drop(const rv_cell *k, rv_var x, double rate, const char *what)
{
    char name[RV_CELL_NAME];
    if (rate == 0) return x;
    if (k->options->same_dropout)
        snprintf(name, sizeof name, "dropout/%s%s", k->prefix, what);
    else
        snprintf(name, sizeof name, "dropout/%s%s/%lld", k->prefix, what, (long long)k->time);
    return rv_dropout(x, rate, name);
}

static bool is_dropped(const rv_cell *k, rv_var x)
{
    for (int i = 0; i < k->dropped_count; i++)
        if (k->dropped[i] == x.id) return true;
    return false;
}

rv_var rv_cell_recall(rv_cell *k, rv_var h)
{
    if (is_dropped(k, h)) return h;
    rv_var dropped = rv_cell_drop(k, h, k->options->recurrent_dropout, "h");
    if (dropped.id != h.id && k->dropped_count < 2 * RV_CELL_STATES)
        k->dropped[k->dropped_count++] = dropped.id;
    return dropped;
}

static bool is_same(rv_var a, rv_var b) { return a.tape == b.tape && a.id == b.id; }

static bool is_state(const rv_cell *k, rv_var x)
{
    if (is_same(x, k->x)) return false;
    for (int s = 0; s < RV_CELL_STATES; s++)
        if (is_same(x, k->before.h[s]) || is_same(x, k->h[s])) return true;
    return false;
}

/* Applies recurrent dropout to the states in x, looking through at most `depth` ops that are linear
 * in their operand. A state that is dropped already is left alone. */
static rv_var recall_within(rv_cell *k, rv_var x, int depth)
{
    enum { MOST = 8 };
    rv_var in[MOST];
    if (rv_is_null(x) || is_dropped(k, x)) return x;
    if (is_state(k, x)) return rv_cell_recall(k, x);
    const rv_node node = *rv_tape_node(k->tape, x.id); /* a copy: recording moves nodes */
    if (!depth || node.inputs > MOST) return x;
    bool changed = false;
    for (int i = 0; i < node.inputs; i++) {
        in[i] = (rv_var){k->tape, node.in[i]};
        if (node.op->linear >> i & 1) in[i] = recall_within(k, in[i], depth - 1);
        changed = changed || in[i].id != node.in[i];
    }
    return changed ? rv_record(k->tape, node.op, node.attr, node.attr_size, in, node.inputs) : x;
}

/* The argument of a map, with recurrent dropout of the states in it. */
static rv_var read(rv_cell *k, rv_var x)
{
    return k->h && k->options->recurrent_dropout > 0 ? recall_within(k, x, 4) : x;
}

void rv_cell_take_step(rv_cell *k, rv_cell_step step, rv_var x, rv_var *h)
{
    k->x = x;
    for (int s = 0; s < RV_CELL_STATES; s++) k->before.h[s] = h[s];
    k->h = h;
    k->dropped_count = 0;
    step(k, x, h);
    k->h = NULL;
}

/* ---- cells inside cells ---- */

/* On the heap, because cells nest. */
typedef struct inner {
    rv_cell cell;
    rv_rnn_options options;
    rv_var inputs[RV_CELL_INPUTS];
    char prefix[RV_CELL_NAME];
} inner;

/* Sets the prefix of the parameters' names. Longer ones would be truncated, and two of them could
 * become equal. */
static bool set_prefix(inner *in, const rv_cell *k, const char *name)
{
    const bool named = name && *name;
    int length = snprintf(in->prefix, RV_CELL_NAME, "%s%s%s", k->prefix, named ? name : "",
                          named ? "/" : "");
    if (length < RV_CELL_NAME - RV_CELL_GIVEN_NAME - 8) return true;
    rv_tape_fail(k->tape, RV_ERROR_NAME,
                 "cell: the names of the cells around \"%.40s\" have %d byte(s), expected at most "
                 "%d; use shorter ones",
                 named ? name : "", length, RV_CELL_NAME - RV_CELL_GIVEN_NAME - 9);
    return false;
}

static void set_options(inner *in, const rv_cell *k, const rv_rnn_options *given, rv_var state)
{
    rv_rnn_options *o = &in->options;
    rv_shape shape = rv_shape_of(state);
    *o = given ? *given : *k->options;
    if (!given) o->input_count = 0;
    if (!given && shape.rank > 1) o->units = shape.dim[1];
    if (o->input_count < 0 || o->input_count > RV_CELL_INPUTS || !o->inputs) o->input_count = 0;
    for (int i = 0; i < o->input_count; i++) in->inputs[i] = o->inputs[i].x;
}

void rv_cell_inner(rv_cell *k, rv_cell_step step, const char *name, const rv_rnn_options *options,
                   rv_var x, rv_states *h)
{
    if (!k || !h) return;
    inner *in = step ? rv_alloc(1, sizeof *in) : NULL;
    bool ok = in && set_prefix(in, k, name);
    if (!step)
        rv_tape_fail(k->tape, RV_ERROR_ARGUMENT, "cell: the inner step is NULL; give a cell");
    else if (!in)
        rv_tape_fail(k->tape, RV_ERROR_MEMORY, "cell: out of memory");
    if (ok) {
        set_options(in, k, options, h->h[0]);
        in->cell = (rv_cell){.tape = k->tape,
                             .options = &in->options,
                             .prefix = in->prefix,
                             .probe = k->probe,
                             .time = k->time,
                             .memo = k->memo,
                             .taken = k->taken,
                             .inner = true,
                             .inputs = in->inputs};
        rv_cell_take_step(&in->cell, step, x, h->h);
    } else {
        for (int s = 0; s < RV_CELL_STATES; s++) h->h[s] = (rv_var){k->tape, -1};
    }
    rv_free(in);
}

/* ---- maps ---- */

static rv_init fan_in(int64_t inputs)
{
    double bound = 1 / sqrt((double)inputs);
    return rv_init_uniform(-bound, bound);
}

/* Whether x has the rank that a map needs; an error otherwise. */
static bool has_rank(rv_cell *k, rv_var x, int64_t rank, const char *name, const char *expected)
{
    char text[RV_SHAPE_TEXT];
    if (rv_is_null(x) || rv_shape_of(x).rank == rank) return !rv_is_null(x);
    rv_tape_fail(k->tape, RV_ERROR_SHAPE,
                 "cell: \"%s\" maps %s, but its argument is %s; reshape it", name, expected,
                 rv_shape_text(rv_shape_of(x), text));
    return false;
}

/* The initial values of a map whose outputs have inputs inputs. */
static rv_init init_of(rv_map_options o, int64_t inputs)
{
    bool given = o.init.kind != RV_INIT_CONSTANT || o.init.factor != 0;
    return given ? o.init : fan_in(inputs);
}

static rv_var convolve(rv_cell *k, rv_var x, const char *name, int64_t size, int64_t ring,
                       rv_map_options o)
{
    if (!has_rank(k, x, 4, name, "images [n,channels,height,width]")) return (rv_var){k->tape, -1};
    int64_t groups = o.heads ? o.heads : 1, channels = rv_shape_of(x).dim[1] / groups;
    rv_shape shape = RV_SHAPE(o.outputs, channels, size, size);
    return rv_conv2d(x, rv_cell_parameter(k, name, shape, init_of(o, channels * size * size)),
                     (rv_conv2d_options){.top = ring,
                                         .bottom = ring,
                                         .left = ring,
                                         .right = ring,
                                         .groups = o.heads > 1 ? o.heads : 0});
}

rv_var rv_cell_conv(rv_cell *k, rv_var x, const char *name, int64_t size)
{
    if (!k) return (rv_var){NULL, -1};
    return convolve(k, read(k, x), name, size, 0, (rv_map_options){.outputs = k->options->units});
}

/* [n,inputs] to [heads,n,inputs/heads]. */
static rv_var split(rv_var x, int64_t heads)
{
    static const int axes[] = {1, 0, 2};
    rv_shape s = rv_shape_of(x);
    return rv_transpose(rv_reshape(x, RV_SHAPE(s.dim[0], heads, s.dim[1] / heads)), axes);
}

/* And back. */
static rv_var join(rv_var x)
{
    static const int axes[] = {1, 0, 2};
    rv_shape s = rv_shape_of(x);
    return rv_reshape(rv_transpose(x, axes), RV_SHAPE(s.dim[1], s.dim[0] * s.dim[2]));
}

static rv_var multiply(rv_cell *k, rv_var x, const char *name, rv_map_options o)
{
    if (!has_rank(k, x, 2, name, "rows [n,inputs]")) return (rv_var){k->tape, -1};
    int64_t heads = o.heads ? o.heads : 1, inputs = rv_shape_of(x).dim[1] / heads;
    rv_shape shape =
        o.heads ? RV_SHAPE(heads, inputs, o.outputs / heads) : RV_SHAPE(inputs, o.outputs);
    rv_var w = rv_cell_parameter(k, name, shape, init_of(o, inputs));
    return o.heads ? join(rv_matmul(split(x, heads), w, false, false))
                   : rv_matmul(x, w, false, false);
}

/* Layer normalization over all axes but the first, with a gain. */
static rv_var normalize(rv_cell *k, rv_var x, const char *name)
{
    char gain[RV_CELL_NAME + 8];
    unsigned axes = (1u << rv_shape_of(x).rank) - 2;
    snprintf(gain, sizeof gain, "%.255s/gain", name);
    return rv_cell_scale(k, rv_normalize(x, axes, 1e-5), gain, RV_SHAPE(rv_shape_of(x).dim[1]),
                         rv_init_constant(1));
}

/* Whether the heads of a map divide its inputs and outputs; an error otherwise. */
static bool divides(rv_cell *k, rv_var x, const char *name, rv_map_options o)
{
    int64_t inputs = rv_shape_of(x).dim[1];
    if (o.outputs < 0 || o.heads < 0)
        rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                     "cell: \"%s\" has %lld output(s) and %lld head(s), expected at least 1", name,
                     (long long)o.outputs, (long long)o.heads);
    else if (o.heads && (inputs % o.heads || o.outputs % o.heads))
        rv_tape_fail(k->tape, RV_ERROR_SHAPE,
                     "cell: \"%s\" has %lld head(s), which do not divide its %lld input(s) and "
                     "%lld output(s); choose another number of heads or units",
                     name, (long long)o.heads, (long long)inputs, (long long)o.outputs);
    else
        return true;
    return false;
}

static rv_var map(rv_cell *k, rv_var x, const char *name, rv_map_options o)
{
    int64_t size = k->options->kernel;
    if (!o.outputs) o.outputs = k->options->units;
    if (size < 0 || (size && size % 2 == 0))
        return rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                            "cell: kernel size %lld cannot keep height and width; use an odd one",
                            (long long)size);
    if (!rv_is_null(x) && rv_shape_of(x).rank > 1 && !divides(k, x, name, o))
        return (rv_var){k->tape, -1};
    rv_var y = size ? convolve(k, x, name, size, (size - 1) / 2, o) : multiply(k, x, name, o);
    return k->options->layer_norm ? normalize(k, y, name) : y;
}

rv_var rv_cell_map(rv_cell *k, rv_var x, const char *name)
{
    return rv_cell_map_with(k, x, name, (rv_map_options){0});
}

rv_var rv_cell_map_with(rv_cell *k, rv_var x, const char *name, rv_map_options options)
{
    if (!k) return (rv_var){NULL, -1};
    return map(k, read(k, x), name, options);
}

static rv_var affine(rv_cell *k, rv_var x, rv_var h, const char *g, double initial)
{
    char W[RV_CELL_NAME], U[RV_CELL_NAME], b[RV_CELL_NAME];
    snprintf(W, sizeof W, "W%s", g);
    snprintf(U, sizeof U, "U%s", g);
    snprintf(b, sizeof b, "b%s", g);
    rv_var recalled = read(k, h);
    if (recalled.id == h.id) recalled = rv_cell_recall(k, h);
    return rv_cell_bias_from(k,
                             rv_add(map(k, recalled, W, (rv_map_options){0}), rv_cell_map(k, x, U)),
                             b, RV_SCALAR, rv_init_constant(initial));
}

rv_var rv_cell_affine(rv_cell *k, rv_var x, rv_var h, const char *g)
{
    if (!k) return (rv_var){NULL, -1};
    return affine(k, x, h, g, 0);
}

rv_var rv_cell_forget_affine(rv_cell *k, rv_var x, rv_var h, const char *g)
{
    if (!k) return (rv_var){NULL, -1};
    return affine(k, x, h, g, rv_cell_forget(k));
}

rv_var rv_cell_fit(rv_cell *k, rv_var x, const char *name)
{
    if (!k) return (rv_var){NULL, -1};
    bool fits = rv_shape_of(x).rank > 1 && rv_shape_of(x).dim[1] == k->options->units;
    return fits ? x : rv_cell_map(k, x, name);
}
