// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/limits.h"
#include "catalog/catalog.h"
#include "catalog/query.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <stdarg.h>
#include <string.h>

static json_t *text_json(struct bytes text)
{
    return json_stringn(text.data == NULL ? "" : text.data, text.size);
}

enum { NOTE_BYTES = 8192 }; // an error's text and a path

struct hits {
    struct cli *cli;
    struct table table;
    json_t *list;
    json_t *notes;
    uint64_t count;
};

// Something to know beside the answer: a line on stderr, or one of "notes" in JSON.
AGOG_PRINTF(2, 3)
static void note(struct hits *hits, const char *format, ...)
{
    char text[NOTE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (hits->cli->json)
        json_array_append_new(hits->notes, text_json(bytes_of_string(text)));
    else
        fprintf(hits->cli->err, "agog: %s\n", text);
}

static enum status add_json(struct hits *hits, const struct catalog_hit *hit, const char *ref)
{
    char time[CLOCK_RFC3339_SIZE];
    json_t *document = json_pack("{s:s, s:I, s:f, s:s, s:b}", "ref", ref, "tokens",
                                 (json_int_t)hit->tokens, "score", hit->score, "published",
                                 clock_format(hit->time_ns, time), "latest", hit->latest);
    if (document == NULL)
        return STATUS_NO_MEMORY;
    json_object_set_new(document, "title", text_json(hit->report_title));
    json_object_set_new(document, "section_title", text_json(hit->section_title));
    json_object_set_new(document, "snippet", text_json(hit->snippet));
    json_array_append_new(hits->list, document);
    return STATUS_OK;
}

// "Report > Section > Subsection"; a section that has the report's own title is named once.
static void append_titles(const struct catalog_hit *hit, struct buf *out)
{
    buf_append(out, hit->report_title);
    if (hit->section_title.size > 0 && !bytes_equal(hit->section_title, hit->report_title)) {
        buf_append_string(out, " > ");
        buf_append(out, hit->section_title);
    }
}

static enum status show(void *context, const struct catalog_hit *hit)
{
    struct hits *hits = context;
    char ref[REF_TEXT_SIZE];
    struct buf titles;
    hits->count++;
    ref_format(&hit->ref, REF_FORM_TEXT, ref);
    if (hits->cli->json)
        return add_json(hits, hit, ref);
    buf_init(&titles, LIMIT_HEADER_BYTES);
    append_titles(hit, &titles);
    table_cell(&hits->table, bytes_of_string(ref));
    table_cell_format(&hits->table, "%zu", hit->tokens);
    table_cell(&hits->table, buf_bytes(&titles));
    table_cell(&hits->table, hit->snippet);
    buf_fini(&titles);
    return STATUS_OK;
}

// A moment ("2026-11-23T09:00:00Z", "2026-11-23") or how long ago ("7d").
static enum status read_moment(const struct cli *cli, const char *name, int64_t *time_ns,
                               struct errinfo *err)
{
    char day[CLOCK_RFC3339_SIZE];
    char quoted[ERRINFO_QUOTED_MAX];
    int64_t ago_ns = 0;
    const char *given = cli_option(cli, name);
    if (given == NULL || clock_parse(bytes_of_string(given), time_ns))
        return STATUS_OK;
    snprintf(day, sizeof day, "%sT00:00:00Z", given);
    if (clock_parse(bytes_of_string(day), time_ns))
        return STATUS_OK;
    if (cli_option_duration(cli, name, &ago_ns, NULL) != STATUS_OK)
        return errinfo_set(err, STATUS_USAGE,
                           "--%s takes a time such as 2026-11-23 or 2026-11-23T09:00:00Z, or how "
                           "long ago, such as 7d or 12h, not %s",
                           name, errinfo_quote(bytes_of_string(given), quoted));
    *time_ns = clock_realtime_ns() - ago_ns;
    return STATUS_OK;
}

// The type alone: some agent must have it.
static enum status check_type(const struct registry *registry, struct bytes type,
                              struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    for (size_t i = 0; i < registry_count(registry); i++) {
        if (registry_check_type(registry_at(registry, i), type, NULL) == STATUS_OK)
            return STATUS_OK;
    }
    return errinfo_set(err, STATUS_NOT_FOUND,
                       "no agent has the task type %s: see agog agent ls for those there are",
                       errinfo_quote(type, quoted));
}

static enum status read_names(const struct cli *cli, const struct registry *registry,
                              struct catalog_query *query, struct errinfo *err)
{
    const struct agent *agent = NULL;
    enum status status = STATUS_OK;
    query->agent = bytes_of_string(cli_option(cli, "agent"));
    query->type = bytes_of_string(cli_option(cli, "type"));
    query->feature = bytes_of_string(cli_option(cli, "feature"));
    if (query->agent.size > 0)
        status = registry_find(registry, query->agent, &agent, err);
    if (status == STATUS_OK && query->type.size > 0)
        status = agent != NULL ? registry_check_type(agent, query->type, err)
                               : check_type(registry, query->type, err);
    return status;
}

static enum status read_query(const struct cli *cli, const struct registry *registry,
                              struct buf *text, struct catalog_query *query, struct errinfo *err)
{
    struct query parsed;
    uint64_t limit = CATALOG_LIMIT_DEFAULT;
    uint64_t offset = 0;
    for (size_t i = 0; i < cli->argument_count; i++) {
        if (i > 0)
            buf_append_byte(text, ' ');
        buf_append(text, cli_argument(cli, i));
    }
    *query = (struct catalog_query){.text = buf_bytes(text),
                                    .all_revisions = cli_switch(cli, "all-revisions")};
    enum status status = buf_status(text);
    if (status != STATUS_OK)
        return errinfo_set(err, STATUS_USAGE, "the query is too long");
    // A query that is none is told before anything is indexed for it.
    status = query_parse(query->text, &parsed, err);
    if (status == STATUS_OK)
        status = read_names(cli, registry, query, err);
    if (status == STATUS_OK)
        status = read_moment(cli, "since", &query->since_ns, err);
    if (status == STATUS_OK)
        status = read_moment(cli, "until", &query->until_ns, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "limit", &limit, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "offset", &offset, err);
    if (status == STATUS_OK && (limit == 0 || limit > CATALOG_LIMIT_MAX))
        return errinfo_set(err, STATUS_USAGE, "--limit takes 1 to %d", CATALOG_LIMIT_MAX);
    query->limit = (size_t)limit;
    query->offset = offset > SIZE_MAX ? SIZE_MAX : (size_t)offset;
    return status;
}

// A word as a shell takes it back.
static void append_quoted(struct buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:@%+=,";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        buf_append_string(out, word);
        return;
    }
    buf_append_byte(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            buf_append_string(out, "'\\''");
        else
            buf_append_byte(out, *word);
    }
    buf_append_byte(out, '\'');
}

