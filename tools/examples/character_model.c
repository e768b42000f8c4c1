/* A character model. A GRU learns from 8 kB of text made of some fifty words, with truncated
 * backpropagation through time: each window starts from the state at the end of the one before.
 * Then it writes lines of its own.
 *
 *     character_model [EPOCHS [TEMPERATURE]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recurve.h"

enum { WINDOW = 32, LENGTH = 8192, LINE = 160 };

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

/* Windows of the text; y is the character that follows each character of x. The alphabet marks a
 * source as text. */
static bool open_text(rv_source *source, int32_t *text, rv_error *error)
{
    rv_shape shape = RV_SHAPE((LENGTH - 1) / WINDOW, WINDOW);
    rv_tensor x = {RV_I32, shape, text}, y = {RV_I32, shape, text + 1};
    if (!rv_source_tensors(source, &x, &y, TOKENS, error)) return false;
    source->sequence = source->each_step = true;
    source->tokens = TOKENS;
    source->alphabet = (const unsigned char *)alphabet;
    return true;
}

/* ---- training ---- */

static rv_trainer *train(const rv_train_parts *parts, int epochs, rv_error *error)
{
    rv_train_config config = rv_train_config_new();
    config.net.model = "gru";
    config.net.units = 64;
    config.net.carry = true;
    config.optimizer.learning_rate = 1e-2;
    config.loop.epochs = epochs;
    config.loop.batch_size = 16;
    rv_trainer *trainer = rv_trainer_new_with(&config, parts, error);
    if (trainer && rv_trainer_fit(trainer, error)) {
        const rv_train_result *r = rv_trainer_result(trainer);
        printf("%s: %.3f bits a character\n", r->baseline.text, r->baseline.loss / log(2));
        for (int64_t i = 3; i < r->epochs; i += 4)
            printf("epoch %2d: %.3f bits\n", (int)i + 1, r->history[i].loss / log(2));
        printf("text it has not seen: %.3f bits\n", r->validation.loss / log(2));
        return trainer;
    }
    rv_trainer_free(trainer);
    return NULL;
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

/* The trained net on one character at a time. Its state is carried from run to run. */
static rv_program *record_writer(const rv_trainer *trainer, rv_error *error)
{
    const rv_setup *setup = rv_trainer_setup(trainer);
    rv_net_options options = setup->net;
    options.rnn.carry = "write";
    rv_tape *tape = rv_tape_new(rv_trainer_store(trainer), RV_F32);
    rv_var x = rv_input_typed(tape, "x", RV_I32, RV_SHAPE(1, 1)), none = {tape, -1};
    rv_net net = rv_model_record(setup->model, &options, x, none);
    rv_program *program = rv_compile(tape, &net.output, 1);
    if (!program) *error = *rv_tape_error(tape);
    rv_tape_free(tape);
    return program;
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
    double temperature = count > 2 ? atof(arguments[2]) : 0.5;
    rv_error error = {0};
    rv_source training = {0}, validation = {0};
    rv_trainer *trainer = NULL;
    rv_program *writer = NULL;
    write_text(text, 1);
    write_text(unseen, 2);
    if (open_text(&training, text, &error) && open_text(&validation, unseen, &error) &&
        (trainer = train(&(rv_train_parts){.data = &training, .validation = &validation}, epochs,
                         &error)) &&
        (writer = record_writer(trainer, &error)))
        for (uint64_t line = 0; line < 3; line++) write_line(writer, temperature, line);
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);

    rv_program_free(writer);
    rv_trainer_free(trainer);
    rv_source_close(&training);
    rv_source_close(&validation);
    return error.code != RV_OK;
}
