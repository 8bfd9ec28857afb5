// SPDX-License-Identifier: Apache-2.0
// Stands between a client and a server on the loopback and passes everything on, until it is told
// to swallow what the server says next and to hang up.
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct swallower {
    char url[64];
    int server_port;
    int listener;
    int stop[2]; // a pipe that ends everything
    atomic_bool hungry;
    pthread_t thread;
};

static inline struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    return address;
}

static inline bool pass_on(int from, int to)
{
    char data[65536];
    ssize_t got = read(from, data, sizeof data);
    for (ssize_t sent = 0; got > 0 && sent < got;) {
        ssize_t more = send(to, data + sent, (size_t)(got - sent), MSG_NOSIGNAL);
        if (more <= 0)
            return false;
        sent += more;
    }
    return got > 0;
}

// One connection from its beginning to its end; false when everything is to end.
static inline bool serve_one(struct swallower *self, int client)
{
    char scrap[65536];
    struct sockaddr_in address = loopback(self->server_port);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    bool going = connect(server, (struct sockaddr *)&address, sizeof address) == 0;
    struct pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {self->stop[0], POLLIN, 0}};
    while (going && poll(ends, 3, -1) > 0 && ends[2].revents == 0) {
        if (ends[0].revents != 0)
            going = pass_on(client, server);
        if (going && ends[1].revents != 0 && atomic_exchange(&self->hungry, false))
            going = read(server, scrap, sizeof scrap) < 0;
        else if (going && ends[1].revents != 0)
            going = pass_on(server, client);
    }
    close(server);
    close(client);
    return ends[2].revents == 0;
}

static inline void *swallower_run(void *context)
{
    struct swallower *self = context;
    struct pollfd ends[] = {{self->listener, POLLIN, 0}, {self->stop[0], POLLIN, 0}};
    bool going = true;
    while (going && poll(ends, 2, -1) > 0 && ends[1].revents == 0) {
        int client = accept(self->listener, NULL, NULL);
        if (client >= 0)
            going = serve_one(self, client);
    }
    return NULL;
}

static inline void swallower_start(struct swallower *self, int server_port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    self->server_port = server_port;
    atomic_init(&self->hungry, false);
    self->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert(bind(self->listener, (struct sockaddr *)&address, sizeof address) == 0);
    assert(listen(self->listener, 8) == 0);
    assert(getsockname(self->listener, (struct sockaddr *)&address, &size) == 0);
    assert(pipe(self->stop) == 0);
    snprintf(self->url, sizeof self->url, "nats://127.0.0.1:%d", ntohs(address.sin_port));
    assert(pthread_create(&self->thread, NULL, swallower_run, self) == 0);
}

static inline void swallower_take_next_answer(struct swallower *self)
{
    atomic_store(&self->hungry, true);
}

static inline void swallower_stop(struct swallower *self)
{
    assert(write(self->stop[1], "", 1) == 1);
    pthread_join(self->thread, NULL);
    close(self->listener);
    close(self->stop[0]);
    close(self->stop[1]);
}
