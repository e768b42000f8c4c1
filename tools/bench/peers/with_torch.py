"""PyTorch. The first argument says how:

written  the equations as they stand, a product for each map and step, under the settings it comes with
tuned    gates in one product, the input's products before the steps, states that are zero left out
script   the same as TorchScript
compiled the same by torch.compile
library  nn.LSTM's and nn.GRU's own loops, and their cells for one time step

For all but the first, tools/bench/run sets the environment that is best."""

import os
import sys
from typing import Tuple

import torch
from torch import Tensor
from torch.nn import functional as F

from common import Unavailable, serve

how = sys.argv[1]
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.set_num_interop_threads(1)
FUSED = int(torch.__version__.split(".")[0]) >= 2  # an optimizer's update in one loop, on CPUs, too


# ---- the equations as written: p holds the parameters by name ----

def curnn_written(p, x):
    h = torch.zeros(len(x), 1, 4, 4)
    for _ in range(2):
        g = torch.sigmoid(F.conv2d(x, p["Wxg"], p["bg"]) + F.conv2d(h, p["Wrecg"], padding=1))
        c = torch.tanh(F.conv2d(x, p["Wxc"], p["bc"]) + F.conv2d(h, p["Wrecc"], padding=1))
        h = g * h + (1 - g) * c
    a = torch.tanh(F.linear(h.flatten(1), p["fc1/weight"], p["fc1/bias"]))
    return F.linear(a, p["fc2/weight"], p["fc2/bias"])


def conv_ugrnn_written(p, x):
    h = torch.zeros(len(x), len(p["bg"]), *x.shape[2:])
    for _ in range(8):
        g = torch.sigmoid(F.conv2d(x, p["Ug"], p["bg"], padding=1) +
                          F.conv2d(h, p["Wg"], padding=1))
        c = torch.tanh(F.conv2d(x, p["Uc"], p["bc"], padding=1) + F.conv2d(h, p["Wc"], padding=1))
        h = g * h + (1 - g) * c
    return F.linear(h.mean((2, 3)), p["fc/weight"], p["fc/bias"])


def ugrnn_written(p, x):
    h = torch.zeros(len(x), len(p["bg"]))
    for t in range(x.shape[1]):
        g = torch.sigmoid(h @ p["Wg"] + x[:, t] @ p["Ug"] + p["bg"])
        c = torch.tanh(h @ p["Wc"] + x[:, t] @ p["Uc"] + p["bc"])
        h = g * h + (1 - g) * c
    return F.linear(h, p["fc/weight"], p["fc/bias"])


def gru_cell(p, x, h):
    r = torch.sigmoid(h @ p["Wr"] + x @ p["Ur"] + p["br"])
    u = torch.sigmoid(h @ p["Wu"] + x @ p["Uu"] + p["bu"])
    c = torch.tanh((r * h) @ p["Wc"] + x @ p["Uc"] + p["bc"])
    return u * h + (1 - u) * c


def gru_written(p, x):
    h = torch.zeros(len(x), len(p["br"]))
    for t in range(x.shape[1]):
        h = gru_cell(p, x[:, t], h)
    return F.linear(h, p["fc/weight"], p["fc/bias"])


def lstm_cell(p, x, h, c):
    i = torch.sigmoid(h @ p["Wi"] + x @ p["Ui"] + p["bi"])
    f = torch.sigmoid(h @ p["Wf"] + x @ p["Uf"] + p["bf"])
    o = torch.sigmoid(h @ p["Wo"] + x @ p["Uo"] + p["bo"])
    z = torch.tanh(h @ p["Wz"] + x @ p["Uz"] + p["bz"])
    c = f * c + i * z
    return o * torch.tanh(c), c


def lstm_written(p, x):
    h = c = torch.zeros(len(x), len(p["bi"]))
    for t in range(x.shape[1]):
        h, c = lstm_cell(p, x[:, t], h, c)
    return F.linear(h, p["fc/weight"], p["fc/bias"])


def characters_written(p, x):
    e = p["embedding"][x]
    for layer in ("layer0/", "layer1/"):
        i = {name[len(layer):]: v for name, v in p.items() if name.startswith(layer)}
        h = c = torch.zeros(len(x), len(i["bi"]))
        outputs = []
        for t in range(x.shape[1]):
            h, c = lstm_cell(i, e[:, t], h, c)
            outputs.append(h)
        e = torch.stack(outputs, 1)
    return F.linear(e.flatten(0, 1), p["fc/weight"], p["fc/bias"])


