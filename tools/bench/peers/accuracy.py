"""The largest errors of a peer's sigmoid and tanh in f32, in units of the last place and absolute:
~/.cache/recurve-bench/python/bin/python tools/bench/peers/accuracy.py (tools/dev bench --peers makes that Python)."""

import numpy as np

FLOOR = 2.0 ** -126  # below it numbers are subnormal, and errors in units of the last place mean little


def with_onnxruntime():
    import onnxruntime
    from onnx import TensorProto, helper

    def function(op):
        value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in "xy"]
        graph = helper.make_graph([helper.make_node(op, ["x"], ["y"])], "g", value[:1], value[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x})[0]
    return function("Sigmoid"), function("Tanh")


def with_torch():
    import torch
    return [lambda x, f=f: f(torch.from_numpy(x)).numpy() for f in (torch.sigmoid, torch.tanh)]


def with_jax():
    import jax
    return [lambda x, f=f: np.asarray(jax.jit(f)(x)) for f in (jax.nn.sigmoid, jax.numpy.tanh)]


def main():
    small = np.geomspace(1e-30, 80, 1 << 19)
    x = np.concatenate([np.linspace(-20, 20, 1 << 20), small, -small]).astype(np.float32)
    exact = 1 / (1 + np.exp(-x.astype(np.float64))), np.tanh(x.astype(np.float64))
    for make in (with_onnxruntime, with_torch, with_jax):
        for name, function, right in zip(("sigmoid", "tanh"), make(), exact):
            error = np.abs(function(x) - right)
            units = error / np.spacing(np.maximum(np.abs(right), FLOOR).astype(np.float32))
            k = units.argmax()
            print(f"{make.__name__[5:]:12} {name:8} {units[k]:10.4g} units at {x[k]:.6g}; absolute {error.max():.2g}")


main()
