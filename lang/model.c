/* Models of a text: their inputs, sizes and equations on a tape. */
#include <stdio.h>
#include <string.h>

#include "lang/file.h"
#include "lang/options.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- sizes and inputs ---- */

static const lang_binding *binding_of(const lang_binding *given, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(given[i].name, name)) return &given[i];
    return NULL;
}

/* A size that is a name becomes what is given. */
static bool bind_sizes(lang_run *run, const lang_node *d, const lang_binding *b)
{
    char text[RV_SHAPE_TEXT];
    rv_shape given = rv_is_null(b->var) ? b->shape : rv_shape_of(b->var);
    int64_t axis = 0;
    for (const lang_node *e = d->a->a; e && axis < given.rank; e = e->next, axis++) {
        if (e->kind != LANG_NAME || e->symbol < 0) continue;
        lang_value *size = &run->value[e->symbol];
        double seen = (double)given.dim[axis];
        if (size->kind == VALUE_NUMBER && size->number != seen) {
            rv_lang_wrong(run, e->place, RV_ERROR_SHAPE, "%s is %.0f, but \"%s\" is given as %s",
                          e->name, size->number, d->name, rv_shape_text(given, text));
            return false;
        }
        *size = (lang_value){.kind = VALUE_NUMBER, .number = seen};
    }
    return true;
}

static bool set_sizes(lang_run *run, const lang_binding *given, int count)
{
    const lang_node *model = run->block->node;
    bool ok = true;
    for (const lang_node *s = model->c; s; s = s->next)
        for (const lang_node *d = s->kind == LANG_DECLARE ? s->a : NULL; d; d = d->next) {
            const lang_binding *b = binding_of(given, count, d->name);
            bool input = d->symbol >= 0 && run->block->symbol[d->symbol].kind == SYMBOL_INPUT;
            if (b && input && d->a) ok = bind_sizes(run, d, b) && ok;
        }
    for (const lang_node *o = model->a; o; o = o->next) {
        int64_t size;
        if (o->symbol < 0 || run->value[o->symbol].kind == VALUE_NUMBER) continue;
        if (!rv_lang_evaluate_whole(run, o->a, 1, INT32_MAX, &size)) return false;
        run->value[o->symbol] = (lang_value){.kind = VALUE_NUMBER, .number = (double)size};
    }
    return ok;
}

static bool is_whole(const lang_node *d)
{
    return d->number != 0 && d->b->kind == LANG_CALL && !strcmp(d->b->name, "integer");
}

/* A given var in the shape and dtype of the declaration: labels [n] serve as y[n,1]. */
static rv_var fit_input(lang_run *run, const lang_node *d, rv_var x, rv_shape shape)
{
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    if (rv_shape_count(rv_shape_of(x)) != rv_shape_count(shape)) {
        rv_lang_wrong(run, d->place, RV_ERROR_SHAPE, "\"%s\" is %s, but is given as %s%s", d->name,
                      rv_shape_text(shape, expected), rv_shape_text(rv_shape_of(x), seen),
                      d->a->a && d->a->a->kind == LANG_NUMBER
                          ? "; make the batch a size: model name(n=2), input x[n,..]"
                          : "");
        return (rv_var){run->tape, -1};
    }
    rv_dtype dtype = is_whole(d) ? RV_I32 : rv_tape_dtype(run->tape);
    if (rv_dtype_of(x) != dtype) x = rv_cast(x, dtype);
    return rv_reshape(x, shape);
}

static bool make_input(lang_run *run, const lang_node *d, const lang_binding *b)
{
    rv_shape shape;
    rv_init init;
    if (!rv_lang_evaluate_sizes(run, d->a->a, false, &shape)) return false;
    if (!rv_lang_evaluate_init(run, d, &init)) return false;
    rv_error error = {0};
    size_t bytes;
    char expected[RV_SHAPE_TEXT], seen[RV_SHAPE_TEXT];
    if (b && rv_is_null(b->var) && !rv_shape_equal(b->shape, shape)) {
        rv_lang_wrong(run, d->place, RV_ERROR_SHAPE, "\"%s\" is %s, but is given as %s", d->name,
                      rv_shape_text(shape, expected), rv_shape_text(b->shape, seen));
        return false;
    }
    if (!rv_shape_check(shape, 1, &bytes, &error) ||
        bytes > (size_t)(LANG_MOST_ELEMENTS - run->work->elements)) {
        rv_lang_wrong(run, d->place, RV_ERROR_SHAPE, "%s",
                      error.code ? error.text : "this input is too large; make it smaller");
        return false;
    }
    run->work->elements += (int64_t)bytes;
    rv_var x = b && !rv_is_null(b->var) ? fit_input(run, d, b->var, shape)
               : is_whole(d)            ? rv_input_typed(run->tape, d->name, RV_I32, shape)
                                        : rv_input(run->tape, d->name, shape);
    run->value[d->symbol] = rv_lang_recorded(run, d->place, x);
    return run->value[d->symbol].kind == VALUE_VAR;
}

