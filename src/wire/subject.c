// SPDX-License-Identifier: Apache-2.0
#include "wire/subject.h"

#include "base/limits.h"

static bool is_star(struct bytes token)
{
    return token.size == 1 && token.data[0] == '*';
}

static bool is_rest(struct bytes token)
{
    return token.size == 1 && token.data[0] == '>';
}

// Takes the next token; *more tells whether another follows.
static struct bytes next_token(struct bytes *rest, bool *more)
{
    struct bytes token = bytes_cut(*rest, '.', rest);
    *more = rest->data != NULL;
    return token;
}

static const char *token_fault(struct bytes token, bool last, bool wildcards)
{
    if (token.size == 0)
        return "has an empty token (two dots, or a dot at an end)";
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\0')
            return "holds a blank, tab, line end or other white space, or NUL";
    }
    if (!wildcards && (is_star(token) || is_rest(token)))
        return "has a wildcard where none is allowed";
    if (is_rest(token) && !last)
        return "has > before its end";
    return NULL;
}

static const char *fault_of(struct bytes subject, bool wildcards)
{
    if (subject.size == 0)
        return "is empty";
    if (subject.size > LIMIT_SUBJECT_BYTES)
        return "is too long";
    bool more = true;
    while (more) {
        struct bytes token = next_token(&subject, &more);
        const char *fault = token_fault(token, !more, wildcards);
        if (fault != NULL)
            return fault;
    }
    return NULL;
}

bool subject_is_literal(struct bytes subject)
{
    return fault_of(subject, false) == NULL;
}

bool subject_is_pattern(struct bytes subject)
{
    return fault_of(subject, true) == NULL;
}

enum status subject_check(struct bytes subject, bool wildcards, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    const char *fault = fault_of(subject, wildcards);
    if (fault == NULL)
        return STATUS_OK;
    return errinfo_set(err, STATUS_INVALID, "subject %s %s", errinfo_quote(subject, quoted), fault);
}

bool subject_matches(struct bytes pattern, struct bytes subject)
{
    bool more_pattern = true;
    bool more_subject = true;
    while (more_pattern && more_subject) {
        struct bytes wanted = next_token(&pattern, &more_pattern);
        if (is_rest(wanted))
            return true;
        struct bytes token = next_token(&subject, &more_subject);
        if (!is_star(wanted) && !bytes_equal(wanted, token))
            return false;
    }
    return !more_pattern && !more_subject;
}

bool subject_overlaps(struct bytes a, struct bytes b)
{
    bool more_a = true;
    bool more_b = true;
    while (more_a && more_b) {
        struct bytes token_a = next_token(&a, &more_a);
        struct bytes token_b = next_token(&b, &more_b);
        if (is_rest(token_a) || is_rest(token_b))
            return true;
        if (!is_star(token_a) && !is_star(token_b) && !bytes_equal(token_a, token_b))
            return false;
    }
    return !more_a && !more_b;
}

bool subject_covers(struct bytes whole, struct bytes part)
{
    bool more_whole = true;
    bool more_part = true;
    while (more_whole && more_part) {
        struct bytes wanted = next_token(&whole, &more_whole);
        struct bytes token = next_token(&part, &more_part);
        if (is_rest(wanted))
            return true;
        if (is_rest(token) || (is_star(token) && !is_star(wanted)))
            return false;
        if (!is_star(wanted) && !bytes_equal(wanted, token))
            return false;
    }
    return !more_whole && !more_part;
}

bool subject_has_wildcard(struct bytes subject)
{
    bool more = true;
    while (more) {
        struct bytes token = next_token(&subject, &more);
        if (is_star(token) || is_rest(token))
            return true;
    }
    return false;
}
