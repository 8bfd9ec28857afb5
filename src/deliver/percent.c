// SPDX-License-Identifier: Apache-2.0
#include "deliver/percent.h"

#include "base/utf8.h"

#include <string.h>

size_t percent_encode(struct bytes text, percent_keeps *keeps, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;
    for (size_t at = 0; at < text.size;) {
        uint32_t code;
        bool valid;
        size_t used = utf8_decode(bytes_from(text, at), &code, &valid);
        bool keep = valid && keeps(code);
        for (size_t i = at; i < at + used; i++) {
            unsigned char c = (unsigned char)text.data[i];
            if (keep) {
                out[size++] = (char)c;
                continue;
            }
            out[size++] = '%';
            out[size++] = digits[c >> 4];
            out[size++] = digits[c & 15];
        }
        at += used;
    }
    out[size] = '\0';
    return size;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t percent_decode(struct bytes text, char *out, size_t size_max)
{
    size_t size = 0;
    for (size_t at = 0; at < text.size; size++) {
        if (size == size_max)
            return SIZE_MAX;
        char c = text.data[at++];
        if (c == '%' && text.size - at >= 2 && hex_value(text.data[at]) >= 0 &&
            hex_value(text.data[at + 1]) >= 0) {
            c = (char)(hex_value(text.data[at]) << 4 | hex_value(text.data[at + 1]));
            at += 2;
        }
        out[size] = c;
    }
    out[size] = '\0';
    return size;
}
