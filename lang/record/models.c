#include "lang/record/models.h"

#include <stdio.h>
#include <string.h>

#include "lang/record/derive.h"
#include "lang/record/evaluate.h"
#include "lang/record/model.h"
#include "lang/record/quantity.h"
#include "lang/record/unroll.h"
#include "tensor/needs_internal.h"
#include "tensor/text_internal.h"

static rv_var quantity_called(const lang_run *run, const char *name)
{
    int symbol = rv_lang_find_value(run->block, name);
    return symbol >= 0 ? rv_lang_quantity(run, symbol, -1) : rv_lang_null(run);
}

/* A size of the model takes a number that no shape of the data tells. */
static void set_size(const lang_run *run, const char *name, int64_t number)
{
    for (const lang_node *o = run->block->node->arguments; number > 0 && o; o = o->next)
        if (o->symbol >= 0 && !strcmp(o->name, name))
            run->value[o->symbol] = rv_lang_of_number((double)number);
}

/* A model recorded on x and y: its net is the values "output" and "loss". */
static rv_net record_net(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y)
{
    const lang_model *m = model->user;
    rv_net net = {{x.tape, -1}, {x.tape, -1}};
    lang_work work = {.left = rv_lang_most_work(m->limits, LANG_MOST_WORK),
                      .nodes = rv_tape_count(x.tape),
                      .limits = m->limits,
                      .outside = true};
    lang_run run;
    lang_binding given[2] = {{.name = "x", .var = x}, {.name = "y", .var = y}};
    bool ok = rv_lang_start_run(&run, m->block, &work, x.tape);
    if (ok) set_size(&run, "tokens", options->tokens);
    if (ok) set_size(&run, "classes", options->classes);
    if (ok && rv_lang_record_model(&run, given, rv_is_null(y) ? 1 : 2)) {
        net.output = quantity_called(&run, "output");
        net.loss = quantity_called(&run, "loss");
        const char *lacks = rv_is_null(net.loss)                     ? "loss"
                            : rv_is_null(net.output)                 ? "output"
                            : !rv_lang_declared_input(m->block, "x") ? "x"
                                                                     : NULL;
        if (lacks)
            rv_lang_wrong(
                &run, m->block->node->location, RV_ERROR_NAME,
                "the model \"%s\" has no \"%s\"; to be trained it needs the inputs x and y, and "
                "values called output and loss",
                m->block->name, lacks);
        else if (m->derivation && !rv_is_null(y))
            net.loss = rv_lang_stated_loss(&run, m->derivation, net.loss);
    }
    if (rv_is_null(y)) net.loss = y;
    rv_lang_end_run(&run);
    return net;
}

/* The loss of a model with its default sizes and inputs of its own. */
static rv_var record_specimen(const rv_model *model, rv_tape *tape)
{
    const lang_model *m = model->user;
    rv_var loss = {tape, -1};
    lang_work work = {.left = rv_lang_most_work(m->limits, LANG_MOST_WORK),
                      .nodes = rv_tape_count(tape),
                      .limits = m->limits,
                      .outside = true};
    lang_run run;
    if (rv_lang_start_run(&run, m->block, &work, tape) && rv_lang_record_model(&run, NULL, 0)) {
        loss = quantity_called(&run, "loss");
        if (rv_is_null(loss))
            rv_lang_wrong(&run, m->block->node->location, RV_ERROR_NAME,
                          "the model \"%s\" has no \"loss\"", m->block->name);
    }
    rv_lang_end_run(&run);
    return loss;
}

void rv_lang_apply_alias(const lang_block *alias, rv_tape *tape, lang_report *report,
                         rv_rnn_options *options)
{
    lang_work work = {.left = LANG_MOST_WORK, .report = report};
    lang_run run;
    if (rv_lang_start_run(&run, alias, &work, tape)) rv_lang_alias_options(&run, alias, options);
    rv_lang_end_run(&run);
}

static void prepare(const rv_model *model, rv_tape *tape, rv_rnn_options *options)
{
    rv_lang_apply_alias(((const lang_use *)model->user)->alias, tape, NULL, options);
}

/* An alias sets its options itself. With a kernel it reads images. */
static void make_alias(lang_report *report, lang_model *m)
{
    rv_rnn_options options = {0};
    rv_store *store = rv_store_new(0);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    if (tape) rv_lang_apply_alias(m->block, tape, report, &options);
    m->use.alias = m->block;
    m->model.prepare = prepare;
    m->model.kernel = options.kernel;
    rv_tape_free(tape);
    rv_store_free(store);
}

