#include "export/c/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/program.h"
#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"

enum { SAMPLES = 2, UPDATES = 3, MOST_OUTPUTS = 2 + RV_C_MOST_PARAMETERS + RV_C_MOST_ARGUMENTS };

/* ---- the same net with all its time steps, as this library trains it ---- */

typedef struct reference {
    rv_store *store;
    rv_tape *tape;
    rv_program *program;
    rv_var output[MOST_OUTPUTS]; /* outputs, loss, gradients */
    int gradients;               /* the first of them */
    int count;
} reference;

static rv_shape batch_of(rv_shape sample)
{
    rv_shape shape = {.rank = sample.rank + 1, .dim = {SAMPLES}};
    for (int64_t d = 0; d < sample.rank; d++) shape.dim[d + 1] = sample.dim[d];
    return shape;
}

static bool copy_parameters(const rv_c_parts *p, rv_store *to, rv_error *error)
{
    for (int i = 0; i < p->parameters; i++) {
        const rv_entry *from = p->parameter[i].entry;
        rv_entry *entry = rv_store_get(to, from->name, from->role, from->tensor.dtype,
                                       from->tensor.shape, rv_init_constant(0), error);
        if (!entry) return false;
        memcpy(entry->tensor.data, from->tensor.data, rv_tensor_bytes(&from->tensor));
    }
    return true;
}

/* Records the net with all its time steps. */
static void record_net(reference *r, const rv_c_parts *p)
{
    const rv_exported_net *net = p->net;
    rv_net_options o = *net->options;
    o.rnn.dropout = o.rnn.recurrent_dropout = 0;
    o.rnn.carry = NULL;
    o.rnn.lengths = (rv_var){r->tape, -1};
    rv_var x = rv_input_typed(r->tape, "x", net->x.dtype, batch_of(net->x.shape));
    rv_var y = rv_input_typed(r->tape, "y", net->y.dtype, batch_of(net->y.shape));
    rv_net made = rv_model_record(net->model, &o, net->scale != 1 ? rv_scale(x, net->scale) : x, y);
    r->output[r->count++] = made.output;
    r->output[r->count++] = made.loss;
}

/* The node of the parts' tape again, for the store of the reference. */
static rv_var record_again(reference *r, const rv_node *node, const rv_var *made)
{
    rv_var in[64], *all = node->inputs > 64 ? rv_alloc((size_t)node->inputs, sizeof *all) : in;
    if (node->op == &rv_op_input)
        return rv_input_typed(r->tape, node->name, node->type.dtype, node->type.shape);
    if (node->op == &rv_op_parameter)
        return (node->entry->role == RV_PARAMETER ? rv_parameter : rv_state)(
            r->tape, node->entry->name, node->type.shape, rv_init_constant(0));
    for (int k = 0; all && k < node->inputs; k++) all[k] = made[node->in[k]];
    rv_var value = all ? rv_tape_copy(r->tape, node, all)
                       : rv_tape_fail(r->tape, RV_ERROR_MEMORY, "out of memory");
    if (all != in) rv_free(all);
    return value;
}

/* Records the values of a net without time steps. */
static void record_values(reference *r, const rv_c_parts *p)
{
    int32_t count = rv_tape_count(p->tape);
    rv_var *made = rv_alloc((size_t)count, sizeof *made);
    if (!made) rv_tape_fail(r->tape, RV_ERROR_MEMORY, "out of memory");
    for (int32_t id = 0; made && id < count; id++)
        made[id] = record_again(r, rv_tape_node(p->tape, id), made);
    for (int i = 0; made && i < p->outputs; i++)
        r->output[r->count++] = made[p->output_value[i].value.id];
    if (made && p->optimizer) r->output[r->count++] = made[p->loss.id];
    rv_free(made);
}

