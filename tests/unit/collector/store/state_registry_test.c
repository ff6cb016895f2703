// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_registry.h"

#include <math.h>

#include "base/buf.h"
#include "collector/store/state_tables.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct state *state;
static struct buf seen;

static void open_in_batch(void)
{
    struct err_text why = {0};
    folder_make(&folder);
    if (state_open(&state, folder_file(&folder, "state.db"), &why) != ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    CHECK(state_begin(state) == ERR_OK);
}

static void close_all(void)
{
    CHECK(state_commit(state) == ERR_OK);
    state_close(state);
    buf_fini(&seen);
    folder_remove(&folder);
}

/* What the callbacks wrote since the last call. */
static const char *taken(void)
{
    static char text[2000];
    snprintf(text, sizeof text, "%s", seen.len > 0 ? seen.data : "");
    buf_clear(&seen);
    return text;
}

static void see_org(void *context, const struct state_org *org)
{
    buf_format(context, "%s=%s;", org->id, org->name);
}

static void see_site(void *context, const struct state_site *site)
{
    buf_format(context, "%s/%s %s, %s, %s;", site->org, site->id, site->name, site->tier,
               site->time_zone);
}

static void see_zone(void *context, const struct state_zone *zone)
{
    buf_format(context, "%s/%s/%s %s%s%s '%s' [%g, %g];", zone->org, zone->site, zone->id,
               zone->name, zone->is_archived ? " archived" : "",
               zone->is_on_duty ? " on" : " off", zone->duty_reason, zone->band_low,
               zone->band_high);
}

static void see_device(void *context, const struct state_device *device)
{
    buf_format(context, "%s/%s%s %lld-%lld clock %d v%s;", device->org, device->id,
               device->is_declared ? " declared" : "", (long long)device->first_seen_ms,
               (long long)device->last_seen_ms, (int)device->clock, device->version);
}

static void see_placement(void *context, const struct state_placement *placement)
{
    buf_format(context, "%s/%s/%s in %s %lld-%lld by %s;", placement->org,
               placement->device, placement->channel, placement->zone,
               (long long)placement->from_ms, (long long)placement->to_ms,
               placement->who);
}

static void see_rule(void *context, const struct state_rule *rule)
{
    buf_format(context, "%s in %s: %s;", rule->id, rule->zone, rule->body);
}

static void see_last(void *context, const struct state_last *last)
{
    buf_format(context, "%s/%s/%s %g q%d %lld %lld;", last->org, last->device,
               last->channel, last->value, (int)last->quality, (long long)last->time_ms,
               (long long)last->arrival_ms);
}

static void places_are_put_and_listed(void)
{
    open_in_batch();
    struct state_zone zone = {
        .id = "room-1",
        .org = "fengjie",
        .site = "cold-store",
        .name = "脐橙",
        .is_on_duty = true,
        .band_low = 4,
        .band_high = 8.5,
    };
    CHECK(state_put_org(state, &(struct state_org){"wushan", "Wushan"}) == ERR_OK);
    CHECK(state_put_org(state, &(struct state_org){"fengjie", "old"}) == ERR_OK);
    CHECK(state_put_org(state, &(struct state_org){"fengjie", "Fengjie"}) == ERR_OK);
    CHECK(state_put_site(state, &(struct state_site){
                                    .id = "cold-store",
                                    .org = "fengjie",
                                    .name = "Store",
                                    .tier = "village point",
                                    .time_zone = "Asia/Shanghai",
                                }) == ERR_OK);
    CHECK(state_put_zone(state, &zone) == ERR_OK);
    zone = (struct state_zone){.id = "van",
                               .org = "wushan",
                               .site = "v",
                               .duty_reason = "empty",
                               .is_archived = true,
                               .band_low = NAN,
                               .band_high = NAN};
    CHECK(state_put_zone(state, &zone) == ERR_OK);

    CHECK(state_each_org(state, &seen, see_org) == ERR_OK);
    CHECK_TEXT(taken(), "fengjie=Fengjie;wushan=Wushan;");
    CHECK(state_each_site(state, NULL, &seen, see_site) == ERR_OK);
    CHECK_TEXT(taken(), "fengjie/cold-store Store, village point, Asia/Shanghai;");
    CHECK(state_each_site(state, "wushan", &seen, see_site) == ERR_OK);
    CHECK_TEXT(taken(), "");
    CHECK(state_each_zone(state, NULL, &seen, see_zone) == ERR_OK);
    CHECK_TEXT(taken(), "fengjie/cold-store/room-1 脐橙 on '' [4, 8.5];"
                        "wushan/v/van  archived off 'empty' [nan, nan];");
    CHECK(state_each_zone(state, "fengjie", &seen, see_zone) == ERR_OK);
    CHECK_TEXT(taken(), "fengjie/cold-store/room-1 脐橙 on '' [4, 8.5];");
    close_all();
}

static void a_device_keeps_its_first_sight(void)
{
    static const struct {
        const char *name;
        int64_t first;
        int64_t second;
        int64_t want;
    } rows[] = {
        {"declared, then seen", 0, 500, 500},
        {"seen, then declared", 500, 0, 500},
        {"seen again", 500, 900, 500},
        {"seen earlier by late data", 900, 500, 500},
        {"never seen", 0, 0, 0},
    };
    open_in_batch();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char org[32];
        char want[80];
        snprintf(org, sizeof org, "o%zu", i);
        struct state_device device = {
            .org = org, .id = "d", .first_seen_ms = rows[i].first, .last_seen_ms = 1};
        CHECK_ROW(rows[i].name, state_put_device(state, &device) == ERR_OK);
        device.first_seen_ms = rows[i].second;
        device.last_seen_ms = 1000;
        device.is_declared = true;
        device.clock = PACK_CLOCK_SYNCED;
        device.version = "1.2";
        CHECK_ROW(rows[i].name, state_put_device(state, &device) == ERR_OK);
        CHECK(state_each_device(state, org, &seen, see_device) == ERR_OK);
        snprintf(want, sizeof want, "%s/d declared %lld-1000 clock 2 v1.2;", org,
                 (long long)rows[i].want);
        CHECK_TEXT(taken(), want);
    }
    close_all();
}

