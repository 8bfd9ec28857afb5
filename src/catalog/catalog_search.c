// SPDX-License-Identifier: Apache-2.0
// A query in three steps: how rare each of its words is; every section that matches, newest first,
// filtered by its report and ranked; then the texts of those that are shown, out of their streams.
#include "base/limits.h"
#include "catalog/catalog_inside.h"
#include "catalog/query.h"
#include "catalog/rowid.h"
#include "catalog/snippet.h"
#include "deliver/shelf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXPRESSION_BYTES = 64 * 1024,
    // A word in more sections than this is a common one; how common makes no difference.
    COMMON_SECTIONS = 5000,
    ATTEMPTS = 4,
};

// One of these must have a word of the query; a match in "context" alone is none.
static const char own_columns[] = "{report section body}";

struct candidate {
    int64_t rowid;
    double score;
};

struct search {
    struct catalog *catalog;
    const struct catalog_query *wanted;
    struct query query;
    struct buf expression;
    double rarity[QUERY_WORDS_MAX]; // of each phrase of the expression, in its order
    size_t rarity_count;
    struct candidate *candidates;
    size_t count;
    bool more;
    bool emptied;   // the file is another one than the update has seen
    int64_t report; // that was looked at last
    bool passes;    // and what came of it
};

static enum status total_sections(struct search *search, double *total, struct errinfo *err)
{
    sqlite3_stmt *statement;
    bool found;
    struct database *database = &search->catalog->database;
    enum status status = database_statement(database, STATEMENT_TOTAL_GET, &statement, err);
    if (status == STATUS_OK)
        status = database_next(database, statement, &found, err);
    if (status != STATUS_OK)
        return status;
    *total = found ? sqlite3_column_double(statement, 0) + sqlite3_column_double(statement, 1) : 0;
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status count_term(struct search *search, const struct query_term *term, double *count,
                              struct errinfo *err)
{
    sqlite3_stmt *statement;
    bool found = false;
    struct database *database = &search->catalog->database;
    enum status status = database_statement(database, STATEMENT_SECTION_COUNT, &statement, err);
    if (status != STATUS_OK)
        return status;
    buf_clear(&search->expression);
    query_term_expression(&search->query, term, &search->expression);
    status = buf_status(&search->expression);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the query");
    database_bind_text(statement, 1, buf_bytes(&search->expression));
    sqlite3_bind_int64(statement, 2, COMMON_SECTIONS);
    status = database_next(database, statement, &found, err);
    if (status != STATUS_OK)
        return status;
    *count = found ? sqlite3_column_double(statement, 0) : 0;
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status weigh_terms(struct search *search, struct errinfo *err)
{
    double total;
    enum status status = total_sections(search, &total, err);
    for (size_t i = 0; i < search->query.term_count && status == STATUS_OK; i++) {
        const struct query_term *term = &search->query.terms[i];
        double count = 0;
        if (term->excluded)
            continue;
        status = count_term(search, term, &count, err);
        double others = total > count ? total - count : 0;
        double rarity = log(1 + (others + 0.5) / (count + 0.5));
        for (size_t k = 0; k <= term->extra; k++)
            search->rarity[search->rarity_count++] = rarity;
    }
    return status;
}

static bool feature_passes(struct bytes wanted, struct bytes feature)
{
    if (bytes_end_with(wanted, BYTES("*")))
        return bytes_start_with(feature, bytes_slice(wanted, 0, wanted.size - 1));
    return wanted.size == 0 || bytes_equal(wanted, feature);
}

static bool row_passes(const struct catalog_query *wanted, sqlite3_stmt *statement)
{
    int64_t time_ns = sqlite3_column_int64(statement, 6);
    if (!wanted->all_revisions && sqlite3_column_int(statement, 8) == 0)
        return false;
    if ((wanted->since_ns != 0 && time_ns < wanted->since_ns) ||
        (wanted->until_ns != 0 && time_ns >= wanted->until_ns))
        return false;
    if (wanted->agent.size > 0 && !bytes_equal(wanted->agent, database_text(statement, 2)))
        return false;
    if (wanted->type.size > 0 && !bytes_equal(wanted->type, database_text(statement, 3)))
        return false;
    return feature_passes(wanted->feature, database_text(statement, 4));
}

// The row of a report; *found false when it is gone.
static enum status report_row(struct search *search, int64_t id, sqlite3_stmt **statement,
                              bool *found, struct errinfo *err)
{
    struct database *database = &search->catalog->database;
    enum status status = database_statement(database, STATEMENT_REPORT_GET, statement, err);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(*statement, 1, id);
    return database_next(database, *statement, found, err);
}

// Sections of one report stand together, so it is looked up once.
static enum status check_report(struct search *search, int64_t id, struct errinfo *err)
{
    sqlite3_stmt *statement;
    bool found;
    if (id == search->report)
        return STATUS_OK;
    enum status status = report_row(search, id, &statement, &found, err);
    if (status != STATUS_OK)
        return status;
    search->report = id;
    search->passes = found && row_passes(search->wanted, statement);
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status collect_rows(struct search *search, sqlite3_stmt *matches, struct errinfo *err)
{
    struct database *database = &search->catalog->database;
    enum status status = STATUS_OK;
    bool row = true;
    while (status == STATUS_OK && !search->more) {
        status = database_next(database, matches, &row, err);
        if (status != STATUS_OK || !row)
            break;
        int64_t rowid = sqlite3_column_int64(matches, 0);
        status = check_report(search, rowid_report(rowid), err);
        if (status != STATUS_OK || !search->passes)
            continue;
        search->more = search->count == CATALOG_RANKED_MAX;
        if (!search->more)
            search->candidates[search->count++] = (struct candidate){
                rowid, sqlite3_column_double(matches, 1)};
    }
    sqlite3_reset(matches);
    return status;
}

static enum status collect(struct search *search, struct errinfo *err)
{
    sqlite3_stmt *matches;
    struct database *database = &search->catalog->database;
    buf_clear(&search->expression);
    query_expression(&search->query, own_columns, &search->expression);
    enum status status = buf_status(&search->expression);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the query");
    status = database_statement(database, STATEMENT_SECTION_MATCH, &matches, err);
    if (status != STATUS_OK)
        return status;
    database_bind_text(matches, 1, buf_bytes(&search->expression));
    sqlite3_bind_blob(matches, 2, search->rarity,
                      (int)(search->rarity_count * sizeof search->rarity[0]), SQLITE_STATIC);
    sqlite3_bind_int64(matches, 3, rowid_first_of(rowid_id_of(search->wanted->since_ns)));
    return collect_rows(search, matches, err);
}

static int compare_candidates(const void *one, const void *two)
{
    const struct candidate *a = one;
    const struct candidate *b = two;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    int64_t report_a = rowid_report(a->rowid);
    int64_t report_b = rowid_report(b->rowid);
    if (report_a != report_b)
        return report_a > report_b ? -1 : 1;
    return (a->rowid > b->rowid) - (a->rowid < b->rowid);
}

// What the catalog itself knows of a hit, into the report's head.
static enum status take_head(sqlite3_stmt *statement, struct report *report,
                             struct catalog_hit *hit, struct buf *titles, struct errinfo *err)
{
    struct bytes stream = database_text(statement, 0);
    *report = (struct report){.seq = (uint64_t)sqlite3_column_int64(statement, 1)};
    enum status status = ref_of_names(database_text(statement, 2), database_text(statement, 3),
                                      database_text(statement, 4), &report->ref, err);
    if (stream.size < sizeof report->stream && stream.size > 0)
        memcpy(report->stream, stream.data, stream.size);
    report->ref.rev = (uint64_t)sqlite3_column_int64(statement, 5);
    hit->time_ns = sqlite3_column_int64(statement, 6);
    buf_append(titles, database_text(statement, 7));
    hit->latest = sqlite3_column_int(statement, 8) != 0;
    sqlite3_reset(statement);
    return status;
}

// The report behind a hit with its outline, from its stream. *found false when retention took it,
// or when another message stands there by now.
static enum status load_report(struct search *search, struct report *report,
                               struct outline *outline, bool *found, struct errinfo *err)
{
    struct catalog *catalog = search->catalog;
    struct bus *bus = catalog->source.bus;
    struct bus_message message;
    struct report head;
    struct bus_get what = {.seq = report->seq, .part = BUS_HEAD};
    *found = false;
    enum status status = bus->operations->get(bus, report->stream, &what, &catalog->storage,
                                              &message, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = read_of_message(bus, &(struct read_message){report->stream, &message, BUS_HEAD},
                                 &catalog->storage, &head, err);
    if (status != STATUS_OK)
        return status;
    if (head.ref.rev != report->ref.rev || !ref_same_deliverable(&head.ref, &report->ref))
        return STATUS_OK;
    *report = head;
    if (report->enveloped && report->body.data == NULL)
        status = read_body(bus, report, &catalog->storage, err);
    if (status == STATUS_OK)
        status = shelf_outline(bus, report, &catalog->storage, outline, err);
    *found = status == STATUS_OK;
    return status;
}

struct texts {
    struct buf report_title;
    struct buf section_title;
    struct buf snippet;
};

static void texts_init(struct texts *texts)
{
    buf_init(&texts->report_title, LIMIT_HEADER_BYTES);
    buf_init(&texts->section_title, LIMIT_HEADER_BYTES);
    buf_init(&texts->snippet, LIMIT_HEADER_BYTES);
}

static void texts_fini(struct texts *texts)
{
    buf_fini(&texts->report_title);
    buf_fini(&texts->section_title);
    buf_fini(&texts->snippet);
}

static enum status fill_section(struct search *search, const struct report *report,
                                const struct outline *outline, uint32_t index, struct texts *texts,
                                struct catalog_hit *hit)
{
    struct bytes text = {NULL, 0};
    const struct outline_section *section = &outline->sections[index];
    struct section_range range = {section->from, section->to};
    if (range.to - range.from > SNIPPET_SCAN_BYTES)
        range.to = range.from + SNIPPET_SCAN_BYTES;
    enum status status = shelf_range(search->catalog->source.bus, report, range,
                                     &search->catalog->storage, &text, NULL);
    if (status != STATUS_OK)
        return status;
    snippet_make(&search->query, text, CATALOG_SNIPPET_BYTES, &texts->snippet);
    catalog_title_path(outline, index, &texts->section_title);
    memcpy(hit->ref.section, section->number.data, section->number.size);
    hit->ref.section[section->number.size] = '\0';
    hit->tokens = section->tokens_whole;
    return STATUS_OK;
}

static enum status show(struct search *search, const struct candidate *candidate,
                        catalog_visit visit, void *context, struct catalog_found *found,
                        struct errinfo *err)
{
    struct texts texts;
    struct report report;
    struct outline outline = {.count = 0};
    struct catalog_hit hit = {.score = candidate->score};
    sqlite3_stmt *statement;
    bool there = false;
    uint32_t index = rowid_section(candidate->rowid);
    texts_init(&texts);
    enum status status = report_row(search, rowid_report(candidate->rowid), &statement, &there,
                                    err);
    if (status == STATUS_OK && there)
        status = take_head(statement, &report, &hit, &texts.report_title, err);
    bool named = status == STATUS_OK && there;
    if (named)
        status = load_report(search, &report, &outline, &there, err);
    // One damaged report is no reason to keep the others back.
    if (named && status_class_of(status) == STATUS_CLASS_CORRUPT) {
        found->damaged++;
        status = STATUS_OK;
    } else if (status == STATUS_OK && there && index < outline.count) {
        hit.ref = report.ref;
        status = fill_section(search, &report, &outline, index, &texts, &hit);
        hit.report_title = buf_bytes(&texts.report_title);
        hit.section_title = buf_bytes(&texts.section_title);
        hit.snippet = buf_bytes(&texts.snippet);
        if (status == STATUS_OK)
            status = visit(context, &hit);
    } else if (status == STATUS_OK) {
        found->gone++;
    }
    outline_fini(&outline);
    texts_fini(&texts);
    return status;
}

static enum status show_page(struct search *search, catalog_visit visit, void *context,
                             struct catalog_found *found, struct errinfo *err)
{
    size_t limit = search->wanted->limit == 0 ? CATALOG_LIMIT_DEFAULT : search->wanted->limit;
    size_t from = search->wanted->offset;
    enum status status = STATUS_OK;
    for (size_t i = from; i < search->count && i - from < limit && status == STATUS_OK; i++)
        status = show(search, &search->candidates[i], visit, context, found, err);
    return status;
}

static enum status search_database(struct search *search, struct errinfo *err)
{
    int64_t made;
    struct database *database = &search->catalog->database;
    search->report = 0;
    search->count = 0;
    search->more = false;
    search->rarity_count = 0;
    // One view of the file for all steps until the hits are shown, whatever others write meanwhile.
    enum status status = database_do(database, STATEMENT_BEGIN_READ, err);
    if (status != STATUS_OK)
        return status;
    status = database_made(database, &made, err);
    search->emptied = status == STATUS_OK && search->catalog->made != 0 &&
                      made != search->catalog->made;
    if (status == STATUS_OK)
        status = weigh_terms(search, err);
    if (status == STATUS_OK)
        status = collect(search, err);
    if (status == STATUS_OK && search->count > 0)
        qsort(search->candidates, search->count, sizeof *search->candidates, compare_candidates);
    return status;
}

// A file that proves to be damaged is made anew, as far as the streams still have it. One that
// another process emptied since the update is brought up to date again.
static enum status search_whole(struct search *search, struct errinfo *err)
{
    struct catalog *catalog = search->catalog;
    enum status status = search_database(search, err);
    for (int i = 1; i < ATTEMPTS && (status == STATUS_CORRUPT || search->emptied); i++) {
        bool damaged = status == STATUS_CORRUPT;
        database_do(&catalog->database, STATEMENT_ROLLBACK, NULL);
        status = damaged ? database_mend(&catalog->database, err) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        bool updated = catalog_update(catalog, NULL, NULL) == STATUS_OK;
        status = search_database(search, err);
        // What is there is searched, as after any update that fails.
        if (!updated && status == STATUS_OK) {
            search->emptied = true;
            break;
        }
    }
    return status;
}

enum status catalog_search(struct catalog *catalog, const struct catalog_query *query,
                           catalog_visit visit, void *context, struct catalog_found *found,
                           struct errinfo *err)
{
    struct search search = {.catalog = catalog, .wanted = query};
    struct catalog_found done = {.matches = 0};
    if (query->limit > CATALOG_LIMIT_MAX)
        return errinfo_set(err, STATUS_USAGE, "a limit of %zu hits: up to %d are given at a time",
                           query->limit, CATALOG_LIMIT_MAX);
    enum status status = query_parse(query->text, &search.query, err);
    if (status != STATUS_OK)
        return status;
    buf_init(&search.expression, EXPRESSION_BYTES);
    search.candidates = malloc(CATALOG_RANKED_MAX * sizeof *search.candidates);
    status = search.candidates == NULL ? errinfo_set(err, STATUS_NO_MEMORY, "no memory to search")
                                       : search_whole(&search, err);
    done.incomplete = search.emptied;
    done.matches = search.count;
    done.more = search.more;
    done.mended = catalog->database.mended;
    if (status == STATUS_OK)
        status = show_page(&search, visit, context, &done, err);
    database_do(&catalog->database, STATEMENT_ROLLBACK, NULL);
    free(search.candidates);
    buf_fini(&search.expression);
    if (status == STATUS_OK)
        *found = done;
    return status;
}