// The command that gives what comes next: this one with another offset.
static void append_next(const struct cli *cli, uint64_t offset, struct buf *out)
{
    buf_append_string(out, "agog search");
    for (size_t i = 0; i < cli->value_count; i++) {
        const struct cli_value *value = &cli->values[i];
        if (strcmp(value->option->name, "offset") == 0)
            continue;
        buf_printf(out, " --%s", value->option->name);
        if (value->text != NULL) {
            buf_append_byte(out, ' ');
            append_quoted(out, value->text);
        }
    }
    buf_printf(out, " --offset %llu --", (unsigned long long)offset);
    for (size_t i = 0; i < cli->argument_count; i++) {
        buf_append_byte(out, ' ');
        append_quoted(out, cli->arguments[i]);
    }
}

static enum status finish_json(struct hits *hits, const struct catalog_found *found,
                               const char *next, struct errinfo *err)
{
    json_t *document = json_pack("{s:O, s:I, s:b, s:O}", "hits", hits->list, "matches",
                                 (json_int_t)found->matches, "matches_capped", found->more, "notes",
                                 hits->notes);
    if (document != NULL && next != NULL)
        json_object_set_new(document, "next", json_string(next));
    return cli_print_json(hits->cli, document, err);
}

static void say_what_is_there(struct hits *hits, const struct catalog_query *query,
                              const struct catalog_found *found, const char *next)
{
    unsigned long long matches = found->matches;
    if (matches == 0)
        note(hits, "nothing matches");
    else if (query->offset >= matches)
        note(hits, "only %llu sections match: --offset passes over all of them", matches);
    else if (next != NULL)
        fprintf(hits->cli->err, "agog: %llu of %llu sections shown; more: %s\n",
                (unsigned long long)hits->count, matches, next);
    if (found->more)
        note(hits, "more than %llu sections match, and the newest of them are ranked: add words",
             matches);
}

static void say_what_is_wrong(struct hits *hits, const struct catalog_found *found)
{
    if (found->mended)
        note(hits, "the index was damaged and has been made anew");
    if (found->incomplete)
        note(hits, "the answer may lack reports: the index is being made anew; ask again");
    if (found->gone > 0)
        note(hits, "%llu sections that match went with their reports meanwhile",
             (unsigned long long)found->gone);
    if (found->damaged > 0)
        note(hits, "%llu sections that match are in damaged reports and not shown (agog doctor)",
             (unsigned long long)found->damaged);
}

