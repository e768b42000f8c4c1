"""The project's build rules: a library per folder, kernels once per type and instruction set, tests from a glob."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

# For our own C code; tests and third-party headers are compiled with Bazel's defaults.
# --config=werror makes them errors.
WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
]

def recurve_library(name, copts = [], **kwargs):
    """A cc_library of our C code. Includes are written from the repository's root: "tensor/tensor.h".

    alwayslink puts every object into librecurve.so, where nothing refers to them yet.
    """
    native.cc_library(
        name = name,
        copts = WARNINGS + copts,
        alwayslink = True,
        linkstatic = True,
        **kwargs
    )

def recurve_binary(name, copts = [], **kwargs):
    """A cc_binary of our C code."""
    native.cc_binary(
        name = name,
        copts = WARNINGS + copts,
        **kwargs
    )

def recurve_programs(name, deps, visibility = None, **kwargs):
    """One binary for each *.c in the folder, and a filegroup `name` of them all."""
    programs = [src[:-len(".c")] for src in native.glob(["*.c"])]
    for program in programs:
        recurve_binary(
            name = program,
            srcs = [program + ".c"],
            visibility = visibility,
            deps = deps,
            **kwargs
        )
    native.filegroup(
        name = name,
        srcs = programs,
        visibility = visibility,
    )

# Errors and the sign of zero are kept, so this is not -ffast-math: only errno and the floating-point
# exception flags, which nobody reads, are given up. A multiply and an add may become one fused operation,
# which -std=c11 alone forbids to gcc.
_KERNEL_COPTS = [
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
]

_KERNEL_TYPES = {
    "f32": ["-DRV_REAL_F32"],
    "f64": ["-DRV_REAL_F64"],
}

_KERNEL_ISAS = {
    "base": [],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}

def recurve_kernels(name, srcs, hdrs = [], textual_hdrs = [], deps = [], **kwargs):
    """The same C sources for each real type and each instruction set, gathered in one library.

    Every compilation sees -DRV_REAL_F32 or -DRV_REAL_F64, and -DRV_KERNEL_SUFFIX=_f32_base .. _f64_v4, with
    which it names whatever it exports. v3 and v4 exist on x86-64 only (#ifdef __x86_64__).
    """
    for_x86_64 = []
    for_all = []
    for real, real_copts in _KERNEL_TYPES.items():
        for isa, isa_copts in _KERNEL_ISAS.items():
            variant = "%s_%s_%s" % (name, real, isa)
            recurve_library(
                name = variant,
                srcs = srcs,
                hdrs = hdrs,
                textual_hdrs = textual_hdrs,
                copts = _KERNEL_COPTS + select({
                    "//tools/build:sanitize": [],
                    "//conditions:default": ["-O3"],
                }) + real_copts + isa_copts + ["-DRV_KERNEL_SUFFIX=_%s_%s" % (real, isa)],
                tags = ["manual"],  # built where something depends on it: not v3 on another machine
                visibility = ["//visibility:private"],
                deps = deps,
            )
            (for_all if isa == "base" else for_x86_64).append(":" + variant)
    recurve_library(
        name = name,
        hdrs = hdrs,
        textual_hdrs = textual_hdrs,
        deps = deps + for_all + select({
            "//tools/build:x86_64": for_x86_64,
            "//conditions:default": [],
        }),
        **kwargs
    )

def recurve_test(
        name,
        srcs,
        deps = ["//:recurve"],
        data = ["//tests/data:files"],
        linkopts = [],
        **kwargs):
    """A cc_test with the system's GoogleTest. It runs where data files have their path in the repository."""
    native.cc_test(
        name = name,
        srcs = srcs,
        linkopts = linkopts + ["-lgtest", "-lgtest_main", "-lpthread"],
        linkstatic = True,
        data = data,
        deps = deps + ["//tests:support"],
        **kwargs
    )

def recurve_tests(exclude = [], **kwargs):
    """One recurve_test for each *_test.cc in the folder, except those that need a rule of their own."""
    for src in native.glob(["*_test.cc"], exclude = exclude):
        recurve_test(
            name = src[:-len(".cc")],
            srcs = [src] + native.glob(["*.h"]),
            **kwargs
        )

def recurve_fuzz_target(name, deps, seeds = [], linkopts = []):
    """The target NAME.c as the program NAME_fuzzer, for tools/dev fuzz, and as the test NAME_test.

    Both begin with corpus/NAME/* and `seeds`.
    """
    native.cc_library(
        name = name,
        testonly = True,
        srcs = [name + ".c"],
        copts = WARNINGS,
        linkopts = linkopts,
        deps = deps + [":fuzz"],
        alwayslink = True,
    )
    recurve_binary(
        name = name + "_fuzzer",
        testonly = True,
        srcs = [],
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":" + name],
    )
    native.filegroup(
        name = name + "_seeds",
        srcs = native.glob(["corpus/%s/*" % name]) + seeds,
    )
    recurve_test(
        name = name + "_test",
        srcs = ["any_bytes_test.cc"],
        data = [":%s_seeds" % name],
        env = {"SEEDS": "$(rootpaths :%s_seeds)" % name},
        deps = [":" + name],
    )

def _archive_impl(ctx):
    objects = []
    flags = []
    for dep in ctx.attr.deps:
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linker_input.libraries:
                objects += library.pic_objects or library.objects
            flags += linker_input.user_link_flags

    # A library follows those that use it: of equal flags, the last one counts.
    flags = [flag for i, flag in enumerate(flags) if flag not in flags[i + 1:]]

    # "q" appends: "r" would replace an object by the next of the same name, and each kernel has six.
    arguments = ctx.actions.args()
    arguments.add_all(["qcsD", ctx.outputs.archive])
    arguments.add_all(objects)
    ctx.actions.run(
        executable = find_cpp_toolchain(ctx).ar_executable,
        arguments = [arguments],
        inputs = objects,
        outputs = [ctx.outputs.archive],
        mnemonic = "RecurveArchive",
    )
    ctx.actions.write(ctx.outputs.libs, " ".join(flags) + "\n")

# One static archive of everything in `deps` and below, and the linker flags that it needs.
recurve_archive = rule(
    implementation = _archive_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "archive": attr.output(mandatory = True),
        "libs": attr.output(mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def _exports_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    headers = ctx.attr.library[CcInfo].compilation_context.headers
    ctx.actions.run_shell(
        command = """set -e -o pipefail
            { echo '{ global:'
              "$1" -std=c11 -E -P -I. "$2" | grep -oE '\\brv_[a-z0-9_]+' | sort -u | sed 's/$/;/'
              echo 'local: *; };'; } > "$3" """,
        arguments = [toolchain.compiler_executable, ctx.file.header.path, ctx.outputs.map.path],
        inputs = depset([ctx.file.header], transitive = [headers, toolchain.all_files]),
        outputs = [ctx.outputs.map],
        mnemonic = "RecurveExports",
    )

# A linker's version script: of the names that start with rv_, those that `header` of `library` tells a program.
recurve_exports = rule(
    implementation = _exports_impl,
    attrs = {
        "library": attr.label(providers = [CcInfo]),
        "header": attr.label(allow_single_file = [".h"]),
        "map": attr.output(mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
