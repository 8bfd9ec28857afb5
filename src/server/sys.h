// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/errinfo.h"
struct server;
enum status sys_serve(struct server *server, struct errinfo *err);
void sys_unserve(struct server *server);
