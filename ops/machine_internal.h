/* What decides how kernels round. Not part of the public interface. */
#ifndef RV_OPS_MACHINE_INTERNAL_H
#define RV_OPS_MACHINE_INTERNAL_H

/* The name of the instruction set that the kernels of this process use: "x86-64-v3". */
const char *rv_instruction_set(void);

#endif
