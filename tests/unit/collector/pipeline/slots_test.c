// SPDX-License-Identifier: Apache-2.0
/* Backlogs come in slots: who may send, how much, for how long, and who waits. */
#include "collector/pipeline/slots.h"

#include <stdlib.h>

#include "tests/support/check.h"

#define E1      UINT64_C(0xe1)
#define DEVICES 6
#define CREDITS 8
#define SLOT_MS 100

struct world {
    struct collector_core core;
    struct collector_device devices[DEVICES];
    int64_t now_ms;
};

static void begin(struct world *world)
{
    *world = (struct world){.now_ms = 1000000};
    collector_core_init(&world->core, "store", 3, 10000, CREDITS);
}

static void end(struct world *world)
{
    for (size_t i = 0; i < DEVICES; i++)
        collector_device_fini(&world->core, &world->devices[i]);
    CHECK(world->core.slot_count == 0 && world->core.ranges == 0);
}

static void feed(struct world *world, size_t device, struct collector_event event)
{
    struct collector_actions actions;
    event.real_ms = world->now_ms;
    event.wall_ms = world->now_ms;
    collector_core_step(&world->core, &world->devices[device], &event, &actions);
}

static void say_hello(struct world *world, size_t device, uint64_t last, uint64_t backlog)
{
    struct hello hello = {.nonce = "n", .backlog = backlog, .epoch_count = 1};
    hello.epochs[0] = (struct hello_epoch){E1, 1, last, true};
    feed(world, device,
         (struct collector_event){.kind = COLLECTOR_HELLO, .hello = &hello});
}

static void give(struct world *world, size_t device, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct collector_pack pack = {.epoch = E1,
                                            .seq = seq,
                                            .hash = 1000 + seq,
                                            .previous_hash = seq > 1 ? 999 + seq : 0,
                                            .position = seq,
                                            .is_live = true,
                                            .is_readable = true};
        feed(world, device,
             (struct collector_event){.kind = COLLECTOR_PACK, .pack = &pack});
    }
}

static bool give_slot(struct world *world, size_t device)
{
    return collector_core_give_slot(&world->core, &world->devices[device], world->now_ms);
}

/* What its ack says, now that it goes out. */
static uint32_t told(struct world *world, size_t device)
{
    struct ack ack = {0};
    collector_core_ack(&world->core, &world->devices[device], world->now_ms, &ack);
    uint32_t credits = ack.backlog_credits;
    ack_fini(&ack);
    feed(world, device, (struct collector_event){.kind = COLLECTOR_ACK_SENT});
    return credits;
}

static bool ack_is_due(const struct world *world, size_t device)
{
    int64_t due_ms = world->devices[device].ack_due_ms;
    return due_ms != 0 && due_ms <= world->now_ms;
}

static void who_has_none_wants_none(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 0, 0);
    CHECK(!world.devices[0].wants_slot);
    CHECK(told(&world, 0) == 0);
    give(&world, 0, 1, 3);
    CHECK(!world.devices[0].wants_slot && !ack_is_due(&world, 0));
    give(&world, 0, 4, 4); /* half the credits, as ever */
    CHECK(ack_is_due(&world, 0));
    give(&world, 1, 1, 1);
    give(&world, 1, 3, 3); /* never said hello, and reads no acks */
    CHECK(!world.devices[1].wants_slot);
    end(&world);
}

static void one_alone_never_stops(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 100, 100);
    CHECK(world.devices[0].wants_slot && give_slot(&world, 0));
    CHECK(ack_is_due(&world, 0) && told(&world, 0) == CREDITS);
    give(&world, 0, 1, 3);
    CHECK(!world.devices[0].wants_slot && !ack_is_due(&world, 0));
    give(&world, 0, 4, 4); /* half of it */
    CHECK(world.devices[0].wants_slot && !ack_is_due(&world, 0));
    CHECK(give_slot(&world, 0) && ack_is_due(&world, 0));
    CHECK(told(&world, 0) == CREDITS && world.core.slot_count == 1);
    end(&world);
}

static void others_wait_until_a_slot_is_used_up(void)
{
    struct world world;
    begin(&world);
    for (size_t i = 0; i < DEVICES; i++) {
        say_hello(&world, i, 100, 100);
        CHECK(give_slot(&world, i) == (i < COLLECTOR_SLOTS));
        CHECK(told(&world, i) == (i < COLLECTOR_SLOTS ? CREDITS : 0));
    }
    give(&world, 2, 1, CREDITS - 1);
    CHECK(!give_slot(&world, 4));
    CHECK(told(&world, 2) == 1);
    give(&world, 2, CREDITS, CREDITS);
    CHECK(give_slot(&world, 4) && told(&world, 4) == CREDITS);
    CHECK(world.devices[2].wants_slot && !give_slot(&world, 2) && told(&world, 2) == 0);
    end(&world);
}

