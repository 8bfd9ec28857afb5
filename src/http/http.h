// SPDX-License-Identifier: Apache-2.0
// The monitoring port: nats-server's pages (/varz, /connz, ...) over HTTP, with its options and
// status codes. libmicrohttpd speaks HTTP; it is driven by the server's own loop, so that a page is
// made between two messages and never beside one.
#pragma once

#include "base/errinfo.h"

struct http;
struct server;

struct http_options {
    const char *host; // an address, "0.0.0.0" for all
    int port;         // 0 takes any
};

// STATUS_UNAVAILABLE naming the address when it is taken.
enum status http_open(struct http **out, struct server *server, const struct http_options *options,
                      struct errinfo *err);
void http_close(struct http *http); // takes NULL; before server_close
int http_port(const struct http *http);
