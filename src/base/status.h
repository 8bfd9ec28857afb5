// SPDX-License-Identifier: Apache-2.0
// One table of everything that can go wrong. A function that can fail returns an enum status,
// delivers its results through out-pointers that stay untouched on failure, and writes the one line
// a person reads into a struct errinfo (base/errinfo.h).
//
// The exit code of each status is part of the command line's contract and the HTTP code part of the
// hub's: neither may change once released.
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

enum status_class {
    STATUS_CLASS_NONE,        // not an error
    STATUS_CLASS_CALLER,      // the request was wrong: change it
    STATUS_CLASS_PEER,        // another process or server said no or is away
    STATUS_CLASS_ENVIRONMENT, // this machine: disk, rights, memory
    STATUS_CLASS_CORRUPT,     // stored bytes are damaged
    STATUS_CLASS_LIMIT,       // a stated limit was met
    STATUS_CLASS_BUG,         // ours
};

// X(name, text, class, may the same call succeed later, exit code, HTTP code)
#define STATUS_TABLE(X)                                                                            \
    X(OK, "ok", NONE, false, 0, 200)                                                               \
    X(BUG, "bug", BUG, false, 1, 500)                                                              \
    X(USAGE, "usage", CALLER, false, 2, 400)                                                       \
    X(INVALID, "invalid", CALLER, false, 2, 400)                                                   \
    X(NOT_FOUND, "not_found", CALLER, false, 3, 404)                                               \
    X(EXPIRED, "expired", CALLER, false, 3, 410)                                                   \
    X(CONFLICT, "conflict", CALLER, false, 4, 409)                                                 \
    X(EXISTS, "exists", CALLER, false, 4, 409)                                                     \
    X(DENIED, "denied", CALLER, false, 4, 403)                                                     \
    X(LIMIT, "limit", LIMIT, false, 5, 413)                                                        \
    X(IO, "io", ENVIRONMENT, true, 6, 500)                                                         \
    X(NO_SPACE, "no_space", ENVIRONMENT, true, 6, 507)                                             \
    X(NO_ACCESS, "no_access", ENVIRONMENT, false, 6, 500)                                          \
    X(READ_ONLY, "read_only", ENVIRONMENT, false, 6, 503)                                          \
    X(NO_MEMORY, "no_memory", ENVIRONMENT, true, 6, 503)                                           \
    X(CORRUPT, "corrupt", CORRUPT, false, 7, 500)                                                  \
    X(FORMAT, "format", CORRUPT, false, 7, 500)                                                    \
    X(BUSY, "busy", PEER, true, 8, 503)                                                            \
    X(UNAVAILABLE, "unavailable", PEER, true, 9, 503)                                              \
    X(SPOOLED, "spooled", PEER, true, 10, 202)                                                     \
    X(TIMEOUT, "timeout", PEER, true, 11, 504)                                                     \
    X(UNHEALTHY, "unhealthy", ENVIRONMENT, false, 12, 500)

enum status {
#define X(name, text, class, retryable, exit_code, http_code) STATUS_##name,
    STATUS_TABLE(X)
#undef X
};

// The lower-case name, for JSON output and logs ("not_found"). Static storage.
const char *status_name(enum status status);
enum status_class status_class_of(enum status status);
bool status_retryable(enum status status);
int status_exit_code(enum status status);
int status_http_code(enum status status);

// The status that a failed system call's errno stands for (ENOSPC and EDQUOT are NO_SPACE, EACCES,
// EPERM and EROFS are NO_ACCESS, ENOENT is NOT_FOUND, ENOMEM is NO_MEMORY; any other is IO).
enum status status_of_errno(int error_number);
