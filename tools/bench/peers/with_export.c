/* The C that `recurve export` writes for A1: a1.h and a1.c.
 *
 *   with_export FOLDER */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "a1.h"
#include "tools/bench/peers/data.h"

typedef struct exported {
    const char *folder;
    struct a1 net;
    float x[A1_X], output[A1_OUTPUT];
    int32_t y;
} exported;

static void train(void *self)
{
    exported *e = self;
    a1_train(&e->net, e->x, &e->y, 1);
}

static void infer(void *self)
{
    exported *e = self;
    a1_run(&e->net, e->x, e->output);
}

static bool copy(const numbers *n, const char *name, float *to, size_t bytes)
{
    const float *from = numbers_find(n, name);
    if (from) memcpy(to, from, bytes);
    return from;
}

static bool copy_all(exported *e, const numbers *n)
{
    struct a1_parameters *p = &e->net.parameters.p;
    float y;
#define COPY(name, to) copy(n, name, to, sizeof to)
    bool all = COPY("Wxg", p->Wxg) && COPY("Wrecg", p->Wrecg) && COPY("bg", p->bg) &&
               COPY("Wxc", p->Wxc) && COPY("Wrecc", p->Wrecc) && COPY("bc", p->bc) &&
               COPY("fc1/weight", p->fc1_weight) && COPY("fc1/bias", p->fc1_bias) &&
               COPY("fc2/weight", p->fc2_weight) && COPY("fc2/bias", p->fc2_bias) &&
               COPY("x", e->x) && copy(n, "y", &y, sizeof y);
    e->y = all && y > 0.5F;
    return all;
}

static bool load(void *self, const char *workload, loaded *l, char why[SERVE_TEXT])
{
    exported *e = self;
    numbers n;
    if (strncmp(workload, "A1", 2)) return snprintf(why, SERVE_TEXT, "only A1 is exported"), false;
    if (!numbers_read(&n, e->folder, workload, why)) return false;
    a1_init(&e->net);
    bool all = copy_all(e, &n);
    if (!all) snprintf(why, SERVE_TEXT, "the net has other parameters");
    for (int i = 0; all && n.training && i < n.checked; i++)
        l->check = (double)a1_train(&e->net, e->x, &e->y, 1);
    if (all && !n.training) {
        infer(e);
        l->check = log1p(exp(e->y ? -(double)e->output[0] : (double)e->output[0]));
    }
    l->step = (task){n.training ? train : infer, e};
    numbers_free(&n);
    return all;
}

int main(int argc, char **argv)
{
    static exported e;
    if (argc != 2) return fprintf(stderr, "usage: with_export FOLDER\n"), 2;
    e.folder = argv[1];
    return serve(load, &e);
}
