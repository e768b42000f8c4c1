/* Real-time recurrent learning (Williams and Zipser 1989) of a GRU beside back-propagation through time. The gradient of
 * sum_t |h[t] - y[t]|^2 / 2 by one weight a is computed forward in time, with no memory of past steps:
 *   dh[t]/da = (d step / d h) dh[t-1]/da + d step / da,  a Jacobian-vector product of one step. */
#include <math.h>
#include <stdio.h>

#include "recurve.h"

enum { STEPS = 12, INPUTS = 2, UNITS = 3, MOST = 16 };

static const rv_rnn_options gru = {.units = UNITS, .bias = true};

static rv_var loss_of(rv_var h, rv_var y)
{
    return rv_scale(rv_sum(rv_square(rv_subtract(h, y)), RV_ALL_AXES, false), 0.5);
}

/* The gradients by the parameters, written one after the other to `gradient`. */
static rv_program *record_bptt(rv_tape *tape, rv_var *parameter, int *count)
{
    rv_var x = rv_input(tape, "x", RV_SHAPE(1, STEPS, INPUTS)), h[STEPS], gradient[MOST];
    rv_var y = rv_input(tape, "y", RV_SHAPE(1, STEPS, UNITS));
    rv_unroll_sequence(rv_zoo("gru"), x, gru, h);
    rv_var loss = loss_of(rv_stack(h, STEPS, 1), y);
    *count = rv_parameters(loss, parameter, MOST);
    rv_gradient(loss, parameter, *count, gradient);
    return rv_compile(tape, gradient, *count);
}

/* One step, which keeps h and dh/da in states and adds up the derivative of the loss in the direction "d0", "d1", .. of
 * the parameters. */
static rv_program *record_step(rv_tape *tape)
{
    rv_var x = rv_input(tape, "x", RV_SHAPE(1, INPUTS)),
           y = rv_input(tape, "y", RV_SHAPE(1, UNITS));
    rv_var h = rv_state(tape, "h", RV_SHAPE(1, UNITS), rv_init_constant(0));
    rv_var dh = rv_state(tape, "dh", RV_SHAPE(1, UNITS), rv_init_constant(0));
    rv_var sum = rv_state(tape, "sum", RV_SCALAR, rv_init_constant(0));

    rv_rnn_options from_h = gru;
    from_h.initial = &(rv_states){{h}};
    rv_var next = rv_unroll_with(rv_zoo("gru"), x, 1, from_h);
    rv_var loss = loss_of(next, y);

    rv_var wrt[MOST + 1] = {h}, direction[MOST + 1] = {dh};
    int count = rv_parameters(loss, wrt + 1, MOST);
    for (int k = 1; k <= count; k++)
        direction[k] = rv_input(tape, (char[]){'d', (char)('0' + k - 1), 0}, rv_shape_of(wrt[k]));
    rv_var derivative = rv_add(sum, rv_jvp(loss, wrt, direction, count + 1));
    rv_assign(dh, rv_jvp(next, wrt, direction, count + 1));
    rv_assign(h, next);
    rv_assign(sum, derivative);
    return rv_compile(tape, &derivative, 1);
}

static rv_tensor *stored(rv_store *store, const char *name)
{
    return &rv_store_find(store, name)->tensor;
}

/* The derivative of the loss in one direction, forward in time. */
static double derivative(rv_store *store, rv_program *step, const rv_tensor *x, const rv_tensor *y)
{
    rv_tensor_fill(stored(store, "h"), 0);
    rv_tensor_fill(stored(store, "dh"), 0);
    rv_tensor_fill(stored(store, "sum"), 0);
    for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < INPUTS; i++)
            rv_tensor_set(rv_program_input(step, "x"), i, rv_tensor_get(x, t * INPUTS + i));
        for (int i = 0; i < UNITS; i++)
            rv_tensor_set(rv_program_input(step, "y"), i, rv_tensor_get(y, t * UNITS + i));
        rv_run(step);
    }
    return rv_value(step, 0);
}

int main(void)
{
    rv_store *store = rv_store_new(1);
    rv_tape *through_time = rv_tape_new(store, RV_F64), *forward = rv_tape_new(store, RV_F64);
    rv_var parameter[MOST];
    int count;
    rv_program *bptt = record_bptt(through_time, parameter, &count);
    rv_program *step = record_step(forward);
    if (!bptt || !step) {
        fprintf(stderr, "%s\n", rv_tape_error(bptt ? forward : through_time)->text);
        return 1;
    }

    rv_tensor *x = rv_program_input(bptt, "x"), *y = rv_program_input(bptt, "y");
    rv_init_fill(x, rv_init_uniform(-1, 1), rv_seed(1, "x"));
    rv_init_fill(y, rv_init_uniform(-1, 1), rv_seed(1, "y"));
    rv_run(bptt);
    double most = 0;
    for (int k = 0; k < count; k++) {
        const rv_tensor *gradient = rv_program_output(bptt, k);
        rv_tensor *direction = rv_program_input(step, (char[]){'d', (char)('0' + k), 0});
        double largest = 0, off = 0;
        for (int64_t i = 0; i < rv_tensor_count(gradient); i++) {
            rv_tensor_set(direction, i, 1);
            double back = rv_tensor_get(gradient, i);
            off = fmax(off, fabs(derivative(store, step, x, y) - back));
            largest = fmax(largest, fabs(back));
            rv_tensor_set(direction, i, 0);
        }
        printf("%-3s largest gradient %.1e, largest difference %.1e\n",
               rv_tape_node(through_time, parameter[k].id)->name, largest, off);
        most = fmax(most, off);
    }
    printf("RTRL equals BPTT within 1e-12: %s\n", most <= 1e-12 ? "yes" : "no");

    rv_program_free(bptt);
    rv_program_free(step);
    rv_tape_free(through_time);
    rv_tape_free(forward);
    rv_store_free(store);
    return most <= 1e-12 ? 0 : 1;
}
