/* Any file as characters: windows of tokens, and the token that follows each. */
#include <inttypes.h>
#include <string.h>

#include "data/files.h"
#include "data/files/input.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "tensor/text_internal.h"

enum { BYTES = 256, PIECE = 1 << 13 };

typedef struct text {
    rv_input_file input;
    int64_t window;
    int16_t token_of[BYTES]; /* -1: not in the alphabet */
    unsigned char alphabet[BYTES];
} text;

/* Copies the given alphabet. */
static bool take_alphabet(text *t, const rv_text_options *options, rv_error *error)
{
    for (int64_t i = 0; i < options->tokens; i++) {
        unsigned char byte = options->alphabet[i];
        if (t->token_of[byte] >= 0) {
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "the alphabet has byte %d twice, at %d and %" PRId64
                           "; expected distinct bytes",
                           byte, t->token_of[byte], i);
        }
        t->token_of[byte] = (int16_t)i;
        t->alphabet[i] = byte;
    }
    return true;
}

/* Reads the file once: collects its bytes as the alphabet, or checks them against the given one. */
static bool scan(text *t, bool given, int64_t *tokens, rv_error *error)
{
    unsigned char bytes[PIECE];
    bool seen[BYTES] = {false};
    for (int64_t at = 0; at < t->input.size;) {
        int64_t left = t->input.size - at;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        if (!rv_input_read(&t->input, at, bytes, n, error)) return false;
        for (size_t i = 0; i < n; i++) {
            seen[bytes[i]] = true;
            if (!given || t->token_of[bytes[i]] >= 0) continue;
            bool shown = bytes[i] > ' ' && bytes[i] < 127;
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%s\": the character %s%c%s (byte %d) at offset %" PRId64
                           " is not in the alphabet, by default that of the training text; remove "
                           "it, or give an `alphabet` that has it",
                           t->input.name, shown ? "\"" : "", shown ? bytes[i] : '?',
                           shown ? "\"" : "", bytes[i], at + (int64_t)i);
        }
        at += (int64_t)n;
    }
    for (int byte = 0; byte < BYTES && !given; byte++) {
        if (!seen[byte]) continue;
        t->token_of[byte] = (int16_t)*tokens;
        t->alphabet[(*tokens)++] = (unsigned char)byte;
    }
    return true;
}

static bool read_window(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    (void)epoch;
    (void)length;
    const text *t = s->context;
    int32_t *now = x, *next = y;
    unsigned char bytes[PIECE + 1];
    for (int64_t done = 0; done < t->window;) {
        int64_t n = t->window - done < PIECE ? t->window - done : PIECE;
        int64_t at = index * t->window + done;
        if (!rv_input_read(&t->input, at, bytes, (size_t)n + 1, error)) return false;
        for (int64_t i = 0; i < n; i++) {
            now[done + i] = t->token_of[bytes[i]];
            next[done + i] = t->token_of[bytes[i + 1]];
        }
        done += n;
    }
    return true;
}

static void close_text(rv_source *s)
{
    text *t = s->context;
    rv_input_close(&t->input);
    rv_free(t);
}

static bool check_options(const rv_text_options *options, rv_error *error)
{
    if (!options || options->window < 1 || options->window > INT32_MAX) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "a window of %" PRId64 " character(s); expected at least 1, such as 64",
                       options ? options->window : 0);
    }
    if (options->tokens < 0 || options->tokens > BYTES ||
        !options->alphabet != (options->tokens == 0)) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "an alphabet %s of %" PRId64 " token(s); expected 1 to 256, or NULL and 0",
                       !options->alphabet ? "that is NULL" : "given", options->tokens);
    }
    return true;
}

bool rv_source_text(rv_source *source, const char *path, const rv_text_options *options,
                    rv_error *error)
{
    if (!RV_NEEDS(error, source, path)) return false;
    *source = (rv_source){0};
    if (!check_options(options, error)) return false;
    text *t = rv_alloc(1, sizeof *t);
    if (!t) return rv_fail_memory(error);
    memset(t->token_of, 0xff, sizeof t->token_of);
    t->window = options->window;
    int64_t tokens = options->tokens;
    *source = (rv_source){.read = read_window, .close = close_text, .context = t};
    bool ok = rv_input_open(&t->input, path, rv_input_cache(options->cache_bytes), false, error) &&
              take_alphabet(t, options, error) && scan(t, tokens > 0, &tokens, error);
    int64_t count = ok ? (t->input.size - 1) / t->window : 0;
    if (ok && count == 0) {
        ok = rv_fail(error, RV_ERROR_FORMAT,
                     "\"%s\" has %" PRId64 " byte(s); expected more than a window of %" PRId64,
                     path, t->input.size, t->window);
    }
    if (!ok) {
        rv_source_close(source);
        return false;
    }
    source->name = t->input.name;
    source->count = count;
    source->x_type = source->y_type = RV_I32;
    source->x = source->y = RV_SHAPE(t->window);
    source->sequence = source->each_step = true;
    source->tokens = source->classes = tokens;
    source->alphabet = t->alphabet;
    source->reading.format = "text";
    source->reading.divisor = 1;
    int64_t left = t->input.size - 1 - count * t->window;
    rv_text skipped = {source->reading.skipped, source->reading.skipped + RV_SKIPPED_TEXT};
    if (left > 0) rv_put(&skipped, "%" PRId64 " character(s) at the end", left);
    return true;
}
