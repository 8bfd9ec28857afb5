// SPDX-License-Identifier: Apache-2.0
#include "deliver/notice.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "deliver/plain.h"

#include <jansson.h>
#include <string.h>

enum {
    SUMMARY_MAX = LIMIT_SUMMARY_BYTES, // before any shortening; 200 tokens never hold more
    SUMMARY_GOOD = 160,                // below this a summary says little: other things go first
    SUMMARY_LEAST = 40,
    BLOCKERS_MAX = 400,
    BLOCKERS_LEAST = 60,
    WORD_MAX = 40, // complexity, completion_time
    TEXT_MAX = 64 * 1024,
};

// What a draft still has. Each step gives up what the one before had and something more.
enum step {
    STEP_METADATA,   // as many keys of the metadata as fit
    STEP_SHORT,      // no metadata, short blockers, no complexity and completion time
    STEP_NAMELESS,   // no task and channel, the message id for a ref
    STEP_SPEECHLESS, // no summary and blockers
    STEP_ANONYMOUS,  // no agent
    STEP_NONE,
};

struct draft {
    const struct notice *notice;
    enum notice_form form;
    token_counter *counter;
    const json_t *metadata;
    char summary[SUMMARY_MAX + 1];
    size_t summary_size;
    char blockers[BLOCKERS_MAX + 1];
    size_t blockers_size;
    enum step step;
    size_t keys; // of the metadata
    bool no_memory;
    struct buf text;
    enum status failure; // of the counter or the memory
};

const char *notice_status_name(enum notice_status status)
{
    static const char *const names[] = {"complete", "failed", "blocked"};
    return names[status];
}

static void put(struct draft *draft, json_t *root, const char *key, json_t *value)
{
    if (json_object_set_new(root, key, value) != 0)
        draft->no_memory = true;
}

static void put_text(struct draft *draft, json_t *root, const char *key, struct bytes text)
{
    if (text.size > 0)
        put(draft, root, key, json_stringn(text.data, text.size));
}

static void put_number(struct draft *draft, json_t *root, const char *key, uint64_t value)
{
    put(draft, root, key, json_integer((json_int_t)(value & INT64_MAX)));
}

static void put_names(struct draft *draft, json_t *root)
{
    const struct notice *notice = draft->notice;
    char text[REF_TEXT_SIZE];
    if (draft->step < STEP_ANONYMOUS)
        put_text(draft, root, "agent", notice->agent);
    if (draft->step < STEP_NAMELESS && notice->ref.kind == REF_DELIVERABLE) {
        put_text(draft, root, "task", notice->task);
        put_text(draft, root, "nats_channel",
                 bytes_of(text, ref_format(&notice->ref, REF_FORM_SUBJECT, text)));
        put_text(draft, root, "ref", bytes_of(text, ref_format(&notice->ref, REF_FORM_TEXT, text)));
    } else {
        struct ref id = {.kind = REF_MESSAGE, .seq = notice->seq};
        struct bytes stream = utf8_prefix(notice->stream, LIMIT_STREAM_NAME_BYTES);
        if (stream.size > 0)
            memcpy(id.stream, stream.data, stream.size);
        put_text(draft, root, "ref", bytes_of(text, ref_format(&id, REF_FORM_TEXT, text)));
    }
    if (notice->ref.rev != 0)
        put_number(draft, root, "rev", notice->ref.rev);
    put_number(draft, root, "seq", notice->seq);
}

static struct bytes cleaned(struct bytes text, size_t bytes_max, char *out)
{
    struct buf clean;
    buf_init(&clean, TEXT_MAX);
    plain_clean(utf8_prefix(text, TEXT_MAX / 4), &clean);
    size_t size = plain_shorten(buf_bytes(&clean), bytes_max, out);
    buf_fini(&clean);
    return bytes_of(out, size);
}

// Words of the publisher's that should be short; longer ones are left out rather than cut.
static bool is_short_word(struct bytes text)
{
    return text.size > 0 && text.size <= WORD_MAX;
}

