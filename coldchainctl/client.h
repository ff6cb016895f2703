// SPDX-License-Identifier: Apache-2.0
/*
 * client - questions to a collector's API, and sentences for what can go wrong with them.
 *
 * Where it is: --api, else COLDCHAIN_API, else CLIENT_API_DEFAULT. Who asks: the token in
 * --token-file, else COLDCHAIN_TOKEN_FILE, else what `login` kept for that address
 * (keyring.h), else CLIENT_TOKEN_DEFAULT when this user may read it. Whom to trust with
 * https: --ca-file, else COLDCHAIN_CA_FILE, else the system. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_CLIENT_H
#define COLDCHAIN_COLDCHAINCTL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "coldchainctl/options.h"

#define CLIENT_API_DEFAULT   "http://127.0.0.1:8480"
#define CLIENT_TOKEN_DEFAULT "/var/lib/coldchain/collector/api.token"

/* What every command that asks the API is told on its command line; NULL: not given. */
struct client_args {
    const char *api;
    const char *token_file;
    const char *ca_file;
};

/* The rows of its option table: `args_type` is its struct of arguments, `field` this one.
 */
#define CLIENT_OPTION(option, args_type, member, what, name_of, about) \
    { \
        .name = option, .type = OPTION_TEXT, .offset = offsetof(args_type, member), \
        .value = what, .arg = name_of, .help = about \
    }
#define CLIENT_OPTIONS(args_type, field) \
    CLIENT_OPTION( \
        "api", args_type, field.api, "a URL", "URL", \
        "where the collector's API is (COLDCHAIN_API, else " CLIENT_API_DEFAULT ")"), \
        CLIENT_OPTION( \
            "token-file", args_type, field.token_file, "a file", "FILE", \
            "holds the token (COLDCHAIN_TOKEN_FILE, else " CLIENT_TOKEN_DEFAULT ")"), \
        CLIENT_OPTION("ca-file", args_type, field.ca_file, "a file", "FILE", \
                      "certificates to trust for https (COLDCHAIN_CA_FILE)")

/* The same for the help of a command that is written by hand. */
#define CLIENT_HELP \
    "  --api URL           where the collector's API is (COLDCHAIN_API, else\n" \
    "                      " CLIENT_API_DEFAULT ")\n" \
    "  --token-file FILE   holds the token (COLDCHAIN_TOKEN_FILE, else\n" \
    "                      " CLIENT_TOKEN_DEFAULT ")\n" \
    "  --ca-file FILE      certificates to trust for https (COLDCHAIN_CA_FILE)\n"

struct client;

/* INVALID: no URL; other errors are those of reading the token's file. */
MUST_CHECK enum err client_open(struct client **client, const struct client_args *args,
                                struct err_text *why);
/* As nobody, whatever token there is: for signing in. */
MUST_CHECK enum err client_open_anonymous(struct client **client,
                                          const struct client_args *args,
                                          struct err_text *why);
/* Accepts NULL. */
void client_close(struct client *client);

/*
 * GET and POST of "/api/v1/...". ERR_OK: 200, and the caller owns *answer, its JSON.
 * DENIED: the token, or a certificate not to be trusted; NOT_FOUND, CONFLICT, INVALID,
 * BUSY: what the API said, as it said it; OFFLINE, TIMEOUT, LIMIT: no answer; CORRUPT: an
 * answer that is not the API's. `why` says what to do. POST sends `body`, which may be
 * NULL.
 */
MUST_CHECK enum err client_get(struct client *client, const char *path, json_t **answer,
                               struct err_text *why);
MUST_CHECK enum err client_post(struct client *client, const char *path,
                                const json_t *body, json_t **answer,
                                struct err_text *why);

/*
 * A change by POST, PATCH or DELETE, applied once: under an idempotency key of its own,
 * and asked a second time when no answer came. `body` may be NULL.
 */
MUST_CHECK enum err client_change(struct client *client, const char *method,
                                  const char *path, const json_t *body, json_t **answer,
                                  struct err_text *why);

/* GET of what is no JSON: adds the bytes to `into`. */
MUST_CHECK enum err client_fetch(struct client *client, const char *path,
                                 struct buf *into, struct err_text *why);
/* POST of bytes under a content type. */
MUST_CHECK enum err client_send(struct client *client, const char *path,
                                const char *content_type, const void *data, size_t len,
                                json_t **answer, struct err_text *why);
/* For later requests; 0: 10 s. */
void client_set_timeout(struct client *client, int64_t timeout_ms);
/* When the API gave its last answer by its own clock, in whole seconds; -1: unknown. */
int64_t client_date_ms(const struct client *client);
/* Where the API is: borrowed. */
const char *client_url(const struct client *client);

/* Adds ?name=value, or &name=value behind another one; nothing when value is NULL. */
void client_param(struct buf *path, const char *name, const char *value);
/* Adds the text with what is not unreserved (RFC 3986, 2.3) as %XX. */
void client_escape(struct buf *path, const char *text);

#endif
