// SPDX-License-Identifier: Apache-2.0
#include "deliver/receipt.h"

#include "base/limits.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char stream_name[] = "agog_receipts";

enum status receipt_stream_config(struct stream_config *config, struct errinfo *err)
{
    const int64_t day_ns = INT64_C(86400000000000);
    stream_config_init(config);
    enum status status = stream_config_set_string(&config->name, bytes_of_string(stream_name));
    if (status == STATUS_OK)
        status = stream_config_add_subject(config, BYTES("agog.receipts.>"), err);
    config->max_msgs = 100000;
    config->max_bytes = 100 << 20;
    config->max_age_ns = 30 * day_ns;
    config->duplicate_window_ns = INT64_C(120000000000);
    config->allow_direct = true;
    return status;
}

static void subject_of(const struct ref *ref, char subject[REF_TEXT_SIZE])
{
    char deliverable[REF_TEXT_SIZE];
    ref_format(ref, REF_FORM_SUBJECT, deliverable);
    snprintf(subject, REF_TEXT_SIZE, "agog.receipts.%s", deliverable + strlen(REF_SUBJECT_PREFIX));
}

static json_t *text_json(struct bytes text)
{
    return json_stringn_nocheck(text.data == NULL ? "" : text.data, text.size);
}

enum status receipt_write(struct bus *bus, const struct receipt *receipt, struct errinfo *err)
{
    char subject[REF_TEXT_SIZE];
    struct bus_ack ack;
    subject_of(&receipt->ref, subject);
    json_t *document = json_pack("{s:I, s:o, s:o, s:I}", "rev", (json_int_t)receipt->ref.rev,
                                 "reader", text_json(receipt->reader), "what",
                                 text_json(receipt->what), "tokens", (json_int_t)receipt->tokens);
    if (document != NULL && receipt->run.size > 0)
        json_object_set_new(document, "run", text_json(receipt->run));
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (text == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a receipt");
    struct bus_message message = {.subject = bytes_of_string(subject),
                                  .body = bytes_of_string(text)};
    enum status status = bus->operations->publish(bus, &message, &ack, err);
    free(text);
    return status;
}

static struct bytes member(const json_t *document, const char *key)
{
    const json_t *value = json_object_get(document, key);
    return bytes_of(json_string_value(value), json_string_length(value));
}

static enum status show(const struct bus_message *message, const struct ref *ref,
                        receipt_visit visit, void *context)
{
    json_t *document = json_loadb(message->body.data, message->body.size, 0, NULL);
    struct receipt receipt = {
        .ref = *ref,
        .reader = member(document, "reader"),
        .what = member(document, "what"),
        .run = member(document, "run"),
        .tokens = (uint64_t)json_integer_value(json_object_get(document, "tokens")),
        .time_ns = message->time_ns,
    };
    receipt.ref.rev = (uint64_t)json_integer_value(json_object_get(document, "rev"));
    bool wanted = document != NULL && (ref->rev == 0 || ref->rev == receipt.ref.rev);
    enum status status = wanted ? visit(context, &receipt) : STATUS_OK;
    json_decref(document);
    return status;
}

enum status receipt_walk(struct bus *bus, const struct ref *ref, receipt_visit visit, void *context,
                         struct errinfo *err)
{
    char subject[REF_TEXT_SIZE];
    struct buf storage;
    uint64_t at = 1;
    enum status status = STATUS_OK;
    subject_of(ref, subject);
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    while (status == STATUS_OK) {
        struct bus_message message;
        struct bus_get get = {.seq = at, .subject = bytes_of_string(subject), .part = BUS_ALL};
        status = bus->operations->get(bus, stream_name, &get, &storage, &message, err);
        if (status != STATUS_OK)
            break;
        at = message.seq + 1;
        status = show(&message, ref, visit, context);
    }
    buf_fini(&storage);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
