#ifndef RV_EXPORT_C_SOURCE_H
#define RV_EXPORT_C_SOURCE_H

#include "export/c/template.h"

/* Writes NAME.c. */
void rv_c_put_source(const rv_c_template *w);

#endif
