#include "export/c/functions.h"

#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"

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

static bool write_start(rv_c_functions *w, names *s, rv_error *error)
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

static bool write_start_gradient(rv_c_functions *w, names *s, rv_error *error)
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

static bool write_step(rv_c_functions *w, names *s, rv_error *error)
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

static bool write_head(rv_c_functions *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    give(&w->head, s, p->top, "h", "h");
    give_parameters(&w->head, s, p);
    ask(&w->head, s, (rv_c_result){.value = p->output, .array = "output", .name = "output"});
    return rv_c_function_write(&w->head, error);
}

static bool write_head_gradient(rv_c_functions *w, names *s, rv_error *error)
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

static bool write_step_gradient(rv_c_functions *w, names *s, rv_error *error)
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

static const char *memory_array(names *s, const rv_c_memory *m)
{
    return m->all ? "p" : join(s, "net->optimizer.", m->name);
}

static bool write_update(rv_c_functions *w, names *s, rv_error *error)
{
    const rv_c_parts *p = w->p;
    rv_c_function *f = &w->update;
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
    return rv_c_function_write(f, error);
}

/* ---- all ---- */

void rv_c_functions_all(const rv_c_functions *f, const rv_c_function *all[RV_C_FUNCTIONS])
{
    const rv_c_function *const each[RV_C_FUNCTIONS] = {
        &f->start,         &f->step,           &f->head,  &f->step_gradient,
        &f->head_gradient, &f->start_gradient, &f->update};
    memcpy(all, each, sizeof each);
}

bool rv_c_functions_write(rv_c_functions *f, rv_error *error)
{
    rv_c_function *all[] = {&f->start,         &f->step,           &f->head,  &f->step_gradient,
                            &f->head_gradient, &f->start_gradient, &f->update};
    bool (*const write[])(rv_c_functions *, names *, rv_error *) = {
        write_start,         write_step,           write_head,  write_step_gradient,
        write_head_gradient, write_start_gradient, write_update};
    names *s = rv_alloc(RV_C_FUNCTIONS, sizeof *s);
    bool ok = s || rv_fail_memory(error);
    for (int i = 0; ok && i < (f->p->net->optimizer ? RV_C_FUNCTIONS : 3); i++) {
        all[i]->work = "w->";
        all[i]->real = "net_real";
        ok = write[i](f, &s[i], error);
    }
    rv_free(s);
    return ok;
}

void rv_c_functions_free(rv_c_functions *f)
{
    rv_c_function_free(&f->start);
    rv_c_function_free(&f->step);
    rv_c_function_free(&f->head);
    rv_c_function_free(&f->step_gradient);
    rv_c_function_free(&f->head_gradient);
    rv_c_function_free(&f->start_gradient);
    rv_c_function_free(&f->update);
}
