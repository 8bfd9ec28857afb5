// SPDX-License-Identifier: Apache-2.0
// The one thing that the text parts of this room ask of a tokenizer, so that they can be tested
// with any.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

// Counts the tokens of text exactly. Fails only when memory runs out.
typedef enum status token_counter(struct bytes text, size_t *tokens);
