// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt_why - what Paho says about a failed connection, as a sentence for a person. Pure.
 */
#ifndef COLDCHAIN_NET_MQTT_WHY_H
#define COLDCHAIN_NET_MQTT_WHY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/mqtt_uri.h"

#define MQTT_TLS_ERROR_MAX 128

/* How an attempt to connect ended. */
struct mqtt_failure {
    int code;              /* above 0: of the CONNACK; else Paho's */
    const char *message;   /* Paho's words; may be NULL */
    const char *tls_error; /* "" without one */
    bool is_v5;
    int timeout_s;
};

/* The text of an MQTT 5 reason code; never NULL. */
const char *mqtt_why_reason(int code);
/* The broker said that it does not speak MQTT 5. */
bool mqtt_why_is_old(const struct mqtt_failure *failure);
/* It closed the connection instead of answering, as some old brokers do to MQTT 5. */
bool mqtt_why_is_silent(const struct mqtt_failure *failure);
void mqtt_why_describe(struct err_text *why, const struct mqtt_uri *uri,
                       const struct mqtt_failure *failure);

/* The part for people of a line of OpenSSL's error queue; empty when there is none. */
void mqtt_why_tls(char text[MQTT_TLS_ERROR_MAX], const char *line);

#endif
