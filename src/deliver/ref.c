// SPDX-License-Identifier: Apache-2.0
#include "deliver/ref.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "deliver/name.h"
#include "deliver/percent.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define FORM_HINT "write agent/type/feature[@rev][#section], such as cynthia/research/search@2#3.1"

static void copy_text(char *out, struct bytes text)
{
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum status ref_of_names(struct bytes agent, struct bytes type, struct bytes feature,
                         struct ref *out, struct errinfo *err)
{
    enum status status = name_check_agent(agent, err);
    if (status == STATUS_OK)
        status = name_check_type(type, err);
    if (status == STATUS_OK)
        status = name_check_feature(feature, err);
    if (status != STATUS_OK)
        return status;
    *out = (struct ref){.kind = REF_DELIVERABLE};
    copy_text(out->agent, agent);
    copy_text(out->type, type);
    copy_text(out->feature, feature);
    return STATUS_OK;
}

enum status ref_of_subject(struct bytes subject, struct ref *out, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    char feature[LIMIT_FEATURE_BYTES + 1];
    struct bytes prefix = BYTES(REF_SUBJECT_PREFIX);
    if (!bytes_start_with(subject, prefix))
        return errinfo_set(err, STATUS_INVALID,
                           "%s is not the subject of a deliverable: those are "
                           "agog.deliverables.<agent>.<type>.<feature>",
                           errinfo_quote(subject, quoted));
    struct bytes type;
    struct bytes token;
    struct bytes agent = bytes_cut(bytes_from(subject, prefix.size), '.', &type);
    type = bytes_cut(type, '.', &token);
    if (token.data == NULL)
        return errinfo_set(err, STATUS_INVALID,
                           "subject %s names no feature: it must have five parts, "
                           "agog.deliverables.<agent>.<type>.<feature>",
                           errinfo_quote(subject, quoted));
    if (bytes_find_byte(token, '.') != SIZE_MAX)
        return errinfo_set(err, STATUS_INVALID,
                           "subject %s has more than five parts: a '.' inside a feature is "
                           "written %%2E",
                           errinfo_quote(subject, quoted));
    enum status status = name_decode(token, feature, err);
    if (status != STATUS_OK)
        return status;
    return ref_of_names(agent, type, bytes_of_string(feature), out, err);
}

// Cuts "@rev" off the end of *text. An '@' that cannot be meant as a revision stays in the text.
static enum status cut_revision(struct bytes *text, uint64_t *rev, struct errinfo *err)
{
    size_t at = text->size;
    while (at > 0 && text->data[at - 1] != '@')
        at--;
    *rev = 0;
    if (at == 0)
        return STATUS_OK;
    struct bytes given = {text->data + at, text->size - at};
    struct bytes digits = given;
    if (given.size >= 2 && given.data[0] == 'v' && is_digit(given.data[1]))
        digits = bytes_from(given, 1);
    bool latest = bytes_equal(given, BYTES("latest"));
    if (!latest && digits.size > 0 && !is_digit(digits.data[0]))
        return STATUS_OK;
    uint64_t value = 0;
    if (!latest && (!bytes_to_u64(digits, &value) || value == 0)) {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_INVALID,
                           "revision %s is not a number from 1 on: write @1, or %%40 for an '@' "
                           "inside a feature",
                           errinfo_quote(given, quoted));
    }
    *rev = value;
    text->size = at - 1;
    return STATUS_OK;
}

// Cuts "#section" off the text, decoded into out; "" when there is none.
static enum status cut_section(struct bytes *text, char out[LIMIT_SECTION_BYTES + 1],
                               struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    struct bytes given;
    struct bytes before = bytes_cut(*text, '#', &given);
    out[0] = '\0';
    if (given.data == NULL)
        return STATUS_OK;
    size_t size = percent_decode(given, out, LIMIT_SECTION_BYTES);
    if (size == SIZE_MAX)
        return errinfo_set(err, STATUS_LIMIT, "section %s has more than %d bytes",
                           errinfo_quote(given, quoted), LIMIT_SECTION_BYTES);
    struct bytes section = bytes_of(out, size);
    bool bad = !utf8_is_valid(section);
    for (size_t i = 0; i < size; i++)
        bad = bad || (unsigned char)out[i] < 0x20 || out[i] == 0x7F;
    if (bytes_trim(section).size == 0 || bad)
        return errinfo_set(err, STATUS_INVALID,
                           "section %s after '#' is no number or name: write #2.1 or "
                           "#next-steps, or %%23 for a '#' inside a feature",
                           errinfo_quote(given, quoted));
    *text = before;
    return STATUS_OK;
}

