// SPDX-License-Identifier: Apache-2.0
// One line out of a section that shows why it was found: where most of the words looked for stand
// together, without Markdown, what matches between asterisks. An asterisk is one token; words that
// stand side by side share a pair.
#pragma once

#include "catalog/query.h"

// Appends at most bytes_max bytes beside the asterisks and an ellipsis where it is cut; of the text
// only the first SNIPPET_SCAN_BYTES are looked at. Without a match (only the title has one) it is
// the beginning of the text.
enum { SNIPPET_SCAN_BYTES = 512 * 1024 };

void snippet_make(const struct query *query, struct bytes text, size_t bytes_max, struct buf *out);
