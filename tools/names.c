#include "tools/names.h"

#include <stdio.h>
#include <string.h>

static int least(int a, int b) { return a < b ? a : b; }

/* Letters to insert, delete, replace or swap with their neighbour to make one from the other
 * (optimal string alignment). Long names are compared by their first letters. */
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
            d[i][j] = least(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[rows][columns];
}

/* The name nearest to `seen`, or NULL when none is near. */
static const char *nearest_name(const char *seen, name_at name, const void *list, int count)
{
    const char *nearest = NULL;
    int limit = (int)strlen(seen) < 5 ? 1 : 2, best = limit + 1;
    for (int i = 0; i < count; i++) {
        const char *known = name(list, i);
        int distance = edit_distance(seen, known);
        if (strlen(seen) >= 3 && strncmp(known, seen, strlen(seen)) == 0) /* its beginning */
            distance = least(distance, 1);
        if (distance < best) {
            best = distance;
            nearest = known;
        }
    }
    return nearest;
}

void fail_unknown(const char *what, const char *seen, name_at name, const void *list, int count,
                  rv_error *error)
{
    char known[RV_ERROR_TEXT / 2 + 8] = "";
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        int wrote =
            snprintf(known + used, sizeof known - 8 - used, "%s%s", i ? ", " : "", name(list, i));
        if (wrote < 0 ||
            (size_t)wrote >= sizeof known - 8 - used) { /* a name is there whole or not */
            snprintf(known + used, sizeof known - used, "%.4s", " ...");
            break;
        }
        used += (size_t)wrote;
    }
    const char *nearest = nearest_name(seen, name, list, count);
    rv_fail(error, RV_ERROR_NAME, "unknown %s \"%.100s\"%s%s%s\nKnown: %s", what, seen,
            nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "",
            known);
}

static const char *model_name(const void *list, int index)
{
    (void)list;
    return rv_model_at(index)->name;
}

static const char *optimizer_name(const void *list, int index)
{
    (void)list;
    return rv_optimizer_at(index)->name;
}

static const char *op_name(const void *list, int index)
{
    (void)list;
    return rv_op_at(index)->name;
}

const rv_model *named_model(const char *name, rv_error *error)
{
    const rv_model *model = rv_model_find(name);
    if (model == NULL) fail_unknown("model", name, model_name, NULL, rv_model_count(), error);
    return model;
}

const rv_optimizer *named_optimizer(const char *name, rv_error *error)
{
    const rv_optimizer *optimizer = rv_optimizer_find(name);
    if (optimizer == NULL)
        fail_unknown("optimizer", name, optimizer_name, NULL, rv_optimizer_count(), error);
    return optimizer;
}

const rv_op *named_op(const char *name, rv_error *error)
{
    const rv_op *op = rv_op_find(name);
    if (op == NULL) fail_unknown("op", name, op_name, NULL, rv_op_count(), error);
    return op;
}
