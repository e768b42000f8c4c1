/* A net as it leaves this library: what c.h and onnx.h take. */
#ifndef RV_EXPORT_NET_H
#define RV_EXPORT_NET_H

#include "../models/models.h"
#include "../optim/optim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Dropout is left out, and all sequences have one length, whatever the options say. */
typedef struct rv_exported_net {
    const rv_model *model;
    const rv_net_options *options;
    rv_type x, y; /* of one sample; of a sequence or a target for each step, axis 0 is time */
    double scale; /* x is multiplied by it */
    const rv_optimizer *optimizer; /* NULL: without training */
    rv_dtype dtype;                /* of parameters and values: that of the store, f32 or f64 */
} rv_exported_net;

#ifdef __cplusplus
}
#endif

#endif
