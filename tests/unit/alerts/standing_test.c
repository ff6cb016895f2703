// SPDX-License-Identifier: Apache-2.0
/* What each rule of a zone can judge right now, and how warm its goods are taken to be.
 */
#include "alerts/standing.h"

#include "alerts/zones.h"
#include "base/mem.h"
#include "tests/unit/alerts/story.h"

#define MIN 60
#define H   3600

static void put_standing(void *context, const struct standing *standing)
{
    struct story *story = context;
    buf_format(&story->log, "%s%s %s/%s %s", story->log.len > 0 ? "; " : "",
               standing->rule, standing->device, standing->channel,
               standing_state_name(standing->state));
    if (standing->why != STANDING_NONE)
        buf_format(&story->log, " %s", standing_why_name(standing->why));
    if (standing->state == STANDING_HELD_BACK)
        buf_format(&story->log, " %s", alert_reason_name(standing->reason));
    if (standing->since_ms != 0)
        buf_format(&story->log, " since %" PRId64, story_s(standing->since_ms));
    if (standing->left_ms != 0)
        buf_format(&story->log, " left %" PRId64, standing->left_ms / 60000);
    if (standing->unseen != STANDING_NONE)
        buf_format(&story->log, " (unseen: %s)", standing_why_name(standing->unseen));
    if (!isnan(standing->measure))
        buf_format(&story->log, " = %.4g", standing->measure);
    CHECK((standing->state == STANDING_FIRING) == (standing->incident[0] != '\0'));
    CHECK(standing->incident[0] == '\0' ||
          alerts_incident(story->alerts, standing->incident) != NULL);
}

static const char *stands(struct story *story, int64_t at_s)
{
    buf_clear(&story->log);
    alerts_standing(story->alerts, "room-1", T0 + at_s * 1000, story, put_standing);
    return story_told(story);
}

static struct alert_rule rule_of(const char *id, enum alert_kind kind,
                                 const char *quantity)
{
    struct alert_rule rule = rule_above(id, 80, 80, 0, 0);
    rule.kind = kind;
    rule.limit = 8;
    rule.window_ms = alert_kind_has_window(kind) ? (int64_t)2 * H * 1000 : 0;
    if (kind == ALERT_BELOW || kind == ALERT_PREDICTED)
        rule.levels[0].level = rule.levels[0].recovery_level = 0.001;
    snprintf(rule.quantity, sizeof rule.quantity, "%s", quantity);
    return rule;
}

static void begin(struct story *story, const struct alert_rule *rules, size_t count)
{
    story_begin(story);
    story_rules(story, rules, count);
}

static void read_as(struct story *story, const char *device, const char *quantity,
                    int64_t at_s, double value)
{
    struct alert_reading reading = story_reading(quantity, at_s, value);
    reading.device = device;
    reading.quantity = quantity;
    alerts_reading(story->alerts, &reading, &story->sink);
}

static double thermostat(int64_t at_s)
{
    double minute = (double)(at_s / MIN % 20);
    return minute < 12 ? 2 + minute / 6 : 4 - (minute - 12) / 4;
}

static void breathe(struct story *story, int64_t from_s, int64_t to_s, int64_t every_s)
{
    for (int64_t at_s = from_s; at_s <= to_s; at_s += every_s)
        story_read(story, at_s, thermostat(at_s));
}

static void a_rule_of_shapes_says_what_it_lacks(void)
{
    struct story story;
    struct alert_rule rule = rule_of("cold", ALERT_COOLING_FAILED, "air_temperature");
    rule.levels[0].level = rule.levels[0].recovery_level = 10;
    begin(&story, &rule, 1);
    CHECK_TEXT(stands(&story, 0), "cold / unavailable not_measured");
    alerts_expect(story.alerts, "room-1", "dev-1", "air_temperature", "air_temperature",
                  T0);
    CHECK_TEXT(stands(&story, 0),
               "cold dev-1/air_temperature unavailable not_heard since 0");
    story_bad(&story, 30);
    CHECK_TEXT(stands(&story, 30),
               "cold dev-1/air_temperature unavailable not_heard since 0");
    breathe(&story, MIN, MIN, MIN);
    CHECK_TEXT(stands(&story, MIN),
               "cold dev-1/air_temperature unavailable learning since 60 left 360");
    breathe(&story, 2 * MIN, 3 * H, MIN);
    CHECK_TEXT(stands(&story, 3 * H),
               "cold dev-1/air_temperature unavailable learning since 60 left 186");
    breathe(&story, 3 * H + MIN, 8 * H, MIN);
    CHECK_TEXT(stands(&story, 8 * H), "cold dev-1/air_temperature judging = 0");
    CHECK_TEXT(stands(&story, 10 * H),
               "cold dev-1/air_temperature unavailable silent since 28800 = 0");
    breathe(&story, 8 * H + 5 * MIN, 9 * H, 5 * MIN);
    CHECK_TEXT(stands(&story, 9 * H),
               "cold dev-1/air_temperature unavailable sparse since 30300");
    breathe(&story, 9 * H + MIN, 16 * H, MIN);
    for (int64_t at_s = 16 * H + MIN; at_s <= 17 * H; at_s += MIN)
        story_read(&story, at_s, 20 - 16 * exp(-(double)(at_s - 16 * H) / (4.0 * H)));
    CHECK(strncmp(stands(&story, 17 * H), "cold dev-1/air_temperature firing = 5", 37) ==
          0);
    story_end(&story);
}

