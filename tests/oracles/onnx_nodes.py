"""onnx_nodes.py RECURVE UPDATE DATA --write FILE | --check FILE: runs the ONNX project's own tests of operators. Each test in
DATA is a model of one node, its inputs and its outputs. A rule below says the node in the equation language; `RECURVE run`
computes it, or UPDATE (onnx_update.cc) an update of an optimizer, and the results are compared. Prints the tests that differ, and
makes a table: how many tests of each operator agree, and why others cannot be said. --write replaces the table in a document,
--check compares it with the document's.
"""
import collections
import concurrent.futures
import glob
import os
import subprocess
import sys
import tempfile
import textwrap

import numpy as np
import onnx
from onnx import numpy_helper

TOLERANCE = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-6, "bool": 0}
BEGIN, END = "<!-- made by tests/oracles/onnx_nodes.py -->\n", "<!-- end -->\n"


class Unsaid(Exception):
    """Why a test cannot be said."""


def need(condition, why):
    if not condition:
        raise Unsaid(why)


def numbers(values):
    return "[" + ", ".join(str(int(v)) for v in values) + "]"


class Case:
    """A test of one node. Rules call x(k) for the name of input k, and value(k) for what it holds."""

    def __init__(self, folder):
        model = onnx.load(f"{folder}/model.onnx")
        need(len(model.graph.node) == 1, "more than one node")
        self.node = node = model.graph.node[0]
        self.op, self.name = node.op_type, os.path.basename(folder)
        self.attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        self.given, self.expected = {}, []
        for kind, infos in ("input", model.graph.input), ("output", model.graph.output):
            for k, info in enumerate(infos):
                need(info.type.HasField("tensor_type"), "a sequence or an optional value")
                with open(f"{folder}/test_data_set_0/{kind}_{k}.pb", "rb") as file:
                    tensor = onnx.TensorProto.FromString(file.read())
                need(tensor.data_type not in (onnx.TensorProto.STRING, onnx.TensorProto.BFLOAT16), "strings or bfloat16")
                array = numpy_helper.to_array(tensor)
                if kind == "input":
                    self.given[info.name] = array
                else:
                    self.expected.append(array)
        self.double = any(a.dtype == np.float64 for a in self.given.values())
        self.lines, self.fed = [], {}

    def get(self, name, default=None):
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def has(self, k):
        return k < len(self.node.input) and self.node.input[k] != ""

    def value(self, k):
        return self.given[self.node.input[k]]

    def shape(self, k=0):
        return list(self.value(k).shape)

    def rank(self, k=0):
        return self.value(k).ndim

    def feed(self, name, array):
        need(array.ndim <= 6, "more than 6 axes")
        need(array.size > 0, "empty tensors")
        if name not in self.fed:
            self.fed[name] = array.astype(np.float64)
            self.lines.append(f"  input {name}[{', '.join(map(str, array.shape))}]")
        return name

    def x(self, k=0, kinds="f"):
        need(self.has(k), "an input that is not given")
        array = self.value(k)
        need(array.dtype.kind in kinds, "integers" if array.dtype.kind in "iu" else f"numbers of type {array.dtype}")
        return self.feed(f"x{k}", array)

    def let(self, name, expression):
        self.lines.append(f"  {name} = {expression}")
        return name

    def out(self, k=0):
        return numbers(self.expected[k].shape)

    def all(self, kinds="f"):
        return [self.x(k, kinds) for k in range(len(self.node.input))]

    def axes(self, k=1):
        """Those of a reduction, by attribute or input."""
        if self.has(k):
            axes = [int(a) for a in self.value(k).flatten()]
        else:
            axes = self.get("axes")
        if axes is None or len(axes) == 0:
            need(not self.get("noop_with_empty_axes"), "no axes")
            return list(range(self.rank()))
        return [a % self.rank() for a in axes]


RULES = {}


def rule(*ops):
    def add(function):
        for op in ops:
            RULES[op] = function
        return function
    return add


def say(**expressions):
    """Operators that are one expression of their inputs x0, x1, .."""
    for op, text in expressions.items():
        count = max(k for k in range(3) if f"x{k}" in text) + 1

        def of_inputs(c, text=text, count=count):
            for k in range(count):
                c.x(k)
            return text
        RULES[op] = of_inputs


