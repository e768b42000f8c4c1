/* Arguments, continued: structs of options, and structs with functions of the caller, which may
 * misbehave. */
#include "tests/trust/arguments.h"

/* ---- data ---- */

/* A source of zeros, read by a function that may do anything but write outside of its sample. */
static bool read_zeros(const rv_source *s, uint64_t, int64_t, void *x, void *y, int32_t *length,
                       rv_error *)
{
    const rv_tensor a = {s->x_type, s->x, x}, b = {s->y_type, s->y, y};
    memset(x, 0, rv_tensor_bytes(&a));
    memset(y, 0, rv_tensor_bytes(&b));
    *length = 1;
    return true;
}
static bool read_nothing(const rv_source *, uint64_t, int64_t, void *, void *, int32_t *,
                         rv_error *)
{
    return false; // without an error
}
static bool read_unset(const rv_source *, uint64_t, int64_t, void *, void *, int32_t *, rv_error *)
{
    return true;
}
static bool read_absurd(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    read_zeros(s, epoch, index, x, y, length, error);
    memset(x, 0xff, 4);
    memset(y, 0xff, 4);
    *length = INT32_MIN;
    return true;
}
static bool read_half(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                      int32_t *length, rv_error *error)
{
    return index % 2 ? rv_fail(error, RV_ERROR_IO, "odd")
                     : read_zeros(s, epoch, index, x, y, length, error);
}
static bool read_and_fail(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                          int32_t *length, rv_error *error)
{
    rv_fail(error, RV_ERROR_IO, "true with an error");
    return read_zeros(s, epoch, index, x, y, length, error);
}

DRAW(rv_source)
{
    rv_source s = {};
    s.name = draw_text(a, {"mine"});
    s.count = a.one_of<int64_t>({8, 5}, {0, 1, -1, INT64_MIN, INT64_MAX, int64_t{1} << 40});
    if (s.count > 8 && !a.named("rv_source") && !a.named("loader")) s.count = 8; // all are read
    s.x_type = draw<rv_dtype>(a);
    if (a.choose(1, 2) == 0) s.x_type = RV_F32;
    s.y_type = a.choose(1, 2) == 0 ? RV_F32 : draw<rv_dtype>(a);
    s.x = a.choose(1, 2) == 0 ? RV_SHAPE(3, 2) : draw<rv_shape>(a);
    s.y = a.choose(1, 2) == 0 ? RV_SHAPE(1) : draw<rv_shape>(a);
    s.sequence = draw<bool>(a);
    s.each_step = a.choose(1, 2);
    s.lengths = s.sequence && draw<bool>(a);
    if (a.choose(1, 2)) s.lengths = true;
    s.tokens = a.one_of<int64_t>({0}, {1, 2, -1, INT64_MAX, INT64_MIN, 1 << 20});
    s.classes = a.one_of<int64_t>({0}, {1, 2, -1, INT64_MAX, INT64_MIN, 1 << 20});
    s.read = a.one_of<decltype(s.read)>(
        {read_zeros}, {nullptr, read_nothing, read_absurd, read_half, read_and_fail, read_unset});
    a.note("source");
    return s;
}
DRAW(const rv_source *) { return draw_kept<rv_source>(a); }
DRAW(rv_source *)
{
    return or_null<rv_source>(a, [&] {
        const bool open = a.frees() || a.named("reshape");
        rv_source *source = a.keep(open ? draw<rv_source>(a) : rv_source{});
        a.later([source] { rv_source_close(source); });
        return source;
    });
}
DRAW(rv_file_options)
{
    rv_file_options o = {};
    o.cache_bytes = a.choose(1, 2) ? draw<uint64_t>(a) : 0;
    o.classes = a.choose(1, 2) ? draw<int64_t>(a) : 0;
    o.tokens = a.choose(1, 2) ? draw<int64_t>(a) : 0;
    o.sequence = draw<bool>(a);
    o.numbers = draw<bool>(a);
    o.targets = draw<rv_targets>(a);
    if (a.choose(1, 2)) o.shape = draw<rv_shape>(a);
    if (a.choose(1, 2)) o.divisor = draw<double>(a);
    if (a.choose(1, 2)) o.label = draw<int64_t>(a);
    o.separator = draw<char>(a);
    o.header = a.one_of<int>({0, 1}, {-1, 2, INT32_MAX, INT32_MIN});
    return o;
}
DRAW(const rv_file_options *) { return draw_kept<rv_file_options>(a); }
static void ignore_layer(void *, const rv_weights_found *) {}

