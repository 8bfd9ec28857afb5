// SPDX-License-Identifier: Apache-2.0
#include "deliver/plain.h"

#include "base/utf8.h"
#include "deliver/lines.h"
#include "deliver/markdown.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>
#include <string.h>

// Direction marks and overrides, and the byte order mark, can make a line say something else to a
// person than to a machine. Joiners and variation selectors stay: emoji are made with them.
static bool is_dropped(uint32_t code)
{
    return (code >= 0x200E && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF || code == 0x061C ||
           (code >= 0xE0000 && code <= 0xE007F);
}

static bool is_blank(uint32_t code)
{
    return code <= 0x20 || (code >= 0x7F && code <= 0xA0) || code == 0x2028 || code == 0x2029 ||
           code == 0x3000 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F;
}

static void clean_into(struct bytes text, size_t start, struct buf *out)
{
    bool gap = false;
    for (size_t at = 0; at < text.size;) {
        uint32_t code;
        bool valid;
        char encoded[4];
        at += utf8_decode(bytes_from(text, at), &code, &valid);
        if (is_dropped(code))
            continue;
        if (is_blank(code)) {
            gap = true;
            continue;
        }
        if (gap && out->size > start)
            buf_append_byte(out, ' ');
        gap = false;
        buf_append(out, bytes_of(encoded, utf8_encode(code, encoded)));
    }
}

void plain_clean(struct bytes text, struct buf *out)
{
    clean_into(text, out->size, out);
}

// Appends the text of a block's inlines, line ends kept as LF.
static void append_inlines(cmark_node *block, struct buf *out)
{
    cmark_iter *iter = cmark_iter_new(block);
    cmark_event_type event;
    while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
        cmark_node *node = cmark_iter_get_node(iter);
        cmark_node_type type = cmark_node_get_type(node);
        if (event != CMARK_EVENT_ENTER)
            continue;
        if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE)
            buf_append_string(out, cmark_node_get_literal(node));
        else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK)
            buf_append_byte(out, '\n');
    }
    cmark_iter_free(iter);
}

static cmark_node *parse(struct bytes head, struct bytes piece, struct bytes tail)
{
    markdown_ready();
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8);
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("table"));
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("strikethrough"));
    cmark_parser_feed(parser, head.data, head.size);
    cmark_parser_feed(parser, piece.data, piece.size);
    cmark_parser_feed(parser, tail.data, tail.size);
    cmark_node *document = cmark_parser_finish(parser);
    cmark_parser_free(parser);
    return document;
}

static bool has_marks(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '\0' && strchr("*_[]<>&\\~`!", text.data[i]) != NULL)
            return true;
    }
    return false;
}

void plain_line(struct bytes source, struct buf *out)
{
    char flat[PLAIN_LINE_BYTES];
    source = utf8_prefix(source, PLAIN_LINE_BYTES);
    if (!has_marks(source)) {
        plain_clean(source, out);
        return;
    }
    for (size_t i = 0; i < source.size; i++)
        flat[i] = source.data[i] == '\n' || source.data[i] == '\r' ? ' ' : source.data[i];
    // As a heading, so that "1. Scope" is no list; the control character at its end keeps a last
    // '#' from being taken for a closing mark, and is dropped by the cleaning.
    cmark_node *document = parse(BYTES("# "), bytes_of(flat, source.size), BYTES(" \x01\n"));
    struct buf text;
    buf_init(&text, 4 * PLAIN_LINE_BYTES);
    cmark_node *heading = cmark_node_first_child(document);
    if (heading != NULL)
        append_inlines(heading, &text);
    plain_clean(buf_bytes(&text), out);
    buf_fini(&text);
    cmark_node_free(document);
}

// "Agent: Roy", "REQ-1": a line that labels the report but says nothing about its matter.
static bool is_label(struct bytes line)
{
    enum { LABEL_MAX = 40, VALUE_MAX = 160 };
    line = bytes_trim(line);
    if (line.size == 0 || bytes_find_byte(line, ' ') == SIZE_MAX)
        return true;
    char last = line.data[line.size - 1];
    size_t colon = bytes_find(line, BYTES(": "));
    if (colon == SIZE_MAX)
        return line.size < LABEL_MAX && (unsigned char)last < 0x80 && last != '.' && last != ':';
    return colon <= LABEL_MAX && line.size - colon <= VALUE_MAX && last != '.' && last != '!' &&
           last != '?';
}

static bool is_all_labels(struct bytes text)
{
    struct lines lines;
    struct line line;
    lines_init(&lines, text);
    while (lines_next(&lines, &line)) {
        if (!is_label(bytes_slice(text, line.from, line.size)))
            return false;
    }
    return true;
}

