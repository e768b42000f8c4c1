/* Convolution and its gradients, by every way, against sums in long double. */
#include "tests/ops/kernel_calls.h"

namespace {

struct Window {
    int64_t batch, channels, height, width, outputs, kernel[2], stride[2], pad[2], dilation[2],
        groups;
    int64_t extra[2]; /* rows below and columns to the right beyond pad */
};

rv_conv_plan plan_of(const Window &w)
{
    rv_conv_plan p{};
    p.batch = w.batch, p.channels = w.channels, p.height = w.height, p.width = w.width;
    p.outputs = w.outputs, p.groups = w.groups;
    for (int d = 0; d < 2; d++) {
        p.kernel[d] = w.kernel[d], p.stride[d] = w.stride[d];
        p.pad[d] = w.pad[d], p.dilation[d] = w.dilation[d];
    }
    const auto out = [&](int d, int64_t size) {
        return (size + 2 * w.pad[d] + w.extra[d] - w.dilation[d] * (w.kernel[d] - 1) - 1) /
                   w.stride[d] +
               1;
    };
    p.out_height = out(0, w.height), p.out_width = out(1, w.width);
    return p;
}

std::string text(const rv_conv_plan &p)
{
    const auto pair = [](const int64_t v[2]) {
        return std::to_string(v[0]) + "x" + std::to_string(v[1]);
    };
    const int64_t size[2] = {p.height, p.width}, out[2] = {p.out_height, p.out_width};
    return std::to_string(p.batch) + " images, " + std::to_string(p.channels) + " channels of " +
           pair(size) + " to " + std::to_string(p.outputs) + " of " + pair(out) + ", kernel " +
           pair(p.kernel) + " stride " + pair(p.stride) + " pad " + pair(p.pad) + " dilation " +
           pair(p.dilation) + " groups " + std::to_string(p.groups);
}

/* Calls visit(index of y, of x, of w) for each product of the definition. */
template <class Visit> void each_product(const rv_conv_plan &t, Visit visit)
{
    const int64_t in_group = t.channels / t.groups, out_group = t.outputs / t.groups;
    for (int64_t n = 0; n < t.batch; n++)
        for (int64_t o = 0; o < t.outputs; o++)
            for (int64_t i = 0; i < t.out_height; i++)
                for (int64_t j = 0; j < t.out_width; j++)
                    for (int64_t c = 0; c < in_group; c++)
                        for (int64_t p = 0; p < t.kernel[0]; p++)
                            for (int64_t q = 0; q < t.kernel[1]; q++) {
                                const int64_t h = i * t.stride[0] + p * t.dilation[0] - t.pad[0];
                                const int64_t v = j * t.stride[1] + q * t.dilation[1] - t.pad[1];
                                if (h < 0 || h >= t.height || v < 0 || v >= t.width) continue;
                                const int64_t channel = o / out_group * in_group + c;
                                visit(((n * t.outputs + o) * t.out_height + i) * t.out_width + j,
                                      ((n * t.channels + channel) * t.height + h) * t.width + v,
                                      ((o * in_group + c) * t.kernel[0] + p) * t.kernel[1] + q);
                            }
}

/* Each sum's exact value and what its rounding is measured by: the sum of the sizes of its terms. */
struct Sums {
    std::vector<Exact> exact, size;
    explicit Sums(int64_t n) : exact(static_cast<size_t>(n)), size(static_cast<size_t>(n)) {}
    void add(int64_t at, Exact term)
    {
        exact[static_cast<size_t>(at)] += term;
        size[static_cast<size_t>(at)] += std::fabs(term);
    }
    template <class T> void expect(Buffer<T> &got, int64_t roundings, const char *what) const
    {
        std::vector<Exact> bound;
        for (const Exact s : size) bound.push_back(s * static_cast<Exact>(roundings) * kEps<T>);
        expect_near(got, exact, bound, what);
    }
};

/* The rounding of minimal filtering (winograd.h): every number on the way is at most the transform of
 * the operands' sizes by the sizes of the matrices, and no path from an operand to a result has more
 * than 30 roundings beside those of the sum over channels or tiles, of which there are no more than
 * products. */
namespace winograd {

constexpr Exact a = 0.625, b = 1.5, a2 = a * a, b2 = b * b;
constexpr Exact na = 1 / (2 * a2 * (b2 - a2)), nb = 1 / (2 * b2 * (b2 - a2));
constexpr int64_t kRoundings = 30;

using Matrix = std::vector<std::vector<Exact>>;
const Matrix kSource = {{a2 * b2, 0, a2 + b2, 0, 1, 0}, {0, a *b2, b2, a, 1, 0},
                        {0, a *b2, b2, a, 1, 0},        {0, a2 *b, a2, b, 1, 0},
                        {0, a2 *b, a2, b, 1, 0},        {0, a2 *b2, 0, a2 + b2, 0, 1}};
const Matrix kKernel = {{1 / (a2 * b2), 0, 0}, {na, a *na, a2 *na}, {na, a *na, a2 *na},
                        {nb, b *nb, b2 *nb},   {nb, b *nb, b2 *nb}, {0, 0, 1}};
const Matrix kOut = {{1, 1, 1, 1, 1, 0},
                     {0, a, a, b, b, 0},
                     {0, a2, a2, b2, b2, 0},
                     {0, a *a2, a *a2, b *b2, b *b2, 1}};

Matrix transposed(const Matrix &m)
{
    Matrix t(m[0].size(), std::vector<Exact>(m.size()));
    for (size_t i = 0; i < m.size(); i++)
        for (size_t j = 0; j < m[0].size(); j++) t[j][i] = m[i][j];
    return t;
}

Matrix product(const Matrix &x, const Matrix &y)
{
    Matrix z(x.size(), std::vector<Exact>(y[0].size()));
    for (size_t i = 0; i < z.size(); i++)
        for (size_t j = 0; j < z[0].size(); j++)
            for (size_t l = 0; l < y.size(); l++) z[i][j] += x[i][l] * y[l][j];
    return z;
}

/* m x m', where x is size x size numbers read at (row, column). */
template <class Read> Matrix transform(const Matrix &m, int size, Read read)
{
    Matrix x(size, std::vector<Exact>(size));
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) x[i][j] = std::fabs(static_cast<Exact>(read(i, j)));
    return product(product(m, x), transposed(m));
}

void add_products(Matrix &to, const Matrix &x, const Matrix &y)
{
    for (size_t i = 0; i < to.size(); i++)
        for (size_t j = 0; j < to[0].size(); j++) to[i][j] += x[i][j] * y[i][j];
}

template <class T> struct Images {
    Buffer<T> &data;
    int64_t channels, height, width;
    Exact at(int64_t n, int64_t c, int64_t i, int64_t j) const
    {
        if (i < 0 || i >= height || j < 0 || j >= width) return 0;
        return data[((n * channels + c) * height + i) * width + j];
    }
};

/* Sizes for out = the correlation of x with w(o, c, p, q). */
template <class T, class Kernel>
void sizes_of_outputs(const Images<T> &x, Kernel w, const int64_t rim[2], const Images<T> &out,
                      std::vector<Exact> &size)
{
    std::vector<Matrix> u;
    for (int64_t o = 0; o < out.channels; o++)
        for (int64_t c = 0; c < x.channels; c++)
            u.push_back(transform(kKernel, 3, [&](int p, int q) { return w(o, c, p, q); }));
    const int64_t image = x.channels * x.height * x.width;
    for (int64_t n = 0; n < x.data.count() / image; n++)
        for (int64_t i = 0; i < out.height; i += 4)
            for (int64_t j = 0; j < out.width; j += 4) {
                std::vector<Matrix> v;
                for (int64_t c = 0; c < x.channels; c++)
                    v.push_back(transform(kSource, 6, [&](int r, int k) {
                        return x.at(n, c, i + r - rim[0], j + k - rim[1]);
                    }));
                for (int64_t o = 0; o < out.channels; o++) {
                    Matrix m(6, std::vector<Exact>(6));
                    for (int64_t c = 0; c < x.channels; c++)
                        add_products(m, u[o * x.channels + c], v[c]);
                    const Matrix y = product(product(kOut, m), transposed(kOut));
                    for (int r = 0; r < 4 && i + r < out.height; r++)
                        for (int k = 0; k < 4 && j + k < out.width; k++)
                            size[((n * out.channels + o) * out.height + i + r) * out.width + j +
                                 k] = y[r][k];
                }
            }
}

template <class T>
void sizes_of_weights(const Images<T> &x, const Images<T> &dy, const int64_t rim[2],
                      std::vector<Exact> &size)
{
    std::vector<Matrix> m(dy.channels * x.channels, Matrix(6, std::vector<Exact>(6)));
    const int64_t image = x.channels * x.height * x.width;
    for (int64_t n = 0; n < x.data.count() / image; n++)
        for (int64_t i = 0; i < dy.height; i += 4)
            for (int64_t j = 0; j < dy.width; j += 4) {
                std::vector<Matrix> v;
                for (int64_t c = 0; c < x.channels; c++)
                    v.push_back(transform(kSource, 6, [&](int r, int k) {
                        return x.at(n, c, i + r - rim[0], j + k - rim[1]);
                    }));
                for (int64_t o = 0; o < dy.channels; o++) {
                    const Matrix d = transform(transposed(kOut), 4, [&](int r, int k) {
                        return dy.at(n, o, i + r, j + k);
                    });
                    for (int64_t c = 0; c < x.channels; c++)
                        add_products(m[o * x.channels + c], d, v[c]);
                }
            }
    for (size_t k = 0; k < m.size(); k++) {
        const Matrix g = product(product(transposed(kKernel), m[k]), kKernel);
        for (int p = 0; p < 9; p++) size[k * 9 + p] = g[p / 3][p % 3];
    }
}

} // namespace winograd

