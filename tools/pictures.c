#include "tools/pictures.h"
bool pictures_draw(const char *folder, const settings *s, const experiment *e, rv_store *store,
                   rv_error *error)
{
    (void)folder;
    (void)s;
    (void)e;
    (void)store;
    (void)error;
    return true;
}
