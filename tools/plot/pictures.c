#include "tools/plot/pictures.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tools/plot/curves.h"
#include "tools/plot/heatmap.h"
#include "tools/signals/signals.h"
#include "train/batch_program.h"
#include "train/setup/lookup.h"
#include "train/trainer/run_folder.h"

enum { MOST_TILES = 20, MOST_COLUMNS = 360, MOST_CHANNELS = 4, MOST_LETTERS = 80 };

/* ---- choice of signals ---- */

/* The signals that are drawn, at time steps that are `stride` apart. */
typedef struct view {
    const rv_setup *e;
    cell_signals found;
    int64_t steps, stride;
    int drawn[MOST_SIGNALS]; /* indices */
    int count;
} view;

static bool is_convolutional(const rv_setup *e)
{
    return e->model->images || e->model->kernel > 0 || e->net.rnn.kernel > 0;
}

static void choose_steps(view *v)
{
    const int64_t most = is_convolutional(v->e) ? MOST_TILES : MOST_COLUMNS;
    const int64_t all = v->found.steps;
    v->stride = (all + most - 1) / most;
    v->steps = (all + v->stride - 1) / v->stride;
}

/* Whether the characters of a text label the time steps, instead of a row for the input. */
static bool spells(const view *v)
{
    return v->e->data.alphabet && v->stride == 1 && v->steps <= MOST_LETTERS;
}

static const char *symbol_at(const void *list, int index)
{
    return ((const cell_signal *)list)[index].symbol;
}

/* Chooses the signals of a list such as "h,c", in its order. NULL: all that are data, gates or
 * states. */
static bool choose(view *v, const char *names, rv_error *error)
{
    const cell_signals *f = &v->found;
    const int first = spells(v); /* the first signal is the input */
    for (int i = first; !names && i < f->count; i++)
        if (f->list[i].kind != SIGNAL_VALUE) v->drawn[v->count++] = i;
    for (const char *end, *at = names; at; at = *end ? end + 1 : NULL) {
        char name[SIGNAL_SYMBOL];
        rv_error why = {0};
        end = at + strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
        const int i = signals_index(f, name);
        if (i < first) {
            rv_fail_unknown("row of --pictures-of", name, symbol_at, f->list + first,
                            f->count - first, &why);
            return rv_fail(error, RV_ERROR_ARGUMENT, "%-s", why.text);
        }
        for (int k = 0; k < v->count; k++)
            if (v->drawn[k] == i)
                return rv_fail(error, RV_ERROR_ARGUMENT, "--pictures-of names \"%s\" twice", name);
        v->drawn[v->count++] = i;
    }
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

/* Adds a row for values of this shape: images if it is [c,h,w], otherwise a column of numbers.
 * Returns the values to fill in, or NULL and an error when out of memory. */
static double *add_row(shown *h, const char *symbol, heat_palette palette, int64_t steps,
                       rv_shape shape, rv_error *error)
{
    heat_row *row = &h->rows[h->count];
    *row = (heat_row){.palette = palette, .steps = steps, .channels = 1, .height = 1, .width = 1};
    rv_print(row->symbol, sizeof row->symbol, "%s", symbol);
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

static heat_palette palette_of(const cell_signal *s)
{
    return s->fraction ? HEAT_FRACTION : rv_is_null(s->data) ? HEAT_SIGNED : HEAT_GREY;
}

/* The outputs of the program are the nodes of the signals, step by step. */
static bool show_signal(shown *h, const view *v, const rv_program *program, int k, rv_error *error)
{
    const cell_signal *s = &v->found.list[v->drawn[k]];
    /* a dense cell reads the same image at each step, so one is enough */
    const bool once = !rv_is_null(s->data) && !s->moving && s->shape.rank == 3;
    const int64_t steps = once && !is_convolutional(v->e) ? 1 : v->steps;
    double *values = add_row(h, s->symbol, palette_of(s), steps, s->shape, error);
    if (!values) return false;
    int64_t size = row_size(&h->rows[h->count - 1]);
    int64_t apart = s->moving ? v->stride * rv_shape_count(s->shape) : 0;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t i = 0; i < size; i++)
            values[t * size + i] =
                rv_tensor_get(rv_program_output(program, (int)(t * v->count + k)), t * apart + i);
    return true;
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
    rv_print(title, sizeof title, "%s on %s: a validation sample", c->net.model,
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

/* The nodes to draw, [steps,count]. NULL when out of memory. */
static rv_var *nodes_of(const view *v)
{
    rv_var *nodes = rv_alloc((size_t)v->steps, (size_t)v->count * sizeof *nodes);
    for (int64_t t = 0; nodes && t < v->steps; t++)
        for (int k = 0; k < v->count; k++)
            nodes[t * v->count + k] = v->found.at[t * v->stride * v->found.count + v->drawn[k]];
    return nodes;
}

static bool show(const char *folder, const rv_train_config *c, const view *v, const rv_batch *batch,
                 rv_error *error)
{
    shown h = {.count = 0};
    rv_batch_program b = {0};
    rv_var *nodes = nodes_of(v);
    bool ok = nodes || rv_fail_memory(error);
    ok = ok &&
         rv_batch_program_compile(&b, v->found.tape, 1, nodes, (int)(v->steps * v->count),
                                  RV_VALUES, error) &&
         rv_batch_program_run(&b, batch, error);
    for (int k = 0; ok && k < v->count; k++) ok = show_signal(&h, v, b.program, k, error);
    share_colours(&h);
    ok = ok && draw(folder, c, v, &h, &batch->x, error);
    shown_free(&h);
    rv_batch_program_free(&b);
    rv_free(nodes);
    return ok;
}

bool pictures_draw(const char *folder, const char *names, const rv_train_config *c,
                   const rv_setup *e, rv_store *store, rv_error *error)
{
    const rv_setup one = signals_setup(e);
    rv_loader_options options = {.batch_size = 1, .in_order = true};
    rv_loader *loader = rv_loader_new(&e->validation, &options, error);
    const rv_batch *batch = loader ? rv_loader_next(loader, error) : NULL;
    bool averaged = e->optimizer.average > 0 && rv_swap_averages(store);
    rv_net net = {0};
    view v = {.e = &one};
    rv_tape *tape = batch ? rv_setup_record(&one, store, 1, false, &net) : NULL;
    bool ok = batch && signals_find(&v.found, &one, tape, net, signals_steps(&one, batch), error);
    if (ok) choose_steps(&v);
    ok = ok && choose(&v, names, error) && (!folder || show(folder, c, &v, batch, error));
    if (averaged) rv_swap_averages(store);
    signals_free(&v.found);
    rv_tape_free(tape);
    rv_loader_free(loader);
    return ok;
}
