// SPDX-License-Identifier: Apache-2.0
/*
 * people - what the commands about people, tokens and grants share. One thread; errors of
 * client.h.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_PEOPLE_H
#define COLDCHAIN_COLDCHAINCTL_PEOPLE_H

#include <jansson.h>

#include "base/err.h"
#include "coldchainctl/client.h"

#define PEOPLE_ID_SIZE 65

/* All of "people", "tokens" or "grants", page by page: an array, the caller's. */
MUST_CHECK enum err people_list(struct client *client, const char *what, json_t **list,
                                struct err_text *why);
/* The id of the person of that id or sign-in name; NOT_FOUND. */
MUST_CHECK enum err people_find(struct client *client, const char *who,
                                char id[PEOPLE_ID_SIZE], struct err_text *why);
/* "a,b" as an array of texts. */
json_t *people_words(const char *text);

#endif
