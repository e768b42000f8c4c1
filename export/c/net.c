/* Writes NAME.h and NAME.c. */
#include "export/c/net.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* The functions that compute, and the texts that templates insert: $x for text['x']. */
typedef struct writer {
    const rv_c_parts *p;
    rv_c_function start, step, head, step_gradient, head_gradient, start_gradient, update;
    const char *text[128];
    rv_writer *out;
} writer;

void rv_c_write_number(rv_writer *w, double number)
{
    int exponent;
    long long mantissa = (long long)ldexp(frexp(number, &exponent), 53);
    exponent -= 53;
    while (mantissa && mantissa % 2 == 0) mantissa /= 2, exponent++;
    if (!mantissa)
        rv_write(w, "0");
    else if (exponent >= 0 && exponent < 8)
        rv_write(w, "%lld", mantissa << exponent);
    else
        rv_write(w, "%s0x%llxp%d", mantissa < 0 ? "-" : "",
                 (unsigned long long)(mantissa < 0 ? -mantissa : mantissa), exponent);
}

/* ---- the functions' values and their names ---- */

enum { MOST = 2 * RV_C_MOST_STATES + RV_C_MOST_PARAMETERS + 8 };

typedef struct names {
    rv_c_given given[MOST];
    rv_c_result result[MOST];
    char text[MOST + MOST][RV_C_PATH];
    int texts;
} names;

static const char *join(names *s, const char *before, const char *name)
{
    char *text = s->text[s->texts++];
    snprintf(text, RV_C_PATH, "%s%s", before, name);
    return text;
}

static void give(rv_c_function *f, names *s, rv_var value, const char *array, const char *name)
{
    if (value.id < 0 || !value.tape) return;
    s->given[f->givens++] = (rv_c_given){value, array, name};
    f->given = s->given;
}

static void ask(rv_c_function *f, names *s, rv_c_result result)
{
    if (result.value.id < 0 || !result.value.tape) return;
    s->result[f->results++] = result;
    f->result = s->result;
}

static void give_parameters(rv_c_function *f, names *s, const rv_c_parts *p)
{
    for (int32_t id = 0; id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        for (int i = 0; node->op == &rv_op_parameter && i < p->parameters; i++)
            if (p->parameter[i].entry == node->entry)
                give(f, s, (rv_var){p->tape, id}, join(s, "p->", p->parameter[i].name),
                     p->parameter[i].name);
    }
}

static void give_states(rv_c_function *f, names *s, const rv_c_parts *p)
{
    for (int i = 0; i < p->states; i++)
        give(f, s, p->state[i].before, join(s, "s->", p->state[i].name), p->state[i].name);
}

static const char *input_array(const rv_c_parts *p)
{
    return rv_dtype_of(p->x) == RV_I32 ? "(real)x" : "x";
}

static const char *target_array(const rv_c_parts *p)
{
    return rv_dtype_of(p->y) == RV_I32 ? "(real)y" : "y";
}

/* ---- each function ---- */

static bool write_start(writer *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    give_parameters(&w->start, s, p);
    for (int i = 0; i < p->states; i++)
        ask(&w->start, s,
            (rv_c_result){.value = p->state[i].first,
                          .array = join(s, "s->", p->state[i].name),
                          .name = p->state[i].name});
    return rv_c_function_write(&w->start, error);
}

static bool write_start_gradient(writer *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    rv_c_function *f = &w->start_gradient;
    give_parameters(f, s, p);
    for (int i = 0; i < p->states; i++)
        give(f, s, p->state[i].cotangent, join(s, "d->", p->state[i].name), p->state[i].name);
    for (int i = 0; i < p->parameters; i++)
        ask(f, s,
            (rv_c_result){.value = p->parameter[i].in_start,
                          .array = join(s, "dp->", p->parameter[i].name),
                          .name = join(s, "d", p->parameter[i].name),
                          .add = true});
    return !f->results || rv_c_function_write(f, error);
}

