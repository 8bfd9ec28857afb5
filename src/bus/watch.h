// SPDX-License-Identifier: Apache-2.0
// Being told by the operating system that files of some directories changed. One file for each
// platform implements it; nothing is polled.
#pragma once

#include "base/errinfo.h"

struct watch;

// Begins at once: a change after watch_add is never missed by watch_wait.
enum status watch_open(struct watch **out, struct errinfo *err);
enum status watch_add(struct watch *watch, const char *directory, struct errinfo *err);
void watch_close(struct watch *watch); // takes NULL

// Waits for a change since the last wait, up to timeout_ms (-1 without end); STATUS_TIMEOUT when
// none came.
enum status watch_wait(struct watch *watch, int64_t timeout_ms, struct errinfo *err);
