// SPDX-License-Identifier: Apache-2.0
// Where the keys of a JSON text stand in its source, which no JSON library tells. The scanner
// accepts RFC 8259 with a nesting of up to 512, checks strings only for their end and for raw
// control characters, and takes linear time and no memory.
#pragma once

#include "base/bytes.h"

struct jsonmap_entry {
    unsigned level;   // 1 for the keys of the outermost object
    size_t from;      // offset of the key's first quote, or of the element
    bool is_element;  // of an array; else a key
    size_t index;     // of the element, from 0
    struct bytes key; // between the quotes, escapes as they stand; empty for an element
};

// Returns false to stop the walk.
typedef bool jsonmap_on_entry(void *context, const struct jsonmap_entry *entry);

// Calls on_entry for each key, and for each element of an array that is an object or array, down to
// level_max. True when the text is one JSON object or array and nothing else; what was reported
// before a false answer means nothing.
bool jsonmap_walk(struct bytes text, unsigned level_max, jsonmap_on_entry *on_entry, void *context);
