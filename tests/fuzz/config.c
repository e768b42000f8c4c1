/* Any bytes as what repeats a run, its config.json, and as what resumes it, the place that its
 * checkpoint tells. */
#include <string.h>

#include "tensor/memory.h"
#include "tests/fuzz/fuzz.h"
#include "tools/run/experiment.h"
#include "tools/run/place.h"
#include "tools/cli/text_file.h"

/* What the settings amount to, but for files: names are looked up, numbers held against each
 * other. */
static void experiment_of(settings *s)
{
    experiment e;
    rv_error error = {0};
    if (s->data || (s->model && strpbrk(s->model, "./"))) return;
    expect_told(experiment_make(s, &e, &error), &error);
    experiment_free(&e);
}

static void read_settings(const char *path, const char *text, size_t size)
{
    settings s = settings_new(), again = settings_new();
    rv_error error = {0};
    memory_start();
    bool ok = settings_from_json(&s, text, path, &error);
    expect_memory(64 * size);
    expect_told(ok, &error);
    if (ok) {
        char *once = settings_to_json(&s);
        expect(once && settings_from_json(&again, once, path, &error),
               "what was written cannot be read");
        char *twice = settings_to_json(&again);
        expect(twice && strcmp(once, twice) == 0, "written again, settings change");
        rv_free(once);
        rv_free(twice);
        experiment_of(&s);
    }
    settings_free(&s);
    settings_free(&again);
}

static void read_place(const char *path, const char *text, size_t size)
{
    training t, again;
    rv_error error = {0};
    memory_start();
    bool ok = place_from_json(&t, text, path, &error);
    expect_memory(64 * size);
    expect_told(ok, &error);
    if (ok) {
        char *once = place_to_json(&t);
        expect(once && place_from_json(&again, once, path, &error),
               "what was written cannot be read");
        char *twice = place_to_json(&again);
        expect(twice && strcmp(once, twice) == 0, "written again, a place changes");
        training_free(&again);
        rv_free(once);
        rv_free(twice);
    }
    training_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error error = {0};
    const char *path = file_of(0, data, size);
    char *text = text_file_read(path, &error);
    expect_told(text, &error);
    if (!text) return 0;
    read_settings(path, text, size);
    read_place(path, text, size);
    rv_free(text);
    return 0;
}
