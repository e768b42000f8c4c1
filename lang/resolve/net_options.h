/* The options of nets, by name: unroll gru(x, units=8, layers=2). */
#ifndef RV_LANG_RESOLVE_NET_OPTIONS_H
#define RV_LANG_RESOLVE_NET_OPTIONS_H

#include "models/rnn.h"
#include "tensor/name_internal.h"

/* The index of an option, or -1. The guess tries all names. */
int rv_lang_net_option(const char *name, rv_guess *guess);

/* Whether the option is one of a cell, not of the net around it. */
bool rv_lang_is_cell_option(int option);

/* Sets an option to a number or a word. If it does not take the value, returns false and sets
 * *expected to what it takes. */
bool rv_lang_set_net_option(rv_rnn_options *options, int option, double number, const char *word,
                            const char **expected);

#endif
