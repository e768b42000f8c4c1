// Names, numbers and the nodes that hold operands.
#include "tests/lang/random_maker.h"

#include <cstdio>
#include <cstdlib>

namespace random_model {

std::string Maker::fresh(char letter)
{
    const int k = names_[letter]++;
    std::string name(1, letter);
    name += static_cast<char>('a' + k % 26);
    if (k >= 26) name += static_cast<char>('a' + k / 26);
    return name;
}

Tree Maker::literal(const std::string &text)
{
    auto n = std::make_shared<Node>();
    n->number = true;
    n->text = text;
    n->value = n->low = n->high = std::strtod(text.c_str(), nullptr);
    return n;
}

Tree Maker::literal(double value)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.10g", value);
    return literal(std::string(text));
}

Tree Maker::folded(Op op, std::vector<Tree> kids, double value)
{
    auto n = std::make_shared<Node>();
    n->op = op;
    n->kids = std::move(kids);
    n->number = true;
    n->value = n->low = n->high = value;
    return n;
}

Tree Maker::number(int depth, bool positive)
{
    static const char *const texts[] = {"2", "1", "0.5", "1.5", "3", "7.5e-1", "0.25e1", "2.0"};
    if (where_ == Where::MODEL && random_.chance(15)) {
        auto n = std::make_shared<Node>();
        n->op = Op::NAME;
        n->text = n->name = "n";
        n->number = true;
        n->value = n->low = n->high = static_cast<double>(batch_);
        return n;
    }
    if (random_.chance(10) && !variables().empty()) {
        const Tree of = random_.one_of(variables()).tree;
        const auto rank = static_cast<int64_t>(of->shape.size());
        const int64_t axis = rank > 0 ? random_.below(rank) : 0;
        auto n = std::make_shared<Node>();
        n->op = Op::CALL;
        n->text = "size";
        n->kids = {of};
        n->options = {{"", std::to_string(random_.chance(40) ? axis - rank : axis)}};
        n->number = true;
        if (rank > 0) n->value = static_cast<double>(of->shape[static_cast<size_t>(axis)]);
        n->low = n->high = n->value;
        if (n->value > 0) return n;
    }
    if (depth <= 0 || random_.chance(40)) return literal(texts[random_.below(8)]);
    Tree a = number(depth - 1, false), b = number(depth - 1, false), made;
    switch (random_.below(6)) {
    case 0: made = folded(Op::ADD, {a, b}, a->value + b->value); break;
    case 1: made = folded(Op::SUBTRACT, {a, b}, a->value - b->value); break;
    case 2: made = folded(Op::MULTIPLY, {a, b}, a->value * b->value); break;
    case 3: made = folded(Op::DIVIDE, {a, b}, a->value / b->value); break;
    case 4: made = folded(Op::NEGATE, {a}, -a->value); break;
    default:
        if (a->value > 0) made = folded(Op::POWER, {a, b}, std::pow(a->value, b->value));
    }
    const bool ok = made && std::fabs(made->value) >= 0.3 && std::fabs(made->value) <= 4 &&
                    (!positive || made->value > 0);
    return ok ? made : literal(texts[random_.below(8)]);
}

Tree Maker::node(Op op, std::vector<Tree> kids, Sizes shape, double low, double high)
{
    auto n = std::make_shared<Node>();
    n->op = op;
    n->kids = std::move(kids);
    n->shape = std::move(shape);
    n->low = low;
    n->high = high;
    return n;
}

std::shared_ptr<Node> Maker::call(const std::string &name, std::vector<Tree> kids, Sizes shape,
                                  double low, double high)
{
    auto n = std::make_shared<Node>();
    n->op = Op::CALL;
    n->name = n->text = name;
    n->kids = std::move(kids);
    n->shape = std::move(shape);
    n->low = low;
    n->high = high;
    return n;
}

Tree Maker::add(Tree a, Tree b)
{
    return node(Op::ADD, {a, b}, together(a->shape, b->shape), a->low + b->low, a->high + b->high);
}

Tree Maker::subtract(Tree a, Tree b)
{
    return node(Op::SUBTRACT, {a, b}, together(a->shape, b->shape), a->low - b->high,
                a->high - b->low);
}

Tree Maker::multiply(Tree a, Tree b)
{
    const double c[] = {a->low * b->low, a->low * b->high, a->high * b->low, a->high * b->high};
    return node(Op::MULTIPLY, {a, b}, together(a->shape, b->shape), *std::min_element(c, c + 4),
                *std::max_element(c, c + 4));
}

Tree Maker::divide(Tree a, Tree b)
{
    const double c[] = {a->low / b->low, a->low / b->high, a->high / b->low, a->high / b->high};
    return node(Op::DIVIDE, {a, b}, together(a->shape, b->shape), *std::min_element(c, c + 4),
                *std::max_element(c, c + 4));
}

Tree Maker::curve(int which, Tree x)
{
    const Curve &c = curves[which];
    if (c.most > 0) x = within(x, c.most);
    auto n = call(c.name, {x}, x->shape, 0, 0);
    if (which == ELU) n->p = 1;
    if (which == LEAKY_RELU) n->p = 0.01;
    if ((which == ELU || which == LEAKY_RELU) && random_.chance(60)) {
        n->p = 0.3;
        n->options.push_back({random_.chance(60) ? which == ELU ? "alpha" : "slope" : "", "0.3"});
    }
    n->low = n->high = c.value(x->low, n->p);
    for (int k = 0; k <= 32; k++) { // and a little more, for what lies between
        const double y = c.value(x->low + (x->high - x->low) * k / 32, n->p);
        n->low = std::min(n->low, y);
        n->high = std::max(n->high, y);
    }
    if (which < SQRT) {
        const double more = 0.02 * (n->high - n->low) + 1e-3;
        const bool positive = n->low > 0;
        n->low = positive ? n->low * 0.9 : n->low - more;
        n->high += more;
    }
    return n;
}

