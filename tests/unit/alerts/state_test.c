// SPDX-License-Identifier: Apache-2.0
#include "alerts/zones.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tests/unit/alerts/story.h"

#define ENTITIES_MAX 64
#define IDS_MAX      64

/* What a store would hold: key -> bytes. */
struct shelf {
    struct {
        char *key;
        void *data;
        size_t len;
    } entities[ENTITIES_MAX];
    size_t count;
    size_t writes;
};

static void shelf_put(void *context, const char *key, const void *data, size_t len)
{
    struct shelf *shelf = context;
    shelf->writes++;
    size_t i = 0;
    while (i < shelf->count && strcmp(shelf->entities[i].key, key) != 0)
        i++;
    if (i < shelf->count) {
        free(shelf->entities[i].key);
        free(shelf->entities[i].data);
        shelf->entities[i] = shelf->entities[--shelf->count];
    }
    if (len == 0)
        return;
    if (shelf->count == ENTITIES_MAX)
        abort();
    i = shelf->count++;
    shelf->entities[i].key = mem_strdup(key);
    shelf->entities[i].data = mem_dup(data, len);
    shelf->entities[i].len = len;
}

static void shelf_fini(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        free(shelf->entities[i].key);
        free(shelf->entities[i].data);
    }
    *shelf = (struct shelf){0};
}

static bool shelf_equal(const struct shelf *a, const struct shelf *b)
{
    size_t same = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (strcmp(a->entities[i].key, b->entities[j].key) == 0 &&
                a->entities[i].len == b->entities[j].len &&
                memcmp(a->entities[i].data, b->entities[j].data, a->entities[i].len) == 0)
                same++;
    return same == a->count && same == b->count;
}

static void shelf_load(const struct shelf *shelf, struct alerts *alerts)
{
    for (size_t i = 0; i < shelf->count; i++) {
        enum err err = alerts_load(alerts, shelf->entities[i].key,
                                   shelf->entities[i].data, shelf->entities[i].len);
        CHECK_ROW(shelf->entities[i].key, err == ERR_OK);
    }
}

/* An engine in a random world, and what it told since somebody looked. */
struct world {
    struct alerts *alerts;
    struct alert_sink sink;
    struct rng rng;
    struct buf told;
    struct shelf shelf;
    char ids[IDS_MAX][ALERT_ID_SIZE]; /* of the latest incidents */
    size_t id_count;
    size_t effects;
    size_t kinds[ALERT_EFFECT_WITHDRAWN + 1];
    size_t kept;
    unsigned rules;
    int64_t now_ms;
    /* where the engine keeps each channel, by zone and device, for one that remembers */
    bool remembers;
    uint64_t removed;
    size_t look_ups, readings;
    struct source *known[4][4];
};

static void world_effect(void *context, enum alert_effect_kind kind,
                         const struct incident *i)
{
    struct world *world = context;
    world->effects++;
    world->kinds[kind]++;
    static const char *const format =
        "%" PRIu64 " %s %s %s %s/%s/%s %s %s %s %s %d %s %" PRId64 " %" PRId64 " %" PRId64
        " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %g %g %g %u %s";
    char line[4000];
    snprintf(line, sizeof line, format, world->rng.state, alert_effect_name(kind), i->id,
             i->rule, i->zone, i->device, i->channel, i->quantity,
             alert_kind_name(i->kind), alert_severity_name(i->severity),
             incident_state_name(i->state), i->is_acknowledged, i->acknowledged_by,
             i->acknowledged_ms, i->onset_ms, i->opened_ms, i->learned_ms, i->changed_ms,
             i->back_ms, i->closed_ms, i->limit, i->value, i->worst, i->revision,
             i->snapshot);
    buf_text(&world->told, line);
    memcpy(world->ids[world->id_count++ % IDS_MAX], i->id, ALERT_ID_SIZE);
}

static void world_suppressed(void *context, const struct suppression *s)
{
    struct world *world = context;
    world->kept++;
    char line[1000];
    snprintf(line, sizeof line, "kept %s %s %s/%s %s %" PRId64 " %" PRId64 " %s %g %g",
             s->id, s->rule, s->device, s->channel, alert_reason_name(s->reason),
             s->from_ms, s->to_ms, suppression_end_name(s->ended), s->limit, s->worst);
    buf_text(&world->told, line);
}