say(Abs="abs(x0)", Atan="arctan(x0)", Ceil="-floor(-x0)", Cos="cos(x0)", Cosh="(exp(x0) + exp(-x0)) / 2", Erf="erf(x0)",
    Acos="1.5707963267948966 - arctan(x0 / sqrt(1 - x0^2))", Acosh="log(x0 + sqrt(x0^2 - 1))", Asin="arctan(x0 / sqrt(1 - x0^2))",
    Asinh="log(x0 + sqrt(x0^2 + 1))", Atanh="log((1 + x0) / (1 - x0)) / 2", IsNaN="1 - equal(x0, x0)",
    Exp="exp(x0)", Floor="floor(x0)", HardSwish="x0.hard_sigmoid(x0)", Log="log(x0)", Mish="x0.tanh(softplus(x0))", Neg="-x0",
    PRelu="maximum(x0, 0) + x1.minimum(x0, 0)", Reciprocal="1 / x0", Relu="relu(x0)", Round="round(x0)", Sigmoid="sigmoid(x0)",
    Sign="sign(x0)", Sin="sin(x0)", Sinh="(exp(x0) - exp(-x0)) / 2", Softplus="softplus(x0)", Softsign="x0 / (1 + abs(x0))",
    Sqrt="sqrt(x0)", Tan="sin(x0) / cos(x0)", Tanh="tanh(x0)",
    Add="x0 + x1", Sub="x0 - x1", Mul="x0.x1", Div="x0 / x1", Pow="x0^x1", MatMul="x0 @ x1", Identity="x0",
    GlobalAveragePool="reshape(global_average_pool(x0), shape=[size(x0, 0), -1, 1, 1])", GlobalMaxPool="max(x0, axes=[2, 3], keep=true)")


@rule("Less", "LessOrEqual", "Greater", "GreaterOrEqual")
def comparison(c):
    sign = {"Less": "<", "LessOrEqual": "<=", "Greater": ">", "GreaterOrEqual": ">="}[c.op]
    return f"{c.x(0, 'fiu')} {sign} {c.x(1, 'fiu')}"


@rule("And", "Or", "Xor", "Equal", "Not", "Where")
def logic(c):
    if c.op == "Where":
        return f"select({c.x(0, 'b')}, {c.x(1, 'fiu')}, {c.x(2, 'fiu')})"
    kinds = "fbiu" if c.op == "Equal" else "b"
    a = c.x(0, kinds)
    if c.op == "Not":
        return f"1 - {a}"
    b = c.x(1, kinds)
    return {"And": f"{a}.{b}", "Or": f"maximum({a}, {b})", "Xor": f"abs({a} - {b})", "Equal": f"equal({a}, {b})"}[c.op]


@rule("Max", "Min", "Sum", "Mean")
def of_all(c):
    xs = c.all("fiu" if c.op in ("Max", "Min") else "f")
    if c.op in ("Sum", "Mean"):
        return "(" + " + ".join(xs) + ")" + (f" / {len(xs)}" if c.op == "Mean" else "")
    text = xs[0]
    for x in xs[1:]:
        text = f"{c.op.lower()}imum({text}, {x})"
    return text


@rule("Elu", "Celu", "Selu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu", "Shrink")
def activation(c):
    x = c.x()
    alpha = lambda default: c.get("alpha", default)
    if c.op == "Elu":
        return f"elu({x}, alpha={alpha(1.0)})"
    if c.op == "Celu":
        return f"{alpha(1.0)}.elu({x} / {alpha(1.0)})"
    if c.op == "Selu":
        return f"{c.get('gamma', 1.0507009873554805)}.elu({x}, alpha={alpha(1.6732632423543772)})"
    if c.op == "LeakyRelu":
        return f"leaky_relu({x}, slope={alpha(0.01)})"
    if c.op == "HardSigmoid":
        return f"clamp({alpha(0.2)}.{x} + {c.get('beta', 0.5)}, 0, 1)"
    if c.op == "ThresholdedRelu":
        return f"{x}.({x} > {alpha(1.0)})"
    limit, bias = c.get("lambd", 0.5), c.get("bias", 0.0)
    return f"({x} > {limit}).({x} - {bias}) + ({x} < -{limit}).({x} + {bias})"


@rule("Clip")
def clip(c):
    text = c.x()
    for k, name in (1, "maximum"), (2, "minimum"):
        if c.has(k):
            text = f"{name}({text}, {c.x(k)})"
    return text