static void a_slot_ends_by_itself_once_it_was_told(void)
{
    struct world world;
    begin(&world);
    for (size_t i = 0; i < COLLECTOR_SLOTS; i++) {
        say_hello(&world, i, 100, 100);
        CHECK(give_slot(&world, i));
    }
    say_hello(&world, 4, 100, 100);
    world.now_ms += 10 * SLOT_MS; /* no broker, as yet */
    CHECK(collector_core_slot_ends_ms(&world.core) == INT64_MAX);
    CHECK(!give_slot(&world, 4));
    CHECK(told(&world, 1) == CREDITS);
    CHECK(collector_core_slot_ends_ms(&world.core) == world.now_ms + SLOT_MS);
    world.now_ms += SLOT_MS - 1;
    CHECK(!give_slot(&world, 4));
    world.now_ms++;
    CHECK(give_slot(&world, 4));
    CHECK(!world.devices[1].wants_slot); /* perhaps it is gone */
    give(&world, 1, 1, CREDITS / 2);
    CHECK(world.devices[1].wants_slot); /* or only slow */
    end(&world);
}

static void none_is_given_while_what_is_there_waits(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 100, 100);
    world.core.is_behind = true;
    CHECK(!give_slot(&world, 0) && told(&world, 0) == 0);
    world.core.is_behind = false;
    CHECK(give_slot(&world, 0) && told(&world, 0) == CREDITS);
    end(&world);
}

static void the_last_pack_ends_it_and_is_acked(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 3, 3);
    CHECK(give_slot(&world, 0) && told(&world, 0) == CREDITS);
    give(&world, 0, 1, 2);
    CHECK(!ack_is_due(&world, 0));
    give(&world, 0, 3, 3);
    CHECK(ack_is_due(&world, 0) && !world.devices[0].wants_slot);
    CHECK(world.core.slot_count == 0 && told(&world, 0) == 0);
    end(&world);
}

static void what_is_live_takes_no_part(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 100, 100);
    CHECK(give_slot(&world, 0) && told(&world, 0) == CREDITS);
    give(&world, 0, 101, 103);
    CHECK(told(&world, 0) == CREDITS && world.core.slot_count == 1);
    end(&world);
}

static void a_gap_nobody_told_of_wants_one(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 0, 0);
    (void)told(&world, 0);
    give(&world, 0, 50, 50); /* it rewinds: this is another life of ours */
    CHECK(world.devices[0].wants_slot && give_slot(&world, 0));
    CHECK(told(&world, 0) == CREDITS);
    give(&world, 0, 51, 52);
    CHECK(!world.devices[0].wants_slot);
    give(&world, 0, 1, CREDITS);
    CHECK(world.devices[0].wants_slot && give_slot(&world, 0));
    end(&world);
}

static void what_is_asked_for_waits_for_no_slot(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 0, 0);
    (void)told(&world, 0);
    give(&world, 0, 50, 50);
    world.core.is_behind = true;
    world.now_ms += 20000;
    CHECK(ack_is_due(&world, 0) && told(&world, 0) == CREDITS);
    CHECK(told(&world, 0) == 0);
    end(&world);
}

static void hello_begins_anew(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, 0, 100, 100);
    CHECK(give_slot(&world, 0) && told(&world, 0) == CREDITS);
    say_hello(&world, 0, 100, 100);
    CHECK(world.core.slot_count == 0 && world.devices[0].wants_slot);
    say_hello(&world, 0, 100, 0);
    CHECK(!world.devices[0].wants_slot);
    end(&world);
}

static void a_restart_goes_on_with_those_who_wait(void)
{
    static const struct {
        const char *name;
        uint64_t given;
        bool want;
    } rows[] = {{"none of it", 0, true}, {"most of it", 9, true}, {"all", 10, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world;
        begin(&world);
        say_hello(&world, 0, 10, 10);
        give(&world, 0, 1, rows[i].given);
        struct buf saved = {0};
        collector_device_save(&world.devices[0], &saved);
        struct buf_reader in = buf_reader_of(saved.data, saved.len);
        CHECK(collector_device_load(&world.core, &world.devices[1], &in) == ERR_OK);
        CHECK(in.at == in.len);
        CHECK_ROW(rows[i].name, world.devices[1].wants_slot == rows[i].want);
        buf_fini(&saved);
        end(&world);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"who has none wants none", who_has_none_wants_none},
        {"one alone never stops", one_alone_never_stops},
        {"others wait until a slot is used up", others_wait_until_a_slot_is_used_up},
        {"a slot ends by itself once it was told",
         a_slot_ends_by_itself_once_it_was_told},
        {"none is given while what is there waits",
         none_is_given_while_what_is_there_waits},
        {"the last pack ends it and is acked", the_last_pack_ends_it_and_is_acked},
        {"what is live takes no part", what_is_live_takes_no_part},
        {"a gap nobody told of wants one", a_gap_nobody_told_of_wants_one},
        {"what is asked for waits for no slot", what_is_asked_for_waits_for_no_slot},
        {"hello begins anew", hello_begins_anew},
        {"a restart goes on with those who wait", a_restart_goes_on_with_those_who_wait},
        CU_TEST_INFO_NULL,
    };
    return check_run("slots", tests);
}
