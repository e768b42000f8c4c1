/* The check that a caller gave what a function needs. */
#ifndef RV_TENSOR_NEEDS_INTERNAL_H
#define RV_TENSOR_NEEDS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"
#include "tensor/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether none of these pointers, arguments of the calling function, is NULL. If one is,
 * RV_ERROR_ARGUMENT: "rv_store_save: path is NULL; give one". */
#define RV_NEEDS(error, ...) \
    rv_needs(error, __func__, #__VA_ARGS__, (const void *const[]){__VA_ARGS__}, \
             sizeof((const void *const[]){__VA_ARGS__}) / sizeof(void *))

/* `names`: of the pointers, separated by commas. */
bool rv_needs(rv_error *error, const char *function, const char *names, const void *const *pointers,
              size_t count);

/* The same for an array, which may be NULL if it has no elements, and its count, which is not
 * negative. */
#define RV_NEEDS_ARRAY(error, array, count) rv_needs_array(error, __func__, #array, array, count)
bool rv_needs_array(rv_error *error, const char *function, const char *name, const void *array,
                    int64_t count);

/* The same for named tensors, all of which have a name and pass rv_tensor_check; and for an
 * archive. */
bool rv_needs_tensors(rv_error *error, const char *function, const rv_named_tensor *tensors,
                      int64_t count);
bool rv_needs_archive(rv_error *error, const char *function, const rv_archive *archive);

#ifdef __cplusplus
}
#endif

#endif