/* Runs a call whole and in parts, which must make no difference. */
template <class T> void run_in_parts(const rv_conv_plan &plan, Call<T> call, Buffer<T> &out)
{
    Buffer<T> again(out.count());
    for (int64_t i = 0; i < out.count(); i++) again[i] = out[i];
    call(plan.run, out);
    if (plan.most_parts < 2) return;
    std::vector<T> first(again.data(), again.data() + again.count());
    for (const int parts : {2, 3}) {
        for (int64_t i = 0; i < out.count(); i++) again[i] = first[static_cast<size_t>(i)];
        const int64_t piece = out.count() / plan.most_parts;
        ASSERT_EQ(piece * plan.most_parts, out.count());
        call.parts = parts;
        for (call.part = parts - 1; call.part >= 0; call.part--) {
            call(plan.run, again);
            const int64_t from = plan.most_parts * call.part / parts * piece;
            for (int64_t i = 0; i < from; i++)
                ASSERT_EQ(bits(again[i]), bits(first[static_cast<size_t>(i)]))
                    << "part " << call.part << " of " << parts << " wrote element " << i;
        }
        for (int64_t i = 0; i < out.count(); i++)
            ASSERT_EQ(bits(out[i]), bits(again[i])) << "element " << i << " in " << parts;
    }
}

