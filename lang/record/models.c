#include "lang/record/models.h"

#include <string.h>

#include "lang/record/evaluate.h"
#include "lang/record/model.h"
#include "lang/record/quantity.h"
#include "lang/record/unroll.h"

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
                      .limits = m->limits};
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
                      .limits = m->limits};
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

bool rv_lang_make_models(lang_file *file, lang_model **models, int *count)
{
    size_t most = (size_t)file->scope.blocks;
    *models = rv_lang_allocate(&file->arena, (most + 1) * sizeof **models);
    *count = 0;
    if (!*models) return rv_lang_out_of_memory(&file->report);
    for (const lang_block *b = file->scope.first; b; b = b->next)
        if (b->node->kind == LANG_CELL || b->node->kind == LANG_MODEL)
            make_model(file, &(*models)[(*count)++], b);
    return true;
}
