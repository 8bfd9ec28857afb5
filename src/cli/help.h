// SPDX-License-Identifier: Apache-2.0
// What is said about commands, from their descriptors alone: help on the screen, the man page,
// shell completion.
#pragma once

#include "cli/command.h"

#include <stdio.h>

void help_overview(FILE *out);
// family is NULL for a command that stands alone.
void help_command(FILE *out, const struct command *family, const struct command *command);
void help_man_page(FILE *out);

// shell is bash, zsh or fish; STATUS_USAGE for another.
enum status help_completion(FILE *out, struct bytes shell, struct errinfo *err);
