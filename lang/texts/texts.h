/* The texts that are built into the library: models/NAME.rv, and what every text may call. */
#ifndef RV_LANG_TEXTS_TEXTS_H
#define RV_LANG_TEXTS_TEXTS_H

#include <stddef.h>

typedef struct lang_text {
    const char *name; /* of the file, without .rv */
    const char *text; /* with a NUL at the end */
    size_t size;
} lang_text;

/* rv_text_gru and so on: the files' bytes. */
#define TEXT(name) extern const char rv_text_##name[]
TEXT(curnn);
TEXT(curnn_blog);
TEXT(rnn);
TEXT(irnn);
TEXT(ugrnn);
TEXT(gru);
TEXT(lstm);
TEXT(lstm_peephole);
TEXT(intersection_rnn);
TEXT(mgu);
TEXT(fastgrnn);
TEXT(sru);
TEXT(qrnn);
TEXT(lem);
TEXT(mingru);
TEXT(conv_ugrnn);
TEXT(conv_gru);
TEXT(conv_lstm);
TEXT(update_gate);
TEXT(prelude);
#undef TEXT

/* By name, NULL: there is none. The one that has no name in it, NULL, ends the list. */
extern const lang_text rv_lang_texts[];
const lang_text *rv_lang_text(const char *name);

#endif
