// SPDX-License-Identifier: Apache-2.0
/* Delivery on the collector's side, by stories: packs and hellos in, actions out. */
#include "collector/pipeline/collector_core.h"

#include <stdlib.h>

#include "base/rng.h"
#include "tests/support/check.h"

#define E1 UINT64_C(0xe1)
#define E2 UINT64_C(0xe2)

struct world {
    struct collector_core core;
    struct collector_device device;
    struct collector_actions actions;
    int64_t now_ms;
};

static void begin(struct world *world)
{
    *world = (struct world){.now_ms = 1000000};
    collector_core_init(&world->core, "store", 3, 10000, 8);
}

static void end(struct world *world)
{
    collector_device_fini(&world->core, &world->device);
    CHECK(world->core.ranges == 0);
}

static void feed(struct world *world, struct collector_event event)
{
    event.real_ms = world->now_ms;
    event.wall_ms = world->now_ms;
    collector_core_step(&world->core, &world->device, &event, &world->actions);
}

/* What pack `seq` of a branch hashes to. */
static uint64_t hash_of(char branch, uint64_t seq)
{
    return seq == 0 ? 0 : (uint64_t)branch * 1000000 + seq;
}

static void give(struct world *world, struct collector_pack pack)
{
    pack.epoch = pack.epoch != 0 ? pack.epoch : E1;
    pack.is_live = true;
    pack.position = 1000 + pack.seq;
    feed(world, (struct collector_event){.kind = COLLECTOR_PACK, .pack = &pack});
}

static void give_data(struct world *world, char branch, uint64_t seq)
{
    give(world, (struct collector_pack){.seq = seq,
                                        .hash = hash_of(branch, seq),
                                        .previous_hash = hash_of(branch, seq - 1),
                                        .is_readable = true});
}

static void say_hello(struct world *world, const char *nonce, uint64_t epoch,
                      uint64_t first, uint64_t last)
{
    struct hello hello = {.epoch_count = 1};
    snprintf(hello.nonce, sizeof hello.nonce, "%s", nonce);
    hello.epochs[0] = (struct hello_epoch){epoch, first, last, true};
    feed(world, (struct collector_event){.kind = COLLECTOR_HELLO, .hello = &hello});
}

static const struct collector_action *acted(const struct world *world,
                                            enum collector_action_kind kind)
{
    for (size_t i = 0; i < world->actions.count; i++)
        if (world->actions.list[i].kind == kind)
            return &world->actions.list[i];
    return NULL;
}

/* One letter per action that concerns a pack, in order. */
static const char *letters(const struct world *world)
{
    static const char names[] = {
        [COLLECTOR_ACCEPT] = 'a',    [COLLECTOR_HOLD] = 'h',
        [COLLECTOR_RELEASE] = 'r',   [COLLECTOR_REJECT] = 'j',
        [COLLECTOR_DROP] = 'd',      [COLLECTOR_REFUSE] = 'f',
        [COLLECTOR_FORK] = 'k',      [COLLECTOR_ORDER_NEW_EPOCH] = 'o',
        [COLLECTOR_LOSS] = 'l',      [COLLECTOR_TWINS] = 't',
        [COLLECTOR_REGRESSED] = 'g',
    };
    static char text[COLLECTOR_ACTIONS_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < world->actions.count; i++)
        if (world->actions.list[i].kind != COLLECTOR_ACK_AT)
            text[len++] = names[world->actions.list[i].kind];
    text[len] = '\0';
    return text;
}

/* The seqs released, in order. */
static const char *turns(struct world *world)
{
    static char text[200];
    struct collector_held next;
    size_t len = 0;
    text[0] = '\0';
    struct collector_epoch *epoch = collector_find_epoch(&world->device, E1);
    while (collector_core_next(&world->device, epoch, &next)) {
        CHECK(next.position == 1000 + next.seq);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%d", len > 0 ? " " : "",
                                (int)next.seq);
    }
    return text;
}

/* The ack that is due now; the caller finishes it. */
static struct ack ack_now(struct world *world)
{
    struct ack ack = {0};
    collector_core_ack(&world->core, &world->device, world->now_ms, &ack);
    feed(world, (struct collector_event){.kind = COLLECTOR_ACK_SENT});
    return ack;
}

