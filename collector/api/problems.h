// SPDX-License-Identifier: Apache-2.0
/*
 * problems - the dictionary of everything that the API refuses, in English and Chinese.
 *
 * One entry a kind of refusal: a code that never changes, the status, and what is wrong
 * and what to do in both languages, with {named places} that the caller fills. Its `type`
 * is /errors/CODE; docs/errors.md is made from this table. Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_API_PROBLEMS_H
#define COLDCHAIN_COLLECTOR_API_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PROBLEM_TYPE_START "/errors/"

enum problem_language {
    PROBLEM_EN,
    PROBLEM_ZH,
    PROBLEM_LANGUAGES,
};

#define PROBLEM_LIST(X) \
    /* the question */ \
    X(PARAMETER_UNKNOWN) \
    X(PARAMETER_TWICE) \
    X(PARAMETER_EMPTY) \
    X(PARAMETER_NOT_A_TIME) \
    X(PARAMETER_NOT_A_NUMBER) \
    X(PARAMETER_NOT_A_CHOICE) \
    X(PARAMETER_NOT_A_NAME) \
    X(PARAMETER_NOT_A_CURSOR) \
    X(TOO_MANY_CHANNELS) \
    X(ADDRESS_AMBIGUOUS) \
    X(HEADER_AMBIGUOUS) \
    X(BODY_NOT_UNDERSTOOD) \
    X(BODY_TOO_LARGE) \
    X(METHOD_NOT_ALLOWED) \
    X(ADDRESS_UNKNOWN) \
    /* who asks, and for what */ \
    X(TOKEN_NEEDED) \
    X(ROLE_NOT_ALLOWED) \
    X(FOREIGN_PAGE) \
    X(TOO_MANY_ATTEMPTS) \
    X(NOT_SIGNED_IN) \
    X(REPLY_NOT_SIGNED) \
    X(ADMIN_REFUSED) \
    X(LOGIN_TAKEN) \
    X(ADMIN_NOT_KEPT) \
    X(VALUE_REFUSED) \
    X(NOT_FOUND) \
    /* commands */ \
    X(COMMAND_INVALID) \
    X(COMMAND_NOT_FOUND) \
    X(COMMAND_DENIED) \
    X(CONDITION_NOT_UNDERSTOOD) \
    X(NAMES_DIFFER) \
    X(KEY_NOT_UNDERSTOOD) \
    X(KEY_REUSED) \
    X(KEY_UNDER_WAY) \
    X(COMMAND_CONFLICT) \
    X(COMMAND_NOT_APPLIED) \
    X(COMMAND_FAILED) \
    /* the house */ \
    X(BUSY) \
    X(TOO_MANY_STREAMS) \
    X(NOT_READY) \
    X(BROKER_NOT_REACHED) \
    X(HISTORY_STOPPED) \
    X(ANSWER_TAKES_TOO_LONG) \
    X(STORE_BUSY) \
    X(STORE_FAILED) \
    X(BACKUP_BUSY) \
    X(BACKUP_FAILED)

enum problem {
#define X(name) PROBLEM_##name,
    PROBLEM_LIST(X)
#undef X
        PROBLEM_COUNT,
};

struct problem_text {
    const char *title;  /* what is wrong */
    const char *detail; /* and what to do */
};

struct problem_entry {
    const char *code;
    unsigned status;
    struct problem_text text[PROBLEM_LANGUAGES];
};

const struct problem_entry *problem_entry(enum problem problem);

/* One place and what stands there; not escaped. */
struct problem_place {
    const char *name;
    const char *value;
};

/* Appends the text; "{name}" becomes its value, one that is not given stays as it is. */
void problem_fill(struct buf *out, const char *text, const struct problem_place *places,
                  size_t count);

/* "zh-CN" */
const char *problem_language_tag(enum problem_language language);
/* What Accept-Language prefers of what there is (RFC 9110, 12.5.4); NULL: English. */
enum problem_language problem_language_of(const char *accept);

#endif
