// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/utf8.h"
#include "corpus.h"
#include "deliver/name.h"
#include "deliver/notice.h"
#include "deliver/summary.h"
#include "deliver/tokens.h"
#include "golden.h"
#include "rnd.h"

#define DIGEST "5f2b6d0c8e7a41393f1d2c3b4a59687766554433221100ffeeddccbbaa998877"

static struct notice sample(void)
{
    struct notice notice = {
        .status = NOTICE_COMPLETE,
        .stream = BYTES("agog_features_research"),
        .seq = 17,
        .agent = BYTES("cynthia"),
        .task = BYTES("customer-search"),
        .summary = BYTES(
            "Full-text search on PostgreSQL is enough. An index on three columns answers "
            "in 12 ms."),
        .complexity = BYTES("Medium"),
        .metadata = BYTES("{\"model\": \"m-1\", \"minutes\": 12}"),
        .digest = BYTES(DIGEST),
        .ready_for_next_stage = true,
        .has_files_modified = true,
        .files_modified = 3,
        .bytes = 31267,
        .tokens = 7642,
        .sections = 53,
        .expires_ns = 1735689600LL * 1000000000LL,
    };
    assert_int_equal(ref_of_names(BYTES("cynthia"), BYTES("research"), BYTES("customer-search"),
                                  &notice.ref, NULL),
                     STATUS_OK);
    notice.ref.rev = 2;
    return notice;
}