static void a_reason_that_holds_comes_before_what_is_lacking(void)
{
    struct story story;
    struct alert_rule rules[2] = {
        rule_of("cold", ALERT_COOLING_FAILED, "air_temperature"),
        rule_of("fire", ALERT_ABOVE, "air_temperature")};
    rules[0].unless = 1u << ALERT_REASON_MAINTENANCE;
    rules[1].is_safety = true;
    begin(&story, rules, 2);
    breathe(&story, 0, 10 * MIN, MIN);
    alerts_declare(story.alerts, "room-1", ALERT_REASON_MAINTENANCE, T0 + 600000,
                   T0 + 1200000);
    CHECK_TEXT(stands(&story, 11 * MIN),
               "cold dev-1/air_temperature held_back learning maintenance since 0 left "
               "355; fire dev-1/air_temperature judging");
    alerts_declare_off_duty(story.alerts, "room-1", T0 + 1200000, INT64_MAX, false);
    CHECK_TEXT(stands(&story, 20 * MIN),
               "cold dev-1/air_temperature held_back learning off_duty since 0 left "
               "355; fire dev-1/air_temperature judging");
    story_end(&story);
}

static void a_window_says_how_long_it_fills(void)
{
    struct story story;
    const struct alert_rule rules[] = {
        rule_of("ahead", ALERT_PREDICTED, "air_temperature"),
        rule_of("fast", ALERT_RATE, "air_temperature"),
        rule_of("jump", ALERT_STEP, "air_temperature"),
        rule_of("sum", ALERT_CUMULATIVE_ABOVE, "air_temperature")};
    begin(&story, rules, 4);
    for (int64_t at_s = 0; at_s <= 40 * MIN; at_s += 5 * MIN)
        story_read(&story, at_s, (double)at_s / H);
    CHECK_TEXT(stands(&story, 40 * MIN),
               "ahead dev-1/air_temperature unavailable filling left 20; "
               "fast dev-1/air_temperature unavailable filling left 20; "
               "jump dev-1/air_temperature judging = 0.6667; "
               "sum dev-1/air_temperature judging = 0");
    for (int64_t at_s = 45 * MIN; at_s <= 2 * H; at_s += 5 * MIN)
        story_read(&story, at_s, (double)at_s / H);
    CHECK_TEXT(stands(&story, 2 * H), "ahead dev-1/air_temperature judging = 360; "
                                      "fast dev-1/air_temperature judging = 1; "
                                      "jump dev-1/air_temperature judging = 1.833; "
                                      "sum dev-1/air_temperature judging = 0");
    story_end(&story);
    begin(&story, rules, 4);
    for (int64_t at_s = 0; at_s <= 30 * H; at_s += 2 * H)
        story_read(&story, at_s, at_s < 24 * H ? 5 : 9);
    CHECK_TEXT(stands(&story, 30 * H), "ahead dev-1/air_temperature unavailable sparse; "
                                       "fast dev-1/air_temperature unavailable sparse; "
                                       "jump dev-1/air_temperature unavailable sparse; "
                                       "sum dev-1/air_temperature firing = 120");
    story_end(&story);
}