DRAW(const rv_weights_options *)
{
    return or_null<rv_weights_options>(a, [&] {
        rv_weights_options *o = a.keep(rv_weights_options{});
        if (a.choose(1, 2)) o->map = draw_text(a, {"w=w", "w=x,b=y"});
        o->partial = draw<bool>(a);
        o->found = a.one_of<decltype(o->found)>({ignore_layer}, {nullptr});
        return o;
    });
}
DRAW(const rv_text_options *)
{
    return or_null<rv_text_options>(a, [&] {
        rv_text_options *o = a.keep(rv_text_options{});
        o->cache_bytes = a.choose(1, 2) ? draw<uint64_t>(a) : 0;
        o->window = a.one_of<int64_t>({5}, {0, -1, INT64_MAX, INT64_MIN, 1 << 20});
        const int kind = a.choose(2, 5);
        o->tokens = kind == 0 ? 0 : kind == 2 ? -1 : kind == 3 ? INT64_MAX : 3;
        if (kind == 1 || kind == 4) {
            unsigned char *alphabet =
                a.array<unsigned char>({97, 98, static_cast<unsigned char>(kind == 1 ? 99 : 98)});
            o->alphabet = alphabet;
        }
        return o;
    });
}
DRAW(const rv_task_options *)
{
    return or_null<rv_task_options>(a, [&] {
        rv_task_options *o = a.keep(rv_task_options{});
        o->count = a.choose(1, 2) ? draw<int64_t>(a) : 10;
        if (a.choose(1, 2)) o->length = draw<int64_t>(a);
        if (a.choose(1, 2)) o->size = draw<int64_t>(a);
        o->seed = draw<uint64_t>(a);
        return o;
    });
}
DRAW(rv_subset)
{
    rv_subset o = {};
    o.first = a.choose(1, 2) ? draw<int64_t>(a) : 0;
    o.count = a.choose(1, 2) ? draw<int64_t>(a) : 2;
    o.in_order = draw<bool>(a);
    o.seed = draw<uint64_t>(a);
    return o;
}
DRAW(rv_augment)
{
    rv_augment o = {};
    o.shift = draw<int64_t>(a);
    o.noise = draw<double>(a);
    o.seed = draw<uint64_t>(a);
    return o;
}
DRAW(const rv_loader_options *)
{
    return or_null<rv_loader_options>(a, [&] {
        rv_loader_options *o = a.keep(rv_loader_options{});
        o->batch_size = draw<int64_t>(a);
        o->in_order = draw<bool>(a);
        o->contiguous = a.choose(1, 2);
        o->drop_last = draw<bool>(a);
        o->prefetch = a.one_of<int>({0}, {1, 64, -1, 65, INT32_MAX, INT32_MIN});
        o->parts = a.one_of<int64_t>({0}, {2, -1, INT64_MAX, INT64_MIN});
        o->first = a.one_of<int64_t>({0}, {1, -1, INT64_MAX, INT64_MIN});
        o->last = a.one_of<int64_t>({0}, {1, -1, INT64_MAX, INT64_MIN});
        return o;
    });
}
DRAW(rv_loader *)
{
    return or_null<rv_loader>(a, [&] {
        Fixture &f = a.fixture();
        rv_loader_options o = {};
        o.batch_size = 2;
        o.prefetch = a.choose(1, 2);
        f.source = draw<rv_source>(a);
        f.loader = rv_loader_new(&f.source, &o, nullptr);
        return given(a, f.loader);
    });
}
DRAW(const rv_loader *) { return draw<rv_loader *>(a); }

/* ---- ops ---- */

static bool infer_rank(rv_inference *i)
{
    i->out = i->in[0];
    i->out.shape.rank = 7;
    return true;
}
static bool infer_type(rv_inference *i)
{
    const int type = 99;
    i->out = i->in[0];
    memcpy(&i->out.dtype, &type, sizeof type);
    return true;
}
static bool infer_size(rv_inference *i)
{
    i->out = {RV_F64, {2, {-1, INT64_MAX}}};
    return true;
}
static bool infer_nothing(rv_inference *) { return false; }
static rv_kernel select_nothing(rv_call *) { return nullptr; }
static rv_pointwise_kernel no_pointwise(rv_dtype) { return nullptr; }
static rv_var null_gradient(const rv_backward *, int) { return {}; }
static rv_var wrong_gradient(const rv_backward *b, int) { return rv_scalar(b->y.tape, 1); }
static rv_var same_gradient(const rv_backward *b, int) { return b->dy; }

