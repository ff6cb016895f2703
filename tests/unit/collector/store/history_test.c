// SPDX-License-Identifier: Apache-2.0
#include "collector/store/history.h"

#include "collector/store/history_tables.h"
#include "collector/store/month.h"
#include "collector/store/schema.h"
#include "telemetry/seqset.h"
#include "tests/unit/collector/store/history_world.h"

static struct folder folder;
static struct history *history;
static struct history_reader *reader;
static struct twin twin;
static struct parcel parcel;
static struct history_message message;

static void begin_world(void)
{
    folder_make(&folder);
    history = world_open(folder.path);
    reader = world_reader(folder.path);
    twin = (struct twin){0};
    parcel_init(&parcel);
    message = (struct history_message){
        .org = "o", .device = "d", .epoch = 7, .arrival_ms = WORLD_NOW};
}

static void end_world(void)
{
    history_reader_close(reader);
    history_close(history);
    free(twin.facts);
    folder_remove(&folder);
}

static void reopen(void)
{
    history_reader_close(reader);
    history_close(history);
    history = world_open(folder.path);
    reader = world_reader(folder.path);
}

/* The parcel as message `seq`, in a batch of its own. */
static enum err append(uint64_t seq)
{
    message.position += 100;
    message.seq = seq;
    enum err err = history_begin(history);
    if (err == ERR_OK)
        err = history_append(history, &message, &parcel.pack);
    CHECK(history_commit(history, message.position) == ERR_OK);
    if (err == ERR_OK)
        twin_add_pack(&twin, &message, &parcel.pack);
    return err;
}

static void one_reading(uint16_t channel, int64_t time_ms, double value)
{
    parcel.pack.reading_count = 0;
    parcel_add(&parcel, channel, time_ms, value);
}

static void an_empty_store_answers(void)
{
    begin_world();
    struct history_stats stats = {0};
    CHECK(history_cursor(history) == 0);
    CHECK(!history_compact_due(history));
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    CHECK(history_stats(reader, &stats) == ERR_OK);
    CHECK(stats.series == 0 && stats.recent_rows == 0 && stats.files == 1);
    CHECK(stats.bytes > 0);
    compact_all(history, 10);
    end_world();
}

static void what_is_committed_is_there_after_reopening(void)
{
    begin_world();
    parcel_add(&parcel, 0, WORLD_NOW - 10, 4.5);
    parcel_add(&parcel, 1, WORLD_NOW - 10, 1);
    parcel_add(&parcel, 0, WORLD_NOW - 5, (double)NAN);
    parcel.readings[2].quality = QUALITY_OPEN;
    parcel.readings[0].raw = 4.2;
    CHECK(append(1) == ERR_OK);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    reopen();
    CHECK(history_cursor(history) == 100);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    CHECK(twin.count == 3);
    end_world();
}

static void a_rolled_back_batch_is_forgotten(void)
{
    begin_world();
    one_reading(0, WORLD_NOW, 1);
    CHECK(append(1) == ERR_OK);
    message.seq = 2;
    message.device = "new-device";
    CHECK(history_begin(history) == ERR_OK);
    CHECK(history_append(history, &message, &parcel.pack) == ERR_OK);
    history_rollback(history);
    CHECK(history_cursor(history) == 100);
    CHECK(append(2) == ERR_OK); /* not remembered as taken */
    CHECK(append(2) == ERR_EXISTS);
    message.device = "d";
    CHECK(append(1) == ERR_EXISTS);
    CHECK(append(2) == ERR_OK);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    CHECK(twin_agrees_on_all(&twin, reader, "new-device"));
    end_world();
}

static void messages_are_taken_once(void)
{
    static const struct {
        const char *name;
        uint64_t epoch;
        uint64_t seq;
        enum err want;
    } rows[] = {
        {"first", 7, 1, ERR_OK},
        {"the same again", 7, 1, ERR_EXISTS},
        {"ahead of a gap", 7, 3, ERR_OK},
        {"another epoch", 8, 1, ERR_OK},
        {"closes the gap", 7, 2, ERR_OK},
        {"the gap again", 7, 2, ERR_EXISTS},
        {"beyond the gap again", 7, 3, ERR_EXISTS},
        {"a huge seq", 7, UINT64_MAX, ERR_OK},
        {"the huge seq again", 7, UINT64_MAX, ERR_EXISTS},
        {"an epoch of all bits", UINT64_MAX, 1, ERR_OK},
    };
    begin_world();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        one_reading(0, WORLD_NOW + (int64_t)i, (double)i);
        message.epoch = rows[i].epoch;
        CHECK_ROW(rows[i].name, append(rows[i].seq) == rows[i].want);
        if (i % 3 == 0)
            reopen();
        if (i % 4 == 0)
            compact_all(history, 100);
    }
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    end_world();
}

