"""NumPy with gradients by hand, as someone would write it who knows it well: gates in one product, inputs in
one product before the steps, convolutions as products of gathered patches (im2col)."""

import numpy as np

from common import Unavailable, serve


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ---- optimizers: in place on a list of parameters ----

class Momentum:
    def __init__(self, w, rate):
        self.w, self.rate, self.v = w, rate, [np.zeros_like(p) for p in w]

    def __call__(self, gradients):
        for w, v, g in zip(self.w, self.v, gradients):
            v *= 0.9
            v += self.rate * g
            w -= v


class Adam:
    def __init__(self, w, rate):
        self.w, self.rate, self.t = w, rate, 0
        self.m, self.s = ([np.zeros_like(p) for p in w] for _ in range(2))

    def __call__(self, gradients):
        self.t += 1
        rate, root = self.rate / (1 - 0.9**self.t), np.sqrt(1 - 0.999**self.t)
        for w, m, s, g in zip(self.w, self.m, self.s, gradients):
            m *= 0.9
            m += 0.1 * g
            s *= 0.999
            s += 0.001 * (g * g)
            d = np.sqrt(s)
            d *= 1 / root
            d += 1e-8
            w -= rate * m / d


# ---- images: [n,h,w,c], patches [n*h*w, k*k*c], kernels [k*k*c, outputs] ----

def patches(x, k):
    n, h, w, c = x.shape
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, k * k * c)


def padded(x):
    n, h, w, c = x.shape
    out = np.zeros((n, h + 2, w + 2, c), x.dtype)
    out[:, 1:-1, 1:-1] = x
    return out


def kernels(*w):
    """[outputs,c,k,k] each, side by side as [k*k*c, outputs]."""
    return np.hstack([v.transpose(2, 3, 1, 0).reshape(-1, len(v)) for v in w])


def back_through(w, dy, shape):
    """The cotangent of x [n,h,w,c] where y = patches(padded(x), 3) w: the patches of dy with w turned round."""
    c, outputs = shape[-1], w.shape[1]
    turned = w.reshape(3, 3, c, outputs)[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, c)
    return (patches(padded(dy.reshape(*shape[:3], outputs)), 3) @ turned).reshape(shape)


# ---- a convolutional update gate: g and c in one product ----

def gate_forward(X, W, b, h, columns):
    """X: the input's part of both gates. Returns h' and what the way back needs."""
    G = X + b
    if columns is not None:
        G += columns @ W
    u = len(b) // 2
    g, c = sigmoid(G[:, :u]), np.tanh(G[:, u:])
    return c + g * (h - c), (columns, h, g, c)


def gate_backward(dh, kept):
    """Returns the cotangents of the gates and of h where it is carried over."""
    _, h, g, c = kept
    dG = np.empty((len(dh), 2 * dh.shape[1]), dh.dtype)
    u = dh.shape[1]
    np.multiply(dh * (h - c), g * (1 - g), out=dG[:, :u])
    np.multiply(dh * (1 - g), 1 - c * c, out=dG[:, u:])
    return dG, dh * g


def unroll_image(w, X, Wh, b, shape):
    """h after all steps as [n*h*w, units], and what was kept."""
    h, kept = np.zeros((len(X), shape[-1]), X.dtype), []
    for t in range(w.steps):
        columns = patches(padded(h.reshape(shape)), 3) if t else None
        h, k = gate_forward(X, Wh, b, h, columns)
        kept.append(k)
    return h, kept


def unroll_image_backward(dh, kept, Wh, shape):
    """Gradients of the sum of inputs' parts, of Wh and of b."""
    dX, dWh = 0, 0
    for t in reversed(range(len(kept))):
        dG, carried = gate_backward(dh, kept[t])
        dX = dX + dG
        if t:
            dWh = dWh + kept[t][0].T @ dG
            dh = carried + back_through(Wh, dG, shape).reshape(dh.shape)
    return dX, dWh, dX.sum(0)


