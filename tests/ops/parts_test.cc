/* Kernels of ops against their references, and calls that are cut into parts. Together the parts
 * produce the bits of one call. Each writes only its part of the output and reads only its part of
 * sliced inputs. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

extern "C" {
#include "autograd/passes/passes.h"
}
#include "tests/tapes.h"
#include "tensor/memory.h"

namespace {

using Memory = std::unique_ptr<unsigned char, void (*)(void *)>;

Memory memory(size_t bytes, int content)
{
    void *made = rv_alloc(1, bytes);
    std::memset(made, content, bytes);
    return {static_cast<unsigned char *>(made), rv_free};
}

enum { NAN_BYTE = 0xFF };

struct Cut {
    rv_call call{};
    std::vector<rv_type> types;
    std::vector<rv_tensor> inputs;

    explicit Cut(rv_var y)
    {
        const rv_node *node = rv_tape_node(y.tape, y.id);
        rv_error error = {};
        for (int k = 0; k < node->inputs; k++) {
            const rv_var x = {y.tape, node->in[k]};
            types.push_back({rv_dtype_of(x), rv_shape_of(x)});
            inputs.push_back({});
            EXPECT_TRUE(rv_tensor_new(&inputs.back(), types[static_cast<size_t>(k)].dtype,
                                      types[static_cast<size_t>(k)].shape, &error));
            const bool index = inputs.back().dtype == RV_I32;
            rv_init_fill(&inputs.back(), rv_init_uniform(-1, index ? 6 : 1),
                         3 + static_cast<uint64_t>(k));
        }
        EXPECT_TRUE(rv_call_prepare(&call, node->op, node->attr, types.data(), node->inputs,
                                    node->type, 0, &error))
            << error.text;
    }
    Cut(const Cut &) = delete;
    Cut &operator=(const Cut &) = delete;
    ~Cut()
    {
        for (rv_tensor &input : inputs) rv_tensor_free(&input);
        rv_free(const_cast<void *>(call.plan));
    }

    size_t out_bytes() const
    {
        const rv_tensor out = rv_call_out(&call);
        return rv_tensor_bytes(&out);
    }

    /* The output, which starts as `content`, after a part has run that sees only its part of sliced
     * inputs. */
    std::string run(int part, int parts, int content)
    {
        const Memory out = memory(out_bytes() + 1, content),
                     scratch = memory(call.scratch_size + 1, NAN_BYTE);
        std::vector<Memory> copies;
        std::vector<const void *> in;
        for (size_t k = 0; k < inputs.size(); k++) {
            const size_t bytes = rv_tensor_bytes(&inputs[k]);
            const bool sliced = parts > 1 && call.sliced >> k & 1;
            copies.push_back(memory(bytes + RV_ALIGNMENT, NAN_BYTE));
            const auto [first, end] = sliced ? share(part, parts, bytes) : Share{0, bytes};
            std::memcpy(copies[k].get() + first, static_cast<char *>(inputs[k].data) + first,
                        end - first);
            in.push_back(copies[k].get());
        }
        call.part = part, call.parts = parts;
        call.scratch = scratch.get();
        rv_call_bind(&call, out.get(), in.data());
        call.run(&call);
        return {reinterpret_cast<char *>(out.get()), out_bytes()};
    }

    using Share = std::pair<size_t, size_t>;
    Share share(int part, int parts, size_t bytes) const
    {
        const auto place = [&](int p) {
            return static_cast<size_t>(call.most_parts * p / parts) * bytes /
                   static_cast<size_t>(call.most_parts);
        };
        return {place(part), place(part + 1)};
    }
};

/* y added to an input, as one op. */
rv_var accumulated(rv_var y)
{
    const rv_node *node = rv_tape_node(y.tape, y.id);
    std::vector<rv_var> in;
    for (int k = 0; k < node->inputs; k++) in.push_back({y.tape, node->in[k]});
    in.push_back(rv_input(y.tape, ("z" + std::to_string(y.id)).c_str(), rv_shape_of(y)));
    node = rv_tape_node(y.tape, y.id);
    return rv_record(y.tape, node->op->accumulate, node->attr, node->attr_size, in.data(),
                     static_cast<int>(in.size()));
}

