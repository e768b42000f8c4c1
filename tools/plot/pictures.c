#include "tools/plot/pictures.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/plot/curves.h"
#include "tools/plot/heatmap.h"
#include "train/batch_program.h"
#include "train/setup/lookup.h"
#include "train/trainer/run_folder.h"

enum {
    MOST_SIGNALS = 24,
    MOST_TILES = 20,
    MOST_COLUMNS = 360,
    MOST_CHANNELS = 4,
    MOST_LETTERS = 80
};

/* ---- choice of signals ---- */

/* A gate, a candidate or a state, which has one node per time step; or data of all time steps in one node. */
typedef struct signal {
    char symbol[HEAT_SYMBOL];
    const char *gate; /* rv_node.gate of the pre-activation; owned by the tape; "": no gate */
    int32_t state;    /* rv_node.state of the nodes; 0: no state */
    rv_var data;      /* null for gates and states */
    rv_shape shape;   /* of the data at one time step */
    bool moving;      /* whether the data differ from step to step */
    heat_palette palette;
} signal;

/* The nodes of all signals at the time steps that are drawn, which are `stride` apart. */
typedef struct view {
    const rv_setup *e;
    rv_tape *tape;
    rv_var output; /* of the net */
    int64_t steps, stride;
    signal signals[MOST_SIGNALS];
    int count;
    rv_var *at; /* [steps,count] */
} view;

static bool is_convolutional(const rv_setup *e)
{
    return e->model->images || e->model->kernel > 0 || e->net.rnn.kernel > 0;
}

static void choose_steps(view *v, const rv_batch *batch)
{
    const rv_setup *e = v->e;
    int64_t most = is_convolutional(e) ? MOST_TILES : MOST_COLUMNS;
    int64_t all = e->data.sequence ? e->data.x.dim[0] : e->net.steps > 0 ? e->net.steps : 1;
    if (e->data.lengths) all = (int64_t)rv_tensor_get(&batch->length, 0);
    if (all < 1) all = 1;
    v->stride = (all + most - 1) / most;
    v->steps = (all + v->stride - 1) / v->stride;
}

/* Whether the characters of a text label the time steps, instead of a row for the input. */
static bool spells(const view *v)
{
    return v->e->data.alphabet && v->stride == 1 && v->steps <= MOST_LETTERS;
}

/* The time step, from 0, of a node of the top layer in the forward direction; -1 for other nodes. */
static int64_t step_of(const rv_setup *e, const rv_node *node)
{
    const int64_t layers = e->net.rnn.layers > 1 ? e->net.rnn.layers : 1;
    bool top = node->origin->layer == layers - 1 && node->origin->direction == 0;
    return top ? node->origin->step : -1;
}

/* The first pointwise function that reads the node, directly or through sums; the node itself if there is none. */
static int32_t function_of(const rv_tape *tape, int32_t id)
{
    int32_t at = id;
    for (int32_t i = id + 1; i < rv_tape_count(tape); i++) {
        const rv_node *node = rv_tape_node(tape, i);
        bool reads = false;
        for (int k = 0; k < node->inputs; k++) reads = reads || node->in[k] == at;
        if (!reads) continue;
        if (node->inputs == 1 && node->op->pointwise) return i;
        if (node->op != &rv_op_add || node->state || node->gate) return id;
        at = i;
    }
    return id;
}

static void add_signal(view *v, const char *symbol, signal kind)
{
    if (v->count == MOST_SIGNALS) return;
    snprintf(kind.symbol, sizeof kind.symbol, "%s", symbol);
    v->signals[v->count++] = kind;
}

/* Finds the gates and candidates of the first step. A candidate with the symbol of a state is labelled "new" and the
 * symbol. */
