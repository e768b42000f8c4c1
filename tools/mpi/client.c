#include "tools/mpi/client.h"

#include <mpi/mpi.h> /* in the folder of Debian's default MPI */
#include <stdint.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/interrupt.h"
#include "tools/mpi/message.h"
#include "tools/sweep/worker.h"

static bool asked_to_stop; /* by rank 0, or by the end of the job */
static bool stop(void) { return asked_to_stop || interrupt_signal() != 0; }

/* *to is the answer; free to->all. Its error becomes *error. */
static bool ask(const message *question, message *to, rv_error *error)
{
    if (!message_send(0, question, error) || !message_receive(0, to, NULL, NULL, NULL, error))
        return false;
    asked_to_stop = asked_to_stop || to->head.stop;
    return to->head.code == RV_OK ||
           rv_fail(error, to->head.code, "%-s", message_text(to, PART_MESSAGE));
}

static bool take(void *self, trial *t, bool *left, rv_error *error)
{
    (void)self;
    message to = {0};
    *t = (trial){.number = -1};
    bool ok = ask(&(message){.head = {.asks = TAKE}}, &to, error) && to.head.taken;
    *left = to.head.left;
    if (ok) {
        const size_t size = to.head.size[PART_CHECKPOINT];
        *t = (trial){.number = to.head.number,
                     .rung = to.head.rung,
                     .written = to.head.written,
                     .settings = rv_string_copy(message_text(&to, PART_SETTINGS)),
                     .checkpoint = size > 0 ? rv_alloc(size, 1) : NULL,
                     .size = size};
        if (t->checkpoint) memcpy(t->checkpoint, to.part[PART_CHECKPOINT], size);
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
    message_set_text(&question, PART_STATE, r->state);
    message_set_text(&question, PART_MESSAGE, r->message);
    message_set_text(&question, PART_DIGEST, r->digest);
    question.part[PART_CHECKPOINT] = (unsigned char *)(uintptr_t)r->bytes;
    question.head.size[PART_CHECKPOINT] = r->bytes ? r->size : 0;
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
    message_set_text(&question, PART_MESSAGE, why);
    const bool ok = ask(&question, &to, error);
    rv_free(to.all);
    return ok;
}

exit_status sweep_ask(rv_error *error)
{
    message plan;
    if (!message_receive(0, &plan, NULL, NULL, NULL, error))
        MPI_Abort(MPI_COMM_WORLD, STATUS_FAILED);
    if (plan.head.taken) {
        const sweep_plan its = {.options = (char *)plan.part[PLAN_OPTIONS],
                                .folder = (char *)plan.part[PLAN_FOLDER],
                                .objective = (char *)plan.part[PLAN_OBJECTIVE],
                                .halving = plan.head.halving,
                                .rung = plan.head.rung,
                                .epochs = plan.head.epochs};
        const trial_source source = {NULL, &its,         message_text(&plan, PLAN_DATABASE),
                                     take, write_result, retry};
        const worker_job job = {plan.head.threads, stop};
        message leave = {.head = {.asks = LEAVE}};
        rv_error why = {0}, ignored = {0};
        interrupt_catch();
        if (!worker_run(&job, &source, &why)) {
            leave.head.code = why.code;
            message_set_text(&leave, PART_MESSAGE, why.text);
        }
        if (!message_send(0, &leave, &ignored)) MPI_Abort(MPI_COMM_WORLD, STATUS_FAILED);
        interrupt_release();
    }
    rv_free(plan.all);
    return STATUS_OK;
}
