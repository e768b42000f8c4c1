/* Memory that is freed all at once. It holds the tree and the symbols of a text. */
#ifndef RV_LANG_SYNTAX_ARENA_H
#define RV_LANG_SYNTAX_ARENA_H

#include <stddef.h>

typedef struct lang_chunk lang_chunk;

/* Start it as {0}. */
typedef struct lang_arena {
    lang_chunk *last;
    size_t used, size; /* of the last chunk */
} lang_arena;

/* Returns zero-filled memory, or NULL when out of memory. */
void *rv_lang_allocate(lang_arena *arena, size_t bytes);

/* Copies `length` bytes and adds a NUL. NULL when out of memory. */
char *rv_lang_copy(lang_arena *arena, const char *text, size_t length);

void rv_lang_free_arena(lang_arena *arena);

#endif
