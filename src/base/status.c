// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include "base/assert.h"

#include <errno.h>
#include <stddef.h>

struct status_row {
    const char *name;
    enum status_class class;
    bool retryable;
    int exit_code;
    int http_code;
};

static const struct status_row rows[] = {
#define X(name, text, class, retryable, exit_code, http_code)                                      \
    [STATUS_##name] = {text, STATUS_CLASS_##class, retryable, exit_code, http_code},
    STATUS_TABLE(X)
#undef X
};

static const struct status_row *row_of(enum status status)
{
    ASSERT((size_t)status < sizeof rows / sizeof rows[0]);
    return &rows[status];
}

const char *status_name(enum status status)
{
    return row_of(status)->name;
}

enum status_class status_class_of(enum status status)
{
    return row_of(status)->class;
}

bool status_retryable(enum status status)
{
    return row_of(status)->retryable;
}

int status_exit_code(enum status status)
{
    return row_of(status)->exit_code;
}

int status_http_code(enum status status)
{
    return row_of(status)->http_code;
}

enum status status_of_errno(int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT: return STATUS_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS: return STATUS_NO_ACCESS;
    case ENOENT: return STATUS_NOT_FOUND;
    case ENOMEM: return STATUS_NO_MEMORY;
    default: return STATUS_IO;
    }
}
