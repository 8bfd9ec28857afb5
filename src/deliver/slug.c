// SPDX-License-Identifier: Apache-2.0
// A table remembers each slug that was given and, for those that were wanted again, the ordinal to
// try next, so that 100,000 equal headings take linear time.
#include "deliver/slug.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "deliver/outline.h"
#include "deliver/words.h"

#include <stdio.h>
#include <stdlib.h>

struct slug_entry {
    struct bytes slug; // data NULL marks a free place
    unsigned next;
};

enum status slug_init(struct slugger *slugger, size_t count)
{
    size_t capacity = 16;
    while (capacity < 2 * count)
        capacity *= 2;
    struct slug_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL)
        return STATUS_NO_MEMORY;
    *slugger = (struct slugger){.entries = entries, .capacity = capacity};
    return STATUS_OK;
}

void slug_fini(struct slugger *slugger)
{
    free(slugger->entries);
    *slugger = (struct slugger){.entries = NULL};
}

static bool all_digits(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.size > 0;
}

size_t slug_base(struct bytes title, char out[SLUG_SIZE])
{
    char text[OUTLINE_SLUG_BYTES];
    size_t size = 0;
    for (size_t at = 0; at < title.size && size + 4 <= sizeof text;) {
        uint32_t code;
        bool valid;
        at += utf8_decode(bytes_from(title, at), &code, &valid);
        if (code == ' ')
            text[size++] = '-';
        else if (code == '-' || code == '_' || words_is_word(code))
            size += utf8_encode(words_fold(code), text + size);
    }
    // Emoji and punctuation at either end leave dashes that nobody would guess.
    struct bytes slug = bytes_of(text, size);
    while (slug.size > 0 && slug.data[0] == '-')
        slug = bytes_from(slug, 1);
    while (slug.size > 0 && slug.data[slug.size - 1] == '-')
        slug.size--;
    if (slug.size == 0)
        slug = BYTES("section");
    return (size_t)snprintf(out, SLUG_SIZE, "%s%.*s", all_digits(slug) ? "s-" : "",
                            BYTES_ARG(slug));
}

static struct slug_entry *place_of(struct slugger *slugger, struct bytes slug)
{
    size_t at = (size_t)bytes_hash(slug, 0x51u) & (slugger->capacity - 1);
    while (slugger->entries[at].slug.data != NULL && !bytes_equal(slugger->entries[at].slug, slug))
        at = (at + 1) & (slugger->capacity - 1);
    return &slugger->entries[at];
}

size_t slug_take(struct slugger *slugger, struct bytes title, char out[SLUG_SIZE])
{
    size_t base_size = slug_base(title, out);
    size_t size = base_size;
    struct slug_entry *base = place_of(slugger, bytes_of(out, size));
    struct slug_entry *place = base;
    while (place->slug.data != NULL) {
        base->next++;
        size = base_size +
               (size_t)snprintf(out + base_size, SLUG_SIZE - base_size, "-%u", base->next);
        place = place_of(slugger, bytes_of(out, size));
    }
    slugger->count++;
    ASSERT(slugger->count < slugger->capacity);
    *place = (struct slug_entry){.slug = bytes_of(out, size)};
    return size;
}
