// SPDX-License-Identifier: Apache-2.0
#include "simhost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, PATH_SIZE = 200, NODES_MAX = 4096, NAMES_MAX = 512 };

// A change of a file that was not synced yet.
struct change {
    bool is_size; // the file got this size, else a write
    uint64_t offset;
    size_t size;
    unsigned char *data;
};

struct content {
    unsigned char *data;
    size_t size;
};

// A file; nodes are never reused within one simhost.
struct node {
    struct content now;
    struct content synced;
    struct change *changes;
    size_t change_count;
    bool locked;
};

struct name {
    char path[PATH_SIZE];
    int node; // -1 for a directory
};

// A change of names that was not synced: `set` names the node, `unset` goes away.
struct renaming {
    struct name set;
    char unset[PATH_SIZE];
};

struct names {
    struct name list[NAMES_MAX];
    size_t count;
};

struct host_file {
    struct simhost *sim;
    int node;
    bool writable;
    bool holds_lock;
};

struct simhost {
    struct host table;
    struct node nodes[NODES_MAX];
    int node_count;
    struct names now;
    struct names synced;
    struct renaming *renamings;
    size_t renaming_count;
    uint64_t calls[SIM_CALLS];
    uint64_t fail_at[SIM_CALLS];
    int fail_with[SIM_CALLS];
    uint64_t quota;
    simhost_hook hook;
    void *hook_context;
    bool in_hook;
};

uint64_t simhost_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static int enter(struct simhost *sim, enum simhost_call call, bool changes)
{
    if (changes && sim->hook != NULL && !sim->in_hook) {
        sim->in_hook = true;
        sim->hook(sim->hook_context);
        sim->in_hook = false;
    }
    sim->calls[call]++;
    if (sim->fail_at[call] > 0 && --sim->fail_at[call] == 0)
        return sim->fail_with[call];
    return 0;
}

static void resize(struct content *content, size_t size)
{
    if (size > content->size) {
        content->data = must(realloc(content->data, size));
        memset(content->data + content->size, 0, size - content->size);
    }
    content->size = size;
}

static void copy_content(struct content *to, const struct content *from)
{
    free(to->data);
    to->size = from->size;
    to->data = from->size == 0 ? NULL : must(malloc(from->size));
    if (from->size > 0)
        memcpy(to->data, from->data, from->size);
}

static void apply(struct content *content, const struct change *change)
{
    if (change->is_size) {
        resize(content, (size_t)change->offset);
        return;
    }
    if (change->offset + change->size > content->size)
        resize(content, (size_t)(change->offset + change->size));
    memcpy(content->data + change->offset, change->data, change->size);
}

static void make_change(struct node *node, bool is_size, uint64_t offset, const void *data,
                        size_t size)
{
    node->changes = must(realloc(node->changes, (node->change_count + 1) * sizeof *node->changes));
    struct change *change = &node->changes[node->change_count++];
    *change = (struct change){.is_size = is_size, .offset = offset, .size = size};
    if (size > 0) {
        change->data = must(malloc(size));
        memcpy(change->data, data, size);
    }
    apply(&node->now, change);
}

static void forget_changes(struct node *node)
{
    for (size_t i = 0; i < node->change_count; i++)
        free(node->changes[i].data);
    free(node->changes);
    node->changes = NULL;
    node->change_count = 0;
}

static struct name *find_name(struct names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i].path, path) == 0)
            return &names->list[i];
    }
    return NULL;
}

static void unset_name(struct names *names, const char *path)
{
    struct name *name = find_name(names, path);
    if (name != NULL)
        *name = names->list[--names->count];
}

static void set_name(struct names *names, const struct name *name)
{
    unset_name(names, name->path);
    if (names->count == NAMES_MAX)
        abort();
    names->list[names->count++] = *name;
}

// What lies in a directory goes with it.
static void move_children(struct names *names, const char *from, const char *to)
{
    size_t size = strlen(from);
    for (size_t i = 0; i < names->count; i++) {
        char *path = names->list[i].path;
        char moved[2 * PATH_SIZE];
        if (strncmp(path, from, size) != 0 || path[size] != '/')
            continue;
        if (snprintf(moved, sizeof moved, "%s%s", to, path + size) >= PATH_SIZE)
            abort();
        strcpy(path, moved);
    }
}

