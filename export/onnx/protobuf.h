/* Messages of protocol buffers, written in their binary form. A field of a message is a number from
 * the message's definition and a value; fields may come in any order. */
#ifndef RV_EXPORT_ONNX_PROTOBUF_H
#define RV_EXPORT_ONNX_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_protobuf {
    unsigned char *at; /* for rv_free; NULL if nothing was written */
    size_t length, capacity;
    bool failed; /* out of memory */
} rv_protobuf;

void rv_protobuf_integer(rv_protobuf *p, int field, int64_t value);
void rv_protobuf_bytes(rv_protobuf *p, int field, const void *bytes, size_t size);
void rv_protobuf_text(rv_protobuf *p, int field, const char *text);

/* What is written between the two is a message, the value of the field. `begin` returns what `end`
 * takes. */
size_t rv_protobuf_begin(rv_protobuf *p, int field);
void rv_protobuf_end(rv_protobuf *p, size_t begin);

/* Adds the fields of another message to this one. */
void rv_protobuf_join(rv_protobuf *p, const rv_protobuf *other);

#ifdef __cplusplus
}
#endif

#endif
