/* recurve profile */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tools/command/commands.h"
#include "tools/cli/equations.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/profile/profiling.h"
#include "train/text_file_internal.h"
#include "tools/profile/timeline.h"

typedef struct profile_options {
    rv_train_config config;
    const char *sort, *timeline;
    double seconds;
    int64_t channels, image_size, top;
    bool forward, json;
} profile_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(profile_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(forward, "forward", NULL, FLAG, "the loss alone, without gradients and updates"),
    ROW(channels, "channels", "N", WHOLE, "channels of images in place of the digits (default: 1)",
        .low = 1, .high = 4096, .group = "The command"),
    ROW(image_size, "image-size", "N", WHOLE, "height and width of these images (default: 8)",
        .low = 1, .high = 4096),
    ROW(seconds, "seconds", "S", POSITIVE, "how long to measure (default: 1.5)"),
    ROW(sort, "sort", "time|order", TEXT,
        "the longest first (default), or in the order in which they run"),
    ROW(top, "top", "N", WHOLE,
        "instructions in the table, the longest of all (default: 20;\nwith --sort order all)",
        .low = 1, .high = 1 << 30),
    ROW(timeline, "timeline", "FILE", TEXT,
        "write the quickest run as a trace for ui.perfetto.dev or\nchrome://tracing: a track per "
        "thread, a slice per instruction"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
};

/* The options of `recurve train` that the step does not depend on. */
static bool describes_a_step(const char *key)
{
    static const char *const others[] = {"validation", "in-order", "shift",     "noise",  "epochs",
                                         "patience",   "output",   "overwrite", "anomaly"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(key, others[i]) == 0) return false;
    return true;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_profile = {
    .name = "profile",
    .run = run,
    .summary = "time a training step, instruction by instruction",
    .synopsis = "[MODEL] [OPTION]...",
    .description =
        "Compiles the training step of `recurve train` with the same options, and runs it "
        "repeatedly\non random samples of the data's shapes. For each "
        "instruction it prints\n"
        "the median time, its percentage of all instructions, operations and bytes per "
        "second, the\n"
        "percentage of this machine's limit that it reaches, and the equation that it "
        "computes. The\n"
        "limit is the peak rate of multiply-adds (FMA) or the speed of the cache that "
        "would hold the\n"
        "bytes; both are measured in the same run. Totals by op and by phase follow. "
        "With more\n"
        "than one thread, so do the times that each is busy, waits, and is busy with work "
        "stolen from\n"
        "another that was late, and the instructions before which threads wait longest. Then "
        "comes the\n"
        "time of a step without timing inside. `-` means unknown or none. Other processes on "
        "the machine\n"
        "make a step slower than its instructions. An instruction is above 100 % of its limit if "
        "it needs\n"
        "fewer operations than are counted, as minimal filtering does, if its bytes are in a "
        "nearer cache\n"
        "than is assumed, or if other processes ran while the limit was measured.\n",
    OPTIONS(options),
    .configures = describes_a_step,
    .failure = "the step cannot be compiled, or a file cannot be written",
    .example = "recurve profile curnn --batch 128\n"
               "recurve profile conv-ugrnn --units 32 --threads 2 --timeline step.json\n",
    .operand = "MODEL",
};

/* ---- the table ---- */

static const char *giga_text(double amount, double seconds, char text[16])
{
    bool known = amount > 0 && seconds > 0;
    snprintf(text, 16, known ? "%.1f" : "-", 1e-9 * amount / seconds);
    return text;
}

static void print_line(const profile *p, const profile_line *line)
{
    const instruction_words *w = &line->words;
    char operations[16], bytes[16], shape[RV_SHAPE_TEXT];
    say(stdout, "%9.2f %5.1f %% %8s %7s  %-6s %3.0f %%  %-8s  %s%s%s %s\n", 1e6 * line->seconds,
        100 * line->seconds / p->sum, giga_text(line->is.operations, line->seconds, operations),
        giga_text(line->is.bytes, line->seconds, bytes), line->bound,
        line->seconds > 0 ? 100 * line->limit / line->seconds : 0, rv_phase_name(w->phase),
        w->scope, *w->scope != '\0' ? " / " : "", w->short_text, rv_shape_text(w->shape, shape));
}

static void print_sum(const profile *p, const profile_sum *sum)
{
    char operations[16];
    say(stdout, "%9.2f %5.1f %% %8s %7" PRId64 "  %s\n", 1e6 * sum->seconds,
        100 * sum->seconds / p->sum, giga_text(sum->operations, sum->seconds, operations),
        sum->instructions, sum->name);
}

static void print_machine(const machine *m)
{
    say(stdout, "limits of %d thread(s): FMA %.1f GFLOP/s", m->threads, 1e-9 * m->operations);
    for (int i = 0; i < MEMORY_LEVELS; i++)
        if (m->bytes[i] > 0) say(stdout, ", %s %.1f GB/s", m->level[i].name, 1e-9 * m->bytes[i]);
    putchar('\n');
}

/* What each thread does, and the instructions before which the threads wait longest. */
static bool print_threads(const profile *p, rv_error *error)
{
    enum { LONGEST = 5 };
    const profile_line **lines = profile_order(p, PROFILE_WAITING);
    if (!lines) return rv_fail_memory(error);
    say(stdout, "\n  busy us  wait us  stolen us  thread\n");
    for (int k = 0; k < p->threads; k++) {
        const profile_thread *thread = &p->by_thread[k];
        say(stdout, "%9.2f %8.2f %10.2f  %d\n", 1e6 * thread->busy, 1e6 * thread->waiting,
            1e6 * thread->stolen, k + 1);
    }
    say(stdout, "\n  wait us  before (the longest of all threads together)\n");
    for (int64_t i = 0; i < p->count && i < LONGEST; i++) {
        char shape[RV_SHAPE_TEXT];
        const instruction_words *w = &lines[i]->words;
        say(stdout, "%9.2f  %-8s  %s%s%s %s\n", 1e6 * lines[i]->waiting, rv_phase_name(w->phase),
            w->scope, *w->scope != '\0' ? " / " : "", w->short_text,
            rv_shape_text(w->shape, shape));
    }
    rv_free(lines);
    return true;
}

/* A step that takes so much longer than its instructions was not alone on the machine. */
#define DISTURBED 1.5

/* Whether its percentage is above 100, not only by rounding. */
static bool is_above_limit(const profile_line *line) { return line->limit > 1.005 * line->seconds; }

static void explain_above_limit(bool above)
{
    if (above)
        say(stdout, "above 100 %%: fewer operations than counted (minimal filtering), bytes in a "
                    "nearer cache\nthan assumed, or other processes when the limit was measured\n");
}

/* Prints the `top` longest instructions. *above: whether one of them is above its limit. */
static bool print_lines(const profile *p, int64_t top, profile_sorting sorting, bool *above,
                        rv_error *error)
{
    const profile_line **lines = profile_order(p, sorting),
                       **longest = profile_order(p, PROFILE_LONGEST);
    const bool ok = (lines && longest) || rv_fail_memory(error);
    double left = 0;
    for (int64_t i = top; ok && i < p->count; i++) left += longest[i]->seconds;
    if (ok) say(stdout, "       us    time  GFLOP/s    GB/s  of limit      phase     equation\n");
    for (int64_t i = 0; ok && i < p->count; i++) {
        bool shown = top >= p->count;
        for (int64_t k = 0; k < p->count && k < top && !shown; k++) shown = lines[i] == longest[k];
        if (!shown) continue;
        print_line(p, lines[i]);
        *above = *above || is_above_limit(lines[i]);
    }
    if (ok && top < p->count)
        say(stdout,
            "%9.2f %5.1f %%  the other %" PRId64 " instruction(s); all: --top %" PRId64 "\n",
            1e6 * left, 100 * left / p->sum, p->count - top, p->count);
    rv_free(lines);
    rv_free(longest);
    return ok;
}

static bool print_text(const profile *p, int asked, int64_t top, profile_sorting sorting,
                       rv_error *error)
{
    bool above = false;
    if (!print_lines(p, top, sorting, &above, error)) return false;
    say(stdout, "\n       us    time  GFLOP/s   calls  op\n");
    for (int64_t k = 0; k < p->kind_count; k++) print_sum(p, &p->kinds[k]);
    say(stdout, "\n       us    time  GFLOP/s   calls  phase\n");
    for (int k = 0; k < RV_PHASES; k++)
        if (p->phases[k].instructions > 0) print_sum(p, &p->phases[k]);
    if (p->threads > 1 && !print_threads(p, error)) return false;
    say(stdout, "\na step takes %.2f us, its %" PRId64 " instruction(s) alone %.2f us\n",
        1e6 * p->step, p->count, 1e6 * p->sum);
    if (p->threads < asked)
        say(stdout, "the step uses %d of %d threads, which is faster\n", p->threads, asked);
    if (p->step > DISTURBED * p->sum)
        say(stdout, "other processes may have disturbed this; repeat it on an idle machine\n");
    for (int k = 0; k < p->machine_count; k++) print_machine(&p->machines[k]);
    explain_above_limit(above);
    return true;
}

/* ---- JSON ---- */

static cJSON *line_to_json(const profile *p, const profile_line *line)
{
    const instruction_words *w = &line->words;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "phase", rv_phase_name(w->phase));
    cJSON_AddStringToObject(object, "scope", w->scope);
    cJSON_AddStringToObject(object, "op", w->kind);
    cJSON_AddStringToObject(object, "equation", w->text);
    json_add_shape(object, "shape", w->shape);
    cJSON_AddNumberToObject(object, "nodes", line->is.nodes);
    cJSON_AddNumberToObject(object, "threads", line->is.threads);
    cJSON_AddNumberToObject(object, "seconds", line->seconds);
    cJSON_AddNumberToObject(object, "fraction", line->seconds / p->sum);
    cJSON_AddNumberToObject(object, "waiting_seconds", line->waiting);
    json_add_amount(object, "operations", line->is.operations);
    json_add_amount(object, "bytes", line->is.bytes);
    cJSON_AddStringToObject(object, "limit", line->bound);
    cJSON_AddNumberToObject(object, "limit_seconds", line->limit);
    return object;
}

static void add_sums(cJSON *object, const char *name, const profile *p, const profile_sum *sums,
                     int64_t count)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);
    for (int64_t k = 0; k < count; k++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", sums[k].name);
        cJSON_AddNumberToObject(one, "instructions", (double)sums[k].instructions);
        cJSON_AddNumberToObject(one, "seconds", sums[k].seconds);
        cJSON_AddNumberToObject(one, "fraction", sums[k].seconds / p->sum);
        json_add_amount(one, "operations", sums[k].operations);
        cJSON_AddItemToArray(list, one);
    }
}

