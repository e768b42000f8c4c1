#include "lang/judge/verdicts.h"

#include "tensor/memory.h"
#include "tensor/text_internal.h"

rv_lang_verdict *rv_lang_add_verdict(lang_verdicts *v, const lang_block *block,
                                     lang_location location, const char *name, rv_error *error)
{
    bool derives = block->node->kind == LANG_DERIVE;
    if (!rv_reserve(&v->at, &v->capacity, (size_t)v->count + 1, sizeof *v->at)) {
        rv_fail_memory(error);
        return NULL;
    }
    rv_lang_verdict *row = &v->at[v->count++];
    *row = (rv_lang_verdict){.file = location.source->path,
                             .model = derives ? block->model->name : block->name,
                             .derivation = derives ? block->name : "",
                             .head = derives ? rv_lang_line(block->node->location) : 0,
                             .line = rv_lang_line(location)};
    rv_print(row->name, sizeof row->name, "%s", name);
    return row;
}
