/* Memory that is freed all at once: it holds what a text becomes. */
#ifndef RV_LANG_SYNTAX_ARENA_H
#define RV_LANG_SYNTAX_ARENA_H

#include <stddef.h>

typedef struct lang_chunk lang_chunk;

/* Start it as {0}. */
typedef struct lang_arena {
    lang_chunk *last;
    size_t used, size; /* of the last chunk */
} lang_arena;

/* Zero-filled; NULL when out of memory. */
void *rv_lang_allocate(lang_arena *arena, size_t bytes);

/* A copy of `length` bytes with a NUL after them. */
char *rv_lang_copy(lang_arena *arena, const char *text, size_t length);

void rv_lang_free_arena(lang_arena *arena);

#endif
