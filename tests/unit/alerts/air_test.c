// SPDX-License-Identifier: Apache-2.0
#include "alerts/air.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "tests/support/check.h"

#define MINUTE_MS ((int64_t)60000)
#define T0        ((int64_t)1700000000000)
#define DAY_MIN   1440
#define FOR_EVER  100000

_Static_assert(sizeof(struct air_state) <= 256, "one for each channel of air");

static struct air_signals signals_of(enum air_signal door, enum air_signal defrost,
                                     enum air_signal compressor, enum air_signal mains)
{
    return (struct air_signals){
        .door = door, .defrost = defrost, .compressor = compressor, .mains = mains};
}

/* A thermostat's saw: up for 14 minutes, down for 8, between 5 and 6. */
static double cycle_C(int minute)
{
    int at = minute % 22;
    return at < 14 ? 5 + at / 14.0 : 6 - (at - 14) / 8.0;
}

/* What is added to it from a minute on. */
struct shape {
    double rise; /* K/min */
    int rise_min;
    double most_K; /* and no further */
    int stays_min;
    double fall; /* K/min, down to `left_K` */
    double left_K;
    bool stands; /* the saw stands still meanwhile */
};

static double shape_K(const struct shape *shape, int at)
{
    double up_K =
        fmin(shape->rise * (at < shape->rise_min ? at : shape->rise_min), shape->most_K);
    int over_min = at - shape->rise_min - shape->stays_min;
    if (over_min <= 0)
        return up_K;
    return fmax(up_K - shape->fall * over_min, shape->left_K);
}

struct run {
    struct air_state state;
    struct air_settings settings;
    struct air_signals signals;
    int minute;
    int every_min;
    uint64_t seed;
    /* what was seen since run_seen() */
    bool phases[AIR_FAILING + 1];
    double unexplained_min, door_min, defrost_min, recovery_min;
    int told_min; /* when 12 unexplained minutes were reached; 0: never */
    struct air_verdict last;
};

static void run_step(struct run *run, const struct shape *shape, int from)
{
    bool acts = shape != NULL && run->minute >= from;
    double C = cycle_C(acts && shape->stands ? 14 : run->minute);
    if (acts)
        C += shape_K(shape, run->minute - from);
    C += 0.1 * (rng_hash_uniform(run->seed, (uint64_t)run->minute) - 0.5);
    run->last = air_judge(&run->state, &run->settings, T0 + run->minute * MINUTE_MS,
                          round(C * 10) / 10, &run->signals);
    run->phases[run->last.phase] = true;
    run->unexplained_min = fmax(run->unexplained_min, run->last.unexplained_min);
    run->door_min = fmax(run->door_min, run->last.door_min);
    run->defrost_min = fmax(run->defrost_min, run->last.defrost_min);
    run->recovery_min = fmax(run->recovery_min, run->last.recovery_min);
    if (run->told_min == 0 && run->last.unexplained_min >= 12)
        run->told_min = run->minute - from;
    run->minute += run->every_min;
}

static struct run learned(uint64_t seed, int every_min)
{
    struct run run = {.every_min = every_min, .seed = seed};
    while (run.minute < 2 * DAY_MIN)
        run_step(&run, NULL, 0);
    memset(run.phases, 0, sizeof run.phases);
    run.door_min = run.defrost_min = run.unexplained_min = run.told_min = 0;
    return run;
}

static void go(struct run *run, const struct shape *shape, int minutes)
{
    /* At the top of a cycle. */
    int from = run->minute + (14 + 22 - run->minute % 22) % 22;
    while (run->minute < from + minutes)
        run_step(run, run->minute >= from ? shape : NULL, from);
}

static const struct shape usual_defrost = {0.3, 16, 9, 0, 0.3, 0, false};
static const struct shape usual_door = {2.5, 2, 9, 0, 0.5, 0, false};
static const struct shape dead = {0.05, FOR_EVER, 12, 0, 0, 0, true};
static const struct shape door_left = {2, 5, 9, FOR_EVER, 0, 0, true};
static const struct shape endless = {0.3, 30, 9, FOR_EVER, 0, 0, true};
static const struct shape no_recovery = {0.3, 16, 9, 0, 0.3, 2, true};

