#include "train/text_file_internal.h"

#include <string.h>

#include "tensor/file_internal.h"
#include "tensor/memory.h"

bool rv_text_file_write(const char *path, const char *text, rv_error *error)
{
    if (!text) return rv_fail_memory(error);
    rv_bytes slice = {text, strlen(text)};
    return rv_file_write(path, &slice, 1, error);
}

char *rv_text_file_read(const char *path, rv_error *error)
{
    unsigned char *bytes;
    size_t size;
    if (!rv_file_read(path, RV_TEXT_FILE_LIMIT, &bytes, &size, error)) return NULL;
    if (!memchr(bytes, '\0', size)) return (char *)bytes;
    rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" is not a text: it holds a NUL byte", path);
    rv_free(bytes);
    return NULL;
}
