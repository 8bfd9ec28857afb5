// SPDX-License-Identifier: Apache-2.0
// Subjects: tokens separated by dots. A literal subject names messages; a pattern may have "*" for
// one whole token and ">" as its last token for one or more. No token is empty, and none holds
// blanks, tabs, CR, LF, FF or NUL (as nats-server's isValidSubject).
#pragma once

#include "base/bytes.h"
#include "base/errinfo.h"

bool subject_is_literal(struct bytes subject);
bool subject_is_pattern(struct bytes subject); // literal subjects are patterns too

// STATUS_INVALID with the reason.
enum status subject_check(struct bytes subject, bool wildcards, struct errinfo *err);

// Whether a literal subject matches a pattern; both are valid.
bool subject_matches(struct bytes pattern, struct bytes subject);

// Whether some literal subject matches both patterns.
bool subject_overlaps(struct bytes a, struct bytes b);

// Whether everything that matches `part` also matches `whole`.
bool subject_covers(struct bytes whole, struct bytes part);

bool subject_has_wildcard(struct bytes subject);
