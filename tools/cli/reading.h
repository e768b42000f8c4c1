/* How the data of a run were read: as text for people, and as JSON. */
#ifndef RV_TOOLS_CLI_READING_H
#define RV_TOOLS_CLI_READING_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "recurve.h"

/* Prints samples and targets. *config: the options that the source was opened with. */
void reading_print(FILE *out, const rv_source *source, const rv_train_config *config);
cJSON *reading_json(const rv_source *source, const rv_train_config *config);

/* The same for the data of a run, with their split. The text also says what a file left open, with
 * the option of `train` and `compare` that changes it. */
void reading_print_run(FILE *out, const rv_trainer *trainer);
cJSON *reading_json_run(const rv_trainer *trainer);

#endif
