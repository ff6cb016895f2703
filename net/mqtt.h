// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt - the door to Paho: one client, MQTT 5 with 3.1.1 as fallback, reconnect of our
 * own.
 *
 * Paho keeps nothing for us: no persistence, at most MQTT_IN_FLIGHT_MAX messages inside,
 * all of them forgotten when the connection is lost; durability is the journals'.
 * `on_message` runs on Paho's receive thread with Paho's lock held: it may copy and
 * append, never block, never call back into this module. All other callbacks run on the
 * loop, to which all functions belong. Connecting never blocks the loop, not even on DNS.
 *
 * The first mqtt_open() takes http_proxy and https_proxy out of the environment, since
 * Paho would send MQTT through them: call it before other threads read the environment.
 */
#ifndef COLDCHAIN_NET_MQTT_H
#define COLDCHAIN_NET_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

#define MQTT_IN_FLIGHT_MAX     100
#define MQTT_PAYLOAD_MAX       (16u << 20)
#define MQTT_SUBSCRIPTIONS_MAX 28 /* waiting for their answer at a time */

struct mqtt;

/* Borrowed during the callback. Neither topic nor payload ends with NUL. */
struct mqtt_message {
    const char *topic;
    size_t topic_len;
    const void *payload;
    size_t payload_len;
    const char *content_type; /* not NUL-terminated; len 0 without one */
    size_t content_type_len;
    int qos;
    bool is_retained;
    bool is_duplicate; /* the DUP flag: nothing to rely on */
};

struct mqtt_options {
    const char *uri; /* mqtt://host:1883 or mqtts://host:8883, see mqtt_can_tls() */
    const char *client_id;
    const char *username; /* NULL: none */
    const char *password;
    const char *ca_file;   /* mqtts: NULL means the system's store */
    const char *cert_file; /* client certificate, NULL: none */
    const char *key_file;
    int keepalive_s;  /* 0: 30 */
    bool clean_start; /* false keeps the session for session_expiry_s */
    uint32_t session_expiry_s;
    uint16_t receive_maximum; /* 0: 100 */
    int64_t reconnect_min_ms; /* 0: 500; doubles up to reconnect_max_ms, full jitter */
    int64_t reconnect_max_ms; /* 0: 60000 */
    const char *will_topic;   /* NULL: none; QoS 1, retained */
    const char *will_payload;

    void *context;
    /* Paho's thread. */
    void (*on_message)(void *context, const struct mqtt_message *message);
    /* The loop; subscribe here. Called at every connect. */
    void (*on_connected)(void *context, bool session_present);
    /*
     * The loop: a connection was lost, or an attempt failed; the next one follows by
     * itself. What was in flight is forgotten: no on_delivered for it any more.
     */
    void (*on_lost)(void *context, const char *why);
    /* The loop: the broker has acknowledged the QoS 1 publish that had this tag. */
    void (*on_delivered)(void *context, uint64_t tag);
    /* The loop: the broker will not take it (no right to the topic, quota); MQTT 5. */
    void (*on_refused)(void *context, uint64_t tag, const char *why);
    /* The loop: `refusal` NULL when granted. */
    void (*on_subscribed)(void *context, const char *filter, const char *refusal);
};

/*
 * Whether this program was linked with the Paho that speaks TLS. Without it mqtts:// is
 * refused by mqtt_open() with UNSUPPORTED.
 */
bool mqtt_can_tls(void);

/*
 * Starts connecting; the options are copied, callbacks other than on_message may be NULL.
 * `why` when the options cannot work (bad URI, unreadable CA file).
 */
MUST_CHECK enum err mqtt_open(struct mqtt **mqtt, struct loop *loop,
                              const struct mqtt_options *options, struct err_text *why);
/*
 * Gives what is in flight a second to arrive, disconnects (no will) and joins; 2 s at
 * most, also when the broker hangs. No callback runs afterwards. Not from a callback.
 * Accepts NULL.
 */
void mqtt_close(struct mqtt *mqtt);

bool mqtt_is_connected(const struct mqtt *mqtt);

/*
 * retain_handling as MQTT 5, 3.8.3.1: 0 send retained, 1 only when new, 2 never; 3.1.1
 * always sends them. OFFLINE when not connected.
 */
MUST_CHECK enum err mqtt_subscribe(struct mqtt *mqtt, const char *filter, int qos,
                                   int retain_handling);

struct mqtt_publish {
    const char *topic;
    const void *payload;
    size_t payload_len;
    const char *content_type; /* NULL: none; not sent under 3.1.1 */
    int qos;                  /* 0 or 1 */
    bool retain;
    uint64_t tag; /* handed to on_delivered and on_refused for QoS 1 */
};

/*
 * Copies. OFFLINE when not connected; LIMIT when MQTT_IN_FLIGHT_MAX are in flight, or
 * as many of QoS 1 as the broker takes at a time (mosquitto: 20), or the payload is
 * larger than MQTT_PAYLOAD_MAX; INVALID for a topic with wildcards or that is not UTF-8.
 */
MUST_CHECK enum err mqtt_publish(struct mqtt *mqtt, const struct mqtt_publish *publish);

/*
 * Leaves the broker (no will; the session stays) until mqtt_resume(): used while a
 * journal is full. No on_lost for it.
 */
void mqtt_pause(struct mqtt *mqtt);
void mqtt_resume(struct mqtt *mqtt);

#endif