static void a_probe_says_that_it_is_alone(void)
{
    struct story story;
    const struct alert_rule rule = rule_of("apart", ALERT_DIVERGE, "air_temperature");
    begin(&story, &rule, 1);
    read_as(&story, "dev-1", "air_temperature", 0, 4);
    CHECK_TEXT(stands(&story, 0), "apart dev-1/air_temperature unavailable alone");
    read_as(&story, "dev-2", "air_temperature", MIN, 5);
    read_as(&story, "dev-1", "air_temperature", 2 * MIN, 4);
    CHECK_TEXT(stands(&story, 2 * MIN), "apart dev-1/air_temperature judging; "
                                        "apart dev-2/air_temperature judging");
    read_as(&story, "dev-1", "air_temperature", 20 * MIN, 4);
    CHECK_TEXT(stands(&story, 20 * MIN),
               "apart dev-1/air_temperature unavailable alone since 60; "
               "apart dev-2/air_temperature unavailable alone since 1200");
    story_end(&story);
}

static void what_is_derived_says_that_humidity_is_missing(void)
{
    struct story story;
    const struct alert_rule rules[] = {
        rule_of("dry", ALERT_ABOVE, "vpd"),
        rule_of("harm", ALERT_ABOVE, "product_temperature")};
    begin(&story, rules, 2);
    CHECK_TEXT(stands(&story, 0),
               "dry / unavailable not_measured; harm / unavailable not_measured");
    story_read(&story, 0, 4);
    CHECK_TEXT(
        stands(&story, 0),
        "dry / unavailable no_humidity; harm dev-1/product_temperature-est judging = 4");
    read_as(&story, "dev-1", "humidity", MIN, 90);
    story_read(&story, 2 * MIN, 4);
    CHECK_TEXT(
        stands(&story, 2 * MIN),
        "dry dev-1/vpd-est judging; harm dev-1/product_temperature-est judging = 4");
    for (int64_t at_s = 3 * MIN; at_s <= 4 * H; at_s += MIN)
        story_read(&story, at_s, 4);
    CHECK_TEXT(stands(&story, 4 * H),
               "dry dev-1/vpd-est unavailable no_humidity since 7260; "
               "harm dev-1/product_temperature-est judging = 4");
    story_end(&story);
}

/* 21 days at 5 C of something, and of something else nobody knows it. */
static void life_is_told_of_goods_that_are_known(void)
{
    struct story story;
    struct alert_rule rules[] = {rule_of("old", ALERT_LIFE_LEFT, "product_temperature")};
    struct life_stock stock = {.at_C = NAN};
    begin(&story, rules, 1);
    story_read(&story, 0, 5);
    CHECK_TEXT(stands(&story, 0),
               "old dev-1/product_temperature-est unavailable no_life");
    stock.goods[stock.count++].model = (struct load_model){
        .life_min_d = NAN, .life_mid_d = NAN, .life_max_d = NAN, .injury_fast = NAN};
    alerts_set_goods(story.alerts, "room-1", &stock);
    story_read(&story, MIN, 5);
    CHECK_TEXT(stands(&story, MIN),
               "old dev-1/product_temperature-est unavailable no_life");
    stock.goods[0].model = (struct load_model){.has_life = true,
                                               .life_min_d = 21,
                                               .life_mid_d = 21,
                                               .life_max_d = 21,
                                               .band_max_c = 5,
                                               .injury_fast = NAN,
                                               .injury_slow = NAN,
                                               .water_limit_pct = NAN};
    alerts_set_goods(story.alerts, "room-1", &stock);
    story_read(&story, 2 * MIN, 5);
    CHECK_TEXT(stands(&story, 2 * MIN),
               "old dev-1/product_temperature-est judging = 100");
    story_end(&story);
}

static void a_rule_says_which_doors_it_does_not_see(void)
{
    struct story story;
    struct alert_rule rules[] = {
        rule_of("back", ALERT_NO_RECOVERY, "air_temperature"),
        rule_of("door", ALERT_DOOR_OPEN, "door"),
        rule_of("moist", ALERT_ABOVE, "humidity"),
        rule_of("soil", ALERT_COOLING_FAILED, "soil_temperature"),
        rule_of("warm", ALERT_ABOVE, "air_temperature")};
    rules[2].unless = 1u << ALERT_REASON_DOOR;
    rules[4].unless = 1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_DEFROST;
    begin(&story, rules, 5);
    for (int64_t at_s = 0; at_s <= 30 * MIN; at_s += 5 * MIN) {
        story_read(&story, at_s, 4);
        read_as(&story, "dev-1", "humidity", at_s, 70);
        read_as(&story, "dev-1", "soil_temperature", at_s, 4);
    }
    CHECK_TEXT(stands(&story, 30 * MIN),
               "back dev-1/air_temperature unavailable sparse since 300; "
               "door / unavailable not_measured; "
               "moist dev-1/humidity judging (unseen: no_shape); "
               "soil dev-1/soil_temperature unavailable no_shape; "
               "warm dev-1/air_temperature judging (unseen: sparse)");
    read_as(&story, "dev-1", "door", 31 * MIN, 0);
    story_read(&story, 32 * MIN, 4);
    read_as(&story, "dev-1", "humidity", 32 * MIN, 70);
    CHECK_TEXT(stands(&story, 32 * MIN),
               "back dev-1/air_temperature judging = 0; "
               "door dev-1/door judging = 0; "
               "moist dev-1/humidity judging; "
               "soil dev-1/soil_temperature unavailable no_shape; "
               "warm dev-1/air_temperature judging (unseen: sparse)");
    story_end(&story);
}

