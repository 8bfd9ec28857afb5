// SPDX-License-Identifier: Apache-2.0
// Sections are known here by their place in the order in which they are taken: by rank with a
// question, by number without. A cursor is "c1.<check>.<next>.<offset>.<skipped,...>": all places
// before `next` were given but the skipped ones, and of the first pending place `offset` bytes
// were.
#include "deliver/budget.h"

#include "base/assert.h"
#include "deliver/budget_text.h"
#include "deliver/cut.h"
#include "deliver/rank.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 400 }; // counts of one answer, each of at most about the budget

struct state {
    uint32_t next;
    size_t offset;
    uint32_t skipped[BUDGET_SKIPPED_MAX];
    size_t skipped_count;
};

struct packer {
    const struct outline *outline;
    struct bytes report;
    const struct budget_options *options;
    struct rank rank; // only with a question
    uint32_t check;
    struct state before; // as the cursor had it
    struct state after;
    struct budget_piece *pieces;
    size_t count;
    size_t sum; // of the outline's counts of the pieces
    struct buf text;
    size_t tokens;
    unsigned tries;
    enum status failure;
};

static uint32_t section_of(const struct packer *packer, uint32_t place)
{
    return packer->rank.order == NULL ? place : packer->rank.order[place];
}

static bool is_relevant(const struct packer *packer, uint32_t place)
{
    return packer->rank.order == NULL || place < packer->rank.found;
}

static bool has_pending(const struct packer *packer, const struct state *state)
{
    return state->skipped_count > 0 || state->next < packer->outline->count;
}

// The n-th place that is pending by a state; UINT32_MAX when there are not so many.
static uint32_t pending_at(const struct packer *packer, const struct state *state, uint32_t n)
{
    if (n < state->skipped_count)
        return state->skipped[n];
    uint32_t place = state->next + n - (uint32_t)state->skipped_count;
    return place < packer->outline->count ? place : UINT32_MAX;
}

// Whether the pieces, printed, are within the budget.
static bool fits(struct packer *packer)
{
    size_t tokens = 0;
    packer->tries++;
    buf_clear(&packer->text);
    budget_text(packer->outline, packer->report, packer->pieces, packer->count, &packer->text);
    if (buf_status(&packer->text) != STATUS_OK) {
        packer->failure = buf_status(&packer->text);
        return false;
    }
    packer->failure = packer->options->counter(buf_bytes(&packer->text), &tokens);
    if (packer->failure != STATUS_OK || tokens > packer->options->tokens_max)
        return false;
    packer->tokens = tokens;
    return true;
}

static size_t insert(struct packer *packer, struct budget_piece piece)
{
    size_t at = packer->count++;
    for (; at > 0 && packer->pieces[at - 1].from > piece.from; at--)
        packer->pieces[at] = packer->pieces[at - 1];
    packer->pieces[at] = piece;
    return at;
}

static void withdraw(struct packer *packer, size_t at)
{
    packer->count--;
    for (; at < packer->count; at++)
        packer->pieces[at] = packer->pieces[at + 1];
}

static struct budget_piece piece_of(const struct packer *packer, uint32_t place, size_t offset)
{
    uint32_t index = section_of(packer, place);
    const struct outline_section *section = &packer->outline->sections[index];
    return (struct budget_piece){index, section->from + offset, section->to};
}

static bool add_whole(struct packer *packer, uint32_t place, size_t offset)
{
    struct budget_piece piece = piece_of(packer, place, offset);
    size_t tokens = offset > 0 ? 0 : packer->outline->sections[piece.section].tokens;
    // Neighbours joined may count a token less than each alone, never much less.
    if (packer->sum + tokens > packer->options->tokens_max + 8 || packer->tries > TRIES_MAX)
        return false;
    // A piece of unknown size that has more bytes than any so many tokens have is not worth a try.
    if (piece.to - piece.from > 128 * packer->options->tokens_max)
        return false;
    size_t at = insert(packer, piece);
    if (!fits(packer)) {
        withdraw(packer, at);
        return false;
    }
    packer->sum += tokens;
    return true;
}

