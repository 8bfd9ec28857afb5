// SPDX-License-Identifier: Apache-2.0
// The table of commands: a new one is a row here and a file of its own.
#include "cli/commands.h"

const struct command *const command_table[] = {
    &cmd_demo,   &cmd_init,    &cmd_doctor,  &cmd_publish,    &cmd_notice, &cmd_fetch, &cmd_ls,
    &cmd_search, &cmd_history, &cmd_diff,    &cmd_wait,       &cmd_watch,  &cmd_trace, &cmd_ledger,
    &cmd_pin,    &cmd_export,  &cmd_hook,    &cmd_serve,      &cmd_status, &cmd_agent, &cmd_stream,
    &cmd_kv,     &cmd_tokens,  &cmd_version, &cmd_completion, &cmd_man,
};
const size_t command_table_count = sizeof command_table / sizeof command_table[0];

const struct option_spec command_global_options[] = {
    {.name = "home",
     .value = "DIR",
     .help = "the store (default: AGOG_HOME, the nearest .agog, ~/.agog)"},
    {.name = "as", .value = "NAME", .help = "who is asking (default: AGOG_AGENT, user@host)"},
    {.name = "lock-wait",
     .value = "MS",
     .help = "how long to wait for another process (default: 10000)"},
    {.name = "url", .value = "URL", .help = "work on NATS there (default: NATS_URL)"},
    {.name = "context", .value = "NAME", .help = "a context of the nats tool says where and who"},
    {.name = "user", .value = "NAME", .help = "log in to NATS so (default: NATS_USER)"},
    {.name = "password-file", .value = "FILE", .help = "its password (default: NATS_PASSWORD)"},
    {.name = "token-file", .value = "FILE", .help = "log in with a token (default: NATS_TOKEN)"},
    {.name = "creds", .value = "FILE", .help = "log in with credentials (default: NATS_CREDS)"},
    {.name = "nkey", .value = "FILE", .help = "log in with an NKey's seed (default: NATS_NKEY)"},
    {.name = "tls-ca",
     .value = "FILE",
     .help = "whom NATS's certificate is from (default: NATS_CA)"},
    {.name = "tls-cert", .value = "FILE", .help = "our certificate (default: NATS_CERT)"},
    {.name = "tls-key", .value = "FILE", .help = "its key (default: NATS_KEY)"},
    {.name = "tls-first", .help = "NATS wants TLS before it says anything"},
    {.name = "json", .help = "answer in JSON, errors too"},
    {.name = "help", .letter = 'h', .help = "this text"},
};
const size_t command_global_option_count = sizeof command_global_options /
                                           sizeof command_global_options[0];

const struct command_exit_code command_exit_codes[] = {
    {0, "done; what was published is on disk"},
    {1, "a bug in agog"},
    {2, "the command line or a name is wrong"},
    {3, "no such agent, type, deliverable, revision, stream or key; or retention took it"},
    {4, "somebody else came first, it exists already, or it is not permitted"},
    {5, "a limit was met"},
    {6, "this machine: disk, rights, memory"},
    {7, "stored bytes are damaged, or of a newer format"},
    {8, "another process holds the store"},
    {9, "NATS cannot be reached, or does not answer"},
    {11, "the time was up"},
    {12, "something needs attention (doctor, init)"},
};
const size_t command_exit_code_count = sizeof command_exit_codes / sizeof command_exit_codes[0];
