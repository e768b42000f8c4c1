/* Looking things up by name, with errors that list the known names and guess the one meant. */
#ifndef RV_TOOLS_CLI_NAMES_H
#define RV_TOOLS_CLI_NAMES_H

#include "recurve.h"

/* A built-in model by its name, or one of a text: FILE, FILE:NAME. NULL and an error when there is none. *lang is the text
 * that owns the model, for rv_lang_free after its last use, or NULL. */
const rv_model *named_model(const char *name, rv_lang **lang, rv_error *error);

const rv_model *built_in_model(const char *name, rv_error *error);

/* Whether a model's name is FILE or FILE:NAME: there is a / in it, or FILE ends in .rv. *file (unless NULL) is the
 * length of FILE. */
bool names_file(const char *name, size_t *file);

/* NULL and an error when there is none of that name. */
const rv_optimizer *named_optimizer(const char *name, rv_error *error);
const rv_op *named_op(const char *name, rv_error *error);

/* The names of a list whose length goes with it. */
typedef const char *(*name_at)(const void *list, int index);

/* unknown WHAT "SEEN"; did you mean ...? Known: ... */
void fail_unknown(const char *what, const char *seen, name_at name, const void *list, int count,
                  rv_error *error);

#endif
