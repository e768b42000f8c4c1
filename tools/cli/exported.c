#include "tools/cli/exported.h"

rv_exported_net exported_net(const rv_setup *s)
{
    const rv_source *data = &s->data;
    return (rv_exported_net){.model = s->model,
                             .options = &s->net,
                             .x = {data->tokens > 0 ? RV_I32 : s->dtype, data->x},
                             .y = {data->classes > 0 ? RV_I32 : s->dtype, data->y},
                             .scale = s->scale,
                             .optimizer = &s->optimizer,
                             .dtype = s->dtype};
}
