/* The bytes of a file: kept in memory if they fit, otherwise read piece by piece. Files are not
 * mapped: a mapped file that shrinks would crash the program. */
#include "data/files/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"

uint64_t rv_input_cache(uint64_t cache_bytes)
{
    return cache_bytes != 0 ? cache_bytes : (uint64_t)256 << 20;
}

static bool fail_system(const rv_input_file *input, int reason, rv_error *error)
{
    return rv_fail(error, RV_ERROR_IO, "cannot read \"%s\": %s", input->name, rv_reason(reason));
}

static bool fail_short(const rv_input_file *input, rv_error *error)
{
    return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is truncated: it ends after %" PRId64 " byte(s)",
                   input->name, input->size);
}

bool rv_input_read(const rv_input_file *input, int64_t offset, void *bytes, size_t size,
                   rv_error *error)
{
    if (offset < 0 || offset > input->size || (uint64_t)(input->size - offset) < size) {
        return fail_short(input, error);
    }
    if (input->bytes) {
        memcpy(bytes, input->bytes + offset, size);
        return true;
    }
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(input->descriptor, (char *)bytes + done, size - done,
                            (off_t)(offset + (int64_t)done));
        if (got == 0) return fail_short(input, error);
        if (got < 0 && errno != EINTR) return fail_system(input, errno, error);
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* A gzip stream being decompressed into `out`. `out` may be NULL: then the bytes are only
 * counted. */
typedef struct unzip {
    z_stream stream;
    unsigned char *out;
    int64_t room, size; /* most bytes allowed (the size of `out`); bytes produced */
    int64_t at;         /* offset in the file */
    unsigned char in[1 << 14], scratch[1 << 14];
} unzip;

static bool refill(const rv_input_file *input, unzip *u, rv_error *error)
{
    int64_t left = input->size - u->at;
    if (u->stream.avail_in > 0 || left == 0) return true;
    size_t piece = left < (int64_t)sizeof u->in ? (size_t)left : sizeof u->in;
    if (!rv_input_read(input, u->at, u->in, piece, error)) return false;
    u->at += (int64_t)piece;
    u->stream.next_in = u->in;
    u->stream.avail_in = (uInt)piece;
    return true;
}

/* Calls inflate once, into scratch, and copies the result to `out`. */
static int inflate_piece(unzip *u)
{
    u->stream.next_out = u->scratch;
    u->stream.avail_out = sizeof u->scratch;
    int state = inflate(&u->stream, Z_NO_FLUSH);
    int64_t got = (int64_t)(sizeof u->scratch - u->stream.avail_out);
    if (u->out && got <= u->room - u->size) {
        memcpy(u->out + u->size, u->scratch, (size_t)got);
    }
    u->size += got;
    return state;
}

/* Decompresses all members of the file one after another, as gunzip does. */
static bool inflate_all(const rv_input_file *input, unzip *u, rv_error *error)
{
    int state = Z_OK;
    for (;;) {
        if (!refill(input, u, error)) return false;
        bool held_back = state == Z_OK && u->size > 0 && u->stream.avail_out == 0;
        if (u->stream.avail_in == 0 && !held_back) break;
        if (state == Z_STREAM_END && inflateReset(&u->stream) != Z_OK) {
            return rv_fail_memory(error);
        }
        state = inflate_piece(u);
        if (u->size > u->room) {
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "\"%s\" takes more than the cache of %" PRId64
                           " byte(s) once decompressed: gunzip it, or give a larger `cache`",
                           input->name, u->room);
        }
        if (state == Z_BUF_ERROR) break;
        if (state == Z_MEM_ERROR) return rv_fail_memory(error);
        if (state != Z_OK && state != Z_STREAM_END) {
            return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is damaged: %s", input->name,
                           u->stream.msg ? u->stream.msg : "not gzip");
        }
    }
    if (state == Z_STREAM_END) return true;
    return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is truncated: its gzip stream does not end",
                   input->name);
}

