#include "tools/run/saved_run.h"

bool saved_run_named(const char *output, const char *checkpoint, rv_error *error)
{
    return output || checkpoint ||
           rv_fail(
               error, RV_ERROR_ARGUMENT,
               "which run? Give --output DIR or --checkpoint FILE, as `recurve train` left them");
}

static size_t count_parameters(const rv_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < rv_store_count(store); i++)
        count += rv_store_at(store, i)->role == RV_PARAMETER;
    return count;
}

bool saved_run_load(const experiment *e, rv_store *store, const char *path, rv_error *error)
{
    if (!make_parameters(e, store, error)) return false;
    size_t expected = count_parameters(store);
    if (!rv_store_load(store, path, error)) return false;
    size_t found = count_parameters(store);
    return found == expected ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%.500s\" holds %zu parameters, the model %s of its config.json has %zu", path,
                   found, e->model->name, expected);
}

bool saved_run_open(saved_run *r, const char *output, const char *checkpoint, int64_t threads,
                    rv_error *error)
{
    char folder[PATH_TEXT], path[PATH_TEXT];
    *r = (saved_run){.s = settings_new()};
    if (!output) {
        if (!run_folder_of(checkpoint, folder, error)) return false;
        output = folder;
    }
    if (!checkpoint) {
        if (!run_folder_checkpoint(output, path, error)) return false;
        checkpoint = path;
    }
    r->s.threads = threads;
    if (!run_folder_read_config(output, &r->s, error) || !experiment_make(&r->s, &r->e, error))
        return false;
    r->store = experiment_store(&r->s, error);
    return r->store && saved_run_load(&r->e, r->store, checkpoint, error);
}

void saved_run_close(saved_run *r)
{
    rv_store_free(r->store);
    experiment_free(&r->e);
    settings_free(&r->s);
}
