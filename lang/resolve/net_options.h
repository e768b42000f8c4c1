/* The options of nets, by name: unroll gru(x, units=8, layers=2). */
#ifndef RV_LANG_RESOLVE_NET_OPTIONS_H
#define RV_LANG_RESOLVE_NET_OPTIONS_H

#include "models/rnn.h"
#include "tensor/name_internal.h"

/* The index of an option, -1: unknown. The guess tries all names. */
int rv_lang_net_option(const char *name, rv_guess *guess);

/* Sets an option to a number or a word. False, with the values allowed in *expected: not such a value. */
bool rv_lang_set_net_option(rv_rnn_options *options, int option, double number, const char *word,
                            const char **expected);

#endif