static void add_threads(cJSON *object, const profile *p)
{
    cJSON *list = cJSON_AddArrayToObject(object, "by_thread");
    for (int k = 0; k < p->threads; k++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "busy_seconds", p->by_thread[k].busy);
        cJSON_AddNumberToObject(one, "waiting_seconds", p->by_thread[k].waiting);
        cJSON_AddNumberToObject(one, "stolen_seconds", p->by_thread[k].stolen);
        cJSON_AddItemToArray(list, one);
    }
}

/* Levels of memory that no instruction's bytes belong to are not measured. */
static void add_machines(cJSON *object, const profile *p)
{
    cJSON *list = cJSON_AddArrayToObject(object, "machine");
    for (int k = 0; k < p->machine_count; k++) {
        const machine *m = &p->machines[k];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "threads", m->threads);
        cJSON_AddNumberToObject(one, "operations_per_second", m->operations);
        cJSON *levels = cJSON_AddObjectToObject(one, "bytes_per_second");
        for (int i = 0; i < MEMORY_LEVELS; i++)
            json_add_amount(levels, m->level[i].name, m->bytes[i]);
        cJSON_AddItemToArray(list, one);
    }
}

static bool print_json(const profile_options *o, const profile *p, profile_sorting sorting,
                       rv_error *error)
{
    const profile_line **lines = profile_order(p, sorting);
    if (!lines) return rv_fail_memory(error);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", o->config.net.model);
    cJSON_AddNumberToObject(object, "batch", (double)o->config.loop.batch_size);
    cJSON_AddNumberToObject(object, "threads", p->threads);
    cJSON_AddNumberToObject(object, "threads_asked", (double)o->config.loop.threads);
    cJSON_AddNumberToObject(object, "runs", (double)p->runs);
    cJSON_AddNumberToObject(object, "step_seconds", p->step);
    cJSON_AddNumberToObject(object, "instruction_seconds", p->sum);
    cJSON_AddNumberToObject(object, "clock_seconds", p->clock);
    add_machines(object, p);
    cJSON *list = cJSON_AddArrayToObject(object, "instructions");
    for (int64_t i = 0; i < p->count; i++) cJSON_AddItemToArray(list, line_to_json(p, lines[i]));
    rv_free(lines);
    add_sums(object, "by_op", p, p->kinds, p->kind_count);
    add_sums(object, "by_phase", p, p->phases, RV_PHASES);
    add_threads(object, p);
    return json_print(object, error);
}

