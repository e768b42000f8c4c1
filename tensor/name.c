/* The rules for names, in stores and in files. */
#include "tensor/name_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool rv_json_plain(const char *text, size_t size)
{
    if (memchr(text, '\0', size) || !rv_utf8_valid(text, size)) return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '\\') continue;
        i++; /* the escaped character, which may be a backslash */
        if (i == size || text[i] != 'u') continue;
        size_t digits = 0;
        while (digits < 4 && i + 1 + digits < size &&
               isxdigit((unsigned char)text[i + 1 + digits])) {
            digits++;
        }
        if (digits < 4 || memcmp(text + i + 1, "0000", 4) == 0) return false;
    }
    return true;
}

bool rv_json_flat(const char *text, size_t size)
{
    bool quoted = false;
    int depth = 0;
    for (size_t i = 0; i < size && depth <= RV_JSON_DEEPEST; i++) {
        char c = text[i];
        if (quoted && c == '\\') i++; /* the escaped character */
        if (c == '"') quoted = !quoted;
        if (!quoted) depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    }
    return depth <= RV_JSON_DEEPEST;
}

bool rv_name_check(const char *name, rv_error *error)
{
    if (!name || name[0] == '\0') {
        return rv_fail(error, RV_ERROR_NAME, "a tensor without a name; give it one");
    }
    if (strcmp(name, "__metadata__") == 0) {
        return rv_fail(error, RV_ERROR_NAME,
                       "\"__metadata__\" cannot name a tensor: the file format reserves it");
    }
    if (!rv_utf8_valid(name, strlen(name))) {
        return rv_fail(error, RV_ERROR_NAME, "the name \"%.100s\" is not UTF-8", name);
    }
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return rv_fail(error, RV_ERROR_NAME, "the name \"%.100s\" contains control characters",
                           name);
        }
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *rv_name_duplicate(const char **names, size_t count)
{
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) return names[i];
    }
    return NULL;
}

/* ---- suggestions ---- */

static int least(int a, int b) { return a < b ? a : b; }

/* Without regard to case, of ASCII letters. */
static bool same_letter(char a, char b)
{
    bool letter = (a >= 'a' && a <= 'z') || (a >= 'A' && a <= 'Z');
    return a == b || (letter && (a ^ b) == ('a' ^ 'A'));
}

/* The number of insertions, deletions, replacements and swaps of neighbours that turn one name into
 * the other (optimal string alignment), without regard to case. Only the first letters of long
 * names count. */
static int edit_distance(const char *a, const char *b)
{
    enum { MOST = 31 };
    int rows = least((int)strlen(a), MOST), columns = least((int)strlen(b), MOST);
    int d[MOST + 1][MOST + 1] = {{0}};
    for (int i = 0; i <= rows; i++) d[i][0] = i;
    for (int j = 0; j <= columns; j++) d[0][j] = j;
    for (int i = 1; i <= rows; i++)
        for (int j = 1; j <= columns; j++) {
            d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1);
            d[i][j] = least(d[i][j], d[i - 1][j - 1] + !same_letter(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]))
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[rows][columns];
}

void rv_guess_try(rv_guess *g, const char *known)
{
    if (!g->seen) return;
    size_t length = strlen(g->seen);
    int limit = length < 2 ? 0 : length < 5 ? 1 : 2, distance = edit_distance(g->seen, known);
    if (length >= 3 && !strncmp(known, g->seen, length)) distance = least(distance, 1);
    if (distance > limit || (g->nearest && distance >= g->distance)) return;
    g->nearest = known;
    g->distance = distance;
}
