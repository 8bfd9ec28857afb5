// SPDX-License-Identifier: Apache-2.0
// The parser: a loop over what is expected next, with the open blocks and arrays in one stack
// (frames) and the open texts in another (sources). An included file and a variable of the
// environment are each a source with a frame of their own: what they hold is complete, and valid by
// itself, before the frame that asked for it takes it over. So neither can open or close anything
// outside, and variables are looked up no further than the file that uses them, as in nats-server.
#include "base/map.h"
#include "server/conf_text.h"

#include <string.h>

enum { PATH_BYTES_MAX = 4096, MAP_SEED = 0 };

enum frame_kind {
    FRAME_FILE,     // the first file
    FRAME_INCLUDE,  // another, whose entries go to the frame below
    FRAME_VARIABLE, // a variable of the environment, whose value goes to the frame below
    FRAME_BLOCK,
    FRAME_ARRAY,
};

struct frame {
    enum frame_kind kind;
    bool braced;              // a file within one pair of braces, which is open
    struct conf_value *list;  // what is being filled
    struct conf_value **last; // where an array's next value goes
    struct map members;       // of a block, by key
    struct bytes key;         // of the value that comes next
    struct conf_place key_place;
};

struct source {
    struct conf_text text;
    struct bytes variable; // the name, for a variable of the environment
};

enum expected { EXPECT_ENTRY, EXPECT_VALUE, EXPECT_END };

struct parser {
    const struct conf_input *input;
    struct arena arena;
    struct frame frames[CONF_DEPTH_MAX + CONF_FILES_MAX];
    size_t frame_count;
    struct source sources[CONF_FILES_MAX];
    size_t source_count;
    enum expected expected;
    bool finished;
    struct errinfo *err;
};

// The one key under which the environment's value is read, as if it stood in a file.
static const struct bytes variable_key = {"value", 5};

static struct frame *top(struct parser *parser)
{
    return &parser->frames[parser->frame_count - 1];
}

static struct source *source_of(struct parser *parser)
{
    return &parser->sources[parser->source_count - 1];
}

static struct conf_text *text_of(struct parser *parser)
{
    return &source_of(parser)->text;
}

static enum status fault(struct parser *parser, const char *what)
{
    struct conf_place place = conf_text_place(text_of(parser));
    return conf_error(&place, STATUS_INVALID, parser->err, "%s", what);
}

static void *room_for(struct parser *parser, size_t size, enum status *status)
{
    void *piece = arena_alloc(&parser->arena, size);
    *status = piece == NULL ? conf_text_no_room(&parser->arena, size, parser->err) : STATUS_OK;
    return piece;
}

static bool is_list(const struct conf_value *value)
{
    return value->type == CONF_ARRAY || value->type == CONF_BLOCK;
}

// Values that a variable repeats are shared, but whoever walks the tree meets each repetition: the
// weight counts them, so that a few lines cannot stand for millions of values.
static enum status add_weight(struct parser *parser, struct conf_value *list,
                              const struct conf_value *value)
{
    list->is.list.weight += 1 + (is_list(value) ? value->is.list.weight : 0);
    if (list->is.list.weight <= CONF_VALUES_MAX)
        return STATUS_OK;
    return conf_error(&value->place, STATUS_LIMIT, parser->err,
                      "the configuration holds more than %d values", CONF_VALUES_MAX);
}

static enum status append(struct parser *parser, struct frame *frame, struct conf_value *value)
{
    value->next = NULL;
    *frame->last = value;
    frame->last = &value->next;
    frame->list->is.list.count++;
    return add_weight(parser, frame->list, value);
}

