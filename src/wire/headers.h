// SPDX-License-Identifier: Apache-2.0
// The header block of a NATS message (ADR-4): "NATS/1.0", optionally a status code and text, then
// "Name: value" lines, each ended by CR LF, and an empty line. Reading takes what other clients
// write; writing refuses what would break out of its line.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"

// The first value of a name (letter case does not count), without blanks around it. Views borrow
// from the block. False when the name is not there or the block is empty.
bool headers_find(struct bytes block, struct bytes name, struct bytes *value);

// Walks the lines: *rest starts as the block and shrinks. False at the end.
bool headers_next(struct bytes *rest, struct bytes *name, struct bytes *value);

// The status of the first line, as "NATS/1.0 404 No Messages" has one: three digits, and the text
// behind them (often empty). False when there is none.
bool headers_status(struct bytes block, int *code, struct bytes *text);

// STATUS_INVALID when the block is not one: no version line, no empty line at the end, a line
// without a colon. An empty block is fine.
enum status headers_check(struct bytes block, struct errinfo *err);

// Building: begin, add..., end; the buf's own status says whether all of it fitted.
void headers_begin(struct buf *out);
void headers_end(struct buf *out);

// STATUS_INVALID when the name is empty or has a colon, blank or control character, or the value
// has CR, LF or NUL. Blanks around a value do not survive reading.
enum status headers_add(struct buf *out, struct bytes name, struct bytes value,
                        struct errinfo *err);
