// SPDX-License-Identifier: Apache-2.0
/*
 * rules - which rules of a zone can judge right now, why others cannot, and how warm its
 * goods are taken to be.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "coldchainctl/band_bar.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/show.h"
#include "coldchainctl/spark.h"
#include "coldchainctl/table.h"

/* 366 days: what the API says of a prediction that leads nowhere. */
#define FAR_MIN     527040.0
#define BAR_COLUMNS 64
#define BAR_INDENT  2

struct rules_args {
    struct client_args client;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct rules_args, client),
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct rules_args, wants_json),
     .help = "the API's answers, a list of zones"},
    {.name = NULL},
};

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* ---- rules ------------------------------------------------------------------------- */

static void levels_cell(struct table *table, const json_t *rule)
{
    struct buf text = {0};
    char number[SHOW_SIZE];
    size_t i;
    json_t *level;
    json_array_foreach(json_object_get(rule, "levels"), i, level)
    {
        bool is_critical = strcmp(show_text(level, "severity"), "critical") == 0;
        buf_format(&text, "%s%s%s", i > 0 ? " " : "", show_number(number, level, "level"),
                   is_critical ? "!" : "");
    }
    table_cell(table, "%s", text.len > 0 ? text.data : "-");
    buf_fini(&text);
}

/* The shortest that is exact would be a dozen digits of a mean. */
static void measure_cell(struct table *table, const json_t *rule, const json_t *channel)
{
    double measure = number_of(channel, "measure");
    bool is_minutes = strcmp(show_text(rule, "unit"), "min") == 0;
    if (is_minutes && measure >= FAR_MIN)
        table_cell(table, "%s", say("far off"));
    else if (isfinite(measure))
        table_cell(table, "%.4g", measure);
    else
        table_cell(table, "-");
}

static void channel_row(struct table *table, const json_t *rule, const json_t *channel)
{
    const char *state = show_text(channel, "state");
    table_cell(table, "%s", show_text(rule, "id"));
    table_cell(table, "%s", show_word(rule, "kind", NULL));
    table_cell(table, "%s", show_text(channel, "device"));
    table_cell(table, "%s", show_text(channel, "channel"));
    table_cell(table, "%s", say_of("standing", state));
    if (strcmp(state, "firing") == 0 || strcmp(state, "unavailable") == 0)
        table_alarm(table);
    measure_cell(table, rule, channel);
    levels_cell(table, rule);
    table_cell(table, "%s", show_text(rule, "unit"));
    table_cell(table, "%s",
               show_text(channel, say_language() == SAY_ZH ? "text_zh" : "text"));
}

static void print_rules(const json_t *zone)
{
    struct table table = {.headings = {"RULE", "KIND", "DEVICE", "CHANNEL", "STATE",
                                       ">MEASURE", ">LEVELS", "UNIT", "WHY"}};
    size_t i;
    size_t k;
    json_t *rule;
    json_t *channel;
    json_array_foreach(json_object_get(zone, "rules"), i, rule)
    {
        json_array_foreach(json_object_get(rule, "channels"), k, channel)
            channel_row(&table, rule, channel);
    }
    if (i > 0)
        table_print(&table, stdout);
    else
        puts(say("no rule watches it"));
    table_fini(&table);
}

/* ---- goods ------------------------------------------------------------------------- */

static void print_load(const json_t *load)
{
    char at[SHOW_SIZE];
    printf(say("  load of %.1f °C since %s: now %.1f °C\n"), number_of(load, "entry_c"),
           show_time(at, load, "from"), number_of(load, "now_c"));
}

static void print_bar(const json_t *zone, const json_t *goods)
{
    const json_t *estimate = json_object_get(goods, "temperature_c");
    const json_t *loads = json_object_get(goods, "loads");
    size_t count = json_array_size(loads);
    double *marks = mem_array(count + 1, sizeof *marks);
    for (size_t i = 0; i < count; i++)
        marks[i] = number_of(json_array_get(loads, i), "now_c");
    const struct band_bar bar = {.low = number_of(zone, "band_low"),
                                 .high = number_of(zone, "band_high"),
                                 .least = number_of(estimate, "low"),
                                 .middle = number_of(estimate, "mid"),
                                 .most = number_of(estimate, "high"),
                                 .marks = marks,
                                 .mark_count = count};
    struct buf line = {0};
    size_t room = screen_room(stdout);
    band_bar_draw(&line, &bar,
                  room > 0 && room < BAR_COLUMNS ? room - BAR_INDENT : BAR_COLUMNS,
                  spark_is_utf8());
    printf("%*s%s\n", BAR_INDENT, "", line.data != NULL ? line.data : "");
    buf_fini(&line);
    free(marks);
}

static const char *tau_words(const char *from)
{
    if (strcmp(from, "probe") == 0)
        return say("fitted by a probe among them");
    if (strcmp(from, "zone") == 0)
        return say("as declared for the zone");
    if (strcmp(from, "goods") == 0)
        return say("of the profiles of what stands there");
    return say("usual for packed produce, nothing better is known");
}