// In a block a key that is there already takes the new value, and stays where it was.
static enum status put_member(struct parser *parser, struct frame *frame, struct conf_value *value)
{
    struct conf_value *old = map_find(&frame->members, value->key);
    if (old != NULL) {
        struct conf_value *next = old->next;
        bool used = old->used || value->used;
        *old = *value;
        old->next = next;
        old->used = used;
        return add_weight(parser, frame->list, value);
    }
    if (map_add(&frame->members, value->key, value) != STATUS_OK)
        return errinfo_set(parser->err, STATUS_NO_MEMORY, "no memory for the configuration");
    return append(parser, frame, value);
}

// A copy of what was read, in the frame that is open, under the key that was read before it.
static enum status put(struct parser *parser, struct conf_value value)
{
    enum status status;
    struct frame *frame = top(parser);
    struct conf_value *kept = room_for(parser, sizeof *kept, &status);
    if (kept == NULL)
        return status;
    *kept = value;
    parser->expected = EXPECT_END;
    if (frame->kind == FRAME_ARRAY)
        return append(parser, frame, kept);
    kept->key = frame->key;
    kept->place = frame->key_place;
    return put_member(parser, frame, kept);
}

static enum status push_frame(struct parser *parser, enum frame_kind kind)
{
    enum status status;
    if (kind >= FRAME_BLOCK && parser->frame_count - parser->source_count >= CONF_DEPTH_MAX)
        return fault(parser, "blocks and arrays are nested too deep");
    struct conf_value *list = room_for(parser, sizeof *list, &status);
    if (list == NULL)
        return status;
    list->type = kind == FRAME_ARRAY ? CONF_ARRAY : CONF_BLOCK;
    list->place = conf_text_place(text_of(parser));
    struct frame *frame = &parser->frames[parser->frame_count++];
    *frame = (struct frame){.kind = kind, .list = list, .last = &list->is.list.first};
    map_init(&frame->members, MAP_SEED);
    parser->expected = EXPECT_ENTRY;
    return STATUS_OK;
}

static struct conf_value pop_frame(struct parser *parser)
{
    struct frame *frame = top(parser);
    map_fini(&frame->members);
    parser->frame_count--;
    return *frame->list;
}

static enum status push_source(struct parser *parser, struct bytes content, const char *file,
                               struct bytes variable)
{
    if (parser->source_count == CONF_FILES_MAX)
        return fault(parser, "files and variables include each other too deep");
    if (bytes_find_byte(content, '\0') != SIZE_MAX)
        return errinfo_set(parser->err, STATUS_INVALID, "%s: a configuration has no NUL byte",
                           file);
    struct source *source = &parser->sources[parser->source_count++];
    conf_text_init(&source->text, content, file);
    source->variable = variable;
    return STATUS_OK;
}

// Include. ------------------------------------------------------------------------------------

// The name beside the including file, unless it is absolute.
static enum status path_of(struct parser *parser, const struct conf_place *place, struct bytes name,
                           const char **out)
{
    enum status status;
    const char *from = place->file;
    const char *slash = strrchr(from, '/');
    while (bytes_start_with(name, BYTES("./")) && name.size > 2)
        name = bytes_from(name, 2);
    size_t folder = slash == NULL || name.data[0] == '/' ? 0 : (size_t)(slash - from) + 1;
    if (folder + name.size >= PATH_BYTES_MAX)
        return conf_error(place, STATUS_LIMIT, parser->err,
                          "the path of the included file is longer than %d bytes", PATH_BYTES_MAX);
    char *path = room_for(parser, folder + name.size + 1, &status);
    if (path == NULL)
        return status;
    memcpy(path, from, folder);
    memcpy(path + folder, name.data, name.size);
    *out = path;
    return STATUS_OK;
}

static bool is_open(const struct parser *parser, const char *path)
{
    for (size_t i = 0; i < parser->source_count; i++) {
        if (strcmp(parser->sources[i].text.file, path) == 0)
            return true;
    }
    return false;
}

