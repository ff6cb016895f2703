// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt_link - the half of net/mqtt that touches Paho: one connection at a time.
 *
 * Each connection has a Paho handle of its own, made by mqtt_link_connect() and destroyed
 * by mqtt_link_drop() on a worker thread, so that nothing Paho queued for one connection
 * shows up in the next, and the loop never waits for Paho's lock while Paho resolves a
 * name. Callbacks of Paho only record and hand over. Loop thread, but for on_message.
 */
#ifndef COLDCHAIN_NET_MQTT_LINK_H
#define COLDCHAIN_NET_MQTT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/mqtt.h"

struct mqtt_link;

/* The end of a publish or of a subscription. */
struct mqtt_done {
    uint64_t tag;
    int qos;
    const char *filter;  /* NULL: a publish */
    const char *refusal; /* NULL: accepted; borrowed during the call */
};

/* All on the loop. */
struct mqtt_link_ops {
    void (*on_up)(void *context, bool session_present);
    /* Failed or lost; may come more than once. Answer with mqtt_link_drop(). */
    void (*on_down)(void *context, const char *why);
    /* The answer to mqtt_link_drop(): nothing of that connection comes any more. */
    void (*on_dropped)(void *context);
    void (*on_done)(void *context, const struct mqtt_done *done);
};

/* Options are copied; their on_message and context are used, not their other callbacks.
 */
MUST_CHECK enum err mqtt_link_open(struct mqtt_link **link, struct loop *loop,
                                   const struct mqtt_options *options,
                                   const struct mqtt_link_ops *ops, void *context,
                                   struct err_text *why);
/* As mqtt_close(). */
void mqtt_link_close(struct mqtt_link *link);

/* Only at first and after on_dropped. on_up or on_down follows. */
void mqtt_link_connect(struct mqtt_link *link);
void mqtt_link_drop(struct mqtt_link *link);

/* Only between on_up and mqtt_link_drop(). */
MUST_CHECK enum err mqtt_link_publish(struct mqtt_link *link,
                                      const struct mqtt_publish *publish);
MUST_CHECK enum err mqtt_link_subscribe(struct mqtt_link *link, const char *filter,
                                        int qos, int retain_handling);

#endif