static void devices_are_paged_by_key(void)
{
    open_in_batch();
    for (int i = 0; i < 7; i++) {
        char id[32];
        snprintf(id, sizeof id, "d%d", i);
        struct state_device device = {.org = i % 2 ? "b" : "a", .id = id};
        CHECK(state_put_device(state, &device) == ERR_OK);
    }
    CHECK(state_page_devices(state, "", "", 3, &seen, see_device) == ERR_OK);
    CHECK_TEXT(taken(), "a/d0 0-0 clock 0 v;a/d2 0-0 clock 0 v;a/d4 0-0 clock 0 v;");
    CHECK(state_page_devices(state, "a", "d4", 3, &seen, see_device) == ERR_OK);
    CHECK_TEXT(taken(), "a/d6 0-0 clock 0 v;b/d1 0-0 clock 0 v;b/d3 0-0 clock 0 v;");
    CHECK(state_page_devices(state, "b", "d5", 3, &seen, see_device) == ERR_OK);
    CHECK_TEXT(taken(), "");
    CHECK(state_each_device(state, "b", &seen, see_device) == ERR_OK);
    CHECK_TEXT(taken(), "b/d1 0-0 clock 0 v;b/d3 0-0 clock 0 v;b/d5 0-0 clock 0 v;");
    close_all();
}

static void placements_follow_each_other(void)
{
    open_in_batch();
    struct state_placement placement = {
        .org = "o", .device = "d", .zone = "van", .from_ms = 100, .who = "seed"};
    CHECK(state_put_placement(state, &placement) == ERR_OK);
    placement.to_ms = 200; /* ended */
    CHECK(state_put_placement(state, &placement) == ERR_OK);
    placement = (struct state_placement){
        .org = "o", .device = "d", .zone = "room", .from_ms = 200, .who = "li"};
    CHECK(state_put_placement(state, &placement) == ERR_OK);
    placement.channel = "door";
    placement.zone = "van";
    CHECK(state_put_placement(state, &placement) == ERR_OK);
    CHECK(state_each_placement(state, NULL, &seen, see_placement) == ERR_OK);
    CHECK_TEXT(taken(), "o/d/ in van 100-200 by seed;o/d/ in room 200-0 by li;"
                        "o/d/door in van 200-0 by li;");
    CHECK(state_each_placement(state, "van", &seen, see_placement) == ERR_OK);
    CHECK_TEXT(taken(), "o/d/ in van 100-200 by seed;o/d/door in van 200-0 by li;");
    close_all();
}

