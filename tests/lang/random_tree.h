// The trees of random models.
#ifndef RV_TESTS_LANG_RANDOM_TREE_H
#define RV_TESTS_LANG_RANDOM_TREE_H

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tests/lang/dual.h"

namespace random_model {

// ---- expressions ----

enum class Op {
    NUMBER,
    ARRAY, // of numbers
    NAME,
    ALONG, // a bias or a gain
    NEGATE,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    MATMUL,
    POWER,
    PRIME,
    INDEX,
    MAP,
    CALL
};

struct Node;
using Tree = std::shared_ptr<const Node>;

struct Function {
    std::string name;
    std::vector<std::string> arguments;
    std::vector<Sizes> argument_shapes;
    std::string number; /* the argument that calls give a number for */
    std::vector<std::pair<std::string, Tree>> lines;
    Tree result;
};

// One place of an index: all, one element, or a window.
struct Slice {
    int64_t first = 0, size = 0;
    bool one = false;
    std::string text;
};

struct Node {
    Op op = Op::NUMBER;
    std::vector<Tree> kids;
    Sizes shape;
    double low = -1, high = 1; // what its elements lie between
    bool number = false;       // folded, of this value:
    double value = 0;
    std::string name, text; // looked up, and written
    std::vector<Slice> slices;
    std::vector<std::pair<std::string, std::string>> options; // name (may be empty), text
    std::vector<int64_t> list;                                // axes or a shape
    std::vector<double> values;                               // of an array
    double p = 0, q = 0;
    bool flag = false;
    bool sized = false; // a parameter that an index would give sizes to
    std::shared_ptr<const Function> function;
};

inline double bound_of(const Tree &t) { return std::max(std::fabs(t->low), std::fabs(t->high)); }

// ---- statements ----

struct Equation {
    std::string target;
    bool next = false; // of a state
    bool slopes = false;
    Tree value;
};

struct State {
    std::string name;
    int start = 0; // 0: zeros; 1: a number; 2: drawn
    double number = 0;
    Sizes shape; // that of the output, or another one
};

struct Cell {
    std::string name, input = "x";
    std::vector<State> states;
    std::vector<Equation> equations;
    std::vector<std::pair<std::string, double>> flat; // biases and gains, and what they start from
    Sizes input_shape, state_shape;
    int64_t kernel = 0, layers = 1, directions = 1;
    bool biases = true, forgets_given = false;
};

enum class What { DEFINE, ELEMENT, LOOP, UNROLL };

struct Statement {
    What what = What::DEFINE;
    Equation equation;
    int64_t time = 0; // ELEMENT: t + time, outside of loops time
    int64_t from = 0, to = 0;
    std::vector<Statement> body;
    // UNROLL
    std::shared_ptr<const Cell> cell;
    Tree input;
    std::vector<Tree> initial; // of each state, or null
    int64_t steps = 0, layers = 1, directions = 1;
    bool sequence = false, reverse = false;
    bool whole = false; // the outputs of all steps
    std::string second; // the result that is the cell's second state, or ""
    std::string prefix; // of its parameters
    std::string inside; // of names in it, where other unrolls have them, too
    Sizes state_shape;
};

// The prefix of the parameters of a layer in a direction of an unroll.
inline std::string strand_prefix(const Statement &s, int64_t layer, int64_t direction)
{
    return s.prefix + (s.layers > 1 ? "layer" + std::to_string(layer) + "/" : "") +
           (s.directions == 1 ? ""
            : direction       ? "backward/"
                              : "forward/");
}

// The name of a value at a time step.
inline std::string timed(const std::string &name, int64_t t)
{
    return name + "[" + std::to_string(t) + "]";
}
// ---- functions of one number ----

// A function of one number, and its slope.
struct Curve {
    const char *name;
    double (*value)(double x, double p);
    double (*slope)(double x, double p);
    double most; // |x|
};

enum { ELU = 14, LEAKY_RELU, SQRT, LOG, CURVES };
extern const Curve curves[CURVES];

// By name, or null.
const Curve *curve_of(const std::string &name);

} // namespace random_model

#endif
