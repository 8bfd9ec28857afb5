// SPDX-License-Identifier: Apache-2.0
// One pass over the report counts, for each section, how often each word of the question stands in
// it: a small hash table of the question's words is all that is looked up.
#include "deliver/rank.h"

#include "base/utf8.h"
#include "deliver/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// The usual BM25 constants; what a word in a heading or in a heading above counts as.
static const double SATURATION = 1.2;
static const double LENGTH_WEIGHT = 0.6;
static const double HEADING_WEIGHT = 6;
static const double ABOVE_WEIGHT = 1.5;
// A section that has every word of the question is worth this much more than one that has few.
static const double COVERAGE_WEIGHT = 0.5;
static const double KIN_WEIGHT = 0.3;

// Words that reports use for one another: whoever asks for the next steps wants the
// recommendations too.
static const char *const kin[] = {
    "next step recommendation action todo",
    "verdict conclusion decision outcome assessment",
    "summary overview abstract",
    "error failure bug issue defect problem",
    "test qa verification validation",
    "risk threat concern mitigation",
    "effort estimate cost timeline",
    "change modify",
    "deploy rollout release",
    "performance speed latency throughput",
    "security vulnerability authentication authorization",
    "requirement goal objective",
    "limit constraint restriction",
    "database schema table migration",
    "dependency prerequisite",
    "future enhancement later roadmap",
    "monitoring alerting metric",
};

enum { TABLE_SIZE = 256 }; // places for at most RANK_TERMS_MAX words

struct term {
    struct word word;
    double weight;     // 1 for a word of the question, less for one that means much the same
    uint32_t sections; // that have it
};

struct ranker {
    struct term terms[RANK_TERMS_MAX];
    size_t count;
    unsigned char table[TABLE_SIZE]; // index of a term plus one
    const struct outline *outline;
    struct bytes report;
    float *counts;   // of each section, for each term
    double *lengths; // words of each section
    double length;   // of all
};

static struct bytes word_text(const struct word *word)
{
    return bytes_of(word->text, word->size);
}

static size_t place_of(const struct ranker *ranker, const struct word *word)
{
    size_t at = (size_t)bytes_hash(word_text(word), 0x17u) % TABLE_SIZE;
    while (ranker->table[at] != 0 &&
           !bytes_equal(word_text(&ranker->terms[ranker->table[at] - 1].word), word_text(word)))
        at = (at + 1) % TABLE_SIZE;
    return at;
}

static bool is_common(const struct word *word)
{
    // As words.c stems them.
    static const char *const common[] = {
        "a",     "about", "all",   "an",     "and",   "any",   "ar",   "are",   "as",   "at",
        "be",    "been",  "but",   "by",     "can",   "could", "did",  "do",    "does", "doe",
        "for",   "from",  "had",   "has",    "hav",   "have",  "how",  "i",     "if",   "in",
        "into",  "is",    "it",    "its",    "list",  "me",    "my",   "not",   "of",   "on",
        "or",    "our",   "shall", "should", "so",    "that",  "the",  "their", "them", "then",
        "ther",  "thes",  "they",  "thei",   "this",  "to",    "us",   "was",   "we",   "were",
        "wer",   "what",  "when",  "wher",   "which", "who",   "whom", "why",   "will", "with",
        "would", "you",   "your",
    };
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (bytes_equal(word_text(word), bytes_of_string(common[i])))
            return true;
    }
    return false;
}

static void add_term(struct ranker *ranker, const struct word *word, double weight)
{
    size_t at = place_of(ranker, word);
    if (ranker->table[at] != 0 || ranker->count == RANK_TERMS_MAX)
        return;
    ranker->terms[ranker->count++] = (struct term){.word = *word, .weight = weight};
    ranker->table[at] = (unsigned char)ranker->count;
}

typedef void on_word(struct ranker *ranker, const struct word *word, void *context);

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Calls for each part of a word that is written likeThis; not at all for other words.
static void each_part(struct ranker *ranker, struct bytes text, const struct word *word,
                      on_word *call, void *context)
{
    size_t from = word->from;
    for (size_t at = from + 1; at <= word->to; at++) {
        bool last = at == word->to;
        if (last ? from == word->from
                 : !is_lower(text.data[at - 1]) || text.data[at] < 'A' || text.data[at] > 'Z')
            continue;
        struct words words;
        struct word part;
        words_init(&words, bytes_slice(text, from, at - from));
        if (words_next(&words, &part))
            call(ranker, &part, context);
        from = at;
    }
}

static void each_word(struct ranker *ranker, struct bytes text, on_word *call, void *context)
{
    struct words words;
    struct word word;
    words_init(&words, text);
    while (words_next(&words, &word)) {
        call(ranker, &word, context);
        each_part(ranker, text, &word, call, context);
    }
}

static void take_query_word(struct ranker *ranker, const struct word *word, void *context)
{
    const bool *with_common = context;
    if (*with_common || !is_common(word))
        add_term(ranker, word, 1);
}

// Adds the kin of the question's words.
static void add_kin(struct ranker *ranker)
{
    size_t asked = ranker->count;
    for (size_t i = 0; i < sizeof kin / sizeof kin[0]; i++) {
        struct words words;
        struct word word;
        bool related = false;
        words_init(&words, bytes_of_string(kin[i]));
        while (!related && words_next(&words, &word)) {
            unsigned char found = ranker->table[place_of(ranker, &word)];
            related = found > 0 && found <= asked;
        }
        words_init(&words, bytes_of_string(kin[i]));
        while (related && words_next(&words, &word))
            add_term(ranker, &word, KIN_WEIGHT);
    }
}

