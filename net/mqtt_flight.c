// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_flight.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void mqtt_flight_init(struct mqtt_flight *flight, void (*on_landed)(void *context),
                      void *context)
{
    *flight = (struct mqtt_flight){
        .on_landed = on_landed, .context = context, .acked_max = MQTT_IN_FLIGHT_MAX};
    pthread_mutex_init(&flight->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&flight->landed_one, &attributes);
    pthread_condattr_destroy(&attributes);
}

void mqtt_flight_fini(struct mqtt_flight *flight)
{
    for (size_t i = 0; i < MQTT_FLIGHT_SLOTS; i++)
        free(flight->slots[i].filter);
    pthread_cond_destroy(&flight->landed_one);
    pthread_mutex_destroy(&flight->lock);
}

void mqtt_flight_limit(struct mqtt_flight *flight, size_t acked_max)
{
    pthread_mutex_lock(&flight->lock);
    flight->acked_max = acked_max;
    pthread_mutex_unlock(&flight->lock);
}

/* Under the lock, as all statics here. */
static bool has_room(const struct mqtt_flight *flight, const char *filter, int qos)
{
    if (filter != NULL)
        return flight->subscriptions < MQTT_SUBSCRIPTIONS_MAX;
    return flight->publishes < MQTT_IN_FLIGHT_MAX &&
           (qos == 0 || flight->acked < flight->acked_max);
}

static void count_slot(struct mqtt_flight *flight, const struct mqtt_slot *slot)
{
    flight->out++;
    flight->subscriptions += slot->filter != NULL;
    flight->publishes += slot->filter == NULL;
    flight->acked += slot->filter == NULL && slot->qos > 0;
}

static struct mqtt_slot *find_free(struct mqtt_flight *flight)
{
    struct mqtt_slot *slot = flight->slots;
    while (slot->state != MQTT_SLOT_FREE)
        slot++;
    assert(slot < flight->slots + MQTT_FLIGHT_SLOTS && slot->filter == NULL);
    return slot;
}

static void free_slot(struct mqtt_flight *flight, struct mqtt_slot *slot)
{
    assert(slot->state != MQTT_SLOT_FREE);
    assert(slot->filter != NULL ? flight->subscriptions > 0 : flight->publishes > 0);
    flight->out -= slot->state == MQTT_SLOT_OUT;
    flight->subscriptions -= slot->filter != NULL;
    flight->publishes -= slot->filter == NULL;
    flight->acked -= slot->filter == NULL && slot->qos > 0;
    *slot = (struct mqtt_slot){.state = MQTT_SLOT_FREE};
}

static void free_with_filter(struct mqtt_flight *flight, struct mqtt_slot *slot)
{
    char *filter = slot->filter;
    free_slot(flight, slot);
    free(filter);
}

struct mqtt_slot *mqtt_flight_take(struct mqtt_flight *flight, const char *filter,
                                   uint64_t tag, int qos)
{
    struct mqtt_slot *slot = NULL;
    pthread_mutex_lock(&flight->lock);
    if (has_room(flight, filter, qos)) {
        slot = find_free(flight);
        *slot = (struct mqtt_slot){.flight = flight,
                                   .state = MQTT_SLOT_OUT,
                                   .tag = tag,
                                   .qos = qos,
                                   .filter = filter != NULL ? mem_strdup(filter) : NULL};
        count_slot(flight, slot);
    }
    pthread_mutex_unlock(&flight->lock);
    return slot;
}

void mqtt_flight_return(struct mqtt_slot *slot)
{
    struct mqtt_flight *flight = slot->flight;
    pthread_mutex_lock(&flight->lock);
    assert(slot->state == MQTT_SLOT_OUT);
    free_with_filter(flight, slot);
    pthread_mutex_unlock(&flight->lock);
}

void mqtt_flight_land(struct mqtt_slot *slot, bool is_lost, const char *refusal)
{
    struct mqtt_flight *flight = slot->flight;
    bool is_first = false;
    pthread_mutex_lock(&flight->lock);
    if (slot->state == MQTT_SLOT_OUT) {
        slot->state = MQTT_SLOT_LANDED;
        slot->is_lost = is_lost;
        snprintf(slot->refusal, sizeof slot->refusal, "%s", refusal);
        flight->out--;
        is_first = flight->landed_count == 0;
        flight->landed[flight->landed_count++] = slot;
        pthread_cond_broadcast(&flight->landed_one);
    }
    pthread_mutex_unlock(&flight->lock);
    if (is_first)
        flight->on_landed(flight->context);
}

size_t mqtt_flight_collect(struct mqtt_flight *flight,
                           struct mqtt_slot into[MQTT_FLIGHT_SLOTS])
{
    pthread_mutex_lock(&flight->lock);
    size_t count = flight->landed_count;
    for (size_t i = 0; i < count; i++) {
        into[i] = *flight->landed[i];
        free_slot(flight, flight->landed[i]);
    }
    flight->landed_count = 0;
    pthread_mutex_unlock(&flight->lock);
    return count;
}

void mqtt_flight_forget(struct mqtt_flight *flight)
{
    pthread_mutex_lock(&flight->lock);
    for (size_t i = 0; i < MQTT_FLIGHT_SLOTS; i++)
        if (flight->slots[i].state == MQTT_SLOT_OUT)
            free_with_filter(flight, &flight->slots[i]);
    assert(flight->out == 0);
    pthread_mutex_unlock(&flight->lock);
}

bool mqtt_flight_wait(struct mqtt_flight *flight, const struct timespec *until)
{
    int code = 0;
    pthread_mutex_lock(&flight->lock);
    while (flight->out > 0 && code == 0)
        code = pthread_cond_timedwait(&flight->landed_one, &flight->lock, until);
    bool is_empty = flight->out == 0;
    pthread_mutex_unlock(&flight->lock);
    return is_empty;
}
