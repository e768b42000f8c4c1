/* A hash table from names to indexes. Not part of the public interface. */
#ifndef RV_TENSOR_NAME_TABLE_INTERNAL_H
#define RV_TENSOR_NAME_TABLE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Open addressing with linear probing. The size is a power of two and at least twice the number of
 * names. The names belong to the caller, and none is ever removed. Start it as {0}, or with a
 * key. */
typedef struct rv_name_table {
    struct rv_name_slot {
        const char *name; /* NULL: empty */
        size_t index;
    } * slots;
    size_t size;
    uint64_t key; /* of the hash; 0: none yet */
} rv_name_table;

/* Makes room for `count` names in total. False when out of memory; the table is then unchanged. */
bool rv_name_table_reserve(rv_name_table *table, size_t count);

/* Adds a name that the table does not have to the reserved room. */
void rv_name_table_add(rv_name_table *table, const char *name, size_t index);

/* The index of the name, or SIZE_MAX. */
size_t rv_name_table_find(const rv_name_table *table, const char *name);

void rv_name_table_free(rv_name_table *table);

/* A random number from the system. A table whose hash depends on one cannot be filled with names or
 * numbers that were chosen to collide. Nothing else may depend on it (invariant 7). */
uint64_t rv_table_key(void);

#ifdef __cplusplus
}
#endif

#endif