static bool write_step(writer *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    rv_c_function *f = &w->step;
    give(f, s, p->x, input_array(p), "x");
    give_states(f, s, p);
    give_parameters(f, s, p);
    for (int i = 0; i < p->states; i++)
        ask(f, s,
            (rv_c_result){.value = p->state[i].after,
                          .array = join(s, "next->", p->state[i].name),
                          .name = join(s, p->state[i].name, "'")});
    if (p->top_state < 0) ask(f, s, (rv_c_result){.value = p->top, .array = "top", .name = "top"});
    return rv_c_function_write(f, error);
}

static bool write_head(writer *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    give(&w->head, s, p->top, "h", "h");
    give_parameters(&w->head, s, p);
    ask(&w->head, s, (rv_c_result){.value = p->output, .array = "output", .name = "output"});
    return rv_c_function_write(&w->head, error);
}

static bool write_head_gradient(writer *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    rv_c_function *f = &w->head_gradient;
    give(f, s, p->top, "h", "h");
    give(f, s, p->y, target_array(p), "y");
    give_parameters(f, s, p);
    ask(f, s, (rv_c_result){.value = p->loss, .array = "loss", .name = "loss", .add = true});
    ask(f, s, (rv_c_result){.value = p->at_top, .array = "d_top", .name = "dh", .add = true});
    for (int i = 0; i < p->parameters; i++)
        ask(f, s,
            (rv_c_result){.value = p->parameter[i].in_head,
                          .array = join(s, "dp->", p->parameter[i].name),
                          .name = join(s, "d", p->parameter[i].name),
                          .add = true});
    return rv_c_function_write(f, error);
}

static bool write_step_gradient(writer *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    rv_c_function *f = &w->step_gradient;
    give(f, s, p->x, input_array(p), "x");
    give_states(f, s, p);
    give(f, s, p->top_cotangent, "d_top", "dtop");
    for (int i = 0; i < p->states; i++) {
        const char *d = join(s, "d->", p->state[i].name);
        snprintf(s->text[s->texts], RV_C_PATH, "d%s'", p->state[i].name);
        give(f, s, p->state[i].cotangent, d, s->text[s->texts++]);
        ask(f, s,
            (rv_c_result){.value = p->state[i].at_before,
                          .array = d,
                          .name = join(s, "d", p->state[i].name),
                          .last = true});
    }
    give_parameters(f, s, p);
    for (int i = 0; i < p->parameters; i++)
        ask(f, s,
            (rv_c_result){.value = p->parameter[i].in_step,
                          .array = join(s, "dp->", p->parameter[i].name),
                          .name = join(s, "d", p->parameter[i].name),
                          .add = true});
    return rv_c_function_write(f, error);
}

static const char *memory_array(const rv_c_parts *p, names *s, const rv_c_memory *m)
{
    return !strcmp(m->entry->name, "p") ? "p" : join(s, "net->", m->name);
    (void)p;
}

static bool write_update(writer *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    rv_c_function *f = &w->update;
    give(f, s, p->all_gradient, "g", "g");
    give(f, s, p->scale, "scale", "scale");
    for (int m = 0; m < p->memories; m++) {
        const rv_c_memory *memory = &p->memory[m];
        const char *array = memory_array(p, s, memory);
        give(f, s, memory->before, array, memory->name);
        if (memory->after.id == memory->before.id) continue;
        ask(f, s,
            (rv_c_result){.value = memory->after,
                          .array = array,
                          .name = join(s, memory->name, "'"),
                          .last = true});
    }
    return rv_c_function_write(f, error);
}

/* ---- templates ---- */

/* Writes a template to w->out. */
static void put(const writer *w, const char *template)
{
    for (size_t plain; *template; template += plain) {
        plain = strcspn(template, "$");
        rv_write(w->out, "%-.*s", (int)plain, template);
        if (!template[plain]) continue;
        rv_write(w->out, "%-s", w->text[(unsigned char)template[plain + 1]]);
        plain += 2;
    }
}

static bool trains(const writer *w) { return w->p->net->optimizer; }

/* ---- the header ---- */