static void make_model(lang_file *file, lang_model *m, const lang_block *block)
{
    const lang_block *base = rv_lang_base(block);
    m->block = block;
    m->limits = &file->limits;
    m->use = (lang_use){.cell = base};
    m->model = (rv_model){
        .name = block->name, .text = block->node->location.source->text, .images = base->images};
    if (block->node->kind == LANG_MODEL) {
        m->model.record = record_net;
        m->model.specimen = record_specimen;
        m->model.user = m;
    } else {
        m->model.step = rv_lang_step;
        m->model.user = &m->use;
        for (int s = 0; s < base->states; s++)
            m->model.state[s] = base->symbol[base->state[s]].name;
        if (block->alias_of) make_alias(&file->report, m);
    }
}

/* The models before `derived` get the derivations of the file. */
static void make_derived(lang_file *file, lang_model *models, lang_model *derived)
{
    const lang_model *end = derived;
    for (const lang_block *b = file->scope.first; b; b = b->next) {
        lang_model *of = models, **last;
        if (b->node->kind != LANG_DERIVE || !b->model) continue;
        while (of < end && of->block != b->model) of++;
        if (of == end) continue;
        for (last = &of->derived; *last;) last = &(*last)->next;
        *last = derived;
        *derived = *of;
        derived->derived = NULL;
        derived->derivation = b;
        derived->model.user = derived;
        derived++;
    }
}

bool rv_lang_make_models(lang_file *file, lang_model **models, int *count)
{
    size_t most = (size_t)file->scope.blocks;
    *models = rv_lang_allocate(&file->arena, (most + 1) * sizeof **models);
    *count = 0;
    if (!*models) return rv_lang_out_of_memory(&file->report);
    for (const lang_block *b = file->scope.first; b; b = b->next)
        if (b->node->kind == LANG_CELL || b->node->kind == LANG_MODEL)
            make_model(file, &(*models)[(*count)++], b);
    make_derived(file, *models, *models + *count);
    return true;
}

/* ---- derivations ---- */

/* The title of a derivation or, if it has none, the name of its loss. */
static const char *title_of(const lang_model *derived)
{
    const lang_node *n = derived->derivation->node;
    return n->name ? n->name : n->loss->name;
}

static const rv_model *fail_title(const lang_model *m, const char *title, rv_error *error)
{
    char known[RV_ERROR_TEXT / 2] = "";
    rv_text to = {known, known + sizeof known};
    for (const lang_model *d = m->derived; d; d = d->next) {
        rv_put(&to, "%s\"%.80s\"", *known ? ", " : "", title_of(d));
    }
    rv_fail(error, RV_ERROR_NAME, "%s: the model \"%s\" has no derivation \"%.100s\"; it has %s",
            m->block->node->location.source->path, m->block->name, title, *known ? known : "none");
    return NULL;
}

const rv_model *rv_lang_derived(const rv_model *model, const char *title, rv_error *error)
{
    if (!RV_NEEDS(error, model, title)) return NULL;
    if (model->record != record_net) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "\"%s\" is not a model of a text, so it has no derivation \"%.100s\"", model->name,
                title);
        return NULL;
    }
    const lang_model *m = model->user, *found = NULL;
    for (const lang_model *d = m->derived; d; d = d->next) {
        if (strcmp(title_of(d), title)) continue;
        if (found) {
            rv_fail(error, RV_ERROR_NAME,
                    "%s: lines %d and %d: two derivations \"%.100s\"; give one another title",
                    m->block->node->location.source->path,
                    rv_lang_line(found->derivation->node->location),
                    rv_lang_line(d->derivation->node->location), title);
            return NULL;
        }
        found = d;
    }
    if (!found) return fail_title(m, title, error);
    const lang_node *n = found->derivation->node;
    if (!strcmp(n->loss->name, "loss")) return &found->model;
    rv_fail(error, RV_ERROR_ARGUMENT,
            "%s:%d: the derivation \"%.100s\" is of \"%s\", expected one of \"loss\", which is "
            "trained",
            n->location.source->path, rv_lang_line(n->location), title, n->loss->name);
    return NULL;
}
