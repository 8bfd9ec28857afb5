// SPDX-License-Identifier: Apache-2.0
#include "deliver/registry.h"

#include "base/limits.h"
#include "base/nearest.h"
#include "bus/kv.h"
#include "deliver/name.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bytes bucket_name = {"agog_registry", sizeof "agog_registry" - 1};

struct registry {
    struct agent *agents; // in byte order of their names
    size_t count;
};

// The mission's table of agents, streams and task types.
static const struct agent built_in[] = {
    {"billy", "agog_features_qa", "Quality assurance", 1, {"qa"}},
    {"cynthia", "agog_features_research", "Research", 1, {"research"}},
    {"jen", "agog_features_frontend", "Frontend", 1, {"frontend"}},
    {"priya", "agog_features_statistics", "Statistics", 1, {"statistics"}},
    {"roy", "agog_features_backend", "Backend", 1, {"backend"}},
    {"sylvia", "agog_features_critique", "Critique", 1, {"critique"}},
};

enum { BUILT_IN_COUNT = sizeof built_in / sizeof built_in[0] };

static int compare_agents(const void *a, const void *b)
{
    return strcmp(((const struct agent *)a)->name, ((const struct agent *)b)->name);
}

static enum status append_agent(struct registry *registry, const struct agent *agent)
{
    struct agent *grown = realloc(registry->agents,
                                  (registry->count + 1) * sizeof *registry->agents);
    if (grown == NULL)
        return STATUS_NO_MEMORY;
    registry->agents = grown;
    registry->agents[registry->count++] = *agent;
    return STATUS_OK;
}

static bool copy_text(char *to, size_t size, const char *from)
{
    if (from == NULL || strlen(from) >= size)
        return false;
    memcpy(to, from, strlen(from) + 1);
    return true;
}

static bool read_types(struct agent *agent, const json_t *types)
{
    size_t index;
    const json_t *type;
    if (!json_is_array(types) || json_array_size(types) > REGISTRY_TYPES_MAX)
        return false;
    json_array_foreach(types, index, type)
    {
        if (!copy_text(agent->types[agent->type_count++], REGISTRY_NAME_SIZE,
                       json_string_value(type)))
            return false;
    }
    return true;
}

static bool agent_from_json(struct agent *agent, struct bytes name, struct bytes text)
{
    *agent = (struct agent){.type_count = 0};
    if (name.size >= REGISTRY_NAME_SIZE)
        return false;
    memcpy(agent->name, name.data, name.size);
    json_t *document = json_loadb(text.data, text.size, 0, NULL);
    const char *role = json_string_value(json_object_get(document, "role"));
    bool good = copy_text(agent->stream, sizeof agent->stream,
                          json_string_value(json_object_get(document, "stream"))) &&
                copy_text(agent->role, sizeof agent->role, role == NULL ? "" : role) &&
                read_types(agent, json_object_get(document, "types"));
    json_decref(document);
    return good;
}

static char *agent_to_json(const struct agent *agent)
{
    json_t *types = json_array();
    for (size_t i = 0; i < agent->type_count; i++)
        json_array_append_new(types, json_string(agent->types[i]));
    json_t *document = json_pack("{s:s, s:o, s:s}", "stream", agent->stream, "types", types, "role",
                                 agent->role);
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    json_decref(document);
    return text;
}

struct load {
    struct registry *registry;
    struct errinfo *err;
};

static enum status load_entry(void *context, const struct kv_entry *entry)
{
    const struct load *load = context;
    struct agent agent;
    if (entry->operation != KV_PUT)
        return STATUS_OK;
    if (!agent_from_json(&agent, entry->key, entry->value))
        return errinfo_set(load->err, STATUS_CORRUPT,
                           "the registry's entry for agent %.*s is not understood: write it anew "
                           "with agog agent add",
                           BYTES_ARG(entry->key));
    return append_agent(load->registry, &agent);
}

enum status registry_load(struct bus *bus, struct registry **out, struct errinfo *err)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the registry of agents");
    struct load load = {registry, err};
    enum status status = kv_entries(bus, bucket_name, (struct bytes){NULL, 0}, load_entry, &load,
                                    err);
    if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
        for (size_t i = 0; status == STATUS_OK && i < BUILT_IN_COUNT; i++)
            status = append_agent(registry, &built_in[i]);
    }
    if (status == STATUS_NO_MEMORY)
        errinfo_set(err, status, "no memory for the registry of agents");
    if (status != STATUS_OK) {
        registry_free(registry);
        return status;
    }
    if (registry->count > 0)
        qsort(registry->agents, registry->count, sizeof *registry->agents, compare_agents);
    *out = registry;
    return STATUS_OK;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    free(registry->agents);
    free(registry);
}

