// SPDX-License-Identifier: Apache-2.0
// What clients send (the NATS client protocol), operation by operation. A pull parser: it looks at
// the caller's bytes, keeps none and gives views into them, so that nothing is copied.
//
// Nothing is taken on trust: the line of an operation has a maximum, its payload has one, and both
// are known to be kept before any of it is waited for. What is accepted and what is answered is
// nats-server's, but for two things that could reach other clients or cost memory: a carriage
// return within a line is refused, and so are more blanks than the line may be long.
//
//     CONNECT {json}                                INFO {json}
//     PUB subject [reply] bytes CRLF body           PING   PONG   +OK
//     HPUB subject [reply] header-bytes bytes CRLF headers body
//     SUB subject [queue] sid                       UNSUB sid [max]      -ERR text
//
// Letter case of the operation does not count; a line may end in a bare LF, a payload may not.
#pragma once

#include "base/bytes.h"

struct parser_limits {
    size_t control_line_max; // bytes of a line without its operation and its end
    size_t payload_max;      // bytes of headers and body together
};

enum parser_kind {
    PARSER_CONNECT, // json
    PARSER_PUB,     // subject, reply, headers, body; HPUB too, which sets has_headers
    PARSER_SUB,     // subject, queue, sid
    PARSER_UNSUB,   // sid, max
    PARSER_PING,
    PARSER_PONG,
    PARSER_INFO, // json; of no meaning here, but nats-server ends a connection when it is none
    PARSER_OK,   // of no meaning
    PARSER_ERR,  // body is the text; nats-server ends the connection without an answer
};

// Views are borrowed from the input; what an operation does not have is empty. Subjects are as they
// came: whether they are valid is for who acts on them.
struct parser_op {
    enum parser_kind kind;
    bool has_headers;
    struct bytes subject;
    struct bytes reply;
    struct bytes queue;
    struct bytes sid;
    struct bytes headers; // with the version line and the empty line at the end, if it is a block
    struct bytes body;
    struct bytes json;
    uint64_t max; // of UNSUB: messages in all; 0, or no number, ends the subscription now

    // Of PARSER_ERROR. Static texts.
    const char *error;  // for "-ERR"; NULL where nats-server closes without a word
    const char *reason; // for the log, never NULL
};

enum parser_result {
    PARSER_OP,    // one operation; *input is what follows it
    PARSER_MORE,  // *input is the beginning of one, and is unchanged
    PARSER_ERROR, // the connection is to be closed; *input is unchanged
};

struct parser {
    struct parser_limits limits;
    size_t wanted;
};

void parser_init(struct parser *parser, const struct parser_limits *limits);

// The next operation in *input. After PARSER_MORE the caller keeps *input, and calls again with it
// and what has come since; earlier than parser_wanted says is harmless.
enum parser_result parser_next(struct parser *parser, struct bytes *input, struct parser_op *op);

// After PARSER_MORE: how many bytes there must be before the next call can give an operation. When
// its line has come that is exactly its size, never more than the limits allow; else one byte more
// than there is.
size_t parser_wanted(const struct parser *parser);
