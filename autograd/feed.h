/* Values and batches into the inputs of programs. */
#ifndef RV_AUTOGRAD_FEED_H
#define RV_AUTOGRAD_FEED_H

#include "autograd/program.h"
#include "tensor/batch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Copies a value of any dtype into an input of as many elements and the same first axis, or of the
 * same shape but for axes of size 1. RV_ERROR_NAME, RV_ERROR_SHAPE. */
bool rv_feed(rv_program *program, const char *name, const rv_tensor *value, rv_error *error);

/* Feeds x, y and length to the program's inputs "x", "y" and "length"; one that it does not have
 * is passed over. NULL, which is what rv_loader_next returns at the end of an epoch, is false
 * without an error, so an epoch is
 *     while (rv_feed_batch(program, rv_loader_next(loader, &error), &error)) rv_run(program);
 * RV_ERROR_SHAPE for a batch of another size; RV_ERROR_ARGUMENT for a NULL program. */
bool rv_feed_batch(rv_program *program, const rv_batch *batch, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
