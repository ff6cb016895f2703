// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt - when to connect, when to wait, and whom to tell. Paho is behind net/mqtt_link.h.
 *
 *            connect                up
 *   WAITING ---------> CONNECTING ------> UP
 *      ^                   | down          | down, pause
 *      |  dropped          v               v
 *      +----------------- DROPPING <-------+      dropped while paused: PAUSED
 */
#include "net/mqtt.h"

#include <assert.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/mqtt_link.h"

#define RECONNECT_MIN_MS 500
#define RECONNECT_MAX_MS 60000
/* A connection that lasted so long was a success: the next wait starts small again. */
#define STABLE_MS 30000

enum state {
    PAUSED,
    WAITING,
    CONNECTING,
    UP,
    DROPPING,
};

struct mqtt {
    struct mqtt_link *link;
    struct loop_timer *timer; /* of the next attempt */
    struct backoff backoff;
    enum state state;
    bool is_paused;
    bool is_in_callback;
    int64_t up_since_ms;

    /* fixed after open */
    void *context;
    void (*on_connected)(void *context, bool session_present);
    void (*on_lost)(void *context, const char *why);
    void (*on_delivered)(void *context, uint64_t tag);
    void (*on_refused)(void *context, uint64_t tag, const char *why);
    void (*on_subscribed)(void *context, const char *filter, const char *refusal);
};

static void connect_now(void *context)
{
    struct mqtt *mqtt = context;
    assert(mqtt->state == WAITING || mqtt->state == PAUSED);
    mqtt->state = CONNECTING;
    mqtt_link_connect(mqtt->link);
}

static void drop(struct mqtt *mqtt)
{
    assert(mqtt->state == CONNECTING || mqtt->state == UP);
    mqtt->state = DROPPING;
    mqtt_link_drop(mqtt->link);
}

static void on_up(void *context, bool session_present)
{
    struct mqtt *mqtt = context;
    if (mqtt->state != CONNECTING)
        return; /* paused meanwhile */
    mqtt->state = UP;
    mqtt->up_since_ms = clock_real_ms();
    mqtt->is_in_callback = true;
    if (mqtt->on_connected != NULL)
        mqtt->on_connected(mqtt->context, session_present);
    mqtt->is_in_callback = false;
}

static void on_down(void *context, const char *why)
{
    struct mqtt *mqtt = context;
    if (mqtt->state != CONNECTING && mqtt->state != UP)
        return;
    if (mqtt->state == UP && clock_real_ms() - mqtt->up_since_ms >= STABLE_MS)
        backoff_reset(&mqtt->backoff);
    drop(mqtt);
    mqtt->is_in_callback = true;
    if (mqtt->on_lost != NULL)
        mqtt->on_lost(mqtt->context, why);
    mqtt->is_in_callback = false;
}

static void on_dropped(void *context)
{
    struct mqtt *mqtt = context;
    assert(mqtt->state == DROPPING);
    if (mqtt->is_paused) {
        mqtt->state = PAUSED;
        return;
    }
    mqtt->state = WAITING;
    loop_timer_arm(mqtt->timer, backoff_next(&mqtt->backoff));
}

static void tell_done(struct mqtt *mqtt, const struct mqtt_done *done)
{
    if (done->filter != NULL) {
        if (mqtt->on_subscribed != NULL)
            mqtt->on_subscribed(mqtt->context, done->filter, done->refusal);
    } else if (done->refusal != NULL) {
        if (mqtt->on_refused != NULL)
            mqtt->on_refused(mqtt->context, done->tag, done->refusal);
    } else if (done->qos > 0 && mqtt->on_delivered != NULL) {
        mqtt->on_delivered(mqtt->context, done->tag);
    }
}

static void on_done(void *context, const struct mqtt_done *done)
{
    struct mqtt *mqtt = context;
    if (mqtt->state != UP)
        return;
    mqtt->is_in_callback = true;
    tell_done(mqtt, done);
    mqtt->is_in_callback = false;
}

static const struct mqtt_link_ops link_ops = {
    .on_up = on_up,
    .on_down = on_down,
    .on_dropped = on_dropped,
    .on_done = on_done,
};

static void start_backoff(struct mqtt *mqtt, const struct mqtt_options *options)
{
    int64_t min_ms =
        options->reconnect_min_ms > 0 ? options->reconnect_min_ms : RECONNECT_MIN_MS;
    int64_t max_ms =
        options->reconnect_max_ms > 0 ? options->reconnect_max_ms : RECONNECT_MAX_MS;
    uint64_t seed = rng_seed_of(options->client_id) ^ (uint64_t)clock_real_ns();
    backoff_init(&mqtt->backoff, min_ms, max_ms > min_ms ? max_ms : min_ms, seed);
}

enum err mqtt_open(struct mqtt **mqtt, struct loop *loop,
                   const struct mqtt_options *options, struct err_text *why)
{
    assert(options->on_message != NULL);
    *mqtt = NULL;
    struct mqtt *made = mem_alloc(sizeof *made);
    *made = (struct mqtt){
        .context = options->context,
        .on_connected = options->on_connected,
        .on_lost = options->on_lost,
        .on_delivered = options->on_delivered,
        .on_refused = options->on_refused,
        .on_subscribed = options->on_subscribed,
    };
    enum err err = mqtt_link_open(&made->link, loop, options, &link_ops, made, why);
    if (err != ERR_OK) {
        free(made);
        return err;
    }
    start_backoff(made, options);
    made->timer = loop_timer_create(loop, connect_now, made);
    connect_now(made);
    *mqtt = made;
    return ERR_OK;
}

void mqtt_close(struct mqtt *mqtt)
{
    if (mqtt == NULL)
        return;
    assert(!mqtt->is_in_callback);
    loop_timer_destroy(mqtt->timer);
    mqtt_link_close(mqtt->link);
    free(mqtt);
}

bool mqtt_is_connected(const struct mqtt *mqtt)
{
    return mqtt->state == UP;
}

enum err mqtt_subscribe(struct mqtt *mqtt, const char *filter, int qos,
                        int retain_handling)
{
    assert(qos >= 0 && qos <= 2 && retain_handling >= 0 && retain_handling <= 2);
    if (mqtt->state != UP)
        return ERR_OFFLINE;
    return mqtt_link_subscribe(mqtt->link, filter, qos, retain_handling);
}

enum err mqtt_publish(struct mqtt *mqtt, const struct mqtt_publish *publish)
{
    assert(publish->qos == 0 || publish->qos == 1);
    if (mqtt->state != UP)
        return ERR_OFFLINE;
    return mqtt_link_publish(mqtt->link, publish);
}

void mqtt_pause(struct mqtt *mqtt)
{
    mqtt->is_paused = true;
    if (mqtt->state == WAITING) {
        loop_timer_cancel(mqtt->timer);
        mqtt->state = PAUSED;
    } else if (mqtt->state == CONNECTING || mqtt->state == UP) {
        drop(mqtt);
    }
}

void mqtt_resume(struct mqtt *mqtt)
{
    mqtt->is_paused = false;
    if (mqtt->state == PAUSED)
        connect_now(mqtt);
}
