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

// Whether the first `size` bytes cost no more than tokens_max.
static enum status fits(struct bytes text, size_t size, size_t tokens_max, token_counter *counter,
                        bool *answer)
{
    size_t tokens = 0;
    enum status status = counter(bytes_slice(text, 0, size), &tokens);
    *answer = tokens <= tokens_max;
    return status;
}

// Finds *low that fits and *high that does not (or is past the text), starting small: the text may
// be megabytes, the budget a few hundred tokens.
static enum status bracket(struct bytes text, size_t tokens_max, token_counter *counter,
                           size_t *low, size_t *high)
{
    // No text has more tokens than bytes, so this much fits without counting.
    *low = tokens_max < text.size ? tokens_max : text.size;
    *high = text.size + 1;
    while (*low < text.size) {
        bool answer;
        size_t size = *low < text.size / 4 ? 4 * *low + 1 : text.size;
        enum status status = fits(text, size, tokens_max, counter, &answer);
        if (status != STATUS_OK)
            return status;
        if (!answer) {
            *high = size;
            return STATUS_OK;
        }
        *low = size;
    }
    return STATUS_OK;
}

enum status cut_to_tokens(struct bytes text, size_t tokens_max, token_counter *counter,
                          size_t *size)
{
    size_t low;
    size_t high;
    bool answer = true;
    enum status status = bracket(text, tokens_max, counter, &low, &high);
    while (status == STATUS_OK && low < text.size && high - low > 1) {
        size_t middle = low + (high - low) / 2;
        status = fits(text, middle, tokens_max, counter, &answer);
        if (answer)
            low = middle;
        else
            high = middle;
    }
    size_t end = snap(text, low);
    for (answer = end == 0; status == STATUS_OK && end > 0; end = snap(text, end - 1)) {
        status = fits(text, end, tokens_max, counter, &answer);
        if (answer)
            break;
    }
    if (status == STATUS_OK)
        *size = end;
    return status;
}