const lang_node *rv_lang_declared_input(const lang_block *model, const char *name)
{
    for (const lang_node *s = model->node->c; s; s = s->next)
        for (const lang_node *d = s->kind == LANG_DECLARE ? s->a : NULL; d; d = d->next)
            if (d->symbol >= 0 && model->symbol[d->symbol].kind == SYMBOL_INPUT &&
                (!name || !strcmp(d->name, name)))
                return d;
    return NULL;
}

bool rv_lang_record_model(lang_run *run, const lang_binding *given, int count)
{
    const lang_block *model = run->block;
    if (!set_sizes(run, given, count)) return false;
    for (int i = 0; i < count; i++)
        if (!rv_is_null(given[i].var) && !rv_lang_declared_input(model, given[i].name)) {
            rv_lang_wrong(run, model->node->place, RV_ERROR_NAME,
                          "the model \"%s\" has no input \"%s\"", model->name, given[i].name);
            return false;
        }
    bool ok = true;
    for (const lang_node *s = model->node->c; s; s = s->next)
        for (const lang_node *d = s->kind == LANG_DECLARE ? s->a : NULL; d; d = d->next)
            if (d->symbol >= 0 && model->symbol[d->symbol].kind == SYMBOL_INPUT)
                ok = make_input(run, d, binding_of(given, count, d->name)) && ok;
    rv_lang_statements(run, model->node->c);
    return ok && !model->wrong && !rv_tape_error(run->tape)->code;
}

/* ---- values for inputs ---- */

void rv_lang_free_tensors(rv_named_tensor *tensors, int count)
{
    for (int i = 0; tensors && i < count; i++) rv_tensor_free(&tensors[i].tensor);
    rv_free(tensors);
}

bool rv_lang_give(rv_tensor *to, const rv_named_tensor *given, rv_error *error)
{
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    if (rv_shape_equal(to->shape, given->tensor.shape))
        return rv_tensor_copy(to, &given->tensor, error);
    return rv_fail(error, RV_ERROR_SHAPE, "\"%s\" is given as %s, expected %s", given->name,
                   rv_shape_text(given->tensor.shape, seen), rv_shape_text(to->shape, expected));
}

static bool draw_input(const lang_run *run, const lang_node *d, const rv_named_tensor *given,
                       uint64_t seed, rv_named_tensor *into, rv_error *error)
{
    lang_run own = *run;
    rv_init init = rv_init_uniform(-1, 1);
    rv_var x = run->value[d->symbol].var;
    into->name = d->name;
    if (!rv_tensor_new(&into->tensor, rv_dtype_of(x), rv_shape_of(x), error)) return false;
    if (given) return rv_lang_give(&into->tensor, given, error);
    if (!rv_lang_evaluate_init(&own, d, &init)) return rv_fail(error, RV_ERROR_ARGUMENT, "input");
    if (!is_whole(d)) {
        rv_init_fill(&into->tensor, init, rv_seed(seed, d->name));
        return true;
    }
    for (int64_t i = 0; i < rv_tensor_count(&into->tensor); i++)
        rv_tensor_set(
            &into->tensor, i,
            init.a + (double)(int64_t)((init.b - init.a) *
                                       rv_random_uniform(rv_seed(seed, d->name), (uint64_t)i)));
    return true;
}

bool rv_lang_draw(const lang_run *run, const rv_named_tensor *given, int given_count, uint64_t seed,
                  rv_named_tensor **drawn, int *count, rv_error *error)
{
    int room = 0;
    for (int i = 0; i < run->block->symbols; i++)
        room += run->block->symbol[i].kind == SYMBOL_INPUT;
    *count = 0;
    *drawn = rv_alloc((size_t)room + 1, sizeof **drawn);
    if (!*drawn) return rv_fail_memory(error);
    for (int i = 0; i < run->block->symbols; i++) {
        const lang_symbol *s = &run->block->symbol[i];
        const rv_named_tensor *value = NULL;
        if (s->kind != SYMBOL_INPUT || run->value[i].kind != VALUE_VAR) continue;
        for (int k = 0; k < given_count; k++)
            if (!strcmp(given[k].name, s->name)) value = &given[k];
        if (!draw_input(run, s->made, value, seed, &(*drawn)[(*count)++], error)) return false;
    }
    return true;
}

/* ---- as rv_models ---- */

