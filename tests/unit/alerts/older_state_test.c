// SPDX-License-Identifier: Apache-2.0
/*
 * States that older versions saved go on as if there had been no other version: an engine
 * that loads them tells what one tells that lived through everything itself.
 *
 * tests/data/alerts-state/version-N.txt ("KEY HEX" per entity) is what this program wrote
 * given that path, when that was the version.
 */
#include "base/mem.h"
#include "tests/unit/alerts/story.h"

#define MIN       60
#define SAVED_MIN 1000
#define ALL_MIN   2200
#define ZONE      "room-1"
#define AIR       "air_temperature"

static size_t make_rules(struct alert_rule rules[16])
{
    static const struct {
        const char *id;
        const char *quantity;
        enum alert_kind kind;
        double limit;
        int64_t window_min;
        double level;
    } rows[] = {
        {"sum", AIR, ALERT_CUMULATIVE_ABOVE, 8, 60, 20},
        {"sum-day", AIR, ALERT_CUMULATIVE_ABOVE, 8, 1440, 300},
        {"dose", AIR, ALERT_DOSE_ABOVE, 8, 240, 150},
        {"dose-ever", AIR, ALERT_DOSE_ABOVE, 8, 0, 900},
        {"lift", AIR, ALERT_RATE, 0, 60, 6},
        {"ahead", AIR, ALERT_PREDICTED, 12, 60, 45},
        {"step", AIR, ALERT_STEP, 0, 120, 7},
        {"jump", AIR, ALERT_IMPLAUSIBLE, 0, 0, 1},
        {"still", AIR, ALERT_STUCK, 0, 0, 30},
        {"slow", AIR, ALERT_NO_RECOVERY, 8, 0, 20},
        {"open", "door", ALERT_DOOR_OPEN, 0, 0, 12},
        {"cycles", "compressor", ALERT_CYCLING, 0, 120, 3},
        {"often", "defrost", ALERT_DEFROST_OFTEN, 0, 600, 4},
    };
    size_t count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < count; i++) {
        rules[i] = rule_above(rows[i].id, rows[i].level, rows[i].level, 0, 0);
        snprintf(rules[i].quantity, ID_SIZE, "%s", rows[i].quantity);
        rules[i].kind = rows[i].kind;
        rules[i].limit = rows[i].limit;
        rules[i].window_ms = rows[i].window_min * MIN * 1000;
    }
    rules[count] = rule_silent("rare", ALERT_SILENT, 0);
    return count + 1;
}

static void read_one(struct story *story, const char *quantity, int64_t minute,
                     double value)
{
    struct alert_reading reading = story_reading(quantity, minute * MIN, value);
    reading.quantity = quantity;
    alerts_reading(story->alerts, &reading, &story->sink);
}

/* Up and down between 2 and 13 with rests, a quarter of a degree at a time. */
static double air_at(int64_t minute)
{
    int64_t phase = minute % 190;
    if (phase < 50)
        return 2 + (double)(phase % 7) / 4;
    if (phase < 94)
        return 2 + (double)(phase - 50) / 4;
    if (phase < 140)
        return phase < 130 ? 13 - (double)(phase % 3) / 8 : 13;
    return 13 - (double)(phase - 140) * 0.22;
}

static void live(struct story *story, int64_t from_min, int64_t to_min)
{
    for (int64_t i = from_min; i < to_min; i++) {
        if (i % 400 > 340 && i % 400 < 362)
            continue; /* nothing is heard */
        read_one(story, AIR, i, i % 333 == 50 ? 80 : air_at(i));
        read_one(story, "door", i, i % 190 > 45 && i % 190 < 70);
        read_one(story, "compressor", i, i % 37 < 12);
        read_one(story, "defrost", i, i % 95 < 20);
        story_tick(story, i * MIN + 30);
    }
}

static void begin(struct story *story)
{
    struct alert_rule rules[16];
    story_begin(story);
    story_rules(story, rules, make_rules(rules));
}

static void print_one(void *context, const char *key, const void *data, size_t len)
{
    FILE *file = context;
    fprintf(file, "%s ", key);
    for (size_t i = 0; i < len; i++)
        fprintf(file, "%02x", ((const unsigned char *)data)[i]);
    fprintf(file, "\n");
}

static const char *write_to;

static void write_state(void)
{
    FILE *file = fopen(write_to, "w");
    CHECK(file != NULL);
    if (file == NULL)
        return;
    struct story story;
    begin(&story);
    live(&story, 0, SAVED_MIN);
    alerts_save_changed(story.alerts, file, print_one);
    story_end(&story);
    fclose(file);
}

static size_t load_line(struct story *story, const char *key, const char *hex)
{
    static unsigned char data[8192];
    size_t len = 0;
    unsigned byte;
    while (len < sizeof data && sscanf(hex + 2 * len, "%2x", &byte) == 1)
        data[len++] = (unsigned char)byte;
    CHECK_ROW(key, alerts_load(story->alerts, key, data, len) == ERR_OK);
    return len;
}

static size_t load_file(struct story *story, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/tests/data/alerts-state/%s.txt", check_source_dir(),
             name);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    if (file == NULL)
        return 0;
    static char line[20000];
    size_t count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        char *space = strchr(line, ' ');
        if (space == NULL)
            continue;
        *space = '\0';
        load_line(story, line, space + 1);
        count++;
    }
    fclose(file);
    return count;
}

static void older_states_go_on(void)
{
    static const char *const versions[] = {"version-3", "version-4", "version-5"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        struct story steady;
        struct story loaded;
        begin(&steady);
        begin(&loaded);
        live(&steady, 0, SAVED_MIN);
        buf_clear(&steady.log);
        CHECK(load_file(&loaded, versions[i]) == 5);
        size_t before = steady.count;
        live(&steady, SAVED_MIN, ALL_MIN);
        live(&loaded, SAVED_MIN, ALL_MIN);
        CHECK(steady.count - before > 60);
        CHECK(loaded.count == steady.count - before);
        CHECK_TEXT(loaded.log.data, steady.log.data);
        story_end(&steady);
        story_end(&loaded);
    }
}

/* Version 5 once left a silence that was held a second time counting as well. */
static void a_silence_that_was_held_twice_is_read(void)
{
    struct story story;
    struct alert_rule rule = rule_silent("quiet", ALERT_SILENT, 600);
    rule.unless = 1u << ALERT_REASON_MAINTENANCE;
    story_begin(&story);
    story_rules(&story, &rule, 1);
    CHECK(load_file(&story, "silence-held-twice") == 2); /* until second 9000 */
    story_tick(&story, 9000);
    story_tick(&story, 9599);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 9600);
    CHECK_TEXT(story_told(&story), "opened critical open 0>9600 9600");
    story_end(&story);
}

int main(int argc, char **argv)
{
    write_to = argc == 2 ? argv[1] : NULL;
    CU_TestInfo tests[] = {
        {"older states go on", write_to != NULL ? write_state : older_states_go_on},
        {"a silence that was held twice is read", a_silence_that_was_held_twice_is_read},
        CU_TEST_INFO_NULL,
    };
    return check_run("older_state", tests);
}
