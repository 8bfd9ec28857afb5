// SPDX-License-Identifier: Apache-2.0
// Revision numbers: they count up for each deliverable and are never given twice, not even when
// retention has taken every message that carried them. The counter lives in the KV bucket
// agog_revisions, one key a deliverable; a number is reserved there by compare-and-set before the
// report that carries it is published. A publisher that dies in between leaves a gap, never a
// number that means two reports.
//
// The bucket's history also remembers when each of the last numbers was given, so that a revision
// that retention took can be told from one that never was.
#pragma once

#include "bus/bus.h"
#include "deliver/ref.h"

// Makes the bucket; nothing when it is there.
enum status revision_init(struct bus *bus, bool *changed, struct errinfo *err);

// Reserves the number after both `at_least` and the highest one ever given.
enum status revision_reserve(struct bus *bus, const struct ref *ref, uint64_t at_least,
                             uint64_t *rev, struct errinfo *err);

// The highest number ever given, 0 when there is none.
enum status revision_highest(struct bus *bus, const struct ref *ref, uint64_t *rev,
                             struct errinfo *err);

// When a number was given; STATUS_NOT_FOUND when that is not remembered.
enum status revision_time(struct bus *bus, const struct ref *ref, uint64_t rev, int64_t *time_ns,
                          struct errinfo *err);
