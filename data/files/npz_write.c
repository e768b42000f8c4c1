/* Writes tensors to a NumPy .npz archive: a zip file, built in memory, of uncompressed .npy
 * files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "data/npz.h"
#include "tensor/file_internal.h"
#include "tensor/little_endian_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

enum { ALIGNMENT = 64, HEADER = 256, DOS_EPOCH = 1 << 5 | 1 /* 1 January 1980 */ };

static const char *type_of(rv_dtype dtype)
{
    return dtype == RV_F64 ? "<f8" : dtype == RV_F32 ? "<f4" : "<i4";
}

/* Writes a header of version 1, padded with spaces to align the elements. Returns its length. */
static size_t npy_header(const rv_tensor *t, char text[HEADER])
{
    size_t start = 10;
    int used = snprintf(text + start, HEADER - start,
                        "{'descr': '%s', 'fortran_order': False, 'shape': (", type_of(t->dtype));
    for (int64_t d = 0; d < t->shape.rank; d++)
        used += snprintf(text + start + used, HEADER - start - (size_t)used, "%s%lld",
                         d > 0 ? ", " : "", (long long)t->shape.dim[d]);
    used += snprintf(text + start + used, HEADER - start - (size_t)used, "%s), }",
                     t->shape.rank == 1 ? "," : "");
    size_t length = start + (size_t)used + 1,
           padded = (length + ALIGNMENT - 1) & -(size_t)ALIGNMENT;
    memset(text + length - 1, ' ', padded - length);
    text[padded - 1] = '\n';
    memcpy(text, "\x93NUMPY\x01", 8); /* the terminating NUL is the minor version */
    text[8] = (char)((padded - start) & 0xff);
    text[9] = (char)((padded - start) >> 8);
    return padded;
}

/* The .npy file of a tensor; to be freed by rv_free. */
static unsigned char *npy_bytes(const rv_tensor *t, size_t *size)
{
    char header[HEADER];
    size_t head = npy_header(t, header), width = rv_dtype_size(t->dtype);
    *size = head + rv_tensor_bytes(t);
    unsigned char *bytes = rv_alloc(*size, 1);
    if (!bytes) return NULL;
    memcpy(bytes, header, head);
    if (rv_tensor_bytes(t) > 0) memcpy(bytes + head, t->data, rv_tensor_bytes(t));
    rv_little_endian_convert(bytes + head, (*size - head) / width, width);
    return bytes;
}

static bool add_bytes(zip_t *zip, const char *name, const unsigned char *bytes, size_t size,
                      rv_error *error)
{
    zip_source_t *source = zip_source_buffer(zip, bytes, size, 0);
    if (!source) return rv_fail_memory(error);
    zip_int64_t index = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        if (errno == ENOMEM) return rv_fail_memory(error);
        return rv_fail(error, RV_ERROR_NAME, "the name \"%.200s\" in the archive: %s", name,
                       zip_strerror(zip));
    }
    return (zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
            zip_file_set_dostime(zip, (zip_uint64_t)index, 0, DOS_EPOCH, 0) == 0) ||
           rv_fail_memory(error);
}

/* The archive reads *bytes when it is closed; free them with rv_free after that, even on
 * failure. */
static bool add_member(zip_t *zip, const rv_named_tensor *named, unsigned char **bytes,
                       rv_error *error)
{
    size_t size, room = strlen(named->name) + sizeof ".npy";
    char *name = rv_alloc(room, 1);
    *bytes = npy_bytes(&named->tensor, &size);
    if (name) snprintf(name, room, "%s.npy", named->name);
    bool ok = name && *bytes ? add_bytes(zip, name, *bytes, size, error) : rv_fail_memory(error);
    rv_free(name);
    return ok;
}

static bool add_members(zip_t *zip, const rv_archive *archive, unsigned char **bytes,
                        rv_error *error)
{
    for (size_t i = 0; i < archive->tensor_count; i++)
        if (!add_member(zip, &archive->tensors[i], &bytes[i], error)) return false;
    return true;
}

/* Builds the archive in the buffer. libzip does not always report that it is out of memory; malloc
 * does, in errno. */
static bool fill(zip_source_t *buffer, const rv_archive *archive, rv_error *error)
{
    zip_error_t why;
    zip_error_init(&why);
    errno = 0;
    unsigned char **bytes = rv_alloc(archive->tensor_count, sizeof *bytes);
    zip_t *zip = bytes ? zip_open_from_source(buffer, ZIP_TRUNCATE, &why) : NULL;
    zip_error_fini(&why);
    bool ok = zip || rv_fail_memory(error);
    if (ok) zip_source_keep(buffer); /* the archive frees it too */
    ok = ok && add_members(zip, archive, bytes, error);
    if (ok && zip_close(zip) != 0)
        ok = errno == ENOMEM
                 ? rv_fail_memory(error)
                 : rv_fail(error, RV_ERROR_IO, "cannot make the archive: %s", zip_strerror(zip));
    else if (ok)
        zip = NULL;
    if (zip) zip_discard(zip);
    for (size_t i = 0; bytes && i < archive->tensor_count; i++) rv_free(bytes[i]);
    rv_free(bytes);
    return ok;
}

/* A copy of the whole buffer; to be freed by rv_free. */
static unsigned char *content_of(zip_source_t *buffer, size_t *size)
{
    zip_stat_t status;
    zip_stat_init(&status);
    if (zip_source_stat(buffer, &status) != 0 || !(status.valid & ZIP_STAT_SIZE)) return NULL;
    *size = (size_t)status.size;
    unsigned char *bytes = rv_alloc(*size + 1, 1);
    if (!bytes || zip_source_open(buffer) != 0) {
        rv_free(bytes);
        return NULL;
    }
    bool ok = zip_source_read(buffer, bytes, *size) == (zip_int64_t)*size;
    zip_source_close(buffer);
    if (ok) return bytes;
    rv_free(bytes);
    return NULL;
}

bool rv_npz_write(const char *path, const rv_archive *archive, rv_error *error)
{
    if (!RV_NEEDS(error, path, archive) || !rv_needs_archive(error, __func__, archive))
        return false;
    zip_error_t why;
    zip_error_init(&why);
    if (archive->tensor_count == 0) /* libzip cannot write an empty archive */
        return rv_fail(error, RV_ERROR_ARGUMENT, "\"%s\": there are no arrays to write", path);
    zip_source_t *buffer = zip_source_buffer_create(NULL, 0, 0, &why);
    zip_error_fini(&why);
    if (!buffer) return rv_fail_memory(error);
    size_t size = 0;
    bool ok = fill(buffer, archive, error);
    unsigned char *bytes = ok ? content_of(buffer, &size) : NULL;
    if (ok && !bytes) rv_fail_memory(error);
    zip_source_free(buffer);
    rv_bytes slice = {bytes, size};
    ok = bytes && rv_file_write(path, &slice, 1, error);
    rv_free(bytes);
    return ok;
}
