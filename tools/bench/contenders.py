"""Who runs: Recurve and its peers, each as a program that takes commands (tools/bench/serve.h)."""

import ctypes
import glob
import json
import os
import platform
import select
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.path.join(ROOT, "bazel-bin")
PEERS = os.path.join(HERE, "peers")
# Compiled peers, and the packages from npm: outside the source tree.
CACHES = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
CACHE = os.path.join(CACHES, "recurve-bench")
# With packages from the registry, or Debian's.
PYTHONS = [os.path.join(CACHE, "python/bin/python"), "/usr/bin/python3"]


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Missing(Exception):
    """A peer that is not installed."""


# ---- what they need ----

def python_with(module):
    for python in filter(os.path.exists, PYTHONS):
        if not subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode:
            return python
    raise Missing(f"{module} is not installed")


def node_with(package):
    node = shutil.which("node") or shutil.which("nodejs")
    if not node or not os.path.isdir(os.path.join(CACHE, "node_modules", package)):
        raise Missing(f"{package} is not installed")
    return node


def compiled(source, libraries, package, more=()):
    """A peer in C, compiled for this machine."""
    program = os.path.join(CACHE, os.path.basename(source)[:-len(".c")])
    os.makedirs(CACHE, exist_ok=True)
    files = [os.path.join(HERE, name) for name in (source, "peers/data.c", "serve.c")]
    command = ["cc", "-std=c11", "-D_GNU_SOURCE", "-O3", "-march=native", "-fno-math-errno", "-I", ROOT,
               "-I", CACHE, *files, os.path.join(ROOT, "tools/machine/timing.c"), *more, os.path.join(BIN, "librecurve.a"), *libraries, "-lcjson", "-lm",
               "-o", program]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        missing = "No such file" in made.stderr or "cannot find" in made.stderr
        raise Missing(f"{package} is not installed" if missing else made.stderr.strip())
    return program


def best_environment():
    """What makes PyTorch fastest: the widest vectors, memory that stays with the process, and one pool of
    threads for its own loops and OpenBLAS's."""
    best = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
            "MALLOC_TOP_PAD_": str(1 << 28)}
    with open("/proc/cpuinfo") as file:
        if " avx512f " in file.read():
            best["ATEN_CPU_CAPABILITY"] = "avx512"
    for folder in glob.glob(f"/usr/lib/{platform.machine()}-*/openblas-openmp"):
        best["LD_LIBRARY_PATH"] = folder
    return best