static bool make_reference(reference *r, const rv_c_parts *p, const rv_store *store, bool update,
                           rv_error *error)
{
    r->store = rv_store_new(rv_store_seed(store));
    r->tape = r->store ? rv_tape_new(r->store, RV_F32) : NULL;
    if (!r->tape) return rv_fail_memory(error);
    if (!copy_parameters(p, r->store, error)) return false;
    if (p->whole)
        record_values(r, p);
    else
        record_net(r, p);
    r->gradients = r->count;
    rv_var wrt[RV_C_MOST_PARAMETERS],
        loss = r->count ? r->output[r->count - 1] : rv_scalar(r->tape, 0);
    int learned = 0;
    for (int i = 0; p->optimizer && i < p->parameters; i++)
        if (p->parameter[i].entry->role == RV_PARAMETER)
            wrt[learned++] = rv_parameter(r->tape, p->parameter[i].entry->name,
                                          p->parameter[i].entry->tensor.shape, rv_init_constant(0));
    if (learned && rv_gradient(loss, wrt, learned, r->output + r->count)) r->count += learned;
    if (update) rv_minimize(loss, *p->optimizer);
    r->program = rv_compile(r->tape, r->output, r->count);
    const rv_error *failed = rv_tape_error(r->tape);
    return r->program || rv_fail(error, failed->code, "%-s", failed->text);
}

static void free_reference(reference *r)
{
    rv_program_free(r->program);
    rv_tape_free(r->tape);
    rv_store_free(r->store);
}

/* ---- samples ---- */

static bool fill(reference *r, const char *name, int64_t limit, rv_error *error)
{
    rv_tensor *to = rv_program_input(r->program, name);
    if (!to) return true; /* nothing reads it */
    char entry[RV_C_NAME + 256];
    snprintf(entry, sizeof entry, "sample/%.255s", name);
    rv_entry *drawn =
        rv_store_get(r->store, entry, RV_STATE, RV_F32, to->shape, rv_init_uniform(0, 1), error);
    if (!drawn) return false;
    for (int64_t i = 0; i < rv_tensor_count(to); i++) {
        double u = rv_tensor_get(&drawn->tensor, i);
        rv_tensor_set(to, i, limit ? floor(u * (double)limit) : u);
    }
    return true;
}

static bool fill_samples(reference *r, const rv_c_parts *p, rv_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < p->inputs; i++) /* of whole numbers 0 and 1 */
        ok = fill(r, rv_tape_node(p->tape, p->input[i].value.id)->name,
                  rv_dtype_of(p->input[i].value) == RV_I32 ? 2 : 0, error);
    return ok && (p->whole || (fill(r, "x", p->net->options->tokens, error) &&
                               fill(r, "y", p->net->options->classes, error)));
}

static void write_array(rv_writer *w, const char *type, const char *name, const rv_tensor *t)
{
    rv_write(w, "static const %s %s[%lld] = {", type, name, (long long)rv_tensor_count(t));
    for (int64_t i = 0; i < rv_tensor_count(t); i++) {
        rv_write(w, i % 6 ? ", " : i ? ",\n    " : "\n    ");
        rv_c_write_number(w, rv_tensor_get(t, i));
    }
    rv_write(w, "};\n");
}

/* ---- the program ---- */

/* The arguments of net_gradients for sample i, or of all samples. */
static void write_arguments(rv_writer *w, const rv_c_parts *p, bool of_run, bool all)
{
    if (!p->whole) {
        const rv_net_options *o = p->net->options;
        const char *t = o->sequence ? "NET_STEPS * " : "", *e = o->each_step ? "NET_STEPS * " : "";
        if (all) rv_write(w, ", sample_x, sample_y");
        if (!all) rv_write(w, ", sample_x + i * (%sNET_X)", t);
        if (!all && !of_run) rv_write(w, ", sample_y + i * (%sNET_Y)", e);
        return;
    }
    for (int i = 0; i < p->inputs; i++)
        if (of_run ? p->input[i].of_run : p->input[i].of_loss)
            rv_write(w, ", sample_%s", p->input[i].name);
}

