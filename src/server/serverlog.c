// SPDX-License-Identifier: Apache-2.0
#include "server/serverlog.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };

struct serverlog {
    char *path; // NULL is stderr
    int fd;
    bool debug;
    bool trace;
    bool time;
};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

enum status serverlog_open(struct serverlog **out, const struct serverlog_options *options,
                           struct errinfo *err)
{
    struct serverlog *log = calloc(1, sizeof *log);
    if (log == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the log");
    log->fd = STDERR_FILENO;
    log->time = options->time;
    serverlog_levels(log, options->debug, options->trace);
    if (options->file != NULL) {
        log->path = strdup(options->file);
        log->fd = log->path == NULL ? -1 : open_file(log->path);
        if (log->fd < 0) {
            int reason = log->path == NULL ? ENOMEM : errno;
            free(log->path);
            free(log);
            return errinfo_set_errno(err, reason, "cannot open the log file %s", options->file);
        }
    }
    *out = log;
    return STATUS_OK;
}

void serverlog_close(struct serverlog *log)
{
    if (log == NULL)
        return;
    if (log->path != NULL)
        close(log->fd);
    free(log->path);
    free(log);
}

void serverlog_reopen(struct serverlog *log)
{
    if (log->path == NULL)
        return;
    int fd = open_file(log->path);
    if (fd < 0) {
        serverlog_write(log, SERVERLOG_ERROR, "cannot open the log file anew: %s", strerror(errno));
        return;
    }
    close(log->fd);
    log->fd = fd;
}

void serverlog_levels(struct serverlog *log, bool debug, bool trace)
{
    log->debug = debug;
    log->trace = trace;
}

bool serverlog_traces(const struct serverlog *log)
{
    return log->trace;
}

static const char *level_name(enum serverlog_level level)
{
    static const char *const names[] = {"ERR", "WRN", "INF", "DBG", "TRC"};
    return names[level];
}

static size_t put_time(char *line, size_t size)
{
    int64_t now_ns = clock_realtime_ns();
    time_t seconds = (time_t)(now_ns / 1000000000);
    struct tm parts;
    char day[32];
    localtime_r(&seconds, &parts);
    strftime(day, sizeof day, "%Y/%m/%d %H:%M:%S", &parts);
    int length = snprintf(line, size, "%s.%06ld ", day, (long)(now_ns % 1000000000 / 1000));
    return length < 0 ? 0 : (size_t)length;
}

void serverlog_write(struct serverlog *log, enum serverlog_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    if ((level == SERVERLOG_DEBUG && !log->debug) || (level == SERVERLOG_TRACE && !log->trace))
        return;
    int head = snprintf(line, sizeof line, "[%ld] ", (long)getpid());
    size_t size = head < 0 ? 0 : (size_t)head;
    if (log->time)
        size += put_time(line + size, sizeof line - size);
    int tag = snprintf(line + size, sizeof line - size, "[%s] ", level_name(level));
    size += tag < 0 ? 0 : (size_t)tag;
    va_list arguments;
    va_start(arguments, format);
    int text = vsnprintf(line + size, sizeof line - size - 1, format, arguments);
    va_end(arguments);
    if (text > 0)
        size += (size_t)text < sizeof line - size - 1 ? (size_t)text : sizeof line - size - 2;
    line[size++] = '\n';
    // A log that cannot be written must not stop the server.
    ssize_t ignored = write(log->fd, line, size);
    (void)ignored;
}
