/* A character model: a GRU learns to write from 8 kB of text made of some fifty words. Its state
 * goes on from batch to batch and gradients stop in between, truncated back-propagation; then it
 * writes lines of its own.
 *
 *     character_model [EPOCHS [TEMPERATURE]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recurve.h"

enum { LANES = 16, WINDOW = 32, LENGTH = 8192, LINE = 160 };

/* ---- the text, and its bytes as tokens ---- */

static const char alphabet[] = "\n abcdefghijklmnopqrstuvwxyz,.";
enum { TOKENS = sizeof alphabet - 1 };

static int32_t token_of(char c) { return (int32_t)(strchr(alphabet, c) - alphabet); }

/* Sentences of the form "the old farmer finds a red hat in the garden." */
static void write_text(int32_t *text, uint64_t seed)
{
    static const char *const words[][8] = {
        {"the ", "a ", "this ", "every ", "the ", "a ", "my ", "the "},
        {"old ", "small ", "", "tired ", "", "clever ", "", "young "},
        {"farmer ", "cat ", "teacher ", "sailor ", "baker ", "dog ", "painter ", "king "},
        {"finds ", "sees ", "likes ", "wants ", "takes ", "hides ", "forgets ", "paints "},
        {"the ", "a ", "the ", "a ", "one ", "his ", "the ", "a "},
        {"red ", "blue ", "heavy ", "", "broken ", "", "golden ", "green "},
        {"hat", "apple", "house", "boat", "letter", "stone", "flower", "clock"},
        {" in the garden", "", ", and sings", "", " at night", "", " by the river", ""},
    };
    uint64_t draws = 0;
    for (int at = 0; at < LENGTH;) {
        char sentence[LINE] = "";
        for (int i = 0; i < 8; i++)
            strcat(sentence, words[i][(int)(8 * rv_random_uniform(seed, draws++))]);
        strcat(sentence, ".\n");
        for (const char *c = sentence; *c != '\0' && at < LENGTH; c++) text[at++] = token_of(*c);
    }
}

/* Bits per character of a model that knows no more than how often each occurs. */
static double unigram_entropy(const int32_t *text)
{
    double count[TOKENS] = {0}, bits = 0;
    for (int i = 0; i < LENGTH; i++) count[text[i]]++;
    for (int t = 0; t < TOKENS; t++)
        if (count[t] > 0) bits -= count[t] / LENGTH * log2(count[t] / LENGTH);
    return bits;
}

/* Windows of the text, each with what follows each of its characters. */
static bool open_text(rv_source *source, int32_t *text, rv_error *error)
{
    rv_shape shape = RV_SHAPE((LENGTH - 1) / WINDOW, WINDOW);
    rv_tensor x = {RV_I32, shape, text}, y = {RV_I32, shape, text + 1};
    if (!rv_source_tensors(source, &x, &y, TOKENS, error)) return false;
    source->sequence = source->each_step = true;
    source->tokens = TOKENS;
    return true;
}

/* ---- the net: the same for learning, measuring and writing ---- */

/* Outputs: the loss, if it is to be measured, else the logits. `carry` names the states that go
 * from run to run. */
static rv_program *record(rv_store *store, int64_t lanes, int64_t window, const char *carry,
                          bool measured, bool learn)
{
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input_typed(tape, "x", RV_I32, RV_SHAPE(lanes, window)), none = {tape, -1};
    rv_var y = measured ? rv_input_typed(tape, "y", RV_I32, RV_SHAPE(lanes, window)) : none;
    rv_net_options options = {
        .rnn = {.units = 64, .bias = true, .carry = carry},
        .sequence = true,
        .each_step = true,
        .tokens = TOKENS,
        .classes = TOKENS,
    };
    rv_net net = rv_model_record(rv_model_find("gru"), &options, x, y);
    rv_optimizer adam = rv_adam(1e-2);
    adam.clip_norm = 1;
    if (learn) rv_minimize(net.loss, adam);
    rv_program *program = rv_compile(tape, measured ? &net.loss : &net.output, 1);
    if (!program) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    rv_tape_free(tape);
    return program;
}

/* One pass over the text; the mean cost in bits per character, or -1. */
static double read_text(rv_program *program, rv_loader *loader, rv_error *error)
{
    double sum = 0;
    if (!rv_loader_start(loader, 0, 0, error)) return -1;
    while (rv_feed_batch(program, rv_loader_next(loader, error), error)) {
        rv_run(program);
        sum += rv_value(program, 0);
    }
    return sum / (double)rv_loader_batches(loader) / log(2);
}

/* ---- writing ---- */

/* Draws a token with probabilities proportional to e^(logit / temperature). */
static int32_t draw(const rv_tensor *logits, double temperature, double uniform)
{
    double weight[TOKENS], sum = 0, top = rv_tensor_get(logits, 0);
    for (int t = 1; t < TOKENS; t++) top = fmax(top, rv_tensor_get(logits, t));
    for (int t = 0; t < TOKENS; t++)
        sum += weight[t] = exp((rv_tensor_get(logits, t) - top) / temperature);
    int32_t t = 0;
    for (double left = uniform * sum - weight[0]; left >= 0 && t < TOKENS - 1;) left -= weight[++t];
    return t;
}

static void write_line(rv_program *writer, double temperature, uint64_t seed)
{
    int32_t token = token_of('\n');
    printf("writes: ");
    for (uint64_t i = 0; i < LINE; i++) {
        rv_tensor_set(rv_program_input(writer, "x"), 0, token);
        rv_run(writer);
        token = draw(rv_program_output(writer, 0), temperature, rv_random_uniform(seed, i));
        if (alphabet[token] == '\n') break;
        putchar(alphabet[token]);
    }
    putchar('\n');
}

int main(int count, char **arguments)
{
    static int32_t text[LENGTH], unseen[LENGTH];
    int epochs = count > 1 ? atoi(arguments[1]) : 12;
    double temperature = count > 2 ? atof(arguments[2]) : 0.5, bits = -1;
    rv_error error = {0};
    rv_source learned = {0}, held_out = {0};
    rv_loader_options lanes = {.batch_size = LANES, .contiguous = true};
    write_text(text, 1);
    write_text(unseen, 2);
    open_text(&learned, text, &error);
    open_text(&held_out, unseen, &error);
    rv_loader *learn = rv_loader_new(&learned, &lanes, &error);
    rv_loader *test = rv_loader_new(&held_out, &lanes, &error);

    rv_store *store = rv_store_new(1);
    rv_program *step = record(store, LANES, WINDOW, "learn", true, true);
    rv_program *measure = record(store, LANES, WINDOW, "measure", true, false);
    rv_program *writer = record(store, 1, 1, "write", false, false);
    bool ok = error.code == RV_OK && step && measure && writer;

    if (ok)
        printf("letters by how often they occur: %.3f bits a character\n", unigram_entropy(unseen));
    for (int epoch = 1; ok && epoch <= epochs; epoch++) {
        rv_reset_carried(store, "learn");
        bits = read_text(step, learn, &error);
        ok = error.code == RV_OK;
        if (epoch % 4 == 0) printf("epoch %2d: %.3f bits\n", epoch, bits);
    }
    if (ok) printf("text it has not seen: %.3f bits\n", read_text(measure, test, &error));
    for (uint64_t line = 0; ok && line < 3; line++) write_line(writer, temperature, line);
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);

    rv_program_free(step);
    rv_program_free(measure);
    rv_program_free(writer);
    rv_store_free(store);
    rv_loader_free(learn);
    rv_loader_free(test);
    rv_source_close(&learned);
    rv_source_close(&held_out);
    return ok ? 0 : 1;
}
