/* recurve verify */
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"
#include "tools/cli/limits.h"
#include "tools/command/commands.h"
#include "tools/proof/verdicts.h"
#include "train/setup/lookup.h"
#include "tools/cli/say.h"

typedef struct verify_options {
    int64_t seed;
    bool json;
    work_limits limits;
} verify_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(verify_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(seed, "seed", "N", WHOLE, "seed of the weights, the image and its label (default: 1)",
        .low = 0, .high = (int64_t)1 << 53),
    LIMIT_SECONDS_ROW(verify_options),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_verify = {
    .name = "verify",
    .run = run,
    .summary = "find the mistakes in the article's derivation",
    .synopsis = "curnn-blog [OPTION]...",
    .description =
        "The article \"Only Numpy: Convolutional Update Gate RNN\" derives the gradients of its "
        "net\n"
        "by hand. The text of the built-in model curnn-blog holds the derivation twice: as\n"
        "published, and with its five mistakes corrected. This command compares, for each weight,\n"
        "the library's gradient with central differences and both derivations with the library's\n"
        "gradient. Then it judges the published derivation line by line, as `recurve check` "
        "does.\n",
    OPTIONS(options),
    .failure = "the library, the differences and the corrected derivation disagree, or the\n"
               "       published one is not wrong in the five lines that the text marks",
    .example = "recurve verify curnn-blog\n",
    .operand = "ARTICLE",
};

enum { MISTAKES = 5, RIGHT_WEIGHTS = 2 };
static const char published[] = "as published", corrected[] = "corrected";

/* The verdicts on the derivations: each line alone, and as written, so that mistakes carry. */
typedef struct findings {
    verdicts alone, written;
    bool ok;
} findings;

static bool prove(const char *text, verdicts *v, const rv_lang_proof_options *o,
                  const rv_lang_limits *limits, rv_lang **lang, rv_error *error)
{
    rv_lang_verdict *at = NULL;
    *v = (verdicts){.path = "curnn-blog", .text = text};
    *lang = rv_lang_read(text, strlen(text), v->path, NULL, error);
    if (*lang) rv_lang_limit(*lang, limits);
    bool ok = *lang && rv_lang_prove(*lang, o, &at, &v->count, error);
    v->at = at;
    return ok;
}

/* The verdict on d(weight) in a derivation. */
static const rv_lang_verdict *find(const verdicts *v, const char *derivation, const char *weight)
{
    for (const rv_lang_verdict *line = v->at; line < v->at + v->count; line++)
        if (strcmp(line->derivation, derivation) == 0 && strcmp(line->name + 1, weight) == 0)
            return line;
    return NULL;
}

static bool is_weight(const rv_lang_verdict *v) { return v->head == 0; }

static bool is_mistake(const rv_lang_verdict *v)
{
    return strcmp(v->derivation, published) == 0 && v->verdict == RV_WRONG;
}

/* Whether all numbers are as the article's story has them. */
static bool as_expected(const findings *f)
{
    int mistakes = 0, right_weights = 0;
    bool ok = true;
    for (const rv_lang_verdict *v = f->alone.at; v < f->alone.at + f->alone.count; v++) {
        mistakes += is_mistake(v);
        ok = ok && (v->verdict == RV_RIGHT || (is_mistake(v) && v->repair[0] != '\0'));
        if (!is_weight(v)) continue;
        const rv_lang_verdict *right = find(&f->written, corrected, v->name);
        const rv_lang_verdict *wrong = find(&f->written, published, v->name);
        ok = ok && right && right->verdict == RV_RIGHT && wrong;
        right_weights += wrong && wrong->verdict == RV_RIGHT;
    }
    return ok && mistakes == MISTAKES && right_weights == RIGHT_WEIGHTS;
}

/* ---- printing ---- */

static void print_text(const findings *f)
{
    say(stdout,
        "             library against   corrected against   as published, against the library\n"
        "weight       differences       the library         error       cosine       length\n");
    for (const rv_lang_verdict *v = f->alone.at; v < f->alone.at + f->alone.count; v++) {
        const rv_lang_verdict *right = find(&f->written, corrected, v->name);
        const rv_lang_verdict *wrong = find(&f->written, published, v->name);
        if (is_weight(v) && right && wrong)
            say(stdout, "%-12s %-17.1e %-19.1e %-11.1e %+6.2f %12.4g x\n", v->name,
                v->difference_error, right->max_relative_error, wrong->max_relative_error,
                wrong->cosine, wrong->ratio);
    }
    say(stdout,
        "\nAn error is the largest difference, relative to the largest element. Each line below "
        "is\n"
        "judged as if the lines before it were right.\n\n");
    verdicts lines = f->alone;
    while (lines.count > 0 && strcmp(lines.at->derivation, published) != 0)
        lines.at++, lines.count--;
    for (int i = 0; i < lines.count; i++)
        if (strcmp(lines.at[i].derivation, published) != 0) lines.count = i;
    verdicts_print(&lines);
    say(stdout,
        f->ok ? "\nVerified: the library, the differences and the corrected derivation agree. The\n"
                "published derivation has five mistakes and is right for W1 and W2 only.\n"
              : "\nNOT verified: see the numbers above.\n");
}

static bool print_json(const findings *f, int64_t seed, rv_error *error)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "article", "curnn-blog");
    cJSON_AddNumberToObject(object, "seed", (double)seed);
    cJSON *weights = cJSON_AddArrayToObject(object, "weights");
    cJSON *mistakes = cJSON_AddArrayToObject(object, "mistakes");
    for (const rv_lang_verdict *v = f->alone.at; v < f->alone.at + f->alone.count; v++) {
        const rv_lang_verdict *right = find(&f->written, corrected, v->name);
        const rv_lang_verdict *wrong = find(&f->written, published, v->name);
        if (is_mistake(v)) cJSON_AddItemToArray(mistakes, verdict_to_json(v));
        if (!is_weight(v) || !right || !wrong) continue;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", v->name);
        json_add_number(row, "autodiff_vs_differences", v->difference_error);
        json_add_number(row, "corrected_vs_autodiff", right->max_relative_error);
        json_add_number(row, "published_vs_autodiff", wrong->max_relative_error);
        json_add_number(row, "cosine", wrong->cosine);
        json_add_number(row, "ratio", wrong->ratio);
        cJSON_AddItemToArray(weights, row);
    }
    cJSON_AddBoolToObject(object, "ok", f->ok);
    return json_print(object, error);
}

