// SPDX-License-Identifier: Apache-2.0
// The three names of a deliverable and how a feature travels in a NATS subject.
//
// Agent and type are lower-case ASCII letters, digits, '-' and '_', up to 64 bytes. A feature is
// any UTF-8 text of 1 to 200 bytes without control characters that is not all blank. Nothing is
// folded, trimmed or normalised: two different texts are two different deliverables.
//
// A subject token cannot hold blanks, '.', '*' or '>'. Those, and '/', '@', '#' (which separate the
// parts of a ref) and '%' itself, are written as %XX with upper-case hex digits, byte by byte; so
// are Unicode blanks and invisible characters, which nobody could see in a listing. Everything else
// stands as it is: REQ-STRATEGIC-AUTO-1766527796497 is its own token. There is exactly one token
// for each feature, and decoding refuses any other spelling, so that two subjects never mean the
// same deliverable.
#pragma once

#include "base/bytes.h"
#include "base/errinfo.h"
#include "base/limits.h"

enum { NAME_TOKEN_SIZE = 3 * LIMIT_FEATURE_BYTES + 1 };

// STATUS_INVALID or STATUS_LIMIT with the reason and the remedy in err.
enum status name_check_agent(struct bytes name, struct errinfo *err);
enum status name_check_type(struct bytes name, struct errinfo *err);
enum status name_check_feature(struct bytes name, struct errinfo *err);

// Writes the subject token of a legal feature, with a NUL, and returns its size.
size_t name_encode(struct bytes feature, char out[NAME_TOKEN_SIZE]);

// The reverse: the feature, with a NUL behind it. Refuses what name_encode would not have written.
enum status name_decode(struct bytes token, char out[LIMIT_FEATURE_BYTES + 1], struct errinfo *err);

// True for blanks of any script, control characters and characters that show nothing (zero width,
// direction marks, variation of line and paragraph ends).
bool name_code_is_hidden(uint32_t code);
