/* The library does not change the process: output, signals, floating-point environment, working
 * directory. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <csignal>

#include "tests/files.h"
#include "tests/trust/main_job.h"

namespace {

/* The state that the library could change, as text. */
std::string state_of_process()
{
    std::string state = std::filesystem::current_path();
    const mode_t mask = umask(0);
    umask(mask);
    state += "\numask " + std::to_string(mask) + "\nlocale " + setlocale(LC_ALL, nullptr) +
             "\nrounding " + std::to_string(fegetround());
#if defined(__SSE__)
    state += "\nSSE " + std::to_string(__builtin_ia32_stmxcsr() &
                                       0xffc0u); /* without the sticky exception flags */
#endif
    for (char **variable = environ; *variable; variable++) state += std::string("\n") + *variable;
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action = {};
        if (sigaction(number, nullptr, &action) != 0) continue;
        state += "\nsignal " + std::to_string(number) + " " + std::to_string(action.sa_flags) +
                 " " + std::to_string(reinterpret_cast<intptr_t>(action.sa_handler));
    }
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&blocked, number) == 1) state += "\nblocked " + std::to_string(number);
    return state;
}

int open_files()
{
    int count = 0;
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
        count += !entry.path().empty();
    return count;
}

class Process : public WithFolder {
  protected:
    /* The output of `work` on both streams. */
    template <class Work> std::string printed_by(const Work &work) const
    {
        fflush(nullptr);
        const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO),
                  file = open(path("printed").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
        dup2(file, STDOUT_FILENO);
        dup2(file, STDERR_FILENO);
        work();
        fflush(nullptr);
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        for (const int each : {out, err, file}) close(each);
        return slurp(path("printed"));
    }

    /* The job, and errors of many kinds. */
    void work() const
    {
        const Job job = do_main_job(path("checkpoint"));
        EXPECT_TRUE(job.done) << job.error.text;
        rv_store *store = rv_store_new(1);
        rv_error error = {};
        EXPECT_FALSE(rv_store_load(store, path("missing").c_str(), &error));
        spit(path("damaged"), std::string(100, '{'));
        EXPECT_FALSE(rv_store_load(store, path("damaged").c_str(), nullptr));
        rv_source source;
        EXPECT_FALSE(rv_source_npz(&source, path("damaged").c_str(), nullptr, nullptr));
        EXPECT_FALSE(rv_source_csv(&source, path("damaged").c_str(), nullptr, nullptr));
        EXPECT_EQ(rv_lang_load(path("damaged").c_str(), nullptr, nullptr), nullptr);
        rv_tape *tape = rv_tape_new(store, RV_F32);
        const rv_var x = rv_input(tape, "x", RV_SHAPE(2, 3));
        EXPECT_TRUE(rv_is_null(rv_matmul(x, x, false, false)));
        EXPECT_EQ(rv_compile(tape, &x, 1), nullptr);
        rv_tape_free(tape);
        EXPECT_TRUE(rv_set_threads(store, 2, nullptr));
        rv_store_free(store);
    }
};

TEST_F(Process, IsUnchangedAndNothingIsPrinted)
{
    std::signal(SIGUSR1, SIG_IGN);
    const std::string before = state_of_process();
    const int files = open_files();
    EXPECT_EQ(printed_by([&] { work(); }), "");
    EXPECT_EQ(state_of_process(), before);
    EXPECT_EQ(open_files(), files);
    EXPECT_EQ(printed_by([] { fprintf(stderr, "seen"); }), "seen");
}

TEST_F(Process, KeepsItsRoundingModeAndBlockedSignals)
{
    sigset_t some, old;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &some, &old);
    const int rounding = fegetround();
    fesetround(FE_UPWARD);
    const std::string before = state_of_process();
    work();
    EXPECT_EQ(state_of_process(), before);
    fesetround(rounding);
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

} // namespace
