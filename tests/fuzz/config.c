/* Any bytes as what repeats a run, its config.json, and as what resumes it, the run state that its
 * checkpoint carries. */
#include <string.h>

#include "tensor/memory.h"
#include "tests/fuzz/fuzz.h"
#include "train/trainer/run_state.h"
#include "train/setup.h"
#include "train/text_file_internal.h"

/* What the configuration amounts to, but for files: names are looked up, numbers held against each
 * other. */
static void set_up(rv_train_config *config)
{
    rv_setup setup;
    rv_error error = {0};
    if (config->data.path || (config->net.model && strpbrk(config->net.model, "./"))) return;
    expect_told(rv_setup_make(&setup, config, NULL, &error), &error);
    rv_setup_free(&setup);
}

static void read_config(const char *path, const char *text, size_t size)
{
    rv_train_config config = rv_train_config_new(), again = config;
    rv_error error = {0};
    memory_start();
    bool ok = rv_train_config_parse(&config, text, path, &error);
    expect_memory(64 * size);
    expect_told(ok, &error);
    if (ok) {
        char *once = rv_train_config_json(&config);
        expect(once && rv_train_config_parse(&again, once, path, &error),
               "what was written cannot be read");
        char *twice = rv_train_config_json(&again);
        expect(twice && strcmp(once, twice) == 0, "written again, a configuration changes");
        rv_free(once);
        rv_free(twice);
        set_up(&config);
    }
    rv_train_config_free(&config);
    rv_train_config_free(&again);
}

static void read_run_state(const char *path, const char *text, size_t size)
{
    rv_train_result result = {0}, again = {0};
    rv_epoch *history = NULL, *history_again = NULL;
    rv_error error = {0};
    memory_start();
    bool ok = rv_run_state_parse(&result, &history, text, path, &error);
    expect_memory(64 * size);
    expect_told(ok, &error);
    if (ok) {
        char *once = rv_run_state_json(&result);
        expect(once && rv_run_state_parse(&again, &history_again, once, path, &error),
               "what was written cannot be read");
        char *twice = rv_run_state_json(&again);
        expect(twice && strcmp(once, twice) == 0, "written again, a run state changes");
        rv_free(history_again);
        rv_free(once);
        rv_free(twice);
    }
    rv_free(history);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error error = {0};
    const char *path = file_of(0, data, size);
    char *text = rv_text_file_read(path, &error);
    expect_told(text, &error);
    if (!text) return 0;
    read_config(path, text, size);
    read_run_state(path, text, size);
    rv_free(text);
    return 0;
}
