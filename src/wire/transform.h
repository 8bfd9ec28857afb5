// SPDX-License-Identifier: Apache-2.0
// Renaming subjects (nats-server's subject transforms): a source pattern, and a destination whose
// tokens may stand for what the source's wildcards took:
//   $n, {{wildcard(n)}}                the n-th "*"
//   {{partition(count, n, ...)}}       a number below count, the same for the same tokens
//   {{splitfromleft(n, at)}}           the token cut in two, as two tokens; splitfromright from its
//   end
//   {{slicefromleft(n, size)}}         the token in pieces of that size; slicefromright from its
//   end
//   {{split(n, delimiter)}}            the token cut at a delimiter
//   {{left(n, size)}}, {{right(n, size)}}
// and ">" for what the source's ">" took. Letter case of names does not count.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"

// STATUS_INVALID with nats-server's text. An empty source is ">".
enum status transform_check(struct bytes source, struct bytes destination, struct errinfo *err);

// Appends what a literal subject becomes; false when the source does not match it. Both have been
// checked.
bool transform_apply(struct bytes source, struct bytes destination, struct bytes subject,
                     struct buf *out);