DRAW(rv_op)
{
    static const rv_shape pair = {1, {2}}, absurd = {7, {}};
    rv_op op = {};
    op.name = draw_text(a, {"own"});
    op.args = draw_text(a, {"x"});
    op.formula = draw_text(a, {"x"});
    op.doc = draw_text(a, {"x"});
    op.kind = draw_enum<rv_op_kind>(a, 1);
    op.inputs = a.one_of<int>({1}, {0, -1, 2, 100, INT32_MAX, INT32_MIN});
    op.infer = a.one_of<decltype(op.infer)>(
        {rv_infer_same}, {nullptr, infer_rank, infer_type, infer_size, infer_nothing});
    op.reference = a.one_of<decltype(op.reference)>({rv_copy_bytes}, {nullptr});
    op.select = a.one_of<decltype(op.select)>({rv_select_copy_bytes, nullptr}, {select_nothing});
    op.pointwise = a.one_of<decltype(op.pointwise)>({nullptr}, {no_pointwise});
    op.gradient =
        a.one_of<decltype(op.gradient)>({same_gradient}, {nullptr, null_gradient, wrong_gradient});
    op.linear = a.one_of<unsigned>({1}, {0, ~0u});
    op.in_place = a.one_of<unsigned>({0}, {1, ~0u});
    rv_sample *samples = a.array<rv_sample>({});
    samples->in[0] = a.choose(1, 2) ? absurd : pair;
    samples->low = draw<double>(a);
    samples->high = draw<double>(a);
    samples->inputs = a.one_of<int>({0}, {1, -1, 4, 5, INT32_MAX});
    samples->integer = a.one_of<unsigned>({0}, {1, ~0u});
    op.samples = a.choose(1, 2) ? nullptr : samples;
    op.sample_count = a.one_of<int>({1}, {0, -1, INT32_MIN});
    return op;
}
DRAW(const rv_op *)
{
    if (!a.named("op_call")) return draw_kept<rv_op>(a);
    return or_null<const rv_op>(a,
                                [&] { return rv_op_at(a.choose(rv_op_count(), rv_op_count())); });
}
DRAW(rv_option_value)
{
    rv_option_value v = {};
    if (a.choose(1, 2)) v.number = draw<double>(a);
    v.count = a.one_of<int>({0, 1}, {2, 6, 7, -1, INT32_MAX, INT32_MIN});
    for (int64_t &item : v.list) item = v.count ? draw<int64_t>(a) : 0;
    v.word = a.choose(1, 2) ? draw<const char *>(a) : nullptr;
    return v;
}
DRAW(const rv_option_value *) { return draw_array<rv_option_value>(a); }
DRAW(rv_arguments *)
{
    return or_null<rv_arguments>(a, [&] { return a.fixture().arguments; });
}
DRAW(const rv_arguments *) { return draw<rv_arguments *>(a); }
DRAW(rv_conv2d_options)
{
    rv_conv2d_options o = {};
    int64_t *const fields[] = {&o.stride[0], &o.stride[1],   &o.top,         &o.bottom, &o.left,
                               &o.right,     &o.dilation[0], &o.dilation[1], &o.groups};
    for (int64_t *field : fields)
        if (a.choose(1, 2)) *field = draw<int64_t>(a);
    return o;
}

/* ---- checks ---- */

