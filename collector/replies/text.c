// SPDX-License-Identifier: Apache-2.0
#include "collector/replies/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/utf8.h"

#define CODE_LEN   (REPLY_CODE_SIZE - 1)
#define INCIDENT   (ALERT_ID_SIZE - 1)
#define NUMBER_LEN 8 /* hex digits: seconds until 2106 */
#define MAC_BYTES  12
#define MAC_LEN    (2 * MAC_BYTES)
#define SIGN_MAX   512

/* Without I, O, 0 and 1, which are read for each other. */
static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

_Static_assert(INCIDENT + NUMBER_LEN + MAC_LEN == REPLY_TOKEN_SIZE - 1, "it fits");

/* ---- codes and tokens ------------------------------------------------------------- */

/* Each part is ended, so that no two sets of parts are signed alike. */
static void sign(uint8_t mac[CRYPTO_HMAC_BYTES], const uint8_t key[REPLY_KEY_BYTES],
                 const char *const parts[4])
{
    char text[SIGN_MAX];
    size_t len = 0;
    for (size_t i = 0; i < 4; i++) {
        size_t part = strnlen(parts[i], SIGN_MAX / 4 - 1);
        memcpy(text + len, parts[i], part);
        len += part;
        text[len++] = '\n';
    }
    crypto_hmac_sha256(mac, key, REPLY_KEY_BYTES, text, len);
}

void reply_code(char code[REPLY_CODE_SIZE], const uint8_t key[REPLY_KEY_BYTES],
                const char *channel, const char *box, const char *incident)
{
    uint8_t mac[CRYPTO_HMAC_BYTES];
    const char *const parts[] = {"reply-code", channel, box, incident};
    sign(mac, key, parts);
    for (size_t i = 0; i < CODE_LEN; i++)
        code[i] = alphabet[mac[i] % (sizeof alphabet - 1)];
    code[CODE_LEN] = '\0';
}

static void sign_token(char mac_text[MAC_LEN + 1], const char *text,
                       const uint8_t key[REPLY_KEY_BYTES], const char *channel)
{
    char claim[INCIDENT + NUMBER_LEN + 1];
    uint8_t mac[CRYPTO_HMAC_BYTES];
    snprintf(claim, sizeof claim, "%.*s", INCIDENT + NUMBER_LEN, text);
    const char *const parts[] = {"reply-token", channel, claim, ""};
    sign(mac, key, parts);
    crypto_hex(mac_text, mac, MAC_BYTES);
}

static bool is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") >= len;
}

bool reply_token_format(char text[REPLY_TOKEN_SIZE], const struct reply_token *token,
                        const uint8_t key[REPLY_KEY_BYTES], const char *channel)
{
    if (strlen(token->incident) != INCIDENT || !is_hex(token->incident, INCIDENT))
        return false;
    snprintf(text, REPLY_TOKEN_SIZE, "%s%08" PRIx32, token->incident,
             (uint32_t)token->until_s);
    sign_token(text + INCIDENT + NUMBER_LEN, text, key, channel);
    return true;
}

enum err reply_token_parse(struct reply_token *token, const char *text,
                           const uint8_t key[REPLY_KEY_BYTES], const char *channel,
                           int64_t now_ms)
{
    char mac[MAC_LEN + 1];
    char digits[NUMBER_LEN + 1];
    uint8_t number[NUMBER_LEN / 2];
    *token = (struct reply_token){.until_s = 0};
    if (strnlen(text, REPLY_TOKEN_SIZE) != REPLY_TOKEN_SIZE - 1 ||
        !is_hex(text, REPLY_TOKEN_SIZE - 1))
        return ERR_INVALID;
    sign_token(mac, text, key, channel);
    snprintf(digits, sizeof digits, "%.*s", NUMBER_LEN, text + INCIDENT);
    if (!crypto_equal(mac, text + INCIDENT + NUMBER_LEN, MAC_LEN) ||
        !crypto_unhex(number, sizeof number, digits))
        return ERR_INVALID;
    snprintf(token->incident, sizeof token->incident, "%.*s", INCIDENT, text);
    token->until_s =
        (int64_t)number[0] << 24 | number[1] << 16 | number[2] << 8 | number[3];
    return now_ms / 1000 <= token->until_s ? ERR_OK : ERR_DENIED;
}