static bool put_metadata(struct draft *draft, json_t *root)
{
    size_t all = json_object_size(draft->metadata);
    if (all == 0 || draft->keys == 0 || draft->step > STEP_METADATA)
        return all > 0;
    json_t *kept = json_object();
    void *iter = json_object_iter((json_t *)draft->metadata);
    for (size_t i = 0; i < draft->keys && iter != NULL; i++) {
        json_object_set(kept, json_object_iter_key(iter), json_object_iter_value(iter));
        iter = json_object_iter_next((json_t *)draft->metadata, iter);
    }
    put(draft, root, "metadata", kept);
    return draft->keys < all;
}

static void put_words(struct draft *draft, json_t *root, size_t summary_max)
{
    const struct notice *notice = draft->notice;
    char text[SUMMARY_MAX + 1];
    char word[WORD_MAX + 1];
    bool more = draft->step >= STEP_SHORT;
    if (draft->step < STEP_SPEECHLESS) {
        size_t size = plain_shorten(bytes_of(draft->summary, draft->summary_size), summary_max,
                                    text);
        put_text(draft, root, "summary", bytes_of(text, size));
    }
    if (draft->step < STEP_SHORT && is_short_word(notice->complexity))
        put_text(draft, root, "complexity", cleaned(notice->complexity, WORD_MAX, word));
    if (draft->step < STEP_SPEECHLESS) {
        size_t max = draft->step < STEP_SHORT ? BLOCKERS_MAX : BLOCKERS_LEAST;
        size_t size = plain_shorten(bytes_of(draft->blockers, draft->blockers_size), max, text);
        put_text(draft, root, "blockers", bytes_of(text, size));
    }
    put(draft, root, "ready_for_next_stage", json_boolean(notice->ready_for_next_stage));
    if (draft->step < STEP_SHORT && is_short_word(notice->completion_time))
        put_text(draft, root, "completion_time", cleaned(notice->completion_time, WORD_MAX, word));
    if (notice->has_files_modified)
        put_number(draft, root, "files_modified", notice->files_modified);
    more = put_metadata(draft, root) || more || notice->complexity.size > WORD_MAX ||
           notice->completion_time.size > WORD_MAX || notice->blockers.size > BLOCKERS_MAX;
    if (more)
        put(draft, root, "more", json_true());
}

static int append_dumped(const char *data, size_t size, void *context)
{
    struct draft *draft = context;
    buf_append(&draft->text, bytes_of(data, size));
    return 0;
}

// Writes the draft to its text, with a summary of at most summary_max bytes.
static void render(struct draft *draft, size_t summary_max)
{
    const struct notice *notice = draft->notice;
    json_t *root = json_object();
    char time[CLOCK_RFC3339_SIZE];
    put(draft, root, "status", json_string(notice_status_name(notice->status)));
    put_names(draft, root);
    put_words(draft, root, summary_max);
    put_text(draft, root, "digest", bytes_slice(notice->digest, 0, NOTICE_DIGEST_DIGITS));
    put_number(draft, root, "bytes", notice->bytes);
    put_number(draft, root, "tokens", notice->tokens);
    put_number(draft, root, "sections", notice->sections);
    if (notice->expires_ns > 0)
        put_text(draft, root, "expires",
                 bytes_of_string(clock_format_seconds(notice->expires_ns, time)));
    buf_clear(&draft->text);
    size_t flags = draft->form == NOTICE_PRETTY ? JSON_INDENT(2) : JSON_COMPACT;
    if (root == NULL || json_dump_callback(root, append_dumped, draft, flags) != 0)
        draft->no_memory = true;
    json_decref(root);
}

