#include "tools/json.h"

#include <stdio.h>

bool json_print(cJSON *document, rv_error *error)
{
    char *text = document != NULL ? cJSON_Print(document) : NULL;
    cJSON_Delete(document);
    if (text == NULL) return rv_fail_memory(error);
    puts(text);
    cJSON_free(text);
    return true;
}