@rule("Softmax", "LogSoftmax")
def softmax(c):
    return f"{'log_' * (c.op == 'LogSoftmax')}softmax({c.x()}, axis={c.get('axis', -1)})"


@rule("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceLogSumExp", "ReduceL1", "ReduceL2", "ReduceSumSquare",
      "ReduceLogSum")
def reduce(c):
    x = c.x()
    if c.get("noop_with_empty_axes") and c.value(1).size == 0:
        return x
    over = f"axes={numbers(c.axes())}, keep={'true' if c.get('keepdims', 1) else 'false'}"
    return {"ReduceSum": f"sum({x}, {over})", "ReduceMean": f"mean({x}, {over})", "ReduceMax": f"max({x}, {over})",
            "ReduceMin": f"-max(-{x}, {over})", "ReduceLogSumExp": f"log_sum_exp({x}, {over})",
            "ReduceL1": f"sum(abs({x}), {over})", "ReduceL2": f"sqrt(sum({x}^2, {over}))",
            "ReduceSumSquare": f"sum({x}^2, {over})", "ReduceLogSum": f"log(sum({x}, {over}))"}[c.op]


def last_axis(c, x, axis):
    """x with an axis moved to the end."""
    rank = c.rank()
    order = [a for a in range(rank) if a != axis % rank] + [axis % rank]
    return f"transpose({x}, axes={numbers(order)})"


@rule("ArgMax", "ArgMin")
def argmax(c):
    need(not c.get("select_last_index"), "the last of equal ones")
    x = last_axis(c, c.x(), c.get("axis", 0))
    return f"reshape(argmax({'-' * (c.op == 'ArgMin')}{x}), shape={c.out()})"


@rule("Hardmax")
def hardmax(c):
    axis, rank = c.get("axis", -1) % c.rank(), c.rank()
    order = list(range(rank - 1))
    order.insert(axis, rank - 1)
    return f"transpose(one_hot(argmax({last_axis(c, c.x(), axis)}), classes={c.shape()[axis]}), axes={numbers(order)})"


@rule("CumSum")
def cumulative_sum(c):
    x = c.x()
    text = f"cumulative_sum({x}, axis={int(c.value(1))}, reverse={'true' if c.get('reverse') else 'false'})"
    return f"{text} - {x}" if c.get("exclusive") else text


@rule("OneHot")
def one_hot(c):
    depth, (off, on) = int(c.value(1)), c.value(2)
    k = c.let("k", f"cast({c.x(0, 'fi')} + {depth}.({c.x(0, 'fi')} < 0), dtype=\"i32\")")
    rank = c.rank() + 1
    order = list(range(rank - 1))
    order.insert(c.get("axis", -1) % rank, rank - 1)
    return f"{off} + {on - off}.transpose(one_hot({k}, classes={depth}), axes={numbers(order)})"


@rule("Gather")
def gather(c):
    axis, rank, size = c.get("axis", 0) % c.rank(), c.rank(), c.rank(1)
    order = [axis] + [a for a in range(rank) if a != axis]
    k = c.let("k", f"cast({c.x(1, 'i')} + {c.shape()[axis]}.({c.x(1, 'i')} < 0), dtype=\"i32\")")
    back = list(range(size, size + axis)) + list(range(size)) + list(range(size + axis, size + rank - 1))
    return f"transpose(gather(transpose({c.x()}, axes={numbers(order)}), {k}), axes={numbers(back)})"


@rule("Transpose")
def transpose(c):
    return f"transpose({c.x()}, axes={numbers(c.get('perm', range(c.rank())[::-1]))})"


