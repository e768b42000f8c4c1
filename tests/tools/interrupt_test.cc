/* A request to stop reaches a process that is being forked, and asks only once. */
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include "tools/cli/interrupt.h"
}

namespace {

/* The exit status of a child that has the signals when it begins, and follows its parent. */
int child_with(int first, int second)
{
    interrupt_catch();
    interrupt_block();
    const pid_t child = fork();
    if (child == 0) {
        raise(first); /* waits, as between the fork and interrupt_follow */
        interrupt_follow();
        interrupt_unblock();
        if (second) raise(second);
        _exit(interrupt_signal());
    }
    interrupt_unblock();
    interrupt_release();
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Interrupt, ASignalBetweenAForkAndItsHandlerIsNotLost)
{
    EXPECT_EQ(child_with(SIGTERM, 0), SIGTERM);
}

TEST(Interrupt, AChildThatFollowsIsEndedByNoSecondSignal)
{
    EXPECT_EQ(child_with(SIGTERM, SIGTERM), SIGTERM);
    EXPECT_EQ(child_with(SIGTERM, SIGINT), SIGTERM);
    EXPECT_EQ(child_with(SIGUSR1, SIGTERM), SIGTERM);
    EXPECT_EQ(child_with(SIGINT, 0), 0) << "the parent forwards it as SIGTERM";
}

TEST(Interrupt, ASecondSignalEndsAProcessThatCatchesThem)
{
    const pid_t child = fork();
    if (child == 0) {
        interrupt_catch();
        raise(SIGINT);
        if (interrupt_signal() != SIGINT) _exit(1);
        raise(SIGTERM);
        _exit(2);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

} // namespace
