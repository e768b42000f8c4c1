/* Maths in single precision as straight-line code, which gcc and clang vectorize at any width. Every element takes the
 * same path; a choice is a select. Underflow is gradual. Infinities and NaN follow IEEE 754.
 *
 * Errors are in units of the last place: the largest over all floats, with and without fused multiply-add, against the
 * C library's double precision. */
#ifndef RV_OPS_KERNELS_MATHS_H
#define RV_OPS_KERNELS_MATHS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t to_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define EXPONENT(n) ((uint32_t)(n) << 23) /* adds n to the exponent of a float's bits */

/* min(x, c) for c > 0, max(x, c) for c < 0; a NaN of c's sign becomes c. Floats of one
 * sign are ordered by their bits, and gcc compiles a minimum of integers to one instruction, but not one of floats. */
static inline float at_most(float x, float c)
{
    int32_t bits = (int32_t)to_bits(x), most = (int32_t)to_bits(c);
    return of_bits((uint32_t)(bits < most ? bits : most));
}

static inline float at_least(float x, float c)
{
    uint32_t bits = to_bits(x), least = to_bits(c);
    return of_bits(bits < least ? bits : least);
}

/* x + ROUND is rounded to an integer, which is then in the low bits of the sum. */
#define ROUND 0x1.8p23f

/* x = n ln 2 + r with |r| <= ln(2)/2. LN2_HIGH has few bits, so that n LN2_HIGH is exact. */
#define LOG2_E 0x1.715476p0f
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f

/* e^r = (b + r) / (b - r) with b = r coth(r/2) = 2 + r^2/6 - r^4/360 + ..., for such r a minimax
 * polynomial, good to 6e-10 of e^r. */
static inline float exp_even(float r)
{
    float square = r * r;
    return 2 + square * (0x1.555514p-3f - 0x1.6a8a58p-9f * square);
}

/* e^r 2^n. The power is two factors, which together reach the subnormal numbers and infinity.
 * 1.7 ulp. */
static inline float exp_f32(float x)
{
    float y = at_least(at_most(x, 89), -104);
    float rounded = y * LOG2_E + (ROUND + 254), n = rounded - (ROUND + 254);
    float r = y - n * LN2_HIGH - n * LN2_LOW, b = exp_even(r);
    uint32_t exponent = to_bits(rounded), half = exponent / 2;
    float e = (b + r) / (b - r) * of_bits(EXPONENT(half)) * of_bits(EXPONENT(exponent - half));
    return x == x ? e : x;
}

/* e^x / (1 + e^x) = 2^n (b + r) / (b - r + 2^n (b + r)), with 2^64 above and below, so that nothing
 * but the result is ever subnormal. 2.5 ulp. It is in two halves: the first returns n + ROUND + 64. */
static inline float sigmoid_begin(float x, float *r)
{
    float y = at_least(at_most(x, 20), -104);
    float rounded = y * LOG2_E + (ROUND + 64), n = rounded - (ROUND + 64);
    *r = y - n * LN2_HIGH - n * LN2_LOW;
    return rounded;
}

static inline float sigmoid_end(float x, float rounded, float r)
{
    float b = exp_even(r), e = of_bits(to_bits(b + r) + EXPONENT(to_bits(rounded)));
    float s = e / ((b - r) * 0x1p64f + e);
    return x == x ? s : x;
}

static inline float sigmoid_f32(float x)
{
    float r, rounded = sigmoid_begin(x, &r);
    return sigmoid_end(x, rounded, r);
}

/* (e^2|x| - 1) / (e^2|x| + 1) = (2^n 2 r + (2^n - 1) (b - r)) / (2^n 2 r + (2^n + 1) (b - r)),
 * near 0 with n = 0, so r / b. 2.5 ulp with fused multiply-add, 3.5 without. The first half returns n + ROUND. It has a
 * single product in each sum, so that there is one way to fuse them. */
static inline float tanh_begin(float x, float *r)
{
    float y = fabsf(x);
    float rounded = y * (2 * LOG2_E) + ROUND, n = rounded - ROUND;
    float half = y - n * ((LN2_HIGH + LN2_LOW) / 2);
    *r = half + half;
    return rounded;
}

