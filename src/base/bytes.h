// SPDX-License-Identifier: Apache-2.0
// Borrowed bytes: a pointer and a length, owned by somebody else, not NUL-terminated. This is the
// type of every parameter that takes text or data. The empty value is {NULL, 0}; data may be NULL
// only when size is 0.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const char *data;
    size_t size;
};

// A string literal as bytes, without its NUL; usable as an initialiser.
#define BYTES(literal) ((struct bytes){(literal), sizeof(literal) - 1})

// For printf's "%.*s"; only for text that is known to be harmless (see errinfo_quote).
#define BYTES_ARG(text) (int)(text).size, (text).data

struct bytes bytes_of(const void *data, size_t size);
struct bytes bytes_of_string(const char *string); // NULL gives the empty value

bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_nocase(struct bytes a, struct bytes b); // ASCII letters only
int bytes_compare(struct bytes a, struct bytes b);       // memcmp order, shorter first
bool bytes_start_with(struct bytes text, struct bytes prefix);
bool bytes_end_with(struct bytes text, struct bytes suffix);

// The part from `from` (clamped to the size) with at most `size` bytes.
struct bytes bytes_slice(struct bytes text, size_t from, size_t size);
struct bytes bytes_from(struct bytes text, size_t from);

// Index of the first such byte or sequence, or SIZE_MAX.
size_t bytes_find_byte(struct bytes text, char byte);
size_t bytes_find(struct bytes text, struct bytes needle);

// Cuts the text at the first separator: the part before it is returned and *rest is what follows.
// Without a separator all of it is returned and *rest becomes the empty value with data NULL.
struct bytes bytes_cut(struct bytes text, char separator, struct bytes *rest);

// Without leading and trailing ASCII white space.
struct bytes bytes_trim(struct bytes text);

// A decimal number without sign, blanks or leading '+', that fits; false otherwise.
bool bytes_to_u64(struct bytes text, uint64_t *out);

// A well-mixed 64-bit hash under a seed; not cryptographic, but seeded against chosen keys.
uint64_t bytes_hash(struct bytes text, uint64_t seed);
