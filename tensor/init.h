/* The initial values of tensors. Each is a pure function of a seed and an index, as in random.h;
 * f32 values are the rounded f64 values. */
#ifndef RV_TENSOR_INIT_H
#define RV_TENSOR_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "random.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rv_init_kind {
    RV_INIT_CONSTANT,
    RV_INIT_UNIFORM,
    RV_INIT_NORMAL,
    RV_INIT_TRUNCATED_NORMAL,
    RV_INIT_XAVIER_UNIFORM,
    RV_INIT_XAVIER_NORMAL,
    RV_INIT_KAIMING_UNIFORM,
    RV_INIT_KAIMING_NORMAL,
    RV_INIT_ORTHOGONAL,
    RV_INIT_CHRONO,
    RV_INIT_IDENTITY,
    RV_INIT_BLOCKS
} rv_init_kind;

typedef struct rv_init rv_init;
struct rv_init {
    rv_init_kind kind;
    double a, b;
    double factor;      /* multiplies all values */
    const char *shared; /* not NULL: drawn from the stream of the parameter of this name */
    const rv_init *block;
    int blocks;
};

rv_init rv_init_constant(double value);
rv_init rv_init_uniform(double low, double high);
rv_init rv_init_normal(double mean, double deviation);
/* The normal distribution within two deviations of its mean. Its own deviation is 0.8796 of
 * `deviation`. */
rv_init rv_init_truncated_normal(double mean, double deviation);

/* The names and gains of PyTorch, for a matrix W [inputs,outputs] of x @ W and a kernel
 * [outputs,channels,h,w]. With fan_in = inputs or channels h w, and fan_out = outputs or
 * outputs h w:
 *     xavier    variance gain^2 2 / (fan_in + fan_out)  (Glorot and Bengio 2010)
 *     kaiming   variance gain^2 / fan_in                (He et al. 2015)
 * He's gain is sqrt(2) before relu, and 1 before no activation.
 * Any other tensor is a stack of matrices [..,inputs,outputs], such as those of heads, and each
 * starts as one. */
rv_init rv_init_xavier_uniform(double gain);
rv_init rv_init_xavier_normal(double gain);
rv_init rv_init_kaiming_uniform(double gain);
rv_init rv_init_kaiming_normal(double gain);

/* `gain` times a random matrix with orthonormal rows, or columns if there are fewer of them,
 * distributed uniformly (Saxe et al. 2014). A kernel is one as [outputs,channels h w]. */
rv_init rv_init_orthogonal(double gain);

/* ln u with u uniform in 1 .. longest - 1: forget biases for sequences with dependencies over up to
 * `longest` steps (Tallec and Ollivier 2018). Input biases are -1 times the same draw:
 *     rv_init_shared(rv_init_scaled(rv_init_chrono(longest), -1), "bf") */
rv_init rv_init_chrono(double longest);

/* The identity map: 1 on the diagonal of a matrix, and of each matrix of a stack of them; for a
 * kernel, 1 at the center from channel i to channel i. */
rv_init rv_init_identity(void);

/* Equal blocks of the outputs, such as the gates of W [units,4 units]: the columns of a matrix, the
 * elements of a vector, the first axis of a kernel. Each block starts as a tensor of its own. The
 * array is not copied: it must last until the values are drawn. A block has no blocks itself. */
rv_init rv_init_blocks(const rv_init *block, int count);

/* The same values times a factor. */
rv_init rv_init_scaled(rv_init init, double factor);
/* The same values as in a parameter `name` of equal shape: both share their draw. The name is not
 * copied. In a cell's step (rv_cell_parameter) it is a name of that cell. */
rv_init rv_init_shared(rv_init init, const char *name);

/* Whether a tensor of this shape can start so. The error says why not. */
bool rv_init_check(rv_init init, rv_shape shape, rv_error *error);

/* Element i becomes the i-th value of the seed's stream. False if the shape does not fit, and when
 * out of memory, which only orthogonal values need. */
bool rv_init_fill(rv_tensor *tensor, rv_init init, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
