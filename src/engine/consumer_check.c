// SPDX-License-Identifier: Apache-2.0
// What a consumer's configuration is checked against (nats-server's checkConsumerCfg and its
// defaults), in its order.
#include "engine/consumer_private.h"
#include "engine/jserror.h"
#include "wire/subject.h"

#include <inttypes.h>
#include <string.h>

enum {
    DESCRIPTION_MAX = 4 * 1024,
    METADATA_MAX = 128 * 1024,
    WAITING_DEFAULT = 512,
    ACK_PENDING_DEFAULT = 1000,
    GROUP_NAME_MAX = 16,
};
static const int64_t ack_wait_default_ns = INT64_C(30000000000);
static const int64_t pinned_ttl_default_ns = INT64_C(120000000000);
static const int64_t heartbeat_min_ns = INT64_C(100000000);
static const int64_t expires_min_ns = INT64_C(1000000);

static enum status refuse(struct errinfo *err, int code, const char *text)
{
    return errinfo_set_code(err, STATUS_INVALID, code, "%s", text);
}

static void at_least_zero(int64_t *value)
{
    if (*value < 0)
        *value = 0;
}

static void fill_in_defaults(struct consumer_config *config, const struct stream_config *stream)
{
    if (config->max_deliver == 0 || config->max_deliver < -1)
        config->max_deliver = -1;
    at_least_zero(&config->max_waiting);
    if (config->max_ack_pending < -1)
        config->max_ack_pending = -1;
    at_least_zero(&config->max_batch);
    at_least_zero(&config->max_expires_ns);
    at_least_zero(&config->max_bytes);
    at_least_zero(&config->heartbeat_ns);
    at_least_zero(&config->inactive_threshold_ns);
    at_least_zero(&config->pinned_ttl_ns);
    if (config->deliver_subject == NULL && config->max_waiting == 0)
        config->max_waiting = WAITING_DEFAULT;
    if (config->ack_wait_ns == 0 && config->ack != ACK_NONE)
        config->ack_wait_ns = ack_wait_default_ns;
    if (config->backoff_ns.count > 0)
        config->ack_wait_ns = config->backoff_ns.items[0];
    if (config->max_ack_pending == 0)
        config->max_ack_pending = stream->consumer_max_ack_pending;
    if (config->inactive_threshold_ns == 0)
        config->inactive_threshold_ns = stream->consumer_inactive_ns;
    if (config->max_ack_pending == 0 && config->ack != ACK_NONE)
        config->max_ack_pending = ACK_PENDING_DEFAULT;
    if (config->priority == PRIORITY_PINNED && config->pinned_ttl_ns == 0)
        config->pinned_ttl_ns = pinned_ttl_default_ns;
}

static bool is_asset_name(const char *name)
{
    return name[0] != '\0' && strpbrk(name, ".*>\\/ \t\r\n\f") == NULL;
}

static enum status check_names(const struct consumer_config *config, struct errinfo *err)
{
    if (config->name != NULL && !is_asset_name(config->name))
        return refuse(err, JSERROR_INVALID_CONFIG,
                      "consumer name can not contain '.', '*', '>', '\\', '/'");
    if (config->durable != NULL && !is_asset_name(config->durable))
        return refuse(err, JSERROR_INVALID_CONFIG,
                      "consumer durable name can not contain '.', '*', '>', '\\', '/'");
    const char *name = config->durable != NULL ? config->durable : config->name;
    if (name != NULL && strlen(name) > LIMIT_STREAM_NAME_BYTES)
        return errinfo_set_code(err, STATUS_INVALID, 10102,
                                "consumer name is too long, maximum allowed is %d",
                                LIMIT_STREAM_NAME_BYTES);
    return STATUS_OK;
}

// What the stream allows its consumers at most, and what mirrors and sources ask for.
static enum status check_limits(const struct consumer_config *config,
                                const struct stream_config *stream, struct errinfo *err)
{
    int64_t most = stream->consumer_max_ack_pending;
    int64_t longest_ns = stream->consumer_inactive_ns;
    if (most > 0 && config->max_ack_pending > most)
        return errinfo_set_code(err, STATUS_INVALID, 10121,
                                "consumer max ack pending exceeds system limit of %" PRId64, most);
    if (longest_ns > 0 && config->inactive_threshold_ns > longest_ns)
        return errinfo_set_code(err, STATUS_INVALID, 10153,
                                "consumer inactive threshold exceeds system limit of %" PRId64 "s",
                                longest_ns / 1000000000);
    if (config->direct && config->deliver_subject == NULL)
        return refuse(err, 10090, "consumer direct requires a push based consumer");
    if (config->direct && config->durable != NULL)
        return refuse(err, 10091, "consumer direct requires an ephemeral consumer");
    return STATUS_OK;
}

