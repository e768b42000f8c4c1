#include "export/c/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/program.h"
#include "ops/ops.h"
#include "tensor/memory.h"

enum { SAMPLES = 2, UPDATES = 3 };

/* ---- the same net with all its time steps, as this library trains it ---- */

typedef struct reference {
    rv_store *store;
    rv_tape *tape;
    rv_program *program;
    rv_var output[2 + RV_C_MOST_PARAMETERS]; /* output, loss, gradients */
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

static bool make_reference(reference *r, const rv_c_parts *p, const rv_store *store, bool update,
                           rv_error *error)
{
    const rv_exported_net *net = p->net;
    rv_net_options o = *net->options;
    o.rnn.dropout = o.rnn.recurrent_dropout = 0;
    o.rnn.carry = NULL;
    r->store = rv_store_new(rv_store_seed(store));
    r->tape = r->store ? rv_tape_new(r->store, RV_F32) : NULL;
    if (!r->tape) return rv_fail_memory(error);
    if (!copy_parameters(p, r->store, error)) return false;
    o.rnn.lengths = (rv_var){r->tape, -1};
    rv_var x = rv_input_typed(r->tape, "x", net->x.dtype, batch_of(net->x.shape));
    rv_var y = rv_input_typed(r->tape, "y", net->y.dtype, batch_of(net->y.shape));
    rv_net made = rv_model_record(net->model, &o, net->scale != 1 ? rv_scale(x, net->scale) : x, y);
    rv_var wrt[RV_C_MOST_PARAMETERS];
    r->output[0] = made.output;
    r->output[1] = made.loss;
    r->count = 2;
    int learned = 0;
    for (int i = 0; net->optimizer && i < p->parameters; i++)
        if (p->parameter[i].entry->role == RV_PARAMETER)
            wrt[learned++] = rv_parameter(r->tape, p->parameter[i].entry->name,
                                          p->parameter[i].entry->tensor.shape, rv_init_constant(0));
    if (learned && rv_gradient(made.loss, wrt, learned, r->output + 2)) r->count += learned;
    if (update) rv_minimize(made.loss, *net->optimizer);
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
    rv_entry *drawn = rv_store_get(r->store, name[0] == 'x' ? "sample/x" : "sample/y", RV_STATE,
                                   RV_F32, to->shape, rv_init_uniform(0, 1), error);
    if (!drawn) return false;
    for (int64_t i = 0; i < rv_tensor_count(to); i++) {
        double u = rv_tensor_get(&drawn->tensor, i);
        rv_tensor_set(to, i, limit ? floor(u * (double)limit) : u);
    }
    return true;
}

static bool fill_samples(reference *r, const rv_c_parts *p, rv_error *error)
{
    const rv_net_options *o = p->net->options;
    return fill(r, "x", o->tokens, error) && fill(r, "y", o->classes, error);
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

static void write_checks(rv_writer *w, bool sequence, bool each)
{
    const char *t = sequence ? "NET_STEPS * " : "", *e = each ? "NET_STEPS * " : "";
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
             "\nint main(void)\n{\n    static net_real output[SAMPLES * %sNET_OUTPUT];\n"
             "    net_init(&net);\n    for (int i = 0; i < SAMPLES; i++)\n"
             "        net_run(&net, sample_x + i * (%sNET_INPUT), output + i * (%sNET_OUTPUT));\n"
             "    check(\"output\", output, expected_output, SAMPLES * %sNET_OUTPUT);\n",
             e, t, e, e);
}

static void write_training_checks(rv_writer *w, bool sequence, bool each)
{
    rv_write(w,
             "\n    net_real loss = 0;\n    for (int i = 0; i < SAMPLES; i++)\n"
             "        loss += net_gradients(&net, sample_x + i * (%sNET_INPUT), sample_y + i * "
             "(%sNET_TARGET)) / SAMPLES;\n"
             "    check(\"loss\", &loss, expected_loss, 1);\n"
             "    for (int i = 0; i < NET_PARAMETERS; i++) net.gradient.all[i] /= SAMPLES;\n"
             "    check(\"gradient\", net.gradient.all, expected_gradient, NET_PARAMETERS);\n\n"
             "    net_init(&net);\n"
             "    for (int i = 0; i < UPDATES; i++) net_train(&net, sample_x, sample_y, SAMPLES);\n"
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
             "NET_PARAMETERS);\n",
             sequence ? "NET_STEPS * " : "", each ? "NET_STEPS * " : "");
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

/* The concatenation of all parameters' values, or of their gradients in the outputs of a program. */
static bool gather(const rv_c_parts *p, const reference *r, bool gradients, rv_tensor *all,
                   rv_error *error)
{
    int64_t at = 0;
    int output = 2;
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

static bool write_expected(const rv_c_parts *p, const rv_store *store, rv_writer *w,
                           rv_error *error)
{
    reference r = {0}, updated = {0};
    rv_tensor all = {0}, after = {0};
    const char *type = "net_real";
    bool ok = make_reference(&r, p, store, false, error) && fill_samples(&r, p, error);
    if (ok) {
        rv_run(r.program);
        const rv_tensor *x = rv_program_input(r.program, "x"),
                        *y = rv_program_input(r.program, "y");
        if (x) write_array(w, x->dtype == RV_I32 ? "int32_t" : type, "sample_x", x);
        if (y && p->net->optimizer)
            write_array(w, y->dtype == RV_I32 ? "int32_t" : type, "sample_y", y);
        write_array(w, "float", "expected_output", rv_program_output(r.program, 0));
    }
    if (ok && p->net->optimizer) {
        write_array(w, "float", "expected_loss", rv_program_output(r.program, 1));
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
    const rv_net_options *o = p->net->options;
    rv_write(
        w,
        "/* Compares net_run and the rest with results of recurve, which wrote all three files:\n"
        " *     cc -std=c99 net_test.c net.c -lm -o net_test && ./net_test */\n"
        "#include \"net.h\"\n\n#include <math.h>\n#include <stdio.h>\n#include <string.h>\n\n");
    rv_write(w,
             p->net->optimizer ? "enum { SAMPLES = %d, UPDATES = %d };\n\n"
                               : "enum { SAMPLES = %d };\n\n",
             (int)SAMPLES, (int)UPDATES);
    rv_write(w, "/* Sums have another order here. */\n#define TOLERANCE 1e-4\n\n");
    if (!write_expected(p, store, w, error)) return false;
    write_checks(w, o->sequence, o->each_step);
    if (p->net->optimizer) write_training_checks(w, o->sequence, o->each_step);
    write_saving_check(w);
    rv_write(w, "    return failures;\n}\n");
    return !w->failed || rv_fail_memory(error);
}
