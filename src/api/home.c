// SPDX-License-Identifier: Apache-2.0
#include "api/home.h"

#include "base/sha256.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CACHE_NAME_DIGITS = 16 };

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static enum status join(const char *directory, const char *name, char path[HOME_PATH_SIZE],
                        struct errinfo *err)
{
    const char *slash = strcmp(directory, "/") == 0 || name[0] == '\0' ? "" : "/";
    int size = snprintf(path, HOME_PATH_SIZE, "%s%s%s", directory, slash, name);
    if (size < 0 || size >= HOME_PATH_SIZE)
        return errinfo_set(err, STATUS_INVALID, "the home directory's path is longer than %d bytes",
                           HOME_PATH_SIZE - 1);
    return STATUS_OK;
}

static enum status working_directory(char path[HOME_PATH_SIZE], struct errinfo *err)
{
    if (getcwd(path, HOME_PATH_SIZE) == NULL)
        return errinfo_set_errno(err, errno, "cannot tell the current directory");
    return STATUS_OK;
}

static enum status absolute(const char *given, char path[HOME_PATH_SIZE], struct errinfo *err)
{
    if (given[0] == '/')
        return join(given, "", path, err);
    char here[HOME_PATH_SIZE];
    enum status status = working_directory(here, err);
    return status != STATUS_OK ? status : join(here, given, path, err);
}

// Looks for .agog here and in every directory above; *found stays false when there is none.
static enum status search_up(char path[HOME_PATH_SIZE], bool *found, struct errinfo *err)
{
    char here[HOME_PATH_SIZE];
    enum status status = working_directory(here, err);
    *found = false;
    for (bool more = true; status == STATUS_OK && more;) {
        struct stat about;
        status = join(here, ".agog", path, err);
        if (status == STATUS_OK && stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
            *found = true;
            return STATUS_OK;
        }
        char *slash = strrchr(here, '/');
        more = slash != NULL && strcmp(here, "/") != 0;
        if (more)
            slash[slash == here ? 1 : 0] = '\0';
    }
    return status;
}

static const char *users_home(void)
{
    const char *home = environment("HOME");
    if (home != NULL)
        return home;
    const struct passwd *user = getpwuid(getuid());
    return user == NULL ? NULL : user->pw_dir;
}

enum status home_find(const char *given, char path[HOME_PATH_SIZE], struct errinfo *err)
{
    if (given == NULL)
        given = environment("AGOG_HOME");
    if (given != NULL && given[0] == '\0')
        return errinfo_set(err, STATUS_USAGE, "the home directory's name is empty");
    if (given != NULL)
        return absolute(given, path, err);
    bool found;
    enum status status = search_up(path, &found, err);
    if (status != STATUS_OK || found)
        return status;
    const char *home = users_home();
    if (home == NULL)
        return errinfo_set(err, STATUS_NOT_FOUND,
                           "cannot tell your home directory: set AGOG_HOME or give --home DIR");
    return join(home, ".agog", path, err);
}

enum status home_here(char path[HOME_PATH_SIZE], struct errinfo *err)
{
    return absolute(".agog", path, err);
}

static enum status cache_base(char path[HOME_PATH_SIZE], struct errinfo *err)
{
    const char *base = environment("XDG_CACHE_HOME");
    // The rule of XDG: a relative one is as good as none.
    if (base != NULL && base[0] == '/')
        return join(base, "", path, err);
    const char *home = users_home();
    if (home == NULL)
        return errinfo_set(err, STATUS_NOT_FOUND,
                           "cannot tell your home directory: set XDG_CACHE_HOME");
    return join(home, ".cache", path, err);
}

enum status home_cache(const char *location, char path[HOME_PATH_SIZE], struct errinfo *err)
{
    char base[HOME_PATH_SIZE];
    char own[HOME_PATH_SIZE];
    char name[SHA256_HEX_SIZE];
    sha256_hex(bytes_of_string(location), name);
    name[CACHE_NAME_DIGITS] = '\0';
    enum status status = cache_base(base, err);
    if (status == STATUS_OK)
        status = join(base, "agog", own, err);
    if (status == STATUS_OK)
        status = join(own, name, path, err);
    if (status != STATUS_OK)
        return status;
    mkdir(base, 0700);
    mkdir(own, 0700);
    mkdir(path, 0700);
    return STATUS_OK;
}

void home_author(const char *given, char author[256])
{
    if (given == NULL)
        given = environment("AGOG_AGENT");
    if (given != NULL) {
        snprintf(author, 256, "%s", given);
        return;
    }
    char host[128] = "localhost";
    gethostname(host, sizeof host - 1);
    host[sizeof host - 1] = '\0';
    const struct passwd *user = getpwuid(getuid());
    snprintf(author, 256, "%s@%s", user == NULL ? "unknown" : user->pw_name, host);
}
