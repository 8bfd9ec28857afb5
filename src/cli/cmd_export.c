// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/describe.h"
#include "deliver/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096 };

struct export
{
    struct cli *cli;
    struct read_source source;
    const char *directory;
    json_t *manifest;
    size_t files;
    uint64_t bytes;
    struct errinfo *err;
};

// Makes each directory of a path that is ours to make.
static enum status make_directories(char *path, size_t from, struct errinfo *err)
{
    for (char *slash = strchr(path + from, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0777) != 0 && errno != EEXIST;
        if (failed)
            return errinfo_set_errno(err, errno, "cannot create %s", path);
        *slash = '/';
    }
    return STATUS_OK;
}

static enum status write_file(const char *path, struct bytes text, struct errinfo *err)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return errinfo_set_errno(err, errno, "cannot write %s", path);
    size_t written = text.size == 0 ? 0 : fwrite(text.data, 1, text.size, file);
    if (fclose(file) != 0 || written != text.size)
        return errinfo_set_errno(err, errno, "cannot write %s", path);
    return STATUS_OK;
}

static const char *extension(struct bytes body)
{
    struct bytes text = bytes_trim(body);
    bool json = text.size > 0 && (text.data[0] == '{' || text.data[0] == '[');
    return json ? "json" : "md";
}

// A feature becomes a file's name as it becomes a subject's token: no blank, dot or slash in it.
static enum status export_report(struct export *export, struct report *report, struct buf *storage)
{
    char token[NAME_TOKEN_SIZE];
    char path[PATH_SIZE];
    enum status status = read_body(export->source.bus, report, storage, export->err);
    if (status != STATUS_OK)
        return status;
    name_encode(bytes_of_string(report->ref.feature), token);
    size_t base = strlen(export->directory) + 1;
    int size = snprintf(path, sizeof path, "%s/%s/%s/%s/%llu.%s", export->directory,
                        report->ref.agent, report->ref.type, token,
                        (unsigned long long)report->ref.rev, extension(report->body));
    if (size < 0 || (size_t)size >= sizeof path)
        return errinfo_set(export->err, STATUS_INVALID, "the path of %s is too long", token);
    status = make_directories(path, base, export->err);
    if (status == STATUS_OK)
        status = write_file(path, report->body, export->err);
    if (status != STATUS_OK)
        return status;
    json_t *row = describe_report(report);
    json_object_set_new(row, "file", json_string(path + base));
    json_array_append_new(export->manifest, row);
    export->files++;
    export->bytes += report->body.size;
    return STATUS_OK;
}

static enum status export_revision(void *context, const struct report *head)
{
    struct export *export = context;
    struct report report;
    struct buf storage;
    struct ref ref = head->ref;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = read_report(&export->source, &ref, BUS_HEAD, &storage, &report,
                                     export->err);
    if (status == STATUS_OK)
        status = export_report(export, &report, &storage);
    buf_fini(&storage);
    return status;
}

static enum status export_deliverable(void *context, const struct report *latest)
{
    struct export *export = context;
    if (!cli_switch(export->cli, "all-revisions"))
        return export_revision(context, latest);
    return read_history(&export->source, &latest->ref, export_revision, context, export->err);
}

static enum status write_manifest(const struct export *export)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/manifest.json", export->directory);
    char *text = json_dumps(export->manifest, JSON_INDENT(1));
    if (text == NULL)
        return errinfo_set(export->err, STATUS_NO_MEMORY, "no memory for the manifest");
    enum status status = write_file(path, bytes_of_string(text), export->err);
    free(text);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct export export = {.cli = cli, .directory = cli->arguments[1], .err = err};
    struct read_filter filter = {.feature = cli_argument(cli, 0)};
    enum status status = answer_source_open(cli, &export.source, err);
    if (status != STATUS_OK)
        return status;
    if (strlen(export.directory) > PATH_SIZE / 2)
        return errinfo_set(err, STATUS_INVALID, "the directory's name is too long");
    if (mkdir(export.directory, 0777) != 0)
        return errinfo_set_errno(err, errno, "cannot create %s (an export goes to a new directory)",
                                 export.directory);
    export.manifest = json_array();
    status = read_list(&export.source, &filter, export_deliverable, &export, err);
    if (status == STATUS_OK)
        status = write_manifest(&export);
    json_decref(export.manifest);
    if (status == STATUS_OK && export.files == 0)
        return errinfo_set(err, STATUS_NOT_FOUND,
                           "feature %s has no reports (agog ls lists what there is)",
                           cli->arguments[0]);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(cli,
                              json_pack("{s:s, s:I, s:I}", "directory", export.directory, "files",
                                        (json_int_t) export.files, "bytes",
                                        (json_int_t) export.bytes),
                              err);
    fprintf(cli->out, "%zu reports, %llu bytes, manifest.json in %s\n", export.files,
            (unsigned long long)export.bytes, export.directory);
    return STATUS_OK;
}

static const struct option_spec options[] = {
    {.name = "all-revisions", .help = "every kept revision, not only the latest"},
};

const struct command cmd_export = {
    .name = "export",
    .arguments = "FEATURE DIRECTORY",
    .summary = "Write a feature's reports to files, with a manifest",
    .description =
        "Files are AGENT/TYPE/FEATURE/REV.md (or .json) in a new directory; manifest.json "
        "says\neverything about each.",
    .examples = "  $ agog export customer-search ./customer-search-reports",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
