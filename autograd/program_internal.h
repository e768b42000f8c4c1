/* A run whose caller has entered the store. Not part of the public interface. */
#ifndef RV_AUTOGRAD_PROGRAM_INTERNAL_H
#define RV_AUTOGRAD_PROGRAM_INTERNAL_H

#include "autograd/program.h"

/* rv_run between rv_store_enter and rv_store_leave. It cannot fail. */
void rv_run_entered(rv_program *program);

#endif
