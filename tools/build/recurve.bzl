"""The build rules: one library per folder, kernels for each type and instruction set, tests from a glob."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

# For our own C code. --config=werror turns them into errors.
WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
]

# Indirect jumps and returns that an attacker redirects are caught, on machines that have it.
HARDENING = select({
    "//tools/build:cross": [],
    "//tools/build:x86_64": ["-fcf-protection"],
    "//conditions:default": [],
})

def recurve_library(name, copts = [], **kwargs):
    """A cc_library of our C code. Include paths start at the root of the repository: "tensor/tensor.h".

    alwayslink keeps every object in librecurve.so, although nothing refers to it there.
    """
    native.cc_library(
        name = name,
        copts = WARNINGS + HARDENING + copts,
        alwayslink = True,
        linkstatic = True,
        **kwargs
    )

def recurve_binary(name, copts = [], **kwargs):
    """A cc_binary of our C code."""
    native.cc_binary(
        name = name,
        copts = WARNINGS + HARDENING + copts,
        **kwargs
    )

def recurve_programs(name, deps, visibility = None, **kwargs):
    """A binary for each *.c in the folder, and a filegroup `name` of all binaries."""
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

# Not -ffast-math: NaN, infinity and the sign of zero are kept. Only errno and the floating-point exception flags,
# which nobody reads, are not. A multiplication and an addition may be fused, which gcc does not do with -std=c11.
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
    """Compiles the same C sources for each real type and instruction set, into one library.

    Each compilation defines RV_REAL_F32 or RV_REAL_F64, and RV_KERNEL_SUFFIX as _f32_base .. _f64_v4, the suffix of
    its exported names. v3 and v4 exist only on x86-64 (#ifdef __x86_64__).
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
                    # A page downloads the code, and trains with f32. -O3 takes 3 KB more.
                    "//tools/build:wasm": ["-O2"] if real == "f32" else [],
                    "//conditions:default": ["-O3"],
                }) + real_copts + isa_copts + ["-DRV_KERNEL_SUFFIX=_%s_%s" % (real, isa)],
                tags = ["manual"],  # built only if something depends on it: v3 does not build on other machines
                visibility = ["//visibility:private"],
                deps = deps,
            )
            (for_all if isa == "base" else for_x86_64).append(":" + variant)
    recurve_library(
        name = name,
        hdrs = hdrs,
        textual_hdrs = textual_hdrs,
        deps = deps + for_all + select({
            "//tools/build:cross": [],
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
    """A cc_test with the system's GoogleTest. Data files have the same paths as in the repository."""
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
    """Builds the target NAME.c as the program NAME_fuzzer, for tools/dev fuzz, and as the test NAME_test.

    Both start from corpus/NAME/* and `seeds`.
    """
    native.cc_library(
        name = name,
        testonly = True,
        srcs = [name + ".c"],
        copts = WARNINGS + HARDENING,
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
        deps = [
            ":" + name,
            "//tests:small_stack",
        ],
    )

def _archive_impl(ctx):
    objects = []
    flags = []
    for dep in ctx.attr.deps:
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linker_input.libraries:
                objects += library.pic_objects or library.objects
            flags += linker_input.user_link_flags

    # A library must follow the libraries that use it, so keep the last of equal flags.
    flags = [flag for i, flag in enumerate(flags) if flag not in flags[i + 1:]]

    # "q" appends. "r" would replace objects of the same name, and each kernel has six.
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

# A static archive of `deps` and all their dependencies, and the linker flags that it needs.
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
            { echo "$4 { global:"
              "$1" -std=c11 -E -P "$2" | grep -oE '\\brv_[a-z0-9_]+' | sort -u | sed 's/$/;/'
              echo 'local: *; };'; } > "$3" """,
        arguments = [toolchain.compiler_executable, ctx.file.header.path, ctx.outputs.map.path, ctx.attr.version],
        inputs = depset([ctx.file.header], transitive = [headers, toolchain.all_files]),
        outputs = [ctx.outputs.map],
        mnemonic = "RecurveExports",
    )

# A version script for the linker: `version` of the names starting with rv_ that `header` of `library` declares.
recurve_exports = rule(
    implementation = _exports_impl,
    attrs = {
        "library": attr.label(providers = [CcInfo]),
        "header": attr.label(allow_single_file = [".h"]),
        "map": attr.output(mandatory = True),
        "version": attr.string(mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def recurve_installed(name, library, header, visibility):
    """NAME.so and NAME.a of a library, which export what its header declares, and NAME.libs, the linker flags for the
    system libraries that they need."""
    recurve_exports(
        name = name + "_exports",
        header = header,
        library = library,
        map = name + ".map",
        version = "RECURVE_0",
    )
    native.cc_binary(
        name = name + ".so",
        additional_linker_inputs = [name + ".map"],
        linkopts = [
            "-Wl,-soname,%s.so.0" % name,
            "-Wl,--version-script=$(location %s.map)" % name,
        ],
        linkshared = True,
        visibility = visibility,
        deps = [library],
    )
    recurve_archive(
        name = name + "_archive",
        archive = name + ".a",
        libs = name + ".libs",
        deps = [library],
    )
