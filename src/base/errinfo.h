// SPDX-License-Identifier: Apache-2.0
// The text of a failure: one line that says what failed, on which name, why, and what to do. It is
// owned by the caller, written where the fact is known and may be wrapped on the way up.
//
// Bytes that came from outside are written with errinfo_quote, so that a control character in a
// name can never forge a second line of output.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

enum { ERRINFO_TEXT_MAX = 768 }; // bytes with the terminating NUL; a longer text ends in "..."

struct errinfo {
    // The protocol's own error number where it has one (JetStream's err_code), else 0.
    int protocol_code;
    char text[ERRINFO_TEXT_MAX];
};

// An errinfo that says nothing yet; every function below takes NULL for "nobody wants the text".
void errinfo_clear(struct errinfo *err);

// Replaces the text and returns status, so that a failing function can end in one line:
//     return errinfo_set(err, STATUS_NOT_FOUND, "no stream %s", name);
enum status errinfo_set(struct errinfo *err, enum status status, const char *format, ...)
    AGOG_PRINTF(3, 4);

// The same with a JetStream err_code beside the text.
enum status errinfo_set_code(struct errinfo *err, enum status status, int protocol_code,
                             const char *format, ...) AGOG_PRINTF(4, 5);

// Puts "<what>: " in front of the text and returns status.
enum status errinfo_wrap(struct errinfo *err, enum status status, const char *format, ...)
    AGOG_PRINTF(3, 4);

// The status of errno, with "<what>: <strerror>" as the text.
enum status errinfo_set_errno(struct errinfo *err, int error_number, const char *format, ...)
    AGOG_PRINTF(3, 4);

enum { ERRINFO_QUOTED_MAX = 256 };

// Renders text for an error line: in double quotes, control characters, quotes, backslashes and
// invalid UTF-8 as escapes (\n, \x1b), at most 80 characters of the original and then "...".
// Returns out.
const char *errinfo_quote(struct bytes text, char out[ERRINFO_QUOTED_MAX]);

// The same without the quotes around it, for a text that a protocol prescribes. Returns out.
const char *errinfo_escape(struct bytes text, char out[ERRINFO_QUOTED_MAX]);
