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

bool rv_c_is_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

bool rv_c_uses(const rv_writer *w, const char *what)
{
    const char *at = w->at;
    for (; at && (at = strstr(at, what)); at++)
        if (at == w->at || !rv_c_is_name(at[-1])) return true;
    return false;
}
