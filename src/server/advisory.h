// SPDX-License-Identifier: Apache-2.0
// Advisories: JSON events on $JS.EVENT.ADVISORY.> and $JS.EVENT.METRIC.>, made only when somebody
// listens.
#pragma once

#include "server/jetstream.h"

// A stream was created, changed or deleted: kind is the subject's token ("CREATED"), action is
// "create", "modify" or "delete".
void advisory_stream(struct jetstream *js, const char *stream, const char *kind,
                     const char *action);
void advisory_consumer(struct jetstream *js, const char *stream, const char *consumer,
                       const char *kind, const char *action);

// An event whose own members the caller has, each behind a comma. type is what follows
// "io.nats.jetstream.", as "advisory.v1.stream_action".
void advisory_send(struct jetstream *js, struct bytes subject, const char *type,
                   struct bytes members);
