// SPDX-License-Identifier: Apache-2.0
#include "deliver/shelf.h"

#include "base/limits.h"
#include "deliver/outline_json.h"
#include "deliver/read.h"
#include "deliver/tokens.h"

#include <stdio.h>
#include <string.h>

static const char stream_name[] = "agog_outlines";

enum { SUBJECT_SIZE = 128 };

enum status shelf_stream_config(struct stream_config *config, struct errinfo *err)
{
    stream_config_init(config);
    enum status status = stream_config_set_string(&config->name, bytes_of_string(stream_name));
    if (status == STATUS_OK)
        status = stream_config_add_subject(config, BYTES("agog.outlines.*"), err);
    config->max_msgs_per_subject = 1;
    config->max_bytes = INT64_C(256) << 20;
    config->max_msg_size = LIMIT_MESSAGE_BYTES;
    config->duplicate_window_ns = INT64_C(120000000000);
    config->allow_direct = true;
    return status;
}

// A digest is "sha256:" and hex: a subject's token as it stands.
static void subject_of(const char *digest, char subject[SUBJECT_SIZE])
{
    snprintf(subject, SUBJECT_SIZE, "agog.outlines.%s", digest);
}

enum status shelf_put(struct bus *bus, const char *digest, const struct outline *outline,
                      struct errinfo *err)
{
    char subject[SUBJECT_SIZE];
    struct buf text;
    struct bus_ack ack;
    buf_init(&text, LIMIT_MESSAGE_BYTES);
    subject_of(digest, subject);
    enum status status = outline_json_write(outline, &text, err);
    if (status == STATUS_OK) {
        struct bus_message message = {.subject = bytes_of_string(subject),
                                      .body = buf_bytes(&text)};
        status = bus->operations->publish(bus, &message, &ack, err);
    }
    buf_fini(&text);
    return status;
}

static enum status get_kept(struct bus *bus, const struct report *report, struct outline *outline)
{
    char subject[SUBJECT_SIZE];
    struct buf storage;
    struct bus_message message;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    subject_of(report->digest, subject);
    struct bus_get get = {.subject = bytes_of_string(subject), .part = BUS_ALL};
    enum status status = bus->operations->get(bus, stream_name, &get, &storage, &message, NULL);
    if (status == STATUS_OK)
        status = outline_json_read(message.body, outline, NULL);
    buf_fini(&storage);
    // Of another text it is worse than none.
    if (status == STATUS_OK && (outline->bytes != report->bytes || !outline->counted)) {
        outline_fini(outline);
        return STATUS_NOT_FOUND;
    }
    return status;
}

enum status shelf_outline(struct bus *bus, struct report *report, struct buf *storage,
                          struct outline *outline, struct errinfo *err)
{
    if (get_kept(bus, report, outline) == STATUS_OK)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (report->body.data == NULL && report->bytes > 0)
        status = read_body(bus, report, storage, err);
    if (status == STATUS_OK)
        status = outline_build(report->body, outline, err);
    if (status != STATUS_OK)
        return status;
    status = outline_count(outline, report->body, tokens_count);
    if (status != STATUS_OK)
        outline_fini(outline);
    return status;
}

enum status shelf_range(struct bus *bus, const struct report *report, struct section_range range,
                        struct buf *storage, struct bytes *text, struct errinfo *err)
{
    if (report->body.data != NULL) {
        *text = bytes_slice(report->body, range.from, range.to - range.from);
        return STATUS_OK;
    }
    struct bus_message message;
    struct bus_get get = {.seq = report->seq,
                          .part = BUS_RANGE,
                          .range_from = range.from,
                          .range_size = range.to - range.from};
    enum status status = bus->operations->get(bus, report->stream, &get, storage, &message, err);
    if (status == STATUS_OK)
        *text = message.body;
    return status;
}
