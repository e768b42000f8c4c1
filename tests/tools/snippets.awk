# Makes a C file of the C blocks of a Markdown file, in their order. A block with a brace or "static" in the first column
# defines things; any other is statements, and becomes a function whose parameters are what these take for given.
BEGIN {
    print "#include <stdio.h>"
    print "#include \"recurve.h\""
}
/^```c$/ {
    inside = 1
    defines = 0
    body = ""
    start = NR + 1
    next
}
/^```$/ && inside {
    inside = 0
    blocks++
    if (!defines)
        printf "void %s_%d(rv_store *store, rv_tape *tape, rv_var x, rv_var y, rv_var loss, rv_loader *loader, " \
            "rv_error error) {{\n", name, start
    printf "#line %d \"%s\"\n%s", start, FILENAME, body
    if (!defines) print "}}"
    next
}
inside {
    defines = defines || /^\{|^static /
    body = body $0 "\n"
}
END {
    if (inside || !blocks) {
        print FILENAME ": a C block without an end, or none at all" > "/dev/stderr"
        exit 1
    }
}
