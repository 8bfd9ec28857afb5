// SPDX-License-Identifier: Apache-2.0
// One report into the tables. The report's own title and names are indexed with its first section
// alone, where they weigh most; the other sections have them as context, so that words of a query
// may stand partly there, but a title does not make every section of its report a match.
#include "base/assert.h"
#include "base/limits.h"
#include "catalog/catalog_inside.h"
#include "catalog/rowid.h"

#include <string.h>

static struct bytes title_of(const struct report *report, const struct outline *outline)
{
    if (report->title.size > 0)
        return report->title;
    for (uint32_t i = 0; i < outline->count; i++) {
        if (outline->sections[i].title.size > 0)
            return outline->sections[i].title;
    }
    return bytes_of_string(report->ref.feature);
}

// Ids grow with the time of publishing, whichever stream is indexed first: a walk over the index
// from its end meets the newest reports first.
static enum status choose_id(struct catalog *catalog, int64_t time_ns, int64_t *id,
                             struct errinfo *err)
{
    sqlite3_stmt *statement;
    bool taken = true;
    enum status status = STATUS_OK;
    int64_t wanted = rowid_id_of(time_ns);
    if (wanted <= catalog->last_id)
        wanted = catalog->last_id + 1;
    for (; status == STATUS_OK && taken; wanted++) {
        status = database_statement(&catalog->database, STATEMENT_REPORT_TAKEN, &statement, err);
        if (status != STATUS_OK)
            return status;
        sqlite3_bind_int64(statement, 1, wanted);
        status = database_next(&catalog->database, statement, &taken, err);
        sqlite3_reset(statement);
        *id = wanted;
    }
    return status;
}

static enum status add_report(struct catalog *catalog, const struct report *report,
                              const struct outline *outline, int64_t id, struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct database *database = &catalog->database;
    enum status status = database_statement(database, STATEMENT_REPORT_ADD, &statement, err);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(statement, 1, id);
    database_bind_text(statement, 2, bytes_of_string(report->stream));
    sqlite3_bind_int64(statement, 3, (int64_t)report->seq);
    database_bind_text(statement, 4, bytes_of_string(report->ref.agent));
    database_bind_text(statement, 5, bytes_of_string(report->ref.type));
    database_bind_text(statement, 6, bytes_of_string(report->ref.feature));
    sqlite3_bind_int64(statement, 7, (int64_t)report->ref.rev);
    sqlite3_bind_int64(statement, 8, report->time_ns);
    database_bind_text(statement, 9, title_of(report, outline));
    sqlite3_bind_int64(statement, 10, outline->count);
    return database_run(database, statement, err);
}

// The names by which a report is known, as words to be found.
static void append_names(const struct report *report, const struct outline *outline,
                         struct buf *out)
{
    buf_append(out, title_of(report, outline));
    buf_append_byte(out, ' ');
    buf_append_string(out, report->ref.feature);
}

static enum status add_sections(struct catalog *catalog, const struct report *report,
                                const struct outline *outline, int64_t id, struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct buf context;
    buf_init(&context, LIMIT_HEADER_BYTES);
    append_names(report, outline, &context);
    size_t names = context.size;
    enum status status = buf_status(&context);
    for (uint32_t i = 0; i < outline->count && status == STATUS_OK; i++) {
        const struct outline_section *section = &outline->sections[i];
        struct bytes none = {NULL, 0};
        context.size = names;
        if (section->parent != OUTLINE_NO_PARENT) {
            buf_append_byte(&context, ' ');
            catalog_title_path(outline, section->parent, &context);
        }
        status = database_statement(&catalog->database, STATEMENT_SECTION_ADD, &statement, err);
        if (status != STATUS_OK)
            break;
        sqlite3_bind_int64(statement, 1, rowid_of(id, i, section->to - section->from));
        database_bind_text(statement, 2,
                           bytes_slice(report->body, section->from, section->to - section->from));
        database_bind_text(statement, 3, i == 0 ? buf_bytes(&context) : none);
        database_bind_text(statement, 4, section->title);
        database_bind_text(statement, 5, i == 0 ? none : buf_bytes(&context));
        status = database_run(&catalog->database, statement, err);
    }
    if (status == STATUS_OK)
        status = buf_status(&context);
    buf_fini(&context);
    return status;
}

enum status catalog_add(struct catalog *catalog, const struct report *report,
                        struct catalog_added *added, struct errinfo *err)
{
    struct outline outline;
    int64_t id = 0;
    enum status status = outline_build(report->body, &outline, err);
    if (status != STATUS_OK)
        return status;
    ASSERT(outline.count <= OUTLINE_SECTIONS_MAX);
    status = choose_id(catalog, report->time_ns, &id, err);
    if (status == STATUS_OK)
        status = add_report(catalog, report, &outline, id, err);
    if (status == STATUS_OK)
        status = add_sections(catalog, report, &outline, id, err);
    uint32_t sections = outline.count;
    outline_fini(&outline);
    if (status != STATUS_OK)
        return status;
    *added = (struct catalog_added){.id = id, .sections = sections};
    catalog->last_id = id;
    return STATUS_OK;
}
