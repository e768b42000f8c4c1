/* Reading a text: tokens, tree, names; what it includes, and what is built in. */
#include "lang/lang.h"

#include <stdio.h>
#include <string.h>

#include "lang/file.h"
#include "lang/texts.h"
#include "ops/ops.h"
#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/store_entries_internal.h"

enum { DEEPEST_INCLUDE = 16, MOST_INCLUDES = 100 };

/* ---- what is built in ---- */

static rv_lang *read_built_in(rv_lang *into, const char *name)
{
    rv_error error = {0};
    const lang_text *t = rv_lang_text(name);
    rv_lang *lang = t ? rv_lang_read(t->text, t->size, t->name, &error) : NULL;
    if (t && !lang) rv_lang_no_memory(&into->report);
    if (lang) lang->source->built_in = true;
    return lang;
}

static const lang_block *built_in(void *context, lang_kind kind, const char *name)
{
    rv_lang *lang = context;
    if (kind == LANG_FUNCTION) {
        bool is_prelude = lang->source && !strcmp(lang->source->path, "prelude");
        if (!lang->prelude && !is_prelude) lang->prelude = read_built_in(lang, "prelude");
        return lang->prelude ? rv_lang_find_own(&lang->prelude->scope, kind, name) : NULL;
    }
    for (rv_lang *known = lang->zoo; known; known = known->next) {
        const lang_block *b = rv_lang_find_own(&known->scope, kind, name);
        if (b) return b;
    }
    rv_lang *text = strcmp(name, "prelude") ? read_built_in(lang, name) : NULL;
    if (!text) return NULL;
    text->next = lang->zoo;
    lang->zoo = text;
    return rv_lang_find_own(&text->scope, kind, name);
}

void rv_lang_guess_zoo(rv_guess *guess)
{
    for (const lang_text *t = rv_lang_texts; t->name; t++)
        if (strcmp(t->name, "prelude")) rv_guess_try(guess, t->name);
}

/* ---- reading ---- */

static bool complain_bytes(rv_lang *lang, const lang_source *s, size_t at, const char *what)
{
    lang_place place = {s, (uint32_t)at, (uint32_t)at + 1};
    return rv_lang_complain(&lang->report, place, RV_ERROR_FORMAT, "%s", what);
}

static lang_source *add_source(rv_lang *lang, const char *path, const char *text, size_t size)
{
    lang_source *s = rv_lang_take(&lang->arena, sizeof *s), **last = &lang->source;
    const bool marked = size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3); /* as some editors do */
    if (marked) text += 3, size -= 3;
    char *copy = rv_lang_copy(&lang->arena, text, size),
         *name = rv_lang_copy(&lang->arena, path, strlen(path));
    if (!s || !copy || !name) return NULL;
    *s = (lang_source){.path = name, .text = copy, .size = size};
    while (*last) last = &(*last)->next;
    *last = s;
    return s;
}

static void read_source(rv_lang *lang, lang_source *s, int depth);

/* Beside the file that includes it. */
static void include(rv_lang *lang, const lang_node *n, int depth)
{
    const char *from = n->place.source->path, *slash = strrchr(from, '/');
    int sources = 0;
    size_t together = 0;
    char path[4096];
    unsigned char *bytes = NULL;
    size_t size = 0;
    rv_error error = {0};
    snprintf(path, sizeof path, "%.*s%s", *n->name == '/' || !slash ? 0 : (int)(slash + 1 - from),
             from, n->name);
    for (const lang_source *s = lang->source; s; s = s->next, sources++) {
        if (!strcmp(s->path, path)) return; /* it is there */
        together += s->size;
    }
    if (depth == DEEPEST_INCLUDE || sources > MOST_INCLUDES) {
        rv_lang_complain(&lang->report, n->place, RV_ERROR_FORMAT,
                         "too many files include each other");
    } else if (!rv_file_read(path, &bytes, &size, &error)) {
        rv_lang_complain(&lang->report, n->place, error.code, "%s", error.text);
    } else if (size + together > LANG_MOST_BYTES) {
        rv_lang_complain(&lang->report, n->place, RV_ERROR_FORMAT,
                         "\"%s\" makes it %zu bytes of text, expected at most %d", path,
                         size + together, LANG_MOST_BYTES);
    } else {
        lang_source *s = add_source(lang, path, (const char *)bytes, size);
        if (s)
            read_source(lang, s, depth + 1);
        else
            rv_lang_no_memory(&lang->report);
    }
    rv_free(bytes);
}