DRAW(const rv_gradcheck_options *)
{
    return or_null<rv_gradcheck_options>(a, [&] {
        rv_gradcheck_options *o = a.keep(rv_gradcheck_options{});
        if (a.choose(1, 2)) o->tolerance = draw<double>(a);
        if (a.choose(1, 2)) o->step = draw<double>(a);
        o->seed = draw<uint64_t>(a);
        draw_counted(a, o->inputs, o->input_count);
        return o;
    });
}
DRAW(const rv_lang_recording_options *)
{
    return or_null<rv_lang_recording_options>(a, [&] {
        rv_lang_recording_options *o = a.keep(rv_lang_recording_options{});
        draw_counted(a, o->given, o->given_count);
        return o;
    });
}
DRAW(const rv_lang_proof_options *)
{
    return or_null<rv_lang_proof_options>(a, [&] {
        rv_lang_proof_options *o = a.keep(rv_lang_proof_options{});
        if (a.choose(1, 2)) o->tolerance = draw<double>(a);
        if (a.choose(1, 2)) o->difference_tolerance = draw<double>(a);
        o->repair = draw<bool>(a);
        o->as_written = draw<bool>(a);
        draw_counted(a, o->given, o->given_count);
        return o;
    });
}
static bool stops(void *) { return true; }
DRAW(const rv_lang_limits *)
{
    return or_null<rv_lang_limits>(a, [&] {
        rv_lang_limits *limits = a.keep(rv_lang_limits{});
        if (a.choose(1, 2)) limits->operations = draw<int64_t>(a);
        if (a.choose(1, 2)) limits->size = draw<int64_t>(a);
        if (a.choose(1, 2)) limits->numbers = draw<int64_t>(a);
        limits->stop = a.one_of<decltype(limits->stop)>({nullptr}, {stops});
        return limits;
    });
}
DRAW(rv_lang_verdict **)
{
    return or_null<rv_lang_verdict *>(a, [&] {
        rv_lang_verdict **verdicts = a.keep<rv_lang_verdict *>(nullptr);
        a.later([verdicts] { rv_free(*verdicts); });
        return verdicts;
    });
}

/* ---- cells and models ---- */

