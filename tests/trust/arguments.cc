/* Arguments that say no more than their type: numbers, texts, shapes, vars, and objects that are
 * ready to use. */
#include "tests/trust/arguments.h"

/* ---- numbers ---- */

template <class T> T draw_whole(Arguments &a)
{
    using limits = std::numeric_limits<T>;
    std::vector<T> absurd = {0,
                             3,
                             7,
                             64,
                             65,
                             100,
                             limits::max(),
                             limits::max() / 2,
                             limits::max() / 8 + 1,
                             static_cast<T>(limits::max() - 1)};
    if (limits::is_signed) absurd.insert(absurd.end(), {static_cast<T>(-1), limits::min()});
    if (sizeof(T) > 4)
        absurd.insert(absurd.end(), {static_cast<T>(1) << 20, static_cast<T>(1) << 40});
    T value = a.one_of<T>({1, 2}, absurd);
    if (value > 0 && static_cast<uint64_t>(value) > static_cast<uint64_t>(a.limit()))
        value = static_cast<T>(a.limit());
    if (limits::is_signed && value < 0 && a.unchecked()) value = 0;
    a.note(std::to_string(value));
    return value;
}

static double draw_number(Arguments &a)
{
    const double value = a.one_of<double>(
        {0.5, 0.1}, {0, 1, 2, -1, -0.0, NAN, INFINITY, -INFINITY, 1e308, -1e308, 5e-324, 1e19});
    a.note(std::to_string(value));
    return value;
}

DRAW(bool)
{
    const bool value = a.choose(2, 2);
    a.note(value ? "true" : "false");
    return value;
}
DRAW(char) { return a.one_of<char>({',', 0}, {'a', '\n', '"', ' ', '\x80', '.', '-'}); }
DRAW(int) { return draw_whole<int>(a); }
DRAW(unsigned) { return draw_whole<unsigned>(a); }
DRAW(int64_t) { return draw_whole<int64_t>(a); }
DRAW(uint64_t) { return draw_whole<uint64_t>(a); }
DRAW(double) { return draw_number(a); }
DRAW(rv_dtype) { return draw_enum<rv_dtype>(a, 3); }
DRAW(rv_role) { return draw_enum<rv_role>(a, 2); }
DRAW(rv_code) { return draw_enum<rv_code>(a, RV_ERROR_LIMIT + 1); }
DRAW(rv_phase) { return draw_enum<rv_phase>(a, RV_PHASES); }
DRAW(rv_verdict) { return draw_enum<rv_verdict>(a, 3); }
DRAW(rv_targets) { return draw_enum<rv_targets>(a, 3); }
DRAW(rv_loss_kind) { return draw_enum<rv_loss_kind>(a, 3); }
DRAW(rv_init_kind) { return draw_enum<rv_init_kind>(a, RV_INIT_BLOCKS + 1); }

/* ---- texts ---- */

/* What a function's text usually is. */
static std::vector<std::string> words_of(const Arguments &a)
{
    static const std::vector<std::pair<const char *, std::vector<std::string>>> words = {
        {"csv", {files + "table.csv"}},
        {"idx", {files + "x.idx", files + "y.idx"}},
        {"npz_write", {"out.npz"}},
        {"npz", {files + "arrays.npz"}},
        {"arrays", {files + "arrays.npz", files + "net.safetensors"}},
        {"weights_import", {files + "net.safetensors", files + "arrays.npz"}},
        {"source_npy", {files + "x.npy", files + "y.npy"}},
        {"source_text", {files + "text.txt"}},
        {"setup_open", {files + "arrays.npz"}},
        {"safetensors_write", {"out.safetensors"}},
        {"safetensors", {files + "net.safetensors"}},
        {"store_load", {files + "net.safetensors"}},
        {"store_save", {"out.safetensors"}},
        {"lang_open", {files + "model.rv"}},
        {"lang_load", {files + "model.rv"}},
        {"lang_read", {"cell a\n  state h\n  h' = tanh(Wx + Uh)\n"}},
        {"lang_model", {"m", "a"}},
        {"lang_value", {"g", "loss"}},
        {"trainer_open", {files + "run"}},
        {"config_of_run", {files + "run"}},
        {"trainer_load", {files + "run/checkpoint.safetensors"}},
        {"trainer_initialize", {files + "run/best.safetensors"}},
        {"train_config_read", {files + "run/config.json"}},
        {"train_config_parse", {"{\"epochs\": 3}", "{\"model\": \"gru\"}"}},
        {"config_row", {"epochs", "learning-rate", "3"}},
        {"train_config_set", {"epochs", "learning-rate", "3"}},
        {"source_task", {"adding", "copy", "moving-digits"}},
        {"task_find", {"adding"}},
        {"classes_parse", {"0-9", "0,1"}},
        {"dtype_parse", {"f64", "i32"}},
        {"op_find", {"conv2d"}},
        {"optimizer_find", {"adam"}},
        {"feed", {"x"}},
        {"program_input", {"x", "image"}},
    };
    for (const auto &row : words)
        if (a.named(row.first)) return row.second;
    return {"w", "x", "gru", "new", "bg"};
}

