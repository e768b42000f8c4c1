#include "tools/proof/verdicts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/json.h"
#include "tools/cli/say.h"

/* Whether the verdict stands under the same heading as the one before it. */
static bool same_heading(const rv_lang_verdict *before, const rv_lang_verdict *v)
{
    return before->head == v->head && strcmp(before->model, v->model) == 0;
}

static void print_excerpt(const verdicts *all, int line)
{
    const char *at = all->text;
    for (int i = 1; i < line && *at != '\0'; i++) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    at += strspn(at, " \t");
    say(stdout, "        | %-.*s\n", (int)strcspn(at, "\r\n"), at);
}

/* Whether the line has been shown with this verdict: for an earlier time step, or another
 * parameter. */
static bool shown_before(const verdicts *all, const rv_lang_verdict *v)
{
    for (const rv_lang_verdict *u = v; u > all->at && same_heading(u - 1, u); u--)
        if (u[-1].line == v->line && u[-1].verdict == v->verdict) return true;
    return false;
}

static void print_verdict(const verdicts *all, const rv_lang_verdict *v, int width)
{
    say(stdout, "%6d  %-*s  ", v->line, width, v->name);
    if (v->verdict == RV_RIGHT)
        say(stdout, *v->reason ? "right: %s\n" : "right\n", v->reason);
    else if (v->verdict == RV_UNDECIDED)
        say(stdout, "undecided: %s\n", v->reason);
    else if (!isfinite(v->max_relative_error))
        say(stdout, "WRONG  %s\n", v->reason);
    else
        say(stdout, "WRONG  error %.1e, cosine %.6f, ratio %.6g: %s\n", v->max_relative_error,
            v->cosine, v->ratio, v->reason);
    if (v->verdict != RV_RIGHT && !shown_before(all, v)) print_excerpt(all, v->line);
    if (*v->repair) say(stdout, "  right | %s\n", v->repair);
}

static int count_of(const rv_lang_verdict *v, int count, rv_verdict verdict)
{
    int found = 0;
    for (int i = 0; i < count; i++) found += v[i].verdict == verdict;
    return found;
}

/* "all right", "2 wrong, 1 undecided" */
static const char *summary(const rv_lang_verdict *v, int count, char text[64])
{
    int wrong = count_of(v, count, RV_WRONG), open = count_of(v, count, RV_UNDECIDED);
    if (wrong && open)
        snprintf(text, 64, "%d wrong, %d undecided", wrong, open);
    else if (wrong || open)
        snprintf(text, 64, wrong ? "%d wrong" : "%d undecided", wrong + open);
    else
        snprintf(text, 64, "all right");
    return text;
}

/* Prints one line for the gradients of a model, and one for each that more is to be said of. */
static void print_gradients(const verdicts *all, const rv_lang_verdict *v, int count)
{
    char text[64];
    double worst = 0;
    for (int i = 0; i < count; i++)
        if (!(v[i].max_relative_error <= worst) && !isnan(worst)) worst = v[i].max_relative_error;
    say(stdout, "%s: %s: ", all->path, v->model);
    say(stdout, "gradients of %d parameter(s), %s (largest error %.1e)\n", count,
        summary(v, count, text), worst);
    for (rv_verdict kind = RV_RIGHT; kind <= RV_WRONG; kind++)
        for (int i = 0; i < count; i++)
            if (v[i].verdict == kind && (kind != RV_RIGHT || *v[i].reason))
                print_verdict(all, &v[i], 0);
}

static void print_derivation(const verdicts *all, const rv_lang_verdict *v, int count)
{
    char text[64];
    int width = 0;
    const rv_lang_verdict *first = NULL;
    for (int i = 0; i < count; i++) {
        int length = (int)strlen(v[i].name);
        width = length > width ? length : width;
        if (!first && v[i].verdict == RV_WRONG) first = &v[i];
    }
    bool titled = v->derivation[0] != '\0';
    say(stdout, "%s: derivation%s%s%s\n", all->path, titled ? " \"" : "", v->derivation,
        titled ? "\"" : "");
    for (int i = 0; i < count; i++) print_verdict(all, &v[i], width);
    say(stdout, "%d line(s), %s", count, summary(v, count, text));
    if (first) say(stdout, "; the first wrong one is line %d, %s", first->line, first->name);
    putchar('\n');
}

void verdicts_print(const verdicts *all)
{
    for (int i = 0, n; i < all->count; i += n) {
        for (n = 1; i + n < all->count && same_heading(&all->at[i + n - 1], &all->at[i + n]);) n++;
        (all->at[i].head > 0 ? print_derivation : print_gradients)(all, &all->at[i], n);
    }
    if (all->count == 0) say(stdout, "%s: nothing to prove\n", all->path);
}

cJSON *verdict_to_json(const rv_lang_verdict *v)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", v->file);
    cJSON_AddNumberToObject(object, "line", v->line);
    cJSON_AddStringToObject(object, "model", v->model);
    cJSON_AddStringToObject(object, "derivation", v->derivation);
    cJSON_AddStringToObject(object, "name", v->name);
    cJSON_AddStringToObject(object, "verdict", rv_verdict_name(v->verdict));
    json_add_number(object, "max_relative_error", v->max_relative_error);
    json_add_number(object, "cosine", v->cosine);
    json_add_number(object, "ratio", v->ratio);
    json_add_number(object, "difference_error", v->difference_error);
    cJSON_AddStringToObject(object, "reason", v->reason);
    cJSON_AddStringToObject(object, "repair", v->repair);
    return object;
}
