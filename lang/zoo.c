#include "lang/zoo.h"

#include <string.h>

#include "lang/lang.h"
#include "lang/record/step.h"
#include "lang/resolve/file.h"
#include "lang/texts/texts.h"
#include "tensor/memory.h"

/* ---- cells ---- */

static void release(void *file)
{
    rv_lang_close(file);
    rv_free(file);
}

/* The text of a cell, read. NULL: out of memory. */
static lang_file *read_cell(const char *name)
{
    const lang_text *text = rv_lang_text(name);
    lang_file *file = rv_alloc(1, sizeof *file);
    if (file && rv_lang_read_file(file, text->text, text->size, name)) return file;
    if (file) release(file);
    return NULL;
}

/* A net keeps the text that its first step has read. */
static void take(rv_cell *k, rv_var x, rv_var *h, const char *name)
{
    const lang_file *known = k->memo->object;
    lang_use use = {.cell = known ? rv_lang_find_own(&known->scope, LANG_CELL, name) : NULL};
    if (!use.cell) {
        lang_file *file = read_cell(name);
        if (!file) {
            h[0] = rv_tape_fail(k->tape, RV_ERROR_MEMORY, "memory is out");
            return;
        }
        if (k->memo->release) k->memo->release(k->memo->object);
        *k->memo = (rv_cell_memo){file, release};
        use.cell = rv_lang_find_own(&file->scope, LANG_CELL, name);
    }
    rv_lang_take_step(&use, k, x, h);
}

#define STEP(name, text) \
    void name(rv_cell *k, rv_var x, rv_var *h) { take(k, x, h, text); }
STEP(rv_simple_rnn, "rnn")
STEP(rv_irnn, "irnn")
STEP(rv_ugrnn, "ugrnn")
STEP(rv_gru, "gru")
STEP(rv_lstm, "lstm")
STEP(rv_lstm_peephole, "lstm_peephole")
STEP(rv_intersection_rnn, "intersection_rnn")
STEP(rv_mgu, "mgu")
STEP(rv_fastgrnn, "fastgrnn")
STEP(rv_sru, "sru")
STEP(rv_qrnn, "qrnn")
STEP(rv_lem, "lem")
STEP(rv_mingru, "mingru")
STEP(rv_curnn_blog, "curnn_blog")
STEP(rv_update_gate, "update_gate")

/* ---- whole models ---- */

/* The model of that name in a built-in text, for rv_lang_free(*lang). */
static const rv_model *read_model(const char *name, rv_lang **lang, rv_tape *tape)
{
    rv_error error = {0};
    const lang_text *text = rv_lang_text(name);
    *lang = text ? rv_lang_read(text->text, text->size, name, &error) : NULL;
    const rv_model *model = *lang ? rv_lang_model(*lang, NULL, &error) : NULL;
    if (!model) rv_tape_fail(tape, error.code, "%s", error.text);
    return model;
}

static rv_net record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y)
{
    rv_lang *lang;
    rv_net net = {{x.tape, -1}, {x.tape, -1}};
    const rv_model *text = read_model(model->user, &lang, x.tape);
    if (text) net = text->record(text, options, x, y);
    rv_lang_free(lang);
    return net;
}

static rv_var specimen(const rv_model *model, rv_tape *tape)
{
    rv_lang *lang;
    rv_var loss = {tape, -1};
    const rv_model *text = read_model(model->user, &lang, tape);
    if (text) loss = text->specimen(text, tape);
    rv_lang_free(lang);
    return loss;
}

/* ---- the table ---- */

static const rv_model models[] = {
    {.name = "curnn", .text = rv_text_curnn, .step = rv_curnn, .images = true},
    {.name = "curnn-blog",
     .text = rv_text_curnn_blog,
     .user = "curnn_blog",
     .images = true,
     .record = record,
     .specimen = specimen},
    {.name = "rnn", .text = rv_text_rnn, .step = rv_simple_rnn},
    {.name = "irnn", .text = rv_text_irnn, .step = rv_irnn},
    {.name = "ugrnn", .text = rv_text_ugrnn, .step = rv_ugrnn},
    {.name = "gru", .text = rv_text_gru, .step = rv_gru},
    {.name = "lstm", .text = rv_text_lstm, .step = rv_lstm, .state = {"h", "c"}},
    {.name = "lstm-peephole",
     .text = rv_text_lstm_peephole,
     .step = rv_lstm_peephole,
     .state = {"h", "c"}},
    {.name = "intersection-rnn",
     .text = rv_text_intersection_rnn,
     .step = rv_intersection_rnn,
     .state = {"y", "h"}},
    {.name = "mgu", .text = rv_text_mgu, .step = rv_mgu},
    {.name = "fastgrnn", .text = rv_text_fastgrnn, .step = rv_fastgrnn},
    {.name = "sru", .text = rv_text_sru, .step = rv_sru, .state = {"h", "c"}},
    {.name = "qrnn", .text = rv_text_qrnn, .step = rv_qrnn, .state = {"h", "c", "x1"}},
    {.name = "lem", .text = rv_text_lem, .step = rv_lem, .state = {"y", "z"}},
    {.name = "mingru", .text = rv_text_mingru, .step = rv_mingru},
    {.name = "conv-ugrnn", .text = rv_text_conv_ugrnn, .step = rv_ugrnn, .kernel = 3},
    {.name = "conv-gru", .text = rv_text_conv_gru, .step = rv_gru, .kernel = 3},
    {.name = "conv-lstm",
     .text = rv_text_conv_lstm,
     .step = rv_lstm,
     .state = {"h", "c"},
     .kernel = 3},
    {.name = "update-gate",
     .text = rv_text_update_gate,
     .user = "update_gate",
     .record = record,
     .specimen = specimen},
};

int rv_model_count(void) { return (int)(sizeof models / sizeof *models); }

const rv_model *rv_model_at(int index)
{
    return index >= 0 && index < rv_model_count() ? &models[index] : NULL;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '-' && *b == '_') || (*a == '_' && *b == '-'))) return false;
    return *a == *b;
}

const rv_model *rv_model_find(const char *name)
{
    for (int i = 0; i < rv_model_count(); i++)
        if (name && same_name(models[i].name, name)) return &models[i];
    return NULL;
}
