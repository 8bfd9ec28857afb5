// SPDX-License-Identifier: Apache-2.0
// The table of settings and what its parts share. For options*.c alone.
#pragma once

#include "server/options.h"

#define OPTIONS_HOST_DEFAULT      "0.0.0.0"
#define OPTIONS_BASE_PATH_DEFAULT "/"

// Where in the file a setting stands.
enum options_section {
    OPTIONS_TOP,
    OPTIONS_AUTHORIZATION,
    OPTIONS_JETSTREAM,
    OPTIONS_LIMITS, // jetstream { limits { } }
    OPTIONS_BATCH,  // jetstream { limits { batch { } } }
    OPTIONS_SECTION_COUNT,
};

// Under which heading help shows it; none is no heading, because it has no flag.
enum options_group {
    OPTIONS_GROUP_NONE,
    OPTIONS_GROUP_SERVER,
    OPTIONS_GROUP_LIMITS,
    OPTIONS_GROUP_LOGGING,
    OPTIONS_GROUP_JETSTREAM,
    OPTIONS_GROUP_AUTHORIZATION,
    OPTIONS_GROUP_COUNT,
};

enum option_type {
    OPTION_TEXT,        // const char *
    OPTION_SWITCH,      // bool
    OPTION_INT,         // int
    OPTION_COUNT,       // int64_t
    OPTION_SIZE,        // int64_t, bytes; "10G" in quotes is taken too
    OPTION_TIME,        // int64_t, nanoseconds; an integer counts as seconds
    OPTION_TEXTS,       // struct option_subjects: a string or an array of them
    OPTION_OWN,         // read by a function of its own
    OPTION_IGNORED,     // taken, without effect
    OPTION_UNSUPPORTED, // an error, unless empty or off
};

struct option_setting;
typedef enum status options_own_read(struct server_options *options, const struct conf_value *value,
                                     struct errinfo *err);

struct option_setting {
    const char *key;
    const char *aliases; // other names of the key, separated by blanks; NULL: none
    enum options_section section;
    enum option_type type;
    size_t offset;         // in struct server_options
    options_own_read *own; // OPTION_OWN
    int64_t min, max;      // of numbers and times; both 0: any
    bool fixed;            // may not change while the server runs
    enum options_group group;
    const char *flags; // names without dashes, separated by blanks; NULL: none
    const char *value; // what help calls it; NULL for a switch
    const char *varz;  // the field of /varz; NULL: none
    const char *help;
};

extern const struct option_setting option_settings[];
extern const size_t option_setting_count;

// NULL when there is none.
const struct option_setting *options_find_key(enum options_section section, struct bytes key);
const struct option_setting *options_find_flag(struct bytes name);

// How help and errors write a flag: one dash for -p, -sd and -DVV, two for the others. Both are
// taken.
const char *options_dashes(struct bytes name);

// Whether name is one of the words of a blank-separated list; the next word of such a list.
bool options_is_word(const char *words, struct bytes name);
bool options_next_word(struct bytes *words, struct bytes *word);

// Stores one value under a setting and marks it as given. `name` is how the user called it.
enum status options_store(struct server_options *options, const struct option_setting *setting,
                          struct bytes name, const struct conf_value *value, struct errinfo *err);

// The same from text, as a flag without its dashes gives it.
enum status options_store_text(struct server_options *options, const struct option_setting *setting,
                               const char *name, const char *text, struct errinfo *err);

// Whether two options agree on a setting, and its value as JSON.
bool options_same(const struct server_options *a, const struct server_options *b,
                  const struct option_setting *setting);
void options_put_json(const struct server_options *options, const struct option_setting *setting,
                      struct buf *out);

// All entries of a block of the file.
enum status options_file_block(struct server_options *options, enum options_section section,
                               const struct conf_value *block, struct errinfo *err);
// "unknown field ...; did you mean ...", where the names that exist are offered by the caller.
struct nearest;
enum status options_unknown(const struct conf_value *value, const struct nearest *nearest,
                            struct errinfo *err);

// The settings that are read by functions of their own.
options_own_read options_file_listen, options_file_http, options_file_jetstream,
    options_file_enabled, options_file_jetstream_limits, options_file_jetstream_batch,
    options_file_sync;
options_own_read options_auth_block, options_auth_users, options_auth_default_permissions,
    options_auth_accounts;
bool options_auth_same(const struct server_options *a, const struct server_options *b);

// Shared by those that read values.
enum status options_text(struct server_options *options, const struct conf_value *value,
                         struct bytes name, const char **out, struct errinfo *err);
enum status options_texts(struct server_options *options, const struct conf_value *value,
                          struct bytes name, struct option_subjects *out, struct errinfo *err);
enum status options_time(const struct conf_value *value, struct bytes name, int64_t *out,
                         struct errinfo *err);
enum status options_type_error(const struct conf_value *value, struct bytes name,
                               const char *wanted, struct errinfo *err);
void *options_alloc(struct server_options *options, size_t size, enum status *status,
                    struct errinfo *err);
