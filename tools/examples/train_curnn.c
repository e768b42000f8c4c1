/* Trains a convolutional update gate RNN on handwritten zeros and ones. With a folder as its
 * argument it keeps the run there, and resumes it when called again. */
#include <stdio.h>
#include "recurve.h"
int main(int count, char **arguments)
{
    rv_error error = {0};
    rv_train_config config = rv_train_config_new();
    config.net.model = "curnn";
    config.loop.epochs = 20;
    config.loop.output = count > 1 ? arguments[1] : NULL;
    rv_trainer *trainer = rv_trainer_new(&config, &error);
    if (trainer && count > 1) rv_trainer_resume(trainer, NULL, NULL, NULL); /* or begin anew */
    if (trainer && rv_trainer_fit(trainer, &error)) {
        const rv_metrics *m = &rv_trainer_result(trainer)->validation;
        printf("validation: loss %.4f, %g %% right\n", m->loss, 100 * m->accuracy);
    }
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);
    rv_trainer_free(trainer);
    return error.code != RV_OK;
}
