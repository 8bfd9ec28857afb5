// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/describe.h"
#include "deliver/part.h"
#include "deliver/receipt.h"

#include <stdlib.h>

// The request with the memory that it borrows.
struct job {
    struct part_request request;
    struct bytes sections[PART_SECTIONS_MAX];
};

struct way {
    const char *option;
    enum part_kind kind;
};

// Options that each choose what is read; at most one of them may be given.
static const struct way ways[] = {
    {"outline", PART_OUTLINE}, {"summary", PART_SUMMARY}, {"section", PART_SECTIONS},
    {"lines", PART_LINES},     {"bytes", PART_BYTES},     {"grep", PART_GREP},
    {"page", PART_PAGE},       {"since", PART_SINCE},
};

static enum status choose(const struct cli *cli, const struct ref *ref, struct job *job,
                          struct errinfo *err)
{
    const char *chosen = NULL;
    job->request.kind = PART_WHOLE;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (!cli_switch(cli, ways[i].option))
            continue;
        if (chosen != NULL)
            return errinfo_set(err, STATUS_USAGE, "--%s and --%s exclude each other", chosen,
                               ways[i].option);
        chosen = ways[i].option;
        job->request.kind = ways[i].kind;
    }
    bool budget = cli_switch(cli, "budget") || cli_switch(cli, "for") || cli_switch(cli, "after");
    if (budget && chosen != NULL && job->request.kind != PART_PAGE)
        return errinfo_set(err, STATUS_USAGE, "--%s takes no --budget, --for or --after", chosen);
    if (budget && chosen == NULL)
        job->request.kind = PART_BUDGET;
    // A ref may name the section itself: agent/type/feature#2.1.
    if (job->request.kind == PART_WHOLE && ref->section[0] != '\0') {
        job->request.kind = PART_SECTIONS;
        job->sections[job->request.section_count++] = bytes_of_string(ref->section);
    }
    return STATUS_OK;
}

static enum status read_numbers(const struct cli *cli, struct part_request *request,
                                struct errinfo *err)
{
    uint64_t depth = PART_DEPTH_DEFAULT, budget = PART_PAGE_TOKENS, context = 0, most = 0;
    enum status status = cli_option_u64(cli, "depth", &depth, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "budget", &budget, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "around", &context, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "max", &most, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "page", &request->page, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "since", &request->since_rev, err);
    if (status != STATUS_OK)
        return status;
    if (context > GREP_CONTEXT_MAX)
        return errinfo_set(err, STATUS_USAGE, "--around is at most %d lines", GREP_CONTEXT_MAX);
    if (request->kind == PART_PAGE && request->page == 0)
        return errinfo_set(err, STATUS_USAGE, "pages are counted from 1");
    request->depth = depth > 99 ? 99 : (unsigned)depth;
    request->tokens_max = (size_t)budget;
    request->grep.before = request->grep.after = (unsigned)context;
    request->grep.matches_max = (size_t)most;
    return STATUS_OK;
}

static enum status read_request(const struct cli *cli, const struct ref *ref, struct job *job,
                                struct errinfo *err)
{
    struct part_request *request = &job->request;
    size_t at = 0;
    enum status status = choose(cli, ref, job, err);
    for (const char *name; (name = cli_option_next(cli, "section", &at)) != NULL;) {
        if (request->section_count == PART_SECTIONS_MAX)
            return errinfo_set(err, STATUS_LIMIT, "at most %d sections at once", PART_SECTIONS_MAX);
        job->sections[request->section_count++] = bytes_of_string(name);
    }
    request->sections = job->sections;
    const char *range = cli_option(cli, request->kind == PART_LINES ? "lines" : "bytes");
    request->range = bytes_of_string(range);
    request->grep.pattern = bytes_of_string(cli_option(cli, "grep"));
    request->grep.fixed = cli_switch(cli, "fixed");
    request->grep.ignore_case = cli_switch(cli, "ignore-case");
    request->query = bytes_of_string(cli_option(cli, "for"));
    request->cursor = bytes_of_string(cli_option(cli, "after"));
    return status != STATUS_OK ? status : read_numbers(cli, request, err);
}

// A word as a shell takes it.
static void append_quoted(struct buf *out, struct bytes word)
{
    buf_append_string(out, " '");
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] == '\'')
            buf_append_string(out, "'\\''");
        else
            buf_append_byte(out, word.data[i]);
    }
    buf_append_byte(out, '\'');
}

// The exact command for the rest, as it can be typed; "" when nothing is left.
static const char *rest_command(const struct job *job, const struct report *report,
                                const struct part_answer *answer, struct buf *out)
{
    char ref[REF_TEXT_SIZE];
    ref_format(&report->ref, REF_FORM_TEXT, ref);
    if (answer->rest[0] == '\0')
        return "";
    buf_printf(out, "agog fetch %s %s", ref, answer->rest);
    if (job->request.kind == PART_BUDGET && job->request.query.size > 0) {
        buf_append_string(out, " --for");
        append_quoted(out, job->request.query);
    }
    if (job->request.kind == PART_GREP) {
        buf_append_string(out, " --grep");
        append_quoted(out, job->request.grep.pattern);
    }
    const char *text = buf_string(out);
    return text == NULL ? "" : text;
}

static enum status print_json(struct cli *cli, const struct report *report,
                              const struct part_answer *answer, const char *rest,
                              struct errinfo *err)
{
    json_t *document = describe_report(report);
    json_t *content = json_stringn(answer->text.data == NULL ? "" : answer->text.data,
                                   answer->text.size);
    if (document == NULL)
        return cli_print_json(cli, NULL, err);
    json_object_set_new(document, "part", json_string(answer->what));
    json_object_set_new(document, "part_tokens", json_integer((json_int_t)answer->tokens));
    json_object_set_new(document, "tokens_left", json_integer((json_int_t)answer->tokens_left));
    if (rest[0] != '\0')
        json_object_set_new(document, "rest", json_string(rest));
    // A text that is not UTF-8 has no JSON string: it is left out, and that is said.
    if (content != NULL)
        json_object_set_new(document, "content", content);
    else
        json_object_set_new(document, "binary", json_true());
    return cli_print_json(cli, document, err);
}