size_t registry_count(const struct registry *registry)
{
    return registry->count;
}

const struct agent *registry_at(const struct registry *registry, size_t index)
{
    return &registry->agents[index];
}

static const struct agent *find(const struct registry *registry, struct bytes name)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (bytes_equal(bytes_of_string(registry->agents[i].name), name))
            return &registry->agents[i];
    }
    return NULL;
}

enum status registry_find(const struct registry *registry, struct bytes name,
                          const struct agent **agent, struct errinfo *err)
{
    const struct agent *found = find(registry, name);
    if (found != NULL) {
        *agent = found;
        return STATUS_OK;
    }
    struct nearest nearest;
    char hint[NEAREST_HINT_SIZE];
    char quoted[ERRINFO_QUOTED_MAX];
    nearest_init(&nearest, name);
    for (size_t i = 0; i < registry->count; i++)
        nearest_offer(&nearest, bytes_of_string(registry->agents[i].name));
    return errinfo_set(err, STATUS_NOT_FOUND,
                       "no agent %s%s (agog agent ls lists them, agog agent add registers one)",
                       errinfo_quote(name, quoted), nearest_hint(&nearest, hint));
}

static bool has_type(const struct agent *agent, struct bytes type)
{
    for (size_t i = 0; i < agent->type_count; i++) {
        if (bytes_equal(bytes_of_string(agent->types[i]), type))
            return true;
    }
    return false;
}

enum status registry_check_type(const struct agent *agent, struct bytes type, struct errinfo *err)
{
    if (has_type(agent, type))
        return STATUS_OK;
    char known[512] = "";
    size_t size = 0;
    for (size_t i = 0; i < agent->type_count && size < sizeof known - REGISTRY_NAME_SIZE - 3; i++)
        size += (size_t)snprintf(known + size, sizeof known - size, "%s%s", i == 0 ? "" : ", ",
                                 agent->types[i]);
    char quoted[ERRINFO_QUOTED_MAX];
    return errinfo_set(err, STATUS_NOT_FOUND,
                       "agent %s has no task type %s; it has %s: add one with agog agent add %s "
                       "--type TYPE",
                       agent->name, errinfo_quote(type, quoted), known, agent->name);
}

const struct agent *registry_of_stream(const struct registry *registry, struct bytes stream)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (bytes_equal(bytes_of_string(registry->agents[i].stream), stream))
            return &registry->agents[i];
    }
    return NULL;
}

enum status registry_stream_config(const struct agent *agent, struct stream_config *config,
                                   struct errinfo *err)
{
    const int64_t second_ns = 1000000000;
    char subject[LIMIT_SUBJECT_BYTES];
    snprintf(subject, sizeof subject, "agog.deliverables.%s.>", agent->name);
    stream_config_init(config);
    enum status status = stream_config_set_string(&config->name, bytes_of_string(agent->stream));
    if (status == STATUS_OK)
        status = stream_config_add_subject(config, bytes_of_string(subject), err);
    if (status != STATUS_OK) {
        stream_config_fini(config);
        return status;
    }
    config->max_msgs = 10000;
    config->max_bytes = INT64_C(1) << 30;
    config->max_age_ns = 7 * 86400 * second_ns;
    config->max_msg_size = LIMIT_MESSAGE_BYTES;
    config->duplicate_window_ns = 120 * second_ns;
    config->allow_direct = true;
    return STATUS_OK;
}

