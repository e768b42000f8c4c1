#include "tensor/name_table_internal.h"

#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/memory.h"

uint64_t rv_table_key(void)
{
    uint64_t key = (uintptr_t)&key; /* where the system has no random numbers: a random address */
    const int failed = getentropy(&key, sizeof key);
    (void)failed;
    return key;
}

/* The slot of the name, or the empty slot where it belongs. */
static struct rv_name_slot *slot_of(const rv_name_table *table, const char *name)
{
    const size_t mask = table->size - 1;
    size_t at = (size_t)XXH3_64bits_withSeed(name, strlen(name), table->key) & mask;
    while (table->slots[at].name && strcmp(table->slots[at].name, name) != 0) at = (at + 1) & mask;
    return &table->slots[at];
}

bool rv_name_table_reserve(rv_name_table *table, size_t count)
{
    if (count <= table->size / 2) return true;
    rv_name_table grown = {.size = 16, .key = table->key ? table->key : rv_table_key()};
    while (grown.size / 2 < count) grown.size *= 2;
    grown.slots = rv_alloc(grown.size, sizeof *grown.slots);
    if (!grown.slots) return false;
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].name) *slot_of(&grown, table->slots[i].name) = table->slots[i];
    rv_free(table->slots);
    *table = grown;
    return true;
}

void rv_name_table_add(rv_name_table *table, const char *name, size_t index)
{
    *slot_of(table, name) = (struct rv_name_slot){name, index};
}

size_t rv_name_table_find(const rv_name_table *table, const char *name)
{
    if (!table->size) return SIZE_MAX;
    const struct rv_name_slot *slot = slot_of(table, name);
    return slot->name ? slot->index : SIZE_MAX;
}

void rv_name_table_free(rv_name_table *table)
{
    rv_free(table->slots);
    *table = (rv_name_table){0};
}
