// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt_options - options that outlive their giver: checked, copied, wiped.
 */
#ifndef COLDCHAIN_NET_MQTT_OPTIONS_H
#define COLDCHAIN_NET_MQTT_OPTIONS_H

#include "base/err.h"
#include "net/mqtt.h"
#include "net/mqtt_uri.h"

/* The address, and whether the files can be read. */
MUST_CHECK enum err mqtt_options_check(const struct mqtt_options *options,
                                       struct mqtt_uri *uri, struct err_text *why);
/* All texts are copied. */
struct mqtt_options mqtt_options_dup(const struct mqtt_options *options);
/* Of a copy; what it held is wiped. */
void mqtt_options_fini(struct mqtt_options *options);

#endif
