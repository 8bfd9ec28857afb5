// SPDX-License-Identifier: Apache-2.0
#include "wire/consumer_info.h"

#include "wire/jsontext.h"

#include <inttypes.h>

static void put_place(struct buf *out, const char *key, const struct consumer_place *place)
{
    buf_printf(out, ",\"%s\":{\"consumer_seq\":%" PRIu64 ",\"stream_seq\":%" PRIu64, key,
               place->consumer_seq, place->stream_seq);
    if (place->active_ns != 0) {
        buf_append_string(out, ",\"last_active\":");
        jsontext_put_time(out, place->active_ns);
    }
    buf_append_byte(out, '}');
}

static void put_group(const struct consumer_info *info, struct buf *out)
{
    buf_append_string(out, ",\"priority_groups\":[{\"group\":");
    jsontext_put_string(out, bytes_of_string(info->pinned_group));
    if (info->pinned_id != NULL) {
        buf_append_string(out, ",\"pinned_client_id\":");
        jsontext_put_string(out, bytes_of_string(info->pinned_id));
        buf_append_string(out, ",\"pinned_ts\":");
        jsontext_put_time(out, info->pinned_ns);
    }
    buf_append_string(out, "}]");
}

enum status consumer_info_put_members(const struct consumer_info *info, struct buf *out)
{
    buf_append_string(out, "\"stream_name\":");
    jsontext_put_string(out, bytes_of_string(info->stream));
    buf_append_string(out, ",\"name\":");
    jsontext_put_string(out, bytes_of_string(info->name));
    buf_append_string(out, ",\"created\":");
    jsontext_put_time(out, info->created_ns);
    if (info->config != NULL) {
        buf_append_string(out, ",\"config\":");
        enum status status = consumer_config_write(info->config, out);
        if (status != STATUS_OK)
            return status;
    }
    put_place(out, "delivered", &info->delivered);
    put_place(out, "ack_floor", &info->ack_floor);
    buf_printf(out, ",\"num_ack_pending\":%" PRIu64 ",\"num_redelivered\":%" PRIu64,
               info->ack_pending, info->redelivered);
    buf_printf(out, ",\"num_waiting\":%" PRIu64 ",\"num_pending\":%" PRIu64, info->waiting,
               info->pending);
    if (info->push_bound)
        buf_append_string(out, ",\"push_bound\":true");
    if (info->pause_remaining_ns > 0)
        buf_printf(out, ",\"paused\":true,\"pause_remaining\":%" PRId64, info->pause_remaining_ns);
    if (info->pinned_group != NULL)
        put_group(info, out);
    buf_append_string(out, ",\"ts\":");
    jsontext_put_time(out, info->now_ns);
    return buf_status(out);
}
