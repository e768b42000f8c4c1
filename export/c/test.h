#ifndef RV_EXPORT_C_TEST_H
#define RV_EXPORT_C_TEST_H

#include "export/c/parts.h"
#include "export/text_internal.h"

/* Writes NAME_test.c: the exported net's results beside those of this library, on samples drawn
 * from the store's seed. */
bool rv_c_write_test(const rv_c_parts *p, const rv_store *store, rv_writer *w, rv_error *error);

#endif
