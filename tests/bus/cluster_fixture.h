// SPDX-License-Identifier: Apache-2.0
// A cluster of three nats-servers on the loopback, which all tests of a program share: a cluster
// takes seconds to come up. Each test leaves it without streams. Include cmocka.h before it.
#pragma once

#include "nats_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { CLUSTER_SIZE = 3 };

struct cluster {
    struct nats_place places[CLUSTER_SIZE];
    char settings[CLUSTER_SIZE][512];
    char urls[CLUSTER_SIZE * NATS_URL_SIZE];
};

// A port that nobody has. Servers of a cluster must know each other's before they start.
static inline int cluster_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    assert(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

static inline struct bus *cluster_open(const char *urls)
{
    struct bus *bus = NULL;
    struct errinfo err = {.text = ""};
    struct bus_nats_options options = {.urls = urls, .connect_timeout_ms = 10000};
    if (bus_nats_open(&options, &bus, &err) != STATUS_OK)
        fprintf(stderr, "open: %s\n", err.text);
    return bus;
}

// The 9 of "nats-server: v2.9.10".
static inline int cluster_version_minor(void)
{
    int minor = 0;
    char command[64];
    snprintf(command, sizeof command, "%s -v", nats_program());
    FILE *version = popen(command, "r");
    assert(version != NULL);
    assert(fscanf(version, "nats-server: v2.%d", &minor) == 1);
    pclose(version);
    return minor;
}

// Ready is a cluster that could make a stream of three.
static inline void cluster_wait(struct cluster *cluster)
{
    bool created;
    struct errinfo err = {.text = ""};
    struct bus *bus = cluster_open(cluster->urls);
    assert(bus != NULL);
    enum status status = STATUS_UNAVAILABLE;
    struct stream_config config;
    stream_config_init(&config);
    assert(stream_config_set_string(&config.name, BYTES("ready")) == STATUS_OK);
    config.replicas = CLUSTER_SIZE;
    // Until all three have found each other there is no place for a stream of three.
    while (status == STATUS_UNAVAILABLE || status == STATUS_NO_SPACE)
        status = bus->operations->stream_create(bus, &config, &created, &err);
    if (status == STATUS_OK)
        status = bus->operations->stream_delete(bus, "ready", &err);
    if (status != STATUS_OK) {
        fprintf(stderr, "cluster: %s\n", err.text);
        abort();
    }
    stream_config_fini(&config);
    bus_close(bus);
}

static inline void cluster_start(struct cluster *cluster)
{
    int routes[CLUSTER_SIZE];
    for (int i = 0; i < CLUSTER_SIZE; i++)
        routes[i] = cluster_free_port();
    for (int i = 0; i < CLUSTER_SIZE; i++) {
        struct nats_place *place = &cluster->places[i];
        snprintf(cluster->settings[i], sizeof cluster->settings[i],
                 "server_name: n%d\ncluster { name: c, listen: \"127.0.0.1:%d\", routes: ["
                 "\"nats://127.0.0.1:%d\", \"nats://127.0.0.1:%d\", \"nats://127.0.0.1:%d\"] }",
                 i, routes[i], routes[0], routes[1], routes[2]);
        place->port = -1;
        place->settings = cluster->settings[i];
        tempdir_make(place->directory);
        nats_start(place);
        size_t used = strlen(cluster->urls);
        snprintf(cluster->urls + used, sizeof cluster->urls - used, "%s%s", i == 0 ? "" : ",",
                 place->url);
    }
    cluster_wait(cluster);
}

static inline struct cluster *cluster_get(void)
{
    static struct cluster cluster;
    if (cluster.urls[0] == '\0')
        cluster_start(&cluster);
    return &cluster;
}

static inline void cluster_stop(void)
{
    struct cluster *cluster = cluster_get();
    for (int i = 0; i < CLUSTER_SIZE; i++) {
        nats_stop(&cluster->places[i], SIGKILL);
        tempdir_remove(cluster->places[i].directory);
    }
}

static inline void *cluster_make(void)
{
    return cluster_get();
}

static inline const char *cluster_address(void *place)
{
    return ((struct cluster *)place)->urls;
}

static inline enum status cluster_delete(void *context, struct bytes name, uint64_t count)
{
    struct bus *bus = context;
    char stream[BUS_STREAM_NAME_SIZE];
    (void)count;
    snprintf(stream, sizeof stream, "%.*s", BYTES_ARG(name));
    return bus->operations->stream_delete(bus, stream, NULL);
}

static inline void cluster_clear(void *place)
{
    struct errinfo err = {.text = ""};
    struct bus *bus = cluster_open(cluster_address(place));
    if (bus == NULL || bus->operations->stream_names(bus, cluster_delete, bus, &err) != STATUS_OK) {
        fprintf(stderr, "clear: %s\n", err.text);
        abort();
    }
    bus_close(bus);
}