/* ---- the ways of a pack ----------------------------------------------------------- */

/* "3" a pack, "3!" unreadable, "B3" of another branch, "3:1-2" LOSS of 1 to 2. */
static void each_pack_has_its_fate(void)
{
    static const struct {
        const char *name;
        const char *packs;
        const char *fate; /* of the last one */
        const char *turns;
        unsigned through;
    } rows[] = {
        {"the first", "1", "ar", "", 1},
        {"in order", "1 2 3", "ar", "", 3},
        {"ahead of a gap", "1 3", "h", "", 1},
        {"closes a gap", "1 3 4 2", "ar", "3 4", 4},
        {"again", "1 2 1", "d", "", 2},
        {"again, from behind a gap", "1 3 3", "d", "", 1},
        {"unreadable", "1!", "jr", "", 1},
        {"unreadable behind a gap", "2!", "j", "", 0},
        {"unreadable closes a gap", "2 1!", "jr", "2", 2},
        {"a loss closes a gap it stands behind", "1 5 6:2-4", "lhr", "5 6", 6},
        {"a loss of what is there", "1 2 3:1-2", "ar", "", 3},
        {"a loss of what is to come is no loss", "1 2:3-9", "ar", "", 2},
        {"a loss of itself is no loss", "1 3:2-3", "h", "", 1},
        {"another body", "1 2 B2", "ko", "", 2},
        {"another body, for the second time", "1 2 B2 B2", "k", "", 2},
        {"another predecessor", "1 2 B3", "ko", "", 2},
        {"after a fork the first branch goes on", "1 2 B3 3", "ar", "", 3},
        {"a body too old to know", "1 2 3 4 5 6 7 8 9 10 B1", "d", "", 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world;
        begin(&world);
        const char *released = "";
        for (const char *at = rows[i].packs; *at != '\0';) {
            char branch = 'A';
            if (*at == 'B')
                branch = *at++;
            char *rest;
            struct collector_pack pack = {.seq = strtoull(at, &rest, 10)};
            pack.hash = hash_of(branch, pack.seq);
            pack.previous_hash = hash_of(branch, pack.seq - 1);
            pack.is_readable = *rest != '!';
            rest += *rest == '!';
            if (*rest == ':') {
                pack.kind = PACK_LOSS;
                pack.from = strtoull(rest + 1, &rest, 10);
                pack.to = strtoull(rest + 1, &rest, 10);
            }
            give(&world, pack);
            released = turns(&world);
            at = rest + strspn(rest, " ");
        }
        if (strcmp(letters(&world), rows[i].fate) != 0)
            printf("\n  %s: %s\n", rows[i].name, letters(&world));
        CHECK_ROW(rows[i].name, strcmp(letters(&world), rows[i].fate) == 0);
        CHECK_ROW(rows[i].name, strcmp(released, rows[i].turns) == 0);
        const struct collector_epoch *epoch = collector_find_epoch(&world.device, E1);
        CHECK_ROW(rows[i].name, epoch->window.taken.through == rows[i].through);
        CHECK_ROW(rows[i].name, epoch->evaluated == rows[i].through);
        end(&world);
    }
}

static void the_window_is_never_pruned_while_the_epoch_is_open(void)
{
    struct world world;
    begin(&world);
    for (uint64_t seq = 1; seq <= 5000; seq++)
        give_data(&world, 'A', seq);
    for (uint64_t seq = 1; seq <= 5000; seq++) {
        world.now_ms += INT64_C(86400000);
        give_data(&world, 'A', seq);
        CHECK(acted(&world, COLLECTOR_DROP) != NULL);
    }
    end(&world);
}

static void a_tail_behind_a_new_epoch_is_not_taken_for_it(void)
{
    struct world world;
    begin(&world);
    for (unsigned order = 0; order < 64; order++) {
        struct collector_device fresh = {0};
        collector_device_fini(&world.core, &world.device);
        world.device = fresh;
        /* three of each, in an order made of the bits */
        uint64_t next[2] = {1, 1};
        for (int i = 0; i < 6; i++) {
            size_t which = order >> i & 1;
            which = next[which] > 3 ? 1 - which : which;
            give(&world, (struct collector_pack){.epoch = which == 0 ? E1 : E2,
                                                 .seq = next[which]++,
                                                 .hash = 7,
                                                 .is_readable = true});
            CHECK(acted(&world, COLLECTOR_ACCEPT) != NULL);
        }
        CHECK(collector_find_epoch(&world.device, E1)->window.taken.through == 3);
        CHECK(collector_find_epoch(&world.device, E2)->window.taken.through == 3);
    }
    end(&world);
}

static void a_seq_from_nowhere_does_not_move_the_mark(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    give_data(&world, 'A', UINT64_MAX);
    CHECK_TEXT(letters(&world), "h");
    CHECK(collector_find_epoch(&world.device, E1)->window.taken.through == 1);
    give_data(&world, 'A', 2);
    CHECK(acted(&world, COLLECTOR_ACCEPT) != NULL);
    end(&world);
}

static void gaps_are_bounded_and_the_rest_is_refused_unacked(void)
{
    struct world world;
    begin(&world);
    for (uint64_t seq = 2; seq <= 2 * SEQSET_RANGES_MAX; seq += 2)
        give_data(&world, 'A', seq);
    CHECK(acted(&world, COLLECTOR_HOLD) != NULL);
    CHECK(world.core.ranges == SEQSET_RANGES_MAX);
    give_data(&world, 'A', 5000);
    CHECK_TEXT(letters(&world), "f");
    give_data(&world, 'A', 1); /* the gap that would close goes on */
    CHECK(acted(&world, COLLECTOR_ACCEPT) != NULL);
    give_data(&world, 'A', 5000);
    CHECK_TEXT(letters(&world), "h");
    end(&world);
    begin(&world);
    world.core.ranges_max = 10; /* of all devices */
    world.core.ranges = 9;
    give_data(&world, 'A', 3);
    CHECK_TEXT(letters(&world), "h");
    give_data(&world, 'A', 5);
    CHECK_TEXT(letters(&world), "f");
    give_data(&world, 'A', 1);
    CHECK(acted(&world, COLLECTOR_ACCEPT) != NULL);
    world.core.ranges -= 9;
    end(&world);
}

static void epochs_are_bounded_and_empty_ones_make_room(void)
{
    struct world world;
    begin(&world);
    for (uint64_t i = 1; i <= COLLECTOR_EPOCHS_MAX; i++)
        CHECK(collector_epoch_of(&world.device, i) != NULL);
    give(&world, (struct collector_pack){.epoch = 1000, .seq = 1, .is_readable = true});
    CHECK(acted(&world, COLLECTOR_ACCEPT) != NULL);
    CHECK(world.device.epoch_count == COLLECTOR_EPOCHS_MAX);
    for (uint64_t i = 2000; i < 2000 + COLLECTOR_EPOCHS_MAX; i++)
        give(&world, (struct collector_pack){.epoch = i, .seq = 1, .is_readable = true});
    CHECK_TEXT(letters(&world), "f"); /* what holds anything is never forgotten */
    end(&world);
}

/* ---- acks ------------------------------------------------------------------------- */

static void acks_are_coalesced_and_prompt_where_it_counts(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    CHECK(world.device.ack_due_ms == world.now_ms + 10000);
    world.now_ms += 4000;
    give_data(&world, 'A', 2);
    CHECK(acted(&world, COLLECTOR_ACK_AT) == NULL);
    give_data(&world, 'A', 3);
    give_data(&world, 'A', 4); /* half of eight credits */
    CHECK(acted(&world, COLLECTOR_ACK_AT)->at_ms == world.now_ms);
    struct ack ack = ack_now(&world);
    CHECK(ack.generation == 3 && ack.credits == 8 && ack.ack_interval_ms == 10000);
    CHECK_TEXT(ack.store, "store");
    CHECK(ack.epoch_count == 1 && ack.epochs[0].through == 4);
    CHECK(ack.epochs[0].hash == hash_of('A', 4));
    CHECK(world.device.ack_due_ms == 0);
    ack_fini(&ack);
    give_data(&world, 'A', 2); /* its ack was lost */
    CHECK(acted(&world, COLLECTOR_ACK_AT)->at_ms == world.now_ms);
    ack = ack_now(&world);
    ack_fini(&ack);
    say_hello(&world, "n1", E1, 1, 4);
    CHECK(acted(&world, COLLECTOR_ACK_AT)->at_ms == world.now_ms);
    ack = ack_now(&world);
    CHECK_TEXT(ack.nonce, "n1");
    ack_fini(&ack);
    end(&world);
}

static void credits_shrink_with_the_backlog_of_all(void)
{
    static const struct {
        uint64_t backlog;
        uint32_t want;
    } rows[] = {{0, 8}, {500, 8}, {625, 6}, {750, 4}, {990, 1}, {1000, 1}, {9000, 1}};
    struct world world;
    begin(&world);
    world.core.backlog_max = 1000;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world.core.backlog = rows[i].backlog;
        CHECK(collector_core_credits(&world.core) == rows[i].want);
    }
    end(&world);
}