/* Decompresses the file once; *size becomes the number of bytes. */
static bool unzip_into(const rv_input_file *input, unsigned char *out, int64_t room, int64_t *size,
                       rv_error *error)
{
    enum { GZIP_ONLY = 16 };
    unzip *u = rv_alloc(1, sizeof *u);
    if (!u) return rv_fail_memory(error);
    u->out = out;
    u->room = room;
    bool ok = inflateInit2(&u->stream, MAX_WBITS + GZIP_ONLY) == Z_OK;
    if (ok) {
        ok = inflate_all(input, u, error);
        inflateEnd(&u->stream);
    } else {
        rv_fail_memory(error);
    }
    *size = u->size;
    rv_free(u);
    return ok;
}

/* Reads the file twice, first to learn its size, so that exactly that much memory is allocated. */
static bool load_gzip(rv_input_file *input, uint64_t cache, rv_error *error)
{
    int64_t size, again, most = cache < PTRDIFF_MAX ? (int64_t)cache : PTRDIFF_MAX;
    if (!unzip_into(input, NULL, most, &size, error)) return false;
    if (size == 0) return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is empty", input->name);
    unsigned char *bytes = rv_alloc((size_t)size, 1);
    if (!bytes) return rv_fail_memory(error);
    if (!unzip_into(input, bytes, size, &again, error) || again != size) {
        rv_free(bytes);
        return rv_fail(error, RV_ERROR_IO, "\"%s\" changed while it was read", input->name);
    }
    input->bytes = bytes;
    input->size = size;
    return true;
}

static bool load_plain(rv_input_file *input, rv_error *error)
{
    unsigned char *bytes = rv_alloc((size_t)input->size, 1);
    if (!bytes) return rv_fail_memory(error);
    if (!rv_input_read(input, 0, bytes, (size_t)input->size, error)) {
        rv_free(bytes);
        return false;
    }
    input->bytes = bytes;
    return true;
}

static bool load(rv_input_file *input, uint64_t cache, bool whole, rv_error *error)
{
    struct stat status;
    if (fstat(input->descriptor, &status) != 0) return fail_system(input, errno, error);
    if (!S_ISREG(status.st_mode)) {
        return rv_fail(error, RV_ERROR_IO, "cannot read \"%s\": it is not a regular file",
                       input->name);
    }
    input->size = status.st_size;
    if (input->size == 0) {
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is empty", input->name);
    }
    unsigned char magic[2] = {0, 0};
    if (input->size >= 2 && !rv_input_read(input, 0, magic, 2, error)) return false;
    if (magic[0] == 0x1f && magic[1] == 0x8b) return load_gzip(input, cache, error);
    if ((uint64_t)input->size <= cache) return load_plain(input, error);
    if (!whole) return true;
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%s\" has %" PRId64 " byte(s), more than the cache of %" PRIu64
                   ": give a larger `cache`",
                   input->name, input->size, cache);
}

bool rv_input_open(rv_input_file *input, const char *path, uint64_t cache, bool whole,
                   rv_error *error)
{
    *input = (rv_input_file){.descriptor = -1};
    if (!path) return rv_fail(error, RV_ERROR_ARGUMENT, "the path is NULL");
    input->name = rv_string_copy(path);
    if (!input->name) return rv_fail_memory(error);
    /* O_NONBLOCK: opening a pipe must not block before load refuses it. */
    input->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = input->descriptor >= 0 ? load(input, cache, whole, error)
                                     : fail_system(input, errno, error);
    if (input->descriptor >= 0 && (!ok || input->bytes)) {
        close(input->descriptor);
        input->descriptor = -1;
    }
    if (!ok) rv_input_close(input);
    return ok;
}

bool rv_input_take(rv_input_file *input, const char *name, unsigned char *bytes, size_t size,
                   rv_error *error)
{
    *input = (rv_input_file){
        .name = rv_string_copy(name), .size = (int64_t)size, .bytes = bytes, .descriptor = -1};
    if (input->name) return true;
    rv_input_close(input);
    return rv_fail_memory(error);
}

void rv_input_close(rv_input_file *input)
{
    if (input->name && input->descriptor >= 0) close(input->descriptor);
    rv_free(input->name);
    rv_free(input->bytes);
    *input = (rv_input_file){.descriptor = -1};
}
