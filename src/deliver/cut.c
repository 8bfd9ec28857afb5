// SPDX-License-Identifier: Apache-2.0
// A bisection over sizes. Counts of growing beginnings do not rise at every single byte, so what is
// returned has always been counted itself.
#include "deliver/cut.h"

#include "base/utf8.h"

// The last size up to `size` that ends a line, when that keeps half; else a word; else a code
// point.
static size_t snap(struct bytes text, size_t size)
{
    if (size >= text.size)
        return text.size;
    for (size_t end = size; end > size / 2; end--) {
        if (text.data[end - 1] == '\n')
            return end;
    }
    for (size_t end = size; end > size / 2; end--) {
        if (text.data[end - 1] == ' ')
            return end;
    }
    return utf8_prefix(text, size).size;
}

enum status cut_to_tokens(struct bytes text, size_t tokens_max, token_counter *counter,
                          size_t *size)
{
    // No text has more tokens than bytes, so this much fits without counting.
    size_t low = utf8_prefix(text, tokens_max).size;
    size_t high = text.size;
    // A window first: the report may be megabytes, the budget a few hundred tokens.
    size_t window = 8 * tokens_max;
    while (window < text.size) {
        size_t tokens;
        struct bytes head = utf8_prefix(text, window);
        enum status status = counter(head, &tokens);
        if (status != STATUS_OK)
            return status;
        if (tokens > tokens_max) {
            high = head.size;
            break;
        }
        low = head.size;
        window *= 2;
    }
    while (low < high) {
        size_t tokens;
        size_t middle = utf8_prefix(text, low + (high - low + 1) / 2).size;
        if (middle <= low)
            middle = high;
        enum status status = counter(bytes_slice(text, 0, middle), &tokens);
        if (status != STATUS_OK)
            return status;
        if (tokens <= tokens_max)
            low = middle;
        else if (middle == high)
            high = low + (high - low) / 2 > low ? low + (high - low) / 2 : low;
        else
            high = middle - 1;
    }
    for (size_t end = snap(text, low); end > 0; end = snap(text, end - 1)) {
        size_t tokens;
        enum status status = counter(bytes_slice(text, 0, end), &tokens);
        if (status != STATUS_OK)
            return status;
        if (tokens <= tokens_max) {
            *size = end;
            return STATUS_OK;
        }
    }
    *size = 0;
    return STATUS_OK;
}
