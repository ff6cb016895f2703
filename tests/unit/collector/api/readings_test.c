// SPDX-License-Identifier: Apache-2.0
/* Readings over HTTP: exact, in order, page by page, each once. */
#include "tests/unit/collector/api/world.h"

#define STEP_MS 1000

/* Appends one message whose readings are [from, to) of a series by number. */
static void store(struct world *world, const char *device, const char *channel,
                  uint64_t seq, int from, int to)
{
    struct pack pack = {.kind = PACK_DATA};
    uint16_t index;
    world_must(pack_channel(&pack, channel, &index), "channel");
    for (int i = from; i < to; i++) {
        const struct reading reading = {.time_ms = WORLD_T0 + i * STEP_MS,
                                        .value = 2.8 + i,
                                        .raw = (double)NAN,
                                        .channel = index};
        world_must(pack_add(&pack, &reading), "reading");
    }
    const struct history_message message = {.position = seq,
                                            .org = "fengjie",
                                            .device = device,
                                            .epoch = 0xaa00 + seq,
                                            .seq = seq,
                                            .arrival_ms = WORLD_T0 + 3600000};
    world_must(history_begin(world->history), "begin");
    world_must(history_append(world->history, &message, &pack), "append");
    world_must(history_commit(world->history, seq), "commit");
    pack_fini(&pack);
}

/* Device "one": temperature and humidity, interleaved; "two" has a temperature only. */
static void fill(struct world *world)
{
    store(world, "one", "humidity", 1, 5, 50);
    store(world, "one", "air_temperature", 2, 0, 50);
    store(world, "two", "air_temperature", 3, 20, 60);
}

struct walk {
    size_t count;
    size_t pages;
    char last[200]; /* time, device and channel of the last reading */
    bool is_ordered;
    bool is_twice;
    char *seen; /* all keys so far, one a line */
};

static void take_reading(struct walk *walk, const json_t *reading)
{
    char key[200];
    snprintf(key, sizeof key, "%s %s %s\n",
             json_string_value(json_object_get(reading, "time")),
             json_string_value(json_object_get(reading, "device")),
             json_string_value(json_object_get(reading, "channel")));
    walk->is_ordered = walk->is_ordered && strcmp(walk->last, key) < 0;
    walk->is_twice = walk->is_twice || strstr(walk->seen, key) != NULL;
    snprintf(walk->last, sizeof walk->last, "%s", key);
    char *more = mem_format("%s%s", walk->seen, key);
    free(walk->seen);
    walk->seen = more;
    walk->count++;
}

/* All pages of `path`, as `next` leads through them. */
static struct walk walk_pages(const struct world *world, const char *path, size_t limit)
{
    struct walk walk = {.is_ordered = true, .seen = mem_strdup("")};
    char *url = mem_format("%s%climit=%zu", path, strchr(path, '?') ? '&' : '?', limit);
    while (url != NULL && walk.pages < 1000) {
        struct answer answer;
        size_t i;
        json_t *reading;
        world_get(world, url, &answer);
        CHECK_ROW(url, answer.status == 200);
        const json_t *list = json_object_get(answer.json, "readings");
        CHECK_ROW(url, json_is_array(list) && json_array_size(list) <= limit);
        json_array_foreach(json_object_get(answer.json, "readings"), i, reading)
            take_reading(&walk, reading);
        const json_t *next = json_object_get(answer.json, "next");
        free(url);
        url = NULL;
        CHECK_ROW(path, json_is_object(next) == answer_has(&answer, "\r\nLink: <?from="));
        if (json_is_object(next))
            url = mem_format(
                "%s%climit=%zu&from=%lld&skip=%lld", path, strchr(path, '?') ? '&' : '?',
                limit, (long long)json_integer_value(json_object_get(next, "from")),
                (long long)json_integer_value(json_object_get(next, "skip")));
        walk.pages++;
        answer_fini(&answer);
    }
    free(walk.seen);
    walk.seen = NULL;
    return walk;
}

