#include "lang/syntax/arena.h"

#include <stdalign.h>
#include <string.h>

#include "tensor/memory.h"

struct lang_chunk {
    lang_chunk *before;
};

enum { SMALLEST = 1 << 11, LARGEST = 1 << 14, START = 16 };

void *rv_lang_allocate(lang_arena *arena, size_t bytes)
{
    const size_t align = alignof(max_align_t);
    bytes = (bytes + align - 1) / align * align;
    if (!arena->last || bytes > arena->size - arena->used) {
        size_t size = 2 * arena->size;
        if (size < SMALLEST) size = SMALLEST;
        if (size > LARGEST) size = LARGEST;
        if (size < START + bytes) size = START + bytes;
        lang_chunk *chunk = rv_alloc(1, size);
        if (!chunk) return NULL;
        chunk->before = arena->last;
        arena->last = chunk;
        arena->used = START;
        arena->size = size;
    }
    void *memory = (char *)arena->last + arena->used;
    arena->used += bytes;
    return memory;
}

char *rv_lang_copy(lang_arena *arena, const char *text, size_t length)
{
    char *copy = rv_lang_allocate(arena, length + 1);
    if (copy) memcpy(copy, text, length);
    return copy;
}

void rv_lang_free_arena(lang_arena *arena)
{
    while (arena->last) {
        lang_chunk *before = arena->last->before;
        rv_free(arena->last);
        arena->last = before;
    }
    *arena = (lang_arena){0};
}
