/* What a store keeps for its programs: the thread pool that runs them, and the programs, found by the hash of the
 * tape that they were compiled from. */
#ifndef RV_AUTOGRAD_PROGRAM_CACHE_INTERNAL_H
#define RV_AUTOGRAD_PROGRAM_CACHE_INTERNAL_H

#include "autograd/program.h"
#include "autograd/thread_pool_internal.h"

enum { RV_PROGRAM_CACHE_SIZE = 64 }; /* programs; the one unused for longest makes room */

/* The thread pool of programs compiled now; NULL for one thread. The reference is the store's. */
rv_thread_pool *rv_program_cache_pool(const rv_store *store);

/* A reference to the program of that hash, or NULL. */
rv_program *rv_program_cache_find(rv_store *store, rv_hash hash);

/* Takes a reference of its own. When out of memory the program is not kept. */
void rv_program_cache_add(rv_store *store, rv_program *program);

#endif
