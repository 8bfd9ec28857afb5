// SPDX-License-Identifier: Apache-2.0
#include "server/options.h"
#include <stdlib.h>
#include <string.h>
struct server_options *server_options_new(void)
{
    struct server_options *o = calloc(1, sizeof *o);
    o->host = strdup("0.0.0.0");
    o->port = 4222;
    o->max_payload = 16 << 20;
    o->max_control_line = 4096;
    o->max_pending = 64 << 20;
    o->max_connections = 65536;
    o->ping_interval_ns = 120000000000;
    o->ping_max = 2;
    o->write_deadline_ns = 10000000000;
    o->auth_timeout_ns = 2000000000;
    o->lame_duck_duration_ns = 120000000000;
    o->lame_duck_grace_ns = 10000000000;
    o->logtime = true;
    o->jetstream = true;
    o->max_memory_store = -1;
    o->max_file_store = -1;
    o->lock_wait_ms = 1000;
    return o;
}
void server_options_free(struct server_options *o)
{
    if (o == NULL)
        return;
    free(o->host);
    free(o->store_dir);
    free(o->server_name);
    free(o);
}
