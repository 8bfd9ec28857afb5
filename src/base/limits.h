// SPDX-License-Identifier: Apache-2.0
// Every bound in one place, with its reason. A limit that is hit is an error which names it and
// says what to do; nothing is cut silently.
#pragma once

enum {
    // A report: the mission's promise is 10 MiB of report, not of envelope.
    LIMIT_REPORT_BYTES = 10 * 1024 * 1024,

    // The header block of one message. Titles, summaries, inputs and metadata of a report live
    // here;
    // a reader that wants only the head of a message must be able to afford it.
    LIMIT_HEADER_BYTES = 64 * 1024,

    // What a stream must accept so that the largest report fits with its headers.
    LIMIT_MESSAGE_BYTES = LIMIT_REPORT_BYTES + LIMIT_HEADER_BYTES,

    // Names. A stream's name becomes a directory (255 bytes on every file system we know, and
    // nats-server's own limit); a feature is for people and stays quotable in a notice.
    LIMIT_STREAM_NAME_BYTES = 255,
    LIMIT_AGENT_BYTES = 64,
    LIMIT_TYPE_BYTES = 64,
    LIMIT_FEATURE_BYTES = 200,

    // A section as it is asked for: a number, a slug, or a whole heading.
    LIMIT_SECTION_BYTES = 300,

    // One record of the store, headers and body together: nats-server's largest payload is 64 MiB.
    LIMIT_RECORD_BYTES = 64 * 1024 * 1024,

    // The subject of a stored message, of whatever origin: nats-server's control line.
    LIMIT_RECORD_SUBJECT_BYTES = 4096,

    // A subject: five tokens of a deliverable whose feature is percent-encoded to three times its
    // size stay far below; nats-server's control line is 4096 bytes.
    LIMIT_SUBJECT_BYTES = 1024,

    // A notice travels into every prompt that follows: 200 o200k tokens is the whole point.
    LIMIT_NOTICE_TOKENS = 200,

    // Texts a publisher may give. The notice shortens them further, the report has all of it.
    LIMIT_TITLE_BYTES = 300,
    LIMIT_SUMMARY_BYTES = 2000,
    LIMIT_META_BYTES = 16 * 1024,
    LIMIT_INPUTS = 64,

    // A path within the store: PATH_MAX of Linux and its NUL, twice.
    LIMIT_PATH_BYTES = 8192,

    // How often a publish or a KV write starts again when another writer came first. Each time
    // somebody
    // else has got on; of sixteen writers, one that loses by chance alone loses this often never.
    LIMIT_CONFLICT_RETRIES = 1000,

    // How long a one-shot command waits for the store's lock before it says who holds it.
    LIMIT_LOCK_WAIT_MS = 10000,

    // An answer of JetStream's API: the largest message in base64, or a page of subjects.
    LIMIT_API_ANSWER_BYTES = 128 * 1024 * 1024,

    // A small JSON answer, as an ack or an error: its texts are bounded themselves.
    LIMIT_JSON_BYTES = 16 * 1024,

    // Values and keys of a KV bucket (ADR-8).
    LIMIT_KV_HISTORY = 64,
    LIMIT_KV_KEY_BYTES = 700,
};
