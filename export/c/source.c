#include "export/c/source.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "export/c/header.h"
#include "export/c/maths.h"

/* Whether one of the functions contains the text. */
static bool used(const void *context, const char *what)
{
    const rv_c_template *w = context;
    bool found = false;
    for (int i = 0; i < RV_C_FUNCTIONS; i++) found = found || rv_c_uses(&w->f->of[i].body, what);
    return found;
}

/* A parameter that the function does not read. */
static void put_unused(const rv_c_template *w, rv_c_which which, const char *name, const char *use)
{
    if (!rv_c_uses(&w->f->of[which].body, use)) rv_write(w->out, "    (void)%s;\n", name);
}

static void put_body(const rv_c_template *w, rv_c_which which)
{
    const rv_c_function *f = &w->f->of[which];
    bool extra = rv_c_uses(&f->body, "top[") && which == RV_C_STEP;
    bool net = (rv_c_trains(w) && rv_c_uses(&f->body, "p->")) || rv_c_uses(&f->body, "w->") ||
               rv_c_uses(&f->body, "net->") || extra;
    if (!net) rv_c_put(w, "    (void)net;\n");
    if (rv_c_uses(&f->body, "p->"))
        rv_c_put(w, rv_c_trains(w)
                        ? "    const struct net_parameters *restrict p = &net->parameters.p;\n"
                        : "    const struct net_parameters *restrict p = &initial;\n");
    if (rv_c_uses(&f->body, "dp->"))
        rv_c_put(w, "    struct net_parameters *restrict dp = &net->gradient.p;\n");
    if (rv_c_uses(&f->body, "w->"))
        rv_write(w->out, "    struct net_%s_work *restrict w = &net->work.%s;\n", f->name, f->name);
    if (f->constants.at) rv_write(w->out, "%-s", f->constants.at);
    if (f->body.at) rv_write(w->out, "\n%-s", f->body.at);
}

/* The functions of a net without time steps. */
static void put_whole(const rv_c_template *w)
{
    rv_c_put(w, "\nvoid net_run(struct net *net");
    rv_c_put_arguments(w, "real", RV_C_RUN);
    rv_c_put(w, ")\n{\n");
    put_body(w, RV_C_RUN);
    rv_c_put(w, "}\n");
    if (!rv_c_trains(w)) return;
    rv_c_put(w, "\nreal net_gradients(struct net *net");
    rv_c_put_arguments(w, "real", RV_C_GRADIENTS);
    rv_c_put(w, ")\n{\n    real loss[1] = {0};\n");
    put_body(w, RV_C_GRADIENTS);
    rv_c_put(w, "    net->samples++;\n    return loss[0];\n}\n");
}