/* The kernel's result against the reference's, relative to the largest element. */
void expect_reference(const Cut &cut, const rv_op &op, const std::string &bytes)
{
    rv_tensor reference, got = rv_call_out(&cut.call);
    rv_error error = {};
    ASSERT_TRUE(rv_tensor_new(&reference, got.dtype, got.shape, &error));
    rv_call naive = cut.call;
    std::vector<const void *> in;
    for (const rv_tensor &input : cut.inputs) in.push_back(input.data);
    naive.out = reference.data, naive.in = in.data();
    op.reference(&naive);
    const Values expected = values_of(reference);
    std::memcpy(reference.data, bytes.data(), bytes.size());
    const Values values = values_of(reference);
    double off = 0, largest = 1;
    for (size_t i = 0; i < values.size(); i++) {
        off = std::fmax(off, std::fabs(values[i] - expected[i]));
        largest = std::fmax(largest, std::fabs(expected[i]));
        if (std::isnan(values[i])) off = INFINITY;
    }
    EXPECT_LE(off / largest, got.dtype == RV_F64 ? 1e-13 : 1e-5) << op.name;
    rv_tensor_free(&reference);
}

/* Returns whether the call can be cut. */
bool expect_parts_to_agree(rv_var y)
{
    if (rv_tape_node(y.tape, y.id)->op->accumulate) expect_parts_to_agree(accumulated(y));
    if (rv_tape_node(y.tape, y.id)->inputs == 0) return false; /* an op that recorded nothing */
    Cut cut(y);
    const std::string want = cut.run(0, 1, 0x11);
    expect_reference(cut, *rv_tape_node(y.tape, y.id)->op, want);
    if (cut.call.most_parts < 2) return false;
    for (const int parts : {2, 3, 5, 16})
        for (int part = 0; part < parts; part++) {
            const auto [first, end] = cut.share(part, parts, want.size());
            std::string one = cut.run(part, parts, 0x11), untouched(want.size(), 0x11);
            EXPECT_EQ(one.substr(first, end - first), want.substr(first, end - first))
                << rv_tape_node(y.tape, y.id)->op->name << " part " << part << " of " << parts;
            untouched.replace(first, end - first, one, first, end - first);
            EXPECT_EQ(one, untouched) << "part " << part << " of " << parts << " wrote more";
        }
    return true;
}

class Parts : public testing::TestWithParam<rv_dtype> {
  protected:
    Tape t{GetParam()};
    int made = 0;
    rv_var x(rv_shape shape) { return t.input(("x" + std::to_string(made++)).c_str(), shape); }
};

TEST_P(Parts, OfProductsAgree)
{
    for (const int64_t m : {1, 2, 3, 9, 70})
        for (const int64_t k : {3, 40, 600})
            for (const int64_t n : {1, 5, 32, 67})
                for (const bool ta : {false, true})
                    for (const bool tb : {false, true}) {
                        const rv_shape a = ta ? RV_SHAPE(k, m) : RV_SHAPE(m, k),
                                       b = tb ? RV_SHAPE(n, k) : RV_SHAPE(k, n);
                        expect_parts_to_agree(rv_matmul(x(a), x(b), ta, tb));
                    }
    for (const bool transposed : {false, true}) {
        const rv_shape three = transposed ? RV_SHAPE(3, 9, 20) : RV_SHAPE(3, 20, 9);
        EXPECT_TRUE(
            expect_parts_to_agree(rv_matmul(x(RV_SHAPE(3, 7, 20)), x(three), false, transposed)));
    }
}

TEST_P(Parts, OfReductionsAgree)
{
    int cut = 0;
    for (const rv_shape &shape : {RV_SHAPE(5, 3, 40), RV_SHAPE(7, 33), RV_SHAPE(2, 3, 4, 67)})
        for (unsigned axes = 1; axes < 1u << shape.rank; axes++) {
            cut += expect_parts_to_agree(rv_sum(x(shape), axes, true));
            expect_parts_to_agree(rv_max(x(shape), axes, true));
        }
    EXPECT_GT(cut, 5);
}

