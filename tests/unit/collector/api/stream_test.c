// SPDX-License-Identifier: Apache-2.0
/* Streams over HTTP: what each client hears, for how long, and what it costs to be slow.
 */
#include "tests/unit/collector/api/world.h"

#define ZONE_1 \
    "{\"id\":\"room-1\",\"org\":\"fengjie\",\"site\":\"store\",\"channels\":[{\"device\":" \
    "\"one\",\"channel\":\"air_temperature\",\"value\":%s,\"time\":" \
    "\"2026-11-23T08:00:00.000Z\"}]}"
#define ZONE_2   "{\"id\":\"room-2\",\"org\":\"wushan\",\"site\":\"depot\",\"channels\":[]}"
#define DEVICE_1 "{\"org\":\"fengjie\",\"id\":\"one\",\"online\":true}"
#define DEVICE_2 "{\"org\":\"wushan\",\"id\":\"two\",\"online\":true}"
#define INCIDENT "0000000000000000000000000000000a"

static const struct news everything[] = {
    {.kind = NEWS_ZONE,
     .id = "room-1",
     .event = "",
     .json =
         "{\"id\":\"room-1\",\"org\":\"fengjie\",\"site\":\"store\",\"channels\":[]}"},
    {.kind = NEWS_ZONE, .id = "room-2", .event = "", .json = ZONE_2},
    {.kind = NEWS_DEVICE, .id = "fengjie/one", .event = "", .json = DEVICE_1},
    {.kind = NEWS_DEVICE, .id = "wushan/two", .event = "", .json = DEVICE_2},
};

static void open_house(struct world *world)
{
    world_open(world);
    world->live[API_LIVE_ZONES] =
        "[{\"id\":\"room-1\",\"org\":\"fengjie\",\"site\":\"store\"},"
        "{\"id\":\"room-2\",\"org\":\"wushan\",\"site\":\"depot\"}]";
    world->all = everything;
    world->all_count = sizeof everything / sizeof everything[0];
    world->all_position = 100;
    world_run(world);
}

static void add_token(struct world *world, const char *text, const char *org,
                      const char *role, int64_t expires_ms)
{
    char hash[65];
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, text, strlen(text));
    const struct state_token token = {.hash = crypto_hex(hash, digest, sizeof digest),
                                      .id = text,
                                      .name = text,
                                      .org = org,
                                      .role = role,
                                      .scopes = "read",
                                      .created_ms = WORLD_T0,
                                      .expires_ms = expires_ms};
    world_must(state_begin(world->state), "begin");
    world_must(state_put_token(world->state, &token), "token");
    world_must(state_commit(world->state), "commit");
}

static void tell_zone(struct world *world, const char *value, uint64_t position)
{
    char *json = mem_format(ZONE_1, value);
    const struct news news = {
        .kind = NEWS_ZONE, .id = "room-1", .event = "", .json = json};
    feed_put(api_feed(world->api), &news);
    feed_seal(api_feed(world->api), position);
    free(json);
}

static void tell_incident(struct world *world, enum alert_effect_kind kind,
                          uint64_t position)
{
    static uint32_t revision = 0;
    struct incident incident = {.kind = ALERT_ABOVE,
                                .severity = ALERT_WARNING,
                                .state = kind == ALERT_EFFECT_CLOSED ? INCIDENT_CLOSED
                                                                     : INCIDENT_OPEN,
                                .onset_ms = WORLD_T0,
                                .opened_ms = WORLD_T0,
                                .limit = 8,
                                .value = 9.5,
                                .worst = 9.75,
                                .revision = ++revision};
    snprintf(incident.id, sizeof incident.id, "%s", INCIDENT);
    snprintf(incident.rule, sizeof incident.rule, "warm");
    snprintf(incident.zone, sizeof incident.zone, "room-1");
    snprintf(incident.device, sizeof incident.device, "one");
    snprintf(incident.channel, sizeof incident.channel, "air_temperature");
    snprintf(incident.snapshot, sizeof incident.snapshot, "{}");
    world_must(state_begin(world->state), "begin");
    world_must(state_add_incident(world->state, kind, &incident, WORLD_T0, "{}"),
               "incident");
    world_must(state_commit(world->state), "commit");
    const struct news news = {.kind = NEWS_INCIDENT,
                              .id = INCIDENT,
                              .event = alert_effect_name(kind),
                              .is_over = kind == ALERT_EFFECT_CLOSED};
    feed_put(api_feed(world->api), &news);
    feed_seal(api_feed(world->api), position);
}

