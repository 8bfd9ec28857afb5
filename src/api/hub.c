// SPDX-License-Identifier: Apache-2.0
#include "api/hub.h"

#include "api/home.h"
#include "api/setup.h"
#include "base/limits.h"
#include "bus/bus_embedded.h"
#include "bus/bus_nats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hub {
    char home[HOME_PATH_SIZE];
    char author[256];
    char holder[64];
    int64_t lock_wait_ms;
    struct login *login; // NULL when the store at home is used
    bool served;         // by an agog serve, which the bus speaks to
    struct bus *bus;
    struct registry *registry;
};

enum status hub_open(const struct hub_options *options, struct hub **out, struct errinfo *err)
{
    struct hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to begin");
    struct login_given nats = options->nats;
    nats.ignore_environment = nats.ignore_environment ||
                              (options->home != NULL && nats.url == NULL && nats.context == NULL);
    enum status status = home_find(options->home, hub->home, err);
    if (status == STATUS_OK)
        status = login_find(&nats, &hub->login, err);
    if (status != STATUS_OK) {
        free(hub);
        return status;
    }
    home_author(options->author, hub->author);
    const char *holder = options->command == NULL ? "libagog" : options->command;
    memcpy(hub->holder, holder, strnlen(holder, sizeof hub->holder - 1));
    hub->lock_wait_ms = options->lock_wait_ms < 0 ? LIMIT_LOCK_WAIT_MS : options->lock_wait_ms;
    *out = hub;
    return STATUS_OK;
}

void hub_close(struct hub *hub)
{
    if (hub == NULL)
        return;
    registry_free(hub->registry);
    bus_close(hub->bus);
    login_free(hub->login);
    free(hub);
}

const char *hub_home(const struct hub *hub)
{
    return hub->home;
}

bool hub_is_remote(const struct hub *hub)
{
    return hub->login != NULL;
}

const char *hub_author(const struct hub *hub)
{
    return hub->author;
}

int64_t hub_lock_wait_ms(const struct hub *hub)
{
    return hub->lock_wait_ms;
}

static enum status open_server(struct hub *hub, struct errinfo *err)
{
    char name[sizeof hub->holder + 8];
    struct bus_nats_options options = {.name = name};
    snprintf(name, sizeof name, "agog %s", hub->holder);
    login_apply(hub->login, &options);
    return bus_nats_open(&options, &hub->bus, err);
}

// A server that holds the store is spoken to instead. One that has left its address and is gone is
// nobody: the store is free, or whoever has it now is waited for.
static bool open_local_server(struct hub *hub)
{
    char name[sizeof hub->holder + 8];
    char url[BUS_EMBEDDED_URL_SIZE];
    struct errinfo ignored;
    struct bus_nats_options options = {.urls = url, .name = name};
    if (!bus_embedded_server_url(hub->home, url))
        return false;
    snprintf(name, sizeof name, "agog %s", hub->holder);
    hub->served = bus_nats_open(&options, &hub->bus, &ignored) == STATUS_OK;
    return hub->served;
}

bool hub_is_served(struct hub *hub)
{
    return hub->served || (hub->bus == NULL && hub->login == NULL && open_local_server(hub));
}

static enum status open_bus(struct hub *hub, bool create, struct errinfo *err)
{
    if (hub->login != NULL)
        return open_server(hub, err);
    if (open_local_server(hub))
        return STATUS_OK;
    struct bus_embedded_options options = {
        .home = hub->home,
        .create = create,
        .lock_wait_ms = hub->lock_wait_ms,
        .holder = hub->holder,
    };
    return bus_embedded_open(&options, &hub->bus, err);
}

enum status hub_bus(struct hub *hub, enum hub_need need, struct bus **bus, struct errinfo *err)
{
    enum status status = STATUS_OK;
    if (hub->bus == NULL)
        status = open_bus(hub, need != HUB_READ, err);
    if (status == STATUS_OK && need == HUB_CREATE)
        status = setup_make(hub->bus, err);
    if (status == STATUS_OK)
        *bus = hub->bus;
    return status;
}

enum status hub_cache(struct hub *hub, char path[HOME_PATH_SIZE], struct errinfo *err)
{
    struct bus *bus;
    struct bus_facts facts;
    if (hub->login == NULL) {
        memcpy(path, hub->home, sizeof hub->home);
        return STATUS_OK;
    }
    enum status status = hub_bus(hub, HUB_READ, &bus, err);
    if (status == STATUS_OK)
        status = bus->operations->facts(bus, &facts, err);
    return status != STATUS_OK ? status : home_cache(facts.location, path, err);
}

enum status hub_registry(struct hub *hub, enum hub_need need, const struct registry **registry,
                         struct errinfo *err)
{
    struct bus *bus;
    enum status status = hub_bus(hub, need, &bus, err);
    if (status == STATUS_OK && hub->registry == NULL)
        status = registry_load(bus, &hub->registry, err);
    if (status == STATUS_OK)
        *registry = hub->registry;
    return status;
}

void hub_forget_registry(struct hub *hub)
{
    registry_free(hub->registry);
    hub->registry = NULL;
}
