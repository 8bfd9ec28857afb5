// SPDX-License-Identifier: Apache-2.0
// The real reports in the directory that AGOG_TEST_CORPUS names, for tests that skip without it.
#pragma once

#include "base/bytes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct corpus_report {
    const char *file;
    const char *agent;
    const char *task;
    const char *feature;
    size_t tokens; // exact o200k_base, by an independent counter
    struct bytes text;
};

typedef void corpus_visit(const struct corpus_report *report, void *context);

static inline char *corpus_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *data = malloc(16 * 1024 * 1024);
    *size = data == NULL ? 0 : fread(data, 1, 16 * 1024 * 1024, file);
    fclose(file);
    return data;
}

static inline void corpus_visit_line(const char *root, struct bytes line, corpus_visit *visit,
                                     void *context)
{
    char path[4096];
    json_t *row = json_loadb(line.data, line.size, 0, NULL);
    struct corpus_report report = {
        .file = json_string_value(json_object_get(row, "file")),
        .agent = json_string_value(json_object_get(row, "agent")),
        .task = json_string_value(json_object_get(row, "task")),
        .feature = json_string_value(json_object_get(row, "feature")),
        .tokens = (size_t)json_integer_value(json_object_get(row, "o200k_tokens")),
    };
    snprintf(path, sizeof path, "%s/%s", root, report.file);
    char *data = corpus_read_file(path, &report.text.size);
    report.text.data = data;
    if (data == NULL)
        fail_msg("%s: in the manifest, but it cannot be read", path);
    visit(&report, context);
    free(data);
    json_decref(row);
}

// Visits every report; returns how many lines the manifest has, 0 when there is no corpus.
static inline size_t corpus_each(corpus_visit *visit, void *context)
{
    char path[4096];
    size_t count = 0;
    const char *root = getenv("AGOG_TEST_CORPUS");
    if (root == NULL)
        return 0;
    snprintf(path, sizeof path, "%s/manifest.jsonl", root);
    struct bytes rest = {NULL, 0};
    char *manifest = corpus_read_file(path, &rest.size);
    rest.data = manifest;
    while (rest.size > 0) {
        struct bytes line = bytes_cut(rest, '\n', &rest);
        if (line.size > 0)
            corpus_visit_line(root, line, visit, context);
        count += line.size > 0;
    }
    free(manifest);
    return count;
}

#define CORPUS_SKIP_UNLESS(count)                                                                  \
    do {                                                                                           \
        if ((count) == 0) {                                                                        \
            print_message("# skipped: no reports in AGOG_TEST_CORPUS\n");                          \
            skip();                                                                                \
        }                                                                                          \
    } while (0)