/* ---- a listener -------------------------------------------------------------------- */

struct listener {
    int fd;
    struct buf text;
};

static struct listener listen_to(const struct world *world, const char *token,
                                 const char *last_id)
{
    struct listener listener = {.fd = world_connect(world)};
    char *request = mem_format(
        "GET /api/v1/stream HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n%s%s%s"
        "\r\n",
        token, last_id != NULL ? "Last-Event-ID: " : "", last_id != NULL ? last_id : "",
        last_id != NULL ? "\r\n" : "");
    world_send(listener.fd, request, strlen(request));
    free(request);
    return listener;
}

/* Reads until the text has come, from `from` on; false when the stream ended before. */
static bool hears(struct listener *listener, const char *wanted, size_t from)
{
    char bytes[16384];
    for (;;) {
        if (listener->text.len > from &&
            strstr(listener->text.data + from, wanted) != NULL)
            return true;
        ssize_t count = recv(listener->fd, bytes, sizeof bytes, 0);
        if (count <= 0)
            return false;
        buf_add(&listener->text, bytes, (size_t)count);
    }
}

static bool has(const struct listener *listener, const char *text)
{
    return listener->text.data != NULL && strstr(listener->text.data, text) != NULL;
}

/* The id that came last. */
static void last_id(const struct listener *listener, char id[FEED_ID_SIZE])
{
    id[0] = '\0';
    for (const char *at = listener->text.data; (at = strstr(at, "\nid: ")) != NULL; at++)
        snprintf(id, FEED_ID_SIZE, "%.*s", (int)strcspn(at + 5, "\n"), at + 5);
}

static void leave(struct listener *listener)
{
    close(listener->fd);
    buf_fini(&listener->text);
}

/* ---- what is heard ----------------------------------------------------------------- */

static void a_stream_begins_with_everything_and_goes_on(void)
{
    struct world world;
    open_house(&world);
    struct listener all = listen_to(&world, world.token, NULL);
    CHECK(hears(&all, "event: ready\ndata: {}\n\n", 0));
    CHECK(has(&all, "HTTP/1.1 200 OK\r\n"));
    CHECK(has(&all, "Content-Type: text/event-stream\r\n"));
    CHECK(has(&all, "Cache-Control: no-store\r\n"));
    CHECK(has(&all, "X-Accel-Buffering: no\r\n"));
    CHECK(has(&all, "retry: 2000\n\nevent: reset\ndata: {}\n\n"));
    CHECK(has(&all, "event: zone\ndata: {\"id\":\"room-1\""));
    CHECK(has(&all, "event: device\ndata: " DEVICE_2 "\nid: "));
    CHECK(has(&all, "-100\n\nevent: ready\n"));
    tell_zone(&world, "4.5", 200);
    CHECK(hears(&all, "\"value\":4.5", 0));
    CHECK(hears(&all, "-200\n\n", 0));
    tell_incident(&world, ALERT_EFFECT_OPENED, 300);
    CHECK(hears(&all, "-300\n\n", 0));
    CHECK(has(&all, "event: incident\ndata: {\"id\":\"" INCIDENT "\",\"rule\":\"warm\""));
    CHECK(has(&all, "\"worst\":9.75,\"worst_low\":null,\"worst_high\":null,"
                    "\"life\":null,\"harm\":null,\"event\":\"opened\"}\nid: "));
    tell_incident(&world, ALERT_EFFECT_CLOSED, 400);
    CHECK(hears(&all, "\"event\":\"closed\"}", 0));
    struct listener late = listen_to(&world, world.token, NULL);
    CHECK(hears(&late, "event: ready\n", 0));
    CHECK(has(&late, "\"value\":4.5") && !has(&late, "event: incident"));
    leave(&late);
    leave(&all);
    world_close(&world);
}

