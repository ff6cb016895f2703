// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/ack_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"

#define MAC_BYTES  16
#define INCIDENT   (ALERT_ID_SIZE - 1)
#define NUMBER_LEN 8 /* hex digits: seconds until 2106 */
#define MAC_LEN    (2 * MAC_BYTES)

/* "INCIDENT.SECONDS.CONTACT", which the signature behind it is of. */
static void sign(char mac[MAC_LEN + 1], const char *text, size_t len,
                 const uint8_t key[ACK_KEY_BYTES])
{
    uint8_t digest[CRYPTO_HMAC_BYTES];
    crypto_hmac_sha256(digest, key, ACK_KEY_BYTES, text, len);
    crypto_hex(mac, digest, MAC_BYTES);
}

void ack_token_format(char token[ACK_TOKEN_MAX], const struct ack_claim *claim,
                      const uint8_t key[ACK_KEY_BYTES])
{
    char mac[MAC_LEN + 1];
    int len = snprintf(token, ACK_TOKEN_MAX, "%s.%08" PRIx32 ".%s", claim->incident,
                       (uint32_t)claim->until_s, claim->contact);
    sign(mac, token, (size_t)len, key);
    snprintf(token + len, ACK_TOKEN_MAX - (size_t)len, ".%s", mac);
}

static bool read_claim(struct ack_claim *claim, const char *token, size_t len)
{
    uint8_t number[NUMBER_LEN / 2];
    char digits[NUMBER_LEN + 1];
    size_t contact_len = len - INCIDENT - NUMBER_LEN - 2;
    if (token[INCIDENT] != '.' || token[INCIDENT + 1 + NUMBER_LEN] != '.' ||
        contact_len >= sizeof claim->contact)
        return false;
    snprintf(claim->incident, sizeof claim->incident, "%.*s", INCIDENT, token);
    snprintf(digits, sizeof digits, "%.*s", NUMBER_LEN, token + INCIDENT + 1);
    snprintf(claim->contact, sizeof claim->contact, "%.*s", (int)contact_len,
             token + len - contact_len);
    if (!crypto_unhex(number, sizeof number, digits))
        return false;
    claim->until_s =
        (int64_t)number[0] << 24 | number[1] << 16 | number[2] << 8 | number[3];
    return true;
}

enum err ack_token_parse(struct ack_claim *claim, const char *token,
                         const uint8_t key[ACK_KEY_BYTES], int64_t now_ms)
{
    char mac[MAC_LEN + 1];
    *claim = (struct ack_claim){0};
    size_t len = strnlen(token, ACK_TOKEN_MAX);
    if (len >= ACK_TOKEN_MAX || len < INCIDENT + NUMBER_LEN + 2 + 1 + MAC_LEN)
        return ERR_INVALID;
    size_t signed_len = len - MAC_LEN - 1;
    sign(mac, token, signed_len, key);
    if (token[signed_len] != '.' || !crypto_equal(mac, token + signed_len + 1, MAC_LEN) ||
        !read_claim(claim, token, signed_len))
        return ERR_INVALID;
    return now_ms / 1000 <= claim->until_s ? ERR_OK : ERR_DENIED;
}

void ack_link(const struct ack_links *links, const char *incident, const char *contact,
              int64_t now_ms, struct buf *out)
{
    char token[ACK_TOKEN_MAX];
    struct ack_claim claim = {.until_s = (now_ms + links->valid_ms) / 1000};
    snprintf(claim.incident, sizeof claim.incident, "%s", incident);
    snprintf(claim.contact, sizeof claim.contact, "%s", contact);
    ack_token_format(token, &claim, links->key);
    buf_format(out, "%s" ACK_PATH "?t=%s", links->base, token);
}
