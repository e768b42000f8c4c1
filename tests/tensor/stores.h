/* Helpers for tests of stores. */
#ifndef RV_TESTS_TENSOR_STORES_H
#define RV_TESTS_TENSOR_STORES_H

#include <gtest/gtest.h>

#include <string>

#include "tensor/store.h"

/* A store that is freed even when a test fails. */
class Store {
  public:
    explicit Store(uint64_t seed = 1) : store_(rv_store_new(seed)) {}
    Store(const Store &) = delete;
    Store &operator=(const Store &) = delete;
    ~Store() { rv_store_free(store_); }
    operator rv_store *() const { return store_; }

    rv_entry *get(const std::string &name, rv_shape shape, rv_role role = RV_PARAMETER,
                  rv_dtype dtype = RV_F32)
    {
        rv_error error = {};
        rv_entry *entry =
            rv_store_get(store_, name.c_str(), role, dtype, shape, rv_init_normal(0, 1), &error);
        EXPECT_NE(entry, nullptr) << error.text;
        return entry;
    }

    rv_error refusal(const char *name, rv_shape shape, rv_role role = RV_PARAMETER,
                     rv_dtype dtype = RV_F32)
    {
        rv_error error = {};
        EXPECT_EQ(rv_store_get(store_, name, role, dtype, shape, rv_init_constant(0), &error),
                  nullptr);
        return error;
    }

    std::string digest() const
    {
        char text[RV_DIGEST_TEXT];
        return rv_store_digest(store_, text);
    }

  private:
    rv_store *store_;
};

/* The content of a store as text. */
inline std::string contents(const rv_store *store)
{
    std::string all;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        char shape[RV_SHAPE_TEXT];
        all +=
            std::string(entry->name) + (entry->role == RV_STATE ? " state " : " parameter ") +
            rv_dtype_name(entry->tensor.dtype) + rv_shape_text(entry->tensor.shape, shape) +
            std::string(static_cast<char *>(entry->tensor.data), rv_tensor_bytes(&entry->tensor));
    }
    return all;
}

inline bool says(const rv_error &error, const char *part)
{
    return std::string(error.text).find(part) != std::string::npos;
}

#endif