static void apply_renaming(struct names *names, const struct renaming *renaming)
{
    if (renaming->unset[0] != '\0')
        unset_name(names, renaming->unset);
    if (renaming->set.path[0] != '\0')
        set_name(names, &renaming->set);
    if (renaming->unset[0] != '\0' && renaming->set.path[0] != '\0' && renaming->set.node < 0)
        move_children(names, renaming->unset, renaming->set.path);
}

static void change_names(struct simhost *sim, const char *set, int node, const char *unset)
{
    sim->renamings = must(
        realloc(sim->renamings, (sim->renaming_count + 1) * sizeof *sim->renamings));
    struct renaming *renaming = &sim->renamings[sim->renaming_count++];
    memset(renaming, 0, sizeof *renaming);
    snprintf(renaming->set.path, PATH_SIZE, "%s", set);
    renaming->set.node = node;
    snprintf(renaming->unset, PATH_SIZE, "%s", unset);
    apply_renaming(&sim->now, renaming);
}

static bool lies_in(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && path[size] == '/' &&
           strchr(path + size + 1, '/') == NULL;
}

static bool parent_exists(struct simhost *sim, const char *path)
{
    char parent[PATH_SIZE];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return true;
    *slash = '\0';
    const struct name *name = find_name(&sim->now, parent);
    return name != NULL && name->node < 0;
}

static uint64_t used(const struct simhost *sim)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < sim->now.count; i++) {
        if (sim->now.list[i].node >= 0)
            bytes += sim->nodes[sim->now.list[i].node].now.size;
    }
    return bytes;
}

static int sim_open(void *context, const char *path, int flags, struct host_file **file)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_OPEN, (flags & HOST_CREATE) != 0);
    if (failure != 0)
        return failure;
    struct name *name = find_name(&sim->now, path);
    if (name != NULL && name->node < 0)
        return EISDIR;
    if (name != NULL && (flags & HOST_EXCLUSIVE) != 0)
        return EEXIST;
    if (name == NULL && ((flags & HOST_CREATE) == 0 || !parent_exists(sim, path)))
        return ENOENT;
    if (name == NULL) {
        if (sim->node_count == NODES_MAX)
            abort();
        change_names(sim, path, sim->node_count++, "");
        name = find_name(&sim->now, path);
    }
    // A missing byte of memory is a fault that the store must bear too.
    struct host_file *opened = malloc(sizeof *opened);
    if (opened == NULL)
        return ENOMEM;
    *opened = (struct host_file){sim, name->node, (flags & HOST_WRITE) != 0, false};
    *file = opened;
    return 0;
}

static void sim_close(void *context, struct host_file *file)
{
    struct simhost *sim = context;
    if (file->holds_lock)
        sim->nodes[file->node].locked = false;
    free(file);
}

static int sim_read_at(void *context, struct host_file *file, void *to, size_t size,
                       uint64_t offset, size_t *got)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_READ, false);
    if (failure != 0)
        return failure;
    const struct content *content = &sim->nodes[file->node].now;
    size_t there = offset < content->size ? content->size - (size_t)offset : 0;
    *got = size < there ? size : there;
    if (*got > 0)
        memcpy(to, content->data + offset, *got);
    return 0;
}

static int sim_write_at(void *context, struct host_file *file, const void *from, size_t size,
                        uint64_t offset)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_WRITE, true);
    struct node *node = &sim->nodes[file->node];
    if (!file->writable)
        return EBADF;
    if (failure != 0) {
        if (size > 1)
            make_change(node, false, offset, from, size / 2);
        return failure;
    }
    uint64_t more = offset + size > node->now.size ? offset + size - node->now.size : 0;
    if (more > 0 && (used(sim) >= sim->quota || more > sim->quota - used(sim)))
        return ENOSPC;
    make_change(node, false, offset, from, size);
    return 0;
}

static int sim_size(void *context, struct host_file *file, uint64_t *bytes)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_SIZE, false);
    if (failure == 0)
        *bytes = sim->nodes[file->node].now.size;
    return failure;
}

static int sim_reserve(void *context, struct host_file *file, uint64_t bytes)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_RESERVE, true);
    struct node *node = &sim->nodes[file->node];
    if (failure != 0 || bytes <= node->now.size)
        return failure;
    uint64_t more = bytes - node->now.size;
    if (used(sim) >= sim->quota || more > sim->quota - used(sim))
        return ENOSPC;
    make_change(node, true, bytes, NULL, 0);
    return 0;
}

