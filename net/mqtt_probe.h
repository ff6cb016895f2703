// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt_probe - looks at a broker from outside: does it answer, whom does it let in, what
 * may they do? Blocking, one thread, bounded by the timeout at each step.
 *
 * Paho (mqtt.h) acknowledges what arrives, so logging in with it as somebody takes
 * messages out of his session. A probe acknowledges nothing: what waits in a session is
 * still there afterwards. But a broker has one connection per client id, and mosquitto
 * may make the user's name the client id: a probe with the name of somebody who is
 * connected ends his connection.
 */
#ifndef COLDCHAIN_NET_MQTT_PROBE_H
#define COLDCHAIN_NET_MQTT_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/certificate.h"
#include "net/mqtt_wire.h"

struct mqtt_probe;

struct mqtt_probe_options {
    const char *uri;       /* mqtt://host:1883 or mqtts://host:8883 */
    const char *ca_file;   /* NULL: the system's store */
    const char *cert_file; /* NULL: none */
    const char *key_file;
    int64_t timeout_ms; /* of each step */
};

/*
 * Connects, with TLS when the address says so. `peer` is filled with the broker's
 * certificate as soon as one was shown (else count is 0). OFFLINE, TIMEOUT; DENIED: its
 * certificate is not to be trusted, and nothing was sent; INVALID: the options.
 */
MUST_CHECK enum err mqtt_probe_open(struct mqtt_probe **probe,
                                    const struct mqtt_probe_options *options,
                                    struct certificate *peer, struct err_text *why);
/* Accepts NULL. */
void mqtt_probe_close(struct mqtt_probe *probe);

/* DENIED: refused, `why` has the broker's reason; UNSUPPORTED: it speaks no MQTT 5. */
MUST_CHECK enum err mqtt_probe_login(struct mqtt_probe *probe,
                                     const struct mqtt_login *login,
                                     struct err_text *why);
/* DENIED: the broker says that this is not allowed. An empty message, not retained. */
MUST_CHECK enum err mqtt_probe_publish(struct mqtt_probe *probe, const char *topic,
                                       struct err_text *why);
/* DENIED likewise. */
MUST_CHECK enum err mqtt_probe_subscribe(struct mqtt_probe *probe, const char *filter,
                                         struct err_text *why);
/* Says good-bye. A session that the login found is left as it was, one that it made
 * goes. */
void mqtt_probe_leave(struct mqtt_probe *probe);

#endif
