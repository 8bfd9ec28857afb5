// SPDX-License-Identifier: Apache-2.0
// The row number of a section in the index: report, section and a class of length in one integer,
// so that rows of one report stand together, newer reports have larger numbers (their ids are the
// milliseconds they were published, which 42 bits hold until 2109), and nothing else need
// be stored of a section.
#pragma once

#include <stdint.h>

enum {
    ROWID_LENGTH_BITS = 4,
    ROWID_SECTION_BITS = 17, // OUTLINE_SECTIONS_MAX fits
    ROWID_REPORT_SHIFT = ROWID_LENGTH_BITS + ROWID_SECTION_BITS,
};

// The class c holds sections of up to 64 * 2^c bytes; the last one all that are longer.
static inline unsigned rowid_length_class(uint64_t bytes)
{
    unsigned class = 0;
    while (class + 1 < 1U << ROWID_LENGTH_BITS && bytes > UINT64_C(64) << class)
        class ++;
    return class;
}

static inline int64_t rowid_of(int64_t report, uint32_t section, uint64_t bytes)
{
    return report << ROWID_REPORT_SHIFT | (int64_t)section << ROWID_LENGTH_BITS |
           (int64_t)rowid_length_class(bytes);
}

// The id that a report published at that time has, or the first that a later one can have.
static inline int64_t rowid_id_of(int64_t time_ns)
{
    const int64_t last = (INT64_C(1) << 42) - (1 << 20); // a million more are left for the next
    int64_t id = time_ns < 0 ? 0 : time_ns / 1000000;
    return id < last ? id : last;
}

static inline int64_t rowid_first_of(int64_t report)
{
    return report << ROWID_REPORT_SHIFT;
}

static inline int64_t rowid_report(int64_t rowid)
{
    return rowid >> ROWID_REPORT_SHIFT;
}

static inline uint32_t rowid_section(int64_t rowid)
{
    return (uint32_t)(rowid >> ROWID_LENGTH_BITS) & ((1U << ROWID_SECTION_BITS) - 1);
}

static inline double rowid_length(int64_t rowid)
{
    return (double)(UINT64_C(64) << (rowid & ((1 << ROWID_LENGTH_BITS) - 1)));
}
