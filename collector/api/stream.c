// SPDX-License-Identifier: Apache-2.0
/*
 * stream - what changes, as it changes: Server-Sent Events (WHATWG HTML, 9.2).
 *
 * A stream is the thread of its connection, waiting at the feed. It formats one event
 * after another and keeps none: who does not read stops here, and is closed when its
 * connection's time is over. Whether the caller still counts is asked again each second.
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "collector/api/feed.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/server.h"
#include "collector/api/sight.h"

#define CHECK_MS     1000
#define RETRY_MS     2000                /* the client waits before it comes again */
#define BLOCK        (size_t)(16 * 1024) /* is written at once, when there is so much */
#define KEPT_BYTES   (size_t)(64 * 1024) /* of memory between two events */
#define HEARTBEAT_OF 2                   /* parts of the connection's time */

struct api_stream {
    struct api_call *call;
    struct feed_cursor cursor;
    struct buf out; /* not taken by the connection yet, from `sent` on */
    size_t sent;
    char id[FEED_ID_SIZE];      /* given last */
    char owed_id[FEED_ID_SIZE]; /* of events that were given, once they are all */
    bool is_fresh;              /* what is there is being told, not what changes */
    bool is_ready;
    bool is_over;
    int64_t heartbeat_ms;
    int64_t beat_ms;  /* when the next heartbeat is due */
    int64_t check_ms; /* when the caller is looked up again */
};

/* ---- writing ---------------------------------------------------------------------- */

/* JSON on one line needs no care. */
static void put(struct api_stream *stream, const char *event, const char *data)
{
    buf_format(&stream->out, "event: %s\ndata: %s\n", event, data);
}

static void put_id(struct api_stream *stream, const char *id)
{
    buf_format(&stream->out, "id: %s\n", id);
    memcpy(stream->id, id, sizeof stream->id);
    stream->owed_id[0] = '\0';
}

static void end(struct api_stream *stream, const char *reason)
{
    char data[64];
    snprintf(data, sizeof data, "{\"reason\":\"%s\"}", reason);
    put(stream, "end", data);
    buf_text(&stream->out, "\n");
    stream->is_over = true;
}

static void begin(struct api_stream *stream, const char *last_id)
{
    stream->is_ready = false;
    stream->is_fresh =
        !feed_resume(api_feed(stream->call->api), last_id, &stream->cursor);
    if (!stream->is_fresh)
        return;
    put(stream, "reset", "{}");
    buf_text(&stream->out, "\n");
}

static void beat(struct api_stream *stream, const char *id)
{
    buf_text(&stream->out, ": still here\n");
    if (strcmp(stream->id, id) != 0)
        put_id(stream, id);
    buf_text(&stream->out, "\n");
}

/* ---- what the caller sees -----------------------------------------------------------
 */

/* One stream at a time, so that all of them have one connection. False: it is over. */
static bool take_stores(struct api_stream *stream)
{
    struct err_text why = {0};
    struct api_call *call = stream->call;
    pthread_mutex_lock(api_stream_lock(call->api));
    call->stores = api_stores_take(call->api, &why);
    if (call->stores != NULL)
        return true;
    pthread_mutex_unlock(api_stream_lock(call->api));
    log_error("the stores cannot be read: %s", why.text);
    end(stream, "busy");
    return false;
}

static void give_stores(struct api_stream *stream)
{
    struct api_call *call = stream->call;
    api_stores_give(call->api, call->stores);
    call->stores = NULL;
    pthread_mutex_unlock(api_stream_lock(call->api));
}

/* Sites and grants, in a number. */
static uint64_t reach_of(const struct principal *principal)
{
    uint64_t reach = 0;
    char window[64];
    for (size_t i = 0; i < principal->site_count; i++)
        reach = map_hash(reach, principal->sites[i]);
    for (size_t i = 0; i < principal->grant_count; i++) {
        const struct access_grant *grant = &principal->grants[i];
        snprintf(window, sizeof window, "/%lld-%lld", (long long)grant->window.from_ms,
                 (long long)grant->window.to_ms);
        reach = map_hash(map_hash(reach, grant->zone), window);
    }
    return reach;
}

/* Whether the client has closed: who waits at the feed writes nothing that would fail. */
static bool has_left(const struct api_stream *stream)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        stream->call->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == NULL)
        return false;
    struct pollfd client = {.fd = info->connect_fd, .events = POLLRDHUP};
    return poll(&client, 1, 0) > 0;
}

