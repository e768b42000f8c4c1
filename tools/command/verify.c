/* recurve verify */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/command/commands.h"
#include "tools/cli/json.h"
#include "tools/cli/names.h"
#include "tools/proof/story.h"

typedef struct verify_options {
    int64_t seed;
    bool json;
} verify_options;

static const option_row options[] = {
    OPTION_ROW(verify_options, seed, "seed", "N", OPTION_WHOLE, "of the weights (default: 1)",
               .low = 0, .high = (int64_t)1 << 53),
    OPTION_ROW(verify_options, json, "json", NULL, OPTION_FLAG,
               "print one JSON document instead of text"),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_verify = {
    .name = "verify",
    .run = run,
    .summary = "retell the article's derivation and find its mistakes",
    .synopsis = "curnn-blog [--seed N] [--json]",
    .description =
        "The article \"Only Numpy: Convolutional Update Gate RNN\" derives its gradients by hand.\n"
        "Here the library's gradients of the same net stand beside central differences of its\n"
        "forward pass, the derivation as published, and the derivation with its five mistakes put\n"
        "right; then each mistake is shown alone. All that is needed is built in.\n",
    OPTIONS(options),
    .failure = "the library, the differences and the corrected derivation do not agree, or the\n"
               "       published one does not err as stated",
    .example = "recurve verify curnn-blog\n",
    .operand = true,
};

/* ---- printing ---- */

static void print_weights(const story_weight *rows)
{
    puts("             library against   corrected against   as published, against the library\n"
         "weight       differences       the library         error       cosine       length");
    for (int w = 0; w < STORY_WEIGHTS; w++)
        printf("%-12s %-17.1e %-19.1e %-11.1e %+6.2f %12.4g x\n", rows[w].name, rows[w].differences,
               rows[w].corrected, rows[w].published, rows[w].cosine, rows[w].ratio);
}

/* A sentence in lines of at most `width`, all but the first behind `indent` spaces. */
static void print_wrapped(const char *text, int indent, int width)
{
    for (int column = 0; *text != '\0'; text += strspn(text, " ")) {
        int word = (int)strcspn(text, " ");
        if (column + 1 + word > width) column = printf("\n%*s", indent, "") - 1 - indent;
        column += printf("%s%.*s", column ? " " : "", word, text);
        text += word;
    }
    putchar('\n');
}

static void print_mistake(int id, const story_mistake *m)
{
    printf("   %d. ", id);
    print_wrapped(m->mistake->what, 6, 80);
    printf("      published  %s\n      right      %s\n      error      %.1e -> %.1e\n",
           m->mistake->published, m->mistake->right, m->before, m->after);
}

static void print_text(const story *s, int64_t seed)
{
    printf("The article's CURNN, two time steps, cost (o - y)^2 / 2, mean over %d images of the\n"
           "digits 0 and 1. An error is the largest difference as a fraction of the largest\n"
           "element.\n\n"
           "1. At first weights like the article's (seed %lld) and its pixels, 0 to 16\n\n",
           STORY_IMAGES, (long long)seed);
    print_weights(s->weight[0]);
    puts("\n2. The same with pixels / 16 and recurrent kernels x 100. Above, saturated units and\n"
         "   tiny recurrent kernels nearly hide mistakes 3 and 5; here none is hidden\n");
    print_weights(s->weight[1]);
    puts("\n3. Each mistake alone, with the other four put right, at the setting of 2; then with\n"
         "   all five put right: the worst error of the six weights\n");
    for (int m = 0; m < STORY_MISTAKES; m++) print_mistake(m + 1, &s->mistake[m]);
    puts(s->ok
             ? "\nVerified: the library, the differences and the corrected derivation agree; the\n"
               "published one is right for W1 and W2 only, and each of its mistakes is one."
             : "\nNOT verified: see the numbers above.");
}

static void add_weights(cJSON *object, const char *name, const story_weight *rows)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);
    for (int w = 0; w < STORY_WEIGHTS; w++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", rows[w].name);
        cJSON_AddNumberToObject(row, "autodiff_vs_differences", rows[w].differences);
        cJSON_AddNumberToObject(row, "corrected_vs_autodiff", rows[w].corrected);
        cJSON_AddNumberToObject(row, "published_vs_autodiff", rows[w].published);
        cJSON_AddNumberToObject(row, "cosine", rows[w].cosine);
        cJSON_AddNumberToObject(row, "ratio", rows[w].ratio);
        cJSON_AddItemToArray(list, row);
    }
}

static bool print_json(const story *s, int64_t seed, rv_error *error)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "article", "curnn-blog");
    cJSON_AddNumberToObject(object, "seed", (double)seed);
    cJSON_AddNumberToObject(object, "images", STORY_IMAGES);
    add_weights(object, "weights", s->weight[0]);
    add_weights(object, "lively_weights", s->weight[1]);
    cJSON *list = cJSON_AddArrayToObject(object, "mistakes");
    for (int m = 0; m < STORY_MISTAKES; m++) {
        const by_hand_mistake *mistake = s->mistake[m].mistake;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "id", m + 1);
        cJSON_AddStringToObject(row, "what", mistake->what);
        cJSON_AddStringToObject(row, "published", mistake->published);
        cJSON_AddStringToObject(row, "right", mistake->right);
        cJSON_AddNumberToObject(row, "error_before", s->mistake[m].before);
        cJSON_AddNumberToObject(row, "error_after", s->mistake[m].after);
        cJSON_AddItemToArray(list, row);
    }
    cJSON_AddBoolToObject(object, "ok", s->ok);
    return json_print(object, error);
}

static const char *article_name(const void *list, int index)
{
    return ((const char *const *)list)[index];
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    static const char *const articles[] = {"curnn-blog"};
    exit_status result;
    const char *article = NULL;
    verify_options o = {.seed = 1};
    if (!options_parse(&command_verify, argc, argv, &o, &article, &result, error)) return result;
    if (!article) {
        rv_fail(error, RV_ERROR_ARGUMENT, "verify what? Known: %s", articles[0]);
        return STATUS_USAGE;
    }
    if (strcmp(article, articles[0]) != 0) {
        fail_unknown("article", article, article_name, articles, 1, error);
        return STATUS_USAGE;
    }
    story s;
    if (!story_tell(&s, (uint64_t)o.seed, error)) return STATUS_FAILED;
    if (!o.json) print_text(&s, o.seed);
    if (o.json && !print_json(&s, o.seed, error)) return STATUS_FAILED;
    return s.ok ? STATUS_OK : STATUS_FAILED;
}
