// SPDX-License-Identifier: Apache-2.0
// Three rounds of matching, each through a sorted index of what the older report still has free;
// then the longest rising run of matched sections is what stayed, and the rest has moved.
#include "deliver/delta.h"

#include "deliver/lines.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct key {
    uint64_t hash;
    uint32_t section;
    uint32_t taken; // in the first key of a hash: how many of its run are taken
};

struct matcher {
    const struct outlined *sides[2]; // before, after
    uint32_t *partner_of_after;      // section of before, or NONE
    uint32_t *partner_of_before;
    struct key *keys; // of free sections of before
};

typedef struct bytes key_text(const struct outlined *side, uint32_t section);

static struct bytes own_text(const struct outlined *side, uint32_t index)
{
    const struct outline_section *section = &side->outline->sections[index];
    return bytes_slice(side->report, section->from, section->to - section->from);
}

static struct bytes slug_text(const struct outlined *side, uint32_t index)
{
    return side->outline->sections[index].slug;
}

// What stands under a heading; nothing when that is too little to know a section by.
static struct bytes body_text(const struct outlined *side, uint32_t index)
{
    enum { BODY_MIN = 40 };
    struct bytes text = own_text(side, index);
    struct lines lines;
    struct line line;
    lines_init(&lines, text);
    lines_next(&lines, &line);
    struct bytes body = bytes_from(text, lines.at);
    return bytes_trim(body).size < BODY_MIN ? BYTES("") : body;
}

static int by_hash(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->section < y->section ? -1 : x->section > y->section;
}

static size_t first_key(const struct key *keys, size_t count, uint64_t hash)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (keys[middle].hash < hash)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static void match_by(struct matcher *matcher, key_text *text_of)
{
    const struct outlined *before = matcher->sides[0];
    const struct outlined *after = matcher->sides[1];
    size_t count = 0;
    for (uint32_t i = 0; i < before->outline->count; i++) {
        struct bytes text = text_of(before, i);
        if (matcher->partner_of_before[i] == NONE && text.size > 0)
            matcher->keys[count++] = (struct key){bytes_hash(text, 1), i, 0};
    }
    qsort(matcher->keys, count, sizeof *matcher->keys, by_hash);
    for (uint32_t i = 0; i < after->outline->count; i++) {
        struct bytes text = text_of(after, i);
        if (matcher->partner_of_after[i] != NONE || text.size == 0)
            continue;
        uint64_t hash = bytes_hash(text, 1);
        size_t at = first_key(matcher->keys, count, hash);
        // Of several equal texts the first free one is taken.
        size_t first = at;
        at += first < count ? matcher->keys[first].taken : 0;
        if (at >= count || matcher->keys[at].hash != hash ||
            !bytes_equal(text_of(before, matcher->keys[at].section), text))
            continue;
        matcher->keys[first].taken++;
        matcher->partner_of_after[i] = matcher->keys[at].section;
        matcher->partner_of_before[matcher->keys[at].section] = i;
    }
}

// Marks, in stayed, the longest run of sections of after whose partners rise. tails and previous
// are room for as many sections as after has.
static void mark_stayed(const uint32_t *partners, uint32_t count, bool *stayed, uint32_t *tails,
                        uint32_t *previous)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (partners[i] == NONE)
            continue;
        uint32_t low = 0;
        uint32_t high = size;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (partners[tails[middle]] < partners[i])
                low = middle + 1;
            else
                high = middle;
        }
        previous[i] = low > 0 ? tails[low - 1] : NONE;
        tails[low] = i;
        size = low == size ? size + 1 : size;
    }
    for (uint32_t at = size > 0 ? tails[size - 1] : NONE; at != NONE; at = previous[at])
        stayed[at] = true;
}

static void add_entry(const struct matcher *matcher, struct delta *delta, struct delta_entry entry)
{
    bool removed = entry.kind == DELTA_REMOVED;
    const struct outline *outline = matcher->sides[removed ? 0 : 1]->outline;
    delta->entries[delta->count++] = entry;
    delta->counts[entry.kind]++;
    delta->tokens[entry.kind] += outline->sections[removed ? entry.before : entry.after].tokens;
}

