// SPDX-License-Identifier: Apache-2.0
// The text of a packed answer: pieces of a report in its order, with a line for each gap. Used by
// budget.c only.
#pragma once

#include "base/buf.h"
#include "deliver/outline.h"

struct budget_piece {
    uint32_t section;
    size_t from, to;
};

// Appends the pieces, which stand in order and do not overlap. Each gap between them, and those
// before the first and after the last, becomes a line that names the sections not shown and their
// tokens.
void budget_text(const struct outline *outline, struct bytes report,
                 const struct budget_piece *pieces, size_t count, struct buf *out);
