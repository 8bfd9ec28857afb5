// SPDX-License-Identifier: Apache-2.0
// Messages between the library's form and the bus's. The library takes header blocks apart, so they
// are put together again here; what has no header lines becomes an empty block.
#include "bus/bus_nats_private.h"

#include "base/limits.h"
#include "wire/headers.h"

#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a message");
}

enum status bus_nats_message_store(const struct bus_message *from, struct buf *storage,
                                   struct bus_message *to, struct errinfo *err)
{
    buf_clear(storage);
    buf_append(storage, from->subject);
    buf_append(storage, from->headers);
    buf_append(storage, from->body);
    enum status status = buf_status(storage);
    if (status == STATUS_LIMIT)
        return errinfo_set(err, status, "message %llu has %zu bytes, %zu can be read",
                           (unsigned long long)from->seq,
                           from->subject.size + from->headers.size + from->body.size, storage->max);
    if (status != STATUS_OK)
        return no_memory(err);
    struct bytes all = buf_bytes(storage);
    *to = (struct bus_message){
        .seq = from->seq,
        .time_ns = from->time_ns,
        .subject = bytes_slice(all, 0, from->subject.size),
        .headers = bytes_slice(all, from->subject.size, from->headers.size),
        .body = bytes_from(all, from->subject.size + from->headers.size),
    };
    return STATUS_OK;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

// The server puts its own line behind those of the publisher: of an added name only the last value
// is the server's.
static enum status add_lines(natsMsg *message, const char *name, bool added, struct buf *out,
                             struct errinfo *err)
{
    const char **values = NULL;
    int count = 0;
    natsStatus got = natsMsgHeader_Values(message, name, &values, &count);
    if (got != NATS_OK)
        return got == NATS_NOT_FOUND ? STATUS_OK : no_memory(err);
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < count - added; i++)
        status = headers_add(out, bytes_of_string(name), bytes_of_string(values[i]), err);
    free(values);
    return status;
}

enum status bus_nats_message_headers(natsMsg *message, const char *const *added, struct buf *out,
                                     struct errinfo *err)
{
    const char **names = NULL;
    int count = 0;
    natsStatus got = natsMsgHeader_Keys(message, &names, &count);
    buf_clear(out);
    if (got == NATS_NOT_FOUND)
        return STATUS_OK;
    if (got != NATS_OK)
        return got == NATS_NO_MEMORY
                   ? no_memory(err)
                   : errinfo_set(err, STATUS_CORRUPT, "a message's headers cannot be read");
    headers_begin(out);
    size_t empty = out->size;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = add_lines(message, names[i], is_listed(added, names[i]), out, err);
    free(names);
    if (status != STATUS_OK)
        return status;
    if (out->size == empty) {
        buf_clear(out);
        return STATUS_OK;
    }
    headers_end(out);
    return buf_status(out) == STATUS_OK ? STATUS_OK : no_memory(err);
}

// A copy that ends in NUL, for the library. NULL when there is no memory or the text has a NUL.
static char *text_of(struct bytes text)
{
    if (bytes_find_byte(text, '\0') != SIZE_MAX)
        return NULL;
    return strndup(text.size == 0 ? "" : text.data, text.size);
}

static enum status add_header(natsMsg *message, struct bytes name, struct bytes value,
                              struct errinfo *err)
{
    char *name_text = text_of(name);
    char *value_text = text_of(value);
    natsStatus added = NATS_INVALID_ARG;
    if (name_text != NULL && value_text != NULL)
        added = natsMsgHeader_Add(message, name_text, value_text);
    free(name_text);
    free(value_text);
    return added == NATS_OK
               ? STATUS_OK
               : errinfo_set(err, STATUS_INVALID, "the message has a header that cannot be sent");
}

enum status bus_nats_message_make(const struct bus_message *from, natsMsg **out,
                                  struct errinfo *err)
{
    natsMsg *message = NULL;
    struct bytes name, value, rest = from->headers;
    char *subject = text_of(from->subject);
    if (subject == NULL)
        return errinfo_set(err, STATUS_INVALID, "the message's subject cannot be sent");
    natsStatus made = natsMsg_Create(&message, subject, NULL, from->body.data,
                                     (int)from->body.size);
    free(subject);
    if (made != NATS_OK)
        return no_memory(err);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && headers_next(&rest, &name, &value))
        status = add_header(message, name, value, err);
    if (status != STATUS_OK)
        natsMsg_Destroy(message);
    else
        *out = message;
    return status;
}

const char *bus_nats_message_header(natsMsg *message, const char *name)
{
    const char **values = NULL;
    const char *last = NULL;
    int count = 0;
    if (natsMsgHeader_Values(message, name, &values, &count) != NATS_OK)
        return NULL;
    if (count > 0)
        last = values[count - 1];
    free(values);
    return last;
}

int bus_nats_message_status(natsMsg *message)
{
    const char *text = NULL;
    if (natsMsg_GetDataLength(message) > 0 ||
        natsMsgHeader_Get(message, "Status", &text) != NATS_OK || text == NULL)
        return 0;
    return atoi(text);
}

static int base64_value(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

enum status bus_nats_base64_decode(struct bytes text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned held = 0;
    while (text.size > 0 && text.data[text.size - 1] == '=')
        text.size--;
    char *to = buf_reserve(out, text.size / 4 * 3 + 3);
    if (to == NULL)
        return buf_status(out);
    for (size_t i = 0; i < text.size; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0)
            return STATUS_CORRUPT;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *to++ = (char)(unsigned char)(bits >> held & 0xff);
            out->size++;
        }
    }
    return STATUS_OK;
}

void bus_nats_message_cut(const struct bus_get *get, struct bus_message *message)
{
    if (get->part == BUS_HEAD)
        message->body = (struct bytes){NULL, 0};
    if (get->part != BUS_RANGE)
        return;
    size_t from = get->range_from < message->body.size ? (size_t)get->range_from
                                                       : message->body.size;
    size_t size = get->range_size < message->body.size ? (size_t)get->range_size
                                                       : message->body.size;
    *message = (struct bus_message){.seq = message->seq,
                                    .body = bytes_slice(message->body, from, size)};
}
