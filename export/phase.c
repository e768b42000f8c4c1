#include "export/phase_internal.h"

#include <string.h>

/* Whether one of the scopes "outer/name/inner" is this one. */
static bool within(const char *scope, const char *name)
{
    for (size_t length; *scope != '\0'; scope += length + (scope[length] == '/')) {
        length = strcspn(scope, "/");
        if (length == strlen(name) && strncmp(scope, name, length) == 0) return true;
    }
    return false;
}

rv_phase rv_phase_of(const rv_node *node)
{
    if (node->op->kind == RV_OP_EFFECT || within(node->scope, "update")) return RV_PHASE_UPDATE;
    return within(node->scope, "gradient") ? RV_PHASE_GRADIENT : RV_PHASE_FORWARD;
}

const char *rv_phase_name(rv_phase phase)
{
    static const char *const names[RV_PHASES] = {"forward", "gradient", "update"};
    return names[phase];
}