static inline float tanh_end(float x, float rounded, float r)
{
    float d = exp_even(r) - r;
    uint32_t exponent = EXPONENT(to_bits(rounded));
    float power = of_bits(to_bits(1) + exponent), scaled = of_bits(to_bits(r + r) + exponent);
    float t = (scaled + (power - 1) * d) / (scaled + (power + 1) * d);
    return copysignf(fabsf(x) > 10 ? 1 : t, x);
}

static inline float tanh_f32(float x)
{
    float r, rounded = tanh_begin(x, &r);
    return tanh_end(x, rounded, r);
}

/* ln x = k ln 2 + ln(1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), and ln(1 + f) = 2 artanh s
 * = 2 s + s q with s = f / (2 + f), q = s^2 (2/3 + 2/5 s^2 + ...) by FreeBSD's coefficients.
 * 2 ulp. */
static inline float log_f32(float x)
{
    const float root = 0x1.6a09e6p-1f;
    float scale = x < 0x1p-126f ? 0x1p23f : 1;
    uint32_t bits = to_bits(x * scale), above = bits - to_bits(root);
    uint32_t exponent = above & EXPONENT(-1);
    float k = (float)((int32_t)(above - to_bits(scale) + to_bits(1)) >> 23);
    float f = of_bits(bits - exponent) - 1;
    float s = f / (2 + f), z = s * s;
    float q = z * (0xaaaaaap-24f + z * (0xccce13p-25f + z * (0x91e9eep-25f + z * 0xf89e26p-26f)));
    float y = s * q + (s + s) + k * LN2_LOW + k * LN2_HIGH;
    y = x < INFINITY ? y : x;
    return x > 0 ? y : x == 0 ? -INFINITY : NAN;
}

/* ln(1 + x) for 0 <= x <= 1, in the same way; q is a minimax polynomial. */
static inline float log1p_f32(float x)
{
    float s = x / (2 + x), z = s * s;
    float q =
        z * (0x1.555502p-1f + z * (0x1.99d208p-2f + z * (0x1.1ebd0cp-2f + z * 0x1.1ed7c2p-2f)));
    return s * q + (s + s);
}

/* t + t^3 p(t^2) for t = |x| <= 1 by a minimax polynomial, pi/2 + arctan(-1/|x|) beyond.
 * 2 ulp. */
static inline float arctan_f32(float x)
{
    float y = fabsf(x), t = y > 1 ? -1 / y : y, z = t * t;
    float p = 0x1.7ed2f8p-9f * z - 0x1.0c2c7cp-6f;
    p = p * z + 0x1.61fe30p-5f;
    p = p * z - 0x1.3556dcp-4f;
    p = p * z + 0x1.b4e13ep-4f;
    p = p * z - 0x1.230adep-3f;
    p = p * z + 0x1.9978f4p-3f;
    p = p * z - 0x1.5554dcp-2f;
    float start = of_bits(to_bits(0x1.921fb6p0f) & -(to_bits(t) >> 31)); /* for t < 0 */
    return copysignf(start + (t * z * p + t), x);
}

/* x + x p(x^2) for |x| < 0.92, 1 - e^(-t q(t)) beyond, with q = -ln(1 - erf t) / t; both polynomials
 * are fitted at Chebyshev's points. From 4 on all is 1. 1.5 ulp. */
static inline float erf_f32(float x)
{
    float y = fabsf(x), t = at_most(y, 4), z = x * x;
    float p = 0x1.471af6p-8f - 0x1.397c3ep-11f * z;
    p = p * z - 0x1.b686e6p-6f;
    p = p * z + 0x1.ce1a36p-4f;
    p = p * z - 0x1.8126e4p-2f;
    p = p * z + 0x1.06eba6p-3f;
    float q = 0x1.1b3e46p-15f - 0x1.0f9d78p-20f * t;
    q = q * t - 0x1.030b96p-11f;
    q = q * t + 0x1.18c82ep-8f;
    q = q * t - 0x1.9b217ep-6f;
    q = q * t + 0x1.b98458p-4f;
    q = q * t + 0x1.44b52cp-1f;
    q = q * t + 0x1.20fedap0f;
    float near = x + x * p, far = copysignf(1 - exp_f32(-t * q), x);
    return y > 0.92f ? far : near;
}

#endif
