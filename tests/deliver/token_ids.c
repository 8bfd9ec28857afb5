// SPDX-License-Identifier: Apache-2.0
// Prints token ids for compare_tokens.mjs and, called with "pieces", the sizes of the pieces for
// compare_pieces.mjs. Standard input is a sequence of texts, each after its size as four
// little-endian bytes; standard output has a line of numbers for each.
#include "base/assert.h"
#include "base/le.h"
#include "deliver/pretoken.h"
#include "deliver/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status print_id(void *context, struct tokens_token token)
{
    bool *first = context;
    printf(*first ? "%u" : " %u", token.id);
    *first = false;
    return STATUS_OK;
}

static void print_pieces(struct bytes text)
{
    while (text.size > 0) {
        size_t size = pretoken_next(text);
        printf(size < text.size ? "%zu " : "%zu", size);
        text = bytes_from(text, size);
    }
}

int main(int argc, char **argv)
{
    bool pieces = argc > 1 && strcmp(argv[1], "pieces") == 0;
    unsigned char head[4];
    char *text = NULL;
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t size = le_get32(head);
        text = realloc(text, size + 1);
        ASSERT(text != NULL);
        ASSERT(fread(text, 1, size, stdin) == size);
        bool first = true;
        if (pieces)
            print_pieces(bytes_of(text, size));
        else
            ASSERT(tokens_encode(bytes_of(text, size), print_id, &first) == STATUS_OK);
        putchar('\n');
    }
    free(text);
    return 0;
}
