/* States of parameters, found in a store. */
#ifndef RV_OPTIM_UPDATE_INTERNAL_H
#define RV_OPTIM_UPDATE_INTERNAL_H

#include "optim/update.h"
#include "tensor/store.h"

/* The state that rv_moment makes for the parameter; NULL: the store has none. */
rv_entry *rv_moment_find(const rv_store *store, const char *symbol, const char *parameter);

#endif
