/* Shuffling, of many without an array: a place is a pair (a, b) of a rectangle that holds at least
 * `count`; each round adds to one coordinate a random function of the other, which can be undone,
 * and so permutes the rectangle; what falls outside the count goes round again until it is inside.
 * That is a generalized Feistel cipher with cycle walking (Black and Rogaway, "Ciphers with
 * arbitrary finite domains", CT-RSA 2002), with Philox as its round function. */
#include "data/order_internal.h"

#include <math.h>

#include "tensor/memory.h"
#include "tensor/random.h"

/* Four make a random permutation of random functions (Luby and Rackoff 1988); two to spare. */
enum { ROUNDS = 6 };

uint64_t rv_order_seed(uint64_t seed, uint64_t epoch, uint64_t index)
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)epoch,
                                 (uint32_t)(epoch >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t word[4];
    rv_philox4x32(counter, key, word);
    return (uint64_t)word[1] << 32 | word[0];
}

bool rv_order_new(rv_order *order, int64_t count, uint64_t seed, rv_error *error)
{
    *order = (rv_order){.count = count};
    if (count <= RV_ORDER_TABLE) {
        order->table = rv_alloc((size_t)count, sizeof *order->table);
        if (!order->table) return rv_fail_memory(error);
    }
    uint64_t low = (uint64_t)sqrt((double)count);
    order->low = low > 1 ? low : 1;
    order->high = ((uint64_t)count + order->low - 1) / order->low;
    rv_order_shuffle(order, seed);
    return true;
}

void rv_order_free(rv_order *order)
{
    rv_free(order->table);
    *order = (rv_order){0};
}

void rv_order_shuffle(rv_order *order, uint64_t seed)
{
    order->seed = seed;
    if (order->table) {
        rv_random_permutation(order->table, order->count, seed);
    }
}

static uint64_t permute(const rv_order *order, uint64_t place)
{
    uint64_t a = place / order->low, b = place % order->low;
    for (uint64_t round = 0; round < ROUNDS; round += 2) {
        a = (a + rv_order_seed(order->seed, round, b) % order->high) % order->high;
        b = (b + rv_order_seed(order->seed, round + 1, a) % order->low) % order->low;
    }
    return a * order->low + b;
}

int64_t rv_order_at(const rv_order *order, int64_t place)
{
    if (order->table) return order->table[place];
    uint64_t at = (uint64_t)place;
    do {
        at = permute(order, at);
    } while (at >= (uint64_t)order->count);
    return (int64_t)at;
}
