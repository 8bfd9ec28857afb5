// SPDX-License-Identifier: Apache-2.0
// Logging in, and knowing whether the connection is there. The library connects again by itself,
// without end and with jitter; its callbacks run on threads of its own and only note what happened.
//
// The library keeps what is published while it reconnects and sends it later. A late write that
// nobody waits for any more is worse than none, so calls wait for the connection before they send
// (bus_nats_wait_connected), and the buffer is as small as the library allows.
#include "bus/bus_nats_private.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RECONNECT_WAIT_MS = 250,
    RECONNECT_JITTER_MS = 750,
    PING_INTERVAL_MS = 20000, // a peer that vanished without a word is noticed after twice that
    WRITE_DEADLINE_MS = 30000,
    LOGIN_TRIES = 3,
};

static void note_state(struct nats_bus *self, bool away, bool closed)
{
    pthread_mutex_lock(&self->lock);
    self->away = away;
    self->closed = closed;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void on_disconnected(natsConnection *connection, void *context)
{
    (void)connection;
    note_state(context, true, false);
}

static void on_reconnected(natsConnection *connection, void *context)
{
    (void)connection;
    note_state(context, false, false);
    bus_nats_follow_wake_all(context);
}

static void note_complaint(struct nats_bus *self, const char *text)
{
    char clean[ERRINFO_QUOTED_MAX];
    pthread_mutex_lock(&self->lock);
    snprintf(self->complaint, sizeof self->complaint, "%s",
             errinfo_escape(bytes_of_string(text), clean));
    self->complaints++;
    pthread_mutex_unlock(&self->lock);
}

static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus failed,
                     void *context)
{
    const char *text = NULL;
    (void)subscription;
    // A follow that is slow finds the gap by itself.
    if (failed == NATS_SLOW_CONSUMER)
        return;
    natsConnection_GetLastError(connection, &text);
    note_complaint(context, text == NULL || text[0] == '\0' ? natsStatus_GetText(failed) : text);
}

