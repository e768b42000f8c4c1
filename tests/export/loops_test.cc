/* The loops of each op, and of its gradients, compiled and run: the results are those of
 * programs. */
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/gradient.h"
#include "export/c/function.h"
#include "export/c/maths.h"
#include "ops/ops.h"
#include "ops/samples_internal.h"
#include "tests/files.h"
#include "tests/tapes.h"

namespace {

std::string number(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%a", value);
    return value != value       ? "NAN"
           : value - value != 0 ? (value < 0 ? "-INFINITY" : "INFINITY")
                                : text;
}

std::string array(const std::string &declaration, const Values &values)
{
    std::ostringstream text;
    text << declaration << "[" << values.size() << "] = {";
    for (double value : values) text << number(value) << ", ";
    text << "};\n";
    return text.str();
}

/* An op on a sample, and its gradients, as a program and as the text of a C function. */
class Sample {
  public:
    Sample(const rv_op *op, const rv_sample *s, int number) : number_(number), tape_(RV_F64)
    {
        int count = rv_sample_inputs(op, s);
        rv_var x[RV_SAMPLE_INPUTS];
        rv_var y = rv_sample_record(tape_, op, s, x);
        results_.push_back(y);
        std::vector<rv_var> real;
        for (int k = 0; k < count; k++) {
            given_.push_back({x[k], k == 0 ? "x0" : k == 1 ? "x1" : k == 2 ? "x2" : "x3", "x"});
            if (!(s->integer >> k & 1)) real.push_back(x[k]);
        }
        if (!real.empty() && rv_dtype_of(y) != RV_I32) add_gradients(y, real);
        program_ = rv_compile(tape_, results_.data(), static_cast<int>(results_.size()));
        for (int k = 0; program_ && k < count; k++) {
            rv_tensor *input = rv_program_input(program_, rv_sample_input_name(k));
            if (input) rv_sample_values(s, k, 7, input);
        }
        if (program_) rv_run(program_);
    }
    ~Sample() { rv_program_free(program_); }

    bool compiled() const { return program_; }
    const std::string &error() const { return error_; }

    /* The function, which returns 0 if all is right. */
    std::string text()
    {
        std::vector<rv_c_result> results;
        std::vector<std::string> names;
        std::string out;
        for (size_t r = 0; r < results_.size(); r++) names.push_back("y" + std::to_string(r));
        for (size_t r = 0; r < results_.size(); r++) {
            rv_c_result result = {};
            result.value = results_[r];
            result.array = names[r].c_str();
            result.name = names[r].c_str();
            results.push_back(result);
        }
        rv_c_function f = {};
        f.given = given_.data();
        f.givens = static_cast<int>(given_.size());
        f.result = results.data();
        f.results = static_cast<int>(results.size());
        f.work = "w->";
        f.real = "real";
        rv_error error = {};
        if (!rv_c_function_write(&f, &error)) {
            error_ = error.text;
            rv_c_function_free(&f);
            return "";
        }
        out = "static int sample" + std::to_string(number_) + "(void)\n{\n    int wrong = 0;\n";
        for (size_t k = 0; k < given_.size(); k++) out += input(static_cast<int>(k));
        if (f.fields.at)
            out += "    static struct {\n" + std::string(f.fields.at) + "    } work, *w = &work;\n";
        for (size_t r = 0; r < results_.size(); r++)
            out += "    static real y" + std::to_string(r) + "[" +
                   std::to_string(rv_shape_count(rv_shape_of(results_[r]))) + "];\n";
        if (f.constants.at) out += f.constants.at;
        if (f.body.at) out += f.body.at;
        for (size_t r = 0; r < results_.size(); r++) {
            std::string n = std::to_string(r);
            out += array("    static const real expected" + n,
                         values_of(*rv_program_output(program_, static_cast<int>(r))));
            out += "    wrong += differ(y" + n + ", expected" + n + ", sizeof y" + n +
                   " / sizeof *y" + n + ");\n";
        }
        rv_c_function_free(&f);
        return out + "    return wrong;\n}\n";
    }

  private:
    void add_gradients(rv_var y, const std::vector<rv_var> &real)
    {
        std::vector<rv_var> gradient(real.size());
        int count = static_cast<int>(real.size());
        rv_error none = {};
        if (rv_gradient(rv_project(y, 3, "y"), real.data(), count, gradient.data()))
            results_.insert(results_.end(), gradient.begin(), gradient.end());
        else
            rv_tape_take_error(tape_, &none); /* an op without a gradient */
    }
    std::string input(int k)
    {
        const rv_tensor *x = rv_program_input(program_, rv_sample_input_name(k));
        std::string name = "x" + std::to_string(k);
        if (!x) return "";
        return array("    static const real " + name, values_of(*x)) + "    (void)" + name + ";\n";
    }

    int number_;
    Tape tape_;
    rv_program *program_ = nullptr;
    std::vector<rv_c_given> given_;
    std::vector<rv_var> results_;
    std::string error_;
};

/* The maths of the generator itself, and a comparison. */
std::string head()
{
    rv_writer maths = {};
    rv_c_write_maths(
        &maths, [](const void *, const char *) { return true; }, nullptr);
    const std::string definitions = maths.at;
    rv_free(maths.at);
    return "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n#include "
           "<string.h>\ntypedef double real;\n" +
           definitions + R"(
static int differ(const real *y, const real *expected, size_t count)
{
    int wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !(fabs(y[i] - expected[i]) <= 1e-12 * (1 + fabs(expected[i])));
    return wrong;
}
)";
}

class Loops : public WithFolder {};

TEST_F(Loops, of_each_op_and_its_gradients_compute_what_programs_compute)
{
    std::string source = head(), main = "int main(void)\n{\n    int wrong = 0, here;\n";
    std::string refused;
    int samples = 0;
    for (int i = 0; i < rv_op_count(); i++) {
        const rv_op *op = rv_op_at(i);
        for (int s = 0; s < op->sample_count; s++) {
            if (op->samples[s].error) continue;
            Sample sample(op, &op->samples[s], samples);
            ASSERT_TRUE(sample.compiled()) << op->name;
            std::string text = sample.text();
            std::string name = std::string(op->name) + " ";
            if (text.empty() && refused.find(name) == std::string::npos) refused += name;
            if (text.empty()) continue;
            source += text;
            main += "    wrong += here = sample" + std::to_string(samples) +
                    "();\n    if (here) printf(\"%d elements of " + op->name + ", sample " +
                    std::to_string(s) + "\\n\", here);\n";
            samples++;
        }
    }
    EXPECT_EQ(refused, "random_uniform ");
    EXPECT_GT(samples, 100);
    file("loops.c", source + main + "    return wrong > 0;\n}\n");
    std::string command = "cc -std=c99 -Wall -Wextra -Werror -Wno-unused-macros " +
                          path("loops.c") + " -lm -o " + path("loops") + " && " + path("loops");
    EXPECT_EQ(std::system(command.c_str()), 0);
}

} // namespace
