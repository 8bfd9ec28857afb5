// SPDX-License-Identifier: Apache-2.0
#include "server/auth.h"
enum status auth_new(struct auth **out, const struct server_options *options, struct errinfo *err)
{
    (void)options;
    (void)err;
    *out = NULL;
    return STATUS_OK;
}
void auth_free(struct auth *auth)
{
    (void)auth;
}
bool auth_is_required(const struct auth *auth)
{
    (void)auth;
    return false;
}
bool auth_check(struct auth *auth, const struct auth_credentials *c, const struct auth_user **user)
{
    (void)auth;
    (void)c;
    *user = NULL;
    return true;
}
bool auth_is_system(const struct auth_user *user)
{
    (void)user;
    return false;
}
bool auth_may_publish(const struct auth_user *user, struct bytes s)
{
    (void)user;
    (void)s;
    return true;
}
bool auth_may_subscribe(const struct auth_user *user, struct bytes s, struct bytes q)
{
    (void)user;
    (void)s;
    (void)q;
    return true;
}
bool auth_filters_delivery(const struct auth_user *user)
{
    (void)user;
    return false;
}
bool auth_may_deliver(const struct auth_user *user, struct bytes s)
{
    (void)user;
    (void)s;
    return true;
}
bool auth_responses_get(const struct auth_user *user, struct auth_responses *r)
{
    (void)user;
    (void)r;
    return false;
}
