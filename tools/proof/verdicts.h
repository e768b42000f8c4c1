/* Verdicts on the gradients of models and on the lines of derivations, as text and as JSON. */
#ifndef RV_TOOLS_PROOF_VERDICTS_H
#define RV_TOOLS_PROOF_VERDICTS_H

#include <cjson/cJSON.h>

#include "recurve.h"

/* Verdicts on one text, in the order of rv_lang_prove. */
typedef struct verdicts {
    const char *path, *text; /* for headings, and for excerpts */
    const rv_lang_verdict *at;
    int count;
} verdicts;

/* Prints a heading and the verdicts for each model and each derivation. */
void verdicts_print(const verdicts *v);

cJSON *verdict_to_json(const rv_lang_verdict *v);

#endif
