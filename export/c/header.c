#include "export/c/header.h"

#include <ctype.h>
#include <stdio.h>

static void put_struct(const rv_c_template *w, const char *name, bool parameters)
{
    const rv_c_parts *p = w->p;
    if (!(parameters ? p->parameters : p->states)) return;
    rv_c_put(w, parameters ? "\n/* The parameters, row-major. */\n"
                           : "\n/* What a time step hands to the next. */\n");
    rv_write(w->out, "struct net_%s {\n", name);
    for (int i = 0; i < (parameters ? p->parameters : p->states); i++)
        rv_write(w->out, "    net_real %s[%lld];\n",
                 parameters ? p->parameter[i].name : p->state[i].name,
                 (long long)(parameters ? p->parameter[i].count : p->state[i].count));
    rv_c_put(w, "};\n");
}

static void put_prepared_struct(const rv_c_template *w)
{
    const rv_c_parts *p = w->p;
    if (!p->prepared) return;
    rv_c_put(w, "\n/* What all time steps need of x. */\nstruct net_prepared {\n");
    for (int i = 0; i < p->prepared; i++)
        rv_write(w->out, "    net_real %s[%lld];\n", p->prepare[i].name,
                 (long long)p->prepare[i].count);
    rv_c_put(w, "};\n");
}

static void put_kept_struct(const rv_c_template *w)
{
    const rv_c_parts *p = w->p;
    if (!p->kept) return;
    rv_c_put(w, "\n/* What the gradient of a time step needs of it. */\nstruct net_kept {\n");
    for (int i = 0; i < p->kept; i++)
        rv_write(w->out, "    net_real %s[%lld];\n", p->keep[i].name, (long long)p->keep[i].count);
    rv_c_put(w, "};\n");
}

static void put_work_struct(const rv_c_template *w, const rv_c_function *f)
{
    if (f->fields.at) rv_write(w->out, "struct net_%s_work {\n%-s};\n", f->name, f->fields.at);
}

static void put_work_field(const rv_c_template *w, const rv_c_function *f)
{
    if (f->fields.at) rv_write(w->out, "        struct net_%s_work %s;\n", f->name, f->name);
}

/* What the optimizer remembers: its learning rate at least. */
static void put_optimizer(const rv_c_template *w)
{
    rv_c_put(w, "    struct {\n");
    for (int m = 0; m < w->p->memories; m++) {
        const rv_c_memory *memory = &w->p->memory[m];
        if (!memory->all)
            rv_write(w->out, "        net_real %s[%lld];\n", memory->name,
                     (long long)rv_tensor_count(&memory->entry->tensor));
    }
    rv_c_put(w, "    } optimizer;\n");
}

static void put_net_struct(const rv_c_template *w)
{
    const rv_c_parts *p = w->p;
    rv_c_put(w, "struct net {\n");
    if (rv_c_trains(w))
        rv_c_put(w, "    union {\n"
                    "        struct net_parameters p;\n"
                    "        net_real all[NET_PARAMETERS];\n"
                    "    } parameters;\n");
    if (p->states) rv_c_put(w, "    struct net_states state, next;\n");
    if (p->prepared) rv_c_put(w, "    struct net_prepared prepared;\n");
    if (rv_c_has_top(p))
        rv_write(w->out, "    net_real top[%lld]; /* what the head reads */\n",
                 (long long)rv_c_count(p->top));
    if (rv_c_trains(w)) {
        rv_c_put(
            w,
            "\n    /* training: the gradient is summed over the samples since the last update */\n"
            "    union {\n"
            "        struct net_parameters p;\n"
            "        net_real all[NET_PARAMETERS];\n"
            "    } gradient;\n"
            "    int32_t samples;\n");
        if (p->states)
            rv_c_put(
                w,
                "    struct net_states states[NET_STEPS + 1]; /* of a sample, before each step and "
                "after the last */\n"
                "    struct net_states d; /* d loss / d states */\n");
        if (p->kept) rv_c_put(w, "    struct net_kept kept[NET_STEPS];\n");
        if (rv_c_has_top(p))
            rv_write(w->out, "    net_real d_top[%lld];\n", (long long)rv_c_count(p->top));
        if (p->prepared) rv_c_put(w, "    struct net_prepared d_prepared;\n");
        put_optimizer(w);
    }
    rv_c_put(w, "\n    union { /* intermediate values, of one function at a time */\n");
    for (int i = 0; i < RV_C_FUNCTIONS; i++) put_work_field(w, &w->f->of[i]);
    rv_c_put(w, "        net_real none;\n    } work;\n};\n");
}

