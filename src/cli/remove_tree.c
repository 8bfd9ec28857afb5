// SPDX-License-Identifier: Apache-2.0
#define _XOPEN_SOURCE 700 // nftw
#include "cli/remove_tree.h"

#include <ftw.h>
#include <stdio.h>

enum { OPEN_DIRECTORIES_MAX = 16 };

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path) != 0;
}

void remove_tree(const char *path)
{
    nftw(path, remove_one, OPEN_DIRECTORIES_MAX, FTW_DEPTH | FTW_PHYS);
}