static void print_account(struct cli *cli, const struct report *report,
                          const struct part_answer *answer, const char *rest)
{
    const int64_t day_ns = INT64_C(86400000000000);
    if (cli_switch(cli, "quiet"))
        return;
    fprintf(cli->err, "agog: %zu of %llu tokens%s%s\n", answer->tokens,
            (unsigned long long)report->tokens, rest[0] == '\0' ? "" : "; more: ", rest);
    int64_t left_ns = report->expires_ns - clock_realtime_ns();
    if (report->expires_ns != 0 && left_ns < day_ns)
        fprintf(cli->err, "agog: this report expires in %lld minutes; agog pin keeps it\n",
                (long long)(left_ns / INT64_C(60000000000)));
}

// The receipt is written when the answer is out: it never delays a read and never fails one.
static void leave_receipt(struct cli *cli, const struct read_source *source,
                          const struct report *report, const struct part_answer *answer)
{
    struct hub *hub;
    struct receipt receipt = {.ref = report->ref,
                              .what = bytes_of_string(answer->what),
                              .run = bytes_of_string(getenv("AGOG_RUN")),
                              .tokens = answer->tokens};
    if (cli_switch(cli, "no-receipt") || cli_hub(cli, &hub, NULL) != STATUS_OK)
        return;
    receipt.reader = bytes_of_string(hub_author(hub));
    receipt_write(source->bus, &receipt, NULL);
}

static enum status answer_part(struct cli *cli, const struct read_source *source,
                               const struct job *job, struct report *report, struct buf *storage,
                               struct errinfo *err)
{
    struct part_answer answer;
    struct buf command;
    enum status status = part_read(source, report, storage, &job->request, &answer, err);
    if (status != STATUS_OK)
        return status;
    buf_init(&command, LIMIT_HEADER_BYTES);
    const char *rest = rest_command(job, report, &answer, &command);
    if (cli->json)
        status = print_json(cli, report, &answer, rest, err);
    else
        status = cli_write(cli, buf_bytes(&answer.text), err);
    if (status == STATUS_OK)
        status = cli_flush(cli, err);
    if (status == STATUS_OK && !cli->json)
        print_account(cli, report, &answer, rest);
    if (status == STATUS_OK)
        leave_receipt(cli, source, report, &answer);
    buf_fini(&command);
    part_answer_fini(&answer);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct ref ref;
    struct job job = {.request = {.kind = PART_WHOLE}};
    struct read_source source;
    struct report report;
    struct buf storage;
    enum status status = ref_parse(cli_argument(cli, 0), &ref, err);
    if (status == STATUS_OK)
        status = read_request(cli, &ref, &job, err);
    if (status == STATUS_OK)
        status = answer_source_open(cli, &source, err);
    if (status != STATUS_OK)
        return status;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    status = read_report(&source, &ref, BUS_HEAD, &storage, &report, err);
    if (status == STATUS_OK)
        status = answer_part(cli, &source, &job, &report, &storage, err);
    buf_fini(&storage);
    return status;
}

static const struct option_spec options[] = {
    {.name = "outline", .help = "the sections with their tokens, instead of the text"},
    {.name = "depth", .value = "N", .help = "levels of the outline (default: 2)"},
    {.name = "summary", .help = "title and summary"},
    {.name = "section", .value = "S", .help = "a section by number, slug or title", .many = true},
    {.name = "lines", .value = "A:B", .help = "these lines"},
    {.name = "bytes", .value = "A:B", .help = "these bytes, B is after the last"},
    {.name = "grep", .value = "RE", .help = "lines that match, each with its section"},
    {.name = "around", .value = "N", .letter = 'C', .help = "lines around each match"},
    {.name = "ignore-case", .letter = 'i', .help = "letter case does not count in --grep"},
    {.name = "fixed", .letter = 'F', .help = "--grep takes plain text"},
    {.name = "max", .value = "N", .help = "at most N matches"},
    {.name = "budget",
     .value = "N",
     .help = "the best sections in at most N tokens (default: 2000)"},
    {.name = "for", .value = "QUESTION", .help = "what the sections should answer"},
    {.name = "after", .value = "CURSOR", .help = "go on where an answer under --budget ended"},
    {.name = "page", .value = "N", .help = "page N, each of at most --budget tokens"},
    {.name = "since", .value = "REV", .help = "only the sections that changed since REV"},
    {.name = "quiet", .letter = 'q', .help = "no account of tokens on stderr"},
    {.name = "no-receipt", .help = "leave no receipt of this read"},
};

const struct command cmd_fetch = {
    .name = "fetch",
    .arguments = "REF",
    .summary = "Print a stored report, or the part of it that is needed",
    .description =
        "REF is agent/type/feature, with @REV for one revision and #SECTION for one section; a\n"
        "subject, an agog:// address, a message id (stream.seq) or a whole notice will do.\n"
        "Without options the report is printed to the byte. What was read, of how many tokens,\n"
        "and the command for the rest stand on stderr, or in --json.",
    .examples = "  $ agog fetch cynthia/research/customer-search --outline\n"
                "  $ agog fetch cynthia/research/customer-search --section 3 --section 5.2\n"
                "  $ agog fetch cynthia/research/customer-search --budget 1500 --for 'index size'\n"
                "  $ agog fetch cynthia/research/customer-search@2 > report.md",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
