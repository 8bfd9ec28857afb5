// SPDX-License-Identifier: Apache-2.0
// One value of one setting: from the file's tree or a flag's text into struct server_options, back
// out as JSON, and compared. The type in the table decides.
#include "server/conf_text.h"
#include "server/options_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

enum { INTEGER_SECONDS_MAX = 7 * 86400 };

// Reading. -------------------------------------------------------------------------------------

enum status options_type_error(const struct conf_value *value, struct bytes name,
                               const char *wanted, struct errinfo *err)
{
    return conf_error(&value->place, STATUS_INVALID, err, "%.*s takes %s, not %s", BYTES_ARG(name),
                      wanted, conf_type_name(value->type));
}

enum status options_text(struct server_options *options, const struct conf_value *value,
                         struct bytes name, const char **out, struct errinfo *err)
{
    if (value->type != CONF_STRING)
        return options_type_error(value, name, "a string (in quotes where it looks like another)",
                                  err);
    struct bytes copy = arena_copy(&options->arena, value->is.text);
    enum status status = STATUS_OK;
    if (copy.data == NULL)
        options_alloc(options, value->is.text.size + 1, &status, err);
    if (copy.data == NULL)
        return status == STATUS_OK ? STATUS_NO_MEMORY : status;
    *out = copy.data;
    return STATUS_OK;
}

enum status options_texts(struct server_options *options, const struct conf_value *value,
                          struct bytes name, struct option_subjects *out, struct errinfo *err)
{
    enum status status;
    bool one = value->type == CONF_STRING;
    size_t count = one ? 1 : value->type == CONF_ARRAY ? value->is.list.count : 0;
    if (!one && value->type != CONF_ARRAY)
        return options_type_error(value, name, "a string or an array of strings", err);
    const char **items = options_alloc(options, (count + 1) * sizeof *items, &status, err);
    const struct conf_value *item = one ? value : value->is.list.first;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = options_text(options, item, name, &items[i], err);
        item = one ? NULL : item->next;
    }
    if (status == STATUS_OK)
        *out = (struct option_subjects){.given = true, .items = items, .count = count};
    return status;
}

struct unit {
    const char *name;
    int64_t ns;
};

// Longer names first where one begins with the other.
static const struct unit units[] = {
    {"ns", 1},       {"us", 1000},  {"\xC2\xB5s", 1000}, {"\xCE\xBCs", 1000},
    {"ms", 1000000}, {"s", SECOND}, {"m", 60 * SECOND},  {"h", 3600 * SECOND},
};

static const struct unit *take_unit(struct bytes *text)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct bytes name = bytes_of_string(units[i].name);
        if (!bytes_start_with(*text, name))
            continue;
        *text = bytes_from(*text, name.size);
        return &units[i];
    }
    return NULL;
}

// Digits, perhaps a point and more digits, as nanoseconds of the unit behind them.
static bool take_part(struct bytes *text, int64_t *sum)
{
    uint64_t whole = 0;
    double fraction = 0;
    double scale = 1;
    size_t at = 0;
    bool point = false;
    for (; at < text->size; at++) {
        char c = text->data[at];
        if (c == '.' && !point)
            point = true;
        else if (c < '0' || c > '9')
            break;
        else if (point && scale < 1e18)
            fraction += (c - '0') / (scale *= 10);
        else if (!point && whole <= (UINT64_MAX - 9) / 10)
            whole = whole * 10 + (uint64_t)(c - '0');
        else if (!point)
            return false;
    }
    if (at == 0 || (at == 1 && point))
        return false;
    *text = bytes_from(*text, at);
    const struct unit *unit = take_unit(text);
    if (unit == NULL || whole > (uint64_t)(INT64_MAX / unit->ns))
        return false;
    int64_t ns = (int64_t)whole * unit->ns;
    int64_t more = (int64_t)(fraction * (double)unit->ns + 0.5);
    if (ns > INT64_MAX - more || *sum > INT64_MAX - ns - more)
        return false;
    *sum += ns + more;
    return true;
}

