// SPDX-License-Identifier: Apache-2.0
/* How long until the goods are out of their band, beside what is wrong. */
#include "alerts/harm.h"

#include <jansson.h>

#include "alerts/zones.h"
#include "base/mem.h"
#include "tests/unit/alerts/story.h"

#define MIN   60
#define H     3600
#define BEGIN (10 * H) /* of what happens */
#define TAU_H 5.0

static bool near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        printf("\n  got %.9g, want %.9g", got, want);
    return fabs(got - want) <= tolerance;
}

/* ---- the look --------------------------------------------------------------------- */

static struct product goods(double low, double mid, double high, double tau_h)
{
    return (struct product){
        .C = {low, mid, high},
        .coldest_C = mid,
        .warmest_C = mid,
        .body = {.tau_h = tau_h, .fastest_h = tau_h / 1.5, .slowest_h = tau_h * 1.5}};
}

static void a_look_says_what_is_and_what_comes(void)
{
    static const struct {
        const char *name;
        double air, low, high, goods;
        bool is_freezing;
        enum harm_outlook outlook;
        bool is_cold;
        double minutes;
    } rows[] = {
        {"warm air", 9.4, 0, 8, 5, false, HARM_COMES, false, 343.54},
        {"air that leads nowhere", 7.2, 0, 8, 5, false, HARM_STAYS, false, 0},
        {"goods that are warm", 7.2, 0, 8, 8, false, HARM_THERE, false, 0},
        {"warm air, about frost", 9.4, 0, 8, 5, true, HARM_COMES, false, 343.54},
        {"frost", -4, 0, 8, 2, true, HARM_COMES, true, 121.6},
        {"frost, about warmth", -4, 0, 8, 2, false, HARM_COMES, true, 121.6},
        {"chill that is none", 0.5, 0, 8, 2, true, HARM_STAYS, true, 0},
        {"chilled goods", 0.5, 0, 8, -1, true, HARM_THERE, true, 0},
        {"open above", 30, 0, NAN, 5, false, HARM_UNSAID, false, 0},
        {"open below", -9, NAN, 8, 5, true, HARM_UNSAID, true, 0},
        {"a freezer", -10, NAN, -15, -20, false, HARM_COMES, false, 207.9},
        {"no band", 9.4, NAN, NAN, 5, false, HARM_UNSAID, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct harm_air air = {T0, rows[i].air, rows[i].low, rows[i].high};
        const double C = rows[i].goods;
        const struct product product = goods(C, C, C, TAU_H);
        struct harm harm = harm_look(&air, &product, rows[i].is_freezing);
        CHECK_ROW(rows[i].name, harm.outlook == rows[i].outlook);
        CHECK_ROW(rows[i].name, harm.is_cold == rows[i].is_cold);
        CHECK_ROW(rows[i].name, harm.air_C == rows[i].air && harm.at_ms == T0);
        CHECK_ROW(rows[i].name, harm.has_goods && harm.goods_C.mid == rows[i].goods);
        CHECK_ROW(rows[i].name, near(harm.minutes.mid, rows[i].minutes, 0.1));
        CHECK_ROW(rows[i].name, near(harm.minutes.low, rows[i].minutes / 1.5, 0.1));
        CHECK_ROW(rows[i].name, near(harm.minutes.high, rows[i].minutes * 1.5, 0.1));
    }
}

/* What is general of packed goods is a range, and never called an estimate. */
static void where_tau_is_from_is_said(void)
{
    static const struct {
        const char *name;
        struct thermal_body body;
        bool is_fitted;
        enum harm_basis basis;
    } rows[] = {
        {"of the zone", {6, 4, 9}, false, HARM_STATED},
        {"as slow as a dense stack, and said so", {10, 10 / 1.5, 15}, false, HARM_STATED},
        {"packed goods", {10, 2.5, 10}, false, HARM_ASSUMED},
        {"goods of which nothing is said", {4, 1, 12}, false, HARM_ASSUMED},
        {"by a probe", {10, 2.5, 10}, true, HARM_FITTED},
    };
    const struct harm_air air = {T0, 12, 0, 8};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct product product = goods(4, 5, 6, 1);
        product.body = rows[i].body;
        product.is_fitted = rows[i].is_fitted;
        struct harm harm = harm_look(&air, &product, false);
        CHECK_ROW(rows[i].name, harm.outlook == HARM_COMES);
        CHECK_ROW(rows[i].name, harm.basis == rows[i].basis);
        CHECK_ROW(rows[i].name,
                  isnan(harm.minutes.mid) == (rows[i].basis == HARM_ASSUMED));
        CHECK_ROW(rows[i].name, near(harm.minutes.low,
                                     60 * rows[i].body.fastest_h * log(6 / 4.0), 0.01));
        CHECK_ROW(rows[i].name, near(harm.minutes.high,
                                     60 * rows[i].body.slowest_h * log(8 / 4.0), 0.01));
        CHECK_ROW(rows[i].name, harm.tau_low_h == rows[i].body.fastest_h);
    }
}

