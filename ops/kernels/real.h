/* The element type a kernel source is compiled for, and its maths. Each source is compiled once per
 * type and instruction set, with RV_REAL_F32 or RV_REAL_F64, and with RV_KERNEL_SUFFIX for its
 * names. */
#ifndef RV_OPS_KERNELS_REAL_H
#define RV_OPS_KERNELS_REAL_H

#include <math.h>
#include <stdint.h>

#include "ops/kernels/maths.h"

#define RV_PASTE2(a, b) a##b
#define RV_PASTE(a, b) RV_PASTE2(a, b)
#define RV_NAME(name) RV_PASTE(name, RV_KERNEL_SUFFIX)

/* glibc also has vector versions of its maths functions, accurate to 4 ulp. math.h declares them to
 * gcc only under -ffast-math, which the other code must not be compiled with. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#if __GLIBC_PREREQ(2, 35)
#define RV_VECTOR_MATHS(name, ...) __attribute__((simd("notinbranch"))) double name(__VA_ARGS__)
RV_VECTOR_MATHS(exp, double);
RV_VECTOR_MATHS(log, double);
RV_VECTOR_MATHS(log1p, double);
RV_VECTOR_MATHS(expm1, double);
RV_VECTOR_MATHS(tanh, double);
RV_VECTOR_MATHS(atan, double);
RV_VECTOR_MATHS(sin, double);
RV_VECTOR_MATHS(cos, double);
RV_VECTOR_MATHS(erf, double);
RV_VECTOR_MATHS(erfc, double);
RV_VECTOR_MATHS(pow, double, double);
#endif
#endif

/* The maths of pointwise.def. LOG1P is for 0 .. 1. f32 uses double precision for functions that
 * maths.h lacks. */
#if defined(RV_REAL_F32)
typedef float real;
typedef uint32_t real_bits;
#define EXP exp_f32
#define LOG log_f32
#define LOG1P log1p_f32
#define SIGMOID sigmoid_f32
#define TANH tanh_f32
#define ATAN arctan_f32
#define SQRT sqrtf
#define ABS fabsf
#define FLOOR floorf
#define ROUND_EVEN rintf
#define ERF erf_f32
#define SIN(x) (float)sin(x)
#define COS(x) (float)cos(x)
#define ERFC(x) (float)erfc(x)
#define EXPM1(x) (float)expm1(x)
#define POWER(x, y) (float)pow(x, y)
#elif defined(RV_REAL_F64)
typedef double real;
typedef uint64_t real_bits;
#define EXP exp
#define LOG log
#define LOG1P log1p
#define SIGMOID(x) (1 / (1 + exp(-(x))))
#define TANH tanh
#define ATAN atan
#define SQRT sqrt
#define ABS fabs
#define FLOOR floor
#define ROUND_EVEN rint
#define ERF erf
#define ERFC erfc
#define SIN sin
#define COS cos
#define EXPM1 expm1
#define POWER pow
#else
#error "define RV_REAL_F32 or RV_REAL_F64"
#endif

/* The widest vector of the instruction set, how many elements it holds, and how many there are. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#if defined(__AVX512F__) || defined(__aarch64__)
#define VECTOR_REGISTERS 32
#else
#define VECTOR_REGISTERS 16
#endif
enum { LANES = VECTOR_BYTES / (int)sizeof(real) };

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef real_bits vec_bits __attribute__((vector_size(VECTOR_BYTES)));
typedef real vec_at __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

static inline vec load(const real *x) { return *(const vec_at *)x; }
static inline void store(real *x, vec v) { *(vec_at *)x = v; }

/* Before a loop. INDEPENDENT: the iterations are independent. UNROLLED: unroll the loop
 * completely. */
#define RV_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define INDEPENDENT RV_PRAGMA(clang loop vectorize(assume_safety))
#define UNROLLED RV_PRAGMA(clang loop unroll(full))
#elif defined(__GNUC__)
#define INDEPENDENT RV_PRAGMA(GCC ivdep)
#define UNROLLED RV_PRAGMA(GCC unroll 64)
#else
#define INDEPENDENT
#define UNROLLED
#endif
#define ALWAYS_INLINE static inline __attribute__((always_inline))

#endif
