// SPDX-License-Identifier: Apache-2.0
// Generated Markdown of every ugly kind, small enough that no bound of deliver/markdown.h is met.
#pragma once

#include "base/buf.h"
#include "rnd.h"

struct ugly_piece {
    const char *text;
    size_t size;
};

static const struct ugly_piece ugly_pieces[] = {
#define P(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
    P("# One"),
    P("## Two ##"),
    P("### Three"),
    P("#### *Four* `x`"),
    P("Setext"),
    P("==="),
    P("---"),
    P("***"),
    P("```"),
    P("~~~ text"),
    P("``` x"),
    P("    indented # code"),
    P("\t# tab"),
    P("> # quoted"),
    P("- # item"),
    P("1. # numbered"),
    P("  ## two"),
    P("    ## four"),
    P("|a|b|"),
    P("|-|-|"),
    P("|c|d|"),
    P("a | b"),
    P("--- | ---"),
    P("<div>"),
    P("</div>"),
    P("<!-- x"),
    P("-->"),
    P("<script>"),
    P("</script>"),
    P("[ref]: /url"),
    P("[ref]: <"),
    P("'title'"),
    P("text"),
    P("more *text* here"),
    P("\\# escaped"),
    P("#no"),
    P("#"),
    P("##"),
    P("####### seven"),
    P("# \xF0\x9F\x9A\x80 go"),
    P("\xFF\xFE"),
    P("a\0b"),
    P("\0"),
    P("# n\0l"),
    P("\xEF\xBB\xBF# bom"),
    P("title: x"),
    P("..."),
    P("- a"),
    P("  - b"),
    P("+ c"),
    P("    x"),
    P("* * *"),
    P("_ _ _"),
    P(">"),
    P("> - deep"),
    P("\x0C"),
    P("# same"),
    P("# same"),
    P("## same-1"),
    P("\xE2\x80\xA8"),
#undef P
};

static inline struct bytes ugly_piece(struct rnd *rnd)
{
    size_t at = rnd_below(rnd, sizeof ugly_pieces / sizeof ugly_pieces[0]);
    return bytes_of(ugly_pieces[at].text, ugly_pieces[at].size);
}

static inline void ugly_append_ending(struct rnd *rnd, struct buf *out)
{
    switch (rnd_below(rnd, 8)) {
    case 0: buf_append_string(out, "\r\n"); break;
    case 1: buf_append_byte(out, '\r'); break;
    case 2: buf_append_string(out, "\n\n"); break;
    case 3: buf_append_string(out, "\n\n\n\n\n\n"); break;
    default: buf_append_byte(out, '\n'); break;
    }
}

static inline void ugly_report(struct rnd *rnd, struct buf *out)
{
    size_t count = rnd_below(rnd, 40);
    buf_clear(out);
    if (rnd_below(rnd, 6) == 0)
        buf_append_string(out, "\xEF\xBB\xBF");
    if (rnd_below(rnd, 6) == 0)
        buf_append_string(out, "---\ntitle: x\n# c\n---\n");
    for (size_t i = 0; i < count; i++) {
        buf_append(out, ugly_piece(rnd));
        if (i + 1 < count || rnd_below(rnd, 2) == 0)
            ugly_append_ending(rnd, out);
    }
}
