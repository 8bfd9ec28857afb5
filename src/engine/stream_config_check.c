// SPDX-License-Identifier: Apache-2.0
// What nats-server's checkStreamCfg asks of a configuration, with its texts.
#include "engine/jserror.h"
#include "engine/stream.h"
#include "wire/subject.h"

#include "base/limits.h"

#include <string.h>

enum { DESCRIPTION_BYTES_MAX = 4096 };

static const int64_t window_default_ns = INT64_C(120000000000);
static const int64_t shortest_ns = 100000000;

static enum status invalid(struct errinfo *err, const char *text)
{
    return errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_CONFIG, "%s", text);
}

static bool good_name(const char *name)
{
    if (name == NULL || name[0] == '\0' || strlen(name) > LIMIT_STREAM_NAME_BYTES)
        return false;
    for (; *name != '\0'; name++) {
        if ((unsigned char)*name <= ' ' || *name == 0x7F || strchr(".*>/\\", *name) != NULL)
            return false;
    }
    return true;
}

static enum status check_name(const struct stream_config *config, struct errinfo *err)
{
    if (!good_name(config->name))
        return invalid(err, "stream name is required and can not contain '.', '*', '>', path "
                            "separators or blanks, and has at most 255 bytes");
    if (config->description != NULL && strlen(config->description) > DESCRIPTION_BYTES_MAX)
        return invalid(err, "stream description is too long, maximum allowed is 4096");
    return STATUS_OK;
}

static enum status check_subjects(struct stream_config *config, struct errinfo *err)
{
    enum status status = STATUS_OK;
    if (config->subject_count == 0)
        status = stream_config_add_subject(config, bytes_of_string(config->name), err);
    for (size_t i = 0; status == STATUS_OK && i < config->subject_count; i++) {
        struct bytes subject = bytes_of_string(config->subjects[i]);
        if (!subject_is_pattern(subject))
            return invalid(err, "invalid subject");
        if (subject_overlaps(subject, BYTES("$JS.>")) &&
            !bytes_start_with(subject, BYTES("$JS.EVENT.")))
            return invalid(err,
                           "subjects that overlap with jetstream api require no-ack to be true");
        for (size_t j = 0; j < i; j++) {
            struct bytes other = bytes_of_string(config->subjects[j]);
            if (bytes_equal(subject, other))
                return invalid(err, "duplicate subjects detected");
            if (subject_overlaps(subject, other))
                return errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_CONFIG,
                                        "subject \"%s\" overlaps with \"%s\"", config->subjects[i],
                                        config->subjects[j]);
        }
    }
    return status;
}

static enum status check_times(struct stream_config *config, struct errinfo *err)
{
    if (config->max_age_ns < 0 || (config->max_age_ns > 0 && config->max_age_ns < shortest_ns))
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

static enum status check_policies(struct stream_config *config, struct errinfo *err)
{
    if (config->discard_new_per_subject && config->discard != STREAM_DISCARD_NEW)
        return invalid(err, "discard new per subject requires discard new policy to be set");
    if (config->discard_new_per_subject && config->max_msgs_per_subject <= 0)
        return invalid(err, "discard new per subject requires max msgs per subject > 0");
    if (config->deny_purge && config->allow_rollup)
        return invalid(err, "roll-ups require the purge permission");
    if (config->replicas > 1)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_REPLICAS,
                                "replicas > 1 not supported in non-clustered mode");
    if (config->sealed) {
        config->deny_delete = true;
        config->deny_purge = true;
        config->allow_rollup = false;
    }
    return STATUS_OK;
}

enum status stream_config_check(struct stream_config *config, struct errinfo *err)
{
    enum status status = check_name(config, err);
    if (status == STATUS_OK)
        status = check_subjects(config, err);
    if (status == STATUS_OK)
        status = check_times(config, err);
    return status != STATUS_OK ? status : check_policies(config, err);
}
