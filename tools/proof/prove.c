#include "tools/proof/prove.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "ops/samples_internal.h"
#include "tensor/text_internal.h"

/* ---- rows ---- */

static proof *row_of(proofs *p, const char *name, const char *parameter, rv_error *error)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->at[i].name == name && strcmp(p->at[i].parameter, parameter) == 0) return &p->at[i];
    if (!rv_reserve(&p->at, &p->capacity, p->count + 1, sizeof *p->at)) {
        rv_fail_memory(error);
        return NULL;
    }
    proof *row = &p->at[p->count++];
    *row = (proof){.name = name, .first = NAN, .second = NAN, .reason = "ok"};
    rv_print(row->parameter, sizeof row->parameter, "%s", parameter);
    return row;
}

/* Makes the row no better than the verdict. The reason is that of the first of the worst. */
static void lower(proof *row, rv_verdict verdict, const char *format, const char *reason)
{
    if (verdict <= row->verdict) return;
    snprintf(row->reason, sizeof row->reason, format, reason);
    row->verdict = verdict;
}

void proofs_free(proofs *p)
{
    rv_free(p->at);
    p->at = NULL;
    p->count = p->capacity = 0;
}

/* ---- the checks ---- */

typedef struct subject {
    const char *name;
    rv_tape *tape;
    rv_var loss;
    rv_var *leaf;
    const char **label; /* [count] names of the leaves in the rows */
    int count;
    const rv_named_tensor *inputs;
    int input_count;
} subject;

/* Checks d y / d leaf for all leaves; order is 1 or 2. */
static bool check(proofs *p, const subject *s, rv_var y, int order, rv_error *error)
{
    rv_gradcheck_result *result = rv_alloc((size_t)s->count + 1, sizeof *result);
    if (!result) return rv_fail_memory(error);
    rv_gradcheck_options options = {.tolerance = p->tolerance,
                                    .seed = p->seed,
                                    .inputs = s->inputs,
                                    .input_count = s->input_count,
                                    .proceed = p->proceed,
                                    .context = p->context};
    rv_gradcheck(y, s->leaf, s->count, &options, result);
    const rv_error *failed = rv_tape_error(s->tape);
    for (int k = 0; k < s->count; k++) {
        proof *row = row_of(p, s->name, s->label[k], error);
        if (!row) break;
        if (failed->code != RV_OK) {
            lower(row, RV_UNDECIDED, "%-.200s", failed->text);
            continue;
        }
        double *worst = order == 1 ? &row->first : &row->second;
        if (!(result[k].max_relative_error <= *worst)) *worst = result[k].max_relative_error;
        lower(row, result[k].verdict, order == 1 ? "%.200s" : "second derivative: %.200s",
              result[k].reason);
    }
    rv_free(result);
    return error->code == RV_OK;
}

static bool check_both(proofs *p, const subject *s, rv_error *error)
{
    if (!check(p, s, s->loss, 1, error)) return false;
    return rv_tape_error(s->tape)->code != RV_OK ||
           check(p, s, rv_second_order(s->loss, s->leaf, s->count, p->seed), 2, error);
}

/* The gradient must be recorded as the constant zero; differences would prove nothing. */
static bool check_zero(proofs *p, const subject *s, rv_error *error)
{
    for (int k = 0; k < s->count; k++) {
        rv_var gradient;
        double value = NAN;
        proof *row = row_of(p, s->name, s->label[k], error);
        if (!row) return false;
        if (rv_gradient(s->loss, &s->leaf[k], 1, &gradient) && rv_is_uniform(gradient, &value) &&
            value == 0) {
            row->first = 0;
            snprintf(row->reason, sizeof row->reason, "zero, as it should be");
        } else {
            lower(row, RV_WRONG, "%s", "its gradient should be zero and is not");
        }
    }
    return true;
}

/* ---- ops ---- */

/* The name of input k in "x w" or "x ...". */
static void input_label(const rv_op *op, int k, char label[16])
{
    const char *at = op->args;
    for (int i = 0; i < k && *at != '\0'; i++) at += strcspn(at, " ") + !!strchr(at, ' ');
    int length = (int)strcspn(at, " ");
    if (op->inputs < 0 || length == 0)
        snprintf(label, 16, "x%d", k);
    else
        snprintf(label, 16, "%.*s", length, at);
}