def environment_with(threads, own):
    """That of a contender. All libraries here take their number of threads from one of these names. A machine's own settings of
    OpenBLAS, which make it compute as on another processor, would make peers slow."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1",
            **{name + "_THREADS": str(threads) for name in ("OMP_NUM", "OPENBLAS_NUM", "NUM_CPU")}, **own}


# ---- the contenders ----

class Contender:
    """A name, a function of (data, threads) that gives its command or raises Missing, an environment, and what
    it is that it does where it gives no loss."""

    def __init__(self, name, command, environment=None, part=""):
        self.name, self.command, self.environment = name, command, environment or {}
        self.part = part


def recurve(name="Recurve", environment=None):
    def command(data, threads):
        return [os.path.join(BIN, "tools/bench/bench"), "--serve", "--threads", str(threads)]
    return Contender(name, command, environment)


def without(*extensions):
    """The environment of a process that may not use these extensions of x86-64; others ignore it."""
    return {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join("-" + name for name in extensions)}


# From the widest vectors to those of 128 bits.
LEVELS = [without(), without("AVX512F"), without("AVX512F", "AVX2")]


def exported():
    """The C of `recurve export` for A1."""
    def command(data, threads):
        subprocess.run([os.path.join(BIN, "tools/recurve"), "export", "--head-units", "32", "--keep", "--name",
                        "a1", "--c", CACHE], check=True, stdout=subprocess.DEVNULL)
        # -O3 unrolls the loops that -O2 vectorizes
        return [compiled("peers/with_export.c", [], "", ["-O2", "-fvect-cost-model=dynamic", "-fno-trapping-math",
                                                         "-ffp-contract=fast", os.path.join(CACHE, "a1.c")]), data]
    return Contender("exported C", command)


def peers():
    best = best_environment()

    def script(program, file, *arguments):
        return lambda data, threads: [program(), os.path.join(PEERS, file), *arguments, data]

    def torch(how):
        return script(lambda: python_with("torch"), "with_torch.py", how)

    def onednn(algorithm):
        return lambda data, threads: [compiled("peers/with_onednn.c", ["-ldnnl"], "libdnnl-dev"),
                                      algorithm, data]

    def openblas(data, threads):
        return [compiled("peers/with_openblas.c", ["-lopenblas"], "libopenblas-dev"), data]

    def tfjs(backend):
        return script(lambda: node_with("@tensorflow/tfjs"), "with_tfjs.js", backend)

    modules = {"NODE_PATH": os.path.join(CACHE, "node_modules")}
    return [
        Contender("NumPy", script(lambda: python_with("numpy"), "with_numpy.py"), best),
        Contender("PyTorch", torch("written")),
        Contender("PyTorch tuned", torch("tuned"), best),
        Contender("PyTorch TorchScript", torch("script"), best),
        Contender("PyTorch compiled", torch("compiled"), {
            **best, "TORCHINDUCTOR_CACHE_DIR": os.path.join(CACHE, "inductor")}),
        Contender("PyTorch nn", torch("library"), best, "(GRU that resets after the product)"),
        Contender("oneDNN", onednn("auto"), part="(convolutions only)"),
        Contender("oneDNN direct", onednn("direct"), part="(convolutions only)"),
        Contender("OpenBLAS", openblas, best, "(products only)"),
        Contender("TensorFlow.js cpu", tfjs("cpu"), modules),
        Contender("TensorFlow.js wasm", tfjs("wasm"), modules),
        Contender("ONNX Runtime", script(lambda: python_with("onnxruntime"), "with_onnxruntime.py")),
        Contender("tinygrad", script(lambda: python_with("tinygrad"), "with_tinygrad.py"), {"DEV": "CPU"}),
        Contender("JAX", script(lambda: python_with("jax"), "with_jax.py"), {"JAX_PLATFORMS": "cpu"}),
    ]


def browser():
    """Those that compute in a worker of headless Chromium, and what WebAssembly's vectors allow at best."""
    packages = [os.path.join(cache, "node_modules") for cache in (CACHE, os.path.join(CACHES, "recurve-playground"))]

    def peer(name, file, backend):
        def command(data, threads):
            return [node_with("@tensorflow/tfjs"), os.path.join(PEERS, "in_chromium.js"), file, backend,
                    os.path.join(CACHE, "module"), data]
        return Contender(name, command, {"NODE_PATH": ":".join(packages)})

    return [
        recurve("Recurve, 128 bits", LEVELS[-1]),
        peer("Recurve in Chromium", "with_recurve.js", ""),
        peer("TensorFlow.js cpu in Chromium", "with_tfjs.js", "cpu"),
        peer("TensorFlow.js wasm in Chromium", "with_tfjs.js", "wasm"),
    ]


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def prepare(threads):
    """In the child: its cores, and that it ends with its parent, even while it is stopped."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A contender at work on the last so many cores of those that this program may use. Until it is asked and between
    its turns it is stopped, so that what it loads and threads that wait by spinning take no time from the others."""

    def __init__(self, contender, data, threads, log):
        self.contender, self.rest = contender, b""
        self.log = open(log, "ab")
        self.child = subprocess.Popen(
            contender.command(data, threads), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, bufsize=0, preexec_fn=lambda: prepare(threads),
            env=environment_with(threads, contender.environment))
        self.child.send_signal(signal.SIGSTOP)

    def ask(self, command, seconds):
        """The answer to a command, within so many seconds; {"unavailable": why} when there is none."""
        try:
            self.child.send_signal(signal.SIGCONT)
            self.child.stdin.write((command + "\n").encode())
            answer = self.read_line(time.monotonic() + seconds)
            self.child.send_signal(signal.SIGSTOP)
        except (BrokenPipeError, EOFError, ProcessLookupError):
            return {"unavailable": f"ended, see {self.log.name}"}
        except TimeoutError:
            self.end()
            return {"unavailable": f"took more than {seconds:g} s"}
        return json.loads(answer)

    def read_line(self, deadline):
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise TimeoutError
            more = os.read(self.child.stdout.fileno(), 1 << 16)
            if not more:
                raise EOFError
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def end(self):
        self.child.kill()
        self.child.wait()
        self.log.close()
