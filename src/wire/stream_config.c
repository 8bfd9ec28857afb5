// SPDX-License-Identifier: Apache-2.0
#include "wire/stream_config.h"

#include "base/utf8.h"
#include "wire/jsonfields.h"

#include <jansson.h>
#include <stdlib.h>

enum { CODE_INVALID_JSON = 10025, SOURCES_MAX = 256 };

void stream_config_init(struct stream_config *config)
{
    *config = (struct stream_config){
        .max_msgs = -1,
        .max_bytes = -1,
        .max_msg_size = -1,
        .max_msgs_per_subject = -1,
        .max_consumers = -1,
        .replicas = 1,
    };
}

void stream_config_fini(struct stream_config *config)
{
    free(config->name);
    free(config->description);
    free(config->metadata);
    free(config->placement);
    for (size_t i = 0; i < config->subject_count; i++)
        free(config->subjects[i]);
    if (config->mirror != NULL)
        stream_source_fini(config->mirror);
    free(config->mirror);
    for (size_t i = 0; i < config->source_count; i++)
        stream_source_fini(&config->sources[i]);
    free(config->sources);
    subject_mapping_fini(&config->transform);
    subject_mapping_fini(&config->republish);
    stream_config_init(config);
}

enum status stream_config_set_string(char **field, struct bytes value)
{
    return jsonfields_set_string(field, value);
}

enum status stream_config_add_subject(struct stream_config *config, struct bytes subject,
                                      struct errinfo *err)
{
    if (config->subject_count == STREAM_SUBJECTS_MAX)
        return errinfo_set(err, STATUS_LIMIT, "a stream listens to at most %d subjects",
                           STREAM_SUBJECTS_MAX);
    char *copy = NULL;
    enum status status = stream_config_set_string(&copy, subject);
    if (status == STATUS_INVALID)
        return errinfo_set(err, status, "a subject cannot hold NUL");
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for a stream's subject");
    config->subjects[config->subject_count++] = copy;
    return STATUS_OK;
}

static enum status copy_string(char **to, const char *from)
{
    return from == NULL ? STATUS_OK : stream_config_set_string(to, bytes_of_string(from));
}

static enum status copy_sources(struct stream_config *to, const struct stream_config *from)
{
    enum status status = STATUS_OK;
    if (from->mirror != NULL) {
        to->mirror = calloc(1, sizeof *to->mirror);
        if (to->mirror == NULL)
            return STATUS_NO_MEMORY;
        status = stream_source_copy(to->mirror, from->mirror);
    }
    if (status != STATUS_OK || from->source_count == 0)
        return status;
    to->sources = calloc(from->source_count, sizeof *to->sources);
    if (to->sources == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < from->source_count; i++) {
        status = stream_source_copy(&to->sources[i], &from->sources[i]);
        to->source_count += status == STATUS_OK;
    }
    return status;
}

enum status stream_config_copy(struct stream_config *to, const struct stream_config *from)
{
    struct stream_config copy = *from;
    copy.name = copy.description = copy.metadata = copy.placement = NULL;
    copy.subject_count = 0;
    copy.mirror = copy.sources = NULL;
    copy.source_count = 0;
    copy.transform = copy.republish = (struct subject_mapping){NULL, NULL};
    enum status status = copy_string(&copy.name, from->name);
    if (status == STATUS_OK)
        status = copy_string(&copy.description, from->description);
    if (status == STATUS_OK)
        status = copy_string(&copy.metadata, from->metadata);
    if (status == STATUS_OK)
        status = copy_string(&copy.placement, from->placement);
    if (status == STATUS_OK)
        status = copy_sources(&copy, from);
    if (status == STATUS_OK)
        status = subject_mapping_copy(&copy.transform, &from->transform);
    if (status == STATUS_OK)
        status = subject_mapping_copy(&copy.republish, &from->republish);
    for (size_t i = 0; status == STATUS_OK && i < from->subject_count; i++)
        status = stream_config_add_subject(&copy, bytes_of_string(from->subjects[i]), NULL);
    if (status != STATUS_OK) {
        stream_config_fini(&copy);
        return status;
    }
    *to = copy;
    return STATUS_OK;
}