bool options_duration(struct bytes text, int64_t *out_ns)
{
    int64_t sum = 0;
    bool negative = bytes_start_with(text, BYTES("-"));
    if (negative || bytes_start_with(text, BYTES("+")))
        text = bytes_from(text, 1);
    if (bytes_equal(text, BYTES("0"))) {
        *out_ns = 0;
        return true;
    }
    if (text.size == 0)
        return false;
    while (text.size > 0) {
        if (!take_part(&text, &sum))
            return false;
    }
    *out_ns = negative ? -sum : sum;
    return true;
}

enum status options_time(const struct conf_value *value, struct bytes name, int64_t *out,
                         struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    static const double most = 9e9; // seconds that surely fit
    // 5m without quotes is an integer, five million: nobody means that many seconds.
    if (value->type == CONF_INTEGER &&
        (value->is.integer > INTEGER_SECONDS_MAX || value->is.integer < -INTEGER_SECONDS_MAX))
        return conf_error(&value->place, STATUS_INVALID, err,
                          "%.*s would be %" PRId64 " seconds: put a duration in quotes, as \"5m\"",
                          BYTES_ARG(name), value->is.integer);
    if (value->type == CONF_STRING && options_duration(value->is.text, out))
        return STATUS_OK;
    if (value->type == CONF_STRING)
        return conf_error(&value->place, STATUS_INVALID, err,
                          "%.*s takes a duration such as 2m30s, not %s", BYTES_ARG(name),
                          errinfo_quote(value->is.text, quote));
    double seconds = value->type == CONF_INTEGER  ? (double)value->is.integer
                     : value->type == CONF_NUMBER ? value->is.number
                                                  : most + 1;
    if (seconds > most || seconds < -most)
        return options_type_error(value, name, "a duration such as 2m30s", err);
    *out = value->type == CONF_INTEGER ? value->is.integer * SECOND : (int64_t)(seconds * 1e9);
    return STATUS_OK;
}

// "10G" in quotes, as JetStream's sizes may be written: powers of 1024. Every other spelling of an
// integer is taken as well.
static enum status read_size(const struct conf_value *value, struct bytes name, int64_t *out,
                             struct errinfo *err)
{
    static const char letters[] = "KMGT";
    char quote[ERRINFO_QUOTED_MAX];
    uint64_t number;
    if (value->type == CONF_INTEGER) {
        *out = value->is.integer;
        return STATUS_OK;
    }
    if (value->type != CONF_STRING)
        return options_type_error(value, name, "a size such as 64MB", err);
    struct bytes text = value->is.text;
    const char *letter = text.size > 1 ? strchr(letters, text.data[text.size - 1]) : NULL;
    unsigned shift = letter == NULL ? 0 : 10 * (unsigned)(letter - letters + 1);
    if (letter == NULL || !bytes_to_u64(bytes_slice(text, 0, text.size - 1), &number) ||
        number > (uint64_t)INT64_MAX >> shift)
        return conf_error(&value->place, STATUS_INVALID, err,
                          "%.*s takes a size such as 64MB, not %s", BYTES_ARG(name),
                          errinfo_quote(text, quote));
    *out = (int64_t)(number << shift);
    return STATUS_OK;
}

static enum status check_range(const struct option_setting *setting, const struct conf_value *value,
                               struct bytes name, int64_t number, struct errinfo *err)
{
    bool any = setting->min == 0 && setting->max == 0;
    if (any || (number >= setting->min && number <= setting->max))
        return STATUS_OK;
    if (setting->type == OPTION_TIME)
        return conf_error(&value->place, STATUS_INVALID, err, "%.*s must be at least %g seconds",
                          BYTES_ARG(name), (double)setting->min / 1e9);
    if (setting->max == INT64_MAX)
        return conf_error(&value->place, STATUS_INVALID, err,
                          "%.*s must be at least %" PRId64 ", not %" PRId64, BYTES_ARG(name),
                          setting->min, number);
    return conf_error(&value->place, STATUS_INVALID, err,
                      "%.*s must be between %" PRId64 " and %" PRId64 ", not %" PRId64,
                      BYTES_ARG(name), setting->min, setting->max, number);
}

