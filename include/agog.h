// SPDX-License-Identifier: Apache-2.0
// agog: the hand-off layer for teams of AI agents, as a C library.
//
//     struct agog *agog;
//     struct agog_error error;
//     if (agog_open(NULL, &agog, &error) != AGOG_OK)
//         return fprintf(stderr, "%s\n", error.text), 1;
//     struct agog_publication report = AGOG_INIT(report);
//     report.agent = "cynthia", report.type = "research", report.feature = "customer-search";
//     report.report = text, report.report_size = size;
//     char *notice;
//     if (agog_publish(agog, &report, &notice, &error) == AGOG_OK)
//         puts(notice);
//
// Rules for every function
//   Strings are UTF-8 with a NUL; report texts are any bytes with a size. What is passed in is
//   borrowed for the call. What comes out through a char ** or struct agog_report ** belongs to the
//   caller: agog_free, agog_report_free. On failure nothing comes out, and error (which may be
//   NULL) says in one line what failed, on which name, why, and what to do. Calls may block, on the
//   disk and on another process that holds the store. A handle may be used by one thread at a time;
//   several handles in one process on one store are one too many: the second waits for the first.
//   Option structs begin with their size, so that fields can be added: use AGOG_INIT.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define AGOG_API __attribute__((visibility("default")))
#else
#define AGOG_API
#endif

// What a call came to. The numbers are stable.
enum agog_status {
    AGOG_OK = 0,
    AGOG_BUG = 1,
    AGOG_USAGE = 2,
    AGOG_INVALID = 3,
    AGOG_NOT_FOUND = 4,
    AGOG_EXPIRED = 5,  // it was there, and retention took it
    AGOG_CONFLICT = 6, // somebody else came first
    AGOG_EXISTS = 7,
    AGOG_DENIED = 8,
    AGOG_LIMIT = 9,
    AGOG_IO = 10,
    AGOG_NO_SPACE = 11,
    AGOG_NO_ACCESS = 12,
    AGOG_READ_ONLY = 13,
    AGOG_NO_MEMORY = 14,
    AGOG_CORRUPT = 15,
    AGOG_FORMAT = 16,
    AGOG_BUSY = 17,
    AGOG_UNAVAILABLE = 18,
    AGOG_SPOOLED = 19,
    AGOG_TIMEOUT = 20,
    AGOG_UNHEALTHY = 21
};

struct agog_error {
    enum agog_status status;
    char text[768];
};

// An option struct with every field at its default: struct agog_open_options o = AGOG_INIT(o);
// The field is named in C, so that callers who ask their compiler for missing ones get no warning.
#ifdef __cplusplus
#define AGOG_INIT(object)                                                                          \
    {                                                                                              \
        sizeof(object)                                                                             \
    }
#else
#define AGOG_INIT(object)                                                                          \
    {                                                                                              \
        .size = sizeof(object)                                                                     \
    }
#endif

AGOG_API const char *agog_version(void);
AGOG_API const char *agog_status_name(enum agog_status status);
AGOG_API int agog_status_exit_code(enum agog_status status); // of the command line
AGOG_API void agog_free(void *memory);                       // takes NULL

struct agog;

struct agog_open_options {
    size_t size;
    const char *home;     // NULL: AGOG_HOME, the nearest .agog above, ~/.agog
    const char *author;   // NULL: AGOG_AGENT, user@host
    int64_t lock_wait_ms; // 0: ten seconds
    // To work on NATS instead of a store; NULL: what the environment says (NATS_URL NATS_USER
    // NATS_PASSWORD NATS_TOKEN NATS_CREDS NATS_NKEY NATS_CA NATS_CERT NATS_KEY), unless home is
    // given.
    const char *url;     // several with commas between them
    const char *context; // of the nats command line tool
    const char *user;
    const char *password;
    const char *token;
    const char *creds; // a file
    const char *nkey;  // a user's seed, or a file that has it
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
};

// Finds the home; the store is opened by the first call that needs it, and made by the first that
// writes.
AGOG_API enum agog_status agog_open(const struct agog_open_options *options, struct agog **agog,
                                    struct agog_error *error);
AGOG_API void agog_close(struct agog *agog); // takes NULL; gives the store's lock back