static void put_functions(const rv_c_template *w)
{
    bool extra = w->p->top_state < 0;
    if (w->p->prepared) {
        rv_c_put(w, "\n/* What all time steps need of x. */\n"
                    "static void prepare(struct net *net, const $I *x)\n{\n");
        put_body(w, RV_C_PREPARE);
        rv_c_put(w, "}\n");
    }
    rv_c_put(w, "\n/* The states s before the first step. */\n"
                "static void start(struct net *net, struct net_states *s)\n{\n");
    put_body(w, RV_C_START);
    rv_c_put(w, "}\n\n/* One time step: from the states s and x to the states next. */\n"
                "static void step(struct net *net, const struct net_states *s, $1struct "
                "net_states *restrict next$k)\n{\n");
    if (extra) rv_c_put(w, "    real *top = net->top;\n");
    put_body(w, RV_C_STEP);
    if (*w->text['1']) put_unused(w, RV_C_STEP, "x", "x[");
    rv_c_put(w, "}\n\n/* The output, from the output h of the cell. */\n"
                "static void head(struct net *net, const real *h, real *output)\n{\n");
    put_body(w, RV_C_HEAD);
    rv_c_put(w, "}\n");
    if (!rv_c_trains(w)) return;
    rv_c_put(
        w,
        "\n/* Adds d loss / d h to d_top, and the gradients of the head's parameters. Returns the "
        "loss. */\n"
        "static real head_gradient(struct net *net, const real *h, const $J *y, real *d_top)\n{\n"
        "    real loss[1] = {0};\n");
    put_body(w, RV_C_HEAD_GRADIENT);
    rv_c_put(w,
             "    return loss[0];\n}\n\n"
             "/* Replaces d, d loss / d states after the step from s and x, by d loss / d s. Adds "
             "the gradients of the\n"
             " * cell's parameters. */\n"
             "static void step_gradient(struct net *net, const struct net_states *s, $2"
             "struct net_states *restrict d$C");
    rv_c_put(w, extra ? ",\n                          const real *d_top)\n{\n" : ")\n{\n");
    put_body(w, RV_C_STEP_GRADIENT);
    if (*w->text['2']) put_unused(w, RV_C_STEP_GRADIENT, "x", "x[");
    put_unused(w, RV_C_STEP_GRADIENT, "s", "s->");
    rv_c_put(w, "}\n");
    if (w->f->of[RV_C_PREPARE_GRADIENT].results) {
        rv_c_put(w, "\n/* Adds the gradients of the parameters that prepared values depend on. */\n"
                    "static void prepare_gradient(struct net *net, const $I *x)\n{\n");
        put_body(w, RV_C_PREPARE_GRADIENT);
        put_unused(w, RV_C_PREPARE_GRADIENT, "x", "x[");
        rv_c_put(w, "}\n");
    }
    if (!w->f->of[RV_C_START_GRADIENT].results) return;
    rv_c_put(w, "\n/* Adds the gradients of the parameters that the first states depend on. */\n"
                "static void start_gradient(struct net *net, const struct net_states *d)\n{\n");
    put_body(w, RV_C_START_GRADIENT);
    rv_c_put(w, "}\n");
}

static void put_running(const rv_c_template *w)
{
    rv_c_put(w, "\nvoid net_reset(struct net *net) { start(net, &net->state); }\n\n"
                "static void advance(struct net *net$3)\n{\n"
                "    step(net, &net->state, $4&net->next$K);\n"
                "    net->state = net->next;\n}\n\n"
                "void net_step(struct net *net, const $I *x, real *output)\n{\n"
                "$P"
                "    advance(net$5);\n"
                "    if (output) head(net, $h, output);\n}\n\n"
                "void net_run(struct net *net, const $I *x, real *output)\n{\n"
                "    net_reset(net);\n");
    if (!w->p->net->options->each_step) rv_c_put(w, "$P");
    rv_c_put(w, w->p->net->options->each_step
                    ? "    for (int t = 0; t < NET_STEPS; t++) net_step(net, $a, output + t * "
                      "NET_OUTPUT);\n}\n"
                    : "    for (int t = 0; t < NET_STEPS; t++) advance(net$6);\n"
                      "    head(net, $h, output);\n}\n");
}

static void put_gradients(const rv_c_template *w)
{
    bool extra = w->p->top_state < 0, each = w->p->net->options->each_step;
    rv_c_put(w, "\nreal net_gradients(struct net *net, const $I *x, const $J *y)\n{\n"
                "    real loss = 0;\n"
                "$P"
                "    start(net, &net->states[0]);\n"
                "    for (int t = 0; t < NET_STEPS; t++) step(net, &net->states[t], $7"
                "&net->states[t + 1]$T);\n"
                "    memset(&net->d, 0, sizeof net->d);\n");
    if (extra) rv_c_put(w, "    memset(net->d_top, 0, sizeof net->d_top);\n");
    if (w->p->prepared) rv_c_put(w, "    memset(&net->d_prepared, 0, sizeof net->d_prepared);\n");
    if (!each) rv_c_put(w, "    loss += head_gradient(net, $l, y, $d);\n");
    rv_c_put(w, each || extra ? "    for (int t = NET_STEPS - 1; t >= 0; t--) {\n"
                              : "    for (int t = NET_STEPS - 1; t >= 0; t--)\n");
    if (each && extra) /* top is not a state: compute it again */
        rv_c_put(w, "        step(net, &net->states[t], $7&net->states[t + 1]$T);\n");
    if (each) rv_c_put(w, "        loss += head_gradient(net, $l, y + t * NET_Y, $d);\n");
    rv_c_put(w, extra ? "        step_gradient(net, &net->states[t], $8&net->d$T, net->d_top);\n"
                        "        memset(net->d_top, 0, sizeof net->d_top);\n"
                      : "        step_gradient(net, &net->states[t], $8&net->d$T);\n");
    if (each || extra) rv_c_put(w, "    }\n");
    if (w->f->of[RV_C_START_GRADIENT].results) rv_c_put(w, "    start_gradient(net, &net->d);\n");
    if (w->f->of[RV_C_PREPARE_GRADIENT].results) rv_c_put(w, "    prepare_gradient(net, x);\n");
    rv_c_put(w, "    net->samples++;\n"
                "    return loss;\n}\n");
}