// The text of the first paragraph of each item, with "; " between items.
static void append_items(cmark_node *list, struct buf *out)
{
    cmark_node *item = cmark_node_first_child(list);
    for (bool first = true; item != NULL; item = cmark_node_next(item)) {
        cmark_node *block = cmark_node_first_child(item);
        if (block == NULL || cmark_node_get_type(block) != CMARK_NODE_PARAGRAPH)
            continue;
        if (!first)
            buf_append_string(out, "; ");
        first = false;
        append_inlines(block, out);
    }
}

static cmark_node *enter_quotes(cmark_node *block)
{
    while (block != NULL && cmark_node_get_type(block) == CMARK_NODE_BLOCK_QUOTE &&
           cmark_node_first_child(block) != NULL)
        block = cmark_node_first_child(block);
    return block;
}

static bool ends_in_colon(const struct buf *text)
{
    struct bytes trimmed = bytes_trim(buf_bytes(text));
    return trimmed.size > 0 && trimmed.data[trimmed.size - 1] == ':';
}

static void find_text(cmark_node *document, struct buf *text)
{
    cmark_node *node = cmark_node_first_child(document);
    for (; node != NULL; node = cmark_node_next(node)) {
        cmark_node *block = enter_quotes(node);
        cmark_node_type type = cmark_node_get_type(block);
        if (type == CMARK_NODE_LIST) {
            append_items(block, text);
        } else if (type == CMARK_NODE_PARAGRAPH) {
            append_inlines(block, text);
            cmark_node *next = cmark_node_next(block);
            bool list_follows = next != NULL && cmark_node_get_type(next) == CMARK_NODE_LIST;
            if (ends_in_colon(text) && list_follows) {
                buf_append_byte(text, ' ');
                append_items(next, text);
            } else if (is_all_labels(buf_bytes(text))) {
                buf_clear(text);
            }
        }
        if (text->size > 0)
            return;
    }
}

void plain_first_text(struct bytes piece, struct buf *out)
{
    struct buf text;
    buf_init(&text, 4 * PLAIN_PIECE_BYTES);
    struct bytes looked_at = utf8_prefix(piece, PLAIN_PIECE_BYTES);
    cmark_node *document = parse(BYTES(""), looked_at, BYTES("\n"));
    find_text(document, &text);
    plain_clean(buf_bytes(&text), out);
    buf_fini(&text);
    cmark_node_free(document);
}

// The end of the sentence that ends last within size bytes, or 0. A sentence ends with . ! ? or
// their CJK forms before a blank or the end; a short capital or number before the point ("e.g.",
// "3.", "J.") does not end one.
static size_t last_sentence_end(struct bytes text, size_t size)
{
    for (size_t end = size; end > 0; end--) {
        char c = text.data[end - 1];
        bool at_blank = end == text.size || text.data[end] == ' ';
        if ((c == '!' || c == '?') && at_blank)
            return end;
        if (c == '.' && at_blank && end >= 4 && text.data[end - 2] != '.' &&
            text.data[end - 3] != '.' && text.data[end - 3] != ' ')
            return end;
        if (end >= 3 && bytes_equal(bytes_slice(text, end - 3, 3), BYTES("\xE3\x80\x82")))
            return end;
    }
    return 0;
}

static size_t last_word_end(struct bytes text, size_t size)
{
    size_t end = size;
    if (end < text.size && text.data[end] == ' ')
        return end;
    while (end > 0 && text.data[end - 1] != ' ')
        end--;
    // A word that would cost half of the text is cut instead.
    if (end < size / 2)
        return utf8_prefix(text, size).size;
    return end > 0 ? end - 1 : 0;
}

static size_t finish(struct bytes kept, const char *ellipsis, char *out)
{
    size_t size = strlen(ellipsis);
    while (kept.size > 0 && size > 0 && strchr(" ,;:-", kept.data[kept.size - 1]) != NULL)
        kept.size--;
    if (kept.size > 0)
        memmove(out, kept.data, kept.size);
    memcpy(out + kept.size, ellipsis, size + 1);
    return kept.size + size;
}

size_t plain_shorten(struct bytes text, size_t bytes_max, char *out)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    if (text.size <= bytes_max)
        return finish(text, "", out);
    size_t room = bytes_max < 3 ? 0 : bytes_max - 3;
    size_t end = last_sentence_end(text, room);
    if (end < room / 3)
        end = last_word_end(text, room);
    return finish(bytes_slice(text, 0, end), bytes_max < 3 ? "" : ellipsis, out);
}

size_t plain_sentences(struct bytes text, size_t bytes_max, char *out)
{
    if (text.size <= bytes_max)
        return finish(text, "", out);
    size_t end = last_sentence_end(text, bytes_max);
    if (end == 0)
        return plain_shorten(text, bytes_max, out);
    return finish(bytes_slice(text, 0, end), "", out);
}
