// SPDX-License-Identifier: Apache-2.0
#include "server/conf_text.h"

#include <stdlib.h>
#include <string.h>

void conf_text_init(struct conf_text *text, struct bytes content, const char *file)
{
    *text = (struct conf_text){.text = content, .line = 1, .file = file};
}

bool conf_text_ended(const struct conf_text *text)
{
    return text->at == text->text.size;
}

char conf_text_peek(const struct conf_text *text)
{
    return conf_text_ended(text) ? '\0' : text->text.data[text->at];
}

void conf_text_step(struct conf_text *text)
{
    if (conf_text_ended(text))
        return;
    if (text->text.data[text->at] == '\n') {
        text->line++;
        text->line_start = text->at + 1;
    }
    text->at++;
}

struct conf_place conf_text_place(const struct conf_text *text)
{
    return (struct conf_place){.file = text->file,
                               .line = text->line,
                               .column = (unsigned)(text->at - text->line_start + 1)};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_space(char c)
{
    return is_blank(c) || is_line_end(c) || c == '\v' || c == '\f';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void conf_text_skip_blanks(struct conf_text *text)
{
    while (is_blank(conf_text_peek(text)))
        conf_text_step(text);
}

void conf_text_skip_space(struct conf_text *text)
{
    while (is_space(conf_text_peek(text)))
        conf_text_step(text);
}

bool conf_text_skip_comment(struct conf_text *text)
{
    struct bytes rest = bytes_from(text->text, text->at);
    if (!bytes_start_with(rest, BYTES("#")) && !bytes_start_with(rest, BYTES("//")))
        return false;
    while (!conf_text_ended(text) && !is_line_end(conf_text_peek(text)))
        conf_text_step(text);
    return true;
}

void conf_text_skip_comments(struct conf_text *text)
{
    do
        conf_text_skip_space(text);
    while (conf_text_skip_comment(text));
}

// What a quote holds, byte for byte; the text stands behind the closing quote afterwards.
static enum status quoted_as_it_is(struct conf_text *text, struct bytes *out, struct errinfo *err)
{
    struct conf_place place = conf_text_place(text);
    char quote = conf_text_peek(text);
    conf_text_step(text);
    size_t start = text->at;
    while (!conf_text_ended(text) && conf_text_peek(text) != quote)
        conf_text_step(text);
    if (conf_text_ended(text))
        return conf_error(&place, STATUS_INVALID, err, "this quote is never closed");
    *out = bytes_slice(text->text, start, text->at - start);
    conf_text_step(text);
    return STATUS_OK;
}

static bool ends_key(char c)
{
    return is_space(c) || c == ':' || c == '=' || c == '{' || c == '}' || c == '\0';
}

enum status conf_text_key(struct conf_text *text, struct bytes *key, bool *quoted,
                          struct errinfo *err)
{
    struct conf_place place = conf_text_place(text);
    char first = conf_text_peek(text);
    *quoted = first == '"' || first == '\'';
    if (*quoted) {
        enum status status = quoted_as_it_is(text, key, err);
        if (status != STATUS_OK || key->size > 0)
            return status;
        return conf_error(&place, STATUS_INVALID, err, "the key is empty");
    }
    size_t start = text->at;
    while (!ends_key(conf_text_peek(text)))
        conf_text_step(text);
    *key = bytes_slice(text->text, start, text->at - start);
    if (key->size == 0 || strchr(",;[]()", first) != NULL) {
        char quote[ERRINFO_QUOTED_MAX];
        return conf_error(&place, STATUS_INVALID, err, "expected a key, but found %s",
                          errinfo_quote(bytes_slice(text->text, start, 1), quote));
    }
    return STATUS_OK;
}

static bool ends_file_name(char c)
{
    return is_space(c) || c == ';' || c == '}' || c == '\0';
}

enum status conf_text_file(struct conf_text *text, struct bytes *name, struct errinfo *err)
{
    struct conf_place place = conf_text_place(text);
    char first = conf_text_peek(text);
    if (first == '"' || first == '\'') {
        enum status status = quoted_as_it_is(text, name, err);
        if (status != STATUS_OK || name->size > 0)
            return status;
        return conf_error(&place, STATUS_INVALID, err, "include names no file");
    }
    size_t start = text->at;
    while (!ends_file_name(conf_text_peek(text)))
        conf_text_step(text);
    *name = bytes_slice(text->text, start, text->at - start);
    if (name->size == 0 || strchr("[{(\\", first) != NULL)
        return conf_error(&place, STATUS_INVALID, err, "include takes the name of one file");
    return STATUS_OK;
}

enum status conf_text_no_room(const struct arena *arena, size_t size, struct errinfo *err)
{
    if (arena_full(arena, size))
        return errinfo_set(err, STATUS_LIMIT, "the configuration takes more than %d bytes",
                           CONF_BYTES_MAX);
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the configuration");
}

static enum status set_text(struct arena *arena, struct bytes found, struct conf_value *value,
                            struct errinfo *err)
{
    struct bytes copy = arena_copy(arena, found);
    if (copy.data == NULL)
        return conf_text_no_room(arena, found.size + 1, err);
    value->type = CONF_STRING;
    value->is.text = copy;
    return STATUS_OK;
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The text stands behind a backslash; takes what is escaped there.
static enum status escaped(struct conf_text *text, char *out, struct errinfo *err)
{
    struct conf_place place = conf_text_place(text);
    struct bytes rest = bytes_from(text->text, text->at);
    char simple = '\0';
    switch (conf_text_peek(text)) {
    case 't': simple = '\t'; break;
    case 'n': simple = '\n'; break;
    case 'r': simple = '\r'; break;
    case '"':
    case '\\': simple = conf_text_peek(text); break;
    default: break;
    }
    if (simple != '\0') {
        *out = simple;
        conf_text_step(text);
        return STATUS_OK;
    }
    int high = rest.size > 2 && rest.data[0] == 'x' ? hex_digit(rest.data[1]) : -1;
    int low = high >= 0 ? hex_digit(rest.data[2]) : -1;
    // A NUL would cut the value where C strings are made of it.
    if (low < 0 || (high == 0 && low == 0))
        return conf_error(&place, STATUS_INVALID, err,
                          "unknown escape: \\xHH (not 00), \\t, \\n, \\r, \\\" and \\\\ are known; "
                          "single quotes take a backslash as it is");
    for (int i = 0; i < 3; i++)
        conf_text_step(text);
    *out = (char)(unsigned char)(high * 16 + low);
    return STATUS_OK;
}

static bool ends_word(char c)
{
    return is_space(c) || c == ',' || c == ';' || c == ']' || c == '}' || c == '\0';
}

// Copies up to the closing quote, or without one to the end of the word, with escapes resolved.
static enum status unescaped(struct conf_text *text, char quote, char *out, size_t *size,
                             struct errinfo *err)
{
    struct conf_place place = conf_text_place(text);
    size_t count = 0;
    for (;;) {
        char c = conf_text_peek(text);
        if (quote != '\0' ? c == quote : ends_word(c))
            break;
        if (conf_text_ended(text))
            return conf_error(&place, STATUS_INVALID, err, "this quote is never closed");
        conf_text_step(text);
        if (c == '\\') {
            enum status status = escaped(text, &c, err);
            if (status != STATUS_OK)
                return status;
        }
        out[count++] = c;
    }
    *size = count;
    return STATUS_OK;
}

// The end of what stands between here and the quote or the end of the word, escapes unresolved.
static size_t length_of(const struct conf_text *text, char quote)
{
    size_t at = text->at;
    while (at < text->text.size) {
        char c = text->text.data[at];
        if (quote != '\0' ? c == quote : ends_word(c))
            break;
        at += c == '\\' && at + 1 < text->text.size ? 2 : 1;
    }
    return at - text->at;
}

static enum status escaped_text(struct conf_text *text, char quote, struct arena *arena,
                                struct conf_value *value, struct errinfo *err)
{
    size_t size = 0;
    size_t room = length_of(text, quote) + 1;
    char *out = arena_alloc(arena, room);
    if (out == NULL)
        return conf_text_no_room(arena, room, err);
    enum status status = unescaped(text, quote, out, &size, err);
    if (status != STATUS_OK)
        return status;
    if (quote != '\0')
        conf_text_step(text);
    value->type = CONF_STRING;
    value->is.text = bytes_of(out, size);
    return STATUS_OK;
}

// A block string: all between the parenthesis and a line that holds only the closing one.
static enum status block_text(struct conf_text *text, struct arena *arena, struct conf_value *value,
                              struct errinfo *err)
{
    struct conf_place place = conf_text_place(text);
    conf_text_step(text);
    size_t start = text->at;
    size_t line = SIZE_MAX; // where the current line starts, once one has
    while (!conf_text_ended(text)) {
        if (line != SIZE_MAX) {
            struct bytes rest = bytes_from(text->text, line);
            struct bytes after;
            struct bytes whole = bytes_trim(bytes_cut(rest, '\n', &after));
            if (bytes_equal(whole, BYTES(")"))) {
                struct bytes held = bytes_slice(text->text, start, line - start);
                while (conf_text_peek(text) != ')')
                    conf_text_step(text);
                conf_text_step(text);
                return set_text(arena, held, value, err);
            }
        }
        while (!conf_text_ended(text) && conf_text_peek(text) != '\n')
            conf_text_step(text);
        conf_text_step(text);
        line = text->at;
    }
    return conf_error(&place, STATUS_INVALID, err,
                      "this block string is never closed by a line with nothing but )");
}

struct suffix {
    const char *name;
    unsigned base;
    unsigned power;
};

static const struct suffix suffixes[] = {
    {"", 1, 0},       {"k", 1000, 1},   {"kb", 1024, 1},  {"ki", 1024, 1},  {"kib", 1024, 1},
    {"m", 1000, 2},   {"mb", 1024, 2},  {"mi", 1024, 2},  {"mib", 1024, 2}, {"g", 1000, 3},
    {"gb", 1024, 3},  {"gi", 1024, 3},  {"gib", 1024, 3}, {"t", 1000, 4},   {"tb", 1024, 4},
    {"ti", 1024, 4},  {"tib", 1024, 4}, {"p", 1000, 5},   {"pb", 1024, 5},  {"pi", 1024, 5},
    {"pib", 1024, 5}, {"e", 1000, 6},   {"eb", 1024, 6},  {"ei", 1024, 6},  {"eib", 1024, 6},
};

static const struct suffix *suffix_of(struct bytes text)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (bytes_equal_nocase(text, bytes_of_string(suffixes[i].name)))
            return &suffixes[i];
    }
    return NULL;
}

static size_t digits_at(struct bytes word, size_t at)
{
    size_t count = 0;
    while (at + count < word.size && is_digit(word.data[at + count]))
        count++;
    return count;
}

enum reading { READ_NO, READ_YES, READ_TOO_LARGE };

static enum reading read_integer(struct bytes word, int64_t *out)
{
    size_t sign = word.size > 0 && word.data[0] == '-' ? 1 : 0;
    size_t digits = digits_at(word, sign);
    const struct suffix *suffix = suffix_of(bytes_from(word, sign + digits));
    uint64_t magnitude;
    if (digits == 0 || suffix == NULL)
        return READ_NO;
    if (!bytes_to_u64(bytes_slice(word, sign, digits), &magnitude))
        return READ_TOO_LARGE;
    for (unsigned i = 0; i < suffix->power; i++) {
        if (magnitude > (uint64_t)INT64_MAX / suffix->base)
            return READ_TOO_LARGE;
        magnitude *= suffix->base;
    }
    if (magnitude > (uint64_t)INT64_MAX)
        return READ_TOO_LARGE;
    *out = sign > 0 ? -(int64_t)magnitude : (int64_t)magnitude;
    return READ_YES;
}

static bool read_number(struct bytes word, double *out)
{
    size_t sign = word.size > 0 && word.data[0] == '-' ? 1 : 0;
    size_t whole = digits_at(word, sign);
    size_t point = sign + whole;
    if (whole == 0 || point >= word.size || word.data[point] != '.')
        return false;
    size_t part = digits_at(word, point + 1);
    if (part == 0 || point + 1 + part != word.size)
        return false;
    // Digits are read by hand: strtod would take the decimal point from the locale.
    double value = 0;
    double scale = 1;
    for (size_t i = sign; i < word.size; i++) {
        if (i == point)
            continue;
        value = value * 10 + (word.data[i] - '0');
        scale *= i > point ? 10 : 1;
    }
    // Hundreds of digits leave the range of a double, on either side of the fraction.
    if (value > 1e300 || scale > 1e300)
        return false;
    *out = sign > 0 ? -value / scale : value / scale;
    return true;
}

// Two or four digits of the form below.
static unsigned field(struct bytes word, size_t at, size_t size)
{
    uint64_t number = 0;
    bytes_to_u64(bytes_slice(word, at, size), &number);
    return (unsigned)number;
}

static enum reading read_date(struct bytes word, int64_t *out)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (word.size != sizeof form - 1)
        return READ_NO;
    for (size_t i = 0; i < word.size; i++) {
        if (form[i] == '0' ? !is_digit(word.data[i]) : word.data[i] != form[i])
            return READ_NO;
    }
    unsigned year = field(word, 0, 4);
    unsigned month = field(word, 5, 2);
    unsigned day = field(word, 8, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    unsigned seconds = field(word, 11, 2) * 3600 + field(word, 14, 2) * 60 + field(word, 17, 2);
    if (month < 1 || month > 12 || day < 1 || field(word, 11, 2) > 23 || field(word, 14, 2) > 59 ||
        field(word, 17, 2) > 59)
        return READ_TOO_LARGE;
    if (day > month_days[month - 1] + (leap && month == 2 ? 1U : 0U))
        return READ_TOO_LARGE;
    // Days since the year -400, with years that begin in March so that the leap day comes last.
    int64_t y = (int64_t)year + 400 - (month < 3 ? 1 : 0);
    int64_t days = 365 * y + y / 4 - y / 100 + y / 400;
    days += (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    // 146097 days are 400 years, and 719468 lie between that year 0 and 1970.
    *out = (days - 146097 - 719468) * 86400 + seconds;
    return READ_YES;
}

static bool read_bool(struct bytes word, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bytes_equal_nocase(word, bytes_of_string(words[i]))) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

// Unlike nats-server any version of bcrypt's digest is taken, not 2a alone.
static bool is_bcrypt(struct bytes word)
{
    return bytes_start_with(word, BYTES("$2a$")) || bytes_start_with(word, BYTES("$2b$")) ||
           bytes_start_with(word, BYTES("$2y$"));
}

static enum status bare_word(struct conf_text *text, struct arena *arena, struct conf_value *value,
                             bool *variable, struct errinfo *err)
{
    struct conf_place place = conf_text_place(text);
    size_t length = length_of(text, '\0');
    struct bytes word = bytes_slice(text->text, text->at, length);
    char quote[ERRINFO_QUOTED_MAX];
    if (length == 0)
        return conf_error(&place, STATUS_INVALID, err, "expected a value");
    if (bytes_find_byte(word, '\\') != SIZE_MAX)
        return escaped_text(text, '\0', arena, value, err);
    if (bytes_find_byte(word, '\'') != SIZE_MAX)
        return conf_error(&place, STATUS_INVALID, err,
                          "%s has a quote inside: put all of it into double quotes",
                          errinfo_quote(word, quote));
    for (size_t i = 0; i < length; i++)
        conf_text_step(text);
    enum reading integer = read_integer(word, &value->is.integer);
    enum reading date = integer == READ_NO ? read_date(word, &value->is.time_s) : READ_NO;
    if (integer == READ_TOO_LARGE || date == READ_TOO_LARGE)
        return conf_error(&place, STATUS_INVALID, err, "%s is out of range",
                          errinfo_quote(word, quote));
    if (integer == READ_YES)
        value->type = CONF_INTEGER;
    else if (date == READ_YES)
        value->type = CONF_DATE;
    else if (read_bool(word, &value->is.truth))
        value->type = CONF_BOOL;
    else if (read_number(word, &value->is.number))
        value->type = CONF_NUMBER;
    else {
        *variable = word.data[0] == '$' && !is_bcrypt(word);
        return set_text(arena, bytes_from(word, *variable ? 1 : 0), value, err);
    }
    return STATUS_OK;
}

enum status conf_text_scalar(struct conf_text *text, struct arena *arena, struct conf_value *value,
                             bool *variable, struct errinfo *err)
{
    struct bytes held;
    enum status status;
    *variable = false;
    switch (conf_text_peek(text)) {
    case '"': conf_text_step(text); return escaped_text(text, '"', arena, value, err);
    case '\'':
        status = quoted_as_it_is(text, &held, err);
        return status == STATUS_OK ? set_text(arena, held, value, err) : status;
    case '(': return block_text(text, arena, value, err);
    default: return bare_word(text, arena, value, variable, err);
    }
}
