/* A cell as text inside a C program: read, proved, and trained on sequences whose two marked numbers are to be added. */
#include <stdio.h>
#include <string.h>

#include "recurve.h"

static const char text[] = "cell change_gate\n"
                           "  state h\n"
                           "  map W, U, V\n"
                           "  bias b, bg = forget\n"
                           "  c = tanh(W h + U x + b)\n"
                           "  g = sigmoid(V (c - h) + bg)\n"
                           "  h' = g.h + (1 - g).c\n";

enum { BATCH = 50, SAMPLES = 2000, HELD_OUT = 250, LENGTH = 8, EPOCHS = 30 };

/* The mean loss of an epoch. */
static double run_epoch(rv_program *program, rv_loader *loader, uint64_t epoch)
{
    double sum = 0;
    rv_loader_start(loader, epoch, 0, NULL);
    while (rv_feed_batch(program, rv_loader_next(loader, NULL), NULL)) {
        rv_run(program);
        sum += rv_value(program, 0);
    }
    return sum / (double)rv_loader_batches(loader);
}

static bool prove(const rv_model *model)
{
    rv_gradcheck_result worst;
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    bool ok = rv_gradcheck(rv_model_specimen(model, tape), NULL, 0, NULL, &worst);
    if (rv_tape_error(tape)->code)
        fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    else
        printf("worst gradient: %s, error %.1e, %s\n", worst.name, worst.max_relative_error,
               worst.reason);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

static bool train(const rv_model *model)
{
    rv_error error = {0};
    rv_source all = {0}, part = {0}, held_out = {0};
    bool ok = rv_source_task(&all, "adding", &(rv_task_options){.count = SAMPLES, .steps = LENGTH},
                             &error) &&
              rv_source_subset(&held_out, &all, (rv_subset){.count = HELD_OUT}, &error) &&
              rv_source_subset(&part, &all, (rv_subset){.first = HELD_OUT}, &error);
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_net_options options = {.rnn = {.units = 24, .bias = true}, .sequence = true, .y = all.y};
    rv_net net = rv_model_record(model, &options, rv_input(tape, "x", RV_SHAPE(BATCH, LENGTH, 2)),
                                 rv_input(tape, "y", RV_SHAPE(BATCH, 1)));
    rv_minimize(net.loss, rv_adam(5e-3));
    rv_program *step = rv_compile(tape, &net.loss, 1);
    rv_program *measure = rv_compile_with(tape, &net.loss, 1, RV_VALUES);
    rv_loader_options batches = {.batch_size = BATCH, .drop_last = true};
    rv_loader *learn = rv_loader_new(&part, &batches, &error);
    rv_loader *test = rv_loader_new(&held_out, &batches, &error);
    ok = ok && step && measure && learn && test;
    if (!ok) fprintf(stderr, "%s%s\n", error.text, rv_tape_error(tape)->text);
    for (uint64_t epoch = 1; ok && epoch <= EPOCHS; epoch++) {
        double mean = run_epoch(step, learn, epoch);
        if (epoch % 10 == 0) printf("epoch %d: squared error %.4f\n", (int)epoch, mean);
    }
    if (ok) printf("held out: squared error %.4f\n", run_epoch(measure, test, 0));

    rv_loader_free(learn);
    rv_loader_free(test);
    rv_source_close(&part);
    rv_source_close(&held_out);
    rv_source_close(&all);
    rv_program_free(step);
    rv_program_free(measure);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

int main(void)
{
    rv_error error = {0};
    rv_lang *lang = rv_lang_read(text, strlen(text), "change_gate", &error);
    const rv_model *model = lang ? rv_lang_model(lang, NULL, &error) : NULL;
    char *problems = lang ? rv_lang_problem_text(lang) : NULL;
    fputs(problems ? problems : error.text, stderr);
    bool ok = model && !rv_lang_problems(lang) && prove(model) && train(model);
    rv_free(problems);
    rv_lang_free(lang);
    return ok ? 0 : 1;
}
