/* recurve graph */
#include <stdio.h>

#include "tensor/memory.h"
#include "tools/command/commands.h"
#include "tools/cli/names.h"
#include "tools/cli/text_file.h"

typedef struct graph_options {
    const char *model, *output;
    bool forward, training;
} graph_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(graph_options, field, name, argument, OPTION_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(model, "model", "NAME", TEXT,
        "what to draw (default: curnn): see `recurve models`; or of a\nfile of equations: FILE.rv, "
        "FILE.rv:NAME"),
    ROW(forward, "forward", NULL, FLAG, "the cost alone (the default)"),
    ROW(training, "training", NULL, FLAG, "the cost, its gradients, and plain gradient descent"),
    ROW(output, "output", "FILE", TEXT, "write there instead of to standard output"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_graph = {
    .name = "graph",
    .run = run,
    .summary = "draw a model's equations, gradients and updates",
    .synopsis = "[MODEL] [--forward | --training] [--output FILE]",
    .description =
        "Prints the tape of a small instance of the model as a Graphviz graph. An equation that "
        "is\n"
        "written twice is there once: of the convolutions of the input, which all time steps\n"
        "share, there is one each.\n",
    OPTIONS(options),
    .failure = "the file cannot be written",
    .example = "recurve graph curnn | dot -Tsvg > curnn.svg\n"
               "recurve graph --training --output curnn.dot\n",
    .operand = true,
};

/* The drawing, for rv_free. */
static char *draw(const rv_model *model, bool training, rv_error *error)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var cost = rv_name(rv_model_specimen(model, tape), "cost");
    if (training) rv_minimize(cost, *rv_optimizer_find("sgd"));
    const rv_error *failed = rv_tape_error(tape);
    char *text = failed->code == RV_OK ? rv_dot(tape, &cost, 1) : NULL;
    if (failed->code != RV_OK)
        rv_fail(error, failed->code, "%s", failed->text);
    else if (!text)
        rv_fail_memory(error);
    rv_tape_free(tape);
    rv_store_free(store);
    return text;
}

static exit_status print(const graph_options *o, rv_error *error)
{
    rv_lang *lang;
    const rv_model *model = named_model(o->model ? o->model : "curnn", &lang, error);
    if (!model) return STATUS_USAGE;
    char *text = draw(model, o->training, error);
    if (text && !o->output) fputs(text, stdout);
    bool ok = text && (!o->output || text_file_write(o->output, text, error));
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
        rv_fail(error, RV_ERROR_ARGUMENT, "--forward and --training exclude each other");
        return STATUS_USAGE;
    }
    return print(&o, error);
}
