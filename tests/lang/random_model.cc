// Random models: their equations and their loss.
#include "tests/lang/random_model.h"

#include "tests/lang/random_evaluation.h"
#include "tests/lang/random_maker.h"

namespace random_model {

Maker::Maker(unsigned seed, RandomModel::Kind kind) : random_(seed), writer_(&random_)
{
    batch_ = random_.from(2, 3);
    if (kind == RandomModel::CELLS || kind == RandomModel::IMAGE_CELLS) {
        unrolls(kind == RandomModel::IMAGE_CELLS);
    } else {
        const int count = static_cast<int>(random_.from(2, 4));
        for (int k = 0; k < count; k++) define(some_shape(kind == RandomModel::IMAGES), 4);
    }
    if (kind == RandomModel::SERIES) series();
    if (random_.chance(60)) define(some_shape(false), 3);
    loss();
    assemble();
}

void Maker::define(const Sizes &shape, int depth)
{
    Statement s;
    Tree e = expression(shape, depth);
    s.equation.slopes = random_.chance(60);
    if (s.equation.slopes) {
        Tree u = unique();
        e = within(e, 4);
        const int64_t how = random_.below(4);
        e = how == 0   ? multiply(u, e)
            : how == 1 ? add(e, u)
            : how == 2 ? subtract(u, e)
                       : multiply(e, u);
    }
    s.equation.target = fresh('k');
    s.equation.value = e;
    lines_ += "  " + s.equation.target + writer_.space() + "=" + writer_.space() +
              writer_.write(e, 1) + (random_.chance(5) ? "  # a comment: (\n" : "\n");
    statements.push_back(s);
    variables().push_back({name_of(s.equation.target, shape, e->low, e->high), false});
}

void Maker::series()
{
    const Sizes shape = {batch_, random_.from(1, 3)};
    const int64_t steps = random_.from(1, 3);
    const bool down = random_.chance(40);
    const std::string name = fresh('z');
    Statement first, loop, next;
    first.what = next.what = What::ELEMENT;
    first.time = down ? steps : 0;
    first.equation.target = next.equation.target = name;
    first.equation.value = within(expression(shape, 2), 2);
    lines_ += "  " + name + "[" + std::to_string(first.time) +
              "] = " + writer_.write(first.equation.value, 1) + "\n";
    statements.push_back(first);

    const auto at = [&](int64_t offset) {
        auto n = std::make_shared<Node>(*name_of(name, shape, -2, 2));
        n->flag = true;
        n->list = {offset};
        n->text = name + (offset == 0 ? "[t]" : offset < 0 ? "[t - 1]" : "[t+1]");
        return n;
    };
    const auto outside = variables().size();
    auto before = at(down ? 0 : -1);
    variables().push_back({before, true});
    Tree e = within(expression(shape, 3), 3), u = unique();
    e = multiply(u, curve(0, within(random_.chance(50) ? add(before, e) : subtract(e, before), 2)));
    next.equation.value = e;
    next.equation.slopes = true;
    next.time = down ? -1 : 0;
    loop.what = What::LOOP;
    loop.from = down ? steps : 1;
    loop.to = down ? 0 : steps + 1;
    loop.body = {next};
    lines_ += "  for t from " + std::to_string(loop.from) + (down ? " down to 1" : " to ") +
              (down ? "" : std::to_string(steps)) + "\n    " + name + (down ? "[t - 1]" : "[t]") +
              " = " + writer_.write(e, 1) + "\n";
    statements.push_back(loop);
    variables().erase(variables().begin() + static_cast<long>(outside));
    for (int64_t t = 0; t <= steps; t++) {
        auto n = std::make_shared<Node>(*name_of(timed(name, t), shape, -3, 3));
        if (random_.chance(40)) n->text = name + std::to_string(t);
        variables().push_back({n, t != (down ? 0 : steps)});
    }
}

void Maker::loss()
{
    Statement s;
    Tree total;
    for (size_t k = 0; k < variables().size(); k++) {
        Variable v = variables()[k];
        if (v.used) continue;
        const double bound = bound_of(v.tree);
        const auto count = static_cast<double>(product_of(v.tree->shape));
        Tree term;
        if (random_.chance(30) && !v.tree->shape.empty()) {
            Tree target = leaf(v.tree->shape);
            term = call("mean_squared_error", {v.tree, target}, {}, 0,
                        (bound + bound_of(target)) * (bound + bound_of(target)));
        } else if (random_.chance(50)) {
            auto mean = call(
                "mean", {node(Op::POWER, {v.tree, literal("2")}, v.tree->shape, 0, bound * bound)},
                {}, 0, bound * bound);
            for (size_t d = 0; d < v.tree->shape.size(); d++)
                mean->list.push_back(static_cast<int64_t>(d));
            term = mean;
        } else {
            auto sum = call("sum", {curve(3, v.tree)}, {}, -count, count);
            for (size_t d = 0; d < v.tree->shape.size(); d++)
                sum->list.push_back(static_cast<int64_t>(d));
            term = sum;
        }
        total = !total ? term : random_.chance(50) ? add(total, term) : subtract(term, total);
    }
    s.equation.target = "loss";
    s.equation.value = total;
    lines_ += "  loss = " + writer_.write(total, 1) + "\n";
    statements.push_back(s);
}

void Maker::assemble()
{
    const std::string model = fresh('m');
    text = functions_text_ + cells_text_ + "model " + model + "(n=" + std::to_string(batch_) +
           ")\n" + declarations_ + lines_;
}

} // namespace random_model

struct RandomModel::Made {
    Made(unsigned seed, Kind kind) : maker(seed, kind) {}
    random_model::Maker maker;
};

RandomModel::RandomModel(unsigned seed, Kind kind) : made_(new Made(seed, kind)) {}
RandomModel::~RandomModel() = default;

const std::string &RandomModel::text() const { return made_->maker.text; }
const std::vector<Weight> &RandomModel::flat_weights() const { return made_->maker.flat; }
const std::vector<std::string> &RandomModel::drawn() const { return made_->maker.drawn; }

ModelValues RandomModel::evaluate(const std::map<std::string, Array> &leaves) const
{
    random_model::Evaluation e(leaves);
    e.run(made_->maker.statements, 0);
    e.result.loss = e.find("loss").at[0];
    return e.result;
}
