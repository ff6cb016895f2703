// SPDX-License-Identifier: Apache-2.0
/* Down-sampled readings over HTTP: nothing is hidden, of all that was stored. */
#include "tests/unit/collector/api/world.h"

#define STEP_MS 1000

/* What reading `i` is: a saw, one breach, and a probe that is open for a while. */
#define BREACH    7777
#define OPEN_FROM 300
#define OPEN_TO   420

static double value_of(int i)
{
    if (i >= OPEN_FROM && i < OPEN_TO)
        return (double)NAN;
    return i == BREACH ? 31.25 : 2.5 + i % 40 / 8.0;
}

/* One message with readings [from, to) of a channel by number. */
static void store(struct world *world, const char *device, const char *channel,
                  uint64_t seq, int from, int to)
{
    struct pack pack = {.kind = PACK_DATA};
    uint16_t index;
    world_must(pack_channel(&pack, channel, &index), "channel");
    for (int i = from; i < to; i++) {
        double value = value_of(i);
        const struct reading reading = {
            .time_ms = WORLD_T0 + (int64_t)i * STEP_MS,
            .value = value,
            .raw = (double)NAN,
            .channel = index,
            .quality = (uint8_t)(isnan(value) ? QUALITY_OPEN : QUALITY_GOOD)};
        world_must(pack_add(&pack, &reading), "reading");
    }
    const struct history_message message = {.position = seq,
                                            .org = "fengjie",
                                            .device = device,
                                            .epoch = 0xaa,
                                            .seq = seq,
                                            .arrival_ms = WORLD_T0 + 3600000};
    world_must(history_begin(world->history), "begin");
    world_must(history_append(world->history, &message, &pack), "append");
    world_must(history_commit(world->history, seq), "commit");
    pack_fini(&pack);
}

/* Of the first series, or of the one of that channel. */
static const json_t *buckets_of(const struct answer *answer, const char *channel)
{
    size_t i;
    json_t *series;
    json_array_foreach(json_object_get(answer->json, "series"), i, series)
    {
        const char *name = json_string_value(json_object_get(series, "channel"));
        if (channel == NULL || strcmp(name, channel) == 0)
            return json_object_get(series, "buckets");
    }
    return NULL;
}

static double number_of(const json_t *bucket, const char *key)
{
    return json_number_value(json_object_get(bucket, key));
}

struct sums {
    size_t buckets;
    int64_t good;
    int64_t open;
    double least;
    double most;
};

static struct sums sum(const json_t *buckets)
{
    struct sums sums = {.least = (double)INFINITY, .most = (double)-INFINITY};
    for (size_t i = 0; i < json_array_size(buckets); i++) {
        const json_t *bucket = json_array_get(buckets, i);
        sums.buckets++;
        sums.good += json_integer_value(json_object_get(bucket, "good"));
        sums.open +=
            json_integer_value(json_object_get(json_object_get(bucket, "bad"), "open"));
        if (!json_is_number(json_object_get(bucket, "min")))
            continue;
        sums.least = fmin(sums.least, number_of(bucket, "min"));
        sums.most = fmax(sums.most, number_of(bucket, "max"));
    }
    return sums;
}

