"""JAX: whole training steps under jit, gates in one product, the input's products before the steps. Loops over time are
lax.scan; those with convolutions, which are slow within a scan on CPUs, are unrolled."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from common import Unavailable, serve

IMAGES = ("NCHW", "OIHW", "NCHW")


def conv(x, w, pad):
    return lax.conv_general_dilated(x, w, (1, 1), [(pad, pad)] * 2, dimension_numbers=IMAGES)


def linear(p, name, x):
    return x @ p[f"{name}/weight"].T + p[f"{name}/bias"]


def joined(p, prefix, gates, axis):
    return jnp.concatenate([p[prefix + gate] for gate in gates], axis)


def lerp(gates, h, axis):
    g, c = jnp.split(gates, 2, axis)
    c = jnp.tanh(c)
    return c + jax.nn.sigmoid(g) * (h - c)


def curnn(p, x):
    X = conv(x, joined(p, "Wx", "gc", 0), 0) + joined(p, "b", "gc", 0)[:, None, None]
    W, h = joined(p, "Wrec", "gc", 0), 0
    for t in range(2):
        h = lerp(X + conv(h, W, 1) if t else X, h, 1)
    return linear(p, "fc2", jnp.tanh(linear(p, "fc1", h.reshape(len(x), -1))))


def conv_ugrnn(p, x):
    X = conv(x, joined(p, "U", "gc", 0), 1) + joined(p, "b", "gc", 0)[:, None, None]
    W = joined(p, "W", "gc", 0)
    h = lerp(X, 0, 1)
    for _ in range(7):
        h = lerp(X + conv(h, W, 1), h, 1)
    return linear(p, "fc", h.mean((2, 3)))


def input_products(p, x, gates, prefix=""):
    return x @ joined(p, prefix + "U", gates, 1) + joined(p, prefix + "b", gates, 0)


def zeros(X, gates):
    return jnp.zeros((X.shape[1], X.shape[2] // gates))


def ugrnn(p, x):
    X = input_products(p, x.swapaxes(0, 1), "gc")
    W = joined(p, "W", "gc", 1)
    h, _ = lax.scan(lambda h, X: (lerp(X + h @ W, h, 1), None), zeros(X, 2), X)
    return linear(p, "fc", h)


def gru_step(p):
    W, Wc = joined(p, "W", "ru", 1), p["Wc"]

    def step(h, X):
        r, u = jnp.split(jax.nn.sigmoid(X[:, :2 * h.shape[1]] + h @ W), 2, 1)
        c = jnp.tanh(X[:, 2 * h.shape[1]:] + (r * h) @ Wc)
        return c + u * (h - c)

    return step


def gru(p, x):
    X, step = input_products(p, x.swapaxes(0, 1), "ruc"), gru_step(p)
    h, _ = lax.scan(lambda h, X: (step(h, X), None), zeros(X, 3), X)
    return linear(p, "fc", h)


def lstm_step(W, X, h, c):
    i, f, o, z = jnp.split(X + h @ W, 4, 1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(z)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def lstm_layer(p, x, prefix=""):
    """x [steps,n,inputs]: the last output, and all of them."""
    X, W = input_products(p, x, "ifoz", prefix), joined(p, prefix + "W", "ifoz", 1)

    def step(state, X):
        state = lstm_step(W, X, *state)
        return state, state[0]

    (h, _), all_steps = lax.scan(step, (zeros(X, 4), zeros(X, 4)), X)
    return h, all_steps


def lstm(p, x):
    return linear(p, "fc", lstm_layer(p, x.swapaxes(0, 1))[0])


def characters(p, x):
    h = p["embedding"][x.T]
    for layer in ("layer0/", "layer1/"):
        _, h = lstm_layer(p, h, layer)
    return linear(p, "fc", h.swapaxes(0, 1).reshape(-1, h.shape[2]))


def video(p, x):
    n, steps, channels, height, width = x.shape
    flat = x.swapaxes(0, 1).reshape(-1, channels, height, width)
    X = conv(flat, joined(p, "U", "ifoz", 0), 1) + joined(p, "b", "ifoz", 0)[:, None, None]
    W = joined(p, "W", "ifoz", 0)

    h = c = jnp.zeros((n, W.shape[1], height, width))
    for X in X.reshape(steps, n, -1, height, width):
        i, f, o, z = jnp.split(X + conv(h, W, 1), 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(z)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return conv(h, p["frame/weight"], 1)


def mingru(p, x):
    x = x.swapaxes(0, 1)
    z = jax.nn.sigmoid(x @ p["Uz"] + p["bz"])
    u = x @ p["Uh"] + p["bh"]
    h, _ = lax.scan(lambda h, r: (h + r[0] * (r[1] - h), None), jnp.zeros(u.shape[1:]), (z, u))
    return linear(p, "fc", h)


def sru(p, x):
    x = x.swapaxes(0, 1)
    X = x @ jnp.concatenate([p["U1"], p["U2"], p["U0"]], 1) + jnp.concatenate([p["bf"], p["br"], 0 * p["br"]])

    def step(state, row):
        (_, c), (X, x) = state, row
        f, r, u = jnp.split(X, 3, 1)
        f, r = jax.nn.sigmoid(f + p["vf"] * c), jax.nn.sigmoid(r + p["vr"] * c)
        c = u + f * (c - u)
        return (x + r * (c - x), c), None

    zero = jnp.zeros(x.shape[1:])
    (h, _), _ = lax.scan(step, (zero, zero), (X, x))
    return linear(p, "fc", h)


NETS = {"A1": curnn, "A2": curnn, "A3": curnn, "B": conv_ugrnn, "C1": ugrnn, "C2": gru, "C3": lstm,
        "D-sigmoid": lambda p, x: jax.nn.sigmoid(x), "D-tanh": lambda p, x: jnp.tanh(x), "E": characters,
        "F": lstm, "G": video, "I1": mingru, "I2": mingru, "I3": sru, "I4": sru, "J": ugrnn,
        "J2": gru, "J3": lstm}


def loss_for(w):
    if w.base.startswith("A"):
        return lambda p, y: jnp.mean(jax.nn.softplus(p) - p * y)
    if w["y"].dtype == np.int32:
        return lambda p, y: -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(p), y[:, None], 1))
    return lambda p, y: jnp.mean((p - y)**2)


def momentum(rate):
    def update(p, g, state):
        v = jax.tree.map(lambda v, g: 0.9 * v + g, state, g)
        return jax.tree.map(lambda p, v: p - rate * v, p, v), v
    return update, lambda p: jax.tree.map(jnp.zeros_like, p)


def adam(rate):
    def update(p, g, state):
        m, v, t = state
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a, b = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
        p = jax.tree.map(lambda p, m, v: p - rate * a * m / (jnp.sqrt(b * v) + 1e-8), p, m, v)
        return p, (m, v, t)
    return update, lambda p: (jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p), jnp.zeros(()))


def stream(w, p, x):
    """One time step after another, each from the states of the last."""
    if "Wi" in p:
        W = joined(p, "W", "ifoz", 1)
        run = jax.jit(lambda x, h, c: lstm_step(W, input_products(p, x, "ifoz"), h, c))
    else:
        one = gru_step(p)
        run = jax.jit(lambda x, h, c: (one(h, input_products(p, x, "ruc")), c))
    x, state = x[:, 0], [jnp.zeros((1, len(p.get("bi", p.get("br"))))) for _ in range(2)]

    def step():
        state[:] = run(x, *state)
        return state[0].block_until_ready()

    return step


def load(w):
    if not w.base.startswith("H") and w.base not in NETS:
        raise Unavailable("not written")
    p = {name: jnp.asarray(v) for name, v in w.tensors.items() if name not in "xy"}
    x = jnp.asarray(w["x"])
    if w.base.startswith("H"):
        return stream(w, p, x)
    net = NETS[w.base]
    if not w.training:
        run = jax.jit(lambda x: net(p, x))
        return lambda: run(x).block_until_ready()
    y, loss = jnp.asarray(w["y"]), loss_for(w)
    update, start = (momentum if w.base.startswith("A") else adam)(w.rate)

    def one(p, state):
        value, g = jax.value_and_grad(lambda p: loss(net(p, x), y))(p)
        return value, *update(p, g, state)

    run, kept = jax.jit(one, donate_argnums=(0, 1)), [p, start(p)]

    def step():
        value, *kept[:] = run(*kept)
        return value.block_until_ready()

    return step


if __name__ == "__main__":
    serve(load)
