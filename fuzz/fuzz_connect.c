// SPDX-License-Identifier: Apache-2.0
// CONNECT's JSON over any bytes. Promises held: what was read is text without NUL; a failure has
// one line of reason and changes nothing; whatever a text holds, INFO and -ERR stay one line and
// INFO's JSON gives it back.
#include "base/assert.h"
#include "base/utf8.h"
#include "wire/proto.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_one_line(struct bytes text)
{
    return bytes_end_with(text, BYTES("\r\n")) && bytes_find_byte(text, '\n') == text.size - 1 &&
           bytes_find_byte(text, '\r') == text.size - 2;
}

static void check_info(const char *name)
{
    struct server_info info = {.server_name = name, .connect_url = name, .port = 4222};
    struct buf out;
    buf_init(&out, SIZE_MAX);
    proto_put_info(&out, &info);
    struct bytes line = buf_bytes(&out);
    ASSERT(is_one_line(line));
    json_t *document = json_loadb(line.data + 5, line.size - 7, 0, NULL);
    const json_t *urls = json_object_get(document, "connect_urls");
    ASSERT(strcmp(json_string_value(json_object_get(document, "server_name")), name) == 0);
    ASSERT(strcmp(json_string_value(json_array_get(urls, 0)), name) == 0);
    json_decref(document);
    buf_clear(&out);
    proto_put_error(&out, name);
    ASSERT(is_one_line(buf_bytes(&out)));
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct connect_options options;
    struct errinfo err = {.text = ""};
    connect_options_init(&options);
    enum status status = connect_options_read(&options, bytes_of(data, size), &err);
    if (status == STATUS_OK) {
        const char *const texts[] = {options.name,     options.lang,  options.version,
                                     options.user,     options.token, options.nkey,
                                     options.password, options.jwt,   options.sig};
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            ASSERT(texts[i] == NULL || utf8_is_valid(bytes_of_string(texts[i])));
        if (options.name != NULL)
            check_info(options.name);
    } else {
        ASSERT(err.text[0] != '\0');
        ASSERT(bytes_find_byte(bytes_of_string(err.text), '\n') == SIZE_MAX);
        ASSERT(options.verbose && options.pedantic && options.echo && options.name == NULL);
    }
    connect_options_fini(&options);
    return 0;
}