static void a_bucket_says_all_of_its_time(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    store(&world, "one", "air_temperature", 1, 290, 310);
    store(&world, "one", "air_temperature", 2, 415, 425);
    world_run(&world);
    world_get(&world,
              "/api/v1/devices/fengjie/one/series?from=2026-11-23T08:04:00Z&"
              "to=2026-11-23T08:09:00Z&buckets=3",
              &answer);
    CHECK(answer.status == 200);
    CHECK_TEXT(
        answer.body,
        "{\"from\":\"2026-11-23T08:04:00.000Z\",\"to\":\"2026-11-23T08:09:00.000Z\","
        "\"bucket_ms\":100000,\"series\":[{\"org\":\"fengjie\",\"device\":\"one\","
        "\"channel\":\"air_temperature\",\"quantity\":\"air_temperature\","
        "\"unit\":\"\xc2\xb0"
        "C\",\"buckets\":["
        "{\"time\":\"2026-11-23T08:04:00.000Z\",\"good\":10,\"bad\":{\"open\":10},"
        "\"first\":3.75,\"first_at\":\"2026-11-23T08:04:50.000Z\","
        "\"last\":4.875,\"last_at\":\"2026-11-23T08:04:59.000Z\","
        "\"min\":3.75,\"min_at\":\"2026-11-23T08:04:50.000Z\","
        "\"max\":4.875,\"max_at\":\"2026-11-23T08:04:59.000Z\",\"gap_ms\":1000},"
        "{\"time\":\"2026-11-23T08:05:40.000Z\",\"good\":5,\"bad\":{\"open\":5},"
        "\"first\":5,\"first_at\":\"2026-11-23T08:07:00.000Z\","
        "\"last\":5.5,\"last_at\":\"2026-11-23T08:07:04.000Z\","
        "\"min\":5,\"min_at\":\"2026-11-23T08:07:00.000Z\","
        "\"max\":5.5,\"max_at\":\"2026-11-23T08:07:04.000Z\",\"gap_ms\":121000}]}]}");
    answer_fini(&answer);
    world_get(&world,
              "/api/v1/devices/fengjie/one/series?from=2026-11-23T08:05:00Z&"
              "to=2026-11-23T08:05:10Z&buckets=1",
              &answer);
    CHECK(strstr(answer.body,
                 "\"good\":0,\"bad\":{\"open\":10},\"first\":null,\"first_at\":null,") !=
          NULL);
    CHECK(strstr(answer.body, "\"max_at\":null,\"gap_ms\":null}]}]}") != NULL);
    answer_fini(&answer);
    world_close(&world);
}

/* More than the history gives at once, so that questions are joined. */
static void a_breach_shows_at_every_width(void)
{
    static const int widths[] = {1, 2, 7, 300, 1999, 2000};
    enum { COUNT = HISTORY_LIMIT_MAX + 5000, PACK = 15000 };
    struct world world;
    world_open(&world);
    for (int i = 0; i < COUNT / PACK; i++)
        store(&world, "one", "air_temperature", (uint64_t)i + 1, i * PACK,
              (i + 1) * PACK);
    world_run(&world);
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        struct answer answer;
        char *path =
            mem_format("/api/v1/devices/fengjie/one/series?from=%lld&to=%lld"
                       "&buckets=%d",
                       (long long)WORLD_T0,
                       (long long)(WORLD_T0 + (int64_t)COUNT * STEP_MS), widths[i]);
        world_get(&world, path, &answer);
        const struct sums sums = sum(buckets_of(&answer, NULL));
        CHECK_ROW(path, answer.status == 200 && sums.buckets == (size_t)widths[i]);
        CHECK_ROW(path, sums.open == OPEN_TO - OPEN_FROM);
        CHECK_ROW(path, sums.good == COUNT - (OPEN_TO - OPEN_FROM));
        CHECK_ROW(path, sums.least == 2.5 && sums.most == 31.25);
        CHECK_ROW(path, strstr(answer.body, "\"max\":31.25,\"max_at\":\"2026-11-"
                                            "23T10:09:37.000Z\"") != NULL);
        answer_fini(&answer);
        free(path);
    }
    world_close(&world);
}

