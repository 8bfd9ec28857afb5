// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_reports.h"

// Set by demo_data.S around each file.
extern const char demo_cynthia[], demo_cynthia_end[];
extern const char demo_sylvia[], demo_sylvia_end[];
extern const char demo_roy[], demo_roy_end[];

struct bytes demo_report_cynthia(void)
{
    return bytes_of(demo_cynthia, (size_t)(demo_cynthia_end - demo_cynthia));
}

struct bytes demo_report_sylvia(void)
{
    return bytes_of(demo_sylvia, (size_t)(demo_sylvia_end - demo_sylvia));
}

struct bytes demo_report_roy(void)
{
    return bytes_of(demo_roy, (size_t)(demo_roy_end - demo_roy));
}