static int64_t states_size(const rv_c_parts *p)
{
    int64_t count = 0;
    for (int i = 0; i < p->states; i++) count += p->state[i].count;
    return count;
}

static int64_t optimizer_size(const rv_c_parts *p)
{
    int64_t count = 0;
    for (int m = 0; m < p->memories; m++)
        if (!p->memory[m].all) count += rv_tensor_count(&p->memory[m].entry->tensor);
    return count;
}

static void put_size(const rv_c_template *w, const char *name, int64_t size, const char *what,
                     const char *more)
{
    char constant[RV_C_NAME + 32];
    snprintf(constant, sizeof constant, "%s = %lld,", name, (long long)size);
    rv_write(w->out, "    %-22s /* %s%s */\n", constant, what, more);
}

int64_t rv_c_saved_size(const rv_c_parts *p)
{
    int64_t count = states_size(p);
    if (p->optimizer) count += p->parameter_count + optimizer_size(p);
    return count;
}

static void put_arguments(const rv_c_template *w, const rv_c_argument *list, int count)
{
    char name[RV_C_NAME + 8], what[RV_C_NAME + 16], shape[RV_SHAPE_TEXT];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "NET_%s", list[i].name);
        snprintf(what, sizeof what, "numbers of %s ", list[i].name);
        for (char *c = name; *c; c++) *c = (char)toupper((unsigned char)*c);
        rv_shape_text(rv_shape_of(list[i].value), shape);
        put_size(w, name, list[i].count, what, shape);
    }
}

static void put_sizes(const rv_c_template *w)
{
    const rv_c_parts *p = w->p;
    rv_c_put(w, "enum {\n");
    if (p->whole) {
        put_arguments(w, p->input, p->inputs);
        put_arguments(w, p->output_value, p->outputs);
    } else {
        const char *x = p->net->options->sequence ? " at a time step" : "",
                   *y = p->net->options->each_step ? " at a time step" : "";
        put_size(w, "NET_STEPS", p->steps, "time steps of a sample", "");
        put_size(w, "NET_X", p->x_count, "numbers of x", x);
        put_size(w, "NET_Y", p->y_count, "numbers of y", y);
        put_size(w, "NET_OUTPUT", p->output_count, "numbers of an output", y);
    }
    put_size(w, "NET_PARAMETERS", p->parameter_count, "numbers in all parameters", "");
    if (rv_c_saved_size(p))
        rv_write(w->out, "    NET_SAVE_BYTES = 20 + %lld * (int)sizeof(net_real)\n",
                 (long long)rv_c_saved_size(p));
    rv_c_put(w, "};\n");
}

/* The functions that run the net. */
static void put_running(const rv_c_template *w)
{
    if (w->p->whole) {
        rv_c_put(w, "\n/* Computes the outputs. */\nvoid net_run(struct net *net");
        rv_c_put_arguments(w, "net_real", RV_C_RUN);
        rv_c_put(w, ");\n");
        return;
    }
    rv_c_put(w,
             "\n/* Starts a new sequence. */\n"
             "void net_reset(struct net *net);\n\n"
             "/* One time step: reads x [NET_X]. Writes output [NET_OUTPUT] unless it is NULL. */\n"
             "void net_step(struct net *net, const $X *x, net_real *output);\n\n"
             "/* A sample from a new start: reads x [$tNET_X], writes output [$eNET_OUTPUT]. */\n"
             "void net_run(struct net *net, const $X *x, net_real *output);\n");
}

