/* Random permutations, for large counts without a table. An index is a pair (a, b) in a rectangle
 * of at least `count` cells. Each round adds a random function of one coordinate to the other. A
 * round can be inverted, so the rounds permute the rectangle. An index that lands outside the count
 * is permuted again until it is inside. This is a generalized Feistel cipher with cycle walking
 * (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002), with Philox as its
 * round function. */
#include "data/shuffle_internal.h"

#include <math.h>

#include "tensor/memory.h"
#include "tensor/random.h"

/* Four rounds suffice with random functions (Luby and Rackoff 1988); two more for safety. */
enum { ROUNDS = 6 };

uint64_t rv_sample_seed(uint64_t seed, uint64_t epoch, uint64_t index)
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)epoch,
                                 (uint32_t)(epoch >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t word[4];
    rv_philox4x32(counter, key, word);
    return (uint64_t)word[1] << 32 | word[0];
}

bool rv_shuffle_new(rv_shuffle *shuffle, int64_t count, uint64_t seed, rv_error *error)
{
    *shuffle = (rv_shuffle){.count = count};
    if (count <= RV_SHUFFLE_TABLE) {
        shuffle->table = rv_alloc((size_t)count, sizeof *shuffle->table);
        if (!shuffle->table) return rv_fail_memory(error);
    }
    uint64_t low = (uint64_t)sqrt((double)count);
    shuffle->low = low > 1 ? low : 1;
    shuffle->high = ((uint64_t)count + shuffle->low - 1) / shuffle->low;
    rv_shuffle_reseed(shuffle, seed);
    return true;
}

void rv_shuffle_free(rv_shuffle *shuffle)
{
    rv_free(shuffle->table);
    *shuffle = (rv_shuffle){0};
}

void rv_shuffle_reseed(rv_shuffle *shuffle, uint64_t seed)
{
    shuffle->seed = seed;
    if (shuffle->table) {
        rv_random_permutation(shuffle->table, shuffle->count, seed);
    }
}

static uint64_t permute(const rv_shuffle *shuffle, uint64_t position)
{
    uint64_t a = position / shuffle->low, b = position % shuffle->low;
    for (uint64_t round = 0; round < ROUNDS; round += 2) {
        a = (a + rv_sample_seed(shuffle->seed, round, b) % shuffle->high) % shuffle->high;
        b = (b + rv_sample_seed(shuffle->seed, round + 1, a) % shuffle->low) % shuffle->low;
    }
    return a * shuffle->low + b;
}

int64_t rv_shuffle_at(const rv_shuffle *shuffle, int64_t position)
{
    if (shuffle->table) return shuffle->table[position];
    uint64_t at = (uint64_t)position;
    do {
        at = permute(shuffle, at);
    } while (at >= (uint64_t)shuffle->count);
    return (int64_t)at;
}
