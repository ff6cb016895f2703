// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/journal_record.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/deflate.h"
#include "base/utf8.h"
#include "collector/record.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"

#define LINE_BYTES_MAX 160
/* Layout of the agent's spool: edge-agent/spool.h draws it. */
#define SPOOL_PACK    JOURNAL_TYPE_USER
#define SPOOL_MARKS   (JOURNAL_TYPE_USER + 1)
#define SPOOL_HEAD    24
#define SPOOL_VERSION 1
#define SPOOL_CURSOR  16

static_assert((int)RECORD_MESSAGE == SPOOL_PACK && (int)RECORD_START == SPOOL_MARKS,
              "told apart by what they hold");

struct spool_head {
    bool is_urgent;
    bool has_breach;
    uint32_t readings;
    uint64_t epoch;
    uint64_t seq;
    const void *bytes;
    size_t len;
};

static bool read_spool(const struct journal_record *record, struct spool_head *head)
{
    const uint8_t *data = record->data;
    if (record->len < SPOOL_HEAD || data[0] != SPOOL_VERSION || data[1] > 3)
        return false;
    size_t start = SPOOL_HEAD + (size_t)bytes_u16(data + 2) * SPOOL_CURSOR;
    *head = (struct spool_head){
        .is_urgent = (data[1] & 1) != 0,
        .has_breach = (data[1] & 2) != 0,
        .readings = bytes_u32(data + 4),
        .epoch = bytes_u64(data + 8),
        .seq = bytes_u64(data + 16),
    };
    if (record->len < start || head->epoch == 0 || head->seq == 0)
        return false;
    head->bytes = data + start;
    head->len = record->len - start;
    return true;
}

static bool is_text(const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return false;
    return utf8_is_valid(data, len);
}

/* A topic is never empty, and all of it is text. */
static bool read_message(const struct journal_record *record,
                         struct record_message *message)
{
    return record_message_parse(message, record->data, record->len) == ERR_OK &&
           message->topic_len > 0 && is_text(message->topic, message->topic_len) &&
           is_text(message->content_type, message->content_type_len);
}

static const char *user_kind(const struct journal_record *record)
{
    struct record_message message;
    struct spool_head head;
    switch (record->type) {
    case RECORD_MESSAGE:
        if (read_message(record, &message))
            return "message";
        return read_spool(record, &head) ? "pack" : "unknown";
    case RECORD_START:
        return record->len > 0 && ((const char *)record->data)[0] == '{' ? "start"
                                                                         : "marks";
    case RECORD_STOP:
        return "stop";
    case RECORD_TICK:
        return "tick";
    case RECORD_CONFIG:
        return "config";
    case RECORD_COMMAND:
        return "command";
    case RECORD_RESULT:
        return "result";
    case RECORD_SKIPPED:
        return "skipped";
    case RECORD_GIVE_UP:
        return "give-up";
    case RECORD_ATTEMPT:
        return "attempt";
    case RECORD_BEAT:
        return "heartbeat";
    default:
        return "unknown";
    }
}

const char *journal_record_kind(const struct journal_record *record)
{
    switch (record->type) {
    case JOURNAL_TYPE_BEGIN:
        return "begin";
    case JOURNAL_TYPE_COMMIT:
        return "commit";
    case JOURNAL_TYPE_LOSS:
        return "loss";
    default:
        return user_kind(record);
    }
}

/* ---- in a line -----------------------------------------------------------------------
 */

/* As far as it goes; what is no text is a dot. */
static void put_bytes(struct buf *out, const void *data, size_t len)
{
    const char *at = data;
    size_t left = len < LINE_BYTES_MAX ? len : LINE_BYTES_MAX;
    while (left > 0) {
        size_t step = utf8_len(at, left);
        if (step == 0 || (unsigned char)*at < 0x20 || *at == 0x7f)
            buf_text(out, ".");
        else
            buf_add(out, at, step);
        step = step > 0 ? step : 1;
        at += step;
        left -= step;
    }
    if (len > LINE_BYTES_MAX)
        buf_text(out, "...");
}

/* The JSON inside a pack: inflated when it is deflated, CBOR as it is. */
static void put_payload(struct buf *out, const void *data, size_t len)
{
    struct buf plain = {0};
    if (len > 0 && *(const char *)data == 0x78 &&
        deflate_unpack(&plain, data, len, PACK_BYTES_MAX) == ERR_OK)
        put_bytes(out, plain.data, plain.len);
    else
        put_bytes(out, data, len);
    buf_fini(&plain);
}

static void message_line(const struct record_message *message, struct buf *out)
{
    buf_add(out, message->topic, message->topic_len);
    buf_format(out, " qos=%d%s%s %zu bytes ", message->qos,
               message->is_retained ? " retained" : "",
               message->is_duplicate ? " dup" : "", message->payload_len);
    put_payload(out, message->payload, message->payload_len);
}

static void attempt_line(const struct record_attempt *attempt, struct buf *out)
{
    char wall[CLOCK_ISO_MAX];
    buf_format(out, "message=%" PRIu64 " again=%s", attempt->message,
               clock_format_iso(wall, attempt->retry_ms));
}

static void spool_line(const struct spool_head *head, struct buf *out)
{
    char epoch[17];
    buf_format(out, "%s/%" PRIu64 " readings=%" PRIu32 "%s%s ",
               epoch_format(head->epoch, epoch), head->seq, head->readings,
               head->is_urgent ? " urgent" : "", head->has_breach ? " breach" : "");
    put_payload(out, head->bytes, head->len);
}