static void on_closed(natsConnection *connection, void *context)
{
    struct nats_bus *self = context;
    const char *text = NULL;
    natsStatus failed = natsConnection_GetLastError(connection, &text);
    if (failed != NATS_OK)
        note_complaint(self, text == NULL || text[0] == '\0' ? natsStatus_GetText(failed) : text);
    pthread_mutex_lock(&self->lock);
    self->away = true;
    self->closed = true;
    self->listening = false; // the library says nothing after this
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static natsStatus sign(char **trouble, unsigned char **signature, int *size, const char *nonce,
                       void *context)
{
    (void)trouble;
    return nats_Sign(bus_nats_nkey_seed(context), nonce, signature, size);
}

static struct timespec timespec_in(int64_t ns)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    ns += at.tv_nsec;
    at.tv_sec += (time_t)(ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    return at;
}

static enum status not_there(struct nats_bus *self, struct errinfo *err)
{
    char complaint[sizeof self->complaint];
    memcpy(complaint, self->complaint, sizeof complaint);
    bool closed = self->closed;
    return errinfo_set(err, STATUS_UNAVAILABLE, "the connection to NATS at %s %s%s%s",
                       self->location,
                       closed ? "was closed for good" : "is down and does not come back",
                       complaint[0] == '\0' ? "" : ": ", complaint);
}

enum status bus_nats_wait_connected(struct nats_bus *self, int64_t deadline_ns, struct errinfo *err)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&self->lock);
    while (status == STATUS_OK && (self->away || self->closed)) {
        int64_t left_ns = deadline_ns - clock_monotonic_ns();
        if (self->closed || left_ns <= 0) {
            status = not_there(self, err);
            break;
        }
        struct timespec until = timespec_in(left_ns);
        pthread_cond_timedwait(&self->changed, &self->lock, &until);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

bool bus_nats_is_closed(struct nats_bus *self)
{
    pthread_mutex_lock(&self->lock);
    bool closed = self->closed;
    pthread_mutex_unlock(&self->lock);
    return closed;
}

bool bus_nats_is_away(struct nats_bus *self)
{
    pthread_mutex_lock(&self->lock);
    bool away = self->away;
    pthread_mutex_unlock(&self->lock);
    return away;
}

uint64_t bus_nats_complaints(struct nats_bus *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t complaints = self->complaints;
    pthread_mutex_unlock(&self->lock);
    return complaints;
}

enum status bus_nats_silent(struct nats_bus *self, uint64_t complaints,
                            const struct nats_call *call, struct errinfo *err)
{
    bool open = call->repeat == NATS_ONCE;
    char complaint[sizeof self->complaint];
    pthread_mutex_lock(&self->lock);
    bool complained = self->complaints != complaints;
    memcpy(complaint, self->complaint, sizeof complaint);
    pthread_mutex_unlock(&self->lock);
    if (complained && strstr(complaint, "ermission") != NULL)
        return errinfo_set(err, STATUS_DENIED, "%s: NATS at %s refuses: %s", call->what,
                           self->location, complaint);
    return errinfo_set(err, STATUS_UNAVAILABLE, "%s: NATS at %s did not answer in time%s%s%s",
                       call->what, self->location, complained ? ": " : "",
                       complained ? complaint : "",
                       open ? "; it may be done or not: look before it is tried again" : "");
}

static natsStatus set_login(struct nats_bus *self, natsOptions *to,
                            const struct bus_nats_options *from)
{
    natsStatus done = NATS_OK;
    if (from->user != NULL)
        done = natsOptions_SetUserInfo(to, from->user,
                                       from->password == NULL ? "" : from->password);
    if (done == NATS_OK && from->token != NULL)
        done = natsOptions_SetToken(to, from->token);
    if (done == NATS_OK && from->creds != NULL)
        done = natsOptions_SetUserCredentialsFromFiles(to, from->creds, NULL);
    if (done == NATS_OK && self->nkey != NULL)
        done = natsOptions_SetNKey(to, bus_nats_nkey_public(self->nkey), sign, self->nkey);
    return done;
}

static natsStatus set_tls(natsOptions *to, const struct bus_nats_options *from)
{
    bool wanted = from->tls || from->tls_first || from->ca != NULL || from->cert != NULL ||
                  strstr(from->urls, "tls://") != NULL;
    natsStatus done = wanted ? natsOptions_SetSecure(to, true) : NATS_OK;
    if (done == NATS_OK && from->ca != NULL)
        done = natsOptions_LoadCATrustedCertificates(to, from->ca);
    if (done == NATS_OK && from->cert != NULL)
        done = natsOptions_LoadCertificatesChain(to, from->cert, from->key);
    if (done == NATS_OK && from->hostname != NULL)
        done = natsOptions_SetExpectedHostname(to, from->hostname);
    if (done == NATS_OK && from->tls_first)
        done = bus_nats_tls_first(to);
    return done;
}

static natsStatus set_manners(struct nats_bus *self, natsOptions *to,
                              const struct bus_nats_options *from)
{
    int64_t timeout_ms = from->connect_timeout_ms > 0 ? from->connect_timeout_ms
                                                      : BUS_NATS_CONNECT_TIMEOUT_MS;
    natsStatus done = natsOptions_SetTimeout(to, timeout_ms);
    if (done == NATS_OK)
        done = natsOptions_SetName(to, from->name == NULL ? "agog" : from->name);
    if (done == NATS_OK)
        done = natsOptions_SetMaxReconnect(to, -1);
    if (done == NATS_OK)
        done = natsOptions_SetReconnectWait(to, RECONNECT_WAIT_MS);
    if (done == NATS_OK)
        done = natsOptions_SetReconnectJitter(to, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS);
    if (done == NATS_OK)
        done = natsOptions_SetReconnectBufSize(to, 1);
    if (done == NATS_OK)
        done = natsOptions_SetFailRequestsOnDisconnect(to, true);
    if (done == NATS_OK)
        done = natsOptions_SetPingInterval(to, PING_INTERVAL_MS);
    if (done == NATS_OK)
        done = natsOptions_SetWriteDeadline(to, WRITE_DEADLINE_MS);
    if (done == NATS_OK && from->inbox_prefix != NULL)
        done = natsOptions_SetCustomInboxPrefix(to, from->inbox_prefix);
    if (done == NATS_OK)
        done = natsOptions_SetDisconnectedCB(to, on_disconnected, self);
    if (done == NATS_OK)
        done = natsOptions_SetReconnectedCB(to, on_reconnected, self);
    if (done == NATS_OK)
        done = natsOptions_SetClosedCB(to, on_closed, self);
    if (done == NATS_OK)
        done = natsOptions_SetErrorHandler(to, on_error, self);
    return done;
}

// The library wants one array entry for each URL.
static natsStatus set_urls(natsOptions *to, const char *urls)
{
    enum { URLS_MAX = 64 };
    const char *list[URLS_MAX];
    int count = 0;
    char *rest = NULL;
    char *copy = strdup(urls);
    if (copy == NULL)
        return NATS_NO_MEMORY;
    for (char *url = strtok_r(copy, ", \t", &rest); url != NULL && count < URLS_MAX;
         url = strtok_r(NULL, ", \t", &rest))
        list[count++] = url;
    natsStatus done = count == 0 ? NATS_INVALID_ARG : natsOptions_SetServers(to, list, count);
    free(copy);
    return done;
}

static enum status not_set(const struct bus_nats_options *options, natsStatus failed,
                           struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    if (failed == NATS_NO_MEMORY)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to connect to NATS");
    if (failed == NATS_SSL_ERROR)
        return errinfo_set(err, STATUS_INVALID,
                           "the certificates for NATS cannot be used: look at the CA (%s), the "
                           "certificate (%s) and its key: each must be a readable PEM file",
                           options->ca == NULL ? "none" : options->ca,
                           options->cert == NULL ? "none" : options->cert);
    if (failed == NATS_NO_SERVER_SUPPORT)
        return errinfo_set(err, STATUS_INVALID,
                           "the NATS library here is too old for a TLS handshake before the "
                           "server's first line (tls_first)");
    char urls[NATS_LOCATION_SIZE];
    bus_nats_hide_secrets(options->urls, urls, sizeof urls);
    return errinfo_set(err, STATUS_INVALID,
                       "the NATS URL %s cannot be used: write it as nats://host:4222",
                       errinfo_quote(bytes_of_string(urls), quoted));
}

static bool file_opens(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    fclose(file);
    return true;
}

static enum status check_files(const struct bus_nats_options *options, struct errinfo *err)
{
    const char *const paths[] = {options->creds, options->ca, options->cert, options->key};
    char quoted[ERRINFO_QUOTED_MAX];
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] != NULL && !file_opens(paths[i]))
            return errinfo_set_errno(err, errno, "cannot read %s, which NATS needs for the login",
                                     errinfo_quote(bytes_of_string(paths[i]), quoted));
    }
    if ((options->cert == NULL) != (options->key == NULL))
        return errinfo_set(err, STATUS_INVALID,
                           "a client certificate for NATS needs its key, and a key its "
                           "certificate: give both");
    return STATUS_OK;
}

