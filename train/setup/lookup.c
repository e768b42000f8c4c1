#include "train/setup/lookup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tensor/name_internal.h"

void rv_fail_unknown(const char *what, const char *seen, rv_name_at name, const void *list,
                     int count, rv_error *error)
{
    char known[RV_ERROR_TEXT / 2] = "";
    size_t used = 0;
    rv_guess guess = {.seen = seen};
    for (int i = 0; i < count; i++) rv_guess_try(&guess, name(list, i));
    if (guess.nearest) {
        rv_fail(error, RV_ERROR_NAME, "unknown %s \"%.100s\"; did you mean \"%s\"?", what, seen,
                guess.nearest);
        return;
    }
    for (int i = 0; i < count; i++) {
        int wrote =
            snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", name(list, i));
        if (wrote < 0 ||
            (size_t)wrote >= sizeof known - used) { /* a part of a long list is no help */
            rv_fail(error, RV_ERROR_NAME, "unknown %s \"%.100s\"", what, seen);
            return;
        }
        used += (size_t)wrote;
    }
    rv_fail(error, RV_ERROR_NAME, "unknown %s \"%.100s\"\nKnown: %s", what, seen, known);
}

static const char *model_name(const void *list, int index)
{
    (void)list;
    return rv_model_at(index)->name;
}

static const char *optimizer_name(const void *list, int index)
{
    (void)list;
    return rv_optimizer_at(index)->name;
}

static const char *op_name(const void *list, int index)
{
    (void)list;
    return rv_op_at(index)->name;
}

bool rv_ends_in(const char *text, size_t length, const char *end)
{
    size_t size = strlen(end);
    return length >= size && memcmp(text + length - size, end, size) == 0;
}

bool rv_names_file(const char *name, size_t *file)
{
    const char *slash = strrchr(name, '/'), *colon = strrchr(slash ? slash : name, ':');
    size_t length = strlen(name);
    if (colon && !rv_ends_in(name, length, ".rv")) length = (size_t)(colon - name);
    if (file) *file = length;
    return slash || rv_ends_in(name, length, ".rv");
}

/* What is wrong in a file is not the command line's fault. */
static bool fail_text(const rv_error *why, rv_error *error)
{
    bool system = why->code == RV_ERROR_IO || why->code == RV_ERROR_MEMORY;
    return rv_fail(error, system ? why->code : RV_ERROR_FORMAT, "%-s", why->text);
}

static const rv_model *model_of_file(const char *name, size_t length, const char *folders,
                                     rv_lang **lang, rv_error *error)
{
    rv_error why = {0};
    char path[PATH_MAX];
    if (length >= sizeof path) {
        rv_fail(error, RV_ERROR_ARGUMENT, "the name of the model's file has %zu byte(s)", length);
        return NULL;
    }
    snprintf(path, sizeof path, "%.*s", (int)length, name);
    *lang = rv_lang_load(path, folders, &why);
    if (!*lang) {
        fail_text(&why, error);
        return NULL;
    }
    const char *wanted = name[length] != '\0' ? name + length + 1 : NULL;
    const rv_model *model = rv_lang_model(*lang, wanted, &why);
    if (model) return model;
    if (wanted)
        rv_fail(error, why.code, "%-s", why.text);
    else
        fail_text(&why, error);
    rv_lang_free(*lang);
    *lang = NULL;
    return NULL;
}

const rv_model *rv_lookup_built_in(const char *name, rv_error *error)
{
    const rv_model *model = rv_model_find(name);
    if (!model) rv_fail_unknown("model", name, model_name, NULL, rv_model_count(), error);
    return model;
}

const rv_model *rv_lookup_model(const char *name, const char *folders, rv_lang **lang,
                                rv_error *error)
{
    size_t length;
    *lang = NULL;
    return rv_names_file(name, &length) ? model_of_file(name, length, folders, lang, error)
                                        : rv_lookup_built_in(name, error);
}

const rv_optimizer *rv_lookup_optimizer(const char *name, rv_error *error)
{
    const rv_optimizer *optimizer = rv_optimizer_find(name);
    if (!optimizer)
        rv_fail_unknown("optimizer", name, optimizer_name, NULL, rv_optimizer_count(), error);
    return optimizer;
}

const rv_op *rv_lookup_op(const char *name, rv_error *error)
{
    const rv_op *op = rv_op_find(name);
    if (!op) rv_fail_unknown("op", name, op_name, NULL, rv_op_count(), error);
    return op;
}
