#include "tensor/needs_internal.h"

#include <inttypes.h>
#include <string.h>

#include "tensor/archive.h"

bool rv_needs(rv_error *error, const char *function, const char *names, const void *const *pointers,
              size_t count)
{
    size_t missing = 0;
    while (missing < count && pointers[missing]) missing++;
    if (missing == count) return true;
    for (size_t i = 0; i < missing; i++) {
        names += strcspn(names, ",");
        names += strspn(names, ", ");
    }
    return rv_fail(error, RV_ERROR_ARGUMENT, "%s: %.*s is NULL; give one", function,
                   (int)strcspn(names, ","), names);
}

bool rv_needs_array(rv_error *error, const char *function, const char *name, const void *array,
                    int64_t count)
{
    if (count < 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: %s has %" PRId64 " element(s); give 0 or more", function, name, count);
    return count == 0 || rv_needs(error, function, name, &array, 1);
}

bool rv_needs_tensors(rv_error *error, const char *function, const rv_named_tensor *tensors,
                      int64_t count)
{
    if (!rv_needs_array(error, function, "tensors", tensors, count)) return false;
    for (int64_t i = 0; i < count; i++) {
        rv_error why = {0};
        if (!tensors[i].name)
            return rv_fail(error, RV_ERROR_NAME, "%s: tensor %" PRId64 " has no name; give it one",
                           function, i);
        if (!rv_tensor_check(&tensors[i].tensor, &why))
            return rv_fail(error, why.code, "%s: \"%.100s\": %s", function, tensors[i].name,
                           why.text);
    }
    return true;
}

bool rv_needs_archive(rv_error *error, const char *function, const rv_archive *archive)
{
    if (archive->tensor_count > PTRDIFF_MAX || archive->metadata_count > PTRDIFF_MAX)
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: too large a count of the archive; correct it",
                       function);
    if (!rv_needs_tensors(error, function, archive->tensors, (int64_t)archive->tensor_count) ||
        !rv_needs_array(error, function, "metadata", archive->metadata,
                        (int64_t)archive->metadata_count))
        return false;
    for (size_t i = 0; i < archive->metadata_count; i++)
        if (!archive->metadata[i].key || !archive->metadata[i].value)
            return rv_fail(error, RV_ERROR_NAME,
                           "%s: metadata %zu has no key or no value; give both", function, i);
    return true;
}
