// SPDX-License-Identifier: Apache-2.0
// A nats-server of a test's own on the loopback, on a port that is free, with its store in a
// directory of its own. It ends with the test program whatever becomes of that. Include cmocka.h
// before it.
#pragma once

#include "../tempdir.h"
#include "bus/bus_nats.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { NATS_URL_SIZE = 64, NATS_SKIPPED = 77 };

struct nats_place {
    char directory[TEMPDIR_SIZE];
    char url[NATS_URL_SIZE];
    int port;
    const char *settings; // lines of its configuration besides, may be NULL
    pid_t pid;
    FILE *log; // kept open: a server without somebody who reads its log would die of it
};

// With AGOG_TEST_SERVER set to the path of agog, its serve stands where nats-server would.
static inline const char *nats_program(void)
{
    const char *agog = getenv("AGOG_TEST_SERVER");
    if (agog != NULL)
        return agog;
    static const char *const paths[] = {"/usr/sbin/nats-server", "/usr/bin/nats-server",
                                        "/usr/local/bin/nats-server"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    }
    return NULL;
}

// For main: whether the program can run at all. Says why not as TAP does.
static inline bool nats_is_missing(void)
{
    if (nats_program() != NULL)
        return false;
    puts("1..0 # SKIP nats-server is not installed (tools/install-deps test installs it)");
    return true;
}

static inline void nats_configure(const struct nats_place *place)
{
    char path[TEMPDIR_SIZE + 16];
    snprintf(path, sizeof path, "%s/nats.conf", place->directory);
    FILE *file = fopen(path, "wb");
    assert(file != NULL);
    fprintf(file,
            "listen: \"127.0.0.1:%d\"\nmax_payload: 8388608\n"
            "jetstream { store_dir: \"%s/store\" }\n%s\n",
            place->port, place->directory, place->settings == NULL ? "" : place->settings);
    fclose(file);
}

// Starts the server, at the port that it had when it ran before, and waits until it is ready.
static inline void nats_start(struct nats_place *place)
{
    int ends[2];
    char path[TEMPDIR_SIZE + 16];
    char line[1024];
    nats_configure(place);
    snprintf(path, sizeof path, "%s/nats.conf", place->directory);
    assert(pipe(ends) == 0);
    pid_t parent = getpid();
    place->pid = fork();
    assert(place->pid >= 0);
    if (place->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        if (getenv("AGOG_TEST_SERVER") != NULL)
            execl(nats_program(), "agog", "serve", "-c", path, (char *)NULL);
        execl(nats_program(), "nats-server", "-c", path, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    place->log = fdopen(ends[0], "r");
    bool ready = false;
    while (!ready && fgets(line, sizeof line, place->log) != NULL) {
        const char *at = strstr(line, "client connections on 127.0.0.1:");
        if (at != NULL)
            place->port = atoi(strrchr(at, ':') + 1);
        ready = strstr(line, "Server is ready") != NULL;
    }
    if (!ready) {
        fprintf(stderr, "nats-server did not start: %s\n", line);
        abort();
    }
    snprintf(place->url, sizeof place->url, "nats://127.0.0.1:%d", place->port);
}

static inline void nats_stop(struct nats_place *place, int with)
{
    int status;
    kill(place->pid, with);
    waitpid(place->pid, &status, 0);
    fclose(place->log);
}

static inline void *nats_make_with(const char *settings)
{
    struct nats_place *place = calloc(1, sizeof *place);
    assert(place != NULL);
    place->port = -1;
    place->settings = settings;
    tempdir_make(place->directory);
    nats_start(place);
    return place;
}

static inline void *nats_make_place(void)
{
    return nats_make_with(NULL);
}

static inline const char *nats_address(void *place)
{
    return ((struct nats_place *)place)->url;
}

static inline struct bus *nats_open_url(const char *url)
{
    struct bus *bus = NULL;
    struct errinfo err = {.text = ""};
    struct bus_nats_options options = {.urls = url};
    if (bus_nats_open(&options, &bus, &err) != STATUS_OK)
        fprintf(stderr, "open: %s\n", err.text);
    return bus;
}

static inline void nats_remove_place(void *opaque)
{
    struct nats_place *place = opaque;
    nats_stop(place, SIGKILL);
    tempdir_remove(place->directory);
    free(place);
}
