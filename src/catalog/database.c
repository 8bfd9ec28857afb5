// SPDX-License-Identifier: Apache-2.0
#include "catalog/database.h"

#include "base/buf.h"
#include "catalog/ftsext.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// The file says whose it is and in which form: another number and it is made anew.
enum { APPLICATION_ID = 0x61676F67, VERSION = 2 };

enum { BUSY_MS = 10000, BUSY_PAUSE_MS = 5, OPEN_ATTEMPTS = 100, PATH_SIZE = 4200 };

// WAL lets searches go on beside an update; with synchronous NORMAL a power cut costs the latest
// updates, which the streams still have, and never the file's consistency.
static const char setup_sql[] = "PRAGMA journal_mode=WAL;"
                                "PRAGMA synchronous=NORMAL;"
                                "PRAGMA temp_store=MEMORY;"
                                "PRAGMA cache_size=-32768;";

// FTS5 gathers postings in memory before it writes a segment: fewer segments are fewer merges.
static const char schema_sql[] =
    "CREATE TABLE stream(name TEXT PRIMARY KEY, created_ns INTEGER NOT NULL,"
    " last_seq INTEGER NOT NULL, first_seq INTEGER NOT NULL, holes INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE report(id INTEGER PRIMARY KEY, stream TEXT NOT NULL,"
    " seq INTEGER NOT NULL, agent TEXT NOT NULL, type TEXT NOT NULL, feature TEXT NOT NULL,"
    " rev INTEGER NOT NULL, time_ns INTEGER NOT NULL, title TEXT NOT NULL,"
    " sections INTEGER NOT NULL, latest INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX report_message ON report(stream, seq);"
    "CREATE INDEX report_name ON report(feature, agent, type);"
    "CREATE TABLE gone(id INTEGER PRIMARY KEY);"
    "CREATE TABLE total(live INTEGER NOT NULL, dead INTEGER NOT NULL, made INTEGER NOT NULL);"
    "INSERT INTO total VALUES(0, 0, random() | 1);" // never 0
    "CREATE VIRTUAL TABLE section_index USING fts5(body, report, section, context, content='',"
    " columnsize=0, tokenize='agog');"
    "INSERT INTO section_index(section_index, rank) VALUES('hashsize', 67108864);"
    "INSERT INTO section_index(section_index, rank) VALUES('automerge', 8);";

static const char *const statement_sql[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN_READ] = "BEGIN",
    [STATEMENT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_STREAM_GET] =
        "SELECT created_ns, last_seq, first_seq, holes FROM stream WHERE name = ?1",
    [STATEMENT_STREAM_PUT] = "INSERT OR REPLACE INTO stream VALUES(?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_STREAM_DELETE] = "DELETE FROM stream WHERE name = ?1",
    [STATEMENT_STREAM_AFTER] = "SELECT name FROM stream WHERE name > ?1 ORDER BY name LIMIT 1",
    [STATEMENT_REPORT_ADD] =
        "INSERT INTO report(id, stream, seq, agent, type, feature, rev, time_ns,"
        " title, sections, latest) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
        " ?10, 1)",
    [STATEMENT_REPORT_TAKEN] = "SELECT 1 FROM report WHERE id = ?1"
                               " UNION ALL SELECT 1 FROM gone WHERE id = ?1",
    // Older revisions of the same deliverable are its latest no longer.
    [STATEMENT_REPORT_SUPERSEDE] =
        "UPDATE report SET latest = 0 FROM (SELECT feature AS f, agent AS a, type AS t, rev AS r,"
        " seq AS s FROM report WHERE id = ?1) WHERE feature = f AND agent = a AND type = t"
        " AND latest AND (rev, seq) < (r, s)",
    [STATEMENT_REPORT_PROMOTE] = "UPDATE report SET latest = 1 WHERE id = (SELECT id FROM report"
                                 " WHERE feature = ?1 AND agent = ?2 AND type = ?3"
                                 " ORDER BY rev DESC, seq DESC LIMIT 1)",
    [STATEMENT_REPORT_BURY] = "INSERT OR IGNORE INTO gone SELECT id FROM report WHERE stream = ?1"
                              " AND seq >= ?2 AND seq < ?3",
    [STATEMENT_REPORT_DELETE] = "DELETE FROM report WHERE stream = ?1 AND seq >= ?2 AND seq < ?3",
    [STATEMENT_REPORT_SEQS] = "SELECT seq, feature, agent, type FROM report WHERE stream = ?1"
                              " AND seq > ?2 ORDER BY seq",
    [STATEMENT_REPORT_GET] = "SELECT stream, seq, agent, type, feature, rev, time_ns, title, latest"
                             " FROM report WHERE id = ?1",
    [STATEMENT_SECTION_ADD] = "INSERT INTO section_index(rowid, body, report, section, context)"
                              " VALUES(?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_SECTION_COUNT] =
        "SELECT count(*) FROM (SELECT rowid FROM section_index WHERE section_index MATCH ?1"
        " LIMIT ?2)",
    [STATEMENT_SECTION_MATCH] = "SELECT rowid, agog_rank(section_index, ?2) FROM section_index"
                                " WHERE section_index MATCH ?1 AND rowid >= ?3"
                                " ORDER BY rowid DESC",
    [STATEMENT_TOTAL_GET] = "SELECT live, dead FROM total",
    [STATEMENT_TOTAL_MADE] = "SELECT made FROM total",
    [STATEMENT_TOTAL_ADD] = "UPDATE total SET live = live + ?1",
    // Before reports are deleted: their sections are no longer live.
    [STATEMENT_TOTAL_REMOVE] =
        "UPDATE total SET (live, dead) = (SELECT live - gone, dead + gone FROM (SELECT"
        " coalesce(sum(sections), 0) AS gone FROM report WHERE stream = ?1 AND seq >= ?2"
        " AND seq < ?3))",
};

