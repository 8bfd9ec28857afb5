// SPDX-License-Identifier: Apache-2.0
#include "wire/jsonfields.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { CODE_INVALID_JSON = 10025, LIST_MAX = 65536 };

enum status jsonfields_set_string(char **field, struct bytes value)
{
    if (bytes_find_byte(value, '\0') != SIZE_MAX)
        return STATUS_INVALID;
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

enum status jsonstrings_add(struct jsonstrings *strings, struct bytes value)
{
    char *copy = NULL;
    enum status status = jsonfields_set_string(&copy, value);
    if (status != STATUS_OK)
        return status;
    char **items = realloc(strings->items, (strings->count + 1) * sizeof *items);
    if (items == NULL) {
        free(copy);
        return STATUS_NO_MEMORY;
    }
    strings->items = items;
    items[strings->count++] = copy;
    return STATUS_OK;
}

static void strings_free(struct jsonstrings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct jsonstrings){NULL, 0};
}

// Reading

static enum status wrong_type(const char *key, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, CODE_INVALID_JSON,
                            "invalid JSON: %s has a value of the wrong type", key);
}

static enum status no_memory(const char *key, struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the value of %s", key);
}

static enum status read_word(const struct jsonfield *field, const json_t *value, void *to,
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

static enum status read_string(const struct jsonfield *field, const json_t *value, char **to,
                               struct errinfo *err)
{
    if (!json_is_string(value))
        return wrong_type(field->key, err);
    struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
    enum status status = jsonfields_set_string(to, text);
    return status == STATUS_NO_MEMORY ? no_memory(field->key, err)
           : status == STATUS_INVALID ? wrong_type(field->key, err)
                                      : status;
}

static enum status read_strings(const struct jsonfield *field, const json_t *list,
                                struct jsonstrings *to, struct errinfo *err)
{
    size_t index;
    const json_t *item;
    if (!json_is_array(list) || json_array_size(list) > LIST_MAX)
        return wrong_type(field->key, err);
    strings_free(to);
    json_array_foreach(list, index, item)
    {
        if (!json_is_string(item))
            return wrong_type(field->key, err);
        enum status status = jsonstrings_add(
            to, bytes_of(json_string_value(item), json_string_length(item)));
        if (status != STATUS_OK)
            return status == STATUS_INVALID ? wrong_type(field->key, err)
                                            : no_memory(field->key, err);
    }
    return STATUS_OK;
}

static enum status read_integers(const struct jsonfield *field, const json_t *list,
                                 struct jsonintegers *to, struct errinfo *err)
{
    size_t size = json_array_size(list);
    if (!json_is_array(list) || size > LIST_MAX)
        return wrong_type(field->key, err);
    for (size_t i = 0; i < size; i++)
        if (!json_is_integer(json_array_get(list, i)))
            return wrong_type(field->key, err);
    int64_t *items = size == 0 ? NULL : malloc(size * sizeof *items);
    if (size > 0 && items == NULL)
        return no_memory(field->key, err);
    for (size_t i = 0; i < size; i++)
        items[i] = json_integer_value(json_array_get(list, i));
    free(to->items);
    *to = (struct jsonintegers){items, size};
    return STATUS_OK;
}

static enum status read_time(const struct jsonfield *field, const json_t *value, int64_t *to,
                             struct errinfo *err)
{
    if (!json_is_string(value))
        return wrong_type(field->key, err);
    struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
    // Go's zero time is no time.
    if (bytes_start_with(text, BYTES("0001-01-01T00:00:00")))
        *to = 0;
    else if (!clock_parse(text, to))
        return wrong_type(field->key, err);
    return STATUS_OK;
}

// A copy without what servers put beside their owners' metadata into an answer.
static json_t *without_servers(json_t *metadata)
{
    static const char *const keys[] = {"_nats.ver", "_nats.level", "_nats.req.level"};
    json_t *copy = json_copy(metadata);
    for (size_t i = 0; copy != NULL && i < sizeof keys / sizeof keys[0]; i++)
        json_object_del(copy, keys[i]);
    return copy;
}

static enum status read_metadata(const struct jsonfield *field, const json_t *object, char **to,
                                 struct errinfo *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return wrong_type(field->key, err);
    // The library walks an object through a pointer that is not const, and changes nothing.
    json_t *all = (json_t *)(uintptr_t)object;
    json_object_foreach(all, key, value)
    {
        if (!json_is_string(value))
            return wrong_type(field->key, err);
    }
    json_t *own = without_servers(all);
    bool none = own != NULL && json_object_size(own) == 0 && json_object_size(all) > 0;
    char *text = own == NULL || none ? NULL : json_dumps(own, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(own);
    if (text == NULL && !none)
        return no_memory(field->key, err);
    free(*to);
    *to = text;
    return STATUS_OK;
}

static enum status read_number(const struct jsonfield *field, const json_t *value, void *to,
                               struct errinfo *err)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || (field->kind == JSONFIELD_UNSIGNED && number < 0))
        return wrong_type(field->key, err);
    if (field->kind != JSONFIELD_INT) {
        memcpy(to, &number, sizeof number);
        return STATUS_OK;
    }
    if (number < INT32_MIN || number > INT32_MAX)
        return wrong_type(field->key, err);
    *(int *)to = (int)number;
    return STATUS_OK;
}

