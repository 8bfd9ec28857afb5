// SPDX-License-Identifier: Apache-2.0
// The bus on any NATS server or cluster with JetStream, through nats.c. Whatever a release of
// nats.c lacks is asked of the server in plain requests, so that every release from 3.4.1 on does
// the same.
//
// What a server can do that an engine in this process cannot is to be away. A call then waits for
// the connection to come back, up to the request timeout, and fails with STATUS_UNAVAILABLE; the
// connection itself is tried again without end. A publish that was sent and not acknowledged is
// sent again only when it has a Nats-Msg-Id, by which JetStream knows it; one without fails with
// STATUS_UNAVAILABLE and says that it may be stored or not.
//
// A header block comes back with the same lines, but lines of different names may change places.
#pragma once

#include "bus/bus.h"

// NULL, 0 and false stand for "not given". Texts are only read during the call, and the secrets
// among them never show in a text or a fact.
struct bus_nats_options {
    const char *urls; // nats:// or tls://, with or without user:password@, separated by commas
    const char *user;
    const char *password;
    const char *token;
    const char *creds;          // path of a .creds file
    const char *nkey;           // a user's seed ("SU..."), or the path of a file that has one
    const char *ca;             // path of the certificates to trust, in PEM
    const char *cert;           // path of the client's certificate chain, in PEM
    const char *key;            // path of its private key
    const char *hostname;       // in the server's certificate, instead of the URL's
    bool tls;                   // insists on TLS even where a URL does not say so
    bool tls_first;             // the server wants the handshake before its first line
    const char *api_prefix;     // instead of $JS.API, for a domain or an import
    const char *inbox_prefix;   // instead of _INBOX
    const char *name;           // of this client, as the server shows it
    const char *advice;         // how to do without the server, for the error that it is away
    int64_t connect_timeout_ms; // for each server; 0 takes BUS_NATS_CONNECT_TIMEOUT_MS
    int64_t request_timeout_ms; // for each call; 0 takes BUS_NATS_REQUEST_TIMEOUT_MS
};

enum {
    BUS_NATS_CONNECT_TIMEOUT_MS = 3000,
    // Longer than a cluster needs to choose a new leader. Large messages get a second more for each
    // MiB.
    BUS_NATS_REQUEST_TIMEOUT_MS = 10000,
};

// Connects. STATUS_UNAVAILABLE when no server can be reached and when JetStream is off,
// STATUS_DENIED when the server does not let us in, STATUS_INVALID for options that cannot be.
enum status bus_nats_open(const struct bus_nats_options *options, struct bus **out,
                          struct errinfo *err);
