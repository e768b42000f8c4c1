#include "tools/command/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tensor/text_internal.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/cli/say.h"

static bool is_asked_to_stop(void) { return interrupt_signal() != 0; }

/* The parent forwards what ends the sweep; a worker whose parent dies ends, too. */
static void be_worker(const search *w, const char *path, pid_t parent)
{
    rv_error error = {0};
    database d;
    sweep_plan plan;
    local_sweep local = {&d, &plan, w->objective, w->range};
    const worker_job job = {w->options->config.loop.threads, is_asked_to_stop};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    interrupt_follow();
    interrupt_unblock();
    if (getppid() == parent && database_open(&d, path, NULL, &plan, &error) &&
        database_join(&d, &error)) {
        const trial_source source = local_source(&local);
        worker_run(&job, &source, &error);
        sweep_plan_free(&plan);
        database_close(&d);
    }
    if (error.code != RV_OK) command_warn(w->page, error.text);
    fflush(stderr);
    _exit(error.code == RV_OK ? 0 : 1);
}

/* ---- the processes ---- */

typedef struct crew {
    pid_t process[MOST_WORKERS]; /* 0: it has ended */
    int count, left, killed, failed;
} crew;

static bool start(crew *c, const search *w, const char *path, rv_error *error)
{
    const pid_t parent = getpid();
    fflush(NULL);
    for (c->count = 0; c->count < w->options->workers; c->count++, c->left++) {
        interrupt_block();
        const pid_t child = fork();
        if (child == 0) be_worker(w, path, parent);
        interrupt_unblock();
        if (child < 0)
            return rv_fail(error, RV_ERROR_IO, "cannot start worker %d: %s; give fewer --workers",
                           c->count + 1, rv_reason(errno));
        c->process[c->count] = child;
    }
    return true;
}

static void stop(const crew *c)
{
    for (int i = 0; i < c->count; i++)
        if (c->process[i] > 0) kill(c->process[i], SIGTERM);
}

/* Notes which workers have ended. */
static void look(crew *c)
{
    int status;
    for (int i = 0; i < c->count; i++) {
        if (c->process[i] == 0 || waitpid(c->process[i], &status, WNOHANG) != c->process[i])
            continue;
        c->process[i] = 0;
        c->left--;
        c->killed += WIFSIGNALED(status);
        c->failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
    }
}

/* ---- while they train ---- */

search_watch search_watch_new(search *w, rv_error *error)
{
    search_watch watch = {w, progress_new(!w->options->quiet, "", 0, 0, 0), {0}, error};
    if (error->code == RV_OK) trials_count(&w->database, w->range, &watch.before, error);
    return watch;
}

/* "[####......] 57/200 trials, 3 diverged, best 0.0123 in trial 17, 0:42 left" */
void search_paint(search_watch *watch)
{
    search *w = watch->search;
    trial_counts c;
    int64_t number;
    double value;
    char text[64] = "";
    if (watch->error->code != RV_OK || !progress_due(&watch->bar, 0.5) ||
        !trials_count(&w->database, w->range, &c, watch->error) ||
        !trials_best(&w->database, w->objective, w->range, &number, &value, watch->error))
        return;
    if (number >= 0) snprintf(text, sizeof text, "best %.4g in trial %" PRId64 "  ", value, number);
    progress_paint_count(&watch->bar, c.all - c.open, c.all, watch->before.all - watch->before.open,
                         text);
}

/* Trials that wait for the rest of their bracket. */
static int64_t count_paused(search *w, rv_error *error)
{
    return database_number(
        &w->database, error, 0,
        "SELECT count(*) FROM trial WHERE state = 'paused' AND number BETWEEN ? AND ?", "ii",
        w->range.first, w->range.last);
}

exit_status search_result(search_watch *watch, int killed, int failed)
{
    search *w = watch->search;
    rv_error *error = watch->error;
    trial_counts now = {0};
    progress_clear(&watch->bar);
    if (error->code == RV_OK) trials_count(&w->database, w->range, &now, error);
    if (killed > 0 && now.open > 0 && interrupt_signal() == 0)
        rv_fail(error, RV_ERROR_IO,
                "%d worker(s) were killed, and %" PRId64 " trial(s) remain; repeat the command: it "
                "continues from the last checkpoints",
                killed, now.open);
    else if (failed == 0 && now.open > 0 && interrupt_signal() == 0 &&
             count_paused(w, error) == now.open)
        rv_fail(error, RV_ERROR_FORMAT,
                "%" PRId64
                " trial(s) of \"%.300s\" %s open, but cannot be trained; merge the parts of "
                "the sweep again into a new file",
                now.open, w->database.path, now.open == 1 ? "is" : "are");
    if (error->code != RV_OK || failed > 0) return STATUS_FAILED;
    if (now.open == 0) return STATUS_OK;
    say(stderr,
        "recurve %s: interrupted, %" PRId64 " trial(s) remain; to continue: recurve %s --database "
        "%s\n",
        w->page->name, now.open, w->page->name, w->options->database);
    /* Without a signal to this process, its workers were terminated. */
    return interrupt_signal() == SIGTERM || interrupt_signal() == 0 ? STATUS_TERMINATED
                                                                    : STATUS_INTERRUPTED;
}

exit_status search_train(search *w, rv_error *error)
{
    crew c = {.count = 0};
    bool stopped = false;
    char path[sizeof w->database.path];
    strcpy(path, w->database.path);
    sweep_plan again = {0};
    database_close(&w->database); /* a connection must not be used across a fork */
    interrupt_catch();
    if (!start(&c, w, path, error)) stop(&c);
    database_open(&w->database, path, NULL, &again, error);
    search_watch watch = search_watch_new(w, error);
    for (; c.left > 0; nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL)) {
        look(&c);
        if (!stopped && (interrupt_signal() != 0 || error->code != RV_OK)) {
            stop(&c);
            stopped = true;
        }
        search_paint(&watch);
    }
    interrupt_release();
    sweep_plan_free(&again);
    return search_result(&watch, c.killed, c.failed);
}
