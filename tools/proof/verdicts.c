#include "tools/proof/verdicts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/json.h"

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
    printf("        | %.*s\n", (int)strcspn(at, "\r\n"), at);
}

static void print_wrong(const rv_lang_verdict *v, int width)
{
    if (isnan(v->max_relative_error)) {
        printf("%6d  %-*s  WRONG  %s\n", v->line, width, v->name, v->reason);
        return;
    }
    printf("%6d  %-*s  WRONG  error %.1e, cosine %.6f, ratio %.6g: %s\n", v->line, width, v->name,
           v->max_relative_error, v->cosine, v->ratio, v->reason);
}

/* Prints one line for the gradients of a model, and one for each that is wrong. */
static void print_gradients(const verdicts *all, const rv_lang_verdict *v, int count)
{
    int wrong = 0;
    double worst = 0;
    for (int i = 0; i < count; i++) {
        wrong += !v[i].ok;
        if (!(v[i].max_relative_error <= worst) && !isnan(worst)) worst = v[i].max_relative_error;
    }
    printf("%s: %s: gradients of %d parameter%s, ", all->path, v->model, count,
           count > 1 ? "s" : "");
    if (wrong == 0)
        printf("all right (largest error %.1e)\n", worst);
    else
        printf("%d WRONG (largest error %.1e)\n", wrong, worst);
    for (int i = 0; i < count; i++)
        if (v[i].ok && strcmp(v[i].reason, "right") != 0)
            printf("%6d  %s: right, but %s\n", v[i].line, v[i].name, v[i].reason);
    for (int i = 0; i < count; i++)
        if (!v[i].ok) {
            print_wrong(&v[i], 0);
            print_excerpt(all, v[i].line);
        }
}

static void print_derivation(const verdicts *all, const rv_lang_verdict *v, int count)
{
    int wrong = 0, width = 0;
    const rv_lang_verdict *first = NULL;
    for (int i = 0; i < count; i++) {
        int length = (int)strlen(v[i].name);
        width = length > width ? length : width;
    }
    bool titled = v->derivation[0] != '\0';
    printf("%s: derivation%s%s%s\n", all->path, titled ? " \"" : "", v->derivation,
           titled ? "\"" : "");
    for (int i = 0; i < count; i++) {
        if (v[i].ok) {
            bool more = strcmp(v[i].reason, "right") != 0;
            printf("%6d  %-*s  right%s%s\n", v[i].line, width, v[i].name, more ? ", but " : "",
                   more ? v[i].reason : "");
            continue;
        }
        if (wrong++ == 0) first = &v[i];
        print_wrong(&v[i], width);
        print_excerpt(all, v[i].line);
        if (v[i].repair[0] != '\0') printf("  right | %s\n", v[i].repair);
    }
    if (!first)
        printf("%d lines, all right\n", count);
    else
        printf("%d lines, %d wrong; the first wrong one is line %d, %s\n", count, wrong,
               first->line, first->name);
}

void verdicts_print(const verdicts *all)
{
    for (int i = 0, n; i < all->count; i += n) {
        for (n = 1; i + n < all->count && same_heading(&all->at[i + n - 1], &all->at[i + n]);) n++;
        (all->at[i].head > 0 ? print_derivation : print_gradients)(all, &all->at[i], n);
    }
    if (all->count == 0) printf("%s: nothing to prove\n", all->path);
}

cJSON *verdict_to_json(const rv_lang_verdict *v)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", v->file);
    cJSON_AddNumberToObject(object, "line", v->line);
    cJSON_AddStringToObject(object, "model", v->model);
    cJSON_AddStringToObject(object, "derivation", v->derivation);
    cJSON_AddStringToObject(object, "name", v->name);
    cJSON_AddBoolToObject(object, "ok", v->ok);
    json_add_number(object, "max_relative_error", v->max_relative_error);
    json_add_number(object, "cosine", v->cosine);
    json_add_number(object, "ratio", v->ratio);
    json_add_number(object, "difference_error", v->difference_error);
    cJSON_AddStringToObject(object, "reason", v->reason);
    cJSON_AddStringToObject(object, "repair", v->repair);
    return object;
}