static enum status check_numbers(const struct consumer_config *config,
                                 const struct stream_config *stream, struct errinfo *err)
{
    if (config->replicas > stream->replicas)
        return refuse(err, 10126, "consumer config replica count exceeds parent stream");
    if (config->replicas < 0)
        return refuse(err, JSERROR_REPLICAS_NEGATIVE, "replicas count cannot be negative");
    if (stream->retention != STREAM_RETAIN_LIMITS && config->replicas != 0 &&
        config->replicas != stream->replicas)
        return refuse(err, 10134,
                      "consumer config replicas must match interest retention stream's replicas");
    for (size_t i = 0; i < config->backoff_ns.count; i++)
        if (config->backoff_ns.items[i] < 0)
            return refuse(err, 10184, "consumer backoff needs to be positive");
    if (config->ack_wait_ns < 0)
        return refuse(err, 10183, "consumer ack wait needs to be positive");
    if (config->backoff_ns.count > 0 && config->max_deliver != -1 &&
        (int64_t)config->backoff_ns.count > config->max_deliver)
        return refuse(err, 10116, "max deliver is required to be > length of backoff values");
    if (config->description != NULL && strlen(config->description) > DESCRIPTION_MAX)
        return errinfo_set_code(err, STATUS_INVALID, 10107,
                                "consumer description is too long, maximum allowed is %d",
                                DESCRIPTION_MAX);
    return STATUS_OK;
}

static bool forms_cycle(const struct stream_config *stream, const char *subject)
{
    for (size_t i = 0; i < stream->subject_count; i++)
        if (subject_matches(bytes_of_string(stream->subjects[i]), bytes_of_string(subject)))
            return true;
    return false;
}

static enum status check_push(const struct consumer_config *config,
                              const struct stream_config *stream, struct errinfo *err)
{
    struct bytes subject = bytes_of_string(config->deliver_subject);
    if (subject_has_wildcard(subject))
        return refuse(err, 10079, "consumer deliver subject has wildcards");
    if (!subject_is_literal(subject))
        return refuse(err, 10112, "invalid push consumer deliver subject");
    if (forms_cycle(stream, config->deliver_subject))
        return refuse(err, 10081, "consumer deliver subject forms a cycle");
    if (config->max_waiting != 0)
        return refuse(err, 10080, "consumer in push mode can not set max waiting");
    if (config->max_ack_pending > 0 && config->ack == ACK_NONE)
        return refuse(err, 10082, "consumer requires ack policy for max ack pending");
    if (config->heartbeat_ns > 0 && config->heartbeat_ns < heartbeat_min_ns)
        return refuse(err, 10083, "consumer idle heartbeat needs to be >= 100ms");
    return STATUS_OK;
}

static enum status check_pull(const struct consumer_config *config,
                              const struct stream_config *stream, struct errinfo *err)
{
    if (config->ack == ACK_NONE && stream->retention == STREAM_RETAIN_WORKQUEUE)
        return refuse(err, 10084,
                      "consumer in pull mode requires explicit ack policy on workqueue stream");
    if (config->rate_limit_bps > 0)
        return refuse(err, 10086, "consumer in pull mode can not have rate limit set");
    if (config->heartbeat_ns > 0)
        return refuse(err, 10088, "consumer idle heartbeat requires a push based consumer");
    if (config->flow_control)
        return refuse(err, 10089, "consumer flow control requires a push based consumer");
    if (config->max_expires_ns != 0 && config->max_expires_ns < expires_min_ns)
        return refuse(err, 10115, "consumer max request expires needs to be >= 1ms");
    return STATUS_OK;
}

static enum status check_filters(const struct consumer_config *config, struct errinfo *err)
{
    size_t count = consumer_config_filters(config);
    if (config->filter != NULL && config->filters.count > 0)
        return refuse(err, 10136,
                      "consumer cannot have both FilterSubject and FilterSubjects specified");
    for (size_t i = 0; i < config->filters.count; i++)
        if (config->filters.items[i][0] == '\0')
            return refuse(err, 10139, "consumer filter in FilterSubjects cannot be empty");
    for (size_t i = 0; i < count; i++)
        if (!subject_is_pattern(consumer_config_filter(config, i)))
            return refuse(err, JSERROR_INVALID_CONFIG, "invalid subject");
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (i != j && subject_covers(consumer_config_filter(config, j),
                                         consumer_config_filter(config, i)))
                return refuse(err, 10138, "consumer subject filters cannot overlap");
    return STATUS_OK;
}