static void print_goods(const json_t *zone, const json_t *goods)
{
    const json_t *estimate = json_object_get(goods, "temperature_c");
    const json_t *tau = json_object_get(goods, "tau_h");
    size_t i;
    json_t *load;
    printf(say("\ngoods around %s %s: %.1f °C (%.1f to %.1f)%s\n"),
           show_text(goods, "device"), show_text(goods, "channel"),
           number_of(estimate, "mid"), number_of(estimate, "low"),
           number_of(estimate, "high"),
           json_is_true(json_object_get(goods, "probed"))
               ? say(", corrected by a probe among them")
               : "");
    printf(say("  they follow the air with %.1f h (%.1f to %.1f): %s\n"),
           number_of(tau, "mid"), number_of(tau, "low"), number_of(tau, "high"),
           tau_words(show_text(goods, "tau_from")));
    print_bar(zone, goods);
    json_array_foreach(json_object_get(goods, "loads"), i, load) print_load(load);
}

static void print_zone(const json_t *zone)
{
    char low[SHOW_SIZE];
    char high[SHOW_SIZE];
    size_t i;
    json_t *goods;
    printf("%s  %s..%s\n", show_text(zone, "zone"), show_number(low, zone, "band_low"),
           show_number(high, zone, "band_high"));
    print_rules(zone);
    json_array_foreach(json_object_get(zone, "goods"), i, goods) print_goods(zone, goods);
    if (i > 0)
        puts(
            spark_is_utf8()
                ? say("  the zone's band [·], the goods ━ with their middle ●, loads ◆")
                : say("  the zone's band [.], the goods = with their middle O, loads *"));
}

/* ---- asking ------------------------------------------------------------------------ */

static enum err ask_zone(struct client *client, const char *zone, json_t *answers,
                         struct err_text *why)
{
    struct buf path = {0};
    json_t *answer = NULL;
    buf_text(&path, "/api/v1/zones/");
    client_escape(&path, zone);
    buf_text(&path, "/rules");
    enum err err = client_get(client, path.data, &answer, why);
    if (err == ERR_OK)
        json_array_append_new(answers, answer);
    if (err == ERR_NOT_FOUND)
        err = err_set(why, ERR_NOT_FOUND,
                      say("there is no zone '%.64s'; 'coldchainctl zones' lists them"),
                      zone);
    buf_fini(&path);
    return err;
}

static enum err ask_all(struct client *client, json_t *answers, struct err_text *why)
{
    json_t *zones = NULL;
    enum err err = client_get(client, "/api/v1/zones", &zones, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(zones); i++)
        err = ask_zone(client, show_text(json_array_get(zones, i), "id"), answers, why);
    json_decref(zones);
    return err;
}

static void print_answers(const json_t *answers)
{
    size_t i;
    json_t *zone;
    json_array_foreach((json_t *)(uintptr_t)answers, i, zone)
    {
        if (i > 0)
            putchar('\n');
        print_zone(zone);
    }
}

static int rules_run(int argc, char **argv)
{
    struct rules_args args = {0};
    struct client *client = NULL;
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("rules", "%s", why.text);
    if (argc > 2)
        return command_usage("rules", "one zone at most is named");
    json_t *answers = json_array();
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = argc == 2 ? ask_zone(client, argv[1], answers, &why)
                        : ask_all(client, answers, &why);
    if (err == ERR_OK && args.wants_json)
        show_json(json_incref(answers));
    else if (err == ERR_OK)
        print_answers(answers);
    client_close(client);
    json_decref(answers);
    return err == ERR_OK ? COMMAND_OK : command_fail("rules", err, &why);
}

const struct command rules_command = {
    .name = "rules",
    .summary = "which rules can judge now, why others cannot; how warm the goods are",
    .usage = "[ZONE] [--json] [options]\n",
    .about =
        "Of every zone, or one, each rule on each channel: it judges, it fires, it is "
        "held back by one of its reasons, or it is unavailable, and WHY: readings that "
        "come too far apart, cycles of the air that are not learned yet and how long "
        "that takes at least, no other probe to compare with, and so on (docs/rules.md). "
        "MEASURE is what the LEVELS are compared with, as of the last reading; a critical "
        "level has a '!'.\n"
        "Below stands how warm the goods around each probe of air are taken to be, where "
        "a rule looks at that: with its band beside the zone's, how fast they follow the "
        "air and where that is known from, and what came in warmer or colder.\n",
    .options = options,
    .examples = "coldchainctl rules room-1\n"
                "coldchainctl rules --json | jq '.[].rules[] | "
                "select(.state == \"unavailable\")'\n",
    .statuses = "0 shown\n"
                "1 no such zone or the API could not be asked\n"
                "2 wrong usage\n",
    .run = rules_run,
};
