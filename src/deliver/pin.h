// SPDX-License-Identifier: Apache-2.0
// Pinning: a pinned revision is copied, with its headers, into the stream agog_pins, which has no
// limits, under agog.pins.<agent>.<type>.<feature>.<rev>. When retention takes the original, reads
// find the copy.
#pragma once

#include "deliver/report.h"

// The configuration of the stream; initialised by the call.
enum status pin_stream_config(struct stream_config *config, struct errinfo *err);

// Pins the revision of a report whose body was read; *changed is false when it was pinned already.
enum status pin_put(struct bus *bus, const struct report *report, bool *changed,
                    struct errinfo *err);
enum status pin_remove(struct bus *bus, const struct ref *ref, struct errinfo *err);

// Reads a pinned revision, the highest one for a ref without. STATUS_NOT_FOUND when none is pinned.
enum status pin_read(struct bus *bus, const struct ref *ref, enum bus_part part,
                     struct buf *storage, struct report *report, struct errinfo *err);

// Each pinned subject's ref.
typedef enum status (*pin_visit)(void *context, const struct ref *ref);
enum status pin_walk(struct bus *bus, pin_visit visit, void *context, struct errinfo *err);
