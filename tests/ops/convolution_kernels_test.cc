/* Convolution and its gradients, by every method, against sums in long double. */
#include <array>
#include <map>

#include "tests/ops/kernel_calls.h"

namespace {

struct Window {
    int64_t batch, channels, height, width, outputs, kernel[2], stride[2], pad[2], dilation[2],
        groups;
    /* The rows of zeros below minus those above, the columns to the right minus those to the
     * left. */
    int64_t extra[2];
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

/* Each sum's exact value, and the sum of the absolute values of its terms, to which its rounding
 * error is relative. */
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

/* The rounding of minimal filtering (winograd.h). Every intermediate number is at most the
 * transform of the operands' absolute values by the matrices' absolute values. No path from an
 * operand to a result has more than 30 roundings besides those of the sum over channels or
 * tiles. */
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

/* |m| |x| |m|', where x is size x size numbers, given by read(row, column). */
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

/* How often each method was checked, by side. */
using Used = std::map<std::string, std::array<int, 3>>;

/* A form with random operands, its exact sides, and what the rounding errors of these are relative
 * to. */
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

    /* Checks every method that fits, not only the one that a program would use. */
    void check(const rv_kernels &table, Used &used)
    {
        for (const rv_side side : {RV_SIDE_Y, RV_SIDE_DX, RV_SIDE_DW}) {
            bool any = false;
            for (const rv_conv_method *const *m = table.convolution; *m; m++) {
                const rv_conv_method &method = **m;
                rv_conv_plan plan = p_;
                plan.side = side;
                if (!method.fits(&plan)) continue;
                SCOPED_TRACE(text(p_) + ": " + method.name + " of side " + std::to_string(side));
                check(method, plan);
                used[method.name][side]++;
                any = any || !method.pays;
            }
            EXPECT_TRUE(any) << text(p_) << " fits no method";
        }
        EXPECT_TRUE(x_.intact() && w_.intact() && y_.intact());
    }

  private:
    rv_conv_plan p_;
    Buffer<T> x_, w_, y_;
    Sums sum_x_, sum_w_, sum_y_;
    std::vector<Exact> transformed_x_, transformed_w_, transformed_y_;