static void a_gap_is_asked_for_with_backoff_until_it_closes(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, "n1", E1, 1, 9);
    struct ack ack = ack_now(&world);
    CHECK(ack.epochs[0].wanted_count == 0);
    ack_fini(&ack);
    give_data(&world, 'A', 1);
    give_data(&world, 'A', 5);
    ack = ack_now(&world);
    CHECK(ack.epochs[0].wanted_count == 0); /* it may be on its way */
    ack_fini(&ack);
    int64_t waits[6];
    for (int i = 0; i < 6; i++) {
        waits[i] = world.device.ack_due_ms - world.now_ms;
        world.now_ms = world.device.ack_due_ms;
        ack = ack_now(&world);
        CHECK(ack.epochs[0].wanted_count == 1);
        CHECK(ack.epochs[0].wanted[0].first == 2 && ack.epochs[0].wanted[0].last == 4);
        ack_fini(&ack);
    }
    CHECK(waits[0] == 20000 && waits[1] == 40000 && waits[2] == 80000);
    CHECK(waits[5] <= 2 * COLLECTOR_ASK_MAX_MS);
    give_data(&world, 'A', 3); /* the gap moves: not the mark */
    give_data(&world, 'A', 2);
    give_data(&world, 'A', 4);
    ack = ack_now(&world);
    CHECK(ack.epochs[0].wanted_count == 0 && ack.epochs[0].through == 5);
    CHECK(world.device.ack_due_ms == 0); /* nothing is asked any more */
    ack_fini(&ack);
    end(&world);
}