/* ---- running ---- */

static bool verify(verify_options *o, rv_error *error)
{
    const rv_lang_limits limits = limits_start(&o->limits);
    const char *text = rv_model_find("curnn-blog")->text;
    rv_lang_proof_options proof = {.seed = (uint64_t)o->seed, .repair = true};
    rv_lang *alone = NULL, *written = NULL; /* own the verdicts' texts */
    findings f = {0};
    bool ok = prove(text, &f.alone, &proof, &limits, &alone, error);
    proof.repair = false;
    proof.as_written = true;
    ok = ok && prove(text, &f.written, &proof, &limits, &written, error);
    f.ok = ok && as_expected(&f);
    if (!ok) limits_explain(&o->limits, error);
    if (ok && o->json)
        ok = print_json(&f, o->seed, error);
    else if (ok)
        print_text(&f);
    rv_free((void *)(uintptr_t)f.alone.at);
    rv_free((void *)(uintptr_t)f.written.at);
    rv_lang_free(alone);
    rv_lang_free(written);
    return ok && f.ok;
}

static const char *article_name(const void *list, int index)
{
    return ((const char *const *)list)[index];
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    static const char *const articles[] = {"curnn-blog"};
    exit_status result;
    const char *article = NULL;
    verify_options o = {.seed = 1};
    if (!options_parse(&command_verify, argc, argv, &o, &article, &result, error)) return result;
    if (!article) {
        rv_fail(error, RV_ERROR_ARGUMENT, "which article? Known: %s", articles[0]);
        return STATUS_USAGE;
    }
    if (strcmp(article, articles[0]) != 0) {
        rv_fail_unknown("article", article, article_name, articles, 1, error);
        return STATUS_USAGE;
    }
    return verify(&o, error) ? STATUS_OK : STATUS_FAILED;
}
