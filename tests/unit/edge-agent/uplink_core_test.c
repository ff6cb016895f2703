// SPDX-License-Identifier: Apache-2.0
/* What each event must lead to, one rule at a time; uplink_lives_test.c mixes them. */
#include "edge-agent/uplink_core.h"

#include "tests/support/check.h"

#define EPOCH 0xabcdefu

static const char NONCE[] = "0123456789abcdef0123456789abcdef";

struct bench {
    struct agent_core core;
    struct agent_actions actions;
    int64_t now_ms;
};

static struct bench bench_of(uint64_t held)
{
    struct bench bench = {.now_ms = 1000};
    agent_core_init(&bench.core, 42);
    agent_core_hold(&bench.core, EPOCH, 1, held);
    return bench;
}

static void bench_fini(struct bench *bench)
{
    agent_actions_fini(&bench->actions);
    agent_core_fini(&bench->core);
}

static void step(struct bench *bench, struct agent_event event)
{
    event.now_ms = bench->now_ms;
    agent_core_step(&bench->core, &event, &bench->actions);
}

static void bench_connect(struct bench *bench)
{
    step(bench, (struct agent_event){.kind = AGENT_CONNECTED, .nonce = NONCE});
}

static void pack(struct bench *bench, uint64_t seq, bool is_urgent)
{
    step(bench, (struct agent_event){.kind = AGENT_PACK_SYNCED,
                                     .epoch = EPOCH,
                                     .seq = seq,
                                     .is_urgent = is_urgent});
}

static struct ack ack_of(struct ack_epoch *epoch, uint64_t through)
{
    *epoch = (struct ack_epoch){.epoch = EPOCH, .through = through};
    struct ack ack = {
        .store = "store-1",
        .generation = 1,
        .ack_interval_ms = 10000,
        .credits = 20,
        .backlog_credits = 20,
        .epochs = epoch,
        .epoch_count = 1,
    };
    memcpy(ack.nonce, NONCE, sizeof NONCE);
    return ack;
}

static void take(struct bench *bench, const struct ack *ack)
{
    step(bench, (struct agent_event){.kind = AGENT_ACK, .ack = ack});
}

static void ack_through(struct bench *bench, uint64_t through)
{
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, through);
    take(bench, &ack);
}

/* Goes to the time of the timer and lets it ring. */
static void ring(struct bench *bench)
{
    CHECK(bench->core.timer_ms > 0);
    bench->now_ms = bench->core.timer_ms;
    step(bench, (struct agent_event){.kind = AGENT_TIMER});
}

static size_t count_of(const struct bench *bench, enum agent_action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->actions.count; i++)
        count += bench->actions.list[i].kind == kind;
    return count;
}

/* "3 4 5": the seqs published, in order. */
static const char *published(const struct bench *bench)
{
    static char text[1024];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < bench->actions.count; i++)
        if (bench->actions.list[i].kind == AGENT_PUBLISH)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%d",
                                    len > 0 ? " " : "", (int)bench->actions.list[i].seq);
    return text;
}

static void says_hello_and_waits(void)
{
    struct bench bench = bench_of(5);
    bench_connect(&bench);
    CHECK(count_of(&bench, AGENT_PUBLISH_HELLO) == 1);
    CHECK_TEXT(published(&bench), "");
    struct hello hello;
    agent_core_hello(&bench.core, &hello);
    CHECK(hello.backlog == 5 && hello.epoch_count == 1);
    CHECK(hello.epochs[0].epoch == EPOCH && hello.epochs[0].is_current);
    CHECK(hello.epochs[0].first == 1 && hello.epochs[0].last == 5);
    CHECK_TEXT(hello.nonce, NONCE);
    ack_through(&bench, 2);
    CHECK_TEXT(published(&bench), "3 4 5");
    CHECK(count_of(&bench, AGENT_SAVE_MARKS) == 1);
    bench_fini(&bench);
}

static void hello_is_said_again_until_it_is_answered(void)
{
    struct bench bench = bench_of(5);
    bench_connect(&bench);
    int64_t wait_ms = AGENT_HELLO_AGAIN_MS;
    for (int i = 0; i < AGENT_HELLO_AGAIN_MAX - 1; i++, wait_ms *= 2) {
        int64_t before_ms = bench.now_ms;
        do /* patience with the old packs ends in between */
            ring(&bench);
        while (count_of(&bench, AGENT_PUBLISH_HELLO) == 0);
        CHECK(bench.now_ms - before_ms >= wait_ms);
        CHECK(bench.now_ms - before_ms <= wait_ms * 3 / 2);
        CHECK(count_of(&bench, AGENT_PUBLISH_HELLO) == 1);
        CHECK_TEXT(published(&bench), "");
    }
    ack_through(&bench, 2);
    CHECK_TEXT(published(&bench), "3 4 5");
    ack_through(&bench, 5);
    CHECK(bench.core.timer_ms == 0);
    bench_fini(&bench);
}

