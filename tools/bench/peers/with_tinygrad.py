"""tinygrad: whole training steps under TinyJit, its kernels compiled by clang; gates in one product, the input's products
before the steps. Time steps are unrolled: tinygrad has no loop."""

import numpy as np
from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn.optim import SGD, Adam

from common import Unavailable, serve


def linear(p, name, x):
    return x.linear(p[f"{name}/weight"].T, p[f"{name}/bias"])


def joined(p, prefix, gates, axis):
    first, *others = (p[prefix + gate] for gate in gates)
    return first.cat(*others, dim=axis).contiguous()  # once, not within each product


def lerp(gates, h, axis):
    g, c = gates.chunk(2, axis)
    c = c.tanh()
    return c + g.sigmoid() * (h - c)


def curnn(p, x):
    X = x.conv2d(joined(p, "Wx", "gc", 0), joined(p, "b", "gc", 0))
    h = lerp(X, 0, 1)
    h = lerp(X + h.conv2d(joined(p, "Wrec", "gc", 0), padding=1), h, 1)
    return linear(p, "fc2", linear(p, "fc1", h.flatten(1)).tanh())


def conv_ugrnn(p, x):
    X = x.conv2d(joined(p, "U", "gc", 0), joined(p, "b", "gc", 0), padding=1)
    W = joined(p, "W", "gc", 0)
    h = lerp(X, 0, 1)
    for _ in range(7):
        h = lerp(X + h.conv2d(W, padding=1), h, 1)
    return linear(p, "fc", h.mean((2, 3)))


def steps(p, x, gates):
    """The input's products and biases at each time step, [n,gates units]."""
    X = (x @ joined(p, "U", gates, 1) + joined(p, "b", gates, 0)).contiguous()
    return [X[:, t] for t in range(x.shape[1])]


def zeros(X, gates):
    return Tensor.zeros(X.shape[0], X.shape[1] // gates)


def ugrnn(p, x):
    X, W = steps(p, x, "gc"), joined(p, "W", "gc", 1)
    h = zeros(X[0], 2)
    for gates in X:
        h = lerp(gates + h @ W, h, 1)
    return linear(p, "fc", h)


# C and what is longer is left out: to compile 50 time steps takes longer than bench waits.
NETS = {"A1": curnn, "A2": curnn, "A3": curnn, "B": conv_ugrnn, "D-sigmoid": lambda p, x: x.sigmoid(),
        "D-tanh": lambda p, x: x.tanh(), "J": ugrnn}


def loss(w, prediction, y):
    if w.base.startswith("A"):
        return (prediction.softplus() - prediction * y).mean()
    if w["y"].dtype == np.int32:
        return prediction.sparse_categorical_crossentropy(y)
    return (prediction - y).square().mean()


def load(w):
    if w.base not in NETS:
        raise Unavailable("too many time steps to compile, or not written")
    p = {name: Tensor(v).realize() for name, v in w.tensors.items()}
    x, y, net = p.pop("x"), p.pop("y", None), NETS[w.base]
    if not w.training:
        run = TinyJit(lambda: net(p, x).realize())
        return lambda: run().numpy()
    for v in p.values():
        v.requires_grad = True
    optimizer = SGD([*p.values()], w.rate, momentum=0.9) if w.base.startswith("A") else Adam([*p.values()], w.rate)

    @TinyJit
    def run():
        optimizer.zero_grad()
        value = loss(w, net(p, x), y).backward()
        return value.realize(*optimizer.schedule_step())

    def step():
        with Context(TRAINING=1):
            return run().item()

    return step


serve(load)