static void a_loss_closes_its_range(void)
{
    begin_world();
    one_reading(0, WORLD_NOW, 1);
    CHECK(append(1) == ERR_OK);
    parcel.pack.kind = PACK_LOSS;
    parcel.pack.reading_count = 0;
    parcel.pack.from = 2;
    parcel.pack.to = 5;
    CHECK(append(6) == ERR_OK);
    reopen();
    parcel.pack.from = 8; /* a range that is not before its own seq says nothing */
    parcel.pack.to = UINT64_MAX;
    CHECK(append(7) == ERR_OK);
    parcel.pack.kind = PACK_DATA;
    one_reading(0, WORLD_NOW + 1, 2);
    for (uint64_t seq = 1; seq <= 7; seq++)
        CHECK(append(seq) == ERR_EXISTS);
    CHECK(append(8) == ERR_OK);
    compact_all(history, 100);
    reopen();
    for (uint64_t seq = 1; seq <= 8; seq++)
        CHECK(append(seq) == ERR_EXISTS);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    CHECK(twin.count == 2);
    end_world();
}

/* The end of the epoch before, told in this one. */
static void a_loss_of_another_epoch_closes_nothing_here(void)
{
    begin_world();
    one_reading(0, WORLD_NOW, 1);
    CHECK(append(1) == ERR_OK);
    parcel.pack.kind = PACK_LOSS;
    parcel.pack.reading_count = 0;
    parcel.pack.ended = 6;
    parcel.pack.from = 2;
    parcel.pack.to = 5;
    CHECK(append(9) == ERR_OK);
    parcel.pack.kind = PACK_DATA;
    parcel.pack.ended = 0;
    for (int pass = 0; pass < 2; pass++) {
        one_reading(0, WORLD_NOW + 1 + pass, 2);
        CHECK(append(3 + (uint64_t)pass) == ERR_OK);
        message.epoch = 6;
        CHECK(append(3 + (uint64_t)pass) == ERR_EXISTS);
        message.epoch = 7;
        reopen();
    }
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    end_world();
}

static void a_name_that_could_not_be_read_is_taken(void)
{
    begin_world();
    message.seq = 2;
    message.position = 50;
    CHECK(history_begin(history) == ERR_OK);
    CHECK(history_close_gap(history, &message, 2, 2) == ERR_OK);
    CHECK(history_commit(history, 50) == ERR_OK);
    reopen();
    one_reading(0, WORLD_NOW, 1);
    CHECK(append(2) == ERR_EXISTS);
    CHECK(append(1) == ERR_OK);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    end_world();
}

/* Pack 1 of epoch 7 comes again as `seq` of epoch 8. */
static enum err rescue(uint64_t seq, double value)
{
    struct twin unchanged = twin;
    one_reading(0, WORLD_NOW, value);
    parcel.pack.kind = PACK_THINNED;
    parcel.pack.ended = 7;
    parcel.pack.from = 1;
    parcel.pack.to = 1;
    snprintf(parcel.pack.reason, sizeof parcel.pack.reason, PACK_REASON_FORK);
    message.epoch = 8;
    enum err err = append(seq);
    if (value == 1) /* known: not twice */
        twin.count = unchanged.count;
    message.epoch = 7;
    parcel.pack.kind = PACK_DATA;
    parcel.pack.ended = 0;
    return err;
}