/* Device one is in room-1, but its humidity probe in room-2; two moves to room-1. */
static const char placements[] =
    "[{\"org\":\"fengjie\",\"device\":\"one\",\"channel\":\"\",\"zone\":\"room-1\","
    "\"from\":null,\"to\":null},"
    "{\"org\":\"fengjie\",\"device\":\"one\",\"channel\":\"humidity\",\"zone\":\"room-2\","
    "\"from\":\"2026-11-23T08:00:10.000Z\",\"to\":\"2026-11-23T08:00:40.000Z\"},"
    "{\"org\":\"fengjie\",\"device\":\"two\",\"channel\":\"\",\"zone\":\"room-1\","
    "\"from\":\"2026-11-23T08:00:30.000Z\",\"to\":null},"
    "{\"org\":\"other\",\"device\":\"two\",\"channel\":\"air_temperature\",\"zone\":"
    "\"room-3\",\"from\":null,\"to\":null}]";

static void every_page_size_gives_each_reading_once(void)
{
    static const struct {
        const char *path;
        size_t count;
    } rows[] = {
        {"/api/v1/devices/fengjie/one/readings", 95},
        {"/api/v1/devices/fengjie/one/readings?channel=humidity", 45},
        {"/api/v1/devices/fengjie/two/readings", 40},
        {"/api/v1/devices/fengjie/three/readings", 0},
        {"/api/v1/devices/other/one/readings", 0},
        {"/api/v1/zones/room-1/readings", 50 + 5 + 10 + 30},
        {"/api/v1/zones/room-1/readings?channel=humidity", 15},
        {"/api/v1/zones/room-2/readings", 30},
        {"/api/v1/zones/room-2/readings?channel=air_temperature", 0},
        {"/api/v1/zones/room-3/readings", 0},
    };
    static const size_t limits[] = {1, 2, 3, 7, 94, 95, 96, 100000};
    struct world world;
    world_open(&world);
    fill(&world);
    world.live[API_LIVE_PLACEMENTS] = placements;
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
            struct walk walk = walk_pages(&world, rows[i].path, limits[k]);
            CHECK_ROW(rows[i].path, walk.count == rows[i].count);
            CHECK_ROW(rows[i].path, walk.is_ordered && !walk.is_twice);
        }
    world_close(&world);
}

static void times_are_half_open(void)
{
    static const struct {
        const char *query;
        size_t count;
    } rows[] = {
        {"from=2026-11-23T08:00:10Z&to=2026-11-23T08:00:20Z", 10},
        {"from=1795420810000&to=1795420820000", 10},
        {"from=2026-11-23T16:00:10%2B08:00&to=2026-11-23T08:00:11Z", 1},
        {"to=2026-11-23T08:00:00Z", 0},
        {"from=2026-11-23T08:00:49Z", 1},
        {"from=2026-11-24", 0},
        {"from=1795420820000&to=1795420810000", 0},
        {"from=0&to=999999999999999999", 50},
    };
    struct world world;
    world_open(&world);
    fill(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        char path[200];
        snprintf(path, sizeof path,
                 "/api/v1/devices/fengjie/one/readings?channel=air_temperature&%s",
                 rows[i].query);
        world_get(&world, path, &answer);
        CHECK_ROW(rows[i].query, json_array_size(json_object_get(
                                     answer.json, "readings")) == rows[i].count);
        CHECK_ROW(rows[i].query, json_is_null(json_object_get(answer.json, "next")));
        answer_fini(&answer);
    }
    world_close(&world);
}

static void numbers_are_as_short_as_they_were_written(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    fill(&world);
    world_run(&world);
    world_get(&world, "/api/v1/devices/fengjie/one/readings?limit=1", &answer);
    CHECK_TEXT(answer.body,
               "{\"readings\":[{\"time\":\"2026-11-23T08:00:00.000Z\",\"device\":\"one\","
               "\"channel\":\"air_temperature\",\"value\":2.8,\"raw\":null,"
               "\"quality\":\"good\",\"arrival\":\"2026-11-23T09:00:00.000Z\","
               "\"epoch\":\"000000000000aa02\",\"seq\":2}],"
               "\"next\":{\"from\":1795420800000,\"skip\":1}}");
    answer_fini(&answer);
    world_close(&world);
}

