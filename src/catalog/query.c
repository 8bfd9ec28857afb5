// SPDX-License-Identifier: Apache-2.0
#include "catalog/query.h"

#include <string.h>

// Stems are shorter than what people type: "migratio*" begins no stem, since "migration" is kept as
// "migr". So a prefix also stands for the stems of the words that it could be the beginning of, as
// far as an ending makes them.
static const char *const completions[] = {"",    "n",   "on", "ion", "tion", "ation", "g",    "ng",
                                          "ing", "d",   "ed", "t",   "nt",   "ent",   "ment", "s",
                                          "es",  "ies", "e",  "y",   "ce",   "nce"};

struct piece {
    struct bytes text;
    bool excluded;
    bool quoted;
    bool prefix;
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

// Takes the next piece between blanks off the text: a word or something in quotes.
static bool take_piece(struct bytes *rest, struct piece *piece)
{
    size_t at = 0;
    while (at < rest->size && is_blank(rest->data[at]))
        at++;
    if (at == rest->size)
        return false;
    *piece = (struct piece){.excluded = rest->data[at] == '-'};
    at += piece->excluded;
    piece->quoted = at < rest->size && rest->data[at] == '"';
    at += piece->quoted;
    size_t from = at;
    while (at < rest->size && (piece->quoted ? rest->data[at] != '"'
                                             : !is_blank(rest->data[at]) && rest->data[at] != '"'))
        at++;
    piece->text = bytes_slice(*rest, from, at - from);
    at += piece->quoted && at < rest->size;
    // A star right behind closing quotes makes the phrase's last word a beginning.
    bool star = piece->quoted && at < rest->size && rest->data[at] == '*';
    at += star;
    piece->prefix = star || (!piece->quoted && bytes_end_with(piece->text, BYTES("*")));
    *rest = bytes_from(*rest, at);
    return true;
}

static bool add_word(struct query *query, struct bytes text, bool prefix)
{
    if (query->word_count == QUERY_WORDS_MAX)
        return false;
    struct query_word *word = &query->words[query->word_count++];
    *word = (struct query_word){.size = text.size, .prefix = prefix};
    memcpy(word->text, text.data, text.size);
    return true;
}

static struct bytes word_bytes(const struct query_word *word)
{
    return bytes_of(word->text, word->size);
}

static bool has_extra(const struct query *query, size_t from, struct bytes text)
{
    for (size_t i = from; i < query->word_count; i++) {
        if (bytes_equal(word_bytes(&query->words[i]), text))
            return true;
    }
    return false;
}

// The stems that a prefix may have grown into and that do not begin with it.
static bool add_completions(struct query *query, struct query_term *term, struct bytes typed)
{
    struct bytes begin = word_bytes(&query->words[term->first]);
    for (size_t i = 0; i < sizeof completions / sizeof completions[0]; i++) {
        char whole[2 * WORDS_SIZE];
        struct words words;
        struct word word;
        size_t size = strlen(completions[i]);
        if (typed.size + size > sizeof whole)
            return true;
        memcpy(whole, typed.data, typed.size);
        memcpy(whole + typed.size, completions[i], size);
        words_init(&words, bytes_of(whole, typed.size + size));
        if (!words_next(&words, &word))
            continue;
        struct bytes stem = bytes_of(word.text, word.size);
        if (bytes_start_with(stem, begin) || has_extra(query, term->first, stem))
            continue;
        if (!add_word(query, stem, false))
            return false;
        term->extra++;
    }
    return true;
}

// What was typed of a word, only folded: the stem of a beginning may be another word's.
static struct bytes folded(struct bytes text, char out[WORDS_SIZE])
{
    struct words words;
    struct word word;
    // "x" keeps every ending from being one: no stem changes it.
    char padded[2 * WORDS_SIZE];
    size_t size = text.size < WORDS_SIZE - 4 ? text.size : WORDS_SIZE - 4;
    memcpy(padded, text.data, size);
    padded[size] = 'x';
    words_init(&words, bytes_of(padded, size + 1));
    if (!words_next(&words, &word) || word.size < 2)
        return (struct bytes){NULL, 0};
    memcpy(out, word.text, word.size - 1);
    return bytes_of(out, word.size - 1);
}

static bool add_words(struct query *query, struct query_term *term, const struct piece *piece)
{
    struct words words;
    struct word word;
    struct bytes last = {NULL, 0};
    words_init(&words, piece->text);
    while (words_next(&words, &word)) {
        if (!add_word(query, bytes_of(word.text, word.size), false))
            return false;
        last = bytes_slice(piece->text, word.from, word.to - word.from);
        term->count++;
    }
    if (term->count == 0 || !piece->prefix)
        return true;
    struct query_word *end = &query->words[query->word_count - 1];
    end->prefix = true;
    char text[WORDS_SIZE];
    struct bytes begin = folded(last, text);
    if (begin.size > 0) {
        memcpy(end->text, begin.data, begin.size);
        end->size = begin.size;
    }
    return term->count > 1 || add_completions(query, term, last);
}

static enum status too_many(struct errinfo *err)
{
    return errinfo_set(err, STATUS_USAGE,
                       "the query has more words than the %d that are looked for: leave some out",
                       QUERY_TERMS_MAX);
}

static bool last_is_wanted(const struct query *query)
{
    return query->term_count > 0 && !query->terms[query->term_count - 1].excluded;
}

static enum status add_terms(struct query *query, struct bytes text, struct errinfo *err)
{
    struct piece piece;
    bool either = false;
    while (take_piece(&text, &piece)) {
        if (!piece.quoted && !piece.excluded && bytes_equal(piece.text, BYTES("OR"))) {
            either = last_is_wanted(query);
            continue;
        }
        struct query_term term = {.first = query->word_count, .excluded = piece.excluded};
        if (query->term_count == QUERY_TERMS_MAX || !add_words(query, &term, &piece))
            return too_many(err);
        if (term.count == 0)
            continue;
        term.alternative = either && !term.excluded;
        either = false;
        query->terms[query->term_count++] = term;
    }
    return STATUS_OK;
}

enum status query_parse(struct bytes text, struct query *out, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    struct query query = {.term_count = 0};
    if (text.size > QUERY_BYTES_MAX)
        return errinfo_set(err, STATUS_USAGE, "a query of %zu bytes: up to %d are allowed",
                           text.size, QUERY_BYTES_MAX);
    enum status status = add_terms(&query, text, err);
    if (status != STATUS_OK)
        return status;
    bool wanted = false;
    for (size_t i = 0; i < query.term_count; i++)
        wanted = wanted || !query.terms[i].excluded;
    if (!wanted && query.term_count > 0)
        return errinfo_set(err, STATUS_USAGE, "the query %s only excludes: give a word to look for",
                           errinfo_quote(text, quoted));
    if (!wanted)
        return errinfo_set(err, STATUS_USAGE, "the query %s has no word: give one to look for",
                           errinfo_quote(text, quoted));
    *out = query;
    return STATUS_OK;
}

static void append_word(const struct query_word *word, struct buf *out)
{
    buf_append_byte(out, '"');
    buf_append(out, word_bytes(word));
    buf_append_string(out, word->prefix ? "\"*" : "\"");
}

void query_term_expression(const struct query *query, const struct query_term *term,
                           struct buf *out)
{
    buf_append_byte(out, '(');
    for (size_t i = 0; i < term->count + term->extra; i++) {
        if (i > 0)
            buf_append_string(out, i < term->count ? " + " : " OR ");
        append_word(&query->words[term->first + i], out);
    }
    buf_append_byte(out, ')');
}

static void append_terms(const struct query *query, bool excluded, const char *between,
                         struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < query->term_count; i++) {
        const struct query_term *term = &query->terms[i];
        if (term->excluded != excluded)
            continue;
        if (!first)
            buf_append_string(out, term->alternative ? " OR " : between);
        query_term_expression(query, term, out);
        first = false;
    }
}

