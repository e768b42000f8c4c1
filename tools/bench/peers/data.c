#include "tools/bench/peers/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(const rv_archive *archive, const char *key)
{
    for (size_t i = 0; i < archive->metadata_count; i++)
        if (!strcmp(archive->metadata[i].key, key)) return archive->metadata[i].value;
    return "0";
}

bool numbers_read(numbers *n, const char *folder, const char *workload, char why[SERVE_TEXT])
{
    static const char forward[] = "-forward";
    char path[4096];
    rv_error error = {0};
    *n = (numbers){0};
    snprintf(n->base, sizeof n->base, "%s", workload);
    char *suffix = strstr(n->base, forward);
    if (suffix) *suffix = '\0';
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, n->base);
    if (!rv_safetensors_read(path, &n->archive, &error))
        return snprintf(why, SERVE_TEXT, "%s", error.text), false;
    n->training = !suffix && numbers_find(n, "y");
    n->rate = atof(setting(&n->archive, "rate"));
    n->checked = atoi(setting(&n->archive, "checked"));
    return true;
}

void numbers_free(numbers *n)
{
    rv_archive_free(&n->archive);
    *n = (numbers){0};
}

const float *numbers_find(const numbers *n, const char *name)
{
    const rv_tensor *tensor = rv_archive_find(&n->archive, name);
    return tensor ? tensor->data : NULL;
}
