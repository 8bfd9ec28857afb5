// SPDX-License-Identifier: Apache-2.0
#include "server/account.h"

#include "base/assert.h"
#include "server/connection.h"
#include "server/server_private.h"

#include <stdlib.h>
#include <string.h>

enum {
    // How deep a message may call forth another one within one call: an API's answer that a stream
    // listens to, that is republished.
    DEPTH_MAX = 8,
    WATCHERS_MAX = 4,
    CONGESTED_BYTES = 4 * 1024 * 1024,
};

struct account {
    struct server *server;
    char *name;
    struct sublist *subscriptions;
    struct sublist_result results[DEPTH_MAX]; // one for each message on its way
    size_t depth;
    struct list ending; // subscriptions that have reached their maximum meanwhile
    struct {
        account_interest_changed changed;
        void *context;
    } watchers[WATCHERS_MAX];
    size_t watcher_count;
    uint64_t random; // picks the member of a queue group
    struct account_numbers numbers;
};

enum status account_new(struct account **out, struct server *server, const char *name)
{
    struct account *account = calloc(1, sizeof *account);
    if (account == NULL)
        return STATUS_NO_MEMORY;
    account->server = server;
    account->random = (uint64_t)server_now_ns() | 1;
    account->name = strdup(name);
    enum status status = sublist_new(&account->subscriptions);
    list_init(&account->ending);
    for (size_t i = 0; i < DEPTH_MAX; i++)
        sublist_result_init(&account->results[i]);
    if (status != STATUS_OK || account->name == NULL) {
        account_free(account);
        return STATUS_NO_MEMORY;
    }
    *out = account;
    return STATUS_OK;
}

void account_free(struct account *account)
{
    if (account == NULL)
        return;
    for (size_t i = 0; i < DEPTH_MAX; i++)
        sublist_result_fini(&account->results[i]);
    sublist_free(account->subscriptions);
    free(account->name);
    free(account);
}

const char *account_name(const struct account *account)
{
    return account->name;
}

struct server *account_server(const struct account *account)
{
    return account->server;
}

struct sublist *account_subscriptions(struct account *account)
{
    return account->subscriptions;
}

struct account_numbers *account_numbers(struct account *account)
{
    return &account->numbers;
}

// Interest

void account_watch_interest(struct account *account, account_interest_changed changed,
                            void *context)
{
    ASSERT(account->watcher_count < WATCHERS_MAX);
    account->watchers[account->watcher_count].changed = changed;
    account->watchers[account->watcher_count].context = context;
    account->watcher_count++;
}

static void tell_watchers(struct account *account, struct bytes subject)
{
    for (size_t i = 0; i < account->watcher_count; i++)
        account->watchers[i].changed(account->watchers[i].context, subject);
}

enum status account_subscribe(struct account *account, struct subscription *subscription)
{
    enum status status = sublist_insert(account->subscriptions, subscription);
    if (status == STATUS_OK)
        tell_watchers(account, subscription->subject);
    return status;
}

void account_unsubscribe(struct account *account, struct subscription *subscription)
{
    sublist_remove(account->subscriptions, subscription);
    tell_watchers(account, subscription->subject);
}

enum status account_serve(struct account *account, struct service *service, const char *subject,
                          service_handler handler, void *context)
{
    *service = (struct service){.handler = handler, .context = context};
    service->subject = strdup(subject);
    if (service->subject == NULL)
        return STATUS_NO_MEMORY;
    service->subscription.subject = bytes_of_string(service->subject);
    enum status status = sublist_insert(account->subscriptions, &service->subscription);
    if (status != STATUS_OK) {
        free(service->subject);
        service->subject = NULL;
        return status;
    }
    service->account = account;
    return STATUS_OK;
}

void account_unserve(struct service *service)
{
    if (service->account != NULL)
        sublist_remove(service->account->subscriptions, &service->subscription);
    free(service->subject);
    *service = (struct service){.handler = NULL};
}

bool account_has_interest(struct account *account, struct bytes subject)
{
    return sublist_has_interest(account->subscriptions, subject);
}

// Sending

static uint64_t next_random(struct account *account)
{
    account->random ^= account->random << 13;
    account->random ^= account->random >> 7;
    account->random ^= account->random << 17;
    return account->random;
}

// A message on its way.
struct sending {
    const struct message *message;
    struct connection *from; // whose own subscriptions get it only with echo; NULL for the server
    struct connection *only; // NULL for everybody
};

static bool deliver(struct account *account, struct subscription *subscription,
                    const struct sending *sending, struct route *route)
{
    struct connection *to = subscription->owner;
    if (sending->only != NULL && sending->only != to)
        return false;
    if (to == NULL) {
        struct service *service = (struct service *)subscription;
        return service->handler(service, sending->message, sending->from);
    }
    if (to->closing || (to == sending->from && !to->options.echo))
        return false;
    struct client_subscription *client = (struct client_subscription *)subscription;
    if (!client_deliver(client, sending->message))
        return false;
    if (client->max > 0 && client->delivered >= client->max && list_is_empty(&client->ending))
        list_append(&account->ending, &client->ending);
    route->congested = route->congested || connection_pending(to) > CONGESTED_BYTES;
    return true;
}

// One member of a queue group gets it; a member that cannot is passed over.
static bool deliver_to_group(struct account *account, struct subscription *const *members,
                             size_t count, const struct sending *sending, struct route *route)
{
    size_t start = count == 1 ? 0 : (size_t)(next_random(account) % count);
    for (size_t i = 0; i < count; i++)
        if (deliver(account, members[(start + i) % count], sending, route))
            return true;
    return false;
}

// Subscriptions that have had their last message go when nobody walks the index.
static void end_subscriptions(struct account *account)
{
    while (!list_is_empty(&account->ending))
        client_drop_subscription(
            LIST_ELEMENT(account->ending.next, struct client_subscription, ending));
}

static struct route send_to_all(struct account *account, struct bytes to,
                                const struct sending *sending)
{
    struct route route = {0};
    if (account->depth == DEPTH_MAX)
        return route;
    struct sublist_result *result = &account->results[account->depth];
    if (sublist_match(account->subscriptions, to, result) != STATUS_OK)
        return route;
    account->depth++;
    for (size_t i = 0; i < result->plain_count; i++)
        route.receivers += deliver(account, result->plain[i], sending, &route);
    for (size_t i = 0; i < result->group_count; i++)
        route.receivers += deliver_to_group(account, result->members + result->groups[i].from,
                                            result->groups[i].count, sending, &route);
    if (--account->depth == 0 && !list_is_empty(&account->ending))
        end_subscriptions(account);
    return route;
}

struct route account_send(struct account *account, struct bytes to, const struct message *message,
                          struct connection *from)
{
    return send_to_all(account, to, &(struct sending){message, from, NULL});
}

struct route account_publish(struct account *account, const struct message *message)
{
    return account_send(account, message->subject, message, NULL);
}

void account_publish_to(struct account *account, const struct message *message,
                        struct connection *only)
{
    send_to_all(account, message->subject, &(struct sending){message, NULL, only});
}