static void shapes_are_told_apart(void)
{
    static const struct {
        const char *name;
        const struct shape *shape;
        enum air_phase phase; /* that must have been */
        double least_min;     /* unexplained, within two hours */
        double most_min;
    } rows[] = {
        {"nothing", NULL, AIR_STEADY, 0, 0},
        {"a defrost", &usual_defrost, AIR_DEFROST, 0, 3},
        {"a door", &usual_door, AIR_DOOR, 0, 3},
        {"a dead compressor", &dead, AIR_FAILING, 100, 130},
        {"a door left open", &door_left, AIR_DOOR, 60, 120},
        {"a defrost that does not end", &endless, AIR_DEFROST, 30, 120},
        {"a room that does not recover", &no_recovery, AIR_RECOVERING, 40, 120},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct run run = learned(seed, 1);
            go(&run, rows[i].shape, 130);
            CHECK_ROW(rows[i].name, run.phases[rows[i].phase]);
            CHECK_ROW(rows[i].name, run.unexplained_min >= rows[i].least_min);
            CHECK_ROW(rows[i].name, run.unexplained_min <= rows[i].most_min);
            CHECK_ROW(rows[i].name, !run.phases[AIR_UNAVAILABLE]);
        }
    }
}

/* 0.2 K beyond the top, at 0.05 K a minute, it has left the envelope: after 4 minutes. */
static void a_dead_compressor_is_told_within_a_quarter_of_an_hour(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct run run = learned(seed, 1);
        go(&run, &dead, 60);
        CHECK(run.told_min > 0 && run.told_min <= 4 + 15);
        CHECK(run.last.is_above && run.last.phase == AIR_FAILING);
    }
}

static void what_stays_open_or_goes_on_has_minutes_of_its_own(void)
{
    struct run run = learned(3, 1);
    go(&run, &door_left, 60);
    CHECK(run.door_min > 50 && run.defrost_min < 5);
    run = learned(3, 1);
    go(&run, &endless, 90);
    CHECK(run.defrost_min > 75 && run.door_min == 0);
    run = learned(3, 1);
    go(&run, &no_recovery, 90);
    CHECK(run.recovery_min > 50);
}

static void signals_are_believed(void)
{
    struct run run = learned(5, 1);
    run.signals = signals_of(AIR_OFF, AIR_OFF, AIR_OFF, AIR_ON);
    go(&run, &dead, 30);
    CHECK(run.told_min > 0 && run.told_min <= 17);
    /* A compressor that stands still explains nothing while a defrost goes on. */
    run = learned(5, 1);
    run.signals = signals_of(AIR_OFF, AIR_ON, AIR_OFF, AIR_ON);
    go(&run, &usual_defrost, 15);
    CHECK(run.unexplained_min == 0 && run.defrost_min >= 14);
    CHECK(run.last.is_signalled && run.last.phase == AIR_DEFROST);
    /* It is cold inside, and the door stands open all the same. */
    run = learned(5, 1);
    run.signals.door = AIR_ON;
    go(&run, NULL, 40);
    CHECK(run.last.phase == AIR_DOOR && run.door_min >= 40);
    run.signals.door = AIR_OFF;
    go(&run, NULL, 2);
    CHECK(run.last.phase == AIR_STEADY && run.last.door_min == 0);
    /* Both are shut and off: what rises so fast is something else. */
    run = learned(5, 1);
    run.signals = (struct air_signals){.door = AIR_OFF, .defrost = AIR_OFF};
    go(&run, &endless, 25);
    CHECK(run.told_min > 0 && !run.phases[AIR_DEFROST] && !run.phases[AIR_DOOR]);
    /* No mains, and the air is outside. */
    run = learned(5, 1);
    run.signals.mains = AIR_OFF;
    go(&run, &endless, 25);
    CHECK(run.told_min > 0 && run.told_min <= 22);
}