static void a_hello_closes_nothing_by_itself(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    say_hello(&world, "n1", E1, 6, 9); /* 2 to 5 are gone, it seems */
    CHECK(acted(&world, COLLECTOR_LOSS) == NULL);
    struct ack ack = ack_now(&world);
    CHECK(ack.epochs[0].through == 1 && ack.epochs[0].wanted_count == 1);
    CHECK(ack.epochs[0].wanted[0].first == 2 && ack.epochs[0].wanted[0].last == 5);
    ack_fini(&ack);
    give(&world, (struct collector_pack){.seq = 10,
                                         .hash = 5,
                                         .is_readable = true,
                                         .kind = PACK_LOSS,
                                         .from = 2,
                                         .to = 5});
    CHECK(acted(&world, COLLECTOR_LOSS)->to == 5);
    end(&world);
}

/* A card that loses its last write with every power cut: an epoch each time. */
static void epochs_that_are_over_make_room(void)
{
    struct world world;
    char nonce[16];
    begin(&world);
    for (uint64_t i = 1; i <= 5 * COLLECTOR_EPOCHS_MAX; i++) {
        snprintf(nonce, sizeof nonce, "n%d", (int)i);
        say_hello(&world, nonce, E1 + i, 1, 2);
        give(&world, (struct collector_pack){.epoch = E1 + i,
                                             .seq = 1,
                                             .hash = i,
                                             .is_readable = true,
                                             .kind = PACK_EPOCH_END,
                                             .ended = E1 + i - 1,
                                             .to = 2});
        CHECK(acted(&world, COLLECTOR_ACCEPT) != NULL);
        give(&world, (struct collector_pack){.epoch = E1 + i,
                                             .seq = 2,
                                             .hash = 1000 + i,
                                             .previous_hash = i,
                                             .is_readable = true});
        CHECK(acted(&world, COLLECTOR_ACCEPT) != NULL);
        CHECK(world.device.epoch_count <= COLLECTOR_EPOCHS_MAX);
    }
    end(&world);
}

