/* Sources that read files: IDX, NumPy's npy and npz, CSV, and text. A plain IDX, npy or text file
 * that does not fit into the cache is read from the disk, sample by sample; a gzipped one, a CSV
 * file, an npz archive and an array in Fortran's order must fit. Every file is taken for hostile:
 * sizes are checked against the file's before use.
 * Memory, beside 128 KiB: a plain file takes at most its size, a gzipped one the cache's, and a table five times as
 * much. An npz archive takes the cache's for each array, 64 times its own size and 2 MiB for its index; an array in
 * Fortran's order twice its size while it is turned.
 * Errors: RV_ERROR_IO when the system refuses, RV_ERROR_FORMAT, with the file and the place in it,
 * when a file does not hold what it should, RV_ERROR_ARGUMENT for options and caches too small. */
#ifndef RV_DATA_FILES_H
#define RV_DATA_FILES_H

#include "data/source.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_MOST_CLASSES = 1000000 }; /* of labels, and of tokens */

/* {0} is the default of each. */
typedef struct rv_array_options {
    uint64_t cache_bytes; /* each file may take so much memory; 0: 256 MiB */
    int64_t classes;      /* 0: the largest label + 1; a held-out file may lack the largest */
    int64_t tokens;       /* the same, of x */
    bool sequence;        /* axis 1 of the array x is time */
} rv_array_options;

/* Arrays become samples so:
 *   x [n]                      numbers, a sample is [1]
 *   x [n,h,w]                  one channel: a sample is [1,h,w], unless it is a sequence
 *   x [n,...]                  a sample is [...]
 *   x unsigned bytes           pixels: f32, divided by 255 (bool: 0 or 1)
 *   x other numbers            f32 as they are (NaN and infinity are errors when read)
 *   x whole numbers [n,steps]  with `sequence`: tokens, i32
 *   y whole numbers [n]        labels; [n,steps] with `sequence`: a label for each step
 *   y floats [n] or [n,...]    numbers; [n,steps,...], of the steps of a sequence: for each step
 * Labels and tokens are read through once for the largest. */

/* A pair of IDX files, as MNIST and EMNIST come, of any of IDX's six types; plain or gzipped. */
bool rv_source_idx(rv_source *source, const char *x_path, const char *y_path,
                   const rv_array_options *options, rv_error *error);

/* A pair of NumPy's .npy files, any byte order, C or Fortran order; integers of 1 to 8 bytes, f4, f8, bool. */
bool rv_source_npy(rv_source *source, const char *x_path, const char *y_path,
                   const rv_array_options *options, rv_error *error);

/* An archive of numpy.savez or savez_compressed with the arrays x, y and, if sequences differ in
 * length, length: whole numbers [n], 1 .. steps (that makes it a sequence). The cache holds the
 * arrays, uncompressed, each. */
bool rv_source_npz(rv_source *source, const char *path, const rv_array_options *options,
                   rv_error *error);

typedef struct rv_csv_options {
    uint64_t cache_bytes; /* the text may be so large, and its numbers take so much; 0: 256 MiB */
    int64_t classes;      /* 0: the largest label + 1 */
    int64_t label;        /* column of the label, 1 the first; 0: the last */
    double scale;         /* of x, such as 1.0 / 255; 0: 1 */
    char separator;       /* 0: tab for a path that ends in .tsv or .tsv.gz, else a comma */
    bool numbers;         /* y is a number, f32 [1], not a label */
    bool sequence;        /* a row's numbers are time steps: x is [columns,1] */
} rv_csv_options;

/* A sample a line: numbers and a label, the same number of fields in every line; x is f32
 * [columns]; set source->x to a shape of as many numbers, such as [1,28,28], to make images of
 * them. A first line with a field that is no number is a header and left out. Errors tell
 * file and line. */
bool rv_source_csv(rv_source *source, const char *path, const rv_csv_options *options,
                   rv_error *error);

typedef struct rv_text_options {
    uint64_t cache_bytes;          /* 0: 256 MiB */
    int64_t window;                /* time steps of a sample; at least 1 */
    const unsigned char *alphabet; /* [tokens] different bytes, copied: of the training part, or */
    int64_t tokens;                /* of a saved run; NULL, 0: the bytes in the file, in order */
} rv_text_options;

/* Any file as characters: sample i is the i-th window, x [window] its tokens and y [window] the
 * ones that follow each. Windows do not overlap; what is left at the end is not used. */
bool rv_source_text(rv_source *source, const char *path, const rv_text_options *options,
                    rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
