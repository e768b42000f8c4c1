#include "tools/bench/operations.h"

#include "tools/bench/workloads.h"

enum {
    TRANSCENDENTAL = 20,
    MOMENTUM = 4, /* per parameter: v = mu v + r g (3), w - v */
    ADAM = 14     /* m (3), s (4), two corrections, sqrt, + e, /, r *, w - */
};

/* A product y = x w of this many multiply-adds, and in training its gradients. */
static double product(double macs, bool training, bool wanted_x)
{
    return 2 * macs * (training ? 2 + wanted_x : 1);
}

/* ---- cells: operations per element of the state and step, besides products ---- */

typedef struct cell_cost {
    int from_x, from_h;    /* products by a weight that x and h go through */
    int forward, backward; /* with the sums of x's and h's part, biases and their gradients */
} cell_cost;

/* h' = c + g (h - c). Forward: two gates of + + and a transcendental; the lerp 3.
 * Backward: dc = dh (1 - g), dg = dh (h - c): 4; g (1 - g) dg: 3; (1 - c c) dc: 3; the state's g dh
 * and its sum with the products' part: 2; bias gradients: 2. */
static const cell_cost update_gate = {2, 2, 2 * (2 + TRANSCENDENTAL) + 3, 14};

/* Forward: three gates; r h: 1; the lerp 3. Backward: as above for u and c: 4 + 3 + 3; r's gate:
 * d(r h) h and r (1 - r) dr: 4; the state's u dh + r d(r h) + the products' parts: 4; biases: 3. */
static const cell_cost gru = {3, 3, 3 * (2 + TRANSCENDENTAL) + 4, 21};

/* Forward: four gates; f c + i z: 3; o tanh c: 1 and a transcendental.
 * Backward: do = dh t: 1; dc += dh o (1 - t t): 5; df, di, dz, dc': 4; three sigmoid' and a tanh':
 * 12;
 * biases: 4. */
static const cell_cost lstm = {4, 4, 4 * (2 + TRANSCENDENTAL) + 4 + TRANSCENDENTAL, 26};

/* z and u from x; h' = h + z (u - h). Forward: two biases, a transcendental, the lerp 3. Backward:
 * du 1, dz 2, its sigmoid' 3; the state's (1 - z) dh and its sum: 3; biases: 2. */
static const cell_cost mingru = {2, 0, 2 + TRANSCENDENTAL + 3, 11};

/* Three products of x. Forward: two gates of * + + and a transcendental, two lerps of 3. Backward:
 * dr 2, df 2, their sigmoid' 6; dc' 2, du 2, dc 5; gains 4, biases 2. */
static const cell_cost sru = {3, 0, 2 * (3 + TRANSCENDENTAL) + 6, 25};

static double pointwise(cell_cost cost, double elements, bool training)
{
    return elements * (cost.forward + (training ? cost.backward : 0));
}

/* ---- heads ---- */

/* y = x w' + b: the products, and b with its gradient. */
static double linear(double batch, double inputs, double outputs, bool training)
{
    return product(batch * inputs * outputs, training, true) + batch * outputs * (1 + training);
}

static double update(double parameters, int cost, bool training)
{
    return training ? parameters * cost : 0;
}

/* ---- the workloads ---- */

/* x [n,1,8,8] meets two kernels 5x5, h [n,1,4,4] two of 3x3; then 16 - 32 - 1. */
double curnn_operations(const workload *w, bool training)
{
    double n = (double)w->x.dim[0], steps = (double)w->steps, state = n * 16;
    double cell = product(state * 2 * 25, training, false) +
                  product(state * 2 * 9, training, true) * (steps - 1) +
                  pointwise(update_gate, state * steps, training);
    double head = linear(n, 16, 32, training) + linear(n, 32, 1, training) +
                  n * 32 * (TRANSCENDENTAL + 3 * training);
    double loss = n * training * (3 * TRANSCENDENTAL + 5); /* softplus: exp, log; its slope: exp */
    double parameters = 2 * (25 + 9 + 1) + (16 + 1) * 32 + 32 + 1;
    return cell + head + loss + update(parameters, MOMENTUM, training);
}