/* A rule whose level 1 speaks of a measure. */
static struct alert_rule rule_measured(const char *id, enum alert_kind kind, double limit,
                                       int64_t window_s, double level)
{
    struct alert_rule rule = rule_above(id, level, level, 60, 60);
    rule.kind = kind;
    rule.limit = limit;
    rule.window_ms = window_s * 1000;
    return rule;
}

/* Three sets, each with rules kept, changed, gone and come back. */
static void world_rules(struct world *world)
{
    struct alert_rule rules[16] = {
        rule_above("warm", 8, 7, 120, 60),
        rule_above("hot", world->rules == 1 ? 11 : 10, 10, 0, 0),
        rule_above("cold", -5, -5, 60, 120),
        rule_silent("quiet", ALERT_SILENT, world->rules == 2 ? 300 : 600),
        rule_silent("dead", ALERT_SILENT_DEVICE, 900),
    };
    size_t count = 5;
    rule_add_critical(&rules[0], 12, 11, 0, 300);
    rule_add_critical(&rules[2], -4, -4, 60, 0);
    rules[2] = rule_mirrored(rules[2]);
    if (world->rules == 1) /* "warm" goes */
        rules[0] = rules[--count];
    if (world->rules == 2)
        count--;
    for (size_t i = 0; i < count; i++) /* that order changes with the rules' set */
        if (rules[i].kind == ALERT_SILENT)
            rules[i].unless = 1u << ALERT_REASON_MAINTENANCE;
    rules[1].unless = 1u << ALERT_REASON_DOOR;
    rules[count++] = rule_measured("sum", ALERT_CUMULATIVE_ABOVE, 8, 3600, 8);
    rules[count++] = rule_measured("dose", ALERT_DOSE_ABOVE, 8, 0, 100);
    rules[count++] = rule_measured("lift", ALERT_RATE, 0, 600, world->rules + 10);
    rules[count++] = rule_measured("soon", ALERT_STEP, 0, 600, 8);
    rules[count++] = rule_measured("apart", ALERT_DIVERGE, 0, 0, 4);
    rules[count++] = rule_measured("still", ALERT_STUCK, 0, 0, 3);
    rules[count++] = rule_measured("slow", ALERT_NO_RECOVERY, 7, 0, 2);
    rules[count++] = rule_silent("rare", ALERT_SILENT, 0);
    rules[count] = rule_measured("goods", ALERT_ABOVE, 0, 0, 8);
    snprintf(rules[count++].quantity, ID_SIZE, "product_temperature");
    rules[count] = rule_above("other", 9, 9, 0, 60);
    snprintf(rules[count++].zone, ID_SIZE, "room-2");
    struct err_text why = {""};
    enum err err = alerts_change_rules(world->alerts, rules, count, world->now_ms,
                                       &world->sink, &why);
    CHECK_TEXT(why.text, "");
    CHECK(err == ERR_OK);
}

static void world_begin(struct world *world, uint64_t seed)
{
    *world = (struct world){.alerts = alerts_create(), .rng = {seed}, .now_ms = T0};
    world->sink = (struct alert_sink){
        .context = world, .effect = world_effect, .suppressed = world_suppressed};
    world_rules(world);
}

static void world_end(struct world *world)
{
    alerts_destroy(world->alerts);
    buf_fini(&world->told);
    shelf_fini(&world->shelf);
}

static void hand_over(struct world *world, const struct alert_reading *reading,
                      struct source **known)
{
    if (!world->remembers) {
        alerts_reading(world->alerts, reading, &world->sink);
        return;
    }
    if (world->removed != alerts_removed(world->alerts))
        memset(world->known, 0, sizeof world->known);
    world->removed = alerts_removed(world->alerts);
    world->look_ups += *known == NULL;
    world->readings++;
    *known = alerts_reading_at(world->alerts, *known, reading, &world->sink);
}