static void the_end_of_an_epoch_says_how_much_is_missing(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, "n1", E1, 1, 2);
    give_data(&world, 'A', 1);
    give(&world, (struct collector_pack){.epoch = E2,
                                         .seq = 1,
                                         .hash = 9,
                                         .is_readable = true,
                                         .kind = PACK_EPOCH_END,
                                         .ended = E1,
                                         .to = 3});
    CHECK(collector_find_epoch(&world.device, E1)->is_ended);
    world.now_ms += 30000;
    struct ack ack = ack_now(&world);
    const struct ack_epoch *said =
        ack.epochs[0].epoch == E1 ? &ack.epochs[0] : &ack.epochs[1];
    CHECK(said->wanted_count == 1 && said->wanted[0].first == 2 &&
          said->wanted[0].last == 3);
    ack_fini(&ack);
    give_data(&world, 'A', 3);
    give_data(&world, 'A', 2);
    CHECK_TEXT(letters(&world), "hr"); /* as its readings stand to those of E2 */
    CHECK_TEXT(turns(&world), "2 3");
    end(&world);
}

static void a_gap_can_be_given_up(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 4);
    CHECK(collector_find_epoch(&world.device, E1)->held_since_ms == world.now_ms);
    feed(&world, (struct collector_event){.kind = COLLECTOR_GIVE_UP, .epoch = E1});
    CHECK_TEXT(letters(&world), "lr");
    CHECK(acted(&world, COLLECTOR_LOSS)->from == 1);
    CHECK(acted(&world, COLLECTOR_LOSS)->to == 3);
    CHECK_TEXT(turns(&world), "4");
    feed(&world, (struct collector_event){.kind = COLLECTOR_GIVE_UP, .epoch = E1});
    CHECK_TEXT(letters(&world), "");
    end(&world);
}

/* ---- copies of a device ------------------------------------------------------------ */

static void a_fork_is_told_to_the_device_until_it_begins_anew(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    give_data(&world, 'A', 2);
    give_data(&world, 'B', 2);
    CHECK(acted(&world, COLLECTOR_ORDER_NEW_EPOCH)->epoch == E1);
    CHECK(acted(&world, COLLECTOR_ACK_AT)->at_ms == world.now_ms);
    struct ack ack = ack_now(&world);
    CHECK(ack.epochs[0].end_epoch && ack.epochs[0].hash == hash_of('A', 2));
    ack_fini(&ack);
    say_hello(&world, "n2", E1, 1, 2);
    ack = ack_now(&world);
    CHECK(ack.epochs[0].end_epoch);
    ack_fini(&ack);
    end(&world);
}

static void give_end(struct world *world, uint64_t seq, uint64_t last)
{
    give(world, (struct collector_pack){.epoch = E2,
                                        .seq = seq,
                                        .hash = hash_of('E', seq),
                                        .is_readable = true,
                                        .kind = PACK_EPOCH_END,
                                        .ended = E1,
                                        .to = last});
}

static void what_is_beyond_the_end_is_a_fork(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    give_end(&world, 1, 1);
    CHECK(acted(&world, COLLECTOR_ORDER_NEW_EPOCH) == NULL);
    give_data(&world, 'B', 3);
    CHECK(acted(&world, COLLECTOR_HOLD) != NULL); /* taken all the same */
    CHECK(acted(&world, COLLECTOR_ORDER_NEW_EPOCH)->epoch == E1);
    end(&world);
}

static void an_epoch_that_ends_twice_is_a_fork(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    give_end(&world, 1, 3);
    give_end(&world, 2, 3); /* said again */
    CHECK(acted(&world, COLLECTOR_ORDER_NEW_EPOCH) == NULL);
    give_end(&world, 3, 5);
    CHECK(acted(&world, COLLECTOR_ORDER_NEW_EPOCH)->epoch == E1);
    end(&world);
}

/* Names without a pack are told in every ack, also after a restart, and none is left out.
 */