/* False, and the stream is over, when the caller left or does not count any more. */
static bool check_caller(struct api_stream *stream, int64_t real_ms)
{
    struct api_call *call = stream->call;
    if (real_ms < stream->check_ms)
        return true;
    stream->check_ms = real_ms + CHECK_MS;
    if (has_left(stream)) {
        stream->is_over = true;
        return false;
    }
    int64_t now_ms = api_now_ms(call->api);
    int64_t expires_ms = call->principal.expires_ms;
    uint64_t reach = reach_of(&call->principal);
    if (!take_stores(stream))
        return false;
    bool is_valid = api_principal_is_valid(call, now_ms);
    give_stores(stream);
    if (!is_valid)
        end(stream, expires_ms != 0 && now_ms >= expires_ms ? "expired" : "revoked");
    else if (reach_of(&call->principal) != reach)
        begin(stream, NULL);
    return is_valid;
}

/* Zones and placements as they are now; false, and the stream is over, when the loop does
 * not say. */
static bool look_around(struct api_stream *stream)
{
    if (api_load_places(stream->call))
        return true;
    end(stream, "busy");
    return false;
}

/* They change, and they are not small. */
static void look_away(struct api_stream *stream)
{
    struct api_call *call = stream->call;
    json_decref(call->places);
    json_decref(call->devices);
    call->places = NULL;
    call->devices = NULL;
}

/* NULL when nothing of it is seen; the caller's. */
static char *see_zone(struct api_stream *stream, struct feed_event *event)
{
    char *text = event->json;
    event->json = NULL;
    if (api_sees_all(stream->call))
        return text;
    json_t *zone = json_loads(text, 0, NULL);
    free(text);
    text = api_keeps_zone(stream->call, zone)
               ? json_dumps(zone, JSON_COMPACT | JSON_REAL_PRECISION(17))
               : NULL;
    json_decref(zone);
    return text;
}

static char *see_device(struct api_stream *stream, struct feed_event *event)
{
    struct api_call *call = stream->call;
    char *slash = strchr(event->name, '/');
    assert(slash != NULL);
    *slash = '\0';
    bool is_insider =
        ((1u << call->principal.role) & (ACCESS_STAFF | ACCESS_INTEGRATOR)) != 0;
    if (!is_insider || !look_around(stream) ||
        !api_sees_device(call, event->name, slash + 1))
        return NULL;
    char *text = event->json;
    event->json = NULL;
    return text;
}

