// SPDX-License-Identifier: Apache-2.0
// Queries from users. Whatever is typed either is refused with a reason or becomes an expression of
// letters, digits and FTS5's own words that this program puts there.
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "catalog/query.h"
#include "catalog/snippet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_expression(const char *text)
{
    bool quoted = false;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"')
            quoted = !quoted;
        else if (quoted)
            ASSERT(isalnum(byte) || byte >= 0x80);
        else
            ASSERT(strchr(" ()+*:ANDORNT{}titlebody", byte) != NULL);
    }
    ASSERT(!quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct query query;
    struct errinfo err;
    struct buf out;
    struct bytes text = bytes_of(data, size);
    errinfo_clear(&err);
    if (query_parse(text, &query, &err) != STATUS_OK) {
        ASSERT(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
        return 0;
    }
    ASSERT(query.term_count > 0 && query.term_count <= QUERY_TERMS_MAX);
    ASSERT(query.word_count <= QUERY_WORDS_MAX);
    buf_init(&out, 1 << 20);
    query_expression(&query, "{title body}", &out);
    ASSERT(buf_status(&out) == STATUS_OK && out.size > 0);
    check_expression(buf_string(&out));
    buf_clear(&out);
    snippet_make(&query, text, 80, &out);
    ASSERT(buf_status(&out) == STATUS_OK && strchr(buf_string(&out), '\n') == NULL);
    buf_fini(&out);
    return 0;
}
