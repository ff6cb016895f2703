// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt_uri - the address of a broker: mqtt://host[:1883] or mqtts://host[:8883]. Pure.
 */
#ifndef COLDCHAIN_NET_MQTT_URI_H
#define COLDCHAIN_NET_MQTT_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define MQTT_HOST_MAX     254 /* a DNS name and a NUL */
#define MQTT_PAHO_URI_MAX (MQTT_HOST_MAX + 16)

struct mqtt_uri {
    bool is_tls;
    bool is_ipv6; /* host is without its brackets */
    char host[MQTT_HOST_MAX];
    uint16_t port;
};

/* INVALID with a sentence that shows the form expected. */
MUST_CHECK enum err mqtt_uri_parse(struct mqtt_uri *uri, const char *text,
                                   struct err_text *why);
/* The spelling that every version of Paho takes: tcp:// or ssl://. Returns text. */
const char *mqtt_uri_format_paho(char text[MQTT_PAHO_URI_MAX],
                                 const struct mqtt_uri *uri);

#endif