void query_expression(const struct query *query, const char *columns, struct buf *out)
{
    bool excludes = false;
    for (size_t i = 0; i < query->term_count; i++)
        excludes = excludes || query->terms[i].excluded;
    // FTS5's AND binds closer than its OR: a group of alternatives ends where the next one begins.
    buf_append_string(out, "((");
    append_terms(query, false, ") AND (", out);
    buf_append_string(out, ") AND ");
    buf_append_string(out, columns);
    buf_append_string(out, " : (");
    append_terms(query, false, " OR ", out);
    buf_append_string(out, "))");
    if (!excludes)
        return;
    buf_append_string(out, " NOT (");
    append_terms(query, true, " OR ", out);
    buf_append_byte(out, ')');
}

// A beginning was typed, and the word of the text is a stem: they meet in either direction of the
// index's own comparison, which is by stem alone.
bool query_matches(const struct query *query, const struct word *word, size_t *index)
{
    struct bytes text = bytes_of(word->text, word->size);
    for (size_t i = 0; i < query->term_count; i++) {
        const struct query_term *term = &query->terms[i];
        for (size_t k = 0; !term->excluded && k < term->count + term->extra; k++) {
            const struct query_word *wanted = &query->words[term->first + k];
            struct bytes own = word_bytes(wanted);
            if (wanted->prefix ? bytes_start_with(text, own) : bytes_equal(text, own)) {
                // The words that stand for one beginning count as one.
                *index = term->first + (k < term->count ? k : 0);
                return true;
            }
        }
    }
    return false;
}
