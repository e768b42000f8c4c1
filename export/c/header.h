#ifndef RV_EXPORT_C_HEADER_H
#define RV_EXPORT_C_HEADER_H

#include "export/c/template.h"

/* Writes NAME.h: the struct of a net and its functions. */
void rv_c_put_header(const rv_c_template *w);

/* The numbers in that struct, and those that net_save writes. */
int64_t rv_c_struct_size(const rv_c_parts *p, const rv_c_functions *f);
int64_t rv_c_saved_size(const rv_c_parts *p);

#endif
