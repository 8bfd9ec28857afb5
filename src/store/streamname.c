// SPDX-License-Identifier: Apache-2.0
#include "store/streamname.h"

#include <string.h>

static bool stands_as_it_is(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

enum status streamname_encode(struct bytes name, char out[STREAMNAME_BYTES_MAX + 1],
                              struct errinfo *err)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;
    char quoted[ERRINFO_QUOTED_MAX];
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        size_t used = stands_as_it_is((char)c) ? 1 : 3;
        if (size + used > STREAMNAME_BYTES_MAX)
            return errinfo_set(err, STATUS_LIMIT,
                               "the stream name %s is too long for a directory's name; %d bytes "
                               "are possible, three for each that is no letter or digit",
                               errinfo_quote(name, quoted), STREAMNAME_BYTES_MAX);
        if (used == 1) {
            out[size] = (char)c;
        } else {
            out[size] = '%';
            out[size + 1] = digits[c >> 4];
            out[size + 2] = digits[c & 15];
        }
        size += used;
    }
    if (size == 0)
        return errinfo_set(err, STATUS_INVALID, "a stream's name is empty");
    out[size] = '\0';
    return STATUS_OK;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool streamname_decode(const char *encoded, char out[STREAMNAME_BYTES_MAX + 1], size_t *size)
{
    size_t done = 0;
    size_t length = strlen(encoded);
    for (size_t i = 0; i < length; done++) {
        if (done == STREAMNAME_BYTES_MAX)
            return false;
        if (stands_as_it_is(encoded[i])) {
            out[done] = encoded[i++];
            continue;
        }
        if (encoded[i] != '%' || length - i < 3 || hex_value(encoded[i + 1]) < 0 ||
            hex_value(encoded[i + 2]) < 0)
            return false;
        out[done] = (char)(hex_value(encoded[i + 1]) << 4 | hex_value(encoded[i + 2]));
        i += 3;
    }
    *size = done;
    return done > 0;
}