static void what_is_rescued_from_a_fork_is_there_once(void)
{
    for (int is_moved = 0; is_moved <= 1; is_moved++) {
        begin_world();
        one_reading(0, WORLD_NOW, 1);
        CHECK(append(1) == ERR_OK);
        if (is_moved != 0)
            compact_all(history, 100);
        CHECK(rescue(1, 1) == ERR_OK); /* the same */
        CHECK(twin_agrees_on_all(&twin, reader, "d"));
        CHECK(rescue(2, 5) == ERR_OK); /* another one under that name */
        CHECK(rescue(2, 5) == ERR_EXISTS);
        CHECK(twin.count == 2);
        CHECK(twin_agrees_on_all(&twin, reader, "d"));
        compact_all(history, 100);
        CHECK(twin_agrees_on_all(&twin, reader, "d"));
        end_world();
    }
}

/* A pack of a clock that began in 1970 with that boot, and what the twin shall know. */
static enum err append_unset(uint64_t seq, const char *boot, int64_t boot_ms,
                             int64_t shift_ms, bool is_dated)
{
    struct pack *pack = &parcel.pack;
    one_reading(0, boot_ms, (double)seq);
    pack->clock = PACK_CLOCK_UNSET;
    snprintf(pack->boot_id, sizeof pack->boot_id, "%s", boot);
    pack->boot_ms = boot_ms;
    pack->wall_ms = boot_ms;
    struct twin before = twin;
    enum err err = append(seq);
    twin.count = before.count; /* not yet */
    pack->clock = PACK_CLOCK_SYNCED;
    if (is_dated) {
        parcel.readings[0].time_ms += shift_ms;
        message.seq = seq;
        twin_add_pack(&twin, &message, pack);
    }
    return err;
}

static enum err append_fix(uint64_t seq, const char *boot, int64_t offset_ms)
{
    struct pack *pack = &parcel.pack;
    pack->kind = PACK_CLOCK_FIX;
    pack->reading_count = 0;
    snprintf(pack->fixed_boot_id, sizeof pack->fixed_boot_id, "%s", boot);
    pack->offset_ms = offset_ms;
    enum err err = append(seq);
    pack->kind = PACK_DATA;
    return err;
}

static void expect_at(uint64_t seq, int64_t time_ms)
{
    one_reading(0, time_ms, (double)seq);
    message.seq = seq;
    twin_add_pack(&twin, &message, &parcel.pack);
}

static void readings_of_an_unset_clock_are_dated_by_the_fix(void)
{
    static const char boot[] = "00000000000000b1";
    static const char other[] = "00000000000000b2";
    begin_world();
    CHECK(append_unset(1, boot, 1000, 0, false) == ERR_OK);
    CHECK(append_unset(2, other, 1500, 0, false) == ERR_OK);
    CHECK(append_unset(3, boot, 2000, 0, false) == ERR_OK);
    CHECK(append_unset(1, boot, 1000, 0, false) == ERR_EXISTS);
    CHECK(twin_agrees_on_all(&twin, reader, "d")); /* nobody knows when they were */
    reopen();
    CHECK(append_fix(5, boot, WORLD_NOW) == ERR_OK);
    expect_at(1, WORLD_NOW + 1000);
    expect_at(3, WORLD_NOW + 2000);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    CHECK(append_fix(5, boot, WORLD_NOW) == ERR_EXISTS);
    CHECK(append_unset(4, boot, 3000, WORLD_NOW, true) ==
          ERR_OK); /* late: dated at once */
    CHECK(append_unset(1, boot, 1000, 0, false) == ERR_EXISTS);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    compact_all(history, 100);
    reopen();
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    /* The other boot's clock was never set: after a day they stand where they claim. */
    CHECK(history_begin(history) == ERR_OK);
    CHECK(history_settle(history, WORLD_NOW + 1000) == ERR_OK);
    CHECK(history_commit(history, message.position) == ERR_OK);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    CHECK(history_begin(history) == ERR_OK);
    CHECK(history_settle(history, WORLD_NOW + 2 * 86400000) == ERR_OK);
    CHECK(history_commit(history, message.position) == ERR_OK);
    expect_at(2, 1500);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    end_world();
}

