// SPDX-License-Identifier: Apache-2.0
// A directory of a test's own on the machine's disk.
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEMPDIR_SIZE = 64 };

static inline void tempdir_make(char out[TEMPDIR_SIZE])
{
    strcpy(out, "/tmp/agog-test-XXXXXX");
    assert(mkdtemp(out) != NULL);
}

static inline void tempdir_remove(const char *path)
{
    char command[TEMPDIR_SIZE + 16];
    assert(strncmp(path, "/tmp/agog-test-", 15) == 0);
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert(system(command) == 0);
}
