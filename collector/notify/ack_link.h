// SPDX-License-Identifier: Apache-2.0
/*
 * ack_link - links with which the one who was told acknowledges with one tap.
 *
 * A token names incident, contact and its end, and is signed with a key of the house:
 * nobody makes one, nobody changes one, and it says nothing of people. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_ACK_LINK_H
#define COLDCHAIN_COLLECTOR_NOTIFY_ACK_LINK_H

#include <stdint.h>

#include "alerts/incident.h"
#include "base/buf.h"
#include "base/err.h"

#define ACK_KEY_BYTES 32
#define ACK_TOKEN_MAX 160
#define ACK_PATH      "/v1/ack"

struct ack_links {
    const char *base; /* "https://cold.example.org"; borrowed */
    int64_t valid_ms;
    uint8_t key[ACK_KEY_BYTES];
};

struct ack_claim {
    char incident[ALERT_ID_SIZE];
    char contact[ID_SIZE]; /* "": whoever reads the channel */
    int64_t until_s;
};

void ack_token_format(char token[ACK_TOKEN_MAX], const struct ack_claim *claim,
                      const uint8_t key[ACK_KEY_BYTES]);
/* INVALID: not one of this house; DENIED: its time is over. `claim` is filled then, too.
 */
MUST_CHECK enum err ack_token_parse(struct ack_claim *claim, const char *token,
                                    const uint8_t key[ACK_KEY_BYTES], int64_t now_ms);

/* Appends the link. */
void ack_link(const struct ack_links *links, const char *incident, const char *contact,
              int64_t now_ms, struct buf *out);

#endif
