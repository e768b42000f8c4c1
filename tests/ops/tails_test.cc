/* Activations, losses and all recorded gradients keep their relative accuracy from the smallest
 * numbers to the largest: against long double, in both dtypes. A row states the bound and, where it
 * is not a few units in the last place of the result, relative to what the error is measured. */
#include <cmath>
#include <limits>

#include "tests/tapes.h"

namespace {

using Exact = long double;

Exact sigmoid(Exact x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
Exact softplus(Exact x) { return (x < 0 ? 0 : x) + log1pl(expl(-fabsl(x))); }
Exact bell(Exact x) { return expl(-x * x / 2) / sqrtl(2 * acosl(-1.0L)); }
Exact below(Exact x) { return erfcl(-x / sqrtl(2.0L)) / 2; }

using Function = Exact (*)(Exact);

struct Curve {
    const char *name;
    rv_var (*record)(rv_var x);
    Function value, slope;
    /* The bounds of the errors, in units of the last place: of the result, or of these sizes. */
    double value_ulps, slope_ulps;
    Function value_size = nullptr, slope_size = nullptr;
};

#define X [[maybe_unused]] Exact x

rv_var full(rv_var x, double value)
{
    return rv_broadcast(rv_scalar(x.tape, value), rv_shape_of(x));
}

const Curve kCurves[] = {
    {"negate", rv_negate, [](X) { return -x; }, [](X) -> Exact { return -1; }, 0, 0},
    {"square", rv_square, [](X) { return x * x; }, [](X) { return 2 * x; }, 1, 1},
    {"sqrt", rv_sqrt, [](X) { return sqrtl(x); }, [](X) { return 1 / (2 * sqrtl(x)); }, 1, 2},
    {"exp", rv_exp, [](X) { return expl(x); }, [](X) { return expl(x); }, 4, 4},
    {"log", rv_log, [](X) { return logl(x); }, [](X) { return 1 / x; }, 4, 1},
    /* The slopes y (1 - y) and 1 - y^2 are computed from the value, as usual in the field, so that
     * the backward pass needs neither x nor another exponential. Where y rounds to 1 they are 0. */
    {"sigmoid", rv_sigmoid, sigmoid, [](X) { return sigmoid(x) * sigmoid(-x); }, 4, 8, nullptr,
     sigmoid},
    {"tanh", rv_tanh, [](X) { return tanhl(x); }, [](X) { return 1 / coshl(x) / coshl(x); }, 4, 8,
     nullptr, [](X) -> Exact { return 1; }},
    {"arctan", rv_arctan, [](X) { return atanl(x); }, [](X) { return 1 / (1 + x * x); }, 4, 4},
    {"relu", rv_relu, [](X) { return x > 0 ? x : 0; }, [](X) -> Exact { return x > 0; }, 0, 0},
    {"softplus", rv_softplus, softplus, sigmoid, 4, 4},
    {"abs", rv_abs, [](X) { return fabsl(x); }, [](X) -> Exact { return (x > 0) - (x < 0); }, 0, 0},
    {"sin", rv_sin, [](X) { return sinl(x); }, [](X) { return cosl(x); }, 4, 4},
    {"cos", rv_cos, [](X) { return cosl(x); }, [](X) { return -sinl(x); }, 4, 4},
    {"erf", rv_erf, [](X) { return erfl(x); }, [](X) { return 2 * bell(x * sqrtl(2)) * sqrtl(2); },
     4, 4, nullptr,
     /* e^-x^2 with a rounded x^2 */
     [](X) { return bell(x * sqrtl(2)) * (1 + x * x); }},
    {"erfc", rv_erfc, [](X) { return erfcl(x); },
     [](X) { return -2 * bell(x * sqrtl(2)) * sqrtl(2); }, 4, 4, nullptr,
     [](X) { return bell(x * sqrtl(2)) * (1 + x * x); }},
    {"expm1", rv_expm1, [](X) { return expm1l(x); }, [](X) { return expl(x); }, 4, 4},
    {"clamp", [](rv_var x) { return rv_clamp(x, -1, 2); }, [](X) { return fminl(fmaxl(x, -1), 2); },
     [](X) -> Exact { return -1 <= x && x <= 2; }, 0, 0},
    {"silu", rv_silu, [](X) { return x * sigmoid(x); },
     [](X) { return sigmoid(x) + x * sigmoid(x) * sigmoid(-x); }, 4, 8, nullptr,
     /* a sum of terms of opposite signs, which is 0 at -1.28 */
     [](X) { return sigmoid(x) * (1 + fabsl(x)); }},
    {"gelu", rv_gelu, [](X) { return x * below(x); }, [](X) { return below(x) + x * bell(x); }, 4,
     8,
     /* erfc and e^-x^2 of a rounded argument; the slope is 0 at -0.75 */
     [](X) { return fabsl(x) * below(x) * (1 + x * x); },
     [](X) { return (below(x) + fabsl(x) * bell(x)) * (1 + x * x); }},
    {"hard_sigmoid", rv_hard_sigmoid, [](X) { return fminl(fmaxl(x + 3, 0), 6) / 6; },
     [](X) -> Exact { return fabsl(x) <= 3 ? 1 / 6.0L : 0; }, 2, 1},
    {"elu", [](rv_var x) { return rv_elu(x, 0.75); },
     [](X) { return x > 0 ? x : 0.75L * expm1l(x); }, [](X) { return x > 0 ? 1 : 0.75L * expl(x); },
     4, 4},
    {"leaky_relu", [](rv_var x) { return rv_leaky_relu(x, 0.125); },
     [](X) { return x > 0 ? x : x / 8; }, [](X) -> Exact { return x > 0 ? 1 : 0.125L; }, 0, 0},

    /* losses of one number, of targets at both ends and between */
    {"sigmoid_cross_entropy of 1", [](rv_var x) { return rv_sigmoid_cross_entropy(x, full(x, 1)); },
     [](X) { return softplus(-x); }, [](X) { return -sigmoid(-x); }, 4, 4},
    {"sigmoid_cross_entropy of 0", [](rv_var x) { return rv_sigmoid_cross_entropy(x, full(x, 0)); },
     softplus, sigmoid, 4, 4},
    {"sigmoid_cross_entropy of 1/4",
     [](rv_var x) { return rv_sigmoid_cross_entropy(x, full(x, 0.25)); },
     [](X) { return softplus(-x) / 4 + 3 * softplus(x) / 4; }, [](X) { return sigmoid(x) - 0.25L; },
     4, 8, nullptr,
     /* 0 at the best answer */
     [](X) { return sigmoid(-x) / 4 + 3 * sigmoid(x) / 4; }},
    {"mean_squared_error", [](rv_var x) { return rv_mean_squared_error(x, rv_scalar(x.tape, 0)); },
     [](X) { return x * x; }, [](X) { return 2 * x; }, 1, 1},
    {"mean_absolute_error",
     [](rv_var x) { return rv_mean_absolute_error(x, rv_scalar(x.tape, 0)); },
     [](X) { return fabsl(x); }, [](X) -> Exact { return (x > 0) - (x < 0); }, 0, 0},
    {"huber", [](rv_var x) { return rv_huber(x, rv_scalar(x.tape, 0), 1); },
     [](X) { return fabsl(x) <= 1 ? x * x / 2 : fabsl(x) - 0.5L; },
     [](X) -> Exact { return fabsl(x) <= 1 ? x
                             : x > 0       ? 1
                                           : -1; }, 2, 2},

    /* of logits (x, 0): for the first class and for the second */
    {"softmax_cross_entropy of 0",
     [](rv_var x) {
         const rv_var two[] = {x, rv_scalar(x.tape, 0)};
         return rv_softmax_cross_entropy(rv_stack(two, 2, 0), rv_scalar(x.tape, 0));
     },
     [](X) { return softplus(-x); }, [](X) { return -sigmoid(-x); }, 8, 8},
    {"softmax_cross_entropy of 1",
     [](rv_var x) {
         const rv_var two[] = {x, rv_scalar(x.tape, 0)};
         return rv_softmax_cross_entropy(rv_stack(two, 2, 0), rv_scalar(x.tape, 1));
     },
     softplus, sigmoid, 8, 8},
    /* of logits (x, 1, -2) */
    {"softmax_cross_entropy of three",
     [](rv_var x) {
         const rv_var all[] = {x, rv_scalar(x.tape, 1), rv_scalar(x.tape, -2)};
         return rv_softmax_cross_entropy(rv_stack(all, 3, 0), rv_scalar(x.tape, 0));
     },
     [](X) { return softplus(logl(expl(1) + expl(-2)) - x); },
     [](X) { return -sigmoid(logl(expl(1) + expl(-2)) - x); }, 8, 8,
     /* e^x with a rounded x */
     [](X) { return (1 + fabsl(x)) * softplus(logl(expl(1) + expl(-2)) - x); },
     [](X) { return (1 + fabsl(x)) * sigmoid(logl(expl(1) + expl(-2)) - x); }},
    /* ln(1 + sum e^(x_k - max x)): 1 is added to what may be small. softmax_cross_entropy does
     * better for a label. */
    {"log_softmax",
     [](rv_var x) {
         const rv_var two[] = {x, rv_scalar(x.tape, 0)};
         return rv_slice_axis(rv_log_softmax(rv_stack(two, 2, 0), 0), 0, 0, 1);
     },
     [](X) { return -softplus(-x); }, [](X) { return sigmoid(-x); }, 4, 4,
     [](X) { return 1 + softplus(-x); }, [](X) -> Exact { return 1; }},
    {"log_sum_exp",
     [](rv_var x) {
         const rv_var two[] = {x, rv_scalar(x.tape, 0)};
         return rv_log_sum_exp(rv_stack(two, 2, 0), 1, false);
     },
     softplus, sigmoid, 4, 8, [](X) { return 1 + softplus(x); },
     [](X) { return (1 + fabsl(x)) * sigmoid(x); }},
    {"softmax",
     [](rv_var x) {
         const rv_var two[] = {x, rv_scalar(x.tape, 0)};
         return rv_slice_axis(rv_softmax(rv_stack(two, 2, 0), 0), 0, 0, 1);
     },
     sigmoid, [](X) { return sigmoid(x) * sigmoid(-x); }, 4, 8, nullptr, sigmoid},
};

/* Numbers of both signs from the smallest to the largest, closely where functions bend. */
std::vector<double> grid(rv_dtype dtype)
{
    std::vector<double> x;
    const int first = dtype == RV_F32 ? -149 : -1074, last = dtype == RV_F32 ? 127 : 1023;
    for (int e = first; e <= last; e += e > -12 && e < 12 ? 1 : 7)
        for (const double m : {1.0, 1.25, 1.4375, 1.625, 1.875})
            for (const double sign : {1, -1}) x.push_back(sign * std::ldexp(e > -12 ? m : 1, e));
    return x;
}

template <class T> void expect_close(Exact got, Exact exact, Exact bound)
{
    using Limits = std::numeric_limits<T>;
    /* What is made of subnormal numbers has no relative accuracy. */
    const bool tiny =
        std::fabs(exact) < 16 * Limits::min() && std::fabs(got - exact) < Limits::min();
    const bool large =
        std::fabs(exact) + bound >= Limits::max() && got * exact > 0 && std::isinf(got);
    ASSERT_TRUE(std::isnan(exact) ? std::isnan(got)
                                  : tiny || large || std::fabs(got - exact) <= bound)
        << got << ", not " << exact;
}

template <class T> void check(const Curve &curve)
{
    using Limits = std::numeric_limits<T>;
    const rv_dtype dtype = sizeof(T) == 4 ? RV_F32 : RV_F64;
    SCOPED_TRACE(std::string(curve.name) + " in " + rv_dtype_name(dtype));
    Tape tape(dtype);
    const rv_var x = tape.input("x", RV_SCALAR), y = total(curve.record(x));
    Program program(tape, {y, gradient(y, x)});
    for (const double at : grid(dtype)) {
        program.set("x", {at}).run();
        for (const bool slope : {false, true}) {
            const Exact exact = (slope ? curve.slope : curve.value)(at), got = program.value(slope);
            const Function size = slope ? curve.slope_size : curve.value_size;
            const double ulps = slope ? curve.slope_ulps : curve.value_ulps;
            const Exact bound = ulps * Limits::epsilon() * std::fabs(size ? size(at) : exact);
            SCOPED_TRACE((slope ? "slope at " : "value at ") + std::to_string(at));
            expect_close<T>(got, exact, bound);
            if (testing::Test::HasFatalFailure()) return;
        }
    }
}

TEST(Tails, ActivationsAndLosses)
{
    for (const Curve &curve : kCurves) {
        check<float>(curve);
        check<double>(curve);
    }
}

/* Of two numbers: both slopes, relative to a size where they are made of rounded arguments. */
struct Surface {
    const char *name;
    rv_var (*record)(rv_var x, rv_var y);
    Exact (*slope[2])(Exact x, Exact y);
    Exact (*size[2])(Exact x, Exact y);
    double ulps;
};

#define XY [[maybe_unused]] Exact x, [[maybe_unused]] Exact y

/* x^y of a rounded y */
Exact power_size(Exact x, Exact y) { return powl(x, y) * (1 + fabsl(y * logl(x))); }

const Surface kSurfaces[] = {
    {"divide", rv_divide, {[](XY) { return 1 / y; }, [](XY) { return -x / y / y; }}, {}, 4},
    {"multiply", rv_multiply, {[](XY) { return y; }, [](XY) { return x; }}, {}, 0},
    {"minimum",
     rv_minimum,
     {[](XY) -> Exact { return x < y    ? 1
                               : x == y ? 0.5L
                                        : 0; },
      [](XY) -> Exact { return y < x    ? 1
                               : x == y ? 0.5L
                                        : 0; }},
     {},
     0},
    {"power",
     rv_power,
     {[](XY) { return y * powl(x, y - 1); }, [](XY) { return powl(x, y) * logl(x); }},
     {[](XY) { return fabsl(y) * power_size(x, y) / x * (1 + fabsl(logl(x))); }, nullptr},
     8},
};

template <class T> void check(const Surface &s)
{
    const rv_dtype dtype = sizeof(T) == 4 ? RV_F32 : RV_F64;
    SCOPED_TRACE(std::string(s.name) + " in " + rv_dtype_name(dtype));
    Tape tape(dtype);
    const rv_var x = tape.input("x", RV_SCALAR), y = tape.input("y", RV_SCALAR);
    Program program(tape, gradients(s.record(x, y), {x, y}));
    for (int i = -40; i <= 40; i += 2)
        for (int j = -40; j <= 40; j++) {
            const double at = std::ldexp(i % 3 ? 1 : 1.5, i),
                         by = (j < 0 ? -1 : 1) * std::ldexp(1.25, std::abs(j) - 20);
            program.set("x", {at}).set("y", {by}).run();
            for (int k = 0; k < 2; k++) {
                const Exact exact = s.slope[k](at, by),
                            size = s.size[k] ? s.size[k](at, by) : std::fabs(exact);
                SCOPED_TRACE("slope " + std::to_string(k) + " at " + std::to_string(at) + ", " +
                             std::to_string(by));
                expect_close<T>(program.value(k), exact,
                                s.ulps * std::numeric_limits<T>::epsilon() * size);
                if (testing::Test::HasFatalFailure()) return;
            }
        }
}

TEST(Tails, GradientsOfTwoOperands)
{
    for (const Surface &surface : kSurfaces) {
        check<float>(surface);
        check<double>(surface);
    }
}

} // namespace
