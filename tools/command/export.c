/* recurve export */
#include <stdio.h>
#include <string.h>

#include "export/c.h"
#include "export/onnx.h"
#include "tensor/file_internal.h"
#include "tools/cli/exported.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/saved.h"
#include "train/text_file_internal.h"
#include "train/trainer/run_folder.h"

typedef struct export_options {
    rv_train_config config;
    const char *c, *onnx, *output, *checkpoint, *name, *form;
    int64_t batch;
    bool inference, train, json;
} export_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(export_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(c, "c", "DIR", TEXT, "write NAME.h, NAME.c and NAME_test.c there", .group = "The command"),
    ROW(onnx, "onnx", "FILE", TEXT, "write an ONNX model there (opset 17)"),
    ROW(form, "form", "step|scan|unrolled", TEXT,
        "of the ONNX model: a time step, states in and out\n(default); a sequence of any length, "
        "by "
        "one Scan; a\nsequence, step after step"),
    ROW(train, "train", NULL, FLAG,
        "the ONNX model is a training step: loss, and parameters and\nstates of the optimizer in "
        "and "
        "out"),
    ROW(batch, "batch-size", "N", WHOLE, "its number of samples (default: any; with --train 1)",
        .low = 1, .high = 1 << 20),
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
                                         "anomaly", "cache",      "gradients"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(key, others[i])) return false;
    return true;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_export = {
    .name = "export",
    .run = run,
    .summary = "write a net as C or as an ONNX model, which run and train without this library",
    .synopsis = "--c DIR | --onnx FILE [--output RUN | --checkpoint FILE | OPTION]...",
    .description =
        "Writes the net of a run, or an untrained one that the options of `recurve train` "
        "describe.\nDropout is left out.\n\n"
        "--c writes C99: a time step with its state, a whole sequence, and training with the "
        "optimizer of\nthe run. The files include only headers of the C library, allocate nothing "
        "and have no state of\ntheir own: the caller owns the struct of a net. Each equation "
        "stands "
        "above its loops.\nNAME_test.c compares the results with those of this library:\n\n"
        "    cc -std=c99 net.c net_test.c -lm -o net_test && ./net_test\n\n"
        "--onnx writes a model for ONNX Runtime, Netron and others. Its values have the names of "
        "the\n"
        "equations: a step computes \"output\" and h' from \"x\" and h, which starts at zero, or "
        "at "
        "the\n"
        "output h[0].\n",
    OPTIONS(options),
    .configures = describes,
    .failure = "a file is missing, damaged or cannot be written, or the net cannot be written\n"
               "       in that form",
    .example = "recurve train --output /tmp/zero-one\n"
               "recurve export --output /tmp/zero-one --c /tmp/zero-one/c\n"
               "recurve export --model gru --task adding --units 8 --c /tmp/gru --inference\n"
               "recurve export --output /tmp/zero-one --onnx /tmp/zero-one.onnx --form unrolled\n",
};

/* ---- what is exported ---- */

static rv_trainer *open_net(const export_options *o, rv_error *error)
{
    if (o->output || o->checkpoint)
        return saved_run_open(&command_export, o->output, o->checkpoint, 1, error);
    return rv_trainer_new(&o->config, error);
}

static rv_exported_net net_of(const rv_setup *s, const export_options *o)
{
    rv_exported_net net = exported_net(s);
    if (o->inference) net.optimizer = NULL;
    return net;
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

/* ---- ONNX ---- */

static const char *const forms[] = {[RV_ONNX_STEP] = "step",
                                    [RV_ONNX_SCAN] = "scan",
                                    [RV_ONNX_UNROLLED] = "unrolled",
                                    [RV_ONNX_TRAINING] = "training"};

/* Sets the form that the options name. */
static bool parse_form(const export_options *o, rv_onnx_form *form, rv_error *error)
{
    *form = o->train ? RV_ONNX_TRAINING : RV_ONNX_STEP;
    if (!o->form) return true;
    if (o->c)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--form %s belongs to --onnx; leave it out with --c", o->form);
    if (o->train)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--form %s with --train, which is a form of its own; give one of them",
                       o->form);
    for (int i = 0; i < RV_ONNX_TRAINING; i++)
        if (!strcmp(o->form, forms[i])) *form = (rv_onnx_form)i;
    return true;
}

static bool write_onnx(const export_options *o, rv_onnx_form form, rv_trainer *run, rv_error *error)
{
    const rv_exported_net net = net_of(rv_trainer_setup(run), o);
    const rv_onnx_options kind = {.form = form, .batch = o->batch};
    size_t size = 0;
    unsigned char *model = rv_export_onnx(&net, &kind, rv_trainer_store(run), &size, error);
    bool ok = model && rv_file_write(o->onnx, &(rv_bytes){model, size}, 1, error);
    rv_free(model);
    if (!ok) return false;
    if (!o->json) {
        say(stdout, "%s: %s, %zu bytes\n", o->onnx, forms[form], size);
        return true;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", o->onnx);
    cJSON_AddStringToObject(object, "form", forms[form]);
    cJSON_AddNumberToObject(object, "bytes", (double)size);
    return json_print(object, error);
}

/* ---- running ---- */

static bool write_c(const export_options *o, rv_trainer *run, rv_error *error)
{
    rv_c_code code = {0};
    const rv_exported_net net = net_of(rv_trainer_setup(run), o);
    bool ok = rv_export_c(&net, o->name, rv_trainer_store(run), &code, error) &&
              write_files(o, &code, error) && report(o, &code, error);
    rv_c_code_free(&code);
    return ok;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    rv_onnx_form form;
    export_options o = {.config = rv_train_config_new(), .name = "net"};
    if (!options_parse(&command_export, argc, argv, &o, NULL, &result, error)) return result;
    if (!o.c == !o.onnx) {
        rv_fail(error, RV_ERROR_ARGUMENT, "export needs %s--c DIR or --onnx FILE",
                o.c ? "either " : "");
        return STATUS_USAGE;
    }
    if (!parse_form(&o, &form, error)) return STATUS_USAGE;
    rv_trainer *net = open_net(&o, error);
    bool ok = net && (o.c ? write_c(&o, net, error) : write_onnx(&o, form, net, error));
    rv_trainer_free(net);
    return ok ? STATUS_OK : STATUS_FAILED;
}
