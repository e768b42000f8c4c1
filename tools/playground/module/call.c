#include "tools/playground/module/call.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/playground/module/session.h"
#include "train/json_internal.h"

#define FUNCTION(name) page_function page_##name;
#include "tools/playground/module/functions.def"
#undef FUNCTION

static const struct {
    const char *name;
    page_function *function;
} functions[] = {
#define FUNCTION(name) {#name, page_##name},
#include "tools/playground/module/functions.def"
#undef FUNCTION
};

enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static struct {
    char *text; /* of the last result */
    float *numbers;
    size_t count, room;
} page;

const float *page_numbers(void) { return page.numbers; }

size_t page_number_count(void) { return page.count; }

/* ---- arguments and results ---- */

const char *page_text(const page_task *task, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(task->arguments, name));
    return text ? text : "";
}

double page_number(const page_task *task, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(task->arguments, name);
    return cJSON_IsNumber(item) ? item->valuedouble : cJSON_IsTrue(item) ? 1 : 0;
}

float *page_add_numbers(page_task *task, cJSON *object, const char *name, size_t n)
{
    if (page.count + n > page.room) {
        const size_t room = 2 * (page.count + n);
        float *numbers = realloc(page.numbers, room * sizeof *numbers);
        if (!numbers) {
            rv_fail(task->error, RV_ERROR_MEMORY, "out of memory");
            return NULL;
        }
        page.numbers = numbers;
        page.room = room;
    }
    cJSON *place = cJSON_AddArrayToObject(object, name);
    cJSON_AddItemToArray(place, cJSON_CreateNumber((double)page.count));
    cJSON_AddItemToArray(place, cJSON_CreateNumber((double)n));
    page.count += n;
    return page.numbers + page.count - n;
}

bool page_add_tensor(page_task *task, cJSON *object, const char *name, const rv_tensor *tensor)
{
    const int64_t n = rv_tensor_count(tensor);
    float *numbers = page_add_numbers(task, object, name, (size_t)n);
    for (int64_t i = 0; numbers && i < n; i++) numbers[i] = (float)rv_tensor_get(tensor, i);
    return numbers != NULL;
}

cJSON *page_append(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(array, object);
    return object;
}

/* ---- calls ---- */

static page_function *find(const char *name, rv_error *error)
{
    for (int i = 0; i < FUNCTIONS; i++) {
        if (strcmp(functions[i].name, name) == 0) return functions[i].function;
    }
    rv_fail(error, RV_ERROR_NAME, "the module has no function \"%s\"", name);
    return NULL;
}

/* The result, or the error, as text. NULL when out of memory. */
static char *answer(cJSON *result, bool ok, const rv_error *error)
{
    cJSON *document = cJSON_CreateObject();
    if (ok) {
        cJSON_AddItemToObject(document, "result", result);
    } else {
        cJSON_Delete(result);
        cJSON *member = cJSON_AddObjectToObject(document, "error");
        cJSON_AddStringToObject(member, "code", rv_code_text(error->code));
        cJSON_AddStringToObject(member, "text", error->text);
    }
    char *text = rv_json_text(document, false);
    cJSON_Delete(document);
    return text;
}

const char *page_call(const char *name, const char *arguments)
{
    rv_error error = {0};
    rv_free(page.text);
    page.count = 0;
    cJSON *object = rv_json_object(arguments, "the arguments", &error);
    page_function *function = object ? find(name, &error) : NULL;
    page_task task = {object, cJSON_CreateObject(), &error};
    page.text = answer(task.result, function && function(&task), &error);
    cJSON_Delete(object);
    return page.text ? page.text
                     : "{\"error\": {\"code\": \"out of memory\", \"text\": \"out of memory\"}}";
}

void page_close(void)
{
    session_close();
    rv_free(page.text);
    free(page.numbers);
    memset(&page, 0, sizeof page);
}
