/* Arguments for calls of any public function, drawn by type: some within the contract, others
 * absurd.
 *
 * Every decision is a choice among numbered values, the first of which are good. So a call with one
 * absurd value can be enumerated (choice k takes value i, all others are good), and any call is
 * repeated from a few numbers. */
#ifndef RV_TESTS_TRUST_ARGUMENTS_H
#define RV_TESTS_TRUST_ARGUMENTS_H

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "recurve.h"

/* What is being called, in memory that outlives a crash. */
struct Call {
    int seed, choice, value; // choice -1: none is absurd; -2: any may be
    int choices, values;     // made so far; absurd values of the choice
    char text[4096];         // the arguments

    void note(const char *format, ...) __attribute__((format(printf, 2, 3)))
    {
        const size_t used = strlen(text);
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text + used, sizeof text - used, format, arguments);
        va_end(arguments);
    }
};

struct Fixture; // objects that are ready to use; see below

/* Draws the arguments of one call, and keeps what they point to. */
class Arguments {
  public:
    enum { MANY = 64 }; // elements of every array

    Arguments(std::string function, Call *call)
        : function_(std::move(function)), call_(call),
          state_(static_cast<uint64_t>(call->seed) * 0x9e3779b97f4a7c15u + 1)
    {
    }
    Arguments(const Arguments &) = delete;
    Arguments &operator=(const Arguments &) = delete;
    ~Arguments()
    {
        for (auto last = later_.rbegin(); last != later_.rend(); ++last) (*last)();
    }

    /* One of `all` values, of which the first `good` are within the contract. */
    int choose(int good, int all)
    {
        const int k = call_->choices++;
        if (k == call_->choice) {
            call_->values = all - good;
            if (call_->value < all - good) return good + call_->value;
        }
        return below(call_->choice == -2 && below(4) == 0 ? all : good);
    }

    template <class T> T one_of(const std::vector<T> &good, const std::vector<T> &absurd)
    {
        const auto i = static_cast<size_t>(
            choose(static_cast<int>(good.size()), static_cast<int>(good.size() + absurd.size())));
        if (i >= good.size()) call_->note("!");
        return i < good.size() ? good[i] : absurd[i - good.size()];
    }

    bool named(const char *part) const { return function_.find(part) != std::string::npos; }
    bool ends(const std::string &end) const
    {
        return function_.size() >= end.size() &&
               function_.compare(function_.size() - end.size(), end.size(), end) == 0;
    }
    /* Whether the index is not checked, as for an array. */
    bool unchecked() const { return named("tensor_get") || named("tensor_set"); }
    /* Whether the function frees what it is given. */
    bool frees() const { return ends("_free") || ends("_close"); }

    void note(const std::string &text) { call_->note("%s", text.c_str()); }

    /* Runs after the call. */
    void later(std::function<void()> work) { later_.push_back(std::move(work)); }

    /* A value that lives until after the call. */
    template <class T> T *keep(T value)
    {
        T *kept = new T(std::move(value));
        later([kept] { delete kept; });
        return kept;
    }
    template <class T> T *array(const std::vector<T> &values)
    {
        limit_ = MANY; // counts that exceed their array are out of contract
        T *kept = new T[MANY]();
        std::copy(values.begin(), values.end(), kept);
        later([kept] { delete[] kept; });
        return kept;
    }

    /* A null var passes on: what made it has failed. */
    bool null_given() const { return null_given_; }
    void null_given(bool is) { null_given_ |= is; }

    int64_t limit() const { return limit_; }
    void limit(int64_t most) { limit_ = most; }
    Fixture &fixture();

  private:
    int below(int bound)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<int>((state_ >> 33) % static_cast<uint64_t>(bound));
    }

    std::string function_;
    Call *call_;
    uint64_t state_;
    int64_t limit_ = std::numeric_limits<int64_t>::max();
    std::vector<std::function<void()>> later_;
    Fixture *fixture_ = nullptr;
    bool null_given_ = false;
};

template <class T> T draw(Arguments &a);

/* ---- a small net of everything ---- */

/* The folder of files that can be read. */
extern std::string files;

rv_train_config small_config();

inline void plain_step(rv_cell *k, rv_var x, rv_var *h)
{
    *h = rv_tanh(rv_cell_affine(k, x, *h, "g"));
}

