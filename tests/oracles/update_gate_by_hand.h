/*
 * The update gate RNN with scalar weights of the CURNN article's sibling, forward and backward, by
 * hand. Its derivation makes three mistakes; here each can be kept or put right on its own. Like
 * its neighbour it is a yardstick: it shares no code with the framework. libc only.
 *
 * Source of the cell: Collins, Sohl-Dickstein and Sussillo, arXiv 1611.09913; of the scalar net and
 * its derivation: Jae Duk Seo's "Only Numpy" article on the update gate RNN (January 2018).
 *
 *     c_t = tanh(w_xc x_t + w_recc h[t-1])
 *     g_t = tanh(w_xg x_t + w_recg h[t-1])
 *     h_t = g_t h[t-1] + (1 - g_t) c_t            t = 1, 2, 3    h_0 = 0
 *     cost = sum over the 5 sequences of (h_3 - y)^2 / 2
 */
#ifndef RV_TESTS_ORACLES_UPDATE_GATE_BY_HAND_H
#define RV_TESTS_ORACLES_UPDATE_GATE_BY_HAND_H

#ifdef __cplusplus
extern "C" {
#endif

/* The weights, or their gradient. */
typedef struct {
    double w_xc, w_recc, w_xg, w_recg;
} by_hand_update_gate;

/* One sequence, forward; index t is the time step, and index 0 of c and g is unused. */
typedef struct {
    double x[4], y;
    double c[4], g[4], h[4], loss;
} by_hand_update_gate_trace;

/* What can be put right in the published derivation: bit i - 1 is mistake i. */
enum {
    BY_HAND_UPDATE_GATE_AS_PUBLISHED = 0,
    BY_HAND_UPDATE_GATE_STATE_LESS_CANDIDATE = 1 << 0,
    BY_HAND_UPDATE_GATE_CARRY_PATH = 1 << 1,
    BY_HAND_UPDATE_GATE_CROSS_PATH = 1 << 2,
    BY_HAND_UPDATE_GATE_ALL_CORRECTIONS = (1 << 3) - 1
};

typedef struct {
    unsigned correction;   /* the bit that puts it right */
    const char *what;      /* one sentence, for a report */
    const char *published; /* the formula as published */
    const char *right;     /* and as it should be */
} by_hand_update_gate_mistake;

/* Mistakes 1 to 3 are rows 0 to 2. */
extern const by_hand_update_gate_mistake by_hand_update_gate_mistakes[3];

/* The article's five sequences of three steps, and their targets. */
extern const double by_hand_update_gate_sequences[5][3];
extern const double by_hand_update_gate_targets[5];

void by_hand_update_gate_forward(const by_hand_update_gate *w, const double x[3], double y,
                                 by_hand_update_gate_trace *t);

/* dloss/dw of that sequence, added to `gradient` (a full batch sums them: start from zero). */
void by_hand_update_gate_add_gradient(const by_hand_update_gate *w,
                                      const by_hand_update_gate_trace *t, unsigned corrections,
                                      by_hand_update_gate *gradient);

/* The cost over the five sequences and, unless `gradient` is null, its gradient. */
double by_hand_update_gate_cost(const by_hand_update_gate *w, unsigned corrections,
                                by_hand_update_gate *gradient);

#ifdef __cplusplus
}
#endif

#endif
