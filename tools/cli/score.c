#include "tools/cli/score.h"

#include <math.h>
#include <stdio.h>

const char *score_text(const rv_source *data, double loss, double accuracy, double error,
                       char text[SCORE_TEXT])
{
    if (rv_source_is_text(data))
        snprintf(text, SCORE_TEXT, "%.3f bits per character", loss / log(2));
    else if (data->classes > 0)
        snprintf(text, SCORE_TEXT, "%.2f %%", 100 * accuracy);
    else
        snprintf(text, SCORE_TEXT, "error %.4g", error);
    return text;
}
