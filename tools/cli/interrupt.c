#include "tools/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;
static struct sigaction before_interrupt, before_terminate;

static void note(int number)
{
    asked = number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

static sigset_t both_signals(void)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    return both;
}

static void catch_one(int number, struct sigaction *before)
{
    const struct sigaction action = {
        .sa_handler = note, .sa_flags = SA_RESTART, .sa_mask = both_signals()};
    sigaction(number, NULL, before);
    if (before->sa_handler != SIG_IGN) sigaction(number, &action, NULL);
}

void interrupt_catch(void)
{
    asked = 0;
    catch_one(SIGINT, &before_interrupt);
    catch_one(SIGTERM, &before_terminate);
}

void interrupt_release(void)
{
    sigaction(SIGINT, &before_interrupt, NULL);
    sigaction(SIGTERM, &before_terminate, NULL);
}

void interrupt_block(void)
{
    const sigset_t both = both_signals();
    sigprocmask(SIG_BLOCK, &both, NULL);
}

void interrupt_unblock(void)
{
    const sigset_t both = both_signals();
    sigprocmask(SIG_UNBLOCK, &both, NULL);
}

int interrupt_signal(void) { return (int)asked; }
