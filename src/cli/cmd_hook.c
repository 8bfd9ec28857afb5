// SPDX-License-Identifier: Apache-2.0
// What an agent's harness calls when the agent ends: the event stands as JSON on standard input,
// and the agent's last message becomes its report, so that nothing is written twice. Understood are
// the Stop and SubagentStop events of Claude Code and their like: the message in
// last_assistant_message (or last-assistant-message, message, result), else the last assistant's
// text in the transcript that transcript_path names.
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/publish.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_BYTES_MAX = 4 * LIMIT_REPORT_BYTES, TRANSCRIPT_BYTES_MAX = 512 << 20 };

static const char *first_text(const json_t *event, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        const char *text = json_string_value(json_object_get(event, *keys));
        if (text != NULL && text[0] != '\0')
            return text;
    }
    return NULL;
}

// The text of one line of a transcript, when it is an assistant's: its parts of type "text",
// joined.
static bool assistant_text(struct bytes line, struct buf *out)
{
    size_t index;
    const json_t *part;
    json_t *entry = json_loadb(line.data == NULL ? "" : line.data, line.size, 0, NULL);
    const json_t *message = json_object_get(entry, "message");
    const char *role = json_string_value(
        json_object_get(message == NULL ? entry : message, "role"));
    const json_t *content = json_object_get(message == NULL ? entry : message, "content");
    bool found = false;
    if (role != NULL && strcmp(role, "assistant") == 0) {
        buf_clear(out);
        if (json_is_string(content))
            buf_append_string(out, json_string_value(content));
        json_array_foreach(content, index, part)
        {
            const char *text = json_string_value(json_object_get(part, "text"));
            if (text != NULL)
                buf_append_string(out, text);
        }
        found = out->size > 0;
    }
    json_decref(entry);
    return found;
}

static enum status read_transcript(struct cli *cli, const char *path, struct buf *out,
                                   struct errinfo *err)
{
    struct buf whole;
    enum status status = cli_read_file(cli, path, TRANSCRIPT_BYTES_MAX, &whole, err);
    if (status != STATUS_OK)
        return status;
    struct bytes rest = buf_bytes(&whole);
    bool found = false;
    // From the end: the last line that an assistant wrote text in.
    while (!found && rest.size > 0) {
        size_t start = rest.size;
        while (start > 0 && rest.data[start - 1] != '\n')
            start--;
        found = assistant_text(bytes_from(rest, start), out);
        rest.size = start == 0 ? 0 : start - 1;
    }
    buf_fini(&whole);
    return found ? buf_status(out)
                 : errinfo_set(err, STATUS_NOT_FOUND, "no assistant's message in the transcript");
}

static enum status find_report(struct cli *cli, const json_t *event, struct buf *report,
                               struct errinfo *err)
{
    static const char *const keys[] = {"last_assistant_message", "last-assistant-message",
                                       "message", "result", NULL};
    static const char *const paths[] = {"agent_transcript_path", "transcript_path", NULL};
    const char *text = first_text(event, keys);
    const char *path = first_text(event, paths);
    if (text != NULL) {
        buf_append_string(report, text);
        return buf_status(report);
    }
    if (path == NULL)
        return errinfo_set(err, STATUS_INVALID,
                           "the event has neither last_assistant_message nor transcript_path");
    return read_transcript(cli, path, report, err);
}

// Names come from the command line, else from the environment of the agent's process.
static enum status take_name(const struct cli *cli, size_t argument, const char *variable,
                             struct bytes *name, struct errinfo *err)
{
    *name = cli_argument(cli, argument);
    if (name->size == 0)
        *name = bytes_of_string(getenv(variable));
    if (name->size == 0)
        return errinfo_set(err, STATUS_USAGE,
                           "agog hook AGENT TYPE FEATURE: what is missing is taken from %s, which "
                           "is not set",
                           variable);
    return STATUS_OK;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct buf input, body;
    struct publish_request request = {
        .run = bytes_of_string(getenv("AGOG_RUN")),
        .base = PUBLISH_ANY_BASE,
        .status = NOTICE_COMPLETE,
    };
    enum status status = take_name(cli, 0, "AGOG_AGENT", &request.agent, err);
    if (status == STATUS_OK)
        status = take_name(cli, 1, "AGOG_TYPE", &request.type, err);
    if (status == STATUS_OK)
        status = take_name(cli, 2, "AGOG_FEATURE", &request.feature, err);
    if (status == STATUS_OK)
        status = cli_read_file(cli, "-", EVENT_BYTES_MAX, &input, err);
    if (status != STATUS_OK)
        return status;
    json_error_t where;
    json_t *event = json_loadb(input.data == NULL ? "" : input.data, input.size, 0, &where);
    buf_init(&body, EVENT_BYTES_MAX);
    if (!json_is_object(event))
        status = errinfo_set(err, STATUS_INVALID, "the event on standard input is no JSON object");
    if (status == STATUS_OK)
        status = find_report(cli, event, &body, err);
    request.body = buf_bytes(&body);
    if (status == STATUS_OK)
        status = answer_publish(cli, &request, err);
    json_decref(event);
    buf_fini(&body);
    buf_fini(&input);
    return status;
}

const struct command cmd_hook = {
    .name = "hook",
    .arguments = "[AGENT TYPE FEATURE]",
    .summary = "Publish an agent's final message from its harness's Stop event",
    .description =
        "The event is read as JSON from standard input, as Claude Code's Stop and SubagentStop\n"
        "hooks give it. Names that are not given come from AGOG_AGENT, AGOG_TYPE, AGOG_FEATURE.",
    .examples = "  $ agog hook cynthia research customer-search < event.json\n"
                "  In .claude/settings.json, under hooks.SubagentStop: \"command\": \"agog hook\"",
    .arguments_max = 3,
    .run = run,
};
