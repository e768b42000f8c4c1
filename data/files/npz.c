/* NumPy .npz archives: a zip file with one .npy file per array. Members are decompressed into
 * memory. Their declared sizes are checked against the cache before any byte is read. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "data/files/array.h"
#include "data/npz.h"
#include "tensor/file_internal.h"
#include "tensor/little_endian_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "tensor/safetensors.h"
#include "tensor/text_internal.h"

typedef struct archive {
    zip_t *zip;
    const char *path;
    uint64_t bytes, cache; /* size of the file; most memory for arrays */
} archive;

/* libzip does not always report that it is out of memory; malloc does, in errno. */
static bool fail_member(const archive *a, const char *member, rv_error *error)
{
    if (errno == ENOMEM) return rv_fail_memory(error);
    return rv_fail(error, RV_ERROR_FORMAT, "\"%s\": %s cannot be read: %s", a->path, member,
                   zip_strerror(a->zip));
}

/* Reads exactly `size` bytes. Reading on to the end makes libzip compare the checksum. */
static bool read_all(zip_file_t *file, unsigned char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        zip_int64_t got = zip_fread(file, bytes + done, size - done);
        if (got <= 0) return false;
        done += (size_t)got;
    }
    unsigned char beyond;
    return zip_fread(file, &beyond, 1) == 0;
}

static bool load_member(const archive *a, zip_uint64_t index, const char *member, size_t size,
                        unsigned char **bytes, rv_error *error)
{
    *bytes = rv_alloc(size, 1);
    if (!*bytes) return rv_fail_memory(error);
    errno = 0;
    zip_file_t *file = zip_fopen_index(a->zip, index, 0);
    bool ok = file && read_all(file, *bytes, size);
    if (!ok && (!file || errno == ENOMEM)) {
        fail_member(a, member, error);
    } else if (!ok) {
        rv_fail(error, RV_ERROR_FORMAT,
                "\"%s\": %s is damaged: it does not decompress to %zu byte(s)", a->path, member,
                size);
    }
    if (file) zip_fclose(file);
    if (!ok) {
        rv_free(*bytes);
        *bytes = NULL;
    }
    return ok;
}

/* Whether the size that a member declares is possible and fits into the cache. */
static bool check_size(const archive *a, const char *member, const zip_stat_t *status,
                       rv_error *error)
{
    enum { MOST_DEFLATED = 1032 }; /* the highest ratio that deflate can reach */
    bool deflated = status->comp_method == ZIP_CM_DEFLATE;
    if (!deflated && status->comp_method != ZIP_CM_STORE) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\": %s uses compression method %d; expected an archive written by "
                       "numpy.savez or numpy.savez_compressed",
                       a->path, member, status->comp_method);
    }
    if (status->comp_size > a->bytes ||
        status->size / (deflated ? MOST_DEFLATED : 1) > status->comp_size) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\": %s is damaged: %" PRIu64 " byte(s) cannot be compressed to %" PRIu64
                       " in a file of %" PRIu64,
                       a->path, member, (uint64_t)status->size, (uint64_t)status->comp_size,
                       a->bytes);
    }
    return (status->size <= a->cache && status->size <= PTRDIFF_MAX) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%s\": %s takes %" PRIu64 " byte(s), more than the cache of %" PRIu64
                   ": save it as .npy, which is read from disk, or give a larger `cache`",
                   a->path, member, (uint64_t)status->size, a->cache);
}

/* Opens the array in member `index`. */
static bool open_index(const archive *a, zip_uint64_t index, const char *member, rv_array *array,
                       rv_error *error)
{
    enum { NEEDED = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD };
    zip_stat_t status;
    if (zip_stat_index(a->zip, index, 0, &status) != 0 || (status.valid & NEEDED) != NEEDED) {
        return fail_member(a, member, error);
    }
    if (!check_size(a, member, &status, error)) return false;
    unsigned char *bytes;
    size_t size = (size_t)status.size, room = strlen(a->path) + strlen(member) + 2;
    if (!load_member(a, index, member, size, &bytes, error)) return false;
    char *name = rv_alloc(room, 1);
    if (!name) {
        rv_free(bytes);
        return rv_fail_memory(error);
    }
    snprintf(name, room, "%s:%s", a->path, member);
    bool ok = rv_input_take(&array->input, name, bytes, size, error) && rv_array_npy(array, error);
    rv_free(name);
    return ok;
}

/* Opens the array `member`. If it is missing: an error if it is needed, else *array stays as it
 * is. */
static bool open_member(const archive *a, const char *member, bool needed, rv_array *array,
                        rv_error *error)
{
    zip_int64_t index = zip_name_locate(a->zip, member, 0);
    if (index >= 0) return open_index(a, (zip_uint64_t)index, member, array, error);
    return !needed ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" has no %s; expected numpy.savez(path, x=..., y=...)", a->path, member);
}

/* ---- opening ---- */

