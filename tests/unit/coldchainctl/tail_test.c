// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "coldchainctl/tail.h"
#include "tests/support/check.h"

#define T0 INT64_C(1795420800000) /* 2026-11-23T08:00:00Z */

static const char *iso(int64_t ms)
{
    static char text[4][CLOCK_ISO_MAX];
    static unsigned at;
    return clock_format_iso(text[at++ % 4], ms);
}

/* What /api/v1/devices says of one device, or of none. */
static void take_count(struct tail *tail, int64_t count, int64_t arrival_ms)
{
    json_t *devices =
        json_pack("[{s:s, s:s, s:I, s:s}]", "org", "o", "id", "d", "readings",
                  (json_int_t)count, "last_arrival", iso(arrival_ms));
    tail_take_devices(tail, devices);
    json_decref(devices);
}

static bool take(struct tail_device *device, int64_t time_ms, int64_t arrival_ms, int seq)
{
    json_t *reading =
        json_pack("{s:s, s:s, s:s, s:f, s:s, s:s, s:i}", "time", iso(time_ms), "channel",
                  "air_temperature", "quality", "good", "value", 4.5, "arrival",
                  iso(arrival_ms), "epoch", "aa", "seq", seq);
    bool is_new = tail_take_reading(device, reading);
    json_decref(reading);
    return is_new;
}

static void what_was_there_is_old(void)
{
    struct tail tail = {0};
    take_count(&tail, 100, T0);
    struct tail_device *device = &tail.devices[0];
    CHECK(!device->is_due);
    take_count(&tail, 101, T0 + 5000);
    CHECK(device->is_due);
    CHECK(!take(device, T0 - 1000, T0 - 500, 1));
    CHECK(!take(device, T0 - 1000, T0, 2));
    CHECK(take(device, T0 + 4000, T0 + 5000, 3));
    CHECK(!take(device, T0 + 4000, T0 + 5000, 3));
    tail_end_read(device);
    CHECK(!device->is_due && device->owed == 0);
    tail_fini(&tail);
}

static void a_device_that_comes_later_is_new_from_its_first_reading(void)
{
    struct tail tail = {0};
    take_count(&tail, 1, T0);
    json_t *devices = json_pack("[{s:s, s:s, s:i, s:s}]", "org", "o", "id", "other",
                                "readings", 2, "last_arrival", iso(T0 + 1000));
    tail_take_devices(&tail, devices);
    json_decref(devices);
    CHECK(tail.device_count == 2);
    CHECK(tail.devices[1].is_due && tail.devices[1].owed == 2);
    CHECK(take(&tail.devices[1], T0 - 86400000, T0 + 900, 1));
    tail_fini(&tail);
}

/* The count says how many there are: they are looked for farther and farther back. */
static void late_readings_are_looked_for(void)
{
    struct tail tail = {0};
    take_count(&tail, 10, T0);
    struct tail_device *device = &tail.devices[0];
    take_count(&tail, 11, T0 + 1000);
    int64_t from_ms = tail_read_from(device);
    CHECK(from_ms > T0 - 3600000 && from_ms < T0);
    unsigned reads = 0;
    while (tail_read_from(device) > T0 - INT64_C(20) * 86400000 && reads < 20) {
        tail_end_read(device);
        CHECK(device->is_due);
        reads++;
    }
    CHECK(reads >= 3 && reads < 10);
    CHECK(take(device, T0 - INT64_C(20) * 86400000, T0 + 1000, 7));
    tail_end_read(device);
    CHECK(!device->is_due);
    CHECK(tail_read_from(device) > T0 - 3600000);
    tail_fini(&tail);
}

static void what_is_counted_and_not_kept_is_given_up(void)
{
    struct tail tail = {0};
    take_count(&tail, 10, T0);
    struct tail_device *device = &tail.devices[0];
    take_count(&tail, 15, T0 + 1000);
    int reads = 0;
    for (; device->is_due && reads < 50; reads++)
        tail_end_read(device);
    CHECK(reads > 3 && reads < 50);
    CHECK(device->owed == 0);
    tail_fini(&tail);
}

/* A pack that waits for a gap is in the history before it is counted. */
static void given_before_it_is_counted(void)
{
    struct tail tail = {0};
    take_count(&tail, 10, T0);
    struct tail_device *device = &tail.devices[0];
    take_count(&tail, 10, T0 + 1000);
    CHECK(device->is_due);
    CHECK(take(device, T0, T0 + 1000, 2));
    tail_end_read(device);
    CHECK(device->owed == -1);
    take_count(&tail, 12, T0 + 5000);
    CHECK(device->owed == 1);
    CHECK(take(device, T0 - 1, T0 + 5000, 1));
    CHECK(!take(device, T0, T0 + 1000, 2));
    tail_end_read(device);
    CHECK(!device->is_due);
    tail_fini(&tail);
}

