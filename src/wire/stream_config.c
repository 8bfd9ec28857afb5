// SPDX-License-Identifier: Apache-2.0
#include "wire/stream_config.h"

#include "base/utf8.h"
#include "wire/jsonfields.h"

#include <jansson.h>
#include <stdlib.h>

enum { CODE_INVALID_JSON = 10025 };

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
    for (size_t i = 0; i < config->subject_count; i++)
        free(config->subjects[i]);
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

enum status stream_config_copy(struct stream_config *to, const struct stream_config *from)
{
    struct stream_config copy = *from;
    copy.name = copy.description = copy.metadata = NULL;
    copy.subject_count = 0;
    enum status status = copy_string(&copy.name, from->name);
    if (status == STATUS_OK)
        status = copy_string(&copy.description, from->description);
    if (status == STATUS_OK)
        status = copy_string(&copy.metadata, from->metadata);
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

static enum status read_document(struct stream_config *config, const json_t *document,
                                 struct errinfo *err)
{
    enum status status = jsonfields_read(fields, FIELD_COUNT, document, config, err);
    if (status == STATUS_OK)
        status = read_subjects(config, json_object_get(document, "subjects"), err);
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

static json_t *config_json(const struct stream_config *config)
{
    json_t *document = json_object();
    bool whole = document != NULL &&
                 json_object_set_new(document, "subjects", subjects_json(config)) == 0 &&
                 jsonfields_write(fields, FIELD_COUNT, config, document);
    if (whole)
        return document;
    json_decref(document);
    return NULL;
}

static bool strings_are_utf8(const struct stream_config *config)
{
    const char *const strings[] = {config->name, config->description, config->metadata};
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
