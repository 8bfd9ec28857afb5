// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "deliver/delta.h"
#include "deliver/shelf.h"

// One of the two revisions.
struct side {
    struct buf storage;
    struct report report;
    struct outline outline;
};

static void side_fini(struct side *side)
{
    outline_fini(&side->outline);
    buf_fini(&side->storage);
}

static enum status side_read(struct side *side, const struct read_source *source,
                             const struct ref *ref, struct errinfo *err)
{
    enum status status = read_report(source, ref, BUS_ALL, &side->storage, &side->report, err);
    return status != STATUS_OK
               ? status
               : shelf_outline(source->bus, &side->report, &side->storage, &side->outline, err);
}

// "REF@1 REF@3", "REF@1 @3", "REF@1 3" and "REF@1" (against the latest) all say what is compared.
static enum status read_refs(const struct cli *cli, struct ref *before, struct ref *after,
                             struct errinfo *err)
{
    struct bytes second = cli_argument(cli, 1);
    uint64_t rev = 0;
    enum status status = ref_parse(cli_argument(cli, 0), before, err);
    if (status != STATUS_OK)
        return status;
    *after = *before;
    if (second.size > 0 && second.data[0] == '@')
        second = bytes_from(second, 1);
    if (second.size == 0 || bytes_to_u64(second, &rev))
        after->rev = rev;
    else
        status = ref_parse(second, after, err);
    if (status == STATUS_OK && (before->kind != REF_DELIVERABLE || before->rev == 0))
        return errinfo_set(err, STATUS_USAGE,
                           "say which revision to compare from: agog diff AGENT/TYPE/FEATURE@1 @3");
    return status;
}

static void print_row(struct table *table, const struct delta_entry *entry,
                      const struct side *before, const struct side *after)
{
    bool added = entry->kind == DELTA_ADDED;
    bool removed = entry->kind == DELTA_REMOVED;
    const struct outline_section *old = added ? NULL : &before->outline.sections[entry->before];
    const struct outline_section *new = removed ? NULL : &after->outline.sections[entry->after];
    const struct outline_section *named = removed ? old : new;
    table_cell(table, bytes_of_string(delta_kind_name(entry->kind)));
    table_cell_format(table, "#%.*s", BYTES_ARG(named->number));
    table_cell_format(table, "%zu", old == NULL ? 0 : old->tokens);
    table_cell_format(table, "%zu", new == NULL ? 0 : new->tokens);
    table_cell(table, named->title);
}

static json_t *row_json(const struct delta_entry *entry, const struct side *before,
                        const struct side *after)
{
    bool removed = entry->kind == DELTA_REMOVED;
    const struct outline_section *named = removed ? &before->outline.sections[entry->before]
                                                  : &after->outline.sections[entry->after];
    json_t *row = json_pack("{s:s, s:s%, s:s%}", "change", delta_kind_name(entry->kind), "section",
                            named->number.data, named->number.size, "title",
                            named->title.data == NULL ? "" : named->title.data, named->title.size);
    if (entry->kind != DELTA_ADDED)
        json_object_set_new(
            row, "tokens_before",
            json_integer((json_int_t)before->outline.sections[entry->before].tokens));
    if (!removed)
        json_object_set_new(row, "tokens_after",
                            json_integer((json_int_t)after->outline.sections[entry->after].tokens));
    return row;
}

static enum status print_delta(struct cli *cli, const struct delta *delta,
                               const struct side *before, const struct side *after,
                               struct errinfo *err)
{
    static const char *const headings[] = {"CHANGE", "SECTION", "TOKENS BEFORE", "AFTER", "TITLE"};
    struct table table;
    json_t *list = json_array();
    enum status status;
    table_init(&table, cli, headings, 5);
    for (uint32_t i = 0; i < delta->count; i++) {
        if (delta->entries[i].kind == DELTA_SAME)
            continue;
        if (cli->json)
            json_array_append_new(list, row_json(&delta->entries[i], before, after));
        else
            print_row(&table, &delta->entries[i], before, after);
    }
    if (cli->json) {
        status = cli_print_json(cli,
                                json_pack("{s:I, s:I, s:O}", "from",
                                          (json_int_t)before->report.ref.rev, "to",
                                          (json_int_t)after->report.ref.rev, "sections", list),
                                err);
    } else {
        status = table_finish(&table, err);
        fprintf(cli->err,
                "agog: @%llu to @%llu: %u added, %u removed, %u changed, %u moved, %u the same\n",
                (unsigned long long)before->report.ref.rev,
                (unsigned long long)after->report.ref.rev, delta->counts[DELTA_ADDED],
                delta->counts[DELTA_REMOVED], delta->counts[DELTA_CHANGED],
                delta->counts[DELTA_MOVED], delta->counts[DELTA_SAME]);
    }
    json_decref(list);
    table_fini(&table);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct read_source source;
    struct ref from, to;
    struct side before = {.outline = {.count = 0}};
    struct side after = {.outline = {.count = 0}};
    struct delta delta;
    buf_init(&before.storage, LIMIT_MESSAGE_BYTES);
    buf_init(&after.storage, LIMIT_MESSAGE_BYTES);
    enum status status = read_refs(cli, &from, &to, err);
    if (status == STATUS_OK)
        status = answer_source_open(cli, &source, err);
    if (status == STATUS_OK)
        status = side_read(&before, &source, &from, err);
    if (status == STATUS_OK)
        status = side_read(&after, &source, &to, err);
    if (status == STATUS_OK) {
        struct outlined old = {&before.outline, before.report.body};
        struct outlined new = {&after.outline, after.report.body};
        status = delta_sections(&old, &new, &delta, err);
    }
    if (status == STATUS_OK) {
        status = print_delta(cli, &delta, &before, &after, err);
        delta_fini(&delta);
    }
    side_fini(&before);
    side_fini(&after);
    return status;
}

const struct command cmd_diff = {
    .name = "diff",
    .arguments = "REF@REV [@REV]",
    .summary = "Show what changed between two revisions, section by section",
    .description = "Each line is the change, the section, its tokens before and after, its title. "
                   "Without a\nsecond revision the latest is compared. agog fetch REF --since REV "
                   "prints the text.",
    .examples = "  $ agog diff cynthia/research/customer-search@1 @3\n"
                "  $ agog diff cynthia/research/customer-search@1",
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run,
};
