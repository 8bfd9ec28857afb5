// SPDX-License-Identifier: Apache-2.0
// An outline as one compact JSON object, to be stored beside its report:
//
//   {"v":1,"kind":"markdown","bytes":9,"lines":3,"tokens":4,"head":"title",
//    "sections":[[1,0,1,"Title",4,4], ...]}
//
// A section is [level, first byte, first line, title, own tokens, tokens with those below]. Counts
// are left out of an outline that has none. Numbers, slugs and nesting are made again on reading,
// by the same code that made them first. "truncated":true stands there when it is.
#pragma once

#include "base/buf.h"
#include "deliver/outline.h"

enum status outline_json_write(const struct outline *outline, struct buf *out, struct errinfo *err);

// STATUS_CORRUPT when the text is not such an object, or its numbers contradict each other.
enum status outline_json_read(struct bytes text, struct outline *out, struct errinfo *err);