/* It stands still where it should run: that needs no quarter of an hour. */
static void a_compressor_that_stands_still_is_told_sooner(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct run run = learned(seed, 1);
        run.signals = signals_of(AIR_OFF, AIR_OFF, AIR_OFF, AIR_ON);
        go(&run, &dead, 40);
        CHECK(run.told_min > 0 && run.told_min <= 4 + 7);
        /* Neither a defrost nor a door after that is an excuse. */
        run = learned(seed, 1);
        run.signals = signals_of(AIR_OFF, AIR_OFF, AIR_OFF, AIR_ON);
        go(&run, &dead, 12);
        int from = run.minute - 12;
        run.signals.defrost = AIR_ON;
        double before_min = run.last.unexplained_min;
        for (int i = 0; i < 5; i++)
            run_step(&run, &dead, from);
        CHECK(run.last.unexplained_min > before_min + 4);
        CHECK(run.last.phase == AIR_FAILING);
    }
}

/* Warm goods were brought in: it runs, and the air comes back, but slowly. */
static void a_compressor_that_runs_is_given_time(void)
{
    static const struct shape warm_goods = {0.5, 6, 9, 0, 0.02, 0, true};
    static const struct shape runs_for_nothing = {0.05, FOR_EVER, 12, 0, 0, 0, true};
    struct run run = learned(21, 1);
    go(&run, &warm_goods, 130);
    CHECK(run.told_min > 0);
    run = learned(21, 1);
    run.signals = signals_of(AIR_OFF, AIR_OFF, AIR_ON, AIR_ON);
    go(&run, &warm_goods, 130);
    CHECK(run.unexplained_min == 0 && run.phases[AIR_RECOVERING]);
    run = learned(21, 1);
    run.signals = signals_of(AIR_OFF, AIR_OFF, AIR_ON, AIR_ON);
    go(&run, &runs_for_nothing, 60);
    CHECK(run.told_min > 0 && run.told_min <= 4 + 18);
}

/*
 * `far_K` above the envelope, doors of 3 minutes each 40, and a compressor that always
 * runs; returns after how many hours it was told, 0: never.
 */
static double hours_with_doors(double (*far_K)(double hour), int hours)
{
    struct run run = learned(25, 1);
    int from = run.minute;
    for (; run.minute < from + hours * 60; run.minute++) {
        int since_min = (run.minute - from) % 40;
        bool is_open = since_min < 3;
        double door_K =
            is_open ? 0.6 * (since_min + 1) : 1.8 * exp(-(since_min - 3) / 6.0);
        double C = 6.1 + far_K((run.minute - from) / 60.0) + door_K;
        run.signals = signals_of(is_open ? AIR_ON : AIR_OFF, AIR_OFF, AIR_ON, AIR_ON);
        run.last = air_judge(&run.state, &run.settings, T0 + run.minute * MINUTE_MS,
                             round(C * 10) / 10, &run.signals);
        if (run.last.unexplained_min >= 12)
            return (run.minute - from) / 60.0;
    }
    return 0;
}

static double loses_power(double hour)
{
    return 0.4 + 0.05 * hour;
}

static double warm_store(double hour)
{
    return 8 * exp(-hour / 8);
}

/* After each door the air falls back a little, whatever the compressor is worth. */
static void doors_are_no_excuse_for_a_day(void)
{
    double hours = hours_with_doors(loses_power, 14);
    CHECK(hours > 8 && hours < 9);
    CHECK(hours_with_doors(warm_store, 14) == 0);
}

static void mains_that_come_back_are_waited_for(void)
{
    static const struct shape dip = {0.05, 18, 12, 0, 0.2, -0.5, true};
    struct run run = learned(23, 1);
    int from = run.minute + (14 + 22 - run.minute % 22) % 22;
    while (run.minute < from + 60) {
        bool is_dark = run.minute >= from && run.minute < from + 18;
        run.signals = signals_of(AIR_OFF, AIR_OFF, is_dark ? AIR_OFF : AIR_ON,
                                 is_dark ? AIR_OFF : AIR_ON);
        run_step(&run, &dip, from);
    }
    CHECK(run.unexplained_min == 0);
    run = learned(23, 1);
    from = run.minute + (14 + 22 - run.minute % 22) % 22;
    while (run.minute < from + 40) {
        enum air_signal mains = run.minute >= from ? AIR_OFF : AIR_ON;
        run.signals = signals_of(AIR_OFF, AIR_OFF, mains, mains);
        run_step(&run, &dead, from);
    }
    CHECK(run.told_min >= 20 && run.told_min <= 23);
}

