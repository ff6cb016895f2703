// SPDX-License-Identifier: Apache-2.0
/*
 * guests - who is connected to the API, and who has to go when a new one comes.
 *
 * A connection that sends nothing, or a byte now and then, costs its sender nothing and
 * us a place. So no one is turned away for it: when there are too many of one address,
 * the one that has waited longest for its next request to be complete is cut off; when
 * there are too many in all, such a one of the address that has the most. One whose
 * request is being answered never is. Any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_API_GUESTS_H
#define COLDCHAIN_COLLECTOR_API_GUESTS_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

struct guests;
struct guest;

/* `most` connections, `per_address` of one; `context` is for guest_context(). */
struct guests *guests_create(size_t most, size_t per_address, void *context);
/* All have left. Accepts NULL. */
void guests_destroy(struct guests *guests);

/* The caller's until guest_leave(), before which `fd` is not closed. May cut another. */
struct guest *guest_enter(struct guests *guests, int fd, const struct sockaddr *address);
void guest_leave(struct guest *guest);
/* Its request is complete and is answered now; its answer is given. */
void guest_is_served(struct guest *guest);
void guest_waits(struct guest *guest);
void *guest_context(const struct guest *guest);

#endif
