/* A cell as text in a C program. Its gradients are checked, and it learns to add the two marked
 * numbers of a sequence. */
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

static bool prove(const rv_model *model)
{
    rv_gradcheck_result worst;
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    bool ok = rv_gradcheck(rv_model_specimen(model, tape), NULL, 0, NULL, &worst);
    if (rv_tape_error(tape)->code)
        fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    else
        printf("worst gradient: %s, error %.1e, %s %s\n", worst.name, worst.max_relative_error,
               rv_verdict_name(worst.verdict), worst.reason);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

static bool train(const rv_model *model)
{
    rv_error error = {0};
    rv_train_config config = rv_train_config_new();
    config.data.task = "adding";
    config.data.samples = 2000;
    config.data.length = 8;
    config.net.units = 24;
    config.optimizer.learning_rate = 5e-3;
    config.loop.epochs = 30;
    rv_trainer *trainer = rv_trainer_new_with(&config, &(rv_train_parts){.model = model}, &error);
    bool ok = trainer && rv_trainer_fit(trainer, &error);
    if (ok)
        printf("validation: squared error %.4f\n", rv_trainer_result(trainer)->validation.error);
    if (!ok) fprintf(stderr, "%s\n", error.text);
    rv_trainer_free(trainer);
    return ok;
}

int main(void)
{
    rv_error error = {0};
    rv_lang *lang = rv_lang_read(text, strlen(text), "change_gate", NULL, &error);
    const rv_model *model = lang ? rv_lang_model(lang, NULL, &error) : NULL;
    char *problems = lang ? rv_lang_problem_text(lang) : NULL;
    fputs(problems ? problems : error.text, stderr);
    bool ok = model && !rv_lang_problems(lang) && prove(model) && train(model);
    rv_free(problems);
    rv_lang_free(lang);
    return ok ? 0 : 1;
}
