"""Makes the files of tests/oracles/weights/: nets of PyTorch and Keras as they are saved, and what they compute. weights_test.cc
imports them, and compares.

    /usr/bin/python3 tests/oracles/weights.py torch tests/oracles/weights
    KERAS_BACKEND=numpy VENV/bin/python tests/oracles/weights.py keras tests/oracles/weights
    /usr/bin/python3 tests/oracles/weights.py case tests/cases

The first needs Debian's python3-torch, the second keras, jax and scipy from PyPI. X.safetensors or X.npz holds the weights of net X, and
torch.safetensors or keras.safetensors for all nets

    X/x  X/y    inputs and outputs

Weights and inputs are drawn by Python's random.Random, so they are the same everywhere.
"""
import json
import math
import random
import struct
import sys

import numpy as np

KINDS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


def draw(name, shape, low=-1.0, high=1.0):
    uniform = random.Random(name).uniform
    return np.array([uniform(low, high) for _ in range(math.prod(shape))]).reshape(shape)


def to_bytes(array, kind):
    if kind == "BF16":  # the upper half of an f32, rounded to even
        bits = array.astype(np.float32).view(np.uint32).astype(np.uint64)
        return ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()
    return array.astype(np.dtype(KINDS[kind]).newbyteorder("<")).tobytes()


def write_safetensors(path, tensors):
    """tensors: {name: (array, kind)}"""
    header, data = {}, b""
    for name, (array, kind) in tensors.items():
        packed = to_bytes(array, kind)
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


# ---- PyTorch ----


def torch_nets():
    """Yields name, modules, the function, the input, and the dtype in which each tensor is saved, in which file."""
    import torch
    from torch import nn, tanh

    def saved_as(name):
        return "F32", ""

    m = nn.ModuleDict({"rnn": nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True), "head": nn.Linear(8, 2)})
    yield "torch_lstm", m, lambda x: m["head"](m["rnn"](x)[0]), draw("lstm", (2, 5, 3)), saved_as

    g = nn.ModuleDict({"embed": nn.Embedding(6, 3), "gru": nn.GRU(3, 4, bidirectional=True, batch_first=True),
                       "classifier": nn.ModuleList([nn.Linear(8, 5), nn.Linear(5, 6)])})

    def gru(x):
        a, b = g["classifier"]
        forward, backward = g["gru"](g["embed"](x.long()))[1]
        return b(tanh(a(torch.cat([forward, backward], 1))))

    def halves(name):
        return ("BF16", "_1") if name.startswith("gru") else ("F16", "_2")

    yield "torch_gru", g, gru, np.array([[0, 1, 5, 2], [3, 3, 4, 0]], np.float64), halves

    r = nn.ModuleDict({"a": nn.RNNCell(3, 3), "out": nn.Linear(3, 3)})  # all matrices are square

    def rnn(x):
        h = torch.zeros(len(x), 3, dtype=x.dtype)
        for t in range(x.shape[1]):
            h = r["a"](x[:, t], h)
        return r["out"](h)

    yield "torch_rnn", r, rnn, draw("rnn", (2, 4, 3)), saved_as

    c = nn.ModuleDict({"conv1": nn.Conv2d(1, 2, 3), "conv2": nn.Conv2d(2, 2, 3, padding=1), "fc": nn.Linear(8, 8)})
    yield "torch_conv", c, lambda x: c["fc"](tanh(c["conv2"](tanh(c["conv1"](x)))).flatten(1)), draw("conv", (2, 1, 4, 4)), saved_as


def make_torch(folder):
    import torch
    expected = {}
    for name, net, function, x, saved_as in torch_nets():
        net.double()
        files = {}
        for key, value in net.state_dict().items():
            kind, file = saved_as(key)
            array = draw(f"{name}/{key}", tuple(value.shape))
            files.setdefault(file, {})[key] = array, kind
            rounded = torch.from_numpy(np.ascontiguousarray(array))  # what the file holds
            value.copy_(rounded.to({"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[kind]))
        for file, tensors in files.items():
            write_safetensors(f"{folder}/{name}{file}.safetensors", tensors)
        with torch.no_grad():
            expected |= {f"{name}/x": (x, "F64"), f"{name}/y": (function(torch.from_numpy(x)).numpy(), "F64")}
    write_safetensors(f"{folder}/torch.safetensors", expected)


# ---- Keras ----


def keras_nets():
    from keras import Sequential
    from keras import layers as L

    yield "keras_lstm", (5, 3), [L.Bidirectional(L.LSTM(4, return_sequences=True)),
                                 L.Bidirectional(L.LSTM(4, return_sequences=True)), L.Dense(2)]
    yield "keras_gru", (5, 4), [L.GRU(4, return_sequences=True), L.GRU(4), L.Dense(4)]
    yield "keras_gru_before", (5, 3), [L.GRU(3, reset_after=False), L.Dense(3)]
    yield "keras_rnn", (5, 3), [L.SimpleRNN(4), L.Dense(2)]
    yield "keras_conv", (3, 4, 4, 1), [L.ConvLSTM2D(2, 3, padding="same"), L.Conv2D(3, (3, 2)), L.GlobalAveragePooling2D(),
                                       L.Dense(2)]
    yield "keras_embedding", (5,), [L.Embedding(6, 3), L.LSTM(4), L.Dense(6)]


def make_keras(folder):
    import keras
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    expected = {}
    for name, shape, layers in keras_nets():
        keras.backend.clear_session()
        net = keras.Sequential([keras.layers.Input(shape)] + layers)
        x = np.array([[0, 1, 5, 2, 2], [3, 3, 4, 0, 1]], np.float64) if len(shape) == 1 else draw(name, (2,) + shape)
        for w in net.weights:
            w.assign(draw(f"{name}/{w.path}", tuple(w.shape)).astype(np.float32).astype(np.float64))
        np.savez(f"{folder}/{name}.npz", **{w.path: np.asarray(w.numpy(), np.float32) for w in net.weights})
        y = np.asarray(net(x))
        if x.ndim == 5:  # images have their channels first here
            x = np.ascontiguousarray(x.transpose(0, 1, 4, 2, 3))
        expected |= {f"{name}/x": (x, "F64"), f"{name}/y": (y, "F64")}
    write_safetensors(f"{folder}/keras.safetensors", expected)


# ---- a net for tests/cases/import.case ----


def make_case(folder):
    shapes = {"rnn.weight_ih_l0": (3, 2), "rnn.weight_hh_l0": (3, 3), "rnn.bias_ih_l0": (3,), "rnn.bias_hh_l0": (3,),
              "out.weight": (1, 3), "out.bias": (1,)}
    write_safetensors(f"{folder}/torch_rnn.safetensors", {n: (draw(f"case/{n}", s), "F32") for n, s in shapes.items()})


{"torch": make_torch, "keras": make_keras, "case": make_case}[sys.argv[1]](sys.argv[2])
