#include "lang/zoo.h"

#include <string.h>

#include "lang/lang.h"
#include "lang/record/models.h"
#include "lang/texts/texts.h"
#include "lang/zoo_internal.h"
#include "tensor/memory.h"

/* ---- cells ---- */

/* Releases a list of texts. */
static void release(void *files)
{
    for (lang_file *file = files, *next; file; file = next) {
        next = file->next;
        rv_lang_close(file);
        rv_free(file);
    }
}

/* The cell of a built-in text, which comes before its models, read. NULL: out of memory. */
static lang_file *read_cell(const char *name)
{
    const lang_text *text = rv_lang_text(name);
    const char *model = strstr(text->text, "\nmodel ");
    const size_t size = model ? (size_t)(model + 1 - text->text) : text->size;
    lang_file *file = rv_alloc(1, sizeof *file);
    if (file && rv_lang_read_file(file, text->text, size, text->name)) return file;
    if (file) release(file);
    return NULL;
}

/* A net keeps the cells that its first step has read: several, if cells are inside others. */
void rv_lang_zoo_step(rv_cell *k, rv_var x, rv_var *h, const char *name)
{
    const lang_block *cell = NULL;
    for (const lang_file *file = k->memo->object; file && !cell; file = file->next)
        cell = rv_lang_find_own(&file->scope, LANG_CELL, name);
    if (!cell) {
        lang_file *read = read_cell(name);
        if (!read) {
            h[0] = rv_tape_fail(k->tape, RV_ERROR_MEMORY, "out of memory");
            return;
        }
        read->next = k->memo->object;
        *k->memo = (rv_cell_memo){read, release};
        cell = rv_lang_find_own(&read->scope, LANG_CELL, name);
    }
    lang_use use = {.cell = rv_lang_base(cell)};
    rv_lang_take_step(&use, k, x, h);
}

void rv_lang_zoo_prepare(const rv_model *model, rv_tape *tape, rv_rnn_options *options)
{
    const lang_text *text = rv_lang_text(model->name);
    lang_file *file = read_cell(text->name);
    int64_t kernel = options->kernel; /* the caller's takes precedence */
    if (!file) {
        rv_tape_fail(tape, RV_ERROR_MEMORY, "out of memory");
        return;
    }
    rv_lang_apply_alias(rv_lang_find_own(&file->scope, LANG_CELL, text->name), tape, NULL, options);
    if (kernel) options->kernel = kernel;
    release(file);
}

static void unknown_step(rv_cell *k, rv_var x, rv_var *h)
{
    (void)x;
    h[0] = rv_tape_fail(k->tape, RV_ERROR_NAME,
                        "rv_zoo: there is no such built-in cell; rv_model_at lists them");
}

/* ---- whole models ---- */

/* The model with the same name as its built-in text, for rv_lang_free(*lang). */
static const rv_model *read_model(const char *name, rv_lang **lang, rv_tape *tape)
{
    rv_error error = {0};
    const lang_text *text = rv_lang_text(name);
    *lang = text ? rv_lang_read(text->text, text->size, text->name, NULL, &error) : NULL;
    const rv_model *model = *lang ? rv_lang_model(*lang, text->name, &error) : NULL;
    if (!model) rv_tape_fail(tape, error.code, "%-s", error.text);
    return model;
}

rv_net rv_lang_zoo_record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y)
{
    rv_lang *lang;
    rv_net net = {{x.tape, -1}, {x.tape, -1}};
    const rv_model *text = read_model(model->name, &lang, x.tape);
    if (text) net = text->record(text, options, x, y);
    rv_lang_free(lang);
    return net;
}

rv_var rv_lang_zoo_specimen(const rv_model *model, rv_tape *tape)
{
    rv_lang *lang;
    rv_var loss = {tape, -1};
    const rv_model *text = read_model(model->name, &lang, tape);
    if (text) loss = text->specimen(text, tape);
    rv_lang_free(lang);
    return loss;
}

/* ---- by name ---- */

int rv_model_count(void) { return rv_lang_zoo_count; }

const rv_model *rv_model_at(int index)
{
    return index >= 0 && index < rv_lang_zoo_count ? &rv_lang_zoo[index].model : NULL;
}

static const lang_zoo_row *find(const char *name)
{
    const lang_text *text = name ? rv_lang_text(name) : NULL;
    for (int i = 0; text && i < rv_lang_zoo_count; i++)
        if (rv_lang_zoo[i].model.text == text->text) return &rv_lang_zoo[i];
    return NULL;
}

const rv_model *rv_model_find(const char *name)
{
    const lang_zoo_row *row = find(name);
    return row ? &row->model : NULL;
}

rv_cell_step rv_zoo(const char *name)
{
    const lang_zoo_row *row = find(name);
    return row ? row->step : unknown_step;
}
