// SPDX-License-Identifier: Apache-2.0
#include "catalog/ftsext.h"

#include "catalog/rowid.h"
#include "deliver/words.h"

#include <string.h>

// Of body, report, section and context: a match in the report's own title says most, one in a title
// above the section next to nothing.
static const double column_weight[FTSEXT_COLUMNS] = {1.0, 6.0, 4.0, 0.3};

// BM25's usual constants, and the bytes of a section as they come.
static const double saturation = 1.2;
static const double length_share = 0.75;
static const double usual_length = 512.0;

typedef int token_sink(void *context, int flags, const char *text, int size, int from, int to);

static int create(void *context, const char **arguments, int count, Fts5Tokenizer **out)
{
    (void)context;
    (void)arguments;
    (void)count;
    // The tokenizer has no state: any address that is not NULL will do, and this one is never read.
    static char nothing;
    *out = (Fts5Tokenizer *)(void *)&nothing;
    return SQLITE_OK;
}

static void delete_nothing(Fts5Tokenizer *tokenizer)
{
    (void)tokenizer;
}

static int split_query(void *context, struct bytes text, token_sink *sink)
{
    int result = SQLITE_OK;
    while (text.size > 0 && result == SQLITE_OK) {
        struct bytes token = bytes_cut(text, ' ', &text);
        if (token.size > 0)
            result = sink(context, 0, token.data, (int)token.size, 0, 0);
    }
    return result;
}

static int tokenize(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int size,
                    token_sink *sink)
{
    struct words words;
    struct word word;
    int result = SQLITE_OK;
    (void)tokenizer;
    if ((flags & FTS5_TOKENIZE_QUERY) != 0)
        return split_query(context, bytes_of(text, (size_t)size), sink);
    words_init(&words, bytes_of(text, (size_t)size));
    while (result == SQLITE_OK && words_next(&words, &word))
        result = sink(context, 0, word.text, (int)word.size, (int)word.from, (int)word.to);
    return result;
}

// How often a phrase stands in the row, each time as much as its column counts.
static int weighted_count(const Fts5ExtensionApi *api, Fts5Context *fts, int phrase, double *count)
{
    Fts5PhraseIter iter;
    int column;
    int offset;
    int result = api->xPhraseFirst(fts, phrase, &iter, &column, &offset);
    *count = 0;
    while (result == SQLITE_OK && column >= 0) {
        *count += column_weight[column];
        api->xPhraseNext(fts, &iter, &column, &offset);
    }
    return result;
}

static void rank(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context,
                 int argument_count, sqlite3_value **arguments)
{
    double rarity;
    double score = 0;
    int result = SQLITE_OK;
    const char *weights = argument_count == 1 ? sqlite3_value_blob(arguments[0]) : NULL;
    int count = weights == NULL ? 0 : sqlite3_value_bytes(arguments[0]) / (int)sizeof rarity;
    double length = rowid_length(api->xRowid(fts)) / usual_length;
    double divisor = saturation * (1 - length_share + length_share * length);
    for (int i = 0; i < count && i < api->xPhraseCount(fts) && result == SQLITE_OK; i++) {
        double times;
        memcpy(&rarity, weights + (size_t)i * sizeof rarity, sizeof rarity);
        result = weighted_count(api, fts, i, &times);
        score += rarity * times * (saturation + 1) / (times + divisor);
    }
    if (result == SQLITE_OK)
        sqlite3_result_double(context, score);
    else
        sqlite3_result_error_code(context, result);
}

static fts5_api *find_api(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_pointer(statement, 1, (void *)&api, "fts5_api_ptr", NULL);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
    return api;
}

int ftsext_register(sqlite3 *db)
{
    fts5_tokenizer tokenizer = {create, delete_nothing, tokenize};
    fts5_api *api = find_api(db);
    if (api == NULL)
        return SQLITE_ERROR;
    int result = api->xCreateTokenizer(api, "agog", NULL, &tokenizer, NULL);
    return result != SQLITE_OK ? result : api->xCreateFunction(api, "agog_rank", NULL, rank, NULL);
}
