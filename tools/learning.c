#include "tools/learning.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tensor/memory.h"
#include "tools/bench/timing.h"

enum { MEASURED_AT_ONCE = 64 };

bool batch_program_make(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                        bool learn, rv_error *error)
{
    rv_tape *tape = rv_tape_new(store, e->dtype);
    rv_shape image = e->train.images.shape;
    image.dim[0] = n;
    rv_var x = rv_input(tape, "x", image);
    rv_var y = e->options.outputs == 1 ? rv_input(tape, "y", RV_SHAPE(n, 1))
                                       : rv_input_typed(tape, "y", RV_I32, RV_SHAPE(n));
    rv_var logits = e->model->logits(&e->options, x);
    rv_var cost = e->model->loss(logits, y);
    if (learn) rv_minimize(cost, e->optimizer);
    b->program = rv_compile(tape, (rv_var[]){cost, logits}, 2);
    const rv_error *failed = rv_tape_error(tape);
    if (b->program == NULL) rv_fail(error, failed->code, "%s", failed->text);
    rv_tape_free(tape);
    b->x = rv_program_input(b->program, "x");
    b->y = rv_program_input(b->program, "y");
    return b->program != NULL;
}

bool count_products(const experiment *e, rv_store *store, int64_t n, double *operations,
                    rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, n, true, error)) return false;
    *operations = 0;
    for (int64_t i = 0; i < rv_program_statistics(b.program).instructions; i++) {
        rv_instruction one = rv_program_instruction(b.program, i);
        const rv_node *node = rv_tape_node(one.tape, one.node[0]);
        bool product = node->op->row == NULL && node->inputs > 1; /* not a group, nor a sum */
        if (product) *operations += one.operations;
    }
    rv_program_free(b.program);
    return true;
}

static bool run(const batch_program *b, const rv_dataset *images, const int64_t *order,
                int64_t first, rv_error *error)
{
    if (!rv_dataset_batch(images, order, first, b->x, b->y, error)) return false;
    rv_code code = rv_run(b->program);
    return code == RV_OK || rv_fail(error, code, "the program stopped with code %d", (int)code);
}

/* ---- learning ---- */

static bool learn_batches(const experiment *e, rv_store *store, epoch_plan *plan,
                          const int64_t *order, int64_t first, int64_t size, rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, size, true, error)) return false;
    bool ok = true;
    double started = seconds_now();
    for (; ok && first + size <= e->train.count; first += size) {
        ok = run(&b, &e->train, order, first, error);
        double cost = rv_value(b.program, 0);
        if (ok && !isfinite(cost))
            ok = rv_fail(error, RV_ERROR_ARGUMENT,
                         "the cost became %s in epoch %" PRId64 " at image %" PRId64
                         "; try a lower --rate than %g",
                         isnan(cost) ? "NaN" : "infinite", plan->epoch, first, e->optimizer.rate);
        if (ok && plan->progress != NULL) plan->progress(plan->context, first + size);
    }
    plan->seconds += seconds_now() - started;
    rv_program_free(b.program);
    return ok;
}

bool learn_epoch(const experiment *e, rv_store *store, epoch_plan *plan, rv_error *error)
{
    int64_t count = e->train.count, size = plan->batch < count ? plan->batch : count;
    int64_t left = count % size;
    int64_t *order = rv_alloc((size_t)count, sizeof *order);
    if (order == NULL) return rv_fail_memory(error);
    char name[32];
    snprintf(name, sizeof name, "epoch %" PRId64, plan->epoch);
    rv_random_permutation(order, count, rv_seed(plan->seed, name));
    bool ok = learn_batches(e, store, plan, order, 0, size, error) &&
              (left == 0 || learn_batches(e, store, plan, order, count - left, left, error));
    rv_free(order);
    return ok;
}

/* ---- measuring ---- */

/* The class that a row of logits [classes] or [1] speaks for. */
static int answer_of(const rv_tensor *logits, int64_t row)
{
    int64_t classes = logits->shape.dim[1];
    if (classes == 1) return rv_tensor_get(logits, row) > 0;
    int64_t best = 0;
    for (int64_t c = 1; c < classes; c++)
        if (rv_tensor_get(logits, row * classes + c) > rv_tensor_get(logits, row * classes + best))
            best = c;
    return (int)best;
}

static bool measure_batches(const experiment *e, rv_store *store, const rv_dataset *images,
                            int64_t first, int64_t size, measurement *m, rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, size, false, error)) return false;
    bool ok = true;
    for (; ok && first + size <= images->count; first += size) {
        ok = run(&b, images, NULL, first, error);
        m->cost += rv_value(b.program, 0) * (double)size;
        for (int64_t i = 0; i < size; i++) {
            int label = (int)rv_tensor_get(&images->labels, first + i);
            int answer = answer_of(rv_program_output(b.program, 1), i);
            m->confusion[label][answer]++;
            m->correct += label == answer;
        }
    }
    rv_program_free(b.program);
    return ok;
}

bool measure(const experiment *e, rv_store *store, const rv_dataset *images, measurement *m,
             rv_error *error)
{
    int64_t count = images->count, size = count < MEASURED_AT_ONCE ? count : MEASURED_AT_ONCE;
    int64_t left = count % size;
    *m = (measurement){.images = count};
    if (!measure_batches(e, store, images, 0, size, m, error)) return false;
    if (left > 0 && !measure_batches(e, store, images, count - left, left, m, error)) return false;
    m->cost /= (double)count;
    m->accuracy = (double)m->correct / (double)count;
    return isfinite(m->cost) || rv_fail(error, RV_ERROR_ARGUMENT,
                                        "the cost is %f; these parameters are of no use", m->cost);
}

bool make_parameters(const experiment *e, rv_store *store, rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, 1, false, error)) return false;
    rv_program_free(b.program);
    return true;
}
