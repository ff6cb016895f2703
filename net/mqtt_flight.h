// SPDX-License-Identifier: Apache-2.0
/*
 * mqtt_flight - what was given to Paho and has not come back: publishes, subscriptions.
 *
 * A slot is the context of Paho's callbacks for one of them. It stays taken until the
 * loop has collected its end, so that a slow loop bounds what is in flight. Any thread;
 * the lock inside is never held while anything foreign is called but `on_landed`.
 */
#ifndef COLDCHAIN_NET_MQTT_FLIGHT_H
#define COLDCHAIN_NET_MQTT_FLIGHT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "net/mqtt.h"

#define MQTT_FLIGHT_SLOTS (MQTT_IN_FLIGHT_MAX + MQTT_SUBSCRIPTIONS_MAX)

struct mqtt_flight;

enum mqtt_slot_state {
    MQTT_SLOT_FREE,
    MQTT_SLOT_OUT,    /* Paho has it */
    MQTT_SLOT_LANDED, /* the loop has not looked yet */
};

struct mqtt_slot {
    struct mqtt_flight *flight;
    enum mqtt_slot_state state;
    bool is_lost; /* ended with the connection */
    uint64_t tag;
    int qos;
    char *filter;     /* NULL: a publish */
    char refusal[96]; /* empty: accepted */
};

struct mqtt_flight {
    /* fixed after init */
    void (*on_landed)(void *context);
    void *context;

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t landed_one;
    struct mqtt_slot slots[MQTT_FLIGHT_SLOTS];
    struct mqtt_slot *landed[MQTT_FLIGHT_SLOTS]; /* in order */
    size_t landed_count;
    size_t publishes; /* slots not free */
    size_t acked;     /* of these with QoS 1 */
    size_t acked_max;
    size_t subscriptions;
    size_t out;
};

/* on_landed(context) runs when something landed and nothing else waits for collection. */
void mqtt_flight_init(struct mqtt_flight *flight, void (*on_landed)(void *context),
                      void *context);
void mqtt_flight_fini(struct mqtt_flight *flight);

/*
 * The broker's Receive Maximum (MQTT 5, 3.2.2.3.3). What goes beyond it Paho would queue,
 * and up to 1.3.13 it leaks what is queued when a handle is destroyed.
 */
void mqtt_flight_limit(struct mqtt_flight *flight, size_t acked_max);

/* NULL when MQTT_IN_FLIGHT_MAX, the limit for QoS 1 or MQTT_SUBSCRIPTIONS_MAX are taken.
 */
struct mqtt_slot *mqtt_flight_take(struct mqtt_flight *flight, const char *filter,
                                   uint64_t tag, int qos);
/* It never left. */
void mqtt_flight_return(struct mqtt_slot *slot);
/* It came back. Without effect when it already did. */
void mqtt_flight_land(struct mqtt_slot *slot, bool is_lost, const char *refusal);

/* Moves what has landed to `into`, in order, and frees the slots. The caller frees
 * filters. */
size_t mqtt_flight_collect(struct mqtt_flight *flight,
                           struct mqtt_slot into[MQTT_FLIGHT_SLOTS]);
/* Frees what is still out: for a Paho handle that exists no more. */
void mqtt_flight_forget(struct mqtt_flight *flight);
/* Until nothing is out; false when `until` (CLOCK_MONOTONIC) came first. */
bool mqtt_flight_wait(struct mqtt_flight *flight, const struct timespec *until);

#endif
