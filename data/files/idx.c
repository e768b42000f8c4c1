/* IDX files, the format of MNIST: two zero bytes, a type byte, the rank, the dimensions as 32-bit
 * big-endian numbers, then the elements, big-endian and row-major.
 * (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".) */
#include <inttypes.h>

#include "data/files/array.h"
#include "tensor/needs_internal.h"

static bool element_of(unsigned char type, rv_element *element)
{
    switch (type) {
    case 0x08: *element = (rv_element){RV_UNSIGNED, 1, true}; return true;
    case 0x09: *element = (rv_element){RV_SIGNED, 1, true}; return true;
    case 0x0B: *element = (rv_element){RV_SIGNED, 2, true}; return true;
    case 0x0C: *element = (rv_element){RV_SIGNED, 4, true}; return true;
    case 0x0D: *element = (rv_element){RV_FLOAT, 4, true}; return true;
    case 0x0E: *element = (rv_element){RV_FLOAT, 8, true}; return true;
    default: return false;
    }
}

static bool read_header(rv_array *array, rv_error *error)
{
    unsigned char head[4], dims[4 * RV_MAX_RANK];
    if (!rv_input_read(&array->input, 0, head, sizeof head, error)) return false;
    if (head[0] != 0 || head[1] != 0 || !element_of(head[2], &array->element)) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" is not an IDX file: it begins with %02x %02x %02x %02x; "
                       "expected 00 00, a type (08, 09, 0b to 0e) and the number of dimensions",
                       array->input.name, head[0], head[1], head[2], head[3]);
    }
    if (head[3] < 1 || head[3] > RV_MAX_RANK) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" has an array of %d dimension(s); expected 1 to %d",
                       array->input.name, head[3], (int)RV_MAX_RANK);
    }
    size_t bytes = 4u * head[3];
    if (!rv_input_read(&array->input, sizeof head, dims, bytes, error)) return false;
    array->shape.rank = head[3];
    for (int i = 0; i < head[3]; i++) {
        const unsigned char *d = dims + 4 * i;
        array->shape.dim[i] =
            (int64_t)((uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3]);
    }
    array->offset = (int64_t)(sizeof head + bytes);
    return rv_array_check(array, error);
}

bool rv_source_idx(rv_source *source, const char *x_path, const char *y_path,
                   const rv_file_options *options, rv_error *error)
{
    if (!RV_NEEDS(error, source, x_path, y_path)) return false;
    return rv_source_pair(source, "IDX", x_path, y_path, read_header, options, error);
}
