// SPDX-License-Identifier: Apache-2.0
#include "server/js_metadata.h"

#include "server/jetstream.h"
#include "server/server_private.h"

#include <jansson.h>
#include <stdio.h>

// API levels by what came with them: times to live, pauses and priorities with the first, batches
// with the second.
enum { LEVEL_NONE, LEVEL_TIMES, LEVEL_BATCHES };

static char *complete(const char *metadata, int needed)
{
    char level[12];
    char needed_level[12];
    json_t *document = metadata != NULL ? json_loads(metadata, 0, NULL) : json_object();
    snprintf(level, sizeof level, "%d", JETSTREAM_API_LEVEL);
    snprintf(needed_level, sizeof needed_level, "%d", needed);
    bool whole = document != NULL &&
                 json_object_set_new(document, "_nats.level", json_string(level)) == 0 &&
                 json_object_set_new(document, "_nats.req.level", json_string(needed_level)) == 0 &&
                 json_object_set_new(document, "_nats.ver", json_string(SERVER_NATS_VERSION)) == 0;
    char *text = whole ? json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(document);
    return text;
}

char *js_metadata_of_stream(const struct stream_config *config)
{
    int needed = LEVEL_NONE;
    if (config->allow_msg_ttl || config->delete_marker_ttl_ns > 0)
        needed = LEVEL_TIMES;
    if (config->allow_atomic)
        needed = LEVEL_BATCHES;
    return complete(config->metadata, needed);
}

char *js_metadata_of_consumer(const struct consumer_config *config)
{
    bool timed = config->pause_until_ns > 0 || config->priority != PRIORITY_NONE;
    return complete(config->metadata, timed ? LEVEL_TIMES : LEVEL_NONE);
}