static enum status write_agent(struct bus *bus, const struct agent *agent, uint64_t expected,
                               struct errinfo *err)
{
    char *text = agent_to_json(agent);
    if (text == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to write agent %s", agent->name);
    struct kv_write write = {
        .bucket = bucket_name,
        .key = bytes_of_string(agent->name),
        .value = bytes_of_string(text),
        .expected = expected,
    };
    uint64_t revision;
    enum status status = kv_write(bus, &write, &revision, err);
    free(text);
    return status;
}

enum status registry_init(struct bus *bus, bool *changed, struct errinfo *err)
{
    struct kv_config config = {.bucket = bucket_name,
                               .description = BYTES("agents, their streams and types"),
                               .history = 8};
    bool created = false;
    enum status status = kv_bucket_create(bus, &config, &created, err);
    for (size_t i = 0; status == STATUS_OK && created && i < BUILT_IN_COUNT; i++)
        status = write_agent(bus, &built_in[i], KV_ANY, err);
    if (status == STATUS_OK)
        *changed = created;
    return status;
}

// The agent's stream is there and listens to the agent's subject.
static enum status ensure_stream(struct bus *bus, const struct agent *agent, bool *changed,
                                 struct errinfo *err)
{
    const struct bus_operations *operations = bus->operations;
    struct stream_config wanted;
    struct stream_info info;
    enum status status = registry_stream_config(agent, &wanted, err);
    if (status != STATUS_OK)
        return status;
    status = operations->stream_info(bus, agent->stream, &info, err);
    if (status == STATUS_NOT_FOUND)
        status = operations->stream_create(bus, &wanted, changed, err);
    else if (status == STATUS_OK) {
        bool listens = false;
        for (size_t i = 0; i < info.config.subject_count; i++)
            listens = listens || strcmp(info.config.subjects[i], wanted.subjects[0]) == 0;
        if (!listens) {
            status = stream_config_add_subject(&info.config, bytes_of_string(wanted.subjects[0]),
                                               err);
            if (status == STATUS_OK)
                status = operations->stream_update(bus, &info.config, err);
            *changed = true;
        }
        stream_config_fini(&info.config);
    }
    stream_config_fini(&wanted);
    return status;
}

static enum status check_agent(const struct agent *agent, struct errinfo *err)
{
    enum status status = name_check_agent(bytes_of_string(agent->name), err);
    if (status == STATUS_OK && agent->type_count == 0)
        return errinfo_set(err, STATUS_USAGE, "agent %s needs at least one task type: --type TYPE",
                           agent->name);
    for (size_t i = 0; status == STATUS_OK && i < agent->type_count; i++)
        status = name_check_type(bytes_of_string(agent->types[i]), err);
    return status;
}

// What is there and what is added: new types behind the old ones, a new role in place of the old.
static enum status merge(struct agent *there, const struct agent *added, struct errinfo *err)
{
    if (added->stream[0] != '\0' && strcmp(there->stream, added->stream) != 0)
        return errinfo_set(err, STATUS_CONFLICT,
                           "agent %s publishes to stream %s already; its reports stay there",
                           there->name, there->stream);
    if (added->role[0] != '\0')
        memcpy(there->role, added->role, sizeof there->role);
    for (size_t i = 0; i < added->type_count; i++) {
        if (has_type(there, bytes_of_string(added->types[i])))
            continue;
        if (there->type_count == REGISTRY_TYPES_MAX)
            return errinfo_set(err, STATUS_LIMIT, "agent %s has %d task types already, the most",
                               there->name, REGISTRY_TYPES_MAX);
        memcpy(there->types[there->type_count++], added->types[i], REGISTRY_NAME_SIZE);
    }
    return STATUS_OK;
}

enum status registry_add(struct bus *bus, const struct agent *agent, bool *changed,
                         struct errinfo *err)
{
    struct registry *registry;
    struct agent whole = *agent;
    bool initialised = false;
    bool stream_changed = false;
    enum status status = check_agent(agent, err);
    if (status == STATUS_OK)
        status = registry_init(bus, &initialised, err);
    if (status == STATUS_OK)
        status = registry_load(bus, &registry, err);
    if (status != STATUS_OK)
        return status;
    const struct agent *there = find(registry, bytes_of_string(agent->name));
    bool same = false;
    if (there != NULL) {
        whole = *there;
        status = merge(&whole, agent, err);
        same = whole.type_count == there->type_count && strcmp(whole.role, there->role) == 0;
    } else if (whole.stream[0] == '\0') {
        snprintf(whole.stream, sizeof whole.stream, "agog_features_%s", whole.name);
    }
    registry_free(registry);
    if (status == STATUS_OK)
        status = ensure_stream(bus, &whole, &stream_changed, err);
    if (status == STATUS_OK && !same)
        status = write_agent(bus, &whole, KV_ANY, err);
    if (status == STATUS_OK)
        *changed = !same || stream_changed;
    return status;
}

enum status registry_remove(struct bus *bus, struct bytes name, struct errinfo *err)
{
    struct registry *registry;
    const struct agent *agent;
    bool initialised;
    uint64_t revision;
    enum status status = registry_init(bus, &initialised, err);
    if (status == STATUS_OK)
        status = registry_load(bus, &registry, err);
    if (status != STATUS_OK)
        return status;
    status = registry_find(registry, name, &agent, err);
    registry_free(registry);
    struct kv_write write = {
        .bucket = bucket_name, .key = name, .expected = KV_ANY, .operation = KV_DELETE};
    return status != STATUS_OK ? status : kv_write(bus, &write, &revision, err);
}
