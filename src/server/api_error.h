// SPDX-License-Identifier: Apache-2.0
// The error object of JetStream's API: {"code":404,"err_code":10059,"description":"..."}, with the
// codes of nats-server's errors.json.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"

// Appends the object. An errinfo without an err_code gets the one that fits its status.
void api_error_put(struct buf *out, enum status status, const struct errinfo *err);

// A whole answer that is nothing but an error. For a failed publish `stream` names the stream, and
// the answer has a sequence of 0 beside it; NULL otherwise.
void api_error_put_reply(struct buf *out, const char *stream, enum status status,
                         const struct errinfo *err);