static void rules_are_replaced_and_deleted(void)
{
    open_in_batch();
    CHECK(state_put_rule(state, &(struct state_rule){"r1", "z", "{}"}) == ERR_OK);
    CHECK(state_put_rule(state, &(struct state_rule){"r2", "y", "{\"a\":1}"}) == ERR_OK);
    CHECK(state_put_rule(state, &(struct state_rule){"r1", "z", "[]"}) == ERR_OK);
    CHECK(state_each_rule(state, NULL, &seen, see_rule) == ERR_OK);
    CHECK_TEXT(taken(), "r1 in z: [];r2 in y: {\"a\":1};");
    CHECK(state_delete_rule(state, "r1") == ERR_OK);
    CHECK(state_delete_rule(state, "r1") == ERR_NOT_FOUND);
    CHECK(state_each_rule(state, "z", &seen, see_rule) == ERR_OK);
    CHECK_TEXT(taken(), "");
    close_all();
}

static void last_values_are_kept_per_channel(void)
{
    open_in_batch();
    struct state_last last = {.org = "o",
                              .device = "d",
                              .channel = "air_temperature",
                              .value = 4.25,
                              .time_ms = 10,
                              .arrival_ms = 12};
    CHECK(state_put_last(state, &last) == ERR_OK);
    last.value = NAN;
    last.quality = QUALITY_OPEN;
    last.time_ms = 20;
    CHECK(state_put_last(state, &last) == ERR_OK);
    last = (struct state_last){.org = "o", .device = "e", .channel = "door", .value = 1};
    CHECK(state_put_last(state, &last) == ERR_OK);
    last = (struct state_last){.org = "p", .device = "d", .channel = "door", .value = 1};
    CHECK(state_put_last(state, &last) == ERR_OK);
    CHECK(state_each_last(state, NULL, NULL, &seen, see_last) == ERR_OK);
    CHECK_TEXT(taken(), "o/d/air_temperature nan q1 20 12;o/e/door 1 q0 0 0;"
                        "p/d/door 1 q0 0 0;");
    CHECK(state_each_last(state, "o", "d", &seen, see_last) == ERR_OK);
    CHECK_TEXT(taken(), "o/d/air_temperature nan q1 20 12;");
    CHECK(state_each_last(state, "p", NULL, &seen, see_last) == ERR_OK);
    CHECK_TEXT(taken(), "p/d/door 1 q0 0 0;");
    close_all();
}

static void names_of_a_later_version_read_as_the_least_trusting(void)
{
    open_in_batch();
    CHECK(state_write(state, "INSERT INTO last VALUES ('o','d','c',1.0,'melted',1,2)",
                      DB_NONE) == ERR_OK);
    CHECK(state_each_last(state, NULL, NULL, &seen, see_last) == ERR_OK);
    char want[64];
    snprintf(want, sizeof want, "o/d/c 1 q%d 1 2;", (int)QUALITY_FAULT);
    CHECK_TEXT(taken(), want);
    close_all();
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"places are put and listed", places_are_put_and_listed},
        {"a device keeps its first sight", a_device_keeps_its_first_sight},
        {"devices are paged by key", devices_are_paged_by_key},
        {"placements follow each other", placements_follow_each_other},
        {"rules are replaced and deleted", rules_are_replaced_and_deleted},
        {"last values are kept per channel", last_values_are_kept_per_channel},
        {"names of a later version read as the least trusting",
         names_of_a_later_version_read_as_the_least_trusting},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/state_registry", tests);
}
