"""Stand-in for rules_java: Bazel's list of toolchains names these, though nothing here is Java."""

java_import = native.java_import
java_runtime = native.java_runtime
java_toolchain = native.java_toolchain
