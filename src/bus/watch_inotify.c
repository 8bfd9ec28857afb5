// SPDX-License-Identifier: Apache-2.0
// Linux: inotify.
#include "bus/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

struct watch {
    int descriptor;
};

enum status watch_open(struct watch **out, struct errinfo *err)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to watch for changes");
    watch->descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->descriptor < 0) {
        enum status status = errinfo_set_errno(err, errno, "cannot watch for changes");
        free(watch);
        return status;
    }
    *out = watch;
    return STATUS_OK;
}

enum status watch_add(struct watch *watch, const char *directory, struct errinfo *err)
{
    uint32_t changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF;
    if (inotify_add_watch(watch->descriptor, directory, changes) < 0)
        return errinfo_set_errno(err, errno, "cannot watch %s", directory);
    return STATUS_OK;
}

void watch_close(struct watch *watch)
{
    if (watch == NULL)
        return;
    close(watch->descriptor);
    free(watch);
}

enum status watch_wait(struct watch *watch, int64_t timeout_ms, struct errinfo *err)
{
    struct pollfd poll_for = {.fd = watch->descriptor, .events = POLLIN};
    int wait_ms = timeout_ms < 0 ? -1 : timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;
    int ready = poll(&poll_for, 1, wait_ms);
    if (ready < 0 && errno != EINTR)
        return errinfo_set_errno(err, errno, "waiting for a change failed");
    if (ready == 0)
        return errinfo_set(err, STATUS_TIMEOUT, "nothing came within the time");
    // What the events say does not matter, only that there were some.
    char events[4096];
    while (read(watch->descriptor, events, sizeof events) > 0)
        continue;
    return STATUS_OK;
}