// The beginning of what is left of a section, as much as fits; *size is 0 when nothing does.
static void add_beginning(struct packer *packer, uint32_t place, size_t offset, size_t *size)
{
    struct budget_piece piece = piece_of(packer, place, offset);
    struct bytes left = bytes_slice(packer->report, piece.from, piece.to - piece.from);
    *size = 0;
    // The lines that say what is not shown take their part; how much, only printing tells.
    for (size_t room = packer->options->tokens_max; room > 0 && packer->failure == STATUS_OK;
         room -= room > 64 ? room / 16 : 1) {
        size_t cut = 0;
        packer->failure = cut_to_tokens(left, room, packer->options->counter, &cut);
        if (packer->failure != STATUS_OK || cut == 0)
            return;
        piece.to = piece.from + cut;
        size_t at = insert(packer, piece);
        if (fits(packer)) {
            *size = cut;
            return;
        }
        withdraw(packer, at);
    }
}

static void give_first(struct packer *packer, uint32_t place)
{
    size_t offset = packer->before.offset;
    size_t size;
    if (add_whole(packer, place, offset) || packer->failure != STATUS_OK)
        return;
    add_beginning(packer, place, offset, &size);
    if (size == 0)
        return;
    // What is left of it is the first pending place of the next answer.
    packer->after.skipped[packer->after.skipped_count++] = place;
    packer->after.offset = offset + size;
}

// Takes pending places in order until nothing more fits or only irrelevant ones are left.
static void give(struct packer *packer)
{
    struct state *after = &packer->after;
    uint32_t n = 0;
    uint32_t place = pending_at(packer, &packer->before, 0);
    bool only_relevant = is_relevant(packer, place);
    bool passing = packer->rank.order != NULL;
    give_first(packer, place);
    bool partial = after->skipped_count > 0;
    for (n = 1; packer->failure == STATUS_OK && !partial; n++) {
        place = pending_at(packer, &packer->before, n);
        bool room = packer->sum + 4 < packer->options->tokens_max && packer->tries <= TRIES_MAX &&
                    packer->count > 0;
        if (place == UINT32_MAX || !room || (only_relevant && !is_relevant(packer, place)))
            break;
        if (add_whole(packer, place, 0))
            continue;
        if (!passing || after->skipped_count + 1 >= BUDGET_SKIPPED_MAX)
            break;
        after->skipped[after->skipped_count++] = place;
    }
    // Whatever was skipped before and not looked at now is still pending, ahead of the others.
    size_t skipped_before = packer->before.skipped_count;
    for (; n < skipped_before; n++)
        after->skipped[after->skipped_count++] = packer->before.skipped[n];
    after->next = packer->before.next + (n > skipped_before ? n - (uint32_t)skipped_before : 0);
}

static void write_cursor(const struct packer *packer, char out[BUDGET_CURSOR_SIZE])
{
    const struct state *after = &packer->after;
    out[0] = '\0';
    if (!has_pending(packer, after))
        return;
    int size = snprintf(out, BUDGET_CURSOR_SIZE, "c1.%08x.%u.%zu.", packer->check, after->next,
                        after->offset);
    for (size_t i = 0; i < after->skipped_count; i++)
        size += snprintf(out + size, BUDGET_CURSOR_SIZE - (size_t)size, "%s%u", i > 0 ? "," : "",
                         after->skipped[i]);
    ASSERT(size < BUDGET_CURSOR_SIZE);
}

static bool take_number(struct bytes *rest, char separator, uint64_t max, uint64_t *out)
{
    return bytes_to_u64(bytes_cut(*rest, separator, rest), out) && *out <= max;
}

static bool read_state(const struct packer *packer, struct bytes rest, struct state *state)
{
    uint32_t count = packer->outline->count;
    uint64_t next;
    uint64_t offset;
    if (!take_number(&rest, '.', count, &next) ||
        !take_number(&rest, '.', packer->report.size, &offset))
        return false;
    *state = (struct state){.next = (uint32_t)next, .offset = (size_t)offset};
    while (rest.size > 0) {
        uint64_t place;
        if (state->skipped_count == BUDGET_SKIPPED_MAX || !take_number(&rest, ',', count, &place) ||
            place >= next)
            return false;
        state->skipped[state->skipped_count++] = (uint32_t)place;
    }
    if (!has_pending(packer, state))
        return false;
    struct budget_piece first = piece_of(packer, pending_at(packer, state, 0), 0);
    return state->offset < first.to - first.from;
}

