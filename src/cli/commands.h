// SPDX-License-Identifier: Apache-2.0
// The descriptors of all commands, one in each cmd_<name>.c.
#pragma once

#include "cli/command.h"

extern const struct command cmd_agent;
extern const struct command cmd_completion;
extern const struct command cmd_demo;
extern const struct command cmd_diff;
extern const struct command cmd_doctor;
extern const struct command cmd_export;
extern const struct command cmd_fetch;
extern const struct command cmd_history;
extern const struct command cmd_hook;
extern const struct command cmd_init;
extern const struct command cmd_kv;
extern const struct command cmd_ledger;
extern const struct command cmd_ls;
extern const struct command cmd_man;
extern const struct command cmd_notice;
extern const struct command cmd_pin;
extern const struct command cmd_publish;
extern const struct command cmd_search;
extern const struct command cmd_serve;
extern const struct command cmd_status;
extern const struct command cmd_stream;
extern const struct command cmd_tokens;
extern const struct command cmd_trace;
extern const struct command cmd_version;
extern const struct command cmd_wait;
extern const struct command cmd_watch;
