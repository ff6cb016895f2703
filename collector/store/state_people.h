// SPDX-License-Identifier: Apache-2.0
/*
 * state_people - tables of state.db: people, their sessions, tokens, and grants.
 *
 * People's data (login, name, phone, contact, password) lives here only and can be
 * erased; the id stays, and says nothing. Secrets are kept by their hash. Texts are the
 * caller's in `put` and borrowed until the callback returns; NULL counts as "". Threads
 * and errors as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_PEOPLE_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_PEOPLE_H

#include <stdint.h>

#include "base/err.h"
#include "collector/store/state.h"

struct state_person {
    const char *id;
    const char *org; /* "": the whole installation */
    const char *role;
    const char *sites; /* joined by spaces; "": all of the organisation */
    const char *login; /* unique; "": cannot sign in */
    const char *name;  /* UTF-8 */
    const char *phone;
    const char *contact;  /* for alerts */
    const char *password; /* argon2id with its parameters; "": cannot sign in */
    int64_t created_ms;
    int64_t changed_ms;
    int64_t erased_ms; /* 0: not erased */
    int64_t version;   /* grows with each change of it */
};

typedef void state_person_fn(void *context, const struct state_person *person);

/* Adds or replaces by id. EXISTS, changing nothing, when another has that login. */
MUST_CHECK enum err state_put_person(struct state *state,
                                     const struct state_person *person);
/* Call `row` once, or return NOT_FOUND. */
MUST_CHECK enum err state_get_person(struct state *state, const char *id, void *context,
                                     state_person_fn *row);
MUST_CHECK enum err state_find_login(struct state *state, const char *login,
                                     void *context, state_person_fn *row);
/* In the order of ids from behind `after`; `org` NULL: of all. */
MUST_CHECK enum err state_page_people(struct state *state, const char *org,
                                      const char *after, size_t limit, void *context,
                                      state_person_fn *row);
/* Admins of the whole installation who can sign in. */
MUST_CHECK enum err state_count_admins(struct state *state, uint64_t *count);
/*
 * Empties what is about the person, ends all sessions, revokes all tokens. Nothing of it
 * is left in the file's pages; what its log still holds goes by state_forget().
 * NOT_FOUND.
 */
MUST_CHECK enum err state_erase_person(struct state *state, const char *id,
                                       int64_t now_ms);

struct state_session {
    const char *hash; /* hex, of the cookie's secret */
    const char *person;
    int64_t created_ms;
    int64_t used_ms;
};

typedef void state_session_fn(void *context, const struct state_session *session);

MUST_CHECK enum err state_put_session(struct state *state,
                                      const struct state_session *session);
/* Calls `row` once, or returns NOT_FOUND. */
MUST_CHECK enum err state_find_session(struct state *state, const char *hash,
                                       void *context, state_session_fn *row);
/* No session of that hash is no error. */
MUST_CHECK enum err state_use_session(struct state *state, const char *hash,
                                      int64_t now_ms);
MUST_CHECK enum err state_delete_session(struct state *state, const char *hash);
/* Of a person, but for the one with hash `keep` (NULL: none is kept). */
MUST_CHECK enum err state_delete_sessions(struct state *state, const char *person,
                                          const char *keep);
/* What nobody can use any more. */
MUST_CHECK enum err state_drop_sessions(struct state *state, int64_t created_before_ms,
                                        int64_t used_before_ms);

/* In the order of ids from behind `after`; `org` NULL: of all. */
MUST_CHECK enum err state_page_tokens(struct state *state, const char *org,
                                      const char *after, size_t limit, void *context,
                                      state_token_fn *row);
/* Calls `row` once, or returns NOT_FOUND. */
MUST_CHECK enum err state_get_token(struct state *state, const char *id, void *context,
                                    state_token_fn *row);
/* NOT_FOUND when there is none that is not revoked. */
MUST_CHECK enum err state_revoke_token(struct state *state, const char *id,
                                       int64_t now_ms);
/* Every one that has that role. */
MUST_CHECK enum err state_revoke_role(struct state *state, const char *role,
                                      int64_t now_ms);

struct state_grant {
    const char *id;
    const char *holder_kind; /* "org", "person", "token" */
    const char *holder;
    const char *zone;
    int64_t from_ms;
    int64_t to_ms;     /* exclusive; 0: open */
    const char *cause; /* "" or what made it, such as a leg */
    int64_t created_ms;
};

typedef void state_grant_fn(void *context, const struct state_grant *grant);

MUST_CHECK enum err state_put_grant(struct state *state, const struct state_grant *grant);
/* NOT_FOUND. */
MUST_CHECK enum err state_delete_grant(struct state *state, const char *id);
/* Calls `row` once, or returns NOT_FOUND. */
MUST_CHECK enum err state_get_grant(struct state *state, const char *id, void *context,
                                    state_grant_fn *row);
MUST_CHECK enum err state_each_grant(struct state *state, const char *holder_kind,
                                     const char *holder, void *context,
                                     state_grant_fn *row);
/* In the order of ids from behind `after`. */
MUST_CHECK enum err state_page_grants(struct state *state, const char *after,
                                      size_t limit, void *context, state_grant_fn *row);

#endif
