// SPDX-License-Identifier: Apache-2.0
// The words of the configuration syntax (server/conf.h): a place that moves through a text, and the
// keys and scalar values that are read there. conf.c makes blocks, arrays and variables of them.
#pragma once

#include "server/conf.h"

struct conf_text {
    struct bytes text;
    size_t at;
    unsigned line;
    size_t line_start;
    const char *file;
};

void conf_text_init(struct conf_text *text, struct bytes content, const char *file);

bool conf_text_ended(const struct conf_text *text);
char conf_text_peek(const struct conf_text *text); // NUL at the end; a text holds no other NUL
void conf_text_step(struct conf_text *text);       // over one byte
struct conf_place conf_text_place(const struct conf_text *text);

// Over blanks and tabs.
void conf_text_skip_blanks(struct conf_text *text);
// Over all white space; with comments too where an entry may begin.
void conf_text_skip_space(struct conf_text *text);
void conf_text_skip_comments(struct conf_text *text);
// Over a comment up to the end of its line, if one begins here.
bool conf_text_skip_comment(struct conf_text *text);

// A key in quotes or up to white space, ":", "=" or a brace. It borrows from the text.
enum status conf_text_key(struct conf_text *text, struct bytes *key, bool *quoted,
                          struct errinfo *err);

// What follows `include`. It borrows from the text.
enum status conf_text_file(struct conf_text *text, struct bytes *name, struct errinfo *err);

// A value that is no array and no block; sets type and is. A variable is a string with *variable
// set and its name without the dollar sign.
enum status conf_text_scalar(struct conf_text *text, struct arena *arena, struct conf_value *value,
                             bool *variable, struct errinfo *err);

// The status when the arena has no room for size bytes: STATUS_LIMIT or STATUS_NO_MEMORY.
enum status conf_text_no_room(const struct arena *arena, size_t size, struct errinfo *err);
