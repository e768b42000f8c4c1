/* The minimum of floating-point operations of a step, counted from the shapes. All ratios to the
 * machine's limit are based on it. */
#ifndef RV_TOOLS_BENCH_OPERATIONS_H
#define RV_TOOLS_BENCH_OPERATIONS_H

#include <stdbool.h>

typedef struct workload workload;

/* Counted are
 *   - products: 2 for each multiply-add. What meets the zero state before the first step is left
 *     out, and so are gradients of x. An image shown at every step meets its kernels once, and
 *     their gradients need one product, with the sum of the steps' cotangents. A kernel's taps on
 *     the zeros around an image count. Convolutions are direct: with Winograd's algorithm a program
 *     may stay below the limit.
 *   - pointwise: 1 for + - * / and sqrt, 20 for a transcendental (a range reduction, a polynomial
 *     of degree 6 or so, a division).
 *   - the optimizer's update of each parameter.
 * Moving and rearranging memory is not counted. */
double curnn_operations(const workload *w, bool training);
double conv_ugrnn_operations(const workload *w, bool training);
double ugrnn_operations(const workload *w, bool training);
double gru_operations(const workload *w, bool training);
double lstm_operations(const workload *w, bool training);
double mingru_operations(const workload *w, bool training);
double sru_operations(const workload *w, bool training);
double characters_operations(const workload *w, bool training);
double video_operations(const workload *w, bool training);
double gru_stream_operations(const workload *w, bool training);
double lstm_stream_operations(const workload *w, bool training);
double pointwise_operations(const workload *w, bool training);

#endif