static enum status finish(struct hits *hits, const struct catalog_query *query,
                          const struct catalog_found *found, struct errinfo *err)
{
    struct cli *cli = hits->cli;
    struct buf next;
    uint64_t shown = query->offset + hits->count + found->gone + found->damaged;
    buf_init(&next, 64 * 1024);
    if (shown < found->matches)
        append_next(cli, shown, &next);
    const char *command = next.size > 0 ? buf_string(&next) : NULL;
    say_what_is_wrong(hits, found);
    enum status status = cli->json ? finish_json(hits, found, command, err)
                                   : table_finish(&hits->table, err);
    if (status == STATUS_OK && !cli->json) {
        cli_flush(cli, NULL);
        say_what_is_there(hits, query, found, command);
    }
    buf_fini(&next);
    return status;
}

// Searching goes on with what is indexed; what is missing is said beside the answer.
static void update(struct hits *hits, struct catalog *catalog, const char *place)
{
    struct errinfo why;
    struct catalog_update done;
    errinfo_clear(&why);
    if (catalog_update(catalog, &done, &why) != STATUS_OK)
        note(hits, "the answer may lack reports: %s", why.text);
    if (done.damaged > 0)
        note(hits, "%llu messages are damaged and not searched (agog doctor)",
             (unsigned long long)done.damaged);
    if (done.in_memory)
        note(hits, "the index cannot be kept in %s and was made for this search alone", place);
}

static enum status search(struct cli *cli, const struct read_source *source, struct hits *hits,
                          struct errinfo *err)
{
    struct buf text;
    char place[HOME_PATH_SIZE];
    struct catalog *catalog = NULL;
    struct catalog_query query;
    struct catalog_found found;
    buf_init(&text, 64 * 1024);
    enum status status = read_query(cli, source->registry, &text, &query, err);
    if (status == STATUS_OK)
        status = hub_cache(cli->hub, place, err);
    if (status == STATUS_OK)
        status = catalog_open(place, source, &catalog, err);
    if (status == STATUS_OK) {
        update(hits, catalog, place);
        status = catalog_search(catalog, &query, show, hits, &found, err);
    }
    if (status == STATUS_OK)
        status = finish(hits, &query, &found, err);
    catalog_close(catalog);
    buf_fini(&text);
    return status;
}

static const char *const headings[] = {"SECTION", "TOKENS", "TITLE", "MATCH"};

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct read_source source;
    struct hits hits = {.cli = cli};
    enum status status = answer_source_open(cli, &source, err);
    if (status != STATUS_OK)
        return status;
    hits.list = json_array();
    hits.notes = json_array();
    table_init(&hits.table, cli, headings, sizeof headings / sizeof headings[0]);
    status = search(cli, &source, &hits, err);
    table_fini(&hits.table);
    json_decref(hits.list);
    json_decref(hits.notes);
    return status;
}

static const struct option_spec options[] = {
    {.name = "agent", .value = "NAME", .help = "only this agent's reports"},
    {.name = "type", .value = "NAME", .help = "only reports of this type"},
    {.name = "feature", .value = "NAME", .help = "only this feature; NAME* for all that begin so"},
    {.name = "since", .value = "TIME", .help = "published since: 2026-11-23, or 7d for a week ago"},
    {.name = "until", .value = "TIME", .help = "published before; a time as above"},
    {.name = "all-revisions", .help = "older revisions as well as the latest"},
    {.name = "limit", .value = "N", .help = "how many to show (default: 10)"},
    {.name = "offset", .value = "N", .help = "how many of the best to pass over"},
};

const struct command cmd_search = {
    .name = "search",
    .arguments = "QUERY...",
    .summary = "Find the sections of all reports that match, best first",
    .description =
        "Each line is a section as `agog fetch` takes it, its tokens, its titles, and the place\n"
        "that matches, marked by asterisks. Every word of the query must match; words have their\n"
        "usual forms in common (migrate, migration). word* is any word that begins so, \"a b\" a\n"
        "phrase, a OR b either, -word excludes (after -- or inside quotes, so that it is no "
        "option).",
    .examples = "  $ agog search rate limit\n"
                "  $ agog search '\"order desk\" OR warehouse' --since 7d --agent roy\n"
                "  $ agog search --feature 'checkout-*' -- 'migrat* -rollback'",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_min = 1,
    .arguments_max = -1,
    .run = run,
};
