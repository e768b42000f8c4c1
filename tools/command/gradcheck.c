/* recurve gradcheck */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/command/commands.h"
#include "tools/cli/json.h"
#include "tools/cli/limits.h"
#include "tools/cli/say.h"
#include "train/setup/lookup.h"
#include "tools/proof/prove.h"

typedef struct gradcheck_options {
    const char *model, *op, *include_path;
    bool all, json;
    double tolerance;
    int64_t seed;
    work_limits limits;
} gradcheck_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(gradcheck_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(model, "model", "MODEL", TEXT,
        "one model, in a small instance: a name that `recurve models`\nlists, or FILE.rv or "
        "FILE.rv:NAME"),
    ROW(include_path, "include-path", "DIR[:DIR]..", TEXT, INCLUDE_PATH_DOC),
    ROW(op, "op", "OP", TEXT, "one op, on its own samples: see `recurve ops`"),
    ROW(all, "all", NULL, FLAG, "every op and every model (the default)"),
    ROW(tolerance, "tolerance", "E", POSITIVE,
        "largest relative error that passes (default: 1e-7)"),
    ROW(seed, "seed", "N", WHOLE, "seed of parameters, inputs and directions (default: 1)",
        .low = 0, .high = (int64_t)1 << 53),
    LIMIT_SECONDS_ROW(gradcheck_options),
    LIMIT_NUMBERS_ROW(gradcheck_options),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of a table"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_gradcheck = {
    .name = "gradcheck",
    .run = run,
    .summary = "prove the gradients of ops and models by central differences",
    .synopsis = "[MODEL | --op OP | --all] [OPTION]...",
    .description =
        "Compares each element of each recorded gradient with five-point central differences of\n"
        "the forward pass, in double precision. Where they disagree, finer steps follow. At a "
        "kink\n"
        "the gradient must lie between the slopes on both sides. What differences cannot tell is\n"
        "undecided. The second derivative is checked the same way, as the gradient of the "
        "gradient\n"
        "in a random direction. For each input or parameter the largest relative error over all\n"
        "samples is printed. Where an op is constant almost everywhere, its recorded gradient "
        "must\n"
        "be zero. Integer inputs have no gradient. A model from a file keeps the sizes and inputs\n"
        "that it declares.\n",
    OPTIONS(options),
    .failure = "a gradient is wrong or undecided",
    .example = "recurve gradcheck --op conv2d\n"
               "recurve gradcheck curnn --json\n"
               "recurve gradcheck my.rv:my_cell\n",
    .operand = "MODEL",
};

static const char *error_text(double error, char text[16])
{
    snprintf(text, 16, isnan(error) ? "-" : "%.1e", error);
    return text;
}

static void print_table(const proofs *p, size_t wrong, size_t open)
{
    int name = 4, parameter = 9;
    for (size_t i = 0; i < p->count; i++) {
        int a = (int)strlen(p->at[i].name), b = (int)strlen(p->at[i].parameter);
        name = a > name ? a : name;
        parameter = b > parameter ? b : parameter;
    }
    say(stdout, "%-*s  %-*s  first deriv.  second deriv.  verdict\n", name, "name", parameter,
        "parameter");
    for (size_t i = 0; i < p->count; i++) {
        const proof *row = &p->at[i];
        char first[16], second[16];
        say(stdout, "%-*s  %-*s  %12s  %13s  %s%s\n", name, row->name, parameter, row->parameter,
            error_text(row->first, first), error_text(row->second, second),
            row->verdict == RV_WRONG       ? "WRONG: "
            : row->verdict == RV_UNDECIDED ? "undecided: "
                                           : "",
            row->reason);
    }
    say(stdout, "%zu gradient(s), %zu wrong, %zu undecided (largest relative error allowed: %g)\n",
        p->count, wrong, open, p->tolerance);
}

static bool print_json(const proofs *p, rv_error *error)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < p->count; i++) {
        const proof *row = &p->at[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", row->name);
        cJSON_AddStringToObject(object, "parameter", row->parameter);
        json_add_number(object, "max_relative_error", row->first);
        json_add_number(object, "second_max_relative_error", row->second);
        cJSON_AddStringToObject(object, "verdict", rv_verdict_name(row->verdict));
        cJSON_AddStringToObject(object, "reason", row->reason);
        cJSON_AddItemToArray(list, object);
    }
    return json_print(list, error);
}

/* False when a name is unknown (USAGE) or when out of memory. *lang owns what the rows name. */
static bool prove(gradcheck_options *o, proofs *p, rv_lang **lang, exit_status *result,
                  rv_error *error)
{
    const rv_model *model =
        o->model ? rv_lookup_model(o->model, o->include_path, lang, error) : NULL;
    const rv_op *op = o->op && error->code == RV_OK ? rv_lookup_op(o->op, error) : NULL;
    *result = STATUS_USAGE;
    if (error->code != RV_OK) return false;
    const rv_lang_limits limits = limits_start(&o->limits);
    if (*lang) rv_lang_limit(*lang, &limits);
    *result = STATUS_FAILED;
    if (op) return prove_op(p, op, error);
    if (model) return prove_model(p, model, *lang && model->record, error);
    for (int i = 0; i < rv_op_count(); i++)
        if (!prove_op(p, rv_op_at(i), error)) return false;
    for (int i = 0; i < rv_model_count(); i++)
        if (!prove_model(p, rv_model_at(i), false, error)) return false;
    return true;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    rv_lang *lang = NULL;
    gradcheck_options o = {.tolerance = 1e-7, .seed = 1};
    if (!options_parse(&command_gradcheck, argc, argv, &o, &o.model, &result, error)) return result;
    if (!!o.model + !!o.op + o.all > 1) {
        rv_fail(error, RV_ERROR_ARGUMENT, "give only one of MODEL, --op and --all");
        return STATUS_USAGE;
    }
    proofs p = {.tolerance = o.tolerance,
                .seed = (uint64_t)o.seed,
                .proceed = limits_proceed,
                .context = &o.limits};
    if (prove(&o, &p, &lang, &result, error)) {
        size_t wrong = 0, open = 0;
        for (size_t i = 0; i < p.count; i++) wrong += p.at[i].verdict == RV_WRONG;
        for (size_t i = 0; i < p.count; i++) open += p.at[i].verdict == RV_UNDECIDED;
        result = wrong + open == 0 ? STATUS_OK : STATUS_FAILED;
        if (!o.json) print_table(&p, wrong, open);
        if (o.json && !print_json(&p, error)) result = STATUS_FAILED;
        limits_explain(&o.limits, error);
    }
    proofs_free(&p);
    rv_lang_free(lang);
    return result;
}
