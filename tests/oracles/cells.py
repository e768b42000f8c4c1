"""Makes tests/oracles/cells.safetensors, what every cell of models/*.rv must compute (tests/oracles/cells_test.cc):

    /usr/bin/python3 tests/oracles/cells.py tests/oracles/cells.safetensors

Needs Debian's python3-torch. A cell is a function of its parameters p, the input x and its states, written from the paper that
models/NAME.rv cites, and returns the next states; the first one is the output. Its gradients are those of PyTorch's autograd in
f64, of the loss sum(outputs^2) / 2 over all steps. The file holds, for each cell,

    NAME/x  NAME/state0 ..    [n,steps,..] the input, [n,..] the initial states
    NAME/outputs              [n,steps,..]
    NAME/p/W ..               the parameters
    NAME/d/x  NAME/d/state0 ..  NAME/d/p/W ..    the gradients

Inputs, states and parameters are drawn by Python's random.Random, seeded with their names, so they are the same everywhere.
"""
import json
import math
import random
import struct
import sys

import torch
from torch import cat, exp, relu, sigmoid as S, tanh
from torch.nn.functional import conv2d, logsigmoid, pad, silu, softplus

torch.set_default_dtype(torch.float64)
CELLS = {}


def draw(name, shape, low=-1.0, high=1.0):
    uniform = random.Random(name).uniform
    return torch.tensor([uniform(low, high) for _ in range(math.prod(shape))]).reshape(shape).requires_grad_()


