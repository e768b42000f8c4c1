#include "tools/sweep/objective.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "train/setup/lookup.h"

/* ---- metrics of a run that has ended ---- */

#define METRIC(name, value) \
    static double name(const rv_trainer *t) { return (double)rv_trainer_result(t)->value; }

METRIC(loss, training.loss)
METRIC(train_accuracy, training.accuracy)
METRIC(train_error, training.error)
METRIC(validation_loss, validation.loss)
METRIC(validation_accuracy, validation.accuracy)
METRIC(validation_error, validation.error)
METRIC(samples_per_second, samples_per_second)
METRIC(seconds, at.seconds)
METRIC(step_bytes, at.bytes)
METRIC(epochs, epochs)
METRIC(best_epoch, best_epoch)

static double parameters(const rv_trainer *t)
{
    return (double)rv_store_parameters(rv_trainer_store(t));
}

/* ---- the table ---- */

#define CURVE(column, ...) \
    { \
        .name = #column, .kind = OBJECTIVE_CURVE, .offset = offsetof(rv_epoch, column), \
        __VA_ARGS__ \
    }
#define BITS(label) \
    { \
        .name = (label), .kind = OBJECTIVE_BITS, \
        .offset = offsetof(rv_epoch, validation_accuracy), .greatest = true, .labels = true \
    }
#define END(label, function, ...) \
    { \
        .name = (label), .kind = OBJECTIVE_END, .of = (function), __VA_ARGS__ \
    }
#define LABELS .labels = true, .greatest = true
#define NUMBERS .numbers = true

static const objective all[] = {
    CURVE(validation_loss, .greatest = false),
    CURVE(validation_accuracy, LABELS),
    CURVE(validation_error, NUMBERS),
    CURVE(loss, .greatest = false),
    BITS("bits"),
    BITS("bits_per_parameter"),
    END("final_loss", loss, .greatest = false),
    END("final_validation_loss", validation_loss, .greatest = false),
    END("final_validation_accuracy", validation_accuracy, LABELS),
    END("final_validation_error", validation_error, NUMBERS),
    END("train_accuracy", train_accuracy, LABELS),
    END("train_error", train_error, NUMBERS),
    END("samples_per_second", samples_per_second, .greatest = true),
    END("seconds", seconds, .greatest = false),
    END("epochs", epochs, .greatest = false),
    END("best_epoch", best_epoch, .greatest = false),
    END("parameters", parameters, .greatest = false),
    END("step_bytes", step_bytes, .greatest = false),
};
enum { ALL = sizeof all / sizeof *all };

int objective_count(void) { return ALL; }

const objective *objective_at(int index) { return index >= 0 && index < ALL ? &all[index] : NULL; }

static const char *name_at(const void *list, int index)
{
    return ((const objective *)list)[index].name;
}

const objective *objective_find(const char *name, rv_error *error)
{
    for (const objective *o = all; o < all + ALL; o++)
        if (strcmp(o->name, name) == 0) return o;
    rv_fail_unknown("objective", name, name_at, all, ALL, error);
    return NULL;
}

bool objective_check(const objective *o, const rv_trainer *trainer, bool halving, rv_error *error)
{
    const bool labels = rv_trainer_setup(trainer)->data.classes > 0;
    const char *task = rv_trainer_config(trainer)->data.task;
    if (o->kind == OBJECTIVE_BITS && strcmp(task, "capacity") != 0)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "--objective %s needs --task capacity, whose labels are random bits; got task "
            "%.100s. Give that task, or use validation_%s",
            o->name, task, labels ? "accuracy" : "error");
    if (labels ? o->numbers : o->labels)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--objective %s: the data have %s; use validation_loss or %s", o->name,
                       labels ? "labels" : "no labels",
                       labels ? "validation_accuracy" : "validation_error");
    return !halving || o->kind != OBJECTIVE_END ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "--objective %s is known at the end of a run, but --halving decides before; use "
                   "validation_loss",
                   o->name);
}

/* ---- values ---- */

double objective_bits(double samples, double p)
{
    const double entropy = p < 1 ? p * log2(p) + (1 - p) * log2(1 - p) : 0;
    return p > 0.5 ? samples + samples * entropy : 0;
}

/* The best value of a column of the learning curve. */
static double best_of_curve(const objective *o, const rv_train_result *result, int64_t *epoch)
{
    double best = NAN;
    for (const rv_epoch *row = result->history; row < result->history + result->epochs; row++) {
        const double value = *(const double *)(const void *)((const char *)row + o->offset);
        if (isnan(value) || (*epoch > 0 && !(o->greatest ? value > best : value < best))) continue;
        best = value;
        *epoch = row->epoch;
    }
    return best;
}

double objective_value(const objective *o, const rv_trainer *trainer, int64_t *epoch)
{
    const rv_train_result *r = rv_trainer_result(trainer);
    *epoch = 0;
    if (o->kind == OBJECTIVE_END) {
        if (*r->digest == '\0') return NAN;
        *epoch = r->epochs;
        return o->of(trainer);
    }
    const double best = best_of_curve(o, r, epoch);
    if (o->kind == OBJECTIVE_CURVE || *epoch == 0) return best;
    const double bits = objective_bits((double)rv_trainer_setup(trainer)->part.count, best);
    return strcmp(o->name, "bits") == 0 ? bits : bits / parameters(trainer);
}

#define BEST_FIRST(direction) \
    "(" TRIALS_CANDIDATE ") DESC, objective IS NULL, objective " direction ", number"

const char *objective_order(const objective *o)
{
    return o->greatest ? BEST_FIRST("DESC") : BEST_FIRST("ASC");
}
