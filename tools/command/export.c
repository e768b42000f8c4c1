/* recurve export */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "export/c.h"
#include "export/onnx.h"
#include "tensor/file_internal.h"
#include "tools/cli/equations.h"
#include "tools/cli/exported.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/saved.h"
#include "train/setup/effect.h"
#include "train/setup/lookup.h"
#include "train/trainer/run_folder.h"
#include "train/trainer/trainer.h"

typedef struct export_options {
    rv_train_config config;
    const char *c, *onnx, *output, *checkpoint, *name, *form, *outputs;
    int64_t batch;
    bool inference, keep, train, json;
} export_options;

enum { MOST_VALUES = 32 }; /* of --outputs */

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
    ROW(batch, "batch-size", "N", WHOLE,
        "samples of the ONNX model's x (default: any; with --train 1)", .low = 1, .high = 1 << 20),
    ROW(name, "name", "NAME", TEXT,
        "of the files, and the prefix of all names in C (default: net)"),
    ROW(inference, "inference", NULL, FLAG,
        "leave out training: less code, and the parameters are\nconstants"),
    ROW(keep, "keep", NULL, FLAG,
        "training keeps the values inside each time step, instead of\ncomputing them again: "
        "faster, "
        "with more RAM"),
    ROW(outputs, "outputs", "NAME,..", TEXT,
        "of FILE: the values that NAME_run computes (default: output)"),
    ROW(output, "output", "DIR", TEXT, "export the net of a run: `recurve train --output DIR`"),
    ROW(checkpoint, "checkpoint", "FILE", TEXT,
        "its parameters (default: checkpoint.safetensors in the\nfolder)"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
};

/* The options of `recurve train` that describe data, net and optimizer. How samples are split,
 * ordered and varied, what is dropped out of a net and how its gradients are computed is no part of
 * it. */
