/* The gradient of sum_t |h[t] - y[t]|^2 / 2 of a GRU in four ways:
 *   BPTT       back-propagation through time
 *   RTRL       real-time recurrent learning (Williams and Zipser 1989): forward in time, with no
 *              memory of past steps
 *   e-prop     (Bellec et al. 2020): RTRL without the paths through recurrent weights, which would
 *              cost most of it
 *   truncated  BPTT through the last steps only
 * The last two are approximations. Their cosine with BPTT tells how far they point in its
 * direction. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "recurve.h"

enum { STEPS = 12, INPUTS = 2, UNITS = 3, MOST = 16, MOST_WEIGHTS = 64 };

/* The GRU, in which weights see only the value of the state. */
static const char eprop_text[] = "cell eprop\n"
                                 "  state h\n"
                                 "  map Wr, Ur, Wu, Uu, Wc, Uc\n"
                                 "  bias br, bu = forget, bc\n"
                                 "  seen = stop_gradient(h)\n"
                                 "  r = sigmoid(Wr seen + Ur x + br)\n"
                                 "  u = sigmoid(Wu seen + Uu x + bu)\n"
                                 "  c = tanh(Wc (r.seen) + Uc x + bc)\n"
                                 "  h' = u.h + (1 - u).c\n";

/* A cell, and after how many steps gradients stop when they go backward in time. */
typedef struct method {
    const char *name;
    rv_cell_step step;
    const void *user;
    int steps;
} method;

/* The sequence, and a gradient: its weights one after the other. */
typedef struct problem {
    rv_store *store;
    rv_tensor x, y;
} problem;
typedef double gradient[MOST_WEIGHTS];

static rv_var loss_of(rv_var h, rv_var y)
{
    return rv_scale(rv_sum(rv_square(rv_subtract(h, y)), RV_ALL_AXES, false), 0.5);
}

/* A step of the cell from h. */
static rv_var step_from(const method *m, rv_var x, rv_var h)
{
    rv_rnn_options from_h = {.units = UNITS, .bias = true, .user = m->user};
    from_h.initial = &(rv_states){{h}};
    return rv_unroll_with(m->step, x, 1, from_h);
}

/* The element t of [1,steps,..] as [1,..]. */
static rv_var at(rv_var x, int64_t t)
{
    int64_t size = rv_shape_of(x).dim[2];
    return rv_reshape(rv_slice(x, (int64_t[]){0, t, 0}, (int64_t[]){1, 1, size}, NULL),
                      RV_SHAPE(1, size));
}

/* The gradient backward in time. */
static bool backward(const problem *p, const method *m, gradient g)
{
    rv_tape *tape = rv_tape_new(p->store, RV_F64);
    rv_var x = rv_input(tape, "x", p->x.shape), y = rv_input(tape, "y", p->y.shape);
    rv_var h = rv_full(tape, RV_SHAPE(1, UNITS), 0), loss = rv_scalar(tape, 0);
    for (int t = 0; t < STEPS; t++) {
        h = step_from(m, at(x, t), t % m->steps == 0 ? rv_stop_gradient(h) : h);
        loss = rv_add(loss, loss_of(h, at(y, t)));
    }
    rv_var weights[MOST], dw[MOST];
    int count = rv_parameters(loss, weights, MOST);
    rv_gradient(loss, weights, count, dw);
    rv_program *program = rv_compile(tape, dw, count);
    if (program) {
        rv_feed(program, "x", &p->x, NULL);
        rv_feed(program, "y", &p->y, NULL);
        rv_run(program);
    } else {
        fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    }
    for (int k = 0, at_weight = 0; program && k < count; k++)
        for (int64_t i = 0; i < rv_shape_count(rv_shape_of(weights[k])); i++)
            g[at_weight++] = rv_tensor_get(rv_program_output(program, k), i);
    bool ok = program;
    rv_program_free(program);
    rv_tape_free(tape);
    return ok;
}

/* One step forward, which keeps h and dh/da in states: dh[t]/da = (d step / d h) dh[t-1]/da + d
 * step / da, a Jacobian-vector product. It adds up the derivative of the loss in the direction
 * "d0", "d1", .. of the weights. */
static rv_program *record_forward(rv_tape *tape, const method *m, rv_var *weights, int *count)
{
    rv_var x = rv_input(tape, "x", RV_SHAPE(1, INPUTS)),
           y = rv_input(tape, "y", RV_SHAPE(1, UNITS));
    rv_var h = rv_state(tape, "h", RV_SHAPE(1, UNITS), rv_init_constant(0));
    rv_var dh = rv_state(tape, "dh", RV_SHAPE(1, UNITS), rv_init_constant(0));
    rv_var sum = rv_state(tape, "sum", RV_SCALAR, rv_init_constant(0));
    rv_var next = step_from(m, x, h), loss = loss_of(next, y);
    rv_var wrt[MOST + 1] = {h}, direction[MOST + 1] = {dh};
    *count = rv_parameters(loss, weights, MOST);
    for (int k = 0; k < *count; k++) {
        wrt[k + 1] = weights[k];
        direction[k + 1] =
            rv_input(tape, (char[]){'d', (char)('0' + k), 0}, rv_shape_of(weights[k]));
    }
    rv_var dnext = rv_jvp(next, wrt, direction, *count + 1);
    rv_var derivative = rv_add(sum, rv_jvp(loss, &next, &dnext, 1));
    rv_assign(dh, dnext);
    rv_assign(h, next);
    rv_assign(sum, derivative);
    return rv_compile(tape, &derivative, 1);
}