static void it_goes_on_from_an_id_with_what_came_after(void)
{
    struct world world;
    char id[FEED_ID_SIZE];
    open_house(&world);
    struct listener before = listen_to(&world, world.token, NULL);
    CHECK(hears(&before, "event: ready\n", 0));
    tell_zone(&world, "4.5", 200);
    CHECK(hears(&before, "-200\n\n", 0));
    last_id(&before, id);
    leave(&before);
    tell_zone(&world, "5.5", 300);
    tell_incident(&world, ALERT_EFFECT_OPENED, 400);
    struct listener after = listen_to(&world, world.token, id);
    CHECK(hears(&after, "event: ready\n", 0));
    CHECK(!has(&after, "reset") && !has(&after, "room-2") && !has(&after, "device\n"));
    const char *zone = strstr(after.text.data, "\"value\":5.5");
    const char *incident = strstr(after.text.data, "\"event\":\"opened\"");
    CHECK(zone != NULL && incident != NULL && zone < incident);
    last_id(&after, id);
    CHECK(strcmp(id + 8, "-400") == 0);
    leave(&after);
    struct listener nothing = listen_to(&world, world.token, id);
    CHECK(hears(&nothing, "event: ready\n", 0));
    CHECK(!has(&nothing, "event: zone") && !has(&nothing, "reset"));
    leave(&nothing);
    struct listener foreign = listen_to(&world, world.token, "0badcafe-200");
    CHECK(hears(&foreign, "event: ready\n", 0));
    CHECK(has(&foreign, "event: reset\n") && has(&foreign, "room-2"));
    leave(&foreign);
    world_close(&world);
}

static void everybody_hears_what_is_theirs(void)
{
    static const struct {
        const char *token;
        bool hears_zone_1;
        bool hears_zone_2;
        bool hears_device_1;
        bool hears_incident;
    } rows[] = {
        {"ours", true, false, true, true},
        {"theirs", false, true, false, false},
        {"viewer", false, false, false, false},
        {"granted", true, false, false, true},
    };
    struct world world;
    open_house(&world);
    add_token(&world, "ours", "fengjie", "operator", 0);
    add_token(&world, "theirs", "wushan", "admin", 0);
    add_token(&world, "viewer", "fengjie", "viewer", 0);
    add_token(&world, "granted", "chengdu", "viewer", 0);
    const struct state_grant grant = {.id = "g",
                                      .holder_kind = "org",
                                      .holder = "chengdu",
                                      .zone = "room-1",
                                      .from_ms = WORLD_T0 - 1000,
                                      .cause = ""};
    world_must(state_begin(world.state), "begin");
    world_must(state_put_grant(world.state, &grant), "grant");
    world_must(state_commit(world.state), "commit");
    struct listener listeners[sizeof rows / sizeof rows[0]];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        listeners[i] = listen_to(&world, rows[i].token, NULL);
        CHECK_ROW(rows[i].token, hears(&listeners[i], "event: ready\n", 0));
    }
    tell_zone(&world, "7.25", 200);
    tell_incident(&world, ALERT_EFFECT_OPENED, 300);
    /* The heartbeat says how far everything was given, of which they may see nothing. */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct listener *listener = &listeners[i];
        CHECK_ROW(rows[i].token, hears(listener, "-300\n", 0));
        CHECK_ROW(rows[i].token, has(listener, "room-1") == rows[i].hears_zone_1);
        CHECK_ROW(rows[i].token, has(listener, "7.25") == rows[i].hears_zone_1);
        CHECK_ROW(rows[i].token, has(listener, "room-2") == rows[i].hears_zone_2);
        CHECK_ROW(rows[i].token, has(listener, DEVICE_1) == rows[i].hears_device_1);
        CHECK_ROW(rows[i].token, has(listener, INCIDENT) == rows[i].hears_incident);
        leave(listener);
    }
    world_close(&world);
}

