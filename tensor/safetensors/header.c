/* Reads the header of a hostile safetensors file. Every length is checked against the file's size
 * before it is used, for an allocation too. */
#include "tensor/safetensors/header.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/little_endian_internal.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"

typedef struct reader {
    const char *path;
    const unsigned char *bytes;
    size_t size, data_at; /* size of the file; offset of its data */
    rv_error *error;
} reader;

/* Reports an error at offset `at` of the file. */
static bool fail_at(const reader *in, size_t at, const char *what)
{
    return rv_fail(in->error, RV_ERROR_FORMAT, "\"%s\", offset %zu: %s", in->path, at, what);
}

static bool fail_tensor(const reader *in, const char *name, const char *what)
{
    return rv_fail(in->error, RV_ERROR_FORMAT, "\"%s\", tensor \"%.100s\": %s", in->path, name,
                   what);
}

/* What a file is that is often given for a safetensors file; NULL: unknown. */
static const char *other_format(const reader *in)
{
    if (memcmp(in->bytes, "PK\3\4", 4) == 0) return "a zip archive, as .npz and .pt files are";
    if (memcmp(in->bytes, "\x80\2", 2) == 0) return "a Python pickle";
    return memcmp(in->bytes, "\x89HDF", 4) == 0 ? "an HDF5 file" : NULL;
}

/* Finds, checks and parses the header. Free *root with cJSON_Delete. */
static bool parse_header(reader *in, cJSON **root)
{
    if (in->size < RV_HEADER_PREFIX) {
        return fail_at(in, in->size, "the file ends; expected the 8 bytes of the header's length");
    }
    uint64_t length = rv_little_endian(in->bytes, RV_HEADER_PREFIX);
    size_t most = in->size - RV_HEADER_PREFIX;
    most = most < RV_HEADER_LIMIT ? most : RV_HEADER_LIMIT;
    const char *other = length > most ? other_format(in) : NULL;
    if (other)
        return rv_fail(in->error, RV_ERROR_FORMAT,
                       "\"%s\" is %s; expected a safetensors file, which `recurve import` makes "
                       "of weights of PyTorch or Keras",
                       in->path, other);
    if (length > most) {
        return rv_fail(in->error, RV_ERROR_FORMAT,
                       "\"%s\", offset 0: a header of %" PRIu64 " byte(s); expected at most %zu: "
                       "is it a complete safetensors file?",
                       in->path, length, most);
    }
    const char *header = (const char *)in->bytes + RV_HEADER_PREFIX;
    size_t header_size = (size_t)length;
    in->data_at = RV_HEADER_PREFIX + header_size;
    if (header_size == 0 || header[0] != '{') {
        return fail_at(in, RV_HEADER_PREFIX, "expected a header that starts with '{'");
    }
    /* cJSON would end a string at an escaped NUL, and checks neither UTF-8 nor hex digits. */
    if (!rv_json_plain(header, header_size)) {
        return fail_at(in, RV_HEADER_PREFIX,
                       "expected a header in UTF-8, without NUL, with four digits after each \\u");
    }
    if (!rv_json_flat(header, header_size)) {
        return rv_fail(in->error, RV_ERROR_FORMAT,
                       "\"%s\": more than %d nested brackets in the header; expected "
                       "dtypes, shapes and offsets of tensors",
                       in->path, RV_JSON_DEEPEST);
    }
    const char *end = header;
    errno = 0;
    *root = cJSON_ParseWithLengthOpts(header, header_size, &end, 0);
    if (!*root && errno == ENOMEM) return rv_fail_memory(in->error);
    size_t at = (size_t)(end - header);
    while (*root && at < header_size && strchr(" \t\r\n", header[at])) {
        at++;
    }
    return (*root && at == header_size) ||
           fail_at(in, RV_HEADER_PREFIX + at, "the header is not valid JSON");
}

/* A JSON number that is an integer below 2^53, where doubles stop being exact. */
static bool integer(const cJSON *item, uint64_t *value)
{
    double number = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(number >= 0 && number < 0x1p53 && number == floor(number))) return false;
    *value = (uint64_t)number;
    return true;
}