static void put_struct(const writer *w, const char *name, bool parameters)
{
    const rv_c_parts *p = w->p;
    rv_write(w->out, "struct net_%s {\n", name);
    for (int i = 0; i < (parameters ? p->parameters : p->states); i++)
        rv_write(w->out, "    net_real %s[%lld];\n",
                 parameters ? p->parameter[i].name : p->state[i].name,
                 (long long)(parameters ? p->parameter[i].count : p->state[i].count));
    put(w, "};\n");
}

static void put_work_struct(const writer *w, const char *name, const rv_c_function *f)
{
    if (f->fields.at) rv_write(w->out, "struct net_%s_work {\n%-s};\n", name, f->fields.at);
}

static void put_work_field(const writer *w, const char *name, const rv_c_function *f)
{
    if (f->fields.at) rv_write(w->out, "        struct net_%s_work %s;\n", name, name);
}

static int64_t count_of(rv_var x) { return rv_shape_count(rv_shape_of(x)); }

/* Whether the optimizer's memory is the parameters themselves. */
static bool is_all(const rv_c_memory *m) { return !strcmp(m->entry->name, "p"); }

static void put_net_struct(const writer *w)
{
    const rv_c_parts *p = w->p;
    put(w, "struct net {\n");
    if (trains(w))
        put(w, "    union {\n"
               "        struct net_parameters p;\n"
               "        net_real all[NET_PARAMETERS];\n"
               "    } parameters;\n");
    put(w, "    struct net_states state;\n");
    if (p->top_state < 0)
        rv_write(w->out, "    net_real top[%lld]; /* what the head reads */\n",
                 (long long)count_of(p->top));
    if (trains(w)) {
        put(w,
            "\n    /* training: the gradient is summed over the samples since the last update */\n"
            "    union {\n"
            "        struct net_parameters p;\n"
            "        net_real all[NET_PARAMETERS];\n"
            "    } gradient;\n"
            "    int32_t samples;\n"
            "    struct net_states before[NET_STEPS]; /* the states before each step of a sample "
            "*/\n"
            "    struct net_states d; /* d loss / d states */\n");
        if (p->top_state < 0)
            rv_write(w->out, "    net_real d_top[%lld];\n", (long long)count_of(p->top));
        for (int m = 0; m < p->memories; m++)
            if (!is_all(&p->memory[m]))
                rv_write(w->out, "    net_real %s[%lld]; /* of the optimizer */\n",
                         p->memory[m].name,
                         (long long)rv_tensor_count(&p->memory[m].entry->tensor));
    }
    put(w, "\n    union { /* intermediate values, of one function at a time */\n");
    put_work_field(w, "start", &w->start);
    put_work_field(w, "step", &w->step);
    put_work_field(w, "head", &w->head);
    put_work_field(w, "step_gradient", &w->step_gradient);
    put_work_field(w, "head_gradient", &w->head_gradient);
    put_work_field(w, "start_gradient", &w->start_gradient);
    put_work_field(w, "update", &w->update);
    put(w, "        net_real none;\n    } work;\n};\n");
}

static void put_sizes(const writer *w)
{
    const rv_c_parts *p = w->p;
    rv_write(w->out,
             "enum {\n"
             "    NET_STEPS = %lld,  /* time steps of a sample */\n"
             "    NET_INPUT = %lld,  /* numbers of x%s */\n"
             "    NET_TARGET = %lld, /* numbers of y%s */\n"
             "    NET_OUTPUT = %lld, /* numbers of an output%s */\n"
             "    NET_PARAMETERS = %lld\n};\n",
             (long long)p->steps, (long long)p->x_count,
             p->net->options->sequence ? " at a time step" : "", (long long)p->y_count,
             p->net->options->each_step ? " at a time step" : "", (long long)p->output_count,
             p->net->options->each_step ? " at a time step" : "", (long long)p->parameter_count);
}

