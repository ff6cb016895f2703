// SPDX-License-Identifier: Apache-2.0
#include "collector/api/guests.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/metrics.h"

struct guest {
    struct guest *next;
    struct guests *guests;
    int fd;
    struct in6_addr address;
    uint64_t since; /* in the order of their beginning to wait */
    bool is_served;
    bool is_cut;
};

struct guests {
    /* fixed after create */
    size_t most;
    size_t per_address;
    void *context;

    /* shared, under lock */
    pthread_mutex_t lock;
    struct guest *first;
    uint64_t now; /* grows with each begin of waiting */
};

struct guests *guests_create(size_t most, size_t per_address, void *context)
{
    assert(most > 0 && per_address > 0);
    struct guests *guests = mem_alloc(sizeof *guests);
    guests->most = most;
    guests->per_address = per_address;
    guests->context = context;
    pthread_mutex_init(&guests->lock, NULL);
    return guests;
}

void guests_destroy(struct guests *guests)
{
    if (guests == NULL)
        return;
    assert(guests->first == NULL);
    pthread_mutex_destroy(&guests->lock);
    free(guests);
}

/* IPv4 as in IPv6, RFC 4291, 2.5.5.2. */
static void take_address(struct guest *guest, const struct sockaddr *address)
{
    if (address != NULL && address->sa_family == AF_INET6) {
        guest->address = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    } else if (address != NULL && address->sa_family == AF_INET) {
        guest->address.s6_addr[10] = 0xff;
        guest->address.s6_addr[11] = 0xff;
        memcpy(&guest->address.s6_addr[12],
               &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
}

static bool is_of(const struct guest *guest, const struct in6_addr *address)
{
    return address == NULL ||
           memcmp(&guest->address, address, sizeof guest->address) == 0;
}

/* Those of that address, NULL: of all; the ones that are cut have as good as left. */
static size_t count(const struct guests *guests, const struct in6_addr *address)
{
    size_t found = 0;
    for (const struct guest *guest = guests->first; guest != NULL; guest = guest->next)
        found += !guest->is_cut && is_of(guest, address);
    return found;
}

/* Whether `one` goes before `other`: of the larger crowd, then the one that waits longer.
 */
static bool goes_first(const struct guests *guests, const struct guest *one,
                       const struct guest *other)
{
    size_t crowd = count(guests, &one->address);
    size_t other_crowd = count(guests, &other->address);
    return crowd != other_crowd ? crowd > other_crowd : one->since < other->since;
}

/* One of that address, NULL: of all. */
static void make_room(struct guests *guests, const struct in6_addr *address)
{
    struct guest *first = NULL;
    for (struct guest *guest = guests->first; guest != NULL; guest = guest->next)
        if (!guest->is_served && !guest->is_cut && is_of(guest, address) &&
            (first == NULL || goes_first(guests, guest, first)))
            first = guest;
    if (first == NULL)
        return;
    /* Its thread sees the end and closes it. */
    assert(!first->is_served);
    first->is_cut = true;
    shutdown(first->fd, SHUT_RDWR);
    metric_add(METRIC_API_CONNECTIONS_CUT, 1);
}

struct guest *guest_enter(struct guests *guests, int fd, const struct sockaddr *address)
{
    struct guest *guest = mem_alloc(sizeof *guest);
    guest->guests = guests;
    guest->fd = fd;
    take_address(guest, address);
    pthread_mutex_lock(&guests->lock);
    if (count(guests, &guest->address) >= guests->per_address)
        make_room(guests, &guest->address);
    if (count(guests, NULL) >= guests->most)
        make_room(guests, NULL);
    guest->since = ++guests->now;
    guest->next = guests->first;
    guests->first = guest;
    pthread_mutex_unlock(&guests->lock);
    return guest;
}

void guest_leave(struct guest *guest)
{
    struct guests *guests = guest->guests;
    pthread_mutex_lock(&guests->lock);
    struct guest **at = &guests->first;
    while (*at != guest)
        at = &(*at)->next;
    *at = guest->next;
    pthread_mutex_unlock(&guests->lock);
    free(guest);
}

void guest_is_served(struct guest *guest)
{
    pthread_mutex_lock(&guest->guests->lock);
    guest->is_served = true;
    pthread_mutex_unlock(&guest->guests->lock);
}

void guest_waits(struct guest *guest)
{
    pthread_mutex_lock(&guest->guests->lock);
    guest->is_served = false;
    guest->since = ++guest->guests->now;
    pthread_mutex_unlock(&guest->guests->lock);
}

void *guest_context(const struct guest *guest)
{
    return guest->guests->context;
}
