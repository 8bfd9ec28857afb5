// SPDX-License-Identifier: Apache-2.0
// NATS's configuration syntax: bytes in, a tree of values out. Pure: what an include names and what
// the environment holds come through callbacks, so that the parser can be fuzzed.
//
//     # comment             // comment
//     port: 4222; host = localhost; debug true
//     authorization { user: a, password: "b" }        the entries of a block end at a line end,
//     users = [ {user: a}                             a comma or a semicolon; those of an array
//               {user: b} ]                           at a line end or a comma
//     include ./more.conf                             entries of another file, beside this one
//     NAME: 10mb                                      $NAME below takes this value, from the
//     max_payload: $NAME                              innermost block that has it; else the
//                                                     environment's, read as a value
//     note (                                          a block string: everything up to a line
//     any bytes                                       with nothing but )
//     )
//
// A word without quotes is a boolean (true yes on, false no off), an integer (k m g t p e are
// powers of 1000; kb ki kib and so on of 1024), a number with a decimal point, a date
// (2024-05-01T10:00:00Z), a variable, or a string in which \x41 \t \n \r \" \\ are escapes, as in
// double quotes. Single quotes take everything as it is. $2a$..., a bcrypt digest, is a string.
// A key that is given twice counts as it was given last. The whole may stand in one pair of braces.
//
// Bounds: CONF_DEPTH_MAX blocks in each other, CONF_FILES_MAX files open at once, CONF_BYTES_MAX of
// text and memory, CONF_VALUES_MAX values counted where variables repeat them. No recursion.
// Errors: STATUS_INVALID with "file:line:column: what"; STATUS_LIMIT; STATUS_NO_MEMORY; whatever
// status the include callback gives.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/errinfo.h"

enum {
    CONF_DEPTH_MAX = 64,
    CONF_FILES_MAX = 16,
    CONF_BYTES_MAX = 64 * 1024 * 1024,
    CONF_TEXT_MAX = 8 * 1024 * 1024, // one file
    CONF_VALUES_MAX = 1000000,
};

enum conf_type {
    CONF_STRING,
    CONF_BOOL,
    CONF_INTEGER,
    CONF_NUMBER, // with a decimal point
    CONF_DATE,
    CONF_ARRAY,
    CONF_BLOCK,
};

// Lines and columns count from 1, columns in bytes. Line 0 is no place in a file: a flag.
struct conf_place {
    const char *file; // as it was named; "$NAME" inside a variable of the environment
    unsigned line;
    unsigned column;
};

struct conf_value {
    enum conf_type type;
    bool used;               // a variable referred to it: it need not be a setting
    struct conf_place place; // of the key in a block, of the value in an array
    struct bytes key;        // in a block; its data and that of text have a NUL behind them
    struct conf_value *next; // the next of the same block or array
    union {
        struct bytes text;
        bool truth;
        int64_t integer;
        double number;
        int64_t time_s; // since 1970, UTC
        struct {        // array and block, in the order of the text
            struct conf_value *first;
            size_t count;
            size_t weight; // values below it, each as often as it is repeated
        } list;
    } is;
};

struct conf {
    struct arena arena;
    struct conf_value root; // a block
};

struct conf_input {
    struct bytes text;
    const char *file; // how errors call it, and what includes are relative to
    void *context;
    // Appends a file's bytes; path is absolute or relative as `file` is. NULL refuses includes.
    enum status (*include)(void *context, const char *path, struct buf *text, struct errinfo *err);
    // False when no such variable is set. NULL is an empty environment.
    bool (*environment)(void *context, const char *name, struct bytes *value);
};

// On success the caller ends *conf with conf_fini; nothing in it borrows from the input.
enum status conf_parse(const struct conf_input *input, struct conf *conf, struct errinfo *err);
void conf_fini(struct conf *conf);

// The member of a block, or NULL.
const struct conf_value *conf_find(const struct conf_value *block, struct bytes key);

// "a string", "an array": how an error calls it. Static storage.
const char *conf_type_name(enum conf_type type);

// Writes "file:line:column: ", unless the line is 0, and the text; returns status.
enum status conf_error(const struct conf_place *place, enum status status, struct errinfo *err,
                       const char *format, ...) AGOG_PRINTF(4, 5);