static void step_without_state(rv_cell *, rv_var, rv_var *) {}
static void step_to_null(rv_cell *, rv_var, rv_var *h) { h[0] = {}; }
static void step_of_other_shape(rv_cell *k, rv_var x, rv_var *h)
{
    plain_step(k, x, h);
    h[0] = rv_concat(h, 1, 1), h[0] = rv_sum(h[0], 2, true);
}
static void step_growing(rv_cell *k, rv_var, rv_var *h)
{
    const rv_var two[] = {h[0], h[0]};
    (void)k;
    h[0] = rv_concat(two, 2, 1);
}
static void step_to_stranger(rv_cell *k, rv_var, rv_var *h)
{
    *h = {nullptr, INT32_MAX};
    (void)k;
}
DRAW(rv_cell_step)
{
    a.note("step");
    return a.one_of<rv_cell_step>({plain_step},
                                  {nullptr, step_without_state, step_to_null, step_of_other_shape,
                                   step_growing, step_to_stranger, rv_zoo("none")});
}
static rv_var activation_to_null(rv_var) { return {}; }
static rv_var activation_to_scalar(rv_var x) { return rv_scalar(x.tape, 1); }
DRAW(rv_map_options)
{
    rv_map_options o = {};
    if (a.choose(1, 2)) o.outputs = draw<int64_t>(a);
    if (a.choose(1, 2)) o.heads = draw<int64_t>(a);
    if (a.choose(1, 2)) o.init = draw<rv_init>(a);
    return o;
}
DRAW(rv_rnn_options)
{
    rv_rnn_options o = {};
    o.name = a.choose(1, 2) ? draw<const char *>(a) : nullptr;
    if (a.choose(1, 2)) o.units = draw<int64_t>(a);
    if (a.choose(1, 2)) o.kernel = draw<int64_t>(a);
    o.bias = draw<bool>(a);
    o.layer_norm = draw<bool>(a);
    if (a.choose(1, 2)) o.forget_shift = draw<double>(a);
    o.activation = a.one_of<decltype(o.activation)>({nullptr, rv_sin},
                                                    {activation_to_null, activation_to_scalar});
    static const char *const no_names[RV_CELL_STATES] = {};
    o.state_name = a.choose(1, 2) ? no_names : nullptr;
    if (a.choose(1, 2)) o.layers = draw<int64_t>(a);
    o.residual = draw<bool>(a);
    o.skip = draw<bool>(a);
    o.bidirectional = draw<bool>(a);
    o.reverse = draw<bool>(a);
    if (a.choose(1, 4)) {
        rv_rnn_input *inputs = a.array<rv_rnn_input>({});
        inputs[0] = {draw<rv_var>(a), draw<bool>(a)};
        o.inputs = inputs;
        o.input_count = draw<int>(a);
    }
    o.learned_start = draw<bool>(a);
    o.carry = a.choose(1, 2) ? draw<const char *>(a) : nullptr;
    if (a.choose(1, 2)) o.lengths = draw<rv_var>(a);
    if (a.choose(1, 2)) o.dropout = draw<double>(a);
    if (a.choose(1, 2)) o.recurrent_dropout = draw<double>(a);
    o.same_dropout = draw<bool>(a);
    o.probes = draw<bool>(a);
    if (a.choose(1, 2)) o.recompute = draw<int64_t>(a);
    /* Arrays of an element per layer and direction. */
    if (o.layers <= Arguments::MANY / 2) {
        if (a.choose(1, 2)) {
            rv_states *initial = a.array<rv_states>({});
            initial->h[0] = draw<rv_var>(a);
            o.initial = initial;
        }
        if (a.choose(1, 2)) o.final = a.array<rv_states>({});
        if (a.choose(1, 2)) o.history = a.array<rv_states>({});
    }
    return o;
}
DRAW(const rv_rnn_options *) { return draw_kept<rv_rnn_options>(a); }
DRAW(rv_states *)
{
    rv_states *states = a.array<rv_states>({});
    for (rv_var &h : states->h)
        if (a.choose(1, 2)) h = draw<rv_var>(a);
    return states;
}
DRAW(rv_net_options)
{
    rv_net_options o = {};
    o.rnn = draw<rv_rnn_options>(a);
    if (a.choose(1, 2)) o.steps = draw<int64_t>(a);
    if (a.choose(1, 2)) o.hidden = draw<int64_t>(a);
    if (a.choose(1, 2)) o.embedding = draw<int64_t>(a);
    o.pool = draw<bool>(a);
    o.loss = draw<rv_loss_kind>(a);
    if (a.choose(1, 2)) o.smoothing = draw<double>(a);
    o.sequence = a.choose(1, 2);
    o.each_step = a.choose(1, 2);
    if (a.choose(1, 2)) o.tokens = draw<int64_t>(a);
    if (a.choose(1, 2)) o.classes = draw<int64_t>(a);
    o.y = a.choose(1, 2) ? draw<rv_shape>(a) : RV_SHAPE(3);
    return o;
}
DRAW(const rv_net_options *) { return draw_kept<rv_net_options>(a); }
static rv_net record_nothing(const rv_model *, const rv_net_options *, rv_var, rv_var)
{
    return {};
}
static rv_net record_wrong(const rv_model *, const rv_net_options *, rv_var x, rv_var)
{
    return {x, x};
}
static rv_var specimen_of_nothing(const rv_model *, rv_tape *) { return {}; }
static void prepare_wrong(const rv_model *, rv_tape *, rv_rnn_options *o)
{
    o->units = -5;
    o->layers = INT64_MIN;
    o->dropout = NAN;
}
DRAW(rv_model)
{
    rv_model m = {};
    m.name = draw_text(a, {"mine"});
    m.text = a.choose(1, 2) ? draw<const char *>(a) : nullptr;
    m.step = draw<rv_cell_step>(a);
    m.prepare = a.one_of<decltype(m.prepare)>({nullptr}, {prepare_wrong});
    m.state[0] = a.choose(1, 2) ? draw<const char *>(a) : nullptr;
    m.kernel = a.one_of<int64_t>({0}, {3, 2, -1, INT64_MIN, INT64_MAX});
    m.images = a.choose(1, 2);
    m.record = a.one_of<decltype(m.record)>({nullptr}, {record_nothing, record_wrong});
    m.specimen = a.one_of<decltype(m.specimen)>({nullptr}, {specimen_of_nothing});
    a.note("model");
    return m;
}
DRAW(const rv_model *)
{
    return or_null<const rv_model>(a, [&]() -> const rv_model * {
        const int kind = a.choose(3, 3);
        if (kind == 0) return rv_model_at(a.choose(rv_model_count(), rv_model_count()));
        if (kind == 1 && a.named("lang_record"))
            return rv_lang_model(draw<rv_lang *>(a), "m", nullptr);
        return a.keep(draw<rv_model>(a));
    });
}
DRAW(rv_flow *)
{
    return or_null<rv_flow>(a, [&] {
        rv_flow *flow = a.keep(rv_flow{});
        a.later([flow] { rv_flow_free(flow); });
        return flow;
    });
}

