// SPDX-License-Identifier: Apache-2.0
// Stream after stream: what is new is read from the sequence after the last one indexed, what is
// gone is taken out (catalog_remove.c). Everything happens in batches under the write lock; at the
// beginning of each, the stream and its row are looked at again, because other processes may have
// published and indexed meanwhile. What comes after the first look is for the next update.
#include "base/limits.h"
#include "catalog/catalog_inside.h"

#include <string.h>

enum {
    BATCH_BYTES = 24 * 1024 * 1024,
    // From here on the bus rests while a batch is written, which then takes tens of milliseconds.
    REST_BYTES = 1024 * 1024,
    ATTEMPTS = 4,
    DEAD_MIN = 10000, // sections that are gone before it is worth building everything anew
};

static enum status row_get(struct catalog_progress *progress, struct errinfo *err)
{
    sqlite3_stmt *statement;
    bool found;
    struct database *database = &progress->catalog->database;
    enum status status = database_statement(database, STATEMENT_STREAM_GET, &statement, err);
    if (status != STATUS_OK)
        return status;
    progress->row = (struct catalog_row){.known = false};
    database_bind_text(statement, 1, bytes_of_string(progress->stream));
    status = database_next(database, statement, &found, err);
    if (status != STATUS_OK || !found)
        return status;
    progress->row = (struct catalog_row){
        .created_ns = sqlite3_column_int64(statement, 0),
        .last_seq = (uint64_t)sqlite3_column_int64(statement, 1),
        .first_seq = (uint64_t)sqlite3_column_int64(statement, 2),
        .holes = (uint64_t)sqlite3_column_int64(statement, 3),
        .known = true,
    };
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status row_put(struct catalog_progress *progress, struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct database *database = &progress->catalog->database;
    enum status status = database_statement(database, STATEMENT_STREAM_PUT, &statement, err);
    if (status != STATUS_OK)
        return status;
    database_bind_text(statement, 1, bytes_of_string(progress->stream));
    sqlite3_bind_int64(statement, 2, progress->row.created_ns);
    sqlite3_bind_int64(statement, 3, (int64_t)progress->row.last_seq);
    sqlite3_bind_int64(statement, 4, (int64_t)progress->row.first_seq);
    sqlite3_bind_int64(statement, 5, (int64_t)progress->row.holes);
    return database_run(database, statement, err);
}

// Indexes the message; one that cannot be read, or is no report, is passed over.
static enum status add_message(struct catalog_progress *progress, const struct bus_message *message,
                               struct errinfo *err)
{
    struct report report;
    struct catalog *catalog = progress->catalog;
    struct read_message read = {progress->stream, message, BUS_ALL};
    enum status status = read_of_message(catalog->source.bus, &read, &catalog->storage, &report,
                                         err);
    if (status != STATUS_OK) {
        progress->bus_failed = status_class_of(status) != STATUS_CLASS_CALLER;
        return progress->bus_failed ? status : STATUS_OK;
    }
    struct catalog_added added;
    status = catalog_add(catalog, &report, &added, err);
    if (status != STATUS_OK)
        return status;
    progress->batch[progress->batch_reports++] = added.id;
    progress->batch_bytes += report.body.size;
    progress->batch_sections += added.sections;
    progress->update.added++;
    return STATUS_OK;
}

// The next message after the last one indexed.
static enum status take_message(struct catalog_progress *progress, struct errinfo *err)
{
    struct bus_message message;
    struct catalog *catalog = progress->catalog;
    struct bus *bus = catalog->source.bus;
    struct bus_get what = {.seq = progress->row.last_seq + 1,
                           .subject = BYTES(REF_SUBJECT_PREFIX ">"),
                           .part = BUS_ALL};
    enum status status = bus->operations->get(bus, progress->stream, &what, &catalog->storage,
                                              &message, err);
    // Messages that are no reports may stand behind the last one that is.
    if (status == STATUS_NOT_FOUND) {
        if (progress->row.last_seq < progress->info.state.last_seq)
            progress->row.last_seq = progress->info.state.last_seq;
        progress->done = true;
        return STATUS_OK;
    }
    if (status_class_of(status) == STATUS_CLASS_CORRUPT) {
        progress->update.damaged++;
        progress->row.last_seq++;
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        progress->bus_failed = true;
        return status;
    }
    uint64_t seq = message.seq;
    status = add_message(progress, &message, err);
    if (status == STATUS_OK)
        progress->row.last_seq = seq;
    return status;
}

// What the reports of the batch mean for other rows.
static enum status finish_batch(struct catalog_progress *progress, struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct database *database = &progress->catalog->database;
    enum status status = database_statement(database, STATEMENT_TOTAL_ADD, &statement, err);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(statement, 1, progress->batch_sections);
    status = database_run(database, statement, err);
    for (size_t i = 0; i < progress->batch_reports && status == STATUS_OK; i++) {
        status = database_statement(database, STATEMENT_REPORT_SUPERSEDE, &statement, err);
        if (status != STATUS_OK)
            break;
        sqlite3_bind_int64(statement, 1, progress->batch[i]);
        status = database_run(database, statement, err);
    }
    return status;
}

static enum status take_batch(struct catalog_progress *progress, struct errinfo *err)
{
    enum status status = STATUS_OK;
    progress->batch_bytes = 0;
    progress->batch_sections = 0;
    progress->batch_reports = 0;
    progress->catalog->last_id = 0;
    while (status == STATUS_OK && !progress->done && progress->batch_bytes < BATCH_BYTES &&
           progress->batch_reports < CATALOG_BATCH_REPORTS) {
        progress->done = progress->row.last_seq >= progress->until_seq;
        if (!progress->done)
            status = take_message(progress, err);
    }
    if (progress->batch_bytes >= REST_BYTES)
        bus_rest(progress->catalog->source.bus);
    // What came before the bus failed is kept.
    bool keep = status == STATUS_OK || progress->bus_failed;
    enum status finished = keep ? finish_batch(progress, keep && status != STATUS_OK ? NULL : err)
                                : STATUS_OK;
    if (finished != STATUS_OK)
        progress->bus_failed = false;
    return finished != STATUS_OK ? finished : status;
}

// The write lock is held, so that nobody else's row is compared with an older look at the stream.
static enum status look_again(struct catalog_progress *progress, struct errinfo *err)
{
    struct stream_info info;
    struct bus *bus = progress->catalog->source.bus;
    enum status status = bus->operations->stream_info(bus, progress->stream, &info, err);
    if (status != STATUS_OK) {
        progress->bus_failed = true;
        return status;
    }
    stream_config_fini(&progress->info.config);
    progress->info = info;
    if (progress->until_seq == 0)
        progress->until_seq = info.state.last_seq;
    return STATUS_OK;
}

static enum status work(struct catalog_progress *progress, struct errinfo *err)
{
    enum status status = row_get(progress, err);
    if (status == STATUS_OK)
        status = look_again(progress, err);
    if (status == STATUS_OK)
        status = catalog_remove_gone(progress, err);
    return status != STATUS_OK ? status : take_batch(progress, err);
}

// One batch. What was indexed before the bus failed is kept.
static enum status transaction(struct catalog_progress *progress, struct errinfo *err)
{
    struct database *database = &progress->catalog->database;
    struct catalog_update before = progress->update;
    struct errinfo *quiet = err;
    enum status status = database_do(database, STATEMENT_BEGIN_WRITE, err);
    if (status != STATUS_OK)
        return status;
    status = work(progress, err);
    enum status kept = status;
    if (progress->row.known && (status == STATUS_OK || progress->bus_failed)) {
        if (status != STATUS_OK)
            quiet = NULL;
        kept = row_put(progress, quiet);
        if (kept == STATUS_OK)
            kept = database_do(database, STATEMENT_COMMIT, quiet);
    }
    if (kept != STATUS_OK) {
        database_do(database, STATEMENT_ROLLBACK, NULL);
        progress->update = before;
    }
    return status != STATUS_OK ? status : kept;
}

static enum status say_missing(const struct catalog_progress *progress, enum status status,
                               struct errinfo *err)
{
    uint64_t last = progress->row.known ? progress->row.last_seq : 0;
    uint64_t first = progress->info.state.first_seq;
    if (first > 0 && last < first - 1)
        last = first - 1;
    uint64_t end = progress->info.state.last_seq;
    return errinfo_wrap(err, status, "%llu messages of stream %s are not indexed",
                        (unsigned long long)(end > last ? end - last : 0), progress->stream);
}

static enum status update_stream(struct catalog_progress *progress, struct errinfo *err)
{
    enum status status = row_get(progress, err);
    if (status != STATUS_OK || catalog_is_current(progress))
        return status;
    if (progress->catalog->database.kind == DATABASE_READ_ONLY) {
        errinfo_set(err, STATUS_READ_ONLY, "the catalog may not be written");
        return say_missing(progress, STATUS_READ_ONLY, err);
    }
    while (status == STATUS_OK && !progress->done)
        status = transaction(progress, err);
    if (status == STATUS_OK || status == STATUS_CORRUPT)
        return status;
    // The row as it was left, for what is said.
    if (row_get(progress, NULL) != STATUS_OK)
        progress->row.known = false;
    return say_missing(progress, status, err);
}

// A stream that is no more, or no agent's any more.
static enum status forget_stream(struct catalog_progress *progress, struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct database *database = &progress->catalog->database;
    if (database->kind == DATABASE_READ_ONLY)
        return STATUS_OK;
    enum status status = database_do(database, STATEMENT_BEGIN_WRITE, err);
    if (status != STATUS_OK)
        return status;
    status = catalog_remove_all(progress, err);
    if (status == STATUS_OK)
        status = database_statement(database, STATEMENT_STREAM_DELETE, &statement, err);
    if (status == STATUS_OK) {
        database_bind_text(statement, 1, bytes_of_string(progress->stream));
        status = database_run(database, statement, err);
    }
    if (status == STATUS_OK)
        status = database_do(database, STATEMENT_COMMIT, err);
    if (status != STATUS_OK)
        database_do(database, STATEMENT_ROLLBACK, NULL);
    return status;
}

// The name of an indexed stream that comes after the given one; "" when there is none.
static enum status next_indexed(struct catalog *catalog, char name[BUS_STREAM_NAME_SIZE],
                                struct errinfo *err)
{
    sqlite3_stmt *statement;
    bool found;
    struct database *database = &catalog->database;
    enum status status = database_statement(database, STATEMENT_STREAM_AFTER, &statement, err);
    if (status != STATUS_OK)
        return status;
    database_bind_text(statement, 1, bytes_of_string(name));
    status = database_next(database, statement, &found, err);
    if (status != STATUS_OK)
        return status;
    catalog_copy_text(name, BUS_STREAM_NAME_SIZE,
                      found ? database_text(statement, 0) : (struct bytes){NULL, 0});
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status one_stream(struct catalog *catalog, const char *stream, bool wanted,
                              struct catalog_update *update, struct errinfo *err)
{
    struct bus *bus = catalog->source.bus;
    struct catalog_progress progress = {.catalog = catalog, .stream = stream, .update = *update};
    enum status status = STATUS_NOT_FOUND;
    if (wanted)
        status = bus->operations->stream_info(bus, stream, &progress.info, err);
    if (status == STATUS_NOT_FOUND) {
        status = row_get(&progress, err);
        if (status == STATUS_OK && progress.row.known)
            status = forget_stream(&progress, err);
    } else if (status == STATUS_OK) {
        status = update_stream(&progress, err);
        stream_config_fini(&progress.info.config);
    } else {
        progress.bus_failed = true;
    }
    *update = progress.update;
    // Only damage of the catalog itself is mended by making it anew.
    return progress.bus_failed && status == STATUS_CORRUPT ? STATUS_IO : status;
}

static enum status all_streams(struct catalog *catalog, struct catalog_update *update,
                               struct errinfo *err)
{
    char name[BUS_STREAM_NAME_SIZE] = "";
    const struct registry *registry = catalog->source.registry;
    enum status status = database_made(&catalog->database, &catalog->made, err);
    for (size_t i = 0; status == STATUS_OK && i < registry_count(registry); i++) {
        const struct agent *agent = registry_at(registry, i);
        // Agents may share a stream: it is read with the first of them.
        if (registry_of_stream(registry, bytes_of_string(agent->stream)) == agent)
            status = one_stream(catalog, agent->stream, true, update, err);
    }
    while (status == STATUS_OK) {
        status = next_indexed(catalog, name, err);
        if (status != STATUS_OK || name[0] == '\0')
            break;
        if (registry_of_stream(registry, bytes_of_string(name)) == NULL)
            status = one_stream(catalog, name, false, update, err);
    }
    return status;
}

// Rows of reports that are gone cannot be taken out of the index one by one.
static enum status drop_dead(struct catalog *catalog, struct errinfo *err)
{
    sqlite3_stmt *statement;
    bool found;
    struct database *database = &catalog->database;
    enum status status = database_statement(database, STATEMENT_TOTAL_GET, &statement, err);
    if (status == STATUS_OK)
        status = database_next(database, statement, &found, err);
    if (status != STATUS_OK)
        return status;
    int64_t live = found ? sqlite3_column_int64(statement, 0) : 0;
    int64_t dead = found ? sqlite3_column_int64(statement, 1) : 0;
    sqlite3_reset(statement);
    if (!found)
        return errinfo_set(err, STATUS_CORRUPT, "the catalog: a table is empty");
    bool worth_it = database->kind != DATABASE_READ_ONLY && dead > live && dead >= DEAD_MIN;
    return worth_it ? database_reset(database, err) : STATUS_OK;
}

enum status catalog_update(struct catalog *catalog, struct catalog_update *update,
                           struct errinfo *err)
{
    struct catalog_update done = {.added = 0};
    enum status status = drop_dead(catalog, err);
    if (status == STATUS_OK)
        status = all_streams(catalog, &done, err);
    // Again and again: others may be mending it at the same time.
    for (int i = 1; i < ATTEMPTS && status == STATUS_CORRUPT; i++) {
        done = (struct catalog_update){.added = 0};
        status = database_mend(&catalog->database, err);
        if (status == STATUS_OK)
            status = all_streams(catalog, &done, err);
    }
    done.in_memory = catalog->database.kind == DATABASE_MEMORY;
    if (update != NULL)
        *update = done;
    return status;
}