static enum status read_number(const struct option_setting *setting, struct bytes name,
                               const struct conf_value *value, int64_t *out, struct errinfo *err)
{
    enum status status = STATUS_OK;
    int64_t number = 0;
    if (setting->type == OPTION_TIME)
        status = options_time(value, name, &number, err);
    else if (setting->type == OPTION_SIZE)
        status = read_size(value, name, &number, err);
    else if (value->type == CONF_INTEGER)
        number = value->is.integer;
    else
        status = options_type_error(value, name, "an integer", err);
    if (status == STATUS_OK)
        status = check_range(setting, value, name, number, err);
    if (status == STATUS_OK)
        *out = number;
    return status;
}

// What switches the unsupported off says nothing, and is taken.
static bool is_empty(const struct conf_value *value)
{
    switch (value->type) {
    case CONF_BOOL: return !value->is.truth;
    case CONF_STRING: return value->is.text.size == 0;
    case CONF_ARRAY:
    case CONF_BLOCK: return value->is.list.count == 0;
    default: return false;
    }
}

static void *field_of(struct server_options *options, const struct option_setting *setting)
{
    return (char *)options + setting->offset;
}

static const void *field_in(const struct server_options *options,
                            const struct option_setting *setting)
{
    return (const char *)options + setting->offset;
}

// Nothing in quotes is as good as no setting.
static enum status store_text(struct server_options *options, const struct option_setting *setting,
                              struct bytes name, const struct conf_value *value,
                              struct errinfo *err)
{
    const char **field = field_of(options, setting);
    enum status status = options_text(options, value, name, field, err);
    if (status == STATUS_OK && (*field)[0] == '\0')
        *field = field == &options->host             ? OPTIONS_HOST_DEFAULT
                 : field == &options->http_base_path ? OPTIONS_BASE_PATH_DEFAULT
                                                     : NULL;
    return status;
}

static enum status store(struct server_options *options, const struct option_setting *setting,
                         struct bytes name, const struct conf_value *value, struct errinfo *err)
{
    void *field = field_of(options, setting);
    enum status status;
    int64_t number;
    switch (setting->type) {
    case OPTION_TEXT: return store_text(options, setting, name, value, err);
    case OPTION_TEXTS: return options_texts(options, value, name, field, err);
    case OPTION_SWITCH:
        if (value->type != CONF_BOOL)
            return options_type_error(value, name, "true or false", err);
        *(bool *)field = value->is.truth;
        return STATUS_OK;
    case OPTION_INT:
        status = read_number(setting, name, value, &number, err);
        if (status == STATUS_OK)
            *(int *)field = (int)number;
        return status;
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_TIME: return read_number(setting, name, value, field, err);
    case OPTION_OWN: return setting->own(options, value, err);
    case OPTION_IGNORED: return STATUS_OK;
    case OPTION_UNSUPPORTED: break;
    }
    if (is_empty(value))
        return STATUS_OK;
    return conf_error(&value->place, STATUS_INVALID, err, "not supported by this version: %.*s",
                      BYTES_ARG(name));
}

enum status options_store(struct server_options *options, const struct option_setting *setting,
                          struct bytes name, const struct conf_value *value, struct errinfo *err)
{
    enum status status = store(options, setting, name, value, err);
    if (status == STATUS_OK)
        options->given[setting - option_settings] = true;
    return status;
}

