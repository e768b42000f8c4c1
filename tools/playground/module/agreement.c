/* How far the gradients of a derivation agree with the recorded ones. */
#include <math.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"
#include "tools/playground/module/session.h"

/* The net with its gradients for one sample: the outputs are the gradients of all parameters. */
typedef struct side {
    rv_tape *tape;
    rv_var *parameter; /* [count], then their gradients */
    int count;
    rv_batch_program b;
} side;

static void close_side(side *s)
{
    rv_batch_program_free(&s->b);
    rv_free(s->parameter);
    rv_tape_free(s->tape);
}

static bool open_side(side *s, const rv_setup *setup, const rv_model *model, rv_store *store,
                      rv_error *error)
{
    rv_setup one = *setup;
    rv_net net;
    one.model = model;
    one.carry = false;
    s->tape = rv_setup_record(&one, store, 1, false, &net);
    if (!s->tape) return rv_fail_memory(error);
    const rv_error *failed = rv_tape_error(s->tape);
    s->count = rv_parameters(net.loss, NULL, 0);
    if (s->count < 1)
        return rv_fail(error, failed->code ? failed->code : RV_ERROR_ARGUMENT, "%-s", failed->text);
    s->parameter = rv_alloc((size_t)s->count, 2 * sizeof *s->parameter);
    if (!s->parameter) return rv_fail_memory(error);
    rv_parameters(net.loss, s->parameter, s->count);
    return (rv_gradient(net.loss, s->parameter, s->count, s->parameter + s->count) ||
            rv_fail(error, failed->code, "%-s", failed->text)) &&
           rv_batch_program_compile(&s->b, s->tape, 1, s->parameter + s->count, s->count, RV_VALUES,
                                    error);
}

static const rv_entry *entry_of(const side *s, int i)
{
    return rv_tape_node(s->tape, s->parameter[i].id)->entry;
}

/* Adds gradient i to *sum. */
static void accumulate(const side *s, int i, double *sum)
{
    const rv_tensor *gradient = rv_program_output(s->b.program, i);
    for (int64_t k = 0; k < rv_tensor_count(gradient); k++) sum[k] += rv_tensor_get(gradient, k);
}

/* Sums both gradients over the samples, parameter by parameter in the order of `recorded`. */
static bool sum_gradients(const side *stated, const side *recorded, const rv_source *data,
                          int64_t samples, double *sums, int64_t all, rv_error *error)
{
    const rv_loader_options options = {.batch_size = 1, .in_order = true};
    rv_loader *loader = rv_loader_new(data, &options, error);
    bool ok = loader;
    for (int64_t n = 0; ok && n < samples; n++) {
        const rv_batch *batch = rv_loader_next(loader, error);
        ok = batch && rv_batch_program_run(&stated->b, batch, error) &&
             rv_batch_program_run(&recorded->b, batch, error);
        double *sum = sums;
        for (int i = 0; ok && i < recorded->count; i++) {
            accumulate(recorded, i, sum + all);
            for (int k = 0; k < stated->count; k++)
                if (entry_of(stated, k) == entry_of(recorded, i)) accumulate(stated, k, sum);
            sum += rv_tensor_count(&entry_of(recorded, i)->tensor);
        }
    }
    rv_loader_free(loader);
    return ok;
}

static void add_comparison(cJSON *object, const double *stated, const double *recorded, int64_t n)
{
    double product = 0, a = 0, b = 0;
    for (int64_t i = 0; i < n; i++) {
        product += stated[i] * recorded[i];
        a += stated[i] * stated[i];
        b += recorded[i] * recorded[i];
    }
    json_add_number(object, "cosine", product / sqrt(a * b));
    json_add_number(object, "ratio", sqrt(a / b));
    json_add_number(object, "stated", sqrt(a));
    json_add_number(object, "recorded", sqrt(b));
}

bool page_agreement(page_task *task)
{
    rv_trainer *trainer = session_trainer(task);
    side stated = {0}, recorded = {0};
    if (!trainer) return false;
    const rv_setup *setup = rv_trainer_setup(trainer);
    rv_store *store = rv_trainer_store(trainer);
    const double asked = page_number(task, "samples");
    const int64_t samples =
        asked >= 1 && asked < (double)setup->part.count ? (int64_t)asked : setup->part.count;
    const int64_t all = rv_store_parameters(store);
    if (!setup->derived)
        return rv_fail(task->error, RV_ERROR_ARGUMENT,
                       "the run trains with recorded gradients; set \"gradients\" to the title of "
                       "a derivation");
    double *sums = rv_alloc((size_t)all, 2 * sizeof *sums);
    bool ok = sums || rv_fail_memory(task->error);
    ok = ok && open_side(&stated, setup, setup->derived, store, task->error) &&
         open_side(&recorded, setup, setup->model, store, task->error) &&
         sum_gradients(&stated, &recorded, &setup->part, samples, sums, all, task->error);
    cJSON_AddNumberToObject(task->result, "samples", (double)samples);
    cJSON *rows = cJSON_AddArrayToObject(task->result, "rows");
    const double *sum = sums;
    for (int i = 0; ok && i < recorded.count; i++) {
        const rv_entry *entry = entry_of(&recorded, i);
        const int64_t n = rv_tensor_count(&entry->tensor);
        cJSON *row = page_append(rows);
        cJSON_AddStringToObject(row, "name", entry->name);
        add_comparison(row, sum, sum + all, n);
        sum += n;
    }
    if (ok) add_comparison(task->result, sums, sums + all, all);
    close_side(&stated);
    close_side(&recorded);
    rv_free(sums);
    return ok;
}