static bool is_stream_name(struct bytes name)
{
    if (name.size == 0 || name.size > LIMIT_STREAM_NAME_BYTES || !utf8_is_valid(name))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= ' ' || c == 0x7F || strchr(".*>/\\@%", c) != NULL)
            return false;
    }
    return true;
}

// "<stream>.<seq>": the message id that the first system handed out.
static bool parse_message(struct bytes text, struct ref *out)
{
    uint64_t seq;
    struct bytes digits;
    struct bytes stream = bytes_cut(text, '.', &digits);
    if (!is_stream_name(stream) || !bytes_to_u64(digits, &seq) || seq == 0)
        return false;
    *out = (struct ref){.kind = REF_MESSAGE, .seq = seq};
    copy_text(out->stream, stream);
    return true;
}

static enum status parse_names(struct bytes text, struct ref *out, struct errinfo *err)
{
    char feature[LIMIT_FEATURE_BYTES + 1];
    char quoted[ERRINFO_QUOTED_MAX];
    struct bytes type;
    struct bytes given;
    struct bytes agent = bytes_cut(text, '/', &type);
    type = bytes_cut(type, '/', &given);
    if (given.data == NULL)
        return errinfo_set(err, STATUS_INVALID, "%s is not a ref: " FORM_HINT,
                           errinfo_quote(text, quoted));
    size_t size = percent_decode(given, feature, LIMIT_FEATURE_BYTES);
    if (size == SIZE_MAX)
        return errinfo_set(err, STATUS_LIMIT, "feature %s has more than %d bytes",
                           errinfo_quote(given, quoted), LIMIT_FEATURE_BYTES);
    enum status status = ref_of_names(agent, type, bytes_of(feature, size), out, err);
    return status == STATUS_OK ? status
                               : errinfo_wrap(err, status, "ref %s", errinfo_quote(text, quoted));
}

static bool cut_prefix(struct bytes *text, struct bytes prefix)
{
    if (text->size < prefix.size || !bytes_equal_nocase(bytes_slice(*text, 0, prefix.size), prefix))
        return false;
    *text = bytes_of(text->data + prefix.size, text->size - prefix.size);
    return true;
}

// Every form but a notice in JSON.
static enum status parse_word(struct bytes text, struct ref *out, struct errinfo *err)
{
    struct ref ref = {.kind = REF_DELIVERABLE};
    char section[LIMIT_SECTION_BYTES + 1];
    uint64_t rev = 0;
    bool subject = cut_prefix(&text, BYTES("nats://"));
    if (!subject)
        cut_prefix(&text, BYTES("agog://"));
    enum status status = cut_section(&text, section, err);
    if (status != STATUS_OK)
        return status;
    status = cut_revision(&text, &rev, err);
    if (status != STATUS_OK)
        return status;
    if (subject || bytes_start_with(text, BYTES(REF_SUBJECT_PREFIX)))
        status = ref_of_subject(text, &ref, err);
    else if (rev != 0 || !parse_message(text, &ref))
        status = parse_names(text, &ref, err);
    if (status != STATUS_OK)
        return status;
    ref.rev = rev;
    copy_text(ref.section, bytes_of_string(section));
    *out = ref;
    return STATUS_OK;
}