const char *draw_text(Arguments &a, const std::vector<std::string> &good)
{
    static const std::vector<std::string> absurd = {"",
                                                    std::string(120, 'n'),
                                                    std::string(5000, 'a'),
                                                    std::string(5000, '('),
                                                    "\xff\xfe\x80",
                                                    "%n%s%n",
                                                    "/",
                                                    "..",
                                                    "no/such/file",
                                                    "\n",
                                                    "__metadata__",
                                                    "*",
                                                    "a\tb",
                                                    "-1",
                                                    "nan",
                                                    "1e999"};
    const size_t count = good.size();
    const auto i = static_cast<size_t>(
        a.choose(static_cast<int>(count), static_cast<int>(count + absurd.size() + 1)));
    if (i == count + absurd.size()) {
        a.note("NULL");
        return nullptr;
    }
    const std::string *text = a.keep(i < count ? good[i] : absurd[i - count]);
    a.note("\"" + text->substr(0, 60) + "\"" +
           (text->size() > 60 ? ".. of " + std::to_string(text->size()) + " bytes" : ""));
    if (a.named("lang_read")) a.limit(static_cast<int64_t>(text->size()));
    return text->c_str();
}

DRAW(const char *) { return draw_text(a, words_of(a)); }

/* ---- plain structs ---- */

DRAW(rv_shape)
{
    static const int64_t large = std::numeric_limits<int64_t>::max(), least = -large - 1;
    const rv_shape shape = a.one_of<rv_shape>({{2, {2, 3}}, {0, {}}, {1, {2}}, {4, {2, 1, 5, 5}}},
                                              {{7, {1, 1, 1, 1, 1, 1}},
                                               {-1, {}},
                                               {64, {1, 1, 1, 1, 1, 1}},
                                               {large, {1}},
                                               {least, {1}},
                                               {1, {0}},
                                               {2, {2, -1}},
                                               {1, {large}},
                                               {1, {least}},
                                               {2, {large, large}},
                                               {2, {int64_t{1} << 32, int64_t{1} << 32}},
                                               {3, {1 << 21, 1 << 21, 1 << 21}},
                                               {6, {100, 100, 100, 100, 100, 100}},
                                               {6, {1, 1, 1, 1, 1, 1}},
                                               {1, {1 << 20}},
                                               {2, {-1, 2}},
                                               {2, {-1, -1}}});
    a.note("{rank " + std::to_string(shape.rank) + ":");
    for (int64_t dim : shape.dim) a.note(" " + std::to_string(dim));
    a.note("}");
    return shape;
}
DRAW(rv_init)
{
    const auto kind = draw<rv_init_kind>(a);
    const double low = draw<double>(a), high = draw<double>(a), factor = draw<double>(a);
    rv_init init = {kind, low, high, factor};
    init.shared = a.choose(1, 2) == 0 ? nullptr : draw<const char *>(a);
    if (a.choose(1, 2) == 0)
        init.block = a.keep(std::array<rv_init, 2>{rv_init_constant(1), init})->data();
    init.blocks = a.one_of<int>({2, 1}, {0, -1, std::numeric_limits<int>::min()});
    return init;
}
DRAW(const rv_init *) { return draw_array<rv_init>(a); }
DRAW(rv_var)
{
    Fixture &f = a.fixture();
    const int last = INT32_MAX;
    const rv_var var =
        a.one_of<rv_var>({f.x, f.w, f.y, f.image, f.kernel, f.labels, f.state, f.constant},
                         {{nullptr, 0},
                          {nullptr, -1},
                          {nullptr, last},
                          {f.tape, -1},
                          {f.tape, last},
                          {f.tape, -last - 1},
                          {f.tape, rv_tape_count(f.tape)},
                          f.stranger});
    a.null_given(rv_is_null(var));
    a.note("var " + std::to_string(var.id) +
           (!var.tape            ? " of no tape"
            : var.tape == f.tape ? ""
                                 : " of another tape"));
    return var;
}

