// SPDX-License-Identifier: Apache-2.0
// Passwords are compared by their digests, in a time that depends on neither; a bcrypt password
// that was right once is known again by its SHA-256, so that a client that reconnects costs no
// second computation on the loop thread.
#include "server/auth.h"

#include "base/map.h"
#include "base/sha256.h"
#include "wire/subject.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

enum { AUTH_BYTES_MAX = 64 * 1024 * 1024, DIGEST = SHA256_BYTES, BCRYPT_PREFIX = 7 };

struct pattern {
    struct bytes subject;
    struct bytes queue; // empty: for every subscription
};

struct patterns {
    bool given;
    const struct pattern *items;
    size_t count;
};

struct auth_user {
    const char *name;
    struct bytes password;
    bool system;
    bool restricted; // it has permissions
    struct patterns publish_allow, publish_deny;
    struct patterns subscribe_allow, subscribe_deny;
    bool responds;
    struct auth_responses responses;
    bool verified; // `known` is the digest of a password that bcrypt has found right
    unsigned char known[DIGEST];
};

struct auth {
    struct arena arena;
    struct map users;         // by name
    struct auth_user *single; // the one user, or who has the token
    bool by_token;            // its password is the token
    const struct auth_user *no_auth;
    bool required;
    bool open; // only the system account has users: everybody else comes in without
};

// Making. --------------------------------------------------------------------------------------

static void *piece(struct auth *auth, size_t size, enum status *status, struct errinfo *err)
{
    void *made = arena_alloc(&auth->arena, size);
    *status = STATUS_OK;
    if (made == NULL && arena_full(&auth->arena, size))
        *status = errinfo_set(err, STATUS_LIMIT, "the users take more than %d bytes",
                              AUTH_BYTES_MAX);
    else if (made == NULL)
        *status = errinfo_set(err, STATUS_NO_MEMORY, "no memory for the users");
    return made;
}

static enum status copy_text(struct auth *auth, const char *text, struct bytes *out,
                             struct errinfo *err)
{
    enum status status;
    struct bytes from = bytes_of_string(text);
    char *made = piece(auth, from.size + 1, &status, err);
    if (made == NULL)
        return status;
    if (from.size > 0)
        memcpy(made, from.data, from.size);
    *out = bytes_of(made, from.size);
    return STATUS_OK;
}

static enum status compile(struct auth *auth, const struct option_subjects *subjects,
                           struct patterns *out, struct errinfo *err)
{
    enum status status;
    struct pattern *items = piece(auth, (subjects->count + 1) * sizeof *items, &status, err);
    for (size_t i = 0; status == STATUS_OK && i < subjects->count; i++) {
        struct bytes text;
        status = copy_text(auth, subjects->items[i], &text, err);
        if (status != STATUS_OK)
            break;
        struct bytes queue;
        items[i].subject = bytes_cut(bytes_trim(text), ' ', &queue);
        items[i].queue = bytes_trim(queue);
    }
    if (status == STATUS_OK)
        *out = (struct patterns){
            .given = subjects->given, .items = items, .count = subjects->count};
    return status;
}

