// SPDX-License-Identifier: Apache-2.0
#include "wire/stream_source.h"

#include <stdlib.h>

#define AT(type, member) offsetof(struct type, member)

static const struct jsonfield mapping_fields[] = {
    {"src", JSONFIELD_STRING, AT(subject_mapping, source), NULL, false},
    {"dest", JSONFIELD_STRING, AT(subject_mapping, destination), NULL, false},
};
enum { MAPPING_COUNT = sizeof mapping_fields / sizeof mapping_fields[0] };

static const struct jsonfield source_fields[] = {
    {"name", JSONFIELD_STRING, AT(stream_source, name), NULL, false},
    {"opt_start_seq", JSONFIELD_UNSIGNED, AT(stream_source, start_seq), NULL, false},
    {"opt_start_time", JSONFIELD_TIME, AT(stream_source, start_time_ns), NULL, false},
    {"filter_subject", JSONFIELD_STRING, AT(stream_source, filter), NULL, false},
};
enum { SOURCE_COUNT = sizeof source_fields / sizeof source_fields[0] };

static const struct jsonfield external_fields[] = {
    {"api", JSONFIELD_STRING, AT(stream_source, external_api), NULL, false},
    {"deliver", JSONFIELD_STRING, AT(stream_source, external_deliver), NULL, false},
};
enum { EXTERNAL_COUNT = sizeof external_fields / sizeof external_fields[0] };

// Renaming

void subject_mapping_fini(struct subject_mapping *mapping)
{
    jsonfields_free(mapping_fields, MAPPING_COUNT, mapping);
}

enum status subject_mapping_from_json(struct subject_mapping *mapping, const json_t *object,
                                      struct errinfo *err)
{
    return jsonfields_read(mapping_fields, MAPPING_COUNT, object, mapping, err);
}

json_t *subject_mapping_to_json(const struct subject_mapping *mapping)
{
    json_t *object = json_object();
    if (object != NULL && jsonfields_write(mapping_fields, MAPPING_COUNT, mapping, object))
        return object;
    json_decref(object);
    return NULL;
}

enum status subject_mapping_copy(struct subject_mapping *to, const struct subject_mapping *from)
{
    return jsonfields_copy(mapping_fields, MAPPING_COUNT, from, to);
}

// Sources

void stream_source_fini(struct stream_source *source)
{
    jsonfields_free(source_fields, SOURCE_COUNT, source);
    jsonfields_free(external_fields, EXTERNAL_COUNT, source);
    for (size_t i = 0; i < source->transform_count; i++)
        subject_mapping_fini(&source->transforms[i]);
    free(source->transforms);
    *source = (struct stream_source){.name = NULL};
}

static enum status copy_transforms(struct stream_source *to, const struct stream_source *from)
{
    enum status status = STATUS_OK;
    to->transforms = NULL;
    to->transform_count = 0;
    if (from->transform_count == 0)
        return STATUS_OK;
    to->transforms = calloc(from->transform_count, sizeof *to->transforms);
    if (to->transforms == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < from->transform_count; i++) {
        status = subject_mapping_copy(&to->transforms[i], &from->transforms[i]);
        to->transform_count += status == STATUS_OK;
    }
    return status;
}

enum status stream_source_copy(struct stream_source *to, const struct stream_source *from)
{
    struct stream_source copy = *from;
    copy.transforms = NULL;
    copy.transform_count = 0;
    copy.external_api = copy.external_deliver = NULL;
    enum status status = jsonfields_copy(source_fields, SOURCE_COUNT, from, &copy);
    if (status == STATUS_OK)
        status = jsonfields_copy(external_fields, EXTERNAL_COUNT, from, &copy);
    if (status == STATUS_OK)
        status = copy_transforms(&copy, from);
    if (status != STATUS_OK) {
        stream_source_fini(&copy);
        return status;
    }
    *to = copy;
    return STATUS_OK;
}

static enum status wrong_type(const char *key, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, 10025,
                            "invalid JSON: %s has a value of the wrong type", key);
}

static enum status read_transforms(struct stream_source *source, const json_t *list,
                                   struct errinfo *err)
{
    size_t count = json_array_size(list);
    enum status status = STATUS_OK;
    if (list == NULL || json_is_null(list))
        return STATUS_OK;
    if (!json_is_array(list))
        return wrong_type("subject_transforms", err);
    source->transforms = calloc(count + 1, sizeof *source->transforms);
    if (source->transforms == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a stream's sources");
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        source->transform_count++;
        status = subject_mapping_from_json(&source->transforms[i], json_array_get(list, i), err);
    }
    return status;
}

enum status stream_source_from_json(struct stream_source *source, const json_t *object,
                                    struct errinfo *err)
{
    if (!json_is_object(object))
        return wrong_type("a source", err);
    enum status status = jsonfields_read(source_fields, SOURCE_COUNT, object, source, err);
    const json_t *external = json_object_get(object, "external");
    if (status == STATUS_OK && json_is_object(external))
        status = jsonfields_read(external_fields, EXTERNAL_COUNT, external, source, err);
    if (status == STATUS_OK)
        status = read_transforms(source, json_object_get(object, "subject_transforms"), err);
    if (source->filter != NULL && source->filter[0] == '\0') {
        free(source->filter);
        source->filter = NULL;
    }
    return status;
}

static bool put_transforms(const struct stream_source *source, json_t *object)
{
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t i = 0; whole && i < source->transform_count; i++)
        whole = json_array_append_new(list, subject_mapping_to_json(&source->transforms[i])) == 0;
    if (!whole) {
        json_decref(list);
        return false;
    }
    return json_object_set_new(object, "subject_transforms", list) == 0;
}

static bool put_external(const struct stream_source *source, json_t *object)
{
    json_t *external = json_object();
    if (external != NULL && jsonfields_write(external_fields, EXTERNAL_COUNT, source, external))
        return json_object_set_new(object, "external", external) == 0;
    json_decref(external);
    return false;
}

json_t *stream_source_to_json(const struct stream_source *source)
{
    json_t *object = json_object();
    bool whole = object != NULL && jsonfields_write(source_fields, SOURCE_COUNT, source, object);
    if (whole && source->transform_count > 0)
        whole = put_transforms(source, object);
    if (whole && source->external_api != NULL)
        whole = put_external(source, object);
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}