static void new_packs_need_no_answer(void)
{
    struct bench bench = bench_of(0);
    bench_connect(&bench);
    for (uint64_t seq = 1; seq <= 20; seq++) {
        pack(&bench, seq, false);
        CHECK(count_of(&bench, AGENT_PUBLISH) == (seq <= AGENT_CREDITS_DEFAULT));
    }
    CHECK(bench.core.flight_count == AGENT_CREDITS_DEFAULT);
    bench_fini(&bench);
}

static void new_packs_wait_a_little_for_old_ones(void)
{
    struct bench bench = bench_of(5);
    bench_connect(&bench);
    pack(&bench, 6, true);
    CHECK_TEXT(published(&bench), "");
    int64_t connected_ms = bench.now_ms;
    ring(&bench);
    CHECK(count_of(&bench, AGENT_PUBLISH_HELLO) == 1); /* said again */
    CHECK_TEXT(published(&bench), "");
    ring(&bench);
    CHECK(bench.now_ms == connected_ms + AGENT_PATIENCE_MS);
    CHECK_TEXT(published(&bench), "6");
    ack_through(&bench, 2);
    CHECK_TEXT(published(&bench), "3 4 5");
    bench_fini(&bench);
}

static void a_short_backlog_goes_first(void)
{
    struct bench bench = bench_of(5);
    bench_connect(&bench);
    pack(&bench, 6, true);
    pack(&bench, 7, false);
    ack_through(&bench, 2);
    CHECK_TEXT(published(&bench), "3 4 5 6 7");
    bench_fini(&bench);
}

static void nothing_is_sent_offline(void)
{
    struct bench bench = bench_of(0);
    pack(&bench, 1, true);
    CHECK(bench.actions.count == 0);
    bench_connect(&bench);
    step(&bench, (struct agent_event){.kind = AGENT_LOST});
    CHECK(bench.core.timer_ms == 0);
    pack(&bench, 2, false);
    CHECK(bench.actions.count == 0);
    ack_through(&bench, 2);
    CHECK(agent_core_backlog(&bench.core) == 2);
    bench_fini(&bench);
}

static void live_goes_before_backlog(void)
{
    struct bench bench = bench_of(100);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 0);
    ack.credits = 0;
    ack.backlog_credits = 2;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "1 2");
    pack(&bench, 101, false);
    pack(&bench, 102, true);
    CHECK_TEXT(published(&bench), "");
    ack = ack_of(&epoch, 2);
    ack.credits = 3;
    ack.backlog_credits = 1;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "102 101 3");
    bench_fini(&bench);
}

static void backlog_takes_nothing_from_the_present(void)
{
    struct bench bench = bench_of(100);
    bench_connect(&bench);
    ack_through(&bench, 0); /* 20 credits of each */
    CHECK(bench.core.flight_count == 20);
    for (uint64_t seq = 101; seq <= 125; seq++) {
        pack(&bench, seq, false);
        CHECK(count_of(&bench, AGENT_PUBLISH) == (seq <= 120));
        if (seq <= 120)
            CHECK(bench.actions.list[0].is_live);
    }
    CHECK(bench.core.flight_count == 40);
    bench_fini(&bench);
}

static void a_backlog_waits_for_its_slot(void)
{
    struct bench bench = bench_of(3);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 0);
    ack.backlog_credits = 0;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "");
    pack(&bench, 4, false);
    CHECK_TEXT(published(&bench), "4");
    ack.backlog_credits = 2;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "1 2");
    bench_fini(&bench);
}

/* The ack that gave it a slot was lost, perhaps. */
static void who_waits_too_long_asks(void)
{
    struct bench bench = bench_of(3);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 0);
    ack.backlog_credits = 0;
    take(&bench, &ack);
    int64_t before_ms = bench.now_ms;
    ring(&bench);
    CHECK(bench.now_ms - before_ms >= 30000);
    CHECK(count_of(&bench, AGENT_PUBLISH_HELLO) == 1);
    CHECK_TEXT(published(&bench), "1");
    bench_fini(&bench);
}

