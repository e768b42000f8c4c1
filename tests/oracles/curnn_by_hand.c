/*
 * The article's CURNN by hand: the forward pass, then its derivation of the gradient, line by line,
 * with a switch at each of the five places where that derivation is wrong. See the header.
 */
#include "curnn_by_hand.h"

#include <math.h>
#include <string.h>

const by_hand_mistake by_hand_curnn_mistakes[5] = {
    {
        BY_HAND_SLOPE_OF_TANH,
        "The candidate is a tanh, but its slope is taken as that of an arctan.",
        "1 / (1 + C^2)",
        "1 - c^2",
    },
    {
        BY_HAND_CARRIED_ERROR,
        "The path that carries the error past step 2 adds the gate itself instead of the error it "
        "lets through, so the gradient does not vanish where the error does.",
        "g2",
        "g2 . dh2",
    },
    {
        BY_HAND_GATE_OF_STEP_1,
        "The candidate of step 1 gets its error through the gate of step 2.",
        "dC1 = A . (1 - g2) . slope",
        "dC1 = A . (1 - g1) . slope",
    },
    {
        BY_HAND_STATE_LESS_CANDIDATE,
        "The gate of step 1 multiplies state and candidate where it should subtract them.",
        "dG1 = A . (h0 . c1) / (1 + G1^2)",
        "dG1 = A . (h0 - c1) / (1 + G1^2)",
    },
    {
        BY_HAND_LAST_ROTATION,
        "The convolutions that carry the error back to h1 lack the last rotation by 180 degrees, "
        "so every error arrives at the opposite pixel.",
        "full_conv(W, rot180 d)",
        "rot180 full_conv(W, rot180 d)",
    },
};

const by_hand_curnn_rates by_hand_curnn_published_rates = {
    .wx = 8e-6, .wrec = 8e-9, .head = 0.1, .momentum = 1e-5};

/* Forward ------------------------------------------------------------------------------------ */

/* hp [6,6] = h [4,4] in a ring of zeros. */
static void pad1(const double h[16], double hp[36])
{
    memset(hp, 0, 36 * sizeof *hp);
    for (int i = 0; i < 4; i++) memcpy(hp + 6 * (i + 1) + 1, h + 4 * i, 4 * sizeof *h);
}

/* out [m,m] += in [n,n] * kernel [k,k], m = n - k + 1. */
static void add_convolution(const double *in, int n, const double *kernel, int k, double *out)
{
    const int m = n - k + 1;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) {
            double sum = 0;
            for (int u = 0; u < k; u++)
                for (int v = 0; v < k; v++)
                    sum += in[n * (i + u) + j + v] * kernel[k * (k - 1 - u) + k - 1 - v];
            out[m * i + j] += sum;
        }
}

/* sum [4,4] = pad1(h) * wrec + x * wx. */
static void preactivation(const double h[16], const double wrec[9], const double x[64],
                          const double wx[25], double sum[16])
{
    double hp[36];
    pad1(h, hp);
    memset(sum, 0, 16 * sizeof *sum);
    add_convolution(hp, 6, wrec, 3, sum);
    add_convolution(x, 8, wx, 5, sum);
}

void by_hand_curnn_forward(const by_hand_curnn *w, const double h0[16], const double x[64],
                           double y, by_hand_curnn_trace *t)
{
    memcpy(t->x, x, sizeof t->x);
    memcpy(t->h0, h0, sizeof t->h0);
    t->y = y;

    preactivation(t->h0, w->wrecc, t->x, w->wxc, t->C1);
    preactivation(t->h0, w->wrecg, t->x, w->wxg, t->G1);
    for (int i = 0; i < 16; i++) {
        t->c1[i] = tanh(t->C1[i]);
        t->g1[i] = atan(t->G1[i]);
        t->h1[i] = t->g1[i] * t->h0[i] + (1 - t->g1[i]) * t->c1[i];
    }

    preactivation(t->h1, w->wrecc, t->x, w->wxc, t->C2);
    preactivation(t->h1, w->wrecg, t->x, w->wxg, t->G2);
    for (int i = 0; i < 16; i++) {
        t->c2[i] = tanh(t->C2[i]);
        t->g2[i] = atan(t->G2[i]);
        t->h2[i] = t->g2[i] * t->h1[i] + (1 - t->g2[i]) * t->c2[i];
    }

    double s = 0;
    for (int k = 0; k < 34; k++) {
        t->f1[k] = 0;
        for (int i = 0; i < 16; i++) t->f1[k] += t->h2[i] * w->w1[34 * i + k];
        t->a[k] = atan(t->f1[k]);
        s += t->a[k] * w->w2[k];
    }
    t->o = 1 / (1 + exp(-s));
    t->loss = (t->o - y) * (t->o - y) / 2;
}

/* Backward ----------------------------------------------------------------------------------- */

/* dkernel [k,k] += the gradient of <in [n,n] * kernel, d [m,m]>; the article's kgrad. */
static void add_kernel_gradient(const double *in, int n, const double *d, int k, double *dkernel)
{
    const int m = n - k + 1;
    for (int u = 0; u < k; u++)
        for (int v = 0; v < k; v++) {
            double sum = 0;
            for (int i = 0; i < m; i++)
                for (int j = 0; j < m; j++) sum += in[n * (i + u) + j + v] * d[m * i + j];
            dkernel[k * (k - 1 - u) + k - 1 - v] += sum;
        }
}

/*
 * dh [4,4] += full_conv(kernel [3,3], rot180 d [4,4]), without the ring that pad1 had added. With
 * `last_rotation`, rot180 of that: then it is the gradient of <pad1(h) * kernel, d> with respect to
 * h, and without it every error arrives at the opposite pixel (mistake 5).
 */
