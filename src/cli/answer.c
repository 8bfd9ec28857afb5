// SPDX-License-Identifier: Apache-2.0
#include "cli/answer.h"

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

enum status answer_source_open_for(struct cli *cli, enum hub_need need,
                                   struct answer_source *source, struct errinfo *err)
{
    struct hub *hub;
    enum status status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK)
        status = hub_registry(hub, need, &source->registry, err);
    return status != STATUS_OK ? status : hub_bus(hub, need, &source->bus, err);
}

enum status answer_source_open(struct cli *cli, struct answer_source *source, struct errinfo *err)
{
    return answer_source_open_for(cli, HUB_READ, source, err);
}

enum status answer_read(struct cli *cli, size_t argument, enum bus_part part, struct buf *storage,
                        struct report *report, struct errinfo *err)
{
    struct ref ref;
    struct answer_source source;
    enum status status = ref_parse(cli_argument(cli, argument), &ref, err);
    if (status == STATUS_OK)
        status = answer_source_open(cli, &source, err);
    return status != STATUS_OK
               ? status
               : read_report(source.bus, source.registry, &ref, part, storage, report, err);
}