/* ---- what people type ------------------------------------------------------------- */

/* Longer ones before those that they begin with. */
static const char *const words[] = {
    "/ACK", "ACKNOWLEDGE", "ACK",  "OKAY", "OK",   "YES",    "1",
    "确认", "已收到",      "收到", "已知", "好的", "知道了",
};

/* Typed on a Chinese keyboard, the same signs are three bytes each. */
static uint32_t narrow(uint32_t character)
{
    if (character >= 0xFF01 && character <= 0xFF5E)
        character -= 0xFEE0;
    if (character == 0x3000 || character == 0xA0)
        character = ' ';
    if (character >= 'a' && character <= 'z')
        character -= 'a' - 'A';
    return character;
}

static uint32_t decode(const unsigned char *at, size_t len)
{
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t character = at[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        character = character << 6 | (at[i] & 0x3Fu);
    return character;
}

/* In capitals and narrow; false when it is no text, or too long. */
static bool normalise(char out[REPLY_TEXT_MAX + 1], const char *text, size_t len)
{
    size_t used = 0;
    while (len > 0) {
        size_t step = utf8_len(text, len);
        char bytes[4];
        if (step == 0)
            return false;
        uint32_t character = narrow(decode((const unsigned char *)text, step));
        size_t size = utf8_write(character, bytes);
        if (character == 0 || used + size > REPLY_TEXT_MAX)
            return false;
        memcpy(out + used, bytes, size);
        used += size;
        text += step;
        len -= step;
    }
    out[used] = '\0';
    return true;
}

static const char *skip(const char *at)
{
    static const char *const signs[] = {" ",  "\t", "\r", "\n", ",",  ".", "!",  ":",
                                        ";",  "-",  "[",  "]",  "(",  ")", "\"", "。",
                                        "，", "！", "、", "：", "【", "】"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0];) {
        size_t len = strlen(signs[i]);
        if (strncmp(at, signs[i], len) == 0) {
            at += len;
            i = 0;
        } else {
            i++;
        }
    }
    return at;
}

/* The code and nothing behind it. */
static bool ends_in_code(char code[REPLY_CODE_SIZE], const char *at)
{
    if (strspn(at, alphabet) != CODE_LEN || *skip(at + CODE_LEN) != '\0')
        return false;
    memcpy(code, at, CODE_LEN);
    code[CODE_LEN] = '\0';
    return true;
}

/* Behind names of robots that stand in front: "@cold_bot ok". */
static const char *skip_names(const char *at)
{
    for (at = skip(at); *at == '@'; at = skip(at))
        at += strcspn(at, " \t\r\n");
    return at;
}

/* Behind the word that the text begins with; NULL when it begins with none. */
static const char *skip_word(const char *at)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);
        if (strncmp(at, words[i], len) != 0)
            continue;
        at += len;
        if (words[i][0] == '/' && *at == '@') /* a command of this bot, in a group */
            at += strcspn(at, " \t\r\n");
        return at;
    }
    return NULL;
}

bool reply_text_parse(struct reply_text *reply, const char *text, size_t len)
{
    char plain[REPLY_TEXT_MAX + 1];
    *reply = (struct reply_text){.says_yes = false};
    if (!normalise(plain, text, len))
        return false;
    const char *at = skip_names(plain);
    if (ends_in_code(reply->code, at))
        return true;
    at = skip_word(at);
    if (at == NULL)
        return false;
    at = skip(at);
    reply->says_yes = *at == '\0' || ends_in_code(reply->code, at);
    return reply->says_yes;
}

bool reply_code_find(char code[REPLY_CODE_SIZE], const char *text, size_t len)
{
    bool has_found = false;
    for (size_t at = CODE_LEN + 2; at <= len; at++) {
        const char *found = text + at - CODE_LEN;
        char copy[REPLY_CODE_SIZE] = "";
        bool ends = at == len || text[at] == '\0' || strchr(alphabet, text[at]) == NULL;
        memcpy(copy, found, CODE_LEN);
        if (!ends || strspn(copy, alphabet) != CODE_LEN || found[-1] != ' ' ||
            found[-2] != '1')
            continue;
        if (has_found && strcmp(copy, code) != 0)
            return false; /* a list: which one is meant is not said */
        memcpy(code, copy, sizeof copy);
        has_found = true;
    }
    return has_found;
}