static void read_source(rv_lang *lang, lang_source *s, int depth)
{
    lang_tokens tokens = {0};
    size_t zero = strlen(s->text);
    if (zero < s->size) {
        complain_bytes(lang, s, zero, "a byte of zero; this is no text");
        return;
    }
    lang_node *tree = NULL;
    if (rv_lang_tokenize(s, &tokens, &lang->report))
        tree = rv_lang_parse_tokens(s, &tokens, &lang->arena, &lang->report);
    for (const lang_node *n = tree; n && !lang->report.out_of_memory; n = n->next)
        if (n->kind == LANG_INCLUDE) include(lang, n, depth);
    rv_lang_resolve(&lang->scope, tree);
    if (s == lang->source) {
        lang->tree = tree;
        lang->tokens = tokens;
    } else {
        rv_lang_free_tokens(&tokens);
    }
}

rv_lang *rv_lang_read(const char *text, size_t size, const char *name, rv_error *error)
{
    if (!text || !name || size > LANG_MOST_BYTES) {
        if (text && name)
            rv_fail(error, RV_ERROR_FORMAT, "%s: %zu bytes, expected at most %d; split the file",
                    name, size, LANG_MOST_BYTES);
        else
            rv_fail(error, RV_ERROR_ARGUMENT, "lang: the %s is NULL", text ? "name" : "text");
        return NULL;
    }
    rv_lang *lang = rv_alloc(1, sizeof *lang);
    lang_source *s = lang ? add_source(lang, name, text, size) : NULL;
    if (s) {
        lang->scope = (lang_scope){
            .built_in = built_in, .context = lang, .arena = &lang->arena, .report = &lang->report};
        read_source(lang, s, 0);
        if (!lang->report.out_of_memory) rv_lang_make_models(lang);
        rv_lang_sort_report(&lang->report);
    }
    if (s && !lang->report.out_of_memory) return lang;
    rv_lang_free(lang);
    rv_fail_memory(error);
    return NULL;
}

rv_lang *rv_lang_open(const char *path, rv_error *error)
{
    unsigned char *bytes;
    size_t size;
    if (!path) {
        rv_fail(error, RV_ERROR_ARGUMENT, "lang: the path is NULL");
        return NULL;
    }
    if (!rv_file_read(path, &bytes, &size, error)) return NULL;
    rv_lang *lang = rv_lang_read((const char *)bytes, size, path, error);
    rv_free(bytes);
    return lang;
}

rv_lang *rv_lang_load(const char *path, rv_error *error)
{
    rv_lang *lang = rv_lang_open(path, error);
    if (!lang || !rv_lang_problems(lang)) return lang;
    char *text = rv_lang_problem_text(lang);
    rv_fail(error, text ? lang->report.at[0].code : RV_ERROR_MEMORY, "%.*s", RV_ERROR_TEXT - 1,
            text ? text : "memory is out");
    rv_free(text);
    rv_lang_free(lang);
    return NULL;
}

void rv_lang_free(rv_lang *lang)
{
    if (!lang) return;
    rv_lang_free(lang->prelude);
    while (lang->zoo) {
        rv_lang *next = lang->zoo->next;
        rv_lang_free(lang->zoo);
        lang->zoo = next;
    }
    rv_lang_free_tokens(&lang->tokens);
    rv_lang_free_blocks(&lang->scope);
    rv_lang_free_report(&lang->report);
    rv_lang_release(&lang->arena);
    rv_free(lang);
}

/* ---- looking at it ---- */

size_t rv_lang_problems(const rv_lang *lang) { return lang->report.count + lang->report.more; }

char *rv_lang_problem_text(const rv_lang *lang) { return rv_lang_tell(&lang->report); }

char *rv_lang_format(const rv_lang *lang)
{
    return rv_lang_print(lang->source, &lang->tokens, lang->tree);
}

int rv_lang_model_count(const rv_lang *lang) { return lang->models; }

const rv_model *rv_lang_model_at(const rv_lang *lang, int index)
{
    return index >= 0 && index < lang->models ? &lang->model[index].model : NULL;
}