def video_written(p, x):
    n, steps, _, height, width = x.shape
    h = c = torch.zeros(n, len(p["bi"]), height, width)
    for t in range(steps):
        i, f, o, z = (F.conv2d(x[:, t], p["U" + k], p["b" + k], padding=1) +
                      F.conv2d(h, p["W" + k], padding=1) for k in "ifoz")
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
        h = torch.sigmoid(o) * torch.tanh(c)
    return F.conv2d(h, p["frame/weight"], padding=1)


def mingru_written(p, x):
    h = torch.zeros(len(x), len(p["bz"]))
    for t in range(x.shape[1]):
        z = torch.sigmoid(x[:, t] @ p["Uz"] + p["bz"])
        h = (1 - z) * h + z * (x[:, t] @ p["Uh"] + p["bh"])
    return F.linear(h, p["fc/weight"], p["fc/bias"])


def sru_written(p, x):
    c = torch.zeros(len(x), len(p["bf"]))
    for t in range(x.shape[1]):
        f = torch.sigmoid(x[:, t] @ p["U1"] + p["vf"] * c + p["bf"])
        r = torch.sigmoid(x[:, t] @ p["U2"] + p["vr"] * c + p["br"])
        c = f * c + (1 - f) * (x[:, t] @ p["U0"])
        h = r * c + (1 - r) * x[:, t]
    return F.linear(h, p["fc/weight"], p["fc/bias"])


WRITTEN = {"A1": curnn_written, "A2": curnn_written, "A3": curnn_written, "B": conv_ugrnn_written,
           "C1": ugrnn_written, "C2": gru_written, "C3": lstm_written, "E": characters_written,
           "F": lstm_written, "G": video_written, "I1": mingru_written, "I2": mingru_written,
           "I3": sru_written, "I4": sru_written, "J": ugrnn_written,
           "J2": gru_written, "J3": lstm_written}


# ---- tuned by hand, and fit for TorchScript: the parameters are joined before training ----

def curnn_tuned(x: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor, W1: Tensor, b1: Tensor, W2: Tensor,
                b2: Tensor) -> Tensor:
    X = F.conv2d(x, Wx, b)
    g, c = X.chunk(2, 1)
    c = torch.tanh(c)
    h = c - torch.sigmoid(g) * c
    g, c = F.conv2d(h, Wh, padding=1).add_(X).chunk(2, 1)
    h = torch.lerp(torch.tanh(c), h, torch.sigmoid(g))
    return F.linear(torch.tanh(F.linear(h.flatten(1), W1, b1)), W2, b2)


def conv_ugrnn_tuned(x: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor, W1: Tensor,
                     b1: Tensor) -> Tensor:
    X = F.conv2d(x, Wx, b, padding=1)
    g, c = X.chunk(2, 1)
    c = torch.tanh(c)
    h = c - torch.sigmoid(g) * c
    for _ in range(7):
        g, c = F.conv2d(h, Wh, padding=1).add_(X).chunk(2, 1)
        h = torch.lerp(torch.tanh(c), h, torch.sigmoid(g))
    return F.linear(h.mean((2, 3)), W1, b1)


def ugrnn_tuned(x: Tensor, U: Tensor, W: Tensor, b: Tensor, W1: Tensor, b1: Tensor) -> Tensor:
    X = torch.addmm(b, x.flatten(0, 1), U).view(x.size(0), x.size(1), -1).unbind(0)
    g, c = X[0].chunk(2, 1)
    c = torch.tanh(c)
    h = c - torch.sigmoid(g) * c
    for t in range(1, len(X)):
        g, c = torch.addmm(X[t], h, W).chunk(2, 1)
        h = torch.lerp(torch.tanh(c), h, torch.sigmoid(g))
    return F.linear(h, W1, b1)


def gru_tuned(x: Tensor, U: Tensor, Wru: Tensor, Wc: Tensor, b: Tensor, W1: Tensor,
              b1: Tensor) -> Tensor:
    n = Wc.size(0)
    X = torch.addmm(b, x.flatten(0, 1), U).view(x.size(0), x.size(1), -1)
    Xru = X.narrow(2, 0, 2 * n).unbind(0)
    Xc = X.narrow(2, 2 * n, n).unbind(0)
    c = torch.tanh(Xc[0])
    h = c - torch.sigmoid(Xru[0].narrow(1, n, n)) * c
    for t in range(1, len(Xc)):
        r, u = torch.sigmoid(torch.addmm(Xru[t], h, Wru)).chunk(2, 1)
        h = torch.lerp(torch.tanh(torch.addmm(Xc[t], r * h, Wc)), h, u)
    return F.linear(h, W1, b1)


