// SPDX-License-Identifier: Apache-2.0
#include "cli/answer.h"

#include "base/clock.h"
#include "base/limits.h"

enum status answer_notice(struct cli *cli, const struct report *report, struct errinfo *err)
{
    struct buf text;
    buf_init(&text, LIMIT_HEADER_BYTES);
    enum status status = read_notice(report, cli_is_terminal(cli) ? NOTICE_PRETTY : NOTICE_COMPACT,
                                     &text, err);
    if (status == STATUS_OK) {
        buf_append_byte(&text, '\n');
        status = cli_write(cli, buf_bytes(&text), err);
    }
    if (status == STATUS_OK)
        status = cli_flush(cli, err);
    buf_fini(&text);
    return status;
}

enum status answer_source_open_for(struct cli *cli, enum hub_need need, struct read_source *source,
                                   struct errinfo *err)
{
    struct hub *hub;
    enum status status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK)
        status = hub_registry(hub, need, &source->registry, err);
    return status != STATUS_OK ? status : hub_bus(hub, need, &source->bus, err);
}

enum status answer_source_open(struct cli *cli, struct read_source *source, struct errinfo *err)
{
    return answer_source_open_for(cli, HUB_READ, source, err);
}

enum status answer_read(struct cli *cli, size_t argument, enum bus_part part, struct buf *storage,
                        struct report *report, struct errinfo *err)
{
    struct ref ref;
    struct read_source source;
    enum status status = ref_parse(cli_argument(cli, argument), &ref, err);
    if (status == STATUS_OK)
        status = answer_source_open(cli, &source, err);
    return status != STATUS_OK ? status : read_report(&source, &ref, part, storage, report, err);
}

static enum status print_published(struct cli *cli, const struct read_source *source,
                                   const struct publish_request *request, uint64_t rev,
                                   struct errinfo *err)
{
    struct ref ref;
    struct buf storage;
    struct report report;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = ref_of_names(request->agent, request->type, request->feature, &ref, err);
    ref.rev = rev;
    if (status == STATUS_OK)
        status = read_report(source, &ref, BUS_HEAD, &storage, &report, err);
    if (status == STATUS_OK)
        status = answer_notice(cli, &report, err);
    buf_fini(&storage);
    return status;
}

// Whoever reads the new report later may want what it was made from.
static void warn_of_expiry(void *context, const char *ref, int64_t left_ns)
{
    struct cli *cli = context;
    fprintf(cli->err, "agog: input %s expires in %lld minutes; agog pin %s keeps it\n", ref,
            (long long)(left_ns / INT64_C(60000000000)), ref);
}

enum status answer_publish(struct cli *cli, struct publish_request *request, struct errinfo *err)
{
    struct hub *hub;
    struct read_source source;
    struct publish_outcome outcome;
    enum status status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK)
        status = answer_source_open_for(cli, HUB_CREATE, &source, err);
    if (status != STATUS_OK)
        return status;
    request->author = bytes_of_string(hub_author(hub));
    request->now_ns = clock_realtime_ns();
    request->on_expiring = warn_of_expiry;
    request->context = cli;
    status = publish_report(&source, request, &outcome, err);
    if (status == STATUS_OK)
        status = print_published(cli, &source, request, outcome.rev, err);
    if (status == STATUS_OK && outcome.unchanged)
        fprintf(cli->err, "agog: these bytes are revision %llu already, nothing new was stored\n",
                (unsigned long long)outcome.rev);
    return status;
}
