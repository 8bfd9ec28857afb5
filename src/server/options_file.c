// SPDX-License-Identifier: Apache-2.0
// The file's tree into settings: every entry finds its row, and the few that are more than one
// value are read here.
#include "base/nearest.h"
#include "server/options_inside.h"

static void offer_keys(struct nearest *nearest, enum options_section section)
{
    for (size_t i = 0; i < option_setting_count; i++) {
        const struct option_setting *setting = &option_settings[i];
        if (setting->section != section)
            continue;
        struct bytes rest = bytes_of_string(setting->aliases);
        struct bytes word;
        nearest_offer(nearest, bytes_of_string(setting->key));
        while (options_next_word(&rest, &word))
            nearest_offer(nearest, word);
    }
}

enum status options_file_block(struct server_options *options, enum options_section section,
                               const struct conf_value *block, struct errinfo *err)
{
    enum status status = STATUS_OK;
    struct nearest nearest;
    for (const struct conf_value *value = block->is.list.first; value != NULL;
         value = value->next) {
        const struct option_setting *setting = options_find_key(section, value->key);
        if (setting != NULL) {
            status = options_store(options, setting, value->key, value, err);
        } else if (!value->used) {
            nearest_init(&nearest, value->key);
            offer_keys(&nearest, section);
            status = options_unknown(value, &nearest, err);
        }
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// A port alone, "host:port" or "[address]:port". *host stays NULL where there is none.
static enum status read_address(struct server_options *options, const struct conf_value *value,
                                const char **host, int *port, struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    int64_t number = -2;
    struct conf_value name = *value;
    *host = NULL;
    if (value->type == CONF_INTEGER) {
        number = value->is.integer;
    } else if (value->type == CONF_STRING) {
        struct bytes text = value->is.text;
        size_t colon = text.size;
        while (colon > 0 && text.data[colon - 1] != ':')
            colon--;
        uint64_t digits;
        struct bytes behind = bytes_from(text, colon);
        if (colon > 0 && bytes_equal(behind, BYTES("-1")))
            number = -1;
        else if (colon > 0 && bytes_to_u64(behind, &digits) && digits <= 65535)
            number = (int64_t)digits;
        name.is.text = bytes_slice(text, 0, colon == 0 ? 0 : colon - 1);
        struct bytes *inner = &name.is.text;
        if (bytes_start_with(*inner, BYTES("[")) && bytes_end_with(*inner, BYTES("]")))
            *inner = bytes_slice(*inner, 1, inner->size - 2);
        else if (bytes_find_byte(*inner, ':') != SIZE_MAX)
            number = -2;
        errinfo_quote(text, quote);
    } else {
        return options_type_error(value, value->key, "a port or \"host:port\"", err);
    }
    if (number < -1 || number > 65535)
        return conf_error(&value->place, STATUS_INVALID, err,
                          "%.*s takes a port or \"host:port\" with a port up to 65535%s%s",
                          BYTES_ARG(value->key), value->type == CONF_STRING ? ", not " : "",
                          value->type == CONF_STRING ? quote : "");
    *port = (int)number;
    if (value->type == CONF_INTEGER || name.is.text.size == 0)
        return STATUS_OK;
    return options_text(options, &name, value->key, host, err);
}

// Without a host it is every address.
enum status options_file_listen(struct server_options *options, const struct conf_value *value,
                                struct errinfo *err)
{
    const char *host;
    int port;
    enum status status = read_address(options, value, &host, &port, err);
    if (status != STATUS_OK)
        return status;
    options->host = host != NULL ? host : OPTIONS_HOST_DEFAULT;
    options->port = port;
    options->given[options_find_key(OPTIONS_TOP, BYTES("host")) - option_settings] = true;
    options->given[options_find_key(OPTIONS_TOP, BYTES("port")) - option_settings] = true;
    return STATUS_OK;
}

enum status options_file_http(struct server_options *options, const struct conf_value *value,
                              struct errinfo *err)
{
    const char *host;
    int port;
    enum status status = read_address(options, value, &host, &port, err);
    if (status != STATUS_OK)
        return status;
    options->http_host = host;
    options->http_port = port;
    options->given[options_find_key(OPTIONS_TOP, BYTES("http_port")) - option_settings] = true;
    return STATUS_OK;
}

static bool is_word(const struct conf_value *value, const char *word, const char *other)
{
    return value->type == CONF_STRING &&
           (bytes_equal_nocase(value->is.text, bytes_of_string(word)) ||
            bytes_equal_nocase(value->is.text, bytes_of_string(other)));
}

// A boolean, the words enabled or disabled, or a block, which enables it unless it says otherwise.
enum status options_file_jetstream(struct server_options *options, const struct conf_value *value,
                                   struct errinfo *err)
{
    bool enabled = value->type == CONF_BLOCK || is_word(value, "enabled", "enable") ||
                   (value->type == CONF_BOOL && value->is.truth);
    if (!enabled && value->type != CONF_BOOL && !is_word(value, "disabled", "disable"))
        return options_type_error(value, BYTES("jetstream"),
                                  "true, false, enabled, disabled or a block", err);
    options->jetstream = enabled;
    if (value->type != CONF_BLOCK)
        return STATUS_OK;
    return options_file_block(options, OPTIONS_JETSTREAM, value, err);
}

enum status options_file_enabled(struct server_options *options, const struct conf_value *value,
                                 struct errinfo *err)
{
    if (value->type != CONF_BOOL)
        return options_type_error(value, value->key, "true or false", err);
    options->jetstream = value->is.truth;
    return STATUS_OK;
}

static enum status read_block(struct server_options *options, enum options_section section,
                              const struct conf_value *value, struct errinfo *err)
{
    if (value->type != CONF_BLOCK)
        return options_type_error(value, value->key, "a block", err);
    return options_file_block(options, section, value, err);
}

enum status options_file_jetstream_limits(struct server_options *options,
                                          const struct conf_value *value, struct errinfo *err)
{
    return read_block(options, OPTIONS_LIMITS, value, err);
}

enum status options_file_jetstream_batch(struct server_options *options,
                                         const struct conf_value *value, struct errinfo *err)
{
    return read_block(options, OPTIONS_BATCH, value, err);
}

// A duration, or the word always.
enum status options_file_sync(struct server_options *options, const struct conf_value *value,
                              struct errinfo *err)
{
    if (is_word(value, "always", "always")) {
        options->sync_always = true;
        return STATUS_OK;
    }
    return options_time(value, BYTES("sync_interval"), &options->sync_interval_ns, err);
}
