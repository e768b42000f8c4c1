/* A rank asks rank 0 what worker.c asks of a sweep: to take a trial, to write what it did, to return it. A question and its
 * answer are a message each: a head, then texts, rows and the checkpoint. All ranks are machines of one type. */
#include "tools/mpi/sweep.h"

#include <mpi/mpi.h> /* in the folder of Debian's default MPI */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "tensor/memory.h"
#include "tools/cli/interrupt.h"
#include "tools/command/commands.h"
#include "tools/command/crew.h"
#include "tools/sweep/worker.h"

/* ---- messages ---- */

typedef enum request { TAKE, WRITE, RETRY, LEAVE } request;

/* In an answer only the fields of `trial`, `error` and the flags count. A plan is an answer, too. */
typedef struct head {
    request asks;
    bool taken, left, lost, stop;
    int64_t number, rung, written;
    int64_t halving, threads; /* of a plan */
    int64_t epochs, best_epoch, parameters, rows;
    double objective, seconds;
    rv_code code;
    size_t size[4]; /* of the parts that follow; those of texts have a NUL; 0: NULL */
} head;

/* What follows a head. */
enum { STATE, MESSAGE, DIGEST, BYTES, PARTS = 4 };
enum { SETTINGS = STATE };
typedef struct message {
    head head;
    rv_epoch *rows;
    unsigned char *part[PARTS];
    unsigned char *all; /* owns what was received */
} message;

static void set_text(message *m, int part, const char *text)
{
    m->part[part] = (unsigned char *)(uintptr_t)text;
    m->head.size[part] = text ? strlen(text) + 1 : 0;
}

static const char *text_of(const message *m, int part) { return (const char *)m->part[part]; }

static bool send(int to, const message *m, rv_error *error)
{
    size_t size = sizeof m->head + (size_t)m->head.rows * sizeof *m->rows;
    for (int i = 0; i < PARTS; i++) size += m->head.size[i];
    if (size > INT32_MAX)
        return rv_fail(error, RV_ERROR_LIMIT,
                       "a checkpoint of %zu bytes is too large for a message", size);
    unsigned char *bytes = rv_alloc(size, 1), *at = bytes;
    if (!bytes) return rv_fail_memory(error);
    const size_t rows = (size_t)m->head.rows * sizeof *m->rows;
    memcpy(at, &m->head, sizeof m->head);
    at += sizeof m->head;
    if (rows > 0) memcpy(at, m->rows, rows);
    at += rows;
    for (int i = 0; i < PARTS; at += m->head.size[i++])
        if (m->head.size[i] > 0) memcpy(at, m->part[i], m->head.size[i]);
    MPI_Send(bytes, (int)size, MPI_BYTE, to, 1, MPI_COMM_WORLD);
    rv_free(bytes);
    return true;
}