static enum status check_start(const struct consumer_config *config, struct errinfo *err)
{
    static const struct {
        const char *name;
        bool sequence;
        bool time;
    } policies[] = {
        [DELIVER_ALL] = {"all", false, false},
        [DELIVER_LAST] = {"last", false, false},
        [DELIVER_NEW] = {"new", false, false},
        [DELIVER_BY_SEQUENCE] = {"by start sequence", true, false},
        [DELIVER_BY_TIME] = {"by start time", false, true},
        [DELIVER_LAST_PER_SUBJECT] = {"last per subject", false, false},
    };
    const char *name = policies[config->deliver].name;
    bool sequence = policies[config->deliver].sequence;
    bool time = policies[config->deliver].time;
    const char *extra = !sequence && config->start_seq > 0    ? "sequence"
                        : !time && config->start_time_ns != 0 ? "time"
                                                              : NULL;
    const char *missing = sequence && config->start_seq == 0   ? "start sequence"
                          : time && config->start_time_ns == 0 ? "start time"
                                                               : NULL;
    if (config->deliver == DELIVER_LAST_PER_SUBJECT && consumer_config_filters(config) == 0)
        missing = "filter subject";
    if (extra != NULL)
        return errinfo_set_code(
            err, STATUS_INVALID, 10094,
            "consumer delivery policy is deliver %s, but optional start %s is also set", name,
            extra);
    if (missing != NULL)
        return errinfo_set_code(
            err, STATUS_INVALID, 10094,
            "consumer delivery policy is deliver %s, but optional %s is not set", name, missing);
    return STATUS_OK;
}

static enum status check_rest(const struct consumer_config *config, struct errinfo *err)
{
    if (config->sample_frequency != NULL) {
        struct bytes text = bytes_of_string(config->sample_frequency);
        uint64_t percent;
        if (bytes_end_with(text, BYTES("%")))
            text.size--;
        if (!bytes_to_u64(text, &percent))
            return errinfo_set_code(err, STATUS_INVALID, 10095,
                                    "failed to parse consumer sampling configuration: not a number "
                                    "of percent");
    }
    if (config->flow_control && config->heartbeat_ns == 0)
        return refuse(err, 10108, "consumer with flow control also needs heartbeats");
    if (config->durable != NULL && config->name != NULL &&
        strcmp(config->durable, config->name) != 0)
        return refuse(err, 10132,
                      "Consumer Durable and Name have to be equal if both are provided");
    if (config->metadata != NULL && strlen(config->metadata) > METADATA_MAX)
        return errinfo_set_code(err, STATUS_INVALID, 10135,
                                "consumer metadata exceeds maximum size of %dKB",
                                METADATA_MAX / 1024);
    return STATUS_OK;
}

static bool is_group_name(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/=)+";
    return strspn(name, allowed) == strlen(name) && strlen(name) <= GROUP_NAME_MAX;
}

static enum status check_priority(const struct consumer_config *config, struct errinfo *err)
{
    if (config->priority == PRIORITY_NONE) {
        if (config->priority_groups.count > 0)
            return refuse(err, 10196, "consumer can not have priority groups when policy is none");
        if (config->pinned_ttl_ns > 0)
            return refuse(err, 10197, "PinnedTTL cannot be set when PriorityPolicy is none");
        return STATUS_OK;
    }
    if (config->deliver_subject != NULL)
        return refuse(err, 10178, "priority groups can not be used with push consumers");
    if (config->priority_groups.count == 0)
        return refuse(err, 10159,
                      "Setting PriorityPolicy requires at least one PriorityGroup to be set");
    for (size_t i = 0; i < config->priority_groups.count; i++) {
        if (config->priority_groups.items[i][0] == '\0')
            return refuse(err, 10161, "Group name cannot be an empty string");
        if (!is_group_name(config->priority_groups.items[i]))
            return refuse(err, 10162,
                          "Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not "
                          "exceed 16 characters");
    }
    return STATUS_OK;
}

enum status consumer_config_check(struct consumer_config *config,
                                  const struct stream_config *stream, struct errinfo *err)
{
    fill_in_defaults(config, stream);
    enum status status = check_names(config, err);
    if (status == STATUS_OK)
        status = check_numbers(config, stream, err);
    if (status == STATUS_OK)
        status = config->deliver_subject != NULL ? check_push(config, stream, err)
                                                 : check_pull(config, stream, err);
    if (status == STATUS_OK)
        status = check_limits(config, stream, err);
    if (status == STATUS_OK)
        status = check_filters(config, err);
    if (status == STATUS_OK)
        status = check_start(config, err);
    if (status == STATUS_OK)
        status = check_rest(config, err);
    if (status == STATUS_OK)
        status = check_priority(config, err);
    return status;
}
