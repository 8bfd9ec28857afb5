// SPDX-License-Identifier: Apache-2.0
// Splitting text into words, for slugs, ranking and search: letters and digits of every script,
// folded to lower case where one letter answers another, and a light English stem. No tables of a
// size that matters: ranges of punctuation and symbols are excluded, everything else above ASCII
// counts as a letter. An ideograph is a word by itself.
#pragma once

#include "base/bytes.h"

bool words_is_word(uint32_t code);
uint32_t words_fold(uint32_t code);

enum { WORDS_SIZE = 64 }; // bytes of a folded word that are kept; longer ones are cut

struct words {
    struct bytes text;
    size_t at;
};

struct word {
    char text[WORDS_SIZE]; // folded and stemmed
    size_t size;
    size_t from, to; // where it stands in the text
};

void words_init(struct words *words, struct bytes text);
bool words_next(struct words *words, struct word *word);
