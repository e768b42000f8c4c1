/* recurve export */
#include <stdio.h>
#include <string.h>

#include "export/c.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/saved.h"
#include "train/text_file_internal.h"
#include "train/trainer/run_folder.h"

typedef struct export_options {
    rv_train_config config;
    const char *c, *output, *checkpoint, *name;
    bool inference, json;
} export_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(export_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(c, "c", "DIR", TEXT, "write NAME.h, NAME.c and NAME_test.c there", .group = "The command"),
    ROW(name, "name", "NAME", TEXT,
        "of the files, and the prefix of all names in C (default: net)"),
    ROW(inference, "inference", NULL, FLAG,
        "leave out training: less code, and the parameters are\nconstants"),
    ROW(output, "output", "DIR", TEXT, "export the net of a run: `recurve train --output DIR`"),
    ROW(checkpoint, "checkpoint", "FILE", TEXT,
        "its parameters (default: checkpoint.safetensors in the\nfolder)"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
};

/* The options of `recurve train` that describe data, net and optimizer. */
static bool describes(const char *key)
{
    static const char *const others[] = {"epochs",  "batch-size", "patience", "threads",
                                         "anomaly", "dtype",      "cache",    "gradients"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(key, others[i])) return false;
    return true;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_export = {
    .name = "export",
    .run = run,
    .summary = "write a net as C that runs and trains without this library",
    .synopsis = "--c DIR [--output RUN | --checkpoint FILE | OPTION]...",
    .description =
        "Writes the net of a run, or an untrained one that the options of `recurve train` "
        "describe,\nas C99: a time step with its state, a whole sequence, and training with the "
        "optimizer of the\nrun. The files include only headers of the C library, allocate "
        "nothing and have no state of\ntheir own: the caller owns the struct of a net. Each "
        "equation stands above its loops. Dropout\nis left out. NAME_test.c compares the "
        "results with those of this library:\n\n"
        "    cc -std=c99 net.c net_test.c -lm -o net_test && ./net_test\n",
    OPTIONS(options),
    .configures = describes,
    .failure = "a file is missing, damaged or cannot be written, or the net cannot be written\n"
               "       as C",
    .example = "recurve train --output /tmp/zero-one\n"
               "recurve export --output /tmp/zero-one --c /tmp/zero-one/c\n"
               "recurve export --model gru --task adding --units 8 --c /tmp/gru --inference\n",
};

/* ---- what is exported ---- */

static rv_trainer *open_net(const export_options *o, rv_error *error)
{
    if (o->output || o->checkpoint)
        return saved_run_open(&command_export, o->output, o->checkpoint, 1, error);
    return rv_trainer_new(&o->config, error);
}

static rv_c_net net_of(const rv_setup *s, const export_options *o)
{
    const rv_source *data = &s->data;
    rv_dtype x = data->tokens > 0 ? RV_I32 : RV_F32, y = data->classes > 0 ? RV_I32 : RV_F32;
    return (rv_c_net){.model = s->model,
                      .options = &s->net,
                      .x = {x, data->x},
                      .y = {y, data->y},
                      .scale = s->scale,
                      .optimizer = o->inference ? NULL : &s->optimizer,
                      .prefix = o->name};
}

/* ---- files ---- */

static bool write_files(const export_options *o, const rv_c_code *code, rv_error *error)
{
    static const char *const endings[] = {".h", ".c", "_test.c"};
    const char *const texts[] = {code->header, code->source, code->test};
    bool ok = rv_run_folder_make(o->c, error);
    for (int i = 0; ok && i < 3; i++) {
        char file[64], path[RV_PATH];
        snprintf(file, sizeof file, "%.40s%s", o->name, endings[i]);
        ok = rv_run_folder_path(o->c, file, path, error) &&
             rv_text_file_write(path, texts[i], error);
    }
    return ok;
}

static bool report(const export_options *o, const rv_c_code *code, rv_error *error)
{
    const long long parameters = 4 * code->parameters, memory = 4 * code->memory,
                    to_infer = 4 * code->memory_to_infer, saved = 4 * code->saved + 20;
    if (o->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "folder", o->c);
        cJSON_AddStringToObject(object, "name", o->name);
        cJSON_AddNumberToObject(object, "parameters", (double)code->parameters);
        cJSON_AddNumberToObject(object, "parameter_bytes", (double)parameters);
        cJSON_AddNumberToObject(object, "inference_bytes", (double)to_infer);
        if (!o->inference) cJSON_AddNumberToObject(object, "training_bytes", (double)memory);
        cJSON_AddNumberToObject(object, "saved_bytes", (double)saved);
        cJSON_AddNumberToObject(object, "step_operations", code->step);
        if (!o->inference) cJSON_AddNumberToObject(object, "sample_operations", code->sample);
        return json_print(object, error);
    }
    say(stdout, "%s/%s.h, %s.c, %s_test.c\n", o->c, o->name, o->name, o->name);
    say(stdout, "flash         %lld bytes for the %lld parameter(s), and the code\n", parameters,
        (long long)code->parameters);
    if (o->inference)
        say(stdout, "RAM           %lld bytes\n", memory);
    else
        say(stdout, "RAM           %lld bytes to train; with --inference, %lld\n", memory,
            to_infer);
    say(stdout, "saved         %lld bytes\n", saved);
    say(stdout, "a time step   %.0f multiplications and additions\n", code->step);
    if (!o->inference)
        say(stdout, "a gradient    %.0f multiplications and additions per sample\n", code->sample);
    return true;
}

/* ---- running ---- */

static bool export_net(const export_options *o, rv_error *error)
{
    rv_trainer *run = open_net(o, error);
    rv_c_code code = {0};
    bool ok = run;
    if (ok) {
        rv_c_net net = net_of(rv_trainer_setup(run), o);
        ok = rv_export_c(&net, rv_trainer_store(run), &code, error) &&
             write_files(o, &code, error) && report(o, &code, error);
    }
    rv_c_code_free(&code);
    rv_trainer_free(run);
    return ok;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    export_options o = {.config = rv_train_config_new(), .name = "net"};
    if (!options_parse(&command_export, argc, argv, &o, NULL, &result, error)) return result;
    if (!o.c) {
        rv_fail(error, RV_ERROR_ARGUMENT, "export to which folder? Give --c DIR");
        return STATUS_USAGE;
    }
    return export_net(&o, error) ? STATUS_OK : STATUS_FAILED;
}
