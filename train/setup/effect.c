#include "train/setup/effect.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "autograd/tape_internal.h"
#include "data/tasks.h"
#include "tensor/needs_internal.h"
#include "train/batch_program.h"
#include "train/setup/data.h"

/* What a data option means is a table. Whether an option of the net or the optimizer changes the
 * training step is found by recording the step. */

/* ---- the data ---- */

enum {
    DIGITS = 1,
    TASK = 2,
    TEXT = 4,
    TABLE = 8,
    IDX = 16,
    NPY = 32,
    NPZ = 64,
    ARRAYS = IDX | NPY | NPZ
};

static int kind_of_data(const rv_train_config *c, const rv_train_parts *parts)
{
    static const int of_format[] = {[RV_DATA_TEXT] = TEXT,
                                    [RV_DATA_TABLE] = TABLE,
                                    [RV_DATA_IDX] = IDX,
                                    [RV_DATA_NPY] = NPY,
                                    [RV_DATA_NPZ] = NPZ};
    if (parts->data) return 0;
    if (c->data.path && c->data.task && strcmp(c->data.task, "text") == 0) return TEXT;
    if (c->data.path) return of_format[rv_data_format_of(c->data.path)];
    return !c->data.task || strcmp(c->data.task, "digits") == 0 ? DIGITS : TASK;
}

bool rv_setup_check_data(const rv_train_config *c, const rv_train_parts *parts, rv_error *error)
{
    static const rv_train_parts none = {0};
    if (!RV_NEEDS(error, c)) return false;
    if (!parts) parts = &none;
    static const struct {
        const char *key;
        int kinds;
        const char *meaning;
    } rules[] = {
        {"labels", IDX | NPY, "names the labels of images in an .npy or IDX file"},
        {"classes", DIGITS | ARRAYS | TABLE,
         "chooses among the built-in digits, or counts the classes of a file"},
        {"alphabet", TEXT, "is for texts"},
        {"samples", TASK, "is for synthetic tasks"},
        {"length", TASK | TEXT, "is for texts and synthetic tasks"},
        {"size", TASK, "is for synthetic tasks"},
        {"sequence", ARRAYS | TABLE, "is for files of arrays and tables"},
        {"shape", ARRAYS | TABLE, "is for files of arrays and tables"},
        {"divide", ARRAYS | TABLE, "is for files of arrays and tables"},
        {"numbers", ARRAYS | TABLE, "is for files of arrays and tables"},
        {"targets", ARRAYS, "is for files of arrays"},
        {"label", TABLE, "is for tables: .csv, .tsv"},
        {"separator", TABLE, "is for tables: .csv, .tsv"},
        {"header", TABLE, "is for tables: .csv, .tsv"},
        {"validation-labels", IDX | NPY, "names the labels of images in an .npy or IDX file"},
        {"validation-data", TEXT | ARRAYS | TABLE, "is for files"},
        {"cache", TEXT | ARRAYS | TABLE, "is for files"},
    };
    if (!parts->data && c->data.path && c->data.task && strcmp(c->data.task, "text") != 0 &&
        strcmp(c->data.task, "file") != 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`data` %s and `task` %s: which of the two? Give one", c->data.path,
                       c->data.task);
    const int kind = kind_of_data(c, parts);
    bool alone = c->data.validation_labels && !c->data.validation_path;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!(rules[i].kinds & kind) &&
            rv_config_row_is_set(rv_config_row_find(rules[i].key, NULL), c))
            return rv_fail(error, RV_ERROR_ARGUMENT, "`%s` %s; leave it out", rules[i].key,
                           rules[i].meaning);
    if (alone)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`validation-labels` belongs to `validation-data`; leave it out");
    const rv_task *task = kind == TASK ? rv_task_find(c->data.task) : NULL;
    const char *lacks = !task                                          ? NULL
                        : c->data.length > 0 && !task->defaults.length ? "length"
                        : c->data.size > 0 && !task->defaults.size     ? "size"
                        : c->data.validation > 0 && task->memorized    ? "validation"
                                                                       : NULL;
    if (!lacks && c->data.validation > 0 && parts->validation) lacks = "validation";
    return !lacks || rv_fail(error, RV_ERROR_ARGUMENT, "`%s` changes nothing for %s; leave it out",
                             lacks, task ? task->name : "validation data of your own");
}

/* ---- the net and the optimizer ---- */