// Writes the notice and checks what holds for every one.
static void write_checked(const struct notice *notice, enum notice_form form, struct buf *out)
{
    struct errinfo err;
    size_t tokens;
    errinfo_clear(&err);
    buf_clear(out);
    if (notice_write(notice, form, tokens_count, out, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    buf_append_byte(out, '\n');
    assert_int_equal(tokens_count(buf_bytes(out), &tokens), STATUS_OK);
    if (tokens > LIMIT_NOTICE_TOKENS)
        fail_msg("%zu tokens: %.*s", tokens, BYTES_ARG(buf_bytes(out)));
    out->size--;
    if (form == NOTICE_COMPACT && bytes_find_byte(buf_bytes(out), '\n') != SIZE_MAX)
        fail_msg("more than one line");
    struct notice back;
    if (notice_read(buf_bytes(out), &back, &err) != STATUS_OK)
        fail_msg("%s: %.*s", err.text, BYTES_ARG(buf_bytes(out)));
    assert_int_equal(back.seq, notice->seq);
    assert_int_equal(back.status, notice->status);
    if (back.ref.kind == REF_DELIVERABLE)
        assert_true(ref_same_deliverable(&back.ref, &notice->ref));
    else
        assert_true(bytes_equal(back.stream, notice->stream));
    notice_fini(&back);
}

static bool contains(const struct buf *text, const char *part)
{
    return bytes_find(buf_bytes(text), bytes_of_string(part)) != SIZE_MAX;
}

static void a_notice_is_written_in_a_fixed_order(void **state)
{
    (void)state;
    struct buf out;
    struct notice notice = sample();
    buf_init(&out, 1 << 16);
    write_checked(&notice, NOTICE_COMPACT, &out);
    golden_assert("notices/compact.json", buf_bytes(&out));
    write_checked(&notice, NOTICE_PRETTY, &out);
    golden_assert("notices/pretty.json", buf_bytes(&out));
    buf_fini(&out);
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    struct buf out;
    struct notice back;
    struct notice notice = sample();
    buf_init(&out, 1 << 16);
    write_checked(&notice, NOTICE_COMPACT, &out);
    assert_int_equal(notice_read(buf_bytes(&out), &back, NULL), STATUS_OK);
    assert_true(bytes_equal(back.agent, notice.agent));
    assert_true(bytes_equal(back.task, notice.task));
    assert_true(bytes_equal(back.summary, notice.summary));
    assert_true(bytes_equal(back.complexity, notice.complexity));
    assert_true(bytes_equal(back.blockers, BYTES("None")));
    assert_true(bytes_equal(back.metadata, BYTES("{\"model\":\"m-1\",\"minutes\":12}")));
    assert_true(bytes_equal(back.digest, bytes_slice(notice.digest, 0, NOTICE_DIGEST_DIGITS)));
    assert_true(back.ready_for_next_stage);
    assert_int_equal(back.files_modified, 3);
    assert_int_equal(back.bytes, notice.bytes);
    assert_int_equal(back.tokens, notice.tokens);
    assert_int_equal(back.sections, notice.sections);
    assert_true(back.expires_ns == notice.expires_ns);
    assert_int_equal(back.ref.rev, 2);
    notice_fini(&back);
    buf_fini(&out);
}

static void a_long_summary_gives_way_before_anything_else(void **state)
{
    (void)state;
    struct buf out;
    char text[1500];
    struct notice notice = sample();
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "word and "[i % 9];
    notice.summary = bytes_of(text, sizeof text);
    write_checked(&notice, NOTICE_COMPACT, &out);
    assert_true(contains(&out, "…\""));
    assert_true(contains(&out, "\"model\":\"m-1\",\"minutes\":12"));
    assert_false(contains(&out, "\"more\""));
    buf_fini(&out);
}

static void metadata_is_dropped_from_the_end_and_that_is_said(void **state)
{
    (void)state;
    struct buf out;
    struct buf metadata;
    struct notice notice = sample();
    buf_init(&out, 1 << 16);
    buf_init(&metadata, 1 << 16);
    for (int i = 0; i < 200; i++)
        buf_printf(&metadata, "%s\"key%d\": %d", i == 0 ? "{" : ", ", i, i);
    buf_append_byte(&metadata, '}');
    notice.metadata = buf_bytes(&metadata);
    write_checked(&notice, NOTICE_COMPACT, &out);
    assert_true(contains(&out, "\"metadata\":{\"key0\":0"));
    assert_false(contains(&out, "key199"));
    assert_true(contains(&out, "\"more\":true"));
    buf_fini(&metadata);
    buf_fini(&out);
}

static void a_name_that_costs_too_much_leaves_the_message_id(void **state)
{
    (void)state;
    struct buf out;
    struct errinfo err;
    char feature[LIMIT_FEATURE_BYTES];
    struct notice notice = sample();
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof feature; i += 4)
        memcpy(feature + i, "\xF0\x90\x8E\xA0", 4);
    notice.task = bytes_of(feature, sizeof feature);
    assert_int_equal(ref_of_names(BYTES("roy"), BYTES("backend"), notice.task, &notice.ref, &err),
                     STATUS_OK);
    write_checked(&notice, NOTICE_COMPACT, &out);
    assert_true(contains(&out, "\"ref\":\"agog_features_research.17\""));
    assert_false(contains(&out, "nats_channel"));
    assert_true(contains(&out, "\"more\":true"));
    buf_fini(&out);
}

static void metadata_that_is_no_object_is_refused(void **state)
{
    (void)state;
    struct buf out;
    struct errinfo err;
    struct notice notice = sample();
    buf_init(&out, 1 << 16);
    notice.metadata = BYTES("[1]");
    assert_int_equal(notice_write(&notice, NOTICE_COMPACT, tokens_count, &out, &err),
                     STATUS_INVALID);
    assert_int_equal(out.size, 0);
    buf_fini(&out);
}

// Bytes of anything: control characters, emoji, rare code points, bad UTF-8.
static struct bytes hostile_text(struct rnd *rnd, char *out, size_t size_max)
{
    static const char *const units[] = {
        "\xF0\x9F\x98\x80", "\xF0\x90\x8E\xA0", "\x1B[31m", "\r\n", "\"\\", "\xFF", "a", "word ",
        "\xE2\x80\xAE",     "\xEF\xBF\xBE",     ". ",       "\x01"};
    size_t wanted = rnd_below(rnd, size_max);
    size_t size = 0;
    size_t one = rnd_below(rnd, 24);
    while (size + 8 < wanted) {
        const char *unit = units[one < 12 ? one : rnd_below(rnd, 12)];
        memcpy(out + size, unit, strlen(unit));
        size += strlen(unit);
    }
    return bytes_of(out, size);
}

static void a_notice_never_exceeds_its_tokens_whatever_is_in_it(void **state)
{
    (void)state;
    static char texts[4][20000];
    struct buf out;
    buf_init(&out, 1 << 16);
    for (uint64_t seed = 1; seed <= 600; seed++) {
        struct rnd rnd = {seed};
        struct notice notice = sample();
        char feature[LIMIT_FEATURE_BYTES + 1];
        struct bytes name = bytes_of(feature, rnd_text(&rnd, feature, LIMIT_FEATURE_BYTES));
        if (rnd_below(&rnd, 2) == 0 &&
            ref_of_names(BYTES("a"), BYTES("b"), name, &notice.ref, NULL) == STATUS_OK)
            notice.task = name;
        notice.ref.rev = rnd_next(&rnd);
        notice.seq = rnd_next(&rnd) & INT64_MAX;
        notice.bytes = rnd_next(&rnd);
        notice.summary = hostile_text(&rnd, texts[0], sizeof texts[0]);
        notice.blockers = hostile_text(&rnd, texts[1], sizeof texts[1]);
        notice.complexity = hostile_text(&rnd, texts[2], 60);
        notice.completion_time = hostile_text(&rnd, texts[3], 60);
        notice.metadata = BYTES("");
        notice.ref.rev &= INT64_MAX;
        write_checked(&notice, seed % 2 == 0 ? NOTICE_PRETTY : NOTICE_COMPACT, &out);
    }
    buf_fini(&out);
}

static void ten_megabytes_of_one_line_have_a_notice(void **state)
{
    (void)state;
    struct buf report;
    struct buf out;
    struct outline outline;
    char summary[LIMIT_SUMMARY_BYTES + 1];
    struct notice notice = sample();
    buf_init(&report, LIMIT_REPORT_BYTES);
    buf_init(&out, 1 << 16);
    while (report.size + 8 <= LIMIT_REPORT_BYTES)
        buf_append_string(&report, "*x* \xF0\x9F\x98\x80");
    assert_int_equal(outline_build(buf_bytes(&report), &outline, NULL), STATUS_OK);
    summary_text(&outline, buf_bytes(&report), BYTES(""), summary);
    notice.summary = bytes_of_string(summary);
    write_checked(&notice, NOTICE_COMPACT, &out);
    assert_true(contains(&out, "nats_channel"));
    assert_true(contains(&out, "…\""));
    outline_fini(&outline);
    buf_fini(&report);
    buf_fini(&out);
}

static void assert_reads(const char *text, enum notice_status status, const char *task,
                         const char *blockers)
{
    struct notice notice;
    struct errinfo err;
    if (notice_read(bytes_of_string(text), &notice, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    assert_int_equal(notice.status, status);
    assert_true(bytes_equal(notice.task, bytes_of_string(task)));
    assert_true(bytes_equal(notice.blockers, bytes_of_string(blockers)));
    notice_fini(&notice);
}

static void both_forms_of_the_first_system_are_read(void **state)
{
    (void)state;
    assert_reads("{\"status\":\"blocked\",\"agent\":\"roy\",\"task\":\"x\",\"nats_channel\":"
                 "\"agog.deliverables.roy.backend.x\",\"blockers\":\"None\"}",
                 NOTICE_BLOCKED, "x", "None");
    assert_reads(
        "{\"status\":\"COMPLETED\",\"agent\":\"roy\",\"reqNumber\":\"R-1\",\"deliverable\":"
        "\"nats://agog.deliverables.roy.backend.R-1\",\"blockers\":[\"a\",\"b\"]}",
        NOTICE_COMPLETE, "R-1", "a; b");
}

static void the_later_forms_flow_and_work_are_understood(void **state)
{
    (void)state;
    struct notice notice;
    struct bytes text = BYTES(
        "{\"status\":\"COMPLETE\",\"deliverable\":\"nats://agog.deliverables."
        "roy.backend.x\",\"next_agent\":\"jen\",\"changes\":{\"files_created\":"
        "[\"a\"],\"files_modified\":[\"b\",\"c\"]}}");
    assert_int_equal(notice_read(text, &notice, NULL), STATUS_OK);
    assert_true(notice.ready_for_next_stage);
    assert_true(notice.has_files_modified);
    assert_int_equal(notice.files_modified, 3);
    notice_fini(&notice);
}

static void what_is_no_notice_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } bad[] = {
        {"", "one JSON object"},
        {"[]", "one JSON object"},
        {"{\"ref\":\"a/b/c\"}", "status \"\" is not known"},
        {"{\"status\":\"APPROVED\",\"ref\":\"a/b/c\"}", "complete, failed or blocked"},
        {"{\"status\":\"complete\"}", "none of the fields"},
        {"{\"status\":\"complete\",\"ref\":\"a b\"}", "is not a ref"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct notice notice;
        struct errinfo err;
        assert_int_not_equal(notice_read(bytes_of_string(bad[i].text), &notice, &err), STATUS_OK);
        if (strstr(err.text, bad[i].reason) == NULL)
            fail_msg("%s: %s", bad[i].text, err.text);
    }
}

static void check_corpus_report(const struct corpus_report *report, void *context)
{
    struct buf *out = context;
    struct outline outline;
    struct notice notice = sample();
    char summary[LIMIT_SUMMARY_BYTES + 1];
    struct bytes type = BYTES("research");
    assert_int_equal(outline_build(report->text, &outline, NULL), STATUS_OK);
    summary_text(&outline, report->text, BYTES(""), summary);
    notice.summary = bytes_of_string(summary);
    notice.agent = bytes_of_string(report->agent);
    notice.task = bytes_of_string(report->feature);
    notice.tokens = report->tokens;
    notice.sections = outline.count;
    assert_int_equal(ref_of_names(notice.agent, type, notice.task, &notice.ref, NULL), STATUS_OK);
    notice.ref.rev = 1;
    write_checked(&notice, NOTICE_COMPACT, out);
    assert_true(contains(out, "nats_channel"));
    write_checked(&notice, NOTICE_PRETTY, out);
    outline_fini(&outline);
}

static void every_corpus_report_has_a_notice_with_its_channel(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 16);
    size_t count = corpus_each(check_corpus_report, &out);
    buf_fini(&out);
    CORPUS_SKIP_UNLESS(count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notice_is_written_in_a_fixed_order),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(a_long_summary_gives_way_before_anything_else),
        cmocka_unit_test(metadata_is_dropped_from_the_end_and_that_is_said),
        cmocka_unit_test(a_name_that_costs_too_much_leaves_the_message_id),
        cmocka_unit_test(metadata_that_is_no_object_is_refused),
        cmocka_unit_test(a_notice_never_exceeds_its_tokens_whatever_is_in_it),
        cmocka_unit_test(ten_megabytes_of_one_line_have_a_notice),
        cmocka_unit_test(both_forms_of_the_first_system_are_read),
        cmocka_unit_test(the_later_forms_flow_and_work_are_understood),
        cmocka_unit_test(what_is_no_notice_is_refused_with_the_reason),
        cmocka_unit_test(every_corpus_report_has_a_notice_with_its_channel),
    };
    return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
