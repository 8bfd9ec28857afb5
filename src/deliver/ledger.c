// SPDX-License-Identifier: Apache-2.0
#include "deliver/ledger.h"

#include "base/limits.h"
#include "deliver/receipt.h"
#include "deliver/tokens.h"

struct making {
    const struct read_source *source;
    struct bytes run;
    ledger_visit visit;
    void *context;
    struct ledger *sum;
    struct errinfo *err;
};

struct reads {
    uint64_t tokens;
    uint64_t count;
};

static enum status add_read(void *context, const struct receipt *receipt)
{
    struct reads *reads = context;
    reads->tokens += receipt->tokens;
    reads->count++;
    return STATUS_OK;
}

static enum status notice_tokens(const struct report *report, uint64_t *tokens, struct errinfo *err)
{
    struct buf text;
    size_t count = 0;
    buf_init(&text, LIMIT_HEADER_BYTES);
    enum status status = read_notice(report, NOTICE_COMPACT, &text, err);
    if (status == STATUS_OK)
        status = tokens_count(buf_bytes(&text), &count);
    buf_fini(&text);
    *tokens = count;
    return status;
}

static enum status add_input(const struct making *making, struct bytes text, struct ledger *account)
{
    struct ref ref;
    struct report input;
    struct buf storage;
    struct reads reads = {0, 0};
    uint64_t notice = 0;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = ref_parse(text, &ref, making->err);
    if (status == STATUS_OK)
        status = read_report(making->source, &ref, BUS_HEAD, &storage, &input, making->err);
    account->inputs++;
    if (status == STATUS_NOT_FOUND || status == STATUS_EXPIRED) {
        account->inputs_missing++;
        buf_fini(&storage);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = notice_tokens(&input, &notice, making->err);
    if (status == STATUS_OK)
        status = receipt_walk(making->source->bus, &input.ref, add_read, &reads, making->err);
    if (status == STATUS_OK) {
        account->inline_tokens += input.tokens;
        account->notice_tokens += notice;
        account->read_tokens += reads.tokens;
        account->reads += reads.count;
        account->inputs_unread += reads.count == 0;
    }
    buf_fini(&storage);
    return status;
}

static void add(struct ledger *sum, const struct ledger *account)
{
    sum->reports += account->reports;
    sum->inputs += account->inputs;
    sum->inputs_missing += account->inputs_missing;
    sum->inputs_unread += account->inputs_unread;
    sum->inline_tokens += account->inline_tokens;
    sum->notice_tokens += account->notice_tokens;
    sum->read_tokens += account->read_tokens;
    sum->reads += account->reads;
}

static enum status account_of(void *context, const struct report *report)
{
    const struct making *making = context;
    struct ledger account = {.reports = 1};
    struct bytes inputs = report->inputs;
    enum status status = STATUS_OK;
    if (inputs.size == 0 || (making->run.size > 0 && !bytes_equal(making->run, report->run)))
        return STATUS_OK;
    while (status == STATUS_OK && inputs.size > 0) {
        struct bytes rest;
        struct bytes input = bytes_cut(inputs, ' ', &rest);
        status = add_input(making, input, &account);
        inputs = rest;
    }
    if (status == STATUS_OK)
        status = making->visit(making->context, report, &account);
    if (status == STATUS_OK)
        add(making->sum, &account);
    return status;
}

enum status ledger_make(const struct read_source *source, const struct ledger_request *request,
                        ledger_visit visit, void *context, struct ledger *sum, struct errinfo *err)
{
    struct making making = {source, request->run, visit, context, sum, err};
    *sum = (struct ledger){.reports = 0};
    return read_list(source, &request->filter, account_of, &making, err);
}

int64_t ledger_saved(const struct ledger *ledger)
{
    return (int64_t)ledger->inline_tokens - (int64_t)ledger->notice_tokens -
           (int64_t)ledger->read_tokens;
}
