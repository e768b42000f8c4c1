/* onnx_update OPTIMIZER IN.npz OUT.npz: one update, for onnx_nodes.py. IN has the gradient g/W of
 * each parameter W and, as option/momentum and so on, the optimizer's options; and W and the
 * states, which OUT has after the update. */
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "recurve.h"

namespace {

rv_error error = {};

void check(bool good, const char *why)
{
    if (good) return;
    std::fprintf(stderr, "onnx_update: %s\n", why);
    std::exit(1);
}

rv_optimizer optimizer_of(const char *name, const rv_archive &in)
{
    const rv_optimizer *known = rv_optimizer_find(name);
    check(known, "no such optimizer");
    rv_optimizer o = *known;
    const std::pair<const char *, double *> options[] = {{"option/learning_rate", &o.learning_rate},
                                                         {"option/momentum", &o.momentum},
                                                         {"option/decay", &o.decay},
                                                         {"option/epsilon", &o.epsilon},
                                                         {"option/weight_decay", &o.weight_decay}};
    for (const auto &[key, value] : options)
        if (const rv_tensor *given = rv_archive_find(&in, key)) *value = rv_tensor_get(given, 0);
    return o;
}

} // namespace

int main(int argc, char **argv)
{
    rv_archive in = {}, out = {};
    check(argc == 4, "usage: onnx_update OPTIMIZER IN.npz OUT.npz");
    check(rv_npz_read(argv[2], 0, &in, &error), error.text);
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    rv_var loss = rv_scalar(tape, 0);
    for (size_t i = 0; i < in.tensor_count; i++) {
        const std::string name = in.tensors[i].name;
        if (name.rfind("g/", 0) != 0) continue;
        const rv_tensor &g = in.tensors[i].tensor;
        const rv_var w = rv_parameter(tape, name.c_str() + 2, g.shape, rv_init_constant(0));
        loss = rv_add(loss, rv_sum(rv_multiply(w, rv_constant(tape, &g)), RV_ALL_AXES, false));
    }
    rv_minimize(loss, optimizer_of(argv[1], in));
    rv_program *program = rv_compile(tape, &loss, 1);
    check(program, rv_tape_error(tape)->text);
    std::vector<rv_named_tensor> entries;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        rv_entry *entry = rv_store_at(store, i);
        if (const rv_tensor *given = rv_archive_find(&in, entry->name))
            check(rv_tensor_copy(&entry->tensor, given, &error), error.text);
        entries.push_back({entry->name, entry->tensor});
    }
    check(rv_run(program) == RV_OK, "the update fails");
    out.tensors = entries.data();
    out.tensor_count = entries.size();
    check(rv_npz_write(argv[3], &out, &error), error.text);
    rv_program_free(program);
    rv_tape_free(tape);
    rv_store_free(store);
    rv_archive_free(&in);
}