static bool describes(const char *key)
{
    static const char *const others[] = {"validation",
                                         "validation-data",
                                         "validation-labels",
                                         "in-order",
                                         "shift",
                                         "noise",
                                         "cache",
                                         "carry",
                                         "dropout",
                                         "recurrent-dropout",
                                         "same-dropout",
                                         "recompute",
                                         "stepwise",
                                         "gradients",
                                         "epochs",
                                         "batch-size",
                                         "patience",
                                         "leaves",
                                         "threads",
                                         "anomaly",
                                         "overwrite"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(key, others[i])) return false;
    return true;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_export = {
    .name = "export",
    .run = run,
    .summary = "write a net as C or as an ONNX model, which run and train without this library",
    .synopsis = "[FILE[:MODEL]] --c DIR | --onnx FILE [--output RUN | --checkpoint FILE] OPTION..",
    .description =
        "Writes the net of a run, or an untrained one that the options of `recurve train` "
        "describe.\nDropout is left out.\n\n"
        "With FILE, --c writes a model of the equation language, as `recurve run FILE` computes\n"
        "it: its inputs are arguments, in the order of the text, and so are its values called\n"
        "output, or --outputs. If it has a value called loss, functions train its parameters; the\n"
        "options of the optimizer apply.\n\n"
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
               "recurve export --output /tmp/zero-one --onnx /tmp/zero-one.onnx --form unrolled\n"
               "recurve export tools/examples/change_gate.rv --c /tmp/change-gate\n",
    .operand = "FILE",
};

/* ---- what is exported ---- */

static bool names_run(const export_options *o) { return o->output || o->checkpoint; }

static rv_trainer *open_net(const export_options *o, rv_error *error)
{
    return names_run(o) ? saved_run_open(&command_export, o->output, o->checkpoint, 1, error)
                        : rv_trainer_new_checked(&o->config, error);
}

static rv_exported_net net_of(const rv_setup *s, const export_options *o)
{
    rv_exported_net net = exported_net(s);
    if (o->inference) net.optimizer = NULL;
    return net;
}

/* ---- files ---- */

/* All three, or none (rv_files_write). */
static bool write_files(const export_options *o, const rv_c_code *code, rv_error *error)
{
    enum { FILES = 3 };
    static const char *const endings[FILES] = {".h", ".c", "_test.c"};
    const char *const texts[FILES] = {code->header, code->source, code->test};
    char path[FILES][RV_PATH];
    rv_bytes content[FILES];
    rv_new_file files[FILES];
    size_t had;
    bool ok = rv_run_folder_make(o->c, &had, error);
    if (!ok) return false;
    for (int i = 0; ok && i < FILES; i++) {
        char file[64];
        snprintf(file, sizeof file, "%.40s%s", o->name, endings[i]);
        content[i] = (rv_bytes){texts[i], strlen(texts[i])};
        files[i] = (rv_new_file){path[i], &content[i], 1};
        ok = rv_run_folder_path(o->c, file, path[i], error);
    }
    ok = ok && rv_files_write(files, FILES, error);
    if (!ok) rv_run_folder_unmake(o->c, had);
    return ok;
}

static bool report(const export_options *o, const rv_c_code *code, rv_error *error)
{
    const long long parameters = 4 * code->parameters, memory = 4 * code->memory,
                    to_infer = 4 * code->memory_to_infer,
                    saved = code->saved ? 4 * code->saved + 20 : 0;
    const bool trains = code->sample > 0;
    if (o->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "folder", o->c);
        cJSON_AddStringToObject(object, "name", o->name);
        cJSON_AddNumberToObject(object, "parameters", (double)code->parameters);
        cJSON_AddNumberToObject(object, "parameter_bytes", (double)parameters);
        cJSON_AddNumberToObject(object, "inference_bytes", (double)to_infer);
        if (trains) cJSON_AddNumberToObject(object, "training_bytes", (double)memory);
        cJSON_AddNumberToObject(object, "saved_bytes", (double)saved);
        cJSON_AddNumberToObject(object, code->no_step ? "run_operations" : "step_operations",
                                code->step);
        if (trains) cJSON_AddNumberToObject(object, "sample_operations", code->sample);
        return json_print(object, error);
    }
    say(stdout, "%s/%s.h, %s.c, %s_test.c\n", o->c, o->name, o->name, o->name);
    say(stdout, "flash         %lld bytes for the %lld parameter(s), plus the code\n", parameters,
        (long long)code->parameters);
    if (!trains)
        say(stdout, "RAM           %lld bytes\n", memory);
    else
        say(stdout, "RAM           %lld bytes to train; with --inference, %lld\n", memory,
            to_infer);
    if (saved) say(stdout, "saved         %lld bytes, by %s_save\n", saved, o->name);
    if (code->no_step) say(stdout, "no time step  %s\n", code->no_step);
    say(stdout, "%s   %.0f multiplications and additions\n",
        code->no_step ? "a sample   " : "a time step", code->step);
    if (trains)
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

/* ---- a model of a text ---- */

/* Whether only those options of `recurve train` are set that have a meaning for a text: the
 * optimizer's, but for some that need the number of samples. */
static bool check_for_text(const export_options *o, rv_error *error)
{
    static const char *const kept[] = {"seed", "include-path"};
    static const char *const refused[] = {"schedule", "gradients"};
    for (int i = 0; i < rv_config_row_count(); i++) {
        const rv_config_row *row = rv_config_row_at(i);
        bool fits = row->offset >= offsetof(rv_train_config, optimizer) &&
                    row->offset < offsetof(rv_train_config, loop);
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            fits = (fits || !strcmp(row->key, kept[k])) && strcmp(row->key, refused[k]);
        if (!fits && describes(row->key) && rv_config_row_is_set(row, &o->config))
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "`%s` describes a net of `recurve train`, and FILE is a model with "
                           "sizes of its own; leave one of them out",
                           row->key);
    }
    const char *other = o->onnx         ? "onnx"
                        : o->output     ? "output"
                        : o->checkpoint ? "checkpoint"
                                        : NULL;
    return !other || rv_fail(error, RV_ERROR_ARGUMENT,
                             "`%s` is for the net of a run or of the options of `recurve train`; "
                             "leave it out with FILE",
                             other);
}