static bool describe_dtype(const reader *in, const cJSON *item, rv_described *out)
{
    static const struct {
        const char *name;
        rv_dtype dtype;
        char kind; /* 0: of the format, but not of this library */
        size_t item_size;
    } known[] = {{"F16", RV_F32, 'F', 2}, {"BF16", RV_F32, 'B', 2}, {"F32", RV_F32, 'F', 4},
                 {"F64", RV_F64, 'F', 8}, {"BOOL", RV_I32, 'U', 1}, {"U8", RV_I32, 'U', 1},
                 {"I8", RV_I32, 'I', 1},  {"U16", RV_I32, 'U', 2},  {"I16", RV_I32, 'I', 2},
                 {"U32", RV_I32, 'U', 4}, {"I32", RV_I32, 'I', 4},  {"U64", RV_I32, 'U', 8},
                 {"I64", RV_I32, 'I', 8}, {.name = "F8_E4M3"},      {.name = "F8_E5M2"},
                 {.name = "F8_E8M0"},     {.name = "F6_E2M3"},      {.name = "F6_E3M2"},
                 {.name = "F4"},          {.name = "C64"}};

    if (!cJSON_IsString(item)) {
        return fail_tensor(in, out->name, "expected a \"dtype\" that is a string");
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(item->valuestring, known[i].name) == 0) {
            out->dtype = known[i].dtype;
            out->kind = known[i].kind;
            out->item_size = known[i].item_size;
            return true;
        }
    }
    return rv_fail(
        in->error, RV_ERROR_DTYPE,
        "\"%s\", tensor \"%.100s\": dtype \"%.20s\"; expected F32 or another type of the "
        "format: is the file damaged?",
        in->path, out->name, item->valuestring);
}

static bool describe_shape(const reader *in, const cJSON *item, rv_described *out)
{
    if (!cJSON_IsArray(item)) {
        return fail_tensor(in, out->name, "expected a \"shape\" that is an array");
    }
    const cJSON *dim;
    cJSON_ArrayForEach(dim, item)
    {
        uint64_t value;
        if (!integer(dim, &value) || value == 0) {
            return rv_fail(in->error, RV_ERROR_FORMAT,
                           "\"%s\", tensor \"%.100s\": a dimension of %.17g; expected integers "
                           "of at least 1 and below 2^53",
                           in->path, out->name, cJSON_IsNumber(dim) ? dim->valuedouble : NAN);
        }
        if (out->shape.rank == RV_MAX_RANK) {
            return fail_tensor(in, out->name, "more than 6 dimensions; reshape it to fewer");
        }
        out->shape.dim[out->shape.rank++] = (int64_t)value;
    }
    return true;
}

static bool describe_offsets(const reader *in, const cJSON *item, rv_described *out)
{
    uint64_t begin, end;
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !integer(item->child, &begin) ||
        !integer(item->child->next, &end)) {
        return fail_tensor(in, out->name, "expected \"data_offsets\" that are two integers");
    }
    size_t available = in->size - in->data_at;
    if (begin > end || end > available) {
        return rv_fail(in->error, RV_ERROR_FORMAT,
                       "\"%s\", tensor \"%.100s\": data_offsets %" PRIu64 " to %" PRIu64
                       "; expected ascending offsets "
                       "within the file's %zu byte(s) of data: is the file complete?",
                       in->path, out->name, begin, end, available);
    }
    out->begin = (size_t)begin;
    out->end = (size_t)end;
    return true;
}

static bool describe(const reader *in, const cJSON *item, rv_described *out)
{
    static const struct {
        const char *key;
        bool (*read)(const reader *in, const cJSON *item, rv_described *out);
    } fields[] = {
        {"dtype", describe_dtype}, {"shape", describe_shape}, {"data_offsets", describe_offsets}};
    enum { FIELDS = sizeof fields / sizeof fields[0] };

    out->name = item->string;
    rv_error refusal = {0};
    if (!rv_name_check(out->name, &refusal)) {
        return rv_fail(in->error, RV_ERROR_FORMAT, "\"%s\": %s", in->path, refusal.text);
    }
    bool seen[FIELDS] = {false};
    const cJSON *member;
    /* Children of an object have keys, those of an array do not, and a string has no children. */
    cJSON_ArrayForEach(member, item)
    {
        size_t i = 0;
        while (i < FIELDS && (!member->string || strcmp(member->string, fields[i].key) != 0)) {
            i++;
        }
        if (i == FIELDS || seen[i]) break;
        seen[i] = true;
        if (!fields[i].read(in, member, out)) return false;
    }
    if (member || !seen[0] || !seen[1] || !seen[2]) {
        return fail_tensor(in, out->name,
                           "expected \"dtype\", \"shape\" and \"data_offsets\", "
                           "each once, and nothing else");
    }
    if (out->kind == '\0') return true;
    rv_error overflow = {0};
    size_t bytes;
    if (!rv_shape_check(out->shape, out->item_size, &bytes, &overflow)) {
        return fail_tensor(in, out->name, overflow.text);
    }
    if (bytes != out->end - out->begin) {
        char text[RV_SHAPE_TEXT];
        return rv_fail(in->error, RV_ERROR_FORMAT,
                       "\"%s\", tensor \"%.100s\": %zu byte(s) at offset %zu; expected %zu for "
                       "shape %s",
                       in->path, out->name, out->end - out->begin, in->data_at + out->begin, bytes,
                       rv_shape_text(out->shape, text));
    }
    return true;
}

