"""PyTorch. The first argument says how:

written  the equations as they stand, a product for each map and step, under the settings it comes with
tuned    gates in one product, the input's products before the steps, states that are zero left out
script   the same as TorchScript
library  nn.LSTM's and nn.GRU's own loops

For all but the first, tools/bench/run sets the environment that is best."""

import os
import sys

import torch
from torch import Tensor
from torch.nn import functional as F

from common import Unavailable, serve

how = sys.argv[1]
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.set_num_interop_threads(1)


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


def gru_written(p, x):
    h = torch.zeros(len(x), len(p["br"]))
    for t in range(x.shape[1]):
        r = torch.sigmoid(h @ p["Wr"] + x[:, t] @ p["Ur"] + p["br"])
        u = torch.sigmoid(h @ p["Wu"] + x[:, t] @ p["Uu"] + p["bu"])
        c = torch.tanh((r * h) @ p["Wc"] + x[:, t] @ p["Uc"] + p["bc"])
        h = u * h + (1 - u) * c
    return F.linear(h, p["fc/weight"], p["fc/bias"])


def lstm_written(p, x):
    h = c = torch.zeros(len(x), len(p["bi"]))
    for t in range(x.shape[1]):
        i = torch.sigmoid(h @ p["Wi"] + x[:, t] @ p["Ui"] + p["bi"])
        f = torch.sigmoid(h @ p["Wf"] + x[:, t] @ p["Uf"] + p["bf"])
        o = torch.sigmoid(h @ p["Wo"] + x[:, t] @ p["Uo"] + p["bo"])
        z = torch.tanh(h @ p["Wz"] + x[:, t] @ p["Uz"] + p["bz"])
        c = f * c + i * z
        h = o * torch.tanh(c)
    return F.linear(h, p["fc/weight"], p["fc/bias"])


WRITTEN = {"A1": curnn_written, "A2": curnn_written, "A3": curnn_written, "B": conv_ugrnn_written,
           "C1": ugrnn_written, "C2": gru_written, "C3": lstm_written}


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


# Parameters that are joined, along an axis: kernels [outputs,..] by 0, matrices [inputs,units] by 1.
IMAGE_A = [(0, "Wxg", "Wxc"), (0, "Wrecg", "Wrecc"), (0, "bg", "bc"), "fc1/weight", "fc1/bias",
           "fc2/weight", "fc2/bias"]
HEAD = ["fc/weight", "fc/bias"]
TUNED = {
    "A1": (curnn_tuned, IMAGE_A),
    "A2": (curnn_tuned, IMAGE_A),
    "A3": (curnn_tuned, IMAGE_A),
    "B": (conv_ugrnn_tuned, [(0, "Ug", "Uc"), (0, "Wg", "Wc"), (0, "bg", "bc")] + HEAD),
    "C1": (ugrnn_tuned, [(1, "Ug", "Uc"), (1, "Wg", "Wc"), (0, "bg", "bc")] + HEAD),
    "C2": (gru_tuned, [(1, "Ur", "Uu", "Uc"), (1, "Wr", "Wu"), "Wc", (0, "br", "bu", "bc")] + HEAD),
    "C3": (lstm_tuned, [(1, "Ui", "Uf", "Uo", "Uz"), (1, "Wi", "Wf", "Wo", "Wz"),
                        (0, "bi", "bf", "bo", "bz")] + HEAD),
}


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


def gates(kind, letters):
    return (1, ) + tuple(kind + letter for letter in letters)


LIBRARY = {
    "C2": (gru_library, [gates("U", "ruc"), gates("W", "ruc"), gates("b", "ruc")[1:]] + HEAD),
    "C3": (lstm_library, [gates("U", "ifzo"), gates("W", "ifzo"), gates("b", "ifzo")[1:]] + HEAD),
}


# ---- a step ----

def loss_for(w):
    if w.base.startswith("A"):
        return F.binary_cross_entropy_with_logits
    return F.cross_entropy if w.base == "B" else F.mse_loss


def parameters_for(w, names):
    for name in names:
        if isinstance(name, str):
            joined = torch.from_numpy(w[name])
        elif isinstance(name[0], int):
            joined = torch.cat([torch.from_numpy(w[k]) for k in name[1:]], name[0])
        else:
            joined = torch.cat([torch.from_numpy(w[k]) for k in name])
        yield joined.requires_grad_(w.training)


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
             for name, v in w.tensors.items() if name not in "xy"}
        return lambda x: WRITTEN[w.base](p, x), list(p.values()), x
    if w.base.startswith("C"):
        x = x.transpose(0, 1).contiguous()
    table = LIBRARY if how == "library" else TUNED
    if w.base not in table:
        raise Unavailable("no such cell in the library")
    function, names = table[w.base]
    if how == "script":
        function = torch.jit.script(function)
    p = list(parameters_for(w, names))
    if how == "library":  # the library's matrices are the other way round
        p = [(v.detach().t().contiguous() if i < 2 else v.detach()).requires_grad_(w.training)
             for i, v in enumerate(p)]
    return lambda x: function(x, *p), p, x


def load(w):
    if w.base.startswith("D"):
        return pointwise(w)
    function, p, x = net(w)
    if not w.training:
        def forward():
            with torch.inference_mode():
                return function(x)
        return forward

    y = torch.from_numpy(w["y"])
    y, loss_function = y.long() if w.base == "B" else y, loss_for(w)
    if w.base.startswith("A"):
        update = torch.optim.SGD(p, w.rate, momentum=0.9, foreach=how != "written")
    else:
        update = torch.optim.Adam(p, w.rate, foreach=how != "written")

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


serve(load, other_equations)
