#include "export/c/maths.h"

#include <stdio.h>
#include <string.h>

#include "export/c/template.h"

typedef bool (*is_used)(const void *context, const char *call);

/* The functions that the library computes in single precision by itself, so that compilers can
 * vectorize them. */
static const char *const fast[][2] = {{"SIGMOID", "sigmoid"}, {"EXP", "exp"},     {"TANH", "tanh"},
                                      {"LOG", "log"},         {"LOG1P", "log1p"}, {"ERF", "erf"}};
static const char *const others[][2] = {
    {"ATAN", "atan"},   {"SQRT", "sqrt"},      {"ABS", "fabs"}, {"FLOOR", "floor"},
    {"TRUNC", "trunc"}, {"SIN", "sin"},        {"COS", "cos"},  {"ERFC", "erfc"},
    {"EXPM1", "expm1"}, {"ROUND_EVEN", "rint"}};
enum { FAST = sizeof fast / sizeof *fast, OTHERS = sizeof others / sizeof *others, MOST = 64 };
enum { SIGMOID }; /* in `fast`; the C library lacks it */

bool rv_c_is_function(const char *name)
{
    char text[32];
    snprintf(text, sizeof text, "%s", name);
    const size_t length = strlen(text);
    for (int single = 0; single < 2; single++) {
        for (int i = 0; i < FAST; i++)
            if (!strcmp(text, fast[i][1])) return true;
        for (int i = 0; i < OTHERS; i++)
            if (!strcmp(text, others[i][1])) return true;
        if (!strcmp(text, "pow")) return true;
        if (length && text[length - 1] == 'f') text[length - 1] = '\0';
    }
    return false;
}

static bool is_called(const char *function, is_used used, const void *context)
{
    char call[16];
    snprintf(call, sizeof call, "%s(", function);
    return used(context, call);
}

/* ---- functions in single precision ---- */

typedef struct choice {
    bool paragraph[MOST], fast[FAST];
} choice;

static bool contains(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at++)
        if ((at == text || !rv_c_is_name(at[-1])) && !rv_c_is_name(at[length])) return true;
    return false;
}

/* Whether the name is that of a chosen function, or a chosen paragraph uses it. */
static bool is_wanted(const choice *c, const char *name)
{
    char function[32];
    bool wanted = false;
    for (int i = 0; i < FAST; i++) {
        snprintf(function, sizeof function, "%s_f32", fast[i][1]);
        wanted = wanted || (c->fast[i] && !strcmp(name, function));
    }
    for (int p = 0; rv_c_maths[p]; p++)
        wanted = wanted || (c->paragraph[p] && contains(rv_c_maths[p], name));
    return wanted;
}

static bool is_needed(const choice *c, const char *paragraph)
{
    static const char *const before[] = {"#define ", "static inline float ",
                                         "static inline uint32_t "};
    bool needed = false;
    for (const char *line = paragraph; *line; line += strcspn(line, "\n") + 1)
        for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
            size_t length = strlen(before[i]);
            char name[32];
            if (strncmp(line, before[i], length)) continue;
            snprintf(name, sizeof name, "%.*s", (int)strcspn(line + length, "( "), line + length);
            needed = needed || is_wanted(c, name);
        }
    return needed;
}

static void write_functions(rv_writer *w, choice *c)
{
    int paragraphs = 0;
    while (paragraphs < MOST && rv_c_maths[paragraphs]) paragraphs++;
    /* a definition uses only those above it */
    for (int p = paragraphs - 1; p >= 0; p--) c->paragraph[p] = is_needed(c, rv_c_maths[p]);
    for (int p = 0; p < paragraphs; p++)
        if (c->paragraph[p]) rv_write(w, "\n%-s", rv_c_maths[p]);
}

/* ---- sums in parts ---- */

static void write_lanes(rv_writer *w, is_used used, const void *context)
{
    if (!used(context, "LANES(")) return;
    rv_write(
        w,
        "\n/* Sums of products are computed in as many parts as a vector of the machine holds. A "
        "compiler can then add to all\n"
        " * at once; it must not change the order of a sum by itself. 8, 4 or 1. */\n"
        "#ifndef NET_LANES\n"
        "#if defined(__AVX__)\n#define NET_LANES 8\n"
        "#elif defined(__SSE2__) || defined(__ARM_NEON)\n#define NET_LANES 4\n"
        "#else\n#define NET_LANES 1\n#endif\n#endif\n"
        "#define LANES(n) (NET_LANES < n ? NET_LANES : n)\n");
    if (used(context, "total("))
        rv_write(w, "\nstatic inline real total4(const real *part) { return (part[0] + part[2]) + "
                    "(part[1] + part[3]); }\n\n"
                    "static inline real total(const real *part, int lanes)\n{\n"
                    "    return lanes == 8   ? total4(part) + total4(part + 4)\n"
                    "           : lanes == 4 ? total4(part)\n"
                    "                        : part[0];\n}\n");
}

/* ---- all ---- */

static void write_fast(rv_writer *w, choice *c)
{
    rv_write(
        w,
        "\n/* ---- maths in single precision, as straight-line code that compilers can vectorize "
        "---- */\n\n"
        "/* Sums must keep their order and precision, which -ffast-math changes. */\n"
        "#if defined(__FAST_MATH__) || defined(_M_FP_FAST) || \\\n"
        "    (defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__)\n"
        "#define FAST(name, x) MATH(name, x)\n");
    if (c->fast[SIGMOID])
        rv_write(w, "\nstatic float sigmoidf(float x) { return 1 / (1 + expf(-x)); }\n\n");
    rv_write(w, "#else\n"
                "#define FAST(name, x) \\\n"
                "    (sizeof(real) == sizeof(float) ? (real)name##_f32((float)(x)) : "
                "(real)name(x))\n");
    write_functions(w, c);
    rv_write(w, "\n#endif\n");
    if (c->fast[SIGMOID])
        rv_write(w, "\nstatic double sigmoid(double x) { return 1 / (1 + exp(-x)); }\n");
}

void rv_c_write_maths(rv_writer *w, is_used used, const void *context)
{
    choice c = {{false}, {false}};
    bool any = false;
    for (int i = 0; i < FAST; i++) any |= c.fast[i] = is_called(fast[i][0], used, context);
    rv_write(w, "/* A function of the C library for the type of real. */\n"
                "#define MATH(name, x) \\\n"
                "    (sizeof(real) == sizeof(float) ? (real)name##f((float)(x)) : "
                "(real)name(x))\n");
    if (any) write_fast(w, &c);
    rv_write(w, "\n");
    for (int i = 0; i < FAST; i++)
        if (c.fast[i]) rv_write(w, "#define %s(x) FAST(%s, x)\n", fast[i][0], fast[i][1]);
    for (int i = 0; i < OTHERS; i++)
        if (is_called(others[i][0], used, context))
            rv_write(w, "#define %s(x) MATH(%s, x)\n", others[i][0], others[i][1]);
    if (used(context, "POWER("))
        rv_write(w, "#define POWER(x, y) \\\n"
                    "    (sizeof(real) == sizeof(float) ? (real)powf((float)(x), (float)(y)) : "
                    "(real)pow(x, y))\n");
    if (used(context, "MAX("))
        rv_write(w, "#define MAX(a, b) ((a) >= (b) || (a) != (a) ? (a) : (b))\n");
    write_lanes(w, used, context);
}
