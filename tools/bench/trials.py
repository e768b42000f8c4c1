"""`bench --trials`: small nets trained from nothing, as a sweep does, by Recurve and by peers that train many at once."""

import json
import os
import statistics
import subprocess
import tempfile

from contenders import BIN, CACHE, Missing, PEERS, best_environment, environment_with, prepare, python_with, say

WORKLOADS = ["J2", "J", "J3"]
UPDATES, COUNT, ALONE = 300, 32, 8  # trials, and of peers that train them one at a time
# Of the mean loss of all updates; f32 sums in another order differ by some 1e-5 of it.
TOLERANCE = 1e-3
JAX_FLAGS = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}


def contenders():
    """Name: a function of (folder, workload) that gives the command, and the environment."""
    def recurve(folder, workload):
        return [os.path.join(BIN, "tools/bench/trials"), workload, str(UPDATES), str(COUNT)]

    def peer(module, how, width):
        return lambda folder, workload: [python_with(module), os.path.join(PEERS, f"trials_{module}.py"), how,
                                         folder, workload, str(UPDATES), str(COUNT if width > 1 else ALONE),
                                         str(width)]

    best = {**best_environment(), "TORCHINDUCTOR_CACHE_DIR": os.path.join(CACHE, "inductor")}
    return {
        "Recurve": (recurve, {}),
        "JAX": (peer("jax", "jit", 1), JAX_FLAGS),
        **{f"JAX, vmap of {n}": (peer("jax", "jit", n), JAX_FLAGS) for n in (8, 32)},
        "PyTorch": (peer("torch", "tuned", 1), best),
        "PyTorch compiled": (peer("torch", "compiled", 1), best),
        **{f"PyTorch, vmap of {n}": (peer("torch", "tuned", n), best) for n in (8, 32)},
        "PyTorch compiled, vmap of 32": (peer("torch", "compiled", 32), best),
    }


def run(command, environment):
    with open(os.path.join(CACHE, "log"), "ab") as log:
        made = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, preexec_fn=lambda: prepare(1),
                              env=environment_with(1, environment))
    if made.returncode:
        raise Missing(f"failed, see {log.name}")
    return json.loads(made.stdout)


def differs(losses, reference):
    return any(not abs(a - b) <= TOLERANCE * b for a, b in zip(losses, reference))


def compare(what, options):
    """Prints trials per hour and core of each contender; 1 if losses differ."""
    refused = 0
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="recurve-bench-") as folder:
        subprocess.run([os.path.join(BIN, "tools/bench/bench"), "--write", folder], check=True)
        for workload in options.only.split(",") if options.only else WORKLOADS:
            print(f"\n{workload}: {what[workload]}, {UPDATES} updates a trial, one core")
            print(f"  {'':31}{'trials/hour':>12}{'x Recurve':>11}{'first trial':>13}{'new nets/hour':>15}")
            reference = None
            for name, (command, environment) in contenders().items():
                wanted = options.peers and (not options.name or
                                            any(name.startswith(n) for n in options.name.split(",")))
                if not (name == "Recurve" or wanted):
                    continue
                say(f"{workload}, {name}")
                try:
                    answers = [run(command(folder, workload), environment) for _ in range(options.repeats)]
                except Missing as why:
                    print(f"  {name:31} {why}")
                    continue
                reference = reference or answers[0]["losses"]
                if differs(answers[0]["losses"], reference):
                    print(f"  {name:31} REFUSED, its losses are others")
                    refused = 1
                    continue
                each = statistics.median(a["seconds"] for a in answers)
                first = statistics.median(a["first"] for a in answers)
                ours = each if name == "Recurve" else ours
                print(f"  {name:31}{3600 / each:12,.0f}{each / ours:11.2f}{first:11.2f} s{3600 / first:15,.0f}",
                      flush=True)
    return refused