static void put_header(const writer *w)
{
    put(w, "/* $m: x $s, y $u. Generated by recurve, to be compiled as C99. Nothing allocates, and "
           "all state is in a\n"
           " * struct of the caller, so there may be several nets. */\n"
           "#ifndef NET_H\n#define NET_H\n\n#include <stdint.h>\n\n"
           "/* The type of all numbers. */\n"
           "#ifndef NET_REAL\n#define NET_REAL float\n#endif\ntypedef NET_REAL net_real;\n\n");
    put_sizes(w);
    put(w, "\n/* The parameters, row-major. */\n");
    put_struct(w, "parameters", true);
    put(w, "\n/* What a time step hands to the next. */\n");
    put_struct(w, "states", false);
    put(w, "\n/* Intermediate values. */\n");
    put_work_struct(w, "start", &w->start);
    put_work_struct(w, "step", &w->step);
    put_work_struct(w, "head", &w->head);
    put_work_struct(w, "step_gradient", &w->step_gradient);
    put_work_struct(w, "head_gradient", &w->head_gradient);
    put_work_struct(w, "start_gradient", &w->start_gradient);
    put_work_struct(w, "update", &w->update);
    put(w, "\n");
    put_net_struct(w);
    put(w,
        "\n/* Sets everything to its start$v. Call it first. */\n"
        "void net_init(struct net *net);\n\n"
        "/* Starts a new sequence. */\n"
        "void net_reset(struct net *net);\n\n"
        "/* One time step: reads x [NET_INPUT]. Writes output [NET_OUTPUT] unless it is NULL. */\n"
        "void net_step(struct net *net, const $X *x, net_real *output);\n\n"
        "/* A sample from a new start: reads x [$tNET_INPUT], writes output [$eNET_OUTPUT]. */\n"
        "void net_run(struct net *net, const $X *x, net_real *output);\n");
    if (trains(w))
        put(w, "\n/* Adds the gradient of the loss of a sample to net->gradient: x as above, y "
               "[$eNET_TARGET]. Returns the\n"
               " * loss. */\n"
               "net_real net_gradients(struct net *net, const $X *x, const $Y *y);\n\n"
               "/* Updates the parameters with the mean gradient of the samples since the last "
               "update: $o. */\n"
               "void net_update(struct net *net);\n\n"
               "/* Both, for a batch: x and y of `samples` samples, one after the other. Returns "
               "the mean loss. */\n"
               "net_real net_train(struct net *net, const $X *x, const $Y *y, int32_t samples);\n");
    put(w, "\n#endif\n");
}

/* ---- the source ---- */

static bool is_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Whether a text contains `what`, not as the end of a longer name. */
static bool uses(const rv_writer *w, const char *what)
{
    const char *at = w->at;
    for (; at && (at = strstr(at, what)); at++)
        if (at == w->at || !is_name(at[-1])) return true;
    return false;
}

/* Whether one of the functions uses the name. */
static bool used(const writer *w, const char *what)
{
    return uses(&w->start.body, what) || uses(&w->step.body, what) || uses(&w->head.body, what) ||
           uses(&w->step_gradient.body, what) || uses(&w->head_gradient.body, what) ||
           uses(&w->update.body, what);
}

/* The functions of pointwise.def that are used. */
static void put_maths(const writer *w)
{
    static const char *const maths[][2] = {
        {"EXP", "exp"},     {"LOG", "log"},     {"LOG1P", "log1p"},    {"TANH", "tanh"},
        {"ATAN", "atan"},   {"SQRT", "sqrt"},   {"ABS", "fabs"},       {"FLOOR", "floor"},
        {"TRUNC", "trunc"}, {"SIN", "sin"},     {"COS", "cos"},        {"ERF", "erf"},
        {"ERFC", "erfc"},   {"EXPM1", "expm1"}, {"ROUND_EVEN", "rint"}};
    bool sigmoid = used(w, "SIGMOID(");
    put(w, "/* A function of the C library for the type of real. */\n"
           "#define MATH(name, x) \\\n"
           "    (sizeof(real) == sizeof(float) ? (real)name##f((float)(x)) : (real)name(x))\n");
    for (size_t i = 0; i < sizeof maths / sizeof *maths; i++) {
        char call[16];
        snprintf(call, sizeof call, "%s(", maths[i][0]);
        if (used(w, call) || (sigmoid && i == 0))
            rv_write(w->out, "#define %s(x) MATH(%s, x)\n", maths[i][0], maths[i][1]);
    }
    if (used(w, "POWER("))
        put(w, "#define POWER(x, y) \\\n"
               "    (sizeof(real) == sizeof(float) ? (real)powf((float)(x), (float)(y)) : "
               "(real)pow(x, y))\n");
    if (used(w, "MAX(")) put(w, "#define MAX(a, b) ((a) >= (b) || (a) != (a) ? (a) : (b))\n");
    if (sigmoid) put(w, "\nstatic real SIGMOID(real x) { return 1 / (1 + EXP(-x)); }\n");
}