    void check(const rv_conv_method &method, const rv_conv_plan &form)
    {
        const int64_t taps = p_.kernel[0] * p_.kernel[1], positions = p_.out_height * p_.out_width;
        const int64_t tiles = (p_.out_height + 3) / 4 * ((p_.out_width + 3) / 4);
        const struct {
            Buffer<T> &a, &b;
            const Sums &sum;
            const std::vector<Exact> &transformed;
            int64_t products, terms;
        } sides[] = {
            {x_, w_, sum_y_, transformed_y_, p_.channels / p_.groups * taps, p_.channels},
            {y_, w_, sum_x_, transformed_x_, p_.outputs / p_.groups * taps, p_.outputs},
            {x_, y_, sum_w_, transformed_w_, p_.batch * positions, p_.batch * tiles},
        };
        const auto &side = sides[form.side];
        Sums sum = side.sum;
        int64_t roundings = side.products + 2;
        if (method.transforms) {
            if (side.transformed.empty()) measure_transforms();
            sum.size = side.transformed;
            roundings = side.terms + winograd::kRoundings;
        }
        Buffer<T> out(static_cast<int64_t>(sum.exact.size()));
        for (const bool add : {false, true}) {
            if (add && form.side != RV_SIDE_DW) break;
            rv_conv_plan plan = form;
            plan.add = add;
            Call<T> call;
            call.plan = &plan;
            call.in = {side.a.data(), side.b.data()};
            call.scratch_size = method.prepare(&plan);
            if (add) fill(out, 24);
            for (int64_t i = 0; add && i < out.count(); i++) sum.add(i, out[i]);
            run_in_parts(call, method.run, plan.most_parts, out);
            sum.expect(out, roundings + add, add ? "added" : "result");
        }
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

/* Sizes at which methods work in blocks and chunks, and windows that see nothing or the whole
 * image. */
const Window kWindows[] = {
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
    /* tiles of 4x4 outputs, whole and cut; channels that fill vectors and that do not */
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

TYPED_TEST(Kernels, ConvolutionAndItsGradientsAreRight)
{
    Used used;
    for (const Window &window : kWindows) {
        Form<TypeParam> form(window);
        this->each_table([&](const rv_kernels &table) { form.check(table, used); });
    }
}

/* Batches around the number of lanes, cut into parts anywhere, of images around the size of a
 * vector. */
TYPED_TEST(Kernels, ConvolutionOfManySmallImagesIsRight)
{
    Used used;
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
            Form<TypeParam> form(window);
            this->each_table([&](const rv_kernels &table) { form.check(table, used); });
        }
    }
}

/* Each of stride, padding, dilation and groups is drawn for half of the windows, so that each also
 * occurs alone. The zeros that a window needs are above, below or on both sides of the image. */
Window draw_window(Draw &draw)
{
    enum { MOST_PRODUCTS = 12000 };
    const auto channels = [&] {
        return draw.one_in(8) ? draw.from(1, 40) : draw.one_in(3) ? 1 : draw.from(1, 6);
    };
    const auto steps = [&](bool any) { return any && !draw.one_in(3) ? draw.from(2, 5) : 1; };
    Window w{};
    int64_t products = 0;
    do {
        const bool strided = draw.one_in(2), padded = draw.one_in(2), dilated = draw.one_in(2),
                   grouped = draw.one_in(2);
        const bool whole = draw.one_in(5), small = draw.one_in(3);
        w.batch = draw.one_in(4) ? draw.from(5, 40) : draw.one_in(2) ? 1 : draw.from(2, 4);
        w.groups = grouped ? draw.from(1, 4) : 1;
        w.channels = w.groups * channels(), w.outputs = w.groups * channels();
        w.height = draw.from(1, 17), w.width = draw.from(1, 17);
        for (int d = 0; d < 2; d++) {
            const int64_t size = d == 0 ? w.height : w.width;
            w.stride[d] = steps(strided), w.dilation[d] = steps(dilated);
            w.kernel[d] = whole            ? size
                          : small          ? 3
                          : draw.one_in(4) ? draw.from(1, 20)
                                           : draw.from(1, 6);
            const int64_t window = w.dilation[d] * (w.kernel[d] - 1) + 1;
            const int64_t least = std::max(window - size, int64_t{0}),
                          same = (size - 1) * w.stride[d] + window - size; /* y has x's size */
            const int64_t zeros = !padded ? least : draw.one_in(3) ? same : least + draw.from(0, 5);
            w.pad[d] = draw.one_in(3) ? 0 : draw.one_in(2) ? zeros : draw.from(0, zeros);
            w.extra[d] = zeros - 2 * w.pad[d];
        }
        const rv_conv_plan p = plan_of(w);
        products = p.batch * p.outputs * p.out_height * p.out_width * (p.channels / p.groups) *
                   p.kernel[0] * p.kernel[1];
    } while (products > MOST_PRODUCTS);
    return w;
}

/* Finds conditions that are missing from a method's `fits`. */
TYPED_TEST(Kernels, ConvolutionIsRightForRandomWindowsByEveryMethodThatFits)
{
    Used used;
    this->search(4000, [&](Draw &draw) {
        Form<TypeParam> form(draw_window(draw));
        this->each_table([&](const rv_kernels &table) { form.check(table, used); });
    });
    EXPECT_EQ(used.size(), sizeof(TypeParam) == sizeof(float) ? 6U : 5U);
    for (const auto &[name, sides] : used)
        for (const int side : {RV_SIDE_Y, RV_SIDE_DX, RV_SIDE_DW}) {
            const bool all = name != "planes" && name != "dots", dw = side == RV_SIDE_DW;
            EXPECT_EQ(sides[side] > 20, all || (name == "dots") == dw)
                << name << " of side " << side;
        }
}

/* An infinite number in x or dy reaches the sums that it is part of, and no others. Dots and
 * transforms do not promise this. */
TYPED_TEST(Kernels, ConvolutionKeepsInfinityInItsWindows)
{
    using T = TypeParam;
    const auto check = [](const rv_conv_method &method, rv_conv_plan plan) {
        const int64_t positions = plan.out_height * plan.out_width;
        Buffer<T> x(plan.batch * 7 * 6), w(2 * 9), y(plan.batch * 2 * positions);
        const struct {
            Buffer<T> &a, &b, &out;
        } operands[] = {{x, w, y}, {y, w, x}, {x, y, w}};
        const auto &side = operands[plan.side];
        Call<T> call;
        call.plan = &plan;
        call.in = {side.a.data(), side.b.data()};
        call.scratch_size = method.prepare(&plan);
        for (const int64_t at : {int64_t(0), side.a.count() / 2, side.a.count() - 1}) {
            fill(x, 1, 0.5, 1);
            fill(w, 2, 0.5, 1);
            fill(y, 3, 0.5, 1);
            side.a[at] = INFINITY;
            std::vector<bool> reached(side.out.count());
            each_product(plan, [&](int64_t of_y, int64_t of_x, int64_t of_w) {
                const int64_t from[] = {of_x, of_y, of_x}, to[] = {of_y, of_x, of_w};
                if (from[plan.side] == at) reached[to[plan.side]] = true;
            });
            Buffer<T> out(side.out.count());
            call(method.run, out);
            for (int64_t i = 0; i < out.count(); i++)
                ASSERT_TRUE(reached[i] ? out[i] == T(INFINITY) : std::isfinite(out[i]))
                    << text(plan) << ", " << method.name << " of side " << plan.side << ": element "
                    << i << " is " << out[i] << " where " << at << " is infinite";
        }
    };
    this->each_table([&](const rv_kernels &table) {
        for (const int64_t batch : {1, 3, 12, 17, 40})
            for (const int64_t pad : {0, 1})
                for (const rv_side side : {RV_SIDE_Y, RV_SIDE_DX, RV_SIDE_DW})
                    for (const rv_conv_method *const *m = table.convolution; *m; m++) {
                        rv_conv_plan plan = plan_of(
                            {batch, 1, 7, 6, 2, {3, 3}, {1, 1}, {pad, pad}, {1, 1}, 1, {0, 0}});
                        plan.side = side;
                        const bool promises =
                            !(*m)->transforms && (*m)->name != std::string("dots");
                        if (promises && (*m)->fits(&plan)) check(**m, plan);
                    }
    });
}

} // namespace