/* A form with random operands, its exact sides, and for these what their rounding is measured by. */
template <class T> class Form {
  public:
    explicit Form(const Window &window)
        : p_(plan_of(window)), x_(p_.batch * p_.channels * p_.height * p_.width),
          w_(p_.outputs * p_.channels / p_.groups * p_.kernel[0] * p_.kernel[1]),
          y_(p_.batch * p_.outputs * p_.out_height * p_.out_width), sum_x_(x_.count()),
          sum_w_(w_.count()), sum_y_(y_.count())
    {
        fill(x_, 21);
        fill(w_, 22);
        fill(y_, 23);
        each_product(p_, [&](int64_t y, int64_t x, int64_t w) {
            sum_y_.add(y, static_cast<Exact>(x_[x]) * w_[w]);
            sum_x_.add(x, static_cast<Exact>(y_[y]) * w_[w]);
            sum_w_.add(w, static_cast<Exact>(y_[y]) * x_[x]);
        });
    }

    /* Returns how many of the three sides are by transforms. */
    int check(const rv_kernels &table)
    {
        const int64_t taps = p_.kernel[0] * p_.kernel[1], positions = p_.out_height * p_.out_width;
        const int64_t tiles = (p_.out_height + 3) / 4 * ((p_.out_width + 3) / 4);
        const int before = transformed_;
        check_side(table.conv2d_prepare, x_, w_, sum_y_, transformed_y_,
                   p_.channels / p_.groups * taps, p_.channels, "conv2d");
        check_side(table.conv2d_input_gradient_prepare, y_, w_, sum_x_, transformed_x_,
                   p_.outputs / p_.groups * taps, p_.outputs, "conv2d_input_gradient");
        check_side(table.conv2d_weight_gradient_prepare, x_, y_, sum_w_, transformed_w_,
                   p_.batch * positions, p_.batch * tiles, "conv2d_weight_gradient");
        EXPECT_TRUE(x_.intact() && w_.intact() && y_.intact());
        return transformed_ - before;
    }

  private:
    rv_conv_plan p_;
    Buffer<T> x_, w_, y_;
    Sums sum_x_, sum_w_, sum_y_;
    std::vector<Exact> transformed_x_, transformed_w_, transformed_y_;
    int transformed_ = 0;

    void check_side(size_t (*prepare)(rv_conv_plan *), Buffer<T> &a, Buffer<T> &b, Sums sum,
                    std::vector<Exact> &transformed, int64_t products, int64_t terms,
                    const char *what)
    {
        SCOPED_TRACE(text(p_) + ": " + what);
        rv_conv_plan plan = p_;
        Call<T> call;
        call.plan = &plan;
        call.in = {a.data(), b.data()};
        call.scratch_size = prepare(&plan);
        int64_t roundings = products + 2;
        if (plan.transformed) {
            if (transformed.empty()) measure_transforms();
            sum.size = transformed;
            roundings = terms + winograd::kRoundings;
            transformed_++;
        }
        Buffer<T> out(static_cast<int64_t>(sum.exact.size()));
        run_in_parts(plan, call, out);
        sum.expect(out, roundings, what);
        if (&b != &y_) return;

        plan = p_;
        plan.add = true;
        call.scratch_size = prepare(&plan);
        fill(out, 24);
        for (int64_t i = 0; i < out.count(); i++) sum.add(i, out[i]);
        run_in_parts(plan, call, out);
        sum.expect(out, roundings + 1, "added");
    }

    void measure_transforms()
    {
        const winograd::Images<T> x{x_, p_.channels, p_.height, p_.width};
        const winograd::Images<T> y{y_, p_.outputs, p_.out_height, p_.out_width};
        const int64_t turned_rim[2] = {2 - p_.pad[0], 2 - p_.pad[1]};
        transformed_x_.resize(x_.count());
        transformed_w_.resize(w_.count());
        transformed_y_.resize(y_.count());
        const auto at = [&](int64_t o, int64_t c, int tap) {
            return w_[(o * p_.channels + c) * 9 + tap];
        };
        const auto kernel = [&](int64_t o, int64_t c, int i, int j) { return at(o, c, i * 3 + j); };
        const auto turned = [&](int64_t c, int64_t o, int i, int j) {
            return at(o, c, 8 - i * 3 - j);
        };
        winograd::sizes_of_outputs(x, kernel, p_.pad, y, transformed_y_);
        winograd::sizes_of_outputs(y, turned, turned_rim, x, transformed_x_);
        winograd::sizes_of_weights(x, y, p_.pad, transformed_w_);
    }
};