/* In mild weather it rises to just above where the compressor starts, and no further. */
static void just_above_for_long_is_outside(void)
{
    static const struct shape mild = {0.02, FOR_EVER, 0.15, 0, 0, 0, true};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct run run = learned(seed, 1);
        go(&run, &mild, 60);
        CHECK(run.told_min > 0 && run.told_min <= 45);
    }
}

/* Cold outside, a full store: for hours nothing has to run. That is not how it is kept.
 */
static void flat_air_is_not_all_there_is(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct run run = {.every_min = 1, .seed = seed};
        struct air_signals none = {0};
        for (; run.minute < 10 * 60; run.minute++) {
            double C = 5.75 + 0.1 * (rng_hash_uniform(seed, (uint64_t)run.minute) - 0.5);
            run.last = air_judge(&run.state, NULL, T0 + run.minute * MINUTE_MS, C, &none);
            CHECK(run.last.phase == AIR_UNAVAILABLE);
        }
        while (run.minute < 2 * DAY_MIN)
            run_step(&run, NULL, 0);
        CHECK(run.unexplained_min == 0 && run.last.phase == AIR_STEADY);
    }
    /* Where it is never otherwise it is learned all the same. */
    struct air_state flat = {0};
    struct air_signals none = {0};
    struct air_verdict verdict = {0};
    for (int minute = 0; minute < 3 * DAY_MIN; minute++)
        verdict = air_judge(&flat, NULL, T0 + minute * MINUTE_MS, 5.75, &none);
    CHECK(verdict.phase == AIR_STEADY && fabs(verdict.most - 5.75) < 0.02);
}

static void what_is_declared_is_believed(void)
{
    struct run run = learned(7, 1);
    run.settings = (struct air_settings){
        .defrost_every_ms = 8 * 60 * MINUTE_MS,
        .defrost_first_ms = T0 + (run.minute - 20) * MINUTE_MS,
    };
    go(&run, &usual_door, 30);
    CHECK(run.phases[AIR_DEFROST] && !run.phases[AIR_DOOR]);
    struct shape long_door = {2, 5, 9, 35, 1, -0.5, true};
    run = learned(7, 1);
    run.settings.door_most_ms = 50 * MINUTE_MS;
    go(&run, &long_door, 70);
    CHECK(run.unexplained_min < 5);
    run = learned(7, 1);
    go(&run, &long_door, 70);
    CHECK(run.unexplained_min > 10);
}

static void a_failure_is_not_learned(void)
{
    struct run run = learned(9, 1);
    double most = run.last.most, least = run.last.least;
    CHECK(most > 5.9 && most < 6.15 && least > 4.85 && least < 5.1);
    go(&run, &dead, 30 * 60);
    CHECK(run.last.phase == AIR_FAILING);
    CHECK(fabs(run.last.most - most) <= 0.05 && fabs(run.last.least - least) <= 0.05);
    /* Another set point is learned, in time. */
    struct shape warmer = {3, 1, 3, FOR_EVER, 0, 0, false};
    run = learned(9, 1);
    go(&run, &warmer, 5 * DAY_MIN);
    CHECK(run.last.phase == AIR_STEADY && fabs(run.last.most - most - 3) < 0.2);
}