/* Objects to call functions with, made when they are needed. */
struct Fixture {
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    rv_var w = rv_parameter(tape, "w", RV_SHAPE(2, 3), rv_init_uniform(-1, 1));
    rv_var x = rv_input(tape, "x", RV_SHAPE(2, 3));
    rv_var y = rv_sum(rv_square(rv_multiply(w, x)), RV_ALL_AXES, false);
    rv_var image = rv_input(tape, "image", RV_SHAPE(2, 1, 5, 5));
    rv_var kernel = rv_parameter(tape, "kernel", RV_SHAPE(1, 1, 3, 3), rv_init_constant(1));
    rv_var labels = rv_input_typed(tape, "labels", RV_I32, RV_SHAPE(2));
    rv_var state = rv_state(tape, "s", RV_SHAPE(2, 3), rv_init_constant(0));
    rv_var constant = rv_full(tape, RV_SHAPE(2, 3), 0.5);

    rv_tape *other = rv_tape_new(store, RV_F32);
    rv_var stranger = rv_input(other, "x", RV_SHAPE(2, 3));

    rv_program *program = nullptr;
    rv_loader *loader = nullptr;
    rv_source source = {};
    rv_lang *lang = nullptr;
    rv_lang_recording *recording = nullptr;
    rv_trainer *trainer = nullptr;
    rv_cell *cell = nullptr; // inside a step
    rv_arguments *arguments = nullptr;

    Fixture() = default;
    Fixture(const Fixture &) = delete;
    Fixture &operator=(const Fixture &) = delete;
    ~Fixture()
    {
        rv_trainer_free(trainer);
        rv_lang_recording_free(recording);
        rv_program_free(program);
        rv_loader_free(loader);
        rv_source_close(&source);
        rv_tape_free(other);
        rv_tape_free(tape);
        rv_lang_free(lang);
        rv_store_free(store);
    }
};

/* Gives the object away if the function frees it. */
template <class T> T *given(Arguments &a, T *&object)
{
    T *const gives = object;
    if (a.frees()) object = nullptr;
    return gives;
}

inline Fixture &Arguments::fixture()
{
    if (!fixture_) {
        fixture_ = new Fixture;
        later([this] { delete fixture_; });
    }
    return *fixture_;
}

/* ---- drawing ---- */

#define DRAW(type) template <> type draw<type>(Arguments & a)

/* NULL, or the value of `make`. */
template <class T, class Make> T *or_null(Arguments &a, const Make &make)
{
    if (a.choose(1, 2) == 1) {
        a.note("NULL");
        return nullptr;
    }
    return make();
}

template <class T> T *draw_kept(Arguments &a)
{
    return or_null<T>(a, [&] { return a.keep(draw<T>(a)); });
}

/* An output, {0} at first. */
template <class T> T *draw_output(Arguments &a)
{
    return or_null<T>(a, [&] {
        a.note("out");
        return a.keep(T{});
    });
}

template <class T> T *draw_array(Arguments &a)
{
    return or_null<T>(a, [&] {
        std::vector<T> values;
        a.note("[");
        for (int i = 0; i < 3; i++) {
            values.push_back(draw<T>(a));
            a.note(" ");
        }
        a.note("]");
        values.resize(Arguments::MANY, values[1]);
        return a.array(values);
    });
}

/* An array and its count: absurd are a count without an array, and a negative one. */
template <class T, class Count> void draw_counted(Arguments &a, T *&values, Count &count)
{
    const int kind = a.choose(2, 5);
    values = nullptr;
    count = kind == 0 ? 0 : kind == 4 ? static_cast<Count>(-1) : static_cast<Count>(1);
    if (kind == 3) count = std::numeric_limits<Count>::max();
    if (kind == 1)
        values = a.array<typename std::remove_const<T>::type>(
            {draw<typename std::remove_const<T>::type>(a)});
}

/* An enumeration of `count` values. */
template <class T> T draw_enum(Arguments &a, int count)
{
    std::vector<int> good;
    for (int i = 0; i < count; i++) good.push_back(i);
    const int number = a.one_of<int>(good, {-1, count, 99, INT32_MAX, INT32_MIN});
    a.note(std::to_string(number));
    T value;
    static_assert(sizeof value == sizeof number);
    memcpy(&value, &number, sizeof value);
    return value;
}

const char *draw_text(Arguments &a, const std::vector<std::string> &good);

#endif
