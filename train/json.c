#include <errno.h>
#include <math.h>
#include <stdarg.h>
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

bool rv_json_add(cJSON *object, const char *key, cJSON *item)
{
    if (object && item && cJSON_AddItemToObject(object, key, item)) return true;
    cJSON_Delete(item);
    return false;
}

bool rv_json_add_exact(cJSON *object, const char *key, double number)
{
    return rv_json_add(object, key, rv_json_exact(number));
}

/* The item after `at` in the order of the text. `outer` has those that contain it. */
static cJSON *next_item(cJSON *at, cJSON *outer[RV_JSON_DEEPEST + 1], int *depth)
{
    if (at->child && *depth <= RV_JSON_DEEPEST) {
        outer[(*depth)++] = at;
        return at->child;
    }
    while (!at->next && *depth > 0) at = outer[--*depth];
    return *depth > 0 ? at->next : NULL;
}

bool rv_json_exact_all(cJSON *document)
{
    cJSON *outer[RV_JSON_DEEPEST + 1];
    int depth = 0;
    for (cJSON *at = document; at; at = next_item(at, outer, &depth)) {
        if (!cJSON_IsNumber(at) || !isfinite(at->valuedouble)) continue;
        char number[RV_NUMBER_TEXT];
        rv_exact_text(at->valuedouble, number);
        at->valuestring = cJSON_malloc(sizeof number);
        if (!at->valuestring) return false;
        memcpy(at->valuestring, number, sizeof number);
        at->type = (at->type & ~0xff) | cJSON_Raw;
    }
    return true;
}

/* Copies one character of a printed document, whose characters above '~' are all in strings, and
 * advances *text. */
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

/* ---- locations ---- */

static const char spaces[] = " \t\r\n";

/* The bytes of a byte order mark, which cJSON skips. */
static size_t mark_of(const char *text) { return strncmp(text, "\xef\xbb\xbf", 3) ? 0 : 3; }

static bool fail_at(const char *text, const char *at, const char *path, rv_error *error,
                    const char *message)
{
    int line = 1, column = 1;
    for (text += mark_of(text); text < at; text++) {
        column = *text == '\n' ? 1 : column + ((*text & 0xc0) != 0x80); /* characters of UTF-8 */
        line += *text == '\n';
    }
    return rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" line %d, column %d: %-s", path, line, column,
                   message);
}

/* The number of the document's values that begin before the item does. */
static int index_of(cJSON *document, const cJSON *item)
{
    cJSON *outer[RV_JSON_DEEPEST + 1];
    int index = 0, depth = 0;
    for (cJSON *at = document; at && at != item; index++) at = next_item(at, outer, &depth);
    return index;
}

/* Where the value of this index begins or, if it has a key, the key does. */
static const char *value_at(const char *text, int index)
{
    const char *key = NULL;
    for (const char *at = text + mark_of(text); *at != '\0';) {
        at += strspn(at, " \t\r\n,:]}");
        const char *begin = at;
        if (*at == '"') {
            for (at++; *at != '\0' && *at != '"'; at++) at += *at == '\\' && at[1] != '\0';
            at += *at == '"';
            if (at[strspn(at, spaces)] == ':') {
                key = begin;
                continue;
            }
        } else {
            at += *at == '{' || *at == '[' ? 1 : strcspn(at, " \t\r\n,]}");
        }
        if (index-- == 0) return key ? key : begin;
        key = NULL;
    }
    return text;
}

bool rv_json_fail(const rv_json *json, const cJSON *item, rv_error *error, const char *format, ...)
{
    char message[RV_ERROR_TEXT];
    va_list arguments;
    va_start(arguments, format);
    rv_format(message, sizeof message, format, arguments);
    va_end(arguments);
    return fail_at(json->text, value_at(json->text, index_of(json->root, item)), json->path, error,
                   message);
}

const char *rv_json_shown(const cJSON *item, char text[RV_ERROR_TEXT / 4])
{
    char number[RV_NUMBER_TEXT];
    rv_text to = {text, text + RV_ERROR_TEXT / 4};
    if (cJSON_IsString(item))
        rv_put(&to, "\"%.100s\"", item->valuestring);
    else if (cJSON_IsNumber(item))
        rv_put(&to, "%s", rv_exact_text(item->valuedouble, number));
    else
        rv_put(&to, cJSON_IsArray(item)    ? "a list"
                    : cJSON_IsObject(item) ? "an object"
                    : cJSON_IsTrue(item)   ? "true"
                    : cJSON_IsFalse(item)  ? "false"
                                           : "null");
    return text;
}

/* ---- parsing ---- */

/* What must come at *at, where cJSON gave up: there, or one character after what it did not expect,
 * to which *at moves back. *depth becomes the number of open brackets. */
static const char *expected(const char *text, const char **at, int *depth)
{
    static const char first[] = "a key in double quotes, or }", key[] = "a key in double quotes",
                      value[] = "a value", colon[] = "a colon", next[] = "";
    char open[RV_JSON_DEEPEST + 1];
    const char *wants = value;
    *depth = 0;
    for (const char *c = text + mark_of(text); c < *at; c++) {
        if (strchr(spaces, *c)) continue;
        if (*c != '"' && (wants == key || (wants == first && *c != '}'))) {
            *at = c;
        } else if (*c == '"') {
            for (c++; c < *at && *c != '"'; c++) c += *c == '\\';
            if (c >= *at) return "a text that ends with a double quote";
            wants = wants == key || wants == first ? colon : next;
        } else if ((*c == '{' || *c == '[') && *depth <= RV_JSON_DEEPEST) {
            open[(*depth)++] = *c;
            wants = *c == '{' ? first : value;
        } else if (*c == ',' && *depth > 0) {
            wants = open[*depth - 1] == '{' ? key : value;
        } else if (*c == ':') {
            wants = value;
        } else {
            *depth -= (*c == '}' || *c == ']') && *depth > 0;
            wants = next;
        }
    }
    if (wants != next) return wants;
    return *depth == 0 ? "the end of the text" : open[*depth - 1] == '{' ? ", or }" : ", or ]";
}

static bool fail_syntax(const char *text, const char *at, const char *path, rv_error *error)
{
    enum { SHOWN = 48 };
    char message[RV_ERROR_TEXT / 4];
    rv_text to = {message, message + sizeof message};
    int depth;
    const char *wanted = expected(text, &at, &depth);
    const int length = (int)strcspn(at, "\n");
    const char *begin = text + mark_of(text);
    if (begin[strspn(begin, spaces)] == '\0')
        rv_put(&to, "the file is empty, expected a JSON object: {..}");
    else if (at[strspn(at, spaces)] == '\0' && depth > 0)
        rv_put(&to, "the text ends, but its JSON object does not");
    else
        rv_put(&to, "got %.*s, expected %s", length < SHOWN ? length : SHOWN, at, wanted);
    return fail_at(text, at, path, error, message);
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
    char seen[RV_ERROR_TEXT / 4];
    const char *end = text;
    cJSON *object = cJSON_ParseWithOpts(text, &end, true);
    if (cJSON_IsObject(object)) return object;
    if (!object && errno == ENOMEM)
        rv_fail_memory(error);
    else if (!object)
        fail_syntax(text, end, path, error);
    else
        rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" is %-s, expected a JSON object: {..}", path,
                rv_json_shown(object, seen));
    cJSON_Delete(object);
    return NULL;
}
