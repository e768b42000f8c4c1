/* recurve import */
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/shards.h"
#include "train/trainer/run_folder.h"
#include "train/trainer/trainer.h"

typedef struct import_options {
    rv_train_config config;
    const char *map;
    bool partial, json;
} import_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(import_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(map, "map", "LIST", TEXT,
        "which layer or tensor of the files a layer of the net is\n"
        "read from: fc2=classifier,layer0=encoder.rnn. Without, by\n"
        "kind and shapes; of several that fit, by name or number",
        .group = "The command"),
    ROW(partial, "partial", NULL, FLAG,
        "tensors that only the files have are left out, and layers\n"
        "that only the net has keep random values"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
};

static bool every_option(const char *key) { return key; }

static exit_status run(int argc, char **argv, rv_error *error);

const command command_import = {
    .name = "import",
    .run = run,
    .summary = "start a run from weights of PyTorch or Keras",
    .synopsis = "FILE... --model MODEL --output DIR [OPTION]...",
    .description =
        "Makes a run, as `recurve train` does, of a net whose parameters are those in the files,\n"
        "and does not train it: `recurve evaluate`, `sample` and `export` read it, and\n"
        "`recurve train --resume` trains it. The options are those of `recurve train`; data, "
        "model\n"
        "and sizes must be those that the weights were trained for.\n\n"
        "FILE is an .npz or .safetensors file (F32, F16, BF16 ..; of a large net all of its "
        "files,\n"
        "or its .safetensors.index.json) with the names of PyTorch or Keras. One of these lines\n"
        "writes it, the first two for PyTorch, the last for Keras:\n\n"
        "    safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\")\n"
        "    numpy.savez(\"weights.npz\", **{k: v.cpu().numpy() for k, v in "
        "model.state_dict().items()})\n"
        "    numpy.savez(\"weights.npz\", **{w.path: w.numpy() for w in model.weights})\n\n"
        "Recurrent layers are the models lstm, torch-gru (the GRU of both) and rnn, and gru for\n"
        "a GRU of Keras with reset_after=False, in any number and in both directions. The others "
        "are\nlinear and convolutional layers and embeddings; with --head-units 0 the head is one "
        "linear\n"
        "layer. A line for each layer of the net says where its weights were found. With "
        "--partial it may\n"
        "say that they are random, and further lines name the tensors that are left out.\n\n"
        "The example is nn.LSTM(2, 64, 2) with nn.Linear(64, 1), and data x "
        "[300,10,2]\n"
        "and y [300,1]: --sequence reads the second axis of x as time.\n",
    OPTIONS(options),
    .configures = every_option,
    .failure = "a file cannot be read or written, a tensor is missing, has another\n"
               "       shape or a value that is not finite, or is not of this net; DIR is\n"
               "       not made then",
    .example =
        "recurve import weights.safetensors --data x.npz --sequence --model lstm --units 64 \\\n"
        "    --layers 2 --head-units 0 --output /tmp/lstm\n"
        "recurve evaluate --output /tmp/lstm\n"
        "recurve train --resume /tmp/lstm --epochs 10\n",
    .files = "FILE",
};

static void print_line(const rv_weights_found *f)
{
    switch (f->what) {
    case RV_WEIGHTS_READ: say(stdout, "%-20s  %s, \"%s\"\n", f->ours, f->kind, f->theirs); break;
    case RV_WEIGHTS_RANDOM: say(stdout, "%-20s  random: not in the files\n", f->ours); break;
    case RV_WEIGHTS_LEFT_OUT: say(stdout, "left out: \"%s\"\n", f->theirs); break;
    }
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

/* Prints a line, or adds to the arrays "layers" and "left_out" of the JSON object in `context`. */
static void print_found(void *context, const rv_weights_found *f)
{
    if (!context) {
        print_line(f);
    } else if (f->what == RV_WEIGHTS_LEFT_OUT) {
        cJSON_AddItemToArray(cJSON_GetObjectItem(context, "left_out"),
                             cJSON_CreateString(f->theirs));
    } else {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "layer", f->ours);
        add_text(item, "kind", f->kind);
        add_text(item, "from", f->theirs);
        cJSON_AddItemToArray(cJSON_GetObjectItem(context, "layers"), item);
    }
}

/* Sets the parameters, which recording creates, and keeps the run. */
static bool import(const import_options *o, rv_trainer *trainer, const file_list *files,
                   rv_error *error)
{
    rv_batch_program recorded;
    rv_store *store = rv_trainer_store(trainer);
    if (!rv_batch_program_make(&recorded, rv_trainer_setup(trainer), store, 1, false, RV_DEFAULT,
                               error))
        return false;
    rv_batch_program_free(&recorded);
    cJSON *object = o->json ? cJSON_CreateObject() : NULL;
    cJSON_AddStringToObject(object, "folder", o->config.loop.output);
    const bool lists =
        cJSON_AddArrayToObject(object, "layers") && cJSON_AddArrayToObject(object, "left_out");
    if (o->json && !lists) {
        cJSON_Delete(object);
        return rv_fail_memory(error);
    }
    const rv_weights_options how = {
        .map = o->map, .partial = o->partial, .found = print_found, .context = object};
    char digest[RV_DIGEST_TEXT] = "";
    const bool ok =
        rv_weights_import(store, (const char *const *)files->at, (int)files->count, &how, error) &&
        rv_trainer_save(trainer, error) &&
        (*rv_store_digest(store, digest) != '\0' || rv_fail_memory(error));
    cJSON_AddStringToObject(object, "digest", digest);
    if (ok && object) return json_print(object, error);
    cJSON_Delete(object);
    if (ok) say(stdout, "run kept in %s, digest %s\n", o->config.loop.output, digest);
    return ok;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    char **files;
    int count;
    import_options o = {.config = rv_train_config_new()};
    if (!options_parse_files(&command_import, argc, argv, &o, &files, &count, &result, error))
        return result;
    const char *folder = o.config.loop.output;
    if (!folder) {
        rv_fail(error, RV_ERROR_ARGUMENT, "import makes a run; name its folder with --output DIR");
        return STATUS_USAGE;
    }
    if (!o.config.net.model) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "import needs the net that the weights were trained in, and its data; name it with "
                "--model, such as lstm, torch-gru or rnn");
        return STATUS_USAGE;
    }
    if (!o.config.loop.overwrite && !rv_run_folder_clear(folder, false, error))
        return STATUS_FAILED;
    rv_trainer *trainer = rv_trainer_new_checked(&o.config, error);
    if (!trainer) return STATUS_USAGE;
    file_list listed;
    const bool ok =
        shards_expand(files, count, &listed, error) && import(&o, trainer, &listed, error);
    file_list_free(&listed);
    rv_trainer_free(trainer);
    return ok ? STATUS_OK : STATUS_FAILED;
}