// Makes whatever is missing: the store, the streams of all agents, the registry.
AGOG_API enum agog_status agog_init(struct agog *agog, struct agog_error *error);

// What is published. agent, type, feature and report are needed, everything else may stay 0.
struct agog_publication {
    size_t size;
    const char *agent;
    const char *type;
    const char *feature;
    const void *report; // at most 10 MiB
    size_t report_size;
    const char *title;         // NULL: from the report
    const char *summary;       // NULL: from the report
    const char *status;        // "complete" (NULL), "failed" or "blocked"
    const char *run;           // the run it belongs to
    const char *key;           // idempotency key, NULL: from the content
    const char *meta_json;     // a JSON object: complexity, blockers, anything
    const char *const *inputs; // refs of the reports it was made from
    size_t input_count;
    int expect_base; // when not 0: refuse unless base is the latest revision
    uint64_t base;   // 0: unless there is none yet
    int allow_empty;
};

// Stores a report. AGOG_OK means that it is on disk; *notice is then its notice, one line of JSON
// with at most 200 o200k tokens. notice may be NULL.
AGOG_API enum agog_status agog_publish(struct agog *agog,
                                       const struct agog_publication *publication, char **notice,
                                       struct agog_error *error);

// The notice of a stored report. ref: agent/type/feature[@rev], a subject, agog://..., stream.seq,
// or a whole notice.
AGOG_API enum agog_status agog_notice(struct agog *agog, const char *ref, char **notice,
                                      struct agog_error *error);

struct agog_report;

AGOG_API enum agog_status agog_fetch(struct agog *agog, const char *ref,
                                     struct agog_report **report, struct agog_error *error);
AGOG_API void agog_report_free(struct agog_report *report); // takes NULL

// All of these borrow from the report.
AGOG_API const char *agog_report_content(const struct agog_report *report, size_t *size);
AGOG_API const char *agog_report_ref(const struct agog_report *report);  // with its revision
AGOG_API const char *agog_report_json(const struct agog_report *report); // everything but the text
AGOG_API uint64_t agog_report_rev(const struct agog_report *report);
AGOG_API uint64_t agog_report_tokens(const struct agog_report *report);

// Called with one report's JSON (everything but the text); anything but 0 ends the walk.
typedef int (*agog_visit)(void *context, const char *json);

// Which deliverables: each part may be NULL for all.
struct agog_filter {
    size_t size;
    const char *agent;
    const char *type;
    const char *feature;
};

// The latest revision of every deliverable that matches; filter may be NULL.
AGOG_API enum agog_status agog_list(struct agog *agog, const struct agog_filter *filter,
                                    agog_visit visit, void *context, struct agog_error *error);
// Every kept revision of one deliverable, oldest first.
AGOG_API enum agog_status agog_history(struct agog *agog, const char *ref, agog_visit visit,
                                       void *context, struct agog_error *error);

// Registers an agent that publishes the given type, or gives one that is there the type.
AGOG_API enum agog_status agog_agent_add(struct agog *agog, const char *agent, const char *type,
                                         const char *role, struct agog_error *error);

// Exact o200k_base tokens of a text.
AGOG_API enum agog_status agog_tokens(const void *text, size_t size, size_t *tokens,
                                      struct agog_error *error);

// Buckets of small values.
#define AGOG_ANY_REVISION UINT64_MAX

struct agog_kv_entry {
    size_t size;
    const char *bucket;
    const char *key;
    void *value; // of agog_kv_get: the caller's, with a NUL behind it; agog_free
    size_t value_size;
    // What a put replaces: a revision, 0 for "there is none", AGOG_ANY_REVISION for whatever is
    // there. Both calls set it to the revision that is there now.
    uint64_t revision;
};

AGOG_API enum agog_status agog_kv_put(struct agog *agog, struct agog_kv_entry *entry,
                                      struct agog_error *error);
// Reads the current value of entry's bucket and key into it.
AGOG_API enum agog_status agog_kv_get(struct agog *agog, struct agog_kv_entry *entry,
                                      struct agog_error *error);
AGOG_API enum agog_status agog_kv_bucket_create(struct agog *agog, const char *bucket, int history,
                                                struct agog_error *error);

#ifdef __cplusplus
}
#endif
