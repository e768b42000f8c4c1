/* Every allocation fails in turn: an error, no crash and, under the address sanitizer, no leak.
 * Linked with --wrap=pthread_create. */
#include <gtest/gtest.h>
#include <pthread.h>
#include <zip.h>

#include <cerrno>
#include <functional>

#include "data/files.h"
#include "data/loader.h"
#include "data/npz.h"
#include "tensor/safetensors.h"
#include "data/tasks.h"
#include "data/tensors.h"
#include "data/transforms.h"
#include "data/weights.h"
#include "tests/data/sources.h"
#include "tests/failing_memory.h"

/* libzip leaks blocks of its own when zip_fopen_index runs out of memory. Other tests find our
 * leaks of libzip objects. */
extern "C" const char *__lsan_default_suppressions() { return "leak:libzip"; }

static bool no_threads = false;

extern "C" int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                                     void *);
extern "C" int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                                     void *(*start)(void *), void *context)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attr, start, context);
}

namespace {

class OutOfMemory : public WithFolder {
  protected:
    using Open = std::function<bool(rv_source *, rv_error *)>;

    static void sweep(const Open &open)
    {
        rv_source source;
        rv_error error = {};
        calls = 0;
        ASSERT_TRUE(open(&source, &error)) << error.text;
        const int64_t allocations = calls;
        const bool lengths = source.lengths;
        rv_source_close(&source);
        ASSERT_GT(allocations, 0);
        int64_t survived = 0;
        for (const bool all : {false, true})
            for (int64_t n = 0; n < allocations; n++) {
                and_all_after = all;
                calls = 0;
                failing = n;
                error = {};
                const bool ok = open(&source, &error);
                failing = -1;
                survived += ok;
                EXPECT_EQ(error.code, ok ? RV_OK : RV_ERROR_MEMORY)
                    << "allocation " << n << ": " << error.text;
                if (ok)
                    EXPECT_EQ(source.lengths, lengths) << "allocation " << n;
                else
                    EXPECT_EQ(source.context, nullptr) << "allocation " << n;
                rv_source_close(&source);
            }
        EXPECT_LE(survived, 2) << "only libzip can go on without an allocation, of a buffer";
    }
};

TEST_F(OutOfMemory, Files)
{
    const std::string images = file("images", gzip(idx(8, {1, 2}, "ab"))),
                      labels = file("labels", idx(8, {1}, "\x01")),
                      x = npy("<f4", "(1,)", little(1.f)), y = npy("|u1", "(1,)", "\x01"),
                      csv = file("csv", "1,2,0\n"), x_path = file("x", x), y_path = file("y", y),
                      npz = path("npz"),
                      fortran = file("fortran", npy("|u1", "(1, 2)", "ab", "True"));
    sweep([&](rv_source *s, rv_error *error) {
        return rv_source_idx(s, images.c_str(), labels.c_str(), nullptr, error);
    });
    sweep([&](rv_source *s, rv_error *error) {
        return rv_source_npy(s, x_path.c_str(), y_path.c_str(), nullptr, error);
    });
    sweep([&](rv_source *s, rv_error *error) {
        return rv_source_npy(s, fortran.c_str(), y_path.c_str(), nullptr, error);
    });
    sweep([&](rv_source *s, rv_error *error) {
        return rv_source_csv(s, csv.c_str(), nullptr, error);
    });
    sweep([&](rv_source *s, rv_error *error) {
        const rv_text_options options = {0, 2, nullptr, 0};
        return rv_source_text(s, csv.c_str(), &options, error);
    });
    zip_t *zip = zip_open(npz.c_str(), ZIP_CREATE, nullptr);
    zip_file_add(zip, "x.npy", zip_source_buffer(zip, x.data(), x.size(), 0), 0);
    zip_file_add(zip, "y.npy", zip_source_buffer(zip, y.data(), y.size(), 0), 0);
    zip_file_add(zip, "length.npy", zip_source_buffer(zip, y.data(), y.size(), 0), 0);
    ASSERT_EQ(zip_close(zip), 0);
    sweep([&](rv_source *s, rv_error *error) {
        return rv_source_npz(s, npz.c_str(), nullptr, error);
    });
    sweep([&](rv_source *s, rv_error *error) { /* named arrays, read and written */
                                               rv_archive archive;
                                               *s = {};
                                               const std::string copy = npz + "2";
                                               const bool ok =
                                                   rv_npz_read(npz.c_str(), 0, &archive, error) &&
                                                   rv_npz_write(copy.c_str(), &archive, error);
                                               rv_archive_free(&archive);
                                               return ok;
    });
}

/* On failure the store is unchanged. */
TEST_F(OutOfMemory, Weights)
{
    const std::string from = path("w.safetensors");
    float values[6] = {1, 2, 3, 4, 5, 6};
    rv_named_tensor tensors[] = {{"fc.weight", {RV_F32, RV_SHAPE(2, 2), values}},
                                 {"fc.bias", {RV_F32, RV_SHAPE(2), values + 4}}};
    rv_archive archive = {};
    archive.tensors = tensors;
    archive.tensor_count = 2;
    ASSERT_TRUE(rv_safetensors_write(from.c_str(), &archive, nullptr));
    rv_store *store = rv_store_new(1);
    const rv_entry *w = rv_store_get(store, "fc/weight", RV_PARAMETER, RV_F64, RV_SHAPE(2, 2),
                                     rv_init_constant(0), nullptr);
    const rv_entry *b = rv_store_get(store, "fc/bias", RV_PARAMETER, RV_F64, RV_SHAPE(2),
                                     rv_init_constant(0), nullptr);
    ASSERT_TRUE(w && b);
    sweep([&](rv_source *s, rv_error *error) {
        *s = {};
        const char *one = from.c_str();
        rv_tensor_fill(const_cast<rv_tensor *>(&w->tensor), 0);
        const bool ok = rv_weights_import(store, &one, 1, nullptr, error);
        EXPECT_EQ(rv_tensor_get(&w->tensor, 3), ok ? 4 : 0);
        return ok;
    });
    rv_store_free(store);
}

TEST_F(OutOfMemory, TasksTensorsAndTransforms)
{
    for (int i = 0; i < rv_task_count(); i++) {
        sweep([&](rv_source *s, rv_error *error) {
            return rv_source_task(s, rv_task_at(i)->name, nullptr, error);
        });
    }
    sweep([](rv_source *s, rv_error *error) { return rv_source_digits(s, nullptr, 0, error); });
    Source digits;
    ASSERT_TRUE(rv_source_digits(&digits.s, nullptr, 0, nullptr));
    sweep([&](rv_source *s, rv_error *error) {
        return rv_source_subset(s, &digits.s, {0, 10, false, 1}, error);
    });
    sweep([&](rv_source *s, rv_error *error) {
        return rv_source_augment(s, &digits.s, {1, 0, 1}, error);
    });
}

TEST_F(OutOfMemory, Loaders)
{
    Source digits;
    ASSERT_TRUE(rv_source_digits(&digits.s, nullptr, 0, nullptr));
    const rv_loader_options options = {10, 1, false, false, false, 2};
    calls = 0;
    rv_loader_free(rv_loader_new(&digits.s, &options, nullptr));
    const int64_t allocations = calls;
    for (int64_t n = 0; n < allocations; n++) {
        calls = 0;
        failing = n;
        rv_error error = {};
        rv_loader *loader = rv_loader_new(&digits.s, &options, &error);
        failing = -1;
        /* Starting a thread calls calloc too, whose failure the C library may survive. */
        if (loader == nullptr) {
            EXPECT_EQ(error.code, RV_ERROR_MEMORY) << error.text;
        }
        rv_loader_free(loader);
    }
}

/* The caller makes the batches. */
TEST_F(OutOfMemory, ALoaderWithoutAThread)
{
    Source digits;
    rv_error error = {};
    ASSERT_TRUE(rv_source_digits(&digits.s, nullptr, 0, nullptr));
    const rv_loader_options ahead = {10, 1, false, false, false, 2}, none = {10, 1};
    no_threads = true;
    rv_loader *a = rv_loader_new(&digits.s, &ahead, &error);
    no_threads = false;
    rv_loader *b = rv_loader_new(&digits.s, &none, &error);
    for (uint64_t epoch = 1; epoch < 3; epoch++) {
        ASSERT_TRUE(rv_loader_start(a, epoch, 0, &error) && rv_loader_start(b, epoch, 0, &error))
            << error.text;
        for (int64_t batch = 0; batch < 180; batch++) {
            const rv_batch *x = rv_loader_next(a, &error), *y = rv_loader_next(b, &error);
            ASSERT_TRUE(x && y) << error.text;
            ASSERT_EQ(x->count, y->count);
            ASSERT_EQ(memcmp(x->x.data, y->x.data, 256 * (size_t)x->count), 0) << batch;
        }
        EXPECT_EQ(rv_loader_next(a, &error), nullptr);
        EXPECT_EQ(error.code, RV_OK) << error.text;
        EXPECT_EQ(rv_loader_next(b, &error), nullptr);
    }
    rv_loader_free(a);
    rv_loader_free(b);
}

} // namespace