static void a_zone_has_what_measured_it_then(void)
{
    static const char placements[] =
        "[{\"org\":\"fengjie\",\"device\":\"one\",\"channel\":\"\",\"zone\":\"room-1\","
        "\"from\":null,\"to\":null},"
        "{\"org\":\"fengjie\",\"device\":\"one\",\"channel\":\"humidity\",\"zone\":"
        "\"room-2\",\"from\":\"2026-11-23T08:00:10.000Z\",\"to\":"
        "\"2026-11-23T08:00:40.000Z\"},"
        "{\"org\":\"fengjie\",\"device\":\"two\",\"channel\":\"\",\"zone\":\"room-1\","
        "\"from\":\"2026-11-23T08:00:30.000Z\",\"to\":null}]";
    static const struct {
        const char *name;
        const char *path;
        int status;
        size_t series;
        int64_t good; /* of them all */
    } rows[] = {
        {"by placements", "zones/room-1/series?", 200, 3, 50 + 20 + 20},
        {"one channel", "zones/room-1/series?channel=humidity&", 200, 1, 20},
        {"a probe placed apart", "zones/room-2/series?", 200, 1, 30},
        {"another channel", "zones/room-2/series?channel=air_temperature&", 200, 0, 0},
        {"nowhere", "zones/room-9/series?", 404, 0, 0},
        {"a device, wherever it was", "devices/fengjie/one/series?", 200, 2, 100},
        {"a device of others", "devices/other/one/series?", 200, 0, 0},
    };
    struct world world;
    world_open(&world);
    store(&world, "one", "humidity", 1, 0, 50);
    store(&world, "one", "air_temperature", 2, 0, 50);
    store(&world, "two", "air_temperature", 3, 10, 50);
    world.live[API_LIVE_PLACEMENTS] = placements;
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        int64_t good = 0;
        size_t k;
        json_t *series;
        char *path = mem_format("/api/v1/%sfrom=2026-11-23&to=2026-11-24", rows[i].path);
        world_get(&world, path, &answer);
        CHECK_ROW(rows[i].name, answer.status == rows[i].status);
        json_array_foreach(json_object_get(answer.json, "series"), k, series) good +=
            sum(json_object_get(series, "buckets")).good;
        CHECK_ROW(rows[i].name, json_array_size(json_object_get(answer.json, "series")) ==
                                    rows[i].series);
        CHECK_ROW(rows[i].name, good == rows[i].good);
        answer_fini(&answer);
        free(path);
    }
    world_close(&world);
}

static void what_is_asked_is_read_strictly(void)
{
    static const struct {
        const char *query;
        int status;
        const char *detail;
    } rows[] = {
        {"", 200, ""},
        {"buckets=2000", 200, ""},
        {"buckets=0", 400, "'buckets' is a number from 1 to 2000"},
        {"buckets=2001", 400, "'buckets' is a number from 1 to 2000"},
        {"points=5", 400, "points"},
        {"from=yesterday", 400, "from"},
        {"channel=%20", 400, "channel"},
        {"from=2026-11-24&to=2026-11-23", 200, ""},
        {"from=0&to=999999999999999999", 200, ""},
    };
    struct world world;
    world_open(&world);
    store(&world, "one", "air_temperature", 1, 0, 10);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        char *path = mem_format("/api/v1/devices/fengjie/one/series?%s", rows[i].query);
        world_get(&world, path, &answer);
        CHECK_ROW(rows[i].query, answer.status == rows[i].status);
        CHECK_ROW(rows[i].query, answer.json != NULL);
        CHECK_ROW(rows[i].query, strstr(answer_detail(&answer), rows[i].detail) != NULL);
        answer_fini(&answer);
        free(path);
    }
    world_close(&world);
}

static void an_answer_is_bounded(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    for (int i = 0; i < 30; i++) {
        char channel[32];
        snprintf(channel, sizeof channel, "air_temperature-%d", i);
        store(&world, "one", channel, (uint64_t)i + 1, 0, 3);
    }
    world_run(&world);
    world_get(&world,
              "/api/v1/devices/fengjie/one/series?from=2026-11-23&to=2026-11-24"
              "&buckets=2000",
              &answer);
    CHECK(answer.status == 400);
    CHECK(strstr(answer_detail(&answer), "fewer 'buckets'") != NULL);
    answer_fini(&answer);
    world_get(&world,
              "/api/v1/devices/fengjie/one/series?from=2026-11-23&to=2026-11-24"
              "&buckets=1000",
              &answer);
    CHECK(answer.status == 200);
    CHECK(json_array_size(json_object_get(answer.json, "series")) == 30);
    answer_fini(&answer);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a bucket says all of its time", a_bucket_says_all_of_its_time},
        {"a breach shows at every width", a_breach_shows_at_every_width},
        {"a zone has what measured it then", a_zone_has_what_measured_it_then},
        {"what is asked is read strictly", what_is_asked_is_read_strictly},
        {"an answer is bounded", an_answer_is_bounded},
        CU_TEST_INFO_NULL,
    };
    return check_run("series", tests);
}
