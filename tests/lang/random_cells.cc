// Random cells and their unrolls.
#include <algorithm>

#include "tests/lang/random_maker.h"

namespace random_model {

Tree Maker::along(bool bias)
{
    const std::string name = fresh(bias ? 'b' : 'q');
    double start = 0;
    std::string text;
    if (random_.chance(40)) {
        start = random_.chance(50) ? forget_ : 0.75;
        text = start == forget_ ? " = forget" : " = 0.75";
    }
    cell_text_ += (bias ? "  bias " : "  gain ") + name + text + "\n";
    auto n = std::make_shared<Node>();
    n->op = Op::ALONG;
    n->name = n->text = name;
    n->shape = cell_shape_;
    n->shape.erase(n->shape.begin());
    for (size_t d = 1; d < n->shape.size(); d++) n->shape[d] = 1;
    n->flag = bias && !biases_;
    n->p = start;
    n->low = n->flag ? start : -1;
    n->high = n->flag ? start : 1;
    if (!n->flag) cell_flat_.push_back({name, start});
    return n;
}

Tree Maker::mapped(int depth)
{
    const bool from_input = random_.chance(40);
    Tree x = from_input ? input_ : expression(cell_shape_, depth - 1);
    auto n = std::make_shared<Node>();
    n->shape = cell_shape_;
    n->name = fresh('w');
    const auto channels = static_cast<double>(x->shape[1]);
    if (windows_) {
        if (!from_input) {
            Tree inner = x;
            x = call("pad1", {inner}, {}, std::min(0.0, inner->low), std::max(0.0, inner->high));
            auto padded = std::make_shared<Node>(*x);
            padded->shape = inner->shape;
            padded->shape[2] += 2;
            padded->shape[3] += 2;
            x = padded;
        }
        auto w =
            std::make_shared<Node>(*name_of(n->name, {cell_shape_[1], x->shape[1], 3, 3}, -1, 1));
        w->text = n->name + "[3, 3]";
        const double most = bound_of(x) * 3 * std::sqrt(channels);
        return call("conv", {x, w}, cell_shape_, -most, most);
    }
    n->op = Op::MAP;
    n->kids = {x};
    const bool wide = random_.chance(20);
    n->list = {kernel_ / 2};
    n->high = (wide ? 1 : 1 / std::sqrt(channels)) * channels * bound_of(x) *
              (kernel_ ? wide ? 9 : 3 : 1);
    n->low = -n->high;
    const bool fit = from_input && random_.chance(20);
    cell_text_ +=
        (fit ? "  fit " : "  map ") + n->name + (wide && !fit ? " ~ uniform(-1, 1)\n" : "\n");
    if (fit && input_->shape[1] == cell_shape_[1]) {
        auto same = call("same", {x}, cell_shape_, x->low, x->high);
        same->text = n->name;
        return same;
    }
    return n;
}

Tree Maker::cell_production(const Sizes &shape, int depth)
{
    if (shape != cell_shape_) return leaf(shape);
    const bool rows = shape.size() == 2;
    switch (random_.below(12)) {
    case 0:
    case 1: return mapped(depth);
    case 2:
    case 3: {
        Tree x = expression(shape, depth - 1), b = along(true);
        return random_.chance(70) ? add(x, b) : add(b, x);
    }
    case 4: {
        Tree x = expression(shape, depth - 1), p = along(false);
        return random_.chance(30) ? multiply(x, p) : multiply(p, x);
    }
    case 5: {
        Tree g = leaf(shape), h = expression(shape, depth - 1);
        Tree c = random_.chance(10) ? along(false) : expression(shape, depth - 1);
        return random_.chance(50) ? mixed(g, h, c) : mixed(g, c, h);
    }
    case 6:
    case 7: {
        Tree x = expression(shape, depth - 1);
        if (activation_.empty() || random_.chance(60))
            return curve(static_cast<int>(random_.below(SQRT)), x);
        auto n = std::make_shared<Node>(*curve(0, x));
        n->text = activation_; // stands for tanh
        n->options.clear();
        return n;
    }
    case 8: {
        Tree x = expression(shape, depth - 1), y = expression(shape, depth - 1);
        return random_.chance(50) ? add(x, y) : multiply(x, y);
    }
    case 9: {
        Tree x = expression(shape, depth - 1);
        const Sizes flat_shape = rows && random_.chance(50) ? Sizes{shape[1]} : Sizes{};
        return random_.chance(50) ? subtract(x, leaf(flat_shape)) : multiply(leaf(flat_shape), x);
    }
    case 10: {
        if (!rows) return expression(shape, depth - 1);
        const Sizes square = {shape[1], shape[1]};
        Tree x = expression(shape, depth - 1), w = declared(square);
        if (random_.chance(30)) w = node(Op::PRIME, {w}, square, w->low, w->high);
        const double most = bound_of(x) * bound_of(w) * static_cast<double>(shape[1]);
        return node(Op::MATMUL, {x, w}, shape, -most, most);
    }
    default: {
        Tree x = within(expression(shape, depth - 1), 4);
        if (random_.chance(50)) return subtract(literal("1"), x);
        if (!rows) return node(Op::NEGATE, {x}, shape, -x->high, -x->low);
        auto n = call("softmax", {x}, shape, 0, 1);
        n->list = {1};
        n->options.push_back({"axis", random_.chance(50) ? "1" : "-1"});
        return n;
    }
    }
}

Tree Maker::line(int depth, Tree also)
{
    Tree e = expression(cell_shape_, depth);
    if (many_strands_) /* so that no two layers or directions compute the same */
        also = also ? within(add(also, mapped_input()), 3) : mapped_input();
    if (also) e = random_.chance(50) ? add(e, also) : subtract(also, e);
    Tree u = unique();
    e = within(e, 3);
    if (random_.chance(50)) e = curve(random_.chance(50) ? 0 : 1, e);
    return random_.chance(50) ? multiply(u, e) : subtract(e, u);
}

/* "[units, 2]", or the numbers. */
std::string Maker::declared_shape(const State &s)
{
    std::string text;
    for (size_t d = 1; d < s.shape.size(); d++) {
        const std::string size = std::to_string(s.shape[d]);
        text +=
            (d > 1 ? ", " : "[") + (d == 1 && random_.chance(60) ? "units"
                                    : random_.chance(70)         ? size
                                                         : std::to_string(2 * s.shape[d]) + " / 2");
    }
    return text + "]";
}

/* A memory [n,units,m] in the shape of the output. */
Tree Maker::read_of(const State &memory)
{
    auto n = call("mean", {name_of(memory.name, memory.shape, -2, 2)}, cell_shape_, -2, 2);
    n->list = {2};
    n->options.push_back({"axes", random_.chance(50) ? "[2]" : "[-1]"});
    return n;
}

/* The next value of a memory: all its columns read the same. */
Tree Maker::written_to(const State &memory)
{
    Tree x = within(expression(cell_shape_, 2), 2);
    const Sizes column = {cell_shape_[0], cell_shape_[1], 1};
    auto row = call("reshape", {x}, column, x->low, x->high);
    row->options.push_back({"shape", "[-1, units, 1]"});
    Tree old = name_of(memory.name, memory.shape, -2, 2);
    return multiply(
        unique(),
        curve(0, add(node(Op::MULTIPLY, {literal("0.5"), old}, memory.shape, -1, 1), row)));
}

std::shared_ptr<Cell> Maker::make_cell()
{
    auto c = std::make_shared<Cell>();
    cell_text_ = "";
    cell_flat_.clear();
    where_ = Where::CELL;
    scopes_.emplace_back();
    c->name = fresh('c');
    if (random_.chance(30)) c->input = fresh('u');
    input_ = name_of(c->input, input_shape_, -1, 1);
    if (input_shape_ == cell_shape_) variables().push_back({input_, true});
    const int64_t states = random_.from(1, 3);
    std::vector<State> memories;
    for (int64_t k = 0; k < states; k++) {
        State s;
        s.name = fresh('h');
        s.start = random_.chance(60) ? 0 : random_.chance(50) ? 1 : 2;
        s.number = 0.25;
        s.shape = cell_shape_;
        const bool memory = k > 0 && cell_shape_.size() == 2 && random_.chance(35);
        if (memory) s.shape.push_back(random_.from(1, 3));
        if (memory) memories.push_back(s);
        cell_text_ += "  state " + s.name +
                      (memory || random_.chance(25) ? declared_shape(s) : "") +
                      (s.start == 1   ? " = 1/4\n"
                       : s.start == 2 ? " ~ uniform(-1, 1)\n"
                                      : "\n");
        c->states.push_back(s);
        variables().push_back({name_of(s.name, s.shape, -2, 2), false});
    }
    if (random_.chance(60)) {
        activation_ = fresh('s');
        cell_text_ += "  activation " + activation_ + " = tanh\n";
    }
    std::string lines;
    const int64_t gates = random_.from(1, 3);
    for (int64_t k = 0; k < gates; k++) {
        Tree also = k == 0 ? mapped_input() : nullptr;
        for (const State &m : k == 0 ? memories : std::vector<State>())
            also = add(also, read_of(m));
        Equation e{fresh('g'), false, true, line(3, also)};
        lines += "  " + e.target + writer_.space() + "=" + writer_.space() +
                 writer_.write(e.value, 1) + "\n";
        variables().push_back({name_of(e.target, cell_shape_, e.value->low, e.value->high), false});
        c->equations.push_back(e);
    }
    std::vector<size_t> order(c->states.size());
    for (size_t k = 0; k < order.size(); k++) order[k] = k;
    if (random_.chance(50)) std::reverse(order.begin(), order.end());
    for (size_t k : order) {
        if (c->states[k].shape != cell_shape_) {
            Equation written{c->states[k].name, true, true, written_to(c->states[k])};
            lines += "  " + written.target + "' = " + writer_.write(written.value, 1) + "\n";
            c->equations.push_back(written);
            continue;
        }
        // every gate and every other state's next value counts
        Tree also = name_of(c->states[k].name, cell_shape_, -2, 2);
        for (Variable &v : variables())
            if (!v.used && v.tree->shape == cell_shape_) {
                v.used = true;
                also = add(also, v.tree);
            }
        Equation e{c->states[k].name, true, true, nullptr};
        e.value = line(3, within(also, 3));
        if (bound_of(e.value) > 2) e.value = multiply(unique(), curve(0, e.value));
        lines += "  " + e.target + "' = " + writer_.write(e.value, 1) + "\n";
        variables().push_back(
            {name_of(e.target + "'", cell_shape_, e.value->low, e.value->high), false});
        c->equations.push_back(e);
    }
    cells_text_ += "cell " + c->name + (c->input == "x" ? "" : "(" + c->input + ")") + "\n" +
                   cell_text_ + lines + "\n";
    activation_ = "";
    scopes_.pop_back();
    where_ = Where::MODEL;
    c->flat = cell_flat_;
    return c;
}

Tree Maker::mapped_input()
{
    auto n = std::make_shared<Node>();
    n->op = Op::MAP;
    n->name = fresh('w');
    n->kids = {input_};
    n->shape = cell_shape_;
    n->list = {kernel_ / 2};
    n->high = std::sqrt(static_cast<double>(input_shape_[1])) * (kernel_ ? 3 : 1);
    n->low = -n->high;
    if (windows_) {
        auto w = std::make_shared<Node>(
            *name_of(n->name, {cell_shape_[1], input_shape_[1], 3, 3}, -1, 1));
        w->text = n->name + "[3,3]";
        return call("conv", {input_, w}, cell_shape_, -3, 3);
    }
    cell_text_ += "  map " + n->name + "\n";
    return n;
}

std::shared_ptr<const Cell> Maker::new_cell(bool images)
{
    const int64_t units = random_.from(1, 3);
    int64_t width = random_.from(1, 3), layers = 1;
    const int64_t directions = random_.chance(30) ? 2 : 1;
    windows_ = images && random_.chance(40);
    if (!windows_ && random_.chance(20)) {
        layers = 2;
        width = directions * units;
    }
    kernel_ = images && !windows_ ? 3 : 0;
    biases_ = random_.chance(75);
    const bool forgets_given = random_.chance(30);
    forget_ = forgets_given ? 0.5 : 1;
    cell_shape_ = {batch_, units};
    input_shape_ = {batch_, width};
    if (images) {
        const int64_t side = 3;
        input_shape_ = {batch_, width, side + (windows_ ? 2 : 0), side + (windows_ ? 2 : 0)};
        cell_shape_ = {batch_, units, side, side};
    }
    many_strands_ = layers * directions > 1;
    const Sizes state_shape = cell_shape_, input_shape = input_shape_;
    std::shared_ptr<Cell> cell = make_cell();
    cell->state_shape = state_shape;
    cell->input_shape = input_shape;
    cell->kernel = kernel_;
    cell->biases = biases_;
    cell->forgets_given = forgets_given;
    cell->layers = layers;
    cell->directions = directions;
    return cell;
}

void Maker::unrolls(bool images)
{
    std::shared_ptr<const Cell> cell = new_cell(images);
    const bool several = random_.chance(30), same_cell = several && random_.chance(60);
    const std::string name = random_.chance(40) ? fresh('e') : "";
    unrolled(cell, name, same_cell);
    if (!several) return;
    if (!same_cell) cell = new_cell(images);
    const bool share = same_cell && random_.chance(40);
    unrolled(cell, share ? name : random_.chance(40) ? fresh('e') : "", same_cell);
}

void Maker::unrolled(const std::shared_ptr<const Cell> &cell, const std::string &name,
                     bool same_cell)
{
    Statement s;
    s.what = What::UNROLL;
    s.equation.target = fresh('k');
    s.cell = cell;
    s.steps = random_.from(1, 4);
    s.sequence = random_.chance(60);
    s.layers = cell->layers;
    s.directions = cell->directions;
    s.state_shape = cell->state_shape;
    s.reverse = s.directions == 1 && random_.chance(25);
    s.whole = s.state_shape.size() == 2 && random_.chance(30);
    if (s.directions == 1 && cell->states.size() > 1 && random_.chance(30)) s.second = fresh('k');
    s.prefix = !name.empty() ? name + "/" : same_cell ? s.equation.target + "/" : "";
    s.inside = same_cell ? s.equation.target + "_" : "";
    std::vector<std::string> prefixes;
    for (int64_t layer = 0; layer < s.layers; layer++)
        for (int64_t d = 0; d < s.directions; d++) prefixes.push_back(strand_prefix(s, layer, d));
    const bool known = std::any_of(statements.begin(), statements.end(), [&](const Statement &t) {
        return t.what == What::UNROLL && t.prefix == s.prefix;
    });
    Sizes shape = cell->input_shape;
    if (s.sequence) shape.insert(shape.begin() + 1, s.steps);
    s.input = shape.size() > 4 ? leaf(shape) : within(expression(shape, 2), 1);
    std::vector<std::pair<std::string, std::string>> options;
    options.push_back({"units", std::to_string(s.state_shape[1])});
    if (cell->kernel) options.push_back({"kernel", "3"});
    if (!cell->biases) options.push_back({"bias", "false"});
    if (cell->forgets_given) options.push_back({"forget", "0.5"});
    if (s.layers > 1) options.push_back({"layers", std::to_string(s.layers)});
    if (s.directions > 1) options.push_back({"bidirectional", "true"});
    if (s.reverse) options.push_back({"reverse", "true"});
    if (!name.empty()) options.push_back({"name", "\"" + name + "\""});
    for (const State &state : cell->states) {
        Tree given;
        if (prefixes.size() == 1 && random_.chance(30)) {
            Sizes start = state.shape;
            if (random_.chance(40)) start[0] = 1;
            given = within(expression(start, start.size() > 2 ? 1 : 2), 2);
            options.push_back({state.name, writer_.write(given, 1)});
        }
        s.initial.push_back(given);
        for (const std::string &prefix : prefixes)
            if (state.start == 2 && !given) drawn.push_back(prefix + state.name + "/start");
    }
    for (const std::string &prefix : prefixes)
        for (const auto &start : cell->flat)
            if (!known) flat.push_back({prefix + start.first, start.second});
    std::string text = "  " + s.equation.target + (s.second.empty() ? "" : ", " + s.second) +
                       " = unroll " + writer_.call(cell->name, {s.input}, options);
    if (s.whole && s.sequence) text += " all steps";
    if (!s.sequence)
        text += (s.whole ? " all " : " for ") + std::to_string(s.steps) +
                (s.steps == 1 ? " step" : " steps");
    lines_ += text + "\n";
    statements.push_back(s);
    Sizes output = s.state_shape;
    output[1] *= s.directions;
    if (s.whole) output.insert(output.begin() + 1, s.steps);
    variables().push_back({name_of(s.equation.target, output, -2, 2), false});
    if (!s.second.empty()) {
        Sizes second = cell->states[1].shape;
        if (s.whole) second.insert(second.begin() + 1, s.steps);
        variables().push_back({name_of(s.second, second, -2, 2), false});
    }
    for (const Equation &e : cell->equations) { // what is inside
        const bool memory =
            std::any_of(cell->states.begin(), cell->states.end(), [&](const State &m) {
                return m.name == e.target && m.shape != s.state_shape;
            });
        if (memory || !random_.chance(40)) continue;
        const int64_t t = random_.from(1, s.steps);
        auto inside =
            std::make_shared<Node>(*name_of(timed(s.inside + e.target, t), s.state_shape, -5, 5));
        if (random_.chance(50)) inside->text = s.inside + e.target + std::to_string(t);
        variables().push_back({inside, false});
    }
}

} // namespace random_model
