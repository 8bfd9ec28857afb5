// SPDX-License-Identifier: Apache-2.0
#include "bus/bus_nats_follow.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum {
    CODE_FILTER_NOT_SUBSET = 10093,
    HEARTBEAT_MS = 3000,
    EXPIRES_MS = 30000,
    INACTIVE_MS = 60000, // the server forgets a consumer that nobody asks for anything after this
    BATCH = 500,
    BATCH_BYTES_MAX = 32 << 20, // more than the largest message
};

static void consumer_name(const struct nats_follow *follow, const struct nats_source *source,
                          char name[NATS_CONSUMER_NAME_SIZE])
{
    snprintf(name, NATS_CONSUMER_NAME_SIZE, "%s-%zu-%u", follow->prefix,
             (size_t)(source - follow->sources), source->generation);
}

static json_t *make_config(const struct nats_follow *follow, const struct nats_source *source,
                           const char *name)
{
    json_t *config = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:b, s:i}", "name", name, "deliver_policy",
        follow->last_each ? "last_per_subject" : "by_start_sequence", "ack_policy", "none",
        "replay_policy", "instant", "inactive_threshold", (json_int_t)INACTIVE_MS * 1000000,
        "mem_storage", 1, "num_replicas", 1);
    if (config == NULL)
        return NULL;
    if (!follow->last_each)
        json_object_set_new(config, "opt_start_seq", json_integer((json_int_t)source->next_seq));
    if (!source->filter_here && source->filter[0] != '\0')
        json_object_set_new(config, "filter_subject", json_string(source->filter));
    else if (follow->last_each)
        json_object_set_new(config, "filter_subject", json_string(">"));
    if (follow->part == BUS_HEAD)
        json_object_set_new(config, "headers_only", json_true());
    return config;
}

