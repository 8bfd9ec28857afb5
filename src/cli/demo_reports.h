// SPDX-License-Identifier: Apache-2.0
// The three reports of `agog demo`, in the program itself: data/demo/*.md.
#pragma once

#include "base/bytes.h"

struct bytes demo_report_cynthia(void);
struct bytes demo_report_sylvia(void);
struct bytes demo_report_roy(void);