class Parameters:
    """p.W(x) is a map to the units: x W [inputs,units], or its convolution that keeps height and width, with W
    [units,channels,k,k]. p.b is a vector, one number a unit, along axis 1. p("W", 2, 3) has the shape (2, 3)."""

    def __init__(self, cell, units, kernel, image):
        self.cell, self.units, self.kernel, self.image, self.made = cell, units, kernel, image, {}

    def __call__(self, name, *shape, low=-1.0, high=1.0):
        if name not in self.made:
            self.made[name] = draw(f"{self.cell}/{name}", shape, low, high)
        return self.made[name]

    def __getattr__(self, name):
        if name[0].islower():
            b = self(name, self.units)
            return b[:, None, None] if self.image else b
        if self.kernel:
            return lambda x: conv2d(x, self(name, self.units, x.shape[1], self.kernel, self.kernel), padding=self.kernel // 2)
        return lambda x: x @ self(name, x.shape[1], self.units)


def cell(states=1, units=3, x=(2,), state=None, kernel=0, start=None):
    """x and state are the shapes of one sample; state may be a list with one shape for each state. start changes the states
    that are drawn."""
    image = len(x) > 1
    if state is None:
        state = (units,) + x[1:]
    shapes = state if isinstance(state, list) else [state] * states

    def add(step):
        CELLS[step.__name__] = dict(step=step, units=units, x=x, shapes=shapes, kernel=kernel, image=image, start=start)
        return step

    return add


def copy(step, name):
    return type(step)(step.__code__, globals(), name)


# ---- gates and their relatives ----


@cell()
def rnn(p, x, h):
    return tanh(p.W(h) + p.U(x) + p.b)


@cell()
def irnn(p, x, h):
    return relu(p.W(h) + p.U(x) + p.b)


@cell()
def ugrnn(p, x, h):
    g = S(p.Wg(h) + p.Ug(x) + p.bg)
    return g * h + (1 - g) * tanh(p.Wc(h) + p.Uc(x) + p.bc)


@cell()
def gru(p, x, h):
    r, u = S(p.Wr(h) + p.Ur(x) + p.br), S(p.Wu(h) + p.Uu(x) + p.bu)
    return u * h + (1 - u) * tanh(p.Wc(r * h) + p.Uc(x) + p.bc)


@cell()
def torch_gru(p, x, h):
    r, u = S(p.Wr(h) + p.Ur(x) + p.br), S(p.Wu(h) + p.Uu(x) + p.bu)
    return (1 - u) * tanh(p.Uc(x) + p.bc + r * (p.Wc(h) + p.bh)) + u * h


@cell(states=2)
def lstm(p, x, h, c):
    i, f, o = S(p.Wi(h) + p.Ui(x) + p.bi), S(p.Wf(h) + p.Uf(x) + p.bf), S(p.Wo(h) + p.Uo(x) + p.bo)
    c = f * c + i * tanh(p.Wz(h) + p.Uz(x) + p.bz)
    return o * tanh(c), c


@cell(states=2)
def lstm_peephole(p, x, h, c):
    i, f = S(p.Wi(h) + p.Ui(x) + p.pi * c + p.bi), S(p.Wf(h) + p.Uf(x) + p.pf * c + p.bf)
    c = f * c + i * tanh(p.Wz(h) + p.Uz(x) + p.bz)
    return S(p.Wo(h) + p.Uo(x) + p.po * c + p.bo) * tanh(c), c


@cell(states=2)
def intersection_rnn(p, x, y, h):
    i, c = relu(p.Wy(h) + p.Uy(x) + p.by), tanh(p.Wh(h) + p.Uh(x) + p.bh)
    gy, gh = S(p.Wgy(h) + p.Ugy(x) + p.bgy), S(p.Wgh(h) + p.Ugh(x) + p.bgh)
    return gy * p.Ux(x) + (1 - gy) * i, gh * h + (1 - gh) * c


@cell()
def mgu(p, x, h):
    f = S(p.Wf(h) + p.Uf(x) + p.bf)
    return (1 - f) * h + f * tanh(p.Wc(f * h) + p.Uc(x) + p.bc)


@cell()
def fastgrnn(p, x, h):
    a = p.W(h) + p.U(x)
    z, c = S(a + p.bz), tanh(a + p.bc)
    return (S(p("zeta")) * (1 - z) + S(p("nu"))) * c + z * h


@cell()
def janet(p, x, h):
    s = p.Wf(h) + p.Uf(x) + p.bf
    return S(s) * h + (1 - S(s - 1)) * tanh(p.Wc(h) + p.Uc(x) + p.bc)


@cell(states=2)
def lem(p, x, y, z):
    d1, d2 = S(p.W1(y) + p.U1(x) + p.b1), S(p.W2(y) + p.U2(x) + p.b2)
    z = (1 - d2) * z + d2 * tanh(p.Wz(y) + p.Uz(x) + p.bz)
    return (1 - d1) * y + d1 * tanh(p.Wy(z) + p.Uy(x) + p.by), z


@cell()
def minimal_rnn(p, x, h):
    z = tanh(p.Ux(x) + p.bz)
    u = S(p.Wu(h) + p.Uu(z) + p.bu)
    return u * h + (1 - u) * z


@cell()
def indrnn(p, x, h):
    return relu(p.U(x) + p.w * h + p.b)


@cell()
def ligru(p, x, h):
    z = S(p.Uz(x) + p.Wz(h) + p.bz)
    return z * h + (1 - z) * relu(p.Uc(x) + p.Wc(h) + p.bc)


@cell()
def brc(p, x, h):
    a, c = 1 + tanh(p.Ua(x) + p.wa * h + p.ba), S(p.Uc(x) + p.wc * h + p.bc)
    return c * h + (1 - c) * tanh(p.Uh(x) + a * h + p.bh)


@cell()
def nbrc(p, x, h):
    a, c = 1 + tanh(p.Ua(x) + p.Wa(h) + p.ba), S(p.Uc(x) + p.Wc(h) + p.bc)
    return c * h + (1 - c) * tanh(p.Uh(x) + a * h + p.bh)


@cell()
def cfn(p, x, h):
    theta, eta = S(p.Wt(h) + p.Ut(x) + p.bt), S(p.We(h) + p.Ue(x) + p.be)
    return theta * tanh(h) + eta * tanh(p.U(x))


@cell(x=(1,), units=1)
def update_gate(p, x, h):
    c, g = tanh(p("w_xc") * x + p("w_recc") * h), tanh(p("w_xg") * x + p("w_recg") * h)
    return g * h + (1 - g) * c


@cell(states=2)
def mogrifier_lstm(p, x, h, c):
    for i in range(1, 6):
        if i % 2:
            x = 2 * S(h @ p(f"Q{(i + 1) // 2}", 3, 2)) * x
        else:
            h = 2 * S(x @ p(f"R{i // 2}", 2, 3)) * h
    return lstm(p, x, h, c)


@cell(states=3)
def st_lstm(p, x, h, c, m):
    i, f, g = S(p.Ui(x) + p.Wi(h) + p.bi), S(p.Uf(x) + p.Wf(h) + p.bf), tanh(p.Ug(x) + p.Wg(h) + p.bg)
    c = f * c + i * g
    i, f, g = S(p.Xi(x) + p.Mi(m) + p.di), S(p.Xf(x) + p.Mf(m) + p.df), tanh(p.Xg(x) + p.Mg(m) + p.dg)
    m = f * m + i * g
    o = S(p.Uo(x) + p.Wo(h) + p.Co(c) + p.Mo(m) + p.bo)
    return o * tanh(p.C(c) + p.M(m) + p.b), c, m


@cell(states=4, start=lambda h, c, n, m: (h, c, n + 2, m))
def slstm(p, x, h, c, n, m):
    i, f, z, o = (getattr(p, "W" + g)(h) + getattr(p, "U" + g)(x) + getattr(p, "b" + g) for g in "ifzo")
    new = torch.maximum(logsigmoid(f) + m, i)
    i, f = exp(i - new), exp(logsigmoid(f) + m - new)
    c, n = f * c + i * tanh(z), f * n + i
    return S(o) * c / n, c, n, new


# ---- differential equations ----


@cell(states=2)
def cornn(p, x, y, z):
    dt, gamma, epsilon = 0.042, 2.7, 4.7
    z = z + dt * (tanh(p.W(y) + p.V(z) + p.U(x) + p.b) - gamma * y - epsilon * z)
    return y + dt * z, z


@cell(states=2)
def unicornn(p, x, y, z):
    dt, alpha = 0.205, 0
    z = z - dt * S(p.c) * (tanh(p.w * y + p.U(x) + p.b) + alpha * y)
    return y + dt * S(p.c) * z, z


@cell()
def antisymmetric_rnn(p, x, h):
    epsilon, gamma, W = 0.1, 0.01, p("W", 3, 3)
    return h + epsilon * tanh(h @ (W - W.T - gamma * torch.eye(3)) + p.U(x) + p.b)


@cell()
def cfc(p, x, h):
    z, dt = 1.7159 * tanh(0.666 * (p.U(x) + p.W(h) + p.b)), 1
    t = S((p.A(z) + p.ba) * dt + p.B(z) + p.bb)
    return tanh(p.F(z) + p.bf) * (1 - t) + t * tanh(p.G(z) + p.bg)


@cell()
def ltc(p, x, h):
    unfolds = 6
    for _ in range(unfolds):
        f = S(p.W(h) + p.U(x) + p.b)
        h = (h + 1 / unfolds * f * p("A", 3)) / (1 + 1 / unfolds * (1 / p.tau + f))
    return h


@cell(state=[(3,), (8,)])
def lmu(p, x, h, m):
    d, theta = 8, 64
    A = torch.tensor([[(2 * i + 1) * (-1 if i < j else (-1) ** (i - j + 1)) for j in range(d)] for i in range(d)]) / theta
    B = torch.tensor([[(2 * i + 1) * (-1) ** i] for i in range(d)]) / theta
    held = torch.matrix_exp(cat([cat([A, B], 1), torch.zeros(1, d + 1)]))
    u = x @ p("ex", 2, 1) + h @ p("eh", 3, 1) + m @ p("em", d, 1)
    m = m @ held[:d, :d].T + u @ held[:d, d:].T
    return tanh(p.Wx(x) + p.Wh(h) + m @ p("Wm", d, 3)), m


# ---- gates of the input alone ----


@cell(states=2)
def sru(p, x, h, c):
    f, r = S(p.U1(x) + p.vf * c + p.bf), S(p.U2(x) + p.vr * c + p.br)
    c = f * c + (1 - f) * p.U0(x)
    return r * c + (1 - r) * p.Ux(x), c


@cell(state=[(3,), (3,), (2,)])
def qrnn(p, x, h, c, x1):
    z, f, o = tanh(p.Wz(x1) + p.Uz(x) + p.bz), S(p.Wf(x1) + p.Uf(x) + p.bf), S(p.Wo(x1) + p.Uo(x) + p.bo)
    c = f * c + (1 - f) * z
    return o * c, c, x


@cell()
def mingru(p, x, h):
    z = S(p.Uz(x) + p.bz)
    return (1 - z) * h + z * (p.Uh(x) + p.bh)


@cell()
def minlstm(p, x, h):
    f, i = S(p.Uf(x) + p.bf), S(p.Ui(x) + p.bi)
    return f / (f + i) * h + i / (f + i) * (p.Uh(x) + p.bh)


@cell()
def rg_lru(p, x, h):
    r, i = S(p.Ur(x) + p.br), S(p.Ui(x) + p.bi)
    a = exp(-8 * softplus(p.l) * r)
    return a * h + torch.sqrt(1 - a**2) * (i * p.Ux(x))


@cell(states=3)
def lru(p, x, y, re, im):
    decay = exp(torch.complex(-exp(p.nu), exp(p.theta)))
    B, C = torch.complex(p.Bp(x), p.Bq(x)), torch.complex(p("Cp", 3, 3), p("Cq", 3, 3))
    s = decay * torch.complex(re, im) + torch.sqrt(1 - decay.abs() ** 2) * B
    return (s @ C).real + p.D(x), s.real, s.imag


# ---- states that are matrices, and their like ----


@cell(state=[(3,), (3, 3), (3, 1), (1, 1)])
def mlstm(p, x, h, C, n, m):
    q, k, v = (torch.unsqueeze(getattr(p, "W" + g)(x) + getattr(p, "b" + g), 2) for g in "qkv")
    i, f = (x @ p("wi", 2, 1) + p("bi"))[:, :, None], (x @ p("wf", 2, 1) + p("bf"))[:, :, None]
    new = torch.maximum(logsigmoid(f) + m, i)
    i, f, k = exp(i - new), exp(logsigmoid(f) + m - new), k / math.sqrt(3)
    C, n = f * C + i * v @ k.mT, f * n + i * k
    r = C @ q / (torch.maximum(abs(n.mT @ q), exp(-new)) + 1e-6)
    return S(p.Wo(x) + p.bo) * r[:, :, 0], C, n, new


@cell(state=[(3,), (3, 3)])
def gated_deltanet(p, x, h, state):
    def unit(v):
        return v / torch.sqrt((v**2).sum(1, keepdim=True) + 1e-6)

    q, k, v = unit(silu(p.Wq(x)))[:, :, None], unit(silu(p.Wk(x)))[:, :, None], silu(p.Wv(x))[:, :, None]
    a = exp(-exp(p("l")) * softplus(x @ p("wa", 2, 1) + p("ba")))[:, :, None]
    b = S(x @ p("wb", 2, 1) + p("bb"))[:, :, None]
    state = a * state @ (torch.eye(3) - b * k @ k.mT) + b * v @ k.mT
    return (state @ q)[:, :, 0], state


@cell(state=[(3,), (3, 16)])
def mamba(p, x, y, state):
    u = p.U(x)
    delta, A = softplus(p.Wd(u) + p.bd)[:, :, None], -exp(p("L", 3, 16))
    B, C = u @ p("B", 3, 16), u @ p("C", 3, 16)
    state = exp(delta * A) * state + delta * B[:, None, :] * u[:, :, None]
    return (state * C[:, None, :]).sum(2) + p("D", 3) * u, state


@cell(state=[(3,), (3,), (3,), (3,), (2,)], start=lambda y, a, b, m, x1: (y, a, b + 2, m, x1))
def rwkv(p, x, y, a, b, m, x1):
    r, k, v = (getattr(p, g.upper())(mu * x + (1 - mu) * x1) for g in "rkv" for mu in [p("m" + g, 2)])
    a, b = exp(m) * a, exp(m) * b  # without the stabilizer
    wkv = (a + exp(p.u + k) * v) / (b + exp(p.u + k))
    a, b = exp(-exp(p.w)) * a + exp(k) * v, exp(-exp(p.w)) * b + exp(k)
    m = torch.maximum(m - exp(p.w), k)
    return p.O(S(r) * wkv), a / exp(m), b / exp(m), m, x


# ---- convolutional ----


@cell(units=2, x=(1, 6, 6), state=(2, 2, 2))
def curnn(p, x, h):
    g = S(conv2d(x, p("Wxg", 2, 1, 5, 5)) + conv2d(h, p("Wrecg", 2, 2, 3, 3), padding=1) + p.bg)
    c = tanh(conv2d(x, p("Wxc", 2, 1, 5, 5)) + conv2d(h, p("Wrecc", 2, 2, 3, 3), padding=1) + p.bc)
    return g * h + (1 - g) * c


@cell(units=1, x=(1, 6, 6), state=(1, 2, 2))
def curnn_blog(p, x, h):
    def true_conv(image, w):
        return conv2d(image, w.flip(2, 3))

    h1 = pad(h, (1, 1, 1, 1))
    g = torch.arctan(true_conv(h1, p("Wrecg", 1, 1, 3, 3)) + true_conv(x, p("Wxg", 1, 1, 5, 5)))
    return g * h + (1 - g) * tanh(true_conv(h1, p("Wrecc", 1, 1, 3, 3)) + true_conv(x, p("Wxc", 1, 1, 5, 5)))



# ---- the same equations with other starts or maps ----

IMAGES = dict(units=2, x=(2, 3, 3), kernel=3)
cell(states=2)(copy(lstm, "chrono_lstm"))
cell(**IMAGES)(copy(gru, "conv_gru"))
cell(states=2, **IMAGES)(copy(lstm, "conv_lstm"))
cell(**IMAGES)(copy(ugrnn, "conv_ugrnn"))


# ---- running them ----


def run(name, step, units, x, shapes, kernel, image, start):
    n, steps = 2, 3 if image else 4
    p = Parameters(name, units, kernel, image)
    xs = draw(f"{name}/x", (n, steps) + x)
    starts = [draw(f"{name}/state{k}", (n,) + shape) for k, shape in enumerate(shapes)]
    if start:
        starts = [s.requires_grad_() for s in start(*(s.detach() for s in starts))]
    outputs, h = [], starts
    for t in range(steps):
        h = step(p, xs[:, t], *h)
        h = h if isinstance(h, tuple) else (h,)
        outputs.append(h[0])
    outputs = torch.stack(outputs, 1)
    (outputs**2).sum().div(2).backward()
    made = {"x": xs} | {f"state{k}": s for k, s in enumerate(starts)} | {f"p/{k}": v for k, v in sorted(p.made.items())}
    for key, value in made.items():
        yield f"{name}/{key}", value
        yield f"{name}/d/{key}", torch.zeros_like(value) if value.grad is None else value.grad
    yield f"{name}/outputs", outputs


def main(path):
    header, data = {}, b""
    for name in sorted(CELLS):
        for key, value in run(name, **CELLS[name]):
            values = value.detach().flatten().tolist()
            packed = struct.pack(f"<{len(values)}d", *values)
            header[key] = {"dtype": "F64", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(packed)]}
            data += packed
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


main(sys.argv[1])
