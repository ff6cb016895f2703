// SPDX-License-Identifier: Apache-2.0
/* Random lives of a store, compared with a naive twin. COLDCHAIN_SEED repeats one. */
#include "collector/store/history_tables.h"
#include "tests/unit/collector/store/history_world.h"

#define DEVICES 4 /* the last of them has no seq */

/* What a message is known by. */
struct name {
    size_t device;
    uint64_t epoch;
    uint64_t seq;
};

struct life {
    struct folder folder;
    struct history *history;
    struct history_reader *reader;
    struct twin twin;
    struct name *taken;
    size_t taken_count;
    size_t taken_capacity;
    struct rng rng;
    uint64_t position;
    uint64_t next_seq[DEVICES];
    uint64_t epoch[DEVICES];
    int64_t now_ms;
};

static const char *const device_names[DEVICES] = {"room", "van", "hall", "foreign"};

static int64_t random_time(struct life *life)
{
    switch (rng_below(&life->rng, 20)) {
    case 0: /* late, by hours or months */
        return life->now_ms - (int64_t)rng_below(&life->rng, INT64_C(6) * 3600000);
    case 1:
        return life->now_ms - (int64_t)rng_below(&life->rng, INT64_C(90) * 86400000);
    case 2: /* the same millisecond as others */
        return life->now_ms / 60000 * 60000;
    case 3: /* no clock */
        return (int64_t)rng_below(&life->rng, 100000);
    default:
        return life->now_ms - (int64_t)rng_below(&life->rng, 60000);
    }
}

static double random_value(struct rng *rng)
{
    switch (rng_below(rng, 10)) {
    case 0:
        return rng_uniform(rng) * 1e6;
    case 1:
        return -0.0;
    default:
        return (double)rng_below(rng, 200) / 10 - 5;
    }
}

static void random_readings(struct life *life, struct parcel *parcel)
{
    struct rng *rng = &life->rng;
    size_t count = rng_below(rng, rng_chance(rng, 0.1) ? 60 : 5);
    for (size_t i = 0; i < count; i++) {
        parcel_add(parcel, (uint16_t)rng_below(rng, WORLD_CHANNELS), random_time(life),
                   random_value(rng));
        struct reading *reading = &parcel->readings[i];
        if (rng_chance(rng, 0.05)) {
            reading->value = (double)NAN;
            reading->quality = (uint8_t)rng_below(rng, QUALITY_FAULT + 1);
        }
        if (rng_chance(rng, 0.2))
            reading->raw = reading->value + 0.3;
    }
}

/* Mostly the next seq; also ones ahead, and ones that came before. */
static uint64_t random_seq(struct life *life, size_t device)
{
    uint64_t next = life->next_seq[device];
    if (rng_chance(&life->rng, 0.1) && next > 1)
        return 1 + rng_below(&life->rng, next - 1);
    if (rng_chance(&life->rng, 0.05))
        next += rng_below(&life->rng, 4);
    life->next_seq[device] = next + 1;
    return next;
}

static bool is_taken(const struct life *life, const struct name *name)
{
    for (size_t i = 0; i < life->taken_count; i++) {
        const struct name *other = &life->taken[i];
        if (other->device == name->device && other->epoch == name->epoch &&
            other->seq == name->seq)
            return true;
    }
    return false;
}

static void check_append(struct life *life)
{
    struct parcel parcel;
    size_t device = rng_below(&life->rng, DEVICES);
    bool is_foreign = device == DEVICES - 1;
    if (rng_chance(&life->rng, 0.01)) {
        life->epoch[device] = rng_next(&life->rng);
        life->next_seq[device] = 1;
    }
    struct history_message message = {
        .position = ++life->position,
        .org = "o",
        .device = device_names[device],
        .epoch = is_foreign ? 0 : life->epoch[device],
        .seq = is_foreign ? 0 : random_seq(life, device),
        .arrival_ms = life->now_ms + (int64_t)rng_below(&life->rng, 100),
    };
    parcel_init(&parcel);
    random_readings(life, &parcel);
    enum err err = history_append(life->history, &message, &parcel.pack);
    if (is_foreign) {
        size_t added = twin_add_loose(&life->twin, &message, &parcel.pack);
        CHECK(err == (added == 0 && parcel.pack.reading_count > 0 ? ERR_EXISTS : ERR_OK));
        return;
    }
    const struct name name = {device, message.epoch, message.seq};
    bool was_taken = is_taken(life, &name);
    CHECK(err == (was_taken ? ERR_EXISTS : ERR_OK));
    if (was_taken)
        return;
    mem_grow(&life->taken, &life->taken_capacity, life->taken_count + 1,
             sizeof *life->taken);
    life->taken[life->taken_count++] = name;
    twin_add_pack(&life->twin, &message, &parcel.pack);
}

