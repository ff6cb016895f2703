// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/digest.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/notify/kinds.h"
#include "collector/notify/template.h"
#include "collector/notify/words.h"

bool digest_fits(const char *body, const char *other)
{
    json_t *a = json_loads(body, 0, NULL);
    json_t *b = json_loads(other, 0, NULL);
    const json_t *to_a = json_object_get(a, "to");
    const json_t *to_b = json_object_get(b, "to");
    bool is_same = json_array_size(to_a) == 0 && json_array_size(to_b) == 0;
    if (!is_same)
        is_same = json_equal(to_a, to_b);
    json_decref(a);
    json_decref(b);
    return is_same;
}

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL ? text : "";
}

static bool is_grave(const json_t *root)
{
    return strcmp(text_of(root, "severity"), "critical") == 0;
}

bool digest_is_grave(const char *body)
{
    json_t *root = json_loads(body, 0, NULL);
    bool grave = is_grave(root);
    json_decref(root);
    return grave;
}

/* Each line has its own link: the receiver's, for that incident. */
static void add_ack(enum words_language language, const json_t *root, struct buf *out)
{
    const struct template_value link = {"link", text_of(root, "acknowledge_url")};
    if (link.text[0] == '\0')
        return;
    buf_text(out, "\n  ");
    words_say(WORDS_ACK, language, &link, 1, out);
}

static void add_lines(json_t *const *roots, size_t count, bool grave, struct buf *zh,
                      struct buf *en)
{
    for (size_t i = 0; i < count; i++) {
        if (is_grave(roots[i]) != grave)
            continue;
        const char *code = text_of(roots[i], "code");
        const char *mark = code[0] != '\0' ? " → 1 " : "";
        buf_format(zh, "\n• %s%s%s", text_of(roots[i], "text_zh"), mark, code);
        buf_format(en, "\n• %s%s%s", text_of(roots[i], "text_en"), mark, code);
        add_ack(WORDS_ZH, roots[i], zh);
        add_ack(WORDS_EN, roots[i], en);
    }
}

static void make_key(const struct digest_row *rows, size_t count,
                     char key[DIGEST_KEY_SIZE])
{
    struct buf keys = {0};
    uint8_t hash[CRYPTO_DIGEST_BYTES];
    char hex[17];
    for (size_t i = 0; i < count; i++)
        buf_format(&keys, "%s\n", rows[i].key);
    crypto_digest(hash, keys.data, keys.len);
    snprintf(key, DIGEST_KEY_SIZE, "digest-%s", crypto_hex(hex, hash, 8));
    buf_fini(&keys);
}

static void add_head(enum words_language language, bool grave, size_t count,
                     struct buf *out)
{
    char number[24];
    snprintf(number, sizeof number, "%zu", count);
    const struct template_value values[] = {
        {"severity", words(grave ? WORDS_CRITICAL : WORDS_WARNING, language)},
        {"count", number},
    };
    words_say(WORDS_DIGEST, language, values, 2, out);
}

static void put_texts(json_t *digest, json_t *const *roots, size_t count)
{
    struct buf zh = {0};
    struct buf en = {0};
    bool grave = false;
    json_t *offers = json_array();
    for (size_t i = 0; i < count; i++) {
        grave = grave || is_grave(roots[i]);
        if (text_of(roots[i], "code")[0] != '\0')
            json_array_append_new(offers, json_pack("{s:s, s:s}", "code",
                                                    text_of(roots[i], "code"), "token",
                                                    text_of(roots[i], "token")));
    }
    if (json_array_size(offers) > 0)
        json_object_set(digest, "offers", offers);
    json_decref(offers);
    add_head(WORDS_ZH, grave, count, &zh);
    add_head(WORDS_EN, grave, count, &en);
    add_lines(roots, count, true, &zh, &en);
    add_lines(roots, count, false, &zh, &en);
    json_object_set_new(digest, "severity", json_string(grave ? "critical" : "warning"));
    json_object_set_new(digest, "text_zh", json_string(zh.data));
    json_object_set_new(digest, "text_en", json_string(en.data));
    buf_fini(&zh);
    buf_fini(&en);
}

void digest_format(const struct digest_row *rows, size_t count, char key[DIGEST_KEY_SIZE],
                   struct buf *body)
{
    assert(count > 0 && count <= DIGEST_MAX);
    json_t *roots[DIGEST_MAX];
    json_t *keys = json_array();
    make_key(rows, count, key);
    for (size_t i = 0; i < count; i++) {
        roots[i] = json_loads(rows[i].body, 0, NULL);
        json_array_append_new(keys, json_string(rows[i].key));
    }
    json_t *digest =
        json_pack("{s:s, s:s, s:o}", "key", key, "event", "digest", "digest", keys);
    assert(digest != NULL);
    json_t *to = json_object_get(roots[0], "to");
    if (to != NULL)
        json_object_set(digest, "to", to);
    put_texts(digest, roots, count);
    char *text = json_dumps(digest, JSON_COMPACT);
    assert(text != NULL);
    buf_text(body, text);
    free(text);
    json_decref(digest);
    for (size_t i = 0; i < count; i++)
        json_decref(roots[i]);
}

static bool is_told_whole(const struct config_channel *channel,
                          const struct digest_row *rows, size_t count)
{
    char key[DIGEST_KEY_SIZE];
    struct buf body = {0};
    struct channel_message message;
    digest_format(rows, count, key, &body);
    bool is_whole = channel_message_parse(&message, body.data) != ERR_OK ||
                    kind_text_fits(channel, &message);
    channel_message_fini(&message);
    buf_fini(&body);
    return is_whole;
}

size_t digest_take(const struct config_channel *channel, const struct digest_row *rows,
                   size_t count)
{
    assert(count > 0 && count <= DIGEST_MAX);
    size_t most = 1; /* a longer list has a longer text */
    for (size_t end = count; most < end;) {
        size_t middle = end - (end - most) / 2;
        if (is_told_whole(channel, rows, middle))
            most = middle;
        else
            end = middle - 1;
    }
    return most;
}
