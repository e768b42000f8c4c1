#include "tools/profile/timeline.h"

#include <stdio.h>
#include <string.h>

#include "tools/cli/json.h"
#include "tensor/memory.h"
#include "train/json_internal.h"
#include "train/text_file_internal.h"

/* Adds an event to a track. */
static cJSON *add_event(cJSON *events, const char *kind, int thread, const char *name)
{
    cJSON *event = cJSON_CreateObject();
    cJSON_AddStringToObject(event, "ph", kind);
    cJSON_AddNumberToObject(event, "pid", 1);
    cJSON_AddNumberToObject(event, "tid", thread + 1);
    cJSON_AddStringToObject(event, "name", name);
    cJSON_AddItemToArray(events, event);
    return event;
}

static void name_track(cJSON *events, const char *kind, int thread, const char *name)
{
    cJSON *arguments = cJSON_AddObjectToObject(add_event(events, "M", thread, kind), "args");
    cJSON_AddStringToObject(arguments, "name", name);
}

/* Adds a slice; the trace has microseconds, spans have nanoseconds. */
static cJSON *add_slice(cJSON *events, int thread, const char *name, int64_t begin, int64_t end)
{
    cJSON *event = add_event(events, "X", thread, name);
    cJSON_AddNumberToObject(event, "ts", 1e-3 * (double)begin);
    cJSON_AddNumberToObject(event, "dur", 1e-3 * (double)(end - begin));
    return event;
}

static void add_instruction(cJSON *events, int thread, const profile_line *line,
                            const rv_span *span)
{
    const instruction_words *w = &line->words;
    char shape[RV_SHAPE_TEXT];
    cJSON *event = add_slice(events, thread, w->short_text, span->begin, span->end);
    cJSON_AddStringToObject(event, "cat", w->kind);
    cJSON *arguments = cJSON_AddObjectToObject(event, "args");
    cJSON_AddStringToObject(arguments, "equation", w->text);
    cJSON_AddStringToObject(arguments, "result", rv_shape_text(w->shape, shape));
    cJSON_AddNumberToObject(arguments, "median us", 1e6 * line->seconds);
    json_add_amount(arguments, "GFLOP/s", 1e-9 * line->is.operations / line->seconds);
    json_add_amount(arguments, "GB/s", 1e-9 * line->is.bytes / line->seconds);
    cJSON_AddStringToObject(arguments, "limit", line->bound);
    json_add_amount(arguments, "% of limit", 100 * line->limit / line->seconds);
}

static bool same_phase(const profile_line *a, const profile_line *b)
{
    return a->words.phase == b->words.phase;
}

static bool same_scope(const profile_line *a, const profile_line *b)
{
    return same_phase(a, b) && strcmp(a->words.scope, b->words.scope) == 0;
}

/* Adds a slice around each sequence of a thread's instructions that have the same phase or scope.
 * Viewers nest the slices of a track by time; of two that begin at the same time, the one added
 * first is the outer one. */
static void add_groups(cJSON *events, const profile *p, int thread,
                       bool (*same)(const profile_line *a, const profile_line *b))
{
    const rv_span *span = p->quickest + thread * p->count;
    for (int64_t i = 0, next; i < p->count; i = next) {
        int64_t last = i;
        for (next = i + 1; next < p->count; next++) {
            if (span[next].begin < 0) continue;
            if (span[i].begin < 0 || !same(&p->lines[i], &p->lines[next])) break;
            last = next;
        }
        const instruction_words *w = &p->lines[i].words;
        const char *name = same == same_phase ? rv_phase_name(w->phase) : w->scope;
        if (span[i].begin >= 0 && *name != '\0')
            add_slice(events, thread, name, span[i].begin, span[last].end);
    }
}

bool timeline_write(const profile *p, const char *title, const char *path, rv_error *error)
{
    cJSON *trace = cJSON_CreateObject(), *events = cJSON_AddArrayToObject(trace, "traceEvents");
    cJSON_AddStringToObject(trace, "displayTimeUnit", "ns");
    name_track(events, "process_name", 0, title);
    for (int thread = 0; thread < p->threads; thread++) {
        char name[32];
        snprintf(name, sizeof name, "thread %d", thread + 1);
        name_track(events, "thread_name", thread, name);
        add_groups(events, p, thread, same_phase);
        add_groups(events, p, thread, same_scope);
        for (int64_t i = 0; i < p->count; i++) {
            const rv_span *span = &p->quickest[thread * p->count + i];
            if (span->begin >= 0) add_instruction(events, thread, &p->lines[i], span);
        }
    }
    char *text = rv_json_text(trace, false);
    cJSON_Delete(trace);
    bool ok = rv_text_file_write(path, text, error);
    rv_free(text);
    return ok;
}