static void find_gates(view *v)
{
    for (int32_t i = 0; i < rv_tape_count(v->tape); i++) {
        const rv_node *node = rv_tape_node(v->tape, i);
        if (!node->gate || step_of(v->e, node) != 0) continue;
        const rv_node *is = rv_tape_node(v->tape, function_of(v->tape, i));
        if (is->state > 0) continue;
        bool gate = strcmp(is->op->name, "sigmoid") == 0, taken = false;
        for (int s = 0; s < RV_CELL_STATES; s++) {
            const char *state = rv_state_symbol(v->e->model, s);
            taken = taken || (state && strcmp(state, node->gate) == 0);
        }
        char symbol[HEAT_SYMBOL];
        snprintf(symbol, sizeof symbol, "%s%.19s",
                 taken                                 ? "new "
                 : strspn(node->gate, "123456789") > 0 ? "d"
                                                       : "",
                 node->gate);
        add_signal(v, symbol,
                   (signal){.gate = node->gate, .palette = gate ? HEAT_FRACTION : HEAT_SIGNED});
    }
}

static bool has_state(const view *v, int32_t state)
{
    for (int32_t i = 0; i < rv_tape_count(v->tape); i++) {
        const rv_node *node = rv_tape_node(v->tape, i);
        if (node->state == state && step_of(v->e, node) == 0) return true;
    }
    return false;
}

static void find_states(view *v)
{
    for (int s = RV_CELL_STATES - 1; s >= 0; s--) {
        const char *symbol = rv_state_symbol(v->e->model, s);
        if (symbol && has_state(v, s + 1))
            add_signal(v, symbol, (signal){.gate = "", .state = s + 1, .palette = HEAT_SIGNED});
    }
}

/* The shape without its first axes. */
static rv_shape shape_behind(rv_shape shape, int axes)
{
    rv_shape rest = {.rank = shape.rank - axes};
    for (int d = 0; d < rest.rank; d++) rest.dim[d] = shape.dim[d + axes];
    return rest;
}

static void add_data(view *v, const char *symbol, rv_var data, const rv_shape *sample, bool moving)
{
    add_signal(v, symbol,
               (signal){.gate = "",
                        .data = data,
                        .shape = shape_behind(*sample, moving),
                        .moving = moving,
                        .palette = HEAT_GREY});
}

static rv_var input_of(rv_tape *tape, const char *name)
{
    int32_t i = rv_tape_count(tape) - 1;
    while (i >= 0 && (rv_tape_node(tape, i)->op != &rv_op_input ||
                      strcmp(rv_tape_node(tape, i)->name, name) != 0))
        i--;
    return (rv_var){tape, i};
}

/* Finds all signals, in the order in which they are drawn. Of a text, the labels of the time steps are the input. */
static bool find_signals(view *v, rv_error *error)
{
    const rv_source *data = &v->e->data;
    if (!spells(v)) add_data(v, "input", input_of(v->tape, "x"), &data->x, data->sequence);
    int before = v->count;
    find_gates(v);
    find_states(v);
    if (v->count == before)
        return rv_fail(error, RV_ERROR_ARGUMENT, "the model \"%s\" shows no states",
                       v->e->model->name);
    if (data->each_step && !data->classes) {
        add_data(v, "prediction", v->output, &data->y, true);
        add_data(v, "target", input_of(v->tape, "y"), &data->y, true);
    }
    return true;
}

static const char *symbol_at(const void *list, int index)
{
    return ((const signal *)list)[index].symbol;
}

static int index_of(const signal *signals, int count, const char *symbol)
{
    int i = 0;
    while (i < count && strcmp(signals[i].symbol, symbol) != 0) i++;
    return i < count ? i : -1;
}

/* Keeps the signals of a list such as "h,c", in its order. NULL: all. */
static bool choose(view *v, const char *names, rv_error *error)
{
    signal chosen[MOST_SIGNALS];
    int count = 0;
    for (const char *end, *at = names; at; at = *end ? end + 1 : NULL) {
        char name[HEAT_SYMBOL];
        rv_error why = {0};
        end = at + strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
        int i = index_of(v->signals, v->count, name);
        if (index_of(chosen, count, name) >= 0)
            return rv_fail(error, RV_ERROR_ARGUMENT, "--pictures-of names \"%s\" twice", name);
        if (i < 0) {
            rv_fail_unknown("row of --pictures-of", name, symbol_at, v->signals, v->count, &why);
            return rv_fail(error, RV_ERROR_ARGUMENT, "%-s", why.text);
        }
        chosen[count++] = v->signals[i];
    }
    if (names) memcpy(v->signals, chosen, sizeof chosen[0] * (size_t)count);
    if (names) v->count = count;
    return true;
}

