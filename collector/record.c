// SPDX-License-Identifier: Apache-2.0
#include "collector/record.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "telemetry/reading.h"

#define FLAG_RETAINED  1u
#define FLAG_DUPLICATE 2u
#define QOS_SHIFT      4
#define QOS_MASK       3u

static_assert(RECORD_TOPIC_MAX <= UINT16_MAX, "the length of a topic has two bytes");
static_assert(RECORD_CONTENT_TYPE_MAX <= UINT8_MAX, "that of a content type has one");

static size_t at_most(size_t len, size_t most)
{
    return len < most ? len : most;
}

void record_message_head(struct record_message *message,
                         uint8_t head[RECORD_MESSAGE_HEAD])
{
    assert(message->qos >= 0 && message->qos <= 2);
    message->topic_len = at_most(message->topic_len, RECORD_TOPIC_MAX);
    message->content_type_len =
        at_most(message->content_type_len, RECORD_CONTENT_TYPE_MAX);
    head[0] = (uint8_t)((message->is_retained ? FLAG_RETAINED : 0) |
                        (message->is_duplicate ? FLAG_DUPLICATE : 0) |
                        (unsigned)message->qos << QOS_SHIFT);
    bytes_put_u16(head + 1, (uint16_t)message->topic_len);
    head[3] = (uint8_t)message->content_type_len;
}

enum err record_message_parse(struct record_message *message, const void *data,
                              size_t len)
{
    *message = (struct record_message){0};
    if (len < RECORD_MESSAGE_HEAD)
        return ERR_CORRUPT;
    const uint8_t *head = data;
    size_t topic_len = bytes_u16(head + 1);
    size_t content_type_len = head[3];
    if (topic_len > RECORD_TOPIC_MAX || content_type_len > RECORD_CONTENT_TYPE_MAX ||
        len - RECORD_MESSAGE_HEAD < topic_len + content_type_len)
        return ERR_CORRUPT;
    const char *rest = (const char *)data + RECORD_MESSAGE_HEAD;
    *message = (struct record_message){
        .topic = rest,
        .topic_len = topic_len,
        .content_type = rest + topic_len,
        .content_type_len = content_type_len,
        .payload = rest + topic_len + content_type_len,
        .payload_len = len - RECORD_MESSAGE_HEAD - topic_len - content_type_len,
        .qos = (int)((head[0] >> QOS_SHIFT) & QOS_MASK),
        .is_retained = (head[0] & FLAG_RETAINED) != 0,
        .is_duplicate = (head[0] & FLAG_DUPLICATE) != 0,
    };
    return ERR_OK;
}

void record_attempt_format(const struct record_attempt *attempt, struct buf *out)
{
    buf_u64(out, attempt->message);
    buf_u64(out, (uint64_t)attempt->retry_ms);
}

enum err record_attempt_parse(struct record_attempt *attempt, const void *data,
                              size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    attempt->message = buf_read_u64(&in);
    attempt->retry_ms = (int64_t)buf_read_u64(&in);
    return in.failed ? ERR_CORRUPT : ERR_OK;
}

void record_result_format(const struct record_result *result, struct buf *out)
{
    buf_u64(out, result->message);
    buf_u8(out, (uint8_t)result->outcome);
    buf_u64(out, (uint64_t)result->next_attempt_ms);
    buf_blob(out, result->text, strlen(result->text));
}

enum err record_result_parse(struct record_result *result, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    *result = (struct record_result){0};
    result->message = buf_read_u64(&in);
    uint8_t outcome = buf_read_u8(&in);
    if (outcome > STATE_OUTBOX_DEAD)
        return ERR_CORRUPT;
    result->outcome = (enum state_outbox)outcome;
    result->next_attempt_ms = (int64_t)buf_read_u64(&in);
    size_t text_len;
    const char *text = buf_read_blob(&in, &text_len);
    if (in.failed || text_len >= sizeof result->text)
        return ERR_CORRUPT;
    memcpy(result->text, text, text_len);
    return ERR_OK;
}

void record_skipped_format(const struct record_skipped *skipped, struct buf *out)
{
    buf_u64(out, skipped->position);
    buf_varint(out, skipped->crashes);
    buf_blob(out, skipped->who, strlen(skipped->who));
}

enum err record_skipped_parse(struct record_skipped *skipped, const void *data,
                              size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    *skipped = (struct record_skipped){0};
    skipped->position = buf_read_u64(&in);
    skipped->crashes = (unsigned)buf_read_varint(&in);
    size_t who_len;
    const char *who = buf_read_blob(&in, &who_len);
    if (in.failed || who_len >= sizeof skipped->who)
        return ERR_CORRUPT;
    memcpy(skipped->who, who, who_len);
    return ERR_OK;
}

static bool read_id(struct buf_reader *in, char id[ID_SIZE])
{
    size_t len;
    const char *text = buf_read_blob(in, &len);
    if (in->failed || len >= ID_SIZE)
        return false;
    memcpy(id, text, len);
    id[len] = '\0';
    return id_is_valid(id);
}

void record_gap_format(const struct record_gap *gap, struct buf *out)
{
    buf_blob(out, gap->org, strlen(gap->org));
    buf_blob(out, gap->device, strlen(gap->device));
    buf_u64(out, gap->epoch);
    buf_u64(out, gap->from);
    buf_u64(out, gap->to);
}

enum err record_gap_parse(struct record_gap *gap, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    *gap = (struct record_gap){0};
    if (!read_id(&in, gap->org) || !read_id(&in, gap->device))
        return ERR_CORRUPT;
    gap->epoch = buf_read_u64(&in);
    gap->from = buf_read_u64(&in);
    gap->to = buf_read_u64(&in);
    bool is_sound = !in.failed && gap->from > 0 && gap->from <= gap->to;
    return is_sound ? ERR_OK : ERR_CORRUPT;
}
