/* Arrays in files of any format, and the source made of them. Private to data/. */
#ifndef RV_DATA_FILES_ARRAY_H
#define RV_DATA_FILES_ARRAY_H

#include "data/files/element.h"
#include "data/files.h"
#include "data/files/input.h"

typedef struct rv_array {
    rv_input_file input;
    int64_t offset; /* of the first element, in bytes */
    rv_element element;
    rv_shape shape; /* axis 0: samples */
    bool bits;      /* bytes that are 0 or 1, not pixels */
} rv_array;

void rv_array_close(rv_array *array);

/* Checks that array->shape takes up exactly the bytes from array->offset to the end. */
bool rv_array_check(const rv_array *array, rv_error *error);

/* Reads elements first .. first+count-1 into `to`, as rv_element_read does. */
bool rv_array_read(const rv_array *array, int64_t first, int64_t count, rv_dtype type, double scale,
                   void *to, rv_error *error);

/* Parses array->input as an .npy file and fills in the other fields. */
bool rv_array_npy(rv_array *array, rv_error *error);

/* Takes ownership of the arrays, even on failure. *length may be {0}: there are no lengths.
 * `format` is static. */
bool rv_source_arrays(rv_source *source, rv_array *x, rv_array *y, rv_array *length,
                      const char *format, const rv_file_options *options, rv_error *error);

/* The same from two files; `read_header` parses their headers. */
bool rv_source_pair(rv_source *source, const char *format, const char *x_path, const char *y_path,
                    bool (*read_header)(rv_array *array, rv_error *error),
                    const rv_file_options *options, rv_error *error);

#endif
