"""onnx_models.py FOLDER: runs the models that onnx_cases wrote there in ONNX Runtime (f32) and in ONNX's reference evaluator (f64),
and compares with the results of this library. Prints a table; fails if a model is invalid or a result differs."""
import collections
import glob
import json
import sys

import numpy as np
import onnx
import onnx.reference
import onnxruntime

TOLERANCE = {"f32": 1e-5, "f64": 1e-10}
FORMS = ["step", "scan", "unrolled", "training"]


def read_safetensors(path):
    """A header's length as a u64, the JSON header, the data."""
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    header, data = json.loads(data[8:8 + size]), data[8 + size:]
    types = {"F32": np.float32, "F64": np.float64, "I32": np.int32}
    return {name: np.frombuffer(data[slice(*t["data_offsets"])], types[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items() if name != "__metadata__"}


def evaluator_lacks(model):
    """Whether ONNX's reference evaluator does not compute a model: convolutions in groups, scans in reverse; and Erf in f32."""
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Erf" or attributes.get("group", 1) > 1 or 1 in attributes.get("scan_input_directions", []):
            return True
    return False


class Model:
    """A checked model; a call runs it."""

    def __init__(self, path, dtype):
        self.model = onnx.load(path)
        onnx.checker.check_model(self.model, full_check=True)  # with shape inference
        onnx.shape_inference.infer_shapes(self.model, strict_mode=True, data_prop=True)
        graph = self.model.graph
        self.outputs = [o.name for o in graph.output]
        self.types = {i.name: i.type.tensor_type for i in graph.input}
        self.defaults = {t.name for t in graph.initializer}
        self.lacking = dtype == "f64" and evaluator_lacks(self.model)
        run = None
        if dtype == "f32":
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            run = onnxruntime.InferenceSession(self.model.SerializeToString(), options)
        elif not self.lacking:
            run = onnx.reference.ReferenceEvaluator(self.model)
        self.session = run

    def __call__(self, feed):
        return dict(zip(self.outputs, self.session.run(None, feed)))

    def zeros(self, name, batch, dtype):
        dims = [d.dim_value or batch for d in self.types[name].shape.dim]
        return np.zeros(dims, np.float32 if dtype == "f32" else np.float64)


def run_step(model, x, dtype, steps):
    """Step after step, from the initial states."""
    states = [name for name in model.types if name != "x"]
    feed = {s: model.zeros(s, len(x), dtype) for s in states}
    first = model({"x": x[:, 0] if steps is None else x, **feed})
    feed.update({s: first[s + "[0]"] for s in states if s + "[0]" in first})
    outputs = []
    for t in range(x.shape[1] if steps is None else steps):
        result = model({"x": x[:, t] if steps is None else x, **feed})
        feed = {s: result[s + "'"] for s in states}
        outputs.append(result["output"])
    return outputs


def run_training(model, x, y, updates):
    """The losses of updates in a row, each from the parameters that the last one returned."""
    feed, losses = {"x": x, "y": y}, []
    for _ in range(updates):
        result = model(feed)
        losses.append(result.pop("loss"))
        feed = {"x": x, "y": y, **{name[:-1]: value for name, value in result.items() if name[:-1] in model.types}}
    return np.array(losses)


def difference(seen, expected):
    """The largest one, of numbers from 1 on as a fraction."""
    if seen.shape != expected.shape:
        return float("inf")
    return float(np.max(np.abs(seen - expected) / np.maximum(1, np.abs(expected)), initial=0))


def compare(path, case, form, dtype):
    model = Model(path, dtype)
    x, expected = case["x"], case["output"]
    if form == "training":
        return difference(run_training(model, x, case["y"], len(case["losses"])), case["losses"])
    if form != "step":
        return difference(model({"x": x})["output"], expected)
    repeated = len(x.shape) == len(model.types["x"].shape.dim)  # the same x at each step
    outputs = run_step(model, x, dtype, 3 if repeated else None)
    last = outputs[-1].ndim == expected.ndim
    return difference(outputs[-1] if last else np.stack(outputs, 1), expected)


def compare_op(path, case, dtype):
    """The largest difference of an op and its gradients."""
    model = Model(path, dtype)
    if model.lacking:
        return 0
    result = model({name: case[name] for name in model.types})
    return max(difference(result[name], case[name]) for name in model.outputs)


def compare_ops(folder):
    """The number of models of ops, and the number that failed."""
    models = failed = 0
    for path in sorted(glob.glob(f"{folder}/*.op.*.safetensors")):
        base = path[:-len(".safetensors")]
        name, number, _, dtype = base.split("/")[-1].rsplit(".", 3)
        try:
            seen = compare_op(base + ".onnx", read_safetensors(path), dtype)
            wrong = f"differs by {seen:.1e}" if not seen <= TOLERANCE[dtype] else None
        except Exception as error:
            wrong = str(error)[:300]
        models += 1
        failed += wrong is not None
        if wrong:
            print(f"{name}, sample {number}, {dtype}: {wrong}", file=sys.stderr)
    return models, failed


def main(folder):
    worst = collections.defaultdict(dict)
    failed = 0
    for path in sorted(set(glob.glob(f"{folder}/*.safetensors")) - set(glob.glob(f"{folder}/*.op.*"))):
        base = path[:-len(".safetensors")]
        name, dtype = base.split("/")[-1].rsplit(".", 1)
        case = read_safetensors(path)
        for form in FORMS:
            if glob.glob(f"{glob.escape(base)}.{form}.onnx"):
                try:
                    worst[name][form, dtype] = compare(f"{base}.{form}.onnx", case, form, dtype)
                except Exception as error:  # of a model that is invalid or does not run
                    print(f"{name} {form} {dtype}: {str(error)[:300]}", file=sys.stderr)
                    worst[name][form, dtype] = float("nan")
                failed += not worst[name][form, dtype] <= TOLERANCE[dtype]
    columns = [(form, dtype) for dtype in TOLERANCE for form in FORMS if (form, dtype) != ("training", "f64")]
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: the largest differences")
    print(f"{'':36}" + "".join(f"{form + ' ' + dtype:>14}" for form, dtype in columns))
    for name, of in worst.items():
        print(f"{name:36}" + "".join(f"{of[c]:14.1e}" if c in of else f"{'-':>14}" for c in columns))
    ops, failed_ops = compare_ops(folder)
    print(f"{sum(map(len, worst.values()))} models of {len(worst)} nets, {failed} failed")
    print(f"{ops} models of samples of ops with their gradients, {failed_ops} failed")
    return failed + failed_ops > 0 or not worst or not ops


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
