// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.h"

#include "base/limits.h"
#include "catalog/catalog_inside.h"

#include <stdlib.h>

static void rest_bus(void *context)
{
    bus_rest(context);
}

enum status catalog_open(const char *home, const struct read_source *source, struct catalog **out,
                         struct errinfo *err)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    if (catalog == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the catalog");
    catalog->source = *source;
    buf_init(&catalog->storage, 2 * (size_t)LIMIT_MESSAGE_BYTES);
    // Another process may hold the file and wait for the streams, which this one may hold.
    struct database_wait wait = {rest_bus, source->bus};
    enum status status = database_open(&catalog->database, home, &wait, err);
    if (status != STATUS_OK) {
        free(catalog);
        return status;
    }
    *out = catalog;
    return STATUS_OK;
}

void catalog_close(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    database_close(&catalog->database);
    buf_fini(&catalog->storage);
    free(catalog);
}

void catalog_title_path(const struct outline *outline, uint32_t index, struct buf *out)
{
    uint32_t above[OUTLINE_LEVEL_MAX + 1];
    size_t count = 0;
    for (uint32_t at = index; at != OUTLINE_NO_PARENT && count <= OUTLINE_LEVEL_MAX;
         at = outline->sections[at].parent)
        above[count++] = at;
    while (count > 0) {
        buf_append(out, outline->sections[above[--count]].title);
        if (count > 0)
            buf_append_string(out, " > ");
    }
}
