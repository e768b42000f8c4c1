// Plants every usual slip at every location of right derivations: exactly that line is wrong, and
// the repair makes the text right. RECURVE_SLIPS is the number of slips of each kind, 0 for all.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/files.h"
#include "tests/rounds.h"

extern "C" {
#include "lang/syntax/parse.h"
}

namespace {

// ---- texts as trees ----

class Text {
  public:
    explicit Text(std::string text) : text_(std::move(text))
    {
        source_ = {"text", text_.c_str(), text_.size(), false, nullptr};
        EXPECT_TRUE(rv_lang_find_lines(&source_, &arena_));
        EXPECT_TRUE(rv_lang_tokenize(&source_, &tokens_, &report_));
        tree_ = rv_lang_parse(&source_, &tokens_, &arena_, &report_);
        EXPECT_EQ(report_.count, 0u);
    }
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    ~Text()
    {
        rv_lang_free_tokens(&tokens_);
        rv_lang_free_report(&report_);
        rv_lang_free_arena(&arena_);
    }
    const lang_node *tree() const { return tree_; }
    const std::string &text() const { return text_; }
    std::string of(const lang_location &at) const
    {
        return text_.substr(at.start, at.end - at.start);
    }
    std::string of(const lang_node *e) const { return of(e->location); }
    std::string with(const lang_location &at, const std::string &other) const
    {
        return text_.substr(0, at.start) + other + text_.substr(at.end);
    }

  private:
    std::string text_;
    lang_source source_ = {};
    lang_tokens tokens_ = {};
    lang_report report_ = {};
    lang_arena arena_ = {};
    lang_node *tree_ = nullptr;
};

// ---- slips ----

// A value in a line is written in another way.
struct Slip {
    const char *kind;
    const lang_node *line; // a LANG_DEFINE
    lang_location at;
    std::string instead;
};

bool is_binary(const lang_node *e) { return e->kind >= LANG_ADD && e->kind <= LANG_GREATER_EQUAL; }

bool is_name(const lang_node *e)
{
    return e->kind == LANG_NAME || (e->kind == LANG_INDEX && e->base->kind == LANG_NAME);
}

// The values in an expression, without time steps, slices and options.
void each_value(const lang_node *e, const std::function<void(const lang_node *)> &visit)
{
    if (!e || e->kind == LANG_OPTION) return;
    visit(e);
    if (e->kind == LANG_OVER) return each_value(e->term, visit);
    if (is_name(e)) return;
    each_value(e->child[0], visit);
    if (e->kind != LANG_INDEX) each_value(e->child[1], visit);
    if (e->kind == LANG_CALL)
        for (const lang_node *a = e->arguments->next; a; a = a->next) each_value(a, visit);
}

void each_line(const lang_node *s, const std::function<void(const lang_node *)> &visit)
{
    for (; s; s = s->next) {
        if (s->kind == LANG_DEFINE) visit(s);
        if (s->kind >= LANG_FOR) each_line(s->body, visit);
    }
}

class Slips {
  public:
    Slips(const Text &text, const lang_node *derivation) : text_(text)
    {
        each_line(derivation->body, [&](const lang_node *line) {
            each_value(line->value, [&](const lang_node *e) {
                if (is_name(e)) names_.insert(text.of(e));
            });
        });
        each_line(derivation->body, [&](const lang_node *line) {
            line_ = line;
            whole(line->value);
            each_value(line->value, [&](const lang_node *e) { part(e); });
        });
    }
    const std::vector<Slip> &all() const { return slips_; }

