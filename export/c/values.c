/* The inputs and outputs of a net without time steps. */
#include "export/c/values.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"

static bool is_argument(const rv_c_parts *p, const char *name)
{
    bool found = false;
    for (int i = 0; i < p->inputs; i++) found = found || rv_c_same(p->input[i].name, name);
    for (int i = 0; i < p->outputs; i++) found = found || rv_c_same(p->output_value[i].name, name);
    return found;
}

static bool add_argument(rv_c_parts *p, rv_c_argument *list, int *count, rv_var value,
                         const char *symbol, rv_error *error)
{
    rv_c_argument a = {.value = value, .count = rv_c_count(value)};
    char plain[RV_C_NAME];
    rv_c_argument_name(symbol, plain);
    memcpy(a.name, plain, sizeof plain);
    for (int number = 2; is_argument(p, a.name); number++)
        snprintf(a.name, sizeof a.name, "%.48s_%d", plain, number);
    if (*count == RV_C_MOST_ARGUMENTS)
        return rv_fail(error, RV_ERROR_LIMIT,
                       "C code: more than %d input(s) or output(s); use fewer",
                       RV_C_MOST_ARGUMENTS);
    list[(*count)++] = a;
    return true;
}

static bool find_inputs(rv_c_parts *p, const rv_var *output, int outputs, rv_error *error)
{
    bool *run = rv_tape_reached(p->tape, output, outputs, NULL, 0);
    bool *loss = rv_tape_reached(p->tape, &p->loss, 1, NULL, 0);
    bool ok = (run && loss) || rv_fail_memory(error);
    for (int32_t id = 0; ok && id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (node->op != &rv_op_input || (!run[id] && !loss[id])) continue;
        ok = add_argument(p, p->input, &p->inputs, (rv_var){p->tape, id}, node->name, error);
        if (!ok) break;
        p->input[p->inputs - 1].of_run = run[id];
        p->input[p->inputs - 1].of_loss = loss[id];
    }
    rv_free(run);
    rv_free(loss);
    return ok;
}

bool rv_c_values_check(const rv_exported_values *v, rv_error *error)
{
    if (v->outputs < 1 || v->outputs > RV_C_MOST_ARGUMENTS)
        return rv_fail(error, RV_ERROR_ARGUMENT, "C code: %d output(s), expected 1 to %d",
                       v->outputs, RV_C_MOST_ARGUMENTS);
    for (int i = 0; i < v->outputs; i++)
        if (rv_is_null(v->output[i]) || !v->output_name[i] ||
            v->output[i].tape != v->output[0].tape)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "C code: output %d is null, has no name or is on another tape than the "
                           "first; leave it out",
                           i);
    if (rv_is_null(v->loss)) return true;
    return (v->loss.tape == v->output[0].tape && rv_c_count(v->loss) == 1) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "C code: the loss is on another tape than the outputs, or more than one number; "
                   "leave it out or take its sum");
}

bool rv_c_values_copy(rv_c_parts *p, const rv_exported_values *v, rv_error *error)
{
    rv_var all[RV_C_MOST_ARGUMENTS + 1];
    int count = 0;
    for (int i = 0; i < v->outputs; i++) all[count++] = v->output[i];
    if (p->optimizer) all[count++] = v->loss;
    p->tape = rv_tape_simplified(v->output[0].tape, all, count, error);
    if (!p->tape) return false;
    p->loss = p->optimizer ? all[count - 1] : (rv_var){p->tape, -1};
    if (!find_inputs(p, all, v->outputs, error)) return false;
    for (int i = 0; i < v->outputs; i++) {
        if (!add_argument(p, p->output_value, &p->outputs, all[i], v->output_name[i], error))
            return false;
        p->output_count += p->output_value[i].count;
    }
    return true;
}