Tree Maker::within(Tree x, double most)
{
    const double bound = bound_of(x);
    if (bound <= most) return x;
    const double by = bound / most;
    const Tree small = literal(std::floor(100 / by) / 100 > 0.1 ? std::floor(100 / by) / 100
                                                                : std::floor(1e4 / by) / 1e4);
    if (random_.chance(70)) return multiply(small, x);
    return divide(x, literal(std::ceil(by * 10) / 10));
}

Tree Maker::positive(Tree x)
{
    if (x->low >= 0.2) return x;
    switch (random_.below(3)) {
    case 0: return add(literal(0.5), curve(10, x)); // 0.5 + square(x)
    case 1: return curve(6, x);                     // exp
    default: return add(curve(1, x), literal(0.25));
    }
}

Tree Maker::name_of(const std::string &name, const Sizes &shape, double low, double high)
{
    auto n = std::make_shared<Node>();
    n->op = Op::NAME;
    n->name = n->text = name;
    n->shape = shape;
    n->low = low;
    n->high = high;
    return n;
}

std::string Maker::sizes_text(const Sizes &shape, bool batch)
{
    std::string text = "[";
    for (size_t d = 0; d < shape.size(); d++) {
        const bool n = batch && shape[d] == batch_ && random_.chance(50);
        text += (d ? random_.chance(70) ? ", " : "," : "") + (n ? "n" : std::to_string(shape[d]));
    }
    return text + "]";
}

Tree Maker::array(const Sizes &shape)
{
    static const char *const texts[] = {"0", "1", "-1", "0.5", "-0.75", "1/4"};
    const bool whole = random_.chance(30);
    auto n = std::make_shared<Node>();
    n->op = Op::ARRAY;
    n->shape = shape;
    for (int64_t i = 0; i < product_of(shape); i++) {
        int64_t inner = 1;
        for (size_t d = shape.size(); d-- > 0;) inner *= shape[d], n->text += i % inner ? "" : "[";
        const int64_t which = random_.below(whole ? 3 : 6);
        n->text += texts[which];
        n->values.push_back(which == 5 ? 0.25 : std::strtod(texts[which], nullptr));
        inner = 1;
        for (size_t d = shape.size(); d-- > 0;)
            inner *= shape[d], n->text += (i + 1) % inner ? "" : "]";
        if (i + 1 < product_of(shape)) n->text += random_.chance(50) ? ", " : ",";
    }
    return n;
}

Tree Maker::declared(const Sizes &shape)
{
    if (where_ == Where::MODEL && !shape.empty() && product_of(shape) <= 12 && random_.chance(15))
        return array(shape);
    if (where_ == Where::FUNCTION) {
        const std::string name = fresh('a');
        function_->arguments.push_back(name);
        function_->argument_shapes.push_back(shape);
        return name_of(name, shape, -1, 1);
    }
    if (where_ == Where::CELL) {
        const std::string name = fresh('p');
        cell_text_ += "  parameter " + name + (shape.empty() ? "" : sizes_text(shape, false)) +
                      " ~ uniform(-1, 1)\n";
        return name_of(name, shape, -1, 1);
    }
    const int64_t which = random_.below(10);
    const std::string name = fresh(which < 4 ? 'x' : 'p');
    if (which < 4 && !shape.empty()) {
        declarations_ += "  input " + name + sizes_text(shape, true) +
                         (random_.chance(30) ? " ~ uniform(-1, 1)\n" : "\n");
    } else if (which < 7 || shape.empty() || shape.size() == 1 || shape.size() > 2) {
        declarations_ += "  parameter " + name + (shape.empty() ? "" : sizes_text(shape, true)) +
                         (random_.chance(50) ? " ~ uniform(-1, 1)\n" : " ~ uniform(-1,0.9)\n");
    } else if (which == 7) {
        declarations_ += "  constant " + name + sizes_text(shape, true) + " ~ uniform(-1, 1)\n";
        drawn.push_back(name);
    } else { /* made where it is used */
        return sized(name, shape, sizes_text(shape, true));
    }
    return name_of(name, shape, -1, 1);
}

Tree Maker::sized(const std::string &name, const Sizes &shape, const std::string &sizes)
{
    auto later = std::make_shared<Node>(*name_of(name, shape, -1, 1));
    later->sized = true;
    auto now = std::make_shared<Node>(*later);
    later->text = name + sizes_text(shape, true);
    now->text = name + sizes;
    variables().push_back({later, true});
    return now;
}

Tree Maker::leaf(const Sizes &shape)
{
    std::vector<Variable *> known;
    for (Variable &v : variables())
        if (v.tree->shape == shape) known.push_back(&v);
    const bool state = where_ == Where::CELL && shape == cell_shape_;
    if (known.empty() || (!state && random_.chance(30))) {
        Tree made = declared(shape);
        if (!made->sized) variables().push_back({made, true});
        return made;
    }
    Variable *v = known[static_cast<size_t>(random_.below(static_cast<int64_t>(known.size())))];
    v->used = true;
    return v->tree;
}

} // namespace random_model
