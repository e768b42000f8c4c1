/* The values inside a net for one sample, and their gradients. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"
#include "tools/playground/module/session.h"
#include "tools/signals/equation.h"
#include "tools/signals/norms.h"
#include "tools/signals/signals.h"

enum { NORMS_SAMPLES = 32 };

/* A sample, and the net recorded for it. */
typedef struct look {
    rv_setup setup;
    rv_batch batch;
    rv_tape *tape;
    rv_net net;
    cell_signals found;
} look;

/* ---- the sample ---- */

static rv_shape one_of(rv_shape sample)
{
    rv_shape one = {.rank = sample.rank + 1, .dim = {1}};
    for (int d = 0; d < sample.rank; d++) one.dim[d + 1] = sample.dim[d];
    return one;
}

/* Sets all elements from an array of numbers. Without the array they stay 0. */
static bool set(const page_task *task, const char *name, rv_tensor *tensor)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(task->arguments, name), *item;
    int64_t i = 0;
    if (!array) return true;
    if (cJSON_GetArraySize(array) != rv_tensor_count(tensor))
        return rv_fail(task->error, RV_ERROR_SHAPE, "%s has %d number(s), a sample of this run %d",
                       name, cJSON_GetArraySize(array), (int)rv_tensor_count(tensor));
    cJSON_ArrayForEach(item, array) rv_tensor_set(tensor, i++, item->valuedouble);
    return true;
}

/* The sample number "index" of the run, or the arguments "x" and "y". */
static bool take_sample(const page_task *task, const rv_trainer *trainer, rv_batch *batch)
{
    const rv_source *data = session_samples(task, trainer);
    const double index = page_number(task, "index");
    batch->count = 1;
    if (!rv_tensor_new(&batch->x, data->x_type, one_of(data->x), task->error) ||
        !rv_tensor_new(&batch->y, data->y_type, one_of(data->y), task->error) ||
        !rv_tensor_new(&batch->length, RV_I32, RV_SHAPE(1), task->error))
        return false;
    if (cJSON_GetObjectItemCaseSensitive(task->arguments, "x")) {
        rv_tensor_set(&batch->length, 0, data->sequence ? (double)data->x.dim[0] : 1);
        return set(task, "x", &batch->x) && set(task, "y", &batch->y);
    }
    if (!(index >= 0 && index < (double)data->count))
        return rv_fail(task->error, RV_ERROR_ARGUMENT, "got sample %g, expected 0 to %lld", index,
                       (long long)data->count - 1);
    return rv_source_read(data, 0, (int64_t)index, batch->x.data, batch->y.data, batch->length.data,
                          task->error);
}

static bool open_look(look *l, const page_task *task)
{
    const rv_trainer *trainer = session_trainer(task);
    *l = (look){0};
    if (!trainer || !take_sample(task, trainer, &l->batch)) return false;
    l->setup = signals_setup(rv_trainer_setup(trainer));
    l->tape = rv_setup_record(&l->setup, rv_trainer_store((rv_trainer *)(uintptr_t)trainer), 1,
                              false, &l->net);
    if (!l->tape) return rv_fail_memory(task->error);
    const rv_error *failed = rv_tape_error(l->tape);
    if (failed->code) return rv_fail(task->error, failed->code, "%-s", failed->text);
    return signals_find(&l->found, &l->setup, l->tape, l->net, signals_steps(&l->setup, &l->batch),
                        task->error);
}

static void close_look(look *l)
{
    signals_free(&l->found);
    rv_tape_free(l->tape);
    rv_tensor_free(&l->batch.x);
    rv_tensor_free(&l->batch.y);
    rv_tensor_free(&l->batch.length);
}

/* ---- values and gradients ---- */

/* Nodes, then their gradients: the outputs of one program. */
typedef struct pairs {
    rv_var *x, *gradient;
    int count, room;
    rv_batch_program b;
} pairs;

static bool make_room(pairs *p, int room, rv_error *error)
{
    p->room = room;
    p->x = rv_alloc(2 * (size_t)room, sizeof *p->x);
    return p->x || rv_fail_memory(error);
}

static void free_pairs(pairs *p)
{
    rv_batch_program_free(&p->b);
    rv_free(p->x);
}

static bool is_real(rv_var x) { return rv_dtype_of(x) != RV_I32; }

