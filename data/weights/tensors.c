#include "data/weights/tensors.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/npz.h"
#include "tensor/memory.h"

/* ---- names ---- */

static bool digit(char c) { return isdigit((unsigned char)c); }

/* Compares names; a run of digits counts as its number. */
static int compare_names(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (digit(*a) && digit(*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            const size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            const int order = n != m ? (n > m) - (n < m) : memcmp(a, b, n);
            if (order != 0) return order;
            a += n;
            b += n;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int by_layer(const void *a, const void *b)
{
    const rv_foreign *x = a, *y = b;
    int order = compare_names(x->module, y->module);
    if (order == 0) order = strcmp(x->module, y->module); /* a01 and a1 */
    if (order == 0) order = (x->layer > y->layer) - (x->layer < y->layer);
    if (order == 0) order = x->backward - y->backward;
    return order != 0 ? order : strcmp(x->leaf, y->leaf);
}

static const char *without_number(const char *name)
{
    while (digit(*name) || (*name == '_' && digit(name[1]))) name++;
    return name;
}

bool rv_foreign_numbered(const rv_foreign *a, const rv_foreign *b)
{
    const char *x = without_number(a->module), *y = without_number(b->module);
    while (*x != '\0' && *x == *y) {
        x = without_number(x + 1);
        y = without_number(y + 1);
    }
    return *x == *y && strcmp(a->leaf, b->leaf) == 0;
}

/* Cuts an ending off; false if there is none. */
static bool cut(char *text, const char *ending)
{
    const size_t length = strlen(text), end = strlen(ending);
    if (length < end || strcmp(text + length - end, ending) != 0) return false;
    text[length - end] = '\0';
    return true;
}

/* Cuts off what `before` and a number end a text with; -1: nothing. */
static int cut_number(char *text, const char *before)
{
    enum { MOST_DIGITS = 6 };
    size_t end = strlen(text), digits = 0, length = strlen(before);
    while (digits < end && digit(text[end - digits - 1])) digits++;
    if (digits == 0 || digits > MOST_DIGITS || end - digits < length ||
        memcmp(text + end - digits - length, before, length) != 0)
        return -1;
    const int number = atoi(text + end - digits);
    text[end - digits - length] = '\0';
    return number;
}

/* The last component of a path. */
static char *last_of(char *path)
{
    char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    char *last = !dot || (slash && slash > dot) ? slash : dot;
    return last ? last + 1 : path;
}

/* weight_ih_l1_reverse: layer 1, backward. */
static void read_torch_leaf(rv_foreign *t, char *leaf)
{
    if (!strstr(leaf, "_ih") && !strstr(leaf, "_hh")) return;
    t->backward = cut(leaf, "_reverse");
    const int layer = cut_number(leaf, "_l");
    t->layer = layer < 0 ? 0 : layer;
}

/* bidirectional/backward_lstm/lstm_cell, or lstm_cell_1: bidirectional/lstm, backward. */
static void read_keras_module(rv_foreign *t, char *module)
{
    char *last = last_of(module), *cell = strstr(last, "_cell");
    if (last > module && cell && (cell[5] == '\0' || (cell[5] == '_' && digit(cell[6])))) {
        last[-1] = '\0';
        last = last_of(module);
    }
    t->backward = strncmp(last, "backward_", 9) == 0;
    const size_t prefix = t->backward ? 9 : strncmp(last, "forward_", 8) == 0 ? 8 : 0;
    memmove(last, last + prefix, strlen(last + prefix) + 1);
}

static bool read_name(rv_foreign *t, rv_error *error)
{
    t->text = rv_string_copy(t->name);
    if (!t->text) return rv_fail_memory(error);
    cut_number(t->text, ":"); /* kernel:0 of older versions of Keras */
    char *leaf = last_of(t->text);
    t->leaf = leaf;
    t->module = "";
    read_torch_leaf(t, leaf);
    if (leaf == t->text) return true;
    t->module = t->text;
    const bool keras = leaf[-1] == '/';
    leaf[-1] = '\0';
    if (keras) read_keras_module(t, t->text);
    return true;
}

/* ---- files ---- */

/* Files of other kinds, by their endings, and what to give instead. */
static bool refuse_ending(const char *path, rv_error *error)
{
    static const char pickle[] =
        "is a Python pickle, which could run code, and is not read; save an .npz file: "
        "numpy.savez(FILE, **{k: v.cpu().numpy() for k, v in model.state_dict().items()})";
    static const char hdf5[] = "is HDF5, which is not read; save an .npz file: numpy.savez(FILE, "
                               "**{w.path: w.numpy() for w in model.weights})";
    static const struct {
        const char *ending, *text;
    } others[] = {{".pt", pickle},
                  {".pth", pickle},
                  {".bin", pickle},
                  {".ckpt", pickle},
                  {".h5", hdf5},
                  {".keras", hdf5},
                  {".index.json", "is a list of files; give these"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const size_t length = strlen(path), end = strlen(others[i].ending);
        if (length >= end && strcmp(path + length - end, others[i].ending) == 0)
            return rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" %s", path, others[i].text);
    }
    return true;
}

static bool read_archives(rv_foreign_list *list, const char *const *paths, int count,
                          rv_error *error)
{
    list->archives = rv_alloc((size_t)count, sizeof *list->archives);
    if (!list->archives) return rv_fail_memory(error);
    for (int i = 0; i < count; i++) {
        rv_archive *archive = &list->archives[i];
        if (!refuse_ending(paths[i], error) || !rv_arrays_read(paths[i], 0, archive, error))
            return false;
        list->archive_count++;
        list->count += archive->tensor_count;
        if (archive->skipped_count > 0)
            return rv_fail(
                error, RV_ERROR_DTYPE,
                "\"%.500s\": \"%.100s\" is of a type that is not read; save it as F32, F16 "
                "or BF16",
                paths[i], archive->skipped[0]);
    }
    return true;
}

bool rv_foreign_read(rv_foreign_list *list, const char *const *paths, int count, rv_error *error)
{
    *list = (rv_foreign_list){0};
    if (!read_archives(list, paths, count, error)) return false;
    list->at = rv_alloc(list->count, sizeof *list->at);
    if (!list->at) return rv_fail_memory(error);
    rv_foreign *t = list->at;
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < list->archives[i].tensor_count; k++, t++) {
            const rv_named_tensor *named = &list->archives[i].tensors[k];
            *t = (rv_foreign){.name = named->name, .path = paths[i], .tensor = &named->tensor};
            if (!read_name(t, error)) return false;
        }
    qsort(list->at, list->count, sizeof *list->at, by_layer);
    for (size_t i = 1; i < list->count; i++) {
        const rv_foreign *a = &list->at[i - 1], *b = &list->at[i];
        if (by_layer(a, b) == 0)
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%.100s\" in \"%.300s\" and \"%.100s\" in \"%.300s\" are the same "
                           "tensor of a layer; leave one out",
                           a->name, a->path, b->name, b->path);
    }
    return true;
}

void rv_foreign_free(rv_foreign_list *list)
{
    for (size_t i = 0; list->at && i < list->count; i++) rv_free(list->at[i].text);
    for (int i = 0; i < list->archive_count; i++) rv_archive_free(&list->archives[i]);
    rv_free(list->archives);
    rv_free(list->at);
    *list = (rv_foreign_list){0};
}

rv_foreign *rv_foreign_find(const rv_foreign_list *list, const rv_foreign *beside, const char *leaf)
{
    rv_foreign key = *beside;
    key.leaf = leaf;
    return bsearch(&key, list->at, list->count, sizeof *list->at, by_layer);
}
