// SPDX-License-Identifier: Apache-2.0
/*
 * sight - what the caller may see of places, devices and incidents, and since when.
 *
 * Only the files of the API include it. A call belongs to the thread that answers it.
 */
#ifndef COLDCHAIN_COLLECTOR_API_SIGHT_H
#define COLDCHAIN_COLLECTOR_API_SIGHT_H

#include "collector/api/internal.h"

/*
 * places.c: what the caller sees. Of what is somebody else's, and of what does not exist,
 * the answer is the same.
 */
/* False, and the call is answered, when the route's address names what is not seen. */
bool api_checks_tenant(struct api_call *call, const struct api_route *route);
/* The answer to who asks for something that is not there, or not there for him. */
void api_not_found(struct api_call *call);
/* Before rows of a store are filtered, whose callbacks must not ask. Answers on failure.
 */
bool api_load_places(struct api_call *call);
/* NOT_FOUND when there is no such zone; the place is borrowed for the call. */
enum err api_find_place(struct api_call *call, const char *zone,
                        struct access_place *place);
/* Whether a zone of that site is the caller's own. */
bool api_owns_site(struct api_call *call, const char *site);
bool api_sees_zone(struct api_call *call, const char *zone);
/* Whether the caller sees the device now: by its organisation and its placements. */
bool api_sees_device(struct api_call *call, const char *org, const char *device);
/* Something of the zone that lasted [from, to]; to 0: until now. */
bool api_sees_time(struct api_call *call, const char *zone, int64_t from_ms,
                   int64_t to_ms);
bool api_sees_incident(struct api_call *call, const struct incident *incident);
/* See access_windows(). */
size_t api_zone_windows(struct api_call *call, const char *zone,
                        struct access_window asked,
                        struct access_window windows[ACCESS_WINDOWS_MAX]);
/* Whether the caller sees everything, so that nothing need be filtered. */
bool api_sees_all(const struct api_call *call);

/*
 * Answers with the entries of a live list that `keeps` wants, which may take from them
 * what the caller does not see.
 */
typedef bool api_keeps_fn(struct api_call *call, json_t *entry);
void api_list_live(struct api_call *call, enum api_live what, api_keeps_fn *keeps);
bool api_keeps_zone(struct api_call *call, json_t *entry);
bool api_keeps_device(struct api_call *call, json_t *entry);
bool api_keeps_placement(struct api_call *call, json_t *entry);

/*
 * stretches.c: from when to when a device, or one channel of it, measured a zone, as far
 * as the caller may see it. Texts are borrowed for the call back.
 */
struct api_stretch {
    const char *org;
    const char *device;
    const char *channel; /* NULL: all but those with a placement of their own */
    int64_t from_ms;
    int64_t to_ms;
    const struct api_apart *apart;
    size_t apart_count;
};

/* A channel with a placement of its own. */
struct api_apart {
    const char *channel;
    int64_t from_ms;
    int64_t to_ms;
};

/* False ends the walk; the call was answered. */
typedef bool api_stretch_fn(struct api_call *call, void *context,
                            const struct api_stretch *stretch);
/*
 * Of one device and channel in the order of time, but that its own placements come last.
 * `channel` NULL: all. False: the call was answered, as for a zone that nothing measures.
 */
bool api_each_stretch(struct api_call *call, const char *zone, struct access_window asked,
                      const char *channel, void *context, api_stretch_fn *stretch);
/* Whether the channel was not measured as part of its device at that time. */
bool api_is_placed_apart(const struct api_stretch *stretch, const char *channel,
                         int64_t time_ms);

#endif