static enum status status_of(int result)
{
    switch (result & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return STATUS_OK;
    case SQLITE_NOMEM: return STATUS_NO_MEMORY;
    case SQLITE_FULL: return STATUS_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return STATUS_BUSY;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return STATUS_READ_ONLY;
    case SQLITE_PERM:
    case SQLITE_AUTH: return STATUS_NO_ACCESS;
    case SQLITE_IOERR: return STATUS_IO;
    // Our statements are right for our schema: where one is not understood, the file is not ours.
    default: return STATUS_CORRUPT;
    }
}

static enum status failure(struct database *database, int result, struct errinfo *err)
{
    enum status status = status_of(result);
    return errinfo_set(err, status, "the catalog: %s", sqlite3_errmsg(database->sqlite));
}

static enum status execute(struct database *database, const char *sql, struct errinfo *err)
{
    int result = sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? STATUS_OK : failure(database, result, err);
}

static void drop_statements(struct database *database)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(database->statements[i]);
        database->statements[i] = NULL;
    }
}

void database_close(struct database *database)
{
    drop_statements(database);
    sqlite3_close(database->sqlite);
    database->sqlite = NULL;
}

// Whether the file is ours and of this version, is another's, or has nothing in it yet. One
// statement sees one state of the file, whatever others do with it.
static enum status look(struct database *database, bool *ours, bool *empty, struct errinfo *err)
{
    static const char sql[] = "SELECT (SELECT application_id FROM pragma_application_id),"
                              " (SELECT user_version FROM pragma_user_version), count(*)"
                              " FROM sqlite_schema";
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *ours = sqlite3_column_int64(statement, 0) == APPLICATION_ID &&
                sqlite3_column_int64(statement, 1) == VERSION;
        *empty = sqlite3_column_int64(statement, 2) == 0;
    }
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? STATUS_OK : failure(database, result, err);
}

// Another process may have made it in the meantime: that is looked at under the write lock.
static enum status make_schema(struct database *database, struct errinfo *err)
{
    bool ours = false;
    bool empty = false;
    char stamp[96];
    enum status status = execute(database, "BEGIN IMMEDIATE", err);
    if (status != STATUS_OK)
        return status;
    snprintf(stamp, sizeof stamp, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             APPLICATION_ID, VERSION);
    status = look(database, &ours, &empty, err);
    if (status == STATUS_OK && !ours && !empty)
        status = errinfo_set(err, STATUS_CORRUPT, "the catalog: the file is of another version");
    if (status == STATUS_OK && !ours)
        status = execute(database, schema_sql, err);
    if (status == STATUS_OK)
        status = execute(database, stamp, err);
    if (status != STATUS_OK)
        sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static enum status reset_file(struct database *database, struct errinfo *err)
{
    bool ours;
    bool empty;
    drop_statements(database);
    // Another process may be at it: between the two steps of a reset the file has nothing in it.
    if (look(database, &ours, &empty, NULL) == STATUS_OK && empty)
        return make_schema(database, err);
    // SQLite's own way to empty a file whatever is in it, under its locks.
    sqlite3_exec(database->sqlite, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_RESET_DATABASE, 1, (int *)NULL);
    enum status status = execute(database, "VACUUM", err);
    sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_RESET_DATABASE, 0, (int *)NULL);
    if (status == STATUS_OK)
        status = execute(database, setup_sql, err);
    return status != STATUS_OK ? status : make_schema(database, err);
}

