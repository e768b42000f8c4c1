/* Sources that read files: IDX, NumPy's npy and npz, CSV, and text.
 *
 * A plain IDX, npy or text file that does not fit into the cache is read from disk, sample by
 * sample. A gzipped file, a CSV file, an npz archive and an array in Fortran order must fit. Every
 * file is treated as hostile: the sizes it declares are checked against its own size before use.
 *
 * Memory, in addition to 128 KiB: a plain file takes at most its size, a gzipped file at most the
 * cache, a CSV file at most five times the size of its text. An npz archive takes at most the cache
 * for each array, and for its index 64 times its own size and 2 MiB. An array in Fortran order
 * takes twice its size while it is transposed.
 *
 * Errors: RV_ERROR_IO when the system fails; RV_ERROR_FORMAT, with the file and the location in it,
 * for invalid content; RV_ERROR_ARGUMENT for invalid options and for caches that are too small. */
#ifndef RV_DATA_FILES_H
#define RV_DATA_FILES_H

#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_MOST_CLASSES = 1000000 }; /* of labels, and of tokens */

/* {0} is the default of each. */
typedef struct rv_array_options {
    uint64_t cache_bytes; /* most memory for each file; 0: 256 MiB */
    int64_t classes;      /* 0: the largest label + 1; a validation file may lack the largest */
    int64_t tokens;       /* the same for tokens of x */
    bool sequence;        /* axis 1 of the array x is time */
} rv_array_options;

/* How arrays become samples:
 *   x [n]                      numbers; a sample is [1]
 *   x [n,h,w]                  one channel; a sample is [1,h,w], unless it is a sequence
 *   x [n,...]                  a sample is [...]
 *   x unsigned bytes           pixels: f32, divided by 255 (bool: 0 or 1)
 *   x other numbers            f32, unscaled (reading NaN or infinity is an error)
 *   x integers [n,steps]       with `sequence`: tokens, i32
 *   y integers [n]             labels; [n,steps] with `sequence`: a label for each step
 *   y floats [n] or [n,...]    numbers; [n,steps,...] for a sequence: for each step
 * Opening reads all labels and tokens once to find the largest. */

/* A pair of IDX files, the format of MNIST and EMNIST; any of its six types, plain or gzipped. */
bool rv_source_idx(rv_source *source, const char *x_path, const char *y_path,
                   const rv_array_options *options, rv_error *error);

/* A pair of NumPy .npy files: integers of 1 to 8 bytes, f4, f8 or bool, of either byte order, in C
 * or Fortran order. */
bool rv_source_npy(rv_source *source, const char *x_path, const char *y_path,
                   const rv_array_options *options, rv_error *error);

/* An archive written by numpy.savez or savez_compressed with arrays x, y and, for sequences of
 * different lengths, `length`: integers [n], 1 .. steps; it implies `sequence`. Each array must fit
 * into the cache uncompressed. */
bool rv_source_npz(rv_source *source, const char *path, const rv_array_options *options,
                   rv_error *error);

typedef struct rv_csv_options {
    uint64_t cache_bytes; /* most memory for the text, and for its numbers; 0: 256 MiB */
    int64_t classes;      /* 0: the largest label + 1 */
    int64_t label;        /* column of the label, counted from 1; 0: the last */
    double scale;         /* factor for x, such as 1.0 / 255; 0: 1 */
    char separator;       /* 0: tab for a path that ends in .tsv or .tsv.gz, else a comma */
    bool numbers;         /* y is a number, f32 [1], not a label */
    bool sequence;        /* a row's numbers are time steps: x is [columns,1] */
} rv_csv_options;

/* One sample per line: numbers and a label, with the same number of fields in every line. x is
 * f32 [columns]; for images, set source->x to a shape with as many elements, such as [1,28,28].
 * A first line with a field that is not a number is a header and is skipped. Errors name the
 * file and line. */
bool rv_source_csv(rv_source *source, const char *path, const rv_csv_options *options,
                   rv_error *error);

typedef struct rv_text_options {
    uint64_t cache_bytes; /* 0: 256 MiB */
    int64_t window;       /* time steps of a sample; at least 1 */

    /* [tokens] distinct bytes, copied: the alphabet of the training data or of a saved run. NULL
     * and 0: the bytes that occur in the file, in ascending order. */
    const unsigned char *alphabet;
    int64_t tokens;
} rv_text_options;

/* Any file as characters. Sample i is the i-th window: x [window] holds its tokens, y [window] the
 * token that follows each. Windows do not overlap; a remainder at the end is not used. */
bool rv_source_text(rv_source *source, const char *path, const rv_text_options *options,
                    rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
