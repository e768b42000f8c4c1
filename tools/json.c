#include "tools/json.h"

#include <math.h>
#include <stdio.h>

void json_add_error(cJSON *object, const char *name, double error)
{
    if (isfinite(error))
        cJSON_AddNumberToObject(object, name, error);
    else
        cJSON_AddNullToObject(object, name);
}

bool json_print(cJSON *document, rv_error *error)
{
    char *text = document != NULL ? cJSON_Print(document) : NULL;
    cJSON_Delete(document);
    if (text == NULL) return rv_fail_memory(error);
    puts(text);
    cJSON_free(text);
    return true;
}