/* net_train's call of net_gradients for sample i. */
static void put_call(const rv_c_template *w)
{
    const rv_c_parts *p = w->p;
    if (!p->whole) rv_c_put(w, ", x + i * ($tNET_X), y + i * ($eNET_Y)");
    for (int i = 0; i < p->inputs; i++) {
        if (!p->input[i].of_loss) continue;
        rv_write(w->out, ", %s + i * NET_", p->input[i].name);
        for (const char *c = p->input[i].name; *c; c++)
            rv_write(w->out, "%c", toupper((unsigned char)*c));
    }
}

static void put_updating(const rv_c_template *w)
{
    rv_c_put(w, "\n"
                "void net_update(struct net *net)\n{\n"
                "    if (!net->samples) return;\n"
                "    real *p = net->parameters.all, *g = net->gradient.all;\n"
                "    const real scale[1] = {1 / (real)net->samples};\n");
    if (rv_c_uses(&w->f->of[RV_C_UPDATE].body, "w->"))
        rv_c_put(w, "    struct net_update_work *restrict w = &net->work.update;\n");
    if (w->f->of[RV_C_UPDATE].body.at) rv_write(w->out, "\n%-s", w->f->of[RV_C_UPDATE].body.at);
    rv_c_put(w, "    memset(g, 0, sizeof net->gradient);\n"
                "    net->samples = 0;\n}\n\n"
                "real net_train(struct net *net");
    rv_c_put_arguments(w, "real", RV_C_GRADIENTS);
    rv_c_put(w, ", int32_t samples)\n{\n"
                "    real loss = 0;\n"
                "    for (int32_t i = 0; i < samples; i++)\n"
                "        loss += net_gradients(net");
    put_call(w);
    rv_c_put(w, ");\n"
                "    net_update(net);\n"
                "    return loss / (real)samples;\n}\n");
}

/* Of what is saved, only the states exist without training. */
static void put_copies(const rv_c_template *w, const char *of_training, const char *of_states)
{
    if (rv_c_trains(w)) rv_c_put(w, of_training);
    if (w->p->states) rv_c_put(w, of_states);
}

