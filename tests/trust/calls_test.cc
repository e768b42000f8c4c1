/* Calls out of contract are errors. Every function that librecurve.so exports is called with absurd
 * arguments, one at a time and then in random combinations: RECURVE_CALLS of them for each
 * function. A call may fail, but it does not crash, hang, leak, fail without an error, or leave
 * objects in a state in which they no longer work.
 *
 * A new function needs nothing here; a type of argument that is new needs a DRAW in arguments.h or
 * options.h. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "tests/files.h"
#include "tests/trust/arguments.h"

extern "C" int fsync(int) { return 0; } /* thousands of real ones would take too long */
extern "C" void __lsan_do_leak_check() __attribute__((weak));

std::string files;

/* Absurd sizes are to run out of memory soon. */
static size_t held = 0;
static int64_t blocks = 0;
static constexpr size_t most_held = 1 << 28;

void *rv_memory_allocate(size_t bytes)
{
    if (bytes > most_held || held + bytes > most_held) return nullptr;
    void *memory = calloc(1, bytes);
    if (memory) {
        __atomic_fetch_add(&held, bytes, __ATOMIC_RELAXED);
        __atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
    }
    return memory;
}

void rv_memory_release(void *memory, size_t bytes)
{
    __atomic_fetch_sub(&held, bytes, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
    free(memory);
}

namespace {

/* Ends the process of the call, with a reason. */
[[noreturn]] void fails(Call *call, const std::string &why)
{
    call->note(": %.500s", why.c_str());
    _exit(9);
}

/* ---- results ---- */

/* Frees a result that the caller owns. */
void release(Arguments &a, rv_store *store)
{
    if (a.ends("_new") || a.ends("setup_store")) rv_store_free(store);
}
void release(Arguments &, rv_tape *tape) { rv_tape_free(tape); }
void release(Arguments &, rv_program *program) { rv_program_free(program); }
void release(Arguments &, rv_loader *loader) { rv_loader_free(loader); }
void release(Arguments &, rv_lang *lang) { rv_lang_free(lang); }
void release(Arguments &, rv_lang_recording *recording) { rv_lang_recording_free(recording); }
void release(Arguments &, rv_trainer *trainer) { rv_trainer_free(trainer); }
void release(Arguments &, char *text) { rv_free(text); }
void release(Arguments &, unsigned char *bytes) { rv_free(bytes); }
void release(Arguments &a, void *memory)
{
    if (a.ends("_alloc")) rv_free(memory);
}
template <class T> void release(Arguments &, const T &) {}

/* Whether a result says that the call failed. */
bool is_failure(bool result) { return !result; }
bool is_failure(rv_code result) { return result != RV_OK; }
template <class T> bool is_failure(T *result) { return !result; }
template <class T> bool is_failure(const T &) { return false; }

/* The error that the call was given, unless NULL. */
rv_error *error_of() { return nullptr; }
template <class First, class... Rest> rv_error *error_of(const First &first, const Rest &...rest)
{
    if constexpr (std::is_same_v<First, rv_error *>)
        if (sizeof...(rest) == 0) return first;
    return error_of(rest...);
}

template <class R> void check(Arguments &a, Call *call, const R &result, const rv_error *error)
{
    /* The end of an epoch is no failure. */
    const bool ends = a.ends("loader_next") || a.ends("feed_batch") || a.ends("take_error") ||
                      a.ends("rv_fail_memory");
    if (error && !ends && is_failure(result) != (error->code != RV_OK) && !std::is_void_v<R>)
        fails(call, is_failure(result) ? "failed without an error"
                                       : std::string("succeeded with the error ") + error->text);
    if constexpr (std::is_same_v<R, rv_var>)
        if (rv_is_null(result) && result.tape && !a.null_given() &&
            !rv_tape_error(result.tape)->code)
            fails(call, "a null var without an error");
}

/* The objects of the call still work: another training step on the same store and tape. */
void check_objects(Arguments &a, Call *call)
{
    Fixture &f = a.fixture();
    rv_error error = {};
    rv_store_leave(f.store); /* after rv_store_enter */
    rv_tape_take_error(f.tape, &error);
    const rv_var y = rv_sum(rv_square(rv_multiply(f.w, f.x)), RV_ALL_AXES, false);
    rv_program *program = rv_compile_with(f.tape, &y, 1, RV_VALUES);
    if (!program && rv_tape_error(f.tape)->code != RV_ERROR_MEMORY) /* a huge input, perhaps */
        fails(call, std::string("then a tape fails: ") + rv_tape_error(f.tape)->text);
    if (program && rv_run(program) != RV_OK) fails(call, "then a program fails");
    rv_program_free(program);

    rv_tape *tape = rv_tape_new(f.store, RV_F64);
    const rv_var w = rv_state(tape, "health", RV_SHAPE(3), rv_init_constant(2));
    const rv_var z = rv_sum(rv_square(w), RV_ALL_AXES, false);
    rv_assign(w, rv_scale(w, 0.5));
    program = rv_compile(tape, &z, 1);
    if (!program) fails(call, std::string("then a store fails: ") + rv_tape_error(tape)->text);
    if (rv_run(program) != RV_OK || rv_value(program, 0) != 12) fails(call, "then a step fails");
    rv_program_free(program);
    rv_tape_free(tape);
}

/* ---- calls ---- */

template <class T>
constexpr bool is_cell = std::is_same_v<T, rv_cell *> || std::is_same_v<T, const rv_cell *>;
template <class T>
constexpr bool is_arguments =
    std::is_same_v<T, rv_arguments *> || std::is_same_v<T, const rv_arguments *>;

template <class R, class Invoke, class... A>
void call_with(Arguments &a, Call *call, const Invoke &invoke)
{
    std::tuple<A...> arguments{[&] {
        call->note(call->choices ? ", " : "");
        return draw<A>(a);
    }()...};
    rv_error *const error = std::apply([](const auto &...x) { return error_of(x...); }, arguments);
    if constexpr (std::is_void_v<R>) {
        std::apply(invoke, arguments);
    } else {
        const R result = std::apply(invoke, arguments);
        check(a, call, result, error);
        if constexpr (std::is_pointer_v<R> && !std::is_const_v<std::remove_pointer_t<R>>)
            if (result) release(a, result);
    }
}

/* The functions of cells and options are called from a step, and from the `call` of an op. */
std::function<void(rv_cell *)> in_step;
std::function<void(rv_arguments *)> in_call;

void step_with_call(rv_cell *k, rv_var x, rv_var *h)
{
    *h = rv_tanh(x);
    if (auto work = std::exchange(in_step, nullptr)) work(k);
}
rv_var op_with_call(rv_arguments *a)
{
    if (auto work = std::exchange(in_call, nullptr)) work(a);
    return a->x[0];
}

template <class R, class Invoke, class... A>
void call_once(const char *name, const Invoke &invoke, Call *call)
{
    call->choices = call->values = 0;
    call->text[0] = '\0';
    {
        Arguments a(name, call);
        Fixture &f = a.fixture();
        const auto work = [&] { call_with<R, Invoke, A...>(a, call, invoke); };
        if constexpr ((is_cell<A> || ...)) {
            in_step = [&](rv_cell *k) { f.cell = k, work(); };
            rv_unroll(step_with_call, f.x, 1);
        } else if constexpr ((is_arguments<A> || ...)) {
            static const rv_option options[] = {{"n", RV_OPTION_WHOLE, false, 1, "n"},
                                                {"list", RV_OPTION_LIST, false, 1, "list"},
                                                {"word", RV_OPTION_WORD, false, NAN, "word"}};
            rv_op *op = a.keep(rv_op{});
            op->name = op->args = op->formula = "own";
            op->kind = RV_OP_COMPOSITE;
            op->inputs = 1;
            op->options = options;
            op->option_count = 3;
            op->call = op_with_call;
            rv_option_value values[3] = {};
            values[0].number = a.one_of<double>({1}, {-1, 0, 1e15});
            values[1].count = a.one_of<int>({0, 2}, {1, 3, 4, 6});
            for (int64_t &item : values[1].list) item = draw<int64_t>(a);
            values[2].word = draw<const char *>(a);
            in_call = [&](rv_arguments *arguments) { f.arguments = arguments, work(); };
            rv_op_call(op, &f.x, 1, values);
            in_call = nullptr;
        } else {
            work();
        }
        check_objects(a, call);
    }
}

struct Function {
    const char *name;
    std::function<void(Call *)> call; // draws arguments and calls; empty: not to be called
};

template <class R, class... A> Function row(const char *name, R (*f)(A...))
{
    return {name, [name, f](Call *call) { call_once<R, R (*)(A...), A...>(name, f, call); }};
}

/* Functions that print. */
template <class R, class A, class B> Function row(const char *name, R (*f)(A, B, const char *, ...))
{
    const auto print = [f](A a, B b) { return f(a, b, "%s %d", "text", 5); };
    return {name, [=](Call *call) { call_once<R, decltype(print), A, B>(name, print, call); }};
}

/* Those that a header forbids to call with anything but what the library passes. */
bool is_forbidden(const std::string &name)
{
    return name == "rv_memory_allocate" || name == "rv_memory_release" || // the test's own
           name == "rv_copy_bytes" || name == "rv_select_copy_bytes" || name == "rv_infer_same";
}

std::vector<Function> all_functions()
{
    return {
#define FUNCTION(name) row(#name, name),
#include "tests/trust/functions.inc"
    };
}

/* ---- the search ---- */

int rounds()
{
    const char *set = getenv("RECURVE_CALLS");
    return set ? atoi(set) : 10;
}

/* The call after this one. False: it was the last. */
bool advance(Call *c)
{
    constexpr int seeds = 2; // of each enumeration: the good values differ
    if (c->choice == -2) return ++c->seed < rounds();
    if (c->choice == -1) {
        c->choice = c->value = 0;
    } else if (++c->value >= c->values) {
        c->choice++, c->value = 0;
    }
    if (c->choice < c->choices) return true;
    if (++c->seed < seeds) {
        c->choice = -1;
    } else {
        c->choice = -2, c->seed = 0;
    }
    return c->choice != -2 || rounds() > 0;
}

class Calls : public WithFolder {
  protected:
    void SetUp() override
    {
        WithFolder::SetUp();
        files = path("files/");
        std::filesystem::create_directories(files);
        make_files();
    }

    /* One of each kind of file that the library reads. */
    static void make_files()
    {
        spit(files + "table.csv", "1,2,0\n3,4,1\n5,6,0\n7,8,1\n");
        spit(files + "text.txt", "a text of some words, to be read\n");
        spit(files + "model.rv",
             "cell a\n  state h\n  h' = tanh(Wx + Uh)\n\n"
             "model m\n  input x[2, 3]\n  parameter w[3]\n  g = w.x\n  loss = sum(g.g)\n");
        std::string ints = {0, 0, 8, 1, 0, 0, 0, 4},
                    images = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2};
        spit(files + "y.idx", ints + std::string({0, 1, 0, 1}));
        spit(files + "x.idx", images + std::string(16, 1));
        rv_named_tensor tensors[2] = {{"x", {}}, {"y", {}}};
        rv_tensor_new(&tensors[0].tensor, RV_F32, RV_SHAPE(4, 3), nullptr);
        rv_tensor_new(&tensors[1].tensor, RV_I32, RV_SHAPE(4), nullptr);
        rv_archive archive = {};
        archive.tensors = tensors;
        archive.tensor_count = 2;
        EXPECT_TRUE(rv_npz_write((files + "arrays.npz").c_str(), &archive, nullptr));
        for (rv_named_tensor &t : tensors) rv_tensor_free(&t.tensor);
        rv_store *store = rv_store_new(1);
        rv_store_get(store, "w", RV_PARAMETER, RV_F64, RV_SHAPE(2, 3), rv_init_constant(1),
                     nullptr);
        rv_store_get(store, "kernel", RV_PARAMETER, RV_F64, RV_SHAPE(1, 1, 3, 3),
                     rv_init_constant(1), nullptr);
        EXPECT_TRUE(rv_store_save(store, (files + "net.safetensors").c_str(), nullptr));
        rv_store_free(store);
        rv_train_config config = small_config();
        const std::string run = files + "run";
        config.loop.output = run.c_str();
        rv_trainer *trainer = rv_trainer_new(&config, nullptr);
        EXPECT_TRUE(rv_trainer_fit(trainer, nullptr));
        rv_trainer_free(trainer);
        rv_train_config_free(&config);
    }

    /* Makes calls of the function from *call on until the last, or one that fails. */
    void make_calls(const Function &function, Call *call, int64_t *made) const
    {
        const std::string folder = path(function.name);
        std::filesystem::create_directories(folder);
        if (chdir(folder.c_str()) != 0) _exit(8);
        const int64_t before = blocks;
        do {
            ++*made;
            alarm(60);
            function.call(call);
            if (blocks != before) fails(call, std::to_string(blocks - before) + " blocks leak");
        } while (advance(call));
        _exit(0);
    }
};

TEST_F(Calls, OutOfContractAreErrors)
{
    struct Shared {
        Call call;
        int64_t made;
    };
    void *memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto *shared = static_cast<Shared *>(memory);
    const char *only = getenv("RECURVE_CALL");

    for (const Function &function : all_functions()) {
        if (is_forbidden(function.name) || (only && std::string(only) != function.name)) continue;
        shared->call = {};
        shared->call.choice = -1;
        bool more = true;
        for (int failures = 0; more && failures < 6; failures++) {
            fflush(nullptr);
            const pid_t child = fork();
            ASSERT_GE(child, 0);
            if (child == 0) make_calls(function, &shared->call, &shared->made);
            int status = 0;
            ASSERT_EQ(waitpid(child, &status, 0), child);
            if (status == 0) break;
            ADD_FAILURE() << function.name << "(" << shared->call.text << ")"
                          << (WIFSIGNALED(status) ? std::string(": ") + strsignal(WTERMSIG(status))
                                                  : "")
                          << " [seed " << shared->call.seed << ", choice " << shared->call.choice
                          << ", value " << shared->call.value << "]";
            more = advance(&shared->call);
        }
    }
    RecordProperty("calls", std::to_string(shared->made));
    printf("%lld calls\n", static_cast<long long>(shared->made));
    munmap(memory, sizeof(Shared));
}

} // namespace
