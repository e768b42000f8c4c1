#include <errno.h>
#include <math.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/utf8_internal.h"
#include "train/json_internal.h"

const char *rv_exact_text(double number, char text[RV_NUMBER_TEXT])
{
    for (int digits = 15; digits <= 17; digits++) {
        rv_text to = {text, text + RV_NUMBER_TEXT};
        rv_put(&to, "%.*g", digits, number);
        if (rv_number(text, NULL) == number) break;
    }
    return text;
}

cJSON *rv_json_exact(double number)
{
    char text[RV_NUMBER_TEXT];
    return isfinite(number) ? cJSON_CreateRaw(rv_exact_text(number, text)) : cJSON_CreateNull();
}

bool rv_json_add_exact(cJSON *object, const char *key, double number)
{
    cJSON *item = rv_json_exact(number);
    if (cJSON_AddItemToObject(object, key, item)) return true;
    cJSON_Delete(item);
    return false;
}

/* Copies one character of a printed document, whose characters above '~' are all in strings, and advances *text. */
static char *copy_character(char *to, const char **text, const char *end)
{
    char shown[RV_VISIBLE] = {**text, '\0'};
    if (**text == 0x7f) {
        *to++ = '\\';
        memcpy(shown, "u007f", sizeof "u007f");
    }
    size_t length = **text & 0x80 ? rv_visible(*text, (size_t)(end - *text), shown) : 1;
    if (**text & 0x80 && shown[0] == '\\' && shown[1] == 'x') *to++ = '\\';
    *text += length;
    return (char *)memcpy(to, shown, strlen(shown)) + strlen(shown);
}

char *rv_json_text(const cJSON *document, bool indented)
{
    char *printed = indented ? cJSON_Print(document) : cJSON_PrintUnformatted(document);
    size_t size = printed ? strlen(printed) : 0, most = sizeof "\n";
    for (size_t i = 0; i < size; i++)
        most += printed[i] & 0x80 || printed[i] == 0x7f ? RV_VISIBLE : 1;
    char *text = printed ? rv_alloc(most, 1) : NULL, *to = text;
    for (const char *at = printed; text && at < printed + size;)
        to = copy_character(to, &at, printed + size);
    if (text && indented) *to = '\n';
    cJSON_free(printed);
    return text;
}

cJSON *rv_json_object(const char *text, const char *path, rv_error *error)
{
    if (!rv_json_flat(text, strlen(text))) {
        rv_fail(error, RV_ERROR_FORMAT,
                "\"%.500s\": more than %d nested brackets; expected an object of numbers, texts "
                "and lists",
                path, RV_JSON_DEEPEST);
        return NULL;
    }
    errno = 0;
    cJSON *object = cJSON_ParseWithOpts(text, NULL, true);
    if (cJSON_IsObject(object)) return object;
    if (!object && errno == ENOMEM)
        rv_fail_memory(error);
    else
        rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" is not a JSON object", path);
    cJSON_Delete(object);
    return NULL;
}