/* A batch that is rolled back must leave no trace, in the twin neither. */
static void check_batch(struct life *life)
{
    size_t facts = life->twin.count;
    size_t names = life->taken_count;
    CHECK(history_begin(life->history) == ERR_OK);
    for (size_t i = 1 + rng_below(&life->rng, 20); i > 0; i--)
        check_append(life);
    if (rng_chance(&life->rng, 0.1)) {
        uint64_t cursor = history_cursor(life->history);
        history_rollback(life->history);
        CHECK(history_cursor(life->history) == cursor);
        life->twin.count = facts;
        life->taken_count = names;
    } else {
        CHECK(history_commit(life->history, life->position) == ERR_OK);
    }
    life->now_ms += (int64_t)rng_below(&life->rng, 3600000);
}

static void check_queries(struct life *life)
{
    static const char *const channels[] = {NULL, "air_temperature", "door", "none"};
    const int64_t span = INT64_C(100) * 86400000;
    for (int i = 0; i < 6; i++) {
        struct history_range range = {
            .org = "o",
            .device = device_names[rng_below(&life->rng, DEVICES)],
            .channel = channels[rng_below(&life->rng, 4)],
            .from_ms = life->now_ms - (int64_t)rng_below(&life->rng, (uint64_t)span),
            .skip = rng_chance(&life->rng, 0.3) ? rng_below(&life->rng, 30) : 0,
        };
        range.to_ms = range.from_ms + (int64_t)rng_below(&life->rng, (uint64_t)span);
        if (rng_chance(&life->rng, 0.3))
            range.from_ms = INT64_MIN;
        CHECK(twin_agrees(&life->twin, life->reader, &range,
                          1 + rng_below(&life->rng, 500)));
    }
}

/* One step; a run that has just begun is made to go in small passes, or not to the end.
 */
static void check_step(struct life *life)
{
    bool more = false;
    CHECK(history_compact(life->history, 1 + rng_below(&life->rng, 60), &more) == ERR_OK);
    struct run *run = &life->history->run;
    if (run->phase == RUN_LOAD && run->pass == 0 && run->at_row == 0) {
        run->passes = 1 + rng_below(&life->rng, 4);
        run->most_readings = 1 + rng_below(&life->rng, 1000);
    }
}

static void begin_life(struct life *life, uint64_t seed)
{
    *life = (struct life){.rng = {.state = seed}, .now_ms = WORLD_NOW};
    for (size_t i = 0; i < DEVICES; i++) {
        life->epoch[i] = rng_next(&life->rng);
        life->next_seq[i] = 1;
    }
    folder_make(&life->folder);
    life->history = world_open(life->folder.path);
    life->reader = world_reader(life->folder.path);
}

static void end_life(struct life *life)
{
    history_reader_close(life->reader);
    history_close(life->history);
    free(life->twin.facts);
    free(life->taken);
    folder_remove(&life->folder);
}

static void live(uint64_t seed)
{
    struct life life;
    begin_life(&life, seed);
    for (int step = 0; step < 150; step++) {
        check_batch(&life);
        /* Runs begin, pause and go on between batches; small steps show their middle. */
        for (uint64_t k = rng_below(&life.rng, 6); k > 0; k--)
            check_step(&life);
        if (rng_chance(&life.rng, 0.1))
            compact_all(life.history, 50);
        if (rng_chance(&life.rng, 0.2))
            check_queries(&life);
        if (rng_chance(&life.rng, 0.05)) {
            history_close(life.history);
            life.history = world_open(life.folder.path);
            CHECK(history_cursor(life.history) <= life.position);
        }
    }
    for (size_t i = 0; i < DEVICES; i++)
        CHECK(twin_agrees_on_all(&life.twin, life.reader, device_names[i]));
    compact_all(life.history, 1000);
    for (size_t i = 0; i < DEVICES; i++)
        CHECK(twin_agrees_on_all(&life.twin, life.reader, device_names[i]));
    end_life(&life);
}

static void random_lives_agree_with_a_naive_twin(void)
{
    const char *given = getenv("COLDCHAIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261123;
    for (uint64_t i = 0; i < (given != NULL ? 1 : 6); i++) {
        printf("\n    seed %" PRIu64, seed + i);
        live(seed + i);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"random lives agree with a naive twin", random_lives_agree_with_a_naive_twin},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/history_model", tests);
}
