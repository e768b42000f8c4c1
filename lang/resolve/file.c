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

/* `real` is NULL for a text in memory. */
static lang_source *add_source(lang_file *file, const char *path, const char *real,
                               const char *text, size_t size)
{
    lang_source *s = rv_lang_allocate(&file->arena, sizeof *s), **last = &file->source;
    const bool marked = size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3); /* a byte order mark */
    if (marked) text += 3, size -= 3;
    char *copy = rv_lang_copy(&file->arena, text, size),
         *name = rv_lang_copy(&file->arena, path, strlen(path)),
         *resolved = real ? rv_lang_copy(&file->arena, real, strlen(real)) : NULL;
    if (!s || !copy || !name || (real && !resolved)) return NULL;
    *s = (lang_source){.path = name, .real = resolved, .text = copy, .size = size};
    if (!rv_lang_find_lines(s, &file->arena)) return NULL;
    while (*last) last = &(*last)->next;
    *last = s;
    return s;
}

/* ---- what a text includes ---- */

/* On the heap, because the stack may be small. */
typedef struct search {
    char path[RV_FILE_PATH], real[RV_FILE_PATH]; /* of the file */
    char given[RV_FILE_PATH], folder[RV_FILE_PATH];
} search;

/* The length of the path up to its last slash, with it. */
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash + 1 - path) : 0;
}

/* The length of the next of the folders that colons separate, 0 after the last. */
static int next_folder(const char **folders)
{
    if (!*folders) return 0;
    *folders += strspn(*folders, ":");
    return (int)strcspn(*folders, ":");
}

/* Whether the file found is below the folder, whose name has `length` characters; without any it is
 * the working folder. */
static bool is_below(search *s, const char *folder, int length)
{
    const int wrote =
        snprintf(s->given, RV_FILE_PATH, "%.*s", length ? length : 1, length ? folder : ".");
    if (wrote >= RV_FILE_PATH || !rv_file_resolve(s->given, s->folder)) return false;
    const size_t end = strlen(s->folder);
    return !strncmp(s->real, s->folder, end) && (s->folder[end - 1] == '/' || s->real[end] == '/');
}

static bool is_allowed(const lang_file *file, search *s)
{
    const char *own = file->source->path, *folder = file->folders;
    bool allowed = file->is_file && is_below(s, own, folder_length(own));
    for (int length; !allowed && (length = next_folder(&folder)); folder += length)
        allowed = is_below(s, folder, length);
    return allowed;
}

/* Whether FOLDER/NAME is a file that the text may include. */
static bool try_path(const lang_file *file, search *s, const char *folder, int length,
                     const char *slash, const char *name)
{
    const int wrote = snprintf(s->path, RV_FILE_PATH, "%.*s%s%s", length, folder, slash, name);
    return wrote < RV_FILE_PATH && rv_file_resolve(s->path, s->real) && is_allowed(file, s);
}

/* Looks beside the file that includes it, then in the folders. */
static bool find_file(const lang_file *file, search *s, const lang_node *n)
{
    const lang_source *from = n->location.source;
    const char *folder = file->folders;
    if (*n->name == '/') return try_path(file, s, "", 0, "", n->name);
    bool found =
        from->real && try_path(file, s, from->path, folder_length(from->path), "", n->name);
    for (int length; !found && (length = next_folder(&folder)); folder += length)
        found = try_path(file, s, folder, length, "/", n->name);
    return found;
}

/* Whether the first word is one that begins a definition. Another file may hold secrets: its lines
 * are shown in no message. */
static bool is_text(const char *text, size_t size)
{
    static const char *const words[] = {"include", "function", "cell", "model", "derive"};
    const char *at = text + (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0);
    for (at += strspn(at, " \t\r\n"); *at == '#'; at += strspn(at, " \t\r\n"))
        at += strcspn(at, "\n");
    const size_t length = strcspn(at, " \t\r\n\"");
    bool known = at == text + size;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        known = known || (strlen(words[i]) == length && !strncmp(words[i], at, length));
    return known;
}