static const char *value_name(const void *recording, int index)
{
    return rv_lang_value_at(recording, index).name;
}

/* Finds the values that --outputs names. They are cut out of `list`. */
static bool find_outputs(rv_lang_recording *recording, char *list, const char *name[],
                         rv_var output[], int *count, rv_error *error)
{
    for (char *next = list; next; list = next) {
        next = strchr(list, ',');
        if (next) *next++ = '\0';
        if (*count == MOST_VALUES)
            return rv_fail(error, RV_ERROR_LIMIT, "`outputs`: more than %d names", MOST_VALUES);
        output[*count] = rv_lang_value_of(recording, list);
        name[*count] = list;
        if (rv_is_null(output[(*count)++])) {
            rv_fail_unknown("value of `outputs`", list, value_name, recording,
                            rv_lang_value_count(recording), error);
            return false;
        }
    }
    return true;
}

static bool write_recorded(const export_options *o, const rv_model *model,
                           rv_lang_recording *recording, const rv_optimizer *optimizer,
                           rv_error *error)
{
    const char *names = o->outputs ? o->outputs : "output", *name[MOST_VALUES];
    if (!o->outputs && rv_is_null(rv_lang_value_of(recording, names)))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\" has no value called output; `outputs` names others, which `recurve "
                       "run` prints",
                       model->name);
    rv_var output[MOST_VALUES];
    rv_c_code code = {0};
    char *list = rv_alloc(strlen(names) + 1, 1);
    rv_exported_values values = {.name = model->name,
                                 .output_name = name,
                                 .output = output,
                                 .loss = rv_lang_value_of(recording, "loss"),
                                 .optimizer = o->inference ? NULL : optimizer};
    if (!list) return rv_fail_memory(error);
    strcpy(list, names);
    const bool ok = find_outputs(recording, list, name, output, &values.outputs, error) &&
                    rv_export_c_values(&values, &(rv_c_options){.prefix = o->name}, &code, error) &&
                    write_files(o, &code, error) && report(o, &code, error);
    rv_c_code_free(&code);
    rv_free(list);
    return ok;
}

