#include "tests/lang/random_tree.h"

namespace random_model {

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double bell(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * M_PI); }
double normal(double x) { return (1 + std::erf(x / std::sqrt(2.0))) / 2; }

} // namespace

const Curve curves[CURVES] = {
    {"tanh", [](double x, double) { return std::tanh(x); },
     [](double x, double) { return 1 / (std::cosh(x) * std::cosh(x)); }, 3},
    {"sigmoid", [](double x, double) { return sigmoid(x); },
     [](double x, double) { return sigmoid(x) * sigmoid(-x); }, 5},
    {"arctan", [](double x, double) { return std::atan(x); },
     [](double x, double) { return 1 / (1 + x * x); }, 5},
    {"sin", [](double x, double) { return std::sin(x); },
     [](double x, double) { return std::cos(x); }, 4},
    {"cos", [](double x, double) { return std::cos(x); },
     [](double x, double) { return -std::sin(x); }, 4},
    {"erf", [](double x, double) { return std::erf(x); },
     [](double x, double) { return 2 / std::sqrt(M_PI) * std::exp(-x * x); }, 2},
    {"exp", [](double x, double) { return std::exp(x); },
     [](double x, double) { return std::exp(x); }, 2},
    {"expm1", [](double x, double) { return std::expm1(x); },
     [](double x, double) { return std::exp(x); }, 2},
    {"softplus", [](double x, double) { return std::log1p(std::exp(x)); },
     [](double x, double) { return sigmoid(x); }, 5},
    {"relu", [](double x, double) { return x > 0 ? x : 0; },
     [](double x, double) { return x > 0 ? 1.0 : 0; }, 10},
    {"square", [](double x, double) { return x * x; }, [](double x, double) { return 2 * x; }, 4},
    {"silu", [](double x, double) { return x * sigmoid(x); },
     [](double x, double) { return sigmoid(x) + x * sigmoid(x) * sigmoid(-x); }, 5},
    {"gelu", [](double x, double) { return x * normal(x); },
     [](double x, double) { return normal(x) + x * bell(x); }, 3},
    {"negate", [](double x, double) { return -x; }, [](double, double) { return -1.0; }, 10},
    {"elu", [](double x, double a) { return x > 0 ? x : a * std::expm1(x); },
     [](double x, double a) { return x > 0 ? 1 : a * std::exp(x); }, 4},
    {"leaky_relu", [](double x, double s) { return x > 0 ? x : s * x; },
     [](double x, double s) { return x > 0 ? 1 : s; }, 10},
    {"sqrt", [](double x, double) { return std::sqrt(x); },
     [](double x, double) { return 0.5 / std::sqrt(x); }, 0},
    {"log", [](double x, double) { return std::log(x); }, [](double x, double) { return 1 / x; },
     0},
};

const Curve *curve_of(const std::string &name)
{
    for (const Curve &c : curves)
        if (name == c.name) return &c;
    return nullptr;
}

} // namespace random_model
