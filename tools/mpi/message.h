/* What the ranks of a sweep send each other. A rank asks rank 0 what worker.c asks of a sweep: to
 * take a trial, to write what it did, to return it. A question and its answer are a message each: a
 * head, then rows, texts and the checkpoint. All ranks are machines of one type. */
#ifndef RV_TOOLS_MPI_MESSAGE_H
#define RV_TOOLS_MPI_MESSAGE_H

#include "train/trainer.h"

typedef enum request { TAKE, WRITE, RETRY, LEAVE } request;

/* The parts of a message behind its rows: */
enum {
    PARTS = 4,
    /* of a question, and of an answer with an error, */
    PART_STATE = 0,
    PART_MESSAGE,
    PART_DIGEST,
    PART_CHECKPOINT,
    /* of an answer with a trial, which has a checkpoint, too, */
    PART_SETTINGS = 0,
    /* and of a plan. */
    PLAN_OPTIONS = 0,
    PLAN_FOLDER,
    PLAN_OBJECTIVE,
    PLAN_DATABASE
};

/* In an answer only the fields of `trial`, `error` and the flags count. A plan is an answer,
 * too. */
typedef struct message_head {
    request asks;
    bool taken, left, lost, stop;
    int64_t number, rung, written;
    int64_t halving, threads; /* of a plan */
    int64_t epochs, best_epoch, parameters, rows;
    double objective, seconds;
    rv_code code;
    size_t size[PARTS]; /* those of texts have a NUL; 0: NULL */
} message_head;

typedef struct message {
    message_head head;
    rv_epoch *rows;
    unsigned char *part[PARTS];
    unsigned char *all; /* owns what was received */
} message;

/* The text must outlive the message. */
void message_set_text(message *m, int part, const char *text);
const char *message_text(const message *m, int part);

bool message_send(int to, const message *m, rv_error *error);

/* Waits without using the processor, and calls `idle`, unless NULL, meanwhile. `from` may be
 * MPI_ANY_SOURCE; *sender, unless NULL, becomes who it was. Free m->all. */
bool message_receive(int from, message *m, int *sender, void (*idle)(void *context), void *context,
                     rv_error *error);

#endif