/* ---- optimizers ---- */

static rv_var rule_to_null(const rv_update *) { return {}; }
static rv_var rule_to_scalar(const rv_update *u) { return rv_scalar(u->w.tape, 1); }
static rv_var rule_without_change(const rv_update *u) { return u->w; }
static rv_var curve_to_null(rv_var, const rv_schedule *) { return {}; }
static rv_var curve_of_shape(rv_var t, const rv_schedule *)
{
    return rv_full(t.tape, RV_SHAPE(2, 3), 1);
}
DRAW(rv_schedule)
{
    rv_schedule s = rv_cosine_decay(5, 0.1);
    s.curve = a.one_of<rv_curve>({nullptr, s.curve, rv_step_decay(2, 0.5).curve,
                                  rv_one_cycle(5).curve, rv_exponential_decay(0.5).curve},
                                 {curve_to_null, curve_of_shape});
    double *const fields[] = {&s.updates, &s.factor,  &s.start,        &s.end,
                              &s.rise,    &s.warm_up, &s.warm_up_start};
    for (double *field : fields)
        if (a.choose(1, 2)) *field = draw<double>(a);
    return s;
}
DRAW(const rv_schedule *) { return draw_kept<rv_schedule>(a); }
DRAW(rv_optimizer)
{
    const int built_in = a.choose(rv_optimizer_count(), rv_optimizer_count());
    rv_optimizer o = *rv_optimizer_at(built_in);
    o.name = draw_text(a, {o.name});
    o.formula = draw_text(a, {"x"});
    o.rule = a.one_of<rv_update_rule>({o.rule},
                                      {nullptr, rule_to_null, rule_to_scalar, rule_without_change});
    double *const fields[] = {&o.learning_rate,
                              &o.momentum,
                              &o.decay,
                              &o.epsilon,
                              &o.clip_value,
                              &o.clip_norm,
                              &o.weight_decay,
                              &o.average,
                              &o.group[0].learning_rate,
                              &o.group[0].weight_decay};
    for (double *field : fields)
        if (a.choose(1, 2)) *field = draw<double>(a);
    if (a.choose(1, 2)) o.accumulate = draw<int>(a);
    o.decoupled = draw<bool>(a);
    if (a.choose(1, 2)) o.schedule = draw<rv_schedule>(a);
    for (auto &group : o.group)
        if (a.choose(1, 2)) {
            group.pattern = draw_text(a, {"*", "w"});
            group.freeze = draw<bool>(a);
        }
    return o;
}
DRAW(const rv_exported_net *)
{
    return or_null<const rv_exported_net>(a, [&] {
        rv_exported_net net = {};
        net.model = draw<const rv_model *>(a);
        net.options = draw<const rv_net_options *>(a);
        net.x = {draw<rv_dtype>(a), draw<rv_shape>(a)};
        net.y = {draw<rv_dtype>(a), draw<rv_shape>(a)};
        net.scale = draw<double>(a);
        net.optimizer = a.choose(1, 2) ? a.keep(draw<rv_optimizer>(a)) : nullptr;
        net.dtype = draw<rv_dtype>(a);
        return a.keep(net);
    });
}
DRAW(const rv_c_options *)
{
    return or_null<const rv_c_options>(a, [&] {
        rv_c_options o = {};
        o.prefix = draw_text(a, {"net"});
        o.keep = draw<bool>(a);
        return a.keep(o);
    });
}
DRAW(const rv_exported_values *)
{
    return or_null<const rv_exported_values>(a, [&] {
        rv_exported_values v = {};
        v.name = draw_text(a, {"net"});
        v.output_name = a.keep<const char *>(draw_text(a, {"y"}));
        v.output = a.keep(a.choose(1, 2) ? draw<rv_var>(a) : a.fixture().w);
        v.outputs = a.choose(1, 2) ? 1 : 0;
        v.loss = draw<rv_var>(a);
        v.optimizer = a.choose(1, 2) ? a.keep(draw<rv_optimizer>(a)) : nullptr;
        return a.keep(v);
    });
}
DRAW(const rv_onnx_options *)
{
    return or_null<const rv_onnx_options>(a, [&] {
        rv_onnx_options o = {};
        o.form = draw_enum<rv_onnx_form>(a, 4);
        o.batch = draw<int64_t>(a);
        return a.keep(o);
    });
}
DRAW(rv_c_code *)
{
    return or_null<rv_c_code>(a, [&] {
        rv_c_code *code = a.keep(rv_c_code{});
        a.later([code] { rv_c_code_free(code); });
        return code;
    });
}
DRAW(const rv_update *)
{
    return or_null<rv_update>(a, [&] {
        rv_update *u = a.keep(rv_update{});
        u->optimizer = a.choose(1, 2) ? nullptr : a.keep(rv_sgd(0.1));
        u->name = draw_text(a, {"w"});
        u->w = a.choose(1, 2) ? draw<rv_var>(a) : a.fixture().w;
        u->g = a.choose(1, 2) ? draw<rv_var>(a) : a.fixture().w;
        u->learning_rate = draw<rv_var>(a);
        if (a.choose(1, 2)) u->due = draw<rv_var>(a);
        return u;
    });
}
static bool fill_nothing(rv_program *, void *) { return true; }
static bool fill_failing(rv_program *, void *) { return false; }
DRAW(const rv_lbfgs_options *)
{
    return or_null<rv_lbfgs_options>(a, [&] {
        rv_lbfgs_options *o = a.keep(rv_lbfgs_options{});
        if (a.choose(1, 2)) o->history = draw<int>(a);
        o->iterations = a.one_of<int>({3}, {0, 1, -1, INT32_MIN});
        if (a.choose(1, 2)) o->gradient_tolerance = draw<double>(a);
        if (a.choose(1, 2)) o->loss_tolerance = draw<double>(a);
        o->fill = a.one_of<decltype(o->fill)>({nullptr, fill_nothing}, {fill_failing});
        return o;
    });
}
DRAW(const rv_plateau *)
{
    return or_null<rv_plateau>(a, [&] {
        rv_plateau *p = a.keep(rv_plateau{0.5, 2, 1e-4, false, 0, 0});
        double *const fields[] = {&p->factor, &p->threshold, &p->least};
        for (double *field : fields)
            if (a.choose(1, 2)) *field = draw<double>(a);
        if (a.choose(1, 2)) p->patience = draw<int>(a);
        if (a.choose(1, 2)) p->cool_down = draw<int>(a);
        p->absolute = draw<bool>(a);
        return p;
    });
}

