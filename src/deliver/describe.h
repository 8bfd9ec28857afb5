// SPDX-License-Identifier: Apache-2.0
// A report as JSON: one place for the names of its fields, wherever it is shown.
#pragma once

#include "deliver/report.h"

#include <jansson.h>

// Everything about a report but its text. The caller owns the object; NULL when memory runs out.
json_t *describe_report(const struct report *report);
