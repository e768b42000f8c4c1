/* Arrays in files, whatever the format, and the source made of two of them. Private to data/. */
#ifndef RV_DATA_ARRAY_INTERNAL_H
#define RV_DATA_ARRAY_INTERNAL_H

#include "data/element_internal.h"
#include "data/files.h"
#include "data/input_internal.h"

typedef struct rv_array {
    rv_input_file input;
    int64_t offset; /* of the first element, in bytes */
    rv_element element;
    rv_shape shape; /* axis 0: samples */
    bool bits;      /* bytes that are 0 or 1, no pixels */
} rv_array;

void rv_array_close(rv_array *array);

/* What follows a header: array->shape must take all bytes from array->offset to the end. */
bool rv_array_check(const rv_array *array, rv_error *error);

/* Elements first .. first+count-1 into `to`, as rv_element_read. */
bool rv_array_read(const rv_array *array, int64_t first, int64_t count, rv_dtype type, double scale,
                   void *to, rv_error *error);

/* The .npy file that array->input is: fills in the rest. */
bool rv_array_npy(rv_array *array, rv_error *error);

/* Takes over the arrays, in any case; those that are missing ({0}): *length. */
bool rv_source_arrays(rv_source *source, rv_array *x, rv_array *y, rv_array *length,
                      const rv_array_options *options, rv_error *error);

/* The same from two files, whose headers `read_header` reads. */
bool rv_source_pair(rv_source *source, const char *x_path, const char *y_path,
                    bool (*read_header)(rv_array *array, rv_error *error),
                    const rv_array_options *options, rv_error *error);

#endif
