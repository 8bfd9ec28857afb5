// SPDX-License-Identifier: Apache-2.0
#include "wire/jsontext.h"

#include "base/clock.h"
#include "base/utf8.h"

static void put_escaped(struct buf *out, uint32_t code)
{
    static const char named[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    for (size_t i = 0; i < sizeof named - 1; i++) {
        if (code == (uint32_t)(unsigned char)named[i]) {
            buf_append_byte(out, '\\');
            buf_append_byte(out, letters[i]);
            return;
        }
    }
    buf_printf(out, "\\u%04x", (unsigned)code);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

void jsontext_put_string(struct buf *out, struct bytes text)
{
    buf_append_byte(out, '"');
    while (text.size > 0) {
        size_t plain = 0;
        while (plain < text.size && is_plain((unsigned char)text.data[plain]))
            plain++;
        buf_append(out, bytes_slice(text, 0, plain));
        text = bytes_from(text, plain);
        if (text.size == 0)
            break;
        uint32_t code;
        bool valid;
        char encoded[4];
        size_t size = utf8_decode(text, &code, &valid);
        if (code < 0x80)
            put_escaped(out, code);
        else
            buf_append(out, bytes_of(encoded, utf8_encode(code, encoded)));
        text = bytes_from(text, size);
    }
    buf_append_byte(out, '"');
}

void jsontext_put_base64(struct buf *out, struct bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = (bytes.size + 2) / 3 * 4;
    char *to = buf_reserve(out, size);
    if (to == NULL)
        return;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t three = (uint32_t)(unsigned char)bytes.data[i] << 16;
        three |= left > 1 ? (uint32_t)(unsigned char)bytes.data[i + 1] << 8 : 0;
        three |= left > 2 ? (uint32_t)(unsigned char)bytes.data[i + 2] : 0;
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = left > 1 ? digits[three >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[three & 63] : '=';
    }
    out->size += size;
}

void jsontext_put_time(struct buf *out, int64_t time_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    buf_printf(out, "\"%s\"", time_ns == 0 ? "0001-01-01T00:00:00Z" : clock_format(time_ns, text));
}
