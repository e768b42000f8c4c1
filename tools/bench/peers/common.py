"""What the peers in Python share: the numbers that `bench --write` wrote, the clock, and the conversation
with tools/bench/run (tools/bench/serve.h says what is said)."""

import json
import os
import struct
import sys
import time
import traceback

import numpy as np


class Workload:
    """A workload's inputs and first parameters by name, and its settings."""

    def __init__(self, folder, name):
        self.name = name
        self.base = name.removesuffix("-forward")
        self.tensors, settings = read_safetensors(os.path.join(folder, self.base + ".safetensors"))
        self.training = name == self.base and "y" in self.tensors
        self.rate = float(settings["rate"])
        self.steps = int(settings["steps"])
        self.checked = int(settings["checked"])

    def __getitem__(self, name):
        return self.tensors[name]


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    settings = header.pop("__metadata__")
    kinds = {"F32": np.float32, "F64": np.float64, "I32": np.int32}
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + at for at in entry["data_offsets"])
        values = np.frombuffer(content[begin:end], kinds[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).copy()
    return tensors, settings


class Unavailable(Exception):
    """Raised by a peer that cannot do a workload; says why."""


def loss_of(w, prediction):
    """Of the prediction of a forward pass, in f64; of a workload without a loss its mean square."""
    p = np.asarray(prediction, np.float64)
    y = w.tensors.get("y")
    if y is None:
        return np.mean(p * p)
    if w.base.startswith("A"):
        return np.mean(np.logaddexp(0, p) - p * y)
    if y.dtype == np.int32:
        return np.mean(np.log(np.exp(p).sum(1)) - p[np.arange(len(y)), y])
    return np.mean((p - y) ** 2)


def checked(w, step):
    """The number that all must agree on: step() gives the loss, or of a forward pass the prediction."""
    for _ in range(w.checked):
        result = step()
    return float(result) if w.training else loss_of(w, result)


def sample(step, inner):
    start = time.perf_counter()
    for _ in range(inner):
        step()
    return (time.perf_counter() - start) / inner


def measure(step, seconds, inner):
    """As samples_take in tools/machine/timing.c."""
    enough = 0.5e-3
    start = time.perf_counter()
    if not inner:
        inner = 1
        for _ in range(4):
            once = sample(step, inner)
            inner = int(enough / max(once, 1e-9)) + 1 if once < enough else 1
            if inner == 1:
                break
    taken = []
    while True:
        taken.append(sample(step, inner))
        if time.perf_counter() - start >= seconds:
            return taken, inner


def serve(load, unlike=lambda w: False):
    """load(Workload) returns a step; unlike(Workload) says that it is other mathematics, whose loss is not to be
    compared. The folder of the workloads is the last argument of the program."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to stderr
    for line in sys.stdin:
        word, argument = line.split()
        if word == "load":
            answer, step, inner = {"ready": argument}, None, 0
            try:
                w = Workload(sys.argv[-1], argument)
                step = load(w)
                check = checked(w, step)
                answer["check"] = None if unlike(w) else check
            except Unavailable as why:
                answer["unavailable"] = str(why)
            except Exception as why:  # a library's own failure is an answer too
                traceback.print_exc()
                answer["unavailable"] = f"{type(why).__name__}: {str(why).strip().splitlines()[-1]}"
        elif step is None:
            answer = {"error": "nothing is loaded"}
        else:
            seconds, inner = measure(step, float(argument), inner)
            answer = {"seconds": seconds}
        print(json.dumps(answer), file=answers, flush=True)