static void sparse_readings_tell_nothing_without_signals(void)
{
    struct run run = learned(11, 2);
    go(&run, &dead, 60);
    CHECK(run.told_min > 0 && run.told_min <= 4 + 15);
    run = learned(11, 5);
    go(&run, &dead, 90);
    CHECK(run.last.phase == AIR_UNAVAILABLE && run.last.why == AIR_WHY_SPARSE);
    CHECK(run.unexplained_min == 0);
    run = learned(11, 5);
    run.signals.compressor = AIR_OFF;
    go(&run, &dead, 40);
    CHECK(run.told_min > 0 && run.told_min <= 25);
    struct air_state fresh = {0};
    struct air_signals none = {0};
    struct air_verdict verdict = air_judge(&fresh, NULL, T0, 5, &none);
    CHECK(verdict.phase == AIR_UNAVAILABLE && verdict.why == AIR_WHY_LEARNING);
    CHECK(isnan(verdict.least) && isnan(verdict.most));
    CHECK(verdict.since_ms == T0 && air_lacks_min(&fresh) == 360);
}

/* Whether there is an envelope or not, and also where each reading is behind a gap. */
static void readings_that_are_all_sparse_are_so_from_the_first_on(void)
{
    static const int apart_min[] = {3, 5, 10, 31, 60, 240};
    const struct air_signals none = {0};
    const struct air_signals known = {.compressor = AIR_ON};
    for (size_t i = 0; i < sizeof apart_min / sizeof apart_min[0]; i++) {
        struct air_state state = {0};
        struct air_verdict verdict = {0};
        for (int k = 0; k < 3; k++)
            verdict = air_judge(&state, NULL, T0 + k * apart_min[i] * MINUTE_MS,
                                cycle_C(k * apart_min[i]), &none);
        CHECK(verdict.phase == AIR_UNAVAILABLE && verdict.why == AIR_WHY_SPARSE);
        CHECK(verdict.apart_min == fmin(apart_min[i], 30));
        /* A compressor says more: there is only an envelope to be learned. */
        CHECK(air_last(&state, &known).why == AIR_WHY_LEARNING);
    }
    struct run run = learned(12, 1);
    run.minute += 200; /* one gap, whatever its length */
    run_step(&run, NULL, 0);
    run_step(&run, NULL, 0);
    CHECK(run.last.why == AIR_WHY_NONE && run.last.apart_min < 1.01);
}

static void nonsense_changes_nothing(void)
{
    struct run run = learned(13, 1);
    struct air_signals none = {0};
    struct air_state before = run.state;
    int64_t last_ms = before.last_ms;
    const struct {
        int64_t time_ms;
        double value;
    } rows[] = {{last_ms + 1, (double)NAN},    {last_ms + 1, (double)INFINITY},
                {last_ms + 1, -1e9},           {last_ms, 5},
                {last_ms - 30 * MINUTE_MS, 5}, {INT64_MIN, 5}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct air_verdict verdict =
            air_judge(&run.state, NULL, rows[i].time_ms, rows[i].value, &none);
        CHECK(memcmp(&run.state, &before, sizeof before) == 0);
        CHECK(verdict.phase == run.last.phase && verdict.most == run.last.most);
    }
}

/* After a gap the air may be anywhere, and is given the time that it takes. */
static void a_gap_proves_nothing(void)
{
    struct run run = learned(15, 1);
    run.minute += 10 * 60;
    struct shape warm = {30, 1, 15, 0, 0.5, 0, false};
    go(&run, &warm, 60);
    CHECK(run.unexplained_min < 5);
}

