// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/rules.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/check.h"

#define ROOM(version, level) \
    "{\"v\":1,\"version\":\"" version "\",\"zones\":[{\"zone\":\"room-1\"," \
    "\"on_duty\":true,\"rules\":[{\"id\":\"warm\",\"kind\":\"above\"," \
    "\"quantity\":\"air_temperature\",\"levels\":[{\"severity\":\"warning\"," \
    "\"level\":" level ",\"delay\":0,\"recovery_level\":" level \
    ",\"recovery_delay\":0}]}]}]}"
#define V1 "00000000000000a1"
#define V2 "00000000000000a2"

static char dir[64];
static char air[] = "air_temperature";
static char humidity[] = "humidity";
static char two[] = "2";
static char five[] = "5";
static char eighty[] = "80";
static struct settings_band bands[] = {{air, two, five}, {humidity, eighty, NULL}};
static const struct settings settings = {.bands = bands, .band_count = 2};

static void begin(struct rules *rules)
{
    snprintf(dir, sizeof dir, "/tmp/rules-test-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    rules_init(rules, dir);
}

static void end(struct rules *rules)
{
    char path[100];
    rules_fini(rules);
    snprintf(path, sizeof path, "%s/" RULES_FILE, dir);
    unlink(path);
    CHECK(rmdir(dir) == 0);
}

static bool take(struct rules *rules, const char *text)
{
    return rules_take(rules, text, strlen(text));
}

static double high_of(const struct rules *rules, const char *channel)
{
    double low;
    double high = (double)NAN;
    return rules_band(rules, &settings, channel, &low, &high) ? high : (double)NAN;
}

static void they_hold_through_a_restart(void)
{
    struct rules rules;
    begin(&rules);
    CHECK(high_of(&rules, "air_temperature") == 5);
    CHECK(take(&rules, ROOM(V1, "8")));
    CHECK(fabs(high_of(&rules, "air_temperature") - 8) < 1e-9);
    rules_fini(&rules);
    rules_init(&rules, dir);
    CHECK(rules.in_force.version == 0xa1 && rules.is_saved);
    CHECK(fabs(high_of(&rules, "air_temperature") - 8) < 1e-9);
    end(&rules);
}

static void what_is_refused_leaves_the_last_good_ones(void)
{
    struct rules rules;
    begin(&rules);
    CHECK(take(&rules, ROOM(V1, "8")));
    CHECK(take(&rules, "{\"v\":1,\"sensors\":[],\"must\":[\"sensors\"]}"));
    CHECK(rules.refused == 1 && rules.in_force.version == 0xa1);
    CHECK_TEXT(rules.why.text,
               "'sensors' of a set must be understood, and is not known here");
    CHECK(take(&rules, "junk") && rules.refused == 2 && rules.taken == 1);
    rules_fini(&rules);
    rules_init(&rules, dir);
    CHECK(rules.in_force.version == 0xa1);
    /* what is good again takes the complaint away, and there is something to say */
    CHECK(take(&rules, "junk") && take(&rules, ROOM(V1, "8")));
    CHECK_TEXT(rules.why.text, "");
    end(&rules);
}

/* It holds, and what is said of it goes away with it. */
static void what_a_later_collector_says_is_noted(void)
{
    struct rules rules;
    begin(&rules);
    CHECK(take(&rules, "{\"v\":1,\"version\":\"" V1 "\",\"zones\":[{\"zone\":\"room-1\","
                       "\"on_duty\":true,\"high\":8,\"fog\":1,\"rules\":[{\"id\":\"x\","
                       "\"kind\":\"above\",\"must\":[\"fog\"]}]}]}"));
    CHECK(rules.refused == 0 && high_of(&rules, "air_temperature") == 8);
    rules.unjudged = (struct zone_notes){.left_out = 1};
    zone_notes_add(&rules.unjudged, "kind", "telepathy");
    struct zone_notes notes = rules_notes(&rules);
    CHECK(notes.passed_over == 2 && notes.left_out == 2 && notes.unknown_count == 2);
    CHECK_TEXT(notes.unknown[0], "zone.fog");
    CHECK_TEXT(notes.unknown[1], "kind.telepathy");
    rules_fini(&rules);
    rules_init(&rules, dir);
    CHECK(rules_notes(&rules).passed_over == 1);
    CHECK(take(&rules, ROOM(V2, "8")) && rules_notes(&rules).passed_over == 0);
    end(&rules);
}

static void the_same_again_is_not_written(void)
{
    struct rules rules;
    char path[100];
    struct stat before;
    struct stat after;
    begin(&rules);
    snprintf(path, sizeof path, "%s/" RULES_FILE, dir);
    CHECK(take(&rules, ROOM(V1, "8")) && stat(path, &before) == 0);
    CHECK(!take(&rules, ROOM(V1, "8")) && stat(path, &after) == 0);
    CHECK(before.st_ino == after.st_ino && rules.taken == 1);
    CHECK(take(&rules, ROOM(V2, "9")) && stat(path, &after) == 0);
    CHECK(before.st_ino != after.st_ino && rules.taken == 2);
    end(&rules);
}

static void an_empty_message_takes_them_away(void)
{
    struct rules rules;
    begin(&rules);
    CHECK(!rules_take(&rules, "", 0));
    CHECK(take(&rules, ROOM(V1, "8")) && rules_take(&rules, "", 0));
    CHECK(rules.in_force.version == 0 && high_of(&rules, "air_temperature") == 5);
    rules_fini(&rules);
    rules_init(&rules, dir);
    CHECK(rules.in_force.version == 0);
    end(&rules);
}

static void a_file_that_rotted_is_none(void)
{
    struct rules rules;
    char path[100];
    begin(&rules);
    rules_fini(&rules);
    snprintf(path, sizeof path, "%s/" RULES_FILE, dir);
    struct err_text why;
    CHECK(file_replace(path, "{\"v\":1,", 7, &why) == ERR_OK);
    rules_init(&rules, dir);
    CHECK(rules.in_force.version == 0 && high_of(&rules, "air_temperature") == 5);
    CHECK(take(&rules, ROOM(V1, "8")));
    rules_fini(&rules);
    rules_init(&rules, dir);
    CHECK(rules.in_force.version == 0xa1);
    end(&rules);
}

static void what_cannot_be_kept_holds_all_the_same(void)
{
    struct rules rules;
    begin(&rules);
    CHECK(rmdir(dir) == 0);
    CHECK(take(&rules, ROOM(V1, "8")) && !rules.is_saved);
    CHECK(fabs(high_of(&rules, "air_temperature") - 8) < 1e-9);
    CHECK(mkdir(dir, 0700) == 0);
    CHECK(!take(&rules, ROOM(V1, "8")) && rules.is_saved);
    end(&rules);
}

static void they_win_where_they_say_something(void)
{
    struct rules rules;
    double low;
    double high;
    begin(&rules);
    CHECK(take(&rules, ROOM(V1, "8")));
    CHECK(rules_band(&rules, &settings, "humidity", &low, &high) && low == 80);
    CHECK(rules_band(&rules, &settings, "air_temperature-2", &low, &high));
    CHECK(isinf(low) && fabs(high - 8) < 1e-9);
    CHECK(take(&rules, "{\"v\":1,\"version\":\"" V2 "\",\"zones\":[{\"zone\":\"room-1\","
                       "\"on_duty\":false,\"low\":2,\"high\":8}]}"));
    CHECK(!rules_band(&rules, &settings, "air_temperature", &low, &high));
    end(&rules);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"they hold through a restart", they_hold_through_a_restart},
        {"what is refused leaves the last good ones",
         what_is_refused_leaves_the_last_good_ones},
        {"what a later collector says is noted", what_a_later_collector_says_is_noted},
        {"the same again is not written", the_same_again_is_not_written},
        {"an empty message takes them away", an_empty_message_takes_them_away},
        {"a file that rotted is none", a_file_that_rotted_is_none},
        {"what cannot be kept holds all the same",
         what_cannot_be_kept_holds_all_the_same},
        {"they win where they say something", they_win_where_they_say_something},
        CU_TEST_INFO_NULL,
    };
    return check_run("rules", tests);
}