/* Another value of the row's field, in place. False: there is none to try. */
static bool vary(const rv_config_row *row, void *value)
{
    static const char *const texts[][3] = {{"activation", "tanh", "relu"}, {"loss", "mse", "mae"}};
    switch (row->kind) {
    case RV_CONFIG_FLAG: return false;
    case RV_CONFIG_WHOLE: {
        int64_t *whole = value;
        *whole += *whole + 2 <= row->high ? 2 : -2; /* an odd kernel stays odd */
        return *whole >= row->low;
    }
    case RV_CONFIG_TEXT: {
        const char **text = value;
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            if (strcmp(row->key, texts[i][0]) == 0) {
                *text = texts[i][1 + (*text && strcmp(*text, texts[i][1]) == 0)];
                return true;
            }
        return false;
    }
    case RV_CONFIG_FRACTION: *(double *)value = (1 + *(double *)value) / 2; return true;
    default: *(double *)value = 2 * *(double *)value + 1; return true;
    }
}

/* The hash of a tape and of the values in its store, such as learning rates and initial biases. */
static rv_hash hash_tape(const rv_tape *tape, const rv_store *store, const rv_net *net)
{
    rv_hash hash = rv_tape_hash(tape, (rv_var[]){net->loss, net->output}, 2, RV_DEFAULT);
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_tensor *t = &rv_store_at(store, i)->tensor;
        hash = rv_hash_pair(hash, rv_hash_bytes(t->data, rv_tensor_bytes(t), 0));
    }
    return hash;
}

/* The hash of a training step with the net and the optimizer of c. False and no error: they do not
 * fit the data. */
static bool hash_step(const rv_setup *s, rv_train_config c, rv_hash *hash, rv_error *error)
{
    rv_setup other = *s;
    rv_net net;
    rv_error why = {0};
    bool ok = rv_setup_choose(&c, &other, NULL, &why);
    if (ok) {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_setup_record(&other, store, 1, true, &net);
        rv_minimize(net.loss, other.optimizer);
        why = *rv_tape_error(tape);
        ok = why.code == RV_OK;
        if (ok) *hash = hash_tape(tape, store, &net);
        rv_tape_free(tape);
        rv_store_free(store);
    }
    if (why.code == RV_ERROR_MEMORY) rv_fail_memory(error);
    return ok;
}

static bool is_equal(rv_hash a, rv_hash b) { return a.low == b.low && a.high == b.high; }

/* Whether the step differs from *hash without the option, or with another value of it. */
static bool has_effect(const rv_setup *s, const rv_train_config *c, const rv_config_row *row,
                       rv_hash hash, rv_error *error)
{
    const rv_train_config unset = rv_train_config_new();
    rv_train_config other = *c;
    rv_hash seen;
    void *value = (char *)&other + row->offset;
    const size_t size = row->kind == RV_CONFIG_FLAG   ? sizeof(bool)
                        : row->kind == RV_CONFIG_TEXT ? sizeof(char *)
                                                      : sizeof(int64_t);
    if (vary(row, value) && (!hash_step(s, other, &seen, error) || !is_equal(hash, seen)))
        return true;
    memcpy(value, (const char *)&unset + row->offset, size);
    return !hash_step(s, other, &seen, error) || !is_equal(hash, seen);
}

bool rv_setup_check_given(const rv_setup *s, const rv_train_config *config,
                          const rv_train_config *given, rv_error *error)
{
    if (!RV_NEEDS(error, s, config, given) || !RV_NEEDS(error, s->model)) return false;
    rv_error why = {0};
    rv_hash hash;
    if (!hash_step(s, *config, &hash, &why)) return why.code == RV_OK || rv_fail_memory(error);
    for (int i = 0; i < rv_config_row_count() && why.code == RV_OK; i++) {
        const rv_config_row *row = rv_config_row_at(i);
        bool always = row->offset < offsetof(rv_train_config, net) ||
                      row->offset >= offsetof(rv_train_config, loop) ||
                      strcmp(row->key, "model") == 0 || strcmp(row->key, "include-path") == 0 ||
                      strcmp(row->key, "optimizer") == 0 || strcmp(row->key, "schedule") == 0 ||
                      strcmp(row->key, "gradients") == 0;
        if (always || !rv_config_row_is_set(row, given)) continue;
        if (!has_effect(s, config, row, hash, &why) && why.code == RV_OK)
            return rv_fail(
                error, RV_ERROR_ARGUMENT,
                "`%s` changes nothing in model %s with these data and options; leave it out",
                row->key, config->net.model);
    }
    if (why.code == RV_OK && given->loop.patience >= config->loop.epochs)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`patience`: got %" PRId64 ", expected less than the %" PRId64 " `epochs`",
                       given->loop.patience, config->loop.epochs);
    int64_t size = config->loop.batch_size, batches = (s->part.count + size - 1) / size;
    if (why.code == RV_OK && given->optimizer.accumulate > batches * config->loop.epochs)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`accumulate`: got %" PRId64 ", expected at most the %" PRId64
                       " batch(es) of the run, which would else make no update",
                       given->optimizer.accumulate, batches * config->loop.epochs);
    return why.code == RV_OK || rv_fail(error, why.code, "%-s", why.text);
}
