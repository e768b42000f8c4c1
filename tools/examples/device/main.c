/* A firmware with two nets: CURNN learns to tell handwritten zeros from ones, starting at random
 * weights, and a trained GRU counts the open parentheses of a text, one character at a time. */
#include <stdio.h>

#include "board.h"
#include "nets/curnn.h"
#include "nets/gru.h"

enum { EPOCHS = 5, BATCH = 10, TRAINING = 300, ALL = 360 };

extern const unsigned char digits[ALL][CURNN_X + 1]; /* pixels and label */

static struct curnn curnn;
static struct gru gru;

/* The pixels of a digit, 0 to 16, as an input of the net. Returns its label. */
static int32_t load(curnn_real *x, int i)
{
    for (int k = 0; k < CURNN_X; k++) x[k] = (curnn_real)digits[i][k] / 16;
    return digits[i][CURNN_X];
}

static void learn(void)
{
    curnn_real x[CURNN_X], output[CURNN_OUTPUT];
    curnn_init(&curnn);
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        double loss = 0;
        for (int i = 0; i < TRAINING; i++) {
            const int32_t y = load(x, i);
            loss += (double)curnn_gradients(&curnn, x, &y) / TRAINING;
            if (i % BATCH == BATCH - 1) curnn_update(&curnn);
        }
        printf("epoch %d  loss %.9g\n", epoch, loss);
    }
    int right = 0;
    for (int i = TRAINING; i < ALL; i++) {
        const int32_t y = load(x, i);
        curnn_run(&curnn, x, output);
        right += (output[0] > 0) == y;
    }
    printf("digits that it did not learn from: %d of %d right\n", right, (int)(ALL - TRAINING));
}

static void stream(const char *text)
{
    gru_init(&gru);
    for (; *text; text++) {
        const gru_real x[GRU_X] = {*text == '(', *text == ')', *text != '(' && *text != ')'};
        gru_real open[GRU_OUTPUT];
        gru_step(&gru, x, open);
        printf("%c %.9g\n", *text, (double)open[0]);
    }
}

/* What a call of each function takes. */
static void measure(void)
{
    curnn_real x[CURNN_X], output[CURNN_OUTPUT];
    const gru_real character[GRU_X] = {1};
    const int32_t y = load(x, 0);
    const uint32_t start = board_time();
    curnn_run(&curnn, x, output);
    const uint32_t run = board_time();
    curnn_train(&curnn, x, &y, 1);
    const uint32_t train = board_time();
    gru_step(&gru, character, output);
    const uint32_t step = board_time();
    printf("curnn_run %lu, curnn_train %lu, gru_step %lu " BOARD_UNIT "\n",
           (unsigned long)(run - start), (unsigned long)(train - run),
           (unsigned long)(step - train));
}

int main(void)
{
    learn();
    stream("if (a(b) or c((d)))");
    measure();
    return 0;
}