/* Records the gradients of the loss. Integers have none: in their place stands the value. */
static bool record_gradients(pairs *p, const look *l, rv_error *error)
{
    const rv_error *failed = rv_tape_error(l->tape);
    int reals = 0;
    rv_var *wrt = rv_alloc(2 * (size_t)p->count, sizeof *wrt), *gradient = wrt + p->count;
    if (!wrt) return rv_fail_memory(error);
    p->gradient = p->x + p->count;
    for (int i = 0; i < p->count; i++)
        if (is_real(p->x[i])) wrt[reals++] = p->x[i];
    const bool ok = rv_gradient(l->net.loss, wrt, reals, gradient) ||
                    rv_fail(error, failed->code, "%-s", failed->text);
    for (int i = 0, real = 0; i < p->count; i++)
        p->gradient[i] = is_real(p->x[i]) ? gradient[real++] : p->x[i];
    rv_free(wrt);
    return ok;
}

static bool compute(pairs *p, const look *l, rv_error *error)
{
    return record_gradients(p, l, error) &&
           rv_batch_program_compile(&p->b, l->tape, 1, p->x, 2 * p->count, RV_VALUES, error) &&
           rv_batch_program_run(&p->b, &l->batch, error);
}

/* Adds `size` elements of each of `count` outputs from `first` on. */
static bool add_outputs(page_task *task, cJSON *object, const char *name, const pairs *p, int first,
                        int count, int64_t size)
{
    float *to = page_add_numbers(task, object, name, (size_t)(count * size));
    for (int t = 0; to && t < count; t++)
        for (int64_t i = 0; i < size; i++)
            *to++ = (float)rv_tensor_get(rv_program_output(p->b.program, first + t), i);
    return to;
}

/* Adds the values and, for real numbers, the gradient of pair i and the `count` - 1 after it. */
static bool add_pair(page_task *task, cJSON *object, const pairs *p, int i, int count, int64_t size)
{
    return add_outputs(task, object, "values", p, i, count, size) &&
           (!is_real(p->x[i]) ||
            add_outputs(task, object, "gradient", p, p->count + i, count, size));
}

/* ---- inspect ---- */

/* The number of nodes that a signal is drawn from. */
static int nodes_of(const cell_signals *s, int k)
{
    return rv_is_null(s->list[k].data) ? (int)s->steps : 1;
}

static bool add_signals(page_task *task, const look *l, const pairs *p)
{
    static const char *const kinds[] = {"input", "gate", "state", "value", "prediction", "target"};
    const cell_signals *s = &l->found;
    cJSON *signals = cJSON_AddArrayToObject(task->result, "signals");
    bool ok = true;
    for (int k = 0, i = 0; ok && k < s->count; i += nodes_of(s, k++)) {
        const cell_signal *is = &s->list[k];
        const bool once = !rv_is_null(is->data) && !is->moving;
        const int64_t size = rv_shape_count(is->shape);
        cJSON *signal = page_append(signals);
        cJSON_AddStringToObject(signal, "name", is->symbol);
        cJSON_AddStringToObject(signal, "kind", kinds[is->kind]);
        cJSON_AddBoolToObject(signal, "fraction", is->fraction);
        cJSON_AddNumberToObject(signal, "order", s->at[k].id);
        cJSON_AddNumberToObject(signal, "steps", once ? 1 : (double)s->steps);
        json_add_shape(signal, "shape", is->shape);
        ok = add_pair(task, signal, p, i, nodes_of(s, k), is->moving ? s->steps * size : size);
    }
    return ok;
}

static bool add_parameters(page_task *task, const look *l, const pairs *p, int first)
{
    cJSON *parameters = cJSON_AddArrayToObject(task->result, "parameters");
    bool ok = true;
    for (int i = first; ok && i < p->count; i++) {
        const rv_node *node = rv_tape_node(l->tape, p->x[i].id);
        cJSON *parameter = page_append(parameters);
        cJSON_AddStringToObject(parameter, "name", node->entry->name);
        json_add_shape(parameter, "shape", node->type.shape);
        ok = add_pair(task, parameter, p, i, 1, rv_shape_count(node->type.shape));
    }
    return ok;
}

