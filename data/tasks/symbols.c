/* Tasks on symbols: copy, arithmetic. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/tasks/task.h"

/* copy */

enum { BLANK = 0, SYMBOLS = 8, CUE = SYMBOLS + 1 };

static void describe_copy(rv_source *s, const rv_task_options *o)
{
    s->x = s->y = RV_SHAPE(o->length);
    s->each_step = true;
    s->tokens = CUE + 1;
    s->classes = SYMBOLS + 1;
}

static bool check_copy(const rv_task_options *o, rv_error *error)
{
    if (o->length > 2 * o->size) return true;
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "copy with `length` %" PRId64 " for `size` %" PRId64
                   "; expected at least %" PRId64 ": twice the symbols and a cue",
                   o->length, o->size, 2 * o->size + 1);
}

static bool read_copy(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                      int32_t *length, rv_error *error)
{
    (void)length, (void)error;
    rv_draw draw = rv_draw_new(s, epoch, index);
    int64_t steps = s->x.dim[0], size = rv_task_options_of(s)->size;
    int32_t *shown = x, *answer = y;
    memset(x, BLANK, (size_t)steps * sizeof *shown);
    memset(y, BLANK, (size_t)steps * sizeof *answer);
    for (int64_t i = 0; i < size; i++) {
        shown[i] = answer[steps - size + i] = (int32_t)(1 + rv_draw_below(&draw, SYMBOLS));
    }
    shown[steps - size - 1] = CUE;
    return true;
}

const rv_task_kind rv_task_copy = {
    .task = {"copy",
             "symbols, to be repeated after a cue; size: symbols",
             "0.52 nats a step: blanks, then the 8 symbols equally likely",
             {10000, 40, 10, 0},
             false},
    .least_length = 3,
    .least_size = 1,
    .describe = describe_copy,
    .check = check_copy,
    .read = read_copy,
};

/* arithmetic */

static const char characters[] = "0123456789+= ";

enum { PLUS = 10, EQUALS = 11, SPACE = 12, CHARACTERS = 13, MOST_DIGITS = 18 };

static void describe_arithmetic(rv_source *s, const rv_task_options *o)
{
    s->x = s->y = RV_SHAPE(3 * o->size + 2);
    s->each_step = s->lengths = true;
    s->tokens = s->classes = CHARACTERS;
    s->alphabet = (const unsigned char *)characters;
}

static bool check_arithmetic(const rv_task_options *o, rv_error *error)
{
    if (o->size <= MOST_DIGITS) return true;
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "arithmetic with `size` %" PRId64 "; expected at most %d", o->size, MOST_DIGITS);
}

/* A number of 1 to `size` digits without leading zeros; 0 is a number of 1 digit. */
static int64_t draw_number(rv_draw *draw, int64_t size)
{
    int64_t digits = 1 + rv_draw_below(draw, size), number = 0;
    for (int64_t i = 0; i < digits; i++) {
        int64_t digit = i == 0 && digits > 1 ? 1 + rv_draw_below(draw, 9) : rv_draw_below(draw, 10);
        number = 10 * number + digit;
    }
    return number;
}

/* Appends a number's digits as tokens. */
static int32_t *put_number(int32_t *to, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    for (const char *digit = text; *digit != '\0'; digit++) *to++ = *digit - '0';
    return to;
}

static bool read_arithmetic(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                            int32_t *length, rv_error *error)
{
    (void)error;
    rv_draw draw = rv_draw_new(s, epoch, index);
    int64_t steps = s->x.dim[0], size = rv_task_options_of(s)->size;
    int32_t *question = x, *answer = y;
    for (int64_t t = 0; t < steps; t++) question[t] = answer[t] = SPACE;
    int64_t a = draw_number(&draw, size), b = draw_number(&draw, size);
    int32_t *at = put_number(question, a);
    *at++ = PLUS;
    at = put_number(at, b);
    *at = EQUALS;
    int32_t *end = put_number(answer + (at - question), a + b);
    *length = (int32_t)(end - answer);
    return true;
}

const rv_task_kind rv_task_arithmetic = {
    .task = {"arithmetic",
             "a+b= as characters; the answer is the sum's; size: digits",
             "0.65 of characters right: always a space",
             {10000, 0, 3, 0},
             false},
    .least_size = 1,
    .describe = describe_arithmetic,
    .check = check_arithmetic,
    .read = read_arithmetic,
};