def curnn(w):
    x = patches(w["x"].transpose(0, 2, 3, 1), 5)
    n, y = len(w["x"]), w["y"]
    shape = (n, 4, 4, 1)
    Wx, Wh = kernels(w["Wxg"], w["Wxc"]), kernels(w["Wrecg"], w["Wrecc"])
    b = np.concatenate([w["bg"], w["bc"]])
    W1, b1, W2, b2 = (w[k] for k in ("fc1/weight", "fc1/bias", "fc2/weight", "fc2/bias"))
    update = Momentum([Wx, Wh, b, W1, b1, W2, b2], w.rate)

    def forward():
        h, kept = unroll_image(w, x @ Wx, Wh, b, shape)
        h = h.reshape(n, 16)
        a = np.tanh(h @ W1.T + b1)
        return a @ W2.T + b2, a, h, kept

    def step():
        p, a, h, kept = forward()
        loss = np.mean(np.logaddexp(0, p) - p * y)
        dp = (sigmoid(p) - y) / n
        da = (dp @ W2) * (1 - a * a)
        dX, dWh, db = unroll_image_backward((da @ W1).reshape(-1, 1), kept, Wh, shape)
        update([x.T @ dX, dWh, db, da.T @ h, da.sum(0), dp.T @ a, dp.sum(0)])
        return loss

    return step if w.training else lambda: forward()[0]


def conv_ugrnn(w):
    x, y, units = padded(w["x"].transpose(0, 2, 3, 1)), w["y"], len(w["bg"])
    n, size = len(y), w["x"].shape[2]
    shape, rows = (n, size, size, units), np.arange(n)
    Wx, Wh = kernels(w["Ug"], w["Uc"]), kernels(w["Wg"], w["Wc"])
    b = np.concatenate([w["bg"], w["bc"]])
    W1, b1 = w["fc/weight"], w["fc/bias"]
    update = Adam([Wx, Wh, b, W1, b1], w.rate)

    def forward():
        columns = patches(x, 3)
        h, kept = unroll_image(w, columns @ Wx, Wh, b, shape)
        pool = h.reshape(n, -1, units).mean(1)
        return pool @ W1.T + b1, pool, kept, columns

    def step():
        p, pool, kept, columns = forward()
        p = p - p.max(1, keepdims=True)
        e = np.exp(p)
        s = e / e.sum(1, keepdims=True)
        loss = -np.mean(np.log(s[rows, y]))
        s[rows, y] -= 1
        dp = s / n
        dpool = (dp @ W1) * (1 / size**2)
        dh = np.repeat(dpool.astype(np.float32), size**2, 0)
        dX, dWh, db = unroll_image_backward(dh, kept, Wh, shape)
        update([columns.T @ dX, dWh, db, dp.T @ pool, dp.sum(0)])
        return loss

    return step if w.training else lambda: forward()[0]


# ---- sequences: x [steps,n,inputs] ----

def ugrnn_cell(W, b, units):
    def forward(X, h, t):
        return gate_forward(X, W, b, h, h if t else None)

    def backward(dh, kept):
        dG, carried = gate_backward(dh, kept)
        return dG, carried + dG @ W.T

    return forward, backward, lambda kept, t, dG: kept[0].T @ dG


def gru_cell(W, b, units):
    ru, last = slice(0, 2 * units), slice(2 * units, 3 * units)

    def forward(X, h, t):
        G = X + b
        if t:
            G[:, ru] += h @ W[:, ru]
        gates = sigmoid(G[:, ru])
        r, u = gates[:, :units], gates[:, units:]
        rh = r * h
        c = np.tanh(G[:, last] + rh @ W[:, last] if t else G[:, last])
        return c + u * (h - c), (h, r, u, c, rh)

    def backward(dh, kept):
        h, r, u, c, _ = kept
        dG = np.empty((len(dh), 3 * units), dh.dtype)
        dG[:, last] = dh * (1 - u) * (1 - c * c)
        drh = dG[:, last] @ W[:, last].T
        dG[:, :units] = drh * h * r * (1 - r)
        dG[:, units:2 * units] = dh * (h - c) * u * (1 - u)
        return dG, dh * u + drh * r + dG[:, ru] @ W[:, ru].T

    def weight_gradient(kept, t, dG):
        return np.hstack([kept[0].T @ dG[:, ru], kept[4].T @ dG[:, last]])

    return forward, backward, weight_gradient


