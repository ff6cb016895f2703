// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/embed.h"
#include "base/mem.h"
#include "base/number.h"
#include "coldchainctl/backtest.h"
#include "coldchainctl/backtest_show.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/progress.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

/* Of alerts/profiles. */
extern const struct embed_file rule_files[];
extern const size_t rule_files_count;

#define SETS_MAX 2
#define SINCE    "90d"

struct backtest_args {
    struct client_args client;
    const char *rules;
    const char *profile;
    const char *compare;
    const char *csv;
    const char *columns;
    const char *since;
    const char *to;
    const char *zone;
    const char *band;
    const char *plot;
    double tau_h;
    bool is_partial;
    bool as_arrived;
    bool shows_all;
    bool wants_json;
};

#define FIELD(option, kind, field, what, name_of, about) \
    { \
        .name = option, .type = kind, .offset = offsetof(struct backtest_args, field), \
        .value = what, .arg = name_of, .help = about \
    }

static const struct option options[] = {
    FIELD("rules", OPTION_TEXT, rules, "a file", "FILE",
          "rules as 'config export' writes them, or only the part from 'rules:' on"),
    {.name = "profile",
     .type = OPTION_TEXT,
     .offset = offsetof(struct backtest_args, profile),
     .value = "room, freezer or van",
     .arg = "P",
     .help = "instead of --rules those that come with the program, for a cold room, a "
             "freezer or a van that delivers",
     .words = "room freezer van"},
    FIELD("compare", OPTION_TEXT, compare, "a file", "FILE",
          "other rules over the same record, side by side; also the name of a profile"),
    FIELD("csv", OPTION_TEXT, csv, "a file", "FILE",
          "over a logger's file instead of the collector's history"),
    FIELD("columns", OPTION_TEXT, columns, "time=HEADING,CHANNEL=HEADING", "MAP",
          "time=NAME[@iso|s|ms|utc|+08:00],CHANNEL=NAME[@UNIT],...; C, F, % or a unit of "
          "SenML; #3 is the third column"),
    FIELD("since", OPTION_TEXT, since, "a time", "T", "not before (90d)"),
    FIELD("to", OPTION_TEXT, to, "a time", "T", "before"),
    FIELD("zone", OPTION_TEXT, zone, "a zone", "ZONE",
          "the rules of this zone only; with --csv the zone that was measured"),
    FIELD("band", OPTION_TEXT, band, "LOW..HIGH, e.g. 2..8", "LOW..HIGH",
          "what the goods bear (the zone's band in the file or in the collector)"),
    {.name = "tau",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct backtest_args, tau_h),
     .least = 0,
     .most = 1000,
     .value = "a time constant in hours",
     .arg = "HOURS",
     .help =
         "how slowly goods follow the air where no probe is in them (the zone's); 0: at once"},
    FIELD("as-arrived", OPTION_FLAG, as_arrived, NULL, NULL,
          "readings come when they came, late ones late; else when they were measured"),
    FIELD("partial", OPTION_FLAG, is_partial, NULL, NULL,
          "leave out rows that cannot be read, instead of refusing the file"),
    FIELD("plot", OPTION_TEXT, plot, "a file ending in .svg or .png", "FILE",
          "draw it, .svg or .png"),
    FIELD("all", OPTION_FLAG, shows_all, NULL, NULL, "every firing, not the first 20"),
    FIELD("json", OPTION_FLAG, wants_json, NULL, NULL, "the whole result as an object"),
    CLIENT_OPTIONS(struct backtest_args, client),
    {.name = NULL},
};

/* Everything of one call. */
struct session {
    const struct backtest_args *args;
    struct client *client;
    struct backtest_rules sets[SETS_MAX];
    size_t set_count;
    struct backtest_data data;
    json_t *zones; /* of the collector: id -> {field: value} */
    struct backtest tests[SETS_MAX];
    size_t test_count;
    struct progress progress;
};

/* ---- zones ------------------------------------------------------------------------- */

