#include "lang/syntax/habits.h"

#include <string.h>

/* The first row that fits is taken. */
const lang_habit rv_lang_habits[] = {
    /* signs */
    {{"**"}, "a power is written with ^", "a = x^2", "^"},
    {{"²"}, "a power is written with ^", "a = x^2", "^2"},
    {{"³"}, "a power is written with ^", "a = x^2", "^3"},
    {{"⊙", "∘", "×", "·", "∗", "\\odot", "\\cdot", "\\times"},
     "the elementwise product is written with a point",
     "a = g.h",
     "."},
    {{"−", "–"}, "use the ASCII minus", "a = g - h", "-"},
    {{"=="}, "equal compares values", "a = equal(g, h)", NULL},
    {{"!=", "≠"}, "equal compares values", "a = 1 - equal(g, h)", NULL},
    {{"≤"}, "use ASCII signs", "a = g <= h", "<="},
    {{"≥"}, "use ASCII signs", "a = g >= h", ">="},
    {{"&&", "and"}, "for \"and\", multiply the conditions", "a = (g > 0).(h > 0)", NULL},
    {{"||", "or"}, "for \"or\", take the maximum", "a = maximum(g > 0, h > 0)", NULL},
    {{"if ..", "else", "?", "where("},
     "a choice is written with select",
     "a = select(g > 0, g, h)",
     NULL},
    {{"!", "not", "¬"}, "for \"not\", subtract from 1", "a = 1 - (g > 0)", NULL},
    {{"+=", "-=", "*=", "/="},
     "a name is defined once; a state has a next value",
     "h' = h + g",
     NULL},
    {{":=", "<-", "←"}, "a definition is written with =", "a = g", "="},
    {{"//", "/*"}, "a comment starts with #", "a = g  # the gate", "#"},
    {{"%"}, "for a remainder, subtract", "a = x - 2.floor(x / 2)", NULL},
    {{";"}, "a statement ends with its line", "a = g", ""},
    {{"|"}, "a magnitude is written with abs", "a = abs(g)", NULL},
    {{"√"}, "a root is written with sqrt", "a = sqrt(g)", NULL},
    {{"∑", "Σ"}, "a sum is written with sum", "a = sum(g, axes=[1])", NULL},
    {{"^T", ".T", "ᵀ", ".t()", "^\\top"}, "a transpose is written with a prime", "a = x @ x'", "'"},
    {{"#,#"}, "write a decimal point", "a = 0.5 . g", NULL},
    {{") $", ") ("}, "a product needs a sign", "a = (1 - g).h", NULL},
    {{":\n", ":\r"}, "leave out the colon; the body follows on indented lines", NULL, ""},
    /* LaTeX */
    {{"_{", "_t"}, "h is the state before the step, and h' the one after", "h' = g.h", NULL},
    {{"\\sigma"}, "the logistic function is sigmoid", "a = sigmoid(g)", "sigmoid"},
    {{"σ(", "logistic(", "expit("},
     "the logistic function is sigmoid",
     "a = sigmoid(g)",
     "sigmoid("},
    {{"∂", "∇", "\\partial", "\\nabla", "gradient(", "gradients("},
     "a gradient is written with grad",
     "a = grad(sum(g^2), h)",
     NULL},
    {{"\\"}, "write names in plain letters, not in LaTeX", "a = tanh(g) / 2", NULL},
    {{"{", "}"}, "use ( ) around values and [ ] around sizes", "a = (1 - g).h", NULL},
    /* NumPy, PyTorch and others */
    {{"np.dot", "np.matmul", "torch.matmul", "torch.mm", "tf.matmul", "dot(", "mm(", "bmm("},
     "a matrix product is written with @",
     "a = x @ K[_, units]",
     NULL},
    {{"np.", "numpy.", "torch.", "tf.", "jnp.", "jax.", "math."},
     "functions have no prefix",
     "a = sigmoid(g)",
     ""},
    {{".shape ..", "len("}, "the size of an axis is written with size", "a = g / size(x, 1)", NULL},
    {{".detach(", ".data", "detach("}, "use stop_gradient", "a = stop_gradient(g)", NULL},
    {{".$()"}, "write the function before its argument", "a = sum(g, axes=[1])", NULL},
    {{"concat([", "concatenate(", "cat(", "hstack("},
     "concat joins values",
     "a = concat(h, x, axis=1)",
     NULL},
    {{"split(", "chunk("}, "a part is a slice", "a = g[:, 0:2]", NULL},
    {{"view(", "squeeze(", "unsqueeze("}, "use reshape", "a = reshape(g, shape=[-1, 1])", NULL},
    {{"clip(", "hardtanh(", "relu6("}, "use clamp", "a = clamp(g, -1, 1)", NULL},
    {{"swish("}, "swish is called silu", "a = silu(g)", "silu("},
    {{"log_sigmoid(", "logsigmoid(", "log1p(", "rsqrt(", "tan("},
     "write its formula, as for log_sigmoid",
     "a = -softplus(-g)",
     NULL},
    {{"dim="}, "axes are given as axes=[..]", "a = sum(g, axes=[1])", NULL},
    {{"keepdims=", "keepdim="}, "use keep=true", "a = sum(g, axes=[1], keep=true)", "keep="},
    {{"lambda ..", "def .."},
     "a function is defined outside of cells",
     "function f(x) = x^2",
     NULL},
    {{"glorot_uniform ..", "glorot_normal .."},
     "glorot is called xavier",
     "map V ~ xavier_uniform",
     NULL},
    {{"he_uniform ..", "he_normal .."}, "he is called kaiming", "map V ~ kaiming_normal", NULL},
    {{"lecun_uniform ..", "lecun_normal .."},
     "lecun is kaiming with gain 1",
     "map V ~ kaiming_normal(1)",
     NULL},
    {{"trunc_normal .."}, "write the full name", "map V ~ truncated_normal(0, 0.02)", NULL},
    {{"N( .."}, "normal takes a mean and a deviation", "map V ~ normal(0, 0.1)", NULL},
    {{"= zeros", "= ones"}, "a number fills the whole parameter", "parameter k[units] = 1", NULL},
    {{"= eye"}, "use identity", "map V = identity", NULL},
    /* options of unroll */
    {{", bidirectional", ", layer_norm", ", residual", ", skip", ", learned_start",
      ", same_dropout"},
     "set the flag to true",
     "h = unroll gru(x, bidirectional=true)",
     NULL},
    {{"hidden_size=", "hidden=", "num_units=", "n_units="},
     "use units=",
     "h = unroll gru(x, units=4)",
     "units="},
    {{"num_layers=", "n_layers="}, "use layers=", "h = unroll gru(x, layers=2)", "layers="},
    {{"steps=", "length=", "num_steps="},
     "the number of steps follows the call",
     "h = unroll gru(x[:, 0]) for 3 steps",
     NULL},
    {{"go_backwards=", "backward=", "backwards=", "reversed="},
     "use reverse=true",
     "h = unroll gru(x, reverse=true)",
     "reverse="},
    {{"return_sequences=", "return_sequence=", "return_state="},
     "all steps follow the call",
     "a = unroll gru(x) all steps",
     NULL},
    {{"for all .."}, "leave out \"for\"", "a = unroll gru(x[:, 0]) all 3 steps", NULL},
    {{".append("},
     "values of a loop are joined by stack",
     "a = stack(t from 0 to 2: x[:, t])",
     NULL},
};