static void write_running(rv_writer *w, const rv_c_parts *p)
{
    const char *e = !p->whole && p->net->options->each_step ? "NET_STEPS * " : "";
    if (!p->whole) {
        rv_write(w, "    static net_real output[SAMPLES * %sNET_OUTPUT];\n    net_init(&net);\n",
                 e);
        rv_write(w, "    for (int i = 0; i < SAMPLES; i++)\n        net_run(&net");
        write_arguments(w, p, true, false);
        rv_write(w, ", output + i * (%sNET_OUTPUT));\n", e);
        rv_write(w, "    check(\"output\", output, expected_output, SAMPLES * %sNET_OUTPUT);\n", e);
        return;
    }
    for (int i = 0; i < p->outputs; i++)
        rv_write(w, "    static net_real seen_%s[%lld];\n", p->output_value[i].name,
                 (long long)p->output_value[i].count);
    rv_write(w, "    net_init(&net);\n    net_run(&net");
    write_arguments(w, p, true, false);
    for (int i = 0; i < p->outputs; i++) rv_write(w, ", seen_%s", p->output_value[i].name);
    rv_write(w, ");\n");
    for (int i = 0; i < p->outputs; i++) {
        const rv_c_argument *a = &p->output_value[i];
        rv_write(w, "    check(\"%s\", seen_%s, expected_%s, %lld);\n", a->name, a->name, a->name,
                 (long long)a->count);
    }
}

static void write_checks(rv_writer *w, const rv_c_parts *p)
{
    rv_write(w,
             "\nstatic int failures;\nstatic struct net net;\n\n"
             "/* Compares numbers; the tolerance is relative to the largest. */\n"
             "static void check(const char *what, const net_real *seen, const float *expected, int "
             "count)\n{\n"
             "    double most = 1e-3, worst = 0;\n"
             "    for (int i = 0; i < count; i++) {\n"
             "        double difference = fabs((double)seen[i] - (double)expected[i]);\n"
             "        if (fabs((double)expected[i]) > most) most = fabs((double)expected[i]);\n"
             "        if (!(difference <= worst)) worst = difference;\n    }\n"
             "    int ok = worst <= TOLERANCE * most;\n    failures += !ok;\n"
             "    printf(\"%%-26s %%s, largest difference %%.1e of %%.1e\\n\", what, ok ? "
             "\"right\" : \"WRONG\", worst, most);\n}\n"
             "\nint main(void)\n{\n");
    write_running(w, p);
}

static void write_training_checks(rv_writer *w, const rv_c_parts *p)
{
    rv_write(w, "\n    net_real loss = 0;\n    for (int i = 0; i < SAMPLES; i++)\n"
                "        loss += net_gradients(&net");
    write_arguments(w, p, false, false);
    rv_write(w, ") / SAMPLES;\n"
                "    check(\"loss\", &loss, expected_loss, 1);\n"
                "    for (int i = 0; i < NET_PARAMETERS; i++) net.gradient.all[i] /= SAMPLES;\n"
                "    check(\"gradient\", net.gradient.all, expected_gradient, NET_PARAMETERS);\n\n"
                "    net_init(&net);\n"
                "    for (int i = 0; i < UPDATES; i++) net_train(&net");
    write_arguments(w, p, false, true);
    rv_write(w, ", SAMPLES);\n"
                "    /* Rules such as adam divide by the size of a gradient. Where it is nearly 0, "
                "the update is rounding. */\n"
                "    double most = 0;\n"
                "    for (int i = 0; i < NET_PARAMETERS; i++)\n"
                "        if (fabs((double)expected_gradient[i]) > most) most = "
                "fabs((double)expected_gradient[i]);\n"
                "    for (int i = 0; i < NET_PARAMETERS; i++)\n"
                "        if (fabs((double)expected_gradient[i]) < 1e-4 * most)\n"
                "            net.parameters.all[i] = expected_parameters[i];\n"
                "    check(\"parameters, updated\", net.parameters.all, expected_parameters, "
                "NET_PARAMETERS);\n");
}

static void write_saving_check(rv_writer *w)
{
    rv_write(w,
             "\n    static uint8_t saved[NET_SAVE_BYTES], again[NET_SAVE_BYTES];\n"
             "    net_save(&net, saved);\n"
             "    net_init(&net);\n"
             "    int ok = net_load(&net, saved, NET_SAVE_BYTES);\n"
             "    net_save(&net, again);\n"
             "    ok = ok && !memcmp(saved, again, sizeof saved);\n"
             "    saved[NET_SAVE_BYTES / 2] ^= 1;\n"
             "    ok = ok && !net_load(&net, saved, NET_SAVE_BYTES);\n"
             "    failures += !ok;\n"
             "    printf(\"%%-26s %%s\\n\", \"saved and loaded\", ok ? \"right\" : \"WRONG\");\n");
}

/* The concatenation of all parameters' values, or of their gradients in the outputs of a
 * program. */
