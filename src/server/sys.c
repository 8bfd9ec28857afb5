// SPDX-License-Identifier: Apache-2.0
#include "server/sys.h"
enum status sys_serve(struct server *server, struct errinfo *err)
{
    (void)server;
    (void)err;
    return STATUS_OK;
}
void sys_unserve(struct server *server)
{
    (void)server;
}
