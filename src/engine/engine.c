// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "base/limits.h"
#include "engine/jserror.h"
#include "wire/subject.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    struct stream_config config; // as on disk when it was loaded; an open stream has the newest
    int64_t created_ns;
    struct stream *stream; // NULL until it is needed
    struct errinfo *why;   // its configuration cannot be read: the config has its name alone
    enum status damage;
};

struct engine {
    const struct host *host;
    struct storedir *store;
    struct slot *slots; // in byte order of names
    size_t count;
};

static void slot_fini(struct slot *slot)
{
    stream_close(slot->stream);
    stream_config_fini(&slot->config);
    free(slot->why);
}

static const struct stream_config *config_of(const struct slot *slot)
{
    return slot->stream != NULL ? stream_get_config(slot->stream) : &slot->config;
}

static int compare_slots(const void *a, const void *b)
{
    return strcmp(((const struct slot *)a)->config.name, ((const struct slot *)b)->config.name);
}

static enum status add_slot(struct engine *engine, const struct slot *slot)
{
    struct slot *slots = realloc(engine->slots, (engine->count + 1) * sizeof *slots);
    if (slots == NULL)
        return STATUS_NO_MEMORY;
    engine->slots = slots;
    slots[engine->count++] = *slot;
    qsort(slots, engine->count, sizeof *slots, compare_slots);
    return STATUS_OK;
}

// The directory of a stream, with a NUL behind it. path is initialised by the call.
static enum status path_of(const struct engine *engine, struct bytes name, struct buf *path,
                           struct errinfo *err)
{
    buf_init(path, LIMIT_PATH_BYTES);
    return storedir_stream_path(engine->store, name, path, err);
}

struct loading {
    struct engine *engine;
    struct errinfo *err;
};

// A stream whose configuration is damaged keeps its place and its name, and says what is wrong
// whenever it is asked for; the others are not touched by it.
static enum status note_damage(struct slot *slot, struct bytes name, enum status damage,
                               const struct errinfo *why)
{
    slot->damage = damage;
    slot->why = malloc(sizeof *slot->why);
    if (slot->why == NULL)
        return STATUS_NO_MEMORY;
    *slot->why = *why;
    stream_config_fini(&slot->config);
    return stream_config_set_string(&slot->config.name, name);
}

static enum status load_stream(void *context, struct bytes name)
{
    const struct loading *loading = context;
    struct engine *engine = loading->engine;
    struct slot slot = {.damage = STATUS_OK};
    struct errinfo why = {.protocol_code = 0};
    struct buf path;
    stream_config_init(&slot.config);
    enum status status = path_of(engine, name, &path, loading->err);
    if (status == STATUS_OK)
        status = stream_peek(engine->host, path.data, &slot.config, &slot.created_ns, &why);
    if (status == STATUS_OK && !bytes_equal(bytes_of_string(slot.config.name), name))
        status = errinfo_set(&why, STATUS_CORRUPT, "the configuration in %s is of stream %s",
                             path.data, slot.config.name);
    buf_fini(&path);
    // A directory without a configuration is a creation that a crash cut short.
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NO_MEMORY)
        status = note_damage(&slot, name, status, &why);
    if (status == STATUS_OK)
        status = add_slot(engine, &slot);
    if (status != STATUS_OK) {
        slot_fini(&slot);
        errinfo_set(loading->err, status, "no memory to open the store");
    }
    return status;
}

enum status engine_open(struct engine **out, const struct host *host, struct storedir *store,
                        struct errinfo *err)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to open the store");
    engine->host = host;
    engine->store = store;
    struct loading loading = {engine, err};
    enum status status = storedir_list(store, load_stream, &loading, err);
    if (status != STATUS_OK) {
        engine_close(engine);
        return status;
    }
    *out = engine;
    return STATUS_OK;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (size_t i = 0; i < engine->count; i++)
        slot_fini(&engine->slots[i]);
    free(engine->slots);
    free(engine);
}

static struct slot *find(const struct engine *engine, struct bytes name)
{
    for (size_t i = 0; i < engine->count; i++) {
        if (bytes_equal(bytes_of_string(engine->slots[i].config.name), name))
            return &engine->slots[i];
    }
    return NULL;
}