static enum status read_field(const struct jsonfield *field, const json_t *value, void *to,
                              struct errinfo *err)
{
    bool flag = json_is_true(value);
    switch (field->kind) {
    case JSONFIELD_STRING: return read_string(field, value, to, err);
    case JSONFIELD_STRINGS: return read_strings(field, value, to, err);
    case JSONFIELD_INTEGERS: return read_integers(field, value, to, err);
    case JSONFIELD_INTEGER:
    case JSONFIELD_UNSIGNED:
    case JSONFIELD_INT: return read_number(field, value, to, err);
    case JSONFIELD_BOOL:
        if (!json_is_boolean(value))
            return wrong_type(field->key, err);
        memcpy(to, &flag, sizeof flag);
        return STATUS_OK;
    case JSONFIELD_WORD: return read_word(field, value, to, err);
    case JSONFIELD_TIME: return read_time(field, value, to, err);
    case JSONFIELD_METADATA: return read_metadata(field, value, to, err);
    }
    return wrong_type(field->key, err);
}

enum status jsonfields_read(const struct jsonfield *fields, size_t count, const json_t *object,
                            void *to, struct errinfo *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const json_t *value = json_object_get(object, fields[i].key);
        if (value != NULL && !json_is_null(value))
            status = read_field(&fields[i], value, (char *)to + fields[i].offset, err);
    }
    return status;
}

enum status jsonfields_parse(struct bytes text, const char *what, json_t **object,
                             struct errinfo *err)
{
    json_error_t where;
    char quoted[ERRINFO_QUOTED_MAX];
    json_t *document = json_loadb(text.data, text.size, 0, &where);
    // The library has no text for it when memory runs out.
    if (document == NULL &&
        (where.text[0] == '\0' || json_error_code(&where) == json_error_out_of_memory))
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to read a %s", what);
    if (document == NULL)
        return errinfo_set_code(err, STATUS_INVALID, CODE_INVALID_JSON, "invalid JSON: %s",
                                errinfo_quote(bytes_of_string(where.text), quoted));
    if (!json_is_object(document)) {
        json_decref(document);
        return errinfo_set_code(err, STATUS_INVALID, CODE_INVALID_JSON,
                                "invalid JSON: a %s is an object", what);
    }
    *object = document;
    return STATUS_OK;
}

// Writing

static json_t *strings_json(const struct jsonstrings *strings)
{
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t i = 0; whole && i < strings->count; i++)
        whole = json_array_append_new(list, json_string(strings->items[i])) == 0;
    if (whole)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *integers_json(const struct jsonintegers *integers)
{
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t i = 0; whole && i < integers->count; i++)
        whole = json_array_append_new(list, json_integer(integers->items[i])) == 0;
    if (whole)
        return list;
    json_decref(list);
    return NULL;
}

// NULL when there is no memory or a string is not UTF-8.
static json_t *field_json(const struct jsonfield *field, const void *from)
{
    char time[CLOCK_RFC3339_SIZE];
    int64_t number;
    bool flag;
    switch (field->kind) {
    case JSONFIELD_STRING: return json_string(*(char *const *)from);
    case JSONFIELD_STRINGS: return strings_json(from);
    case JSONFIELD_INTEGERS: return integers_json(from);
    case JSONFIELD_INTEGER:
    case JSONFIELD_UNSIGNED: memcpy(&number, from, sizeof number); return json_integer(number);
    case JSONFIELD_INT: return json_integer(*(const int *)from);
    case JSONFIELD_BOOL: memcpy(&flag, from, sizeof flag); return json_boolean(flag);
    case JSONFIELD_WORD: return json_string(field->words[*(const int *)from]);
    case JSONFIELD_TIME:
        memcpy(&number, from, sizeof number);
        return json_string(clock_format(number, time));
    case JSONFIELD_METADATA: return json_loads(*(char *const *)from, 0, NULL);
    }
    return NULL;
}