static void too_many_gaps_are_refused(void)
{
    begin_world();
    enum err err = ERR_OK;
    CHECK(history_begin(history) == ERR_OK);
    for (uint64_t i = 0; i <= SEQSET_RANGES_MAX && err == ERR_OK; i++) {
        one_reading(0, WORLD_NOW + (int64_t)i, 1);
        message.seq = 3 + 2 * i;
        err = history_append(history, &message, &parcel.pack);
        if (err == ERR_OK)
            twin_add_pack(&twin, &message, &parcel.pack);
    }
    CHECK(err == ERR_LIMIT);
    CHECK(history_commit(history, 1) == ERR_OK);
    CHECK(twin.count == SEQSET_RANGES_MAX);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    reopen();
    CHECK(append(1) == ERR_OK); /* what closes a gap is welcome */
    CHECK(append(2) == ERR_OK);
    end_world();
}

static void senders_without_seq_are_told_apart_by_what_they_say(void)
{
    begin_world();
    message.epoch = 0;
    message.device = "foreign";
    static const struct {
        const char *name;
        uint16_t channel;
        int64_t time_ms;
        double value;
        enum err want;
    } rows[] = {
        {"first", 0, WORLD_NOW, 4.5, ERR_OK},
        {"redelivered", 0, WORLD_NOW, 4.5, ERR_EXISTS},
        {"another value at the same time", 0, WORLD_NOW, 4.6, ERR_OK},
        {"another channel", 1, WORLD_NOW, 4.5, ERR_OK},
        {"late", 0, WORLD_NOW - 5000, 4.5, ERR_OK},
        {"no value", 0, WORLD_NOW, (double)NAN, ERR_OK},
        {"no value again", 0, WORLD_NOW, (double)NAN, ERR_EXISTS},
        {"far ahead", 0, WORLD_NOW * 2, 1, ERR_OK},
    };
    size_t count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < count; i++) {
        one_reading(rows[i].channel, rows[i].time_ms, rows[i].value);
        CHECK_ROW(rows[i].name, append(0) == rows[i].want);
    }
    for (int life = 0; life < 2; life++) {
        for (size_t i = 0; i < count; i++) {
            one_reading(rows[i].channel, rows[i].time_ms, rows[i].value);
            CHECK_ROW(rows[i].name, append(0) == ERR_EXISTS);
        }
        CHECK(twin_agrees_on_all(&twin, reader, "foreign"));
        compact_all(history, 3); /* and again when they are in chunks */
        reopen();
    }
    /* The clock of the sender was right after all: known from the odd file. */
    message.arrival_ms = WORLD_NOW * 2;
    one_reading(0, WORLD_NOW * 2, 1);
    CHECK(append(0) == ERR_EXISTS);
    end_world();
}

static void samples_of_one_millisecond_are_all_kept(void)
{
    begin_world();
    for (uint64_t seq = 1; seq <= 700; seq++) {
        parcel.pack.reading_count = 0;
        for (int i = 0; i < 3; i++)
            parcel_add(&parcel, 0, WORLD_NOW, (double)seq + i);
        CHECK(append(seq) == ERR_OK);
        if (seq % 150 == 0)
            compact_all(history, 1000);
    }
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    one_reading(0, WORLD_NOW - 1, 5);
    CHECK(append(701) == ERR_OK);
    one_reading(0, WORLD_NOW, 6);
    CHECK(append(702) == ERR_OK);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    compact_all(history, 1000);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    end_world();
}

static void pages_follow_each_other_without_gap_or_double(void)
{
    begin_world();
    for (uint64_t seq = 1; seq <= 100; seq++) {
        parcel.pack.reading_count = 0;
        for (uint16_t channel = 0; channel < 3; channel++)
            parcel_add(&parcel, channel, WORLD_NOW + (int64_t)(seq / 4), (double)seq);
        CHECK(append(seq) == ERR_OK);
        if (seq == 60)
            compact_all(history, 1000);
    }
    size_t total = 0;
    struct history_range range = {
        .org = "o", .device = "d", .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    for (;;) {
        size_t count = 0;
        CHECK(twin_agrees(&twin, reader, &range, 7));
        struct fact *facts = twin_select(&twin, &range, &count);
        size_t given = count - range.skip < 7 ? count - range.skip : 7;
        total += given;
        if (given < 7) {
            free(facts);
            break;
        }
        int64_t last_ms = facts[range.skip + 6].reading.time_ms;
        size_t skip = 0;
        for (size_t i = 0; i < range.skip + 7; i++)
            skip += facts[i].reading.time_ms == last_ms;
        range.from_ms = last_ms;
        range.skip = skip;
        free(facts);
    }
    CHECK(total == 300);
    end_world();
}

static void implausible_times_are_kept_in_one_file(void)
{
    static const int64_t times[] = {0,
                                    -1,
                                    INT64_MIN,
                                    INT64_MAX - 1,
                                    INT64_C(4070908800000) /* 2099 */,
                                    WORLD_NOW,
                                    INT64_C(946684799999),
                                    INT64_C(946684800000) /* 2000-01-01 */};
    begin_world();
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        one_reading(0, times[i], (double)i);
        CHECK(append(i + 1) == ERR_OK);
    }
    compact_all(history, 100);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    struct months months;
    CHECK(months_list(&months, folder.path) == ERR_OK);
    CHECK(months.count == 3); /* odd, 2000-01 and 2025-11 */
    CHECK(months.items[0] == MONTH_ODD && months.items[1] == MONTH_FIRST);
    free(months.items);
    end_world();
}