// The library's own text is not shown: it may have the URL with its password.
static enum status not_connected(struct nats_bus *self, const struct bus_nats_options *options,
                                 natsStatus failed, struct errinfo *err)
{
    const char *said = nats_GetLastError(NULL);
    bool denied = failed == NATS_CONNECTION_AUTH_FAILED || failed == NATS_NOT_PERMITTED ||
                  (said != NULL &&
                   (strstr(said, "uthorization") != NULL || strstr(said, "uthentication") != NULL));
    if (denied)
        return errinfo_set(err, STATUS_DENIED,
                           "NATS at %s does not let us in: check user and password, token, "
                           "credentials or NKey",
                           self->location);
    if (failed == NATS_SSL_ERROR || failed == NATS_SECURE_CONNECTION_REQUIRED ||
        failed == NATS_SECURE_CONNECTION_WANTED) {
        char clean[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_UNAVAILABLE, "no TLS with NATS at %s: %s", self->location,
                           failed == NATS_SSL_ERROR && said != NULL
                               ? errinfo_escape(bytes_of_string(said), clean)
                           : failed == NATS_SECURE_CONNECTION_WANTED
                               ? "we want it, the server does not offer it"
                               : "the server wants it: use tls:// or give its CA");
    }
    char why[256];
    int64_t timeout_ms = options->connect_timeout_ms > 0 ? options->connect_timeout_ms
                                                         : BUS_NATS_CONNECT_TIMEOUT_MS;
    bus_nats_probe(options->urls, timeout_ms, why, sizeof why);
    return errinfo_set(err, STATUS_UNAVAILABLE, "cannot reach NATS at %s: %s; start it%s%s",
                       self->location, why[0] == '\0' ? natsStatus_GetText(failed) : why,
                       self->advice == NULL ? "" : ", or ",
                       self->advice == NULL ? "" : self->advice);
}

