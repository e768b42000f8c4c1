#include "data/files/classes.h"

#include <inttypes.h>

#include "data/files.h"

enum { PLAUSIBLE = 1000 }; /* classes, however few occur */

void rv_label_range_add(rv_label_range *range, int32_t label)
{
    if (range->count++ == 0) range->least = label;
    if (label < range->least) range->least = label;
    if (label >= range->above) range->above = (int64_t)label + 1;
}

bool rv_classes_most(int64_t given, const char *what, int64_t *most, rv_error *error)
{
    *most = given != 0 ? given : RV_MOST_CLASSES;
    return (given >= 0 && given <= RV_MOST_CLASSES) ||
           rv_fail(error, RV_ERROR_ARGUMENT, "%" PRId64 " %ss; expected 0 to %d", given, what,
                   RV_MOST_CLASSES);
}

bool rv_classes_of(const rv_label_range *range, int64_t given, const char *what, const char *name,
                   int64_t *classes, rv_error *error)
{
    int64_t spread = range->above - range->least;
    int64_t occur = spread < range->count ? spread : range->count; /* at most so many */
    *classes = given != 0 ? given : range->above;
    if (given != 0 || range->above <= PLAUSIBLE || occur >= range->above / 2) return true;
    return rv_fail(
        error, RV_ERROR_FORMAT,
        "\"%s\": %" PRId64 " %ss from %" PRId64 " to %" PRId64 " would be one of %" PRId64
        " class(es) each, most of which do not occur: number them from 0, set `classes`, "
        "or set `numbers` if they are quantities",
        name, range->count, what, range->least, range->above - 1, range->above);
}