/* A parameter that the function does not read. */
static void put_unused(const writer *w, const rv_c_function *f, const char *name, const char *use)
{
    if (!uses(&f->body, use)) rv_write(w->out, "    (void)%s;\n", name);
}

static void put_body(const writer *w, const char *name, const rv_c_function *f)
{
    bool extra = uses(&f->body, "top[") && f == &w->step;
    bool net = (trains(w) && uses(&f->body, "p->")) || uses(&f->body, "w->") || extra;
    if (!net) put(w, "    (void)net;\n");
    if (uses(&f->body, "p->"))
        put(w, trains(w) ? "    const struct net_parameters *p = &net->parameters.p;\n"
                         : "    const struct net_parameters *p = &initial;\n");
    if (uses(&f->body, "dp->")) put(w, "    struct net_parameters *dp = &net->gradient.p;\n");
    if (uses(&f->body, "w->"))
        rv_write(w->out, "    struct net_%s_work *w = &net->work.%s;\n", name, name);
    if (f->constants.at) rv_write(w->out, "%-s", f->constants.at);
    if (f->body.at) rv_write(w->out, "\n%-s", f->body.at);
}

static void put_functions(const writer *w)
{
    bool extra = w->p->top_state < 0;
    put(w, "\n/* The states s before the first step. */\n"
           "static void start(struct net *net, struct net_states *s)\n{\n");
    put_body(w, "start", &w->start);
    put(w, "}\n\n/* One time step: from the states s and x to the states next. */\n"
           "static void step(struct net *net, const struct net_states *s, const $I *x, struct "
           "net_states *next)\n{\n");
    if (extra) put(w, "    real *top = net->top;\n");
    put_body(w, "step", &w->step);
    put_unused(w, &w->step, "x", "x[");
    put(w, "}\n\n/* The output, from the output h of the cell. */\n"
           "static void head(struct net *net, const real *h, real *output)\n{\n");
    put_body(w, "head", &w->head);
    put(w, "}\n");
    if (!trains(w)) return;
    put(w,
        "\n/* Adds d loss / d h to d_top, and the gradients of the head's parameters. Returns the "
        "loss. */\n"
        "static real head_gradient(struct net *net, const real *h, const $J *y, real *d_top)\n{\n"
        "    real loss[1] = {0};\n");
    put_body(w, "head_gradient", &w->head_gradient);
    put(w, "    return loss[0];\n}\n\n"
           "/* Replaces d, d loss / d states after the step from s and x, by d loss / d s. Adds "
           "the gradients of the\n"
           " * cell's parameters. */\n"
           "static void step_gradient(struct net *net, const struct net_states *s, const $I *x, "
           "struct net_states *d");
    put(w, extra ? ",\n                          const real *d_top)\n{\n" : ")\n{\n");
    put_body(w, "step_gradient", &w->step_gradient);
    put_unused(w, &w->step_gradient, "x", "x[");
    put_unused(w, &w->step_gradient, "s", "s->");
    put(w, "}\n");
    if (!w->start_gradient.results) return;
    put(w, "\n/* Adds the gradients of the parameters that the first states depend on. */\n"
           "static void start_gradient(struct net *net, const struct net_states *d)\n{\n");
    put_body(w, "start_gradient", &w->start_gradient);
    put(w, "}\n");
}