static rv_var quantity_called(const lang_run *run, const char *name)
{
    int symbol = rv_lang_find_value(run->block, name);
    return symbol >= 0 ? rv_lang_quantity(run, symbol, -1) : rv_lang_null(run);
}

/* A whole model on x and y: its net is the quantities "output" and "loss". */
static rv_net record_net(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y)
{
    const lang_model *m = model->user;
    rv_net net = {{x.tape, -1}, {x.tape, -1}};
    lang_work work = {.left = LANG_MOST_WORK, .nodes = rv_tape_count(x.tape)};
    lang_run run;
    (void)options;
    lang_binding given[2] = {{.name = "x", .var = x}, {.name = "y", .var = y}};
    if (rv_lang_start(&run, m->block, &work, x.tape) &&
        rv_lang_record_model(&run, given, rv_is_null(y) ? 1 : 2)) {
        net.output = quantity_called(&run, "output");
        net.loss = quantity_called(&run, "loss");
        const char *lacks = rv_is_null(net.loss)                     ? "loss"
                            : rv_is_null(net.output)                 ? "output"
                            : !rv_lang_declared_input(m->block, "x") ? "x"
                                                                     : NULL;
        if (lacks)
            rv_lang_wrong(
                &run, m->block->node->place, RV_ERROR_NAME,
                "the model \"%s\" has no \"%s\"; to be trained it needs the inputs x and y, and "
                "values called output and loss",
                m->block->name, lacks);
    }
    if (rv_is_null(y)) net.loss = y;
    rv_lang_end(&run);
    return net;
}

/* The loss of a model as it stands: with the sizes and inputs that it has by itself. */
static rv_var record_specimen(const rv_model *model, rv_tape *tape)
{
    const lang_model *m = model->user;
    rv_var loss = {tape, -1};
    lang_work work = {.left = LANG_MOST_WORK, .nodes = rv_tape_count(tape)};
    lang_run run;
    if (rv_lang_start(&run, m->block, &work, tape) && rv_lang_record_model(&run, NULL, 0)) {
        loss = quantity_called(&run, "loss");
        if (rv_is_null(loss))
            rv_lang_wrong(&run, m->block->node->place, RV_ERROR_NAME,
                          "the model \"%s\" has no \"loss\"", m->block->name);
    }
    rv_lang_end(&run);
    return loss;
}

static void apply_alias(const lang_block *alias, rv_tape *tape, lang_report *report,
                        rv_rnn_options *options)
{
    lang_work work = {.left = LANG_MOST_WORK, .report = report};
    lang_run run;
    if (rv_lang_start(&run, alias, &work, tape)) rv_lang_alias_options(&run, alias, options);
    rv_lang_end(&run);
}

static void prepare(const rv_model *model, rv_tape *tape, rv_rnn_options *options)
{
    apply_alias(((const lang_use *)model->user)->alias, tape, NULL, options);
}

/* The options of an alias are its own; the size of its maps decides what it can read. */
static void make_alias(rv_lang *lang, lang_model *m)
{
    rv_rnn_options options = {0};
    rv_store *store = rv_store_new(0);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    if (tape) apply_alias(m->block, tape, &lang->report, &options);
    m->use.alias = m->block;
    m->model.prepare = prepare;
    m->model.kernel = options.kernel;
    rv_tape_free(tape);
    rv_store_free(store);
}

static void make_model(rv_lang *lang, lang_model *m, lang_block *block)
{
    const lang_block *base = block;
    while (base->same) base = base->same;
    m->block = block;
    m->lang = lang;
    m->use = (lang_use){.cell = base};
    m->model = (rv_model){
        .name = block->name, .text = block->node->place.source->text, .images = base->images};
    if (block->node->kind == LANG_MODEL) {
        m->model.record = record_net;
        m->model.specimen = record_specimen;
        m->model.user = m;
    } else {
        m->model.step = rv_lang_step;
        m->model.user = &m->use;
        for (int s = 0; s < base->states; s++)
            m->model.state[s] = base->symbol[base->state[s]].name;
        if (block->same) make_alias(lang, m);
    }
}

bool rv_lang_make_models(rv_lang *lang)
{
    int count = 0;
    for (lang_block *b = lang->scope.first; b; b = b->next)
        count += b->node->kind == LANG_CELL || b->node->kind == LANG_MODEL;
    lang->model = rv_lang_take(&lang->arena, (size_t)(count + 1) * sizeof *lang->model);
    if (!lang->model) return rv_lang_no_memory(&lang->report);
    for (lang_block *b = lang->scope.first; b; b = b->next)
        if (b->node->kind == LANG_CELL || b->node->kind == LANG_MODEL)
            make_model(lang, &lang->model[lang->models++], b);
    return true;
}
