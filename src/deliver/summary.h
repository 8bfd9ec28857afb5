// SPDX-License-Identifier: Apache-2.0
// The title and the summary of a report, derived without a model from what its author wrote. Both
// are one line of plain UTF-8, whole sentences where they fit.
//
// Title: the report's first heading of level 1, else the title of its front matter, else its first
// heading; of JSON the first of title, name, task, feature and the requirement ids, else its keys;
// of other text the first line.
// Summary: the publisher's own, else the first running text of the section that calls itself a
// summary (Executive Summary, TL;DR, Abstract, Zusammenfassung ...), else the first running text of
// the report; of JSON its summary or description.
#pragma once

#include "base/limits.h"
#include "deliver/outline.h"

// Writes the title with a NUL and returns its size; "" for an empty report.
size_t summary_title(const struct outline *outline, struct bytes report,
                     char out[LIMIT_TITLE_BYTES + 1]);

// Writes the summary with a NUL and returns its size; given is the publisher's own or empty.
size_t summary_text(const struct outline *outline, struct bytes report, struct bytes given,
                    char out[LIMIT_SUMMARY_BYTES + 1]);