static enum status read_file(struct parser *parser, const char *path, struct bytes *content)
{
    struct buf read;
    buf_init(&read, CONF_TEXT_MAX);
    enum status status = parser->input->include(parser->input->context, path, &read, parser->err);
    if (status == STATUS_OK && buf_status(&read) != STATUS_OK)
        status = errinfo_set(parser->err, buf_status(&read), "%s has more than %d bytes", path,
                             CONF_TEXT_MAX);
    struct bytes copy = {NULL, 0};
    if (status == STATUS_OK) {
        copy = arena_copy(&parser->arena, buf_bytes(&read));
        if (copy.data == NULL)
            status = conf_text_no_room(&parser->arena, read.size + 1, parser->err);
    }
    buf_fini(&read);
    if (status == STATUS_OK)
        *content = copy;
    return status;
}

static enum status include_file(struct parser *parser, const struct conf_place *place)
{
    struct bytes name, content;
    char quote[ERRINFO_QUOTED_MAX];
    enum status status = conf_text_file(text_of(parser), &name, parser->err);
    if (status != STATUS_OK)
        return status;
    errinfo_quote(name, quote);
    if (parser->input->include == NULL || name.data[0] == '\0')
        return conf_error(place, STATUS_INVALID, parser->err, "include is not possible here");
    const char *path = NULL;
    status = path_of(parser, place, name, &path);
    if (status != STATUS_OK)
        return status;
    if (is_open(parser, path))
        return conf_error(place, STATUS_INVALID, parser->err, "%s includes itself", quote);
    status = read_file(parser, path, &content);
    if (status != STATUS_OK)
        return errinfo_wrap(parser->err, status, "%s:%u:%u: include %s", place->file, place->line,
                            place->column, quote);
    status = push_source(parser, content, path, (struct bytes){NULL, 0});
    return status == STATUS_OK ? push_frame(parser, FRAME_INCLUDE) : status;
}

