// SPDX-License-Identifier: Apache-2.0
// Edit distance is counted in bytes (optimal string alignment): names are nearly always ASCII, and
// a non-ASCII letter that differs then counts two or three, which is no harm in a suggestion.
#include "base/nearest.h"

#include "base/errinfo.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

// One name inside the other is a good suggestion however long the rest is, but a worse one than a
// slip of the finger.
enum { CONTAINED_DISTANCE = 2, CONTAINED_BYTES_MIN = 3 };

static size_t lower_copy(struct bytes text, unsigned char out[NEAREST_BYTES])
{
    struct bytes kept = utf8_prefix(text, NEAREST_BYTES);
    for (size_t i = 0; i < kept.size; i++) {
        unsigned char c = (unsigned char)kept.data[i];
        out[i] = c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
    }
    return kept.size;
}

void nearest_init(struct nearest *nearest, struct bytes wanted)
{
    *nearest = (struct nearest){.count = 0};
    nearest->size = lower_copy(wanted, nearest->wanted);
}

struct edit_rows {
    unsigned short rows[3][NEAREST_BYTES + 1];
};

static unsigned short min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return (unsigned short)(least < c ? least : c);
}

// The edits from a to b, or any number above max as soon as that is certain.
static unsigned edits(struct bytes a, struct bytes b, unsigned max)
{
    struct edit_rows table;
    unsigned short *before = table.rows[0];
    unsigned short *last = table.rows[1];
    unsigned short *row = table.rows[2];
    for (size_t j = 0; j <= b.size; j++)
        last[j] = (unsigned short)j;
    for (size_t i = 1; i <= a.size; i++) {
        unsigned least = row[0] = (unsigned short)i;
        for (size_t j = 1; j <= b.size; j++) {
            unsigned differs = a.data[i - 1] != b.data[j - 1];
            row[j] = min3(last[j] + 1U, row[j - 1] + 1U, last[j - 1] + differs);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                row[j] = min3(row[j], before[j - 2] + differs, row[j]);
            least = row[j] < least ? row[j] : least;
        }
        if (least > max)
            return max + 1;
        unsigned short *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.size];
}

static unsigned distance_of(struct bytes wanted, struct bytes candidate)
{
    size_t longer = wanted.size > candidate.size ? wanted.size : candidate.size;
    size_t shorter = wanted.size + candidate.size - longer;
    unsigned max = (unsigned)(longer < 6 ? 2 : longer / 3);
    unsigned distance = longer - shorter > max ? max + 1 : edits(wanted, candidate, max);
    bool contained = shorter >= CONTAINED_BYTES_MIN &&
                     bytes_find(wanted.size == longer ? wanted : candidate,
                                wanted.size == longer ? candidate : wanted) != SIZE_MAX;
    if (contained && distance > CONTAINED_DISTANCE)
        return CONTAINED_DISTANCE;
    // Two short names with nothing in common are not near, however few the edits.
    return distance > max || distance >= longer ? UINT32_MAX : distance;
}

static bool comes_before(const struct nearest_hit *a, const struct nearest_hit *b)
{
    if (a->distance != b->distance)
        return a->distance < b->distance;
    return bytes_compare(bytes_of(a->text, a->size), bytes_of(b->text, b->size)) < 0;
}

void nearest_offer(struct nearest *nearest, struct bytes candidate)
{
    unsigned char lower[NEAREST_BYTES];
    struct nearest_hit hit;
    hit.size = lower_copy(candidate, lower);
    hit.distance = distance_of(bytes_of(nearest->wanted, nearest->size), bytes_of(lower, hit.size));
    if (hit.distance == UINT32_MAX || hit.size == 0)
        return;
    memcpy(hit.text, candidate.data, hit.size);
    hit.text[hit.size] = '\0';
    size_t at = 0;
    while (at < nearest->count && comes_before(&nearest->hits[at], &hit))
        at++;
    if (at == NEAREST_MAX)
        return;
    if (at < nearest->count && bytes_equal(bytes_of(nearest->hits[at].text, nearest->hits[at].size),
                                           bytes_of(hit.text, hit.size)))
        return;
    if (nearest->count < NEAREST_MAX)
        nearest->count++;
    for (size_t i = nearest->count - 1; i > at; i--)
        nearest->hits[i] = nearest->hits[i - 1];
    nearest->hits[at] = hit;
}

const char *nearest_hint(const struct nearest *nearest, char out[NEAREST_HINT_SIZE])
{
    char quoted[ERRINFO_QUOTED_MAX];
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < nearest->count; i++) {
        const char *before = i == 0 ? "; did you mean " : i + 1 == nearest->count ? " or " : ", ";
        struct bytes text = bytes_of(nearest->hits[i].text, nearest->hits[i].size);
        size += (size_t)snprintf(out + size, NEAREST_HINT_SIZE - size, "%s%s", before,
                                 errinfo_quote(text, quoted));
    }
    if (size > 0)
        snprintf(out + size, NEAREST_HINT_SIZE - size, "?");
    return out;
}
