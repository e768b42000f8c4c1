/* Copies values and batches into the inputs of a program. */
#ifndef RV_AUTOGRAD_FEED_H
#define RV_AUTOGRAD_FEED_H

#include "program.h"
#include "../tensor/batch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Copies a value of any dtype into the named input. Either both have the same first axis and the
 * same number of elements, or their shapes are equal apart from axes of size 1. RV_ERROR_NAME,
 * RV_ERROR_SHAPE. */
bool rv_feed(rv_program *program, const char *name, const rv_tensor *value, rv_error *error);

/* Feeds x, y and length to the program's inputs "x", "y" and "length", and skips inputs that the
 * program lacks. Returns false without an error for a NULL batch, which rv_loader_next returns at
 * the end of an epoch. So an epoch is
 *     while (rv_feed_batch(program, rv_loader_next(loader, &error), &error)) rv_run(program);
 * RV_ERROR_SHAPE for a batch of another size; RV_ERROR_ARGUMENT for a NULL program. */
bool rv_feed_batch(rv_program *program, const rv_batch *batch, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
