#include "export/c/text.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "export/c/maths.h"

const char *rv_c_name(const char *name, char text[RV_C_NAME])
{
    /* keywords of C, and of C++, which may include the header; macros */
    static const char *const taken[] = {
        "alignas",   "alignof",  "and",      "asm",      "auto",     "bool",      "break",
        "case",      "catch",    "char",     "class",    "const",    "constexpr", "continue",
        "decltype",  "default",  "delete",   "do",       "double",   "else",      "enum",
        "explicit",  "export",   "extern",   "false",    "float",    "for",       "friend",
        "goto",      "if",       "inline",   "int",      "long",     "mutable",   "namespace",
        "new",       "noexcept", "not",      "nullptr",  "operator", "or",        "private",
        "protected", "public",   "register", "requires", "restrict", "return",    "short",
        "signed",    "sizeof",   "static",   "struct",   "switch",   "template",  "this",
        "throw",     "true",     "try",      "typedef",  "typeid",   "typename",  "typeof",
        "union",     "unsigned", "using",    "virtual",  "void",     "volatile",  "while",
        "xor",       "EXPONENT", "INFINITY", "LN2_HIGH", "LN2_LOW",  "LOG2_E",    "NAN",
        "ROUND"};
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

bool rv_c_is_made(const char *name)
{
    static const char *const stems[] = {"i", "j", "k",    "l",   "m",    "n",
                                        "a", "t", "part", "sum", "most", "padded"};
    size_t length = strlen(name);
    while (length && name[length - 1] >= '0' && name[length - 1] <= '9') length--;
    bool found = false;
    for (size_t s = 0; s < sizeof stems / sizeof *stems; s++)
        found = found || (strlen(stems[s]) == length && !strncmp(name, stems[s], length));
    return found;
}

bool rv_c_same(const char *a, const char *b)
{
    for (; *a && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++) b++;
    return tolower((unsigned char)*a) == tolower((unsigned char)*b);
}

const char *rv_c_argument_name(const char *name, char text[RV_C_NAME])
{
    /* of the functions, and behind NET_ of the header */
    static const char *const taken[] = {"p",          "dp",      "w",          "net",
                                        "loss",       "samples", "parameters", "real",
                                        "save_bytes", "header",  "total",      "lanes"};
    rv_c_name(name, text);
    bool clash = rv_c_is_made(text) || rv_c_is_function(text);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        clash = clash || rv_c_same(text, taken[i]);
    if (clash) strcat(text, "_");
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
