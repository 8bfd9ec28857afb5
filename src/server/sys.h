// SPDX-License-Identifier: Apache-2.0
// System requests: $SYS.REQ.SERVER.PING.<page> and $SYS.REQ.SERVER.<id>.<page> answer as the
// monitoring port does, $SYS.REQ.USER.INFO says who asks. Served to the system account, and to
// everybody when nobody has to log in.
#pragma once

#include "base/errinfo.h"

struct server;

enum status sys_serve(struct server *server, struct errinfo *err);
void sys_unserve(struct server *server); // safe when repeated
