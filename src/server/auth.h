// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "server/options.h"
struct auth;
struct auth_user;
struct auth_credentials {
    struct bytes user, password, token;
};
struct auth_responses {
    int64_t max;
    int64_t expires_ns;
};
enum status auth_new(struct auth **out, const struct server_options *options, struct errinfo *err);
void auth_free(struct auth *auth);
bool auth_is_required(const struct auth *auth);
bool auth_check(struct auth *auth, const struct auth_credentials *c, const struct auth_user **user);
bool auth_is_system(const struct auth_user *user);
bool auth_may_publish(const struct auth_user *user, struct bytes subject);
bool auth_may_subscribe(const struct auth_user *user, struct bytes subject, struct bytes queue);
bool auth_filters_delivery(const struct auth_user *user);
bool auth_may_deliver(const struct auth_user *user, struct bytes subject);
bool auth_responses_get(const struct auth_user *user, struct auth_responses *responses);
