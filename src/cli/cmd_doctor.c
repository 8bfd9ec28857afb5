// SPDX-License-Identifier: Apache-2.0
// Says which step of a set-up fails. Looks at everything and changes nothing (opening a log drops
// what a crash left half written, as every command does).
#include "api/setup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "engine/engine.h"
#include "store/storedir.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

struct examination {
    struct cli *cli;
    json_t *list;
    size_t problems;
    const char *stream; // whose log is being read
};

static void finding(struct examination *exam, const char *what, bool good, const char *text)
{
    exam->problems += !good;
    json_array_append_new(exam->list,
                          json_pack("{s:s, s:b, s:s}", "check", what, "ok", good, "text", text));
    if (!exam->cli->json)
        fprintf(exam->cli->out, "%-8s %-28s %s\n", good ? "ok" : "PROBLEM", what, text);
}

static void check_disk(struct examination *exam, const char *home)
{
    struct statvfs disk;
    char size[24];
    char text[256];
    if (statvfs(home, &disk) != 0) {
        snprintf(text, sizeof text, "cannot look at %.160s: %s", home, strerror(errno));
        finding(exam, "disk", false, text);
        return;
    }
    uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
    const uint64_t wanted = 100 << 20;
    bool good = available >= wanted;
    snprintf(text, sizeof text, "%s free%s", table_size(available, size),
             good ? "" : ": less than 100 MiB, publishing will soon fail; make room");
    finding(exam, "disk", good, text);
}

static void report_damage(void *context, const struct msglog_damage *damage)
{
    struct examination *exam = context;
    char text[512];
    if (damage->seq != 0)
        snprintf(text, sizeof text, "message %llu is damaged: %s (%s at byte %llu)",
                 (unsigned long long)damage->seq, damage->text, damage->file,
                 (unsigned long long)damage->offset);
    else
        snprintf(text, sizeof text, "%s (%s at byte %llu)", damage->text, damage->file,
                 (unsigned long long)damage->offset);
    finding(exam, exam->stream, false, text);
}

static void check_stream(struct examination *exam, struct engine *engine,
                         const struct stream_config *config)
{
    struct stream *stream;
    struct errinfo err;
    char size[24];
    char text[128];
    size_t before = exam->problems;
    exam->stream = config->name;
    errinfo_clear(&err);
    enum status status = engine_stream(engine, bytes_of_string(config->name), clock_realtime_ns(),
                                       &stream, &err);
    if (status == STATUS_OK)
        status = msglog_check(stream_get_log(stream), report_damage, exam, &err);
    if (status != STATUS_OK) {
        finding(exam, config->name, false, err.text);
        return;
    }
    struct msglog_state state;
    msglog_state_get(stream_get_log(stream), &state);
    snprintf(text, sizeof text, "%llu messages, every byte read, %s on disk",
             (unsigned long long)state.messages, table_size(state.disk_bytes, size));
    if (exam->problems == before)
        finding(exam, config->name, true, text);
}

static enum status check_store(struct examination *exam, const char *home, int64_t lock_wait_ms)
{
    struct storedir *store = NULL;
    struct engine *engine = NULL;
    struct errinfo err;
    struct storedir_options options = {.holder = "agog doctor",
                                       .lock_wait_ms = (uint32_t)lock_wait_ms};
    errinfo_clear(&err);
    enum status status = storedir_open(&store, host_posix(), home, &options, &err);
    finding(exam, "store", status == STATUS_OK, status == STATUS_OK ? home : err.text);
    if (status == STATUS_OK) {
        check_disk(exam, home);
        if (storedir_format_damaged(store))
            finding(exam, "FORMAT", false,
                    "the file is damaged; everything can be read: agog init writes it anew");
        status = engine_open(&engine, host_posix(), store, &err);
        if (status != STATUS_OK)
            finding(exam, "streams", false, err.text);
    }
    for (size_t i = 0; status == STATUS_OK && i < engine_count(engine); i++)
        check_stream(exam, engine, engine_config(engine, i));
    engine_close(engine);
    storedir_close(store);
    return status;
}

