// SPDX-License-Identifier: Apache-2.0
// What a client asks for: one operation at a time, and what it gets. Texts are nats-server's, which
// clients tell apart.
#include "base/limits.h"
#include "server/connection.h"
#include "server/server_private.h"
#include "wire/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_TEXT_BYTES = 1024, NO_RESPONDERS_BYTES = 64, PROTOCOL_MAX = 1 };

// A subject that a client was asked on and may therefore answer to (allow_responses).
struct allowed_reply {
    struct list link;
    int64_t until_ns; // INT64_MAX without an end
    int64_t left;     // answers; negative without limit
    uint32_t subject_bytes;
    char subject[];
};

static void send_error(struct connection *connection, const char *text)
{
    proto_put_error(connection_output(connection), text);
    connection_touch(connection);
}

static void send_ok(struct connection *connection)
{
    if (!connection->options.verbose)
        return;
    proto_put_ok(connection_output(connection));
    connection_touch(connection);
}

// Replies that are allowed because somebody asked

void client_forget_replies(struct connection *connection)
{
    while (!list_is_empty(&connection->replies)) {
        struct allowed_reply *reply = LIST_ELEMENT(connection->replies.next, struct allowed_reply,
                                                   link);
        list_take_out(&reply->link);
        free(reply);
    }
}

static void allow_reply(struct connection *connection, struct bytes subject)
{
    struct auth_responses responses;
    if (!auth_responses_get(connection->user, &responses))
        return;
    struct allowed_reply *reply = malloc(sizeof *reply + subject.size);
    if (reply == NULL)
        return; // the answer will be refused by name
    reply->until_ns = responses.expires_ns < 0 ? INT64_MAX : server_now_ns() + responses.expires_ns;
    reply->left = responses.max;
    reply->subject_bytes = (uint32_t)subject.size;
    memcpy(reply->subject, subject.data, subject.size);
    list_append(&connection->replies, &reply->link);
}

static bool may_reply(struct connection *connection, struct bytes subject)
{
    int64_t now_ns = server_now_ns();
    struct list *next;
    for (struct list *at = connection->replies.next; at != &connection->replies; at = next) {
        struct allowed_reply *reply = LIST_ELEMENT(at, struct allowed_reply, link);
        bool same = bytes_equal(bytes_of(reply->subject, reply->subject_bytes), subject);
        bool open = reply->until_ns > now_ns && reply->left != 0;
        next = at->next;
        if (same && open && reply->left > 0)
            reply->left--;
        if (!open || reply->left == 0) {
            list_take_out(&reply->link);
            free(reply);
        }
        if (same && open)
            return true;
    }
    return false;
}

// CONNECT

static bool log_in(struct connection *connection)
{
    struct server *server = connection->server;
    struct auth_credentials credentials = {
        .user = bytes_of_string(connection->options.user),
        .password = bytes_of_string(connection->options.password),
        .token = bytes_of_string(connection->options.token),
    };
    if (auth_check(server->auth, &credentials, &connection->user))
        return true;
    serverlog_write(server->log, SERVERLOG_ERROR, "%s:%d - cid:%" PRIu64 " - authentication error",
                    connection->host, connection->port, connection->id);
    connection_fail(connection, CONNECTION_AUTH, "Authorization Violation");
    return false;
}

// Ends a connection whose client does not keep to the protocol. What nats-server answers with
// silence has no error, only a reason for the log.
static void refuse(struct connection *connection, const char *error, const char *reason)
{
    serverlog_write(connection->server->log, SERVERLOG_ERROR, "%s:%d - cid:%" PRIu64 " - %s",
                    connection->host, connection->port, connection->id, reason);
    if (error == NULL)
        connection_close(connection, CONNECTION_PARSE);
    else
        connection_fail(connection, CONNECTION_PARSE, error);
}

static void take_connect(struct connection *connection, struct bytes json)
{
    struct server *server = connection->server;
    struct connect_options options;
    struct errinfo err;
    connect_options_init(&options);
    if (connect_options_read(&options, json, &err) != STATUS_OK) {
        connect_options_fini(&options);
        refuse(connection, NULL, err.text);
        return;
    }
    connect_options_fini(&connection->options);
    connection->options = options;
    if (!log_in(connection))
        return;
    if (options.protocol < 0 || options.protocol > PROTOCOL_MAX) {
        connection_fail(connection, CONNECTION_PROTOCOL, "invalid client protocol");
        return;
    }
    if (options.no_responders && !options.headers) {
        connection_fail(connection, CONNECTION_PROTOCOL, "no responders requires headers support");
        return;
    }
    if (!connection->connected) {
        connection->connected = true;
        connection->account = auth_is_system(connection->user) ? server->system : server->global;
        account_numbers(connection->account)->connections++;
        account_numbers(connection->account)->connections_total++;
    }
    send_ok(connection);
}

