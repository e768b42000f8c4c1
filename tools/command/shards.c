#include "tools/command/shards.h"

#include <string.h>

#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "train/json_internal.h"
#include "train/text_file_internal.h"
#include "train/trainer/run_folder.h"

static bool add(file_list *files, const char *path, rv_error *error)
{
    if (!rv_reserve(&files->at, &files->capacity, files->count + 1, sizeof *files->at) ||
        !(files->at[files->count] = rv_string_copy(path)))
        return rv_fail_memory(error);
    files->count++;
    return true;
}

/* Adds the file of a tensor, which lies beside the index, unless it is one of those from `first`
 * on. */
static bool add_shard(file_list *files, size_t first, const rv_json *index, const cJSON *item,
                      rv_error *error)
{
    char folder[RV_PATH], path[RV_PATH], seen[RV_ERROR_TEXT / 4];
    const char *name = cJSON_GetStringValue(item);
    if (!name || *name == '\0' || strchr(name, '/'))
        return rv_json_fail(index, item, error,
                            "got %s, expected the name of a file in the same folder",
                            rv_json_shown(item, seen));
    if (!rv_run_folder_of(index->path, folder, error) ||
        !rv_run_folder_path(folder, name, path, error))
        return false;
    for (size_t i = first; i < files->count; i++)
        if (strcmp(files->at[i], path) == 0) return true;
    return add(files, path, error);
}

static bool add_index(file_list *files, const char *path, rv_error *error)
{
    char *text = rv_text_file_read(path, error);
    rv_json index = {text, path, text ? rv_json_object(text, path, error) : NULL};
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(index.root, "weight_map");
    const size_t first = files->count;
    bool ok = index.root &&
              ((cJSON_IsObject(map) && map->child) ||
               rv_json_fail(&index, map ? map : index.root, error,
                            "expected \"weight_map\", which has a file's name for each tensor"));
    for (const cJSON *item = ok ? map->child : NULL; ok && item; item = item->next)
        ok = add_shard(files, first, &index, item, error);
    cJSON_Delete(index.root);
    rv_free(text);
    return ok;
}

bool shards_expand(char **paths, int count, file_list *files, rv_error *error)
{
    static const char ending[] = ".index.json";
    bool ok = true;
    *files = (file_list){0};
    for (int i = 0; ok && i < count; i++) {
        const size_t length = strlen(paths[i]), end = sizeof ending - 1;
        const bool listed = length >= end && strcmp(paths[i] + length - end, ending) == 0;
        ok = (listed ? add_index : add)(files, paths[i], error);
    }
    return ok;
}

void file_list_free(file_list *files)
{
    for (size_t i = 0; i < files->count; i++) rv_free(files->at[i]);
    rv_free(files->at);
    *files = (file_list){0};
}
