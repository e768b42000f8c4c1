#include "tools/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
enum { SIGNALS = sizeof numbers / sizeof *numbers };

static volatile sig_atomic_t asked;
static struct sigaction before[SIGNALS];

static void note(int number)
{
    asked = number;
    for (int i = 0; i < SIGNALS; i++) signal(numbers[i], SIG_DFL);
}

static sigset_t all_signals(void)
{
    sigset_t all;
    sigemptyset(&all);
    for (int i = 0; i < SIGNALS; i++) sigaddset(&all, numbers[i]);
    return all;
}

void interrupt_catch(void)
{
    const struct sigaction action = {
        .sa_handler = note, .sa_flags = SA_RESTART, .sa_mask = all_signals()};
    asked = 0;
    for (int i = 0; i < SIGNALS; i++) {
        sigaction(numbers[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) sigaction(numbers[i], &action, NULL);
    }
}

void interrupt_release(void)
{
    for (int i = 0; i < SIGNALS; i++) sigaction(numbers[i], &before[i], NULL);
}

void interrupt_block(void)
{
    const sigset_t all = all_signals();
    sigprocmask(SIG_BLOCK, &all, NULL);
}

void interrupt_unblock(void)
{
    const sigset_t all = all_signals();
    sigprocmask(SIG_UNBLOCK, &all, NULL);
}

static void note_again(int number) { asked = number; }

void interrupt_follow(void)
{
    const struct sigaction action = {.sa_handler = note_again, .sa_flags = SA_RESTART};
    sigaction(SIGTERM, &action, NULL); /* not ignored before: one that waits would be lost */
    for (int i = 0; i < SIGNALS; i++)
        if (numbers[i] != SIGTERM) signal(numbers[i], SIG_IGN);
}

int interrupt_signal(void) { return (int)asked; }
