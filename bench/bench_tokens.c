// SPDX-License-Identifier: Apache-2.0
// Prints one JSON object about the token counter: MB/s over the reports of AGOG_TEST_CORPUS (or a
// generated text without it), beside the limit of reading the same bytes once; the first count of a
// 30 KB text in a fresh process, beside one when everything is warm; and hostile texts in MB/s.
#include "base/assert.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "deliver/tokens.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COLD_BYTES = 30000, HOSTILE_BYTES = 4 * 1024 * 1024, COLD_RUNS = 9 };

static size_t count(struct bytes text)
{
    size_t tokens = 0;
    ASSERT(tokens_count(text, &tokens) == STATUS_OK);
    return tokens;
}

static bool append_file(struct buf *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    for (size_t size = 1; size > 0;) {
        char *to = buf_reserve(out, 65536);
        ASSERT(to != NULL);
        size = fread(to, 1, 65536, file);
        out->size += size;
    }
    (void)fclose(file);
    return true;
}

// All reports one behind the other; false when there is no corpus.
static bool append_corpus(struct buf *out)
{
    const char *directory = getenv("AGOG_TEST_CORPUS");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/manifest.jsonl", directory == NULL ? "" : directory);
    struct buf manifest;
    buf_init(&manifest, SIZE_MAX);
    bool found = append_file(&manifest, path);
    for (struct bytes rest = buf_bytes(&manifest); rest.size > 0;) {
        struct bytes line = bytes_cut(rest, '\n', &rest);
        json_t *row = json_loadb(line.data, line.size, 0, NULL);
        const char *name = json_string_value(json_object_get(row, "file"));
        (void)snprintf(path, sizeof path, "%s/%s", directory, name == NULL ? "" : name);
        (void)append_file(out, path);
        json_decref(row);
    }
    buf_fini(&manifest);
    return found;
}

static uint32_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

static void append_prose(struct buf *out, size_t size)
{
    static const char *const words[] = {
        "The ",     "store ", "keeps ", "every ",
        "report ",  "whole",  ". ",     "\n\n## Findings\n\n",
        "- `src/a", ".c`: ",  "an ",    "agent ",
        "reads ",   "just",   ", ",     "| a | b |\n|---|---|\n",
        "measured", " 12.5 ", "ms ",    "durable ",
        "notice ",  "tokens", "; ",     "```c\nint x = 0;\n```\n",
    };
    uint64_t state = 1;
    while (out->size < size)
        buf_append_string(out, words[random_next(&state) % (sizeof words / sizeof words[0])]);
}

static double megabytes_per_s(struct bytes text, int64_t ns)
{
    return (double)text.size * 1000.0 / (double)ns;
}

// The best of three, so that a neighbour's work does not show.
static double speed(struct bytes text)
{
    double best = 0;
    for (int i = 0; i < 3; i++) {
        int64_t start = clock_monotonic_ns();
        (void)count(text);
        double now = megabytes_per_s(text, clock_monotonic_ns() - start);
        best = now > best ? now : best;
    }
    return best;
}

static double read_speed(struct bytes text)
{
    int64_t start = clock_monotonic_ns();
    ASSERT(utf8_is_valid(text));
    return megabytes_per_s(text, clock_monotonic_ns() - start);
}

static int64_t count_ns(struct bytes text)
{
    int64_t start = clock_monotonic_ns();
    (void)count(text);
    return clock_monotonic_ns() - start;
}

// In a child that has never counted: it shares no page of the vocabulary that it would not have to
// fault in, because the parent has not touched one yet either.
static int64_t cold_ns(struct bytes text)
{
    int ends[2];
    ASSERT(pipe(ends) == 0);
    pid_t child = fork();
    ASSERT(child >= 0);
    int64_t ns = 0;
    if (child == 0) {
        ns = count_ns(text);
        _exit(write(ends[1], &ns, sizeof ns) == (ssize_t)sizeof ns ? 0 : 1);
    }
    ASSERT(read(ends[0], &ns, sizeof ns) == (ssize_t)sizeof ns);
    ASSERT(waitpid(child, NULL, 0) == child);
    close(ends[0]);
    close(ends[1]);
    return ns;
}

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static int64_t median_cold_ns(struct bytes text)
{
    int64_t all[COLD_RUNS];
    for (int i = 0; i < COLD_RUNS; i++)
        all[i] = cold_ns(text);
    qsort(all, COLD_RUNS, sizeof all[0], compare_ns);
    return all[COLD_RUNS / 2];
}

// `unit` again and again, or random letters between two limits when it is NULL.
static void add_hostile(json_t *out, const char *name, const char *unit, uint32_t from, uint32_t to)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    uint64_t state = 7;
    while (text.size < HOSTILE_BYTES) {
        char letter[4];
        uint32_t code = from + random_next(&state) % (to - from + 1);
        if (unit != NULL)
            buf_append_string(&text, unit);
        else
            buf_append(&text, bytes_of(letter, utf8_encode(code, letter)));
    }
    json_object_set_new(out, name, json_real(speed(buf_bytes(&text))));
    buf_fini(&text);
}

static json_t *hostile(void)
{
    json_t *out = json_object();
    add_hostile(out, "one_letter", "a", 0, 0);
    add_hostile(out, "blanks", " ", 0, 0);
    add_hostile(out, "newlines", "\n", 0, 0);
    add_hostile(out, "dashes", "-", 0, 0);
    add_hostile(out, "equals_signs", "=", 0, 0);
    add_hostile(out, "dashes_and_bangs", "--!", 0, 0);
    add_hostile(out, "long_dashes_and_bangs",
                "----------------------------------------------------------------!", 0, 0);
    add_hostile(out, "blanks_and_newlines", "         \n", 0, 0);
    add_hostile(out, "one_emoji", "\U0001F600", 0, 0);
    add_hostile(out, "not_utf8", "\xFF", 0, 0);
    add_hostile(out, "random_letters", NULL, 'a', 'z');
    add_hostile(out, "random_two_letters", NULL, 'a', 'b');
    add_hostile(out, "random_symbols", NULL, '!', '/');
    add_hostile(out, "random_cjk", NULL, 0x4E00, 0x9FFF);
    add_hostile(out, "random_emoji", NULL, 0x1F300, 0x1F5FF);
    add_hostile(out, "random_latin", NULL, 0xC0, 0x24F);
    return out;
}

int main(void)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    bool corpus = append_corpus(&text);
    if (!corpus)
        append_prose(&text, 8 * 1024 * 1024);
    struct bytes all = buf_bytes(&text);
    struct bytes sample = utf8_prefix(bytes_from(all, all.size / 2), COLD_BYTES);
    int64_t cold = median_cold_ns(sample);
    (void)count(sample);
    int64_t warm = count_ns(sample);
    json_t *out = json_pack("{s:s, s:b, s:I, s:I, s:f, s:f, s:I, s:f, s:f, s:o}", //
                            "bench", "tokens", "corpus", corpus, "bytes", (json_int_t)all.size,
                            "tokens", (json_int_t)count(all), "mb_per_s", speed(all),
                            "limit_utf8_check_mb_per_s", read_speed(all), //
                            "cold_bytes", (json_int_t)sample.size, "cold_us", (double)cold / 1000.0,
                            "warm_us", (double)warm / 1000.0, "hostile_mb_per_s", hostile());
    ASSERT(out != NULL);
    (void)json_dumpf(out, stdout, JSON_REAL_PRECISION(4));
    putchar('\n');
    json_decref(out);
    buf_fini(&text);
    return 0;
}
