/* The options of nets, by name: unroll gru(x, units=8, layers=2). */
#ifndef RV_LANG_RESOLVE_NET_OPTIONS_H
#define RV_LANG_RESOLVE_NET_OPTIONS_H

#include "models/rnn.h"
#include "tensor/name_internal.h"

/* Which one it is, -1: none. The guess tries them all. */
int rv_lang_net_option(const char *name, rv_guess *guess);

/* Sets it, a number or a word. False, with what was expected in *expected, for a value that it does not take. */
bool rv_lang_set_net_option(rv_rnn_options *options, int option, double number, const char *word,
                            const char **expected);

#endif
