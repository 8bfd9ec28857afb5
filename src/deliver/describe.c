// SPDX-License-Identifier: Apache-2.0
#include "deliver/describe.h"

#include "base/clock.h"

static json_t *text_json(struct bytes text)
{
    return json_stringn(text.data == NULL ? "" : text.data, text.size);
}

// Refs in a header are separated by blanks.
static json_t *inputs_json(struct bytes inputs)
{
    json_t *list = json_array();
    while (inputs.size > 0) {
        struct bytes rest;
        json_array_append_new(list, text_json(bytes_cut(inputs, ' ', &rest)));
        inputs = rest;
    }
    return list;
}

json_t *describe_report(const struct report *report)
{
    char ref[REF_TEXT_SIZE];
    char time[CLOCK_RFC3339_SIZE];
    ref_format(&report->ref, REF_FORM_TEXT, ref);
    json_t *document = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:s, s:I, s:I, s:s}", "ref", ref, "agent",
        report->ref.agent, "type", report->ref.type, "feature", report->ref.feature, "rev",
        (json_int_t)report->ref.rev, "stream", report->stream, "seq", (json_int_t)report->seq,
        "status", notice_status_name(report->status), "digest", report->digest, "bytes",
        (json_int_t)report->bytes, "tokens", (json_int_t)report->tokens, "published",
        clock_format(report->time_ns, time));
    if (document == NULL)
        return NULL;
    json_object_set_new(document, "title", text_json(report->title));
    json_object_set_new(document, "summary", text_json(report->summary));
    json_object_set_new(document, "author", text_json(report->author));
    json_object_set_new(document, "sections", json_integer((json_int_t)report->sections));
    json_object_set_new(document, "inputs", inputs_json(report->inputs));
    if (report->run.size > 0)
        json_object_set_new(document, "run", text_json(report->run));
    if (report->expires_ns != 0)
        json_object_set_new(document, "expires",
                            json_string(clock_format(report->expires_ns, time)));
    json_t *meta = report->meta.size == 0
                       ? NULL
                       : json_loadb(report->meta.data, report->meta.size, 0, NULL);
    if (meta != NULL)
        json_object_set_new(document, "meta", meta);
    return document;
}
