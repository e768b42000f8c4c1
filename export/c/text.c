#include "export/c/text.h"

#include <math.h>
#include <string.h>

const char *rv_c_name(const char *name, char text[RV_C_NAME])
{
    static const char *const taken[] = {
        "auto",     "break",    "case",     "char",   "const",    "continue", "default",
        "do",       "double",   "else",     "enum",   "extern",   "float",    "for",
        "goto",     "if",       "inline",   "int",    "long",     "register", "restrict",
        "return",   "short",    "signed",   "sizeof", "static",   "struct",   "switch",
        "typedef",  "union",    "unsigned", "void",   "volatile", "while",    "EXPONENT",
        "INFINITY", "LN2_HIGH", "LN2_LOW",  "LOG2_E", "NAN",      "ROUND"}; /* macros */
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