const rv_model *rv_lang_model(const rv_lang *lang, const char *name, rv_error *error)
{
    const rv_model *last = NULL;
    rv_guess guess = {.seen = name ? name : ""};
    for (int i = 0; i < lang->models; i++) {
        const lang_model *m = &lang->model[i];
        bool own = m->block->node->place.source == lang->source;
        bool better = !last || m->block->node->kind == LANG_MODEL || !last->record;
        if (better && (name ? !strcmp(m->model.name, name) : own)) last = &m->model;
        if (name) rv_guess_try(&guess, m->model.name);
    }
    if (last) return last;
    if (name)
        rv_fail(error, RV_ERROR_NAME, "%s: there is no model and no cell \"%s\"%s%s%s",
                lang->source->path, name, guess.nearest ? "; did you mean \"" : "",
                guess.nearest ? guess.nearest : "", guess.nearest ? "\"?" : "");
    else
        rv_fail(error, RV_ERROR_NAME, "%s: there is no model and no cell", lang->source->path);
    return NULL;
}

/* ---- checking ---- */

/* Records a cell once, on images or rows. */
static void check_cell(lang_run *run, rv_lang *lang, const lang_model *m)
{
    lang_use use = {.cell = m->use.cell, .work = run->work};
    rv_rnn_options o = {.units = 3, .bias = true, .user = &use, .kernel = m->model.kernel};
    bool images = m->model.images || m->model.kernel;
    rv_error error;
    rv_var x = rv_input(run->tape, "x", images ? RV_SHAPE(2, 1, 8, 8) : RV_SHAPE(2, 4));
    rv_var h = rv_unroll_with(rv_lang_step, x, 2, o);
    if (rv_is_null(h) && rv_tape_take_error(run->tape, &error) && !run->work->told)
        rv_lang_complain(&lang->report, m->block->node->place, error.code, "%s", error.text);
}

bool rv_lang_is_unrolled(const rv_lang *lang, const lang_block *cell, bool for_loss)
{
    for (const lang_block *b = lang->scope.first; b; b = b->next)
        for (const lang_node *s = b->node->kind == LANG_MODEL && !b->wrong &&
                                          (!for_loss || rv_lang_find_value(b, "loss") >= 0)
                                      ? b->node->c
                                      : NULL;
             s; s = s->next) {
            const lang_block *used =
                s->kind == LANG_DEFINE && s->b->kind == LANG_UNROLL ? s->b->a->block : NULL;
            for (; used; used = used->same)
                if (used == cell) return true;
        }
    return false;
}

rv_store *rv_lang_shapes(void) { return rv_store_new_shapes(LANG_MOST_ELEMENTS * sizeof(double)); }

static bool check_block(rv_lang *lang, const lang_model *m, int64_t *left)
{
    lang_work work = {.left = *left, .report = &lang->report};
    rv_store *store = rv_lang_shapes();
    rv_tape *tape = rv_tape_new(store, RV_F64);
    lang_run run = {0};
    bool ok = tape && rv_lang_start(&run, m->block, &work, tape);
    if (ok && m->block->node->kind == LANG_MODEL)
        rv_lang_record_model(&run, NULL, 0);
    else if (ok)
        check_cell(&run, lang, m);
    if (run.block) rv_lang_end(&run);
    *left = work.stopped ? 0 : work.left;
    rv_tape_free(tape);
    rv_store_free(store);
    return ok || rv_lang_no_memory(&lang->report);
}

/* Whether nothing was found inside the model: else a derivation from it would only tell that again. */
static bool model_is_right(const rv_lang *lang, const lang_block *model)
{
    const lang_node *next = model->node->next;
    for (size_t i = 0; i < lang->report.count; i++) {
        const lang_place *p = &lang->report.at[i].place;
        if (p->source == lang->source && p->start >= model->node->place.start &&
            (!next || p->start < next->place.start))
            return false;
    }
    return true;
}

bool rv_lang_check(rv_lang *lang)
{
    bool ok = true;
    int64_t left = LANG_MOST_CHECKED;
    for (int i = 0; ok && left > 0 && i < lang->models; i++) {
        const lang_model *m = &lang->model[i];
        if (m->block->wrong || m->use.cell->wrong || m->block->node->place.source != lang->source)
            continue;
        if (m->block->node->kind == LANG_CELL && rv_lang_is_unrolled(lang, m->block, false))
            continue;
        ok = check_block(lang, m, &left);
    }
    for (const lang_block *b = lang->scope.first; ok && left > 0 && b; b = b->next)
        if (b->node->kind == LANG_DERIVE && b->node->place.source == lang->source && !b->wrong &&
            b->model && !b->model->wrong && model_is_right(lang, b->model))
            rv_lang_check_derivation(lang, b, &left);
    rv_lang_sort_report(&lang->report);
    return ok && !rv_lang_problems(lang);
}
