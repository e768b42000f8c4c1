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

static void catch_one(int number, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
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

int interrupt_signal(void) { return (int)asked; }
