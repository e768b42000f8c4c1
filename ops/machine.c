#include "ops/machine_internal.h"

#include "tensor/machine_internal.h"

const char *rv_instruction_set(void) { return rv_instruction_set_at(rv_instruction_level()); }
