// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_wire.h"

#include <string.h>

#define TEXT_MAX           65535
#define PROPERTY_EXPIRY    0x11
#define PROPERTY_RECEIVE   0x21
#define FLAG_CLEAN         0x02
#define FLAG_PASSWORD      0x40
#define FLAG_USER          0x80
#define QOS_1_NO_RETAINED  0x21 /* 3.8.3.1: QoS 1, retain handling 2 */
#define REFUSED_AS_V3      5    /* return codes of MQTT 3.1.1, 3.2.2.3, end here */
#define REFUSED_VERSION_V3 1

static void put_u16(struct buf *to, size_t value)
{
    buf_u8(to, (uint8_t)(value >> 8));
    buf_u8(to, (uint8_t)value);
}

static void put_text(struct buf *to, const char *text)
{
    size_t len = strnlen(text, TEXT_MAX);
    put_u16(to, len);
    buf_add(to, text, len);
}

static void put_expiry(struct buf *to, uint32_t seconds)
{
    buf_u8(to, PROPERTY_EXPIRY);
    put_u16(to, seconds >> 16);
    put_u16(to, seconds & 0xFFFF);
}

/* First byte, length, body; the body is used up. */
static void put_packet(struct buf *to, uint8_t first, struct buf *body)
{
    buf_u8(to, first);
    buf_varint(to, body->len); /* LEB128, as MQTT 5, 1.5.5 */
    buf_add(to, body->data, body->len);
    buf_fini(body);
}

void mqtt_wire_connect(struct buf *to, const struct mqtt_login *login)
{
    struct buf body = {0};
    put_text(&body, "MQTT");
    buf_u8(&body, 5);
    buf_u8(&body, (uint8_t)((login->clean_start ? FLAG_CLEAN : 0) |
                            (login->username != NULL ? FLAG_USER : 0) |
                            (login->password != NULL ? FLAG_PASSWORD : 0)));
    put_u16(&body, 60);
    buf_u8(&body, 8); /* bytes of properties */
    put_expiry(&body, login->session_expiry_s);
    buf_u8(&body, PROPERTY_RECEIVE);
    put_u16(&body, 1); /* what waits in the session is not ours: one message at most */
    put_text(&body, login->client_id);
    if (login->username != NULL)
        put_text(&body, login->username);
    if (login->password != NULL)
        put_text(&body, login->password);
    put_packet(to, 0x10, &body);
}

void mqtt_wire_publish(struct buf *to, const char *topic, uint16_t id)
{
    struct buf body = {0};
    put_text(&body, topic);
    put_u16(&body, id);
    buf_u8(&body, 0);
    put_packet(to, 0x32, &body);
}

void mqtt_wire_subscribe(struct buf *to, const char *filter, uint16_t id)
{
    struct buf body = {0};
    put_u16(&body, id);
    buf_u8(&body, 0);
    put_text(&body, filter);
    buf_u8(&body, QOS_1_NO_RETAINED);
    put_packet(to, 0x82, &body);
}

void mqtt_wire_disconnect(struct buf *to, bool keeps_session)
{
    struct buf body = {0};
    if (!keeps_session) {
        buf_u8(&body, 0);
        buf_u8(&body, 5);
        put_expiry(&body, 0);
    }
    put_packet(to, 0xE0, &body);
}

/* A length as MQTT 5, 1.5.5 has it: four bytes at most. */
static bool skip_properties(const uint8_t *bytes, size_t len, size_t *at)
{
    size_t total = 0;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
        if (*at >= len)
            return false;
        uint8_t byte = bytes[(*at)++];
        total |= (size_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            *at += total;
            return *at <= len;
        }
    }
    return false;
}

static enum err parse_connack(struct mqtt_answer *answer, const uint8_t *bytes,
                              size_t len)
{
    if (len < 2 || bytes[0] > 1)
        return ERR_CORRUPT;
    answer->session_present = bytes[0] == 1;
    answer->reason = bytes[1];
    answer->is_old =
        len == 2 && bytes[1] >= REFUSED_VERSION_V3 && bytes[1] <= REFUSED_AS_V3;
    if (answer->is_old)
        answer->reason |= 0x80;
    return ERR_OK;
}

enum err mqtt_wire_parse(struct mqtt_answer *answer, enum mqtt_packet type,
                         const void *body, size_t len)
{
    const uint8_t *bytes = body;
    *answer = (struct mqtt_answer){0};
    if (type == MQTT_PACKET_CONNACK)
        return parse_connack(answer, bytes, len);
    if (len < 2)
        return ERR_CORRUPT;
    answer->id = (uint16_t)(bytes[0] << 8 | bytes[1]);
    size_t at = 2;
    if (type == MQTT_PACKET_PUBACK) {
        answer->reason = len > 2 ? bytes[2] : 0;
        return ERR_OK;
    }
    if (!skip_properties(bytes, len, &at) || at >= len)
        return ERR_CORRUPT;
    answer->reason = bytes[at];
    return ERR_OK;
}
