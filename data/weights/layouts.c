#include "data/weights/layouts.h"

#include <stddef.h>

/* PyTorch: W_ih x + b_ih + W_hh h + b_hh. */
#define TORCH_GATE(gate, block, blocks) \
    {"U" gate, "weight_ih", block, blocks}, {"W" gate, "weight_hh", block, blocks}, \
        {"b" gate, "bias_ih", block, blocks}, \
    { \
        "b" gate, "bias_hh", block, blocks \
    }

static const rv_part torch_lstm[] = {TORCH_GATE("i", 0, 4), TORCH_GATE("f", 1, 4),
                                     TORCH_GATE("z", 2, 4), TORCH_GATE("o", 3, 4)};
static const rv_part torch_gru[] = {TORCH_GATE("r", 0, 3),     TORCH_GATE("u", 1, 3),
                                    {"Uc", "weight_ih", 2, 3}, {"Wc", "weight_hh", 2, 3},
                                    {"bc", "bias_ih", 2, 3},   {"bh", "bias_hh", 2, 3}};
static const rv_part torch_rnn[] = {TORCH_GATE("", 0, 1)};
static const rv_part torch_weight[] = {{"weight", "weight", 0, 1}, {"bias", "bias", 0, 1}};
static const rv_part torch_embedding[] = {{"embedding", "weight", 0, 1}};

/* Keras: x kernel + h recurrent_kernel + bias. */
#define KERAS_GATE(gate, block, blocks) \
    {"U" gate, "kernel", block, blocks}, {"W" gate, "recurrent_kernel", block, blocks}, \
    { \
        "b" gate, "bias", block, blocks \
    }

static const rv_part keras_lstm[] = {KERAS_GATE("i", 0, 4), KERAS_GATE("f", 1, 4),
                                     KERAS_GATE("z", 2, 4), KERAS_GATE("o", 3, 4)};
static const rv_part keras_gru[] = {KERAS_GATE("u", 0, 3), KERAS_GATE("r", 1, 3),
                                    KERAS_GATE("c", 2, 3)};
static const rv_part keras_rnn[] = {KERAS_GATE("", 0, 1)};

/* With reset_after=True, the default, the bias is [2,3 units]: that of x, then that of h. */
#define KERAS_GATE_AFTER(gate, block, bias) \
    {"U" gate, "kernel", block, 3}, {"W" gate, "recurrent_kernel", block, 3}, \
        {"b" gate, "bias", block, 6}, \
    { \
        bias, "bias", block + 3, 6 \
    }

static const rv_part keras_gru_after[] = {
    KERAS_GATE_AFTER("u", 0, "bu"), KERAS_GATE_AFTER("r", 1, "br"), KERAS_GATE_AFTER("c", 2, "bh")};
static const rv_part keras_weight[] = {{"weight", "kernel", 0, 1}, {"bias", "bias", 0, 1}};
static const rv_part keras_embedding[] = {{"embedding", "embeddings", 0, 1}};

static const rv_part any_torch[] = {{NULL, "weight", 0, 1}};
static const rv_part any_keras[] = {{NULL, "kernel", 0, 1}};
static const rv_part any[] = {{NULL, NULL, 0, 1}};

#define PARTS(table) table, (int)(sizeof(table) / sizeof *(table))

/* clang-format off */
const rv_layout rv_layouts[] = {
    /* kind               name                                model       bare   theirs ours */
    {RV_LAYER_TORCH_GRU, "PyTorch GRU",                       "torch-gru", false, true,  false, PARTS(torch_gru)},
    {RV_LAYER_TORCH_GRU, "Keras GRU",                         "torch-gru", false, false, false, PARTS(keras_gru_after)},
    {RV_LAYER_LSTM,      "PyTorch LSTM",                      "lstm",      true,  true,  false, PARTS(torch_lstm)},
    {RV_LAYER_LSTM,      "Keras LSTM",                        "lstm",      true,  false, false, PARTS(keras_lstm)},
    {RV_LAYER_GRU,       "Keras GRU with reset_after=False",  "gru",       false, false, false, PARTS(keras_gru)},
    {RV_LAYER_RNN,       "PyTorch RNN",                       "rnn",       true,  true,  false, PARTS(torch_rnn)},
    {RV_LAYER_RNN,       "Keras SimpleRNN",                   "rnn",       true,  false, false, PARTS(keras_rnn)},
    {RV_LAYER_WEIGHT,    "PyTorch linear or convolutional layer", NULL, true,  true,  true,  PARTS(torch_weight)},
    {RV_LAYER_WEIGHT,    "Keras linear or convolutional layer",   NULL, true,  false, true,  PARTS(keras_weight)},
    {RV_LAYER_EMBEDDING, "PyTorch Embedding",                 NULL,        true,  true,  true,  PARTS(torch_embedding)},
    {RV_LAYER_EMBEDDING, "Keras Embedding",                   NULL,        true,  true,  true,  PARTS(keras_embedding)},
    {RV_LAYER_PARAMETER, "PyTorch weight",                    NULL,        true,  true,  false, PARTS(any_torch)},
    {RV_LAYER_PARAMETER, "Keras kernel",                      NULL,        true,  false, false, PARTS(any_keras)},
    {RV_LAYER_PARAMETER, "tensor",                            NULL,        true,  true,  true,  PARTS(any)},
};
/* clang-format on */

const int rv_layout_count = (int)(sizeof rv_layouts / sizeof *rv_layouts);
