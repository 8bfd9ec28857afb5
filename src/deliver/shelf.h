// SPDX-License-Identifier: Apache-2.0
// The outlines of stored reports, with exact token counts, made once at publish and kept beside the
// reports: in the stream agog_outlines, one message for each text, its subject the report's digest.
// They can be deleted at any time: a reader that finds none makes it anew from the report.
#pragma once

#include "bus/bus.h"
#include "deliver/outline.h"
#include "deliver/report.h"
#include "deliver/section.h"

// The configuration of the stream that keeps them; initialised by the call.
enum status shelf_stream_config(struct stream_config *config, struct errinfo *err);

// Keeps an outline; what fails is told, and costs a reader time, never an answer.
enum status shelf_put(struct bus *bus, const char *digest, const struct outline *outline,
                      struct errinfo *err);

// The outline of a report: the kept one, else made from its body, which is then read whole into
// storage (report->body points into it). outline_fini when done.
enum status shelf_outline(struct bus *bus, struct report *report, struct buf *storage,
                          struct outline *outline, struct errinfo *err);

// Reads a range of a report's text, no more of it than that takes. A report whose body has been
// read gives it without reading again.
enum status shelf_range(struct bus *bus, const struct report *report, struct section_range range,
                        struct buf *storage, struct bytes *text, struct errinfo *err);