static void old_months_are_removed(void)
{
    begin_world();
    const int64_t day = 86400000;
    for (int64_t i = 0; i < 300; i++) {
        one_reading(0, WORLD_NOW - i * day, (double)i);
        CHECK(append((uint64_t)i + 1) == ERR_OK);
    }
    message.arrival_ms -= 400 * day;
    message.device = "stale";
    one_reading(0, 1000, 1);
    CHECK(append(301) == ERR_OK);
    message.device = "d";
    message.arrival_ms += 400 * day;
    one_reading(0, 2000, 1);
    CHECK(append(302) == ERR_OK);
    compact_all(history, 1000);

    size_t removed = 0;
    const int64_t oldest = INT64_C(1751328000000); /* 2025-07-01 */
    CHECK(history_retain(history, oldest, &removed) == ERR_OK);
    CHECK(removed == 6); /* January to June */
    size_t kept = 0;
    for (size_t i = 0; i < twin.count; i++) {
        int64_t time_ms = twin.facts[i].reading.time_ms;
        if (time_ms >= oldest || time_ms == 2000)
            twin.facts[kept++] = twin.facts[i];
    }
    twin.count = kept;
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    CHECK(twin_agrees_on_all(&twin, reader, "stale"));
    CHECK(history_retain(history, oldest, &removed) == ERR_OK && removed == 0);
    reopen();
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    one_reading(0, 500, 9); /* late again, behind what was dropped */
    CHECK(append(303) == ERR_OK);
    compact_all(history, 10);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    end_world();
}

static void count_january(void *context, const char *name)
{
    size_t *count = context;
    *count += strstr(name, "2025-01") != NULL;
}

static void a_month_that_is_read_is_removed_another_time(void)
{
    begin_world();
    message.arrival_ms = INT64_C(1735700000000); /* 2025-01-01 */
    one_reading(0, message.arrival_ms, 4.5);
    CHECK(append(1) == ERR_OK);
    compact_all(history, 100);
    struct db *db = NULL;
    size_t removed = 9;
    int64_t number = 0;
    CHECK(db_open_reader(&db, folder_file(&folder, "history-2025-01.db"), 0, NULL) ==
          ERR_OK);
    CHECK(db_begin_read(db) == ERR_OK);
    CHECK(db_get_one(db, "SELECT count(*) FROM tail", DB_NONE, &number) == ERR_OK);
    CHECK(history_retain(history, WORLD_NOW, &removed) == ERR_OK && removed == 0);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    db_rollback(db);
    CHECK(history_retain(history, WORLD_NOW, &removed) == ERR_OK && removed == 1);
    size_t left = 0; /* the log neither, though a connection is still open */
    folder_each(&folder, &left, count_january);
    CHECK(left == 0);
    db_close(db);
    twin.count = 0;
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    one_reading(0, message.arrival_ms, 5.5); /* and it comes to life again */
    CHECK(append(2) == ERR_OK);
    compact_all(history, 100);
    CHECK(twin_agrees_on_all(&twin, reader, "d"));
    end_world();
}

static enum err append_of(const char *device, uint64_t seq)
{
    message.device = device;
    one_reading(0, WORLD_NOW + (int64_t)seq, (double)seq);
    return append(seq);
}

