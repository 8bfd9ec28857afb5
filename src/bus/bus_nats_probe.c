// SPDX-License-Identifier: Apache-2.0
// Why a server cannot be reached. The library only says that none could be; a person wants to know
// whether the name is unknown, the port closed or the machine silent.
#include "bus/bus_nats_private.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_SIZE = 256, PORT_SIZE = 8 };

// The URL without scheme and login: "host:port".
static struct bytes authority_of(struct bytes url)
{
    size_t scheme = bytes_find(url, BYTES("://"));
    if (scheme != SIZE_MAX)
        url = bytes_from(url, scheme + 3);
    struct bytes rest;
    url = bytes_cut(url, '/', &rest);
    for (size_t at = bytes_find_byte(url, '@'); at != SIZE_MAX; at = bytes_find_byte(url, '@'))
        url = bytes_from(url, at + 1);
    return url;
}

static bool split(struct bytes authority, char host[HOST_SIZE], char port[PORT_SIZE])
{
    struct bytes rest = {NULL, 0};
    struct bytes name = authority;
    if (bytes_start_with(authority, BYTES("["))) {
        name = bytes_cut(bytes_from(authority, 1), ']', &rest);
        rest = bytes_from(rest, rest.size > 0 && rest.data[0] == ':');
    } else {
        name = bytes_cut(authority, ':', &rest);
    }
    if (rest.size == 0)
        rest = BYTES("4222");
    if (name.size == 0 || name.size >= HOST_SIZE || rest.size >= PORT_SIZE)
        return false;
    snprintf(host, HOST_SIZE, "%.*s", BYTES_ARG(name));
    snprintf(port, PORT_SIZE, "%.*s", BYTES_ARG(rest));
    return true;
}

// 0 when something listens there; *connected is then the socket.
static int try_address(const struct addrinfo *address, int timeout_ms, int *connected)
{
    int error = 0;
    socklen_t size = sizeof error;
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0)
        return errno;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        error = errno;
    if (error == EINPROGRESS) {
        if (poll(&wait, 1, timeout_ms) == 0)
            error = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = errno;
    }
    if (error == 0)
        *connected = fd;
    else
        close(fd);
    return error;
}

static const char *words_of(int error)
{
    switch (error) {
    case 0: return "something listens there, but does not speak NATS with us";
    case ECONNREFUSED: return "connection refused";
    case ETIMEDOUT: return "no answer in time";
    default: return strerror(error);
    }
}

// What came of one URL, in words; *connected is a socket when something listens there.
static const char *probe_one(struct bytes url, int timeout_ms, int *connected)
{
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (!split(authority_of(url), host, port))
        return "that is no host";
    int failed = getaddrinfo(host, port, &hints, &found);
    if (failed != 0)
        return gai_strerror(failed);
    int error = 0;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        error = try_address(at, timeout_ms, connected);
        if (error == 0)
            break;
    }
    freeaddrinfo(found);
    return words_of(error);
}

// Takes the next URL of a list.
static bool next_url(struct bytes *rest, struct bytes *url)
{
    do {
        *url = bytes_trim(bytes_cut(*rest, ',', rest));
    } while (url->size == 0 && rest->data != NULL);
    return url->size > 0;
}

void bus_nats_probe(const char *urls, int64_t timeout_ms, char *why, size_t size)
{
    struct bytes rest = bytes_of_string(urls);
    struct bytes url;
    size_t used = 0;
    why[0] = '\0';
    while (next_url(&rest, &url)) {
        int connected = -1;
        const char *words = probe_one(url, (int)timeout_ms, &connected);
        if (connected >= 0)
            close(connected);
        // Three servers that refuse are one reason.
        if (strstr(why, words) != NULL)
            continue;
        int added = snprintf(why + used, size - used, "%s%s", used == 0 ? "" : "; ", words);
        used += (size_t)added < size - used ? (size_t)added : 0;
    }
}

// Reads up to the end of the first line.
static size_t read_line(int fd, int timeout_ms, char *line, size_t size)
{
    size_t used = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (used < size && memchr(line, '\n', used) == NULL && poll(&wait, 1, timeout_ms) > 0) {
        ssize_t got = read(fd, line + used, size - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    return used;
}

json_t *bus_nats_probe_info(const char *url, int64_t timeout_ms)
{
    enum { LINE_BYTES = 32 * 1024 };
    int fd = -1;
    char *line = malloc(LINE_BYTES);
    json_t *info = NULL;
    probe_one(bytes_of_string(url), (int)timeout_ms, &fd);
    if (line != NULL && fd >= 0) {
        struct bytes said = {line, read_line(fd, (int)timeout_ms, line, LINE_BYTES)};
        if (bytes_start_with(said, BYTES("INFO ")))
            info = json_loadb(said.data + 5, said.size - 5, JSON_DISABLE_EOF_CHECK, NULL);
    }
    if (fd >= 0)
        close(fd);
    free(line);
    return info;
}

void bus_nats_hide_secrets(const char *urls, char *out, size_t size)
{
    struct bytes rest = bytes_of_string(urls);
    struct bytes url;
    size_t used = 0;
    out[0] = '\0';
    while (next_url(&rest, &url)) {
        char clean[ERRINFO_QUOTED_MAX];
        const char *scheme = bytes_start_with(url, BYTES("tls://")) ? "tls" : "nats";
        int added = snprintf(out + used, size - used, "%s%s://%s", used == 0 ? "" : ",", scheme,
                             errinfo_escape(authority_of(url), clean));
        used += (size_t)added < size - used ? (size_t)added : 0;
    }
}
