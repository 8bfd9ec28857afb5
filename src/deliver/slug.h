// SPDX-License-Identifier: Apache-2.0
// Slugs of a report's sections, each unique (see deliver/outline.h). One slugger serves one report.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

struct slug_entry;

struct slugger {
    struct slug_entry *entries; // open addressing, a power of two
    size_t capacity;
    size_t count;
};

enum { SLUG_SIZE = 128 };

// Room for count slugs; they must outlive the slugger, which keeps pointers to them.
enum status slug_init(struct slugger *slugger, size_t count);
void slug_fini(struct slugger *slugger);

// Writes the slug of a title, not yet unique, and returns its size. This is also how a name that
// somebody asks for is made comparable.
size_t slug_base(struct bytes title, char out[SLUG_SIZE]);

// Writes a slug that this slugger has not given before, and returns its size. out must stay.
size_t slug_take(struct slugger *slugger, struct bytes title, char out[SLUG_SIZE]);
