/* In place of the library's choice of kernels, by the linker's option --wrap. */
#include "ops/kernels/kernels.h"

const rv_kernels *__wrap_rv_kernels_for(rv_dtype dtype);

const rv_kernels *__wrap_rv_kernels_for(rv_dtype dtype) { return rv_kernels_at(dtype, 0); }