/* x [n,3,32,32] meets a kernel [2c,3,3,3], h [n,c,32,32] one of [2c,c,3,3]. */
double conv_ugrnn_operations(const workload *w, bool training)
{
    double n = (double)w->x.dim[0], in = (double)w->x.dim[1], c = (double)w->units;
    double pixels = n * (double)(w->x.dim[2] * w->x.dim[3]), steps = (double)w->steps;
    double cell = product(pixels * 2 * c * in * 9, training, false) +
                  product(pixels * 2 * c * c * 9, training, true) * (steps - 1) +
                  pointwise(update_gate, pixels * c * steps, training);
    double head = pixels * c + linear(n, c, 10, training);
    double loss = n * 10 * training * (TRANSCENDENTAL + 6);
    double parameters = 2 * c * (9 * in + 9 * c + 1) + (c + 1) * 10;
    return cell + head + loss + update(parameters, ADAM, training);
}

/* A cell on x [n,steps,inputs], from zero states. */
static double layer(double n, double steps, double inputs, double units, cell_cost cost,
                    bool training, bool wanted_x)
{
    return product(n * inputs * cost.from_x * units, training, wanted_x) * steps +
           product(n * units * cost.from_h * units, training, true) * (steps - 1) +
           pointwise(cost, n * units * steps, training);
}

/* x [n,steps,inputs] */
static double sequence(const workload *w, cell_cost cost, bool training)
{
    double n = (double)w->x.dim[0], steps = (double)w->x.dim[1], inputs = (double)w->x.dim[2];
    double units = (double)w->units;
    double cell = layer(n, steps, inputs, units, cost, training, false);
    double head = linear(n, units, 1, training);
    double parameters = units * (cost.from_x * (inputs + 1) + cost.from_h * units + 1) + 1;
    return cell + head + n * 5 * training + update(parameters, ADAM, training);
}

double ugrnn_operations(const workload *w, bool training)
{
    return sequence(w, update_gate, training);
}

double gru_operations(const workload *w, bool training) { return sequence(w, gru, training); }
double lstm_operations(const workload *w, bool training) { return sequence(w, lstm, training); }
double mingru_operations(const workload *w, bool training) { return sequence(w, mingru, training); }
double sru_operations(const workload *w, bool training) { return sequence(w, sru, training); }

/* Two layers of LSTM on embedded characters [n,steps], scores at each step. */
double characters_operations(const workload *w, bool training)
{
    double n = (double)w->x.dim[0], steps = (double)w->x.dim[1], classes = (double)w->classes;
    double units = (double)w->units, in = WORKLOAD_EMBEDDING;
    double cells = layer(n, steps, in, units, lstm, training, true) +
                   layer(n, steps, units, units, lstm, training, true);
    double head = linear(n * steps, units, classes, training);
    double loss = n * steps * classes * training * (TRANSCENDENTAL + 6);
    double parameters = classes * in + 4 * units * (in + 3 * units + 2) + (units + 1) * classes;
    return cells + head + loss + update(parameters, ADAM, training);
}

/* x [n,steps,1,height,width], an LSTM whose maps are 3x3 kernels, a 3x3 kernel to the frame. */
double video_operations(const workload *w, bool training)
{
    double steps = (double)w->x.dim[1], c = (double)w->units;
    double pixels = (double)(w->x.dim[0] * w->x.dim[3] * w->x.dim[4]);
    double cell = product(pixels * 4 * c * 9, training, false) * steps +
                  product(pixels * 4 * c * c * 9, training, true) * (steps - 1) +
                  pointwise(lstm, pixels * c * steps, training);
    double head = product(pixels * c * 9, training, true) + pixels * 5 * training;
    double parameters = 4 * c * (9 + 9 * c + 1) + 9 * c;
    return cell + head + update(parameters, ADAM, training);
}

/* A step of x [1,1,inputs] from states that are not zero. */
static double stream(const workload *w, cell_cost cost)
{
    double inputs = (double)w->x.dim[2], units = (double)w->units;
    return product(units * (cost.from_x * inputs + cost.from_h * units), false, false) +
           pointwise(cost, units, false);
}

double gru_stream_operations(const workload *w, bool training)
{
    return (void)training, stream(w, gru);
}

double lstm_stream_operations(const workload *w, bool training)
{
    return (void)training, stream(w, lstm);
}

double pointwise_operations(const workload *w, bool training)
{
    (void)training;
    return (double)rv_shape_count(w->x) * TRANSCENDENTAL;
}
