#include "tensor/text_internal.h"

#include <ctype.h>
#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/utf8_internal.h"

/* The calling thread is switched to the C locale for one call. newlocale needs no memory for it. */
static locale_t c_locale(void) { return newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/* ---- formatting ---- */

/* The text so far. Its length counts what does not fit, too. */
typedef struct output {
    char *text;
    size_t size, length;
} output;

static void put_bytes(output *o, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++, o->length++)
        if (o->length + 1 < o->size) o->text[o->length] = bytes[i];
}

static void put_blanks(output *o, size_t count)
{
    while (count-- > 0) put_bytes(o, " ", 1);
}

/* One conversion of a format: "%-*.3s". */
typedef struct conversion {
    char flags[8];
    int width, precision; /* -1: none */
    char length[3], letter;
} conversion;

/* The number of bytes to show, without a character that the limit cuts. */
static size_t whole_length(const char *text, int limit)
{
    if (limit < 0) return strlen(text);
    size_t length = strnlen(text, (size_t)limit), start = length;
    if (length < (size_t)limit) return length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0) return length;
    size_t expected = (unsigned char)text[start - 1] >= 0xf0   ? 4
                      : (unsigned char)text[start - 1] >= 0xe0 ? 3
                                                               : 2;
    return length - start + 1 < expected ? start - 1 : length;
}

/* Puts the text in its visible form and returns its columns; o may be NULL. */
static size_t put_visible(output *o, const char *text, size_t size, bool lines)
{
    char shown[RV_VISIBLE];
    size_t columns = 0;
    for (size_t at = 0; at < size;) {
        bool kept = lines && (text[at] == '\n' || text[at] == '\t');
        size_t length = rv_visible(text + at, size - at, shown);
        if (o) put_bytes(o, kept ? text + at : shown, kept ? 1 : strlen(shown));
        columns += kept ? 1 : rv_visible_columns(shown);
        at += length;
    }
    return columns;
}

static void put_text(output *o, const conversion *c, const char *text, size_t size)
{
    bool left = strchr(c->flags, '-');
    size_t columns = put_visible(NULL, text, size, left && c->width < 0);
    size_t blanks = c->width > 0 && (size_t)c->width > columns ? (size_t)c->width - columns : 0;
    if (!left) put_blanks(o, blanks);
    put_visible(o, text, size, left && c->width < 0);
    if (left) put_blanks(o, blanks);
}

/* The conversion at the '%', whose '*' are read from the list; the end of the conversion. */
static const char *read_conversion(const char *at, conversion *c, va_list *list)
{
    *c = (conversion){.width = -1, .precision = -1};
    size_t count = strspn(++at, "-+ #0");
    memcpy(c->flags, at, count < sizeof c->flags - 2 ? count : sizeof c->flags - 2);
    at += count;
    for (int *number = &c->width;; number = &c->precision) {
        if (*at == '*') {
            *number = va_arg(*list, int);
            at++;
        } else if (isdigit((unsigned char)*at) || number == &c->precision) {
            for (*number = 0; isdigit((unsigned char)*at); at++)
                if (*number < 1 << 20) *number = 10 * *number + (*at - '0');
        }
        if (number == &c->precision || *at != '.') break;
        at++;
    }
    if (c->width < -1) {
        c->flags[strlen(c->flags)] = '-';
        c->width = -c->width;
    }
    count = strspn(at, "hljzt");
    memcpy(c->length, at, count < 2 ? count : 2);
    at += count;
    c->letter = *at;
    return at + (*at != '\0');
}

static intmax_t read_signed(const char *length, va_list *list)
{
    switch (length[0]) {
    case 'h': return length[1] ? (signed char)va_arg(*list, int) : (short)va_arg(*list, int);
    case 'l': return length[1] ? va_arg(*list, long long) : va_arg(*list, long);
    case 'j': return va_arg(*list, intmax_t);
    case 'z':
    case 't': return va_arg(*list, ptrdiff_t);
    default: return va_arg(*list, int);
    }
}

static uintmax_t read_unsigned(const char *length, va_list *list)
{
    switch (length[0]) {
    case 'h':
        return length[1] ? (unsigned char)va_arg(*list, unsigned)
                         : (unsigned short)va_arg(*list, unsigned);
    case 'l': return length[1] ? va_arg(*list, unsigned long long) : va_arg(*list, unsigned long);
    case 'j': return va_arg(*list, uintmax_t);
    case 'z':
    case 't': return va_arg(*list, size_t);
    default: return va_arg(*list, unsigned);
    }
}

static void put_number(output *o, const conversion *c, va_list *list)
{
    enum { MOST = 500 }; /* of widths and precisions */
    char text[MOST + 350], format[32], *at = format;
    bool whole = strchr("diouxX", c->letter);
    at += snprintf(at, 16, "%%%s", c->flags);
    if (c->width >= 0) at += snprintf(at, 8, "%d", c->width < MOST ? c->width : MOST);
    if (c->precision >= 0) at += snprintf(at, 8, ".%d", c->precision < MOST ? c->precision : MOST);
    snprintf(at, 3, whole ? "j%c" : "%c", c->letter);
    int length = c->letter == 'p' ? snprintf(text, sizeof text, format, va_arg(*list, void *))
                 : !whole         ? snprintf(text, sizeof text, format, va_arg(*list, double))
                 : strchr("di", c->letter)
                     ? snprintf(text, sizeof text, format, read_signed(c->length, list))
                     : snprintf(text, sizeof text, format, read_unsigned(c->length, list));
    put_bytes(o, text,
              length < 0                     ? 0
              : (size_t)length < sizeof text ? (size_t)length
                                             : sizeof text - 1);
}