static enum status say_damage(const struct slot *slot, struct errinfo *err)
{
    return errinfo_set(err, slot->damage, "stream %s: %s", slot->config.name, slot->why->text);
}

static enum status open_slot(struct engine *engine, struct slot *slot, int64_t now_ns,
                             struct stream **stream, struct errinfo *err)
{
    enum status status = STATUS_OK;
    if (slot->damage != STATUS_OK)
        return say_damage(slot, err);
    if (slot->stream == NULL) {
        struct buf path;
        status = path_of(engine, bytes_of_string(slot->config.name), &path, err);
        if (status == STATUS_OK)
            status = stream_open(&slot->stream, engine->host, path.data, 0, now_ns, err);
        buf_fini(&path);
        if (status != STATUS_OK)
            return errinfo_wrap(err, status, "stream %s", slot->config.name);
    }
    *stream = slot->stream;
    // On a full or failing disk an expiry cannot be noted; what is stored can be read all the same.
    status = stream_expire(slot->stream, now_ns, err);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

static enum status no_stream(struct bytes name, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_STREAM_NOT_FOUND,
                            "stream not found: %s (agog stream ls lists what there is)",
                            errinfo_quote(name, quoted));
}

enum status engine_stream(struct engine *engine, struct bytes name, int64_t now_ns,
                          struct stream **stream, struct errinfo *err)
{
    struct slot *slot = find(engine, name);
    return slot == NULL ? no_stream(name, err) : open_slot(engine, slot, now_ns, stream, err);
}

static bool listens_to(const struct stream_config *config, struct bytes subject)
{
    for (size_t i = 0; i < config->subject_count; i++) {
        if (subject_matches(bytes_of_string(config->subjects[i]), subject))
            return true;
    }
    return false;
}

enum status engine_stream_for(struct engine *engine, struct bytes subject, int64_t now_ns,
                              struct stream **stream, struct errinfo *err)
{
    enum status status = subject_check(subject, false, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < engine->count; i++) {
        if (listens_to(config_of(&engine->slots[i]), subject))
            return open_slot(engine, &engine->slots[i], now_ns, stream, err);
    }
    char escaped[ERRINFO_QUOTED_MAX];
    return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_STREAM_NOT_FOUND,
                            "no stream listens to subject %s: nothing was stored",
                            errinfo_escape(subject, escaped));
}

static enum status check_overlap(const struct engine *engine, const struct stream_config *config,
                                 struct errinfo *err)
{
    for (size_t i = 0; i < engine->count; i++) {
        const struct stream_config *other = config_of(&engine->slots[i]);
        if (strcmp(other->name, config->name) == 0)
            continue;
        for (size_t a = 0; a < config->subject_count; a++) {
            for (size_t b = 0; b < other->subject_count; b++) {
                if (subject_overlaps(bytes_of_string(config->subjects[a]),
                                     bytes_of_string(other->subjects[b])))
                    return errinfo_set_code(err, STATUS_CONFLICT, JSERROR_SUBJECTS_OVERLAP,
                                            "subjects overlap with an existing stream: %s of %s",
                                            other->subjects[b], other->name);
            }
        }
    }
    return STATUS_OK;
}

// Equal is what has equal JSON: every setting stands there.
static enum status compare(const struct stream_config *a, const struct stream_config *b,
                           bool *equal)
{
    struct buf left, right;
    buf_init(&left, 1 << 20);
    buf_init(&right, 1 << 20);
    enum status status = stream_config_to_json(a, &left);
    if (status == STATUS_OK)
        status = stream_config_to_json(b, &right);
    if (status == STATUS_OK)
        *equal = bytes_equal(buf_bytes(&left), buf_bytes(&right));
    buf_fini(&left);
    buf_fini(&right);
    return status;
}

