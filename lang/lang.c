#include "lang/lang.h"

#include <string.h>

#include "lang/judge/check.h"
#include "lang/judge/derivation.h"
#include "lang/judge/parameters.h"
#include "lang/lang_internal.h"
#include "lang/syntax/print.h"
#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/needs_internal.h"

/* ---- reading ---- */

static rv_lang *read_text(const char *text, size_t size, const char *name, bool is_file,
                          const char *folders, rv_error *error)
{
    if (!text || !name || size > LANG_MOST_BYTES) {
        if (text && name)
            rv_fail(error, RV_ERROR_FORMAT, "%s: %zu byte(s), expected at most %d; split the file",
                    name, size, LANG_MOST_BYTES);
        else
            rv_fail(error, RV_ERROR_ARGUMENT, "lang: the %s is NULL", text ? "name" : "text");
        return NULL;
    }
    rv_lang *lang = rv_alloc(1, sizeof *lang);
    if (lang) {
        lang->file.is_file = is_file;
        lang->file.folders = folders;
    }
    if (lang && rv_lang_read_file(&lang->file, text, size, name) &&
        rv_lang_make_models(&lang->file, &lang->model, &lang->models)) {
        rv_lang_sort_report(&lang->file.report);
        if (!lang->file.report.out_of_memory) return lang;
    }
    rv_lang_free(lang);
    rv_fail_memory(error);
    return NULL;
}

rv_lang *rv_lang_read(const char *text, size_t size, const char *name, const char *folders,
                      rv_error *error)
{
    return read_text(text, size, name, false, folders, error);
}

rv_lang *rv_lang_open(const char *path, const char *folders, rv_error *error)
{
    unsigned char *bytes;
    size_t size;
    if (!path) {
        rv_fail(error, RV_ERROR_ARGUMENT, "lang: the path is NULL");
        return NULL;
    }
    if (!rv_file_read(path, LANG_MOST_BYTES, &bytes, &size, error)) return NULL;
    rv_lang *lang = read_text((const char *)bytes, size, path, true, folders, error);
    rv_free(bytes);
    return lang;
}

rv_lang *rv_lang_load(const char *path, const char *folders, rv_error *error)
{
    rv_lang *lang = rv_lang_open(path, folders, error);
    if (!lang || !rv_lang_problems(lang)) return lang;
    char *text = rv_lang_problem_text(lang);
    rv_fail(error, text ? lang->file.report.at[0].code : RV_ERROR_MEMORY, "%-s",
            text ? text : "out of memory");
    rv_free(text);
    rv_lang_free(lang);
    return NULL;
}

void rv_lang_free(rv_lang *lang)
{
    if (!lang) return;
    rv_lang_close(&lang->file);
    rv_free(lang);
}

void rv_lang_limit(rv_lang *lang, const rv_lang_limits *limits)
{
    const rv_lang_limits usual = {0};
    if (lang) lang->file.limits = limits ? *limits : usual;
}

/* ---- looking at it ---- */

size_t rv_lang_problems(const rv_lang *lang)
{
    if (!lang) return 0;
    return lang->file.report.count + lang->file.report.more;
}

char *rv_lang_problem_text(const rv_lang *lang)
{
    if (!lang) return NULL;
    return rv_lang_report_text(&lang->file.report);
}

static rv_lang_span span_of(lang_location location)
{
    return (rv_lang_span){rv_lang_line(location), rv_lang_column(location),
                          rv_lang_length(location)};
}

rv_lang_problem rv_lang_problem_at(const rv_lang *lang, size_t index)
{
    rv_lang_problem problem = {0};
    if (!lang || index >= lang->file.report.count) return problem;
    const lang_problem *p = &lang->file.report.at[index];
    problem.code = p->code;
    problem.message = p->text;
    problem.hint = p->hint;
    if (!p->location.source) return problem;
    problem.file = p->location.source->path;
    problem.at = span_of(p->location);
    if (!p->has_fix) return problem;
    problem.fix = p->fix;
    problem.wrong = span_of(p->wrong);
    return problem;
}