/* Stores node i of time step t at the first drawn step that is not earlier. */
static void note_node(view *v, int32_t i, int64_t t)
{
    int64_t drawn = (t + v->stride - 1) / v->stride;
    const rv_node *node = rv_tape_node(v->tape, i);
    for (int k = 0; k < v->count && drawn < v->steps; k++) {
        const signal *s = &v->signals[k];
        int32_t *at = &v->at[drawn * v->count + k].id;
        if (s->state > 0 && s->state == node->state) *at = i;
        if (s->state == 0 && node->gate && strcmp(s->gate, node->gate) == 0)
            *at = function_of(v->tape, i);
    }
}

/* Equal expressions of different steps are one node (hash-consing), so a signal missing at a step is that of the step
 * before. */
static bool find_nodes(view *v, rv_error *error)
{
    int64_t all = v->steps * v->count;
    v->at = rv_alloc((size_t)all, sizeof *v->at);
    if (!v->at) return rv_fail_memory(error);
    for (int64_t i = 0; i < all; i++) {
        const rv_var data = v->signals[i % v->count].data;
        v->at[i] = rv_is_null(data) ? (rv_var){v->tape, -1} : data;
    }
    for (int32_t i = 0; i < rv_tape_count(v->tape); i++) {
        int64_t t = step_of(v->e, rv_tape_node(v->tape, i));
        if (t >= 0) note_node(v, i, t);
    }
    for (int64_t i = v->count; i < all; i++)
        if (v->at[i].id < 0) v->at[i] = v->at[i - v->count];
    return true;
}

/* ---- values of the signals ---- */

/* The rows of the picture; owns their values. */
typedef struct shown {
    heat_row rows[MOST_SIGNALS + 1];
    int count;
} shown;

static void shown_free(shown *h)
{
    for (int i = 0; i < h->count; i++) rv_free((void *)(uintptr_t)h->rows[i].values);
}

/* Adds a row for values of this shape: images if it is [c,h,w], otherwise a column of numbers. Returns the values to
 * fill in, or NULL and an error when out of memory. */
static double *add_row(shown *h, const char *symbol, heat_palette palette, int64_t steps,
                       rv_shape shape, rv_error *error)
{
    heat_row *row = &h->rows[h->count];
    *row = (heat_row){.palette = palette, .steps = steps, .channels = 1, .height = 1, .width = 1};
    snprintf(row->symbol, sizeof row->symbol, "%s", symbol);
    if (shape.rank == 3) {
        row->channels = shape.dim[0] < MOST_CHANNELS ? shape.dim[0] : MOST_CHANNELS;
        row->height = shape.dim[1];
        row->width = shape.dim[2];
    } else {
        row->height = rv_shape_count(shape);
    }
    double *values = rv_alloc((size_t)(steps * row->channels),
                              (size_t)(row->height * row->width) * sizeof *values);
    row->values = values;
    if (!values)
        rv_fail_memory(error);
    else
        h->count++;
    return values;
}

static int64_t row_size(const heat_row *row) { return row->channels * row->height * row->width; }

static bool show_signal(shown *h, const view *v, const rv_program *program, int k, rv_error *error)
{
    const signal *s = &v->signals[k];
    bool data = !rv_is_null(s->data);
    const rv_shape shape = data ? s->shape : shape_behind(rv_program_output(program, k)->shape, 1);
    /* a dense cell reads the same image at each step, so one is enough */
    int64_t steps = data && !s->moving && shape.rank == 3 && !is_convolutional(v->e) ? 1 : v->steps;
    double *values = add_row(h, s->symbol, s->palette, steps, shape, error);
    if (!values) return false;
    int64_t size = row_size(&h->rows[h->count - 1]);
    int64_t apart = data && s->moving ? v->stride * rv_shape_count(shape) : 0;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t i = 0; i < size; i++)
            values[t * size + i] =
                rv_tensor_get(rv_program_output(program, (int)(t * v->count + k)), t * apart + i);
    return true;
}

