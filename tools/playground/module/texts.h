/* The texts of gallery/, built in. */
#ifndef RV_TOOLS_PLAYGROUND_MODULE_TEXTS_H
#define RV_TOOLS_PLAYGROUND_MODULE_TEXTS_H

#include "lang/texts/texts.h"

extern const lang_text page_texts[]; /* by name; the last one has no name */

#endif