static void give_reading(struct world *world)
{
    static const char *const zones[] = {"room-1", "room-2"};
    static const char *const devices[] = {"a", "b"};
    static const char *const channels[] = {"air_temperature-1", "air_temperature-2",
                                           "humidity", "door"};
    static const double values[] = {1, 4, 5, 6, 6.5, 7, 7.5, 8, 9, 10, 11, 12, 13};
    struct rng *rng = &world->rng;
    uint64_t channel = rng_below(rng, 4);
    uint64_t place = rng_below(rng, 4);
    struct alert_reading reading = {
        .zone = zones[place / 2],
        .device = devices[place % 2],
        .channel = channels[channel],
        .quantity = channel >= 2 ? channels[channel] : "air_temperature",
        .time_ms = world->now_ms,
        .arrival_ms = world->now_ms,
    };
    /* It mostly stays what it was for some minutes, or no delay would ever pass. */
    uint64_t mood = rng_chance(rng, 0.2)
                        ? rng_next(rng)
                        : rng_hash(channel, (uint64_t)(world->now_ms / 400000));
    reading.value = values[mood % (sizeof values / sizeof values[0])];
    if (channel == 3)
        reading.value = reading.value > 9;
    if (rng_chance(rng, 0.1))
        reading.quality = QUALITY_OPEN;
    if (rng_chance(rng, 0.1))
        reading.time_ms -= (int64_t)rng_below(rng, 600000);
    if (rng_chance(rng, 0.02))
        reading.time_ms += (int64_t)rng_below(rng, 6000000);
    reading.is_elsewhere = rng_chance(rng, 0.02);
    hand_over(world, &reading, &world->known[place][channel]);
}

static void give_command(struct world *world)
{
    struct rng *rng = &world->rng;
    uint64_t what = rng_below(rng, 100);
    const char *id = world->ids[rng_below(rng, IDS_MAX)];
    enum err err = ERR_OK;
    if (what < 60)
        err = alerts_acknowledge(world->alerts, id, "p-1", world->now_ms, &world->sink);
    else if (what < 85)
        err = alerts_close(world->alerts, id, world->now_ms, &world->sink);
    else if (what < 87) /* and what began before is over */
        alerts_declare(world->alerts, "room-1", ALERT_REASON_MAINTENANCE,
                       T0 + (world->now_ms - T0) / 7200000 * 7200000,
                       world->now_ms + (int64_t)rng_below(rng, 3000000));
    else if (what < 92)
        alerts_forget(world->alerts, "room-1", "a", "air_temperature-1", world->now_ms,
                      &world->sink);
    else if (what < 96)
        alerts_set_grace(world->alerts, world->now_ms + 600000);
    else {
        world->rules = (unsigned)rng_below(rng, 3);
        world_rules(world);
    }
    CHECK(err == ERR_OK || err == ERR_NOT_FOUND || err == ERR_EXISTS);
}

static void world_step(struct world *world)
{
    struct rng *rng = &world->rng;
    world->now_ms += (int64_t)rng_below(rng, rng_chance(rng, 0.02) ? 1500000 : 20000);
    uint64_t what = rng_below(rng, 100);
    if (what < 70)
        give_reading(world);
    else if (what < 96)
        alerts_tick(world->alerts, world->now_ms, &world->sink);
    else
        give_command(world);
}

static void world_save(struct world *world)
{
    alerts_save_changed(world->alerts, &world->shelf, shelf_put);
}

static void world_restart(struct world *world)
{
    world_save(world);
    alerts_destroy(world->alerts);
    world->alerts = alerts_create();
    world_rules(world);
    shelf_load(&world->shelf, world->alerts);
}

/* Since the last call. */
static bool told_the_same(struct world *a, struct world *b, uint64_t seed, unsigned event)
{
    bool is_same = a->told.len == b->told.len &&
                   memcmp(a->told.data, b->told.data, a->told.len) == 0;
    if (!is_same) {
        printf("\n  seed %" PRIu64 " event %u", seed, event);
        CHECK_TEXT(b->told.data, a->told.data);
    }
    buf_clear(&a->told);
    buf_clear(&b->told);
    return is_same;
}

/* One engine lives through it, the other is saved and loaded at every k-th event. */
static void restarts_change_nothing(void)
{
    static const unsigned every[] = {1, 3, 17, 400};
    size_t kinds[ALERT_EFFECT_WITHDRAWN + 1] = {0};
    size_t kept = 0;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct world steady, restarted;
        world_begin(&steady, seed);
        world_begin(&restarted, seed);
        buf_text(&steady.told, "");
        buf_text(&restarted.told, "");
        unsigned k = every[seed % 4];
        for (unsigned i = 0; i < 1500; i++) {
            world_step(&steady);
            world_step(&restarted);
            if (i % k == 0)
                world_restart(&restarted);
            if (!told_the_same(&steady, &restarted, seed, i))
                break;
        }
        world_save(&steady);
        world_save(&restarted);
        CHECK(shelf_equal(&steady.shelf, &restarted.shelf));
        for (size_t i = 0; i <= ALERT_EFFECT_WITHDRAWN; i++)
            kinds[i] += steady.kinds[i];
        kept += steady.kept;
        world_end(&steady);
        world_end(&restarted);
    }
    /* the world is rich enough to prove something; the others are not the engine's */
    static const enum alert_effect_kind told[] = {
        ALERT_EFFECT_OPENED, ALERT_EFFECT_ESCALATED, ALERT_EFFECT_UPDATED,
        ALERT_EFFECT_CLOSED};
    CHECK(kept > 100);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        CHECK_ROW(alert_effect_name(told[i]), kinds[told[i]] > 50);
}