TEST_P(Parts, OfCopiesAgree)
{
    const int64_t sizes[] = {1, 2, 3, 4, 6, 9, 17};
    std::mt19937 random(1);
    const auto below = [&](int bound) {
        return static_cast<int>(random() % static_cast<unsigned>(bound));
    };
    int cut = 0;
    for (int i = 0; i < 300; i++) {
        const rv_shape shape =
            RV_SHAPE(sizes[below(7)], sizes[below(7)], sizes[below(7)], sizes[below(7)]);
        int64_t a[4], b[4], c[4];
        int axes[] = {0, 1, 2, 3};
        std::shuffle(axes, axes + 4, random);
        cut += expect_parts_to_agree(rv_transpose(x(shape), axes));
        cut += expect_parts_to_agree(rv_flip(x(shape), static_cast<unsigned>(1 + below(15))));
        for (int d = 0; d < 4; d++) {
            const bool kept = below(2);
            c[d] = kept ? 1 : 1 + below(2);
            a[d] = kept ? 0 : below(static_cast<int>(shape.dim[d]));
            b[d] = kept ? shape.dim[d] : 1 + (shape.dim[d] - 1 - a[d]) / c[d];
        }
        cut += expect_parts_to_agree(rv_slice(x(shape), a, b, c));
        for (int d = 0; d < 4; d++) {
            const bool kept = below(2);
            const int crop = shape.dim[d] > 2;
            a[d] = kept ? 0 : below(3) - crop, b[d] = kept ? 0 : below(4) - crop;
            c[d] = kept ? 0 : below(3);
        }
        cut += expect_parts_to_agree(rv_pad(x(shape), a, b, c));
        rv_shape thin = shape;
        thin.dim[below(4)] = 1;
        cut += expect_parts_to_agree(rv_broadcast(x(thin), shape));
    }
    EXPECT_EQ(t.code(), RV_OK) << t.error();
    EXPECT_GT(cut, 800);
}

TEST_P(Parts, OfRowsAndRunningSumsAgree)
{
    int cut = 0;
    for (const rv_shape &shape : {RV_SHAPE(5, 3, 40), RV_SHAPE(7, 33), RV_SHAPE(2, 3, 4, 67)}) {
        for (int axis = 0; axis < static_cast<int>(shape.rank); axis++)
            for (const bool reverse : {false, true})
                cut += expect_parts_to_agree(rv_cumulative_sum(x(shape), axis, reverse));
        for (int axis = 1; axis < static_cast<int>(shape.rank); axis++)
            for (const bool reverse : {false, true}) {
                rv_shape start = shape;
                start.dim[axis] = 1;
                cut += expect_parts_to_agree(rv_scan(x(shape), x(shape), x(start), axis, reverse));
            }
        rv_shape leading = {2, {shape.dim[0], shape.dim[1]}};
        const rv_var index =
            rv_input_typed(t, ("index" + std::to_string(made++)).c_str(), RV_I32, leading);
        cut += expect_parts_to_agree(rv_gather(x(shape), index));
        cut += expect_parts_to_agree(rv_scatter_add(x(shape), index, 6));
    }
    cut += expect_parts_to_agree(rv_random(t, "u", RV_SHAPE(7, 33)));
    EXPECT_EQ(t.code(), RV_OK) << t.error();
    EXPECT_EQ(cut, 3 * 2 + 12 + 6 + 1 + 6);
}

TEST_P(Parts, OfConvolutionsAgree)
{
    int cut = 0;
    for (const int64_t batch : {1, 3, 20})
        for (const int64_t channels : {1, 4, 20})
            for (const int64_t kernel : {1, 3, 5, 8})
                for (const int64_t groups : {1, 2}) {
                    if (channels % groups) continue;
                    rv_conv2d_options o = {};
                    o.groups = groups;
                    o.top = o.left = kernel / 2, o.bottom = o.right = kernel == 8 ? 0 : kernel / 2;
                    if (kernel == 8) o.top = o.left = 0;
                    o.stride[0] = kernel == 5 ? 2 : 1;
                    const rv_var image = x(RV_SHAPE(batch, channels, 8, 8)),
                                 w = x(RV_SHAPE(6, channels / groups, kernel, kernel)),
                                 y = rv_conv2d(image, w, o);
                    cut += expect_parts_to_agree(y);
                    for (const rv_var g : gradients(total(rv_square(y)), {image, w}))
                        cut += expect_parts_to_agree(g);
                }
    EXPECT_EQ(t.code(), RV_OK) << t.error();
    EXPECT_GT(cut, 80);
}

INSTANTIATE_TEST_SUITE_P(Types, Parts, testing::Values(RV_F32, RV_F64),
                         [](const auto &info) { return std::string(rv_dtype_name(info.param)); });

} // namespace