static void a_collector_that_counts_again_owes_nothing(void)
{
    struct tail tail = {0};
    take_count(&tail, 100, T0);
    struct tail_device *device = &tail.devices[0];
    take_count(&tail, 80, T0);
    CHECK(!device->is_due);
    take_count(&tail, 100, T0);
    CHECK(!device->is_due && device->owed == 0);
    take_count(&tail, 101, T0 + 1000);
    CHECK(device->owed == 1);
    tail_fini(&tail);
}

static void what_is_old_needs_no_memory(void)
{
    struct tail tail = {0};
    take_count(&tail, 0, T0);
    struct tail_device *device = &tail.devices[0];
    for (int i = 1; i <= 2000; i++) {
        int64_t at_ms = T0 + i * INT64_C(10000);
        take_count(&tail, i, at_ms);
        CHECK(take(device, at_ms - 5000, at_ms, i));
        CHECK(i < 3 || !take(device, at_ms - 25000, at_ms - 20000, i - 2));
        tail_end_read(device);
    }
    CHECK(device->key_count <= 100);
    CHECK(!take(device, T0 + 5000, T0 + 10000, 1));
    tail_fini(&tail);
}

static void steps_of_incidents_are_given_once(void)
{
    static const struct {
        const char *name;
        const char *id;
        int revision;
        bool is_start;
        bool want;
        int64_t want_since;
    } rows[] = {
        {"there at the start", "a", 2, true, false, 2},
        {"nothing happened", "a", 2, false, false, 2},
        {"one more step", "a", 3, false, true, 2},
        {"a new one", "b", 2, false, true, 0},
        {"and again", "b", 2, false, false, 2},
    };
    struct tail tail = {0};
    int64_t since;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *incident =
            json_pack("{s:s, s:i}", "id", rows[i].id, "revision", rows[i].revision);
        CHECK_ROW(rows[i].name, tail_take_incident(&tail, incident, rows[i].is_start,
                                                   &since) == rows[i].want);
        CHECK_ROW(rows[i].name, since == rows[i].want_since);
        json_decref(incident);
    }
    tail_undo_incident(&tail, "b", 0);
    json_t *again = json_pack("{s:s, s:i}", "id", "b", "revision", 2);
    CHECK(tail_take_incident(&tail, again, false, &since) && since == 0);
    json_decref(again);
    tail_fini(&tail);
}

static void zones_are_those_of_the_time(void)
{
    static const struct {
        const char *name;
        const char *channel;
        int64_t time_ms;
        const char *want;
    } rows[] = {
        {"of the whole device", "humidity", T0, "room-1"},
        {"of the channel alone", "air_temperature", T0, "door"},
        {"after it moved", "humidity", T0 + 60000, "room-2"},
        {"before it was placed", "humidity", T0 - 1, "-"},
    };
    json_t *placements = json_pack(
        "[{s:s, s:s, s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s, s:s, s:n}, {s:s, s:s, s:s, "
        "s:s, s:n, s:n}, {s:s, s:s, s:s, s:s, s:n, s:n}]",
        "org", "o", "device", "d", "channel", "", "zone", "room-1", "from", iso(T0), "to",
        iso(T0 + 60000), "org", "o", "device", "d", "channel", "", "zone", "room-2",
        "from", iso(T0 + 60000), "to", "org", "o", "device", "d", "channel",
        "air_temperature", "zone", "door", "from", "to", "org", "p", "device", "d",
        "channel", "", "zone", "theirs", "from", "to");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *reading = json_pack("{s:s, s:s}", "channel", rows[i].channel, "time",
                                    iso(rows[i].time_ms));
        CHECK_TEXT(tail_zone_of(placements, reading, "o", "d"), rows[i].want);
        json_decref(reading);
    }
    json_decref(placements);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what was there at the start is old", what_was_there_is_old},
        {"a device that comes later is new from its first reading",
         a_device_that_comes_later_is_new_from_its_first_reading},
        {"late readings are looked for, farther and farther back",
         late_readings_are_looked_for},
        {"what is counted and not kept is given up",
         what_is_counted_and_not_kept_is_given_up},
        {"what was given before it was counted is not owed", given_before_it_is_counted},
        {"a collector that counts again owes nothing",
         a_collector_that_counts_again_owes_nothing},
        {"what is old needs no memory", what_is_old_needs_no_memory},
        {"steps of incidents are given once", steps_of_incidents_are_given_once},
        {"zones are those of the time", zones_are_those_of_the_time},
        CU_TEST_INFO_NULL,
    };
    return check_run("tail", tests);
}
