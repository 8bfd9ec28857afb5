// SPDX-License-Identifier: Apache-2.0
#include "deliver/name.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "deliver/percent.h"

#include <stdio.h>
#include <string.h>

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

// The lower-case form of a name whose only fault is upper case; false when it has others.
static bool lower_form(struct bytes name, char *out)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (is_upper(c))
            c = (char)(c - 'A' + 'a');
        else if (!is_plain(c))
            return false;
        out[i] = c;
    }
    out[name.size] = '\0';
    return true;
}

static enum status check_plain(const char *what, struct bytes name, size_t bytes_max,
                               struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    char lower[LIMIT_AGENT_BYTES + LIMIT_TYPE_BYTES];
    if (name.size == 0)
        return errinfo_set(err, STATUS_INVALID,
                           "the %s is empty: give lower-case letters, digits, '-' or '_'", what);
    if (name.size > bytes_max)
        return errinfo_set(err, STATUS_LIMIT, "%s %s has %zu bytes: the limit is %zu", what,
                           errinfo_quote(name, quoted), name.size, bytes_max);
    for (size_t i = 0; i < name.size; i++) {
        if (is_plain(name.data[i]))
            continue;
        if (lower_form(name, lower))
            return errinfo_set(err, STATUS_INVALID, "%s %s has upper-case letters: use \"%s\"",
                               what, errinfo_quote(name, quoted), lower);
        return errinfo_set(err, STATUS_INVALID,
                           "%s %s has a character that is not allowed at byte %zu: use lower-case "
                           "letters, digits, '-' and '_'",
                           what, errinfo_quote(name, quoted), i + 1);
    }
    return STATUS_OK;
}

enum status name_check_agent(struct bytes name, struct errinfo *err)
{
    return check_plain("agent", name, LIMIT_AGENT_BYTES, err);
}

enum status name_check_type(struct bytes name, struct errinfo *err)
{
    return check_plain("type", name, LIMIT_TYPE_BYTES, err);
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

bool name_code_is_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x20},     {0x7F, 0xA0},     {0xAD, 0xAD},     {0x034F, 0x034F}, {0x061C, 0x061C},
        {0x115F, 0x1160}, {0x1680, 0x1680}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x2000, 0x200F},
        {0x2028, 0x202F}, {0x205F, 0x206F}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},
        {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (code >= hidden[i].first && code <= hidden[i].last)
            return true;
    }
    return false;
}

enum status name_check_feature(struct bytes name, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    if (name.size == 0)
        return errinfo_set(err, STATUS_INVALID,
                           "the feature is empty: give a name such as customer-search");
    if (name.size > LIMIT_FEATURE_BYTES)
        return errinfo_set(err, STATUS_LIMIT, "feature %s has %zu bytes: the limit is %d",
                           errinfo_quote(name, quoted), name.size, LIMIT_FEATURE_BYTES);
    bool shows = false;
    for (size_t at = 0; at < name.size;) {
        uint32_t code;
        bool valid;
        size_t used = utf8_decode(bytes_from(name, at), &code, &valid);
        if (!valid)
            return errinfo_set(err, STATUS_INVALID,
                               "feature %s is not UTF-8 at byte %zu: give it in UTF-8",
                               errinfo_quote(name, quoted), at + 1);
        if (is_control(code))
            return errinfo_set(err, STATUS_INVALID,
                               "feature %s has a control character (U+%04X) at byte %zu: leave it "
                               "out",
                               errinfo_quote(name, quoted), (unsigned)code, at + 1);
        shows = shows || !name_code_is_hidden(code);
        at += used;
    }
    if (!shows)
        return errinfo_set(err, STATUS_INVALID,
                           "feature %s is all blank: give a name that can be seen",
                           errinfo_quote(name, quoted));
    return STATUS_OK;
}

static bool token_keeps(uint32_t code)
{
    return !name_code_is_hidden(code) && (code >= 0x80 || strchr(".*>%/@#", (int)code) == NULL);
}

size_t name_encode(struct bytes feature, char out[NAME_TOKEN_SIZE])
{
    ASSERT(feature.size <= LIMIT_FEATURE_BYTES);
    return percent_encode(feature, token_keeps, out);
}

enum status name_decode(struct bytes token, char out[LIMIT_FEATURE_BYTES + 1], struct errinfo *err)
{
    char feature[LIMIT_FEATURE_BYTES + 1];
    char again[NAME_TOKEN_SIZE];
    char quoted[ERRINFO_QUOTED_MAX];
    size_t size = percent_decode(token, feature, LIMIT_FEATURE_BYTES);
    if (size == SIZE_MAX)
        return errinfo_set(err, STATUS_LIMIT,
                           "subject token %s stands for more than %d bytes of feature",
                           errinfo_quote(token, quoted), LIMIT_FEATURE_BYTES);
    struct bytes name = bytes_of(feature, size);
    enum status status = name_check_feature(name, err);
    if (status != STATUS_OK)
        return errinfo_wrap(err, status, "subject token %s", errinfo_quote(token, quoted));
    size_t again_size = name_encode(name, again);
    if (!bytes_equal(bytes_of(again, again_size), token))
        return errinfo_set(err, STATUS_INVALID,
                           "subject token %s is not how a feature is written in a subject: its "
                           "one spelling is %s",
                           errinfo_quote(token, quoted), again);
    memcpy(out, feature, size);
    out[size] = '\0';
    return STATUS_OK;
}
