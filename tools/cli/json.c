#include "tools/cli/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void json_add_error(cJSON *object, const char *name, double error)
{
    if (isfinite(error))
        cJSON_AddNumberToObject(object, name, error);
    else
        cJSON_AddNullToObject(object, name);
}

cJSON *json_exact(double number)
{
    char text[32];
    if (!isfinite(number)) return cJSON_CreateNull();
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    return cJSON_CreateRaw(text);
}

bool json_print(cJSON *document, rv_error *error)
{
    char *text = document ? cJSON_Print(document) : NULL;
    cJSON_Delete(document);
    if (!text) return rv_fail_memory(error);
    puts(text);
    cJSON_free(text);
    return true;
}
