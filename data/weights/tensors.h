/* The tensors of files, and what their names say about the layers that they belong to. */
#ifndef RV_DATA_WEIGHTS_TENSORS_H
#define RV_DATA_WEIGHTS_TENSORS_H

#include "tensor/safetensors.h"

typedef struct rv_foreign {
    const char *name, *path;
    const rv_tensor *tensor;
    char *text;         /* owns the next two */
    const char *module; /* "encoder.rnn", or "" */
    const char *leaf;   /* "weight_ih" of encoder.rnn.weight_ih_l1_reverse */
    int layer;          /* 1 */
    bool backward;      /* true */
    bool used;
} rv_foreign;

/* Sorted by module, layer and direction; numbers in names count as numbers. */
typedef struct rv_foreign_list {
    rv_archive *archives;
    int archive_count;
    rv_foreign *at;
    size_t count;
} rv_foreign_list;

/* RV_ERROR_FORMAT for files that are none, and for tensors that are there twice. Free it also on
 * failure. */
bool rv_foreign_read(rv_foreign_list *list, const char *const *paths, int count, rv_error *error);
void rv_foreign_free(rv_foreign_list *list);

/* The tensor of that leaf in the same layer as another one; NULL: none. */
rv_foreign *rv_foreign_find(const rv_foreign_list *list, const rv_foreign *beside,
                            const char *leaf);

/* Whether the names of two layers differ only in numbers: lstm and lstm_1, layers.0 and
 * layers.1. */
bool rv_foreign_numbered(const rv_foreign *a, const rv_foreign *b);

#endif