static void put_running(const writer *w)
{
    put(w, "\nvoid net_reset(struct net *net) { start(net, &net->state); }\n\n"
           "static void advance(struct net *net, const $I *x)\n{\n"
           "    struct net_states next;\n"
           "    step(net, &net->state, x, &next);\n"
           "    net->state = next;\n}\n\n"
           "void net_step(struct net *net, const $I *x, real *output)\n{\n"
           "    advance(net, x);\n"
           "    if (output) head(net, $h, output);\n}\n\n"
           "void net_run(struct net *net, const $I *x, real *output)\n{\n"
           "    net_reset(net);\n");
    put(w, w->p->net->options->each_step
               ? "    for (int t = 0; t < NET_STEPS; t++) net_step(net, $a, output + t * "
                 "NET_OUTPUT);\n}\n"
               : "    for (int t = 0; t < NET_STEPS; t++) advance(net, $a);\n"
                 "    head(net, $h, output);\n}\n");
}

static void put_training(const writer *w)
{
    bool extra = w->p->top_state < 0, each = w->p->net->options->each_step;
    put(w, "\nreal net_gradients(struct net *net, const $I *x, const $J *y)\n{\n"
           "    real loss = 0;\n"
           "    net_reset(net);\n"
           "    for (int t = 0; t < NET_STEPS; t++) {\n"
           "        net->before[t] = net->state;\n"
           "        advance(net, $a);\n"
           "    }\n"
           "    memset(&net->d, 0, sizeof net->d);\n");
    if (extra) put(w, "    memset(net->d_top, 0, sizeof net->d_top);\n");
    if (!each) put(w, "    loss += head_gradient(net, $h, y, $d);\n");
    put(w, "    for (int t = NET_STEPS - 1; t >= 0; t--) {\n");
    if (each && extra) /* top is not a state: compute it again */
        put(w, "        step(net, &net->before[t], $a, &net->state);\n");
    if (each) put(w, "        loss += head_gradient(net, $h, y + t * NET_TARGET, $d);\n");
    put(w, extra ? "        step_gradient(net, &net->before[t], $a, &net->d, net->d_top);\n"
                   "        memset(net->d_top, 0, sizeof net->d_top);\n"
                 : "        step_gradient(net, &net->before[t], $a, &net->d);\n");
    if (each && !extra) put(w, "        net->state = net->before[t];\n");
    put(w, "    }\n");
    if (w->start_gradient.results) put(w, "    start_gradient(net, &net->d);\n");
    put(w, "    net->samples++;\n"
           "    return loss;\n}\n\n"
           "void net_update(struct net *net)\n{\n"
           "    real *p = net->parameters.all, *g = net->gradient.all;\n"
           "    const real scale[1] = {1 / (real)net->samples};\n");
    if (uses(&w->update.body, "w->"))
        put(w, "    struct net_update_work *w = &net->work.update;\n");
    if (w->update.body.at) rv_write(w->out, "\n%-s", w->update.body.at);
    put(w, "    memset(g, 0, sizeof net->gradient);\n"
           "    net->samples = 0;\n}\n\n"
           "real net_train(struct net *net, const $I *x, const $J *y, int32_t samples)\n{\n"
           "    real loss = 0;\n"
           "    for (int32_t i = 0; i < samples; i++)\n"
           "        loss += net_gradients(net, x + i * ($tNET_INPUT), y + i * ($eNET_TARGET));\n"
           "    net_update(net);\n"
           "    return loss / (real)samples;\n}\n");
}

static void put_values(const writer *w)
{
    put(w, "\n/* The parameters of the exported net. */\nstatic const struct net_parameters "
           "initial = {");
    for (int i = 0; i < w->p->parameters; i++) {
        const rv_tensor *t = &w->p->parameter[i].entry->tensor;
        put(w, i ? ",\n    {" : "\n    {");
        for (int64_t k = 0; k < rv_tensor_count(t); k++) {
            put(w, !k ? "" : k % 6 ? ", " : ",\n     ");
            rv_c_write_number(w->out, rv_tensor_get(t, k));
        }
        put(w, "}");
    }
    put(w, "};\n");
}