TYPED_TEST(Kernels, ConvolutionAndItsGradientsAreRight)
{
    using T = TypeParam;
    const Window windows[] = {
        /* batch channels height width outputs kernel stride pad dilation groups extra */
        {1, 1, 8, 8, 1, {5, 5}, {1, 1}, {2, 2}, {1, 1}, 1, {0, 0}},
        {1, 1, 8, 8, 1, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {5, 1, 10, 10, 1, {3, 3}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {128, 1, 8, 8, 1, {5, 5}, {1, 1}, {2, 2}, {1, 1}, 1, {0, 0}},
        {33, 1, 4, 4, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {128, 1, 8, 8, 1, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}}, /* many small images */
        {9, 2, 6, 7, 3, {3, 4}, {1, 2}, {1, 0}, {1, 1}, 1, {0, 1}},
        {12, 3, 6, 6, 2, {3, 3}, {2, 1}, {1, 2}, {2, 2}, 1, {0, 0}},
        {1, 2, 5, 6, 4, {3, 3}, {1, 1}, {0, 2}, {1, 1}, 1, {1, 0}}, /* a few */
        {2, 4, 8, 8, 1, {3, 1}, {1, 1}, {1, 0}, {1, 1}, 1, {0, 0}},
        {3, 2, 4, 4, 9, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 16, 16, 16, 17, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 5, 9, 7, 6, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {2, 5, 9, 7, 6, {1, 1}, {2, 2}, {0, 0}, {1, 1}, 1, {0, 0}},
        {2, 3, 11, 13, 4, {3, 5}, {2, 3}, {1, 2}, {1, 1}, 1, {0, 0}},
        {2, 3, 11, 13, 4, {3, 2}, {1, 2}, {3, 0}, {2, 3}, 1, {0, 0}},
        {1, 2, 9, 9, 3, {2, 3}, {3, 2}, {4, 5}, {2, 2}, 1, {0, 0}},
        {2, 6, 7, 6, 9, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 3, {0, 0}},
        {2, 4, 7, 6, 4, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 4, {0, 0}},
        {1, 4, 5, 5, 8, {3, 3}, {1, 1}, {1, 1}, {2, 2}, 2, {1, 1}},
        {3, 2, 4, 4, 3, {4, 4}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}}, /* one window */
        {9, 7, 5, 5, 33, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {4, 2, 3, 3, 3, {3, 3}, {2, 2}, {7, 6}, {1, 1}, 1, {0, 0}}, /* windows that see nothing */
        {2, 2, 1, 1, 3, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {2, 2, 1, 1, 3, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 2, 1, 50, 3, {1, 7}, {1, 1}, {0, 3}, {1, 1}, 1, {0, 0}},
        {1, 2, 50, 1, 3, {7, 1}, {1, 1}, {3, 0}, {1, 1}, 1, {0, 0}},
        {1, 1, 8, 8, 1, {2, 2}, {5, 5}, {0, 0}, {1, 1}, 1, {0, 0}}, /* pixels that nothing sees */
        {1, 1, 9, 9, 2, {3, 3}, {2, 2}, {0, 0}, {2, 2}, 1, {0, 1}},
        {1, 3, 40, 45, 5, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 3, 40, 45, 5, {7, 7}, {4, 4}, {3, 3}, {1, 1}, 1, {0, 0}},
        {1, 20, 12, 12, 40, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 1, 120, 130, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
    };
    for (const Window &window : windows) {
        Form<T> form(window);
        this->each_table([&](const rv_kernels &table) { form.check(table); });
    }
}

/* 3x3 windows by transforms: whole tiles and parts of them, many images to a block and many blocks
 * to an image, channels that fill vectors and that do not. */
TYPED_TEST(Kernels, ConvolutionByTransformsIsRight)
{
    using T = TypeParam;
    int transformed = 0;
    const Window windows[] = {
        /* batch channels height width outputs kernel stride pad dilation groups extra */
        {2, 32, 16, 16, 32, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 16, 32, 32, 17, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 16, 33, 35, 16, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 19, 17, 12, 25, {3, 3}, {1, 1}, {0, 2}, {1, 1}, 1, {0, 0}},
        {3, 16, 14, 19, 40, {3, 3}, {1, 1}, {2, 0}, {1, 1}, 1, {0, 0}},
        {6, 64, 8, 8, 65, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {7, 24, 10, 11, 70, {3, 3}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {1, 24, 22, 110, 16, {3, 3}, {1, 1}, {0, 1}, {1, 1}, 1, {3, 2}},
        {2, 16, 3, 270, 16, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 200, 12, 12, 20, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 3, 32, 32, 64, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 70, 17, 15, 9, {3, 3}, {1, 1}, {2, 1}, {1, 1}, 1, {0, 0}},
        {2, 9, 17, 15, 70, {3, 3}, {1, 1}, {2, 1}, {1, 1}, 1, {0, 0}},
    };
    for (const Window &window : windows) {
        Form<T> form(window);
        this->each_table([&](const rv_kernels &table) { transformed += form.check(table); });
    }
    EXPECT_EQ(transformed > 0, Traits<T>::dtype == RV_F32);
}

/* Batches around the number of lanes, cut into parts anywhere, of images around the size of a vector. */
TYPED_TEST(Kernels, ConvolutionOfManySmallImagesIsRight)
{
    using T = TypeParam;
    const Window windows[] = {
        /* batch channels height width outputs kernel stride pad dilation groups extra */
        {0, 1, 8, 8, 1, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {0, 1, 6, 6, 1, {3, 3}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {0, 2, 3, 5, 3, {3, 3}, {1, 1}, {1, 2}, {1, 1}, 1, {0, 1}},
        {0, 3, 7, 6, 2, {3, 4}, {2, 1}, {2, 1}, {1, 2}, 1, {1, 0}},
        {0, 2, 5, 9, 2, {2, 3}, {2, 3}, {1, 3}, {3, 2}, 1, {0, 2}},
        {0, 2, 2, 1, 3, {5, 1}, {1, 1}, {4, 0}, {1, 1}, 1, {0, 0}},
    };
    for (Window window : windows) {
        for (window.batch = 1; window.batch <= 40; window.batch++) {
            Form<T> form(window);
            this->each_table([&](const rv_kernels &table) { form.check(table); });
        }
    }
}

/* An infinite pixel, of x or of dy, reaches the sums that it is part of, and no others. */
TYPED_TEST(Kernels, ConvolutionOfManySmallImagesKeepsInfinityInItsWindows)
{
    using T = TypeParam;
    size_t (*rv_kernels::*const sides[])(rv_conv_plan *) = {
        &rv_kernels::conv2d_prepare, &rv_kernels::conv2d_input_gradient_prepare,
        &rv_kernels::conv2d_weight_gradient_prepare};
    this->each_table([&](const rv_kernels &table) {
        for (const int64_t batch : {12, 17, 40}) {
            for (const int64_t pad : {0, 1}) {
                const rv_conv_plan p =
                    plan_of({batch, 1, 7, 6, 2, {3, 3}, {1, 1}, {pad, pad}, {1, 1}, 1, {0, 0}});
                Buffer<T> x(batch * 7 * 6), w(2 * 9), y(batch * 2 * p.out_height * p.out_width);
                const struct {
                    Buffer<T> &a, &b, &out;
                } operands[] = {{x, w, y}, {y, w, x}, {x, y, w}};
                for (int side = 0; side < 3; side++) {
                    Buffer<T> &a = operands[side].a;
                    for (const int64_t at : {int64_t(0), a.count() / 2, a.count() - 1}) {
                        fill(x, 1, 0.5, 1);
                        fill(w, 2, 0.5, 1);
                        fill(y, 3, 0.5, 1);
                        a[at] = INFINITY;
                        std::vector<bool> reached(operands[side].out.count());
                        each_product(p, [&](int64_t to_y, int64_t of_x, int64_t of_w) {
                            const int64_t source = side == 1 ? to_y : of_x;
                            if (source == at)
                                reached[side == 0 ? to_y : side == 1 ? of_x : of_w] = true;
                        });
                        rv_conv_plan plan = p;
                        Call<T> call;
                        call.plan = &plan;
                        call.in = {a.data(), operands[side].b.data()};
                        call.scratch_size = (table.*sides[side])(&plan);
                        Buffer<T> out(operands[side].out.count());
                        call(plan.run, out);
                        for (int64_t i = 0; i < out.count(); i++) {
                            ASSERT_EQ(out[i] == T(INFINITY), reached[i])
                                << text(p) << ", side " << side << ": element " << i << " is "
                                << out[i] << " where " << at << " is infinite";
                            ASSERT_FALSE(std::isnan(out[i]));
                        }
                    }
                }
            }
        }
    });
}

/* The gradients of random windows: every combination of stride, padding, dilation and groups. */
TYPED_TEST(Kernels, ConvolutionIsRightForRandomWindows)
{
    using T = TypeParam;
    std::mt19937 random(99);
    const auto draw = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    for (int trial = 0; trial < 150; trial++) {
        Window w{};
        w.batch = draw(1, 4), w.groups = draw(1, 3);
        w.channels = w.groups * draw(1, 4), w.outputs = w.groups * draw(1, 5);
        w.height = draw(1, 12), w.width = draw(1, 20);
        for (int d = 0; d < 2; d++) {
            w.kernel[d] = draw(1, 4), w.stride[d] = draw(1, 3), w.dilation[d] = draw(1, 3);
            w.pad[d] = draw(0, 4), w.extra[d] = draw(0, 2);
            const int64_t size = d == 0 ? w.height : w.width;
            while (size + 2 * w.pad[d] < w.dilation[d] * (w.kernel[d] - 1) + 1) w.pad[d]++;
        }
        Form<T> form(w);
        this->each_table([&](const rv_kernels &table) { form.check(table); });
    }
}

} // namespace
