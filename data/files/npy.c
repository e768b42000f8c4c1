/* NumPy .npy files: a magic string, a version, the length of a header, the header (a Python
 * dictionary with type, order and shape), and the elements. (NumPy Enhancement Proposal 1, "A
 * simple file format for NumPy arrays".) */
#include <inttypes.h>
#include <string.h>

#include "data/files/array.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* The header of a plain array has about 100 bytes; longer ones describe structured types. */
enum { LONGEST_HEADER = 4096 };

typedef struct header {
    const char *name; /* of the file */
    const char *at;   /* the rest of the text, NUL-terminated */
    char type[32];
    bool fortran, has_type, has_order, has_shape;
    rv_shape shape;
} header;

static void skip_space(header *h)
{
    while (*h->at == ' ' || *h->at == '\n') h->at++;
}

static bool take(header *h, const char *word)
{
    skip_space(h);
    size_t length = strlen(word);
    if (strncmp(h->at, word, length) != 0) return false;
    h->at += length;
    return true;
}

/* A quoted string without escapes, shorter than 32 bytes. */
static bool take_string(header *h, char text[32])
{
    skip_space(h);
    char quote = *h->at;
    if (quote != '\'' && quote != '"') return false;
    const char *end = strchr(h->at + 1, quote);
    if (!end || end - h->at > 31) return false;
    size_t length = (size_t)(end - h->at) - 1;
    memcpy(text, h->at + 1, length);
    text[length] = '\0';
    h->at = end + 1;
    return true;
}

static bool take_number(header *h, int64_t *number)
{
    skip_space(h);
    if (*h->at < '0' || *h->at > '9') return false;
    *number = 0;
    for (; *h->at >= '0' && *h->at <= '9'; h->at++) {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, *h->at - '0', number)) {
            return false;
        }
    }
    take(h, "L"); /* Python 2 */
    return true;
}

static bool take_shape(header *h)
{
    if (!take(h, "(")) return false;
    h->shape = RV_SCALAR;
    while (!take(h, ")")) {
        if (h->shape.rank == RV_MAX_RANK || !take_number(h, &h->shape.dim[h->shape.rank])) {
            return false;
        }
        h->shape.rank++;
        if (!take(h, ",")) return take(h, ")");
    }
    return true;
}

static bool take_entry(header *h)
{
    char key[32];
    if (!take_string(h, key) || !take(h, ":")) return false;
    if (strcmp(key, "descr") == 0) return h->has_type = take_string(h, h->type);
    if (strcmp(key, "shape") == 0) return h->has_shape = take_shape(h);
    if (strcmp(key, "fortran_order") != 0) return false;
    h->fortran = take(h, "True");
    return h->has_order = h->fortran || take(h, "False");
}

static bool parse(header *h, const char *text, rv_error *error)
{
    h->at = text;
    bool ok = take(h, "{");
    while (ok && !take(h, "}")) {
        ok = take_entry(h) && (take(h, ",") || *h->at == '}' || *h->at == ' ');
    }
    skip_space(h);
    if (ok && *h->at == '\0' && h->has_type && h->has_order && h->has_shape) return true;
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\": the header \"%.200s\" is invalid at \"%.40s\"; expected descr, "
                   "fortran_order and shape (at most %d dimension(s)) of a plain array of numbers",
                   h->name, text, h->at, (int)RV_MAX_RANK);
}