static bool read_at(rv_file *file, uint64_t at, void *bytes, size_t size, rv_error *error)
{
    if (lseek(file->descriptor, (off_t)at, SEEK_SET) >= 0)
        return rv_file_next(file, bytes, size, error);
    return rv_fail(error, RV_ERROR_IO, "cannot read \"%s\": %s", file->path, rv_reason(errno));
}

/* Checks what may be the end of a central directory, at tail[at]. With zip64 the numbers are in
 * another record. */
static bool check_end(rv_file *file, const unsigned char *tail, size_t at, rv_error *error)
{
    enum { MOST = 1 << 19, ENTRY = 46, LOCATOR = 20, LARGE_END = 56 };
    uint64_t count = rv_little_endian(tail + at + 10, 2),
             size = rv_little_endian(tail + at + 12, 4);
    bool possible = rv_little_endian(tail + at + 16, 4) + size <= file->size;
    if (at >= LOCATOR && memcmp(tail + at - LOCATOR, "PK\6\7", 4) == 0) {
        unsigned char end[LARGE_END] = {0};
        const uint64_t where = rv_little_endian(tail + at - LOCATOR + 8, 8);
        if (file->size >= sizeof end && where <= file->size - sizeof end &&
            !read_at(file, where, end, sizeof end, error))
            return false;
        if (memcmp(end, "PK\6\6", 4) == 0) {
            count = rv_little_endian(end + 32, 8);
            size = rv_little_endian(end + 40, 8);
            possible = true;
        }
    }
    return !possible || (size <= MOST && count <= size / ENTRY) ||
           rv_fail(
               error, RV_ERROR_FORMAT,
               "\"%s\" states %" PRIu64 " member(s) in a directory of %" PRIu64
               " byte(s); expected at most %d byte(s), and at least %d for each: save fewer arrays",
               file->path, count, size, MOST, ENTRY);
}

/* Limits the directory before libzip opens the archive: its hash of names has no key, so the time
 * for names that collide grows with the square of their number. */
static bool check_directory(rv_file *file, rv_error *error)
{
    enum { END = 22, COMMENT = 1 << 16, LOCATOR = 20 };
    size_t size = file->size < END + COMMENT + LOCATOR ? file->size : END + COMMENT + LOCATOR;
    unsigned char *tail = rv_alloc(size, 1);
    if (!tail) return rv_fail_memory(error);
    bool ok = read_at(file, file->size - size, tail, size, error);
    for (size_t at = 0; ok && at + END <= size; at++)
        if (memcmp(tail + at, "PK\5\6", 4) == 0) ok = check_end(file, tail, at, error);
    rv_free(tail);
    return ok;
}

static bool fail_archive(const char *path, int code, int reason, rv_error *error)
{
    if (reason == ENOMEM || code == ZIP_ER_MEMORY) return rv_fail_memory(error);
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" is not an .npz archive (libzip error %d); expected one written by "
                   "numpy.savez",
                   path, code);
}

/* To be closed by zip_discard. */
static bool open_archive(archive *a, const char *path, uint64_t cache, rv_error *error)
{
    int code = 0;
    rv_file file;
    if (!path) return rv_fail(error, RV_ERROR_ARGUMENT, "the path is NULL");
    if (!rv_file_open(&file, path, error)) return false;
    *a = (archive){.path = path, .bytes = file.size, .cache = rv_input_cache(cache)};
    bool ok = check_directory(&file, error);
    errno = 0;
    if (ok && lseek(file.descriptor, 0, SEEK_SET) == 0) {
        a->zip = zip_fdopen(file.descriptor, 0, &code); /* closes it, unless it fails */
        if (a->zip) return true;
    }
    const int reason = errno;
    rv_file_close(&file);
    return ok && fail_archive(path, code, reason, error);
}

/* The name of the array of lengths. Not both are read: the other one is listed as skipped. */
static const char *length_member(const archive *a)
{
    return zip_name_locate(a->zip, "length.npy", 0) >= 0 ? "length.npy" : "lengths.npy";
}

/* Lists the members that rv_source_npz does not read, as "z, w". */
static void list_skipped(const archive *a, char text[RV_SKIPPED_TEXT])
{
    rv_text t = {text, text + RV_SKIPPED_TEXT};
    const char *read[] = {"x.npy", "y.npy", length_member(a)};
    zip_int64_t count = zip_get_num_entries(a->zip, 0);
    *text = '\0';
    for (zip_int64_t i = 0; i < count && t.at + 1 < t.end; i++) {
        const char *name = zip_get_name(a->zip, (zip_uint64_t)i, 0);
        bool skipped = name;
        for (int k = 0; k < 3 && skipped; k++) skipped = strcmp(name, read[k]) != 0;
        if (skipped) rv_put(&t, "%s%.60s", *text ? ", " : "", name);
    }
}

