/* Values for a model's inputs. */
#ifndef RV_LANG_RECORD_INPUTS_H
#define RV_LANG_RECORD_INPUTS_H

#include "lang/record/run.h"
#include "tensor/archive.h"

/* Makes values for a model's inputs: copies of those given, the others drawn as declared. The
 * caller frees them with rv_lang_free_tensors. */
bool rv_lang_draw(const lang_run *run, const rv_named_tensor *given, int given_count, uint64_t seed,
                  rv_named_tensor **drawn, int *count, rv_error *error);
/* Copies a given value into an input or a parameter of the same shape. */
bool rv_lang_give(rv_tensor *to, const rv_named_tensor *given, rv_error *error);
void rv_lang_free_tensors(rv_named_tensor *tensors, int count);

#endif