static void what_nobody_heard_of_is_backlog(void)
{
    struct bench bench = bench_of(0);
    bench_connect(&bench);
    ack_through(&bench, 0);
    for (uint64_t seq = 1; seq <= 20; seq++)
        pack(&bench, seq, false);
    while (!bench.core.is_probing)
        ring(&bench);
    for (uint64_t seq = 21; seq <= 100; seq++)
        pack(&bench, seq, false);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 20);
    ack.backlog_credits = 2;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "21 22");
    pack(&bench, 101, false);
    CHECK_TEXT(published(&bench), "101");
    bench_fini(&bench);
}

static void an_ack_must_answer_this_session(void)
{
    struct bench bench = bench_of(3);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack foreign = ack_of(&epoch, 3);
    foreign.nonce[0] = 'x';
    take(&bench, &foreign);
    CHECK(agent_core_backlog(&bench.core) == 3);
    struct ack retained = ack_of(&epoch, 3);
    step(&bench,
         (struct agent_event){.kind = AGENT_ACK, .ack = &retained, .is_retained = true});
    CHECK(agent_core_backlog(&bench.core) == 3);
    CHECK(bench.core.counts.acks_ignored == 2 && !bench.core.is_answered);
    bench_fini(&bench);
}

static const struct agent_action *new_epoch(const struct bench *bench)
{
    for (size_t i = 0; i < bench->actions.count; i++)
        if (bench->actions.list[i].kind == AGENT_NEW_EPOCH)
            return &bench->actions.list[i];
    return NULL;
}

/* "5-9 12-12": what is to go under new names, in order. */
static const char *along(const struct bench *bench)
{
    static char text[200];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < bench->actions.count; i++) {
        const struct agent_action *action = &bench->actions.list[i];
        if (action->kind == AGENT_TAKE_ALONG)
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%s%d-%d",
                                 len > 0 ? " " : "", (int)action->from, (int)action->to);
    }
    return text;
}

/* The ack's hash of its mark is 7 times the mark where the packs are ours. */
static void take_proved(struct bench *bench, uint64_t through, uint64_t hash)
{
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, through);
    epoch.hash = hash;
    const struct agent_own own = {.mark = 7 * through};
    step(bench, (struct agent_event){.kind = AGENT_ACK, .ack = &ack, .own = &own});
}

static void an_ack_beyond_the_head_hides_nothing(void)
{
    struct bench bench = bench_of(3);
    bench_connect(&bench);
    ack_through(&bench, 1000000); /* another device's: this one is a copy */
    CHECK(agent_core_backlog(&bench.core) == 3);
    CHECK(new_epoch(&bench) != NULL);
    CHECK_TEXT(along(&bench), "1-3");
    bench_fini(&bench);
}

static void a_copy_takes_along_what_is_not_proved(void)
{
    struct bench bench = bench_of(9);
    bench_connect(&bench);
    take_proved(&bench, 4, 28);
    CHECK(new_epoch(&bench) == NULL && bench.core.epochs[0].proved.through == 4);
    take_proved(&bench, 5, 0); /* not known: proves nothing */
    CHECK(new_epoch(&bench) == NULL && bench.core.epochs[0].proved.through == 4);
    take_proved(&bench, 7, 50);
    CHECK(new_epoch(&bench) != NULL);
    CHECK_TEXT(along(&bench), "5-9");
    CHECK(agent_core_is_done(&bench.core, EPOCH, 4));
    CHECK(!agent_core_is_done(&bench.core, EPOCH, 7));
    bench_fini(&bench);
}

static void what_is_proved_survives_a_restart(void)
{
    struct bench bench = bench_of(9);
    bench_connect(&bench);
    take_proved(&bench, 6, 42);
    struct buf marks = {0};
    agent_core_save(&bench.core, &marks);
    bench_fini(&bench);
    bench = bench_of(9);
    CHECK(agent_core_load(&bench.core, marks.data, marks.len) == ERR_OK);
    bench_connect(&bench);
    take_proved(&bench, 8, 1);
    CHECK_TEXT(along(&bench), "7-9");
    buf_fini(&marks);
    bench_fini(&bench);
}

/* The mark's hash says nothing of what is below a name without a pack. */
static void a_mark_proves_down_to_what_is_closed(void)
{
    struct bench bench = bench_of(9);
    bench_connect(&bench);
    take_proved(&bench, 2, 14);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 7);
    epoch.hash = 49;
    epoch.closed[0] = (struct seq_range){4, 4};
    epoch.closed_count = 1;
    const struct agent_own own = {.mark = 49};
    step(&bench, (struct agent_event){.kind = AGENT_ACK, .ack = &ack, .own = &own});
    CHECK_TEXT(along(&bench), "4-4"); /* here it is: whoever called it lost */
    CHECK(new_epoch(&bench) == NULL && agent_core_is_done(&bench.core, EPOCH, 3));
    step(&bench,
         (struct agent_event){.kind = AGENT_THINNED, .epoch = EPOCH, .seq = 4, .to = 4});
    epoch.end_epoch = true; /* now 3 may be another's, as 4 was */
    step(&bench, (struct agent_event){.kind = AGENT_ACK, .ack = &ack, .own = &own});
    CHECK_TEXT(along(&bench), "3-3 8-9");
    CHECK(!agent_core_is_done(&bench.core, EPOCH, 3));
    bench_fini(&bench);
}

