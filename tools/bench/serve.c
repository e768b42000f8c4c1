#include "tools/bench/serve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool answer_load(serve_load load, void *self, const char *workload, loaded *l)
{
    char why[SERVE_TEXT] = "";
    *l = (loaded){.check = NAN};
    bool is = load(self, workload, l, why);
    for (char *c = why; *c; c++)
        if (*c == '"' || *c == '\\') *c = '\'';
    printf("{\"ready\": \"%s\"", workload);
    if (!is)
        printf(", \"unavailable\": \"%s\"", why);
    else if (isnan(l->check))
        printf(", \"check\": null");
    else
        printf(", \"check\": %.9g", l->check);
    if (is && *l->details) printf(", \"details\": %s", l->details);
    printf("}\n");
    return is;
}

static void answer_measure(samples *s, task step, double seconds)
{
    s->count = 0;
    samples_take(s, step, seconds);
    printf("{\"seconds\": [");
    for (size_t i = 0; i < s->count; i++) printf("%s%.6g", i ? ", " : "", s->seconds[i]);
    printf("]}\n");
}

int serve(serve_load load, void *self)
{
    enum { MOST_SAMPLES = 1 << 14 };
    char line[256], word[128];
    bool is = false;
    double seconds;
    loaded l;
    samples s = {.seconds = calloc(MOST_SAMPLES, sizeof(double)), .capacity = MOST_SAMPLES};
    if (!s.seconds) return 1;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "load %127s", word) == 1) {
            is = answer_load(load, self, word, &l);
            s.inner = 0;
        } else if (is && sscanf(line, "measure %lf", &seconds) == 1) {
            answer_measure(&s, l.step, seconds);
        } else {
            printf("{\"error\": \"expected 'load WORKLOAD', then 'measure SECONDS'\"}\n");
        }
        fflush(stdout);
    }
    free(s.seconds);
    return 0;
}
