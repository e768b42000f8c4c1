#include "tensor/seal_internal.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/memory.h"

static bool digest(const rv_bytes *slices, size_t count, char digits[RV_SEAL_DIGITS + 1],
                   rv_error *error)
{
    /* On the heap: it wants 64-byte alignment, which not every stack keeps. */
    XXH3_state_t *state = rv_alloc(1, sizeof *state);
    if (!state) return rv_fail_memory(error);
    XXH3_128bits_reset(state);
    for (size_t i = 0; i < count; i++) XXH3_128bits_update(state, slices[i].bytes, slices[i].size);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    rv_free(state);
    snprintf(digits, RV_SEAL_DIGITS + 1, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    return true;
}

/* Where the digits stand in a header that says "seal":"VALUE"; NULL: nowhere. */
static unsigned char *find_digits(unsigned char *header, size_t size, const char *value)
{
    char text[sizeof "\"" RV_SEAL_KEY "\":\"" + RV_SEAL_DIGITS + 1];
    int length = snprintf(text, sizeof text, "\"" RV_SEAL_KEY "\":\"%.*s\"", RV_SEAL_DIGITS, value);
    for (size_t at = 0; at + (size_t)length <= size; at++)
        if (memcmp(header + at, text, (size_t)length) == 0)
            return header + at + length - 1 - RV_SEAL_DIGITS;
    return NULL;
}

bool rv_seal_put(unsigned char *header, const rv_bytes *slices, size_t count, rv_error *error)
{
    char digits[RV_SEAL_DIGITS + 1];
    unsigned char *at = find_digits(header, slices[0].size, RV_SEAL_BLANK);
    if (!at) return true;
    if (!digest(slices, count, digits, error)) return false;
    memcpy(at, digits, RV_SEAL_DIGITS);
    return true;
}

bool rv_seal_check(rv_header *header, unsigned char *bytes, size_t size, const char *path,
                   rv_error *error)
{
    rv_metadata *sealed = NULL;
    char digits[RV_SEAL_DIGITS + 1];
    for (size_t i = 0; i < header->metadata_count; i++)
        if (strcmp(header->metadata[i].key, RV_SEAL_KEY) == 0) sealed = &header->metadata[i];
    if (!sealed) return true;
    const char *seal = sealed->value;
    sealed->value = RV_SEAL_BLANK; /* for whoever writes these metadata again */
    unsigned char *at =
        strlen(seal) == RV_SEAL_DIGITS ? find_digits(bytes, header->data_at, seal) : NULL;
    if (at) memcpy(at, RV_SEAL_BLANK, RV_SEAL_DIGITS);
    rv_bytes whole = {bytes, size};
    if (!digest(&whole, 1, digits, error)) return false;
    return (at && strcmp(digits, seal) == 0) ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" is damaged: its seal is %.40s, its bytes give %s; use another copy",
                   path, seal, digits);
}
