#include "lang/resolve/net_options.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef enum kind { WHOLE, FLAG, SHARE, FORGET, WORD } kind;

static const struct {
    const char *name;
    kind kind;
    size_t offset;
} options[] = {
    {"units", WHOLE, offsetof(rv_rnn_options, units)},
    {"kernel", WHOLE, offsetof(rv_rnn_options, kernel)},
    {"layers", WHOLE, offsetof(rv_rnn_options, layers)},
    {"recompute", WHOLE, offsetof(rv_rnn_options, recompute)},
    {"bias", FLAG, offsetof(rv_rnn_options, bias)},
    {"layer_norm", FLAG, offsetof(rv_rnn_options, layer_norm)},
    {"bidirectional", FLAG, offsetof(rv_rnn_options, bidirectional)},
    {"residual", FLAG, offsetof(rv_rnn_options, residual)},
    {"reverse", FLAG, offsetof(rv_rnn_options, reverse)},
    {"skip", FLAG, offsetof(rv_rnn_options, skip)},
    {"learned_start", FLAG, offsetof(rv_rnn_options, learned_start)},
    {"same_dropout", FLAG, offsetof(rv_rnn_options, same_dropout)},
    {"dropout", SHARE, offsetof(rv_rnn_options, dropout)},
    {"recurrent_dropout", SHARE, offsetof(rv_rnn_options, recurrent_dropout)},
    {"forget", FORGET, offsetof(rv_rnn_options, forget_shift)},
    {"name", WORD, offsetof(rv_rnn_options, name)},
};

int rv_lang_net_option(const char *name, rv_guess *guess)
{
    int found = -1;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!strcmp(options[i].name, name)) found = (int)i;
        rv_guess_try(guess, options[i].name);
    }
    return found;
}

bool rv_lang_is_cell_option(int option)
{
    static const char *const of_cells[] = {"units",      "kernel", "bias",
                                           "layer_norm", "forget", "name"};
    for (size_t i = 0; option >= 0 && i < sizeof of_cells / sizeof *of_cells; i++)
        if (!strcmp(options[option].name, of_cells[i])) return true;
    return false;
}

bool rv_lang_set_net_option(rv_rnn_options *o, int option, double number, const char *word,
                            const char **expected)
{
    void *field = (char *)o + options[option].offset;
    bool whole = number == floor(number) && number >= 0 && number <= 1e9;
    switch (options[option].kind) {
    case WHOLE:
        *expected = "a whole number";
        if (!word && whole) *(int64_t *)field = (int64_t)number;
        return !word && whole;
    case FLAG:
        *expected = "true or false";
        if (!word && (number == 0 || number == 1)) *(bool *)field = number != 0;
        return !word && (number == 0 || number == 1);
    case SHARE:
        *expected = "a probability from 0 to below 1";
        if (!word && number >= 0 && number < 1) *(double *)field = number;
        return !word && number >= 0 && number < 1;
    case FORGET:
        *expected = "a number";
        if (!word) *(double *)field = number - 1;
        return !word;
    default:
        *expected = "a text, as in name=\"encoder\"";
        if (word) *(const char **)field = word;
        return word;
    }
}
