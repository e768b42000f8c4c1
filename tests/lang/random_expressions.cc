// Random expressions of a shape.
#include "tests/lang/random_maker.h"

namespace random_model {

Sizes Maker::smaller(Sizes shape)
{
    if (random_.chance(40)) return shape;
    const int64_t drop = random_.below(static_cast<int64_t>(shape.size()) + 1);
    shape.erase(shape.begin(), shape.begin() + drop);
    for (int64_t &d : shape)
        if (random_.chance(30)) d = 1;
    return shape;
}

std::pair<Tree, Tree> Maker::two(const Sizes &shape, int depth, bool numbers)
{
    Tree a = expression(shape, depth - 1), b;
    if (numbers && random_.chance(25))
        b = number(2, false);
    else
        b = expression(smaller(shape), depth - 1 - static_cast<int>(random_.below(2)));
    if (random_.chance(50)) std::swap(a, b);
    return {a, b};
}

Tree Maker::expression(const Sizes &shape, int depth)
{
    if (depth <= 0) return leaf(shape);
    Tree made = where_ == Where::CELL ? cell_production(shape, depth) : production(shape, depth);
    return within(made, 20);
}

Tree Maker::arithmetic(const Sizes &shape, int depth)
{
    const auto ab = two(shape, depth, true);
    const Tree &a = ab.first, &b = ab.second;
    switch (random_.below(4)) {
    case 0: return add(a, b);
    case 1: return subtract(a, b);
    case 2: return multiply(a, b);
    default:
        if (b->number) return divide(a, b);
        if (a->number) return divide(a, positive(b));
        return divide(a, positive(b));
    }
}

Tree Maker::power(const Sizes &shape, int depth)
{
    Tree x = expression(shape, depth - 1);
    switch (random_.below(6)) {
    case 0: {
        x = within(x, 3);
        const double most = bound_of(x) * bound_of(x);
        return node(Op::POWER, {x, literal("2")}, shape, 0, most);
    }
    case 1: {
        x = within(x, 2);
        const double most = std::pow(bound_of(x), 3);
        return node(Op::POWER, {x, literal("3")}, shape, -most, most);
    }
    case 2: { // right to left: x^(2^2)
        x = within(x, 1.5);
        return node(Op::POWER, {x, folded(Op::POWER, {literal("2"), literal("2")}, 4)}, shape, 0,
                    std::pow(bound_of(x), 4));
    }
    case 3: { // 2^x
        x = within(x, 2);
        if (random_.chance(40)) x = node(Op::NEGATE, {x}, shape, -x->high, -x->low);
        return node(Op::POWER, {literal("1.5"), x}, shape, std::pow(1.5, x->low),
                    std::pow(1.5, x->high));
    }
    default: {
        x = positive(within(x, 2));
        Tree y = random_.chance(60) ? number(2, false) : within(expression(smaller(shape), 1), 1);
        const double c[] = {std::pow(x->low, y->low), std::pow(x->low, y->high),
                            std::pow(x->high, y->low), std::pow(x->high, y->high)};
        return node(Op::POWER, {x, y}, shape, *std::min_element(c, c + 4),
                    *std::max_element(c, c + 4));
    }
    }
}

Tree Maker::product(const Sizes &shape, int depth)
{
    const size_t r = shape.size();
    const int64_t inner = random_.from(1, 3);
    Sizes left = shape, right = {inner, shape[r - 1]};
    left[r - 1] = inner;
    if (r == 3 && random_.chance(40)) right = {shape[0], inner, shape[2]};
    Tree a = expression(left, depth - 1), b;
    const bool hole = where_ == Where::MODEL && right.size() == 2 && random_.chance(20);
    if (hole) {
        const std::string name = fresh('p');
        b = sized(name, right, "[_, " + std::to_string(right[1]) + "]");
    } else {
        b = expression(right, depth - 1);
    }
    const double most = bound_of(a) * bound_of(b) * static_cast<double>(inner);
    if (r == 2 && !hole && random_.chance(15)) {
        auto n = call("matmul", {a, node(Op::PRIME, {b}, {right[1], right[0]}, b->low, b->high)},
                      shape, -most, most);
        n->flag = true;
        n->options.push_back({"transpose_b", "true"});
        return n;
    }
    return node(Op::MATMUL, {a, b}, shape, -most, most);
}

Tree Maker::primed(const Sizes &shape, int depth)
{
    Sizes from = shape;
    std::swap(from[from.size() - 1], from[from.size() - 2]);
    Tree x = expression(from, depth - 1);
    return node(Op::PRIME, {x}, shape, x->low, x->high);
}

Tree Maker::indexed(const Sizes &shape, int depth)
{
    Sizes from;
    std::vector<Slice> slices;
    size_t d = 0;
    while (d < shape.size() || slices.empty() ||
           (from.size() < 4 && random_.chance(20) && !slices.empty())) {
        Slice s;
        s.one = d == shape.size() || (from.size() < 3 && random_.chance(25));
        const int64_t more = random_.below(3);
        const int64_t size = s.one ? random_.from(1, 3) : shape[d] + more;
        if (s.one) {
            s.first = random_.below(size);
            s.text = std::to_string(random_.chance(30) ? s.first - size : s.first);
        } else {
            s.first = random_.below(more + 1);
            s.size = shape[d++];
            const int64_t end = s.first + s.size;
            const bool open = end == size && random_.chance(70);
            const std::string gap = random_.chance(20) ? " " : "";
            s.text = (s.first == 0 && random_.chance(70) ? "" : std::to_string(s.first)) + gap +
                     ":" + gap +
                     (open                               ? ""
                      : end < size && random_.chance(30) ? std::to_string(end - size)
                                                         : std::to_string(end));
            if (s.text == ":" && random_.chance(20)) s.text = "_";
        }
        from.push_back(size);
        slices.push_back(s);
        if (from.size() == 4 && d < shape.size()) return leaf(shape);
    }
    while (slices.size() > 1 && (slices.back().text == ":" || slices.back().text == "_"))
        slices.pop_back(); // what is not said is all
    Tree x = expression(from, depth - 1);
    if (x->sized) x = node(Op::NEGATE, {x}, x->shape, -x->high, -x->low);
    auto n = std::make_shared<Node>(*node(Op::INDEX, {x}, shape, x->low, x->high));
    n->slices = slices;
    return n;
}

std::string Maker::axes_text(const std::vector<int64_t> &axes, size_t rank)
{
    std::string text;
    for (size_t k = 0; k < axes.size(); k++) {
        const int64_t a = random_.chance(25) ? axes[k] - static_cast<int64_t>(rank) : axes[k];
        text += (k ? ", " : "") + std::to_string(a);
    }
    return axes.size() == 1 && random_.chance(40) ? text : "[" + text + "]";
}

Tree Maker::reduction(const Sizes &shape, int depth)
{
    static const char *const names[] = {"sum", "mean", "log_sum_exp"};
    const std::string name = names[random_.below(3)];
    std::vector<int64_t> ones, axes;
    for (size_t d = 0; d < shape.size(); d++)
        if (shape[d] == 1) ones.push_back(static_cast<int64_t>(d));
    Sizes from = shape;
    const bool keep = !ones.empty() && random_.chance(70);
    if (keep) {
        axes = ones;
        for (int64_t a : axes) from[static_cast<size_t>(a)] = random_.from(2, 3);
    } else {
        const int64_t more = shape.size() >= 3 ? 1 : random_.from(1, 2);
        for (int64_t k = 0; k < more; k++)
            from.insert(from.begin() + random_.below(static_cast<int64_t>(from.size()) + 1), 0);
        for (size_t d = 0; d < from.size(); d++)
            if (from[d] == 0) {
                from[d] = random_.from(2, 3);
                axes.push_back(static_cast<int64_t>(d));
            }
    }
    Tree x = within(expression(from, depth - 1), name == "log_sum_exp" ? 3 : 10);
    const double count =
        static_cast<double>(product_of(from)) / static_cast<double>(product_of(shape));
    const double by = name == "sum" ? count : 1, more = name == "log_sum_exp" ? std::log(count) : 0;
    auto n = call(name, {x}, shape, x->low * by + more, x->high * by + more);
    n->list = axes;
    if (axes.size() < from.size() || random_.chance(50))
        n->options.push_back({random_.chance(75) ? "axes" : "", axes_text(axes, from.size())});
    if (keep || random_.chance(10)) n->options.push_back({"keep", keep ? "true" : "false"});
    return n;
}

Tree Maker::along_axis(const Sizes &shape, int depth)
{
    static const char *const names[] = {"softmax", "log_softmax", "cumulative_sum", "flip"};
    const std::string name = names[random_.below(4)];
    const auto rank = static_cast<int64_t>(shape.size());
    const int64_t axis = random_.below(rank), size = shape[static_cast<size_t>(axis)];
    Tree x = within(expression(shape, depth - 1), 4);
    auto n = call(name, {x}, shape, x->low, x->high);
    n->list = {axis};
    const std::string text = std::to_string(random_.chance(40) ? axis - rank : axis);
    if (name == "flip")
        n->options.push_back({"axes", random_.chance(50) ? text : "[" + text + "]"});
    else
        n->options.push_back({random_.chance(75) ? "axis" : "", text});
    if (name == "softmax") n->low = 0, n->high = 1;
    if (name == "log_softmax") n->low = -2 * bound_of(x) - 2, n->high = 0;
    if (name == "cumulative_sum") {
        n->low = -bound_of(x) * static_cast<double>(size);
        n->high = -n->low;
        n->flag = random_.chance(40);
        if (n->flag) n->options.push_back({"reverse", "true"});
    }
    return n;
}

Tree Maker::rearranged(const Sizes &shape, int depth)
{
    const auto rank = static_cast<int64_t>(shape.size());
    switch (random_.below(4)) {
    case 0: { // reshape
        const int64_t count = product_of(shape);
        Sizes from = {count};
        for (int64_t f = 2; f <= 4; f++)
            if (count % f == 0 && random_.chance(50)) {
                from = {f, count / f};
                break;
            }
        if (from == shape) break;
        Tree x = expression(from, depth - 1);
        auto n = call("reshape", {x}, shape, x->low, x->high);
        std::string text = "[";
        const int64_t open = random_.chance(40) && rank > 0 ? random_.below(rank) : -1;
        for (int64_t d = 0; d < rank; d++)
            text += (d ? ", " : "") +
                    (d == open ? "-1" : std::to_string(shape[static_cast<size_t>(d)]));
        if (shape.empty()) break;
        n->options.push_back({random_.chance(70) ? "shape" : "", text + "]"});
        return n;
    }
    case 1: { // broadcast
        const Sizes from = smaller(shape);
        if (from == shape || shape.empty()) break;
        Tree x = expression(from, depth - 1);
        auto n = call("broadcast", {x}, shape, x->low, x->high);
        n->options.push_back({"shape", sizes_text(shape, false)});
        return n;
    }
    case 2: { // transpose
        if (rank < 2) break;
        std::vector<int64_t> axes;
        for (int64_t d = 0; d < rank; d++) axes.push_back(rank - 1 - d);
        const bool reversed = random_.chance(40);
        for (int64_t d = rank - 1; !reversed && d > 0; d--)
            std::swap(axes[static_cast<size_t>(d)],
                      axes[static_cast<size_t>(random_.below(d + 1))]);
        Sizes from(shape.size());
        for (size_t d = 0; d < shape.size(); d++) from[static_cast<size_t>(axes[d])] = shape[d];
        Tree x = expression(from, depth - 1);
        auto n = call("transpose", {x}, shape, x->low, x->high);
        n->list = axes;
        if (!reversed) {
            std::string text = "[";
            for (int64_t d = 0; d < rank; d++)
                text += (d ? "," : "") + std::to_string(axes[static_cast<size_t>(d)]);
            n->options.push_back({random_.chance(70) ? "axes" : "", text + "]"});
        }
        return n;
    }
    default: { // concat, stack
        if (rank == 0) break;
        const auto axis = static_cast<size_t>(random_.below(rank));
        const bool stack = random_.chance(40) && shape[axis] <= 3;
        if (!stack && shape[axis] < 2) break;
        std::vector<Tree> parts;
        Sizes from = shape;
        if (stack) {
            from.erase(from.begin() + static_cast<long>(axis));
            for (int64_t k = 0; k < shape[axis]; k++) parts.push_back(expression(from, depth - 2));
        } else {
            from[axis] = random_.from(1, shape[axis] - 1);
            parts.push_back(expression(from, depth - 2));
            from[axis] = shape[axis] - from[axis];
            parts.push_back(expression(from, depth - 2));
        }
        double low = 0, high = 0;
        for (const Tree &p : parts) low = std::min(low, p->low), high = std::max(high, p->high);
        auto n = call(stack ? "stack" : "concat", parts, shape, low, high);
        n->list = {static_cast<int64_t>(axis)};
        if (axis > 0 || random_.chance(50))
            n->options.push_back(
                {"axis", std::to_string(n->list[0] - (random_.chance(30) ? rank : 0))});
        return n;
    }
    }
    return expression(shape, depth - 1);
}

Tree Maker::mixture(const Sizes &shape, int depth)
{
    Tree g = random_.chance(70) ? leaf(smaller(shape)) : expression(smaller(shape), 1);
    Tree h = expression(shape, depth - 1), c = expression(smaller(shape), depth - 1);
    if (random_.chance(50)) std::swap(h, c);
    if (h->shape == shape && random_.chance(10)) c = number(1, false);
    return mixed(g, h, c);
}

Tree Maker::mixed(Tree g, Tree h, Tree c)
{
    Tree rest = subtract(literal("1"), g);
    Tree a = random_.chance(80) ? multiply(g, h) : multiply(h, g);
    Tree b = random_.chance(80) ? multiply(rest, c) : multiply(c, rest);
    return random_.chance(50) ? add(a, b) : add(b, a);
}

Tree Maker::limited(const Sizes &shape, int depth)
{
    Tree x = expression(shape, depth - 1);
    if (random_.chance(50)) {
        auto n = call("clamp", {x}, shape, std::max(-0.4, std::min(x->low, 0.6)),
                      std::min(0.6, std::max(x->high, -0.4)));
        n->p = -0.4;
        n->q = 0.6;
        const bool named = random_.chance(60);
        n->options.push_back({named ? "low" : "", "-0.4"});
        n->options.push_back({named ? "high" : "", "3/5"});
        if (named && random_.chance(50)) std::swap(n->options[0], n->options[1]);
        return n;
    }
    const bool most = random_.chance(50);
    const Tree limit = literal("0.15");
    auto n = call(most ? "maximum" : "minimum", {x, limit}, shape,
                  most ? std::max(0.15, x->low) : std::min(0.15, x->low),
                  most ? std::max(0.15, x->high) : std::min(0.15, x->high));
    if (random_.chance(50)) std::swap(n->kids[0], n->kids[1]);
    return n;
}

Tree Maker::function(const Sizes &shape, int depth)
{
    std::shared_ptr<const Function> f;
    for (const auto &known : functions_)
        if (known->result->shape == shape && random_.chance(50)) f = known;
    if (!f && (where_ == Where::FUNCTION || functions_.size() > 3))
        return expression(shape, depth - 1);
    if (!f) f = new_function(shape);
    std::vector<Tree> arguments;
    for (size_t k = 0; k < f->arguments.size(); k++)
        arguments.push_back(f->arguments[k] == f->number
                                ? half_or_two()
                                : within(expression(f->argument_shapes[k], depth - 2), 1));
    auto n = call(f->name, arguments, shape, f->result->low, f->result->high);
    n->function = f;
    return n;
}

Tree Maker::half_or_two()
{
    if (random_.chance(50)) return literal("2");
    return folded(Op::DIVIDE, {literal("1"), literal("2")}, 0.5);
}

std::shared_ptr<const Function> Maker::new_function(const Sizes &shape)
{
    auto f = std::make_shared<Function>();
    const Where outside = where_;
    where_ = Where::FUNCTION;
    function_ = f.get();
    scopes_.emplace_back();
    f->name = fresh('f');
    if (!shape.empty() && random_.chance(40)) {
        f->number = fresh('a');
        f->arguments.push_back(f->number);
        f->argument_shapes.push_back({});
        variables().push_back({name_of(f->number, {}, 0.5, 2), true});
    }
    std::string body;
    const bool block = random_.chance(50);
    const int64_t lines = block ? random_.from(0, 2) : 0;
    for (int64_t k = 0; k < lines; k++) {
        const std::string name = fresh('l');
        Tree value = expression(smaller(shape), 2);
        f->lines.push_back({name, value});
        body += "  " + name + " = " + writer_.write(value, 1) + "\n";
        variables().push_back({name_of(name, value->shape, value->low, value->high)});
    }
    f->result = expression(shape, 2);
    for (const Variable &v : variables())
        if (!v.used && v.tree->name[0] == 'l') f->result = used_too(f->result, v.tree);
    f->result = within(f->result, 5);
    if (f->arguments.size() == !f->number.empty()) f->result = add(f->result, leaf(shape));
    body += "  return " + writer_.write(f->result, 1) + "\n";
    std::string head = "function " + f->name + "(";
    for (size_t k = 0; k < f->arguments.size(); k++) head += (k ? ", " : "") + f->arguments[k];
    if (block)
        functions_text_ += head + ")\n" + body + "\n";
    else
        functions_text_ += head + ") = " + writer_.write(f->result, 1) + "\n\n";
    scopes_.pop_back();
    where_ = outside;
    functions_.push_back(f);
    return f;
}

Tree Maker::used_too(Tree x, Tree v)
{
    auto sum = call("sum", {v}, {}, -bound_of(v) * static_cast<double>(product_of(v->shape)),
                    bound_of(v) * static_cast<double>(product_of(v->shape)));
    for (size_t d = 0; d < v->shape.size(); d++) sum->list.push_back(static_cast<int64_t>(d));
    return add(x, sum);
}

Tree Maker::of_image(const Sizes &shape, int depth)
{
    const int64_t kh = random_.from(1, 3), kw = random_.from(1, 3), channels = random_.from(1, 2);
    Sizes from = shape, kernel = {shape[1], channels, kh, kw};
    const int64_t which = random_.below(6);
    static const char *const names[] = {"conv",   "true_conv", "full_conv",
                                        "rot180", "pad1",      "crop1"};
    auto n = call(names[which], {}, shape, 0, 0);
    if (which == 2 && (shape[2] < kh || shape[3] < kw)) return leaf(shape);
    if (which == 4 && (shape[2] < 3 || shape[3] < 3)) return leaf(shape);
    const int64_t by = which < 2 ? 1 : -1;
    if (which < 3) {
        from[1] = channels;
        from[2] += by * (kh - 1);
        from[3] += by * (kw - 1);
    }
    if (which == 4) from[2] -= 2, from[3] -= 2;
    if (which == 5) from[2] += 2, from[3] += 2;
    Tree x = expression(from, depth - 1);
    n->kids = {x};
    n->low = std::min(x->low, 0.0);
    n->high = std::max(x->high, 0.0);
    if (which < 3) {
        Tree w;
        const bool hole = which == 0 && where_ == Where::MODEL && random_.chance(40);
        if (hole) {
            const std::string name = fresh('p');
            w = sized(name, kernel,
                      "[" + std::to_string(shape[1]) + ", _, " + std::to_string(kh) + ", " +
                          std::to_string(kw) + "]");
        } else {
            w = random_.chance(70) ? leaf(kernel) : expression(kernel, 1);
        }
        n->kids.push_back(w);
        n->high = bound_of(x) * bound_of(w) * static_cast<double>(channels * kh * kw);
        n->low = -n->high;
    }
    return n;
}

Tree Maker::production(const Sizes &shape, int depth)
{
    const size_t rank = shape.size();
    if (rank == 4 && random_.chance(60)) return of_image(shape, depth);
    if (rank == 2 && image_side_ > 0 && shape[1] % 4 == 0 && random_.chance(50)) {
        Tree x = expression({shape[0], shape[1] / 4, 2, 2}, depth - 1);
        return call("flatten", {x}, shape, x->low, x->high);
    }
    switch (random_.below(16)) {
    case 0: return leaf(shape);
    case 1:
    case 2:
    case 3: return arithmetic(shape, depth);
    case 4:
    case 5: {
        const int which = static_cast<int>(random_.below(CURVES));
        Tree x = expression(shape, depth - 1);
        return curve(which, which >= SQRT ? positive(x) : x);
    }
    case 6: {
        Tree x = expression(shape, depth - 1);
        return node(Op::NEGATE, {x}, shape, -x->high, -x->low);
    }
    case 7: return power(shape, depth);
    case 8:
        if (rank >= 2 && rank <= 3) return product(shape, depth);
        return arithmetic(shape, depth);
    case 9: return rank >= 2 ? primed(shape, depth) : reduction(shape, depth);
    case 10: return rank <= 3 ? indexed(shape, depth) : arithmetic(shape, depth);
    case 11: return rank <= 3 ? reduction(shape, depth) : limited(shape, depth);
    case 12: return rank >= 1 ? along_axis(shape, depth) : reduction(shape, depth);
    case 13: return rearranged(shape, depth);
    case 14: return random_.chance(50) ? mixture(shape, depth) : limited(shape, depth);
    default: return function(shape, depth);
    }
}

Sizes Maker::some_shape(bool image)
{
    if (image) {
        image_side_ = 4;
        if (random_.chance(30)) return {batch_, random_.chance(50) ? 4 : 8};
        return {batch_, random_.from(1, 2), random_.from(2, 4), random_.from(2, 4)};
    }
    Sizes shape;
    const int64_t rank = random_.chance(20) ? 0 : random_.chance(20) ? 1 : random_.from(2, 3);
    for (int64_t d = 0; d < rank; d++) shape.push_back(random_.from(1, 3));
    if (rank > 0) shape[0] = batch_;
    return shape;
}

} // namespace random_model