// Whether the draft fits with a summary of at most summary_max bytes; its text is the one tried.
static bool fits(struct draft *draft, size_t summary_max)
{
    size_t bare = 0;
    size_t with_feed = 0;
    render(draft, summary_max);
    if (buf_status(&draft->text) == STATUS_LIMIT)
        return false;
    if (draft->no_memory || buf_status(&draft->text) != STATUS_OK) {
        draft->failure = STATUS_NO_MEMORY;
        return false;
    }
    draft->failure = draft->counter(buf_bytes(&draft->text), &bare);
    buf_append_byte(&draft->text, '\n');
    if (draft->failure == STATUS_OK)
        draft->failure = draft->counter(buf_bytes(&draft->text), &with_feed);
    draft->text.size--;
    return draft->failure == STATUS_OK && bare <= LIMIT_NOTICE_TOKENS &&
           with_feed <= LIMIT_NOTICE_TOKENS;
}

// The most metadata keys that leave room for a good summary. What was tried last need not fit.
static bool choose_keys(struct draft *draft, size_t summary_least)
{
    size_t low = 0;
    size_t high = json_object_size(draft->metadata);
    draft->keys = high;
    if (fits(draft, summary_least))
        return true;
    while (low < high && draft->failure == STATUS_OK) {
        size_t middle = low + (high - low) / 2;
        draft->keys = middle;
        if (fits(draft, summary_least))
            low = middle + 1;
        else
            high = middle;
    }
    draft->keys = low == 0 ? 0 : low - 1;
    return fits(draft, summary_least);
}

// The longest summary that fits, at least `least` bytes of which are known to.
static void choose_summary(struct draft *draft, size_t least)
{
    size_t low = least;
    size_t high = draft->summary_size > least ? draft->summary_size : least;
    if (fits(draft, high))
        return;
    while (low + 1 < high && draft->failure == STATUS_OK) {
        size_t middle = low + (high - low) / 2;
        if (fits(draft, middle))
            low = middle;
        else
            high = middle;
    }
    fits(draft, low);
}

static enum status choose(struct draft *draft, struct errinfo *err)
{
    static const size_t least[] = {SUMMARY_GOOD, SUMMARY_LEAST, SUMMARY_LEAST, 0, 0};
    for (draft->step = STEP_METADATA; draft->step < STEP_NONE; draft->step++) {
        bool found = draft->step == STEP_METADATA ? choose_keys(draft, least[0])
                                                  : fits(draft, least[draft->step]);
        if (found)
            choose_summary(draft, least[draft->step]);
        if (draft->failure != STATUS_OK)
            return errinfo_set(err, draft->failure, "no memory to write a notice");
        if (found)
            return STATUS_OK;
    }
    char quoted[ERRINFO_QUOTED_MAX];
    return errinfo_set(err, STATUS_LIMIT,
                       "the name of stream %s alone takes more than the %d tokens of a notice: "
                       "give the stream a shorter name",
                       errinfo_quote(draft->notice->stream, quoted), LIMIT_NOTICE_TOKENS);
}

enum status notice_write(const struct notice *notice, enum notice_form form, token_counter *counter,
                         struct buf *out, struct errinfo *err)
{
    struct draft draft = {.notice = notice, .form = form, .counter = counter};
    struct bytes given = bytes_trim(notice->metadata);
    json_error_t error;
    json_t *metadata = given.size == 0 ? NULL : json_loadb(given.data, given.size, 0, &error);
    if (given.size > 0 && !json_is_object(metadata)) {
        json_decref(metadata);
        return errinfo_set(err, STATUS_INVALID,
                           "the metadata is not a JSON object: give {\"key\": value, ...}");
    }
    draft.metadata = metadata;
    draft.summary_size = cleaned(notice->summary, SUMMARY_MAX, draft.summary).size;
    draft.blockers_size = cleaned(notice->blockers.size == 0 ? BYTES("None") : notice->blockers,
                                  BLOCKERS_MAX, draft.blockers)
                              .size;
    buf_init(&draft.text, TEXT_MAX);
    enum status status = choose(&draft, err);
    if (status == STATUS_OK) {
        buf_append(out, buf_bytes(&draft.text));
        status = buf_status(out);
        if (status != STATUS_OK)
            errinfo_set(err, status, "no room to write a notice of %zu bytes", draft.text.size);
    }
    buf_fini(&draft.text);
    json_decref(metadata);
    return status;
}