static void put_saving(const rv_c_template *w)
{
    rv_c_put(w, "\n/* How a saved net begins: the version of the format, the size, and a hash of "
                "the names and "
                "sizes of its arrays. */\n"
                "static const uint8_t beginning[16] = {\n"
                "    'R', 'V', 'N', 1, NET_SAVE_BYTES & 255, NET_SAVE_BYTES >> 8 & 255, "
                "NET_SAVE_BYTES >> 16 & 255, "
                "NET_SAVE_BYTES >> 24,\n    ");
    for (int i = 0; i < 8; i++)
        rv_write(w->out, i < 7 ? "0x%02x, " : "0x%02x};\n",
                 (unsigned)(w->p->identity >> 8 * i & 255));
    rv_c_put(w,
             "\n/* CRC-32. That of bytes which end in their own checksum is RIGHT. */\n"
             "enum { RIGHT = 0x2144df1c };\n\n"
             "static uint32_t checksum(const uint8_t *bytes, uint32_t count)\n{\n"
             "    uint32_t c = 0xffffffff;\n"
             "    for (uint32_t i = 0; i < count; i++) {\n"
             "        c ^= bytes[i];\n"
             "        for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);\n"
             "    }\n"
             "    return ~c;\n}\n\n"
             "/* Copies numbers to or from a saved net, in which their least significant byte is "
             "the first. Returns count. */\n"
             "static uint32_t copy(void *to, const void *from, uint32_t count)\n{\n"
             "    const uint16_t one = 1;\n"
             "    const uint32_t turn = *(const uint8_t *)&one ? 0 : (uint32_t)sizeof(real) - 1;\n"
             "    for (uint32_t i = 0; i < count; i++) ((uint8_t *)to)[i] = ((const uint8_t "
             "*)from)[i ^ turn];\n"
             "    return count;\n}\n\n"
             "void net_save(const struct net *net, uint8_t *bytes)\n{\n"
             "    uint8_t *at = bytes + sizeof beginning;\n"
             "    memcpy(bytes, beginning, sizeof beginning);\n");
    put_copies(w,
               "    at += copy(at, &net->parameters, sizeof net->parameters);\n"
               "    at += copy(at, &net->optimizer, sizeof net->optimizer);\n",
               "    at += copy(at, &net->state, sizeof net->state);\n");
    rv_c_put(
        w,
        "    const uint32_t sum = checksum(bytes, NET_SAVE_BYTES - 4);\n"
        "    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(sum >> 8 * i);\n}\n\n"
        "int net_load(struct net *net, const uint8_t *bytes, uint32_t count)\n{\n"
        "    if (count != NET_SAVE_BYTES || memcmp(bytes, beginning, sizeof beginning)) return 0;\n"
        "    if (checksum(bytes, count) != RIGHT) return 0;\n"
        "    bytes += sizeof beginning;\n");
    put_copies(w,
               "    bytes += copy(&net->parameters, bytes, sizeof net->parameters);\n"
               "    bytes += copy(&net->optimizer, bytes, sizeof net->optimizer);\n"
               "    memset(&net->gradient, 0, sizeof net->gradient);\n"
               "    net->samples = 0;\n",
               "    copy(&net->state, bytes, sizeof net->state);\n");
    rv_c_put(w, "    return 1;\n}\n");
}

static void put_values(const rv_c_template *w)
{
    if (!w->p->parameters) return;
    rv_c_put(w, "\n/* The parameters of the exported net. */\nstatic const struct net_parameters "
                "initial = {");
    for (int i = 0; i < w->p->parameters; i++) {
        const rv_tensor *t = &w->p->parameter[i].entry->tensor;
        rv_c_put(w, i ? ",\n    {" : "\n    {");
        for (int64_t k = 0; k < rv_tensor_count(t); k++) {
            rv_c_put(w, !k ? "" : k % 6 ? ", " : ",\n     ");
            rv_c_write_number(w->out, rv_tensor_get(t, k));
        }
        rv_c_put(w, "}");
    }
    rv_c_put(w, "};\n");
}

static void put_init(const rv_c_template *w)
{
    rv_c_put(w, "\nvoid net_init(struct net *net)\n{\n    memset(net, 0, sizeof *net);\n");
    if (rv_c_trains(w)) rv_c_put(w, "    net->parameters.p = initial;\n");
    for (int m = 0; m < w->p->memories; m++) {
        const rv_c_memory *memory = &w->p->memory[m];
        const rv_tensor *t = &memory->entry->tensor;
        if (memory->all || rv_tensor_get(t, 0) == 0) continue;
        rv_write(w->out, "    for (int i = 0; i < %lld; i++) net->optimizer.%s[i] = (real)",
                 (long long)rv_tensor_count(t), memory->name);
        rv_c_write_number(w->out, rv_tensor_get(t, 0));
        rv_c_put(w, ";\n");
    }
    rv_c_put(w, w->p->whole ? "}\n" : "    net_reset(net);\n}\n");
}

void rv_c_put_source(const rv_c_template *w)
{
    rv_c_put(w,
             "/* Generated by recurve. Each equation stands above its loops: a.b is the product of "
             "elements, a @ b that of\n"
             " * matrices, and x' the next value of x. */\n"
             "#include \"net.h\"\n\n#include <math.h>\n#include <string.h>\n\n"
             "typedef net_real real;\n\n");
    rv_c_write_maths(w->out, used, w);
    put_values(w);
    if (w->p->whole) {
        put_whole(w);
    } else {
        put_functions(w);
        put_running(w);
        if (rv_c_trains(w)) put_gradients(w);
    }
    if (rv_c_trains(w)) put_updating(w);
    put_init(w);
    if (rv_c_saved_size(w->p)) put_saving(w);
}