  private:
    std::string in(const lang_node *e) const { return "(" + text_.of(e) + ")"; }
    void add(const char *kind, const lang_node *e, const std::string &instead)
    {
        slips_.push_back({kind, line_, e->location, instead});
    }
    // Of a whole line.
    void whole(const lang_node *e)
    {
        add("sign", e, "-" + in(e));
        add("factor", e, "2 . " + in(e));
        add("factor", e, in(e) + " / 2");
        add("factor", e, in(e) + " / 3");
    }
    void part(const lang_node *e)
    {
        const std::string left = is_binary(e) ? in(e->left) : "",
                          right = is_binary(e) ? in(e->right) : "";
        switch (e->kind) {
        case LANG_POWER: add("square", e, left); break;
        case LANG_ADD:
            add("term", e, left);
            add("term", e, right);
            add("sign", e, left + " - " + right);
            break;
        case LANG_SUBTRACT:
            if (e->left->kind != LANG_NUMBER) add("term", e, left);
            add("sign", e, left + " + " + right);
            add("complement", e, right);
            slope(e);
            break;
        case LANG_MULTIPLY:
        case LANG_DIVIDE:
            add("missing factor", e, left);
            if (e->kind == LANG_MULTIPLY) add("missing factor", e, right);
            if (e->kind == LANG_MULTIPLY) add("product", e, left + " @ " + right);
            break;
        case LANG_MATMUL:
            add("transpose", e, left + "' @ " + right);
            add("transpose", e, left + " @ " + right + "'");
            add("transpose", e, right + " @ " + left);
            add("product", e, left + " . " + right);
            break;
        case LANG_PRIME: add("transpose", e, in(e->operand)); break;
        case LANG_LESS: add("sign", e, left + " > " + right); break;
        case LANG_GREATER: add("sign", e, left + " < " + right); break;
        case LANG_NEGATE: add("sign", e, in(e->operand)); break;
        case LANG_CALL: call(e); break;
        default: break;
        }
        if (is_name(e)) name(e);
    }
    // The slope of another gate: 1 - g and 1 - g^2, for tanh and sigmoid.
    void slope(const lang_node *e)
    {
        const lang_node *r = e->right;
        if (e->left->kind != LANG_NUMBER) return;
        if (r->kind == LANG_POWER) add("slope", e, in(r->left) + ".(1 - " + in(r->left) + ")");
        if (r->kind != LANG_POWER) add("slope", e, "(1 - " + in(r) + "^2)");
    }
    void call(const lang_node *e)
    {
        const std::string name = e->name, arguments = text_.of(e).substr(name.size());
        const std::set<std::string> functions = {"tanh", "sigmoid", "relu",   "up2", "softmax",
                                                 "conv", "crop1",   "rot180", "exp"};
        if (functions.count(name)) add("function", e, in(e->arguments));
        if (name == "sum" && arguments.find("from") == std::string::npos)
            add("mean", e, "mean" + arguments);
        for (const char *axis : {"[0]", "[1]"}) {
            const size_t at = arguments.find(axis);
            if (at != std::string::npos)
                add("axis", e,
                    name + arguments.substr(0, at) + (axis[1] == '0' ? "[1]" : "[0]") +
                        arguments.substr(at + 3));
        }
    }
    void name(const lang_node *e)
    {
        const lang_node *at = e->kind == LANG_INDEX ? e->indices : nullptr;
        const bool step = at && !at->next && at->kind != LANG_RANGE && at->kind != LANG_HOLE;
        const std::string base = e->kind == LANG_INDEX ? text_.of(e->base) : "";
        if (step && at->kind == LANG_SUBTRACT)
            add("time step", e, base + "[" + text_.of(at->left) + "]");
        if (step && at->kind != LANG_SUBTRACT)
            add("time step", e, base + "[" + text_.of(at) + " - 1]");
        if (step) add("time step", e, base + "[" + text_.of(at) + " + 1]");
        for (const std::string &other : names_)
            if (other != text_.of(e) && is_like(other, text_.of(e))) add("name", e, other);
    }
    // Names that a hurried author confuses: g[t] and c[t], dG and dC, Wrecg and Wrecc.
    static bool is_like(const std::string &a, const std::string &b)
    {
        const auto suffix = [](const std::string &s) {
            const size_t at = s.find_first_of("0123456789[");
            return at == std::string::npos ? "" : s.substr(at);
        };
        const auto form = [](const std::string &s) {
            const bool cotangent = s.size() > 1 && s[0] == 'd';
            return 2 * cotangent + (std::isupper(static_cast<unsigned char>(s[cotangent])) != 0);
        };
        return suffix(a) == suffix(b) && form(a) == form(b);
    }

    const Text &text_;
    std::set<std::string> names_;
    const lang_node *line_ = nullptr;
    std::vector<Slip> slips_;
};

// ---- verdicts ----

struct Verdicts {
    bool is_text = false, ok = false; // its names are right; it was judged
    std::set<int> wrong;
    std::string repair, problem;
};

Verdicts judge(const std::string &text, bool repair)
{
    Verdicts found;
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "text", nullptr, &error);
    rv_lang_verdict *verdicts = nullptr;
    int count = 0;
    found.is_text = lang && !rv_lang_problems(lang);
    rv_lang_proof_options options = {};
    options.repair = repair;
    options.seed = 1;
    found.ok = lang && rv_lang_prove(lang, &options, &verdicts, &count, &error);
    found.problem = error.text;
    for (int i = 0; i < count; i++) {
        if (verdicts[i].verdict == RV_RIGHT) continue;
        found.wrong.insert(verdicts[i].line);
        if (found.repair.empty()) found.repair = verdicts[i].repair;
    }
    rv_free(verdicts);
    rv_lang_free(lang);
    return found;
}