static void it_goes_on_from_what_was_saved(void)
{
    struct run run = learned(17, 1);
    go(&run, &no_recovery, 33);
    struct run again = run;
    memset(&again.state, 0, sizeof again.state);
    struct buf saved = {0};
    air_save(&saved, &run.state);
    CHECK(saved.len <= AIR_SAVED_MAX);
    for (size_t len = 0; len < saved.len; len++) {
        struct buf_reader cut = buf_reader_of(saved.data, len);
        CHECK(air_load(&again.state, &cut) == ERR_CORRUPT && again.state.last_ms == 0);
    }
    for (size_t at = 0; at < saved.len; at++) { /* whatever it reads, it may judge with */
        struct air_state odd = {0};
        saved.data[at] = (char)(saved.data[at] ^ 0x5a);
        struct buf_reader in = buf_reader_of(saved.data, saved.len);
        if (air_load(&odd, &in) == ERR_OK)
            air_judge(&odd, NULL, T0 + 30 * DAY_MIN * MINUTE_MS, 7, &run.signals);
        saved.data[at] = (char)(saved.data[at] ^ 0x5a);
    }
    struct buf_reader in = buf_reader_of(saved.data, saved.len);
    CHECK(air_load(&again.state, &in) == ERR_OK && in.at == saved.len);
    for (int i = 0; i < 3 * DAY_MIN; i++) {
        const struct shape *shape = i % 500 < 100 ? &no_recovery : NULL;
        run_step(&run, shape, run.minute - i % 500);
        run_step(&again, shape, again.minute - i % 500);
        CHECK(run.last.phase == again.last.phase && run.last.most == again.last.most &&
              run.last.unexplained_min == again.last.unexplained_min);
    }
    buf_fini(&saved);
}

/* Version 1 had nine numbers, of which all but the last five are there still. */
static void what_an_older_one_saved_is_read(void)
{
    struct run run = learned(19, 1);
    struct buf saved = {0}, old = {0};
    air_save(&saved, &run.state);
    struct buf_reader in = buf_reader_of(saved.data, saved.len);
    buf_read_u8(&in);
    for (int i = 0; i < 7; i++)
        buf_read_zigzag(&in);
    size_t numbers_at = in.at + 9 * sizeof(double);
    buf_u8(&old, 1);
    buf_add(&old, saved.data + 1, numbers_at - 1);
    size_t rest_at = numbers_at + 5 * sizeof(double);
    size_t nearest_len = 2; /* of air that was never outside, a byte for each number */
    buf_add(&old, saved.data + rest_at, saved.len - rest_at - nearest_len);
    struct run again = run;
    memset(&again.state, 0, sizeof again.state);
    in = buf_reader_of(old.data, old.len);
    CHECK(air_load(&again.state, &in) == ERR_OK && in.at == old.len);
    go(&run, &dead, 60);
    go(&again, &dead, 60);
    CHECK(again.last.phase == AIR_FAILING && again.last.most == run.last.most);
    CHECK(again.told_min > 0 && again.told_min <= run.told_min + 2);
    /* Version 2 ended before these. */
    saved.data[0] = 2;
    in = buf_reader_of(saved.data, saved.len - nearest_len);
    CHECK(air_load(&again.state, &in) == ERR_OK && again.state.envelope.most != 0);
    CHECK(in.at == saved.len - nearest_len);
    buf_fini(&saved);
    buf_fini(&old);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"shapes are told apart", shapes_are_told_apart},
        {"a dead compressor is told within a quarter of an hour",
         a_dead_compressor_is_told_within_a_quarter_of_an_hour},
        {"what stays open or goes on has minutes of its own",
         what_stays_open_or_goes_on_has_minutes_of_its_own},
        {"signals are believed", signals_are_believed},
        {"a compressor that stands still is told sooner",
         a_compressor_that_stands_still_is_told_sooner},
        {"a compressor that runs is given time", a_compressor_that_runs_is_given_time},
        {"doors are no excuse for a day", doors_are_no_excuse_for_a_day},
        {"mains that come back are waited for", mains_that_come_back_are_waited_for},
        {"just above for long is outside", just_above_for_long_is_outside},
        {"flat air is not all there is", flat_air_is_not_all_there_is},
        {"what is declared is believed", what_is_declared_is_believed},
        {"a failure is not learned", a_failure_is_not_learned},
        {"sparse readings tell nothing without signals",
         sparse_readings_tell_nothing_without_signals},
        {"readings that are all sparse are so from the first on",
         readings_that_are_all_sparse_are_so_from_the_first_on},
        {"nonsense changes nothing", nonsense_changes_nothing},
        {"a gap proves nothing", a_gap_proves_nothing},
        {"it goes on from what was saved", it_goes_on_from_what_was_saved},
        {"what an older one saved is read", what_an_older_one_saved_is_read},
        CU_TEST_INFO_NULL,
    };
    return check_run("air", tests);
}