static int by_begin(const void *a, const void *b)
{
    size_t x = ((const rv_described *)a)->begin, y = ((const rv_described *)b)->begin;
    return (x > y) - (x < y);
}

/* Checks that the tensors cover the data without gaps or overlaps. Sorts `items`. */
static bool check_cover(const reader *in, rv_described *items, size_t count)
{
    qsort(items, count, sizeof *items, by_begin);
    size_t covered = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].begin != covered) {
            return rv_fail(in->error, RV_ERROR_FORMAT,
                           "\"%s\", tensor \"%.100s\": starts at offset %zu; expected %zu, the "
                           "end of the previous tensor",
                           in->path, items[i].name, in->data_at + items[i].begin,
                           in->data_at + covered);
        }
        covered = items[i].end;
    }
    if (covered != in->size - in->data_at) {
        return fail_at(in, in->data_at + covered, "data that belongs to no tensor");
    }
    return true;
}

/* Checks all tensors together, on copies, because the header must keep its order. */
static bool check_together(const reader *in, const rv_header *header)
{
    size_t count = header->tensor_count, keys = header->metadata_count;
    const char **names = rv_alloc(count > keys ? count : keys, sizeof *names);
    rv_described *sorted = rv_alloc(count, sizeof *sorted);
    bool ok = names && sorted ? true : rv_fail_memory(in->error);
    for (size_t i = 0; ok && i < keys; i++) names[i] = header->metadata[i].key;
    if (ok && rv_name_duplicate(names, keys)) {
        ok = fail_at(in, RV_HEADER_PREFIX, "\"__metadata__\" has a duplicate key");
    }
    for (size_t i = 0; ok && i < count; i++) {
        names[i] = header->tensors[i].name;
        sorted[i] = header->tensors[i];
    }
    const char *duplicate = ok ? rv_name_duplicate(names, count) : NULL;
    if (duplicate) {
        ok = fail_tensor(in, duplicate, "two tensors have this name");
    }
    ok = ok && check_cover(in, sorted, count);
    rv_free(names);
    rv_free(sorted);
    return ok;
}

static bool read_metadata(const reader *in, const cJSON *object, rv_header *header)
{
    if (!cJSON_IsObject(object) || header->metadata) {
        return fail_at(in, RV_HEADER_PREFIX, "expected one \"__metadata__\", an object");
    }
    header->metadata = rv_alloc((size_t)cJSON_GetArraySize(object), sizeof *header->metadata);
    if (!header->metadata) return rv_fail_memory(in->error);
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        if (!cJSON_IsString(item)) {
            return fail_at(in, RV_HEADER_PREFIX,
                           "\"__metadata__\" has a value that is not a string");
        }
        header->metadata[header->metadata_count++] =
            (rv_metadata){.key = item->string, .value = item->valuestring};
    }
    return true;
}

bool rv_header_read(rv_header *header, const char *path, const unsigned char *bytes, size_t size,
                    rv_error *error)
{
    *header = (rv_header){0};
    reader in = {.path = path, .bytes = bytes, .size = size, .error = error};
    cJSON *root = NULL;
    bool parsed = parse_header(&in, &root);
    header->json = root;
    if (!parsed) return false;
    header->data_at = in.data_at;
    header->tensors = rv_alloc((size_t)cJSON_GetArraySize(root), sizeof *header->tensors);
    if (!header->tensors) return rv_fail_memory(error);
    const cJSON *item;
    cJSON_ArrayForEach(item, root)
    {
        bool ok = strcmp(item->string, "__metadata__") == 0
                      ? read_metadata(&in, item, header)
                      : describe(&in, item, &header->tensors[header->tensor_count++]);
        if (!ok) return false;
    }
    return check_together(&in, header);
}

void rv_header_free(rv_header *header)
{
    rv_free(header->tensors);
    rv_free(header->metadata);
    cJSON_Delete(header->json);
    *header = (rv_header){0};
}