/* One engine finds each channel by its names, of the other it is remembered where it is.
 */
static void a_remembered_place_changes_nothing(void)
{
    size_t look_ups = 0, readings = 0;
    uint64_t removed = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct world steady, remembering;
        world_begin(&steady, seed);
        world_begin(&remembering, seed);
        remembering.remembers = true;
        buf_text(&steady.told, "");
        buf_text(&remembering.told, "");
        for (unsigned i = 0; i < 2000; i++) {
            world_step(&steady);
            world_step(&remembering);
            if (!told_the_same(&steady, &remembering, seed, i))
                break;
        }
        world_save(&steady);
        world_save(&remembering);
        CHECK(shelf_equal(&steady.shelf, &remembering.shelf));
        look_ups += remembering.look_ups;
        readings += remembering.readings;
        removed += alerts_removed(remembering.alerts);
        world_end(&steady);
        world_end(&remembering);
    }
    CHECK(removed > 10);            /* places do go */
    CHECK(look_ups * 2 < readings); /* and it is remembered all the same */
}

static void only_what_changed_is_saved(void)
{
    struct world world;
    world_begin(&world, 7);
    for (int i = 0; i < 300; i++)
        world_step(&world);
    world_save(&world);
    CHECK(world.shelf.writes > 8);
    world.shelf.writes = 0;
    world_save(&world);
    CHECK(world.shelf.writes == 0);
    world.rng = (struct rng){1};
    world.now_ms += 1000;
    struct alert_reading reading = story_reading("air_temperature-1", 0, 6);
    reading.device = "a";
    reading.time_ms = reading.arrival_ms = world.now_ms;
    alerts_reading(world.alerts, &reading, &world.sink);
    world_save(&world);
    /* the channel and its device, the goods in that air, the room */
    CHECK(world.shelf.writes == 4);
    CHECK(alerts_set_rules(world.alerts, NULL, 0, world.now_ms, NULL) == ERR_OK);
    world_save(&world);
    for (size_t i = 0; i < world.shelf.count; i++) /* incidents stay, the rest goes */
        CHECK_ROW(world.shelf.entities[i].key,
                  world.shelf.entities[i].len > 100 ||
                      strcmp(world.shelf.entities[i].key, "grace") == 0);
    world_end(&world);
}

/* A world with everything in it: pending, open, recovering, acknowledged, silent. */
static void rich_world(struct world *world)
{
    world_begin(world, 11);
    for (int i = 0; i < 1000; i++)
        world_step(world);
    world_save(world);
}

static struct alerts *fresh(void)
{
    struct world world;
    world_begin(&world, 0);
    buf_fini(&world.told);
    return world.alerts;
}

static void cut_entities_are_refused(void)
{
    struct world world;
    rich_world(&world);
    for (size_t i = 0; i < world.shelf.count; i++) {
        struct alerts *alerts = fresh();
        const char *key = world.shelf.entities[i].key;
        size_t len = world.shelf.entities[i].len;
        for (size_t cut = 0; cut < len; cut++) {
            void *data = mem_dup(world.shelf.entities[i].data, cut);
            CHECK(alerts_load(alerts, key, data, cut) == ERR_CORRUPT);
            free(data);
        }
        char *longer = mem_alloc(len + 1);
        memcpy(longer, world.shelf.entities[i].data, len);
        CHECK(alerts_load(alerts, key, longer, len + 1) == ERR_CORRUPT);
        free(longer);
        struct shelf shelf = {0};
        alerts_save_changed(alerts, &shelf, shelf_put);
        CHECK_ROW(key, shelf.count == 0);
        shelf_fini(&shelf);
        alerts_destroy(alerts);
    }
    world_end(&world);
}

