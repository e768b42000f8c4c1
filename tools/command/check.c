/* recurve check */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/command/commands.h"
#include "tools/cli/equations.h"
#include "tools/cli/json.h"
#include "tools/cli/text_file.h"

typedef struct check_options {
    const char *in;
    bool json;
    double tolerance;
    int64_t seed;
} check_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(check_options, field, name, argument, OPTION_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(tolerance, "tolerance", "E", POSITIVE,
        "largest relative error of a line that passes (default:\n1e-10)"),
    ROW(seed, "seed", "N", WHOLE, "of parameters and inputs (default: 1)", .low = 0,
        .high = (int64_t)1 << 53),
    ROW(in, "in", "IN.npz", TEXT,
        "arrays for inputs, parameters and constants, by name; the\nrest are drawn as the text "
        "says"),
    ROW(json, "json", NULL, FLAG, "print one JSON list of all verdicts instead of text"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_check = {
    .name = "check",
    .run = run,
    .summary = "prove equations in files, and derivations by hand line by line",
    .synopsis = "FILE... [OPTION]...",
    .description =
        "Reads files of the equation language, finds all shapes, and proves, in double precision:\n"
        "the gradient of each parameter of each model against central differences, and each line\n"
        "of each `derive` block against the recorded gradient. A line is judged as if those "
        "before\n"
        "it were right, so one mistake makes one wrong line. Of a wrong line are printed its\n"
        "largest relative error, the cosine between what it says and what is right, the ratio of\n"
        "their lengths, what these say, and what makes it right, if a change or two do.\n",
    OPTIONS(options),
    .failure = "a text has mistakes, or a line or a gradient is wrong",
    .example = "recurve check models/curnn_blog.rv\n"
               "recurve check my.rv --in values.npz --json\n",
    .files = "FILE",
};

/* ---- text ---- */

/* A file's verdicts, and its text for excerpts. */
typedef struct report {
    const char *path, *text;
    const rv_lang_verdict *at;
    int count;
} report;

/* Whether the verdict belongs under the same heading as the one before it. */
static bool goes_on(const rv_lang_verdict *before, const rv_lang_verdict *v)
{
    return before->head == v->head && strcmp(before->model, v->model) == 0;
}

static void print_excerpt(const report *r, int line)
{
    const char *at = r->text;
    for (int i = 1; i < line && *at != '\0'; i++) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    at += strspn(at, " \t");
    printf("        | %.*s\n", (int)strcspn(at, "\r\n"), at);
}

static void print_wrong(const rv_lang_verdict *v, int width)
{
    printf("%6d  %-*s  WRONG  error %.1e, cosine %.6f, ratio %.6g: %s\n", v->line, width, v->name,
           v->max_relative_error, v->cosine, v->ratio, v->reason);
}

/* The gradients of a model: one line, and one for each that is wrong. */
static void print_gradients(const report *r, const rv_lang_verdict *v, int count)
{
    int wrong = 0;
    double worst = 0;
    for (int i = 0; i < count; i++) {
        wrong += !v[i].ok;
        if (!(v[i].max_relative_error <= worst) && !isnan(worst)) worst = v[i].max_relative_error;
    }
    printf("%s: %s: gradients of %d parameter%s, ", r->path, v->model, count, count > 1 ? "s" : "");
    if (wrong == 0)
        printf("all right (largest error %.1e)\n", worst);
    else
        printf("%d WRONG (largest error %.1e)\n", wrong, worst);
    for (int i = 0; i < count; i++)
        if (v[i].ok && strcmp(v[i].reason, "right") != 0)
            printf("%6d  %s: right, but %s\n", v[i].line, v[i].name, v[i].reason);
    for (int i = 0; i < count; i++)
        if (!v[i].ok) {
            print_wrong(&v[i], 0);
            print_excerpt(r, v[i].line);
        }
}

static void print_derivation(const report *r, const rv_lang_verdict *v, int count)
{
    int wrong = 0, width = 0;
    const rv_lang_verdict *first = NULL;
    for (int i = 0; i < count; i++) {
        int length = (int)strlen(v[i].name);
        width = length > width ? length : width;
    }
    bool titled = v->derivation[0] != '\0';
    printf("%s: derivation%s%s%s\n", r->path, titled ? " \"" : "", v->derivation,
           titled ? "\"" : "");
    for (int i = 0; i < count; i++) {
        if (v[i].ok) {
            bool more = strcmp(v[i].reason, "right") != 0;
            printf("%6d  %-*s  right%s%s\n", v[i].line, width, v[i].name, more ? ", but " : "",
                   more ? v[i].reason : "");
            continue;
        }
        if (wrong++ == 0) first = &v[i];
        print_wrong(&v[i], width);
        print_excerpt(r, v[i].line);
        if (v[i].repair[0] != '\0') printf("        right %s\n", v[i].repair);
    }
    if (!first)
        printf("%d lines, all right\n", count);
    else
        printf("%d lines, %d wrong; the first wrong one is line %d, %s\n", count, wrong,
               first->line, first->name);
}

static void print_report(const report *r)
{
    for (int i = 0, n; i < r->count; i += n) {
        for (n = 1; i + n < r->count && goes_on(&r->at[i + n - 1], &r->at[i + n]);) n++;
        (r->at[i].head > 0 ? print_derivation : print_gradients)(r, &r->at[i], n);
    }
    if (r->count == 0) printf("%s: nothing to prove\n", r->path);
}

/* ---- JSON ---- */

static void add_verdict(cJSON *list, const rv_lang_verdict *v)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", v->file);
    cJSON_AddNumberToObject(object, "line", v->line);
    cJSON_AddStringToObject(object, "model", v->model);
    cJSON_AddStringToObject(object, "derivation", v->derivation);
    cJSON_AddStringToObject(object, "name", v->name);
    cJSON_AddBoolToObject(object, "ok", v->ok);
    json_add_number(object, "max_relative_error", v->max_relative_error);
    json_add_number(object, "cosine", v->cosine);
    json_add_number(object, "ratio", v->ratio);
    json_add_number(object, "difference_error", v->difference_error);
    cJSON_AddStringToObject(object, "reason", v->reason);
    cJSON_AddStringToObject(object, "repair", v->repair);
    cJSON_AddItemToArray(list, object);
}

/* ---- checking ---- */

typedef struct checking {
    rv_lang_proof_options proof;
    rv_archive given;
    cJSON *list; /* of --json, or NULL */
    bool right;
} checking;

static bool prove(checking *c, rv_lang *lang, const char *path, rv_error *error)
{
    rv_lang_verdict *verdicts = NULL;
    report r = {.path = path};
    bool ok = rv_lang_prove(lang, &c->proof, &verdicts, &r.count, error);
    char *text = ok ? text_file_read(path, error) : NULL;
    ok = text;
    r.text = text;
    r.at = verdicts;
    for (int i = 0; ok && i < r.count; i++) {
        c->right = c->right && verdicts[i].ok;
        if (c->list) add_verdict(c->list, &verdicts[i]);
    }
    if (ok && !c->list) print_report(&r);
    rv_free(text);
    rv_free(verdicts);
    return ok;
}

static bool check_file(checking *c, const char *path, rv_error *error)
{
    rv_lang *lang = rv_lang_open(path, error);
    bool ok = lang;
    if (ok && rv_lang_check(lang))
        ok = prove(c, lang, path, error);
    else if (ok)
        c->right = equations_are_right(lang);
    rv_lang_free(lang);
    return ok;
}

/* What values can be given for in a file's models. */
static bool add_names(known_names *known, const char *path, rv_error *error)
{
    rv_lang *lang = rv_lang_open(path, error);
    bool ok = lang;
    for (int i = 0; ok && i < rv_lang_model_count(lang); i++) {
        const rv_model *model = rv_lang_model_at(lang, i);
        if (!model->record || rv_lang_problems(lang) > 0) continue;
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        rv_lang_recording_free(rv_lang_record(model, tape, NULL));
        ok = tape ? known_names_add(known, tape, error) : rv_fail_memory(error);
        rv_tape_free(tape);
        rv_store_free(store);
    }
    rv_lang_free(lang);
    return ok;
}

static bool read_given(checking *c, const char *in, char **files, int count, rv_error *error)
{
    known_names known = {0};
    if (!in) return true;
    bool ok = rv_npz_read(in, 0, &c->given, error);
    for (int i = 0; ok && i < count; i++) ok = add_names(&known, files[i], error);
    ok = ok && known_names_check(&known, &c->given, error);
    known_names_free(&known);
    c->proof.given = c->given.tensors;
    c->proof.given_count = (int)c->given.tensor_count;
    return ok;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    check_options o = {.seed = 1};
    char **files;
    int count;
    if (!options_parse_files(&command_check, argc, argv, &o, &files, &count, &result, error))
        return result;
    checking c = {.proof = {.tolerance = o.tolerance, .repair = true, .seed = (uint64_t)o.seed},
                  .right = true};
    if (!read_given(&c, o.in, files, count, error)) {
        rv_archive_free(&c.given);
        return STATUS_USAGE;
    }
    bool ok = true;
    if (o.json) c.list = cJSON_CreateArray();
    for (int i = 0; ok && i < count; i++) ok = check_file(&c, files[i], error);
    if (ok && o.json)
        ok = json_print(c.list, error);
    else
        cJSON_Delete(c.list);
    rv_archive_free(&c.given);
    return ok && c.right ? STATUS_OK : STATUS_FAILED;
}
