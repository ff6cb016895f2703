// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt_wire - the few packets of MQTT 5 that a probe (mqtt_probe.h) sends and reads.
 * Pure.
 *
 * Everything else is Paho's (mqtt.h).
 */
#ifndef COLDCHAIN_NET_MQTT_WIRE_H
#define COLDCHAIN_NET_MQTT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum mqtt_packet {
    MQTT_PACKET_CONNACK = 2,
    MQTT_PACKET_PUBACK = 4,
    MQTT_PACKET_SUBACK = 9,
};

struct mqtt_login {
    const char *client_id;
    const char *username; /* NULL: none */
    const char *password; /* NULL: none */
    bool clean_start;
    uint32_t session_expiry_s;
};

/* Each adds one packet. Texts of more than 65535 bytes are cut there. */
void mqtt_wire_connect(struct buf *to, const struct mqtt_login *login);
/* QoS 1, not retained, empty. */
void mqtt_wire_publish(struct buf *to, const char *topic, uint16_t id);
/* QoS 1, and nothing that is retained is sent for it. */
void mqtt_wire_subscribe(struct buf *to, const char *filter, uint16_t id);
/* Without `keeps_session` the broker forgets the session now. */
void mqtt_wire_disconnect(struct buf *to, bool keeps_session);

struct mqtt_answer {
    uint16_t id;          /* PUBACK, SUBACK */
    int reason;           /* as MQTT 5, 2.4; below 0x80 is yes */
    bool session_present; /* CONNACK */
    bool is_old;          /* CONNACK of a broker that speaks MQTT 3.1.1 only */
};

/* What stands behind the fixed header. CORRUPT: it is no such packet. */
MUST_CHECK enum err mqtt_wire_parse(struct mqtt_answer *answer, enum mqtt_packet type,
                                    const void *body, size_t len);

#endif
