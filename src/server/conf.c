// SPDX-License-Identifier: Apache-2.0
#include "server/conf.h"

#include <stdarg.h>
#include <stdio.h>

enum status conf_error(const struct conf_place *place, enum status status, struct errinfo *err,
                       const char *format, ...)
{
    char text[ERRINFO_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (place->line == 0)
        return errinfo_set(err, status, "%s", text);
    return errinfo_set(err, status, "%s:%u:%u: %s", place->file, place->line, place->column, text);
}

const char *conf_type_name(enum conf_type type)
{
    switch (type) {
    case CONF_STRING: return "a string";
    case CONF_BOOL: return "a boolean";
    case CONF_INTEGER: return "an integer";
    case CONF_NUMBER: return "a number with a decimal point";
    case CONF_DATE: return "a date";
    case CONF_ARRAY: return "an array";
    case CONF_BLOCK: return "a block";
    }
    return "a value";
}

void conf_fini(struct conf *conf)
{
    arena_fini(&conf->arena);
    conf->root = (struct conf_value){.type = CONF_BLOCK};
}

const struct conf_value *conf_find(const struct conf_value *block, struct bytes key)
{
    if (block->type != CONF_BLOCK)
        return NULL;
    for (const struct conf_value *value = block->is.list.first; value != NULL;
         value = value->next) {
        if (bytes_equal(value->key, key))
            return value;
    }
    return NULL;
}
