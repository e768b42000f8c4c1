/*
 * The Convolutional Update Gate RNN (CURNN) of the article, forward and backward, by hand.
 *
 * Source: Jae Duk Seo, "Only Numpy: Convolutional Update Gate RNN" (January 2018), after the update
 * gate RNN of Collins, Sohl-Dickstein and Sussillo, arXiv 1611.09913. The article derives its
 * gradients by hand and makes five mistakes; here each can be kept or put right on its own.
 *
 * This is a yardstick for the framework, so it shares no code with it: plain arrays of double, one
 * image at a time, libc only. Matrices are row-major; all functions are pure but for their outputs.
 *
 *     hp  = pad1(h[t-1])                                   6x6   one ring of zeros
 *     C_t = hp * Wrecc + x * Wxc    c_t = tanh(C_t)        4x4   * is the textbook convolution,
 *     G_t = hp * Wrecg + x * Wxg    g_t = arctan(G_t)      4x4   kernel flipped, "valid"
 *     h_t = g_t . h[t-1] + (1 - g_t) . c_t                 4x4   t = 1, 2, the same x both times
 *     f1  = flatten(h_2) W1         a = arctan(f1)         1x34
 *     o   = sigmoid(a W2)           loss = (o - y)^2 / 2
 */
#ifndef RV_TESTS_ORACLES_CURNN_BY_HAND_H
#define RV_TESTS_ORACLES_CURNN_BY_HAND_H

#ifdef __cplusplus
extern "C" {
#endif

/* The weights, or one number for each of them: a gradient, a velocity. There are no biases. */
typedef struct {
    double wxc[5 * 5], wxg[5 * 5];
    double wrecc[3 * 3], wrecg[3 * 3];
    double w1[16 * 34], w2[34];
} by_hand_curnn;

/* Everything that the forward pass computes and the backward pass reads. */
typedef struct {
    double x[8 * 8], y, h0[4 * 4];
    double C1[16], G1[16], c1[16], g1[16], h1[16];
    double C2[16], G2[16], c2[16], g2[16], h2[16];
    double f1[34], a[34], o, loss;
} by_hand_curnn_trace;

/* What can be put right in the published derivation: bit i - 1 is mistake i. */
enum {
    BY_HAND_AS_PUBLISHED = 0,
    BY_HAND_SLOPE_OF_TANH = 1 << 0,
    BY_HAND_CARRIED_ERROR = 1 << 1,
    BY_HAND_GATE_OF_STEP_1 = 1 << 2,
    BY_HAND_STATE_LESS_CANDIDATE = 1 << 3,
    BY_HAND_LAST_ROTATION = 1 << 4,
    BY_HAND_ALL_CORRECTIONS = (1 << 5) - 1
};

typedef struct {
    unsigned correction;   /* the bit that puts it right */
    const char *what;      /* one sentence, for a report */
    const char *published; /* the formula as published */
    const char *right;     /* and as it should be */
} by_hand_mistake;

/* Mistakes 1 to 5 are rows 0 to 4. */
extern const by_hand_mistake by_hand_curnn_mistakes[5];

/* Learning rates by kind of weight, and the fraction of the velocity that is kept. */
typedef struct {
    double wx, wrec, head, momentum;
} by_hand_curnn_rates;

/* 8e-6, 8e-9, 0.1 and 1e-5. */
extern const by_hand_curnn_rates by_hand_curnn_published_rates;

/* One image: pixels x (0..16 in the article, unscaled) and its target y, 0 or 1. */
void by_hand_curnn_forward(const by_hand_curnn *w, const double h0[16], const double x[64],
                           double y, by_hand_curnn_trace *t);

/*
 * dloss/dW of that image, overwriting `gradient`. `corrections` says which mistakes are put right:
 * BY_HAND_AS_PUBLISHED, BY_HAND_ALL_CORRECTIONS, or any of the bits above.
 */
void by_hand_curnn_gradient(const by_hand_curnn *w, const by_hand_curnn_trace *t,
                            unsigned corrections, by_hand_curnn *gradient);

/* v = momentum v + rate gradient;  W = W - v.  Start with velocity zero. */
void by_hand_curnn_update(by_hand_curnn *w, by_hand_curnn *velocity, const by_hand_curnn *gradient,
                          const by_hand_curnn_rates *rates);

#ifdef __cplusplus
}
#endif

#endif