/* Packs 3 and 6 came from whoever; 4, 5 and 7 were called lost before this ack. */
static struct ack ack_with_seams(struct ack_epoch *epoch)
{
    struct ack ack = ack_of(epoch, 7);
    epoch->closed[0] = (struct seq_range){4, 5};
    epoch->closed[1] = (struct seq_range){7, 7};
    epoch->closed_count = 2;
    epoch->seams[0] = (struct ack_seam){3, 21};
    epoch->seams[1] = (struct ack_seam){6, 42};
    epoch->seam_count = 2;
    return ack;
}

static void a_seam_proves_down_to_what_is_closed(void)
{
    struct bench bench = bench_of(9);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_with_seams(&epoch);
    const struct agent_own own = {.seams = {21, 42}};
    step(&bench, (struct agent_event){.kind = AGENT_ACK, .ack = &ack, .own = &own});
    CHECK_TEXT(along(&bench), "4-5 7-7");
    CHECK(new_epoch(&bench) == NULL);
    CHECK(bench.core.epochs[0].proved.through == 3);
    CHECK(seqset_has(&bench.core.epochs[0].proved, 6) &&
          !seqset_has(&bench.core.epochs[0].proved, 5));
    bench_fini(&bench);
    bench = bench_of(9);
    bench_connect(&bench);
    epoch.through = 3; /* then what is behind 3 has gaps, whatever stands below 7 */
    step(&bench, (struct agent_event){.kind = AGENT_ACK, .ack = &ack, .own = &own});
    CHECK(bench.core.epochs[0].proved.through == 3 &&
          !seqset_has(&bench.core.epochs[0].proved, 6));
    bench_fini(&bench);
}

/* Another copy's pack between two that are closed, which no mark ever stood at. */
static void a_seam_of_another_tells_a_copy(void)
{
    struct bench bench = bench_of(9);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_with_seams(&epoch);
    const struct agent_own own = {.seams = {21, 43}};
    step(&bench, (struct agent_event){.kind = AGENT_ACK, .ack = &ack, .own = &own});
    CHECK(new_epoch(&bench) != NULL);
    CHECK_TEXT(along(&bench), "4-9");
    CHECK(!agent_core_is_done(&bench.core, EPOCH, 6));
    bench_fini(&bench);
}

static void an_epoch_that_was_left_is_taken_along_too(void)
{
    struct bench bench = bench_of(5);
    agent_core_hold(&bench.core, EPOCH + 1, 1, 1);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 5);
    take(&bench, &ack);
    CHECK(agent_core_backlog(&bench.core) == 1);
    epoch.end_epoch = true;
    take(&bench, &ack);
    CHECK(new_epoch(&bench) == NULL);
    CHECK_TEXT(along(&bench), "1-5");
    CHECK_TEXT(published(&bench), ""); /* nothing under the old names */
    step(&bench,
         (struct agent_event){.kind = AGENT_THINNED, .epoch = EPOCH, .seq = 1, .to = 5});
    take(&bench, &ack);
    CHECK_TEXT(along(&bench), "");
    struct buf marks = {0}; /* and not again after a restart */
    agent_core_save(&bench.core, &marks);
    bench_fini(&bench);
    bench = bench_of(5);
    agent_core_hold(&bench.core, EPOCH + 1, 1, 1);
    CHECK(agent_core_load(&bench.core, marks.data, marks.len) == ERR_OK);
    bench_connect(&bench);
    take(&bench, &ack);
    CHECK_TEXT(along(&bench), "");
    buf_fini(&marks);
    bench_fini(&bench);
}

static void what_moved_is_told_when_asked_for(void)
{
    struct bench bench = bench_of(6);
    bench_connect(&bench);
    ack_through(&bench, 1);
    step(&bench,
         (struct agent_event){.kind = AGENT_THINNED, .epoch = EPOCH, .seq = 2, .to = 3});
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 1);
    epoch.wanted[0] = (struct seq_range){2, 4};
    epoch.wanted_count = 1;
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_MOVED) == 0); /* it has just been told */
    step(&bench, (struct agent_event){.kind = AGENT_TRIMMED, .epoch = EPOCH, .seq = 2});
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_MOVED) == 1);
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 0);
    CHECK(bench.actions.list[0].from == 2 && bench.actions.list[0].to == 3);
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_MOVED) == 0);
    bench_fini(&bench);
}