/* ---- pointers ---- */

DRAW(const char *const *) { return draw_array<const char *>(a); }
DRAW(const int *) { return draw_array<int>(a); }
DRAW(const int64_t *) { return draw_array<int64_t>(a); }
DRAW(const uint32_t *) { return draw_array<unsigned>(a); }
DRAW(const rv_var *) { return draw_array<rv_var>(a); }
DRAW(int *) { return draw_array<int>(a); }
DRAW(int64_t *) { return draw_array<int64_t>(a); }
DRAW(uint32_t *) { return draw_array<unsigned>(a); }
DRAW(rv_var *) { return draw_array<rv_var>(a); }
DRAW(bool *) { return draw_output<bool>(a); }
DRAW(double *) { return draw_output<double>(a); }
DRAW(size_t *) { return draw_output<size_t>(a); }
DRAW(rv_dtype *) { return draw_output<rv_dtype>(a); }
DRAW(rv_extent *) { return draw_output<rv_extent>(a); }
DRAW(rv_net *) { return draw_output<rv_net>(a); }
DRAW(rv_metrics *) { return draw_output<rv_metrics>(a); }
DRAW(rv_baseline *) { return draw_output<rv_baseline>(a); }
DRAW(rv_lbfgs_result *) { return draw_output<rv_lbfgs_result>(a); }
DRAW(rv_anomaly *) { return draw_output<rv_anomaly>(a); }
DRAW(rv_gradcheck_result *)
{
    return or_null<rv_gradcheck_result>(a, [&] { return a.array<rv_gradcheck_result>({}); });
}
DRAW(rv_span *)
{
    return or_null<rv_span>(a, [&] { return a.keep(std::vector<rv_span>(4096))->data(); });
}
DRAW(char *)
{
    return or_null<char>(a, [&] { return &(*a.keep(std::string(4096, '\0')))[0]; });
}
DRAW(void *)
{
    if (a.named("rv_free")) return rv_alloc(3, 5);
    return or_null<void>(a, [&]() -> void * {
        if (a.named("rv_reserve")) {
            void **array = a.keep<void *>(nullptr);
            a.later([array] { rv_free(*array); });
            return array;
        }
        a.limit(4096);
        return &(*a.keep(std::string(1 << 16, '\0')))[0];
    });
}
DRAW(const void *) { return draw<void *>(a); }
DRAW(rv_error *)
{
    if (a.choose(2, 2) == 1) {
        a.note("NULL");
        return nullptr;
    }
    return a.keep(rv_error{});
}

DRAW(rv_store *)
{
    return or_null<rv_store>(a, [&] {
        if (a.frees()) return rv_store_new(3);
        return a.fixture().store;
    });
}
DRAW(const rv_store *) { return draw<rv_store *>(a); }
DRAW(rv_tape *)
{
    Fixture &f = a.fixture();
    if (a.ends("_free")) return or_null<rv_tape>(a, [&] { return rv_tape_new(f.store, RV_F32); });
    rv_tape *tape = a.one_of<rv_tape *>({f.tape}, {nullptr, f.other});
    if (tape == f.other) rv_tape_fail(tape, RV_ERROR_ARGUMENT, "an error before the call");
    a.note(tape == f.tape ? "tape" : tape ? "failed tape" : "NULL");
    return tape;
}
DRAW(const rv_tape *) { return draw<rv_tape *>(a); }
DRAW(rv_program *)
{
    return or_null<rv_program>(a, [&] {
        Fixture &f = a.fixture();
        const bool checked = a.choose(2, 2);
        const rv_var outputs[] = {f.y, f.image, f.labels};
        f.program = rv_compile_with(f.tape, outputs, 3, checked ? RV_CHECKED : RV_DEFAULT);
        return given(a, f.program);
    });
}
DRAW(const rv_program *) { return draw<rv_program *>(a); }
DRAW(const rv_node *)
{
    return or_null<const rv_node>(a,
                                  [&] { return rv_tape_node(a.fixture().tape, a.choose(2, 2)); });
}
DRAW(rv_cell *)
{
    return or_null<rv_cell>(a, [&] { return a.fixture().cell; });
}
DRAW(const rv_cell *) { return draw<rv_cell *>(a); }
DRAW(rv_lang *)
{
    return or_null<rv_lang>(a, [&] {
        Fixture &f = a.fixture();
        if (!f.lang) f.lang = rv_lang_open((files + "model.rv").c_str(), nullptr, nullptr);
        return given(a, f.lang);
    });
}
DRAW(const rv_lang *) { return draw<rv_lang *>(a); }
DRAW(rv_lang_recording *)
{
    return or_null<rv_lang_recording>(a, [&] {
        Fixture &f = a.fixture();
        if (!f.lang) f.lang = rv_lang_open((files + "model.rv").c_str(), nullptr, nullptr);
        if (!f.recording)
            f.recording = rv_lang_record(rv_lang_model(f.lang, "m", nullptr), f.tape, nullptr);
        return given(a, f.recording);
    });
}
DRAW(const rv_lang_recording *) { return draw<rv_lang_recording *>(a); }