/* ---- training ---- */

/* Few samples and one epoch, so that a call takes milliseconds. */
rv_train_config small_config()
{
    rv_train_config c = rv_train_config_new();
    c.data.task = "adding";
    c.data.samples = 8;
    c.data.length = 4;
    c.net.units = 2;
    c.loop.epochs = 1;
    c.loop.batch_size = 4;
    return c;
}
DRAW(const rv_config_row *)
{
    return or_null<const rv_config_row>(a, [&] {
        return rv_config_row_at(a.choose(rv_config_row_count(), rv_config_row_count()));
    });
}
DRAW(rv_train_config)
{
    rv_train_config c = small_config();
    c.loop.output = a.choose(2, 2) ? "run" : nullptr;
    /* Any one field, whatever it is. */
    const int row = a.choose(1, rv_config_row_count() + 1);
    if (row) {
        const rv_config_row *field = rv_config_row_at(row - 1);
        char *at = reinterpret_cast<char *>(&c) + field->offset;
        a.note(std::string(field->key) + " = ");
        const bool large = strstr(field->key, "units") || strstr(field->key, "layers");
        switch (field->kind) {
        case RV_CONFIG_FLAG: *reinterpret_cast<bool *>(at) = draw<bool>(a); break;
        case RV_CONFIG_TEXT: *reinterpret_cast<const char **>(at) = draw<const char *>(a); break;
        case RV_CONFIG_WHOLE:
            if (large) a.limit(1000);
            *reinterpret_cast<int64_t *>(at) = a.choose(1, 2)   ? draw<int64_t>(a)
                                               : a.choose(1, 2) ? -1
                                                                : INT64_MIN;
            break;
        default: *reinterpret_cast<double *>(at) = draw<double>(a);
        }
    }
    return c;
}
DRAW(const rv_train_config *) { return draw_kept<rv_train_config>(a); }
DRAW(rv_train_config *)
{
    return or_null<rv_train_config>(a, [&] {
        rv_train_config *c =
            a.keep(a.named("config_copy") ? rv_train_config_new() : draw<rv_train_config>(a));
        a.later([c] { rv_train_config_free(c); });
        return c;
    });
}
static bool sends_nothing(void *, int, const void *, size_t, rv_error *) { return false; }
static bool receives_nothing(void *, int, void *, size_t, rv_error *error)
{
    return rv_fail(error, RV_ERROR_IO, "nobody is there");
}
DRAW(const rv_collective *)
{
    return or_null<rv_collective>(a, [&] {
        const int rank = a.one_of<int>({0}, {1, -1, INT32_MAX, INT32_MIN});
        const int size = a.one_of<int>({1}, {2, 0, -1, INT32_MAX, INT32_MIN});
        return a.keep(rv_collective{rank, size, a.choose(1, 2) ? nullptr : sends_nothing,
                                    a.choose(1, 2) ? nullptr : receives_nothing, nullptr});
    });
}
DRAW(const rv_train_parts *)
{
    if (a.choose(2, 3) != 2) return nullptr;
    rv_train_parts *p = a.keep(rv_train_parts{});
    if (a.choose(1, 2)) p->data = draw<const rv_source *>(a);
    if (a.choose(1, 2)) p->validation = draw<const rv_source *>(a);
    if (a.choose(1, 2)) p->model = draw<const rv_model *>(a);
    if (a.choose(1, 2)) p->optimizer = a.keep(draw<rv_optimizer>(a));
    if (a.choose(1, 2)) p->collective = draw<const rv_collective *>(a);
    return p;
}
DRAW(rv_setup *)
{
    return or_null<rv_setup>(a, [&] {
        rv_setup *setup = a.keep(rv_setup{});
        if (a.frees()) {
            rv_train_config *c = a.keep(small_config());
            a.later([c] { rv_train_config_free(c); });
            rv_setup_make(setup, c, nullptr, nullptr);
        }
        a.later([setup] { rv_setup_free(setup); });
        return setup;
    });
}
DRAW(const rv_setup *)
{
    const int kind = a.choose(1, 3);
    if (kind == 1) return nullptr;
    rv_setup *setup = a.keep(rv_setup{});
    if (kind == 2) return setup;
    rv_train_config *c = a.keep(small_config());
    a.later([c] { rv_train_config_free(c); });
    rv_setup_make(setup, c, nullptr, nullptr);
    a.later([setup] { rv_setup_free(setup); });
    return setup;
}
DRAW(rv_batch_program *)
{
    return or_null<rv_batch_program>(a, [&] {
        auto *two = a.keep(std::vector<rv_batch_program>(2));
        a.later([two] {
            for (rv_batch_program &b : *two) rv_batch_program_free(&b);
        });
        return two->data();
    });
}
DRAW(const rv_batch_program *) { return draw<rv_batch_program *>(a); }
static bool interrupts(void *, const rv_trainer *) { return false; }
static bool looks(void *, const rv_trainer *trainer)
{
    return rv_trainer_result(trainer) != nullptr;
}
DRAW(rv_observer)
{
    rv_observer o = {};
    o.on_update = a.one_of<decltype(o.on_update)>({looks, nullptr}, {interrupts});
    o.on_epoch = a.one_of<decltype(o.on_epoch)>({looks, nullptr}, {interrupts});
    return o;
}
DRAW(rv_trainer *)
{
    return or_null<rv_trainer>(a, [&] {
        Fixture &f = a.fixture();
        if (!f.trainer) {
            rv_train_config c = draw<rv_train_config>(a);
            f.trainer = rv_trainer_new(&c, nullptr);
            const int observers = a.one_of<int>({0, 1}, {RV_OBSERVERS});
            for (int i = 0; i < observers; i++)
                rv_trainer_observe(f.trainer, draw<rv_observer>(a), nullptr);
            rv_train_config_free(&c);
        }
        return given(a, f.trainer);
    });
}
DRAW(const rv_trainer *) { return draw<rv_trainer *>(a); }

/* ---- functions ---- */

static void release_nothing(void *) {}
using Release = void (*)(void *);
DRAW(Release) { return a.one_of<Release>({release_nothing, nullptr}, {}); }

/* Only the library makes these. */
DRAW(const rv_call *) { return nullptr; }
DRAW(rv_call *) { return nullptr; }
DRAW(rv_inference *) { return nullptr; }