/* A flip may be a plausible other state; the engine must be able to live with it. */
static void flipped_bits_do_no_harm(void)
{
    struct world world;
    rich_world(&world);
    size_t refused = 0, taken = 0;
    for (size_t i = 0; i < world.shelf.count; i++) {
        size_t len = world.shelf.entities[i].len;
        for (size_t bit = 0; bit < len * 8; bit += 3) {
            struct world other;
            world_begin(&other, bit);
            uint8_t *data = mem_dup(world.shelf.entities[i].data, len);
            data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            enum err err =
                alerts_load(other.alerts, world.shelf.entities[i].key, data, len);
            CHECK(err == ERR_OK || err == ERR_CORRUPT);
            taken += err == ERR_OK;
            refused += err != ERR_OK;
            free(data);
            for (int n = 0; n < 20; n++)
                world_step(&other);
            world_save(&other);
            world_end(&other);
        }
    }
    CHECK(refused > 100 && taken > 100);
    world_end(&world);
}

static void bad_keys_are_refused(void)
{
    static const char *const keys[] = {"",         "room-1", "room-1/a", "/a/b",
                                       "room-1//", "//",     "Grace",    "room-1/"};
    struct world world;
    rich_world(&world);
    struct alerts *alerts = fresh();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CHECK_ROW(keys[i], alerts_load(alerts, keys[i], world.shelf.entities[0].data,
                                       world.shelf.entities[0].len) == ERR_CORRUPT);
    char longest[2 * ID_SIZE + 4];
    memset(longest, 'z', sizeof longest);
    memcpy(longest + ID_SIZE, "/a/b", 5);
    CHECK(alerts_load(alerts, longest, world.shelf.entities[0].data,
                      world.shelf.entities[0].len) == ERR_CORRUPT);
    alerts_destroy(alerts);
    world_end(&world);
}

static void loading_twice_replaces(void)
{
    struct world world;
    rich_world(&world);
    shelf_load(&world.shelf, world.alerts);
    shelf_load(&world.shelf, world.alerts);
    struct shelf before = {0};
    shelf_load(&world.shelf, world.alerts);
    alerts_save_changed(world.alerts, &before, shelf_put);
    CHECK(before.count == 0); /* what was loaded needs no saving */
    struct alerts *alerts = fresh();
    shelf_load(&world.shelf, alerts);
    for (size_t i = 0; i < IDS_MAX; i++)
        CHECK((alerts_incident(alerts, world.ids[i]) != NULL) ==
              (alerts_incident(world.alerts, world.ids[i]) != NULL));
    alerts_destroy(alerts);
    shelf_fini(&before);
    world_end(&world);
}

/* The rules were changed while the process was down. */
static void what_was_pending_under_another_rule_starts_anew(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 120, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    struct shelf shelf = {0};
    alerts_save_changed(story.alerts, &shelf, shelf_put);
    alerts_destroy(story.alerts);
    story.alerts = alerts_create();
    rule.levels[0].level = rule.levels[0].recovery_level = 7;
    story_rules(&story, &rule, 1);
    shelf_load(&shelf, story.alerts);
    story_read(&story, 120, 9);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 240, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 120>240 9");
    shelf_fini(&shelf);
    story_end(&story);
}

static void the_snapshot_survives_a_change_of_rules(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    struct incident was = story.last;
    struct shelf shelf = {0};
    alerts_save_changed(story.alerts, &shelf, shelf_put);
    alerts_destroy(story.alerts);
    story.alerts = alerts_create();
    rule.levels[0].level = rule.levels[0].recovery_level = 5;
    story_rules(&story, &rule, 1);
    shelf_load(&shelf, story.alerts);
    const struct incident *now = alerts_incident(story.alerts, was.id);
    CHECK(now != NULL && strcmp(now->snapshot, was.snapshot) == 0);
    CHECK(now != NULL && now->limit == 5);
    story_told(&story);
    story_read(&story, 60, 6);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 120, 4);
    CHECK_TEXT(story_told(&story), "closed warning closed 120>120 4");
    shelf_fini(&shelf);
    story_end(&story);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"restarts change nothing", restarts_change_nothing},
        {"a remembered place changes nothing", a_remembered_place_changes_nothing},
        {"only what changed is saved", only_what_changed_is_saved},
        {"cut entities are refused", cut_entities_are_refused},
        {"flipped bits do no harm", flipped_bits_do_no_harm},
        {"bad keys are refused", bad_keys_are_refused},
        {"loading twice replaces", loading_twice_replaces},
        {"what was pending under another rule starts anew",
         what_was_pending_under_another_rule_starts_anew},
        {"the snapshot survives a change of rules",
         the_snapshot_survives_a_change_of_rules},
        CU_TEST_INFO_NULL,
    };
    return check_run("state", tests);
}