static void what_came_while_a_run_was_saving_is_remembered(void)
{
    static const char *const devices[] = {"a", "b", "c"};
    begin_world();
    bool more = true;
    for (size_t i = 0; i < 3; i++)
        CHECK(append_of(devices[i], 1) == ERR_OK);
    while (history->run.phase != RUN_SAVE)
        CHECK(history_compact(history, 1, &more) == ERR_OK);
    CHECK(history_compact(history, 1, &more) == ERR_OK); /* one of three is saved */
    CHECK(history->run.phase == RUN_SAVE);
    for (size_t i = 0; i < 3; i++)
        CHECK(append_of(devices[i], 2) == ERR_OK);
    while (more)
        CHECK(history_compact(history, 1, &more) == ERR_OK);
    reopen();
    for (size_t i = 0; i < 3; i++) {
        CHECK(append_of(devices[i], 1) == ERR_EXISTS);
        CHECK(append_of(devices[i], 2) == ERR_EXISTS);
        CHECK(twin_agrees_on_all(&twin, reader, devices[i]));
    }
    end_world();
}

static void see_series(void *context, const char *org, const char *device,
                       const char *channel)
{
    struct buf *all = context;
    buf_format(all, "%s/%s/%s;", org, device, channel);
}

static void series_are_listed(void)
{
    begin_world();
    struct buf all = {0};
    parcel_add(&parcel, 0, WORLD_NOW, 1);
    CHECK(append(1) == ERR_OK);
    message.device = "e";
    parcel.pack.channel_count = 1;
    CHECK(append(1) == ERR_OK);
    message.org = "p";
    CHECK(append(1) == ERR_OK);
    CHECK(history_series(reader, "o", "e", &all, see_series) == ERR_OK);
    CHECK_TEXT(all.data, "o/e/air_temperature;");
    buf_clear(&all);
    CHECK(history_series(reader, "p", NULL, &all, see_series) == ERR_OK);
    CHECK_TEXT(all.data, "p/e/air_temperature;");
    buf_clear(&all);
    CHECK(history_series(reader, NULL, NULL, &all, see_series) == ERR_OK);
    CHECK_TEXT(all.data, "o/d/air_temperature;o/d/door;o/d/humidity;"
                         "o/e/air_temperature;p/e/air_temperature;");
    buf_fini(&all);
    end_world();
}

static bool stop_at_two(void *context, const struct history_reading *reading)
{
    size_t *count = context;
    CHECK(reading->value >= 0);
    return ++*count < 2;
}

static void a_callback_can_stop_and_limits_hold(void)
{
    begin_world();
    parcel_add(&parcel, 0, WORLD_NOW, 1);
    parcel_add(&parcel, 0, WORLD_NOW + 1, 2);
    parcel_add(&parcel, 0, WORLD_NOW + 2, 3);
    CHECK(append(1) == ERR_OK);
    size_t count = 0;
    struct history_range range = {.org = "o",
                                  .device = "d",
                                  .channel = "air_temperature",
                                  .from_ms = WORLD_NOW,
                                  .to_ms = WORLD_NOW + 2};
    CHECK(history_query(reader, &range, 100, &count, stop_at_two) == ERR_OK);
    CHECK(count == 2);
    CHECK(history_query(reader, &range, 0, &count, stop_at_two) == ERR_LIMIT);
    CHECK(history_query(reader, &range, HISTORY_LIMIT_MAX + 1, &count, stop_at_two) ==
          ERR_LIMIT);
    CHECK(twin_agrees(&twin, reader, &range, 100));
    range.to_ms = range.from_ms;
    CHECK(twin_agrees(&twin, reader, &range, 100));
    range.to_ms = INT64_MAX;
    range.channel = "door";
    CHECK(twin_agrees(&twin, reader, &range, 100));
    range.device = "unknown";
    CHECK(twin_agrees(&twin, reader, &range, 100));
    end_world();
}