/* "2..8", "..8", "2.." */
static bool parse_band(const char *text, double *low, double *high)
{
    const char *dots = strstr(text, "..");
    if (dots == NULL)
        return false;
    size_t low_len = (size_t)(dots - text);
    size_t high_len = strlen(dots + 2);
    *low = (double)NAN;
    *high = (double)NAN;
    if (low_len > 0 && number_scan(low, text, low_len) != low_len)
        return false;
    if (high_len > 0 && number_scan(high, dots + 2, high_len) != high_len)
        return false;
    return low_len + high_len > 0 && !(*low >= *high);
}

/* What the collector knows of the zones of which the file says nothing. */
static enum err ask_zone(struct session *session, const char *id, struct err_text *why)
{
    struct buf path = {0};
    json_t *zone = NULL;
    buf_text(&path, "/api/v1/entities/zone/");
    client_escape(&path, id);
    enum err err = client_get(session->client, path.data, &zone, why);
    buf_fini(&path);
    if (err == ERR_OK)
        json_object_set(session->zones, id, zone);
    json_decref(zone);
    /* Who may read what was measured may yet not read how it is set up. */
    return err == ERR_NOT_FOUND || err == ERR_DENIED ? ERR_OK : err;
}

/* ---- the record -------------------------------------------------------------------- */

static enum err load_csv(struct session *session, struct err_text *why)
{
    const struct backtest_args *args = session->args;
    const char *zone = backtest_rules_zone(&session->sets[0]);
    if (zone == NULL)
        return err_set(why, ERR_INVALID,
                       say("%s has rules for several zones; --zone says which one was "
                           "measured"),
                       args->rules);
    const struct backtest_csv csv = {.name = args->csv,
                                     .columns = args->columns,
                                     .zone = zone,
                                     .is_partial = args->is_partial};
    return backtest_data_csv(&session->data, &csv, why);
}

static bool is_fetched(const struct session *session, const char *zone)
{
    for (size_t i = 0; i < session->data.channel_count; i++)
        if (strcmp(session->data.channels[i].zone, zone) == 0)
            return true;
    return false;
}

static enum err load_history(struct session *session, struct err_text *why)
{
    const struct backtest_args *args = session->args;
    struct clock clock;
    char *from = NULL;
    char *to = NULL;
    clock_init(&clock);
    int64_t now_ms = clock_wall_ms(&clock);
    enum err err = show_parse_time(
        &from, "since", args->since != NULL ? args->since : SINCE, now_ms, why);
    if (err == ERR_OK)
        err = show_parse_time(&to, "to", args->to, now_ms, why);
    if (err == ERR_OK)
        err = client_open(&session->client, &args->client, why);
    for (size_t i = 0; err == ERR_OK && i < session->sets[0].count; i++) {
        const char *zone = session->sets[0].rules[i].zone;
        if (is_fetched(session, zone))
            continue;
        err = ask_zone(session, zone, why);
        if (err == ERR_OK)
            err =
                backtest_data_fetch(&session->data, session->client, zone, from, to, why);
    }
    free(from);
    free(to);
    return err;
}

static enum err load(struct session *session, struct err_text *why)
{
    enum err err =
        session->args->csv != NULL ? load_csv(session, why) : load_history(session, why);
    if (err == ERR_OK)
        err = backtest_data_order(&session->data, session->args->as_arrived, why);
    return err;
}

/* ---- rules ------------------------------------------------------------------------- */

/* Rules that come with the program, by their name; NULL: there are none of that name. */
static const struct embed_file *find_profile(const char *name)
{
    for (size_t i = 0; i < rule_files_count; i++) {
        size_t len = strcspn(rule_files[i].name, ".");
        if (strlen(name) == len && memcmp(rule_files[i].name, name, len) == 0)
            return &rule_files[i];
    }
    return NULL;
}