static void silence_is_always_judged(void)
{
    struct story story;
    const struct alert_rule rules[] = {rule_silent("dead", ALERT_SILENT_DEVICE, 1200),
                                       rule_silent("quiet", ALERT_SILENT, 600)};
    begin(&story, rules, 2);
    CHECK_TEXT(stands(&story, 0),
               "dead / unavailable not_measured; quiet / unavailable not_measured");
    story_read(&story, 0, 4);
    CHECK_TEXT(stands(&story, 60),
               "dead dev-1/ judging; quiet dev-1/air_temperature judging");
    story_tick(&story, 601);
    CHECK_TEXT(stands(&story, 601),
               "dead dev-1/ judging; quiet dev-1/air_temperature firing");
    alerts_forget(story.alerts, "room-1", "dev-1", "air_temperature", T0 + 700000,
                  &story.sink);
    CHECK_TEXT(stands(&story, 700),
               "dead / unavailable not_measured; quiet dev-1/air_temperature firing");
    story_end(&story);
}

/* A channel that asks for its device says so while that is away. */
static void silence_that_asks_waits_for_the_device(void)
{
    struct story story;
    struct alert_rule rule = rule_silent("quiet", ALERT_SILENT, 600);
    rule.unless = 1u << ALERT_REASON_DEVICE_SILENT;
    begin(&story, &rule, 1);
    story_read(&story, 0, 4);
    CHECK_TEXT(stands(&story, 299), "quiet dev-1/air_temperature judging");
    CHECK_TEXT(stands(&story, 300),
               "quiet dev-1/air_temperature held_back device_silent");
    story_tick(&story, 900);
    CHECK_TEXT(stands(&story, 900),
               "quiet dev-1/air_temperature held_back device_silent");
    story_bad(&story, 960);
    story_tick(&story, 960);
    CHECK_TEXT(stands(&story, 961), "quiet dev-1/air_temperature judging");
    story_end(&story);
}

/* ---- nothing is changed by asking ----------------------------------------------------
 */

struct shelf {
    struct alerts *into;
    size_t count;
};

static void put(void *context, const char *key, const void *data, size_t len)
{
    struct shelf *shelf = context;
    shelf->count++;
    if (shelf->into != NULL && len > 0)
        CHECK_ROW(key, alerts_load(shelf->into, key, data, len) == ERR_OK);
}

static void asking_changes_nothing_and_survives_a_restart(void)
{
    struct story story;
    const struct alert_rule rules[] = {
        rule_of("ahead", ALERT_PREDICTED, "air_temperature"),
        rule_of("cold", ALERT_COOLING_FAILED, "air_temperature"),
        rule_of("dose", ALERT_DOSE_ABOVE, "product_temperature"),
        rule_of("often", ALERT_DEFROST_OFTEN, "air_temperature"),
        rule_of("still", ALERT_STUCK, "air_temperature")};
    begin(&story, rules, 5);
    breathe(&story, 0, 9 * H, MIN);
    breathe(&story, 9 * H + 5 * MIN, 12 * H, 5 * MIN);
    struct alerts *after = alerts_create();
    struct shelf shelf = {.into = after};
    CHECK(alerts_set_rules(after, rules, 5, T0, NULL) == ERR_OK);
    alerts_save_changed(story.alerts, &shelf, put);
    char *first = mem_strdup(stands(&story, 12 * H));
    CHECK(strstr(first, "cold dev-1/air_temperature unavailable sparse since 33900") !=
          NULL);
    CHECK_TEXT(stands(&story, 12 * H), first);
    shelf = (struct shelf){0};
    alerts_save_changed(story.alerts, &shelf, put);
    CHECK(shelf.count == 0);
    alerts_destroy(story.alerts);
    story.alerts = after;
    CHECK_TEXT(stands(&story, 12 * H), first);
    free(first);
    story_end(&story);
}

