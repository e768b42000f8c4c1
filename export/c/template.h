/* Templates of C code. */
#ifndef RV_EXPORT_C_TEMPLATE_H
#define RV_EXPORT_C_TEMPLATE_H

#include "export/c/functions.h"

/* What is written to `out`, and the texts that templates insert: $x stands for text['x']. The
 * prefix of names is net. */
typedef struct rv_c_template {
    const rv_c_parts *p;
    const rv_c_functions *f;
    const char *text[128];
    rv_writer *out;
} rv_c_template;

/* Writes a template. */
void rv_c_put(const rv_c_template *w, const char *template);

/* Writes the parameters of net_run or net_gradients, behind the net: ", const net_real *x, net_real
 * *output". */
void rv_c_put_arguments(const rv_c_template *w, const char *real, rv_c_which function);

static inline bool rv_c_trains(const rv_c_template *w) { return w->p->optimizer; }

/* Whether a character can be a part of a name. */
bool rv_c_is_name(char c);
/* Whether a text contains `what`, not as the end of a longer name. */
bool rv_c_uses(const rv_writer *w, const char *what);

#endif