static enum err read_set(struct session *session, const char *path, struct err_text *why)
{
    const struct backtest_args *args = session->args;
    struct backtest_rules *rules = &session->sets[session->set_count++];
    const struct embed_file *profile = find_profile(path);
    enum err err = profile != NULL
                       ? backtest_rules_parse(rules, path, (const char *)profile->data,
                                              profile->size, why)
                       : backtest_rules_read(rules, path, why);
    if (err != ERR_OK)
        return err;
    const char *zone = backtest_rules_zone(rules);
    const char *wanted = args->zone != NULL       ? args->zone
                         : session->set_count > 1 ? backtest_rules_zone(session->sets)
                                                  : NULL;
    if ((args->csv != NULL || profile != NULL) && zone != NULL && wanted != NULL)
        backtest_rules_move(rules, wanted);
    else if (args->zone != NULL)
        err = backtest_rules_keep(rules, args->zone, why);
    return err;
}

/* ---- running ----------------------------------------------------------------------- */

static void on_progress(void *context, size_t done)
{
    struct session *session = context;
    progress_set(&session->progress, done);
}

static enum err run_set(struct session *session, size_t i, struct err_text *why)
{
    struct backtest_options run = {.zones = session->zones,
                                   .band_low = (double)NAN,
                                   .band_high = (double)NAN,
                                   .tau_h = session->args->tau_h,
                                   .context = session,
                                   .progress = on_progress};
    if (session->args->band != NULL &&
        !parse_band(session->args->band, &run.band_low, &run.band_high))
        return err_set(why, ERR_INVALID, "%s", session->args->band); /* misuse() */
    progress_begin(&session->progress, session->sets[i].name, say("readings"),
                   session->data.count);
    session->test_count++;
    enum err err =
        backtest_run(&session->tests[i], &session->sets[i], &session->data, &run, why);
    progress_end(&session->progress);
    return err;
}

static void print_warnings(const struct backtest *test)
{
    size_t i;
    json_t *text;
    json_t *warnings = backtest_warnings(test);
    fflush(stdout);
    json_array_foreach(warnings, i, text)
        fprintf(stderr, "%s\n", json_string_value(text));
    json_decref(warnings);
}

static void print_json(const struct session *session)
{
    if (session->test_count == 1) {
        show_json(backtest_json(&session->tests[0]));
        return;
    }
    json_t *results = json_array();
    for (size_t i = 0; i < session->test_count; i++)
        json_array_append_new(results, backtest_json(&session->tests[i]));
    show_json(json_pack("{s:o}", "compare", results));
}

static void report(const struct session *session)
{
    const struct backtest *tests[SETS_MAX] = {&session->tests[0], &session->tests[1]};
    if (session->args->wants_json) {
        print_json(session);
        return;
    }
    for (size_t i = 0; i < session->test_count; i++) {
        if (i > 0)
            putchar('\n');
        backtest_show(&session->tests[i], session->args->shows_all);
        print_warnings(&session->tests[i]);
    }
    if (session->test_count > 1) {
        putchar('\n');
        backtest_compare(tests, session->test_count);
    }
}

static enum err backtest(struct session *session, struct err_text *why)
{
    const struct backtest_args *args = session->args;
    enum err err =
        read_set(session, args->rules != NULL ? args->rules : args->profile, why);
    if (err == ERR_OK && args->compare != NULL)
        err = read_set(session, args->compare, why);
    if (err == ERR_OK)
        err = load(session, why);
    for (size_t i = 0; err == ERR_OK && i < session->set_count; i++)
        err = run_set(session, i, why);
    if (err == ERR_OK)
        report(session);
    if (err == ERR_OK && args->plot != NULL)
        err = backtest_plot(&session->tests[0], args->plot, why);
    return err;
}

static void session_fini(struct session *session)
{
    client_close(session->client);
    for (size_t i = 0; i < session->test_count; i++)
        backtest_fini(&session->tests[i]);
    for (size_t i = 0; i < session->set_count; i++)
        backtest_rules_fini(&session->sets[i]);
    backtest_data_fini(&session->data);
    json_decref(session->zones);
}

