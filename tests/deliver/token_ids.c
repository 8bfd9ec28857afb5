// SPDX-License-Identifier: Apache-2.0
// Prints token ids for compare_tokens.mjs. Standard input is a sequence of texts, each after its
// size as four little-endian bytes; standard output has a line of ids for each.
#include "base/assert.h"
#include "deliver/tokens.h"

#include <stdio.h>
#include <stdlib.h>

static enum status print_id(void *context, struct tokens_token token)
{
    bool *first = context;
    printf(*first ? "%u" : " %u", token.id);
    *first = false;
    return STATUS_OK;
}

int main(void)
{
    unsigned char head[4];
    char *text = NULL;
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t size = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
                      (size_t)head[3] << 24;
        text = realloc(text, size + 1);
        ASSERT(text != NULL);
        ASSERT(fread(text, 1, size, stdin) == size);
        bool first = true;
        ASSERT(tokens_encode(bytes_of(text, size), print_id, &first) == STATUS_OK);
        putchar('\n');
    }
    free(text);
    return 0;
}