def lstm_tuned(x: Tensor, U: Tensor, W: Tensor, b: Tensor, W1: Tensor, b1: Tensor) -> Tensor:
    X = torch.addmm(b, x.flatten(0, 1), U).view(x.size(0), x.size(1), -1).unbind(0)
    i, f, o, z = X[0].chunk(4, 1)
    c = torch.zeros_like(i)  # TorchScript fails where a chunk is not used
    c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(z))
    h = torch.sigmoid(o) * torch.tanh(c)
    for t in range(1, len(X)):
        i, f, o, z = torch.addmm(X[t], h, W).chunk(4, 1)
        c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(z))
        h = torch.sigmoid(o) * torch.tanh(c)
    return F.linear(h, W1, b1)


def lstm_layer_tuned(x: Tensor, U: Tensor, W: Tensor, b: Tensor) -> Tensor:
    X = torch.addmm(b, x.flatten(0, 1), U).view(x.size(0), x.size(1), -1).unbind(0)
    c = torch.zeros(x.size(1), W.size(0))
    h, outputs = c, []
    for t in range(len(X)):
        i, f, o, z = torch.addmm(X[t], h, W).chunk(4, 1)
        c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(z))
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs)


def characters_tuned(x: Tensor, e: Tensor, U0: Tensor, W0: Tensor, b0: Tensor, U1: Tensor, W1: Tensor,
                     b1: Tensor, W: Tensor, b: Tensor) -> Tensor:
    h = lstm_layer_tuned(F.embedding(x, e), U0, W0, b0)
    h = lstm_layer_tuned(h, U1, W1, b1)
    return F.linear(h.transpose(0, 1).flatten(0, 1), W, b)


def video_tuned(x: Tensor, U: Tensor, W: Tensor, b: Tensor, frame: Tensor) -> Tensor:
    X = F.conv2d(x.flatten(0, 1), U, b, padding=1).unflatten(0, x.shape[:2]).unbind(0)
    i, f, o, z = X[0].chunk(4, 1)
    c = torch.sigmoid(i) * torch.tanh(z)
    h = torch.sigmoid(o) * torch.tanh(c)
    for t in range(1, len(X)):
        i, f, o, z = F.conv2d(h, W, padding=1).add_(X[t]).chunk(4, 1)
        c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(z))
        h = torch.sigmoid(o) * torch.tanh(c)
    return F.conv2d(h, frame, padding=1)


def mingru_tuned(x: Tensor, U: Tensor, b: Tensor, W1: Tensor, b1: Tensor) -> Tensor:
    z, u = torch.addmm(b, x.flatten(0, 1), U).view(x.size(0), x.size(1), -1).chunk(2, 2)
    Z, V = torch.sigmoid(z).unbind(0), u.unbind(0)
    h = Z[0] * V[0]
    for t in range(1, len(Z)):
        h = torch.lerp(h, V[t], Z[t])
    return F.linear(h, W1, b1)


def sru_tuned(x: Tensor, U: Tensor, b: Tensor, U0: Tensor, vf: Tensor, vr: Tensor, W1: Tensor,
              b1: Tensor) -> Tensor:
    X = torch.addmm(b, x.flatten(0, 1), U).view(x.size(0), x.size(1), -1)
    Xf, Xr = X.chunk(2, 2)
    xf, xr, xu, xs = Xf.unbind(0), Xr.unbind(0), (x @ U0).unbind(0), x.unbind(0)
    c = h = torch.zeros_like(xu[0])
    for t in range(len(xf)):
        f = torch.sigmoid(torch.addcmul(xf[t], vf, c))
        r = torch.sigmoid(torch.addcmul(xr[t], vr, c))
        c = torch.lerp(xu[t], c, f)
        h = torch.lerp(xs[t], c, r)
    return F.linear(h, W1, b1)


# Parameters that are joined, along an axis: kernels [outputs,..] by 0, matrices [inputs,units] by 1.
IMAGE_A = [(0, "Wxg", "Wxc"), (0, "Wrecg", "Wrecc"), (0, "bg", "bc"), "fc1/weight", "fc1/bias",
           "fc2/weight", "fc2/bias"]
HEAD = ["fc/weight", "fc/bias"]