static bool write_text(export_options *o, const rv_model *model, rv_error *error)
{
    rv_setup setup = {.model = model};
    if (!rv_setup_choose_optimizer(&o->config, &setup, NULL, error)) return false;
    const rv_lang_recording_options how = {.seed = (uint64_t)o->config.loop.seed};
    rv_store *store = rv_setup_store(&o->config, error);
    rv_tape *tape = store ? rv_tape_new(store, RV_F32) : NULL;
    rv_lang_recording *recording = tape ? rv_lang_record(model, tape, &how) : NULL;
    bool ok = false;
    if (recording)
        ok = write_recorded(o, model, recording, &setup.optimizer, error);
    else if (store)
        rv_fail(error, tape ? rv_tape_error(tape)->code : RV_ERROR_MEMORY, "%-s",
                tape ? rv_tape_error(tape)->text : "out of memory");
    rv_lang_recording_free(recording);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

static exit_status export_text(export_options *o, const char *file, rv_error *error)
{
    rv_lang *lang = NULL;
    if (!check_for_text(o, error)) return STATUS_USAGE;
    const rv_model *model = rv_lookup_model(file, o->config.net.include_path, &lang, error);
    bool whole = model && model->record && model->user;
    if (model && !whole)
        rv_fail(error, RV_ERROR_ARGUMENT,
                "\"%s\" is a cell, expected a model that unrolls it; `--model %s` exports the net "
                "that `recurve train` makes of a cell",
                model->name, file);
    const bool ok = whole && write_text(o, model, error);
    rv_lang_free(lang);
    return ok ? STATUS_OK : whole ? STATUS_FAILED : STATUS_USAGE;
}

/* ---- running ---- */

/* The first option that is set and concerns training alone: the optimizer's, and those of the loss.
 * Or NULL. */
static const char *training_option(const export_options *o)
{
    for (int i = 0; i < rv_config_row_count(); i++) {
        const rv_config_row *row = rv_config_row_at(i);
        const bool trains = (row->offset >= offsetof(rv_train_config, optimizer) &&
                             row->offset < offsetof(rv_train_config, loop)) ||
                            !strcmp(row->key, "loss") || !strcmp(row->key, "smoothing");
        if (trains && rv_config_row_is_set(row, &o->config)) return row->key;
    }
    return NULL;
}

/* Whether each option has a meaning for what is written, and for the net that is. */
static bool check_together(const export_options *o, bool text, rv_error *error)
{
    const char *of_c = o->name        ? "name"
                       : o->inference ? "inference"
                       : o->keep      ? "keep"
                                      : NULL,
               *of_onnx = o->form    ? "form"
                          : o->train ? "train"
                          : o->batch ? "batch-size"
                                     : NULL,
               *other = o->c ? of_onnx : of_c;
    if (other)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--%s belongs to %s; leave it out with %s", other,
                       o->c ? "--onnx" : "--c", o->c ? "--c" : "--onnx");
    if (o->keep && (text || o->inference))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--keep is for training a net; leave it out with FILE and --inference");
    const rv_train_config unset = rv_train_config_new();
    const option_row *row = rv_train_config_difference(&unset, &o->config);
    if (row && !text && names_run(o))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`%s` describes an untrained net, and --%s names a run, which has options "
                       "of its own; leave one of them out",
                       row->key, o->output ? "output" : "checkpoint");
    const char *trains =
        o->c ? (o->inference ? "leave out --inference" : NULL) : (o->train ? NULL : "give --train");
    const char *unused = trains ? training_option(o) : NULL;
    return !unused || rv_fail(error, RV_ERROR_ARGUMENT,
                              "`%s` is for training, which is not written; leave it out, or %s",
                              unused, trains);
}

static bool write_c(const export_options *o, rv_trainer *run, rv_error *error)
{
    rv_c_code code = {0};
    const rv_exported_net net = net_of(rv_trainer_setup(run), o);
    const rv_c_options how = {.prefix = o->name, .keep = o->keep};
    bool ok = rv_export_c(&net, &how, rv_trainer_store(run), &code, error) &&
              write_files(o, &code, error) && report(o, &code, error);
    rv_c_code_free(&code);
    return ok;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    rv_onnx_form form;
    export_options o = {.config = rv_train_config_new()};
    const char *file = NULL;
    if (!options_parse(&command_export, argc, argv, &o, &file, &result, error)) return result;
    if (!o.c == !o.onnx) {
        rv_fail(error, RV_ERROR_ARGUMENT, "export needs %s--c DIR or --onnx FILE",
                o.c ? "either " : "");
        return STATUS_USAGE;
    }
    if (!equations_are_spared("onnx", o.onnx, error) || !check_together(&o, file != NULL, error) ||
        !parse_form(&o, &form, error))
        return STATUS_USAGE;
    if (!o.name) o.name = "net";
    struct stat status;
    if (file && !stat(file, &status) && S_ISDIR(status.st_mode)) {
        rv_fail(
            error, RV_ERROR_ARGUMENT,
            "\"%s\" is a folder, expected a file of equations; --output names the folder of a run",
            file);
        return STATUS_USAGE;
    }
    if (file) return export_text(&o, file, error);
    if (o.outputs) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "`outputs` names values of a text; give FILE, or leave it out");
        return STATUS_USAGE;
    }
    rv_trainer *net = open_net(&o, error);
    const bool usable = net || names_run(&o);
    bool ok = net && (o.c ? write_c(&o, net, error) : write_onnx(&o, form, net, error));
    rv_trainer_free(net);
    return ok ? STATUS_OK : usable ? STATUS_FAILED : STATUS_USAGE;
}
