/* Parts that the descriptors of several ops share. */
#include "autograd/op.h"

#include <string.h>

bool rv_infer_same(rv_inference *i)
{
    i->out = i->in[0];
    for (int k = 1; k < i->inputs; k++)
        if (i->in[k].dtype != i->out.dtype)
            return rv_fail(i->error, RV_ERROR_DTYPE,
                           "operands of different dtype; cast one of them");
    for (int k = 1; k < i->inputs; k++)
        if (!rv_shape_equal(i->in[k].shape, i->out.shape))
            return rv_fail(
                i->error, RV_ERROR_SHAPE,
                "shapes do not broadcast: from the last axis on, sizes must be equal or 1; "
                "reshape one of them");
    return true;
}

void rv_copy_bytes(const rv_call *c)
{
    if (c->out != c->in[0]) memcpy(c->out, c->in[0], rv_type_bytes(&c->out_type));
}

rv_kernel rv_select_copy_bytes(rv_call *c)
{
    (void)c;
    return rv_copy_bytes;
}
