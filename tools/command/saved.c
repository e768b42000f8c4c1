#include "tools/command/saved.h"

#include "train/trainer/inputs.h"
#include "train/trainer/run_folder.h"

bool saved_run_named(const char *output, const char *checkpoint, rv_error *error)
{
    return output || checkpoint ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "which run? Give --output DIR or --checkpoint FILE of a `recurve train`");
}

static rv_trainer *open_run(const command *page, const char *folder, const char *checkpoint,
                            int64_t threads, rv_error *error)
{
    char path[RV_PATH];
    rv_error changed = {0};
    rv_train_config config = rv_train_config_new();
    rv_trainer *trainer = NULL;
    if (rv_run_folder_config(folder, path, error) && rv_train_config_read(&config, path, error) &&
        rv_inputs_find(&config, folder, error)) {
        config.loop.threads = threads;
        config.loop.output = folder; /* only read */
        trainer = rv_trainer_new(&config, error);
    }
    rv_train_config_free(&config);
    if (trainer && rv_trainer_load(trainer, checkpoint, &changed, error)) {
        if (changed.code != RV_OK) command_warn(page, changed.text);
        return trainer;
    }
    rv_trainer_free(trainer);
    return NULL;
}

rv_trainer *saved_run_open(const command *page, const char *output, const char *checkpoint,
                           int64_t threads, rv_error *error)
{
    char folder[RV_PATH], path[RV_PATH];
    if (!output && !rv_run_folder_of(checkpoint, folder, error)) return NULL;
    if (!output) output = folder;
    if (!checkpoint && !rv_run_folder_checkpoint(output, path, error)) return NULL;
    return open_run(page, output, checkpoint ? checkpoint : path, threads, error);
}
