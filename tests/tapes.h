/* Helpers that record, compile and run tapes, and compare results. */
#ifndef RV_TESTS_TAPES_H
#define RV_TESTS_TAPES_H

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "autograd/gradient.h"
#include "autograd/program.h"
#include "autograd/tape.h"
#include "ops/ops.h"

using Values = std::vector<double>;

inline std::string bytes_of(const rv_tensor &tensor)
{
    return {static_cast<const char *>(tensor.data), rv_tensor_bytes(&tensor)};
}

inline Values values_of(const rv_tensor &tensor)
{
    Values values;
    for (int64_t i = 0; i < rv_tensor_count(&tensor); i++)
        values.push_back(rv_tensor_get(&tensor, i));
    return values;
}

inline void set_values(rv_tensor *tensor, const Values &values)
{
    ASSERT_NE(tensor, nullptr);
    ASSERT_EQ(rv_tensor_count(tensor), static_cast<int64_t>(values.size()));
    for (size_t i = 0; i < values.size(); i++)
        rv_tensor_set(tensor, static_cast<int64_t>(i), values[i]);
}

/* A tape with its own store; both are freed when the test ends. */
class Tape {
  public:
    explicit Tape(rv_dtype dtype = RV_F64, uint64_t seed = 1)
        : store_(rv_store_new(seed)), tape_(rv_tape_new(store_, dtype))
    {
    }
    Tape(const Tape &) = delete;
    Tape &operator=(const Tape &) = delete;
    ~Tape()
    {
        rv_tape_free(tape_);
        rv_store_free(store_);
    }
    operator rv_tape *() const { return tape_; }
    rv_store *store() const { return store_; }

    rv_var input(const char *name, rv_shape shape) { return rv_input(tape_, name, shape); }
    rv_var parameter(const char *name, rv_shape shape)
    {
        return rv_parameter(tape_, name, shape, rv_init_uniform(-1, 1));
    }
    rv_var state(const char *name, rv_shape shape, double value = 0)
    {
        return rv_state(tape_, name, shape, rv_init_constant(value));
    }
    rv_var constant(rv_shape shape, Values values, rv_dtype dtype = RV_F64)
    {
        rv_tensor tensor;
        EXPECT_TRUE(rv_tensor_new(&tensor, dtype, shape, nullptr));
        set_values(&tensor, values);
        const rv_var made = rv_constant(tape_, &tensor);
        rv_tensor_free(&tensor);
        return made;
    }
    /* The data of a parameter or state. */
    rv_tensor &stored(const char *name) const
    {
        static rv_tensor none = {};
        rv_entry *entry = rv_store_find(store_, name);
        EXPECT_NE(entry, nullptr) << name;
        return entry ? entry->tensor : none;
    }

    int32_t count() const { return rv_tape_count(tape_); }
    rv_code code() const { return rv_tape_error(tape_)->code; }
    std::string error() const { return rv_tape_error(tape_)->text; }

  private:
    rv_store *store_;
    rv_tape *tape_;
};

/* A program, freed when the test ends. */
class Program {
  public:
    Program(rv_tape *tape, const std::vector<rv_var> &outputs, unsigned flags = RV_DEFAULT)
        : program_(rv_compile_with(tape, outputs.data(), static_cast<int>(outputs.size()), flags))
    {
        EXPECT_NE(program_, nullptr) << rv_tape_error(tape)->text;
    }
    Program(Program &&other) noexcept : program_(std::exchange(other.program_, nullptr)) {}
    Program(const Program &) = delete;
    Program &operator=(const Program &) = delete;
    ~Program() { rv_program_free(program_); }
    operator rv_program *() const { return program_; }

    Program &set(const char *name, const Values &values)
    {
        set_values(rv_program_input(program_, name), values);
        return *this;
    }
    Program &run()
    {
        EXPECT_EQ(rv_run(program_), RV_OK);
        return *this;
    }
    const rv_tensor &tensor(int k = 0) const
    {
        static const rv_tensor none = {};
        const rv_tensor *output = rv_program_output(program_, k);
        EXPECT_NE(output, nullptr);
        return output ? *output : none;
    }
    Values values(int k = 0) const { return values_of(tensor(k)); }
    std::string bytes(int k = 0) const { return bytes_of(tensor(k)); }
    double value(int k = 0) const { return rv_value(program_, k); }
    rv_program_stats stats() const { return rv_program_statistics(program_); }

  private:
    rv_program *program_;
};

inline std::vector<rv_var> gradients(rv_var y, const std::vector<rv_var> &wrt)
{
    std::vector<rv_var> g(wrt.size());
    EXPECT_TRUE(rv_gradient(y, wrt.data(), static_cast<int>(wrt.size()), g.data()))
        << rv_tape_error(y.tape)->text;
    return g;
}

inline rv_var gradient(rv_var y, rv_var wrt) { return gradients(y, {wrt})[0]; }

inline rv_var total(rv_var x) { return rv_sum(x, RV_ALL_AXES, false); }

inline bool same(rv_var a, rv_var b) { return a.tape == b.tape && a.id == b.id; }

inline bool contains(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

#endif