static void goods_that_came_in_warm_are_those_that_count(void)
{
    const struct harm_air warm = {T0, 12, 0, 8};
    const struct harm_air cold = {T0, -4, 0, 8};
    struct product product = goods(3, 4, 5, TAU_H);
    product.warmest_C = 7;
    product.coldest_C = 1;
    struct harm harm = harm_look(&warm, &product, false);
    CHECK(harm.goods_C.low == 7 && harm.goods_C.mid == 7 && harm.goods_C.high == 7);
    CHECK(near(harm.minutes.mid, 60 * TAU_H * log(5 / 4.0), 0.01));
    harm = harm_look(&cold, &product, true);
    CHECK(harm.goods_C.low == 1 && harm.goods_C.mid == 1 && harm.goods_C.high == 1);
    CHECK(near(harm.minutes.mid, 60 * TAU_H * log(5 / 4.0), 0.01));
}

static void what_is_written_is_read(void)
{
    const struct harm_air airs[] = {{T0, 9.4, 0, 8}, {T0, 7, NAN, 8}, {T0, -3, -1, NAN}};
    const struct product products[] = {goods(4.8, 5.1, 5.6, TAU_H), goods(8, 9, 9.5, 3),
                                       goods(NAN, NAN, NAN, 3)};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            char text[HARM_TEXT_SIZE];
            char again[HARM_TEXT_SIZE];
            struct harm back;
            struct harm harm = harm_look(&airs[i], &products[j], i == 2);
            harm_format(text, &harm);
            CHECK_ROW(text, strlen(text) > 100 && harm_parse(&back, text));
            harm_format(again, &back);
            CHECK_TEXT(again, text);
            CHECK_ROW(text, back.at_ms == harm.at_ms && back.has_goods == (j < 2));
        }
    }
    static const char unknown[] =
        "{\"at_ms\":1,\"air\":1,\"outlook\":\"bright\",\"goods\":null}";
    static const char *const bad[] = {"x", "{}", "[]", "{\"at_ms\":1}", unknown};
    struct harm none = {.at_ms = 1};
    CHECK(harm_parse(&none, "") && none.at_ms == 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ROW(bad[i], !harm_parse(&none, bad[i]) && none.at_ms == 0);
    json_t *null = harm_to_json(&none);
    CHECK(json_is_null(null));
    json_decref(null);
}

/* ---- from an engine --------------------------------------------------------------- */

static double thermostat(int64_t at_s)
{
    double minute = (double)(at_s / MIN % 20);
    return minute < 12 ? 2 + minute / 6 : 4 - (minute - 12) / 4;
}

static double dead_compressor(int64_t at_s)
{
    if (at_s < BEGIN)
        return thermostat(at_s);
    return 20 - 16 * exp(-(double)(at_s - BEGIN) / (4.0 * H));
}

static double freezes(int64_t at_s)
{
    if (at_s < BEGIN)
        return thermostat(at_s);
    return -10 + 14 * exp(-(double)(at_s - BEGIN) / (4.0 * H));
}

