// SPDX-License-Identifier: Apache-2.0
#include "wire/consumer_config.h"

#include <stdlib.h>

#define AT(member) offsetof(struct consumer_config, member)

static const char *const deliver_words[] = {
    "all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject", NULL};
static const char *const ack_words[] = {"none", "all", "explicit", NULL};
static const char *const replay_words[] = {"instant", "original", NULL};
static const char *const priority_words[] = {"none", "overflow", "pinned_client", "prioritized",
                                             NULL};

static const struct jsonfield fields[] = {
    {"durable_name", JSONFIELD_STRING, AT(durable), NULL, false},
    {"name", JSONFIELD_STRING, AT(name), NULL, false},
    {"description", JSONFIELD_STRING, AT(description), NULL, false},
    {"deliver_policy", JSONFIELD_WORD, AT(deliver), deliver_words, true},
    {"opt_start_seq", JSONFIELD_UNSIGNED, AT(start_seq), NULL, false},
    {"opt_start_time", JSONFIELD_TIME, AT(start_time_ns), NULL, false},
    {"ack_policy", JSONFIELD_WORD, AT(ack), ack_words, true},
    {"ack_wait", JSONFIELD_INTEGER, AT(ack_wait_ns), NULL, false},
    {"max_deliver", JSONFIELD_INTEGER, AT(max_deliver), NULL, false},
    {"backoff", JSONFIELD_INTEGERS, AT(backoff_ns), NULL, false},
    {"filter_subject", JSONFIELD_STRING, AT(filter), NULL, false},
    {"filter_subjects", JSONFIELD_STRINGS, AT(filters), NULL, false},
    {"replay_policy", JSONFIELD_WORD, AT(replay), replay_words, true},
    {"rate_limit_bps", JSONFIELD_UNSIGNED, AT(rate_limit_bps), NULL, false},
    {"sample_freq", JSONFIELD_STRING, AT(sample_frequency), NULL, false},
    {"max_waiting", JSONFIELD_INTEGER, AT(max_waiting), NULL, false},
    {"max_ack_pending", JSONFIELD_INTEGER, AT(max_ack_pending), NULL, false},
    {"flow_control", JSONFIELD_BOOL, AT(flow_control), NULL, false},
    {"headers_only", JSONFIELD_BOOL, AT(headers_only), NULL, false},
    {"max_batch", JSONFIELD_INTEGER, AT(max_batch), NULL, false},
    {"max_expires", JSONFIELD_INTEGER, AT(max_expires_ns), NULL, false},
    {"max_bytes", JSONFIELD_INTEGER, AT(max_bytes), NULL, false},
    {"deliver_subject", JSONFIELD_STRING, AT(deliver_subject), NULL, false},
    {"deliver_group", JSONFIELD_STRING, AT(deliver_group), NULL, false},
    {"idle_heartbeat", JSONFIELD_INTEGER, AT(heartbeat_ns), NULL, false},
    {"inactive_threshold", JSONFIELD_INTEGER, AT(inactive_threshold_ns), NULL, false},
    {"num_replicas", JSONFIELD_INT, AT(replicas), NULL, true},
    {"mem_storage", JSONFIELD_BOOL, AT(memory_storage), NULL, false},
    {"direct", JSONFIELD_BOOL, AT(direct), NULL, false},
    {"metadata", JSONFIELD_METADATA, AT(metadata), NULL, false},
    {"pause_until", JSONFIELD_TIME, AT(pause_until_ns), NULL, false},
    {"priority_groups", JSONFIELD_STRINGS, AT(priority_groups), NULL, false},
    {"priority_policy", JSONFIELD_WORD, AT(priority), priority_words, false},
    {"priority_timeout", JSONFIELD_INTEGER, AT(pinned_ttl_ns), NULL, false},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

void consumer_config_init(struct consumer_config *config)
{
    *config = (struct consumer_config){.durable = NULL};
}

void consumer_config_fini(struct consumer_config *config)
{
    jsonfields_free(fields, FIELD_COUNT, config);
    consumer_config_init(config);
}

enum status consumer_config_copy(struct consumer_config *to, const struct consumer_config *from)
{
    struct consumer_config copy = *from;
    enum status status = jsonfields_copy(fields, FIELD_COUNT, from, &copy);
    if (status == STATUS_OK)
        *to = copy;
    return status;
}

// Go's clients send "" for what is not there.
static void drop_empty(char **field)
{
    if (*field == NULL || **field != '\0')
        return;
    free(*field);
    *field = NULL;
}

enum status consumer_config_from_json(struct consumer_config *config, const json_t *object,
                                      struct errinfo *err)
{
    struct consumer_config read;
    consumer_config_init(&read);
    enum status status = jsonfields_read(fields, FIELD_COUNT, object, &read, err);
    if (status != STATUS_OK) {
        consumer_config_fini(&read);
        return status;
    }
    char **const strings[] = {&read.durable,          &read.name,
                              &read.description,      &read.filter,
                              &read.sample_frequency, &read.deliver_subject,
                              &read.deliver_group};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        drop_empty(strings[i]);
    consumer_config_fini(config);
    *config = read;
    return STATUS_OK;
}

json_t *consumer_config_to_json(const struct consumer_config *config)
{
    json_t *object = json_object();
    if (object != NULL && jsonfields_write(fields, FIELD_COUNT, config, object))
        return object;
    json_decref(object);
    return NULL;
}

enum status consumer_config_read(struct consumer_config *config, struct bytes text,
                                 struct errinfo *err)
{
    json_t *object;
    enum status status = jsonfields_parse(text, "consumer configuration", &object, err);
    if (status != STATUS_OK)
        return status;
    status = consumer_config_from_json(config, object, err);
    json_decref(object);
    return status;
}

enum status consumer_config_write(const struct consumer_config *config, struct buf *out)
{
    json_t *object = consumer_config_to_json(config);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    if (text == NULL)
        return STATUS_INVALID;
    buf_append_string(out, text);
    free(text);
    return buf_status(out);
}

size_t consumer_config_filters(const struct consumer_config *config)
{
    return config->filter != NULL ? 1 : config->filters.count;
}

struct bytes consumer_config_filter(const struct consumer_config *config, size_t index)
{
    return bytes_of_string(config->filter != NULL ? config->filter : config->filters.items[index]);
}
