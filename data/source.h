/* A source of samples: the number of samples, their shapes, and a function that reads one. Files,
 * synthetic tasks and transforms of other sources all fill this struct; fill it yourself for your
 * own.
 *
 * Every rv_source_... function that opens a source overwrites *source, on failure with {0}. Close
 * it with rv_source_close. Paths, options and tensors are copied; NULL options mean {0}. */
#ifndef RV_DATA_SOURCE_H
#define RV_DATA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "../tensor/error.h"
#include "../tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a file was read, for people: what its reader found out or chose, and what it left out. */
enum { RV_SKIPPED_TEXT = 128 };
typedef struct rv_reading {
    const char *format;            /* "IDX", "npy", "npz", "CSV", "text"; NULL: not from a file */
    const char *type;              /* of x in the file: "u1", "f4"; NULL unless an array */
    double divisor;                /* x was divided by it */
    int64_t least;                 /* the smallest label */
    int64_t shortest, longest;     /* time steps, if the lengths differ */
    char separator;                /* between the fields of a table; a blank: any number of them */
    bool header;                   /* line 1 of a table was skipped */
    int64_t label;                 /* the column of a table that is y, from 1 */
    char skipped[RV_SKIPPED_TEXT]; /* what was not read: "z.npy, w.npy"; "" for nothing */
} rv_reading;

typedef struct rv_source rv_source;
struct rv_source {
    const char *name;              /* path or task, for messages; must outlive the source */
    int64_t count;                 /* samples per epoch */
    rv_dtype x_type, y_type;       /* f32 or i32 */
    rv_shape x, y;                 /* of one sample, with at most RV_MAX_RANK - 1 dimensions */
    bool sequence;                 /* axis 0 of x is time */
    bool each_step;                /* y has a value for every time step; its axis 0 is time too */
    bool lengths;                  /* sequences differ in length and are padded */
    int64_t tokens;                /* x is i32, 0 .. tokens-1; 0: any numbers */
    int64_t classes;               /* y is i32 labels, 0 .. classes-1; 0: f32 numbers */
    const unsigned char *alphabet; /* [tokens] the byte that each token stands for; else NULL */
    rv_reading reading;            /* of a file */

    /* Writes sample `index` (0 .. count-1) of an epoch to x and y, row-major, and its number of
     * time steps to *length (1 unless a sequence). Must be a pure function of its arguments and
     * thread-safe. Returns false with an error. Synthetic samples are new in each epoch; files
     * ignore the epoch. Call it through rv_source_read. */
    bool (*read)(const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y,
                 int32_t *length, rv_error *error);
    void (*close)(rv_source *source); /* frees context; may be NULL */
    void *context;
};

/* Whether the fields are consistent. RV_ERROR_ARGUMENT or RV_ERROR_SHAPE names the one that is
 * not. */
bool rv_source_check(const rv_source *source, rv_error *error);

/* Calls source->read and checks the sample. x and y have room for one sample of x_type and y_type.
 * Beyond the end of a sequence nothing is refused: there 0 replaces what is refused elsewhere.
 * RV_ERROR_FORMAT, with the source's name and the sample's index, for a number that is not finite
 * and for a token, label or length out of range. RV_ERROR_ARGUMENT for an index outside 0 ..
 * count-1. */
bool rv_source_read(const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y,
                    int32_t *length, rv_error *error);

/* Gives a sample's x another shape with as many elements. Rank 0: as it is. RV_ERROR_SHAPE. */
bool rv_source_reshape(rv_source *source, rv_shape shape, rv_error *error);

/* Frees the source's memory and sets *source to {0}. Accepts NULL and {0}. */
void rv_source_close(rv_source *source);

#ifdef __cplusplus
}
#endif

#endif