static int sim_truncate(void *context, struct host_file *file, uint64_t bytes)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_TRUNCATE, true);
    if (failure == 0)
        make_change(&sim->nodes[file->node], true, bytes, NULL, 0);
    return failure;
}

static int sim_sync_data(void *context, struct host_file *file)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_SYNC, true);
    if (failure != 0)
        return failure;
    struct node *node = &sim->nodes[file->node];
    copy_content(&node->synced, &node->now);
    forget_changes(node);
    return 0;
}

static bool concerns(const struct renaming *renaming, const char *directory)
{
    return lies_in(renaming->set.path, directory) || lies_in(renaming->unset, directory);
}

static int sim_sync_directory(void *context, const char *path)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_SYNC_DIRECTORY, true);
    if (failure != 0)
        return failure;
    size_t kept = 0;
    for (size_t i = 0; i < sim->renaming_count; i++) {
        if (concerns(&sim->renamings[i], path))
            apply_renaming(&sim->synced, &sim->renamings[i]);
        else
            sim->renamings[kept++] = sim->renamings[i];
    }
    sim->renaming_count = kept;
    return 0;
}

static int sim_rename(void *context, const char *from, const char *to)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_RENAME, true);
    if (failure != 0)
        return failure;
    const struct name *name = find_name(&sim->now, from);
    if (name == NULL)
        return ENOENT;
    char source[PATH_SIZE];
    snprintf(source, sizeof source, "%s", from);
    change_names(sim, to, name->node, source);
    return 0;
}

static int sim_remove(void *context, const char *path)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_REMOVE, true);
    if (failure != 0)
        return failure;
    const struct name *file = find_name(&sim->now, path);
    if (file == NULL)
        return ENOENT;
    if (file->node < 0)
        return EISDIR;
    change_names(sim, "", -1, path);
    return 0;
}

static int sim_make_directory(void *context, const char *path)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_MAKE_DIRECTORY, true);
    if (failure != 0)
        return failure;
    if (find_name(&sim->now, path) != NULL)
        return EEXIST;
    change_names(sim, path, -1, "");
    return 0;
}

static int sim_remove_directory(void *context, const char *path)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_REMOVE_DIRECTORY, true);
    if (failure != 0)
        return failure;
    for (size_t i = 0; i < sim->now.count; i++) {
        if (lies_in(sim->now.list[i].path, path))
            return ENOTEMPTY;
    }
    change_names(sim, "", -1, path);
    return 0;
}

static int sim_list(void *context, const char *path, host_visit_name visit, void *visit_context)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_LIST, false);
    const struct name *directory = find_name(&sim->now, path);
    if (failure != 0)
        return failure;
    if (directory == NULL)
        return ENOENT;
    if (directory->node >= 0)
        return ENOTDIR;
    for (size_t i = 0; i < sim->now.count; i++) {
        const char *name = sim->now.list[i].path;
        if (lies_in(name, path))
            visit(visit_context, name + strlen(path) + 1);
    }
    return 0;
}

static int sim_lock(void *context, struct host_file *file)
{
    struct simhost *sim = context;
    int failure = enter(sim, SIM_LOCK, false);
    if (failure != 0)
        return failure;
    if (sim->nodes[file->node].locked)
        return EWOULDBLOCK;
    sim->nodes[file->node].locked = true;
    file->holds_lock = true;
    return 0;
}

// Simulated time needs no waiting.
static void sim_pause(void *context, uint32_t ms)
{
    (void)context;
    (void)ms;
}

struct simhost *simhost_new(void)
{
    struct simhost *sim = must(calloc(1, sizeof *sim));
    sim->quota = UINT64_MAX;
    sim->table = (struct host){
        .context = sim,
        .open = sim_open,
        .close = sim_close,
        .read_at = sim_read_at,
        .write_at = sim_write_at,
        .size = sim_size,
        .reserve = sim_reserve,
        .truncate = sim_truncate,
        .sync_data = sim_sync_data,
        .sync_directory = sim_sync_directory,
        .rename = sim_rename,
        .remove = sim_remove,
        .make_directory = sim_make_directory,
        .remove_directory = sim_remove_directory,
        .list = sim_list,
        .lock = sim_lock,
        .pause = sim_pause,
    };
    return sim;
}

void simhost_free(struct simhost *sim)
{
    if (sim == NULL)
        return;
    for (int i = 0; i < sim->node_count; i++) {
        forget_changes(&sim->nodes[i]);
        free(sim->nodes[i].now.data);
        free(sim->nodes[i].synced.data);
    }
    free(sim->renamings);
    free(sim);
}