const int rv_lang_habit_count = sizeof rv_lang_habits / sizeof *rv_lang_habits;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_' || c & 0x80; }

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t') at++;
    return at;
}

/* The end of a match of the pattern at `at` in a text, or NULL. `end` is the mistake's. */
static const char *match(const char *pattern, const char *at, const char *text, const char *end)
{
    if (is_letter(*pattern) && at > text && is_word(at[-1])) return NULL;
    for (; *pattern; pattern++) {
        if (*pattern == ' ') {
            at = skip_blanks(at);
        } else if (!strcmp(pattern, "..")) {
            return at < end ? end : at;
        } else if (*pattern == '$') {
            if (!is_word(*at) || is_digit(*at)) return NULL;
            while (is_word(*at)) at++;
        } else if (*pattern == '#' ? is_digit(*at) : *pattern == *at) {
            at++;
        } else {
            return NULL;
        }
    }
    return is_letter(pattern[-1]) && is_word(*at) ? NULL : at;
}

/* Whether a match covers a mistake. It reaches over a word on either side, unless the pattern names
 * it: in "g ⊙ h" the mistake is found at g. */
static bool covers(const char *pattern, const char *from, const char *to, lang_location location)
{
    const char *text = location.source->text;
    while (from > text && (from[-1] == ' ' || from[-1] == '\t')) from--;
    while (from > text && is_word(from[-1])) from--;
    if (pattern[strlen(pattern) - 1] != '$')
        for (to = skip_blanks(to); is_word(*to);) to++;
    return from <= text + location.start && text + location.end <= to;
}

const lang_habit *rv_lang_habit(lang_location location, lang_location *matched)
{
    enum { FARTHEST = 100 }; /* bytes before and after the start of the mistake */
    if (!location.source || location.source->built_in) return NULL;
    const char *text = location.source->text, *start = text + location.start,
               *end = text + location.end, *first = start, *last = skip_blanks(end);
    while (first > text && first[-1] != '\n' && start - first < FARTHEST) first--;
    if (last - start > FARTHEST) last = start + FARTHEST;
    for (int i = 0; i < rv_lang_habit_count; i++)
        for (int k = 0; k < LANG_HABIT_PATTERNS && rv_lang_habits[i].pattern[k]; k++) {
            const char *pattern = rv_lang_habits[i].pattern[k];
            for (const char *at = first; at <= last && *at; at++) {
                const char *to = match(pattern, at, text, end);
                if (!to || !covers(pattern, at, to, location)) continue;
                *matched =
                    (lang_location){location.source, (uint32_t)(at - text), (uint32_t)(to - text)};
                return &rv_lang_habits[i];
            }
        }
    return NULL;
}
