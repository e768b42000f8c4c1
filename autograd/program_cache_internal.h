/* What a store keeps for its programs: the team that runs them, and the programs themselves under the
 * hash of the tape they were compiled from. */
#ifndef RV_AUTOGRAD_PROGRAM_CACHE_INTERNAL_H
#define RV_AUTOGRAD_PROGRAM_CACHE_INTERNAL_H

#include "autograd/program.h"
#include "autograd/thread_pool_internal.h"

enum { RV_PROGRAM_CACHE_SIZE = 64 }; /* programs; the one unused for longest makes room */

/* The team that programs compiled now are for; NULL for one thread. The store's reference. */
rv_team *rv_program_cache_team(const rv_store *store);

/* A reference to the program of that hash, or NULL. */
rv_program *rv_program_cache_find(rv_store *store, rv_hash hash);

/* Takes a reference of its own. Without memory the program is just not kept. */
void rv_program_cache_add(rv_store *store, rv_program *program);

/* rv_compile_with, but a program of its own: nobody else has it, so its inputs may be filled. */
rv_program *rv_compile_apart(rv_tape *tape, const rv_var *outputs, int count, unsigned flags);

/* Of program.c, as is the above. */
rv_program *rv_program_retain(rv_program *program);
rv_hash rv_program_hash(const rv_program *program);

#endif
