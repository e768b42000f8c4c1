#include "tools/cli/json.h"

#include <math.h>
#include <stdio.h>

#include "tensor/memory.h"
#include "train/json_internal.h"

void json_add_number(cJSON *object, const char *name, double number)
{
    if (isfinite(number))
        cJSON_AddNumberToObject(object, name, number);
    else
        cJSON_AddNullToObject(object, name);
}

void json_add_amount(cJSON *object, const char *name, double amount)
{
    json_add_number(object, name, amount > 0 ? amount : NAN);
}

void json_add_shape(cJSON *object, const char *name, rv_shape shape)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);
    for (int d = 0; d < shape.rank; d++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)shape.dim[d]));
}

bool json_print(cJSON *document, rv_error *error)
{
    char *text = rv_json_text(document, true);
    cJSON_Delete(document);
    if (!text) return rv_fail_memory(error);
    fputs(text, stdout);
    rv_free(text);
    return true;
}
