#include "export/c/template.h"

#include <ctype.h>
#include <string.h>

void rv_c_put(const rv_c_template *w, const char *template)
{
    for (size_t plain; *template; template += plain) {
        plain = strcspn(template, "$");
        rv_write(w->out, "%-.*s", (int)plain, template);
        if (!template[plain]) continue;
        rv_write(w->out, "%-s", w->text[(unsigned char)template[plain + 1]]);
        plain += 2;
    }
}

static void put_argument(const rv_c_template *w, const rv_c_argument *a, const char *real)
{
    bool integer = rv_dtype_of(a->value) == RV_I32;
    rv_write(w->out, ", const %s *%s", integer ? "int32_t" : real, a->name);
}

void rv_c_put_arguments(const rv_c_template *w, const char *real, rv_c_which function)
{
    const rv_c_parts *p = w->p;
    bool run = function == RV_C_RUN;
    if (!p->whole) {
        put_argument(w, &(rv_c_argument){.value = p->x, .name = "x"}, real);
        put_argument(w, &(rv_c_argument){.value = p->y, .name = "y"}, real);
        return;
    }
    for (int i = 0; i < p->inputs; i++)
        if (run ? p->input[i].of_run : p->input[i].of_loss) put_argument(w, &p->input[i], real);
    for (int i = 0; run && i < p->outputs; i++)
        rv_write(w->out, ", %s *%s", real, p->output_value[i].name);
}

bool rv_c_is_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

bool rv_c_uses(const rv_writer *w, const char *what)
{
    const char *at = w->at;
    for (; at && (at = strstr(at, what)); at++)
        if (at == w->at || !rv_c_is_name(at[-1])) return true;
    return false;
}