static void put_conversion(output *o, const conversion *c, va_list *list)
{
    if (c->letter == 's') {
        const char *text = va_arg(*list, const char *);
        if (!text) text = "(null)";
        put_text(o, c, text, whole_length(text, c->precision));
    } else if (c->letter == 'c') {
        char character = (char)va_arg(*list, int);
        put_text(o, c, &character, 1);
    } else if (c->letter && strchr("diouxXeEfFgGaAp", c->letter)) {
        put_number(o, c, list);
    } else if (c->letter == '%') {
        put_bytes(o, "%", 1);
    }
}

/* Puts the ending of "(s)" or "(es)" that the last number before a noun with its adjectives, "at
 * most 12 training sample", asks for. Without a number the parentheses stay. */
static const char *put_ending(output *o, const char *at)
{
    size_t length = strncmp(at, "(s)", 3) == 0 ? 3 : 4;
    bool fits = o->length < o->size;
    const char *noun = fits ? o->text + o->length : o->text;
    while (noun > o->text && (isalpha((unsigned char)noun[-1]) || noun[-1] == ' ')) noun--;
    if (noun == o->text || !isdigit((unsigned char)noun[-1]))
        put_bytes(o, at, length);
    else if (noun[-1] != '1' || (noun - 1 > o->text && strchr("0123456789.,-", noun[-2])))
        put_bytes(o, at + 1, length - 2);
    return at + length;
}

/* The length without a character at the end that was cut. */
static size_t end_of(const output *o)
{
    size_t end = o->length < o->size ? o->length : o->size - 1;
    return o->length < o->size ? end : whole_length(o->text, (int)end);
}

int rv_format(char *text, size_t size, const char *format, va_list arguments)
{
    locale_t own = c_locale(), before = uselocale(own);
    output o = {text, size, 0};
    conversion c;
    va_list list;
    va_copy(list, arguments);
    for (const char *at = format; *at != '\0';) {
        size_t plain = strcspn(at, "%(");
        put_bytes(&o, at, plain);
        at += plain;
        if (*at == '%') {
            at = read_conversion(at, &c, &list);
            put_conversion(&o, &c, &list);
        } else if (strncmp(at, "(s)", 3) == 0 || strncmp(at, "(es)", 4) == 0) {
            at = put_ending(&o, at);
        } else if (*at == '(') {
            put_bytes(&o, at++, 1);
        }
    }
    va_end(list);
    if (size > 0) text[o.length < size ? o.length : size - 1] = '\0';
    if (size > 0) text[end_of(&o)] = '\0';
    uselocale(before);
    freelocale(own);
    return o.length > INT_MAX ? -1 : (int)o.length;
}

void rv_put(rv_text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = rv_format(t->at, (size_t)(t->end - t->at), format, arguments);
    va_end(arguments);
    if (length > 0) t->at += strlen(t->at);
}

void rv_print(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    rv_format(text, size, format, arguments);
    va_end(arguments);
}

size_t rv_join(char *to, size_t size, const char *first, ...)
{
    size_t length = 0;
    va_list texts;
    va_start(texts, first);
    for (const char *text = first; text; text = va_arg(texts, const char *)) {
        const size_t own = strlen(text), left = length < size ? size - length : 0;
        memcpy(to + (left ? length : 0), text, own < left ? own : left);
        length += own;
    }
    va_end(texts);
    if (size) to[length < size ? length : size - 1] = '\0';
    return length;
}

const char *rv_decimal(int64_t n, char text[RV_DECIMAL])
{
    char *at = text + RV_DECIMAL - 1;
    for (*at = '\0'; n > 0; n /= 10) *--at = (char)('0' + n % 10);
    return at;
}

/* Reads a whole number below 10^15, which needs no rounding. False for any other number. */
static bool read_whole(const char *text, char **end, double *number)
{
    const char *at = text;
    for (*number = 0; *at >= '0' && *at <= '9' && at - text < 15; at++)
        *number = 10 * *number + (*at - '0');
    const bool goes_on =
        (*at >= '0' && *at <= '9') || *at == '.' || (*at | 32) == 'e' || (*at | 32) == 'x';
    if (at == text || goes_on) return false;
    if (end) *end = (char *)(uintptr_t)at;
    return true;
}

double rv_number(const char *text, char **end)
{
    double whole;
    if (read_whole(text, end, &whole)) return whole;
    locale_t own = c_locale();
    double number = strtod_l(text, end, own);
    freelocale(own);
    return number;
}

const char *rv_number_text(double number, char text[RV_NUMBER_TEXT])
{
    bool whole = -1e6 < number && number < 1e6 && number == (int32_t)number; /* 100, not 1e+02 */
    for (int digits = whole ? 6 : 1; digits <= 17; digits++) {
        rv_print(text, RV_NUMBER_TEXT, "%.*g", digits, number);
        if (rv_number(text, NULL) == number) break;
    }
    return text;
}

const char *rv_reason(int number)
{
    locale_t own = c_locale();
    const char *reason = strerror_l(number, own);
    freelocale(own);
    return reason;
}