static char *see_incident(struct api_stream *stream, const struct feed_event *event)
{
    struct api_call *call = stream->call;
    struct incident incident;
    char *text = NULL;
    if ((stream->is_fresh && event->is_present && event->is_over) || !look_around(stream))
        return NULL;
    if (!take_stores(stream))
        return NULL;
    enum err err = state_get_incident(call->stores->state, event->name, &incident);
    give_stores(stream);
    if (err != ERR_OK) {
        end(stream, "busy");
        return NULL;
    }
    if (!api_sees_incident(call, &incident))
        return NULL;
    json_t *entry = api_incident_json(&incident);
    json_object_set_new(entry, "event", json_string(event->event));
    text = json_dumps(entry, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(entry);
    return text;
}

static void put_event(struct api_stream *stream, struct feed_event *event)
{
    static const char *const names[] = {
        [NEWS_ZONE] = "zone", [NEWS_DEVICE] = "device", [NEWS_INCIDENT] = "incident"};
    char *text = NULL;
    switch (event->kind) {
    case NEWS_ZONE:
        text = see_zone(stream, event);
        break;
    case NEWS_DEVICE:
        text = see_device(stream, event);
        break;
    case NEWS_INCIDENT:
        text = see_incident(stream, event);
        break;
    }
    if (text != NULL) {
        put(stream, names[event->kind], text);
        memcpy(stream->owed_id, event->id, sizeof stream->owed_id);
    }
    /* The id says that all of its position was given, so it comes with the last of it. */
    bool owes_id = event->is_last && stream->owed_id[0] != '\0' && !stream->is_over;
    if (owes_id)
        put_id(stream, event->id);
    if (text != NULL || owes_id)
        buf_text(&stream->out, "\n");
    free(text);
    free(event->json);
}

/* ---- what libmicrohttpd calls -------------------------------------------------------
 */

/* Everything that was there has been told; `is_all`: the feed has nothing else. */
static void note_ready(struct api_stream *stream, bool is_all)
{
    if (stream->is_ready || stream->is_over ||
        (!is_all && stream->cursor.order < stream->cursor.present))
        return;
    stream->is_ready = true;
    stream->is_fresh = false;
    put(stream, "ready", "{}");
    buf_text(&stream->out, "\n");
}

/* Takes what the feed has next. Returns false when that was nothing. */
static bool step(struct api_stream *stream, int64_t wait_ms)
{
    struct feed_event event;
    switch (
        (int)feed_next(api_feed(stream->call->api), &stream->cursor, wait_ms, &event)) {
    case ERR_OK:
        put_event(stream, &event);
        note_ready(stream, false);
        return true;
    case ERR_OFFLINE:
        end(stream, "stopping");
        return true;
    case ERR_NOT_FOUND:
        begin(stream, NULL);
        return true;
    default:
        note_ready(stream, true);
        if (clock_real_ms() >= stream->beat_ms)
            beat(stream, event.id);
        return false;
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Until there is something to send. */
static void fill(struct api_stream *stream)
{
    bool goes_on = true;
    while (!stream->is_over && (goes_on || stream->out.len == 0) &&
           stream->out.len < BLOCK) {
        int64_t now_ms = clock_real_ms();
        int64_t wait_ms = sooner(stream->beat_ms, stream->check_ms) - now_ms;
        if (!check_caller(stream, now_ms))
            break;
        goes_on = step(stream, stream->out.len > 0 || wait_ms < 0 ? 0 : wait_ms);
        if (!goes_on)
            look_away(stream);
    }
    look_away(stream);
}

static ssize_t on_read(void *context, uint64_t position, char *to, size_t most)
{
    (void)position;
    struct api_stream *stream = context;
    if (stream->sent == stream->out.len) {
        stream->sent = 0;
        buf_clear(&stream->out);
        if (stream->out.capacity > KEPT_BYTES)
            buf_fini(&stream->out);
        if (stream->is_over)
            return MHD_CONTENT_READER_END_OF_STREAM;
        fill(stream);
        stream->beat_ms = clock_real_ms() + stream->heartbeat_ms;
    }
    size_t len = stream->out.len - stream->sent;
    if (len == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (len > most)
        len = most;
    memcpy(to, stream->out.data + stream->sent, len);
    stream->sent += len;
    return (ssize_t)len;
}

struct MHD_Response *api_stream_response(struct api_call *call)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read,
                                             call->stream, NULL);
}

void api_stream_finish(struct api_call *call)
{
    struct api_stream *stream = call->stream;
    if (stream == NULL)
        return;
    feed_leave(api_feed(call->api), call->principal.id, clock_real_ms());
    buf_fini(&stream->out);
    free(stream);
    call->stream = NULL;
}

/* A header is what browsers send again; where none can be set, a parameter says it. */
static const char *last_id_of(const struct api_call *call)
{
    const char *id =
        MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, "Last-Event-ID");
    return id != NULL ? id : api_param(call, "after");
}

void api_get_stream(struct api_call *call)
{
    struct feed *feed = api_feed(call->api);
    char most[24];
    snprintf(most, sizeof most, "%zu", api_options_of(call->api)->streams);
    switch ((int)feed_join(feed, call->principal.id)) {
    case ERR_OK:
        break;
    case ERR_LIMIT:
        api_refuse(call, PROBLEM_TOO_MANY_STREAMS, "most", most, NULL);
        return;
    default:
        api_refuse(call, PROBLEM_BUSY, NULL);
        return;
    }
    struct api_stream *stream = mem_alloc(sizeof *stream);
    stream->call = call;
    call->stream = stream;
    if (!feed_is_filled(feed) && !api_ask_all(call)) {
        api_stream_finish(call);
        return;
    }
    int64_t now_ms = clock_real_ms();
    stream->heartbeat_ms = api_options_of(call->api)->idle_ms / HEARTBEAT_OF;
    stream->beat_ms = now_ms + stream->heartbeat_ms;
    stream->check_ms = now_ms + CHECK_MS;
    buf_format(&stream->out, "retry: %d\n\n", RETRY_MS);
    begin(stream, last_id_of(call));
    note_ready(stream, false);
    call->content_type = "text/event-stream";
    call->must_close = true;
}
