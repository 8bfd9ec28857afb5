// SPDX-License-Identifier: Apache-2.0
#include "base/errinfo.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void errinfo_clear(struct errinfo *err)
{
    if (err == NULL)
        return;
    err->protocol_code = 0;
    err->text[0] = '\0';
}

// A text that does not fit ends in dots, so that nobody takes half a sentence for all of it.
static void format_text(char *out, const char *format, va_list arguments)
{
    int size = vsnprintf(out, ERRINFO_TEXT_MAX, format, arguments);
    if (size >= ERRINFO_TEXT_MAX)
        memcpy(out + ERRINFO_TEXT_MAX - 4, "...", 4);
}

enum status errinfo_set(struct errinfo *err, enum status status, const char *format, ...)
{
    if (err == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    err->protocol_code = 0;
    format_text(err->text, format, arguments);
    va_end(arguments);
    return status;
}

enum status errinfo_set_code(struct errinfo *err, enum status status, int protocol_code,
                             const char *format, ...)
{
    if (err == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    err->protocol_code = protocol_code;
    format_text(err->text, format, arguments);
    va_end(arguments);
    return status;
}

static void prefix_text(struct errinfo *err, const char *prefix, const char *text)
{
    char whole[2 * ERRINFO_TEXT_MAX + 4];
    snprintf(whole, sizeof whole, "%s: %s", prefix, text);
    size_t size = strlen(whole);
    if (size >= ERRINFO_TEXT_MAX) {
        size = ERRINFO_TEXT_MAX - 1;
        memcpy(whole + size - 3, "...", 3);
    }
    memcpy(err->text, whole, size);
    err->text[size] = '\0';
}

enum status errinfo_wrap(struct errinfo *err, enum status status, const char *format, ...)
{
    if (err == NULL)
        return status;
    char prefix[ERRINFO_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_text(prefix, format, arguments);
    va_end(arguments);
    prefix_text(err, prefix, err->text);
    return status;
}

enum status errinfo_set_errno(struct errinfo *err, int error_number, const char *format, ...)
{
    if (err == NULL)
        return status_of_errno(error_number);
    char prefix[ERRINFO_TEXT_MAX];
    char reason[128];
    va_list arguments;
    va_start(arguments, format);
    format_text(prefix, format, arguments);
    va_end(arguments);
    if (strerror_r(error_number, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "error %d", error_number);
    err->protocol_code = 0;
    prefix_text(err, prefix, reason);
    return status_of_errno(error_number);
}

enum { QUOTED_CODE_POINTS_MAX = 80 };

// Writes one code point or bad byte of the quoted form; returns the bytes written, at most 12.
static size_t quote_one(struct bytes part, uint32_t code, bool valid, char *out)
{
    if (valid && code >= 0x20 && code != 0x7F && code != '"' && code != '\\' &&
        !(code >= 0x80 && code < 0xA0)) {
        memcpy(out, part.data, part.size);
        return part.size;
    }
    if (code == '"' || code == '\\') {
        out[0] = '\\';
        out[1] = (char)code;
        return 2;
    }
    if (code == '\n' || code == '\r' || code == '\t') {
        out[0] = '\\';
        out[1] = code == '\n' ? 'n' : code == '\r' ? 'r' : 't';
        return 2;
    }
    size_t size = 0;
    for (size_t i = 0; i < part.size; i++)
        size += (size_t)snprintf(out + size, 5, "\\x%02x", (unsigned char)part.data[i]);
    return size;
}

// Writes the escaped text from `size` on, and leaves room for a quote and a NUL; returns its end.
static size_t escape(struct bytes text, char out[ERRINFO_QUOTED_MAX], size_t size)
{
    size_t at = 0;
    for (int shown = 0; at < text.size; shown++) {
        // Room for the longest escape, the dots, the closing quote and the NUL.
        if (shown == QUOTED_CODE_POINTS_MAX || size + 12 + 5 > ERRINFO_QUOTED_MAX) {
            memcpy(out + size, "...", 3);
            return size + 3;
        }
        uint32_t code;
        bool valid;
        size_t used = utf8_decode(bytes_from(text, at), &code, &valid);
        size += quote_one(bytes_slice(text, at, used), code, valid, out + size);
        at += used;
    }
    return size;
}

const char *errinfo_quote(struct bytes text, char out[ERRINFO_QUOTED_MAX])
{
    out[0] = '"';
    size_t size = escape(text, out, 1);
    out[size++] = '"';
    out[size] = '\0';
    return out;
}

const char *errinfo_escape(struct bytes text, char out[ERRINFO_QUOTED_MAX])
{
    out[escape(text, out, 0)] = '\0';
    return out;
}