static const char *const retention_words[] = {"limits", "interest", "workqueue", NULL};
static const char *const discard_words[] = {"old", "new", NULL};
static const char *const storage_words[] = {"file", "memory", NULL};
static const char *const compression_words[] = {"none", "s2", NULL};
static const char *const persist_words[] = {"default", "async", NULL};

#define AT(member) offsetof(struct stream_config, member)

static const struct jsonfield fields[] = {
    {"name", JSONFIELD_STRING, AT(name), NULL, true},
    {"description", JSONFIELD_STRING, AT(description), NULL, false},
    {"retention", JSONFIELD_WORD, AT(retention), retention_words, true},
    {"max_consumers", JSONFIELD_INTEGER, AT(max_consumers), NULL, true},
    {"max_msgs", JSONFIELD_INTEGER, AT(max_msgs), NULL, true},
    {"max_bytes", JSONFIELD_INTEGER, AT(max_bytes), NULL, true},
    {"max_age", JSONFIELD_INTEGER, AT(max_age_ns), NULL, true},
    {"max_msgs_per_subject", JSONFIELD_INTEGER, AT(max_msgs_per_subject), NULL, true},
    {"max_msg_size", JSONFIELD_INTEGER, AT(max_msg_size), NULL, true},
    {"discard", JSONFIELD_WORD, AT(discard), discard_words, true},
    {"storage", JSONFIELD_WORD, AT(storage), storage_words, true},
    {"num_replicas", JSONFIELD_INT, AT(replicas), NULL, true},
    {"duplicate_window", JSONFIELD_INTEGER, AT(duplicate_window_ns), NULL, true},
    {"first_seq", JSONFIELD_UNSIGNED, AT(first_seq), NULL, false},
    {"discard_new_per_subject", JSONFIELD_BOOL, AT(discard_new_per_subject), NULL, false},
    {"sealed", JSONFIELD_BOOL, AT(sealed), NULL, true},
    {"deny_delete", JSONFIELD_BOOL, AT(deny_delete), NULL, true},
    {"deny_purge", JSONFIELD_BOOL, AT(deny_purge), NULL, true},
    {"allow_rollup_hdrs", JSONFIELD_BOOL, AT(allow_rollup), NULL, true},
    {"allow_direct", JSONFIELD_BOOL, AT(allow_direct), NULL, true},
    {"metadata", JSONFIELD_METADATA, AT(metadata), NULL, false},
    {"compression", JSONFIELD_WORD, AT(compression), compression_words, true},
    {"persist_mode", JSONFIELD_WORD, AT(persist), persist_words, false},
    {"no_ack", JSONFIELD_BOOL, AT(no_ack), NULL, false},
    {"mirror_direct", JSONFIELD_BOOL, AT(mirror_direct), NULL, true},
    {"allow_msg_ttl", JSONFIELD_BOOL, AT(allow_msg_ttl), NULL, true},
    {"subject_delete_marker_ttl", JSONFIELD_INTEGER, AT(delete_marker_ttl_ns), NULL, false},
    {"allow_atomic", JSONFIELD_BOOL, AT(allow_atomic), NULL, false},
    {"allow_batched", JSONFIELD_BOOL, AT(allow_batched), NULL, false},
    {"allow_msg_schedules", JSONFIELD_BOOL, AT(allow_schedules), NULL, false},
    {"allow_msg_counter", JSONFIELD_BOOL, AT(allow_counter), NULL, false},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static enum status wrong_type(const char *key, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, CODE_INVALID_JSON,
                            "invalid JSON: %s has a value of the wrong type", key);
}

