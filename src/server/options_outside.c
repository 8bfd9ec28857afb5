// SPDX-License-Identifier: Apache-2.0
#include "server/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_BYTES = 16 * 1024 };

static enum status read_all(int fd, struct buf *text, struct errinfo *err)
{
    char step[READ_BYTES];
    for (;;) {
        ssize_t got = read(fd, step, sizeof step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errinfo_set_errno(err, errno, "cannot read it");
        buf_append(text, bytes_of(step, (size_t)got));
        // The caller says what too large a file is.
        if (got == 0 || buf_status(text) != STATUS_OK)
            return STATUS_OK;
    }
}

static enum status read_file(void *context, const char *path, struct buf *text, struct errinfo *err)
{
    (void)context;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errinfo_set_errno(err, errno, "cannot open it");
    enum status status = read_all(fd, text, err);
    close(fd);
    return status;
}

static bool environment(void *context, const char *name, struct bytes *value)
{
    (void)context;
    const char *found = getenv(name);
    if (found == NULL)
        return false;
    *value = bytes_of_string(found);
    return true;
}

const struct options_outside options_outside_posix = {.read = read_file,
                                                      .environment = environment};