static enum status parse_notice(const json_t *notice, struct ref *out, struct errinfo *err)
{
    static const char *const keys[] = {"ref", "nats_channel", "deliverable"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(notice, keys[i]);
        if (!json_is_string(value))
            continue;
        struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
        enum status status = parse_word(bytes_trim(text), out, err);
        if (status != STATUS_OK)
            return errinfo_wrap(err, status, "the notice's %s", keys[i]);
        const json_t *rev = json_object_get(notice, "rev");
        if (out->kind == REF_DELIVERABLE && out->rev == 0 && json_is_integer(rev) &&
            json_integer_value(rev) > 0)
            out->rev = (uint64_t)json_integer_value(rev);
        return STATUS_OK;
    }
    return errinfo_set(err, STATUS_INVALID,
                       "this JSON is not a notice: it has none of the fields ref, nats_channel "
                       "and deliverable");
}

enum status ref_parse(struct bytes text, struct ref *out, struct errinfo *err)
{
    text = bytes_trim(text);
    if (text.size == 0)
        return errinfo_set(err, STATUS_INVALID, "the ref is empty: " FORM_HINT);
    if (text.data[0] != '{')
        return parse_word(text, out, err);
    if (text.size > LIMIT_HEADER_BYTES)
        return errinfo_set(err, STATUS_LIMIT, "a notice of %zu bytes: the limit is %d", text.size,
                           LIMIT_HEADER_BYTES);
    json_error_t error;
    json_t *notice = json_loadb(text.data, text.size, 0, &error);
    if (notice == NULL) {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_INVALID, "the notice is not JSON (line %d: %s)", error.line,
                           errinfo_quote(bytes_of_string(error.text), quoted));
    }
    struct ref ref;
    enum status status = parse_notice(notice, &ref, err);
    json_decref(notice);
    if (status == STATUS_OK)
        *out = ref;
    return status;
}

static bool ascii_keeps(uint32_t code)
{
    if ((code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
        (code >= 'a' && code <= 'z'))
        return true;
    return code != 0 && code < 0x80 && strchr("-._~+,:=", (int)code) != NULL;
}

static bool text_keeps(uint32_t code)
{
    return ascii_keeps(code) || (code >= 0x80 && !name_code_is_hidden(code));
}

static size_t format_subject(const struct ref *ref, char out[REF_TEXT_SIZE])
{
    char token[NAME_TOKEN_SIZE];
    name_encode(bytes_of_string(ref->feature), token);
    return (size_t)snprintf(out, REF_TEXT_SIZE, REF_SUBJECT_PREFIX "%s.%s.%s", ref->agent,
                            ref->type, token);
}

size_t ref_format(const struct ref *ref, enum ref_form form, char out[REF_TEXT_SIZE])
{
    if (form == REF_FORM_SUBJECT) {
        ASSERT(ref->kind == REF_DELIVERABLE);
        return format_subject(ref, out);
    }
    percent_keeps *keeps = form == REF_FORM_URI ? ascii_keeps : text_keeps;
    size_t size = 0;
    if (form == REF_FORM_URI)
        size += (size_t)snprintf(out, REF_TEXT_SIZE, "agog://");
    if (ref->kind == REF_MESSAGE) {
        size += (size_t)snprintf(out + size, REF_TEXT_SIZE - size, "%s.%llu", ref->stream,
                                 (unsigned long long)ref->seq);
    } else {
        size += (size_t)snprintf(out + size, REF_TEXT_SIZE - size, "%s/%s/", ref->agent, ref->type);
        size += percent_encode(bytes_of_string(ref->feature), keeps, out + size);
        if (ref->rev != 0)
            size += (size_t)snprintf(out + size, REF_TEXT_SIZE - size, "@%llu",
                                     (unsigned long long)ref->rev);
    }
    if (ref->section[0] != '\0') {
        out[size++] = '#';
        size += percent_encode(bytes_of_string(ref->section), keeps, out + size);
    }
    ASSERT(size < REF_TEXT_SIZE);
    return size;
}

bool ref_same_deliverable(const struct ref *a, const struct ref *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == REF_MESSAGE)
        return a->seq == b->seq && strcmp(a->stream, b->stream) == 0;
    return strcmp(a->agent, b->agent) == 0 && strcmp(a->type, b->type) == 0 &&
           strcmp(a->feature, b->feature) == 0;
}