static void an_ack_of_a_life_that_is_over_is_ignored(void)
{
    struct bench bench = bench_of(5);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack old = ack_of(&epoch, 5);
    take(&bench, &old);
    struct ack_epoch less;
    struct ack restored = ack_of(&less, 2);
    restored.generation = 77; /* no order: another life */
    take(&bench, &restored);
    CHECK(agent_core_backlog(&bench.core) == 3);
    take(&bench, &old);
    CHECK(agent_core_backlog(&bench.core) == 3);
    CHECK(bench.core.counts.acks_ignored == 1);
    bench_fini(&bench);
}

/* An ack of the life before comes last of all: the life that answers must win. */
static void a_life_that_goes_on_answering_is_believed(void)
{
    struct bench bench = bench_of(5);
    bench_connect(&bench);
    struct ack_epoch alive, gone;
    struct ack now = ack_of(&alive, 2);
    take(&bench, &now);
    struct ack late = ack_of(&gone, 1);
    late.generation = 77;
    take(&bench, &late);
    for (int i = 0; i < 20 && agent_core_backlog(&bench.core) > 0; i++) {
        bench.now_ms =
            bench.core.timer_ms > bench.now_ms ? bench.core.timer_ms : bench.now_ms + 1;
        step(&bench, (struct agent_event){.kind = AGENT_TIMER});
        alive.through = 5;
        if (bench.core.is_probing)
            take(&bench, &now);
    }
    CHECK(agent_core_backlog(&bench.core) == 0);
    CHECK(bench.core.generation == now.generation);
    bench_fini(&bench);
}

static void a_lone_pack_is_sent_again(void)
{
    struct bench bench = bench_of(0);
    bench_connect(&bench);
    ack_through(&bench, 0);
    pack(&bench, 1, false);
    pack(&bench, 2, false);
    int64_t sent_ms = bench.now_ms;
    bench.now_ms += 9000;
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 0);
    ack.epochs[0].ranges[0] = (struct seq_range){2, 2};
    ack.epochs[0].range_count = 1;
    take(&bench, &ack);
    CHECK(bench.core.flight_count == 1);
    CHECK_TEXT(published(&bench), "");
    ring(&bench);
    CHECK_TEXT(published(&bench), "1");
    CHECK(bench.now_ms - sent_ms >= 30000 && bench.now_ms - sent_ms <= 45000);
    CHECK(bench.core.counts.resent == 1);
    bench_fini(&bench);
}

static void silence_is_probed_with_one_pack(void)
{
    struct bench bench = bench_of(0);
    bench_connect(&bench);
    ack_through(&bench, 0);
    for (uint64_t seq = 1; seq <= 5; seq++)
        pack(&bench, seq, false);
    /* Until the silence is long enough packs may be due one by one. */
    while (!bench.core.is_probing)
        ring(&bench);
    int64_t before_ms = bench.now_ms;
    int64_t waited_ms = 0;
    for (int i = 0; i < 4; i++) {
        ring(&bench);
        CHECK(count_of(&bench, AGENT_PUBLISH) == 1);
        CHECK(count_of(&bench, AGENT_PUBLISH_HELLO) == 1);
        CHECK(bench.now_ms - before_ms > waited_ms);
        waited_ms = bench.now_ms - before_ms;
        before_ms = bench.now_ms;
        pack(&bench, 6 + (uint64_t)i, true);
        CHECK_TEXT(published(&bench), "");
    }
    CHECK(waited_ms >= 30000 * 8);
    ack_through(&bench, 1);
    CHECK(!bench.core.is_probing);
    CHECK(bench.core.flight_count == 8);
    bench_fini(&bench);
}

static void waiting_never_exceeds_its_bound(void)
{
    struct bench bench = bench_of(1);
    bench_connect(&bench);
    int64_t before_ms = bench.now_ms;
    for (int i = 0; i < 30; i++) {
        do
            ring(&bench);
        while (!bench.core.is_probing || count_of(&bench, AGENT_PUBLISH) == 0);
        CHECK(bench.now_ms - before_ms >= 30000);
        CHECK(bench.now_ms - before_ms <= AGENT_TIMEOUT_MAX_MS * 3 / 2);
        before_ms = bench.now_ms;
    }
    bench_fini(&bench);
}

