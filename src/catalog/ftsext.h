// SPDX-License-Identifier: Apache-2.0
// What the catalog adds to FTS5: its tokenizer and its rank.
//
// Tokenizer "agog": the words of deliver/words.h, so that what is found, what is marked in a
// snippet and what `fetch --for` ranks by are the same words. A query comes stemmed already
// (catalog/query.h) and is only taken apart at its blanks.
//
// Function agog_rank(table, weights): a BM25 of a row whose columns count as the array
// ftsext_weight says. weights is a blob of doubles, the rarity of each of the expression's first
// phrases; later ones do not count. The length of a section comes from its rowid (catalog/rowid.h),
// so that a row's rank is known from its postings alone.
#pragma once

#include "base/status.h"

#include <sqlite3.h>

enum { FTSEXT_COLUMNS = 4 };

// Registers both with a connection; an SQLite result code.
int ftsext_register(sqlite3 *db);
