// SPDX-License-Identifier: Apache-2.0
// What nats-server's checkStreamCfg asks of a configuration, with its texts.
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "wire/subject.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <string.h>

enum { DESCRIPTION_BYTES_MAX = 4096, METADATA_BYTES_MAX = 128 * 1024, REPLICAS_MAX = 5 };

static const int64_t window_default_ns = INT64_C(120000000000);
static const int64_t shortest_ns = 100000000;

static enum status invalid(struct errinfo *err, const char *text)
{
    return errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_CONFIG, "%s", text);
}

static bool good_name(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return false;
    for (; *name != '\0'; name++) {
        if ((unsigned char)*name <= ' ' || *name == 0x7F || strchr(".*>/\\", *name) != NULL)
            return false;
    }
    return true;
}

static bool strings_are_utf8(const struct stream_config *config)
{
    bool good = utf8_is_valid(bytes_of_string(config->name)) &&
                utf8_is_valid(bytes_of_string(config->description));
    for (size_t i = 0; i < config->subject_count; i++)
        good = good && utf8_is_valid(bytes_of_string(config->subjects[i]));
    return good;
}

static enum status check_strings(const struct stream_config *config, struct errinfo *err)
{
    if (!good_name(config->name))
        return invalid(err, "stream name is required and can not contain '.', '*', '>', '\\', '/'");
    if (strlen(config->name) > LIMIT_STREAM_NAME_BYTES)
        return invalid(err, "stream name is too long, maximum allowed is 255");
    if (config->description != NULL && strlen(config->description) > DESCRIPTION_BYTES_MAX)
        return invalid(err, "stream description is too long, maximum allowed is 4096");
    if (config->metadata != NULL && strlen(config->metadata) > METADATA_BYTES_MAX)
        return invalid(err, "stream metadata exceeds maximum size of 131072 bytes");
    if (!strings_are_utf8(config))
        return invalid(err, "stream name, description and subjects must be UTF-8");
    return STATUS_OK;
}

// What the server itself speaks on is nobody's data; the exceptions are its events.
static enum status check_reserved(struct bytes subject, struct errinfo *err)
{
    static const struct bytes reserved[] = {{"$JS.>", 5}, {"$JSC.>", 6}, {"$NRG.>", 6}};
    if (bytes_equal(subject, BYTES(">")))
        return invalid(err, "capturing all subjects requires no-ack to be true");
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (subject_overlaps(subject, reserved[i]) &&
            !subject_covers(BYTES("$JS.EVENT.>"), subject))
            return invalid(err,
                           "subjects that overlap with jetstream api require no-ack to be true");
    }
    if (subject_overlaps(subject, BYTES("$SYS.>")) &&
        !subject_covers(BYTES("$SYS.ACCOUNT.>"), subject))
        return invalid(err, "subjects that overlap with system api require no-ack to be true");
    return STATUS_OK;
}

static enum status check_subjects(struct stream_config *config, struct errinfo *err)
{
    char one[ERRINFO_QUOTED_MAX];
    char other[ERRINFO_QUOTED_MAX];
    enum status status = STATUS_OK;
    if (config->subject_count == 0 && config->mirror == NULL && config->source_count == 0)
        status = stream_config_add_subject(config, bytes_of_string(config->name), err);
    for (size_t i = 0; status == STATUS_OK && i < config->subject_count; i++) {
        struct bytes subject = bytes_of_string(config->subjects[i]);
        if (!subject_is_pattern(subject))
            return invalid(err, "invalid subject");
        status = check_reserved(subject, err);
        for (size_t k = i + 1; status == STATUS_OK && k < config->subject_count; k++) {
            struct bytes later = bytes_of_string(config->subjects[k]);
            if (subject_overlaps(subject, later))
                status = errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_CONFIG,
                                          "subject %s overlaps with %s",
                                          errinfo_quote(subject, one), errinfo_quote(later, other));
        }
    }
    return status;
}

static enum status check_times(struct stream_config *config, struct errinfo *err)
{
    if (config->max_age_ns < 0)
        return invalid(err, "max age can not be negative");
    if (config->max_age_ns > 0 && config->max_age_ns < shortest_ns)
        return invalid(err, "max age needs to be >= 100ms");
    if (config->duplicate_window_ns == 0)
        config->duplicate_window_ns = config->max_age_ns > 0 &&
                                              config->max_age_ns < window_default_ns
                                          ? config->max_age_ns
                                          : window_default_ns;
    if (config->duplicate_window_ns < 0)
        return invalid(err, "duplicates window can not be negative");
    if (config->max_age_ns > 0 && config->duplicate_window_ns > config->max_age_ns)
        return invalid(err, "duplicates window can not be larger then max age");
    if (config->duplicate_window_ns < shortest_ns)
        return invalid(err, "duplicates window needs to be >= 100ms");
    return STATUS_OK;
}

// JetStream takes 0 for "no limit" in each of these and answers -1.
static void fill_in_limits(struct stream_config *config)
{
    int64_t *const limits[] = {&config->max_msgs, &config->max_bytes, &config->max_msg_size,
                               &config->max_msgs_per_subject, &config->max_consumers};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (*limits[i] <= 0)
            *limits[i] = -1;
    }
    if (config->replicas == 0)
        config->replicas = 1;
}

static enum status check_policies(struct stream_config *config, struct errinfo *err)
{
    fill_in_limits(config);
    if (config->discard_new_per_subject && config->discard != STREAM_DISCARD_NEW)
        return invalid(err, "discard new per subject requires discard new policy to be set");
    if (config->discard_new_per_subject && config->max_msgs_per_subject <= 0)
        return invalid(err, "discard new per subject requires max msgs per subject > 0");
    if (config->deny_purge && config->allow_rollup)
        return invalid(err, "roll-ups require the purge permission");
    if (config->replicas < 0)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_REPLICAS_NEGATIVE,
                                "replicas count cannot be negative");
    if (config->replicas > REPLICAS_MAX)
        return invalid(err, "maximum replicas is 5");
    if (config->replicas > 1)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_REPLICAS,
                                "replicas > 1 not supported in non-clustered mode");
    return STATUS_OK;
}

enum status stream_config_check(struct stream_config *config, struct errinfo *err)
{
    enum status status = check_strings(config, err);
    if (status == STATUS_OK)
        status = check_times(config, err);
    if (status == STATUS_OK)
        status = check_policies(config, err);
    if (status == STATUS_OK)
        status = stream_config_check_features(config, err);
    return status != STATUS_OK ? status : check_subjects(config, err);
}