static void put_init(const writer *w)
{
    put(w, "\nvoid net_init(struct net *net)\n{\n    memset(net, 0, sizeof *net);\n");
    if (trains(w)) put(w, "    net->parameters.p = initial;\n");
    for (int m = 0; m < w->p->memories; m++) {
        const rv_c_memory *memory = &w->p->memory[m];
        const rv_tensor *t = &memory->entry->tensor;
        if (is_all(memory) || rv_tensor_get(t, 0) == 0) continue;
        rv_write(w->out, "    for (int i = 0; i < %lld; i++) net->%s[i] = (real)",
                 (long long)rv_tensor_count(t), memory->name);
        rv_c_write_number(w->out, rv_tensor_get(t, 0));
        put(w, ";\n");
    }
    put(w, "    net_reset(net);\n}\n");
}

static void put_source(const writer *w)
{
    put(w, "/* Generated by recurve. Each equation stands above its loops: a.b is the product of "
           "elements, a @ b that of\n"
           " * matrices, and x' the next value of x. */\n"
           "#include \"net.h\"\n\n#include <math.h>\n#include <string.h>\n\n"
           "typedef net_real real;\n\n");
    put_maths(w);
    put_values(w);
    put_functions(w);
    put_running(w);
    if (trains(w)) put_training(w);
    put_init(w);
}

/* ---- the prefix ---- */

/* Whether a name of the net starts there: net_.., NET_.., or `net` behind struct. */
static bool is_prefixed(const char *text, const char *at)
{
    if (at > text && is_name(at[-1])) return false;
    if (!strncmp(at, "NET_", 4) || !strncmp(at, "net_", 4) || !strncmp(at, "net.h", 5) ||
        !strncmp(at, "net.c", 5))
        return true;
    return !strncmp(at, "net", 3) && !is_name(at[3]) && at >= text + 7 &&
           !strncmp(at - 7, "struct ", 7);
}

/* Writes the prefix in the place of net and NET. */
static bool rename_net(char **text, const char *prefix, rv_error *error)
{
    rv_writer out = {0};
    if (!*text || !strcmp(prefix, "net")) return true;
    const char *from = *text;
    for (const char *at = *text; *at; at++) {
        if (!is_prefixed(*text, at)) continue;
        rv_write(&out, "%-.*s", (int)(at - from), from);
        for (const char *c = prefix; *c; c++)
            rv_write(&out, "%c", *at == 'N' ? toupper((unsigned char)*c) : *c);
        from = at + 3;
    }
    rv_write(&out, "%-s", from);
    rv_free(*text);
    *text = out.at;
    return !out.failed || rv_fail_memory(error);
}

/* ---- all ---- */

static bool write_functions(writer *w, names *s, rv_error *error)
{
    rv_c_function *all[] = {&w->start,         &w->step,           &w->head,  &w->step_gradient,
                            &w->head_gradient, &w->start_gradient, &w->update};
    bool (*const write[])(writer *, names *, rv_error *) = {
        write_start,         write_step,           write_head,  write_step_gradient,
        write_head_gradient, write_start_gradient, write_update};
    bool ok = true;
    for (int i = 0; ok && i < (trains(w) ? 7 : 3); i++) {
        all[i]->work = "w->";
        all[i]->real = "net_real";
        ok = write[i](w, &s[i], error);
    }
    return ok;
}

static void set_texts(writer *w, char texts[8][RV_C_PATH + 64])
{
    const rv_c_parts *p = w->p;
    const rv_net_options *o = p->net->options;
    bool tokens = rv_dtype_of(p->x) == RV_I32, labels = rv_dtype_of(p->y) == RV_I32;
    bool extra = p->top_state < 0;
    w->text['m'] = p->net->model->name;
    w->text['s'] = rv_shape_text(p->net->x.shape, texts[0]);
    w->text['u'] = rv_shape_text(p->net->y.shape, texts[1]);
    w->text['X'] = tokens ? "int32_t" : "net_real";
    w->text['Y'] = labels ? "int32_t" : "net_real";
    w->text['I'] = tokens ? "int32_t" : "real";
    w->text['J'] = labels ? "int32_t" : "real";
    w->text['t'] = o->sequence ? "NET_STEPS * " : "";
    w->text['e'] = o->each_step ? "NET_STEPS * " : "";
    w->text['a'] = o->sequence ? "x + t * NET_INPUT" : "x";
    w->text['v'] = trains(w) ? ", the parameters to those of the exported net" : "";
    w->text['o'] = trains(w) && p->net->optimizer->formula ? p->net->optimizer->formula : "";
    snprintf(texts[2], RV_C_PATH, "net->state.%s", extra ? "" : p->state[p->top_state].name);
    snprintf(texts[3], RV_C_PATH, "net->d.%s", extra ? "" : p->state[p->top_state].name);
    w->text['h'] = extra ? "net->top" : texts[2];
    w->text['d'] = extra ? "net->d_top" : texts[3];
}

