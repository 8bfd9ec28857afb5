// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over files instead of under libFuzzer, so that every seed that was ever worth
// keeping is a test in every build, with any compiler. Arguments are directories or files; one TAP
// case for each. A target reports a failure by aborting, as under libFuzzer.
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_SIZE = 4096, INPUT_BYTES_MAX = 16 * 1024 * 1024 };

// Reads a whole file; NULL when it is no regular readable file or too large.
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *data = malloc(INPUT_BYTES_MAX);
    if (data != NULL)
        *size = fread(data, 1, INPUT_BYTES_MAX, file);
    if (data != NULL && (ferror(file) || !feof(file))) {
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

static bool replay_file(const char *path)
{
    size_t size = 0;
    uint8_t *data = read_file(path, &size);
    if (data == NULL) {
        printf("# cannot read %s\n", path);
        return false;
    }
    // An exact copy, so that a sanitizer sees a read past the end.
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (exact != NULL) {
        memcpy(exact, data, size);
        fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    return exact != NULL;
}

// Every file of a directory, or the file itself. Counts those that were run.
static bool replay(const char *path, int *runs)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        *runs += 1;
        return replay_file(path);
    }
    bool well = true;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char inner[PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        int length = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        *runs += 1;
        well = length > 0 && length < PATH_SIZE && replay_file(inner) && well;
    }
    closedir(directory);
    return well;
}

int main(int argc, char **argv)
{
    bool all_well = true;
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        int runs = 0;
        bool well = replay(argv[i], &runs) && runs > 0;
        printf("%s %d - %d seeds of %s are taken\n", well ? "ok" : "not ok", i, runs, argv[i]);
        fflush(stdout);
        all_well = all_well && well;
    }
    return all_well ? 0 : 1;
}