/* ---- the sample ---- */

static bool feed(rv_program *program, const char *name, const rv_tensor *value, rv_error *error)
{
    return !rv_program_input(program, name) || rv_feed(program, name, value, error);
}

static bool run(rv_program *program, const rv_batch *batch, rv_error *error)
{
    if (!feed(program, "x", &batch->x, error) || !feed(program, "y", &batch->y, error) ||
        !feed(program, "length", &batch->length, error))
        return false;
    rv_code code = rv_run(program);
    return code == RV_OK || rv_fail(error, code, "run: %s", rv_code_text(code));
}

/* ---- the picture ---- */

static bool draw(const char *folder, const rv_train_config *c, const view *v, const shown *h,
                 const rv_tensor *x, rv_error *error)
{
    char path[RV_PATH], text[DATA_TEXT], title[2 * DATA_TEXT], letters[MOST_LETTERS][2];
    const char *names[MOST_LETTERS];
    bool spelled = spells(v);
    for (int64_t t = 0; spelled && t < v->steps; t++) {
        unsigned char letter = v->e->data.alphabet[(int64_t)rv_tensor_get(x, t)];
        letters[t][0] = isgraph(letter) && letter < 128 ? (char)letter : '_';
        letters[t][1] = '\0';
        names[t] = letters[t];
    }
    snprintf(title, sizeof title, "%s on %s: a validation sample", c->net.model,
             data_text(c, text));
    heat_picture picture = {title, h->rows, h->count, v->steps, v->stride, spelled ? names : NULL};
    return rv_run_folder_path(folder, "states", path, error) && heatmap_draw(path, &picture, error);
}

/* The prediction has the colours of the target, so that they compare. */
static void share_colours(shown *h)
{
    for (int i = 0; i < h->count; i++)
        for (int k = 0; k < h->count; k++)
            if (strcmp(h->rows[i].symbol, "prediction") == 0 &&
                strcmp(h->rows[k].symbol, "target") == 0)
                h->rows[i].scale = &h->rows[k];
}

static bool show(const char *folder, const rv_train_config *c, view *v, const rv_batch *batch,
                 rv_error *error)
{
    shown h = {.count = 0};
    if (!find_nodes(v, error)) return false;
    rv_program *program = rv_compile_with(v->tape, v->at, (int)(v->steps * v->count), RV_VALUES);
    const rv_error *failed = rv_tape_error(v->tape);
    bool ok = program || rv_fail(error, failed->code, "%-s", failed->text);
    ok = ok && run(program, batch, error);
    for (int k = 0; ok && k < v->count; k++) ok = show_signal(&h, v, program, k, error);
    share_colours(&h);
    ok = ok && draw(folder, c, v, &h, &batch->x, error);
    shown_free(&h);
    rv_program_free(program);
    return ok;
}

bool pictures_draw(const char *folder, const char *names, const rv_train_config *c,
                   const rv_setup *e, rv_store *store, rv_error *error)
{
    rv_setup one = *e;
    one.carry = false; /* start from zero states */
    one.net.rnn.recompute = 0;
    rv_loader_options options = {.batch_size = 1, .in_order = true};
    rv_loader *loader = rv_loader_new(&e->validation, &options, error);
    const rv_batch *batch = loader ? rv_loader_next(loader, error) : NULL;
    bool averaged = e->optimizer.average > 0 && rv_swap_averages(store);
    rv_net net = {0};
    view v = {.e = &one, .tape = batch ? rv_setup_record(&one, store, 1, false, &net) : NULL};
    v.output = net.output;
    if (batch) choose_steps(&v, batch);
    bool ok = batch && find_signals(&v, error) && choose(&v, names, error) &&
              (!folder || show(folder, c, &v, batch, error));
    if (averaged) rv_swap_averages(store);
    rv_free(v.at);
    rv_tape_free(v.tape);
    rv_loader_free(loader);
    return ok;
}
