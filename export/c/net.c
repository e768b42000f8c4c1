/* A net as the texts of three files. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "export/c.h"
#include "export/c/header.h"
#include "export/c/source.h"
#include "export/c/test.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* ---- the prefix ---- */

/* Whether a name of the net starts there: net_.., NET_.., or `net` behind struct. */
static bool is_prefixed(const char *text, const char *at)
{
    if (at > text && rv_c_is_name(at[-1])) return false;
    if (!strncmp(at, "NET_", 4) || !strncmp(at, "net_", 4) || !strncmp(at, "net.h", 5) ||
        !strncmp(at, "net.c", 5))
        return true;
    return !strncmp(at, "net", 3) && !rv_c_is_name(at[3]) && at >= text + 7 &&
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

/* Breaks the comments at the beginning of a line that a prefix, a shape or a formula has made
 * long. */
static bool wrap_comments(char **text, rv_error *error)
{
    enum { MOST = 100 };
    rv_writer out = {0};
    bool continues = false;
    for (const char *at = *text; at && *at;) {
        const int length = (int)strcspn(at, "\n"), room = continues ? MOST - 2 : MOST;
        const bool comment = continues || !strncmp(at, "/* ", 3) || !strncmp(at, " * ", 3);
        int end = comment && length > room ? room : length;
        while (end > 3 && end < length && (at[end] != ' ' || !strncmp(at + end, " */", 3))) end--;
        if (end <= 3) end = length;
        rv_write(&out, "%s%-.*s\n", continues ? " *" : "", end, at);
        continues = end < length;
        at += end + !continues;
    }
    rv_free(*text);
    *text = out.at;
    return !out.failed || rv_fail_memory(error);
}

/* x as a parameter and an argument of functions that may have no use for it, if x is prepared. */
static void set_x_texts(rv_c_template *w, char texts[8][RV_C_PATH])
{
    static const struct {
        rv_c_which of;
        const char *before, *after; /* around a declaration of x, x itself, or x at a time step */
        char what;
    } use[8] = {{RV_C_STEP, "", ", ", 'D'}, {RV_C_STEP_GRADIENT, "", ", ", 'D'},
                {RV_C_STEP, ", ", "", 'D'}, {RV_C_STEP, "", ", ", 'x'},
                {RV_C_STEP, ", ", "", 'x'}, {RV_C_STEP, ", ", "", 'a'},
                {RV_C_STEP, "", ", ", 'a'}, {RV_C_STEP_GRADIENT, "", ", ", 'a'}};
    for (int i = 0; i < 8; i++) {
        bool used = !w->p->prepared || rv_c_uses(&w->f->of[use[i].of].body, "x[");
        const char *what = use[i].what == 'a' ? w->text['a'] : "x";
        snprintf(texts[i], RV_C_PATH, "%s%s%s%s%s", use[i].before,
                 use[i].what == 'D' ? "const " : "", use[i].what == 'D' ? w->text['I'] : "",
                 use[i].what == 'D' ? " *x" : what, use[i].after);
        w->text['1' + i] = used ? texts[i] : "";
    }
}

/* What templates of both kinds of nets insert. */
static void set_common_texts(rv_c_template *w, char name[RV_C_NAME])
{
    const rv_c_parts *p = w->p;
    bool trains = rv_c_trains(w);
    w->text['m'] = rv_c_name(*p->model ? p->model : "net", name);
    w->text['v'] = trains ? ", the parameters to those of the exported net" : "";
    w->text['S'] = !trains    ? "the states"
                   : p->whole ? "the parameters and what the optimizer remembers"
                              : "the parameters, what the optimizer remembers and the states";
    w->text['G'] = trains ? "; not the gradient of samples since the last update" : "";
    w->text['o'] = trains && p->optimizer->formula ? p->optimizer->formula : "";
}

static void set_texts(rv_c_template *w, char texts[8][RV_C_PATH + 64])
{
    const rv_c_parts *p = w->p;
    const rv_net_options *o = p->net->options;
    bool tokens = rv_dtype_of(p->x) == RV_I32, labels = rv_dtype_of(p->y) == RV_I32;
    bool extra = rv_c_has_top(p);
    w->text['s'] = rv_shape_text(p->net->x.shape, texts[0]);
    w->text['u'] = rv_shape_text(p->net->y.shape, texts[1]);
    w->text['X'] = tokens ? "int32_t" : "net_real";
    w->text['Y'] = labels ? "int32_t" : "net_real";
    w->text['I'] = tokens ? "int32_t" : "real";
    w->text['J'] = labels ? "int32_t" : "real";
    w->text['t'] = o->sequence ? "NET_STEPS * " : "";
    w->text['e'] = o->each_step ? "NET_STEPS * " : "";
    w->text['a'] = o->sequence ? "x + t * NET_X" : "x";
    snprintf(texts[2], RV_C_PATH, "net->state.%s", extra ? "" : p->state[p->top_state].name);
    snprintf(texts[5], RV_C_PATH, "net->states[%s].%s", o->each_step ? "t + 1" : "NET_STEPS",
             extra ? "" : p->state[p->top_state].name);
    snprintf(texts[3], RV_C_PATH, "net->d.%s", extra ? "" : p->state[p->top_state].name);
    w->text['h'] = extra ? "net->top" : texts[2];
    w->text['l'] = extra ? "net->top" : texts[5];
    w->text['P'] = p->prepared ? "    prepare(net, x);\n" : "";
    w->text['k'] = p->kept ? ", struct net_kept *restrict kept" : "";
    w->text['C'] = p->kept ? ", const struct net_kept *restrict kept" : "";
    w->text['K'] = p->kept ? ", &net->kept[0]" : "";
    w->text['T'] = p->kept ? ", &net->kept[t]" : "";
    w->text['d'] = extra ? "net->d_top" : texts[3];
}

static void measure(const rv_c_parts *p, const rv_c_functions *f, rv_c_code *code)
{
    code->parameters = p->parameter_count;
    code->memory = rv_c_struct_size(p, f);
    code->saved = rv_c_saved_size(p);
    code->no_step = p->whole;
    if (p->whole) {
        code->step = f->of[RV_C_RUN].operations;
        code->sample = f->of[RV_C_GRADIENTS].operations;
        return;
    }
    double steps = (double)p->steps, heads = p->net->options->each_step ? steps : 1;
    double prepare = f->of[RV_C_PREPARE].operations;
    code->step = prepare + f->of[RV_C_STEP].operations + f->of[RV_C_HEAD].operations;
    if (!p->optimizer) return;
    code->sample = steps * (f->of[RV_C_STEP].operations + f->of[RV_C_STEP_GRADIENT].operations) +
                   heads * f->of[RV_C_HEAD_GRADIENT].operations + prepare +
                   f->of[RV_C_PREPARE_GRADIENT].operations;
}

static bool write_all(const rv_c_parts *p, const rv_c_functions *f, const rv_store *store,
                      rv_c_code *code, rv_error *error)
{
    char texts[8][RV_C_PATH + 64], of_x[8][RV_C_PATH], name[RV_C_NAME];
    rv_writer header = {0}, source = {0}, test = {0};
    rv_c_template w = {.p = p, .f = f, .out = &header};
    set_common_texts(&w, name);
    if (!p->whole) set_texts(&w, texts);
    if (!p->whole) set_x_texts(&w, of_x);
    rv_c_put_header(&w);
    w.out = &source;
    rv_c_put_source(&w);
    measure(p, f, code);
    bool ok = rv_c_write_test(p, store, &test, error);
    if (ok && (header.failed || source.failed)) ok = rv_fail_memory(error);
    code->header = header.at;
    code->source = source.at;
    code->test = test.at;
    return ok && rename_net(&code->header, p->prefix, error) &&
           rename_net(&code->source, p->prefix, error) &&
           rename_net(&code->test, p->prefix, error) && wrap_comments(&code->header, error);
}

/* The memory of the net without training, and so without kept values. */
static bool measure_to_infer(rv_c_parts *p, rv_c_code *code, rv_error *error)
{
    const rv_optimizer *optimizer = p->optimizer;
    const int kept = p->kept;
    rv_c_functions functions = {.p = p};
    p->optimizer = NULL;
    p->kept = 0;
    bool ok = rv_c_functions_write(&functions, error);
    if (ok) code->memory_to_infer = rv_c_struct_size(p, &functions);
    rv_c_functions_free(&functions);
    p->optimizer = optimizer;
    p->kept = kept;
    return ok;
}

/* Writes the parts, if they are made, and frees them. */
static bool write_parts(rv_c_parts *p, bool made, const rv_store *store, rv_c_code *code,
                        rv_error *error)
{
    rv_c_functions functions = {.p = p};
    bool ok = made && rv_c_functions_write(&functions, error) && measure_to_infer(p, code, error) &&
              write_all(p, &functions, store, code, error);
    rv_c_functions_free(&functions);
    rv_c_parts_free(p);
    return ok;
}

/* A net without steps as values of whole sequences. */
static bool export_sequence(const rv_exported_net *net, const char *why,
                            const rv_c_options *options, rv_store *store, rv_c_code *code,
                            rv_error *error)
{
    rv_sequence q = {0};
    rv_c_parts parts = {0};
    bool ok =
        rv_exported_check("C code", net, error) && rv_sequence_record(&q, net, 1, store, error);
    if (ok) {
        const rv_exported_values values = {.name = net->model->name,
                                           .output_name = (const char *const[]){"output"},
                                           .output = &q.output,
                                           .outputs = 1,
                                           .loss = q.loss,
                                           .optimizer = net->optimizer};
        ok = rv_c_parts_of_values(&parts, &values, why, options, error);
        ok = write_parts(&parts, ok, store, code, error);
    }
    rv_tape_free(q.tape);
    return ok;
}

bool rv_export_c(const rv_exported_net *net, const rv_c_options *options, rv_store *store,
                 rv_c_code *code, rv_error *error)
{
    if (!RV_NEEDS(error, store, code)) return false;
    *code = (rv_c_code){0};
    if (!RV_NEEDS(error, net) || !RV_NEEDS(error, net->model, net->options)) return false;
    const char *why = rv_exported_whole(net);
    rv_c_parts parts;
    if (why) return export_sequence(net, why, options, store, code, error);
    bool made = rv_c_parts_make(&parts, net, options, store, error);
    return write_parts(&parts, made, store, code, error);
}

bool rv_export_c_values(const rv_exported_values *values, const rv_c_options *options,
                        rv_c_code *code, rv_error *error)
{
    if (!RV_NEEDS(error, code)) return false;
    *code = (rv_c_code){0};
    rv_c_parts parts;
    bool made = rv_c_parts_of_values(
        &parts, values, "the model is a whole net of equations, not a cell", options, error);
    return write_parts(&parts, made, made ? rv_tape_store(parts.tape) : NULL, code, error);
}

void rv_c_code_free(rv_c_code *code)
{
    if (!code) return;
    rv_free(code->header);
    rv_free(code->source);
    rv_free(code->test);
    *code = (rv_c_code){0};
}