// What we listen to begins with a name that no other client has.
static natsStatus make_inbox(struct nats_bus *self, const struct bus_nats_options *options)
{
    natsInbox *inbox = NULL;
    natsStatus done = natsInbox_Create(&inbox);
    if (done != NATS_OK)
        return done;
    const char *name = strrchr(inbox, '.');
    const char *prefix = options->inbox_prefix == NULL ? "_INBOX" : options->inbox_prefix;
    int size = snprintf(self->inbox, sizeof self->inbox, "%s%s", prefix, name);
    self->inbox_name = strlen(prefix) + 1;
    natsInbox_Destroy(inbox);
    return (size_t)size < sizeof self->inbox ? NATS_OK : NATS_INVALID_ARG;
}

// Releases before 3.10 leave a signature out that begins with a zero byte, which one in 256 does.
// Every attempt signs another nonce.
static natsStatus log_in(struct nats_bus *self, natsOptions *library,
                         const struct bus_nats_options *options)
{
    bool signs = self->nkey != NULL || options->creds != NULL;
    natsStatus done = NATS_ERR;
    self->listening = true;
    for (int tries = signs ? LOGIN_TRIES : 1; tries > 0 && done != NATS_OK; tries--) {
        done = natsConnection_Connect(&self->connection, library);
        if (done != NATS_CONNECTION_AUTH_FAILED)
            break;
    }
    self->listening = done == NATS_OK;
    return done;
}

enum status bus_nats_connect(struct nats_bus *self, const struct bus_nats_options *options,
                             struct errinfo *err)
{
    natsOptions *library = NULL;
    bus_nats_hide_secrets(options->urls, self->location, sizeof self->location);
    enum status status = check_files(options, err);
    if (status == STATUS_OK && options->nkey != NULL)
        status = bus_nats_nkey_open(options->nkey, &self->nkey, err);
    if (status != STATUS_OK)
        return status;
    natsStatus done = natsOptions_Create(&library);
    if (done == NATS_OK)
        done = make_inbox(self, options);
    if (done == NATS_OK)
        done = set_urls(library, options->urls);
    if (done == NATS_OK)
        done = set_manners(self, library, options);
    if (done == NATS_OK)
        done = set_login(self, library, options);
    if (done == NATS_OK)
        done = set_tls(library, options);
    if (done != NATS_OK) {
        status = not_set(options, done, err);
    } else {
        done = log_in(self, library, options);
        if (done != NATS_OK)
            status = not_connected(self, options, done, err);
    }
    natsOptions_Destroy(library);
    return status;
}

void bus_nats_disconnect(struct nats_bus *self)
{
    if (self->connection == NULL)
        return;
    natsConnection_Close(self->connection);
    pthread_mutex_lock(&self->lock);
    while (self->listening)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    natsConnection_Destroy(self->connection);
    self->connection = NULL;
}
