// SPDX-License-Identifier: Apache-2.0
// What is gone from a stream, out of the tables. The numbers of a stream tell whether anything
// went: from its front everything below its first sequence did; from within, each report that is
// known is asked for. The index keeps the sections (catalog/database.h); they count as dead.
#include "catalog/catalog_inside.h"

#include <string.h>

void catalog_copy_text(char *to, size_t size, struct bytes from)
{
    size_t used = from.size < size ? from.size : size - 1;
    memcpy(to, from.data == NULL ? "" : from.data, used);
    to[used] = '\0';
}

// Runs a statement on the stream's reports with from <= seq < to.
static enum status run_on_range(struct catalog_progress *progress, enum statement which,
                                uint64_t from, uint64_t to, struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct database *database = &progress->catalog->database;
    enum status status = database_statement(database, which, &statement, err);
    if (status != STATUS_OK)
        return status;
    database_bind_text(statement, 1, bytes_of_string(progress->stream));
    sqlite3_bind_int64(statement, 2, (int64_t)from);
    sqlite3_bind_int64(statement, 3, to > INT64_MAX ? INT64_MAX : (int64_t)to);
    return database_run(database, statement, err);
}

static enum status remove_range(struct catalog_progress *progress, uint64_t from, uint64_t to,
                                struct errinfo *err)
{
    enum status status = run_on_range(progress, STATEMENT_TOTAL_REMOVE, from, to, err);
    if (status == STATUS_OK)
        status = run_on_range(progress, STATEMENT_REPORT_BURY, from, to, err);
    if (status == STATUS_OK)
        status = run_on_range(progress, STATEMENT_REPORT_DELETE, from, to, err);
    if (status == STATUS_OK)
        progress->update.removed += (uint64_t)sqlite3_changes(progress->catalog->database.sqlite);
    return status;
}

enum status catalog_remove_all(struct catalog_progress *progress, struct errinfo *err)
{
    return remove_range(progress, 0, UINT64_MAX, err);
}

struct known_report {
    uint64_t seq;
    struct ref ref; // its names
};

static enum status next_known(struct catalog_progress *progress, uint64_t after,
                              struct known_report *known, bool *found, struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct database *database = &progress->catalog->database;
    enum status status = database_statement(database, STATEMENT_REPORT_SEQS, &statement, err);
    if (status != STATUS_OK)
        return status;
    database_bind_text(statement, 1, bytes_of_string(progress->stream));
    sqlite3_bind_int64(statement, 2, (int64_t)after);
    status = database_next(database, statement, found, err);
    if (status != STATUS_OK || !*found)
        return status;
    known->seq = (uint64_t)sqlite3_column_int64(statement, 0);
    catalog_copy_text(known->ref.feature, sizeof known->ref.feature, database_text(statement, 1));
    catalog_copy_text(known->ref.agent, sizeof known->ref.agent, database_text(statement, 2));
    catalog_copy_text(known->ref.type, sizeof known->ref.type, database_text(statement, 3));
    sqlite3_reset(statement);
    return STATUS_OK;
}

// Takes one report out; the one before it is the deliverable's latest then.
static enum status remove_one(struct catalog_progress *progress, const struct known_report *known,
                              struct errinfo *err)
{
    sqlite3_stmt *statement;
    struct database *database = &progress->catalog->database;
    enum status status = remove_range(progress, known->seq, known->seq + 1, err);
    if (status == STATUS_OK)
        status = database_statement(database, STATEMENT_REPORT_PROMOTE, &statement, err);
    if (status != STATUS_OK)
        return status;
    database_bind_text(statement, 1, bytes_of_string(known->ref.feature));
    database_bind_text(statement, 2, bytes_of_string(known->ref.agent));
    database_bind_text(statement, 3, bytes_of_string(known->ref.type));
    return database_run(database, statement, err);
}

// Messages went from the middle of the stream: each report is asked for.
static enum status remove_deleted(struct catalog_progress *progress, struct errinfo *err)
{
    struct bus *bus = progress->catalog->source.bus;
    struct known_report known = {.seq = 0};
    bool found = true;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        struct bus_message message;
        status = next_known(progress, known.seq, &known, &found, err);
        if (status != STATUS_OK || !found)
            break;
        struct bus_get what = {.seq = known.seq, .part = BUS_HEAD};
        status = bus->operations->get(bus, progress->stream, &what, &progress->catalog->storage,
                                      &message, err);
        if (status == STATUS_NOT_FOUND)
            status = remove_one(progress, &known, err);
        else if (status_class_of(status) == STATUS_CLASS_CORRUPT)
            status = STATUS_OK; // It is there, whatever can be read of it.
        else
            progress->bus_failed = status != STATUS_OK;
    }
    return status;
}

static uint64_t holes_of(const struct stream_state *state)
{
    return state->messages == 0 ? 0 : state->last_seq - state->first_seq + 1 - state->messages;
}

// Whether messages may have gone from within: their number alone does not tell when the front has
// moved over earlier holes.
static bool lost_within(const struct catalog_row *row, const struct stream_state *state)
{
    return holes_of(state) != row->holes || (row->holes > 0 && state->first_seq != row->first_seq);
}

bool catalog_is_other_stream(const struct catalog_progress *progress)
{
    return progress->row.created_ns != progress->info.created_ns ||
           progress->row.last_seq > progress->info.state.last_seq;
}

bool catalog_is_current(const struct catalog_progress *progress)
{
    const struct catalog_row *row = &progress->row;
    const struct stream_state *state = &progress->info.state;
    return row->known && !catalog_is_other_stream(progress) && row->last_seq == state->last_seq &&
           row->first_seq == state->first_seq && row->holes == holes_of(state);
}

// Everything of a stream that is another one by now is taken out; then what is gone of this one.
enum status catalog_remove_gone(struct catalog_progress *progress, struct errinfo *err)
{
    struct catalog_row *row = &progress->row;
    const struct stream_state *state = &progress->info.state;
    if (!row->known || catalog_is_other_stream(progress)) {
        *row = (struct catalog_row){.created_ns = progress->info.created_ns,
                                    .first_seq = state->first_seq,
                                    .holes = holes_of(state),
                                    .known = true};
        return catalog_remove_all(progress, err);
    }
    // An empty stream has its first sequence behind everything that was.
    enum status status = STATUS_OK;
    if (state->messages == 0)
        status = catalog_remove_all(progress, err);
    else if (state->first_seq > row->first_seq)
        status = remove_range(progress, 0, state->first_seq, err);
    if (status == STATUS_OK && lost_within(row, state))
        status = remove_deleted(progress, err);
    if (status != STATUS_OK)
        return status;
    row->first_seq = state->first_seq;
    row->holes = holes_of(state);
    return STATUS_OK;
}