static void put_training(const rv_c_template *w)
{
    rv_c_put(w,
             w->p->whole
                 ? "\n/* Adds the gradient of the loss to net->gradient. Returns the loss. */\n"
                 : "\n/* Adds the gradient of the loss of a sample to net->gradient: x as above, y "
                   "[$eNET_Y]. Returns the "
                   "loss. The state of net_step stays. */\n");
    rv_c_put(w, "net_real net_gradients(struct net *net");
    rv_c_put_arguments(w, "net_real", RV_C_GRADIENTS);
    rv_c_put(w, ");\n\n"
                "/* Updates the parameters with the mean gradient of the samples since the last "
                "update: $o. */\n"
                "void net_update(struct net *net);\n\n"
                "/* Both, for a batch: ");
    rv_c_put(w, w->p->whole ? "each argument holds those of `samples` calls, one after the other. "
                            : "x and y of `samples` samples, one after the other. ");
    rv_c_put(w, "Returns the mean loss. */\nnet_real net_train(struct net *net");
    rv_c_put_arguments(w, "net_real", RV_C_GRADIENTS);
    rv_c_put(w, ", int32_t samples);\n");
}

void rv_c_put_header(const rv_c_template *w)
{
    rv_c_put(w, w->p->whole ? "/* $m. " : "/* $m: x $s, y $u. ");
    rv_c_put(
        w, "Generated by recurve, to be compiled as C99. Nothing allocates, and all state is in a "
           "struct of the caller, so there may be several nets.");
    if (w->p->whole) {
        rv_c_put(w, "\n * There is no net_step: ");
        rv_write(w->out, "%s.", w->p->whole);
    }
    rv_c_put(w, " */\n"
                "#ifndef NET_HEADER\n#define NET_HEADER\n\n#include <stdint.h>\n\n"
                "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
                "/* The type of all numbers. */\n"
                "#ifndef NET_REAL\n#define NET_REAL float\n#endif\ntypedef NET_REAL net_real;\n\n");
    put_sizes(w);
    put_struct(w, "parameters", true);
    put_struct(w, "states", false);
    put_prepared_struct(w);
    put_kept_struct(w);
    rv_c_put(w, "\n/* Intermediate values. */\n");
    for (int i = 0; i < RV_C_FUNCTIONS; i++) put_work_struct(w, &w->f->of[i]);
    rv_c_put(w, "\n");
    put_net_struct(w);
    rv_c_put(w, "\n/* Sets everything to its start$v. Call it first. */\n"
                "void net_init(struct net *net);\n");
    put_running(w);
    if (rv_c_trains(w)) put_training(w);
    if (rv_c_saved_size(w->p))
        rv_c_put(w, "\n/* Writes $S to bytes [NET_SAVE_BYTES], in the same format on all "
                    "machines$G. */\n"
                    "void net_save(const struct net *net, uint8_t *bytes);\n\n"
                    "/* Reads count bytes back. Returns 1, or 0 if they are not what net_save "
                    "wrote for this net, which "
                    "then does "
                    "not change. */\n"
                    "int net_load(struct net *net, const uint8_t *bytes, uint32_t count);\n");
    rv_c_put(w, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

/* As put_net_struct writes it. */
int64_t rv_c_struct_size(const rv_c_parts *p, const rv_c_functions *f)
{
    int64_t work = 1, state = states_size(p), top = rv_c_has_top(p) ? rv_c_count(p->top) : 0;
    for (int i = 0; i < RV_C_FUNCTIONS; i++)
        if ((int64_t)f->of[i].work_count > work) work = (int64_t)f->of[i].work_count;
    int64_t prepared = 0, kept = 0;
    for (int i = 0; i < p->kept; i++) kept += p->keep[i].count;
    for (int i = 0; i < p->prepared; i++) prepared += p->prepare[i].count;
    int64_t memory = 2 * state + top + prepared + work;
    if (!p->optimizer) return memory;
    return memory + p->steps * kept + prepared + 2 * p->parameter_count + (p->steps + 2) * state +
           top + 1 + optimizer_size(p);
}