static bool element_of(const header *h, rv_element *element, rv_error *error)
{
    const char *type = h->type;
    if (strchr(type, 'O')) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" holds pickled Python objects (%s); expected numbers: save a dict "
                       "of arrays by numpy.savez(FILE, **dict), lists as numpy.array(list, float)",
                       h->name, type);
    }
    bool known = strlen(type) == 3 && strchr("<>|=", type[0]);
    char kind = known ? type[1] : '?';
    int size = known ? type[2] - '0' : 0;
    known = size == 1 || size == 2 || size == 4 || size == 8;
    known = known && (kind == 'u' || kind == 'i' || (kind == 'b' && size == 1) ||
                      (kind == 'f' && size >= 2) || (kind == 'V' && size == 2));
    if (!known || (size > 1 && kind != 'V' && type[0] != '<' && type[0] != '>')) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" holds elements of type \"%s\"; expected f2, f4, f8, b1, V2 "
                       "(bfloat16), or i or u with 1, 2, 4 or 8 bytes: use astype",
                       h->name, type);
    }
    element->kind = kind == 'f'   ? RV_FLOAT
                    : kind == 'V' ? RV_BFLOAT
                    : kind == 'i' ? RV_SIGNED
                                  : RV_UNSIGNED;
    element->size = size;
    element->big = type[0] == '>';
    return true;
}

/* Reads the header, NUL-terminated; array->offset becomes the offset of the first element. */
static bool read_header(rv_array *array, char text[LONGEST_HEADER + 1], rv_error *error)
{
    unsigned char head[12] = {0};
    const char *name = array->input.name;
    if (!rv_input_read(&array->input, 0, head, 10, error)) return false;
    if (memcmp(head, "\x93NUMPY", 6) != 0 || head[6] < 1 || head[6] > 3) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" is not an .npy file of version 1 to 3; expected one written by "
                       "numpy.save",
                       name);
    }
    bool wide = head[6] > 1;
    if (!rv_input_read(&array->input, 0, head, wide ? 12 : 10, error)) return false;
    size_t length = (size_t)head[8] | (size_t)head[9] << 8;
    length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    if (length > LONGEST_HEADER) {
        return rv_fail(
            error, RV_ERROR_FORMAT,
            "\"%s\" has a header of %zu byte(s); expected a plain array of numbers, with a "
            "header of at most %d",
            name, length, LONGEST_HEADER);
    }
    int64_t from = wide ? 12 : 10;
    if (!rv_input_read(&array->input, from, text, length, error)) return false;
    text[length] = '\0';
    array->offset = from + (int64_t)length;
    return true;
}

/* Converts the array from Fortran order, where the first axis varies fastest, to C order. */
static bool transpose(rv_array *array, rv_error *error)
{
    rv_input_file *input = &array->input;
    if (!input->bytes) {
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "\"%s\" is in Fortran order and larger than the cache: give a larger `cache`, "
            "or save numpy.ascontiguousarray(array)",
            input->name);
    }
    size_t size = (size_t)array->element.size, count = (size_t)rv_shape_count(array->shape);
    unsigned char *transposed = rv_alloc(count, size);
    if (!transposed) return rv_fail_memory(error);
    const unsigned char *from = input->bytes + array->offset;
    size_t index[RV_MAX_RANK] = {0};
    for (size_t i = 0; i < count; i++) {
        memcpy(transposed + i * size, from, size);
        size_t stride = count * size;
        for (int64_t d = array->shape.rank - 1; d >= 0; d--) {
            size_t dim = (size_t)array->shape.dim[d];
            stride /= dim;
            from += stride;
            if (++index[d] < dim) break;
            from -= dim * stride;
            index[d] = 0;
        }
    }
    rv_free(input->bytes);
    input->bytes = transposed;
    input->size = (int64_t)(count * size);
    array->offset = 0;
    return true;
}

bool rv_array_npy(rv_array *array, rv_error *error)
{
    char text[LONGEST_HEADER + 1];
    header h = {.name = array->input.name};
    if (!read_header(array, text, error) || !parse(&h, text, error) ||
        !element_of(&h, &array->element, error)) {
        return false;
    }
    array->shape = h.shape;
    array->bits = h.type[1] == 'b';
    return rv_array_check(array, error) &&
           (!h.fortran || h.shape.rank < 2 || transpose(array, error));
}

bool rv_source_npy(rv_source *source, const char *x_path, const char *y_path,
                   const rv_file_options *options, rv_error *error)
{
    if (!RV_NEEDS(error, source, x_path, y_path)) return false;
    return rv_source_pair(source, "npy", x_path, y_path, rv_array_npy, options, error);
}