/* ---- running ---- */

enum { TOP = 20 }; /* instructions in the table, unless options say more */

/* Random numbers; tokens and labels in turn; sequences of full length. */
static void fill_input(rv_tensor *input, int64_t kinds, uint64_t seed)
{
    if (!kinds) rv_init_fill(input, rv_init_uniform(0, 1), seed);
    for (int64_t i = 0; kinds > 0 && i < rv_tensor_count(input); i++)
        rv_tensor_set(input, i, (double)(i % kinds));
}

static void fill_batch(const rv_setup *s, const rv_batch_program *b, uint64_t seed)
{
    fill_input(b->x, s->data.tokens, seed);
    fill_input(b->y, s->data.classes, seed + 1);
    for (int64_t i = 0; b->length && i < b->size; i++)
        rv_tensor_set(b->length, i, (double)s->data.x.dim[0]);
}

static bool write_timeline(const profile_options *o, const profile *p, rv_error *error)
{
    char title[256];
    rv_print(title, sizeof title, "%s, batch %" PRId64 ", %s", o->config.net.model,
             o->config.loop.batch_size, o->forward ? "forward pass" : "training step");
    return timeline_write(p, title, o->timeline, error);
}

static bool profile_step(const profile_options *o, rv_setup *s, profile *p, rv_error *error)
{
    rv_batch_program b = {0};
    const profile_sorting sorting =
        strcmp(o->sort, "time") == 0 ? PROFILE_LONGEST : PROFILE_AS_THEY_RUN;
    const int64_t top = o->top > 0 ? o->top : sorting == PROFILE_LONGEST ? TOP : INT64_MAX;
    if (o->channels > 0) s->data.x.dim[0] = o->channels;
    if (o->image_size > 0) s->data.x.dim[1] = s->data.x.dim[2] = o->image_size;
    rv_store *store = rv_setup_store(&o->config, error);
    bool ok = store && rv_batch_program_make(&b, s, store, o->config.loop.batch_size, !o->forward,
                                             RV_DEFAULT, error);
    if (ok) fill_batch(s, &b, (uint64_t)o->config.loop.seed);
    ok = ok && profile_make(p, b.program, s->dtype, o->seconds, error) &&
         (!o->timeline || write_timeline(o, p, error)) &&
         (o->json ? print_json(o, p, sorting, error)
                  : print_text(p, (int)o->config.loop.threads, top, sorting, error));
    profile_free(p);
    rv_batch_program_free(&b);
    rv_store_free(store);
    return ok;
}

static bool check_options(const profile_options *o, rv_error *error)
{
    const bool images = o->channels > 0 || o->image_size > 0;
    if (!equations_are_spared("timeline", o->timeline, error)) return false;
    if (o->top > 0 && o->json)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--top shortens the table, and --json prints all; leave one of them out");
    if (o->config.data.size > 0 && !o->config.data.path && !o->config.data.task)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--size is for synthetic tasks; --image-size is the size of images");
    return !images || (!o->config.data.path && !o->config.data.task) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "--%s: the data have a size of their own; leave out --data and --task",
                   o->channels > 0 ? "channels" : "image-size");
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    profile_options o = {.config = rv_train_config_new(), .sort = "time", .seconds = 1.5};
    rv_setup s = {0};
    profile p = {0};
    if (!options_parse(&command_profile, argc, argv, &o, &o.config.net.model, &result, error))
        return result;
    const rv_train_config given = o.config;
    result = STATUS_USAGE;
    if (check_options(&o, error) && rv_setup_make(&s, &o.config, NULL, error) &&
        rv_setup_check_given(&s, &o.config, &given, error))
        result = profile_step(&o, &s, &p, error) ? STATUS_OK : STATUS_FAILED;
    rv_setup_free(&s);
    return result;
}