static void stats_add_up(void)
{
    begin_world();
    struct history_stats stats = {0};
    for (uint64_t seq = 1; seq <= 600; seq++) {
        parcel.pack.reading_count = 0;
        parcel_add(&parcel, 0, WORLD_NOW + (int64_t)seq * 1000, 1);
        parcel_add(&parcel, 2, WORLD_NOW + (int64_t)seq * 1000, 80);
        CHECK(append(seq) == ERR_OK);
    }
    CHECK(history_stats(reader, &stats) == ERR_OK);
    CHECK(stats.series == 3 && stats.recent_rows == 600);
    CHECK(stats.recent_readings == 1200 && stats.chunks == 0);
    CHECK(stats.cursor == 60000);
    compact_all(history, 1000);
    one_reading(0, WORLD_NOW, 1);
    CHECK(append(601) == ERR_OK);
    CHECK(history_stats(reader, &stats) == ERR_OK);
    CHECK(stats.recent_rows == 1 && stats.recent_readings == 1);
    CHECK(stats.chunks == 2 && stats.chunk_readings == 1024);
    CHECK(stats.tail_readings == 176 && stats.files == 2);
    end_world();
}

static void a_second_writer_is_refused(void)
{
    begin_world();
    struct history *second = NULL;
    struct err_text why = {0};
    CHECK(history_open(&second, folder.path, &why) == ERR_BUSY);
    CHECK(second == NULL && strlen(why.text) > 0);
    history_close(NULL);
    history_reader_close(NULL);
    end_world();
}

static void damage_in_a_chunk_is_reported_and_ends_nothing_else(void)
{
    begin_world();
    for (uint64_t seq = 1; seq <= 600; seq++) {
        one_reading(seq % 2 != 0 ? 0 : 2, WORLD_NOW + (int64_t)seq, 1);
        CHECK(append(seq) == ERR_OK);
    }
    compact_all(history, 1000);
    history_reader_close(reader);
    history_close(history);

    char name[MONTH_NAME_SIZE];
    struct db *db = NULL;
    month_format(month_of(WORLD_NOW, WORLD_NOW), name);
    CHECK(db_open(&db, folder_file(&folder, name), &month_schema, NULL) == ERR_OK);
    CHECK(db_run(db, "UPDATE tail SET data = x'00112233445566' WHERE series = 1",
                 DB_NONE) == ERR_OK);
    db_close(db);
    history = world_open(folder.path);
    reader = world_reader(folder.path);
    struct history_range range = {.org = "o",
                                  .device = "d",
                                  .channel = "air_temperature",
                                  .from_ms = 0,
                                  .to_ms = INT64_MAX};
    struct comparison comparison = {0};
    CHECK(history_query(reader, &range, 10, &comparison, compare_reading) == ERR_CORRUPT);
    range.channel = "humidity";
    CHECK(twin_agrees(&twin, reader, &range, 1000));
    end_world();
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"an empty store answers", an_empty_store_answers},
        {"what is committed is there after reopening",
         what_is_committed_is_there_after_reopening},
        {"a rolled back batch is forgotten", a_rolled_back_batch_is_forgotten},
        {"messages are taken once", messages_are_taken_once},
        {"a loss closes its range", a_loss_closes_its_range},
        {"a loss of another epoch closes nothing here",
         a_loss_of_another_epoch_closes_nothing_here},
        {"a name that could not be read is taken",
         a_name_that_could_not_be_read_is_taken},
        {"readings of an unset clock are dated by the fix",
         readings_of_an_unset_clock_are_dated_by_the_fix},
        {"what is rescued from a fork is there once",
         what_is_rescued_from_a_fork_is_there_once},
        {"too many gaps are refused", too_many_gaps_are_refused},
        {"senders without seq are told apart by what they say",
         senders_without_seq_are_told_apart_by_what_they_say},
        {"samples of one millisecond are all kept",
         samples_of_one_millisecond_are_all_kept},
        {"pages follow each other without gap or double",
         pages_follow_each_other_without_gap_or_double},
        {"implausible times are kept in one file",
         implausible_times_are_kept_in_one_file},
        {"old months are removed", old_months_are_removed},
        {"a month that is read is removed another time",
         a_month_that_is_read_is_removed_another_time},
        {"what came while a run was saving is remembered",
         what_came_while_a_run_was_saving_is_remembered},
        {"series are listed", series_are_listed},
        {"a callback can stop and limits hold", a_callback_can_stop_and_limits_hold},
        {"stats add up", stats_add_up},
        {"a second writer is refused", a_second_writer_is_refused},
        {"damage in a chunk is reported and ends nothing else",
         damage_in_a_chunk_is_reported_and_ends_nothing_else},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/history", tests);
}
