// SPDX-License-Identifier: Apache-2.0
#include "wire/stream_config.h"

#include "base/utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

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
    char *copy = malloc(value.size + 1);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    if (value.size > 0)
        memcpy(copy, value.data, value.size);
    copy[value.size] = '\0';
    free(*field);
    *field = copy;
    return STATUS_OK;
}

enum status stream_config_add_subject(struct stream_config *config, struct bytes subject,
                                      struct errinfo *err)
{
    if (config->subject_count == STREAM_SUBJECTS_MAX)
        return errinfo_set(err, STATUS_LIMIT, "a stream listens to at most %d subjects",
                           STREAM_SUBJECTS_MAX);
    char *copy = NULL;
    enum status status = stream_config_set_string(&copy, subject);
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

// One row a field: the JSON key and where the value goes.
enum field_kind { FIELD_STRING, FIELD_INTEGER, FIELD_UNSIGNED, FIELD_INT, FIELD_BOOL, FIELD_WORD };

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    const char *const *words; // FIELD_WORD: the enum's values in order
    bool always;              // written even when it has its zero value
};

static const char *const retention_words[] = {"limits", "interest", "workqueue", NULL};
static const char *const discard_words[] = {"old", "new", NULL};
static const char *const storage_words[] = {"file", "memory", NULL};

#define AT(member) offsetof(struct stream_config, member)

static const struct field fields[] = {
    {"name", FIELD_STRING, AT(name), NULL, true},
    {"description", FIELD_STRING, AT(description), NULL, false},
    {"retention", FIELD_WORD, AT(retention), retention_words, true},
    {"max_consumers", FIELD_INTEGER, AT(max_consumers), NULL, true},
    {"max_msgs", FIELD_INTEGER, AT(max_msgs), NULL, true},
    {"max_bytes", FIELD_INTEGER, AT(max_bytes), NULL, true},
    {"max_age", FIELD_INTEGER, AT(max_age_ns), NULL, true},
    {"max_msgs_per_subject", FIELD_INTEGER, AT(max_msgs_per_subject), NULL, true},
    {"max_msg_size", FIELD_INTEGER, AT(max_msg_size), NULL, true},
    {"discard", FIELD_WORD, AT(discard), discard_words, true},
    {"storage", FIELD_WORD, AT(storage), storage_words, true},
    {"num_replicas", FIELD_INT, AT(replicas), NULL, true},
    {"duplicate_window", FIELD_INTEGER, AT(duplicate_window_ns), NULL, true},
    {"first_seq", FIELD_UNSIGNED, AT(first_seq), NULL, false},
    {"discard_new_per_subject", FIELD_BOOL, AT(discard_new_per_subject), NULL, false},
    {"sealed", FIELD_BOOL, AT(sealed), NULL, true},
    {"deny_delete", FIELD_BOOL, AT(deny_delete), NULL, true},
    {"deny_purge", FIELD_BOOL, AT(deny_purge), NULL, true},
    {"allow_rollup_hdrs", FIELD_BOOL, AT(allow_rollup), NULL, true},
    {"allow_direct", FIELD_BOOL, AT(allow_direct), NULL, true},
};

static enum status wrong_type(const char *key, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, CODE_INVALID_JSON,
                            "invalid JSON: %s has a value of the wrong type", key);
}

static enum status read_word(const struct field *field, const json_t *value, void *to,
                             struct errinfo *err)
{
    const char *text = json_string_value(value);
    for (int i = 0; text != NULL && field->words[i] != NULL; i++) {
        if (strcmp(field->words[i], text) == 0) {
            memcpy(to, &i, sizeof i);
            return STATUS_OK;
        }
    }
    return wrong_type(field->key, err);
}