def lstm_cell(W, b, units):
    """Gates i, f, o, z; the state is a pair."""
    def forward(X, state, t):
        h, m = state
        G = X + b
        if t:
            G += h @ W
        s, z = sigmoid(G[:, :3 * units]), np.tanh(G[:, 3 * units:])
        i, f, o = s[:, :units], s[:, units:2 * units], s[:, 2 * units:]
        c = f * m + i * z
        a = np.tanh(c)
        return (o * a, c), (h, m, i, f, o, z, a)

    def backward(state, kept):
        dh, dc = state
        h, m, i, f, o, z, a = kept
        dc = dc + dh * o * (1 - a * a)
        dG = np.empty((len(dh), 4 * units), dh.dtype)
        dG[:, :units] = dc * z * i * (1 - i)
        dG[:, units:2 * units] = dc * m * f * (1 - f)
        dG[:, 2 * units:3 * units] = dh * a * o * (1 - o)
        dG[:, 3 * units:] = dc * i * (1 - z * z)
        return dG, (dG @ W.T, dc * f)

    return forward, backward, lambda kept, t, dG: kept[0].T @ dG


SEQUENCES = {"C1": ("gc", ugrnn_cell), "C2": ("ruc", gru_cell), "C3": ("ifoz", lstm_cell),
             "F": ("ifoz", lstm_cell), "J": ("gc", ugrnn_cell),
             "J2": ("ruc", gru_cell), "J3": ("ifoz", lstm_cell)}


def sequence(w):
    gates, cell = SEQUENCES[w.base]
    x, y = np.ascontiguousarray(w["x"].swapaxes(0, 1)), w["y"]
    steps, n, inputs = x.shape
    U, W = (np.hstack([w[kind + g] for g in gates]) for kind in "UW")
    b = np.concatenate([w["b" + g] for g in gates])
    W1, b1, units = w["fc/weight"], w["fc/bias"], len(w["b" + gates[0]])
    update = Adam([U, W, b, W1, b1], w.rate)
    step_forward, step_backward, weight_gradient = cell(W, b, units)
    zero, pair = np.zeros((n, units), np.float32), w.base in ("C3", "F", "J3")

    def forward():
        X, state, kept = (x.reshape(-1, inputs) @ U).reshape(steps, n, -1), zero, []
        if pair:
            state = zero, zero
        for t in range(steps):
            state, k = step_forward(X[t], state, t)
            kept.append(k)
        h = state[0] if pair else state
        return h @ W1.T + b1, h, kept

    def step():
        p, h, kept = forward()
        loss = np.mean((p - y)**2)
        dp = (p - y) * np.float32(2 / y.size)
        state = dp @ W1
        if pair:
            state = state, zero
        dX, dW = np.empty((steps, n, W.shape[1]), np.float32), 0
        for t in reversed(range(steps)):
            dX[t], state = step_backward(state, kept[t])
            if t:
                dW = dW + weight_gradient(kept[t], t, dX[t])
        flat = dX.reshape(steps * n, -1)
        update([x.reshape(-1, inputs).T @ flat, dW, flat.sum(0), dp.T @ h, dp.sum(0)])
        return loss

    return step if w.training else lambda: forward()[0]


def load(w):
    if w.base.startswith("A"):
        return curnn(w)
    if w.base == "B":
        return conv_ugrnn(w)
    if w.base in SEQUENCES:
        return sequence(w)
    x = w["x"]
    if w.base == "D-sigmoid":
        return lambda: sigmoid(x)
    if w.base == "D-tanh":
        return lambda: np.tanh(x)
    raise Unavailable("not written")


serve(load)
