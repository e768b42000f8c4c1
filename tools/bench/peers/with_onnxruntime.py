"""ONNX Runtime: forward passes only. Gates in one product, the input's products before the steps; GRU and LSTM as its
own ops."""

import os

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from common import Unavailable, serve

OPSET, IR = 17, 8


class Graph:
    """A graph under construction. node() returns the name of its output, or of its outputs."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values):
        return self.constant(np.array(values, np.int64))

    def node(self, kind, inputs, outputs=1, **attributes):
        names = [f"value{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def session(self, inputs, outputs, threads):
        kinds = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int32): TensorProto.INT32}
        graph = helper.make_graph(
            self.nodes, "graph",
            [helper.make_tensor_value_info(name, kinds[v.dtype], v.shape) for name, v in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def linear(g, w, x, name):
    return g.node("Gemm", [x, g.constant(w[f"{name}/weight"]), g.constant(w[f"{name}/bias"])], transB=1)


def joined(g, w, names, axis):
    return g.constant(np.concatenate([w[name] for name in names], axis))


def update_gate(g, gates, h):
    """h' = c + gate (h - c), gate and candidate side by side along axis 1; h is None at first."""
    gate, c = g.node("Split", [gates], 2, axis=1)
    gate, c = g.node("Sigmoid", [gate]), g.node("Tanh", [c])
    if h is None:
        return g.node("Sub", [c, g.node("Mul", [gate, c])])
    return g.node("Add", [c, g.node("Mul", [gate, g.node("Sub", [h, c])])])


def unroll_image(g, w, x, from_x, from_h, biases, pads, steps):
    gates = g.node("Conv", [x, joined(g, w, from_x, 0), joined(g, w, biases, 0)], pads=pads)
    kernel, h = joined(g, w, from_h, 0), None
    for _ in range(steps):
        sums = gates if h is None else g.node("Add", [g.node("Conv", [h, kernel], pads=[1] * 4), gates])
        h = update_gate(g, sums, h)
    return h


def curnn(g, w, x):
    h = unroll_image(g, w, x, ["Wxg", "Wxc"], ["Wrecg", "Wrecc"], ["bg", "bc"], [0] * 4, 2)
    return linear(g, w, g.node("Tanh", [linear(g, w, g.node("Flatten", [h]), "fc1")]), "fc2")


def conv_ugrnn(g, w, x):
    h = unroll_image(g, w, x, ["Ug", "Uc"], ["Wg", "Wc"], ["bg", "bc"], [1] * 4, 8)
    return linear(g, w, g.node("Flatten", [g.node("GlobalAveragePool", [h])]), "fc")


def ugrnn(g, w, x):
    n, steps, inputs = w["x"].shape
    flat = g.node("Reshape", [g.node("Transpose", [x], perm=[1, 0, 2]), g.integers(steps * n, inputs)])
    gates = g.node("Gemm", [flat, joined(g, w, ["Ug", "Uc"], 1), joined(g, w, ["bg", "bc"], 0)])
    W, h = joined(g, w, ["Wg", "Wc"], 1), None
    for X in g.node("Split", [gates], steps, axis=0):
        h = update_gate(g, X if h is None else g.node("Gemm", [h, W, X]), h)
    return linear(g, w, h, "fc")


GATES = {"GRU": "urc", "LSTM": "iofz"}


def recurrent(g, w, kind, x, prefix="", initial=()):
    """The runtime's own op on x [steps,n,inputs]: weights [1,gates,inputs], and a second bias, which is zero here.
    Outputs at all steps [steps,1,n,units], and the last states."""
    names = [[prefix + part + gate for gate in GATES[kind]] for part in "UWb"]
    U, W = (np.hstack([w[name] for name in names[i]]).T[None] for i in range(2))
    b = np.concatenate([w[name] for name in names[2]])[None]
    inputs = [x, g.constant(U), g.constant(W), g.constant(np.hstack([b, 0 * b]))]
    return g.node(kind, inputs + ([""] + list(initial) if initial else []), 3 if kind == "LSTM" else 2,
                  hidden_size=W.shape[2])


def sequence(kind):
    def net(g, w, x):
        _, h, *_ = recurrent(g, w, kind, g.node("Transpose", [x], perm=[1, 0, 2]))
        return linear(g, w, g.node("Squeeze", [h, g.integers(0)]), "fc")
    return net


def characters(g, w, x):
    tokens = g.node("Transpose", [x], perm=[1, 0])
    h = g.node("Gather", [g.constant(w["embedding"]), tokens])
    for layer in ("layer0/", "layer1/"):
        h = g.node("Squeeze", [recurrent(g, w, "LSTM", h, layer)[0], g.integers(1)])
    flat = g.node("Reshape", [g.node("Transpose", [h], perm=[1, 0, 2]), g.integers(-1, w["fc/weight"].shape[1])])
    return linear(g, w, flat, "fc")


NETS = {"A1": curnn, "A2": curnn, "A3": curnn, "B": conv_ugrnn, "C1": ugrnn, "C2": sequence("GRU"),
        "C3": sequence("LSTM"), "E": characters, "F": sequence("LSTM"), "J": ugrnn,
        "D-sigmoid": lambda g, w, x: g.node("Sigmoid", [x]), "D-tanh": lambda g, w, x: g.node("Tanh", [x])}


def stream(w, threads):
    """One time step after another, each from the states of the last."""
    kind = "LSTM" if "Wi" in w.tensors else "GRU"
    units = len(w["bi" if kind == "LSTM" else "br"])
    states = {name: np.zeros((1, 1, units), np.float32) for name in "hc"[:1 + (kind == "LSTM")]}
    g = Graph()
    outputs = recurrent(g, w, kind, "x", initial=states)[1:]
    session = g.session({"x": w["x"], **states}, outputs, threads)
    feeds = {"x": w["x"], **states}

    def step():
        results = session.run(outputs, feeds)
        feeds.update(zip(states, results))
        return results[0]

    return step


def load(w):
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    if w.training:
        raise Unavailable("computes forward passes only")
    if w.base.startswith("H"):
        return stream(w, threads)
    if w.base not in NETS:
        raise Unavailable("not written")
    g, feeds = Graph(), {"x": w["x"]}
    output = NETS[w.base](g, w, "x")
    session = g.session(feeds, [output], threads)
    return lambda: session.run([output], feeds)[0]


serve(load)
