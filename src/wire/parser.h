// SPDX-License-Identifier: Apache-2.0
// What clients send (the NATS client protocol), operation by operation. A pull parser: it looks at
// bytes, keeps none, and gives views into them.
//
// Nothing is taken on trust: a line has a maximum, a payload has one, and both are known before any
// of it is waited for. Errors carry nats-server's texts, which clients tell apart.
#pragma once

#include "base/bytes.h"

struct parser_limits {
    size_t control_line_max; // bytes of a line without its end
    size_t payload_max;      // bytes of headers and body together
};

enum parser_kind {
    PARSER_CONNECT, // json
    PARSER_PUB,     // subject, reply, headers, body; HPUB too
    PARSER_SUB,     // subject, queue, sid
    PARSER_UNSUB,   // sid, max
    PARSER_PING,
    PARSER_PONG,
    PARSER_INFO, // what a server says; of no meaning here, as the next two
    PARSER_OK,
    PARSER_ERR,
};

// Views are borrowed from the input. What an operation does not have is empty.
struct parser_op {
    enum parser_kind kind;
    struct bytes subject;
    struct bytes reply;
    struct bytes queue;
    struct bytes sid;
    struct bytes headers; // with the version line and the empty line at the end
    struct bytes body;
    struct bytes json;
    uint64_t max;      // of UNSUB, 0 when it says none
    const char *error; // of PARSER_ERROR: the text of "-ERR"; static
};

enum parser_result {
    PARSER_OP,    // one operation; *input is what follows it
    PARSER_MORE,  // the beginning of one; *input is that, and parser_wanted how far it reaches
    PARSER_ERROR, // the connection is to be closed with op->error
};

struct parser {
    struct parser_limits limits;
    size_t wanted;
};

void parser_init(struct parser *parser, const struct parser_limits *limits);

// The next operation in *input. After PARSER_MORE the caller keeps *input and calls again with it
// and what has come since.
enum parser_result parser_next(struct parser *parser, struct bytes *input, struct parser_op *op);

// After PARSER_MORE: how many bytes the operation that begins there has at least.
size_t parser_wanted(const struct parser *parser);
