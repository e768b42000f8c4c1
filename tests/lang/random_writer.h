// Trees as text.
#ifndef RV_TESTS_LANG_RANDOM_WRITER_H
#define RV_TESTS_LANG_RANDOM_WRITER_H

#include <random>

#include "tests/lang/random_tree.h"

namespace random_model {

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    int64_t below(int64_t n) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n)); }
    int64_t from(int64_t low, int64_t high) { return low + below(high - low + 1); }
    bool chance(int percent) { return below(100) < percent; }
    template <class T> const T &one_of(const std::vector<T> &of)
    {
        return of[static_cast<size_t>(below(static_cast<int64_t>(of.size())))];
    }

  private:
    std::mt19937_64 engine_;
};

// Trees as text, with the brackets that they need and some more.
class Writer {
  public:
    explicit Writer(Random *random) : random_(random) {}

    // The expression where an operand of this strength is needed: 1 sum, 2 product, 3 sign, 4
    // power, 5 map, 6 with index or prime, 7 name.
    std::string write(const Tree &t, int strength)
    {
        int own;
        std::string text = bare(*t, &own);
        if (own < strength || random_->chance(6)) text = bracketed(text);
        return text;
    }
    std::string call(const std::string &name, const std::vector<Tree> &arguments,
                     const std::vector<std::pair<std::string, std::string>> &options)
    {
        std::string text = name + "(";
        std::vector<std::string> items;
        depth_++;
        for (const Tree &a : arguments) items.push_back(write(a, 1));
        for (const auto &o : options)
            items.push_back(o.first.empty() ? o.second : o.first + gap() + "=" + gap() + o.second);
        for (size_t i = 0; i < items.size(); i++) text += (i ? "," : "") + gap() + items[i];
        depth_--;
        return text + gap() + ")";
    }
    // Some space, in brackets now and then a new line.
    std::string gap()
    {
        if (depth_ > 0 && random_->chance(1))
            return random_->chance(50) ? "\n        " : "  # more\n          ";
        return std::string(random_->chance(80) ? 0 : random_->chance(80) ? 1 : 3, ' ');
    }
    std::string space() { return random_->chance(70) ? " " : gap(); }

  private:
    std::string bracketed(const std::string &text) { return "(" + gap() + text + gap() + ")"; }

    std::string both(const Node &n, const char *sign, int left, int right)
    {
        const std::string a = write(n.kids[0], left), b = write(n.kids[1], right);
        const bool digits = std::isdigit(static_cast<unsigned char>(b[0])) && *sign == '.';
        const std::string before = digits && a.back() != ' ' ? " " : space();
        return a + before + sign + space() + b;
    }

    std::string bare(const Node &n, int *own)
    {
        *own = 7;
        switch (n.op) {
        case Op::NUMBER:
        case Op::ARRAY:
        case Op::NAME:
        case Op::ALONG: return n.text;
        case Op::NEGATE: *own = 3; return "-" + gap() + write(n.kids[0], 3);
        case Op::ADD: *own = 1; return both(n, "+", 1, 2);
        case Op::SUBTRACT: *own = 1; return both(n, "-", 1, 2);
        case Op::MULTIPLY: *own = 2; return both(n, random_->chance(70) ? "." : "*", 2, 3);
        case Op::DIVIDE: *own = 2; return both(n, "/", 2, 3);
        case Op::MATMUL: *own = 2; return both(n, "@", 2, 3);
        case Op::POWER: *own = 4; return both(n, "^", 6, 3);
        case Op::PRIME: *own = 6; return write(n.kids[0], 6) + "'";
        case Op::INDEX: *own = 6; return index(n);
        case Op::MAP: {
            const std::string x = write(n.kids[0], 5);
            const bool call = x[0] == '(';
            *own = call ? 7 : 5;
            return n.name + (call && random_->chance(50) ? "" : " ") + x;
        }
        default: return call(n.text, n.kids, n.options);
        }
    }

    std::string index(const Node &n)
    {
        std::string text = write(n.kids[0], 6) + "[";
        for (size_t i = 0; i < n.slices.size(); i++)
            text += (i ? "," + gap() : "") + n.slices[i].text;
        return text + "]";
    }

    Random *random_;
    int depth_ = 0;
};

} // namespace random_model

#endif