void journal_record_line(const struct journal_record *record, struct buf *out)
{
    struct record_message message;
    struct record_attempt attempt;
    struct record_result result;
    struct spool_head head;
    if (record->type == JOURNAL_TYPE_LOSS)
        buf_format(out, "[%" PRIu64 ", %" PRIu64 ") %s%s", record->loss.from,
                   record->loss.to, journal_loss_name(record->loss.reason),
                   record->in_place ? " here" : "");
    else if (record->type < JOURNAL_TYPE_USER)
        buf_format(out, "%zu bytes", record->len);
    else if (record->type == RECORD_MESSAGE && read_message(record, &message))
        message_line(&message, out);
    else if (record->type == SPOOL_PACK && read_spool(record, &head))
        spool_line(&head, out);
    else if (record->type == RECORD_ATTEMPT &&
             record_attempt_parse(&attempt, record->data, record->len) == ERR_OK)
        attempt_line(&attempt, out);
    else if (record->type == RECORD_RESULT &&
             record_result_parse(&result, record->data, record->len) == ERR_OK)
        buf_format(out, "message=%" PRIu64 " outcome=%d ", result.message,
                   (int)result.outcome),
            put_bytes(out, result.text, strlen(result.text));
    else
        put_bytes(out, record->data, record->len);
}

/* ---- as JSON -------------------------------------------------------------------------
 */

static void put_size(json_t *object, const char *key, size_t size)
{
    json_object_set_new(object, key, json_integer((json_int_t)size));
}

/* Text as it is, anything else as its first bytes would be printed. */
static void put_body(json_t *object, const char *key, const void *data, size_t len)
{
    struct buf plain = {0};
    if (len > 0 && *(const char *)data == 0x78 &&
        deflate_unpack(&plain, data, len, PACK_BYTES_MAX) == ERR_OK) {
        data = plain.data;
        len = plain.len;
    }
    json_t *value = len > 0 ? json_loadb(data, len, JSON_DECODE_ANY, NULL) : NULL;
    if (value == NULL) {
        struct buf text = {0};
        put_bytes(&text, data, len);
        value = json_stringn(text.data != NULL ? text.data : "", text.len);
        buf_fini(&text);
    }
    json_object_set_new(object, key, value);
    buf_fini(&plain);
}

static void put_message(json_t *object, const struct record_message *message)
{
    json_object_set_new(object, "topic",
                        json_stringn(message->topic, message->topic_len));
    put_size(object, "qos", (size_t)message->qos);
    json_object_set_new(object, "retained", json_boolean(message->is_retained));
    put_body(object, "payload", message->payload, message->payload_len);
}

static void put_spool(json_t *object, const struct spool_head *head)
{
    char epoch[17];
    json_object_set_new(object, "epoch", json_string(epoch_format(head->epoch, epoch)));
    put_size(object, "seq", (size_t)head->seq);
    put_size(object, "readings", head->readings);
    json_object_set_new(object, "urgent", json_boolean(head->is_urgent));
    json_object_set_new(object, "breach", json_boolean(head->has_breach));
    put_body(object, "payload", head->bytes, head->len);
}

static void put_result(json_t *object, const struct record_result *result)
{
    put_size(object, "message", (size_t)result->message);
    put_size(object, "outcome", (size_t)result->outcome);
    put_body(object, "text", result->text, strlen(result->text));
}

static void put_attempt(json_t *object, const struct record_attempt *attempt)
{
    char wall[CLOCK_ISO_MAX];
    put_size(object, "message", (size_t)attempt->message);
    json_object_set_new(object, "again",
                        json_string(clock_format_iso(wall, attempt->retry_ms)));
}

static void put_loss(json_t *object, const struct journal_loss *loss)
{
    put_size(object, "from", (size_t)loss->from);
    put_size(object, "to", (size_t)loss->to);
    json_object_set_new(object, "reason", json_string(journal_loss_name(loss->reason)));
}

json_t *journal_record_json(const struct journal_record *record)
{
    struct record_message message;
    struct record_attempt attempt;
    struct record_result result;
    struct spool_head head;
    char wall[CLOCK_ISO_MAX];
    json_t *object = json_pack(
        "{s:I, s:s, s:i, s:s, s:I, s:I}", "position", (json_int_t)record->position,
        "kind", journal_record_kind(record), "type", (int)record->type, "wall",
        clock_format_iso(wall, record->wall_ms), "boot_ms", (json_int_t)record->boot_ms,
        "size", (json_int_t)record->len);
    assert(object != NULL);
    if (record->type == JOURNAL_TYPE_LOSS)
        put_loss(object, &record->loss);
    else if (record->type == RECORD_MESSAGE && read_message(record, &message))
        put_message(object, &message);
    else if (record->type == SPOOL_PACK && read_spool(record, &head))
        put_spool(object, &head);
    else if (record->type == RECORD_ATTEMPT &&
             record_attempt_parse(&attempt, record->data, record->len) == ERR_OK)
        put_attempt(object, &attempt);
    else if (record->type == RECORD_RESULT &&
             record_result_parse(&result, record->data, record->len) == ERR_OK)
        put_result(object, &result);
    else if (record->type >= JOURNAL_TYPE_USER && record->len > 0)
        put_body(object, "body", record->data, record->len);
    return object;
}