/* What is told until something opens is kept; all else is passed over. */
struct seen {
    struct alerts *alerts;
    struct alert_sink sink;
    struct incident opened;
    struct incident last;
    struct thermal core; /* the same goods, followed here */
    double air;
};

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct seen *seen = context;
    seen->last = *incident;
    if (kind == ALERT_EFFECT_OPENED && seen->opened.id[0] == '\0')
        seen->opened = *incident;
}

static void seen_begin(struct seen *seen, const struct alert_rule *rules, size_t count)
{
    struct err_text why = {""};
    *seen = (struct seen){.alerts = alerts_create()};
    seen->sink = (struct alert_sink){.context = seen, .effect = on_effect};
    CHECK(alerts_set_rules(seen->alerts, rules, count, T0, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
}

static const struct thermal_body body = {
    .tau_h = TAU_H, .fastest_h = TAU_H / 1.5, .slowest_h = TAU_H * 1.5};

static void set_room(struct seen *seen)
{
    const struct alert_room room = {
        .body = body, .has_band = true, .band_low_C = 0, .band_high_C = 8};
    alerts_set_room(seen->alerts, "room-1", &room);
}

static void read_one(struct seen *seen, const char *channel, const char *quantity,
                     int64_t at_s, double value)
{
    struct alert_reading reading = story_reading(channel, at_s, value);
    reading.quantity = quantity;
    alerts_reading(seen->alerts, &reading, &seen->sink);
}

/* Until an incident opens, or 8 h after what happens. */
static int64_t live(struct seen *seen, double (*air_at)(int64_t at_s), int64_t from_s)
{
    int64_t at_s = from_s;
    for (; at_s < BEGIN + 8 * H && seen->opened.id[0] == '\0'; at_s += MIN) {
        double air = air_at(at_s);
        if (at_s == 0)
            seen->core = thermal_known(air, 0);
        else
            thermal_step(&seen->core, &body, seen->air, MIN / 3600.0);
        seen->air = air;
        read_one(seen, "air_temperature", "air_temperature", at_s, air);
    }
    return at_s - MIN;
}

static struct alert_rule rule_of(const char *id, const char *quantity,
                                 enum alert_kind kind, double level)
{
    struct alert_rule rule = rule_above(id, level, level, 0, 0);
    snprintf(rule.quantity, ID_SIZE, "%s", quantity);
    rule.kind = kind;
    return rule;
}

static void a_failure_says_how_long_the_goods_bear_it(void)
{
    struct seen seen;
    struct alert_rule rule =
        rule_of("cooling", "air_temperature", ALERT_COOLING_FAILED, 30);
    seen_begin(&seen, &rule, 1);
    set_room(&seen);
    int64_t at_s = live(&seen, dead_compressor, 0);
    const struct harm *harm = &seen.opened.harm;
    CHECK(seen.opened.kind == ALERT_COOLING_FAILED && at_s > BEGIN);
    CHECK(harm->at_ms == T0 + at_s * 1000 && harm->air_C == dead_compressor(at_s));
    CHECK(harm->band_low_C == 0 && harm->band_high_C == 8);
    CHECK(harm->has_goods && harm->basis == HARM_STATED && !harm->is_cold);
    CHECK(near(harm->goods_C.low, seen.core.low, 1e-9));
    CHECK(near(harm->goods_C.mid, seen.core.mid, 1e-9));
    CHECK(near(harm->goods_C.high, seen.core.high, 1e-9));
    CHECK(harm->outlook ==
          HARM_STAYS); /* the air is at 6: it says nothing of what comes */
    alerts_destroy(seen.alerts);
}

/* Later, when it gets graver, the air is beyond the band. */
static void what_gets_graver_is_looked_at_anew(void)
{
    struct seen seen;
    struct alert_rule rule =
        rule_of("cooling", "air_temperature", ALERT_COOLING_FAILED, 30);
    rule_add_critical(&rule, 180, 180, 0, 0);
    seen_begin(&seen, &rule, 1);
    set_room(&seen);
    int64_t at_s = live(&seen, dead_compressor, 0);
    for (; seen.last.severity != ALERT_CRITICAL && at_s < BEGIN + 8 * H;) {
        at_s += MIN;
        thermal_step(&seen.core, &body, seen.air, MIN / 3600.0);
        seen.air = dead_compressor(at_s);
        read_one(&seen, "air_temperature", "air_temperature", at_s, seen.air);
    }
    const struct harm *harm = &seen.last.harm;
    struct thermal hours;
    CHECK(seen.last.severity == ALERT_CRITICAL && harm->outlook == HARM_COMES);
    CHECK(harm->air_C == dead_compressor(at_s) && harm->air_C > 8);
    CHECK(thermal_reach(&seen.core, &body, harm->air_C, 8, true, &hours));
    CHECK(near(harm->minutes.mid, hours.mid * 60, 1e-6) && hours.mid > 0.1);
    CHECK(harm->minutes.low < harm->minutes.mid &&
          harm->minutes.mid < harm->minutes.high);
    /* what a person does to it says it as it is; what is over says nothing */
    read_one(&seen, "air_temperature", "air_temperature", at_s + MIN, 15);
    CHECK(alerts_acknowledge(seen.alerts, seen.opened.id, "p", T0, &seen.sink) == ERR_OK);
    CHECK(seen.last.harm.air_C == 15);
    CHECK(alerts_incident(seen.alerts, seen.opened.id)->harm.air_C == 15);
    CHECK(alerts_close(seen.alerts, seen.opened.id, T0, &seen.sink) == ERR_OK);
    CHECK(seen.last.state == INCIDENT_CLOSED && seen.last.harm.at_ms == 0);
    alerts_destroy(seen.alerts);
}

static void frost_is_looked_at_from_the_other_side(void)
{
    struct seen seen;
    struct alert_rule rule = rule_of("frost", "air_temperature", ALERT_BELOW, -3);
    rule.unless = 1u << ALERT_REASON_DOOR;
    seen_begin(&seen, &rule, 1);
    set_room(&seen);
    (void)live(&seen, freezes, 0);
    const struct harm *harm = &seen.opened.harm;
    struct thermal hours;
    CHECK(seen.opened.kind == ALERT_BELOW && harm->is_cold);
    CHECK(harm->outlook == HARM_COMES && harm_limit_C(harm) == 0);
    CHECK(thermal_reach(&seen.core, &body, harm->air_C, 0, false, &hours));
    CHECK(near(harm->minutes.low, hours.low * 60, 1e-6));
    CHECK(near(harm->minutes.mid, hours.mid * 60, 1e-6));
    CHECK(near(harm->minutes.high, hours.high * 60, 1e-6));
    alerts_destroy(seen.alerts);
}

/* A door has no air of its own: the zone's that is farthest out of its band is looked at,
 * until that is heard no more. */
static void a_door_looks_at_the_zones_worst_air(void)
{
    struct alert_rule rules[] = {rule_of("door", "door", ALERT_DOOR_OPEN, 5),
                                 rule_of("hot", "air_temperature", ALERT_ABOVE, 50),
                                 rule_of("mains", "mains", ALERT_MAINS_LOST, 5)};
    static const struct {
        const char *name;
        const char *quantity;
        double second;      /* the other probe's air */
        int64_t silent_min; /* since when the air is not heard */
        double want;
    } rows[] = {
        {"the first", "door", 4, 0, 9},
        {"the second", "door", 12, 0, 12},
        {"the mains", "mains", 12, 0, 12},
        {"frost", "door", -6, 0, -6},
        {"not heard for long", "door", 4, 20, NAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen;
        seen_begin(&seen, rules, 3);
        set_room(&seen);
        bool is_mains = strcmp(rows[i].quantity, "mains") == 0;
        for (int64_t minute = 0; minute < 60; minute++) {
            if (minute < 48 - rows[i].silent_min) {
                read_one(&seen, "air_temperature-1", "air_temperature", minute * MIN, 9);
                read_one(&seen, "air_temperature-2", "air_temperature", minute * MIN + 1,
                         rows[i].second);
            }
            read_one(&seen, rows[i].quantity, rows[i].quantity, minute * MIN + 2,
                     (minute > 40) != is_mains);
        }
        CHECK_ROW(rows[i].name, seen.opened.id[0] != '\0');
        const struct harm *harm = &seen.opened.harm;
        if (isnan(rows[i].want))
            CHECK_ROW(rows[i].name, harm->at_ms == 0);
        else
            CHECK_ROW(rows[i].name,
                      harm->air_C == rows[i].want && harm->outlook != HARM_UNSAID);
        alerts_destroy(seen.alerts);
    }
}

static void nothing_is_said_of_goods_where_the_band_is_not_theirs(void)
{
    static const struct {
        const char *name;
        enum alert_reason reason;
        bool has_goods;
    } rows[] = {
        {"off duty", ALERT_REASON_OFF_DUTY, false},
        {"a planned step", ALERT_REASON_PLANNED_STEP, false},
        {"maintenance", ALERT_REASON_MAINTENANCE, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen;
        struct alert_rule rule =
            rule_of("cooling", "air_temperature", ALERT_COOLING_FAILED, 30);
        rule.is_safety = true;
        seen_begin(&seen, &rule, 1);
        set_room(&seen);
        alerts_declare(seen.alerts, "room-1", rows[i].reason, T0, INT64_MAX);
        (void)live(&seen, dead_compressor, 0);
        CHECK_ROW(rows[i].name, seen.opened.harm.at_ms != 0);
        CHECK_ROW(rows[i].name, seen.opened.harm.air_C > 4);
        CHECK_ROW(rows[i].name, seen.opened.harm.has_goods == rows[i].has_goods);
        CHECK_ROW(rows[i].name,
                  isnan(seen.opened.harm.band_high_C) == !rows[i].has_goods);
        alerts_destroy(seen.alerts);
    }
}

static void what_is_derived_is_of_its_own_air(void)
{
    struct seen seen;
    struct alert_rule rule = rule_of("warm", "product_temperature", ALERT_ABOVE, 6);
    seen_begin(&seen, &rule, 1);
    set_room(&seen);
    for (int64_t minute = 0; minute < 600 && seen.opened.id[0] == '\0'; minute++) {
        read_one(&seen, "air_temperature-a", "air_temperature", minute * MIN,
                 minute < 60 ? 3 : 11);
        read_one(&seen, "air_temperature-b", "air_temperature", minute * MIN + 1,
                 30 - 26);
    }
    CHECK_TEXT(seen.opened.channel, "product_temperature-esta");
    CHECK(seen.opened.harm.air_C == 11 && seen.opened.harm.outlook == HARM_COMES);
    CHECK(near(seen.opened.harm.goods_C.mid, seen.opened.value, 1e-9));
    alerts_destroy(seen.alerts);
}

static void what_is_no_failure_says_nothing(void)
{
    struct seen seen;
    struct alert_rule rules[] = {
        rule_of("cooling", "air_temperature", ALERT_COOLING_FAILED, 3000),
        rule_of("still", "air_temperature", ALERT_STUCK, 30),
    };
    seen_begin(&seen, rules, 2);
    set_room(&seen);
    for (int64_t minute = 0; minute < 60; minute++)
        read_one(&seen, "air_temperature", "air_temperature", minute * MIN, 4);
    CHECK(seen.opened.kind == ALERT_STUCK && seen.opened.harm.at_ms == 0);
    alerts_destroy(seen.alerts);
}

/* ---- through a restart ------------------------------------------------------------ */

static void put_back(void *context, const char *key, const void *data, size_t len)
{
    struct seen *to = context;
    CHECK_ROW(key, len == 0 || alerts_load(to->alerts, key, data, len) == ERR_OK);
}

/* What a broken sensor says first must not be what nobody can load again. */
static void nonsense_can_be_loaded_again(void)
{
    static const double values[] = {850, -999, 3276.7, 9.9e37, 1e300};
    const struct alert_rule rules[] = {
        rule_of("cooling", "air_temperature", ALERT_COOLING_FAILED, 30),
        rule_of("door", "door", ALERT_DOOR_OPEN, 15)};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct seen seen;
        struct seen next;
        seen_begin(&seen, rules, 2);
        set_room(&seen);
        read_one(&seen, "air_temperature", "air_temperature", 0, values[i]);
        seen_begin(&next, rules, 2);
        alerts_save_changed(seen.alerts, &next, put_back);
        /* Nor is it the zone's worst air while another one says what it is. */
        for (int64_t at_s = MIN; at_s < 30 * MIN; at_s += MIN) {
            read_one(&next, "air_temperature-2", "air_temperature", at_s, 9);
            read_one(&next, "air_temperature", "air_temperature", at_s, values[i]);
            read_one(&next, "door", "door", at_s + 1, 1);
        }
        CHECK(next.opened.kind == ALERT_DOOR_OPEN);
        CHECK(next.opened.harm.air_C == 9);
        alerts_destroy(seen.alerts);
        alerts_destroy(next.alerts);
    }
}

/* Saved and loaded behind every tenth minute, the words are the same. */
static void a_restart_changes_no_word(void)
{
    struct alert_rule rules[] = {
        rule_of("cooling", "air_temperature", ALERT_COOLING_FAILED, 30),
        rule_of("door", "door", ALERT_DOOR_OPEN, 700)};
    for (size_t turn = 0; turn < 2; turn++) {
        struct seen steady;
        struct seen broken;
        bool is_door = turn == 1;
        if (is_door)
            rules[0].levels[0].level = rules[0].levels[0].recovery_level = 3000;
        seen_begin(&steady, rules, 2);
        set_room(&steady);
        seen_begin(&broken, rules, 2);
        set_room(&broken);
        for (int64_t at_s = 0; at_s < BEGIN + 3 * H; at_s += MIN) {
            double air = dead_compressor(at_s);
            read_one(&steady, "air_temperature", "air_temperature", at_s, air);
            read_one(&broken, "air_temperature", "air_temperature", at_s, air);
            if (at_s / MIN % 10 == 9) {
                struct seen next;
                seen_begin(&next, rules, 2);
                next.opened = broken.opened;
                alerts_save_changed(broken.alerts, &next, put_back);
                /* entities that did not change are not in it: all do, in ten minutes */
                alerts_destroy(broken.alerts);
                broken.alerts = next.alerts;
            }
            read_one(&steady, "door", "door", at_s + 1, is_door);
            read_one(&broken, "door", "door", at_s + 1, is_door);
        }
        char want[HARM_TEXT_SIZE];
        char got[HARM_TEXT_SIZE];
        harm_format(want, &steady.opened.harm);
        harm_format(got, &broken.opened.harm);
        CHECK(steady.opened.kind == (is_door ? ALERT_DOOR_OPEN : ALERT_COOLING_FAILED));
        CHECK(strlen(want) > 100);
        CHECK_TEXT(got, want);
        alerts_destroy(steady.alerts);
        alerts_destroy(broken.alerts);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a look says what is and what comes", a_look_says_what_is_and_what_comes},
        {"where tau is from is said", where_tau_is_from_is_said},
        {"goods that came in warm are those that count",
         goods_that_came_in_warm_are_those_that_count},
        {"what is written is read", what_is_written_is_read},
        {"a failure says how long the goods bear it",
         a_failure_says_how_long_the_goods_bear_it},
        {"what gets graver is looked at anew", what_gets_graver_is_looked_at_anew},
        {"frost is looked at from the other side",
         frost_is_looked_at_from_the_other_side},
        {"a door looks at the zone's worst air", a_door_looks_at_the_zones_worst_air},
        {"nothing is said of goods where the band is not theirs",
         nothing_is_said_of_goods_where_the_band_is_not_theirs},
        {"what is derived is of its own air", what_is_derived_is_of_its_own_air},
        {"what is no failure says nothing", what_is_no_failure_says_nothing},
        {"nonsense can be loaded again", nonsense_can_be_loaded_again},
        {"a restart changes no word", a_restart_changes_no_word},
        CU_TEST_INFO_NULL,
    };
    return check_run("harm", tests);
}