static enum status create_slot(struct engine *engine, const struct stream_config *config,
                               int64_t now_ns, struct errinfo *err)
{
    struct slot slot = {.damage = STATUS_OK};
    struct buf path;
    struct bytes name = bytes_of_string(config->name);
    stream_config_init(&slot.config);
    enum status status = path_of(engine, name, &path, err);
    if (status == STATUS_OK)
        status = stream_create(engine->host, path.data, config, now_ns, err);
    // An empty log that a creation left when it was cut short is no stream, and in the way.
    if (status == STATUS_EXISTS) {
        status = storedir_stream_delete(engine->store, name, err);
        if (status == STATUS_OK)
            status = stream_create(engine->host, path.data, config, now_ns, err);
    }
    if (status == STATUS_OK)
        status = stream_peek(engine->host, path.data, &slot.config, &slot.created_ns, err);
    buf_fini(&path);
    if (status == STATUS_OK)
        status = add_slot(engine, &slot);
    if (status == STATUS_NO_MEMORY)
        errinfo_set(err, status, "no memory to create stream %s", config->name);
    if (status != STATUS_OK)
        slot_fini(&slot);
    return status;
}

static enum status create_beside(const struct slot *there, const struct stream_config *config,
                                 struct errinfo *err)
{
    bool equal = false;
    if (there->damage != STATUS_OK)
        return say_damage(there, err);
    enum status status = compare(config, config_of(there), &equal);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to create stream %s", config->name);
    if (!equal)
        return errinfo_set_code(err, STATUS_EXISTS, JSERROR_STREAM_NAME_IN_USE,
                                "stream name already in use with a different configuration: %s",
                                config->name);
    return STATUS_OK;
}

enum status engine_create(struct engine *engine, const struct stream_config *config, int64_t now_ns,
                          bool *created, struct errinfo *err)
{
    struct stream_config checked;
    enum status status = stream_config_copy(&checked, config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to create a stream");
    status = stream_config_check(&checked, err);
    const struct slot *there = status == STATUS_OK ? find(engine, bytes_of_string(checked.name))
                                                   : NULL;
    if (there != NULL) {
        status = create_beside(there, &checked, err);
    } else if (status == STATUS_OK) {
        status = check_overlap(engine, &checked, err);
        if (status == STATUS_OK)
            status = create_slot(engine, &checked, now_ns, err);
    }
    stream_config_fini(&checked);
    if (status == STATUS_OK)
        *created = there == NULL;
    return status;
}

static enum status update_slot(struct engine *engine, struct slot *slot,
                               const struct stream_config *config, int64_t now_ns,
                               struct errinfo *err)
{
    struct stream *stream;
    enum status status = open_slot(engine, slot, now_ns, &stream, err);
    if (status == STATUS_OK)
        status = stream_update(stream, config, now_ns, err);
    return status;
}

enum status engine_update(struct engine *engine, const struct stream_config *config, int64_t now_ns,
                          struct errinfo *err)
{
    struct stream_config checked;
    enum status status = stream_config_copy(&checked, config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to update a stream");
    status = stream_config_check(&checked, err);
    struct slot *slot = status == STATUS_OK ? find(engine, bytes_of_string(checked.name)) : NULL;
    if (status == STATUS_OK && slot == NULL)
        status = no_stream(bytes_of_string(checked.name), err);
    if (status == STATUS_OK)
        status = check_overlap(engine, &checked, err);
    if (status == STATUS_OK)
        status = update_slot(engine, slot, &checked, now_ns, err);
    stream_config_fini(&checked);
    return status;
}

enum status engine_delete(struct engine *engine, struct bytes name, struct errinfo *err)
{
    struct slot *slot = find(engine, name);
    if (slot == NULL)
        return no_stream(name, err);
    stream_close(slot->stream);
    slot->stream = NULL;
    enum status status = storedir_stream_delete(engine->store, name, err);
    if (status != STATUS_OK)
        return status;
    slot_fini(slot);
    size_t at = (size_t)(slot - engine->slots);
    memmove(slot, slot + 1, (engine->count - at - 1) * sizeof *slot);
    engine->count--;
    return STATUS_OK;
}

size_t engine_count(const struct engine *engine)
{
    return engine->count;
}

const struct stream_config *engine_config(const struct engine *engine, size_t index)
{
    return config_of(&engine->slots[index]);
}

struct stream *engine_next_open(struct engine *engine, size_t *at)
{
    while (*at < engine->count) {
        struct stream *stream = engine->slots[(*at)++].stream;
        if (stream != NULL)
            return stream;
    }
    return NULL;
}