static void add_removed(const struct matcher *matcher, struct delta *delta, uint32_t *next,
                        uint32_t end)
{
    for (; *next < end; ++*next) {
        if (matcher->partner_of_before[*next] == NONE)
            add_entry(matcher, delta, (struct delta_entry){DELTA_REMOVED, *next, NONE});
    }
}

static void add_entries(const struct matcher *matcher, const bool *stayed, struct delta *delta)
{
    const struct outlined *before = matcher->sides[0];
    const struct outlined *after = matcher->sides[1];
    uint32_t next = 0;
    for (uint32_t i = 0; i < after->outline->count; i++) {
        uint32_t partner = matcher->partner_of_after[i];
        struct delta_entry entry = {DELTA_ADDED, partner, i};
        if (partner != NONE) {
            bool same = bytes_equal(own_text(before, partner), own_text(after, i));
            entry.kind = !same ? DELTA_CHANGED : stayed[i] ? DELTA_SAME : DELTA_MOVED;
        }
        if (stayed[i])
            add_removed(matcher, delta, &next, partner);
        add_entry(matcher, delta, entry);
    }
    add_removed(matcher, delta, &next, before->outline->count);
}

struct rooms {
    uint32_t *numbers; // four arrays in one
    bool *stayed;
    struct key *keys;
};

static bool get_rooms(struct rooms *rooms, uint32_t before, uint32_t after)
{
    rooms->numbers = malloc(((size_t)before + 3 * (size_t)after + 1) * sizeof *rooms->numbers);
    rooms->stayed = calloc((size_t)after + 1, sizeof *rooms->stayed);
    rooms->keys = malloc(((size_t)before + 1) * sizeof *rooms->keys);
    return rooms->numbers != NULL && rooms->stayed != NULL && rooms->keys != NULL;
}

static void compare(const struct outlined *before, const struct outlined *after,
                    struct rooms *rooms, struct delta *delta)
{
    uint32_t old_count = before->outline->count;
    uint32_t new_count = after->outline->count;
    struct matcher matcher = {.sides = {before, after},
                              .partner_of_before = rooms->numbers,
                              .partner_of_after = rooms->numbers + old_count,
                              .keys = rooms->keys};
    uint32_t *tails = matcher.partner_of_after + new_count;
    for (size_t i = 0; i < (size_t)old_count + new_count; i++)
        rooms->numbers[i] = NONE;
    match_by(&matcher, slug_text);
    match_by(&matcher, own_text);
    match_by(&matcher, body_text);
    mark_stayed(matcher.partner_of_after, new_count, rooms->stayed, tails, tails + new_count);
    add_entries(&matcher, rooms->stayed, delta);
}

enum status delta_sections(const struct outlined *before, const struct outlined *after,
                           struct delta *out, struct errinfo *err)
{
    uint32_t old_count = before->outline->count;
    uint32_t new_count = after->outline->count;
    struct rooms rooms;
    struct delta delta = {.count = 0};
    delta.entries = malloc(((size_t)old_count + new_count + 1) * sizeof *delta.entries);
    bool good = get_rooms(&rooms, old_count, new_count) && delta.entries != NULL;
    if (good)
        compare(before, after, &rooms, &delta);
    free(rooms.numbers);
    free(rooms.stayed);
    free(rooms.keys);
    if (!good) {
        free(delta.entries);
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to compare %u with %u sections",
                           old_count, new_count);
    }
    *out = delta;
    return STATUS_OK;
}

void delta_fini(struct delta *delta)
{
    free(delta->entries);
    *delta = (struct delta){.count = 0};
}

const char *delta_kind_name(enum delta_kind kind)
{
    static const char *const names[] = {"same", "added", "removed", "changed", "moved"};
    return names[kind];
}
