/* Models, optimizers and ops by name, with errors that list the known names and suggest the
 * nearest. Not part of the public interface. */
#ifndef RV_TRAIN_SETUP_LOOKUP_H
#define RV_TRAIN_SETUP_LOOKUP_H

#include "lang/lang.h"
#include "lang/zoo.h"
#include "ops/ops.h"
#include "optim/optim.h"

/* A built-in model by its name, or one from a file of equations: FILE, FILE:NAME. `folders`: see
 * rv_lang_open. NULL and an error when there is none. *lang owns a model from a file: free it with
 * rv_lang_free after the model's last use. It is NULL for a built-in model. */
const rv_model *rv_lookup_model(const char *name, const char *folders, rv_lang **lang,
                                rv_error *error);

const rv_model *rv_lookup_built_in(const char *name, rv_error *error);

/* Whether the first `length` characters of the text end in `end`. */
bool rv_ends_in(const char *text, size_t length, const char *end);

/* Whether a model's name is FILE or FILE:NAME, which has a / or a FILE that ends in .rv. *file,
 * unless NULL, becomes the length of FILE. */
bool rv_names_file(const char *name, size_t *file);

/* NULL and an error when there is none of that name. */
const rv_optimizer *rv_lookup_optimizer(const char *name, rv_error *error);
const rv_op *rv_lookup_op(const char *name, rv_error *error);

/* The name of an element of a list. */
typedef const char *(*rv_name_at)(const void *list, int index);

/* unknown WHAT "SEEN"; did you mean ...? Without a near name: Known: ... */
void rv_fail_unknown(const char *what, const char *seen, rv_name_at name, const void *list,
                     int count, rv_error *error);

#endif