def gates(kind, letters, axis):
    return (axis, ) + tuple(kind + letter for letter in letters)


LAYERS = [gates(f"layer{i}/" + kind, "ifoz", axis) for i in (0, 1) for kind, axis in (("U", 1), ("W", 1), ("b", 0))]
TUNED = {
    "A1": (curnn_tuned, IMAGE_A),
    "A2": (curnn_tuned, IMAGE_A),
    "A3": (curnn_tuned, IMAGE_A),
    "B": (conv_ugrnn_tuned, [(0, "Ug", "Uc"), (0, "Wg", "Wc"), (0, "bg", "bc")] + HEAD),
    "C1": (ugrnn_tuned, [(1, "Ug", "Uc"), (1, "Wg", "Wc"), (0, "bg", "bc")] + HEAD),
    "C2": (gru_tuned, [(1, "Ur", "Uu", "Uc"), (1, "Wr", "Wu"), "Wc", (0, "br", "bu", "bc")] + HEAD),
    "C3": (lstm_tuned, [(1, "Ui", "Uf", "Uo", "Uz"), (1, "Wi", "Wf", "Wo", "Wz"),
                        (0, "bi", "bf", "bo", "bz")] + HEAD),
    "E": (characters_tuned, ["embedding"] + LAYERS + HEAD),
    "G": (video_tuned, [gates("U", "ifoz", 0), gates("W", "ifoz", 0), gates("b", "ifoz", 0), "frame/weight"]),
    "I1": (mingru_tuned, [(1, "Uz", "Uh"), (0, "bz", "bh")] + HEAD),
    "I3": (sru_tuned, [(1, "U1", "U2"), (0, "bf", "br"), "U0", "vf", "vr"] + HEAD),
}
TUNED.update({"F": TUNED["C3"], "J": TUNED["C1"], "J2": TUNED["C2"], "J3": TUNED["C3"], "I2": TUNED["I1"], "I4": TUNED["I3"]})


# ---- the library's own loops: weights are [gates, inputs], and there is a second bias, here zero ----

def lstm_library(x, U, W, b, W1, b1):
    zero = x.new_zeros(1, x.size(1), W.size(1))
    h = torch._VF.lstm(x, (zero, zero), (U, W, b, torch.zeros_like(b)), True, 1, 0.0, True, False,
                       False)[1][0]
    return F.linear(h, W1, b1)


def gru_library(x, U, W, b, W1, b1):
    zero = x.new_zeros(1, x.size(1), W.size(1))
    h = torch._VF.gru(x, zero, (U, W, b, torch.zeros_like(b)), True, 1, 0.0, True, False, False)[1]
    return F.linear(h[0], W1, b1)


def characters_library(x, e, U0, W0, b0, U1, W1, b1, W, b):
    zero = torch.zeros(2, x.size(1), W0.size(1))
    weights = (U0, W0, b0, torch.zeros_like(b0), U1, W1, b1, torch.zeros_like(b1))
    h = torch._VF.lstm(F.embedding(x, e), (zero, zero), weights, True, 2, 0.0, True, False, False)[0]
    return F.linear(h.transpose(0, 1).flatten(0, 1), W, b)


LSTM = [gates(kind, "ifzo", axis) for kind, axis in (("U", 1), ("W", 1), ("b", 0))]
LIBRARY = {
    "C2": (gru_library, [gates("U", "ruc", 1), gates("W", "ruc", 1), gates("b", "ruc", 0)] + HEAD),
    "C3": (lstm_library, LSTM + HEAD),
    "E": (characters_library, ["embedding"] + [(axis, *(f"layer{i}/" + name for name in names))
                                               for i in (0, 1) for axis, *names in LSTM] + HEAD),
    "F": (lstm_library, LSTM + HEAD),
}


# ---- a step ----

def loss_for(w):
    if w.base.startswith("A"):
        return F.binary_cross_entropy_with_logits
    return F.cross_entropy if labels(w) else F.mse_loss


def labels(w):
    return w["y"].dtype.kind == "i"


def joined(w, name):
    """A parameter, or several along an axis. The library's matrices are the other way round."""
    if isinstance(name, str):
        return torch.from_numpy(w[name])
    whole = torch.cat([torch.from_numpy(w[k]) for k in name[1:]], name[0])
    return whole.t().contiguous() if how == "library" and name[0] == 1 else whole


