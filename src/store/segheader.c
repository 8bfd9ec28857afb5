// SPDX-License-Identifier: Apache-2.0
#include "store/segheader.h"

#include "base/crc32c.h"
#include "base/le.h"

#include <string.h>

enum { CHECKSUM_AT = 60 };

static uint32_t magic_of(enum segheader_kind kind)
{
    return kind == SEGHEADER_SEGMENT ? UINT32_C(0x53474F41) : UINT32_C(0x49474F41); // AOGS, AOGI
}

bool segheader_equal(const struct segheader *a, const struct segheader *b)
{
    return a->generation == b->generation && a->next_seq == b->next_seq &&
           a->first_live == b->first_live && a->durable_bytes == b->durable_bytes &&
           a->number == b->number && a->content == b->content;
}

void segheader_encode(char to[SEGHEADER_BYTES], enum segheader_kind kind,
                      const struct segheader *header)
{
    memset(to, 0, SEGHEADER_BYTES);
    le_put32(to, magic_of(kind));
    le_put32(to + 4, SEGHEADER_VERSION);
    le_put64(to + 8, header->generation);
    le_put64(to + 16, header->next_seq);
    le_put64(to + 24, header->first_live);
    le_put64(to + 32, header->durable_bytes);
    le_put64(to + 40, header->number);
    le_put32(to + 48, header->content);
    le_put32(to + CHECKSUM_AT, crc32c(0, to, CHECKSUM_AT));
}

uint32_t segheader_mark(const struct segheader *header)
{
    char bytes[SEGHEADER_BYTES];
    segheader_encode(bytes, SEGHEADER_INDEX, header);
    return crc32c(0, bytes, CHECKSUM_AT);
}

enum segheader_result segheader_decode(struct segheader *header, uint32_t *version,
                                       enum segheader_kind kind, struct bytes from)
{
    if (from.size < SEGHEADER_BYTES || le_get32(from.data) != magic_of(kind) ||
        le_get32(from.data + CHECKSUM_AT) != crc32c(0, from.data, CHECKSUM_AT))
        return SEGHEADER_DAMAGED;
    uint32_t found = le_get32(from.data + 4);
    if (found != SEGHEADER_VERSION) {
        *version = found;
        return SEGHEADER_NEWER;
    }
    *header = (struct segheader){
        .generation = le_get64(from.data + 8),
        .next_seq = le_get64(from.data + 16),
        .first_live = le_get64(from.data + 24),
        .durable_bytes = le_get64(from.data + 32),
        .number = le_get64(from.data + 40),
        .content = le_get32(from.data + 48),
    };
    return SEGHEADER_VALID;
}