static void csv_opens_in_a_spreadsheet(void)
{
    static const char head[] =
        "\xef\xbb\xbftime,device,channel,value,raw,quality,arrival,epoch,seq\r\n";
    struct world world;
    struct answer answer;
    world_open(&world);
    fill(&world);
    world_run(&world);
    world_get(&world, "/api/v1/devices/fengjie/two/readings?format=csv&limit=2", &answer);
    CHECK(answer.status == 200);
    CHECK(answer_has(&answer, "Content-Type: text/csv; charset=utf-8\r\n"));
    CHECK(answer_has(&answer, "attachment; filename=\"readings.csv\""));
    CHECK(answer_has(&answer, "Link: <?from=1795420821000&skip=1&to="));
    CHECK(answer_has(&answer, "&limit=2&format=csv>; rel=\"next\""));
    CHECK(strncmp(answer.body, head, sizeof head - 1) == 0);
    const char *row = answer.body + sizeof head - 1;
    CHECK(strncmp(row, "2026-11-23T08:00:20.000Z,two,air_temperature,22.8,,good,", 56) ==
          0);
    CHECK(strstr(row, ",3\r\n2026-11-23T08:00:21.000Z,") != NULL);
    answer_fini(&answer);
    world_get(&world,
              "/api/v1/devices/fengjie/two/readings?format=csv&limit=2&from=1795420821000"
              "&skip=1",
              &answer);
    CHECK(strncmp(answer.body + sizeof head - 1, "2026-11-23T08:00:22.000Z,", 25) == 0);
    answer_fini(&answer);
    world_get(&world, "/api/v1/devices/fengjie/none/readings?format=csv", &answer);
    CHECK_TEXT(answer.body, head);
    answer_fini(&answer);
    world_close(&world);
}

static void a_channel_of_another_maker_is_asked_for_by_its_name(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    store(&world, "one", "urn:dev:ow:10e2073a01080063:temp", 1, 0, 3);
    world_run(&world);
    world_get(&world,
              "/api/v1/devices/fengjie/one/readings?channel=urn:dev:ow:10e2073a01080063:"
              "temp&limit=1",
              &answer);
    CHECK(json_array_size(json_object_get(answer.json, "readings")) == 1);
    CHECK(answer_has(&answer, "&channel=urn:dev:ow:10e2073a01080063:temp>; rel="));
    answer_fini(&answer);
    world_close(&world);
}

static void an_unknown_zone_is_told_from_an_empty_one(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    world.live[API_LIVE_PLACEMENTS] = placements;
    world_run(&world);
    world_get(&world, "/api/v1/zones/room-9/readings", &answer);
    CHECK(answer.status == 404);
    CHECK(strstr(answer_detail(&answer), "nothing of that name") != NULL);
    answer_fini(&answer);
    world_get(&world, "/api/v1/zones/room-1/readings", &answer);
    CHECK(answer.status == 200);
    CHECK_TEXT(answer.body, "{\"readings\":[],\"next\":null}");
    answer_fini(&answer);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every page size gives each reading once",
         every_page_size_gives_each_reading_once},
        {"times are half open", times_are_half_open},
        {"numbers are as short as they were written",
         numbers_are_as_short_as_they_were_written},
        {"csv opens in a spreadsheet", csv_opens_in_a_spreadsheet},
        {"a channel of another maker is asked for by its name",
         a_channel_of_another_maker_is_asked_for_by_its_name},
        {"an unknown zone is told from an empty one",
         an_unknown_zone_is_told_from_an_empty_one},
        CU_TEST_INFO_NULL,
    };
    return check_run("readings", tests);
}