bool rv_source_npz(rv_source *source, const char *path, const rv_file_options *options,
                   rv_error *error)
{
    if (!RV_NEEDS(error, source, path)) return false;
    *source = (rv_source){0};
    archive a;
    if (!open_archive(&a, path, options ? options->cache_bytes : 0, error)) return false;
    rv_array x = {0}, y = {0}, length = {0};
    char skipped[RV_SKIPPED_TEXT];
    list_skipped(&a, skipped);
    bool ok = open_member(&a, "x.npy", true, &x, error) &&
              open_member(&a, "y.npy", true, &y, error) &&
              open_member(&a, length_member(&a), false, &length, error);
    zip_discard(a.zip);
    if (!ok) {
        rv_array_close(&x);
        rv_array_close(&y);
        rv_array_close(&length);
        return false;
    }
    if (!rv_source_arrays(source, &x, &y, &length, "npz", options, error)) return false;
    memcpy(source->reading.skipped, skipped, sizeof skipped);
    return true;
}

/* ---- arrays with any names ---- */

/* "x" for "x.npy"; to be freed by rv_free. */
static char *name_of(const archive *a, const char *member, rv_error *error)
{
    size_t length = strlen(member), end = strlen(".npy");
    if (length <= end || strcmp(member + length - end, ".npy") != 0) {
        rv_fail(error, RV_ERROR_FORMAT,
                "\"%s\": the member \"%.200s\" is not an array; expected names that end in .npy",
                a->path, member);
        return NULL;
    }
    char *name = rv_alloc(length - end + 1, 1);
    if (!name)
        rv_fail_memory(error);
    else
        memcpy(name, member, length - end);
    return name;
}

/* Reads member `index` into the archive's next tensor and subtracts its bytes from the cache. */
static bool read_member(archive *a, zip_uint64_t index, rv_archive *to, rv_error *error)
{
    const char *member = zip_get_name(a->zip, index, 0);
    if (!member) return fail_member(a, "a member", error);
    rv_named_tensor *named = &to->tensors[to->tensor_count];
    named->name = name_of(a, member, error);
    if (!named->name) return false;
    to->tensor_count++; /* rv_archive_free frees the name from here on */
    if (zip_name_locate(a->zip, member, 0) != (zip_int64_t)index)
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" has %s twice", a->path, member);
    rv_array array = {0};
    bool ok = open_index(a, index, member, &array, error);
    uint64_t bytes = ok ? (uint64_t)rv_shape_count(array.shape) * sizeof(double) : 0;
    if (bytes > a->cache) /* one byte in the file becomes a double of eight */
        ok = rv_fail(error, RV_ERROR_ARGUMENT,
                     "\"%s\": with %s the arrays take more than the cache: save fewer, or give a "
                     "larger `cache`",
                     a->path, member);
    ok =
        ok && rv_tensor_new(&named->tensor, RV_F64, array.shape, error) &&
        rv_array_read(&array, 0, rv_shape_count(array.shape), RV_F64, 1, named->tensor.data, error);
    if (ok) a->cache -= bytes;
    rv_array_close(&array);
    return ok;
}

bool rv_npz_read(const char *path, uint64_t cache_bytes, rv_archive *to, rv_error *error)
{
    if (!RV_NEEDS(error, path, to)) return false;
    *to = (rv_archive){0};
    archive a;
    if (!open_archive(&a, path, cache_bytes, error)) return false;
    zip_int64_t count = zip_get_num_entries(a.zip, 0);
    to->tensors = rv_alloc((size_t)count + 1, sizeof *to->tensors);
    bool ok = to->tensors || rv_fail_memory(error);
    for (zip_int64_t i = 0; ok && i < count; i++) ok = read_member(&a, (zip_uint64_t)i, to, error);
    zip_discard(a.zip);
    if (!ok) rv_archive_free(to);
    return ok;
}

/* ---- safetensors ---- */

static bool make_double(rv_tensor *tensor, rv_error *error)
{
    rv_tensor wide;
    if (!rv_tensor_new(&wide, RV_F64, tensor->shape, error)) return false;
    bool ok = rv_tensor_copy(&wide, tensor, error);
    rv_tensor_free(ok ? tensor : &wide);
    if (ok) *tensor = wide;
    return ok;
}

bool rv_arrays_read(const char *path, uint64_t cache_bytes, rv_archive *to, rv_error *error)
{
    if (!RV_NEEDS(error, path, to)) return false;
    static const char ending[] = ".safetensors";
    size_t length = path ? strlen(path) : 0, end = sizeof ending - 1;
    if (length < end || strcmp(path + length - end, ending) != 0)
        return rv_npz_read(path, cache_bytes, to, error);
    bool ok = rv_safetensors_read(path, to, error);
    for (size_t i = 0; ok && i < to->tensor_count; i++)
        ok = make_double(&to->tensors[i].tensor, error);
    if (!ok) rv_archive_free(to);
    return ok;
}