const struct host *simhost_host(const struct simhost *sim)
{
    return &sim->table;
}

void simhost_fail(struct simhost *sim, enum simhost_call call, uint64_t n, int error_number)
{
    sim->fail_at[call] = n;
    sim->fail_with[call] = error_number;
}

uint64_t simhost_calls(const struct simhost *sim, enum simhost_call call)
{
    return sim->calls[call];
}

void simhost_quota(struct simhost *sim, uint64_t bytes)
{
    sim->quota = bytes;
}

uint64_t simhost_used(const struct simhost *sim)
{
    return used(sim);
}

void simhost_set_hook(struct simhost *sim, simhost_hook hook, void *context)
{
    sim->hook = hook;
    sim->hook_context = context;
}

static bool survives(enum simhost_crash_mode mode, uint64_t *seed)
{
    if (mode == SIM_DROP_ALL || mode == SIM_KEEP_ALL)
        return mode == SIM_KEEP_ALL;
    return (simhost_random(seed) & 1) != 0;
}

// Each sector of a write for itself. The file is as long as the whole write made it.
static void apply_torn(struct content *content, const struct change *change, uint64_t *seed)
{
    if (change->offset + change->size > content->size)
        resize(content, (size_t)(change->offset + change->size));
    uint64_t at = change->offset;
    uint64_t end = change->offset + change->size;
    while (at < end) {
        uint64_t next = (at / SECTOR + 1) * SECTOR;
        next = next < end ? next : end;
        if ((simhost_random(seed) & 1) != 0)
            memcpy(content->data + at, change->data + (at - change->offset), (size_t)(next - at));
        at = next;
    }
}

static void crash_node(struct node *to, const struct node *from, enum simhost_crash_mode mode,
                       uint64_t *seed)
{
    copy_content(&to->now, &from->synced);
    for (size_t i = 0; i < from->change_count; i++) {
        const struct change *change = &from->changes[i];
        if (mode == SIM_TORN && !change->is_size)
            apply_torn(&to->now, change, seed);
        else if (survives(mode, seed))
            apply(&to->now, change);
    }
    copy_content(&to->synced, &to->now);
}

struct simhost *simhost_crash(const struct simhost *sim, enum simhost_crash_mode mode,
                              uint64_t *seed)
{
    struct simhost *image = simhost_new();
    image->node_count = sim->node_count;
    image->now = sim->synced;
    for (size_t i = 0; i < sim->renaming_count; i++) {
        if (survives(mode, seed))
            apply_renaming(&image->now, &sim->renamings[i]);
    }
    image->synced = image->now;
    for (int i = 0; i < sim->node_count; i++)
        crash_node(&image->nodes[i], &sim->nodes[i], mode, seed);
    return image;
}

struct simhost *simhost_copy(const struct simhost *sim)
{
    struct simhost *copy = simhost_new();
    copy->node_count = sim->node_count;
    copy->now = sim->now;
    copy->synced = sim->now;
    for (int i = 0; i < sim->node_count; i++) {
        copy_content(&copy->nodes[i].now, &sim->nodes[i].now);
        copy_content(&copy->nodes[i].synced, &sim->nodes[i].now);
    }
    return copy;
}

unsigned char *simhost_content(struct simhost *sim, const char *path, size_t *size)
{
    const struct name *name = find_name(&sim->now, path);
    if (name == NULL || name->node < 0)
        return NULL;
    *size = sim->nodes[name->node].now.size;
    return sim->nodes[name->node].now.data;
}

const char *simhost_path(const struct simhost *sim, size_t i)
{
    size_t seen = 0;
    for (size_t k = 0; k < sim->now.count; k++) {
        if (sim->now.list[k].node >= 0 && seen++ == i)
            return sim->now.list[k].path;
    }
    return NULL;
}

bool simhost_contains(const struct simhost *sim, struct bytes text)
{
    for (size_t i = 0; i < sim->now.count; i++) {
        int node = sim->now.list[i].node;
        if (node < 0 || sim->nodes[node].now.size == 0)
            continue;
        struct bytes content = bytes_of(sim->nodes[node].now.data, sim->nodes[node].now.size);
        if (bytes_find(content, text) != SIZE_MAX)
            return true;
    }
    return false;
}