def pointwise(w):
    function = torch.sigmoid if w.base == "D-sigmoid" else torch.tanh
    x = torch.from_numpy(w["x"])
    if how == "written":
        return lambda: function(x)
    if how == "tuned":
        out = torch.empty_like(x)
        return lambda: function(x, out=out)
    raise Unavailable("nothing to do differently")


def net(w):
    """A function of x, its parameters, and x in the order it wants."""
    x = torch.from_numpy(w["x"])
    if how == "written":
        p = {name: torch.from_numpy(v).requires_grad_(w.training)
             for name, v in w.tensors.items() if name not in ("x", "y")}
        return lambda x: WRITTEN[w.base](p, x), list(p.values()), x
    if w.base[0] in "CEFGIJ":
        x = x.transpose(0, 1).contiguous()
    table = LIBRARY if how == "library" else TUNED
    if w.base not in table:
        raise Unavailable("no such cell in the library")
    function, names = table[w.base]
    if how == "script":
        function = torch.jit.script(function)
    if how == "compiled":
        function = torch.compile(function, dynamic=False)
    p = [joined(w, name).requires_grad_(w.training) for name in names]
    return lambda x: function(x, *p), p, x


def gru_step_tuned(x: Tensor, h: Tensor, U: Tensor, W: Tensor, Wc: Tensor, b: Tensor) -> Tensor:
    n = h.size(1)
    X = torch.addmm(b, x, U)
    r, u = torch.sigmoid(torch.addmm(X.narrow(1, 0, 2 * n), h, W)).chunk(2, 1)
    return torch.lerp(torch.tanh(torch.addmm(X.narrow(1, 2 * n, n), r * h, Wc)), h, u)


def lstm_step_tuned(x: Tensor, h: Tensor, c: Tensor, U: Tensor, W: Tensor, b: Tensor) -> Tuple[Tensor, Tensor]:
    i, f, o, z = torch.addmm(torch.addmm(b, x, U), h, W).chunk(4, 1)
    c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(z))
    return torch.sigmoid(o) * torch.tanh(c), c


def stream(w):
    """One time step after another, each from the states of the last."""
    p = {name: torch.from_numpy(v) for name, v in w.tensors.items()}
    x, lstm = p["x"][:, 0], "Wi" in p
    if how == "written":
        cell = (lambda s: lstm_cell(p, x, *s)) if lstm else (lambda s: (gru_cell(p, x, *s), ))
    elif how == "library":
        if not lstm:
            raise Unavailable("no such cell in the library")
        U, W, b = (joined(w, name) for name in LSTM)
        zero = torch.zeros_like(b)
        cell = lambda s: torch._VF.lstm_cell(x, s, U, W, b, zero)
    else:
        function = lstm_step_tuned if lstm else gru_step_tuned
        function = torch.jit.script(function) if how == "script" else \
            torch.compile(function, dynamic=False) if how == "compiled" else function
        q = [joined(w, name) for name in TUNED["C3" if lstm else "C2"][1][:-len(HEAD)]]
        cell = (lambda s: function(x, *s, *q)) if lstm else (lambda s: (function(x, *s, *q), ))
    states = [tuple(torch.zeros(1, len(p["bi" if lstm else "br"])) for _ in range(1 + lstm))]

    def step():
        with torch.inference_mode():
            states[0] = cell(states[0])
        return states[0][0]

    return step


def load(w):
    if w.base.startswith("D"):
        return pointwise(w)
    if w.base.startswith("H"):
        return stream(w)
    if how == "compiled" and w.base in ("I1", "I2", "I3", "I4"):
        raise Unavailable("unrolls the time steps, and compiles them for minutes")
    function, p, x = net(w)
    if not w.training:
        def forward():
            with torch.inference_mode():
                return function(x)
        return forward

    best = {} if how == "written" else {"fused": True} if FUSED else {"foreach": True}
    y = torch.from_numpy(w["y"])
    y, loss_function = y.long() if labels(w) else y, loss_for(w)
    if w.base.startswith("A"):
        update = torch.optim.SGD(p, w.rate, momentum=0.9, **best)
    else:
        update = torch.optim.Adam(p, w.rate, **best)

    def step():
        update.zero_grad(set_to_none=True)
        loss = loss_function(function(x), y)
        loss.backward()
        update.step()
        return loss.detach()

    return step


def other_equations(w):
    """nn.GRU resets after the product, not before: a reference, not the same mathematics."""
    return how == "library" and w.base == "C2"


if __name__ == "__main__":
    serve(load, other_equations)
