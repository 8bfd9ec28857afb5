// SPDX-License-Identifier: Apache-2.0
// Where a stream takes its messages from: a mirror or a source, and how subjects are renamed on the
// way (nats-server's StreamSource and SubjectTransformConfig).
#pragma once

#include "wire/jsonfields.h"

// Subjects that match `source` become `destination`. Owned; NULL when there is none.
struct subject_mapping {
    char *source;
    char *destination;
};

struct stream_source {
    char *name;
    uint64_t start_seq;    // 0 for none
    int64_t start_time_ns; // 0 for none
    char *filter;          // NULL for every subject
    struct subject_mapping *transforms;
    size_t transform_count;
    char *external_api; // prefixes of another account or domain, NULL for this one
    char *external_deliver;
};

void stream_source_fini(struct stream_source *source); // safe on zeroed memory
enum status stream_source_copy(struct stream_source *to, const struct stream_source *from);

// Reads into zeroed memory; STATUS_INVALID (10025) names a member of the wrong type.
enum status stream_source_from_json(struct stream_source *source, const json_t *object,
                                    struct errinfo *err);
json_t *stream_source_to_json(const struct stream_source *source); // NULL without memory

// {"src": ..., "dest": ...}
enum status subject_mapping_from_json(struct subject_mapping *mapping, const json_t *object,
                                      struct errinfo *err);
json_t *subject_mapping_to_json(const struct subject_mapping *mapping);
enum status subject_mapping_copy(struct subject_mapping *to, const struct subject_mapping *from);
void subject_mapping_fini(struct subject_mapping *mapping);