/* Waits without using the processor, which MPI_Recv would. `idle` may be NULL. Free m->all. */
static bool receive(int from, message *m, int *sender, void (*idle)(void), rv_error *error)
{
    int here = 0, size;
    MPI_Status status;
    for (;;) {
        MPI_Iprobe(from, 1, MPI_COMM_WORLD, &here, &status);
        if (here) break;
        if (idle) idle();
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    MPI_Get_count(&status, MPI_BYTE, &size);
    unsigned char *at = m->all = rv_alloc((size_t)size, 1);
    if (!at) return rv_fail_memory(error);
    MPI_Recv(at, size, MPI_BYTE, status.MPI_SOURCE, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (sender) *sender = status.MPI_SOURCE;
    memcpy(&m->head, at, sizeof m->head);
    at += sizeof m->head;
    m->rows = (rv_epoch *)(void *)at; /* the head's size is a multiple of theirs' alignment */
    at += (size_t)m->head.rows * sizeof *m->rows;
    for (int i = 0; i < PARTS; at += m->head.size[i++]) m->part[i] = m->head.size[i] ? at : NULL;
    return true;
}

_Static_assert(sizeof(head) % _Alignof(rv_epoch) == 0, "rows follow a head");

/* ---- rank 0 ---- */

static int rank_count;
static bool served;
static search_watch watch;

static void paint(void) { search_paint(&watch); }

static const trial none = {.number = -1};

/* Does what a rank asks. The answer's texts belong to *t or *error. */
static message answer(const trial_source *source, const message *question, trial *t,
                      rv_error *error)
{
    const head *q = &question->head;
    message to = {.head = {.stop = interrupt_signal() != 0}};
    if (q->asks == TAKE) {
        to.head.taken = source->take(source->self, t, &to.head.left, error);
        if (to.head.taken) {
            set_text(&to, SETTINGS, t->settings);
            to.part[BYTES] = t->checkpoint;
            to.head.size[BYTES] = t->size;
        }
    } else if (q->asks == RETRY) {
        *t = (trial){.number = q->number, .rung = q->rung};
        source->retry(source->self, t, text_of(question, MESSAGE), error);
    } else {
        const trial_result r = {.state = text_of(question, STATE),
                                .message = text_of(question, MESSAGE),
                                .digest = text_of(question, DIGEST),
                                .epochs = q->epochs,
                                .best_epoch = q->best_epoch,
                                .parameters = q->parameters,
                                .objective = q->objective,
                                .seconds = q->seconds,
                                .rows = question->rows,
                                .row_count = q->rows,
                                .bytes = question->part[BYTES],
                                .size = q->size[BYTES]};
        *t = (trial){.number = q->number, .rung = q->rung, .written = q->written};
        source->write(source->self, t, &r, error);
    }
    to.head.number = t->number;
    to.head.rung = t->rung;
    to.head.written = t->written;
    to.head.lost = t->lost;
    to.head.code = error->code;
    if (error->code != RV_OK) set_text(&to, MESSAGE, error->text);
    return to;
}

/* Whether a rank trains a trial after that answer. */
static bool is_held(const message *question, const message *to)
{
    return question->head.asks == TAKE
               ? to->head.taken
               : question->head.asks == WRITE && strcmp(text_of(question, STATE), "running") == 0;
}

/* A rank has left: another may take the trial that it still holds. The first rank's error is the result. */
static void part_with(const trial_source *source, int rank, const message *leave, const trial *its,
                      rv_error *error)
{
    const char *why = leave->head.code == RV_OK ? "a rank has left" : text_of(leave, MESSAGE);
    rv_error failed = {0}; /* nothing is written with an error that is set */
    if (leave->head.code != RV_OK) rv_fail(error, leave->head.code, "rank %d: %-s", rank, why);
    if (its->number >= 0 && !source->retry(source->self, its, why, &failed))
        rv_fail(error, failed.code, "%-s", failed.text);
}

/* Answers until every rank has left. *held: the trial of each rank. False: nobody answers any more. After an error of
 * rank 0 the others stop. */
static bool answer_until(const trial_source *source, trial *held, rv_error *error)
{
    rv_error first = {0};
    for (int left = rank_count - 1; left > 0;) {
        int rank;
        rv_error why = {0};
        trial t = none;
        message question;
        if (!receive(MPI_ANY_SOURCE, &question, &rank, paint, error)) return false;
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
            if (!send(rank, &to, &unsent)) return rv_fail(error, unsent.code, "%-s", unsent.text);
        }
        trial_free(&t);
        rv_free(question.all);
    }
    if (first.code != RV_OK) rv_fail(error, first.code, "%-s", first.text);
    return true;
}

static bool answer_all(const trial_source *source, rv_error *error)
{
    trial *held = rv_alloc((size_t)rank_count, sizeof *held);
    if (!held) return rv_fail_memory(error);
    for (int rank = 0; rank < rank_count; rank++) held[rank] = none;
    const bool ok = answer_until(source, held, error);
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
    set_text(&plan, 0, w->plan.options);
    set_text(&plan, 1, w->plan.folder);
    set_text(&plan, 2, w->plan.objective);
    set_text(&plan, 3, w->database.path);
    for (int rank = 1; rank < rank_count; rank++)
        if (!send(rank, &plan, error)) return false;
    return served = true;
}

/* In the place of the processes that `recurve sweep` starts. */
static exit_status serve(search *w, rv_error *error)
{
    local_sweep local = {&w->database, &w->plan, w->objective, w->range};
    const trial_source source = local_source(&local);
    if (rank_count == 1) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "rank 0 keeps the database and the others train; start at least 2 ranks, or use "
                "`recurve sweep`");
        return STATUS_USAGE;
    }
    if (!database_join(&w->database, error)) return STATUS_FAILED;
    interrupt_catch();
    watch = search_watch_new(w, error);
    if (send_plan(w, error) && !answer_all(&source, error)) {
        command_warn(w->page, error->text);
        MPI_Abort(MPI_COMM_WORLD, STATUS_FAILED);
    }
    interrupt_release();
    return search_result(&watch, 0, 0);
}