// Booleans of a flag are Go's: 1, t, true and their opposites, besides the file's.
static bool flag_truth(struct bytes text, bool *out)
{
    static const char *const words[] = {"0", "1", "f", "t", "false", "true", "no", "yes"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bytes_equal_nocase(text, bytes_of_string(words[i]))) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

enum status options_store_text(struct server_options *options, const struct option_setting *setting,
                               const char *name, const char *text, struct errinfo *err)
{
    char flag[64];
    snprintf(flag, sizeof flag, "%s%s", options_dashes(bytes_of_string(name)), name);
    struct conf_value value = {.type = CONF_STRING};
    struct conf_text words;
    bool is_variable = false;
    bool is_switch = setting->type == OPTION_SWITCH || setting->value == NULL;
    value.is.text = bytes_of_string(text);
    int64_t time;
    bool is_time = setting->type == OPTION_TIME && options_duration(value.is.text, &time);
    bool number = setting->type != OPTION_TEXT && setting->type != OPTION_TEXTS && text[0] != '\0';
    if (is_switch && flag_truth(value.is.text, &value.is.truth)) {
        value.type = CONF_BOOL;
    } else if (number && !is_time) {
        // The words of the file's syntax: suffixes, durations. What is left over makes it a string.
        struct conf_value read = value;
        conf_text_init(&words, value.is.text, flag);
        if (conf_text_scalar(&words, &options->arena, &read, &is_variable, NULL) == STATUS_OK &&
            conf_text_ended(&words) && !is_variable)
            value = read;
    }
    return options_store(options, setting, bytes_of_string(flag), &value, err);
}

// Writing and comparing. -----------------------------------------------------------------------

static void put_json_text(struct buf *out, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    buf_append_byte(out, '"');
    for (; text != NULL && *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buf_append_byte(out, '\\');
        if (c >= ' ') {
            buf_append_byte(out, (char)c);
            continue;
        }
        buf_append_string(out, "\\u00");
        buf_append_byte(out, hex[c >> 4]);
        buf_append_byte(out, hex[c & 15]);
    }
    buf_append_byte(out, '"');
}

static void put_json_texts(struct buf *out, const struct option_subjects *texts)
{
    buf_append_byte(out, '[');
    for (size_t i = 0; i < texts->count; i++) {
        if (i > 0)
            buf_append_byte(out, ',');
        put_json_text(out, texts->items[i]);
    }
    buf_append_byte(out, ']');
}

void options_put_json(const struct server_options *options, const struct option_setting *setting,
                      struct buf *out)
{
    const void *field = field_in(options, setting);
    switch (setting->type) {
    case OPTION_TEXT: put_json_text(out, *(const char *const *)field); break;
    case OPTION_TEXTS: put_json_texts(out, field); break;
    case OPTION_SWITCH: buf_append_string(out, *(const bool *)field ? "true" : "false"); break;
    case OPTION_INT: buf_printf(out, "%d", *(const int *)field); break;
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_TIME: buf_printf(out, "%" PRId64, *(const int64_t *)field); break;
    case OPTION_OWN:
    case OPTION_IGNORED:
    case OPTION_UNSUPPORTED: buf_append_string(out, "null"); break;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_texts(const struct option_subjects *a, const struct option_subjects *b)
{
    bool same = a->count == b->count && a->given == b->given;
    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->items[i], b->items[i]);
    return same;
}

// Those that a function reads stand for fields which have no other row.
static bool same_own(const struct server_options *a, const struct server_options *b,
                     const struct option_setting *setting)
{
    if (setting->own == options_file_jetstream)
        return a->jetstream == b->jetstream;
    if (setting->own == options_file_sync)
        return a->sync_interval_ns == b->sync_interval_ns && a->sync_always == b->sync_always;
    if (setting->own == options_file_http)
        return same_text(a->http_host, b->http_host);
    if (setting->own == options_auth_users)
        return options_auth_same(a, b);
    return true;
}

bool options_same(const struct server_options *a, const struct server_options *b,
                  const struct option_setting *setting)
{
    const void *in_a = field_in(a, setting);
    const void *in_b = field_in(b, setting);
    switch (setting->type) {
    case OPTION_TEXT: return same_text(*(const char *const *)in_a, *(const char *const *)in_b);
    case OPTION_TEXTS: return same_texts(in_a, in_b);
    case OPTION_SWITCH: return *(const bool *)in_a == *(const bool *)in_b;
    case OPTION_INT: return *(const int *)in_a == *(const int *)in_b;
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_TIME: return *(const int64_t *)in_a == *(const int64_t *)in_b;
    case OPTION_OWN: return same_own(a, b, setting);
    case OPTION_IGNORED:
    case OPTION_UNSUPPORTED: break;
    }
    return true;
}