static void no_credits_means_no_packs_but_probes(void)
{
    struct bench bench = bench_of(3);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 0);
    ack.credits = 0;
    ack.backlog_credits = 0;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "");
    ring(&bench);
    CHECK_TEXT(published(&bench), "1");
    bench_fini(&bench);
}

static void all_done_needs_no_timer(void)
{
    struct bench bench = bench_of(3);
    bench_connect(&bench);
    ack_through(&bench, 3);
    CHECK(bench.core.timer_ms == 0);
    CHECK(agent_core_is_done(&bench.core, EPOCH, 3));
    CHECK(!agent_core_is_done(&bench.core, EPOCH, 4));
    CHECK(!agent_core_is_done(&bench.core, EPOCH + 1, 1));
    bench_fini(&bench);
}

static void a_restored_collector_gets_it_all_again(void)
{
    static const struct {
        const char *name;
        const char *store;
        uint64_t generation;
    } rows[] = {
        {"another store", "store-2", 1},
        {"generation raised", "store-1", 2},
        {"generation fell", "store-1", 0},
        {"an older copy of the same", "store-1", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench = bench_of(6);
        bench_connect(&bench);
        ack_through(&bench, 6);
        step(&bench, (struct agent_event){.kind = AGENT_LOST});
        bench_connect(&bench);
        struct ack_epoch epoch;
        struct ack ack = ack_of(&epoch, 4);
        memset(ack.store, 0, sizeof ack.store);
        memcpy(ack.store, rows[i].store, strlen(rows[i].store));
        ack.generation = rows[i].generation;
        take(&bench, &ack);
        CHECK_ROW(rows[i].name, strcmp(published(&bench), "5 6") == 0);
        CHECK_ROW(rows[i].name, bench.core.counts.rewinds == 1);
        bench_fini(&bench);
    }
}

static void a_store_changed_within_a_session_rewinds(void)
{
    struct bench bench = bench_of(2);
    bench_connect(&bench);
    ack_through(&bench, 2);
    pack(&bench, 3, false);
    ack_through(&bench, 3);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 0);
    ack.generation = 7;
    ack.epoch_count = 0; /* it does not even know the epoch */
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "1 2 3");
    bench_fini(&bench);
}

static void an_older_ack_of_the_session_takes_nothing_back(void)
{
    struct bench bench = bench_of(6);
    bench_connect(&bench);
    ack_through(&bench, 6);
    ack_through(&bench, 3);
    CHECK(agent_core_backlog(&bench.core) == 0);
    CHECK_TEXT(published(&bench), "");
    bench_fini(&bench);
}

static void what_is_wanted_is_sent_though_acked(void)
{
    struct bench bench = bench_of(9);
    bench_connect(&bench);
    ack_through(&bench, 9);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 3);
    epoch.ranges[0] = (struct seq_range){6, 8};
    epoch.range_count = 1;
    epoch.wanted[0] = (struct seq_range){4, 5};
    epoch.wanted[1] = (struct seq_range){9, 5000};
    epoch.wanted_count = 2;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "4 5 9");
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), ""); /* in flight, and just sent */
    bench.now_ms += 10000;
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_PUBLISH) == 3);
    bench_fini(&bench);
}

static void what_is_not_held_is_a_loss(void)
{
    struct bench bench = {.now_ms = 1000};
    agent_core_init(&bench.core, 1);
    agent_core_hold(&bench.core, EPOCH, 5, 9);
    bench_connect(&bench);
    struct ack_epoch epochs[2];
    struct ack ack = ack_of(&epochs[0], 0);
    epochs[0].wanted[0] = (struct seq_range){2, 6};
    epochs[0].wanted_count = 1;
    epochs[1] = (struct ack_epoch){.epoch = 99}; /* another device's, for all we know */
    epochs[1].wanted[0] = (struct seq_range){7, 8};
    epochs[1].wanted_count = 1;
    ack.epoch_count = 2;
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 1);
    CHECK(bench.actions.list[0].kind == AGENT_WRITE_LOSS);
    CHECK(bench.actions.list[0].from == 2 && bench.actions.list[0].to == 4);
    CHECK_TEXT(published(&bench), "5 6 7 8 9");
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 0); /* said once */
    bench_fini(&bench);
}

/* The pack that told of it may be gone with what was trimmed. */
static void a_loss_is_told_again_after_trimming(void)
{
    struct bench bench = {.now_ms = 1000};
    agent_core_init(&bench.core, 42);
    agent_core_hold(&bench.core, EPOCH, 5, 20);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 1);
    epoch.wanted[0] = (struct seq_range){2, 4};
    epoch.wanted_count = 1;
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 1);
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 0);
    step(&bench, (struct agent_event){.kind = AGENT_TRIMMED, .epoch = EPOCH, .seq = 9});
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 1);
    CHECK(bench.actions.list[0].from == 2 && bench.actions.list[0].to == 4);
    bench_fini(&bench);
}

