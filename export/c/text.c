#include "export/c/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *rv_c_name(const char *name, char text[RV_C_NAME])
{
    static const char *const taken[] = {
        "auto",    "break",  "case",     "char",   "const",    "continue", "default",
        "do",      "double", "else",     "enum",   "extern",   "float",    "for",
        "goto",    "if",     "inline",   "int",    "long",     "register", "restrict",
        "return",  "short",  "signed",   "sizeof", "static",   "struct",   "switch",
        "typedef", "union",  "unsigned", "void",   "volatile", "while"};
    int length = 0;
    bool digit = name[0] >= '0' && name[0] <= '9';
    if (digit || name[0] == '\0') text[length++] = 'v';
    for (; *name && length < RV_C_NAME - 12; name++) {
        bool fits = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                    (*name >= '0' && *name <= '9');
        text[length++] = fits ? *name : '_';
    }
    text[length] = '\0';
    bool clash = false;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        clash = clash || !strcmp(text, taken[i]);
    if (clash) text[length++] = '_';
    text[length] = '\0';
    return text;
}

void rv_c_write_number(rv_writer *w, double number)
{
    int exponent;
    if (isnan(number) || isinf(number)) {
        rv_write(w, isnan(number) ? "NAN" : number < 0 ? "-INFINITY" : "INFINITY");
        return;
    }
    long long mantissa = (long long)ldexp(frexp(fabs(number), &exponent), 53);
    exponent -= 53;
    while (mantissa && mantissa % 2 == 0) mantissa /= 2, exponent++;
    const char *sign = number < 0 ? "-" : "";
    if (!mantissa)
        rv_write(w, "0");
    else if (exponent >= 0 && exponent < 8)
        rv_write(w, "%s%lld", sign, mantissa << exponent);
    else
        rv_write(w, "%s0x%llxp%d", sign, (unsigned long long)mantissa, exponent);
}

void rv_c_write_maths(rv_writer *w, bool (*used)(const void *context, const char *call),
                      const void *context)
{
    static const struct {
        const char *call, *definition;
    } others[] = {
        {"POWER(",
         "#define POWER(x, y) \\\n    (sizeof(real) == sizeof(float) ? (real)powf((float)(x), "
         "(float)(y)) : (real)pow(x, y))\n"},
        {"MAX(", "#define MAX(a, b) ((a) >= (b) || (a) != (a) ? (a) : (b))\n"},
        {"SIGMOID(", "\nstatic real SIGMOID(real x) { return 1 / (1 + EXP(-x)); }\n"},
    };
    static const char *const maths[][2] = {
        {"EXP", "exp"},     {"LOG", "log"},     {"LOG1P", "log1p"},    {"TANH", "tanh"},
        {"ATAN", "atan"},   {"SQRT", "sqrt"},   {"ABS", "fabs"},       {"FLOOR", "floor"},
        {"TRUNC", "trunc"}, {"SIN", "sin"},     {"COS", "cos"},        {"ERF", "erf"},
        {"ERFC", "erfc"},   {"EXPM1", "expm1"}, {"ROUND_EVEN", "rint"}};
    rv_write(w,
             "/* A function of the C library for the type of real. */\n"
             "#define MATH(name, x) \\\n"
             "    (sizeof(real) == sizeof(float) ? (real)name##f((float)(x)) : (real)name(x))\n");
    for (size_t i = 0; i < sizeof maths / sizeof *maths; i++) {
        char call[16];
        snprintf(call, sizeof call, "%s(", maths[i][0]);
        if (used(context, call) || (i == 0 && used(context, "SIGMOID("))) /* which is made of EXP */
            rv_write(w, "#define %s(x) MATH(%s, x)\n", maths[i][0], maths[i][1]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (used(context, others[i].call)) rv_write(w, "%-s", others[i].definition);
}
