// SPDX-License-Identifier: Apache-2.0
// What was saved, from exact counts and receipts alone. For every stored report that names inputs,
// its agent would have been spawned with all of them in the prompt: that is `inline_tokens`. What
// it really cost is their notices and whatever was read of them: `notice_tokens` and `read_tokens`.
#pragma once

#include "deliver/read.h"

struct ledger {
    uint64_t reports;        // that name inputs
    uint64_t inputs;         // they name
    uint64_t inputs_missing; // that are gone: they are in none of the sums
    uint64_t inputs_unread;  // that nobody has read since
    uint64_t inline_tokens;
    uint64_t notice_tokens;
    uint64_t read_tokens; // of all receipts for those inputs
    uint64_t reads;
};

struct ledger_request {
    struct read_filter filter;
    struct bytes run; // empty for all
};

// Visits the account of each report that matches, and gives the sums over all of them.
typedef enum status (*ledger_visit)(void *context, const struct report *report,
                                    const struct ledger *account);
enum status ledger_make(const struct read_source *source, const struct ledger_request *request,
                        ledger_visit visit, void *context, struct ledger *sum, struct errinfo *err);

// Tokens not spent; negative when reading cost more than inlining would have.
int64_t ledger_saved(const struct ledger *ledger);
