/* Any bytes as a text of the equation language. Linked with --wrap, which provides the included
 * files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/lang_internal.h"
#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tests/fuzz/fuzz.h"

bool __wrap_rv_file_read(const char *path, size_t most, unsigned char **bytes, size_t *size,
                         rv_error *error);

/* Files of the folder "." are those of "/". */
bool __wrap_rv_file_resolve(const char *path, char real[RV_FILE_PATH]);
bool __wrap_rv_file_resolve(const char *path, char real[RV_FILE_PATH])
{
    const char *name = strcmp(path, ".") != 0 ? path + 2 * !strncmp(path, "./", 2) : "";
    snprintf(real, RV_FILE_PATH, "/%s", name);
    return true;
}

/* Two files that include each other; N.rv includes the next, endlessly. */
bool __wrap_rv_file_read(const char *path, size_t most, unsigned char **bytes, size_t *size,
                         rv_error *error)
{
    char text[200] = "include \"b.rv\"\nfunction twice(x) = 2.x\n"
                     "cell small\n  state h\n  map W\n  h' = tanh(W h + twice(x))\n";
    path++;
    if (!strcmp(path, "b.rv"))
        snprintf(text, sizeof text, "include \"a.rv\"\nmodel b\n  input x[2]\n  loss = sum(x)\n");
    else if (*path >= '0' && *path <= '9')
        snprintf(text, sizeof text, "include \"%d.rv\"\n", (atoi(path) + 1) % 1000);
    else if (strcmp(path, "a.rv") != 0)
        return rv_fail(error, RV_ERROR_IO, "%s: no such file", path);
    *size = strlen(text);
    expect(*size <= most, "no room for a small file");
    *bytes = (unsigned char *)rv_string_copy(text);
    return *bytes || rv_fail_memory(error);
}

static rv_lang *read_text(const char *text, size_t size)
{
    rv_error error = {0};
    rv_lang *lang = rv_lang_read(text, size, "text.rv", ".", &error);
    expect(lang || size > LANG_MOST_BYTES, "rv_lang_read failed");
    return lang;
}

static bool parses(const rv_lang *lang)
{
    for (size_t i = 0; i < lang->file.report.count; i++)
        if (lang->file.report.at[i].code == RV_ERROR_FORMAT) return false;
    return !lang->file.report.more;
}

static void check_messages(const rv_lang *lang)
{
    char *text = rv_lang_problem_text(lang);
    expect(text && !*text == !rv_lang_problems(lang), "problems without a text");
    rv_free(text);
    for (size_t i = 0; i < rv_lang_problems(lang); i++) {
        const rv_lang_problem p = rv_lang_problem_at(lang, i);
        expect(!p.file || (p.at.line > 0 && p.at.column > 0 && p.at.length >= 0),
               "a problem outside the text");
        expect(!p.fix || (p.wrong.line > 0 && p.wrong.column > 0 && p.wrong.length >= 0),
               "a fix outside the text");
    }
}

/* Formatting keeps a text free of syntax errors, and is idempotent. */
static void format(const rv_lang *lang)
{
    char *once = rv_lang_format(lang);
    expect(once, "rv_lang_format failed");
    rv_lang *again = parses(lang) ? read_text(once, strlen(once)) : NULL;
    if (again) {
        expect(parses(again), "formatting adds mistakes");
        char *twice = rv_lang_format(again);
        expect(twice && !strcmp(once, twice), "formatting is not idempotent");
        rv_free(twice);
    }
    rv_lang_free(again);
    rv_free(once);
}

/* Whether the differences of all models are a matter of moments. */
static bool is_small(const rv_lang *lang)
{
    int64_t work = 0;
    for (int i = 0; i < rv_lang_model_count(lang); i++) {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        rv_model_specimen(rv_lang_model_at(lang, i), tape);
        int64_t nodes = rv_tape_count(tape), leaves = 1;
        for (int32_t id = 0; id < nodes && work < 100000; id++) {
            const rv_node *node = rv_tape_node(tape, id);
            int64_t count = rv_shape_count(node->type.shape);
            work += count;
            if (node->entry || node->op == &rv_op_input) leaves += count;
        }
        work += nodes * leaves;
        rv_tape_free(tape);
        rv_store_free(store);
        if (work > 30000) return false;
    }
    return true;
}

static void prove(rv_lang *lang)
{
    rv_lang_verdict *verdicts = NULL;
    rv_error error = {0};
    int count = 0;
    bool ok = rv_lang_prove(lang, NULL, &verdicts, &count, &error);
    expect(ok != (error.code != RV_OK), "a proof without a verdict");
    rv_free(verdicts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_lang *lang = read_text(data ? (const char *)data : "", size);
    if (!lang) return 0;
    check_messages(lang);
    format(lang);
    bool right = rv_lang_check(lang);
    expect(right == !rv_lang_problems(lang), "a check that does not report a mistake");
    check_messages(lang);
    if (right && size < 4096 && is_small(lang)) prove(lang);
    rv_lang_free(lang);
    return 0;
}