static bool prove_sample(proofs *p, const rv_op *op, const rv_sample *sample, rv_tape *tape,
                         rv_error *error)
{
    char labels[RV_SAMPLE_INPUTS][16];
    const char *label[RV_SAMPLE_INPUTS];
    rv_var x[RV_SAMPLE_INPUTS], leaf[RV_SAMPLE_INPUTS];
    rv_named_tensor values[RV_SAMPLE_INPUTS] = {{0}};
    int inputs = rv_sample_inputs(op, sample);
    subject s = {op->name, tape, {tape, -1}, leaf, label, 0, values, 0};

    rv_var y = rv_sample_record(tape, op, sample, x);
    s.loss = rv_project(rv_cast(y, RV_F64), p->seed, "cotangent");
    bool ok = true;
    for (int k = 0; ok && k < inputs && k < RV_SAMPLE_INPUTS; k++) {
        rv_named_tensor *value = &values[s.input_count++];
        value->name = rv_sample_input_name(k);
        bool whole = sample->integer >> k & 1;
        ok = rv_tensor_new(&value->tensor, whole ? RV_I32 : RV_F64, sample->in[k], error);
        if (ok) rv_sample_values(sample, k, p->seed, &value->tensor);
        input_label(op, k, labels[s.count]);
        if (ok && whole) {
            proof *row = row_of(p, op->name, labels[s.count], error);
            if (row && row->verdict == RV_RIGHT && isnan(row->first))
                snprintf(row->reason, sizeof row->reason, "whole numbers have no gradient");
            ok = row;
        } else {
            label[s.count] = labels[s.count];
            leaf[s.count++] = x[k];
        }
    }
    if (ok && s.count > 0)
        ok = op->zero_gradient ? check_zero(p, &s, error) : check_both(p, &s, error);
    for (int k = 0; k < s.input_count; k++) rv_tensor_free(&values[k].tensor);
    return ok;
}

bool prove_op(proofs *p, const rv_op *op, rv_error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < op->sample_count; i++) {
        if (op->samples[i].error) continue;
        rv_store *store = rv_store_new(p->seed);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        ok = tape ? prove_sample(p, op, &op->samples[i], tape, error) : rv_fail_memory(error);
        rv_tape_free(tape);
        rv_store_free(store);
    }
    return ok;
}

/* ---- models ---- */

/* The parameters, states and inputs that have a gradient. */
static int find_leaves(rv_tape *tape, rv_var *leaf, const char **label)
{
    int count = 0;
    for (int32_t id = 0; id < rv_tape_count(tape); id++) {
        const rv_node *node = rv_tape_node(tape, id);
        if ((node->op != &rv_op_parameter && node->op != &rv_op_input) ||
            node->type.dtype != RV_F64)
            continue;
        leaf[count] = (rv_var){tape, id};
        label[count++] = node->name;
    }
    return count;
}

static bool prove_loss(proofs *p, const rv_model *model, rv_tape *tape, rv_var loss,
                       const rv_named_tensor *inputs, int input_count, rv_error *error)
{
    size_t nodes = (size_t)rv_tape_count(tape) + 1;
    rv_var *leaf = rv_alloc(nodes, sizeof *leaf);
    const char **label = rv_alloc(nodes, sizeof *label);
    bool ok = tape && leaf && label;
    if (!ok) {
        rv_fail_memory(error);
    } else if (rv_is_null(loss)) {
        const char *why = rv_tape_error(tape)->text;
        proof *row = row_of(p, model->name, "", error);
        if (row) lower(row, RV_UNDECIDED, "%.200s", *why ? why : "there is no \"loss\"");
        ok = row;
    } else {
        int leaves = find_leaves(tape, leaf, label);
        subject s = {model->name, tape, loss, leaf, label, leaves, inputs, input_count};
        ok = check_both(p, &s, error);
    }
    rv_free(leaf);
    rv_free(label);
    return ok;
}

bool prove_model(proofs *p, const rv_model *model, bool whole, rv_error *error)
{
    rv_store *store = rv_store_new(p->seed);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    rv_lang_recording_options options = {.seed = p->seed};
    rv_lang_recording *r = whole ? rv_lang_record(model, tape, &options) : NULL;
    const rv_named_tensor *inputs = NULL;
    rv_var loss = {tape, -1};
    int count = 0;
    if (!whole) loss = rv_model_specimen(model, tape);
    if (r) inputs = rv_lang_inputs(r, &count);
    if (r) loss = rv_lang_value_of(r, "loss");
    bool ok = prove_loss(p, model, tape, loss, inputs, count, error);
    rv_lang_recording_free(r);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}