static void a_grant_that_comes_or_goes_begins_anew(void)
{
    struct world world;
    const struct state_grant grant = {.id = "g",
                                      .holder_kind = "org",
                                      .holder = "chengdu",
                                      .zone = "room-1",
                                      .from_ms = WORLD_T0 - 1000,
                                      .cause = ""};
    open_house(&world);
    add_token(&world, "viewer", "chengdu", "viewer", 0);
    struct listener listener = listen_to(&world, "viewer", NULL);
    CHECK(hears(&listener, "event: ready\n", 0));
    CHECK(!has(&listener, "room-1"));
    world_must(state_begin(world.state), "begin");
    world_must(state_put_grant(world.state, &grant), "grant");
    world_must(state_commit(world.state), "commit");
    size_t from = listener.text.len;
    CHECK(hears(&listener, "event: reset\n", from));
    CHECK(hears(&listener, "event: ready\n", from));
    CHECK(has(&listener, "room-1"));
    from = listener.text.len;
    world_must(state_begin(world.state), "begin");
    world_must(state_delete_grant(world.state, "g"), "grant");
    world_must(state_commit(world.state), "commit");
    CHECK(hears(&listener, "event: ready\n", from));
    CHECK(strstr(listener.text.data + from, "room-1") == NULL);
    leave(&listener);
    world_close(&world);
}

/* ---- how it ends ------------------------------------------------------------------- */

static void who_counts_no_more_is_told_why(void)
{
    struct world world;
    open_house(&world);
    add_token(&world, "short", "", "admin", WORLD_T0 + 2500);
    add_token(&world, "taken", "", "admin", 0);
    struct listener expired = listen_to(&world, "short", NULL);
    struct listener revoked = listen_to(&world, "taken", NULL);
    CHECK(hears(&expired, "event: ready\n", 0));
    CHECK(hears(&revoked, "event: ready\n", 0));
    world_must(state_begin(world.state), "begin");
    world_must(state_revoke_token(world.state, "taken", WORLD_T0), "revoke");
    world_must(state_commit(world.state), "commit");
    CHECK(hears(&revoked, "event: end\ndata: {\"reason\":\"revoked\"}\n\n", 0));
    CHECK(hears(&expired, "event: end\ndata: {\"reason\":\"expired\"}\n\n", 0));
    CHECK(!hears(&revoked, "nothing else", 0) && !hears(&expired, "nothing else", 0));
    leave(&expired);
    leave(&revoked);
    world_close(&world);
}

static void nothing_to_say_is_said_too(void)
{
    struct world world;
    open_house(&world);
    struct listener listener = listen_to(&world, world.token, NULL);
    CHECK(hears(&listener, "event: ready\n", 0));
    size_t from = listener.text.len;
    CHECK(hears(&listener, ": still here\n\n", from));
    from = listener.text.len;
    CHECK(hears(&listener, ": still here\n\n", from));
    leave(&listener);
    world_close(&world);
}

static void an_end_of_the_collector_is_told_at_once(void)
{
    struct world world;
    open_house(&world);
    struct listener listener = listen_to(&world, world.token, NULL);
    CHECK(hears(&listener, "event: ready\n", 0));
    world_halt(&world);
    int64_t begun_ms = clock_real_ms();
    api_close(world.api);
    CHECK(clock_real_ms() - begun_ms < 5000);
    CHECK(hears(&listener, "event: end\ndata: {\"reason\":\"stopping\"}\n\n", 0));
    CHECK(!hears(&listener, "nothing else", 0));
    leave(&listener);
    loop_destroy(world.loop);
    api_destroy(world.api);
    history_close(world.history);
    state_close(world.state);
    folder_remove(&world.history_folder);
    folder_remove(&world.folder);
}

