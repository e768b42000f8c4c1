/* The task moving-digits: two of the built-in digits drift across a frame and bounce off its edges,
 * as in Moving MNIST (Srivastava, Mansimov and Salakhutdinov 2015, arXiv 1502.04681). */
#include <math.h>
#include <string.h>

#include "data/tasks/task.h"
#include "data/tensors.h"

enum { MOVING = 2, SIDE = RV_DIGIT_SIDE };

static void describe(rv_source *s, const rv_task_options *o)
{
    s->x = s->y = RV_SHAPE(o->length, 1, o->size, o->size);
    s->each_step = true;
}

/* One coordinate: its start, and its speed in pixels per step. */
typedef struct path {
    double start, speed;
} path;

static path draw_path(rv_draw *draw, int64_t room)
{
    path p = {.start = rv_draw_uniform(draw) * (double)room};
    double speed = 0.5 + rv_draw_uniform(draw);
    p.speed = rv_draw_below(draw, 2) == 0 ? speed : -speed;
    return p;
}

/* The position at step t: a straight line, folded at 0 and `room`. */
static int64_t position(path p, int64_t t, int64_t room)
{
    if (room == 0) return 0;
    double there_and_back = 2.0 * (double)room;
    double at = fmod(fabs(p.start + p.speed * (double)t), there_and_back);
    if (at > (double)room) at = there_and_back - at;
    return (int64_t)floor(at + 0.5);
}

/* Where the digits overlap, the brighter pixel wins. */
static void draw_digit(float *frame, int64_t size, const float *digit, int64_t top, int64_t left)
{
    for (int i = 0; i < SIDE; i++) {
        float *row = frame + (top + i) * size + left;
        const float *over = digit + i * SIDE;
        for (int j = 0; j < SIDE; j++) row[j] = row[j] > over[j] ? row[j] : over[j];
    }
}

static bool read_frames(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    (void)length, (void)error;
    rv_draw draw = rv_draw_new(s, epoch, index);
    int64_t steps = s->x.dim[0], size = s->x.dim[2], room = size - SIDE, pixels = size * size;
    size_t bytes = (size_t)(steps * pixels) * sizeof(float);
    memset(y, 0, bytes);
    memset(x, 0, (size_t)pixels * sizeof(float));
    for (int n = 0; n < MOVING; n++) {
        const unsigned char *drawn = rv_digit(rv_draw_below(&draw, RV_DIGITS), NULL);
        float digit[SIDE * SIDE];
        for (int i = 0; i < SIDE * SIDE; i++) digit[i] = (float)drawn[i] / 16;
        path down = draw_path(&draw, room), right = draw_path(&draw, room);
        for (int64_t t = 0; t <= steps; t++) {
            float *frame = t == 0 ? x : (float *)y + (t - 1) * pixels;
            draw_digit(frame, size, digit, position(down, t, room), position(right, t, room));
        }
    }
    memcpy((float *)x + pixels, y, bytes - (size_t)pixels * sizeof(float));
    return true;
}

const rv_task_kind rv_task_moving_digits = {
    .task = {"moving-digits",
             "the next frame of two digits that drift and bounce; size: pixels a side",
             "MSE 0.069: the mean frames",
             {10000, 20, 16, 0},
             false},
    .least_length = 1,
    .least_size = SIDE,
    .describe = describe,
    .read = read_frames,
};