@rule("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(c):
    return f"reshape({c.x()}, shape={c.out()})"


@rule("Expand")
def expand(c):
    return f"broadcast({c.x()}, shape={c.out()})"


@rule("DepthToSpace", "SpaceToDepth")
def depth(c):
    (n, d, h, w), b = c.shape(), c.get("blocksize")
    if c.op == "SpaceToDepth":
        shape, order = [n, d, h // b, b, w // b, b], [0, 3, 5, 1, 2, 4]
    elif c.get("mode", "DCR") == "DCR":
        shape, order = [n, b, b, d // b // b, h, w], [0, 3, 4, 1, 5, 2]
    else:
        shape, order = [n, d // b // b, b, b, h, w], [0, 1, 4, 2, 5, 3]
    return f"reshape(transpose(reshape({c.x()}, shape={numbers(shape)}), axes={numbers(order)}), shape={c.out()})"


@rule("Concat")
def concat(c):
    return f"concat({', '.join(c.all())}, axis={c.get('axis')})"


@rule("Split")
def split(c):
    axis, start, results = c.get("axis", 0) % c.rank(), [0] * c.rank(), []
    for k in range(len(c.expected)):
        results.append(f"slice({c.x()}, start={numbers(start)}, size={c.out(k)})")
        start[axis] += c.expected[k].shape[axis]
    return results


@rule("Slice")
def slices(c):
    rank = c.rank()
    need(c.expected[0].size > 0, "empty tensors")
    starts, ends = c.value(1), c.value(2)
    axes = [int(a) % rank for a in c.value(3)] if c.has(3) else range(len(starts))
    steps = c.value(4) if c.has(4) else [1] * len(starts)
    start, step, flipped = [0] * rank, [1] * rank, []
    for axis, first, end, by in zip(axes, starts, ends, steps):
        first = slice(int(first), int(end), int(by)).indices(c.shape()[axis])[0]
        if by < 0:
            flipped.append(axis)
            first = c.shape()[axis] - 1 - first
        start[axis], step[axis] = first, abs(int(by))
    x = f"flip({c.x()}, axes={numbers(flipped)})" if flipped else c.x()
    return f"slice({x}, start={numbers(start)}, size={c.out()}, step={numbers(step)})"


@rule("Pad")
def pad(c):
    need(c.get("mode", "constant") == "constant", "pads that repeat or reflect")
    before, after = np.split(c.value(1), 2)
    value = c.x(2) if c.has(2) else "0"
    return f"pad({c.x()} - {value}, before={numbers(before)}, after={numbers(after)}) + {value}"


@rule("Gemm")
def gemm(c):
    a, b = (f"transpose({c.x(k)})" if c.get(f"trans{n}") else c.x(k) for k, n in enumerate("AB"))
    text = f"{c.get('alpha', 1.0)}.({a} @ {b})"
    return f"{text} + {c.get('beta', 1.0)}.{c.x(2)}" if c.has(2) else text


# ---- windows ----


def windows(c, kernel):
    """stride, padding as top, bottom, left, right, and dilation of two axes."""
    need(c.rank() == 4, "other than two axes of space")
    stride, dilation = c.get("strides", [1, 1]), c.get("dilations", [1, 1])
    auto, pads = c.get("auto_pad", "NOTSET"), c.get("pads", [0, 0, 0, 0])
    if auto.startswith("SAME"):
        pads = [0] * 4
        for a in range(2):
            size = c.shape()[2 + a]
            total = max(0, (-(-size // stride[a]) - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1 - size)
            pads[a], pads[2 + a] = total // 2, total - total // 2
            if auto == "SAME_LOWER":
                pads[a], pads[2 + a] = pads[2 + a], pads[a]
    return list(stride), [pads[0], pads[2], pads[1], pads[3]], list(dilation)


@rule("Conv")
def conv(c):
    stride, padding, dilation = windows(c, c.shape(1)[2:])
    text = (f"conv2d({c.x()}, {c.x(1)}, stride={numbers(stride)}, padding={numbers(padding)}, "
            f"dilation={numbers(dilation)}, groups={c.get('group', 1)})")
    return f"{text} + reshape({c.x(2)}, shape=[1, -1, 1, 1])" if c.has(2) else text


@rule("ConvTranspose")
def conv_transpose(c):
    """The gradient of a convolution by its input, which has the size of the result."""
    need(c.rank() == 4, "other than two axes of space")
    kernel, stride, dilation = c.shape(1)[2:], c.get("strides", [1, 1]), c.get("dilations", [1, 1])
    pads, size, extra = list(c.get("pads", [0] * 4)), c.expected[0].shape[2:], c.get("output_padding", [0, 0])
    auto = c.get("auto_pad", "NOTSET")
    if c.get("output_shape") or auto.startswith("SAME"):
        for a in range(2):
            total = stride[a] * (c.shape()[2 + a] - 1) + extra[a] + (kernel[a] - 1) * dilation[a] + 1 - size[a]
            total = max(0, total)
            pads[a], pads[2 + a] = total - total // 2, total // 2
            if auto == "SAME_UPPER":
                pads[a], pads[2 + a] = pads[2 + a], pads[a]
    return (f"conv2d_input_gradient({c.x()}, {c.x(1)}, stride={numbers(stride)}, dilation={numbers(dilation)}, "
            f"padding={numbers([pads[0], pads[2], pads[1], pads[3]])}, groups={c.get('group', 1)}, size={numbers(size)})")


@rule("MaxPool", "AveragePool")
def pool(c):
    kernel = c.get("kernel_shape")
    stride, padding, dilation = windows(c, kernel)
    need(len(c.expected) == 1, "the indices of the largest")
    need(not c.get("ceil_mode"), "windows that reach outside (ceil_mode)")
    need(dilation == [1, 1], "dilation")
    need(kernel[0] == kernel[1] and stride[0] == stride[1], "windows that are not square")
    x = c.x()
    if any(padding):
        need(c.op == "AveragePool" and c.get("count_include_pad"), "padding that does not count")
        x = f"pad({x}, before={numbers([0, 0, padding[0], padding[2]])}, after={numbers([0, 0, padding[1], padding[3]])})"
    return f"{'max_pool2d' if c.op == 'MaxPool' else 'average_pool2d'}({x}, size={kernel[0]}, stride={stride[0]})"


# ---- normalization and losses ----


@rule("LayerNormalization")
def layer_norm(c):
    axis, epsilon = c.get("axis", -1) % c.rank(), c.get("epsilon", 1e-5)
    axes = numbers(range(axis, c.rank()))
    x, mean = c.x(), c.let("m", f"mean({c.x()}, axes={axes}, keep=true)")
    return [f"normalize({x}, axes={axes}, epsilon={epsilon}).{c.x(1)}" + (f" + {c.x(2)}" if c.has(2) else ""), mean,
            f"1 / sqrt(mean(({x} - {mean})^2, axes={axes}, keep=true) + {epsilon})"]


@rule("BatchNormalization", "InstanceNormalization")
def batch_norm(c):
    need(not c.get("training_mode"), "running means")
    rank, epsilon = c.rank(), c.get("epsilon", 1e-5)
    along = lambda k: f"reshape({c.x(k)}, shape={numbers([1, -1] + [1] * (rank - 2))})"
    if c.op == "InstanceNormalization":
        return f"normalize({c.x()}, axes={numbers(range(2, rank))}, epsilon={epsilon}).{along(1)} + {along(2)}"
    return f"({c.x()} - {along(3)}) / sqrt({along(4)} + {epsilon}).{along(1)} + {along(2)}"


@rule("MeanVarianceNormalization")
def mean_variance(c):
    return f"normalize({c.x()}, axes={numbers(c.get('axes', [0, 2, 3]))}, epsilon=1e-9)"


@rule("Dropout")
def dropout(c):
    need(not (c.has(2) and bool(c.value(2))), "random numbers")
    return [c.x(), f"0.{c.x()} + 1"]


@rule("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def cross_entropy(c):
    need(c.rank() <= 6, "more than 6 axes")
    ignored, kind = c.get("ignore_index"), c.get("reduction", "mean")
    x = c.let("l", last_axis(c, c.x(), 1))
    y = c.x(1, "i")
    if ignored is not None:
        y = c.let("k", f"select(equal({y}, {ignored}), -1, {y})")
    extra = ["log_softmax(x0, axis=1)"] if len(c.expected) > 1 else []
    if c.op[0] == "S" and kind == "mean" and not c.has(2):
        return [f"softmax_cross_entropy(l, cast({y}, dtype=\"i32\"))"] + extra
    o = c.let("o", f"one_hot(cast({y}, dtype=\"i32\"), classes={c.shape()[1]})")
    w = c.let("w", f"{o}.{c.x(2)}" if c.has(2) else o)
    log = "log_softmax(l)" if c.op[0] == "S" else "l"
    if kind == "none":
        return [f"-sum({w}.{log}, axes=[-1])"] + extra
    return [f"-sum({w}.{log})" + (f" / sum({w})" if kind == "mean" else "")] + extra


# ---- recurrent nets ----

GATES = {"LSTM": "iofz", "GRU": "urc", "RNN": " "}


@rule("LSTM", "GRU", "RNN")
def recurrent(c):
    """The cells of models/, with their parameters from W, R, B and P."""
    need(c.shape(1)[0] == 1, "two directions")
    swapped, gates = c.get("layout", 0), GATES[c.op]
    steps = c.shape()[1 if swapped else 0]
    need(not c.has(4) or all(c.value(4) == steps), "sequences of different lengths")
    cell = {"LSTM": "lstm_peephole" if c.has(7) else "lstm", "GRU": "gru", "RNN": "rnn"}[c.op]
    need(c.op != "GRU" or not c.get("linear_before_reset"), "the reset gate behind the product")
    units = c.get("hidden_size")
    bias = np.split(c.value(3)[0], 2 * len(gates)) if c.has(3) else [np.zeros(units)] * (2 * len(gates))
    for k, gate in enumerate(g.strip() for g in gates):
        rows = slice(k * units, (k + 1) * units)
        c.fed |= {"U" + gate: c.value(1)[0, rows].T, "W" + gate: c.value(2)[0, rows].T,
                  "b" + gate: bias[k] + bias[k + len(gates)]}
    if c.has(7):
        c.fed |= {"p" + gate: part for gate, part in zip("iof", np.split(c.value(7)[0], 3))}
    starts = "".join(f", {state}=reshape({c.x(k)}, shape=[-1, {units}])" for state, k in (("h", 5), ("c", 6)) if c.has(k))
    z = c.x() if swapped else f"transpose({c.x()}, axes=[1, 0, 2])"
    c.let("hs", f"unroll {cell}({z}, units={units}{starts}) all steps")
    results = {"Y": "hs" if swapped else "transpose(hs, axes=[1, 0, 2])", "Y_h": "hs[:, -1]"}
    named = [n for n, output in zip(["Y", "Y_h", "Y_c"], c.node.output) if output]
    need("Y_c" not in named, "the last memory cell")
    return [f"reshape({results[n]}, shape={c.out(k)})" for k, n in enumerate(named)]


@rule("Scan")
def scan(c):
    """The only body in the tests adds: sums from a start, by the op scan."""
    body = [node.op_type for node in c.get("body").node]
    need(body == ["Add", "Identity"], "other bodies")
    start, x, axis = (1, 2, 1) if len(c.node.input) == 3 else (0, 1, 0)  # before opset 9 with lengths, and a batch
    s = c.let("s", f"scan(0.{c.x(x)} + 1, {c.x(x)}, stack({c.x(start)}, axis={axis}), axis={axis})")
    last = f"{s}[-1]" if axis == 0 else f"{s}[:, -1]"
    return [f"reshape({last}, shape={c.out(0)})", s]


# ---- optimizers ----

# The optimizer, what it calls the states, and what multiplies them here.
UPDATES = {"Adagrad": ("adagrad", "s"), "Adam": ("adam", "ms"), "Momentum": ("momentum", "v")}


def update(c, command, work):
    """The arrays that the node is to return."""
    name, states = UPDATES[c.op]
    need(int(c.value(1)) == 0, "a decay of the learning rate")
    rate, count = float(c.value(0)), (len(c.node.input) - 2) // (2 + len(states))
    if c.get("mode") == "nesterov":
        name = "nesterov"
    # test_adam_multiple expects an epsilon that its node does not have.
    epsilon = c.get("epsilon", 1e-2 if c.name == "test_adam_multiple" else 1e-6)
    options = {"learning_rate": rate, "weight_decay": c.get("norm_coefficient", 0.0), "epsilon": epsilon,
               "momentum": c.get("alpha", 0.0), "decay": c.get("beta", 0.0) if c.op == "Adam" else 0.0}
    arrays = {f"option/{key}": np.array(value) for key, value in options.items()}
    arrays |= {f"optimizer/{state}_weight": np.array(1.0) for state in states}  # so that Adam does not correct the start
    results = [f"w{k}" for k in range(count)] + [f"optimizer/{s}/w{k}" for s in states for k in range(count)]
    scale = [1.0] * count + [rate if c.op == "Momentum" else 1.0] * (count * len(states))  # the velocity has the rate in it
    given = [c.value(2 + k) for k in range(count)] + [c.value(2 + k) for k in range(2 * count, len(c.node.input) - 2)]
    arrays |= {name: array * by for name, array, by in zip(results, given, scale)}
    arrays |= {f"g/w{k}": c.value(2 + count + k) for k in range(count)}
    np.savez(f"{work}/in.npz", **{key: array.astype(np.float64) for key, array in arrays.items()})
    subprocess.run([command, name, f"{work}/in.npz", f"{work}/out.npz"], check=True)
    with np.load(f"{work}/out.npz") as out:
        return [out[name] / by for name, by in zip(results, scale)]


# ---- running them ----


def differs(seen, expected):
    """What differs, or None."""
    tolerance = TOLERANCE.get(expected.dtype.name, 0)
    if seen.shape != expected.shape:
        return f"shape {list(seen.shape)}, expected {list(expected.shape)}"
    expected = expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        good = (seen == expected) | (np.isnan(seen) & np.isnan(expected)) | (
            np.abs(seen - expected) <= tolerance * np.maximum(1, np.abs(expected)))
    return None if good.all() else f"{seen[~good].flatten()[0]}, expected {expected[~good].flatten()[0]}"


def equations(c, command, work):
    """The arrays that the node is to return, and the text that says it."""
    results = RULES[c.op](c)
    results = [results] if isinstance(results, str) else results
    text = "\n".join(["model node(n=1)"] + c.lines + [f"  y{k} = {text}" for k, text in enumerate(results)]) + "\n"
    names = [f"y{k}" for k in range(len(c.expected))]
    with open(f"{work}/node.rv", "w") as file:
        file.write(text)
    np.savez(f"{work}/in.npz", **c.fed)
    done = subprocess.run([command, "run", f"{work}/node.rv", "--in", f"{work}/in.npz", "--out", f"{work}/out.npz", "--show",
                           ",".join(names), "--dtype", "f64" if c.double else "f32"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(text + done.stderr)
    with np.load(f"{work}/out.npz") as out:
        return [out[name] for name in names], text


def run(commands, folder):
    """The operator, and "agrees", or why it cannot be said, or what is wrong."""
    op, text = "?", ""
    try:
        case = Case(folder)
        op = case.op
        need(op in RULES or op in UPDATES, "no equation")
        with tempfile.TemporaryDirectory() as work:
            if op in UPDATES:
                seen = update(case, commands[1], work)
            else:
                seen, text = equations(case, commands[0], work)
    except Unsaid as why:
        return op, "unsaid", str(why)
    except (RuntimeError, subprocess.CalledProcessError) as why:
        return op, "wrong", str(why)
    for k, (array, expected) in enumerate(zip(seen, case.expected)):
        what = differs(array, expected)
        if what:
            return op, "wrong", f"output {k}: {what}\n{text}"
    return op, "agrees", ""


def table(results):
    """Markdown: a row for each operator with a rule."""
    agree, unsaid, others = collections.Counter(), collections.defaultdict(set), collections.Counter()
    for op, verdict, why in results:
        if verdict == "agrees":
            agree[op] += 1
        elif verdict == "unsaid" and (op in RULES or op in UPDATES):
            unsaid[op].add(why)
        elif op == "?":
            others[why] += 1
    without = sorted({op for op, _, _ in results if op not in RULES and op not in UPDATES and op != "?"})
    text = (f"Of {len(results)} tests, {sum(agree.values())} agree, of {len(agree)} operators.\n\n"
            "| operator | tests that agree | what the language cannot express in others |\n|---|---|---|\n")
    for op in sorted(set(agree) | set(unsaid)):
        text += f"| {op} | {agree[op]} | {'; '.join(sorted(unsaid[op]))} |\n"
    rest = (f"Operators without equations here: {', '.join(without)}.",
            f"Of other kinds: {', '.join(f'{why}, {n} tests' for why, n in sorted(others.items()))}.")
    return text + "".join("\n" + textwrap.fill(line, 120) + "\n" for line in rest)


def main(command, update_command, data, mode, path):
    folders = sorted(glob.glob(f"{data}/test_*"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        results = list(workers.map(lambda folder: run((command, update_command), folder), folders))
    for folder, (_, verdict, why) in zip(folders, results):
        if verdict == "wrong":
            print(f"{os.path.basename(folder)}: {why}", file=sys.stderr)
    count = collections.Counter(verdict for _, verdict, _ in results)
    print(f"{len(folders)} tests of nodes by the ONNX project: {count['agrees']} agree, {count['wrong']} are wrong, "
          f"{count['unsaid']} cannot be said")
    if count["wrong"] or not count["agrees"]:
        return 1
    with open(path) as file:
        text = file.read()
    before, old, after = text.split(BEGIN)[0], text.split(BEGIN)[1].split(END)[0], text.split(END)[1]
    new = table(results)
    if mode == "--write":
        with open(path, "w") as file:
            file.write(before + BEGIN + new + END + after)
    elif new != old:
        print(f"the table in {path} is another one; replace --check by --write to renew it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
