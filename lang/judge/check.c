#include "lang/judge/check.h"

#include "lang/judge/derivation.h"
#include "lang/judge/proof.h"
#include "lang/record/model.h"
#include "ops/ops.h"

/* Records a cell once, on images or rows. */
static void check_cell(lang_run *run, const lang_model *m)
{
    lang_use use = {.cell = m->use.cell, .work = run->work};
    rv_rnn_options o = {.units = 3, .bias = true, .user = &use, .kernel = m->model.kernel};
    bool images = m->model.images || m->model.kernel;
    rv_error error;
    rv_var x = rv_input(run->tape, "x", images ? RV_SHAPE(2, 1, 8, 8) : RV_SHAPE(2, 4));
    rv_var h = rv_unroll_with(rv_lang_step, x, 2, o);
    if (rv_is_null(h) && rv_tape_take_error(run->tape, &error) && !run->work->reported)
        rv_lang_add_problem(run->work->report, m->block->node->location, error.code, "%-s",
                            error.text);
}

/* Counts the numbers in the parameters and in all values of a model. */
static void measure(lang_model *m, const rv_store *store, const rv_tape *tape)
{
    m->parameters = m->values = 0;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role == RV_PARAMETER) m->parameters += rv_shape_count(entry->tensor.shape);
    }
    for (int32_t id = 0; id < rv_tape_count(tape); id++)
        m->values += rv_shape_count(rv_tape_node(tape, id)->type.shape);
}

static bool check_block(lang_file *file, lang_model *m, int64_t *left)
{
    lang_report *report = &file->report;
    lang_work work = {.left = *left, .report = report, .limits = m->limits};
    rv_store *store = rv_lang_new_shapes(m->limits);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    lang_run run = {0};
    bool ok = tape && rv_lang_start_run(&run, m->block, &work, tape);
    if (ok && m->block->node->kind == LANG_MODEL)
        rv_lang_record_model(&run, NULL, 0);
    else if (ok)
        check_cell(&run, m);
    if (ok && rv_lang_find_value(m->block, "loss") >= 0) measure(m, store, tape);
    if (run.block) rv_lang_end_run(&run);
    *left = work.stopped ? 0 : work.left;
    rv_tape_free(tape);
    rv_store_free(store);
    return ok || rv_lang_out_of_memory(report);
}

/* Whether no problem is inside the model: a derivation from it would only repeat it. */
static bool model_is_right(const lang_file *file, const lang_block *model)
{
    const lang_node *next = model->node->next;
    for (size_t i = 0; i < file->report.count; i++) {
        const lang_location *p = &file->report.at[i].location;
        if (p->source == file->source && p->start >= model->node->location.start &&
            (!next || p->start < next->location.start))
            return false;
    }
    return true;
}

bool rv_lang_check_file(lang_file *file, lang_model *models, int count)
{
    bool ok = true;
    int64_t left = rv_lang_most_work(&file->limits, LANG_MOST_CHECKED);
    for (int i = 0; ok && left > 0 && i < count; i++) {
        const lang_block *b = models[i].block;
        if (b->wrong || models[i].use.cell->wrong || !rv_lang_is_own(file, b)) continue;
        if (b->unrolled || models[i].use.cell->inputs > 1) continue;
        ok = check_block(file, &models[i], &left);
    }
    for (const lang_block *b = file->scope.first; ok && left > 0 && b; b = b->next)
        if (b->node->kind == LANG_DERIVE && rv_lang_is_own(file, b) && !b->wrong && b->model &&
            !b->model->wrong && model_is_right(file, b->model))
            rv_lang_check_derivation(file, b, &left);
    rv_lang_sort_report(&file->report);
    return ok && !file->report.count && !file->report.more;
}
