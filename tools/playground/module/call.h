/* The functions of the playground's page. Each takes the members of a JSON object and returns JSON;
 * page/src/protocol.ts has their types. A page has one state, so this module has one, too; the
 * library below it keeps none. */
#ifndef RV_TOOLS_PLAYGROUND_MODULE_CALL_H
#define RV_TOOLS_PLAYGROUND_MODULE_CALL_H

#include <cjson/cJSON.h>

#include "recurve.h"

/* Calls the function `name` with the JSON object `arguments`. Returns {"result": {..}} or {"error":
 * {"code": "bad format", "text": ".."}}, valid until the next call. Never NULL. */
const char *page_call(const char *name, const char *arguments);

/* The numbers that the last result refers to as [start, count]. Valid until the next call. */
const float *page_numbers(void);
size_t page_number_count(void);

/* Frees all runs and results, so that a test finds leaks. */
void page_close(void);

/* ---- for the functions ---- */

/* A function adds members to `result`, or returns false with an error. It does not check for
 * memory: a result that lacks parts for want of memory is replaced by an error, because the page's
 * memory is small then. */
typedef struct page_task {
    const cJSON *arguments;
    cJSON *result; /* an object */
    rv_error *error;
} page_task;

typedef bool page_function(page_task *task);

/* An argument. The string is "" and the number 0 if there is none. */
const char *page_text(const page_task *task, const char *name);
double page_number(const page_task *task, const char *name);

/* Adds the member `name` of `object` as [start, count], and returns where the n numbers belong. The
 * next call may move them. NULL and an error when out of memory. */
float *page_add_numbers(page_task *task, cJSON *object, const char *name, size_t n);

/* Adds all elements of a tensor. */
bool page_add_tensor(page_task *task, cJSON *object, const char *name, const rv_tensor *tensor);

/* Appends an object to an array. */
cJSON *page_append(cJSON *array);

#endif