/* ---- tensors and archives ---- */

DRAW(rv_tensor)
{
    /* Of rank 0: no absurd value makes it larger than its memory, for that would be out of
     * contract. */
    rv_tensor tensor = {};
    const int kind = a.choose(4, 12);
    static const rv_shape small[] = {{2, {2, 3}}, {1, {2}}, {4, {2, 1, 5, 5}}, {0, {}}};
    a.note("tensor kind " + std::to_string(kind));
    const rv_dtype type = kind == 1 ? RV_I32 : kind == 2 ? RV_F32 : RV_F64;
    tensor.dtype = type;
    tensor.shape = small[kind % 4];
    const std::string *memory = a.keep(std::string(1 << 12, '\0'));
    tensor.data = const_cast<char *>(memory->data());
    const int absurd_type = kind == 4 ? 99 : -1;
    switch (kind) {
    case 4:
    case 5: memcpy(&tensor.dtype, &absurd_type, sizeof absurd_type); break;
    case 6: tensor.data = nullptr; break;
    case 7: tensor.shape = {7, {1, 1, 1, 1, 1, 1}}; break;
    case 8: tensor.shape = {-1, {}}; break;
    case 9: tensor.shape = {64, {1, 1, 1, 1, 1, 1}}; break;
    case 10: tensor.shape = {2, {-1, -2}}; break;
    case 11: tensor = {}; break;
    default: break;
    }
    return tensor;
}
DRAW(const rv_tensor *)
{
    if (a.unchecked()) a.limit(0);
    return draw_kept<rv_tensor>(a);
}
DRAW(rv_tensor *)
{
    if (a.unchecked()) a.limit(0);
    if (!a.ends("_free") && !a.ends("tensor_new")) return draw_kept<rv_tensor>(a);
    return or_null<rv_tensor>(a, [&] {
        rv_tensor *tensor = a.keep(rv_tensor{});
        if (a.frees()) rv_tensor_new(tensor, RV_F32, RV_SHAPE(2, 3), nullptr);
        a.later([tensor] { rv_tensor_free(tensor); });
        return tensor;
    });
}
DRAW(rv_named_tensor)
{
    const char *name = draw_text(a, {"x", "y", "w", "image"});
    return {name, draw<rv_tensor>(a)};
}
DRAW(rv_metadata)
{
    const char *key = draw<const char *>(a);
    return {key, draw<const char *>(a)};
}
DRAW(const rv_metadata *) { return draw_array<rv_metadata>(a); }

DRAW(const rv_archive *)
{
    return or_null<rv_archive>(a, [&] {
        rv_archive *archive = a.keep(rv_archive{});
        draw_counted(a, archive->tensors, archive->tensor_count);
        draw_counted(a, archive->metadata, archive->metadata_count);
        return archive;
    });
}
DRAW(rv_archive *)
{
    return or_null<rv_archive>(a, [&] {
        rv_archive *archive = a.keep(rv_archive{});
        if (a.frees()) rv_safetensors_read((files + "net.safetensors").c_str(), archive, nullptr);
        a.later([archive] { rv_archive_free(archive); });
        return archive;
    });
}
DRAW(const rv_batch *)
{
    return or_null<rv_batch>(a, [&] {
        rv_batch *batch = a.keep(rv_batch{});
        batch->count = draw<int64_t>(a);
        batch->x = draw<rv_tensor>(a);
        batch->y = draw<rv_tensor>(a);
        batch->length = draw<rv_tensor>(a);
        return batch;
    });
}
DRAW(rv_origin)
{
    rv_origin o;
    o.phase = draw<rv_phase>(a);
    o.layer = draw<int>(a);
    o.direction = draw<int>(a);
    o.step = draw<int>(a);
    o.scope = draw<const char *>(a);
    return o;
}
DRAW(const rv_origin *) { return draw_kept<rv_origin>(a); }
DRAW(const rv_difference *) { return draw_output<rv_difference>(a); }