/* ---- many, and slow ones ------------------------------------------------------------
 */

#define MANY 50

static void fifty_hear_the_same_and_the_bound_holds(void)
{
    struct world world;
    struct answer answer;
    static struct listener listeners[64];
    open_house(&world);
    add_token(&world, "a", "", "admin", 0);
    add_token(&world, "b", "", "admin", 0);
    add_token(&world, "c", "", "admin", 0);
    for (size_t i = 0; i < MANY; i++)
        listeners[i] = listen_to(&world, i % 2 == 0 ? "a" : "b", NULL);
    for (size_t i = 0; i < MANY; i++)
        CHECK(hears(&listeners[i], "event: ready\n", 0));
    tell_zone(&world, "6.125", 200);
    for (size_t i = 0; i < MANY; i++)
        CHECK(hears(&listeners[i], "6.125", 0));
    for (size_t i = MANY; i < 64; i++) {
        listeners[i] = listen_to(&world, i % 2 == 0 ? "a" : "b", NULL);
        CHECK(hears(&listeners[i], "event: ready\n", 0));
    }
    world_ask(&world, "GET", "/api/v1/stream", "c", NULL, &answer);
    CHECK(answer.status == 503);
    CHECK(strstr(answer_detail(&answer), "at most 64 streams") != NULL);
    CHECK(answer_has(&answer, "Retry-After: "));
    answer_fini(&answer);
    /* Requests are answered all the same. */
    world_get(&world, "/api/v1/status", &answer);
    CHECK(answer.status == 200);
    answer_fini(&answer);
    for (size_t i = 0; i < 32; i++)
        leave(&listeners[i]);
    CHECK(hears(&listeners[40], ": still here", 0));
    for (size_t i = 32; i < 64; i++)
        leave(&listeners[i]);
    world_close(&world);
}

static void who_does_not_read_is_cut_off(void)
{
    enum { BIG = 200000, TIMES = 100 };
    struct world world;
    open_house(&world);
    struct listener slow = listen_to(&world, world.token, NULL);
    struct listener quick = listen_to(&world, world.token, NULL);
    CHECK(hears(&slow, "event: ready\n", 0));
    CHECK(hears(&quick, "event: ready\n", 0));
    char *json = mem_alloc(BIG + 1);
    memset(json, '1', BIG);
    for (int i = 0; i < TIMES; i++) {
        char needle[32];
        const struct news news = {
            .kind = NEWS_ZONE, .id = "room-1", .event = "", .json = json};
        feed_put(api_feed(world.api), &news);
        feed_seal(api_feed(world.api), 1000 + (uint64_t)i);
        snprintf(needle, sizeof needle, "-%d\n\n", 1000 + i);
        CHECK(hears(&quick, needle, 0));
        buf_clear(&quick.text);
    }
    leave(&quick);
    /* Its buffers are full by now; its time runs out, and its seat is free again. */
    CHECK(feed_wait_empty(api_feed(world.api), 20000));
    free(json);
    leave(&slow);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a stream begins with everything and goes on",
         a_stream_begins_with_everything_and_goes_on},
        {"it goes on from an id with what came after",
         it_goes_on_from_an_id_with_what_came_after},
        {"everybody hears what is theirs", everybody_hears_what_is_theirs},
        {"a grant that comes or goes begins anew",
         a_grant_that_comes_or_goes_begins_anew},
        {"who counts no more is told why", who_counts_no_more_is_told_why},
        {"nothing to say is said too", nothing_to_say_is_said_too},
        {"an end of the collector is told at once",
         an_end_of_the_collector_is_told_at_once},
        {"fifty hear the same and the bound holds",
         fifty_hear_the_same_and_the_bound_holds},
        {"who does not read is cut off", who_does_not_read_is_cut_off},
        CU_TEST_INFO_NULL,
    };
    return check_run("stream", tests);
}
