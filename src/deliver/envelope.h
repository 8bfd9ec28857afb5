// SPDX-License-Identifier: Apache-2.0
// The first system's envelope around a report: one JSON object
//
//   {"content": "<the report>", "metadata": {"agent", "taskType", "feature", "timestamp", ...}}
//
// It is recognised on reading, so that its streams can be read, and written on request, so that its
// code can read ours. Only an object with exactly these two members is an envelope, content a
// string and metadata an object with agent, taskType and feature; notices and JSON reports are not.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"

struct envelope {
    struct bytes content;
    struct bytes agent;
    struct bytes type;
    struct bytes feature;
    struct bytes timestamp; // as it stands there, RFC 3339; "" without one
    struct bytes metadata;  // the other members, a JSON object; "{}" without any
    char *owned;            // of an envelope that was read
};

// True when body is an envelope; out then owns what it points to until envelope_fini. False also
// when memory runs out, which makes the body a report of its own.
bool envelope_read(struct bytes body, struct envelope *out);
void envelope_fini(struct envelope *envelope);

// Appends the envelope, compact. The names and the timestamp always win over members of metadata
// with their keys. STATUS_INVALID when content is not UTF-8, which JSON cannot hold, or metadata is
// neither empty nor a JSON object.
enum status envelope_write(const struct envelope *envelope, struct buf *out, struct errinfo *err);
