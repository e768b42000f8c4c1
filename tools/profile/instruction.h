/* The equation of an instruction, as text. */
#ifndef RV_TOOLS_PROFILE_INSTRUCTION_H
#define RV_TOOLS_PROFILE_INSTRUCTION_H

#include "autograd/profile.h"
#include "autograd/tape.h"

typedef struct instruction_words {
    rv_phase phase;
    const char *scope; /* "step 2", "loss"; of an update, the parameter; may be "" */
    const char *kind;  /* the op's name, or "pointwise" */
    char *short_text;  /* "conv2d(x, Wxg)", or "tanh, sigmoid, .. (12 ops)" */
    char *text;        /* the same with the inputs' shapes */
    rv_shape shape;    /* of the result */
} instruction_words;

/* The texts are for instruction_words_free. A group of several origins is described by the most
 * frequent one. */
bool instruction_words_make(instruction_words *words, const rv_instruction *one, rv_error *error);
void instruction_words_free(instruction_words *words);

#endif