static enum status read_field(const struct field *field, const json_t *value, void *to,
                              struct errinfo *err)
{
    json_int_t number = json_integer_value(value);
    bool flag = json_is_true(value);
    switch (field->kind) {
    case FIELD_STRING:
        if (!json_is_string(value))
            break;
        return stream_config_set_string(
            to, bytes_of(json_string_value(value), json_string_length(value)));
    case FIELD_INTEGER:
    case FIELD_UNSIGNED:
        if (!json_is_integer(value) || (field->kind == FIELD_UNSIGNED && number < 0))
            break;
        memcpy(to, &number, sizeof number);
        return STATUS_OK;
    case FIELD_INT:
        if (!json_is_integer(value) || number < 0 || number > INT32_MAX)
            break;
        *(int *)to = (int)number;
        return STATUS_OK;
    case FIELD_BOOL:
        if (!json_is_boolean(value))
            break;
        memcpy(to, &flag, sizeof flag);
        return STATUS_OK;
    case FIELD_WORD: return read_word(field, value, to, err);
    }
    return wrong_type(field->key, err);
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

static enum status read_metadata(struct stream_config *config, const json_t *metadata,
                                 struct errinfo *err)
{
    if (metadata == NULL || json_is_null(metadata))
        return STATUS_OK;
    if (!json_is_object(metadata))
        return wrong_type("metadata", err);
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metadata, key, value)
    {
        if (!json_is_string(value))
            return wrong_type("metadata", err);
    }
    char *text = json_dumps(metadata, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a stream's metadata");
    free(config->metadata);
    config->metadata = text;
    return STATUS_OK;
}

void stream_config_normalise(struct stream_config *config)
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
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof fields / sizeof fields[0]; i++) {
        const json_t *value = json_object_get(document, fields[i].key);
        if (value != NULL && !json_is_null(value))
            status = read_field(&fields[i], value, (char *)config + fields[i].offset, err);
    }
    if (status == STATUS_OK)
        status = read_subjects(config, json_object_get(document, "subjects"), err);
    if (status == STATUS_OK)
        status = read_metadata(config, json_object_get(document, "metadata"), err);
    stream_config_normalise(config);
    return status;
}

enum status stream_config_from_json(struct stream_config *config, struct bytes json,
                                    struct errinfo *err)
{
    struct stream_config read;
    json_error_t where;
    json_t *document = json_loadb(json.data, json.size, 0, &where);
    if (document == NULL) {
        char escaped[ERRINFO_QUOTED_MAX]; // the reason shows what stands in the text
        return errinfo_set_code(err, STATUS_INVALID, CODE_INVALID_JSON, "invalid JSON: %s",
                                errinfo_escape(bytes_of_string(where.text), escaped));
    }
    if (!json_is_object(document)) {
        json_decref(document);
        return errinfo_set_code(err, STATUS_INVALID, CODE_INVALID_JSON,
                                "invalid JSON: not an object");
    }
    stream_config_init(&read);
    enum status status = read_document(&read, document, err);
    json_decref(document);
    if (status != STATUS_OK) {
        stream_config_fini(&read);
        return status;
    }
    stream_config_fini(config);
    *config = read;
    return STATUS_OK;
}

static json_t *field_json(const struct field *field, const void *from)
{
    int64_t number;
    bool flag;
    switch (field->kind) {
    case FIELD_STRING: {
        const char *text = *(char *const *)from;
        return text == NULL ? json_null() : json_string(text);
    }
    case FIELD_INTEGER:
    case FIELD_UNSIGNED:
        memcpy(&number, from, sizeof number);
        return number == 0 && !field->always ? json_null() : json_integer(number);
    case FIELD_INT: return json_integer(*(const int *)from);
    case FIELD_BOOL:
        memcpy(&flag, from, sizeof flag);
        return !flag && !field->always ? json_null() : json_boolean(flag);
    case FIELD_WORD: return json_string(field->words[*(const int *)from]);
    }
    return NULL;
}

// What is NULL could not be made; JSON's null stands for a field that is left out.
static bool put(json_t *document, const char *key, json_t *value)
{
    if (json_is_null(value))
        return true;
    return json_object_set_new(document, key, value) == 0;
}

static bool put_subjects(json_t *document, const struct stream_config *config)
{
    json_t *subjects = json_array();
    bool good = true;
    for (size_t i = 0; good && i < config->subject_count; i++)
        good = json_array_append_new(subjects, json_string(config->subjects[i])) == 0;
    if (good)
        return put(document, "subjects", subjects);
    json_decref(subjects);
    return false;
}

static json_t *document_of(const struct stream_config *config)
{
    json_t *document = json_object();
    bool good = document != NULL && put_subjects(document, config);
    for (size_t i = 0; good && i < sizeof fields / sizeof fields[0]; i++)
        good = put(document, fields[i].key,
                   field_json(&fields[i], (const char *)config + fields[i].offset));
    if (good && config->metadata != NULL)
        good = put(document, "metadata", json_loads(config->metadata, 0, NULL));
    if (good)
        return document;
    json_decref(document);
    return NULL;
}

static bool strings_are_utf8(const struct stream_config *config)
{
    bool good = utf8_is_valid(bytes_of_string(config->name)) &&
                utf8_is_valid(bytes_of_string(config->description)) &&
                utf8_is_valid(bytes_of_string(config->metadata));
    for (size_t i = 0; good && i < config->subject_count; i++)
        good = utf8_is_valid(bytes_of_string(config->subjects[i]));
    return good;
}

enum status stream_config_to_json(const struct stream_config *config, struct buf *out)
{
    // JSON is UTF-8: a configuration is written with every field that it has, or not at all.
    if (!strings_are_utf8(config))
        return STATUS_INVALID;
    json_t *document = document_of(config);
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    buf_append_string(out, text);
    free(text);
    return buf_status(out);
}
