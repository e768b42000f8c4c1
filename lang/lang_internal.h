/* The inside of rv_lang. */
#ifndef RV_LANG_LANG_INTERNAL_H
#define RV_LANG_LANG_INTERNAL_H

#include "lang/lang.h"
#include "lang/record/models.h"
#include "lang/resolve/file.h"

struct rv_lang {
    lang_file file;
    lang_model *model;
    int models;
};

#endif