static void what_is_closed_is_told(void)
{
    struct world world;
    begin(&world);
    for (uint64_t seq = 2; seq <= 60; seq += 2)
        give_data(&world, 'A', seq);
    for (int i = 0; i < 2; i++)
        feed(&world, (struct collector_event){.kind = COLLECTOR_GIVE_UP, .epoch = E1});
    struct ack ack = ack_now(&world);
    CHECK(ack.epochs[0].closed_count == 2);
    CHECK(ack.epochs[0].closed[0].first == 1 && ack.epochs[0].closed[0].last == 1);
    CHECK(ack.epochs[0].closed[1].first == 3 && ack.epochs[0].closed[1].last == 3);
    CHECK(ack.epochs[0].seam_count == 1 && ack.epochs[0].seams[0].seq == 2 &&
          ack.epochs[0].seams[0].hash == hash_of('A', 2));
    ack_fini(&ack);
    for (int i = 2; i < 30; i++)
        feed(&world, (struct collector_event){.kind = COLLECTOR_GIVE_UP, .epoch = E1});
    struct buf saved = {0};
    collector_device_save(&world.device, &saved);
    collector_device_fini(&world.core, &world.device);
    struct buf_reader in = buf_reader_of(saved.data, saved.len);
    CHECK(collector_device_load(&world.core, &world.device, &in) == ERR_OK);
    buf_fini(&saved);
    ack = ack_now(&world);
    const struct ack_epoch *said = &ack.epochs[0];
    CHECK(said->through == 60 && said->closed_count == DELIVERY_CLOSED_MAX);
    uint64_t first = 59 - 2 * (DELIVERY_CLOSED_MAX - 1);
    CHECK(said->closed[0].first == 1 && said->closed[0].last == first);
    CHECK(said->seam_count == DELIVERY_CLOSED_MAX - 1);
    for (size_t i = 1; i < said->closed_count; i++) {
        uint64_t seq = first + 2 * i;
        CHECK(said->closed[i].first == seq && said->closed[i].last == seq);
        CHECK(said->seams[i - 1].seq == seq - 1);
        CHECK(said->seams[i - 1].hash == hash_of('A', seq - 1));
    }
    ack_fini(&ack);
    end(&world);
}

/* It came when what follows it had been called lost already. */
static void a_pack_below_what_is_closed_is_a_seam(void)
{
    struct world world;
    begin(&world);
    give(&world, (struct collector_pack){.seq = 5,
                                         .hash = hash_of('A', 5),
                                         .is_readable = true,
                                         .kind = PACK_LOSS,
                                         .from = 2,
                                         .to = 3});
    struct ack ack = ack_now(&world);
    CHECK(ack.epochs[0].closed_count == 1 && ack.epochs[0].seam_count == 0);
    ack_fini(&ack);
    give_data(&world, 'B', 1);
    ack = ack_now(&world);
    CHECK(ack.epochs[0].through == 3 && ack.epochs[0].hash == 0);
    CHECK(ack.epochs[0].seam_count == 1 && ack.epochs[0].seams[0].seq == 1);
    CHECK(ack.epochs[0].seams[0].hash == hash_of('B', 1));
    ack_fini(&ack);
    end(&world);
}

static void what_is_rescued_from_a_fork_tells_of_it(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    give_data(&world, 'A', 3);
    give(&world, (struct collector_pack){.epoch = E2,
                                         .seq = 1,
                                         .hash = 9,
                                         .is_readable = true,
                                         .kind = PACK_THINNED,
                                         .ended = E1,
                                         .from = 2,
                                         .to = 2,
                                         .tells_fork = true});
    CHECK(acted(&world, COLLECTOR_ORDER_NEW_EPOCH)->epoch == E1);
    CHECK(acted(&world, COLLECTOR_LOSS) == NULL); /* it stands for pack 2 */
    CHECK(collector_find_epoch(&world.device, E1)->window.taken.through == 3);
    end(&world);
}

static void devices_that_take_turns_are_told_apart(void)
{
    struct world world;
    begin(&world);
    say_hello(&world, "a1", E1, 1, 2);
    say_hello(&world, "b1", E2, 1, 2);
    say_hello(&world, "a1", E1, 1, 2); /* a hello that was late */
    CHECK(acted(&world, COLLECTOR_TWINS) == NULL);
    say_hello(&world, "a2", E1, 1, 2); /* once: restored, perhaps */
    CHECK(acted(&world, COLLECTOR_TWINS) == NULL);
    say_hello(&world, "b2", E2, 1, 2);
    CHECK(acted(&world, COLLECTOR_TWINS) != NULL);
    say_hello(&world, "a3", E1, 1, 2);
    say_hello(&world, "b3", E2, 1, 2);
    CHECK(acted(&world, COLLECTOR_TWINS) == NULL); /* told once */
    end(&world);
}