// Publishing

static void deny(struct connection *connection, enum auth_violation violation, struct bytes subject,
                 struct bytes queue)
{
    struct buf text;
    buf_init(&text, 2 * LIMIT_RECORD_SUBJECT_BYTES + ERROR_TEXT_BYTES);
    auth_put_violation(&text, violation, subject, queue);
    const char *line = buf_string(&text);
    if (line != NULL)
        send_error(connection, line);
    buf_fini(&text);
}

static bool may_publish(struct connection *connection, const struct message *message)
{
    if (connection->user == NULL)
        return true;
    if (!auth_may_publish(connection->user, message->subject) &&
        !may_reply(connection, message->subject)) {
        deny(connection, AUTH_PUBLISH, message->subject, (struct bytes){NULL, 0});
        return false;
    }
    if (message->reply.size > 0 && !auth_may_publish(connection->user, message->reply)) {
        deny(connection, AUTH_PUBLISH_REPLY, message->reply, (struct bytes){NULL, 0});
        return false;
    }
    return true;
}

// A request that nobody listens to is answered at once (ADR-1 and no_responders of CONNECT).
static void tell_no_responders(struct connection *connection, const struct message *message)
{
    struct bytes text;
    struct buf headers;
    buf_init(&headers, LIMIT_RECORD_SUBJECT_BYTES + NO_RESPONDERS_BYTES);
    buf_append_string(&headers, "NATS/1.0 503\r\nNats-Subject: ");
    buf_append(&headers, message->subject);
    buf_append_string(&headers, "\r\n\r\n");
    text = buf_bytes(&headers);
    struct message answer = {.subject = message->reply, .headers = text};
    account_publish_to(connection->account, &answer, connection);
    buf_fini(&headers);
}

static void take_publish(struct connection *connection, const struct parser_op *op)
{
    struct server *server = connection->server;
    struct message message = {op->subject, op->reply, op->headers, op->body};
    size_t bytes = op->headers.size + op->body.size;
    struct account_numbers *numbers = account_numbers(connection->account);
    if (op->has_headers && !connection->options.headers) {
        refuse(connection, NULL, "HPUB from a client whose CONNECT did not speak of headers");
        return;
    }
    connection->messages_in++;
    connection->bytes_in += bytes;
    server->messages_in++;
    server->bytes_in += bytes;
    numbers->messages_in++;
    numbers->bytes_in += bytes;
    if (connection->options.pedantic && !subject_is_literal(op->subject))
        send_error(connection, "Invalid Publish Subject");
    if (!may_publish(connection, &message))
        return;
    send_ok(connection);
    struct route route = account_send(connection->account, message.subject, &message, connection);
    if (route.receivers == 0 && message.reply.size > 0 && connection->options.no_responders)
        tell_no_responders(connection, &message);
}

// Subscribing

static struct client_subscription *make_subscription(const struct parser_op *op)
{
    size_t size = op->sid.size + op->subject.size + op->queue.size;
    struct client_subscription *made = calloc(1, sizeof *made + size);
    if (made == NULL)
        return NULL;
    char *at = made->text;
    memcpy(at, op->sid.data, op->sid.size);
    at += op->sid.size;
    memcpy(at, op->subject.data, op->subject.size);
    made->subscription.subject = bytes_of(at, op->subject.size);
    at += op->subject.size;
    if (op->queue.size > 0)
        memcpy(at, op->queue.data, op->queue.size);
    made->subscription.queue = bytes_of(at, op->queue.size);
    made->sid_bytes = (uint32_t)op->sid.size;
    list_init(&made->ending);
    return made;
}

static bool may_subscribe(struct connection *connection, const struct parser_op *op)
{
    if (connection->user == NULL || auth_may_subscribe(connection->user, op->subject, op->queue))
        return true;
    deny(connection, AUTH_SUBSCRIBE, op->subject, op->queue);
    return false;
}