static void trimming_tells_what_was_not_acked(void)
{
    struct bench bench = bench_of(10);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 2);
    epoch.ranges[0] = (struct seq_range){5, 5};
    epoch.range_count = 1;
    ack.backlog_credits = 2;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "3 4");
    step(&bench, (struct agent_event){.kind = AGENT_TRIMMED, .epoch = EPOCH, .seq = 8});
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 2);
    CHECK(bench.actions.list[0].from == 3 && bench.actions.list[0].to == 4);
    CHECK(bench.actions.list[1].from == 6 && bench.actions.list[1].to == 7);
    CHECK_TEXT(published(&bench), "8 9");
    CHECK(agent_core_backlog(&bench.core) == 3);
    bench_fini(&bench);
}

static void an_unreadable_pack_is_a_loss(void)
{
    struct bench bench = bench_of(3);
    bench_connect(&bench);
    ack_through(&bench, 0);
    CHECK_TEXT(published(&bench), "1 2 3");
    step(&bench, (struct agent_event){.kind = AGENT_PACK_GONE, .epoch = EPOCH, .seq = 2});
    CHECK(count_of(&bench, AGENT_WRITE_LOSS) == 1);
    CHECK(bench.actions.list[0].from == 2 && bench.actions.list[0].to == 2);
    CHECK(agent_core_backlog(&bench.core) == 2);
    CHECK(bench.core.flight_count == 2);
    bench_fini(&bench);
}

static void refused_packs_are_done_with(void)
{
    struct bench bench = bench_of(4);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 1);
    epoch.rejected[0] = (struct seq_range){2, 3};
    epoch.rejected_count = 1;
    take(&bench, &ack);
    CHECK_TEXT(published(&bench), "4");
    CHECK(bench.core.counts.rejected == 2);
    take(&bench, &ack);
    CHECK(bench.core.counts.rejected == 2);
    bench_fini(&bench);
}

static void a_fork_ends_the_epoch_once(void)
{
    struct bench bench = bench_of(4);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 4);
    epoch.end_epoch = true;
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_NEW_EPOCH) == 1);
    take(&bench, &ack);
    CHECK(count_of(&bench, AGENT_NEW_EPOCH) == 0);
    CHECK_TEXT(along(&bench), "");
    step(&bench,
         (struct agent_event){.kind = AGENT_PACK_SYNCED, .epoch = EPOCH + 1, .seq = 1});
    CHECK_TEXT(published(&bench), "1");
    struct hello hello;
    agent_core_hello(&bench.core, &hello);
    CHECK(hello.epoch_count == 2 && hello.epochs[0].epoch == EPOCH + 1);
    CHECK(hello.epochs[0].is_current && !hello.epochs[1].is_current);
    bench_fini(&bench);
}