static void a_device_that_ends_below_what_it_gave_is_seen(void)
{
    struct world world;
    begin(&world);
    give_data(&world, 'A', 1);
    give_data(&world, 'A', 2);
    say_hello(&world, "n1", E1, 1, 2);
    CHECK(acted(&world, COLLECTOR_REGRESSED) == NULL);
    say_hello(&world, "n2", E1, 1, 1);
    CHECK(acted(&world, COLLECTOR_REGRESSED)->from == 1);
    CHECK(acted(&world, COLLECTOR_REGRESSED)->to == 2);
    end(&world);
}

/* ---- what survives ----------------------------------------------------------------- */

/* A random life, and one that is saved and loaded after each step: the same actions. */
static void a_life_goes_on_after_every_save(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world one;
        struct world two;
        begin(&one);
        begin(&two);
        struct rng rng = {.state = seed};
        for (int i = 0; i < 200; i++) {
            struct buf saved = {0};
            collector_device_save(&two.device, &saved);
            collector_device_fini(&two.core, &two.device);
            struct buf_reader in = buf_reader_of(saved.data, saved.len);
            CHECK(collector_device_load(&two.core, &two.device, &in) == ERR_OK);
            CHECK(in.at == in.len && two.core.ranges == one.core.ranges);
            buf_fini(&saved);
            char branch = rng_next(&rng) % 8 == 0 ? 'B' : 'A';
            uint64_t seq = 1 + rng_next(&rng) % 40;
            give_data(&one, branch, seq);
            give_data(&two, branch, seq);
            char text[COLLECTOR_ACTIONS_MAX + 1];
            snprintf(text, sizeof text, "%s", letters(&one));
            CHECK_TEXT(letters(&two), text);
            snprintf(text, sizeof text, "%.40s", turns(&one));
            CHECK(strncmp(turns(&two), text, 40) == 0);
        }
        end(&one);
        end(&two);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each pack has its fate", each_pack_has_its_fate},
        {"the window is never pruned while the epoch is open",
         the_window_is_never_pruned_while_the_epoch_is_open},
        {"a tail behind a new epoch is not taken for it",
         a_tail_behind_a_new_epoch_is_not_taken_for_it},
        {"a seq from nowhere does not move the mark",
         a_seq_from_nowhere_does_not_move_the_mark},
        {"gaps are bounded and the rest is refused unacked",
         gaps_are_bounded_and_the_rest_is_refused_unacked},
        {"epochs are bounded and empty ones make room",
         epochs_are_bounded_and_empty_ones_make_room},
        {"epochs that are over make room", epochs_that_are_over_make_room},
        {"acks are coalesced and prompt where it counts",
         acks_are_coalesced_and_prompt_where_it_counts},
        {"credits shrink with the backlog of all",
         credits_shrink_with_the_backlog_of_all},
        {"a gap is asked for with backoff until it closes",
         a_gap_is_asked_for_with_backoff_until_it_closes},
        {"a hello closes nothing by itself", a_hello_closes_nothing_by_itself},
        {"the end of an epoch says how much is missing",
         the_end_of_an_epoch_says_how_much_is_missing},
        {"a gap can be given up", a_gap_can_be_given_up},
        {"a fork is told to the device until it begins anew",
         a_fork_is_told_to_the_device_until_it_begins_anew},
        {"what is beyond the end is a fork", what_is_beyond_the_end_is_a_fork},
        {"an epoch that ends twice is a fork", an_epoch_that_ends_twice_is_a_fork},
        {"what is closed is told", what_is_closed_is_told},
        {"a pack below what is closed is a seam", a_pack_below_what_is_closed_is_a_seam},
        {"what is rescued from a fork tells of it",
         what_is_rescued_from_a_fork_tells_of_it},
        {"devices that take turns are told apart",
         devices_that_take_turns_are_told_apart},
        {"a device that ends below what it gave is seen",
         a_device_that_ends_below_what_it_gave_is_seen},
        {"a life goes on after every save", a_life_goes_on_after_every_save},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector_core", tests);
}