struct weighing {
    uint32_t section;
    float weight;
};

static void weigh_word(struct ranker *ranker, const struct word *word, void *context)
{
    const struct weighing *weighing = context;
    size_t at = place_of(ranker, word);
    ranker->lengths[weighing->section] += 1;
    if (ranker->table[at] != 0)
        ranker->counts[weighing->section * ranker->count + ranker->table[at] - 1] +=
            weighing->weight;
}

static void count_section(struct ranker *ranker, uint32_t index)
{
    const struct outline_section *section = &ranker->outline->sections[index];
    struct weighing weighing = {index, 1};
    each_word(ranker, bytes_slice(ranker->report, section->from, section->to - section->from),
              weigh_word, &weighing);
    double length = ranker->lengths[index];
    // The title of a report says what all of it is about, not what stands below it.
    bool is_title = bytes_equal(section->number, BYTES("0"));
    weighing.weight = is_title ? 1 : (float)HEADING_WEIGHT;
    each_word(ranker, section->title, weigh_word, &weighing);
    weighing.weight = (float)ABOVE_WEIGHT;
    for (uint32_t above = section->parent; above != OUTLINE_NO_PARENT;
         above = ranker->outline->sections[above].parent)
        each_word(ranker, ranker->outline->sections[above].title, weigh_word, &weighing);
    ranker->lengths[index] = length;
    ranker->length += length;
    for (size_t i = 0; i < ranker->count; i++)
        ranker->terms[i].sections += ranker->counts[index * ranker->count + i] > 0;
}

static double score_section(const struct ranker *ranker, uint32_t index)
{
    double count = ranker->outline->count;
    double average = ranker->length / count;
    double norm = 1 - LENGTH_WEIGHT +
                  LENGTH_WEIGHT * ranker->lengths[index] / (average > 0 ? average : 1);
    double score = 0;
    double have = 0;
    double all = 0;
    for (size_t i = 0; i < ranker->count; i++) {
        double with = ranker->terms[i].sections;
        double rarity = log(1 + (count - with + 0.5) / (with + 0.5));
        double times = (double)ranker->counts[index * ranker->count + i];
        double weight = ranker->terms[i].weight;
        score += weight * rarity * times * (SATURATION + 1) / (times + SATURATION * norm);
        all += with > 0 ? weight * rarity : 0;
        have += times > 0 ? weight * rarity : 0;
    }
    return all > 0 ? score * (1 + COVERAGE_WEIGHT * have / all) : 0;
}

struct scored {
    double score;
    uint32_t section;
};

static int better_first(const void *a, const void *b)
{
    const struct scored *x = a;
    const struct scored *y = b;
    if (x->score > y->score || x->score < y->score)
        return x->score > y->score ? -1 : 1;
    return x->section < y->section ? -1 : x->section > y->section;
}

static bool order_sections(struct ranker *ranker, struct rank *rank)
{
    uint32_t count = ranker->outline->count;
    struct scored *scored = malloc((count + 1) * sizeof *scored);
    if (scored == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        rank->scores[i] = score_section(ranker, i);
        rank->found += rank->scores[i] > 0;
        scored[i] = (struct scored){rank->scores[i], i};
    }
    qsort(scored, count, sizeof *scored, better_first);
    for (uint32_t i = 0; i < count; i++)
        rank->order[i] = scored[i].section;
    free(scored);
    return true;
}

static bool rank_all(struct ranker *ranker, struct rank *rank)
{
    uint32_t count = ranker->outline->count;
    ranker->counts = calloc((size_t)count * ranker->count + 1, sizeof *ranker->counts);
    ranker->lengths = calloc(count + 1U, sizeof *ranker->lengths);
    rank->count = count;
    rank->scores = calloc(count + 1U, sizeof *rank->scores);
    rank->order = calloc(count + 1U, sizeof *rank->order);
    bool good = ranker->counts != NULL && ranker->lengths != NULL && rank->scores != NULL &&
                rank->order != NULL;
    for (uint32_t i = 0; i < count && good; i++)
        count_section(ranker, i);
    good = good && order_sections(ranker, rank);
    free(ranker->counts);
    free(ranker->lengths);
    return good;
}

enum status rank_sections(const struct outlined *source, struct bytes query, struct rank *out,
                          struct errinfo *err)
{
    struct rank rank = {.count = 0};
    struct ranker ranker = {.outline = source->outline, .report = source->report};
    struct bytes looked_at = utf8_prefix(query, RANK_QUERY_BYTES);
    for (int with_common = 0; with_common < 2 && ranker.count == 0; with_common++) {
        bool all = with_common == 1;
        each_word(&ranker, looked_at, take_query_word, &all);
    }
    if (ranker.count == 0) {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_USAGE,
                           "the question %s has no word: ask with the words you look for",
                           errinfo_quote(query, quoted));
    }
    add_kin(&ranker);
    if (!rank_all(&ranker, &rank)) {
        rank_fini(&rank);
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to rank %u sections",
                           source->outline->count);
    }
    *out = rank;
    return STATUS_OK;
}

void rank_fini(struct rank *rank)
{
    free(rank->scores);
    free(rank->order);
    *rank = (struct rank){.count = 0};
}
