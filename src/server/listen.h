// SPDX-License-Identifier: Apache-2.0
// Where the server listens: TCP on one address or on all (IPv4 and IPv6), and a unix-domain socket.
#pragma once

#include "base/errinfo.h"

struct server;

// STATUS_UNAVAILABLE naming the address that is taken or not ours. Sets the server's port and URL.
enum status listen_open(struct server *server, struct errinfo *err);
void listen_close(struct server *server); // nobody new is let in; safe when repeated