static enum status compile_permissions(struct auth *auth, const struct option_permissions *from,
                                       struct auth_user *user, struct errinfo *err)
{
    if (from == NULL)
        return STATUS_OK;
    user->restricted = true;
    user->responds = from->responses;
    user->responses = (struct auth_responses){from->responses_max, from->responses_expires_ns};
    enum status status = compile(auth, &from->publish_allow, &user->publish_allow, err);
    if (status == STATUS_OK)
        status = compile(auth, &from->publish_deny, &user->publish_deny, err);
    if (status == STATUS_OK)
        status = compile(auth, &from->subscribe_allow, &user->subscribe_allow, err);
    if (status == STATUS_OK)
        status = compile(auth, &from->subscribe_deny, &user->subscribe_deny, err);
    // Unlike for publishing, an empty list of what may be subscribed to is no list.
    user->subscribe_allow.given = user->subscribe_allow.count > 0;
    return status;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// $2b$12$...: what has this form is a digest and no password.
static bool is_bcrypt(struct bytes password)
{
    const char *text = password.data;
    return password.size >= BCRYPT_PREFIX && text[0] == '$' && text[1] == '2' &&
           (text[2] == 'a' || text[2] == 'b' || text[2] == 'x' || text[2] == 'y') &&
           text[3] == '$' && is_digit(text[4]) && is_digit(text[5]) && text[6] == '$';
}

// A digest that costs minutes would stop the server for everybody.
static enum status check_digest(const char *what, struct bytes password, struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    if (!is_bcrypt(password))
        return STATUS_OK;
    int cost = (password.data[4] - '0') * 10 + password.data[5] - '0';
    errinfo_quote(bytes_of_string(what), quote);
    if (cost > AUTH_BCRYPT_COST_MAX)
        return errinfo_set(err, STATUS_INVALID,
                           "the bcrypt digest of %s has cost %d: %d is the most, 11 is usual",
                           quote, cost, AUTH_BCRYPT_COST_MAX);
    if (password.size != 60)
        return errinfo_set(err, STATUS_INVALID,
                           "the bcrypt digest of %s has %zu characters instead of 60", quote,
                           password.size);
    return STATUS_OK;
}

static enum status make_user(struct auth *auth, const struct option_user *from,
                             struct auth_user **out, struct errinfo *err)
{
    enum status status;
    struct bytes name;
    struct auth_user *user = piece(auth, sizeof *user, &status, err);
    if (user == NULL)
        return status;
    user->system = from->system;
    status = copy_text(auth, from->name, &name, err);
    if (status == STATUS_OK)
        status = copy_text(auth, from->password, &user->password, err);
    if (status == STATUS_OK)
        status = check_digest(from->name, user->password, err);
    if (status == STATUS_OK)
        status = compile_permissions(auth, from->permissions, user, err);
    if (status != STATUS_OK)
        return status;
    user->name = name.data;
    *out = user;
    return STATUS_OK;
}

static enum status make_users(struct auth *auth, const struct server_options *options,
                              struct errinfo *err)
{
    bool only_system = options->user_count > 0 && !options_given(options, "authorization");
    struct auth_user *user;
    for (size_t i = 0; i < options->user_count; i++) {
        enum status status = make_user(auth, &options->users[i], &user, err);
        if (status == STATUS_OK &&
            map_add(&auth->users, bytes_of_string(user->name), user) != STATUS_OK)
            status = errinfo_set(err, STATUS_NO_MEMORY, "no memory for the users");
        if (status != STATUS_OK)
            return status;
        only_system = only_system && user->system;
    }
    auth->required = true;
    auth->no_auth = map_find(&auth->users, bytes_of_string(options->no_auth_user));
    auth->open = only_system && auth->no_auth == NULL;
    return STATUS_OK;
}

static enum status make_single(struct auth *auth, const struct server_options *options,
                               struct errinfo *err)
{
    bool by_token = options->token != NULL;
    const struct option_user from = {
        .name = options->user == NULL || by_token ? "" : options->user,
        .password = by_token ? options->token : options->password,
    };
    auth->by_token = by_token;
    auth->required = options->user != NULL || by_token;
    return auth->required ? make_user(auth, &from, &auth->single, err) : STATUS_OK;
}

enum status auth_new(struct auth **out, const struct server_options *options, struct errinfo *err)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (auth == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the users");
    arena_init(&auth->arena, AUTH_BYTES_MAX);
    map_init(&auth->users, 0);
    enum status status = options->users_given ? make_users(auth, options, err)
                                              : make_single(auth, options, err);
    if (status != STATUS_OK) {
        auth_free(auth);
        return status;
    }
    *out = auth;
    return STATUS_OK;
}

void auth_free(struct auth *auth)
{
    if (auth == NULL)
        return;
    map_fini(&auth->users);
    arena_fini(&auth->arena);
    free(auth);
}

// Logging in. ----------------------------------------------------------------------------------

static bool same_digest(const unsigned char a[DIGEST], const unsigned char b[DIGEST])
{
    unsigned differs = 0;
    for (size_t i = 0; i < DIGEST; i++)
        differs |= (unsigned)(a[i] ^ b[i]);
    return differs == 0;
}

static void digest_of(struct bytes text, unsigned char digest[DIGEST])
{
    struct sha256 hash;
    sha256_init(&hash);
    sha256_update(&hash, text);
    sha256_final(&hash, digest);
}

static bool same_secret(struct bytes wanted, struct bytes given)
{
    unsigned char a[DIGEST];
    unsigned char b[DIGEST];
    digest_of(wanted, a);
    digest_of(given, b);
    return same_digest(a, b);
}

// bcrypt takes a C string: what stands behind a NUL would not count, so it is refused.
static bool bcrypt_matches(struct bytes digest, struct bytes password)
{
    bool same = false;
    struct crypt_data *work = calloc(1, sizeof *work);
    char *phrase = calloc(1, password.size + 1);
    if (work != NULL && phrase != NULL && bytes_find_byte(password, '\0') == SIZE_MAX) {
        if (password.size > 0)
            memcpy(phrase, password.data, password.size);
        // Unlike crypt_r it gives NULL on failure, and sanitizers do not put their own in its
        // place.
        const char *made = crypt_rn(phrase, digest.data, work, (int)sizeof *work);
        same = made != NULL && same_secret(digest, bytes_of_string(made));
    }
    free(phrase);
    free(work);
    return same;
}

static bool password_matches(struct auth_user *user, struct bytes given)
{
    unsigned char digest[DIGEST];
    if (!is_bcrypt(user->password))
        return same_secret(user->password, given);
    digest_of(given, digest);
    if (user->verified && same_digest(user->known, digest))
        return true;
    if (!bcrypt_matches(user->password, given))
        return false;
    user->verified = true;
    memcpy(user->known, digest, sizeof digest);
    return true;
}

bool auth_is_required(const struct auth *auth)
{
    return auth != NULL && auth->required && auth->no_auth == NULL;
}

const struct auth_user *auth_default_user(const struct auth *auth)
{
    return auth == NULL ? NULL : auth->no_auth;
}

static bool check_user(struct auth *auth, const struct auth_credentials *credentials,
                       const struct auth_user **user)
{
    bool silent = credentials->user.size == 0 && credentials->password.size == 0 &&
                  credentials->token.size == 0;
    if (silent && (auth->no_auth != NULL || auth->open)) {
        *user = auth->no_auth;
        return true;
    }
    struct auth_user *found = map_find(&auth->users, credentials->user);
    if (found == NULL || !password_matches(found, credentials->password))
        return false;
    *user = found;
    return true;
}

bool auth_check(struct auth *auth, const struct auth_credentials *credentials,
                const struct auth_user **user)
{
    if (auth == NULL || !auth->required) {
        *user = NULL;
        return true;
    }
    if (auth->single == NULL)
        return check_user(auth, credentials, user);
    struct auth_user *single = auth->single;
    struct bytes given = auth->by_token ? credentials->token : credentials->password;
    bool named = auth->by_token || bytes_equal(bytes_of_string(single->name), credentials->user);
    bool same = named && password_matches(single, given);
    if (same)
        *user = auth->single;
    return same;
}

bool auth_find_again(const struct auth *fresh, const struct auth_user *old,
                     const struct auth_user **user)
{
    const struct auth_user *found = NULL;
    if (old == NULL) {
        // It came in without a name, and stays where that is still possible.
        if (fresh->required && !fresh->open && fresh->no_auth == NULL)
            return false;
        *user = fresh->no_auth;
        return true;
    }
    if (!fresh->required)
        found = NULL;
    else if (fresh->single != NULL)
        found = fresh->single;
    else
        found = map_find(&fresh->users, bytes_of_string(old->name));
    if (fresh->required &&
        (found == NULL || strcmp(found->name, old->name) != 0 || found->system != old->system ||
         !same_secret(found->password, old->password)))
        return false;
    *user = found;
    return true;
}

const char *auth_name(const struct auth_user *user)
{
    return user == NULL ? "" : user->name;
}

bool auth_is_system(const struct auth_user *user)
{
    return user != NULL && user->system;
}

// Permissions. ---------------------------------------------------------------------------------

// A queue's name may look like a pattern, and then stands for itself too.
static bool queue_matches(struct bytes pattern, struct bytes queue)
{
    if (bytes_equal(pattern, queue))
        return true;
    return subject_is_pattern(queue) && subject_is_pattern(pattern) &&
           subject_covers(pattern, queue);
}

struct found {
    bool plain;       // an entry without a queue covers the subject
    bool queued;      // some with a queue do
    bool queue_named; // and one of them is for this queue
};

static struct found look(const struct patterns *patterns, struct bytes subject, struct bytes queue)
{
    struct found found = {.plain = false};
    for (size_t i = 0; i < patterns->count; i++) {
        const struct pattern *pattern = &patterns->items[i];
        if (!subject_covers(pattern->subject, subject))
            continue;
        if (pattern->queue.size == 0) {
            found.plain = true;
        } else {
            found.queued = true;
            found.queue_named = found.queue_named || queue_matches(pattern->queue, queue);
        }
    }
    return found;
}

bool auth_may_publish(const struct auth_user *user, struct bytes subject)
{
    struct bytes none = {NULL, 0};
    if (user == NULL || !user->restricted)
        return true;
    if (user->publish_allow.given && !look(&user->publish_allow, subject, none).plain)
        return false;
    return !look(&user->publish_deny, subject, none).plain;
}

static bool is_denied(const struct auth_user *user, struct bytes subject, struct bytes queue)
{
    struct found denied = look(&user->subscribe_deny, subject, queue);
    return denied.plain || (queue.size > 0 && denied.queue_named);
}

bool auth_may_subscribe(const struct auth_user *user, struct bytes subject, struct bytes queue)
{
    if (user == NULL || !user->restricted)
        return true;
    if (user->subscribe_allow.given) {
        struct found allowed = look(&user->subscribe_allow, subject, queue);
        // Once entries name queues for this subject, they alone say which queues there may be.
        bool by_queue = queue.size > 0 && allowed.queued;
        if (by_queue ? !allowed.queue_named : !allowed.plain)
            return false;
    }
    return !is_denied(user, subject, queue);
}

bool auth_filters_delivery(const struct auth_user *user, struct bytes subject, struct bytes queue)
{
    if (user == NULL || (queue.size == 0 && !subject_has_wildcard(subject)))
        return false;
    for (size_t i = 0; i < user->subscribe_deny.count; i++) {
        if (subject_overlaps(user->subscribe_deny.items[i].subject, subject))
            return true;
    }
    return false;
}

bool auth_may_deliver(const struct auth_user *user, struct bytes subject, struct bytes queue)
{
    return user == NULL || !is_denied(user, subject, queue);
}

bool auth_responses_get(const struct auth_user *user, struct auth_responses *responses)
{
    if (user == NULL || !user->responds)
        return false;
    *responses = user->responses;
    return true;
}

// A subject may hold any letter but blanks and line ends; quotes and controls are escaped, so that
// the protocol line stays one.
static void put_quoted(struct buf *out, struct bytes text)
{
    static const char hex[] = "0123456789abcdef";
    buf_append_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c == 0x7F) {
            char escape[] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            buf_append(out, bytes_of(escape, sizeof escape));
            continue;
        }
        if (c == '"' || c == '\\')
            buf_append_byte(out, '\\');
        buf_append_byte(out, (char)c);
    }
    buf_append_byte(out, '"');
}

void auth_put_violation(struct buf *out, enum auth_violation violation, struct bytes subject,
                        struct bytes queue)
{
    static const char *const texts[] = {
        [AUTH_PUBLISH] = "Publish to ",
        [AUTH_PUBLISH_REPLY] = "Publish with Reply of ",
        [AUTH_SUBSCRIBE] = "Subscription to ",
    };
    buf_append_string(out, "Permissions Violation for ");
    buf_append_string(out, texts[violation]);
    put_quoted(out, subject);
    if (violation != AUTH_SUBSCRIBE || queue.size == 0)
        return;
    buf_append_string(out, " using queue ");
    put_quoted(out, queue);
}