char *rv_lang_format(const rv_lang *lang)
{
    if (!lang) return NULL;
    return rv_lang_print(lang->file.source, &lang->file.tokens, lang->file.tree);
}

int rv_lang_model_count(const rv_lang *lang)
{
    if (!lang) return 0;
    return lang->models;
}

const rv_model *rv_lang_model_at(const rv_lang *lang, int index)
{
    if (!lang) return NULL;
    return index >= 0 && index < lang->models ? &lang->model[index].model : NULL;
}

const rv_model *rv_lang_model(const rv_lang *lang, const char *name, rv_error *error)
{
    if (!RV_NEEDS(error, lang)) return NULL;
    const rv_model *last = NULL;
    rv_guess guess = {.seen = name ? name : ""};
    for (int i = 0; i < lang->models; i++) {
        const lang_model *m = &lang->model[i];
        bool own = rv_lang_is_own(&lang->file, m->block);
        bool better = !last || m->block->node->kind == LANG_MODEL || !last->record;
        if (better && (name ? !strcmp(m->model.name, name) : own)) last = &m->model;
        if (name) rv_guess_try(&guess, m->model.name);
    }
    if (last) return last;
    if (name)
        rv_fail(error, RV_ERROR_NAME, "%s: there is no model or cell \"%s\"%s%s%s",
                lang->file.source->path, name, guess.nearest ? "; did you mean \"" : "",
                guess.nearest ? guess.nearest : "", guess.nearest ? "\"?" : "");
    else
        rv_fail(error, RV_ERROR_NAME, "%s: there is no model or cell", lang->file.source->path);
    return NULL;
}

/* ---- judging ---- */

bool rv_lang_check(rv_lang *lang)
{
    if (!lang) return false;
    return rv_lang_check_file(&lang->file, lang->model, lang->models);
}

/* Whether the differences of a model may be taken. They are four runs for each number of its
 * parameters. */
static bool is_affordable(const lang_model *m, rv_error *error)
{
    const double numbers = 4.0 * (double)m->parameters * (double)m->values;
    const int64_t most = rv_lang_most_numbers(m->limits);
    return numbers <= (double)most ||
           rv_fail(error, RV_ERROR_LIMIT,
                   "%s:%d: to prove the gradients of \"%s\", with parameters of %lld number(s), "
                   "takes %.1e numbers, expected at most %.1e; make it smaller, or set "
                   "`limit-numbers`",
                   m->block->node->location.source->path, rv_lang_line(m->block->node->location),
                   m->model.name, (long long)m->parameters, numbers, (double)most);
}

bool rv_lang_prove(rv_lang *lang, const rv_lang_proof_options *options, rv_lang_verdict **result,
                   int *count, rv_error *error)
{
    if (!RV_NEEDS(error, lang, result, count)) return false;
    const rv_lang_proof_options defaults = {.seed = 1}, *o = options ? options : &defaults;
    lang_file *file = &lang->file;
    lang_verdicts v = {0};
    bool ok = rv_lang_check(lang);
    for (int i = 0; ok && i < lang->models; i++)
        if (rv_lang_is_own(file, lang->model[i].block))
            ok = is_affordable(&lang->model[i], error) &&
                 rv_lang_prove_model(file, o, &lang->model[i], &v, error);
    for (lang_block *b = file->scope.first; ok && b; b = b->next)
        if (b->node->kind == LANG_DERIVE && rv_lang_is_own(file, b))
            ok = rv_lang_prove_derivation(file, o, b, &v, error);
    if (!ok && error && !error->code) {
        char *text = rv_lang_problem_text(lang);
        const lang_report *r = &file->report;
        bool limit = r->count && r->at[0].code == RV_ERROR_LIMIT;
        rv_fail(error, limit ? RV_ERROR_LIMIT : RV_ERROR_FORMAT, "%-s",
                text ? text : "out of memory");
        rv_free(text);
    }
    *result = v.at;
    *count = v.count;
    return ok;
}
