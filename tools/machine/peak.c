/* Measures peak rates with loops of independent multiply-adds, enough to hide their latency, in the
 * widest vectors of the machine, and with loops that read, write and copy a block of memory. */
#include "tools/machine/peak.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "tensor/machine_internal.h"
#include "tools/machine/timing.h"

/* ---- the loops ---- */

/* Two units with a latency of four cycles need eight chains, with five cycles ten. Sixteen
 * registers hold twelve chains and two factors. */
enum { CHAINS = 12, ROUNDS = 1000, BLOCK = 8 /* vectors */ };

typedef struct loops {
    size_t lanes;
    float (*multiply_add)(const float *start);
    void (*traffic[TRAFFICS])(char *to, const char *from, size_t bytes);
} loops;

#define NAME(x) x##_portable
#define WIDTH 16
#define TARGET
#define MULTIPLY_ADD(x, a, b) ((x) * (a) + (b))
#include "tools/machine/peak_loops.def"

#if defined(__x86_64__)
#define NAME(x) x##_avx2
#define WIDTH 32
#define TARGET __attribute__((target("avx2,fma")))
#define MULTIPLY_ADD(x, a, b) ((vector_avx2)_mm256_fmadd_ps((__m256)(x), (__m256)(a), (__m256)(b)))
#include "tools/machine/peak_loops.def"

#define NAME(x) x##_avx512
#define WIDTH 64
#define TARGET __attribute__((target("avx512f")))
#define MULTIPLY_ADD(x, a, b) \
    ((vector_avx512)_mm512_fmadd_ps((__m512)(x), (__m512)(a), (__m512)(b)))
#include "tools/machine/peak_loops.def"
#endif

/* By level, as the kernels are. */
static const loops *const tables[] = {
    &loops_portable,
#if defined(__x86_64__)
    &loops_avx2,
    &loops_avx512,
#endif
};

static const loops *widest(void) { return tables[rv_instruction_level()]; }

const char *peak_instructions(void) { return rv_instruction_set_at(rv_instruction_level()); }

const char *traffic_name(traffic kind)
{
    static const char *const names[TRAFFICS] = {"read", "write", "copy"};
    return names[kind];
}

/* ---- on several cores ---- */

typedef struct worker worker;
struct worker {
    pthread_t thread;
    int index;
    double (*round)(worker *w); /* does some work; returns how much */
    const loops *loops;
    double *rate; /* [WINDOWS], of this worker */
    double window;
    pthread_barrier_t *together;
    traffic kind;
    char *to, *from;
    size_t bytes;
    float start[CHAINS + 2];
    volatile float sink;
};

enum { WINDOWS = 16 };

static void pin(int index)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    int at = index % CPU_COUNT(&allowed);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && at-- == 0) CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static void *work(void *argument)
{
    worker *w = argument;
    pin(w->index);
    w->round(w);
    for (int i = 0; i < WINDOWS; i++) {
        double done = 0, passed, start;
        pthread_barrier_wait(w->together);
        start = seconds_now();
        do {
            done += w->round(w);
            passed = seconds_now() - start;
        } while (passed < w->window);
        w->rate[i] = done / passed;
    }
    return NULL;
}

/* The highest rate of all workers together in one of the windows. */
static double best_window(worker *workers, int count, double seconds)
{
    double rate[PEAK_MOST_THREADS][WINDOWS], best = 0;
    pthread_barrier_t together;
    if (pthread_barrier_init(&together, NULL, (unsigned)count) != 0) return 0;
    for (int i = 0; i < count; i++) {
        worker *w = &workers[i];
        w->index = i;
        w->rate = rate[i];
        w->window = seconds / WINDOWS;
        w->together = &together;
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            return 0; /* the threads already started wait for ever */
    }
    for (int i = 0; i < count; i++) pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&together);
    for (int k = 0; k < WINDOWS; k++) {
        double sum = 0;
        for (int i = 0; i < count; i++) sum += rate[i][k];
        best = fmax(best, sum);
    }
    return best;
}

/* ---- the work ---- */

static double multiply_adds(worker *w)
{
    w->sink = w->loops->multiply_add(w->start);
    return 2.0 * CHAINS * ROUNDS * (double)w->loops->lanes;
}

double peak_operations(int threads, double seconds)
{
    worker workers[PEAK_MOST_THREADS];
    if (threads < 1 || threads > PEAK_MOST_THREADS) return 0;
    for (int i = 0; i < threads; i++) {
        workers[i] = (worker){.round = multiply_adds, .loops = widest()};
        for (int c = 0; c < CHAINS; c++) workers[i].start[c] = 0.5F + 0.01F * (float)c;
        workers[i].start[CHAINS] = 0.999F; /* sums converge to b / (1 - a) = 1 */
        workers[i].start[CHAINS + 1] = 1e-3F;
    }
    return best_window(workers, threads, seconds);
}

/* Repeats small blocks, so that reading the clock does not dominate. */
static double move(worker *w)
{
    size_t times = 1 + ((size_t)1 << 16) / w->bytes;
    for (size_t i = 0; i < times; i++) {
        w->loops->traffic[w->kind](w->to, w->from, w->bytes);
        __asm__ volatile("" : : "r"(w->to), "r"(w->from) : "memory");
    }
    return (double)times * (double)w->bytes * (w->kind == TRAFFIC_COPY ? 2 : 1);
}

double peak_bytes(traffic kind, int threads, size_t bytes, double seconds)
{
    const size_t whole = 64 * BLOCK; /* bytes per iteration of the widest loop */
    worker workers[PEAK_MOST_THREADS];
    double best = 0;
    bool enough = threads >= 1 && threads <= PEAK_MOST_THREADS;
    bytes = kind == TRAFFIC_COPY ? bytes / 2 : bytes; /* both blocks count */
    bytes = (bytes + whole - 1) / whole * whole;
    for (int i = 0; i < threads && enough; i++) {
        worker *w = &workers[i];
        *w = (worker){.round = move, .loops = widest(), .kind = kind, .bytes = bytes};
        w->from = aligned_alloc(whole, kind == TRAFFIC_WRITE ? whole : bytes);
        w->to = aligned_alloc(whole, kind == TRAFFIC_READ ? whole : bytes);
        enough = w->from && w->to;
        if (w->from) memset(w->from, 0, kind == TRAFFIC_WRITE ? whole : bytes);
        if (w->to) memset(w->to, 0, kind == TRAFFIC_READ ? whole : bytes);
        if (!enough) threads = i + 1;
    }
    if (enough) best = best_window(workers, threads, seconds);
    for (int i = 0; i < threads; i++) {
        free(workers[i].from);
        free(workers[i].to);
    }
    return best;
}