/* The source of an include. NULL if it cannot be included, which is reported, or already is. */
static lang_source *read_included(lang_file *file, search *s, const lang_node *n, int depth)
{
    int sources = 0;
    size_t left = LANG_MOST_BYTES, size = 0;
    unsigned char *bytes = NULL;
    rv_error error = {0};
    lang_source *made = NULL;
    const bool found = find_file(file, s, n);
    for (const lang_source *known = file->source; known; known = known->next, sources++) {
        if (found && known->real && !strcmp(known->real, s->real)) return NULL;
        left -= known->size < left ? known->size : left;
    }
    if (depth == DEEPEST_INCLUDE || sources > MOST_INCLUDES)
        rv_lang_add_problem(&file->report, n->location, RV_ERROR_FORMAT, "too many included files");
    else if (!found && !file->is_file && !file->folders)
        rv_lang_add_problem(&file->report, n->location, RV_ERROR_IO,
                            "a text that is not a file can include none");
    else if (!found)
        rv_lang_add_problem(&file->report, n->location, RV_ERROR_IO,
                            "there is no \"%s\" that this text may include: in its own folder, or "
                            "below; give other folders as `include-path`",
                            n->name);
    else if (!rv_file_read(s->real, left, &bytes, &size, &error))
        rv_lang_add_problem(&file->report, n->location, error.code, "%-s%s", error.text,
                            error.code == RV_ERROR_FORMAT ? " in all included files together" : "");
    else if (!is_text((const char *)bytes, size))
        rv_lang_add_problem(&file->report, n->location, RV_ERROR_FORMAT,
                            "\"%s\" is not a text of equations: its first word is none of "
                            "include, function, cell, model, derive",
                            s->path);
    else if (!(made = add_source(file, s->path, s->real, (const char *)bytes, size)))
        rv_lang_out_of_memory(&file->report);
    rv_free(bytes);
    return made;
}

/* NULL: nothing to parse. */
LANG_APART static lang_source *include(lang_file *file, const lang_node *n, int depth)
{
    lang_source *own = file->source, *made = NULL;
    search *s = rv_alloc(1, sizeof *s);
    if (s && file->is_file && !own->real && rv_file_resolve(own->path, s->real))
        own->real = rv_lang_copy(&file->arena, s->real, strlen(s->real));
    if (s)
        made = read_included(file, s, n, depth);
    else
        rv_lang_out_of_memory(&file->report);
    rv_free(s);
    return made;
}

/* ---- reading ---- */

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
    lang_source *s = add_source(file, name, NULL, text, size);
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

/* Reads a built-in text into a list; `above` is for its scope. False when out of memory, which is
 * reported. */
static bool read_built_in(lang_scope *scope, lang_file **list, const char *name, const char *text,
                          size_t size, const char *above)
{
    lang_file *file = rv_alloc(1, sizeof *file);
    if (file) file->scope.above = above;
    if (!file || !rv_lang_read_file(file, text, size, name)) {
        free_files(file);
        return rv_lang_out_of_memory(scope->report);
    }
    file->source->built_in = true;
    file->next = *list;
    *list = file;
    return true;
}

static const lang_block *find_in(const lang_file *list, lang_kind kind, const char *name)
{
    const lang_block *b = NULL;
    for (; list && !b; list = list->next) b = rv_lang_find_own(&list->scope, kind, name);
    return b;
}

/* The text of a function of the prelude above `end` (NULL: any): from its first line to the next
 * one that is not indented. NULL: there is none. */
static const char *function_text(const char *name, const char *end, size_t *size)
{
    static const char word[] = "\nfunction ";
    const size_t length = strlen(name);
    const char *at = rv_lang_text("prelude")->text;
    for (; (at = strstr(at, word)) && (!end || at + 1 < end); at++) {
        const char *called = at + strlen(word), *last = called + length;
        if (strncmp(called, name, length) != 0 || *last != '(') continue;
        do last = strchr(last, '\n') + 1;
        while (*last == ' ');
        *size = (size_t)(last - at - 1);
        return at + 1;
    }
    return NULL;
}

/* Of the prelude only what is used is read, because most texts use little. */
static const lang_block *find_function(lang_scope *scope, const char *name)
{
    size_t size;
    const lang_block *known = find_in(scope->prelude, LANG_FUNCTION, name);
    const char *text = known ? NULL : function_text(name, scope->above, &size);
    if (!text || !read_built_in(scope, &scope->prelude, "prelude", text, size, text)) return known;
    return find_in(scope->prelude, LANG_FUNCTION, name);
}

static const lang_block *find_cell(lang_scope *scope, const char *name)
{
    const lang_block *known = find_in(scope->cells, LANG_CELL, name);
    const lang_text *text = known || !strcmp(name, "prelude") ? NULL : rv_lang_text(name);
    if (!text || !read_built_in(scope, &scope->cells, name, text->text, text->size, NULL))
        return known;
    return find_in(scope->cells, LANG_CELL, name);
}

const lang_block *rv_lang_find_built_in(lang_scope *scope, lang_kind kind, const char *name)
{
    return kind == LANG_FUNCTION ? find_function(scope, name) : find_cell(scope, name);
}
