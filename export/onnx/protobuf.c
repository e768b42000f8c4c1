#include "export/onnx/protobuf.h"

#include <string.h>

#include "tensor/memory.h"

/* How a value is stored: the last three bits of a field's key. */
enum { VARINT = 0, LENGTH_DELIMITED = 2, MOST_VARINT = 10 };

static void put(rv_protobuf *p, const void *bytes, size_t size)
{
    if (p->failed || size > SIZE_MAX - p->length ||
        !rv_reserve(&p->at, &p->capacity, p->length + size + 1, 1)) {
        p->failed = true;
        return;
    }
    if (size) memcpy(p->at + p->length, bytes, size);
    p->length += size;
}

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static size_t encode(uint64_t value, unsigned char bytes[MOST_VARINT])
{
    size_t size = 0;
    while (value >= 128) {
        bytes[size++] = (unsigned char)(128 | (value & 127));
        value >>= 7;
    }
    bytes[size++] = (unsigned char)value;
    return size;
}

static void put_varint(rv_protobuf *p, uint64_t value)
{
    unsigned char bytes[MOST_VARINT];
    put(p, bytes, encode(value, bytes));
}

static void put_key(rv_protobuf *p, int field, unsigned stored)
{
    put_varint(p, (uint64_t)field << 3 | stored);
}

void rv_protobuf_integer(rv_protobuf *p, int field, int64_t value)
{
    put_key(p, field, VARINT);
    put_varint(p, (uint64_t)value);
}

void rv_protobuf_bytes(rv_protobuf *p, int field, const void *bytes, size_t size)
{
    put_key(p, field, LENGTH_DELIMITED);
    put_varint(p, size);
    put(p, bytes, size);
}

void rv_protobuf_text(rv_protobuf *p, int field, const char *text)
{
    rv_protobuf_bytes(p, field, text, strlen(text));
}

size_t rv_protobuf_begin(rv_protobuf *p, int field)
{
    put_key(p, field, LENGTH_DELIMITED);
    return p->length;
}

/* The length of a message comes before it, and is known after it. */
void rv_protobuf_end(rv_protobuf *p, size_t begin)
{
    unsigned char bytes[MOST_VARINT];
    size_t length = p->length - begin, size = encode(length, bytes);
    put(p, bytes, size);
    if (p->failed) return;
    memmove(p->at + begin + size, p->at + begin, length);
    memcpy(p->at + begin, bytes, size);
}

void rv_protobuf_join(rv_protobuf *p, const rv_protobuf *other)
{
    p->failed = p->failed || other->failed;
    put(p, other->at, other->length);
}
