// SPDX-License-Identifier: Apache-2.0
// A configuration over any bytes, which are also what every include and every variable of the
// environment gives. Promises held: a tree that was made is finite, no larger than its weight says,
// with every place inside a file; a text that was refused says where.
#include "base/assert.h"
#include "server/conf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INCLUDED_BYTES = 64 };

struct outside {
    struct bytes text;
    int left; // reads that are allowed, so that one input does not cost seconds
};

static enum status include(void *context, const char *path, struct buf *text, struct errinfo *err)
{
    struct outside *outside = context;
    ASSERT(path[0] != '\0');
    if (outside->left-- <= 0)
        return errinfo_set(err, STATUS_NOT_FOUND, "none");
    buf_append(text, bytes_slice(outside->text, 0, INCLUDED_BYTES));
    return STATUS_OK;
}

static bool environment(void *context, const char *name, struct bytes *value)
{
    struct outside *outside = context;
    if (outside->left-- <= 0 || strlen(name) > 2)
        return false;
    *value = bytes_slice(outside->text, 0, INCLUDED_BYTES);
    return true;
}

static bool is_list(const struct conf_value *value)
{
    return value->type == CONF_ARRAY || value->type == CONF_BLOCK;
}

// Walks all values below the root, each repetition too; the stack is as deep as the tree may be.
static void check_tree(const struct conf_value *root)
{
    const struct conf_value *stack[CONF_DEPTH_MAX * CONF_FILES_MAX];
    size_t depth = 0;
    size_t seen = 0;
    stack[depth++] = root->is.list.first;
    while (depth > 0) {
        const struct conf_value *value = stack[--depth];
        if (value == NULL)
            continue;
        seen++;
        ASSERT(value->place.line > 0 && value->place.column > 0 && value->place.file != NULL);
        ASSERT(value->type != CONF_STRING || value->is.text.data[value->is.text.size] == '\0');
        stack[depth++] = value->next;
        if (is_list(value)) {
            ASSERT(depth < sizeof stack / sizeof stack[0]);
            stack[depth++] = value->is.list.first;
        }
    }
    ASSERT(seen <= root->is.list.weight);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outside outside = {.text = bytes_of(data, size), .left = 20};
    struct conf_input input = {.text = outside.text,
                               .file = "dir/main.conf",
                               .context = &outside,
                               .include = include,
                               .environment = environment};
    struct conf conf;
    struct errinfo err = {0};
    if (conf_parse(&input, &conf, &err) == STATUS_OK) {
        check_tree(&conf.root);
        conf_fini(&conf);
    } else {
        ASSERT(err.text[0] != '\0');
    }
    return 0;
}
