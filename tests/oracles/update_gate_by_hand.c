/*
 * The sibling article's scalar update gate RNN by hand, with a switch at each of the three places
 * where its derivation of the gradient is wrong. See the header.
 */
#include "update_gate_by_hand.h"

#include <math.h>
#include <stddef.h>

const by_hand_update_gate_mistake by_hand_update_gate_mistakes[3] = {
    {
        BY_HAND_UPDATE_GATE_STATE_LESS_CANDIDATE,
        "The gate's slope subtracts the gate from the state where it should subtract the "
        "candidate.",
        "h[t-1] - g",
        "h[t-1] - c",
    },
    {
        BY_HAND_UPDATE_GATE_CARRY_PATH,
        "The error that the gate lets through unchanged from h[t] to h[t-1] is left out.",
        "dh[t-1] = w_rec d",
        "dh[t-1] = w_rec d + g dh[t]",
    },
    {
        BY_HAND_UPDATE_GATE_CROSS_PATH,
        "The candidate's weights see only the error that comes back through the candidate, and the "
        "gate's only that through the gate, though both read the same h[t-1].",
        "w_recc dC for c, w_recg dG for g",
        "w_recc dC + w_recg dG for both",
    },
};

const double by_hand_update_gate_sequences[5][3] = {
    {-.2, -.2, -.6}, {-.3, -.2, 0}, {0, 0, 0}, {.1, .1, .3}, {0, .5, .5}};
const double by_hand_update_gate_targets[5] = {-1, -.5, 0, .5, 1};

void by_hand_update_gate_forward(const by_hand_update_gate *w, const double x[3], double y,
                                 by_hand_update_gate_trace *t)
{
    t->x[0] = t->c[0] = t->g[0] = t->h[0] = 0;
    for (int i = 1; i <= 3; i++) {
        const double h = t->h[i - 1];
        t->x[i] = x[i - 1];
        t->c[i] = tanh(w->w_xc * t->x[i] + w->w_recc * h);
        t->g[i] = tanh(w->w_xg * t->x[i] + w->w_recg * h);
        t->h[i] = t->g[i] * h + (1 - t->g[i]) * t->c[i];
    }
    t->y = y;
    t->loss = (t->h[3] - y) * (t->h[3] - y) / 2;
}

/*
 * With d the error dloss/dh[t], C and G the arguments of the two tanh:
 *     dC = (1 - g) (1 - c^2) d        dG = (h[t-1] - c) (1 - g^2) d
 *     dloss/dh[t-1] = w_recc dC + w_recg dG + g d
 * The article keeps two errors, one that the weights of c see and one that those of g see; they
 * start equal and part where paths are missing. With the cross path they stay equal.
 */
void by_hand_update_gate_add_gradient(const by_hand_update_gate *w,
                                      const by_hand_update_gate_trace *t, unsigned corrections,
                                      by_hand_update_gate *gradient)
{
    const int state_less_candidate = (corrections & BY_HAND_UPDATE_GATE_STATE_LESS_CANDIDATE) != 0;
    const int carry_path = (corrections & BY_HAND_UPDATE_GATE_CARRY_PATH) != 0;
    const int cross_path = (corrections & BY_HAND_UPDATE_GATE_CROSS_PATH) != 0;

    double seen_by_c = t->h[3] - t->y, seen_by_g = seen_by_c;
    for (int i = 3; i >= 1; i--) {
        const double c = t->c[i], g = t->g[i], h = t->h[i - 1];
        const double dC = (1 - g) * (1 - c * c) * seen_by_c;
        const double dG = (h - (state_less_candidate ? c : g)) * (1 - g * g) * seen_by_g;

        gradient->w_xc += t->x[i] * dC;
        gradient->w_recc += h * dC;
        gradient->w_xg += t->x[i] * dG;
        gradient->w_recg += h * dG;

        const double through_c = w->w_recc * dC, through_g = w->w_recg * dG;
        seen_by_c = through_c + (cross_path ? through_g : 0) + (carry_path ? g * seen_by_c : 0);
        seen_by_g = through_g + (cross_path ? through_c : 0) + (carry_path ? g * seen_by_g : 0);
    }
}

double by_hand_update_gate_cost(const by_hand_update_gate *w, unsigned corrections,
                                by_hand_update_gate *gradient)
{
    double cost = 0;
    if (gradient) *gradient = (by_hand_update_gate){0};
    for (int n = 0; n < 5; n++) {
        by_hand_update_gate_trace t;
        by_hand_update_gate_forward(w, by_hand_update_gate_sequences[n],
                                    by_hand_update_gate_targets[n], &t);
        cost += t.loss;
        if (gradient) by_hand_update_gate_add_gradient(w, &t, corrections, gradient);
    }
    return cost;
}