static int wait_for_others(void *context, int times)
{
    struct database *database = context;
    if (times == 0)
        database->wait.begins(database->wait.context);
    database->waited_out = times >= BUSY_MS / BUSY_PAUSE_MS;
    if (database->waited_out)
        return 0;
    sqlite3_sleep(BUSY_PAUSE_MS);
    return 1;
}

static enum status connect(struct database *database, const char *name, int flags,
                           struct errinfo *err)
{
    int result = sqlite3_open_v2(name, &database->sqlite,
                                 flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    if (database->sqlite == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the catalog");
    if (result == SQLITE_OK) {
        sqlite3_extended_result_codes(database->sqlite, 1);
        sqlite3_busy_handler(database->sqlite, wait_for_others, database);
        // The last one to leave would write everything back: a query need not wait for that.
        sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
        sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
        result = ftsext_register(database->sqlite);
    }
    return result == SQLITE_OK ? STATUS_OK : failure(database, result, err);
}

// The path as part of a URI: what has a meaning there is escaped.
static void append_path(struct buf *out, const char *path)
{
    for (; *path != '\0'; path++) {
        if (*path == '%' || *path == '?' || *path == '#')
            buf_printf(out, "%%%02X", (unsigned)*path);
        else
            buf_append_byte(out, *path);
    }
}

static enum status open_file(struct database *database, const char *home, struct errinfo *err)
{
    char path[PATH_SIZE];
    bool ours = false;
    bool empty = false;
    int size = snprintf(path, sizeof path, "%s/catalog", home);
    if (size < 0 || (size_t)size + sizeof "/catalog.db" > sizeof path)
        return errinfo_set(err, STATUS_INVALID, "the catalog: the home's path is too long");
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return errinfo_set_errno(err, errno, "cannot make %s", path);
    memcpy(path + size, "/catalog.db", sizeof "/catalog.db");
    struct buf name;
    buf_init(&name, sizeof "file:" + 3 * sizeof path);
    buf_append_string(&name, "file:");
    append_path(&name, path);
    const char *uri = buf_string(&name);
    enum status status = uri == NULL ? STATUS_NO_MEMORY
                                     : connect(database, uri,
                                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    buf_fini(&name);
    // A file that SQLite opens for reading alone is told only by asking.
    if (status == STATUS_OK && sqlite3_db_readonly(database->sqlite, "main") == 1)
        return errinfo_set(err, STATUS_READ_ONLY, "the catalog: the file may not be written");
    if (status == STATUS_OK)
        status = execute(database, setup_sql, err);
    if (status == STATUS_OK)
        status = look(database, &ours, &empty, err);
    if (status == STATUS_OK && !ours && empty)
        status = make_schema(database, err);
    else if (status == STATUS_OK && !ours)
        status = reset_file(database, err);
    if (status != STATUS_CORRUPT)
        return status;
    database->mended = true;
    return reset_file(database, err);
}

static enum status open_read_only(struct database *database, const char *home, struct errinfo *err)
{
    bool ours = false;
    bool empty = false;
    struct buf name;
    buf_init(&name, 4 * (size_t)PATH_SIZE);
    buf_append_string(&name, "file:");
    append_path(&name, home);
    // Nobody writes where nothing can be written, and SQLite's own files cannot be made there.
    buf_append_string(&name, "/catalog/catalog.db?immutable=1");
    const char *uri = buf_string(&name);
    enum status status = uri == NULL ? STATUS_NO_MEMORY
                                     : connect(database, uri, SQLITE_OPEN_READONLY, err);
    buf_fini(&name);
    if (status == STATUS_OK)
        status = look(database, &ours, &empty, err);
    if (status == STATUS_OK && !ours)
        status = errinfo_set(err, STATUS_CORRUPT, "the catalog: the file is of another version");
    return status;
}

static enum status open_memory(struct database *database, struct errinfo *err)
{
    database_close(database);
    database->kind = DATABASE_MEMORY;
    enum status status = connect(database, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                 err);
    if (status == STATUS_OK)
        status = make_schema(database, err);
    if (status != STATUS_OK)
        database_close(database);
    return status;
}

enum status database_open(struct database *database, const char *home,
                          const struct database_wait *wait, struct errinfo *err)
{
    *database = (struct database){.wait = *wait, .kind = DATABASE_FILE};
    enum status status = open_file(database, home, err);
    // Of two that make the file at once, one may be told that it is locked without being asked to
    // wait.
    for (int i = 0; i < OPEN_ATTEMPTS && status == STATUS_BUSY && !database->waited_out; i++) {
        database_close(database);
        sqlite3_sleep(BUSY_PAUSE_MS);
        status = open_file(database, home, err);
    }
    if (status == STATUS_OK)
        return STATUS_OK;
    database_close(database);
    database->kind = DATABASE_READ_ONLY;
    // A file that others are busy with must not be read as one that nobody writes.
    if (status != STATUS_BUSY && open_read_only(database, home, NULL) == STATUS_OK)
        return STATUS_OK;
    return open_memory(database, err);
}

enum status database_reset(struct database *database, struct errinfo *err)
{
    if (database->kind == DATABASE_READ_ONLY || database->sqlite == NULL)
        return open_memory(database, err);
    enum status status = reset_file(database, err);
    // Whoever is busy with it may be resetting it himself; on a full disk nobody does.
    bool given_up = status != STATUS_OK && status != STATUS_BUSY && status != STATUS_NO_MEMORY;
    return given_up && database->kind == DATABASE_FILE ? open_memory(database, err) : status;
}

enum status database_mend(struct database *database, struct errinfo *err)
{
    int64_t made;
    int64_t before = database->made;
    database->mended = true;
    drop_statements(database);
    if (before != 0 && database_made(database, &made, NULL) == STATUS_OK && made != before)
        return STATUS_OK;
    return database_reset(database, err);
}

enum status database_made(struct database *database, int64_t *made, struct errinfo *err)
{
    bool found;
    sqlite3_stmt *statement;
    enum status status = database_statement(database, STATEMENT_TOTAL_MADE, &statement, err);
    if (status == STATUS_OK)
        status = database_next(database, statement, &found, err);
    if (status != STATUS_OK)
        return status;
    int64_t number = found ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    if (number == 0)
        return errinfo_set(err, STATUS_CORRUPT, "the catalog: a table is empty");
    database->made = number;
    *made = number;
    return STATUS_OK;
}

enum status database_statement(struct database *database, enum statement which,
                               sqlite3_stmt **statement, struct errinfo *err)
{
    sqlite3_stmt **kept = &database->statements[which];
    // Not even one in memory could be opened.
    if (database->sqlite == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the catalog");
    if (*kept == NULL) {
        int result = sqlite3_prepare_v3(database->sqlite, statement_sql[which], -1,
                                        SQLITE_PREPARE_PERSISTENT, kept, NULL);
        if (result != SQLITE_OK)
            return failure(database, result, err);
    }
    sqlite3_reset(*kept);
    sqlite3_clear_bindings(*kept);
    *statement = *kept;
    return STATUS_OK;
}

enum status database_next(struct database *database, sqlite3_stmt *statement, bool *row,
                          struct errinfo *err)
{
    *row = false;
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *row = true;
        return STATUS_OK;
    }
    enum status status = result == SQLITE_DONE ? STATUS_OK : failure(database, result, err);
    sqlite3_reset(statement);
    return status;
}

enum status database_run(struct database *database, sqlite3_stmt *statement, struct errinfo *err)
{
    bool row = true;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && row)
        status = database_next(database, statement, &row, err);
    return status;
}

enum status database_do(struct database *database, enum statement which, struct errinfo *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = database_statement(database, which, &statement, err);
    return status != STATUS_OK ? status : database_run(database, statement, err);
}

void database_bind_text(sqlite3_stmt *statement, int at, struct bytes text)
{
    sqlite3_bind_text64(statement, at, text.data == NULL ? "" : text.data, text.size, SQLITE_STATIC,
                        SQLITE_UTF8);
}

struct bytes database_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return bytes_of(text, text == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, column));
}