/* The derivative in one direction. */
static double derivative(const problem *p, rv_program *step)
{
    for (const char *const *name = (const char *const[]){"h", "dh", "sum", NULL}; *name; name++)
        rv_tensor_fill(&rv_store_find(p->store, *name)->tensor, 0);
    for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < INPUTS; i++)
            rv_tensor_set(rv_program_input(step, "x"), i, rv_tensor_get(&p->x, t * INPUTS + i));
        for (int i = 0; i < UNITS; i++)
            rv_tensor_set(rv_program_input(step, "y"), i, rv_tensor_get(&p->y, t * UNITS + i));
        rv_run(step);
    }
    return rv_value(step, 0);
}

/* The gradient forward in time, one weight after the other. Prints the largest difference from
 * `back` of each parameter, and returns that of all. */
static double forward(const problem *p, const method *m, const gradient back, gradient g)
{
    rv_tape *tape = rv_tape_new(p->store, RV_F64);
    rv_var weights[MOST];
    int count, at_weight = 0;
    double most = 0;
    rv_program *step = record_forward(tape, m, weights, &count);
    if (!step) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    for (int k = 0; step && k < count; k++) {
        rv_tensor *direction = rv_program_input(step, (char[]){'d', (char)('0' + k), 0});
        double largest = 0, off = 0;
        for (int64_t i = 0; i < rv_tensor_count(direction); i++, at_weight++) {
            rv_tensor_set(direction, i, 1);
            g[at_weight] = derivative(p, step);
            off = fmax(off, fabs(g[at_weight] - back[at_weight]));
            largest = fmax(largest, fabs(back[at_weight]));
            rv_tensor_set(direction, i, 0);
        }
        printf("%-6s %-3s largest gradient %.1e, largest difference %.1e\n", m->name,
               rv_tape_node(tape, weights[k].id)->name, largest, off);
        most = fmax(most, off);
    }
    rv_program_free(step);
    rv_tape_free(tape);
    return step ? most : INFINITY;
}

static void compare(const char *name, const gradient g, const gradient truth)
{
    double product = 0, own = 0, right = 0;
    for (int i = 0; i < MOST_WEIGHTS; i++) {
        product += g[i] * truth[i];
        own += g[i] * g[i];
        right += truth[i] * truth[i];
    }
    printf("%-22s cosine %.6f, length %.6f\n", name, product / sqrt(own * right),
           sqrt(own / right));
}

static bool run(const problem *p, const rv_model *eprop)
{
    const method bptt = {"BPTT", rv_zoo("gru"), NULL, STEPS}, rtrl = {"RTRL", bptt.step, NULL, 1},
                 local = {"e-prop", eprop->step, eprop->user, STEPS},
                 truncated[] = {{"truncated to 6 steps", bptt.step, NULL, 6},
                                {"truncated to 3 steps", bptt.step, NULL, 3},
                                {"truncated to 1 step", bptt.step, NULL, 1}};
    gradient truth = {0}, back = {0}, exact = {0}, traces = {0};
    if (!backward(p, &bptt, truth) || !backward(p, &local, back)) return false;
    const double rtrl_off = forward(p, &rtrl, truth, exact);
    const double eprop_off = forward(p, &local, back, traces);
    printf("RTRL equals BPTT within 1e-12: %s\n", rtrl_off <= 1e-12 ? "yes" : "no");
    printf("e-prop forward equals e-prop backward within 1e-12: %s\n\nbeside BPTT:\n",
           eprop_off <= 1e-12 ? "yes" : "no");
    compare("RTRL", exact, truth);
    compare("e-prop", traces, truth);
    for (size_t i = 0; i < sizeof truncated / sizeof *truncated; i++) {
        gradient g = {0};
        if (!backward(p, &truncated[i], g)) return false;
        compare(truncated[i].name, g, truth);
    }
    return rtrl_off <= 1e-12 && eprop_off <= 1e-12;
}

int main(void)
{
    rv_error error = {0};
    problem p = {.store = rv_store_new(1)};
    rv_lang *lang = rv_lang_read(eprop_text, strlen(eprop_text), "eprop", NULL, &error);
    const rv_model *eprop = lang ? rv_lang_model(lang, NULL, &error) : NULL;
    bool ok = eprop && rv_tensor_new(&p.x, RV_F64, RV_SHAPE(1, STEPS, INPUTS), &error) &&
              rv_tensor_new(&p.y, RV_F64, RV_SHAPE(1, STEPS, UNITS), &error);
    if (ok) {
        rv_init_fill(&p.x, rv_init_uniform(-1, 1), rv_seed(1, "x"));
        rv_init_fill(&p.y, rv_init_uniform(-1, 1), rv_seed(1, "y"));
        ok = run(&p, eprop);
    } else {
        fprintf(stderr, "%s\n", error.text);
    }
    rv_tensor_free(&p.x);
    rv_tensor_free(&p.y);
    rv_lang_free(lang);
    rv_store_free(p.store);
    return ok ? 0 : 1;
}
