/* Finding what is wrong in a text by recording all of it once. */
#ifndef RV_LANG_JUDGE_CHECK_H
#define RV_LANG_JUDGE_CHECK_H

#include "lang/record/models.h"

/* Records the file's cells, models and derivations. False, and reported: something is wrong. */
bool rv_lang_check_file(lang_file *file, lang_model *models, int count);

#endif