static bool gather(const rv_c_parts *p, const reference *r, bool gradients, rv_tensor *all,
                   rv_error *error)
{
    int64_t at = 0;
    int output = r->gradients;
    if (!rv_tensor_new(all, RV_F32, RV_SHAPE(p->parameter_count), error)) return false;
    for (int i = 0; i < p->parameters; i++) {
        bool learned = p->parameter[i].entry->role == RV_PARAMETER;
        const rv_entry *entry = rv_store_find(r->store, p->parameter[i].entry->name);
        const rv_tensor *from = !gradients ? &entry->tensor
                                : learned  ? rv_program_output(r->program, output++)
                                           : NULL;
        for (int64_t k = 0; k < p->parameter[i].count; k++)
            rv_tensor_set(all, at++, from ? rv_tensor_get(from, k) : 0);
    }
    return true;
}

static void write_sample(rv_writer *w, const reference *r, const char *input, const char *name)
{
    const rv_tensor *t = rv_program_input(r->program, input);
    char array[RV_C_NAME + 16];
    snprintf(array, sizeof array, "sample_%s", name);
    if (t) write_array(w, t->dtype == RV_I32 ? "int32_t" : "net_real", array, t);
}

static void write_samples(const rv_c_parts *p, const reference *r, rv_writer *w)
{
    for (int i = 0; i < p->inputs; i++)
        write_sample(w, r, rv_tape_node(p->tape, p->input[i].value.id)->name, p->input[i].name);
    if (p->whole) return;
    write_sample(w, r, "x", "x");
    if (p->optimizer) write_sample(w, r, "y", "y");
}

static void write_outputs(const rv_c_parts *p, const reference *r, rv_writer *w)
{
    for (int i = 0; i < p->outputs; i++) {
        char array[RV_C_NAME + 16];
        snprintf(array, sizeof array, "expected_%s", p->output_value[i].name);
        write_array(w, "float", array, rv_program_output(r->program, i));
    }
    if (!p->whole) write_array(w, "float", "expected_output", rv_program_output(r->program, 0));
}

static bool write_expected(const rv_c_parts *p, const rv_store *store, rv_writer *w,
                           rv_error *error)
{
    reference r = {0}, updated = {0};
    rv_tensor all = {0}, after = {0};
    bool ok = make_reference(&r, p, store, false, error) && fill_samples(&r, p, error);
    if (ok) {
        rv_run(r.program);
        write_samples(p, &r, w);
        write_outputs(p, &r, w);
    }
    if (ok && p->optimizer) {
        write_array(w, "float", "expected_loss", rv_program_output(r.program, r.gradients - 1));
        ok = gather(p, &r, true, &all, error) && make_reference(&updated, p, store, true, error) &&
             fill_samples(&updated, p, error);
        for (int i = 0; ok && i < UPDATES; i++) rv_run(updated.program);
        ok = ok && gather(p, &updated, false, &after, error);
        if (ok) write_array(w, "float", "expected_gradient", &all);
        if (ok) write_array(w, "float", "expected_parameters", &after);
    }
    rv_tensor_free(&all);
    rv_tensor_free(&after);
    free_reference(&r);
    free_reference(&updated);
    return ok;
}

bool rv_c_write_test(const rv_c_parts *p, const rv_store *store, rv_writer *w, rv_error *error)
{
    rv_write(
        w,
        "/* Compares net_run and the rest with results of recurve, which wrote all three files:\n"
        " *     cc -std=c99 net_test.c net.c -lm -o net_test && ./net_test */\n"
        "#include \"net.h\"\n\n#include <math.h>\n#include <stdio.h>\n#include <string.h>\n\n");
    int samples = p->whole ? 1 : SAMPLES;
    rv_write(
        w, p->optimizer ? "enum { SAMPLES = %d, UPDATES = %d };\n\n" : "enum { SAMPLES = %d };\n\n",
        samples, (int)UPDATES);
    rv_write(w, "/* Sums have another order here. */\n#define TOLERANCE 1e-4\n\n");
    if (!write_expected(p, store, w, error)) return false;
    write_checks(w, p);
    if (p->optimizer) write_training_checks(w, p);
    if (p->optimizer || p->states) write_saving_check(w);
    rv_write(w, "    return failures;\n}\n");
    return !w->failed || rv_fail_memory(error);
}