/* ---- goods ------------------------------------------------------------------------- */

static void put_goods(void *context, const struct standing_goods *goods)
{
    struct story *story = context;
    buf_format(&story->log, "%s/%s %.1f %.1f %.1f, tau %.3g %.3g %.3g%s%s%s",
               goods->device, goods->channel, goods->C.low, goods->C.mid, goods->C.high,
               goods->body.fastest_h, goods->body.tau_h, goods->body.slowest_h,
               goods->is_described ? " described" : "", goods->is_fitted ? " fitted" : "",
               goods->is_probed ? " probed" : "");
    for (size_t i = 0; i < goods->load_count; i++)
        buf_format(&story->log, ", load of %.1f now %.1f", goods->loads[i].load.entry_C,
                   goods->loads[i].C);
    CHECK(goods->coldest_C <= goods->C.mid && goods->C.mid <= goods->warmest_C);
}

static const char *goods_of(struct story *story)
{
    buf_clear(&story->log);
    alerts_standing_goods(story->alerts, "room-1", story, put_goods);
    return story_told(story);
}

static void goods_have_a_band_and_a_tau_from_somewhere(void)
{
    struct story story;
    const struct alert_rule rule = rule_of("harm", ALERT_ABOVE, "product_temperature");
    begin(&story, &rule, 1);
    CHECK_TEXT(goods_of(&story), "");
    story_read(&story, 0, 4);
    story_read(&story, H, 8);
    story_read(&story, 2 * H, 8);
    CHECK_TEXT(goods_of(&story), "dev-1/air_temperature 4.3 4.9 6.5, tau 1 4 12");
    const struct alert_room room = {
        .body = {.tau_h = 6, .fastest_h = 4, .slowest_h = 9},
        .loads = {{.from_ms = T0 + 2 * H * 1000, .entry_C = 20}},
        .load_count = 1};
    alerts_set_room(story.alerts, "room-1", &room);
    story_read(&story, 3 * H, 8);
    CHECK_TEXT(goods_of(&story),
               "dev-1/air_temperature 4.7 5.4 6.9, tau 4 6 9 described, "
               "load of 20.0 now 18.2");
    story_end(&story);
}

/* Air that swings by hours, and a probe that follows it with 5 h. */
static void a_probe_among_the_goods_gives_tau_its_error(void)
{
    struct story story;
    const struct alert_rule rule = rule_of("harm", ALERT_ABOVE, "product_temperature");
    double pulp = 4;
    begin(&story, &rule, 1);
    for (int64_t at_s = 0; at_s <= 72 * H; at_s += 5 * MIN) {
        double air = at_s / (6 * H) % 2 == 0 ? 2 : 10;
        read_as(&story, "probe", "pulp_temperature", at_s, round(pulp * 100) / 100);
        story_read(&story, at_s, air);
        pulp += (air - pulp) * -expm1(-5.0 / 60 / 5);
    }
    const char *told = goods_of(&story);
    CHECK_ROW(told, strstr(told, " fitted probed") != NULL);
    CHECK_ROW(told, strstr(told, "tau 4.57 5.04 5.61 fitted") != NULL);
    story_end(&story);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"life is told of goods that are known", life_is_told_of_goods_that_are_known},
        {"a rule of shapes says what it lacks", a_rule_of_shapes_says_what_it_lacks},
        {"a reason that holds comes before what is lacking",
         a_reason_that_holds_comes_before_what_is_lacking},
        {"a window says how long it fills", a_window_says_how_long_it_fills},
        {"a probe says that it is alone", a_probe_says_that_it_is_alone},
        {"what is derived says that humidity is missing",
         what_is_derived_says_that_humidity_is_missing},
        {"a rule says which doors it does not see",
         a_rule_says_which_doors_it_does_not_see},
        {"silence is always judged", silence_is_always_judged},
        {"silence that asks waits for the device",
         silence_that_asks_waits_for_the_device},
        {"asking changes nothing and survives a restart",
         asking_changes_nothing_and_survives_a_restart},
        {"goods have a band and a tau from somewhere",
         goods_have_a_band_and_a_tau_from_somewhere},
        {"a probe among the goods gives tau its error",
         a_probe_among_the_goods_gives_tau_its_error},
        CU_TEST_INFO_NULL,
    };
    return check_run("standing", tests);
}
