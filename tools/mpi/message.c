#include "tools/mpi/message.h"

#include <mpi/mpi.h> /* in the folder of Debian's default MPI */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "tensor/memory.h"

_Static_assert(sizeof(message_head) % _Alignof(rv_epoch) == 0, "rows follow a head");

void message_set_text(message *m, int part, const char *text)
{
    m->part[part] = (unsigned char *)(uintptr_t)text;
    m->head.size[part] = text ? strlen(text) + 1 : 0;
}

const char *message_text(const message *m, int part) { return (const char *)m->part[part]; }

bool message_send(int to, const message *m, rv_error *error)
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

bool message_receive(int from, message *m, int *sender, void (*idle)(void *context), void *context,
                     rv_error *error)
{
    int here = 0, size;
    MPI_Status status;
    for (;;) {
        MPI_Iprobe(from, 1, MPI_COMM_WORLD, &here, &status);
        if (here) break;
        if (idle) idle(context);
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