static void show_setup(void *context, const struct setup_finding *found)
{
    struct examination *exam = context;
    char what[BUS_STREAM_NAME_SIZE + 16];
    char text[640];
    if (found->state == SETUP_OK)
        return;
    snprintf(what, sizeof what, "set-up of %s", found->stream);
    snprintf(text, sizeof text, "%s%s%s: agog init%s", setup_state_name(found->state),
             found->drift[0] == '\0' ? "" : ": ", found->drift,
             found->state == SETUP_MISSING ? " creates it" : " --repair mends it");
    finding(exam, what, false, text);
}

static void check_setup(struct examination *exam, struct hub *hub)
{
    struct bus *bus;
    struct errinfo err;
    size_t before = exam->problems;
    errinfo_clear(&err);
    enum status status = hub_bus(hub, HUB_READ, &bus, &err);
    if (status == STATUS_OK)
        status = setup_check(bus, SETUP_LOOK, show_setup, exam, &err);
    if (status != STATUS_OK)
        finding(exam, "set-up", false, err.text);
    else if (exam->problems == before)
        finding(exam, "set-up", true, "all agents' streams are as they should be");
}

// Opening the bus looks the name up, connects, logs in and asks for JetStream; its error says which
// of these failed.
static enum status check_server(struct examination *exam, struct hub *hub)
{
    struct bus *bus;
    struct bus_facts facts;
    struct errinfo err;
    char size[24];
    char text[256];
    errinfo_clear(&err);
    enum status status = hub_bus(hub, HUB_READ, &bus, &err);
    if (status == STATUS_OK)
        status = bus->operations->facts(bus, &facts, &err);
    finding(exam, "NATS", status == STATUS_OK, status == STATUS_OK ? facts.location : err.text);
    if (status != STATUS_OK)
        return status;
    bool good = facts.max_body_bytes >= LIMIT_REPORT_BYTES;
    snprintf(text, sizeof text, "reports of up to %s%s", table_size(facts.max_body_bytes, size),
             good ? ""
                  : ", and agog promises 10 MiB: set max_payload: 11MB in the server's "
                    "configuration and reload it");
    finding(exam, "max_payload", good, text);
    if (facts.caveat[0] != '\0')
        finding(exam, "version", false, facts.caveat);
    return STATUS_OK;
}

static enum status check_place(struct examination *exam, struct hub *hub)
{
    if (hub_is_remote(hub))
        return check_server(exam, hub);
    if (!hub_is_served(hub))
        return check_store(exam, hub_home(hub), hub_lock_wait_ms(hub));
    finding(exam, "store", true, "held by agog serve: stop it to have every stored byte read");
    return check_server(exam, hub);
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct hub *hub;
    struct examination exam = {.cli = cli, .list = json_array()};
    enum status status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK && check_place(&exam, hub) == STATUS_OK)
        check_setup(&exam, hub);
    if (status == STATUS_OK && cli->json)
        status = cli_print_json(
            cli, json_pack("{s:b, s:O}", "ok", exam.problems == 0, "checks", exam.list), err);
    json_decref(exam.list);
    if (status == STATUS_OK && exam.problems > 0)
        return errinfo_set(err, STATUS_UNHEALTHY, "%zu problem%s found, named above", exam.problems,
                           exam.problems == 1 ? "" : "s");
    return status;
}

const struct command cmd_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary =
        "Check the store, its disk, every stored byte and the set-up; or NATS and the set-up",
    .description =
        "Each line is a check: ok, or what is wrong and what to do. Exit code 12 when "
        "anything is\nwrong. Damaged messages are named; everything else stays readable.",
    .examples = "  $ agog doctor\n  $ agog doctor --json",
    .run = run,
};