// Whether a field is left out: what is not there, and the zero value of what need not be.
static bool left_out(const struct jsonfield *field, const void *from)
{
    int64_t number;
    bool flag;
    switch (field->kind) {
    case JSONFIELD_STRING:
    case JSONFIELD_METADATA: return *(char *const *)from == NULL;
    case JSONFIELD_STRINGS: return ((const struct jsonstrings *)from)->count == 0 && !field->always;
    case JSONFIELD_INTEGERS:
        return ((const struct jsonintegers *)from)->count == 0 && !field->always;
    case JSONFIELD_INTEGER:
    case JSONFIELD_UNSIGNED:
    case JSONFIELD_TIME: memcpy(&number, from, sizeof number); return number == 0 && !field->always;
    case JSONFIELD_BOOL: memcpy(&flag, from, sizeof flag); return !flag && !field->always;
    case JSONFIELD_INT: return *(const int *)from == 0 && !field->always;
    case JSONFIELD_WORD: return *(const int *)from == 0 && !field->always;
    }
    return false;
}

bool jsonfields_write(const struct jsonfield *fields, size_t count, const void *from,
                      json_t *object)
{
    bool whole = true;
    // A value that could not be made is NULL, which the library refuses to set.
    for (size_t i = 0; whole && i < count; i++) {
        const char *value = (const char *)from + fields[i].offset;
        if (!left_out(&fields[i], value))
            whole = json_object_set_new(object, fields[i].key, field_json(&fields[i], value)) == 0;
    }
    return whole;
}

// Owning

void jsonfields_free(const struct jsonfield *fields, size_t count, void *from)
{
    for (size_t i = 0; i < count; i++) {
        void *field = (char *)from + fields[i].offset;
        struct jsonintegers *integers = field;
        char **string = field;
        switch (fields[i].kind) {
        case JSONFIELD_STRING:
        case JSONFIELD_METADATA:
            free(*string);
            *string = NULL;
            break;
        case JSONFIELD_STRINGS: strings_free(field); break;
        case JSONFIELD_INTEGERS:
            free(integers->items);
            *integers = (struct jsonintegers){NULL, 0};
            break;
        default: break;
        }
    }
}

static enum status copy_strings(const struct jsonstrings *from, struct jsonstrings *to)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < from->count; i++)
        status = jsonstrings_add(to, bytes_of_string(from->items[i]));
    return status;
}

static enum status copy_integers(const struct jsonintegers *from, struct jsonintegers *to)
{
    if (from->count == 0)
        return STATUS_OK;
    to->items = malloc(from->count * sizeof *to->items);
    if (to->items == NULL)
        return STATUS_NO_MEMORY;
    memcpy(to->items, from->items, from->count * sizeof *to->items);
    to->count = from->count;
    return STATUS_OK;
}

static void own_nothing(const struct jsonfield *field, void *to)
{
    switch (field->kind) {
    case JSONFIELD_STRING:
    case JSONFIELD_METADATA: *(char **)to = NULL; break;
    case JSONFIELD_STRINGS: *(struct jsonstrings *)to = (struct jsonstrings){NULL, 0}; break;
    case JSONFIELD_INTEGERS: *(struct jsonintegers *)to = (struct jsonintegers){NULL, 0}; break;
    default: break;
    }
}

enum status jsonfields_copy(const struct jsonfield *fields, size_t count, const void *from,
                            void *to)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++)
        own_nothing(&fields[i], (char *)to + fields[i].offset);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const void *source = (const char *)from + fields[i].offset;
        void *target = (char *)to + fields[i].offset;
        const char *text;
        switch (fields[i].kind) {
        case JSONFIELD_STRING:
        case JSONFIELD_METADATA:
            text = *(char *const *)source;
            if (text != NULL)
                status = jsonfields_set_string(target, bytes_of_string(text));
            break;
        case JSONFIELD_STRINGS: status = copy_strings(source, target); break;
        case JSONFIELD_INTEGERS: status = copy_integers(source, target); break;
        default: break;
        }
    }
    if (status != STATUS_OK)
        jsonfields_free(fields, count, to);
    return status;
}
