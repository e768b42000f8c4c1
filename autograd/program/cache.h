/* The thread pool of a store, and its compiled programs under the hash of their tape. */
#ifndef RV_AUTOGRAD_PROGRAM_CACHE_H
#define RV_AUTOGRAD_PROGRAM_CACHE_H

#include "autograd/program.h"
#include "autograd/program/thread_pool.h"

enum { RV_PROGRAM_CACHE_SIZE = 64 }; /* programs; the least recently used is evicted */

/* The thread pool for newly compiled programs, owned by the store. NULL for one thread. */
rv_thread_pool *rv_program_cache_pool(const rv_store *store);

/* Returns a new reference to the program with that hash, or NULL. */
rv_program *rv_program_cache_find(rv_store *store, rv_hash hash);

/* Adds a program, with a reference of the cache's own. Does nothing when out of memory. */
void rv_program_cache_add(rv_store *store, rv_program *program);

#endif