static void add_state_gradient(const double kernel[9], const double d[16], int last_rotation,
                               double dh[16])
{
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            /* The element [p,q] of the full convolution, 6x6, that goes to dh[i,j]. */
            const int p = last_rotation ? 4 - i : i + 1;
            const int q = last_rotation ? 4 - j : j + 1;
            double sum = 0;
            for (int u = 0; u < 3; u++)
                for (int v = 0; v < 3; v++) {
                    const int r = 3 - (p - u), s = 3 - (q - v); /* (rot180 d)[p-u,q-v] */
                    if (0 <= r && r < 4 && 0 <= s && s < 4) sum += kernel[3 * u + v] * d[4 * r + s];
                }
            dh[4 * i + j] += sum;
        }
}

/* Through the head, which the article gets right; dh2 [16] is the error that reaches h2. */
static void head_gradient(const by_hand_curnn *w, const by_hand_curnn_trace *t,
                          by_hand_curnn *gradient, double dh2[16])
{
    const double d3 = (t->o - t->y) * t->o * (1 - t->o);
    double d2[34];
    for (int k = 0; k < 34; k++) {
        gradient->w2[k] = t->a[k] * d3;
        d2[k] = d3 * w->w2[k] / (1 + t->f1[k] * t->f1[k]);
    }
    for (int i = 0; i < 16; i++) {
        dh2[i] = 0;
        for (int k = 0; k < 34; k++) {
            gradient->w1[34 * i + k] = t->h2[i] * d2[k];
            dh2[i] += d2[k] * w->w1[34 * i + k];
        }
    }
}

void by_hand_curnn_gradient(const by_hand_curnn *w, const by_hand_curnn_trace *t,
                            unsigned corrections, by_hand_curnn *gradient)
{
    const int slope_of_tanh = (corrections & BY_HAND_SLOPE_OF_TANH) != 0;
    const int carried_error = (corrections & BY_HAND_CARRIED_ERROR) != 0;
    const int gate_of_step_1 = (corrections & BY_HAND_GATE_OF_STEP_1) != 0;
    const int state_less_candidate = (corrections & BY_HAND_STATE_LESS_CANDIDATE) != 0;
    const int last_rotation = (corrections & BY_HAND_LAST_ROTATION) != 0;

    double dh2[16], dC2[16], dG2[16], A[16], dC1[16], dG1[16]; /* A: the error that reaches h1 */
    memset(gradient, 0, sizeof *gradient);
    head_gradient(w, t, gradient, dh2);

    for (int i = 0; i < 16; i++) {
        const double C = t->C2[i], c = t->c2[i], G = t->G2[i], g = t->g2[i];
        const double slope = slope_of_tanh ? 1 - c * c : 1 / (1 + C * C);
        dC2[i] = (1 - g) * dh2[i] * slope;
        dG2[i] = (t->h1[i] - c) * dh2[i] / (1 + G * G);
        A[i] = carried_error ? g * dh2[i] : g;
    }
    add_state_gradient(w->wrecc, dC2, last_rotation, A);
    add_state_gradient(w->wrecg, dG2, last_rotation, A);

    for (int i = 0; i < 16; i++) {
        const double C = t->C1[i], c = t->c1[i], G = t->G1[i], h = t->h0[i];
        const double slope = slope_of_tanh ? 1 - c * c : 1 / (1 + C * C);
        const double g = gate_of_step_1 ? t->g1[i] : t->g2[i];
        dC1[i] = A[i] * (1 - g) * slope;
        dG1[i] = A[i] * (state_less_candidate ? h - c : h * c) / (1 + G * G);
    }

    double hp1[36], hp2[36];
    pad1(t->h0, hp1);
    pad1(t->h1, hp2);
    add_kernel_gradient(hp1, 6, dC1, 3, gradient->wrecc);
    add_kernel_gradient(hp2, 6, dC2, 3, gradient->wrecc);
    add_kernel_gradient(hp1, 6, dG1, 3, gradient->wrecg);
    add_kernel_gradient(hp2, 6, dG2, 3, gradient->wrecg);
    add_kernel_gradient(t->x, 8, dC1, 5, gradient->wxc);
    add_kernel_gradient(t->x, 8, dC2, 5, gradient->wxc);
    add_kernel_gradient(t->x, 8, dG1, 5, gradient->wxg);
    add_kernel_gradient(t->x, 8, dG2, 5, gradient->wxg);
}

/* Update ------------------------------------------------------------------------------------- */

static void descend(double *w, double *v, const double *gradient, int n, double rate,
                    double momentum)
{
    for (int i = 0; i < n; i++) {
        v[i] = momentum * v[i] + rate * gradient[i];
        w[i] -= v[i];
    }
}

void by_hand_curnn_update(by_hand_curnn *w, by_hand_curnn *v, const by_hand_curnn *d,
                          const by_hand_curnn_rates *rates)
{
    descend(w->wxc, v->wxc, d->wxc, 25, rates->wx, rates->momentum);
    descend(w->wxg, v->wxg, d->wxg, 25, rates->wx, rates->momentum);
    descend(w->wrecc, v->wrecc, d->wrecc, 9, rates->wrec, rates->momentum);
    descend(w->wrecg, v->wrecg, d->wrecg, 9, rates->wrec, rates->momentum);
    descend(w->w1, v->w1, d->w1, 16 * 34, rates->head, rates->momentum);
    descend(w->w2, v->w2, d->w2, 34, rates->head, rates->momentum);
}
