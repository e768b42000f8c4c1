/* Reads a text and the files that it includes, and finds built-in functions and cells. */
#include "lang/resolve/file.h"

#include <stdio.h>
#include <string.h>

#include "lang/resolve/names.h"
#include "lang/syntax/parse.h"
#include "lang/texts/texts.h"
#include "tensor/file_internal.h"
#include "tensor/memory.h"

enum { DEEPEST_INCLUDE = 16, MOST_INCLUDES = 100 };

static bool complain_bytes(lang_file *file, const lang_source *s, size_t at, const char *what)
{
    lang_location location = {s, (uint32_t)at, (uint32_t)at + 1};
    return rv_lang_add_problem(&file->report, location, RV_ERROR_FORMAT, "%s", what);
}

static lang_source *add_source(lang_file *file, const char *path, const char *text, size_t size)
{
    lang_source *s = rv_lang_allocate(&file->arena, sizeof *s), **last = &file->source;
    const bool marked = size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3); /* a byte order mark */
    if (marked) text += 3, size -= 3;
    char *copy = rv_lang_copy(&file->arena, text, size),
         *name = rv_lang_copy(&file->arena, path, strlen(path));
    if (!s || !copy || !name) return NULL;
    *s = (lang_source){.path = name, .text = copy, .size = size};
    if (!rv_lang_find_lines(s, &file->arena)) return NULL;
    while (*last) last = &(*last)->next;
    *last = s;
    return s;
}

/* Reads a file, whose path is relative to the file that includes it. NULL: nothing to parse. */
LANG_APART static lang_source *include(lang_file *file, const lang_node *n, int depth)
{
    const char *from = n->location.source->path, *slash = strrchr(from, '/');
    int sources = 0;
    size_t together = 0;
    char path[4096];
    unsigned char *bytes = NULL;
    size_t size = 0;
    rv_error error = {0};
    lang_source *included = NULL;
    snprintf(path, sizeof path, "%.*s%s", *n->name == '/' || !slash ? 0 : (int)(slash + 1 - from),
             from, n->name);
    for (const lang_source *s = file->source; s; s = s->next, sources++) {
        if (!strcmp(s->path, path)) return NULL; /* already included */
        together += s->size;
    }
    if (depth == DEEPEST_INCLUDE || sources > MOST_INCLUDES) {
        rv_lang_add_problem(&file->report, n->location, RV_ERROR_FORMAT, "too many included files");
    } else if (!rv_file_read(path, LANG_MOST_BYTES, &bytes, &size, &error)) {
        rv_lang_add_problem(&file->report, n->location, error.code, "%s", error.text);
    } else if (size + together > LANG_MOST_BYTES) {
        rv_lang_add_problem(&file->report, n->location, RV_ERROR_FORMAT,
                            "with \"%s\" the text has %zu byte(s), expected at most %d", path,
                            size + together, LANG_MOST_BYTES);
    } else {
        included = add_source(file, path, (const char *)bytes, size);
        if (!included) rv_lang_out_of_memory(&file->report);
    }
    rv_free(bytes);
    return included;
}

static void read_source(lang_file *file, lang_source *s, int depth)
{
    lang_tokens tokens = {0};
    size_t zero = strlen(s->text);
    if (zero < s->size) {
        complain_bytes(file, s, zero, "a zero byte; this is not a text");
        return;
    }
    lang_node *tree = NULL;
    if (rv_lang_tokenize(s, &tokens, &file->report))
        tree = rv_lang_parse(s, &tokens, &file->arena, &file->report);
    for (const lang_node *n = tree; n && !file->report.out_of_memory; n = n->next) {
        lang_source *included = n->kind == LANG_INCLUDE ? include(file, n, depth) : NULL;
        if (included) read_source(file, included, depth + 1);
    }
    rv_lang_resolve(&file->scope, tree);
    if (s == file->source) {
        file->tree = tree;
        file->tokens = tokens;
    } else {
        rv_lang_free_tokens(&tokens);
    }
}

bool rv_lang_read_file(lang_file *file, const char *text, size_t size, const char *name)
{
    lang_source *s = add_source(file, name, text, size);
    if (!s) return rv_lang_out_of_memory(&file->report);
    file->scope.arena = &file->arena;
    file->scope.report = &file->report;
    read_source(file, s, 0);
    return !file->report.out_of_memory;
}

static void free_files(lang_file *file)
{
    while (file) {
        lang_file *next = file->next;
        rv_lang_close(file);
        rv_free(file);
        file = next;
    }
}

void rv_lang_close(lang_file *file)
{
    free_files(file->scope.prelude);
    free_files(file->scope.cells);
    rv_lang_free_tokens(&file->tokens);
    rv_lang_free_blocks(&file->scope);
    rv_lang_free_report(&file->report);
    rv_lang_free_arena(&file->arena);
    *file = (lang_file){0};
}

/* ---- what is built in ---- */

/* NULL if there is no such text, or when out of memory, which is reported. */
static lang_file *read_built_in(lang_scope *scope, const char *name)
{
    const lang_text *text = rv_lang_text(name);
    lang_file *file = text ? rv_alloc(1, sizeof *file) : NULL;
    if (file) {
        file->scope.is_prelude = !strcmp(name, "prelude");
        if (rv_lang_read_file(file, text->text, text->size, name)) {
            file->source->built_in = true;
            return file;
        }
        free_files(file);
    }
    if (text) rv_lang_out_of_memory(scope->report);
    return NULL;
}

static const lang_block *find_function(lang_scope *scope, const char *name)
{
    if (scope->is_prelude) return NULL;
    if (!scope->prelude) scope->prelude = read_built_in(scope, "prelude");
    return scope->prelude ? rv_lang_find_own(&scope->prelude->scope, LANG_FUNCTION, name) : NULL;
}

static const lang_block *find_cell(lang_scope *scope, const char *name)
{
    for (const lang_file *known = scope->cells; known; known = known->next) {
        const lang_block *b = rv_lang_find_own(&known->scope, LANG_CELL, name);
        if (b) return b;
    }
    lang_file *file = strcmp(name, "prelude") != 0 ? read_built_in(scope, name) : NULL;
    if (!file) return NULL;
    file->next = scope->cells;
    scope->cells = file;
    return rv_lang_find_own(&file->scope, LANG_CELL, name);
}

const lang_block *rv_lang_find_built_in(lang_scope *scope, lang_kind kind, const char *name)
{
    return kind == LANG_FUNCTION ? find_function(scope, name) : find_cell(scope, name);
}
