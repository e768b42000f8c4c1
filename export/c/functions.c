#include "export/c/functions.h"

#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"

/* ---- the functions' values and their names ---- */

enum {
    MOST =
        2 * RV_C_MOST_STATES + RV_C_MOST_PARAMETERS + RV_C_MOST_PREPARED + RV_C_MOST_ARGUMENTS + 8
};

typedef struct names {
    rv_c_given given[MOST];
    rv_c_result result[MOST];
    char text[3 * MOST][RV_C_PATH];
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

static void give_prepared(rv_c_function *f, names *s, const rv_c_parts *p)
{
    for (int i = 0; i < p->prepared; i++)
        give(f, s, p->prepare[i].value, join(s, "net->prepared.", p->prepare[i].name),
             p->prepare[i].name);
}

/* Adds d loss / d parameter, or a part of it. */
static void ask_gradient(rv_c_function *f, names *s, const rv_c_parameter *of, rv_var gradient)
{
    ask(f, s,
        (rv_c_result){.value = gradient,
                      .array = join(s, "dp->", of->name),
                      .name = join(s, "d", of->name),
                      .add = true});
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

static void bind_start(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give_parameters(f, s, p);
    for (int i = 0; i < p->states; i++)
        ask(f, s,
            (rv_c_result){.value = p->state[i].first,
                          .array = join(s, "s->", p->state[i].name),
                          .name = p->state[i].name});
}

static void bind_start_gradient(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give_parameters(f, s, p);
    for (int i = 0; i < p->states; i++)
        give(f, s, p->state[i].cotangent, join(s, "d->", p->state[i].name), p->state[i].name);
    for (int i = 0; i < p->parameters; i++)
        ask_gradient(f, s, &p->parameter[i], p->parameter[i].in_start);
}

static void bind_prepare(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give(f, s, p->x, input_array(p), "x");
    give_parameters(f, s, p);
    for (int i = 0; i < p->prepared; i++)
        ask(f, s,
            (rv_c_result){.value = p->prepare[i].value,
                          .array = join(s, "net->prepared.", p->prepare[i].name),
                          .name = p->prepare[i].name});
}

static void bind_prepare_gradient(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give(f, s, p->x, input_array(p), "x");
    give_parameters(f, s, p);
    for (int i = 0; i < p->prepared; i++)
        give(f, s, p->prepare[i].cotangent, join(s, "net->d_prepared.", p->prepare[i].name),
             join(s, "d", p->prepare[i].name));
    for (int i = 0; i < p->parameters; i++)
        ask_gradient(f, s, &p->parameter[i], p->parameter[i].in_prepared);
}

static void bind_step(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give(f, s, p->x, input_array(p), "x");
    give_prepared(f, s, p);
    give_states(f, s, p);
    give_parameters(f, s, p);
    for (int i = 0; i < p->states; i++)
        ask(f, s,
            (rv_c_result){.value = p->state[i].after,
                          .array = join(s, "next->", p->state[i].name),
                          .name = join(s, p->state[i].name, "'")});
    if (p->top_state < 0) ask(f, s, (rv_c_result){.value = p->top, .array = "top", .name = "top"});
    for (int i = 0; i < p->kept; i++)
        ask(f, s,
            (rv_c_result){.value = p->keep[i].value,
                          .array = join(s, "kept->", p->keep[i].name),
                          .name = p->keep[i].name});
}

static void bind_head(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give(f, s, p->top, "h", "h");
    give_parameters(f, s, p);
    ask(f, s, (rv_c_result){.value = p->output, .array = "output", .name = "output"});
}

static void bind_head_gradient(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give(f, s, p->top, "h", "h");
    give(f, s, p->y, target_array(p), "y");
    give_parameters(f, s, p);
    ask(f, s, (rv_c_result){.value = p->loss, .array = "loss", .name = "loss", .add = true});
    ask(f, s, (rv_c_result){.value = p->at_top, .array = "d_top", .name = "dh", .add = true});
    for (int i = 0; i < p->parameters; i++)
        ask_gradient(f, s, &p->parameter[i], p->parameter[i].in_head);
}

static void bind_step_gradient(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give(f, s, p->x, input_array(p), "x");
    give_states(f, s, p);
    give(f, s, p->top_cotangent, "d_top", "dtop");
    give_prepared(f, s, p);
    for (int i = 0; i < p->kept; i++)
        give(f, s, p->keep[i].value, join(s, "kept->", p->keep[i].name), p->keep[i].name);
    for (int i = 0; i < p->prepared; i++)
        ask(f, s,
            (rv_c_result){.value = p->prepare[i].in_step,
                          .array = join(s, "net->d_prepared.", p->prepare[i].name),
                          .name = join(s, "d", p->prepare[i].name),
                          .add = true});
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
        ask_gradient(f, s, &p->parameter[i], p->parameter[i].in_step);
}

static void give_inputs(rv_c_function *f, names *s, const rv_c_parts *p, bool run)
{
    for (int i = 0; i < p->inputs; i++) {
        const rv_c_argument *a = &p->input[i];
        bool integer = rv_dtype_of(a->value) == RV_I32;
        if (run ? a->of_run : a->of_loss)
            give(f, s, a->value, join(s, integer ? "(real)" : "", a->name), a->name);
    }
}

static void bind_run(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give_inputs(f, s, p, true);
    give_parameters(f, s, p);
    for (int i = 0; i < p->outputs; i++)
        ask(f, s,
            (rv_c_result){.value = p->output_value[i].value,
                          .array = p->output_value[i].name,
                          .name = p->output_value[i].name});
}

static void bind_gradients(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give_inputs(f, s, p, false);
    give_parameters(f, s, p);
    ask(f, s, (rv_c_result){.value = p->loss, .array = "loss", .name = "loss", .add = true});
    for (int i = 0; i < p->parameters; i++)
        ask_gradient(f, s, &p->parameter[i], p->parameter[i].in_loss);
}

static const char *memory_array(names *s, const rv_c_memory *m)
{
    return m->all ? "p" : join(s, "net->optimizer.", m->name);
}

static void bind_update(const rv_c_parts *p, rv_c_function *f, names *s)
{
    give(f, s, p->all_gradient, "g", "g");
    give(f, s, p->scale, "scale", "scale");
    for (int m = 0; m < p->memories; m++) {
        const rv_c_memory *memory = &p->memory[m];
        const char *array = memory_array(s, memory);
        give(f, s, memory->before, array, memory->name);
        if (memory->after.id == memory->before.id) continue;
        ask(f, s,
            (rv_c_result){.value = memory->after,
                          .array = array,
                          .name = join(s, memory->name, "'"),
                          .last = true});
    }
}

/* ---- all ---- */

bool rv_c_functions_write(rv_c_functions *f, rv_error *error)
{
    enum { STEPS = 1, WHOLE = 2, BOTH = STEPS | WHOLE };
    static const struct {
        const char *name;
        void (*bind)(const rv_c_parts *, rv_c_function *, names *);
        int of;
    } functions[RV_C_FUNCTIONS] = {
        [RV_C_START] = {"start", bind_start, STEPS},
        [RV_C_STEP] = {"step", bind_step, STEPS},
        [RV_C_HEAD] = {"head", bind_head, STEPS},
        [RV_C_PREPARE] = {"prepare", bind_prepare, STEPS},
        [RV_C_RUN] = {"run", bind_run, WHOLE},
        [RV_C_STEP_GRADIENT] = {"step_gradient", bind_step_gradient, STEPS},
        [RV_C_HEAD_GRADIENT] = {"head_gradient", bind_head_gradient, STEPS},
        [RV_C_START_GRADIENT] = {"start_gradient", bind_start_gradient, STEPS},
        [RV_C_PREPARE_GRADIENT] = {"prepare_gradient", bind_prepare_gradient, STEPS},
        [RV_C_GRADIENTS] = {"gradients", bind_gradients, WHOLE},
        [RV_C_UPDATE] = {"update", bind_update, BOTH},
    };
    names *s = rv_alloc(RV_C_FUNCTIONS, sizeof *s);
    bool ok = s || rv_fail_memory(error);
    for (int i = 0; ok && i < (f->p->optimizer ? RV_C_FUNCTIONS : RV_C_STEP_GRADIENT); i++) {
        rv_c_function *function = &f->of[i];
        function->name = functions[i].name;
        function->work = "w->";
        function->real = "net_real";
        if (!(functions[i].of & (f->p->whole ? WHOLE : STEPS))) continue;
        functions[i].bind(f->p, function, &s[i]);
        ok = !function->results || rv_c_function_write(function, error);
    }
    rv_free(s);
    return ok;
}

void rv_c_functions_free(rv_c_functions *f)
{
    for (int i = 0; i < RV_C_FUNCTIONS; i++) rv_c_function_free(&f->of[i]);
}
