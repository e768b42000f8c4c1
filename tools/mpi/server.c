#include "tools/mpi/server.h"

#include <mpi/mpi.h> /* in the folder of Debian's default MPI */
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/interrupt.h"
#include "tools/command/commands.h"
#include "tools/command/crew.h"
#include "tools/mpi/message.h"
#include "tools/sweep/worker.h"

static bool planned; /* the other ranks have the plan, and wait for no other message */

static int rank_count(void)
{
    int count = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    return count;
}

static void paint(void *watch) { search_paint(watch); }

static const trial none = {.number = -1};

/* Does what a rank asks. The answer's texts belong to *t or *error. */
static message answer(const trial_source *source, const message *question, trial *t,
                      rv_error *error)
{
    const message_head *q = &question->head;
    message to = {.head = {.stop = interrupt_signal() != 0}};
    if (q->asks == TAKE) {
        to.head.taken = source->take(source->self, t, &to.head.left, error);
        if (to.head.taken) {
            message_set_text(&to, PART_SETTINGS, t->settings);
            to.part[PART_CHECKPOINT] = t->checkpoint;
            to.head.size[PART_CHECKPOINT] = t->size;
        }
    } else if (q->asks == RETRY) {
        *t = (trial){.number = q->number, .rung = q->rung};
        source->retry(source->self, t, message_text(question, PART_MESSAGE), error);
    } else {
        const trial_result r = {.state = message_text(question, PART_STATE),
                                .message = message_text(question, PART_MESSAGE),
                                .digest = message_text(question, PART_DIGEST),
                                .epochs = q->epochs,
                                .best_epoch = q->best_epoch,
                                .parameters = q->parameters,
                                .objective = q->objective,
                                .seconds = q->seconds,
                                .rows = question->rows,
                                .row_count = q->rows,
                                .bytes = question->part[PART_CHECKPOINT],
                                .size = q->size[PART_CHECKPOINT]};
        *t = (trial){.number = q->number, .rung = q->rung, .written = q->written};
        source->write(source->self, t, &r, error);
    }
    to.head.number = t->number;
    to.head.rung = t->rung;
    to.head.written = t->written;
    to.head.lost = t->lost;
    to.head.code = error->code;
    if (error->code != RV_OK) message_set_text(&to, PART_MESSAGE, error->text);
    return to;
}

/* Whether a rank trains a trial after that answer. */
static bool is_held(const message *question, const message *to)
{
    return question->head.asks == TAKE
               ? to->head.taken
               : question->head.asks == WRITE &&
                     strcmp(message_text(question, PART_STATE), "running") == 0;
}

/* A rank has left: another may take the trial that it still holds. The first rank's error is the
 * result. */
static void part_with(const trial_source *source, int rank, const message *leave, const trial *its,
                      rv_error *error)
{
    const char *why =
        leave->head.code == RV_OK ? "a rank has left" : message_text(leave, PART_MESSAGE);
    rv_error failed = {0}; /* nothing is written with an error that is set */
    if (leave->head.code != RV_OK) rv_fail(error, leave->head.code, "rank %d: %-s", rank, why);
    if (its->number >= 0 && !source->retry(source->self, its, why, &failed))
        rv_fail(error, failed.code, "%-s", failed.text);
}

/* Answers until every rank has left. *held: the trial of each rank. False: nobody answers any more.
 * After an error of rank 0 the others stop. */
static bool answer_until(const trial_source *source, search_watch *watch, trial *held,
                         rv_error *error)
{
    rv_error first = {0};
    for (int left = rank_count() - 1; left > 0;) {
        int rank;
        rv_error why = {0};
        trial t = none;
        message question;
        if (!message_receive(MPI_ANY_SOURCE, &question, &rank, paint, watch, error)) return false;
        if (question.head.asks == LEAVE) {
            left--;
            part_with(source, rank, &question, &held[rank], &first);
        } else {
            message to = answer(source, &question, &t, &why);
            to.head.stop = to.head.stop || error->code != RV_OK;
            if (why.code == RV_OK)
                held[rank] =
                    is_held(&question, &to) ? (trial){.number = t.number, .rung = t.rung} : none;
            rv_error unsent = {0};
            if (!message_send(rank, &to, &unsent))
                return rv_fail(error, unsent.code, "%-s", unsent.text);
        }
        trial_free(&t);
        rv_free(question.all);
    }
    if (first.code != RV_OK) rv_fail(error, first.code, "%-s", first.text);
    return true;
}

static bool answer_all(const trial_source *source, search_watch *watch, rv_error *error)
{
    const int ranks = rank_count();
    trial *held = rv_alloc((size_t)ranks, sizeof *held);
    if (!held) return rv_fail_memory(error);
    for (int rank = 0; rank < ranks; rank++) held[rank] = none;
    const bool ok = answer_until(source, watch, held, error);
    rv_free(held);
    return ok;
}

static bool send_plan(const search *w, rv_error *error)
{
    message plan = {.head = {.taken = true,
                             .halving = w->plan.halving,
                             .rung = w->plan.rung,
                             .epochs = w->plan.epochs,
                             .threads = w->options->config.loop.threads}};
    message_set_text(&plan, PLAN_OPTIONS, w->plan.options);
    message_set_text(&plan, PLAN_FOLDER, w->plan.folder);
    message_set_text(&plan, PLAN_OBJECTIVE, w->plan.objective);
    message_set_text(&plan, PLAN_DATABASE, w->database.path);
    for (int rank = 1; rank < rank_count(); rank++)
        if (!message_send(rank, &plan, error)) return false;
    return planned = true;
}

exit_status sweep_serve(search *w, rv_error *error)
{
    local_sweep local = {&w->database, &w->plan, w->objective, w->range};
    const trial_source source = local_source(&local);
    if (rank_count() == 1) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "rank 0 keeps the database and the others train; start at least 2 ranks, or use "
                "`recurve sweep`");
        return STATUS_USAGE;
    }
    if (!database_join(&w->database, error)) return STATUS_FAILED;
    interrupt_catch();
    search_watch watch = search_watch_new(w, error);
    if (send_plan(w, error) && !answer_all(&source, &watch, error)) {
        command_warn(w->page, error->text);
        MPI_Abort(MPI_COMM_WORLD, STATUS_FAILED);
    }
    interrupt_release();
    return search_result(&watch, 0, 0);
}

void sweep_dismiss(void)
{
    rv_error ignored = {0};
    for (int rank = 1; rank < rank_count() && !planned; rank++)
        message_send(rank, &(message){.head = {.asks = LEAVE}}, &ignored);
}