static enum status read_subjects(struct stream_config *config, const json_t *list,
                                 struct errinfo *err)
{
    size_t index;
    const json_t *subject;
    if (list == NULL || json_is_null(list))
        return STATUS_OK;
    if (!json_is_array(list))
        return wrong_type("subjects", err);
    json_array_foreach(list, index, subject)
    {
        if (!json_is_string(subject))
            return wrong_type("subjects", err);
        struct bytes text = bytes_of(json_string_value(subject), json_string_length(subject));
        enum status status = stream_config_add_subject(config, text, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// JetStream takes 0 for "no limit" in each of these and answers -1.
static void normalise(struct stream_config *config)
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

static const struct jsonfield limit_fields[] = {
    {"inactive_threshold", JSONFIELD_INTEGER, AT(consumer_inactive_ns), NULL, false},
    {"max_ack_pending", JSONFIELD_INTEGER, AT(consumer_max_ack_pending), NULL, false},
};
enum { LIMIT_COUNT = sizeof limit_fields / sizeof limit_fields[0] };

static enum status read_sources(struct stream_config *config, const json_t *document,
                                struct errinfo *err)
{
    const json_t *mirror = json_object_get(document, "mirror");
    const json_t *sources = json_object_get(document, "sources");
    enum status status = STATUS_OK;
    if (mirror != NULL && !json_is_null(mirror)) {
        config->mirror = calloc(1, sizeof *config->mirror);
        status = config->mirror == NULL
                     ? errinfo_set(err, STATUS_NO_MEMORY, "no memory for a stream's mirror")
                     : stream_source_from_json(config->mirror, mirror, err);
    }
    if (status != STATUS_OK || sources == NULL || json_is_null(sources))
        return status;
    if (!json_is_array(sources) || json_array_size(sources) > SOURCES_MAX)
        return wrong_type("sources", err);
    config->sources = calloc(json_array_size(sources) + 1, sizeof *config->sources);
    if (config->sources == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a stream's sources");
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(sources); i++) {
        config->source_count++;
        status = stream_source_from_json(&config->sources[i], json_array_get(sources, i), err);
    }
    return status;
}

static enum status read_mappings(struct stream_config *config, const json_t *document,
                                 struct errinfo *err)
{
    const json_t *transform = json_object_get(document, "subject_transform");
    const json_t *republish = json_object_get(document, "republish");
    enum status status = STATUS_OK;
    if (json_is_object(transform))
        status = subject_mapping_from_json(&config->transform, transform, err);
    if (status == STATUS_OK && json_is_object(republish)) {
        status = subject_mapping_from_json(&config->republish, republish, err);
        config->republish_headers_only = json_is_true(json_object_get(republish, "headers_only"));
    }
    return status;
}

static enum status read_rest(struct stream_config *config, const json_t *document,
                             struct errinfo *err)
{
    const json_t *limits = json_object_get(document, "consumer_limits");
    const json_t *placement = json_object_get(document, "placement");
    enum status status = STATUS_OK;
    if (json_is_object(limits))
        status = jsonfields_read(limit_fields, LIMIT_COUNT, limits, config, err);
    if (status != STATUS_OK || !json_is_object(placement))
        return status;
    config->placement = json_dumps(placement, JSON_COMPACT | JSON_SORT_KEYS);
    return config->placement == NULL
               ? errinfo_set(err, STATUS_NO_MEMORY, "no memory for a stream's placement")
               : STATUS_OK;
}

static enum status read_document(struct stream_config *config, const json_t *document,
                                 struct errinfo *err)
{
    enum status status = jsonfields_read(fields, FIELD_COUNT, document, config, err);
    if (status == STATUS_OK)
        status = read_subjects(config, json_object_get(document, "subjects"), err);
    if (status == STATUS_OK)
        status = read_sources(config, document, err);
    if (status == STATUS_OK)
        status = read_mappings(config, document, err);
    if (status == STATUS_OK)
        status = read_rest(config, document, err);
    normalise(config);
    return status;
}

enum status stream_config_from_json(struct stream_config *config, struct bytes json,
                                    struct errinfo *err)
{
    struct stream_config read;
    json_t *document;
    enum status status = jsonfields_parse(json, "stream configuration", &document, err);
    if (status != STATUS_OK)
        return status;
    stream_config_init(&read);
    status = read_document(&read, document, err);
    json_decref(document);
    if (status != STATUS_OK) {
        stream_config_fini(&read);
        return status;
    }
    stream_config_fini(config);
    *config = read;
    return STATUS_OK;
}

static json_t *subjects_json(const struct stream_config *config)
{
    json_t *subjects = json_array();
    bool whole = subjects != NULL;
    for (size_t i = 0; whole && i < config->subject_count; i++)
        whole = json_array_append_new(subjects, json_string(config->subjects[i])) == 0;
    if (!whole) {
        json_decref(subjects);
        return NULL;
    }
    return subjects;
}

static bool put_sources(const struct stream_config *config, json_t *document)
{
    json_t *list;
    bool whole = true;
    if (config->mirror != NULL)
        whole = json_object_set_new(document, "mirror", stream_source_to_json(config->mirror)) == 0;
    if (!whole || config->source_count == 0)
        return whole;
    list = json_array();
    whole = list != NULL;
    for (size_t i = 0; whole && i < config->source_count; i++)
        whole = json_array_append_new(list, stream_source_to_json(&config->sources[i])) == 0;
    if (!whole) {
        json_decref(list);
        return false;
    }
    return json_object_set_new(document, "sources", list) == 0;
}

static bool put_mappings(const struct stream_config *config, json_t *document)
{
    bool whole = true;
    if (config->transform.destination != NULL)
        whole = json_object_set_new(document, "subject_transform",
                                    subject_mapping_to_json(&config->transform)) == 0;
    if (!whole || config->republish.destination == NULL)
        return whole;
    json_t *republish = subject_mapping_to_json(&config->republish);
    if (republish != NULL && config->republish_headers_only)
        json_object_set_new(republish, "headers_only", json_true());
    return json_object_set_new(document, "republish", republish) == 0;
}

static bool put_rest(const struct stream_config *config, json_t *document)
{
    json_t *limits = json_object();
    bool whole = limits != NULL && jsonfields_write(limit_fields, LIMIT_COUNT, config, limits);
    if (!whole) {
        json_decref(limits);
        return false;
    }
    whole = json_object_set_new(document, "consumer_limits", limits) == 0;
    if (whole && config->placement != NULL)
        whole = json_object_set_new(document, "placement",
                                    json_loads(config->placement, 0, NULL)) == 0;
    return whole;
}

static json_t *config_json(const struct stream_config *config)
{
    json_t *document = json_object();
    bool whole = document != NULL &&
                 json_object_set_new(document, "subjects", subjects_json(config)) == 0 &&
                 jsonfields_write(fields, FIELD_COUNT, config, document) &&
                 put_sources(config, document) && put_mappings(config, document) &&
                 put_rest(config, document);
    if (whole)
        return document;
    json_decref(document);
    return NULL;
}

static bool strings_are_utf8(const struct stream_config *config)
{
    const char *const strings[] = {config->name,
                                   config->description,
                                   config->metadata,
                                   config->transform.source,
                                   config->transform.destination,
                                   config->republish.source,
                                   config->republish.destination};
    bool good = true;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        good = good && utf8_is_valid(bytes_of_string(strings[i]));
    for (size_t i = 0; i < config->subject_count; i++)
        good = good && utf8_is_valid(bytes_of_string(config->subjects[i]));
    return good;
}

enum status stream_config_to_json(const struct stream_config *config, struct buf *out)
{
    if (!strings_are_utf8(config))
        return STATUS_INVALID;
    json_t *document = config_json(config);
    if (document == NULL)
        return STATUS_NO_MEMORY;
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(document);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    buf_append_string(out, text);
    free(text);
    return buf_status(out);
}
