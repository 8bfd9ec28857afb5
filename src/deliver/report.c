// SPDX-License-Identifier: Apache-2.0
#include "deliver/report.h"

#include "base/sha256.h"
#include "deliver/tokens.h"
#include "wire/headers.h"

#include <stdio.h>
#include <string.h>

static struct bytes header(const struct bus_message *message, struct bytes name)
{
    struct bytes value = {NULL, 0};
    headers_find(message->headers, name, &value);
    return value;
}

static bool number(const struct bus_message *message, struct bytes name, uint64_t *value)
{
    return bytes_to_u64(header(message, name), value);
}

bool report_is_numbered(const struct bus_message *message)
{
    uint64_t rev;
    return number(message, BYTES("Agog-Rev"), &rev) && rev > 0;
}

static void read_headers(struct report *report, const struct bus_message *message)
{
    struct bytes digest = header(message, BYTES("Agog-Digest"));
    report->title = header(message, BYTES("Agog-Title"));
    report->summary = header(message, BYTES("Agog-Summary"));
    report->author = header(message, BYTES("Agog-Author"));
    report->inputs = header(message, BYTES("Agog-Inputs"));
    report->run = header(message, BYTES("Agog-Run"));
    report->meta = header(message, BYTES("Agog-Meta"));
    if (notice_status_parse(header(message, BYTES("Agog-Status")), &report->status, NULL) !=
        STATUS_OK)
        report->status = NOTICE_COMPLETE;
    if (digest.size < sizeof report->digest && digest.size > 0)
        memcpy(report->digest, digest.data, digest.size);
    report->enveloped = header(message, BYTES("Agog-Form")).size > 0;
    number(message, BYTES("Agog-Rev"), &report->ref.rev);
    number(message, BYTES("Agog-Bytes"), &report->bytes);
    number(message, BYTES("Agog-Tokens"), &report->tokens);
    number(message, BYTES("Agog-Sections"), &report->sections);
}

void report_digest(struct bytes body, char digest[REPORT_DIGEST_SIZE])
{
    memcpy(digest, "sha256:", 7);
    sha256_hex(body, digest + 7);
}

enum status report_measure(struct report *report, struct errinfo *err)
{
    size_t tokens;
    report->bytes = report->body.size;
    report_digest(report->body, report->digest);
    enum status status = tokens_count(report->body, &tokens);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to count the report's tokens");
    report->tokens = tokens;
    return STATUS_OK;
}

enum status report_of_message(const char *stream, const struct bus_message *message,
                              enum bus_part part, struct report *report, struct errinfo *err)
{
    *report = (struct report){
        .seq = message->seq, .time_ns = message->time_ns, .subject = message->subject};
    enum status status = ref_of_subject(message->subject, &report->ref, err);
    if (status != STATUS_OK)
        return status;
    snprintf(report->stream, sizeof report->stream, "%s", stream);
    read_headers(report, message);
    if (part == BUS_HEAD)
        return STATUS_OK;
    report->body = message->body;
    return STATUS_OK;
}
