/* Writes and verifies the checksum of a file. */
#include "tensor/safetensors/checksum.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/memory.h"

static bool digest(const rv_bytes *slices, size_t count, char digits[RV_CHECKSUM_DIGITS + 1],
                   rv_error *error)
{
    /* On the heap, because it needs 64-byte alignment, which not every stack provides. */
    XXH3_state_t *state = rv_alloc(1, sizeof *state);
    if (!state) return rv_fail_memory(error);
    XXH3_128bits_reset(state);
    for (size_t i = 0; i < count; i++) XXH3_128bits_update(state, slices[i].bytes, slices[i].size);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    rv_free(state);
    snprintf(digits, RV_CHECKSUM_DIGITS + 1, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    return true;
}

/* The position of the digits in a header that contains "checksum":"VALUE", or NULL. */
static unsigned char *find_digits(unsigned char *header, size_t size, const char *value)
{
    char text[sizeof "\"" RV_CHECKSUM_KEY "\":\"" + RV_CHECKSUM_DIGITS + 1];
    int length =
        snprintf(text, sizeof text, "\"" RV_CHECKSUM_KEY "\":\"%.*s\"", RV_CHECKSUM_DIGITS, value);
    for (size_t at = 0; at + (size_t)length <= size; at++)
        if (memcmp(header + at, text, (size_t)length) == 0)
            return header + at + length - 1 - RV_CHECKSUM_DIGITS;
    return NULL;
}

bool rv_checksum_put(unsigned char *header, const rv_bytes *slices, size_t count, rv_error *error)
{
    char digits[RV_CHECKSUM_DIGITS + 1];
    unsigned char *at = find_digits(header, slices[0].size, RV_CHECKSUM_BLANK);
    if (!at) return true;
    if (!digest(slices, count, digits, error)) return false;
    memcpy(at, digits, RV_CHECKSUM_DIGITS);
    return true;
}

bool rv_checksum_check(rv_header *header, unsigned char *head, rv_bytes data, const char *path,
                       rv_error *error)
{
    rv_metadata *checksum = NULL;
    char digits[RV_CHECKSUM_DIGITS + 1];
    for (size_t i = 0; i < header->metadata_count; i++)
        if (strcmp(header->metadata[i].key, RV_CHECKSUM_KEY) == 0) checksum = &header->metadata[i];
    if (!checksum) return true;
    const char *value = checksum->value;
    checksum->value = RV_CHECKSUM_BLANK; /* so that the metadata can be written again */
    unsigned char *at =
        strlen(value) == RV_CHECKSUM_DIGITS ? find_digits(head, header->data_at, value) : NULL;
    if (at) memcpy(at, RV_CHECKSUM_BLANK, RV_CHECKSUM_DIGITS);
    const rv_bytes whole[] = {{head, header->data_at}, data};
    if (!digest(whole, 2, digits, error)) return false;
    return (at && strcmp(digits, value) == 0) ||
           rv_fail(
               error, RV_ERROR_FORMAT,
               "\"%s\" is damaged: its checksum is %.40s, but its content has %s; use another copy",
               path, value, digits);
}
