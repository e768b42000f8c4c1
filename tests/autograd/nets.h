/* A recurrent convolutional net and its training, as a user would write them: for tests of what
 * whole programs cost. */
#ifndef RV_TESTS_AUTOGRAD_NETS_H
#define RV_TESTS_AUTOGRAD_NETS_H

#include "ops/ops.h"
#include "optim/optim.h"
#include "tests/tapes.h"

/* The loss of an update-gate cell shown the input "x" [batch,1,8,8] `steps` times. */
inline rv_var gated_net(rv_tape *tape, int64_t batch, int steps, int64_t channels = 2)
{
    const rv_init init = rv_init_uniform(-0.3, 0.3);
    const rv_var x = rv_input(tape, "x", RV_SHAPE(batch, 1, 8, 8)),
                 y = rv_input(tape, "y", RV_SHAPE(batch, 1));
    rv_var h = rv_full(tape, RV_SHAPE(batch, channels, 4, 4), 0);
    const auto map = [&](const char *name, rv_var of, int64_t size) {
        const rv_shape shape = RV_SHAPE(channels, rv_shape_of(of).dim[1], size, size);
        return rv_conv2d(of, rv_parameter(tape, name, shape, init), {});
    };
    for (int t = 0; t < steps; t++) {
        const rv_var hp = rv_pad2d(h, 1);
        const rv_var g = rv_sigmoid(rv_add(map("Wxg", x, 5), map("Wrecg", hp, 3)));
        const rv_var c = rv_tanh(rv_add(map("Wxc", x, 5), map("Wrecc", hp, 3)));
        h = rv_lerp(c, h, g);
    }
    const rv_var p = rv_linear(rv_tanh(rv_linear(rv_flatten(h), "fc1", 10)), "fc2", 1);
    return rv_sigmoid_cross_entropy(p, y);
}

/* The same for a net of fully connected layers. */
inline rv_var layered_net(rv_tape *tape, int64_t batch, int layers, int64_t units)
{
    rv_var h = rv_input(tape, "x", RV_SHAPE(batch, 20));
    const rv_var y = rv_input(tape, "y", RV_SHAPE(batch, 5));
    for (int i = 0; i < layers; i++)
        h = rv_tanh(rv_linear(h, ("layer" + std::to_string(i)).c_str(), units));
    return rv_softmax_cross_entropy(rv_linear(h, "out", 5), y);
}

#endif
