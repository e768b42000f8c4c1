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

/* What a target in y belongs to. */
typedef enum rv_targets {
    RV_TARGETS_BY_SHAPE, /* a time step, if y is [n,steps] or [n,steps,...], else a sample */
    RV_TARGETS_PER_STEP,
    RV_TARGETS_PER_SAMPLE
} rv_targets;

/* What a file of samples leaves open. {0} is the default of each. */
typedef struct rv_file_options {
    uint64_t cache_bytes; /* most memory for each file; 0: 256 MiB */
    int64_t classes;      /* of the labels; 0: the largest + 1, if y holds integers */
    int64_t tokens;       /* of x; 0: the largest + 1 */
    bool sequence;        /* axis 1 of the array x, or a row of a table, is time */
    bool numbers;         /* y holds numbers, not labels */
    rv_targets targets;
    rv_shape shape; /* of a sample's x; rank 0: by the file */
    double divisor; /* x is divided by it; 0: by 255 for images of bytes, else by 1 */

    /* For CSV: */
    int64_t label;  /* the column of y, counted from 1; 0: the last */
    char separator; /* a blank: any number of blanks and tabs; 0: as in line 1 */
    int header;     /* 1: line 1 is one; -1: it is not; 0: it is if a field is not a number */
} rv_file_options;

/* How arrays become samples. Without `sequence`, `shape` and lengths the shapes decide; where both
 * an image and a sequence are plausible, RV_ERROR_ARGUMENT asks for one of them.
 *   x [n], [n,k]               numbers; a sample is [1], [k]
 *   x [n,h,w]                  images [1,h,w] if h = w or x holds bytes
 *   x [n,c,h,w]                images, with at most 4 channels
 *   x [n,steps,1], more axes   sequences
 *   y [n,steps], [n,steps,...] a target for each step; then x [n,steps,...] is a sequence, too
 *   x integers [n,steps]       tokens, i32, of a sequence; with `shape` or `divisor` numbers
 *   x other                    f32 (reading NaN or infinity is an error)
 *   y integers                 labels, one per sample or step, unless `numbers`
 *   y floats                   numbers, or with `classes` labels
 * Values beyond the end of a sequence may be anything. Opening reads all labels, tokens and lengths
 * once. RV_ERROR_FORMAT for more than 1000 classes most of which cannot occur. source->reading says
 * what was chosen. */

/* A pair of IDX files, the format of MNIST and EMNIST; any of its six types, plain or gzipped. */
bool rv_source_idx(rv_source *source, const char *x_path, const char *y_path,
                   const rv_file_options *options, rv_error *error);

/* A pair of NumPy .npy files: integers of 1 to 8 bytes, f2, f4, f8 or bool, of either byte order,
 * in C or Fortran order; V2 is taken for bfloat16. */
bool rv_source_npy(rv_source *source, const char *x_path, const char *y_path,
                   const rv_file_options *options, rv_error *error);

/* An archive written by numpy.savez or savez_compressed with arrays x, y and, for sequences of
 * different lengths, `length` or `lengths`: integers [n], 1 .. steps; it implies `sequence`. Each
 * array must fit into the cache uncompressed. Others are skipped. */
bool rv_source_npz(rv_source *source, const char *path, const rv_file_options *options,
                   rv_error *error);

/* One sample per line: numbers and a label, with the same number of fields in every line. x is f32
 * [columns]; with `sequence` it is [columns,1]. The separator is the first of tab, semicolon and
 * comma that line 1 has outside of quotes, or else blanks. Fields may be quoted ("). Lines end with
 * \n, \r\n or \r. The text is UTF-8. Errors name the file and line. */
bool rv_source_csv(rv_source *source, const char *path, const rv_file_options *options,
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
