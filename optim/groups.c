/* Parameter groups and their learning rates. */
#include "optim/groups_internal.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "optim/parameters_internal.h"
#include "tensor/text_internal.h"

int rv_group_of(const rv_optimizer *o, const char *parameter)
{
    for (int i = 0; i < RV_PARAMETER_GROUPS && o->group[i].pattern; i++)
        if (!fnmatch(o->group[i].pattern, parameter, 0)) return i;
    return -1;
}

bool rv_groups_check(rv_tape *tape, const rv_optimizer *o, const rv_var *w, int count)
{
    for (int i = 0; i < RV_PARAMETER_GROUPS && o->group[i].pattern; i++) {
        const char *pattern = o->group[i].pattern;
        char some[256] = "";
        rv_text to = {some, some + sizeof some};
        bool found = false;
        for (int k = 0; k < count && !found; k++) {
            const char *name = rv_parameter_name(w[k]);
            if (k < 4) rv_put(&to, "%s\"%.50s\"", k ? ", " : "", name);
            found = !fnmatch(pattern, name, 0);
        }
        if (!found) {
            rv_tape_fail(
                tape, RV_ERROR_NAME,
                "minimize: `%s`: the group \"%.100s\" matches no parameter of the loss; it "
                "has %s%s",
                o->group[i].freeze ? "freeze" : "learning-rates", pattern, some,
                count > 4 ? ", ..." : "");
            return false;
        }
    }
    return true;
}

/* ---- learning rates: RATE for all parameters in no group, RATE/PATTERN for a group ---- */

#define RATE "optimizer/learning_rate"
enum { NAME = 256 };

static bool name_rate(char name[NAME], const char *pattern)
{
    return rv_join(name, NAME, RATE, pattern ? "/" : NULL, pattern, NULL) < NAME;
}

rv_var rv_learning_rate(rv_tape *tape, const rv_optimizer *o, const char *parameter)
{
    const int group = rv_group_of(o, parameter);
    const char *pattern = group < 0 ? NULL : o->group[group].pattern;
    const double rate = group < 0 ? o->learning_rate : o->group[group].learning_rate;
    char name[NAME];
    if (!isfinite(rate))
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                            "minimize: the learning rate of \"%s\" is %g; give a finite number",
                            parameter, rate);
    if (!name_rate(name, pattern))
        return rv_tape_fail(tape, RV_ERROR_NAME,
                            "minimize: the pattern \"%.40s...\" is too long; use at most 200 bytes",
                            pattern);
    return rv_state(tape, name, RV_SCALAR, rv_init_constant(rate));
}

bool rv_set_learning_rate(rv_store *store, const char *pattern, double rate)
{
    if (!store) return false;
    char name[NAME];
    const bool usable = store && isfinite(rate) && name_rate(name, pattern);
    rv_entry *entry = usable ? rv_store_find(store, name) : NULL;
    if (entry) rv_tensor_set(&entry->tensor, 0, rate);
    return entry;
}

bool rv_is_learning_rate(const rv_entry *entry)
{
    const size_t length = sizeof RATE - 1;
    return entry->role == RV_STATE && !strncmp(entry->name, RATE, length) &&
           (entry->name[length] == '\0' || entry->name[length] == '/');
}
