#include "tools/cli/equations.h"

#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "train/setup/lookup.h"
#include "tools/cli/say.h"

bool equations_are_right(const rv_lang *lang)
{
    if (rv_lang_problems(lang) == 0) return true;
    char *text = rv_lang_problem_text(lang);
    say(stderr, "%-s", text ? text : "out of memory\n");
    rv_free(text);
    return false;
}

bool equations_are_spared(const char *option, const char *path, rv_error *error)
{
    static const char ending[] = ".rv";
    const size_t length = path ? strlen(path) : 0, end = sizeof ending - 1;
    return length < end || strcmp(path + length - end, ending) != 0 ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "--%s %.300s: a file of that name has equations, and would be replaced; name "
                   "another one",
                   option, path);
}

static bool has(const known_names *known, const char *name)
{
    for (int i = 0; i < known->count; i++)
        if (strcmp(known->at[i], name) == 0) return true;
    return false;
}

bool known_names_add(known_names *known, const rv_tape *tape, rv_error *error)
{
    for (int32_t id = 0; id < rv_tape_count(tape); id++) {
        const rv_node *node = rv_tape_node(tape, id);
        if ((node->op != &rv_op_input && node->op != &rv_op_parameter) || has(known, node->name))
            continue;
        char *name = rv_alloc(strlen(node->name) + 1, 1);
        if (!name || !rv_reserve(&known->at, &known->capacity, (size_t)known->count + 1,
                                 sizeof *known->at)) {
            rv_free(name);
            return rv_fail_memory(error);
        }
        known->at[known->count++] = strcpy(name, node->name);
    }
    return true;
}

void known_names_free(known_names *known)
{
    for (int i = 0; i < known->count; i++) rv_free(known->at[i]);
    rv_free(known->at);
    *known = (known_names){0};
}

static const char *known_name(const void *list, int index) { return ((char *const *)list)[index]; }

bool known_names_check(const known_names *known, const rv_archive *given, rv_error *error)
{
    for (size_t i = 0; i < given->tensor_count; i++) {
        const char *name = given->tensors[i].name;
        if (has(known, name)) continue;
        rv_fail_unknown("array of --in", name, known_name, known->at, known->count, error);
        return false;
    }
    for (size_t i = 0; i < given->skipped_count; i++)
        if (has(known, given->skipped[i]))
            return rv_fail(error, RV_ERROR_FORMAT,
                           "the type of \"%.100s\" in --in is not read; convert it to F32",
                           given->skipped[i]);
    return true;
}