static enum status create(struct nats_follow *follow, struct nats_source *source,
                          struct errinfo *err)
{
    struct nats_bus *self = nats_of(follow->follow.bus);
    char name[NATS_CONSUMER_NAME_SIZE];
    char verb[NATS_SUBJECT_SIZE];
    char what[BUS_STREAM_NAME_SIZE + 64];
    json_t *answer = NULL;
    source->generation++;
    source->delivered = 0;
    consumer_name(follow, source, name);
    snprintf(what, sizeof what, "following stream %s", source->stream);
    enum status status = bus_nats_verb("CONSUMER.CREATE.", source->stream, verb, err);
    if (status != STATUS_OK)
        return status;
    // With its name in the subject the request can be repeated: it makes one consumer.
    snprintf(verb + strlen(verb), sizeof verb - strlen(verb), ".%s", name);
    json_t *body = json_pack("{s:s, s:o*}", "stream_name", source->stream, "config",
                             make_config(follow, source, name));
    if (body == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for %s", what);
    struct nats_api api = {verb, body, bus_nats_call_of(self, what, NATS_REPEATABLE)};
    status = bus_nats_api(self, &api, &answer, err);
    if (status == STATUS_OK) {
        source->running = true;
        source->heard_ns = clock_monotonic_ns();
        source->pending = (uint64_t)json_integer_value(json_object_get(answer, "num_pending"));
        source->clustered = json_is_object(json_object_get(answer, "cluster"));
        bus_nats_consumer_pull(follow, source);
    }
    json_decref(answer);
    return status;
}

void bus_nats_consumer_pull(struct nats_follow *follow, struct nats_source *source)
{
    const struct nats_bus *self = nats_of(follow->follow.bus);
    char name[NATS_CONSUMER_NAME_SIZE];
    char subject[NATS_SUBJECT_SIZE];
    char reply[256];
    char body[160];
    consumer_name(follow, source, name);
    snprintf(subject, sizeof subject, "%s.CONSUMER.MSG.NEXT.%s.%s", self->api, source->stream,
             name);
    snprintf(reply, sizeof reply, "%s.%s", follow->inbox, name);
    snprintf(body, sizeof body,
             "{\"batch\":%d,\"max_bytes\":%d,\"expires\":%lld,\"idle_heartbeat\":%lld}", BATCH,
             BATCH_BYTES_MAX, EXPIRES_MS * 1000000LL, HEARTBEAT_MS * 1000000LL);
    source->wanted = BATCH;
    natsConnection_PublishRequestString(self->connection, subject, reply, body);
}

enum status bus_nats_consumer_start(struct nats_follow *follow, struct nats_source *source,
                                    struct errinfo *err)
{
    struct errinfo why;
    errinfo_clear(&why);
    bus_nats_consumer_drop(follow, source);
    enum status status = create(follow, source, &why);
    // A filter outside of the stream's subjects matches nothing today and perhaps something
    // tomorrow, when the stream listens to more.
    if (status != STATUS_OK && why.protocol_code == CODE_FILTER_NOT_SUBSET) {
        source->filter_here = true;
        status = create(follow, source, &why);
    }
    if (status != STATUS_OK && err != NULL)
        *err = why;
    return status;
}

void bus_nats_consumer_drop(struct nats_follow *follow, struct nats_source *source)
{
    struct nats_bus *self = nats_of(follow->follow.bus);
    char name[NATS_CONSUMER_NAME_SIZE];
    char subject[NATS_SUBJECT_SIZE];
    if (!source->running)
        return;
    source->running = false;
    consumer_name(follow, source, name);
    snprintf(subject, sizeof subject, "%s.CONSUMER.DELETE.%s.%s", self->api, source->stream, name);
    // When it does not get there the server drops the consumer for want of a listener.
    natsConnection_PublishString(self->connection, subject, "");
}

// The n-th token from the end, counted from 0.
static struct bytes token_from_end(struct bytes subject, size_t n)
{
    size_t end = subject.size;
    for (;;) {
        size_t start = end;
        while (start > 0 && subject.data[start - 1] != '.')
            start--;
        if (n-- == 0)
            return bytes_slice(subject, start, end - start);
        if (start == 0)
            return (struct bytes){NULL, 0};
        end = start - 1;
    }
}

static bool is_delivery(struct bytes reply)
{
    return bytes_start_with(reply, BYTES("$JS.ACK."));
}

// "$JS.ACK.[domain.hash.]stream.consumer.tries.sseq.cseq.time.pending[.random]".
static struct bytes reply_token(struct bytes reply, size_t n)
{
    size_t dots = 0;
    for (size_t i = 0; i < reply.size; i++)
        dots += reply.data[i] == '.';
    return token_from_end(reply, dots >= 11 ? n + dots - 10 : n);
}

bool bus_nats_consumer_delivery(natsMsg *message, struct nats_delivery *delivery)
{
    struct bytes reply = bytes_of_string(natsMsg_GetReply(message));
    uint64_t time_ns;
    if (!is_delivery(reply) || !bytes_to_u64(reply_token(reply, 0), &delivery->pending) ||
        !bytes_to_u64(reply_token(reply, 1), &time_ns) ||
        !bytes_to_u64(reply_token(reply, 2), &delivery->consumer_seq) ||
        !bytes_to_u64(reply_token(reply, 3), &delivery->stream_seq))
        return false;
    delivery->time_ns = (int64_t)time_ns;
    return true;
}

struct nats_source *bus_nats_consumer_of(struct nats_follow *follow, natsMsg *message)
{
    struct bytes reply = bytes_of_string(natsMsg_GetReply(message));
    struct bytes name = is_delivery(reply)
                            ? reply_token(reply, 5)
                            : token_from_end(bytes_of_string(natsMsg_GetSubject(message)), 0);
    struct bytes rest;
    uint64_t at, generation;
    if (!bytes_start_with(name, bytes_of_string(follow->prefix)))
        return NULL;
    name = bytes_from(name, strlen(follow->prefix) + 1);
    struct bytes number = bytes_cut(name, '-', &rest);
    if (!bytes_to_u64(number, &at) || at >= follow->count || !bytes_to_u64(rest, &generation))
        return NULL;
    struct nats_source *source = &follow->sources[at];
    return source->running && source->generation == generation ? source : NULL;
}
