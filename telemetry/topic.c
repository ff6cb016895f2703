// SPDX-License-Identifier: Apache-2.0
#include "telemetry/topic.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TOPIC_PREFIX "coldchain/v1/"

static_assert(sizeof TOPIC_PREFIX + 2 * (ID_MAX + 1) + sizeof "readings/" + 17 + 20 <=
                  TOPIC_MAX,
              "the longest topic fits");

static const char *const kinds[] = {
#define X(name, text) [TOPIC_##name] = text,
    TOPIC_KIND_LIST(X)
#undef X
};

/* What is still to be read of a topic. */
struct cursor {
    const char *at;
    const char *end;
};

/* Copies the next level into `level`; false when there is none or it is no identifier. */
static bool next_level(struct cursor *in, char level[ID_SIZE])
{
    size_t left = (size_t)(in->end - in->at);
    if (left == 0)
        return false;
    const char *slash = memchr(in->at, '/', left);
    size_t len = slash != NULL ? (size_t)(slash - in->at) : left;
    if (len > ID_MAX || memchr(in->at, '\0', len) != NULL)
        return false;
    memcpy(level, in->at, len);
    level[len] = '\0';
    in->at += slash != NULL ? len + 1 : len;
    /* a slash at the very end would open an empty level */
    return id_is_valid(level) && !(slash != NULL && in->at == in->end);
}

static bool kind_parse(enum topic_kind *kind, const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], name) == 0) {
            *kind = (enum topic_kind)i;
            return true;
        }
    }
    return false;
}

/* Decimal, from 1, no leading zero, so that a seq has one spelling only. */
static bool seq_parse(uint64_t *seq, const char *text)
{
    uint64_t value = 0;
    if (text[0] < '1' || text[0] > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *seq = value;
    return *text == '\0';
}

static enum err parse_into(struct topic *topic, const char *text, size_t len)
{
    size_t prefix_len = sizeof TOPIC_PREFIX - 1;
    if (len >= TOPIC_MAX || len < prefix_len ||
        memcmp(text, TOPIC_PREFIX, prefix_len) != 0)
        return ERR_INVALID;
    struct cursor in = {.at = text + prefix_len, .end = text + len};
    char level[ID_SIZE];
    if (!next_level(&in, topic->org) || !next_level(&in, topic->device) ||
        strcmp(topic->device, "zones") == 0)
        return ERR_INVALID;
    if (!next_level(&in, level) || !kind_parse(&topic->kind, level))
        return ERR_INVALID;
    if (topic->kind == TOPIC_READINGS) {
        if (!next_level(&in, level) || epoch_parse(&topic->epoch, level) != ERR_OK)
            return ERR_INVALID;
        if (!next_level(&in, level) || !seq_parse(&topic->seq, level))
            return ERR_INVALID;
    }
    return in.at == in.end ? ERR_OK : ERR_INVALID;
}

enum err topic_parse(struct topic *topic, const char *text, size_t len)
{
    *topic = (struct topic){0};
    enum err err = parse_into(topic, text, len);
    if (err != ERR_OK)
        *topic = (struct topic){0};
    return err;
}

bool topic_is_newer(const char *text, size_t len)
{
    static const char prefix[] = "coldchain/v";
    size_t at = sizeof prefix - 1;
    if (len <= at || memcmp(text, prefix, at) != 0 || text[at] < '1' || text[at] > '9')
        return false;
    bool is_one = text[at] == '1';
    while (++at < len && text[at] >= '0' && text[at] <= '9')
        is_one = false;
    return !is_one && at < len && text[at] == '/';
}

const char *topic_format(const struct topic *topic, char text[TOPIC_MAX])
{
    assert(id_is_valid(topic->org) && id_is_valid(topic->device));
    assert((size_t)topic->kind < sizeof kinds / sizeof kinds[0]);
    int len = snprintf(text, TOPIC_MAX, TOPIC_PREFIX "%s/%s/%s", topic->org,
                       topic->device, kinds[topic->kind]);
    if (topic->kind == TOPIC_READINGS) {
        assert(topic->seq >= 1);
        char epoch[17];
        len += snprintf(text + len, TOPIC_MAX - (size_t)len, "/%s/%" PRIu64,
                        epoch_format(topic->epoch, epoch), topic->seq);
    }
    assert(len > 0 && len < TOPIC_MAX);
    return text;
}

enum err epoch_parse(uint64_t *epoch, const char *text)
{
    uint64_t value = 0;
    size_t len = 0;
    for (; len < 16 && text[len] != '\0'; len++) {
        char c = text[len];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c >= 'a' && c <= 'f'))
            return ERR_INVALID;
        value = value << 4 | (unsigned)(is_digit ? c - '0' : c - 'a' + 10);
    }
    if (len != 16 || text[len] != '\0' || value == 0)
        return ERR_INVALID;
    *epoch = value;
    return ERR_OK;
}

const char *epoch_format(uint64_t epoch, char text[17])
{
    snprintf(text, 17, "%016" PRIx64, epoch);
    return text;
}
