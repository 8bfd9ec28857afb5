// SPDX-License-Identifier: Apache-2.0
// Who may publish what: the one registry of agents, their streams and their task types. It lives in
// the KV bucket agog_registry of the bus, one key an agent; a bus without the bucket has the six
// agents of the mission. Adding an agent is data, never code.
#pragma once

#include "base/errinfo.h"
#include "bus/bus.h"

enum { REGISTRY_TYPES_MAX = 32, REGISTRY_NAME_SIZE = 65, REGISTRY_ROLE_SIZE = 201 };

struct agent {
    char name[REGISTRY_NAME_SIZE];
    char stream[BUS_STREAM_NAME_SIZE];
    char role[REGISTRY_ROLE_SIZE]; // what the agent is for, one line
    size_t type_count;
    char types[REGISTRY_TYPES_MAX][REGISTRY_NAME_SIZE];
};

struct registry;

enum status registry_load(struct bus *bus, struct registry **out, struct errinfo *err);
void registry_free(struct registry *registry);

size_t registry_count(const struct registry *registry);
const struct agent *registry_at(const struct registry *registry, size_t index); // by name

// STATUS_NOT_FOUND with the nearest names and the command that adds one.
enum status registry_find(const struct registry *registry, struct bytes name,
                          const struct agent **agent, struct errinfo *err);
// Checks that the agent may publish this type, naming those it has.
enum status registry_check_type(const struct agent *agent, struct bytes type, struct errinfo *err);
// The agent whose stream this is; NULL when there is none.
const struct agent *registry_of_stream(const struct registry *registry, struct bytes stream);

// Writes the built-in agents that are missing into the bucket, which is created when needed.
enum status registry_init(struct bus *bus, bool *changed, struct errinfo *err);
// Adds an agent and its stream, or adds types to one that is there.
enum status registry_add(struct bus *bus, const struct agent *agent, bool *changed,
                         struct errinfo *err);
// Forgets an agent; its stream and reports stay. STATUS_NOT_FOUND as registry_find.
enum status registry_remove(struct bus *bus, struct bytes name, struct errinfo *err);

// The configuration that the mission gives every agent's stream. config is initialised by the call.
enum status registry_stream_config(const struct agent *agent, struct stream_config *config,
                                   struct errinfo *err);
