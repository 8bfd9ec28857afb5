// SPDX-License-Identifier: Apache-2.0
// Where the store is: --home, else AGOG_HOME, else .agog in the nearest directory above that has
// one, else ~/.agog.
#pragma once

#include "base/errinfo.h"

enum { HOME_PATH_SIZE = 4096 };

// given may be NULL. The path is absolute; nothing is created.
enum status home_find(const char *given, char path[HOME_PATH_SIZE], struct errinfo *err);

// .agog in the current directory, whether it is there or not.
enum status home_here(char path[HOME_PATH_SIZE], struct errinfo *err);

// Where what is made from a server's streams, and can be made anew, is kept: a directory of its own
// in XDG_CACHE_HOME, else in ~/.cache. It is made for this user alone; where that fails, so will
// whoever writes there.
enum status home_cache(const char *location, char path[HOME_PATH_SIZE], struct errinfo *err);

// Who is asking: given, else AGOG_AGENT, else user@host.
void home_author(const char *given, char author[256]);
