/* recurve check */
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/command/commands.h"
#include "tools/cli/equations.h"
#include "tools/cli/json.h"
#include "tools/cli/limits.h"
#include "tools/proof/verdicts.h"
#include "train/text_file_internal.h"

typedef struct check_options {
    const char *in, *include_path;
    bool as_written, json;
    double tolerance;
    int64_t seed;
    work_limits limits;
} check_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(check_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(tolerance, "tolerance", "E", POSITIVE,
        "largest relative error of a line that passes (default:\n1e-10)"),
    ROW(as_written, "as-written", NULL, FLAG,
        "judge each line with the values that earlier lines state,\nright or wrong, to see how far "
        "mistakes carry"),
    ROW(seed, "seed", "N", WHOLE, "seed of parameters and inputs (default: 1)", .low = 0,
        .high = (int64_t)1 << 53),
    ROW(include_path, "include-path", "DIR[:DIR]..", TEXT, INCLUDE_PATH_DOC),
    ROW(in, "in", "FILE", TEXT,
        "arrays (.npz) or tensors (.safetensors) for inputs,\n"
        "parameters and constants, by name; the others are drawn\nas the text declares"),
    LIMIT_SECONDS_ROW(check_options),
    LIMIT_NUMBERS_ROW(check_options),
    ROW(json, "json", NULL, FLAG, "print one JSON list of all verdicts instead of text"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_check = {
    .name = "check",
    .run = run,
    .summary = "check equations in files, and derivations by hand line by line",
    .synopsis = "FILE... [OPTION]...",
    .description =
        "Reads files of the equation language, infers all shapes, and checks in double precision:\n"
        "the gradient of each parameter of each model against differences, and each line of each\n"
        "`derive` block against the recorded gradient, at several random points. A line is judged "
        "as\n"
        "if the lines before it were right, so one mistake makes one wrong line. For a wrong line "
        "it\n"
        "prints the largest relative error, the cosine between the line's value and the right "
        "one,\n"
        "the ratio of their lengths, what these numbers suggest, and a correction if one or two\n"
        "changes are enough. A cell alone is checked in a small net, with parameters of the head\n"
        "(fc1, fc2). What differences cannot tell, at a kink or a jump, is undecided.\n",
    OPTIONS(options),
    .failure = "a text has mistakes, or a line or a gradient is wrong or undecided",
    .example = "recurve check models/curnn_blog.rv\n"
               "recurve check my.rv --in values.npz --json\n",
    .files = "FILE",
};

/* ---- checking ---- */

typedef struct checking {
    rv_lang_proof_options proof;
    rv_lang_limits limits;
    rv_archive given;
    const char *folders; /* of --include-path */
    cJSON *list;         /* of --json, or NULL */
    bool right;
} checking;

static bool prove(checking *c, rv_lang *lang, const char *path, rv_error *error)
{
    rv_lang_verdict *found = NULL;
    int count = 0;
    bool ok = rv_lang_prove(lang, &c->proof, &found, &count, error);
    char *text = ok ? rv_text_file_read(path, error) : NULL;
    for (int i = 0; text && i < count; i++) {
        c->right = c->right && found[i].verdict == RV_RIGHT;
        if (c->list) cJSON_AddItemToArray(c->list, verdict_to_json(&found[i]));
    }
    if (text && !c->list) verdicts_print(&(verdicts){path, text, found, count});
    ok = text;
    rv_free(text);
    rv_free(found);
    return ok;
}

static bool check_file(checking *c, const char *path, rv_error *error)
{
    rv_lang *lang = rv_lang_open(path, c->folders, error);
    bool ok = lang;
    if (ok) rv_lang_limit(lang, &c->limits);
    if (ok && rv_lang_check(lang))
        ok = prove(c, lang, path, error);
    else if (ok)
        c->right = equations_are_right(lang);
    rv_lang_free(lang);
    return ok;
}

/* Adds the names that values can be given for, of all models in a file. */
static bool add_names(known_names *known, const checking *c, const char *path, rv_error *error)
{
    rv_lang *lang = rv_lang_open(path, c->folders, error);
    bool ok = lang;
    if (ok) rv_lang_limit(lang, &c->limits);
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
    bool ok = rv_arrays_read(in, 0, &c->given, error);
    for (int i = 0; ok && i < count; i++) ok = add_names(&known, c, files[i], error);
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
    checking c = {.proof = {.tolerance = o.tolerance,
                            .repair = !o.as_written,
                            .as_written = o.as_written,
                            .seed = (uint64_t)o.seed},
                  .folders = o.include_path,
                  .limits = limits_start(&o.limits),
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
    if (!ok || !c.right) limits_explain(&o.limits, error);
    return ok && c.right ? STATUS_OK : STATUS_FAILED;
}
