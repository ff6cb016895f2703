// SPDX-License-Identifier: Apache-2.0
/*
 * identity - who asks: principals, secrets and sessions, and the peer that a call came
 * from.
 *
 * Only the files of the API include it. Any thread that answers a call.
 */
#ifndef COLDCHAIN_COLLECTOR_API_IDENTITY_H
#define COLDCHAIN_COLLECTOR_API_IDENTITY_H

#include "collector/api/internal.h"

/* principal.c: finds out who asks. Answers the call itself and returns false when that
 * cannot be found out; nobody is somebody too (anonymous). */
bool api_identify(struct api_call *call, const struct api_route *route);
/*
 * Whether the credential that the call came with still counts, for streams: true renews
 * call->principal, whose sites and grants may have changed. The call holds its stores.
 */
bool api_principal_is_valid(struct api_call *call, int64_t now_ms);

#define API_KEY_BYTES 32
/* Random, and gone with the process. */
const uint8_t *api_secret_key(const struct api *api);

/* Random, in hex; and the hash that is kept of one. */
void api_draw_secret(char secret[PRINCIPAL_CREDENTIAL_SIZE]);
void api_hash(char hash[PRINCIPAL_CREDENTIAL_SIZE], const char *secret);
/* The word that a change under a session carries in X-CSRF-Token. */
void api_csrf_word(char word[PRINCIPAL_CREDENTIAL_SIZE], const char *credential);

#define API_SESSION_COOKIE "coldchain_session"

/* How long a session counts: without being used, and at most. */
struct api_session_bounds {
    int64_t idle_ms;
    int64_t whole_ms;
};
const struct api_session_bounds *api_session_bounds(const struct api *api);
struct login *api_login_of(const struct api *api);
const struct api_options *api_options_of(const struct api *api);

/* peer.c */
/* Of who asks, as text; behind a proxy of ours, as that one says. */
void api_peer_address(const struct api_call *call, char address[INET6_ADDRSTRLEN]);
/* Whether the request came by TLS, to us or to a proxy of ours. */
bool api_is_secure(const struct api_call *call);
/* Of the session: by TLS one that no other host and no plain page can set. */
const char *api_cookie_name(const struct api_call *call);
/* False, answered with 429, when who asks guesses too fast. `account` may be NULL. */
bool api_may_try(struct api_call *call, const char *account);

#endif
