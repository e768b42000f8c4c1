// Makes up random models: trees, and their text at the same time.
#ifndef RV_TESTS_LANG_RANDOM_MAKER_H
#define RV_TESTS_LANG_RANDOM_MAKER_H

#include <map>

#include "tests/lang/random_model.h"
#include "tests/lang/random_writer.h"

namespace random_model {

struct Variable {
    Tree tree;
    bool used = false;
};

class Maker {
  public:
    Maker(unsigned seed, RandomModel::Kind kind);
    std::string text;
    std::vector<Statement> statements;
    std::vector<Weight> flat;
    std::vector<std::string> drawn;

  private:
    enum class Where { MODEL, FUNCTION, CELL };

    // ---- names, numbers ----

    std::string fresh(char letter);
    Tree literal(const std::string &text);
    Tree literal(double value);
    // One that no other line has: so the value that it ends with is no other node of the tape.
    Tree unique() { return literal(0.5 + 0.0137 * static_cast<double>(++uniques_)); }

    Tree folded(Op op, std::vector<Tree> kids, double value);
    // A number, mostly made of others: from 0.3 to 4, or below zero.
    Tree number(int depth, bool positive);

    // ---- nodes ----

    Tree node(Op op, std::vector<Tree> kids, Sizes shape, double low, double high);
    std::shared_ptr<Node> call(const std::string &name, std::vector<Tree> kids, Sizes shape,
                               double low, double high);
    Tree add(Tree a, Tree b);
    Tree subtract(Tree a, Tree b);
    Tree multiply(Tree a, Tree b);
    // b away from zero
    Tree divide(Tree a, Tree b);
    Tree curve(int which, Tree x);
    // Made smaller if it may be larger.
    Tree within(Tree x, double most);
    // From 0.2 on.
    Tree positive(Tree x);

    // ---- leaves ----

    std::vector<Variable> &variables() { return scopes_.back(); }

    Tree name_of(const std::string &name, const Sizes &shape, double low, double high);
    std::string sizes_text(const Sizes &shape, bool batch);
    // [1, 0.5] and so on.
    Tree array(const Sizes &shape);
    Tree declared(const Sizes &shape);
    // A parameter made where it is used; elsewhere it has all its sizes.
    Tree sized(const std::string &name, const Sizes &shape, const std::string &sizes);
    // Something that has a name.
    Tree leaf(const Sizes &shape);

    // ---- expressions ----

    // A shape that broadcasts to this one.
    Sizes smaller(Sizes shape);
    // Two values one of which has the shape, the other at most.
    std::pair<Tree, Tree> two(const Sizes &shape, int depth, bool numbers);
    Tree expression(const Sizes &shape, int depth);
    Tree arithmetic(const Sizes &shape, int depth);
    Tree power(const Sizes &shape, int depth);
    Tree product(const Sizes &shape, int depth);
    Tree primed(const Sizes &shape, int depth);
    Tree indexed(const Sizes &shape, int depth);
    std::string axes_text(const std::vector<int64_t> &axes, size_t rank);
    Tree reduction(const Sizes &shape, int depth);
    Tree along_axis(const Sizes &shape, int depth);
    Tree rearranged(const Sizes &shape, int depth);
    // g.h + (1 - g).c, in any order of everything, with a gate that has a name or not.
    Tree mixture(const Sizes &shape, int depth);
    Tree mixed(Tree g, Tree h, Tree c);
    Tree limited(const Sizes &shape, int depth);
    // A function of the text; a new one now and then.
    Tree function(const Sizes &shape, int depth);
    Tree half_or_two();
    std::shared_ptr<const Function> new_function(const Sizes &shape);
    // x + v, though v may have another shape.
    Tree used_too(Tree x, Tree v);
    Tree of_image(const Sizes &shape, int depth);
    Tree production(const Sizes &shape, int depth);
    Sizes some_shape(bool image);

    // ---- cells ----

    Tree along(bool bias);
    // W e.
    Tree mapped(int depth);
    Tree cell_production(const Sizes &shape, int depth);
    // An equation of a cell, whose value is made of something that no other is.
    Tree line(int depth, Tree also);
    std::string declared_shape(const State &s);
    Tree read_of(const State &memory);
    Tree written_to(const State &memory);
    std::shared_ptr<Cell> make_cell();
    Tree mapped_input();
    // A cell, and how it is to be unrolled.
    std::shared_ptr<const Cell> new_cell(bool images);
    // One or two lines h = unroll cell(x, ..), perhaps of one cell, which perhaps share parameters.
    void unrolls(bool images);
    void unrolled(const std::shared_ptr<const Cell> &cell, const std::string &name, bool same_cell);

    // ---- models ----

    void define(const Sizes &shape, int depth);
    // z[0] = .., and from there on or back.
    void series();
    // Everything that has not been used counts.
    void loss();
    void assemble();

    Random random_;
    Writer writer_;
    int64_t batch_ = 2, kernel_ = 0, image_side_ = 0;
    int uniques_ = 0;
    bool many_strands_ = false; // several layers or directions
    std::vector<std::pair<std::string, double>> cell_flat_;
    bool biases_ = true, windows_ = false;
    double forget_ = 1;
    Where where_ = Where::MODEL;
    Function *function_ = nullptr;
    Sizes cell_shape_, input_shape_;
    Tree input_;
    std::string activation_;
    std::string functions_text_, cells_text_, cell_text_, declarations_, lines_;
    std::map<char, int> names_;
    std::vector<std::vector<Variable>> scopes_{1};
    std::vector<std::shared_ptr<const Function>> functions_;
};

} // namespace random_model

#endif