static void terms_out_of_reason_are_bounded(void)
{
    static const struct {
        const char *name;
        int64_t interval_ms;
        int64_t want_ms;
    } rows[] = {
        {"zero", 0, AGENT_ACK_INTERVAL_MIN_MS},
        {"negative", -5, AGENT_ACK_INTERVAL_MIN_MS},
        {"a year", (int64_t)365 * 86400000, AGENT_ACK_INTERVAL_MAX_MS},
        {"plain", 5000, 5000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench = bench_of(2000);
        bench_connect(&bench);
        struct ack_epoch epoch;
        struct ack ack = ack_of(&epoch, 0);
        ack.ack_interval_ms = rows[i].interval_ms;
        ack.credits = UINT32_MAX;
        ack.backlog_credits = UINT32_MAX;
        take(&bench, &ack);
        CHECK_ROW(rows[i].name, bench.core.ack_interval_ms == rows[i].want_ms);
        CHECK_ROW(rows[i].name, bench.core.flight_count == AGENT_WINDOW_MAX / 2);
        bench_fini(&bench);
    }
}

static void marks_survive_a_restart(void)
{
    struct bench bench = bench_of(10);
    bench_connect(&bench);
    struct ack_epoch epoch;
    struct ack ack = ack_of(&epoch, 4);
    epoch.ranges[0] = (struct seq_range){7, 8};
    epoch.range_count = 1;
    take(&bench, &ack);
    struct buf saved = {0};
    agent_core_save(&bench.core, &saved);
    struct bench again = bench_of(10);
    for (size_t len = 0; len < saved.len; len++)
        CHECK(agent_core_load(&again.core, saved.data, len) == ERR_CORRUPT);
    CHECK(agent_core_backlog(&again.core) == 10);
    CHECK(agent_core_load(&again.core, saved.data, saved.len) == ERR_OK);
    CHECK(agent_core_backlog(&again.core) == 4);
    CHECK_TEXT(again.core.store, "store-1");
    struct bench other = {0};
    agent_core_init(&other.core, 1);
    agent_core_hold(&other.core, 5, 1, 3);
    CHECK(agent_core_load(&other.core, saved.data, saved.len) == ERR_OK);
    CHECK(agent_core_backlog(&other.core) == 3);
    buf_fini(&saved);
    bench_fini(&bench);
    bench_fini(&again);
    bench_fini(&other);
}

static void hello_names_the_epochs_that_matter(void)
{
    struct bench bench = {.now_ms = 1};
    agent_core_init(&bench.core, 1);
    for (uint64_t epoch = 1; epoch <= 40; epoch++)
        agent_core_hold(&bench.core, epoch, 1, 2);
    struct hello hello;
    agent_core_hello(&bench.core, &hello);
    CHECK(hello.epoch_count == DELIVERY_EPOCHS_MAX);
    CHECK(hello.epochs[0].epoch == 40 && hello.epochs[0].is_current);
    CHECK(hello.epochs[1].epoch == 1 && hello.epochs[15].epoch == 15);
    CHECK(hello.backlog == 80);
    bench_fini(&bench);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"hello first, and what it is answered", says_hello_and_waits},
        {"hello is said again until it is answered",
         hello_is_said_again_until_it_is_answered},
        {"new packs need no answer", new_packs_need_no_answer},
        {"new packs wait a little for old ones", new_packs_wait_a_little_for_old_ones},
        {"a short backlog goes first", a_short_backlog_goes_first},
        {"nothing is sent offline", nothing_is_sent_offline},
        {"live goes before backlog, urgent before live", live_goes_before_backlog},
        {"backlog takes nothing from the present",
         backlog_takes_nothing_from_the_present},
        {"a backlog waits for its slot", a_backlog_waits_for_its_slot},
        {"who waits too long asks", who_waits_too_long_asks},
        {"what nobody heard of is backlog", what_nobody_heard_of_is_backlog},
        {"an ack must answer this session", an_ack_must_answer_this_session},
        {"a copy takes along what is not proved", a_copy_takes_along_what_is_not_proved},
        {"what is proved survives a restart", what_is_proved_survives_a_restart},
        {"a seam proves down to what is closed", a_seam_proves_down_to_what_is_closed},
        {"a seam of another tells a copy", a_seam_of_another_tells_a_copy},
        {"a mark proves down to what is closed", a_mark_proves_down_to_what_is_closed},
        {"an epoch that was left is taken along, too",
         an_epoch_that_was_left_is_taken_along_too},
        {"what moved is told when asked for", what_moved_is_told_when_asked_for},
        {"an ack of a life that is over is ignored",
         an_ack_of_a_life_that_is_over_is_ignored},
        {"a life that goes on answering is believed",
         a_life_that_goes_on_answering_is_believed},
        {"an ack beyond the head hides nothing", an_ack_beyond_the_head_hides_nothing},
        {"a lone pack is sent again", a_lone_pack_is_sent_again},
        {"silence is probed with one pack", silence_is_probed_with_one_pack},
        {"waiting never exceeds its bound", waiting_never_exceeds_its_bound},
        {"no credits, no packs, but probes", no_credits_means_no_packs_but_probes},
        {"all done needs no timer", all_done_needs_no_timer},
        {"a restored collector gets it all again",
         a_restored_collector_gets_it_all_again},
        {"a store changed within a session", a_store_changed_within_a_session_rewinds},
        {"an older ack takes nothing back",
         an_older_ack_of_the_session_takes_nothing_back},
        {"what is wanted is sent though acked", what_is_wanted_is_sent_though_acked},
        {"what is not held is a loss", what_is_not_held_is_a_loss},
        {"a loss is told again after trimming", a_loss_is_told_again_after_trimming},
        {"trimming tells what was not acked", trimming_tells_what_was_not_acked},
        {"an unreadable pack is a loss", an_unreadable_pack_is_a_loss},
        {"refused packs are done with", refused_packs_are_done_with},
        {"a fork ends the epoch once", a_fork_ends_the_epoch_once},
        {"terms out of reason are bounded", terms_out_of_reason_are_bounded},
        {"marks survive a restart", marks_survive_a_restart},
        {"hello names the epochs that matter", hello_names_the_epochs_that_matter},
        CU_TEST_INFO_NULL,
    };
    return check_run("uplink_core", tests);
}
