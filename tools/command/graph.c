/* recurve graph */
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/command/commands.h"
#include "train/setup/lookup.h"
#include "train/text_file_internal.h"
#include "tools/cli/equations.h"
#include "tools/cli/say.h"

typedef struct graph_options {
    const char *model, *output, *include_path;
    bool forward, training;
} graph_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(graph_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(model, "model", "MODEL", TEXT,
        "what to draw (default: curnn): a name that `recurve models`\nlists, or FILE.rv or "
        "FILE.rv:NAME"),
    ROW(include_path, "include-path", "DIR[:DIR]..", TEXT, INCLUDE_PATH_DOC),
    ROW(forward, "forward", NULL, FLAG, "the loss alone (default)"),
    ROW(training, "training", NULL, FLAG, "the loss, its gradients, and plain gradient descent"),
    ROW(output, "output", "FILE", TEXT, "write to this file instead of standard output"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_graph = {
    .name = "graph",
    .run = run,
    .summary = "draw a model's equations, gradients and updates",
    .synopsis = "[MODEL] [--forward | --training] [--output FILE]",
    .description = "Prints the tape of a small instance of the model as a Graphviz graph. Equal "
                   "equations are\n"
                   "one node: a convolution of the input that all time steps use appears once.\n",
    OPTIONS(options),
    .failure = "the file cannot be written",
    .example = "recurve graph curnn | dot -Tsvg > curnn.svg\n"
               "recurve graph --training --output curnn.dot\n",
    .operand = "MODEL",
};

/* The graph as text, for rv_free. */
static char *draw(const rv_model *model, bool training, rv_error *error)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var loss = rv_name(rv_model_specimen(model, tape), "loss");
    if (training) rv_minimize(loss, *rv_optimizer_find("sgd"));
    const rv_error *failed = rv_tape_error(tape);
    char *text = failed->code == RV_OK ? rv_dot(tape, &loss, 1) : NULL;
    if (failed->code != RV_OK)
        rv_fail(error, failed->code, "%-s", failed->text);
    else if (!text)
        rv_fail_memory(error);
    rv_tape_free(tape);
    rv_store_free(store);
    return text;
}

static exit_status print(const graph_options *o, rv_error *error)
{
    rv_lang *lang;
    const rv_model *model =
        rv_lookup_model(o->model ? o->model : "curnn", o->include_path, &lang, error);
    if (!model) return STATUS_USAGE;
    char *text = draw(model, o->training, error);
    if (text && !o->output) say_lines(stdout, text, strlen(text));
    bool ok = text && (!o->output || rv_text_file_write(o->output, text, error));
    rv_free(text);
    rv_lang_free(lang);
    return ok ? STATUS_OK : STATUS_FAILED;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    graph_options o = {0};
    if (!options_parse(&command_graph, argc, argv, &o, &o.model, &result, error)) return result;
    if (o.forward && o.training) {
        rv_fail(error, RV_ERROR_ARGUMENT, "give only one of --forward and --training");
        return STATUS_USAGE;
    }
    return equations_are_spared("output", o.output, error) ? print(&o, error) : STATUS_USAGE;
}