static bool inspect(page_task *task, look *l, pairs *p)
{
    const cell_signals *s = &l->found;
    const int parameters = rv_parameters(l->net.loss, NULL, 0);
    if (parameters < 0) return rv_fail_memory(task->error);
    int nodes = 2; /* loss and output */
    for (int k = 0; k < s->count; k++) nodes += nodes_of(s, k);
    if (!make_room(p, nodes + parameters, task->error)) return false;
    for (int k = 0; k < s->count; k++)
        for (int t = 0; t < nodes_of(s, k); t++) p->x[p->count++] = s->at[t * s->count + k];
    p->x[p->count++] = l->net.loss;
    p->x[p->count++] = l->net.output;
    rv_parameters(l->net.loss, p->x + p->count, parameters);
    p->count += parameters;
    if (!compute(p, l, task->error)) return false;
    cJSON_AddNumberToObject(task->result, "steps", (double)s->steps);
    cJSON_AddNumberToObject(task->result, "label",
                            l->setup.data.classes > 0 ? rv_tensor_get(&l->batch.y, 0) : -1);
    json_add_number(task->result, "loss", rv_value(p->b.program, nodes - 2));
    cJSON *output = cJSON_AddObjectToObject(task->result, "output");
    json_add_shape(output, "shape", rv_shape_of(l->net.output));
    return add_signals(task, l, p) &&
           add_pair(task, output, p, nodes - 1, 1, rv_shape_count(rv_shape_of(l->net.output))) &&
           add_parameters(task, l, p, nodes);
}

bool page_inspect(page_task *task)
{
    look l;
    pairs p = {0};
    const bool ok = open_look(&l, task) && inspect(task, &l, &p);
    free_pairs(&p);
    close_look(&l);
    return ok;
}

/* ---- value ---- */

/* The signal or parameter with the name in the arguments, at the time step there, which counts from
 * 1. */
static rv_var named_value(const page_task *task, const look *l)
{
    const char *name = page_text(task, "name");
    const double step = page_number(task, "step");
    const cell_signals *s = &l->found;
    const int k = signals_index(s, name);
    if (k >= 0 && (nodes_of(s, k) == 1 || (step >= 1 && step <= (double)s->steps)))
        return s->at[nodes_of(s, k) == 1 ? k : ((int64_t)step - 1) * s->count + k];
    if (strcmp(name, "output") == 0) return l->net.output;
    for (int32_t i = 0; i <= l->net.loss.id; i++) {
        const rv_node *node = rv_tape_node(l->tape, i);
        if (node->entry && strcmp(node->entry->name, name) == 0) return (rv_var){l->tape, i};
    }
    rv_fail(task->error, RV_ERROR_NAME, "the net has no \"%s\" at step %g", name, step);
    return (rv_var){l->tape, -1};
}

static const char *name_of(const look *l, int32_t id)
{
    const rv_node *node = rv_tape_node(l->tape, id);
    const char *state = node->state ? rv_state_symbol(l->setup.model, node->state - 1) : NULL;
    return state                    ? state
           : node->name             ? node->name
           : id == l->net.loss.id   ? "loss"
           : id == l->net.output.id ? "output"
                                    : node->op->name;
}

/* A term of a gradient: what one use of the value contributes. */
typedef struct term {
    int32_t user;
    rv_var gradient;
} term;

/* Records the terms of the gradient by x: the op's rule, for each use of x. Equal equations are one
 * node (invariant 5), so these are the nodes that rv_gradient has added up. NULL: none, or out of
 * memory with an error on the tape. */
static term *record_terms(const look *l, rv_var x, int *count)
{
    const int32_t last = l->net.loss.id;
    int uses = 0, most = 1;
    for (int32_t i = x.id + 1; i <= last; i++) {
        const rv_node *node = rv_tape_node(l->tape, i);
        if (node->inputs > most) most = node->inputs;
        for (int k = 0; k < node->inputs; k++) uses += node->in[k] == x.id;
    }
    term *terms = rv_alloc((size_t)uses + 1, sizeof *terms);
    rv_var *in = rv_alloc((size_t)most, sizeof *in);
    *count = 0;
    for (int32_t i = x.id + 1; terms && in && i <= last; i++) {
        const rv_node node = *rv_tape_node(l->tape, i); /* a copy: rules record nodes */
        const rv_var y = {l->tape, i};
        rv_var dy = {l->tape, -1};
        double zero = 1;
        for (int k = 0; k < node.inputs; k++) in[k] = (rv_var){l->tape, node.in[k]};
        for (int k = 0; k < node.inputs; k++) {
            if (node.in[k] != x.id || !node.op->gradient || !is_real(y)) continue;
            if (rv_is_null(dy) && !rv_gradient(l->net.loss, &y, 1, &dy)) break;
            if (rv_is_uniform(dy, &zero) && zero == 0) continue;
            const rv_backward b = {y, dy, in, node.inputs, node.attr};
            const rv_var gradient = node.op->gradient(&b, k);
            if (!rv_is_null(gradient)) terms[(*count)++] = (term){i, gradient};
        }
    }
    if (!terms || !in) rv_tape_fail(l->tape, RV_ERROR_MEMORY, "out of memory");
    rv_free(in);
    return terms;
}

