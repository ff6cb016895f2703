// SPDX-License-Identifier: Apache-2.0
/* A heartbeat arrives when every part of an alarm's way works, and with none standing
 * still. */
#include "collector/pipeline/beat.h"

#include "collector/notify/notifier.h"
#include "tests/support/until.h"
#include "tests/unit/collector/notify/receiver.h"
#include "tests/unit/collector/pipeline_house.h"

#define BOUND_MS 30000

/* Each is one part that can be stopped; database and broker are, in the scenario. */
enum part {
    NOTHING,
    JOURNAL,  /* nothing is synced */
    PIPELINE, /* nothing is read */
    RULES,    /* a reading that moves no rule */
    NOTIFIER, /* nobody looks into the outbox */
};

struct world {
    struct house house;
    struct clock clock;
    struct loop *loop;
    struct notifier *notifier;
    struct receiver receiver;
    struct config_channel webhook;
    const struct config_channel *channel;
    int64_t beat_ms;
    enum part stopped;
    size_t moments;
};

static char name[] = BEAT_NAME;

static enum err on_attempt(void *context, const struct record_attempt *attempt,
                           uint64_t *position)
{
    struct world *world = context;
    struct buf data = {0};
    record_attempt_format(attempt, &data);
    const struct journal_piece piece = {data.data, data.len};
    enum err err = journal_append(world->house.journal, RECORD_ATTEMPT,
                                  clock_wall_ms(&world->clock), 0, &piece, 1, position);
    buf_fini(&data);
    return err;
}

static void on_result(void *context, const struct record_result *result)
{
    struct world *world = context;
    struct buf data = {0};
    record_result_format(result, &data);
    put(&world->house, RECORD_RESULT, clock_wall_ms(&world->clock), data.data, data.len);
    buf_fini(&data);
}

static uint64_t applied(void *context)
{
    const struct world *world = context;
    return pipeline_committed(world->house.pipeline);
}

static void world_open(struct world *world)
{
    *world = (struct world){.loop = loop_create()};
    clock_init(&world->clock);
    house_open(&world->house);
    put(&world->house, RECORD_CONFIG, clock_wall_ms(&world->clock), config,
        strlen(config));
    pipeline_start(&world->house);
    receiver_open(&world->receiver, 200);
    world->channel = &world->webhook;
    world->webhook = (struct config_channel){
        .name = name, .url = world->receiver.url, .timeout_ms = 2000};
    const struct notifier_options options = {.state = world->house.state,
                                             .loop = world->loop,
                                             .clock = &world->clock,
                                             .channels = &world->channel,
                                             .channel_count = 1,
                                             .context = world,
                                             .on_attempt = on_attempt,
                                             .applied = applied,
                                             .on_result = on_result};
    world->notifier = notifier_create(&options);
    world->beat_ms = clock_wall_ms(&world->clock) - 100000; /* none is of the future */
}

static void world_close(struct world *world)
{
    notifier_stop(world->notifier);
    loop_destroy(world->loop);
    notifier_destroy(world->notifier);
    receiver_close(&world->receiver);
    house_close(&world->house);
}

static void beat(struct world *world)
{
    struct buf body = {0};
    world->beat_ms += world->stopped == RULES ? 0 : 1000;
    beat_format(world->beat_ms, &body);
    put(&world->house, RECORD_BEAT, world->beat_ms, body.data, body.len);
    buf_fini(&body);
}

/* What the collector does over and over, but for the part that is stopped. */
static void turn(struct world *world)
{
    struct err_text why;
    if (world->stopped != JOURNAL)
        CHECK(journal_sync(world->house.journal, NULL) == ERR_OK);
    if (world->stopped != PIPELINE)
        advance(&world->house, 100);
    if (world->stopped != NOTIFIER)
        CHECK(notifier_pump(world->notifier, &why) == ERR_OK);
}

static size_t arrived(struct world *world)
{
    return atomic_load(&world->receiver.count);
}

static bool two_arrived(void *context)
{
    turn(context);
    return arrived(context) == 2;
}

static bool one_arrived(void *context)
{
    turn(context);
    return arrived(context) == 1;
}

static bool a_moment_passed(void *context)
{
    struct world *world = context;
    turn(world);
    return ++world->moments > 50;
}

static void a_beat_walks_the_whole_way(void)
{
    struct world world;
    world_open(&world);
    beat(&world);
    CHECK(until_true(world.loop, one_arrived, &world, BOUND_MS));
    const struct received *request = &world.receiver.requests[0];
    CHECK(request->is_right);
    CHECK(strncmp(request->key, "heartbeat-", 10) == 0);
    CHECK(strstr(request->body, "{\"event\":\"heartbeat\",\"at\":\"2") != NULL);
    beat(&world);
    CHECK(until_true(world.loop, two_arrived, &world, BOUND_MS));
    uint64_t incidents = 0; /* it is nobody's incident, and no device's reading */
    CHECK(state_count_incidents(world.house.state, 0, &incidents) == ERR_OK);
    CHECK(incidents == 0);
    struct buf devices = {0};
    pipeline_devices_json(world.house.pipeline, world.beat_ms, &devices);
    CHECK(strstr(devices.data, BEAT_NAME) == NULL);
    buf_fini(&devices);
    world_close(&world);
}

static void it_stops_with_any_part_and_goes_on_with_it(void)
{
    static const struct {
        const char *name;
        enum part part;
    } rows[] = {
        {"the journal is not synced", JOURNAL},
        {"the pipeline stands still", PIPELINE},
        {"no rule moves", RULES},
        {"the notifier stands still", NOTIFIER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world;
        world_open(&world);
        beat(&world);
        CHECK_ROW(rows[i].name, until_true(world.loop, one_arrived, &world, BOUND_MS));
        turn(&world); /* its result */
        world.stopped = rows[i].part;
        beat(&world);
        CHECK_ROW(rows[i].name,
                  until_true(world.loop, a_moment_passed, &world, BOUND_MS));
        CHECK_ROW(rows[i].name, arrived(&world) == 1);
        world.stopped = NOTHING;
        if (rows[i].part == RULES)
            beat(&world);
        CHECK_ROW(rows[i].name, until_true(world.loop, two_arrived, &world, BOUND_MS));
        world_close(&world);
    }
}

static void count_message(void *context, const struct state_message *message)
{
    size_t *count = context;
    (*count)++;
    CHECK_TEXT(message->channel, BEAT_NAME);
}

/* A watchdog that was away for an hour is not told sixty times that all was well. */
static void a_beat_takes_the_place_of_one_that_was_not_delivered(void)
{
    struct world world;
    size_t count = 0;
    world_open(&world);
    world.stopped = NOTIFIER;
    for (int i = 0; i < 60; i++) {
        beat(&world);
        turn(&world);
    }
    CHECK(state_page_messages(world.house.state, NULL, 0, 100, &count, count_message) ==
          ERR_OK);
    CHECK(count == 1);
    world.stopped = NOTHING;
    CHECK(until_true(world.loop, one_arrived, &world, BOUND_MS));
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a beat walks the whole way", a_beat_walks_the_whole_way},
        {"it stops with any part and goes on with it",
         it_stops_with_any_part_and_goes_on_with_it},
        {"a beat takes the place of one that was not delivered",
         a_beat_takes_the_place_of_one_that_was_not_delivered},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("beat", tests);
}