/* What is wrong with how it was asked; NULL: nothing. */
static const char *misuse(const struct backtest_args *args)
{
    double low;
    double high;
    if ((args->rules == NULL) == (args->profile == NULL))
        return say("give one of --rules FILE and --profile room|freezer|van");
    if (args->profile != NULL && find_profile(args->profile) == NULL)
        return say("--profile takes room, freezer or van");
    if (args->profile != NULL && args->csv == NULL && args->zone == NULL)
        return say("--profile needs --zone: whose history it is tried on");
    if (args->csv != NULL && args->columns == NULL)
        return say(
            "--csv needs --columns, such as time=Time@+08:00,air_temperature=Temp");
    if (args->csv == NULL && args->columns != NULL)
        return say("--columns belongs to --csv");
    if (args->csv != NULL && (args->since != NULL || args->to != NULL))
        return say("--since and --to ask the collector's history; --csv takes a file");
    if (args->band != NULL && !parse_band(args->band, &low, &high))
        return say("--band takes LOW..HIGH, such as 2..8, ..-18 or 3..");
    return NULL;
}

static int backtest_run_command(int argc, char **argv)
{
    struct backtest_args args = {.tau_h = (double)NAN};
    struct err_text why = {""};
    struct session session = {.args = &args};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("backtest", "%s", why.text);
    if (argc > 1)
        return command_usage("backtest", "nothing is expected behind the options");
    const char *wrong = misuse(&args);
    if (wrong != NULL)
        return command_usage("backtest", "%s", wrong);
    session.zones = json_object();
    enum err err = backtest(&session, &why);
    session_fini(&session);
    return err == ERR_OK ? COMMAND_OK : command_fail("backtest", err, &why);
}

const struct command backtest_command = {
    .name = "backtest",
    .summary = "what rules would have said of a history or of a logger's file",
    .usage = "--rules FILE|--profile P [--since T] [--to T] [--zone ZONE] [options]\n"
             "--rules FILE|--profile P --csv FILE --columns MAP [options]\n",
    .about =
        "Runs the collector's own alarm engine over what was measured, and tells nobody: "
        "nothing is armed, nothing changes. Rules are those of a file, so that they can be "
        "tried before they are imported.\n"
        "FIRINGS are incidents that would have been opened, DELAY is the middle time from "
        "the first reading that was wrong to when it was told. Harm is that the goods were "
        "outside of their band: by a product_temperature or pulp_temperature of the zone, "
        "else estimated from the air. Of it: FALSE are firings without harm, A MONTH so "
        "many in 30 days, WARNED the harms that were told of before they began, AHEAD the "
        "middle time that this gave, LATE those told of later, MISSED those never told of; "
        "rules that do not say how warm it is (stuck, door_open, silent, ...) have \"-\". "
        "A repair that came in time makes a firing look false: harm is all "
        "that a record can show. KEPT are the stretches of time for which a reason (door, "
        "defrost, maintenance, ...) kept something back.\n"
        "A rule that watches what was never measured, or would have been open most of the "
        "time, is named with its line.\n"
        "--compare shows two sets of rules side by side; their zones are taken for the "
        "same with --csv.\n",
    .options = options,
    .examples =
        "coldchainctl config export - >rules.yaml\n"
        "coldchainctl backtest --rules rules.yaml --since 90d --zone room-1\n"
        "coldchainctl backtest --profile room --zone room-1 --compare rules.yaml\n"
        "coldchainctl backtest --rules new.yaml --compare rules.yaml --since 30d\n"
        "coldchainctl backtest --rules rules.yaml --csv van.csv --band 0..8 \\\n"
        "    --columns 'time=Time@+08:00,air_temperature=Temp@C,door=Door'\n"
        "coldchainctl backtest --rules rules.yaml --csv van.csv --plot van.svg --json \\\n"
        "    --columns time=#1@s,air_temperature=#2\n",
    .statuses = "0 shown, whatever the rules would have said\n"
                "1 the rules or the file are refused, with the line, or the API could "
                "not be asked\n"
                "2 wrong usage\n",
    .run = backtest_run_command,
};