/* ---- the other ranks ---- */

static bool asked_to_stop;
static bool stop(void) { return asked_to_stop || interrupt_signal() != 0; }

/* *to is the answer; free to->all. Its error becomes *error. */
static bool ask(const message *question, message *to, rv_error *error)
{
    if (!send(0, question, error) || !receive(0, to, NULL, NULL, error)) return false;
    asked_to_stop = asked_to_stop || to->head.stop;
    return to->head.code == RV_OK || rv_fail(error, to->head.code, "%-s", text_of(to, MESSAGE));
}

static bool take(void *self, trial *t, bool *left, rv_error *error)
{
    (void)self;
    message to = {0};
    *t = (trial){.number = -1};
    bool ok = ask(&(message){.head = {.asks = TAKE}}, &to, error) && to.head.taken;
    *left = to.head.left;
    if (ok) {
        const size_t size = to.head.size[BYTES];
        *t = (trial){.number = to.head.number,
                     .rung = to.head.rung,
                     .written = to.head.written,
                     .settings = rv_string_copy(text_of(&to, SETTINGS)),
                     .checkpoint = size > 0 ? rv_alloc(size, 1) : NULL,
                     .size = size};
        if (t->checkpoint) memcpy(t->checkpoint, to.part[BYTES], size);
        if (!t->settings || (size > 0 && !t->checkpoint)) ok = rv_fail_memory(error);
    }
    rv_free(to.all);
    return ok;
}

static bool write_result(void *self, trial *t, const trial_result *r, rv_error *error)
{
    (void)self;
    message to = {0}, question = {.head = {.asks = WRITE,
                                           .number = t->number,
                                           .rung = t->rung,
                                           .written = t->written,
                                           .epochs = r->epochs,
                                           .best_epoch = r->best_epoch,
                                           .parameters = r->parameters,
                                           .rows = r->row_count,
                                           .objective = r->objective,
                                           .seconds = r->seconds},
                                  .rows = (rv_epoch *)(uintptr_t)r->rows};
    set_text(&question, STATE, r->state);
    set_text(&question, MESSAGE, r->message);
    set_text(&question, DIGEST, r->digest);
    question.part[BYTES] = (unsigned char *)(uintptr_t)r->bytes;
    question.head.size[BYTES] = r->bytes ? r->size : 0;
    const bool ok = ask(&question, &to, error);
    if (ok) {
        t->written = to.head.written;
        t->lost = to.head.lost;
    }
    rv_free(to.all);
    return ok;
}

static bool retry(void *self, const trial *t, const char *why, rv_error *error)
{
    (void)self;
    message to = {0}, question = {.head = {.asks = RETRY, .number = t->number, .rung = t->rung}};
    set_text(&question, MESSAGE, why);
    const bool ok = ask(&question, &to, error);
    rv_free(to.all);
    return ok;
}

static exit_status work(rv_error *error)
{
    message plan;
    if (!receive(0, &plan, NULL, NULL, error)) MPI_Abort(MPI_COMM_WORLD, STATUS_FAILED);
    if (plan.head.taken) {
        const sweep_plan its = {.options = (char *)plan.part[0],
                                .folder = (char *)plan.part[1],
                                .objective = (char *)plan.part[2],
                                .halving = plan.head.halving,
                                .rung = plan.head.rung,
                                .epochs = plan.head.epochs};
        const trial_source source = {NULL, &its, text_of(&plan, 3), take, write_result, retry};
        const worker_job job = {plan.head.threads, stop};
        message leave = {.head = {.asks = LEAVE}};
        rv_error why = {0}, ignored = {0};
        interrupt_catch();
        if (!worker_run(&job, &source, &why)) {
            leave.head.code = why.code;
            set_text(&leave, MESSAGE, why.text);
        }
        if (!send(0, &leave, &ignored)) MPI_Abort(MPI_COMM_WORLD, STATUS_FAILED);
        interrupt_release();
    }
    rv_free(plan.all);
    return STATUS_OK;
}

exit_status sweep_on_ranks(const rv_collective *ranks, int argc, char **argv, rv_error *error)
{
    rank_count = ranks->size;
    if (ranks->rank > 0) return work(error);
    const exit_status result = sweep_with(serve, argc, argv, error);
    rv_error ignored = {0};
    for (int rank = 1; rank < rank_count && !served; rank++)
        send(rank, &(message){.head = {.asks = LEAVE}}, &ignored);
    return result;
}
