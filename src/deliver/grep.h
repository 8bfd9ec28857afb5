// SPDX-License-Identifier: Apache-2.0
// Searching a report line by line with a POSIX extended regular expression, or a plain string.
// Bytes are compared, not letters of a locale. Of a line only the first GREP_LINE_BYTES are looked
// at; NUL bytes in it are taken for blanks.
//
// Patterns come from outside, and C libraries can be made to eat memory or time by some, so those
// are refused: longer than GREP_PATTERN_BYTES, back references, and repetition counts that multiply
// to more than 10,000.
#pragma once

#include "deliver/outline.h"

enum {
    GREP_PATTERN_BYTES = 1000,
    GREP_LINE_BYTES = 64 * 1024,
    GREP_CONTEXT_MAX = 100,
};

struct grep_options {
    struct bytes pattern;
    bool fixed; // the pattern is a plain string
    bool ignore_case;
    unsigned before, after; // lines of context, at most GREP_CONTEXT_MAX
    size_t matches_max;     // 0 is all
};

struct grep_line {
    size_t number;   // from 1
    size_t from, to; // its bytes, without the line ending
    uint32_t section;
    bool is_match; // else it is context
    bool is_apart; // lines between the one reported before and this one are left out
};

struct grep_result {
    size_t matches;    // lines that match in the whole report, reported or not
    size_t long_lines; // lines that were not looked at to their end
};

// Returns false to stop.
typedef bool grep_on_line(void *context, const struct grep_line *line);

// STATUS_USAGE when the pattern is refused, with the reason.
enum status grep_report(const struct outlined *source, const struct grep_options *options,
                        grep_on_line *on_line, void *context, struct grep_result *result,
                        struct errinfo *err);
