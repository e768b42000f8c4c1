#include "lang/record/inputs.h"

#include <string.h>

#include "lang/record/model.h"
#include "lang/record/starts.h"
#include "tensor/memory.h"

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
    lang_start start;
    rv_var x = run->value[d->symbol].var;
    into->name = d->name;
    if (!rv_tensor_new(&into->tensor, rv_dtype_of(x), rv_shape_of(x), error)) return false;
    if (given) return rv_lang_give(&into->tensor, given, error);
    if (!rv_lang_evaluate_start(&own, d, rv_init_uniform(-1, 1), &start))
        return rv_fail(error, RV_ERROR_ARGUMENT, "input");
    const rv_init init = start.init;
    if (!rv_lang_is_integer(d))
        return rv_init_fill(&into->tensor, init, rv_seed(seed, d->name)) || rv_fail_memory(error);
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
        if (!draw_input(run, s->definition, value, seed, &(*drawn)[(*count)++], error))
            return false;
    }
    return true;
}