// The text of a derivation without other derivations.
std::string alone(const Text &text, const lang_node *derivation)
{
    std::string kept;
    for (const lang_node *n = text.tree(); n; n = n->next) {
        const size_t end = n->next ? n->next->location.start : text.text().size();
        if (n->kind != LANG_DERIVE || n == derivation)
            kept += text.text().substr(n->location.start, end - n->location.start);
    }
    return kept;
}

std::vector<std::string> right_derivations()
{
    std::vector<std::string> right;
    for (const char *path :
         {"models/curnn_blog.rv", "models/update_gate.rv", "tools/examples/change_gate.rv",
          "tests/lang/derivations/cnn.rv", "tests/lang/derivations/gru.rv",
          "tests/lang/derivations/residual.rv", "docs/language.md"}) {
        std::string text = slurp(path);
        const size_t fence = text.find("```\n");
        if (fence != std::string::npos)
            text = text.substr(fence + 4, text.find("\n```", fence) - fence - 3);
        const Text all(text);
        for (const lang_node *n = all.tree(); n; n = n->next)
            if (n->kind == LANG_DERIVE && judge(alone(all, n), false).wrong.empty())
                right.push_back(alone(all, n));
    }
    return right;
}

struct Case {
    std::string kind, text, line; // the line, right
    lang_location at;             // of the line in the right text, without its source
    int number;
    bool helper;
};

std::vector<Case> all_slips()
{
    std::vector<Case> cases;
    for (const std::string &right : right_derivations()) {
        const Text text(right);
        for (const lang_node *n = text.tree(); n; n = n->next) {
            if (n->kind != LANG_DERIVE) continue;
            const Slips slips(text, n);
            for (const Slip &s : slips.all())
                cases.push_back({s.kind, text.with(s.at, "(" + s.instead + ")"), text.of(s.line),
                                 s.line->location, rv_lang_line(s.line->location), s.line->helper});
        }
    }
    return cases;
}

std::string line_of(const std::string &text, size_t start)
{
    return text.substr(start, text.find('\n', start) - start);
}

struct Count {
    int tried = 0, elsewhere = 0, repaired = 0;
};

TEST(Slips, AreFoundInTheirLinesAndRepaired)
{
    const int most = rounds("RECURVE_SLIPS", SANITIZED ? 20 : 12);
    std::vector<Case> cases = all_slips();
    EXPECT_GT(cases.size(), 1000u);
    std::shuffle(cases.begin(), cases.end(), std::mt19937(1));
    std::map<std::string, Count> kinds;
    Count all;
    for (const Case &c : cases) {
        Count &kind = kinds[c.kind + (c.helper ? " in a helper" : "")];
        if (most && kind.tried >= most) continue;
        const std::string wrong = line_of(c.text, c.at.start);
        SCOPED_TRACE(wrong + "\ninstead of " + c.line);
        const Verdicts v = judge(c.text, true);
        if (!v.is_text || (v.ok && v.wrong.empty())) continue; // it says the same in other words
        EXPECT_TRUE(v.ok) << v.problem;
        kind.tried++, all.tried++;
        if (c.helper && v.wrong != std::set<int>{c.number}) {
            kind.elsewhere++, all.elsewhere++;
            printf("elsewhere:    %-14s %s, right: %s\n", c.kind.c_str(), wrong.c_str(),
                   c.line.c_str());
            continue;
        }
        EXPECT_EQ(v.wrong, std::set<int>{c.number});
        if (v.repair.empty()) {
            printf("not repaired: %-14s %s, right: %s\n", c.kind.c_str(), wrong.c_str(),
                   c.line.c_str());
            continue;
        }
        std::string repaired = c.text;
        repaired.replace(c.at.start, wrong.size(), v.repair);
        EXPECT_EQ(judge(repaired, false).wrong, std::set<int>()) << v.repair;
        kind.repaired++, all.repaired++;
    }
    for (const auto &[kind, k] : kinds)
        printf("%-26s %4d slips, %3d found elsewhere, %4d repaired\n", kind.c_str(), k.tried,
               k.elsewhere, k.repaired);
    printf("%-26s %4d slips, %3d found elsewhere, %4d repaired\n", "all", all.tried, all.elsewhere,
           all.repaired);
    EXPECT_GE(all.repaired, 0.93 * all.tried);
    EXPECT_LE(all.elsewhere, 0.05 * all.tried);
}

} // namespace