static enum status read_cursor(struct packer *packer, struct errinfo *err)
{
    struct bytes rest;
    char check[16];
    char quoted[ERRINFO_QUOTED_MAX];
    struct bytes cursor = bytes_trim(packer->options->cursor);
    if (cursor.size == 0)
        return STATUS_OK;
    snprintf(check, sizeof check, "%08x", packer->check);
    struct bytes version = bytes_cut(cursor, '.', &rest);
    struct bytes given = bytes_cut(rest, '.', &rest);
    if (!bytes_equal(version, BYTES("c1")) || given.size != 8)
        return errinfo_set(err, STATUS_USAGE, "%s is no cursor: give the one of the answer before",
                           errinfo_quote(cursor, quoted));
    if (!bytes_equal(given, bytes_of_string(check)))
        return errinfo_set(err, STATUS_CONFLICT,
                           "cursor %s belongs to another revision or question: ask again without "
                           "it",
                           errinfo_quote(cursor, quoted));
    if (!read_state(packer, rest, &packer->before))
        return errinfo_set(err, STATUS_USAGE, "cursor %s is damaged: ask again without it",
                           errinfo_quote(cursor, quoted));
    return STATUS_OK;
}

static enum status tell_rest(const struct packer *packer, struct budget_answer *answer)
{
    const struct state *after = &packer->after;
    for (uint32_t n = 0;; n++) {
        uint32_t place = pending_at(packer, after, n);
        if (place == UINT32_MAX)
            return STATUS_OK;
        size_t tokens = packer->outline->sections[section_of(packer, place)].tokens;
        if (n == 0 && after->offset > 0) {
            struct budget_piece rest = piece_of(packer, place, after->offset);
            enum status status = packer->options->counter(
                bytes_slice(packer->report, rest.from, rest.to - rest.from), &tokens);
            if (status != STATUS_OK)
                return status;
        }
        answer->sections_left++;
        answer->tokens_left += tokens;
        answer->relevant_left = answer->relevant_left || is_relevant(packer, place);
    }
}

static enum status pack(struct packer *packer, struct budget_answer *answer, struct errinfo *err)
{
    size_t tokens_max = packer->options->tokens_max;
    packer->pieces = malloc((packer->outline->count + 1U) * sizeof *packer->pieces);
    if (packer->pieces == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to pack an answer");
    give(packer);
    if (packer->failure != STATUS_OK)
        return errinfo_set(err, packer->failure, "no memory to pack an answer");
    if (packer->count == 0)
        return errinfo_set(err, STATUS_LIMIT,
                           "a budget of %zu tokens does not hold one line of this report and what "
                           "is left out: ask for more",
                           tokens_max);
    answer->tokens = packer->tokens;
    answer->sections = (uint32_t)packer->count;
    write_cursor(packer, answer->cursor);
    enum status status = tell_rest(packer, answer);
    // The text of the last try may be of one that did not fit.
    return status == STATUS_OK && fits(packer)
               ? STATUS_OK
               : errinfo_set(err, STATUS_NO_MEMORY, "no memory to pack an answer");
}

enum status budget_pack(const struct outlined *source, const struct budget_options *options,
                        struct buf *out, struct budget_answer *answer, struct errinfo *err)
{
    const struct outline *outline = source->outline;
    struct bytes report = source->report;
    ASSERT(outline->counted && report.size == outline->bytes);
    struct packer packer = {.outline = outline, .report = report, .options = options};
    struct budget_answer given = {.tokens = 0};
    struct bytes query = bytes_trim(options->query);
    enum status status = STATUS_OK;
    if (options->tokens_max < BUDGET_TOKENS_MIN)
        return errinfo_set(err, STATUS_USAGE, "a budget of %zu tokens: the least is %d",
                           options->tokens_max, BUDGET_TOKENS_MIN);
    if (report.size == 0) {
        *answer = given;
        return STATUS_OK;
    }
    uint64_t hash = bytes_hash(report, 0x61676f67u);
    packer.check = (uint32_t)(bytes_hash(query, hash) >> 32);
    buf_init(&packer.text, report.size + 64 * 1024);
    if (query.size > 0)
        status = rank_sections(source, query, &packer.rank, err);
    if (status == STATUS_OK)
        status = read_cursor(&packer, err);
    if (status == STATUS_OK)
        status = pack(&packer, &given, err);
    if (status == STATUS_OK) {
        buf_append(out, buf_bytes(&packer.text));
        status = buf_status(out);
    }
    if (status == STATUS_OK)
        *answer = given;
    free(packer.pieces);
    rank_fini(&packer.rank);
    buf_fini(&packer.text);
    return status;
}
