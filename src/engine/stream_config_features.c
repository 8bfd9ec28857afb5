// SPDX-License-Identifier: Apache-2.0
// What nats-server's checkStreamCfg asks of mirrors, sources, renaming and the features of single
// messages, with its err_codes and texts.
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "wire/subject.h"
#include "wire/transform.h"

#include <string.h>

static const int64_t marker_ttl_min_ns = INT64_C(1000000000);

static enum status refuse(struct errinfo *err, int code, const char *text)
{
    return errinfo_set_code(err, STATUS_INVALID, code, "%s", text);
}

static bool is_stream_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strpbrk(name, ".*>\\/ \t\r\n") == NULL;
}

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static enum status check_mirror(const struct stream_config *config, struct errinfo *err)
{
    const struct stream_source *mirror = config->mirror;
    if (mirror == NULL)
        return STATUS_OK;
    if (!is_stream_name(mirror->name))
        return refuse(err, 10142, "mirrored stream name is invalid");
    if (config->first_seq > 1)
        return refuse(err, 10143, "stream mirrors can not have first sequence configured");
    if (config->subject_count > 0)
        return refuse(err, 10034, "stream mirrors can not contain subjects");
    if (config->source_count > 0)
        return refuse(err, 10031, "stream mirrors can not also contain other sources");
    if (config->allow_counter)
        return refuse(err, 10173, "stream mirrors can not also calculate counters");
    if (config->allow_atomic)
        return refuse(err, 10198, "stream mirrors can not also use atomic publishing");
    if (config->allow_schedules)
        return refuse(err, 10186, "stream mirrors can not also schedule messages");
    if (mirror->start_seq > 0 && mirror->start_time_ns != 0)
        return refuse(err, 10032,
                      "stream mirrors can not have both start seq and start time configured");
    if (mirror->filter != NULL && mirror->transform_count > 0)
        return refuse(err, 10150,
                      "mirror with multiple subject transforms cannot also have a single subject "
                      "filter");
    return STATUS_OK;
}

static enum status check_transforms(const struct stream_source *source, int source_code,
                                    int destination_code, const char *what, struct errinfo *err)
{
    struct errinfo why;
    for (size_t i = 0; i < source->transform_count; i++) {
        const struct subject_mapping *mapping = &source->transforms[i];
        if (!is_empty(mapping->source) && !subject_is_pattern(bytes_of_string(mapping->source)))
            return errinfo_set_code(err, STATUS_INVALID, source_code,
                                    "%s transform source: invalid subject", what);
        if (!is_empty(mapping->destination) &&
            transform_check(bytes_of_string(mapping->source), bytes_of_string(mapping->destination),
                            &why) != STATUS_OK)
            return errinfo_set_code(err, STATUS_INVALID, destination_code, "%s transform: %s", what,
                                    why.text);
    }
    return STATUS_OK;
}

static bool same_source(const struct stream_source *a, const struct stream_source *b)
{
    return strcmp(a->name, b->name) == 0 &&
           bytes_equal(bytes_of_string(a->filter), bytes_of_string(b->filter)) &&
           a->transform_count == 0 && b->transform_count == 0;
}

static enum status check_sources(const struct stream_config *config, struct errinfo *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < config->source_count; i++) {
        const struct stream_source *source = &config->sources[i];
        if (!is_stream_name(source->name))
            return refuse(err, 10141, "sourced stream name is invalid");
        if (source->filter != NULL && source->transform_count > 0)
            return refuse(err, 10144,
                          "source with multiple subject transforms cannot also have a single "
                          "subject filter");
        for (size_t k = 0; k < i; k++)
            if (same_source(source, &config->sources[k]))
                return refuse(err, 10140, "duplicate source configuration detected");
        status = check_transforms(source, 10145, 10146, "source", err);
    }
    return status;
}

static enum status check_mappings(const struct stream_config *config, struct errinfo *err)
{
    struct errinfo why;
    const struct subject_mapping *transform = &config->transform;
    const struct subject_mapping *republish = &config->republish;
    if (!is_empty(transform->source) && !subject_is_pattern(bytes_of_string(transform->source)))
        return refuse(err, 10155, "stream transform source: invalid subject");
    if (!is_empty(transform->destination) &&
        transform_check(bytes_of_string(transform->source), bytes_of_string(transform->destination),
                        &why) != STATUS_OK)
        return errinfo_set_code(err, STATUS_INVALID, 10156, "stream transform: %s", why.text);
    if (is_empty(republish->destination))
        return STATUS_OK;
    if (transform_check(bytes_of_string(republish->source), bytes_of_string(republish->destination),
                        &why) != STATUS_OK)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_CONFIG,
                                "stream configuration for republish with %s", why.text);
    for (size_t i = 0; i < config->subject_count; i++)
        if (subject_has_wildcard(bytes_of_string(republish->destination)) == false &&
            subject_matches(bytes_of_string(config->subjects[i]),
                            bytes_of_string(republish->destination)))
            return refuse(err, JSERROR_INVALID_CONFIG,
                          "stream configuration for republish destination forms a cycle");
    return STATUS_OK;
}

// What this server does not do is refused, and never taken and then ignored.
static enum status check_messages(struct stream_config *config, struct errinfo *err)
{
    if (config->allow_schedules)
        return refuse(err, JSERROR_INVALID_CONFIG, "message schedules are not served by agog");
    if (config->allow_counter)
        return refuse(err, JSERROR_INVALID_CONFIG, "message counters are not served by agog");
    if (config->allow_batched)
        return refuse(err, JSERROR_INVALID_CONFIG, "batch publishing is not served by agog");
    if (config->delete_marker_ttl_ns < 0)
        return refuse(err, JSERROR_INVALID_CONFIG,
                      "subject delete marker TTL must not be negative");
    if (config->delete_marker_ttl_ns == 0)
        return STATUS_OK;
    if (config->delete_marker_ttl_ns < marker_ttl_min_ns)
        return refuse(err, JSERROR_INVALID_CONFIG,
                      "subject delete marker TTL must be at least 1 second");
    config->allow_msg_ttl = true;
    config->allow_rollup = true;
    return STATUS_OK;
}

enum status stream_config_check_features(struct stream_config *config, struct errinfo *err)
{
    enum status status = check_mirror(config, err);
    if (status == STATUS_OK && config->mirror != NULL)
        status = check_transforms(config->mirror, 10151, 10154, "mirror", err);
    if (status == STATUS_OK)
        status = check_sources(config, err);
    if (status == STATUS_OK)
        status = check_mappings(config, err);
    return status == STATUS_OK ? check_messages(config, err) : status;
}