/* "conv2d(x, Wxg)". */
static void add_operation(cJSON *object, const look *l, int32_t id)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to) return;
    equation_put(to, l->tape, id, false);
    if (fclose(to) == 0) cJSON_AddStringToObject(object, "operation", text);
    free(text);
}

static double norm_of(const rv_tensor *tensor)
{
    double sum = 0;
    for (int64_t i = 0; i < rv_tensor_count(tensor); i++)
        sum += rv_tensor_get(tensor, i) * rv_tensor_get(tensor, i);
    return sqrt(sum);
}

static bool add_terms(page_task *task, const look *l, const pairs *p, const term *terms, int count)
{
    cJSON *array = cJSON_AddArrayToObject(task->result, "terms");
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        const int32_t is = signals_equation(&l->found, terms[i].user);
        cJSON *object = page_append(array);
        cJSON_AddStringToObject(object, "name", name_of(l, is));
        cJSON_AddNumberToObject(object, "step", rv_tape_node(l->tape, is)->origin->step + 1);
        add_operation(object, l, terms[i].user);
        const rv_tensor *gradient = rv_program_output(p->b.program, 2 + i);
        json_add_number(object, "norm", norm_of(gradient));
        ok = page_add_tensor(task, object, "gradient", gradient);
    }
    return ok;
}

static bool value(page_task *task, look *l, pairs *p)
{
    const rv_error *failed = rv_tape_error(l->tape);
    const rv_var x = named_value(task, l);
    int count = 0;
    if (rv_is_null(x)) return false;
    term *terms = record_terms(l, x, &count);
    bool ok = (!failed->code || rv_fail(task->error, failed->code, "%-s", failed->text)) &&
              make_room(p, 2 + count, task->error);
    if (ok) {
        p->x[p->count++] = x;
        ok = record_gradients(p, l, task->error);
    }
    for (int i = 0; ok && i < count; i++) p->x[2 + i] = terms[i].gradient;
    ok = ok &&
         rv_batch_program_compile(&p->b, l->tape, 1, p->x, 2 + count, RV_VALUES, task->error) &&
         rv_batch_program_run(&p->b, &l->batch, task->error);
    if (ok) json_add_shape(task->result, "shape", rv_shape_of(x));
    ok = ok && add_pair(task, task->result, p, 0, 1, rv_shape_count(rv_shape_of(x))) &&
         add_terms(task, l, p, terms, count);
    rv_free(terms);
    return ok;
}

bool page_value(page_task *task)
{
    look l;
    pairs p = {0};
    const bool ok = open_look(&l, task) && value(task, &l, &p);
    free_pairs(&p);
    close_look(&l);
    return ok;
}

/* ---- norms ---- */

bool page_norms(page_task *task)
{
    rv_trainer *trainer = session_trainer(task);
    norms n = {0};
    bool ok = trainer && norms_measure(&n, NORMS_START, rv_trainer_setup(trainer),
                                       rv_trainer_store(trainer), NORMS_SAMPLES, task->error);
    cJSON_AddNumberToObject(task->result, "steps", (double)n.steps);
    cJSON_AddNumberToObject(task->result, "samples", (double)n.samples);
    cJSON *rows = cJSON_AddArrayToObject(task->result, "rows");
    for (int i = 0; ok && i < n.count; i++) {
        const double *from = n.at[NORMS_START] + i * (n.steps + 1);
        cJSON *row = page_append(rows);
        cJSON_AddStringToObject(row, "name", n.name[i]);
        cJSON_AddBoolToObject(row, "state", n.state[i]);
        float *to = page_add_numbers(task, row, "norms", (size_t)n.steps + 1);
        for (int64_t t = 0; to && t <= n.steps; t++) to[t] = (float)from[t];
        ok = to;
    }
    norms_free(&n);
    return ok;
}
