/* Opens the run that `recurve train --output FOLDER` kept, trains it up to EPOCHS epochs in total,
 * and infers from one sample: open_run FOLDER EPOCHS. */
#include <stdio.h>
#include <stdlib.h>

#include "recurve.h"

int main(int count, char **arguments)
{
    if (count != 3) return 2;
    rv_error error = {0};
    rv_batch_program net = {0};
    rv_trainer *run = rv_trainer_open(arguments[1], atoi(arguments[2]), &error);
    if (run && rv_trainer_fit(run, &error) &&
        rv_batch_program_make(&net, rv_trainer_setup(run), rv_trainer_store(run), 1, false,
                              RV_VALUES, &error)) {
        printf("validation loss %.6f\n", rv_trainer_result(run)->validation.loss);
        rv_tensor_fill(net.x, 0.5); /* [1,..]: the numbers of a sample */
        rv_run(net.program);
        printf("output %.6f\n", rv_tensor_get(rv_program_output(net.program, 1), 0));
    }
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);
    rv_batch_program_free(&net);
    rv_trainer_free(run);
    return error.code != RV_OK;
}
