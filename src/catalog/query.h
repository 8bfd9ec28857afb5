// SPDX-License-Identifier: Apache-2.0
// What a user types into a search, as terms, and as an expression of FTS5.
//
//   word      must stand in the section; every word given must
//   word*     any word that begins so
//   "a b"     these words side by side; so does a word with punctuation inside, such as node.js
//   a OR b    one of them will do; binds its neighbours only
//   -word     must not stand there; -"a b" as well
//
// Words are those of deliver/words.h, folded and stemmed. The expression is put together from
// letters and digits alone, so that nothing a user types can be FTS5's syntax. Anything is a query:
// a quote that is never closed ends with the text, an OR without neighbours is nothing.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "deliver/words.h"

enum {
    QUERY_BYTES_MAX = 1000,
    QUERY_TERMS_MAX = 32,
    QUERY_WORDS_MAX = 64, // of all terms, those that stand for a beginning included
};

struct query_word {
    char text[WORDS_SIZE];
    size_t size;
    bool prefix; // any word that begins so
};

// A term is one or more words side by side.
struct query_term {
    size_t first; // of query.words
    size_t count;
    size_t extra;     // words behind them of which each will do instead (a prefix within an ending)
    bool excluded;    // must not match
    bool alternative; // will do instead of the term before
};

struct query {
    struct query_word words[QUERY_WORDS_MAX];
    size_t word_count;
    struct query_term terms[QUERY_TERMS_MAX];
    size_t term_count;
};

// STATUS_USAGE when no word is to be looked for, or for more than the maxima above.
enum status query_parse(struct bytes text, struct query *out, struct errinfo *err);

// Appends one term as an expression.
void query_term_expression(const struct query *query, const struct query_term *term,
                           struct buf *out);

// Appends the whole. The wanted terms come first, in their order, each word or phrase of them once;
// `columns` names those of which one at least must have a wanted term ("{title body}").
void query_expression(const struct query *query, const char *columns, struct buf *out);

// Whether a word of a text is one of those looked for; *index says which.
bool query_matches(const struct query *query, const struct word *word, size_t *index);
