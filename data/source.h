/* A source of samples: how many there are, their shapes, and a function that reads one. Files,
 * generated tasks and views of other sources are all this struct; fill one yourself for your own.
 *
 * Every rv_source_... that opens one overwrites *source: with a source to be closed by
 * rv_source_close, or, when it returns false, with {0}. What it is given by pointer, paths, options
 * and tensors, is copied; NULL options are {0}. */
#ifndef RV_DATA_SOURCE_H
#define RV_DATA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"
#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_source rv_source;
struct rv_source {
    const char *name;              /* a path or a task, for messages; lives as long as the source */
    int64_t count;                 /* samples of an epoch */
    rv_dtype x_type, y_type;       /* f32 or i32 */
    rv_shape x, y;                 /* of one sample; at most RV_MAX_RANK - 1 dimensions */
    bool sequence;                 /* axis 0 of x is time */
    bool each_step;                /* y has a value for every time step: its axis 0 is time too */
    bool lengths;                  /* sequences differ in length; what follows the end is padding */
    int64_t tokens;                /* x are i32, 0 .. tokens-1; 0: any numbers */
    int64_t classes;               /* y are i32 labels, 0 .. classes-1; 0: f32 numbers */
    const unsigned char *alphabet; /* [tokens] the byte that each token stands for; else NULL */

    /* Sample `index` (0 .. count-1) of epoch `epoch`, row-major, into x, y and *length (time steps;
     * 1 when not a sequence). A pure function of its arguments, called from several threads.
     * Generated samples are new each epoch; files ignore it. Called through rv_source_read. */
    bool (*read)(const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y,
                 int32_t *length, rv_error *error);
    void (*close)(rv_source *source); /* frees context; may be NULL */
    void *context;
};

/* Whether the fields make sense together. RV_ERROR_ARGUMENT or RV_ERROR_SHAPE names the one that
 * does not. */
bool rv_source_check(const rv_source *source, rv_error *error);

/* source->read, with what it hands out checked: RV_ERROR_FORMAT with the source's name and the
 * sample's index for a number that is not finite, a token, label or length out of range. x, y:
 * room for one sample, of x_type and y_type. RV_ERROR_ARGUMENT for an index outside 0 .. count-1. */
bool rv_source_read(const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y,
                    int32_t *length, rv_error *error);

/* Frees what the source holds and leaves {0}; NULL and {0} are fine. */
void rv_source_close(rv_source *source);

#ifdef __cplusplus
}
#endif

#endif
