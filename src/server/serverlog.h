// SPDX-License-Identifier: Apache-2.0
// The server's own log: one line an event, in nats-server's form
//    [pid] 2026/11/23 12:44:12.123456 [INF] text
// to stderr or a file. What comes from outside is quoted by the caller (errinfo_quote).
#pragma once

#include "base/errinfo.h"

enum serverlog_level {
    SERVERLOG_ERROR,
    SERVERLOG_WARN,
    SERVERLOG_INFO,
    SERVERLOG_DEBUG,
    SERVERLOG_TRACE
};

struct serverlog_options {
    const char *file; // NULL is stderr
    bool debug;
    bool trace;
    bool time; // each line begins with one
};

struct serverlog;

enum status serverlog_open(struct serverlog **out, const struct serverlog_options *options,
                           struct errinfo *err);
void serverlog_close(struct serverlog *log); // takes NULL

// Opens the file again, after somebody has moved it away.
void serverlog_reopen(struct serverlog *log);
void serverlog_levels(struct serverlog *log, bool debug, bool trace);
bool serverlog_traces(const struct serverlog *log);

void serverlog_write(struct serverlog *log, enum serverlog_level level, const char *format, ...)
    AGOG_PRINTF(3, 4);
