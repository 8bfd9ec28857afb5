// SPDX-License-Identifier: Apache-2.0
// Structs as JSON objects, by a table of fields: one row says the key and where the value lies.
// Used by every configuration that JetStream's API exchanges.
#pragma once

#include "base/errinfo.h"

#include <jansson.h>
#include <stddef.h>

enum jsonfield_kind {
    JSONFIELD_STRING,   // char *, owned; NULL when there is none
    JSONFIELD_STRINGS,  // struct jsonstrings
    JSONFIELD_INTEGER,  // int64_t
    JSONFIELD_UNSIGNED, // uint64_t
    JSONFIELD_INTEGERS, // struct jsonintegers
    JSONFIELD_INT,      // int
    JSONFIELD_BOOL,     // bool
    JSONFIELD_WORD,     // an enum, whose values have words
    JSONFIELD_TIME,     // int64_t, nanoseconds since 1970; 0 when there is none. RFC 3339 in JSON
    JSONFIELD_METADATA, // char *, owned: a JSON object with string values, NULL when there is none
};

struct jsonstrings {
    char **items;
    size_t count;
};

struct jsonintegers {
    int64_t *items;
    size_t count;
};

struct jsonfield {
    const char *key;
    enum jsonfield_kind kind;
    size_t offset;
    const char *const *words; // JSONFIELD_WORD: the enum's values in order, NULL at the end
    bool always;              // written even when it has its zero value
};

// Reads the members that the table names; a missing one or null leaves its field as it is, others
// are ignored. STATUS_INVALID (10025) names the member that is of the wrong type; the struct is
// then half read, and whole enough for jsonfields_free.
enum status jsonfields_read(const struct jsonfield *fields, size_t count, const json_t *object,
                            void *to, struct errinfo *err);

// Sets the members in an object. False when there is no memory or a string is not UTF-8.
bool jsonfields_write(const struct jsonfield *fields, size_t count, const void *from,
                      json_t *object);

// Copies what the fields own; the rest of *to is a plain copy of *from already. On failure *to owns
// nothing.
enum status jsonfields_copy(const struct jsonfield *fields, size_t count, const void *from,
                            void *to);
void jsonfields_free(const struct jsonfield *fields, size_t count, void *from);

// Replaces a string; STATUS_INVALID when the value holds a NUL, which a C string cannot.
enum status jsonfields_set_string(char **field, struct bytes value);
enum status jsonstrings_add(struct jsonstrings *strings, struct bytes value);

// Parses a JSON object. STATUS_INVALID (10025) with the parser's reason; the caller gives it back
// with json_decref.
enum status jsonfields_parse(struct bytes text, const char *what, json_t **object,
                             struct errinfo *err);
