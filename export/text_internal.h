/* A text that grows. */
#ifndef RV_EXPORT_TEXT_INTERNAL_H
#define RV_EXPORT_TEXT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_writer {
    char *at; /* for rv_free; NULL if nothing was written */
    size_t length, capacity;
    bool failed; /* out of memory */
} rv_writer;

/* Appends, with the conversions of rv_fail. */
void rv_write(rv_writer *w, const char *format, ...) RV_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
