// Random models as text, each with a tree of its own that dual numbers evaluate (dual.h). The tree
// is made together with the text, never from it.
#ifndef RV_TESTS_LANG_RANDOM_MODEL_H
#define RV_TESTS_LANG_RANDOM_MODEL_H

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/lang/dual.h"

/* What a model must name: as rv_lang_value_of knows it. */
struct NamedValue {
    std::string name;
    Array value;
    int first = -1;  /* direction of the first element's slopes; -1: it has none */
    int origin = -1; /* index of the named value that it is, unchanged; -1: it is new */
};

struct ModelValues {
    std::vector<NamedValue> all; /* in the order of their making */
    Dual loss;

    /* d loss / d element i of a value. */
    double slope(const NamedValue &v, int64_t i) const
    {
        const auto at = static_cast<size_t>(v.first + i);
        return at < loss.slope.size() ? loss.slope[at] : 0;
    }
};

struct Weight {
    std::string name;
    double start; /* of a bias or a gain */
};

class RandomModel {
  public:
    /* What it is mostly about. */
    enum Kind { EXPRESSIONS, SERIES, CELLS, IMAGES, IMAGE_CELLS, KINDS };

    RandomModel(unsigned seed, Kind kind);
    ~RandomModel();
    RandomModel(const RandomModel &) = delete;
    RandomModel &operator=(const RandomModel &) = delete;

    const std::string &text() const;
    /* Biases and gains, which begin as numbers: parameters of the recorded model. */
    const std::vector<Weight> &flat_weights() const;
    /* Values drawn by the library that are no parameters: constants, initial states. */
    const std::vector<std::string> &drawn() const;
    /* With these inputs, parameters and drawn values. */
    ModelValues evaluate(const std::map<std::string, Array> &leaves) const;

  private:
    struct Made;
    std::unique_ptr<Made> made_;
};

#endif