static enum status take_over_entries(struct parser *parser)
{
    struct conf_value entries = pop_frame(parser);
    parser->source_count--;
    parser->expected = EXPECT_END;
    struct conf_value *next;
    for (struct conf_value *value = entries.is.list.first; value != NULL; value = next) {
        next = value->next;
        enum status status = put_member(parser, top(parser), value);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// Variables. ----------------------------------------------------------------------------------

// From the innermost block outwards, up to the file in which the variable is used.
static struct conf_value *find_in_blocks(struct parser *parser, struct bytes name)
{
    for (size_t i = parser->frame_count; i > 0; i--) {
        struct frame *frame = &parser->frames[i - 1];
        struct conf_value *found = map_find(&frame->members, name);
        if (found != NULL)
            return found;
        if (frame->kind < FRAME_BLOCK)
            return NULL;
    }
    return NULL;
}

static bool is_being_read(const struct parser *parser, struct bytes name)
{
    for (size_t i = 0; i < parser->source_count; i++) {
        const struct bytes *variable = &parser->sources[i].variable;
        if (variable->data != NULL && bytes_equal(*variable, name))
            return true;
    }
    return false;
}

static enum status use_variable(struct parser *parser, struct bytes name,
                                const struct conf_place *place)
{
    struct bytes found;
    enum status status;
    char quote[ERRINFO_QUOTED_MAX];
    struct conf_value *value = find_in_blocks(parser, name);
    if (value != NULL) {
        value->used = true;
        struct conf_value copy = *value;
        copy.used = false;
        copy.place = *place;
        copy.key = (struct bytes){NULL, 0};
        return put(parser, copy);
    }
    errinfo_quote(name, quote);
    if (is_being_read(parser, name))
        return conf_error(place, STATUS_INVALID, parser->err, "the variable %s refers to itself",
                          quote);
    if (parser->input->environment == NULL ||
        !parser->input->environment(parser->input->context, name.data, &found))
        return conf_error(place, STATUS_INVALID, parser->err,
                          "the variable %s is neither in a block around it nor in the environment",
                          quote);
    // The environment's text is read as if it stood behind "value=" in a file.
    size_t size = variable_key.size + 1 + found.size;
    char *content = room_for(parser, size + name.size + 2, &status);
    if (content == NULL)
        return status;
    memcpy(content, variable_key.data, variable_key.size);
    content[variable_key.size] = '=';
    if (found.size > 0)
        memcpy(content + variable_key.size + 1, found.data, found.size);
    char *file = content + size;
    file[0] = '$';
    memcpy(file + 1, name.data, name.size);
    status = push_source(parser, bytes_of(content, size), file, name);
    return status == STATUS_OK ? push_frame(parser, FRAME_VARIABLE) : status;
}

static enum status take_over_value(struct parser *parser)
{
    struct conf_value *found = map_find(&top(parser)->members, variable_key);
    if (found == NULL)
        return fault(parser, "the variable has no value");
    struct conf_value value = *found;
    value.key = (struct bytes){NULL, 0};
    pop_frame(parser);
    parser->source_count--;
    value.place = conf_text_place(text_of(parser));
    return put(parser, value);
}

// The loop. -----------------------------------------------------------------------------------

static enum status close_list(struct parser *parser)
{
    conf_text_step(text_of(parser));
    struct conf_value list = pop_frame(parser);
    return put(parser, list);
}

static enum status at_end_of_text(struct parser *parser)
{
    struct frame *frame = top(parser);
    if (frame->kind >= FRAME_BLOCK)
        return conf_error(&frame->list->place, STATUS_INVALID, parser->err,
                          "this %s is never closed",
                          frame->kind == FRAME_ARRAY ? "array" : "block");
    if (frame->braced)
        return conf_error(&frame->list->place, STATUS_INVALID, parser->err,
                          "this brace is never closed");
    if (frame->kind == FRAME_INCLUDE)
        return take_over_entries(parser);
    if (frame->kind == FRAME_VARIABLE)
        return take_over_value(parser);
    parser->finished = true;
    return STATUS_OK;
}

static enum status close_brace(struct parser *parser)
{
    struct frame *frame = top(parser);
    if (frame->kind == FRAME_BLOCK)
        return close_list(parser);
    if (!frame->braced)
        return fault(parser, "this brace closes nothing");
    conf_text_step(text_of(parser));
    frame->braced = false;
    parser->expected = EXPECT_END;
    return STATUS_OK;
}

// Whether a key that was just read is the word include: no separator follows it.
static bool is_include(struct conf_text *text, struct bytes key)
{
    char next = conf_text_peek(text);
    if (!bytes_equal_nocase(key, BYTES("include")) || (next != ' ' && next != '\t'))
        return false;
    conf_text_skip_blanks(text);
    return conf_text_peek(text) != ':' && conf_text_peek(text) != '=';
}

static enum status read_key(struct parser *parser)
{
    struct conf_text *text = text_of(parser);
    struct frame *frame = top(parser);
    struct conf_place place = conf_text_place(text);
    struct bytes found;
    bool quoted;
    enum status status = conf_text_key(text, &found, &quoted, parser->err);
    if (status != STATUS_OK)
        return status;
    if (!quoted && is_include(text, found))
        return include_file(parser, &place);
    struct bytes kept = arena_copy(&parser->arena, found);
    if (kept.data == NULL)
        return conf_text_no_room(&parser->arena, found.size + 1, parser->err);
    conf_text_skip_space(text);
    if (conf_text_peek(text) == ':' || conf_text_peek(text) == '=') {
        conf_text_step(text);
        conf_text_skip_blanks(text);
        // In a block the value may stand on the next line; outside, a key whose value was forgotten
        // would swallow the next key.
        if (frame->kind == FRAME_BLOCK || frame->braced)
            conf_text_skip_space(text);
    }
    frame->key = kept;
    frame->key_place = place;
    parser->expected = EXPECT_VALUE;
    return STATUS_OK;
}

static enum status read_entry(struct parser *parser)
{
    struct conf_text *text = text_of(parser);
    struct frame *frame = top(parser);
    conf_text_skip_comments(text);
    char next = conf_text_peek(text);
    if (next == '\0')
        return at_end_of_text(parser);
    if (frame->kind == FRAME_ARRAY && next == ']')
        return close_list(parser);
    if (frame->kind == FRAME_ARRAY) {
        parser->expected = EXPECT_VALUE;
        return STATUS_OK;
    }
    if (next == '}')
        return close_brace(parser);
    if (next == '{' && frame->kind != FRAME_BLOCK && !frame->braced) {
        frame->list->place = conf_text_place(text);
        conf_text_step(text);
        frame->braced = true;
        return STATUS_OK;
    }
    return read_key(parser);
}

static enum status read_value(struct parser *parser)
{
    struct conf_text *text = text_of(parser);
    char next = conf_text_peek(text);
    if (next == '\0' || next == '\n' || next == '\r')
        return fault(parser, "expected a value");
    if (next == '[' || next == '{') {
        enum status status = push_frame(parser, next == '[' ? FRAME_ARRAY : FRAME_BLOCK);
        conf_text_step(text);
        return status;
    }
    struct conf_value read = {.place = conf_text_place(text)};
    bool is_variable;
    enum status status = conf_text_scalar(text, &parser->arena, &read, &is_variable, parser->err);
    if (status != STATUS_OK)
        return status;
    return is_variable ? use_variable(parser, read.is.text, &read.place) : put(parser, read);
}

// Behind a value: what separates it from the next, or closes its block.
static enum status read_end(struct parser *parser)
{
    struct conf_text *text = text_of(parser);
    bool array = top(parser)->kind == FRAME_ARRAY;
    conf_text_skip_blanks(text);
    conf_text_skip_comment(text);
    switch (conf_text_peek(text)) {
    case ';':
        if (array)
            break;
        // fall through
    case ',':
    case '\n':
    case '\r':
        conf_text_step(text);
        parser->expected = EXPECT_ENTRY;
        return STATUS_OK;
    case ']':
        if (!array)
            break;
        return close_list(parser);
    case '}':
        if (array)
            break;
        return close_brace(parser);
    case '\0': return at_end_of_text(parser);
    default: break;
    }
    return fault(parser, array ? "expected a comma, a line end or ] behind the value"
                               : "expected a comma, a line end or } behind the value");
}

static enum status run(struct parser *parser)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !parser->finished) {
        switch (parser->expected) {
        case EXPECT_ENTRY: status = read_entry(parser); break;
        case EXPECT_VALUE: status = read_value(parser); break;
        case EXPECT_END: status = read_end(parser); break;
        }
    }
    return status;
}

enum status conf_parse(const struct conf_input *input, struct conf *conf, struct errinfo *err)
{
    struct parser parser = {.input = input, .err = err};
    arena_init(&parser.arena, CONF_BYTES_MAX);
    struct bytes file = arena_copy(&parser.arena, bytes_of_string(input->file));
    if (file.data == NULL)
        return conf_text_no_room(&parser.arena, 1, err);
    enum status status = STATUS_OK;
    if (input->text.size > CONF_TEXT_MAX)
        status = errinfo_set(err, STATUS_LIMIT, "%s has more than %d bytes", file.data,
                             CONF_TEXT_MAX);
    if (status == STATUS_OK)
        status = push_source(&parser, input->text, file.data, (struct bytes){NULL, 0});
    if (status == STATUS_OK)
        status = push_frame(&parser, FRAME_FILE);
    if (status == STATUS_OK)
        status = run(&parser);
    if (status == STATUS_OK) {
        conf->root = *top(&parser)->list;
        conf->arena = parser.arena;
    }
    while (parser.frame_count > 0)
        pop_frame(&parser);
    if (status != STATUS_OK)
        arena_fini(&parser.arena);
    return status;
}