/* The numbers in struct net, as put_net_struct writes it. */
static int64_t count_memory(const writer *w)
{
    const rv_c_parts *p = w->p;
    const rv_c_function *all[] = {&w->start,         &w->step,          &w->head,
                                  &w->step_gradient, &w->head_gradient, &w->start_gradient,
                                  &w->update};
    int64_t work = 1, state = 0, top = p->top_state < 0 ? count_of(p->top) : 0;
    for (int i = 0; i < 7; i++)
        if ((int64_t)all[i]->work_count > work) work = (int64_t)all[i]->work_count;
    for (int i = 0; i < p->states; i++) state += p->state[i].count;
    int64_t memory = state + top + work;
    if (!trains(w)) return memory;
    memory += 2 * p->parameter_count + (p->steps + 1) * state + top + 1;
    for (int m = 0; m < p->memories; m++)
        if (!is_all(&p->memory[m])) memory += rv_tensor_count(&p->memory[m].entry->tensor);
    return memory;
}

static void measure(const writer *w, rv_c_code *code)
{
    double steps = (double)w->p->steps, heads = w->p->net->options->each_step ? steps : 1;
    code->parameters = w->p->parameter_count;
    code->memory = count_memory(w);
    code->step = w->step.operations + w->head.operations;
    code->sample = steps * (w->step.operations + w->step_gradient.operations) +
                   heads * w->head_gradient.operations;
}

static bool write_all(writer *w, const rv_store *store, rv_c_code *code, rv_error *error)
{
    char texts[8][RV_C_PATH + 64];
    names *s = rv_alloc(7, sizeof *s);
    rv_writer header = {0}, source = {0}, test = {0};
    bool ok = (s || rv_fail_memory(error)) && write_functions(w, s, error);
    if (ok) {
        set_texts(w, texts);
        w->out = &header;
        put_header(w);
        w->out = &source;
        put_source(w);
        ok = rv_c_write_test(w->p, store, &test, error);
        measure(w, code);
    }
    if (ok && (header.failed || source.failed)) ok = rv_fail_memory(error);
    code->header = header.at;
    code->source = source.at;
    code->test = test.at;
    ok = ok && rename_net(&code->header, w->p->prefix, error) &&
         rename_net(&code->source, w->p->prefix, error) &&
         rename_net(&code->test, w->p->prefix, error);
    rv_free(s);
    return ok;
}

bool rv_export_c(const rv_c_net *net, rv_store *store, rv_c_code *code, rv_error *error)
{
    rv_c_parts parts;
    writer w = {.p = &parts};
    if (!RV_NEEDS(error, store, code)) return false;
    *code = (rv_c_code){0};
    bool ok = rv_c_parts_make(&parts, net, store, error) && write_all(&w, store, code, error);
    rv_c_function_free(&w.start);
    rv_c_function_free(&w.start_gradient);
    rv_c_function_free(&w.step);
    rv_c_function_free(&w.head);
    rv_c_function_free(&w.step_gradient);
    rv_c_function_free(&w.head_gradient);
    rv_c_function_free(&w.update);
    rv_c_parts_free(&parts);
    return ok;
}

void rv_c_code_free(rv_c_code *code)
{
    if (!code) return;
    rv_free(code->header);
    rv_free(code->source);
    rv_free(code->test);
    *code = (rv_c_code){0};
}
