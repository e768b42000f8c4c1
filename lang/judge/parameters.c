#include "lang/judge/parameters.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "lang/judge/proof.h"
#include "ops/ops.h"
#include "tensor/memory.h"

static lang_location loss_location(const lang_block *model)
{
    return model->symbol[rv_lang_find_value(model, "loss")].definition->location;
}

/* Where a parameter is declared, or the model. Behind a/W is the unroll a; other names are looked
 * for in all unrolls. */
static lang_location declared_at(const lang_block *model, const char *name)
{
    const char *last = strrchr(name, '/');
    lang_location location = model->node->location;
    for (int i = 0; i < model->symbols; i++)
        if (!strcmp(model->symbol[i].name, name) && model->symbol[i].definition)
            return model->symbol[i].definition->location;
    for (int u = model->unrolls - 1; u >= 0; u--) {
        const lang_block *cell = rv_lang_unrolled(model, u);
        const char *result = model->unroll[u]->target->name;
        bool inside = !strncmp(name, result, strlen(result)) && name[strlen(result)] == '/';
        if (inside) location = model->node->location;
        for (int i = 0; cell && i < cell->symbols; i++)
            if (cell->symbol[i].definition &&
                !strcmp(cell->symbol[i].name, last ? last + 1 : name) &&
                cell->symbol[i].definition->location.source == model->node->location.source)
                location = cell->symbol[i].definition->location;
        if (inside) break;
    }
    return location;
}

/* d loss / d each parameter. */
static bool check_parameters(rv_var loss, const lang_block *block, lang_proof *p, lang_verdicts *v,
                             rv_error *error)
{
    int count = rv_parameters(loss, NULL, 0);
    const rv_error *why = rv_tape_error(loss.tape);
    if (count <= 0) return !why->code || rv_fail(error, why->code, "%-s", why->text);
    rv_var *wrt = rv_alloc((size_t)count, sizeof *wrt);
    rv_gradcheck_result *result = rv_alloc((size_t)count, sizeof *result);
    bool ok = wrt && result;
    ok = ok ? (rv_parameters(loss, wrt, count) == count ||
               rv_fail(error, why->code, "%-s", why->text)) &&
                  rv_lang_check_gradients(p, loss, wrt, count, result)
            : rv_fail_memory(error);
    for (int i = 0; ok && i < count; i++) {
        lang_location location = declared_at(block, result[i].name);
        rv_lang_verdict *row = rv_lang_add_verdict(v, block, location, result[i].name, error);
        if (!(ok = row)) break;
        row->verdict = result[i].verdict;
        row->max_relative_error = row->difference_error = result[i].max_relative_error;
        row->cosine = result[i].cosine;
        row->ratio = result[i].ratio;
        snprintf(row->reason, sizeof row->reason, "%s%s",
                 result[i].zero && result[i].verdict == RV_RIGHT ? "no effect on the loss: " : "",
                 result[i].reason);
    }
    rv_free(wrt);
    rv_free(result);
    return ok;
}

bool rv_lang_prove_model(lang_file *file, const rv_lang_proof_options *options, const lang_model *m,
                         lang_verdicts *v, rv_error *error)
{
    bool cell = m->block->node->kind != LANG_MODEL;
    if (cell && (m->block->for_loss || m->use.cell->inputs > 1)) return true;
    lang_proof p = {.left = rv_lang_most_work(&file->limits, LANG_MOST_WORK),
                    .cell = cell ? &m->model : NULL};
    bool ok = rv_lang_start_proof(&p, file, options, m->block, cell ? NULL : "loss", error);
    bool any = ok && !rv_is_null(p.loss);
    ok = ok && (!any || cell || rv_lang_is_number(&p, loss_location(m->block))) &&
         (!any || check_parameters(p.loss, m->block, &p, v, error));
    rv_lang_end_proof(&p);
    return ok;
}