static void take_subscribe(struct connection *connection, const struct parser_op *op)
{
    int64_t most = connection->server->options->max_subscriptions;
    if (!subject_is_pattern(op->subject)) {
        send_error(connection, "Invalid Subject");
        return;
    }
    if (!may_subscribe(connection, op))
        return;
    if (most > 0 && connection->subscriptions.count >= (size_t)most) {
        send_error(connection, "maximum subscriptions exceeded");
        return;
    }
    if (map_find(&connection->subscriptions, op->sid) != NULL) {
        send_ok(connection);
        return;
    }
    struct client_subscription *made = make_subscription(op);
    if (made == NULL) {
        connection_close(connection, CONNECTION_NO_MEMORY);
        return;
    }
    made->subscription.owner = connection;
    made->filtered = connection->user != NULL &&
                     auth_filters_delivery(connection->user, op->subject, op->queue);
    if (map_add(&connection->subscriptions, client_subscription_sid(made), made) != STATUS_OK) {
        free(made);
        connection_close(connection, CONNECTION_NO_MEMORY);
        return;
    }
    if (account_subscribe(connection->account, &made->subscription) != STATUS_OK) {
        map_take(&connection->subscriptions, client_subscription_sid(made));
        free(made);
        connection_close(connection, CONNECTION_NO_MEMORY);
        return;
    }
    send_ok(connection);
}

void client_drop_subscription(struct client_subscription *subscription)
{
    struct connection *connection = subscription->subscription.owner;
    list_take_out(&subscription->ending);
    account_unsubscribe(connection->account, &subscription->subscription);
    map_take(&connection->subscriptions, client_subscription_sid(subscription));
    free(subscription);
}

static void take_unsubscribe(struct connection *connection, const struct parser_op *op)
{
    struct client_subscription *found = map_find(&connection->subscriptions, op->sid);
    if (found != NULL) {
        found->max = op->max;
        if (op->max == 0 || found->delivered >= op->max)
            client_drop_subscription(found);
    }
    send_ok(connection);
}

// Delivering

bool client_deliver(struct client_subscription *subscription, const struct message *message)
{
    struct connection *connection = subscription->subscription.owner;
    struct server *server = connection->server;
    if (subscription->max > 0 && subscription->delivered >= subscription->max)
        return false;
    if (subscription->filtered &&
        !auth_may_deliver(connection->user, message->subject, subscription->subscription.queue))
        return false;
    struct proto_message form = {
        .subject = message->subject,
        .sid = client_subscription_sid(subscription),
        .reply = message->reply,
        .headers = connection->options.headers ? message->headers : (struct bytes){NULL, 0},
        .body = message->body,
    };
    size_t bytes = form.headers.size + form.body.size;
    struct account_numbers *numbers = account_numbers(connection->account);
    proto_put_message(connection_output(connection), &form);
    connection_touch(connection);
    subscription->delivered++;
    connection->messages_out++;
    connection->bytes_out += bytes;
    server->messages_out++;
    server->bytes_out += bytes;
    numbers->messages_out++;
    numbers->bytes_out += bytes;
    if (connection->user != NULL && message->reply.size > 0)
        allow_reply(connection, message->reply);
    return true;
}

// Operations

void client_parse_error(struct connection *connection, const struct parser_op *op)
{
    refuse(connection, op->error, op->reason);
}

static void take_pong(struct connection *connection)
{
    if (connection->ping_ns > 0)
        connection->rtt_ns = server_now_ns() - connection->ping_ns;
    connection->pings_out = 0;
}

void client_operation(struct connection *connection, const struct parser_op *op)
{
    if (!connection->connected && op->kind != PARSER_CONNECT &&
        auth_is_required(connection->server->auth)) {
        connection_fail(connection, CONNECTION_AUTH, "Authorization Violation");
        return;
    }
    switch (op->kind) {
    case PARSER_PUB: take_publish(connection, op); break;
    case PARSER_SUB: take_subscribe(connection, op); break;
    case PARSER_UNSUB: take_unsubscribe(connection, op); break;
    case PARSER_CONNECT: take_connect(connection, op->json); break;
    case PARSER_PING:
        proto_put_pong(connection_output(connection));
        connection_touch(connection);
        break;
    case PARSER_PONG: take_pong(connection); break;
    case PARSER_ERR: refuse(connection, NULL, "the client reports an error"); break;
    case PARSER_INFO:
    case PARSER_OK: break;
    }
    if (op->kind != PARSER_PING && op->kind != PARSER_PONG)
        connection->active_ns = server_now_ns();
}
