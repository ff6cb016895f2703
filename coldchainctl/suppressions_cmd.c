// SPDX-License-Identifier: Apache-2.0
/*
 * suppressions - what rules kept back, why and for how long; counted by reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rule.h"
#include "base/clock.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

#define SINCE_DEFAULT "7d"
#define PAGE          500
#define MINUTE_MS     60000

struct suppressions_args {
    struct client_args client;
    const char *zone;
    const char *since;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct suppressions_args, client),
    {.name = "zone",
     .type = OPTION_TEXT,
     .offset = offsetof(struct suppressions_args, zone),
     .value = "a zone",
     .arg = "Z",
     .help = "of that zone alone"},
    {.name = "since",
     .type = OPTION_TEXT,
     .offset = offsetof(struct suppressions_args, since),
     .value = "a time",
     .arg = "TIME",
     .help = "what touches the time since then: RFC 3339, or 7d for so long ago (7d)"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct suppressions_args, wants_json),
     .help = "records and sums for programs"},
    {.name = NULL},
};

struct sum {
    size_t count;
    int64_t ms;
};

struct listing {
    struct client *client;
    int64_t from_ms;
    int64_t now_ms;
    json_t *list; /* of all zones; the newest of each first */
    struct sum sums[ALERT_REASON_COUNT];
};

static int64_t time_of(const json_t *entry, const char *key)
{
    int64_t ms;
    return clock_parse_iso(&ms, show_text(entry, key)) ? ms : 0;
}

/* Of the time that was asked for; what goes on, until now. */
static int64_t length_of(const struct listing *listing, const json_t *entry)
{
    int64_t from_ms = time_of(entry, "from");
    int64_t to_ms = time_of(entry, "to");
    if (from_ms < listing->from_ms)
        from_ms = listing->from_ms;
    if (to_ms == 0 || to_ms > listing->now_ms)
        to_ms = listing->now_ms;
    return to_ms > from_ms ? to_ms - from_ms : 0;
}

/* ---- asking ------------------------------------------------------------------------ */

/* Pages meet in one moment: what has it was listed by the page before. */
static bool is_listed(const struct listing *listing, const json_t *entry)
{
    for (size_t i = json_array_size(listing->list); i > 0; i--) {
        const json_t *other = json_array_get(listing->list, i - 1);
        if (strcmp(show_text(other, "from"), show_text(entry, "from")) != 0)
            return false;
        if (strcmp(show_text(other, "id"), show_text(entry, "id")) == 0)
            return true;
    }
    return false;
}

static void add(struct listing *listing, json_t *entry)
{
    enum alert_reason reason;
    json_array_append(listing->list, entry);
    if (!alert_reason_parse(&reason, show_text(entry, "reason")))
        return; /* of a newer collector: listed, and that is all */
    listing->sums[reason].count++;
    listing->sums[reason].ms += length_of(listing, entry);
}

/* Adds what is new; *before_ms is where the next page begins. */
static enum err ask_page(struct listing *listing, const char *zone, int64_t *before_ms,
                         bool *is_last, struct err_text *why)
{
    struct buf path = {0};
    char text[CLOCK_ISO_MAX];
    json_t *page = NULL;
    size_t i;
    json_t *entry;
    buf_text(&path, "/api/v1/zones/");
    client_escape(&path, zone);
    buf_format(&path, "/suppressions?limit=%d", PAGE);
    client_param(&path, "from", clock_format_iso(text, listing->from_ms));
    client_param(&path, "to", clock_format_iso(text, *before_ms));
    enum err err = client_get(listing->client, path.data, &page, why);
    size_t before = json_array_size(listing->list);
    json_array_foreach(json_object_get(page, "suppressions"), i, entry)
    {
        if (!is_listed(listing, entry))
            add(listing, entry);
        *before_ms = time_of(entry, "from") + 1;
    }
    *is_last = i < PAGE || json_array_size(listing->list) == before;
    json_decref(page);
    buf_fini(&path);
    return err;
}

static enum err ask_zone(struct listing *listing, const char *zone, struct err_text *why)
{
    bool is_last = false;
    int64_t before_ms = listing->now_ms + MINUTE_MS; /* the collector's may be ahead */
    enum err err = ERR_OK;
    while (err == ERR_OK && !is_last)
        err = ask_page(listing, zone, &before_ms, &is_last, why);
    return err;
}

/* `wanted` NULL: all of them. */
static enum err ask_zones(struct listing *listing, const char *wanted,
                          struct err_text *why)
{
    json_t *zones = NULL;
    bool is_there = wanted == NULL;
    enum err err = client_get(listing->client, "/api/v1/zones", &zones, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(zones); i++) {
        const char *zone = show_text(json_array_get(zones, i), "id");
        if (wanted != NULL && strcmp(zone, wanted) != 0)
            continue;
        is_there = true;
        err = ask_zone(listing, zone, why);
    }
    json_decref(zones);
    if (err == ERR_OK && !is_there)
        err = err_set(why, ERR_NOT_FOUND,
                      say("there is no zone '%.64s'; 'coldchainctl zones' lists them"),
                      wanted);
    return err;
}

/* ---- showing ----------------------------------------------------------------------- */

static void entry_row(struct table *table, const struct listing *listing,
                      const json_t *entry)
{
    char text[SHOW_SIZE];
    bool goes_on = json_is_null(json_object_get(entry, "to"));
    table_cell(table, "%s", show_time(text, entry, "from"));
    table_cell(table, "%s", goes_on ? say("goes on") : show_time(text, entry, "to"));
    table_cell(table, "%.0f", (double)length_of(listing, entry) / MINUTE_MS);
    table_cell(table, "%s", show_word(entry, "reason", "reason"));
    table_cell(table, "%s", show_text(entry, "zone"));
    table_cell(table, "%s", show_text(entry, "rule"));
    table_cell(table, "%s", show_text(entry, "device"));
    table_cell(table, "%s", show_text(entry, "channel"));
    table_cell(table, "%s", show_word(entry, "severity", NULL));
    table_cell(table, "%s", show_number(text, entry, "worst"));
    table_cell(table, "%s", show_number(text, entry, "limit"));
    table_cell(table, "%s", show_word(entry, "ended", "ended"));
}

static void print_sums(const struct listing *listing)
{
    struct table table = {.headings = {"REASON", ">COUNT", ">MIN"}};
    for (size_t i = 0; i < ALERT_REASON_COUNT; i++) {
        if (listing->sums[i].count == 0)
            continue;
        table_cell(&table, "%s",
                   say_of("reason", alert_reason_name((enum alert_reason)i)));
        table_cell(&table, "%zu", listing->sums[i].count);
        table_cell(&table, "%.0f", (double)listing->sums[i].ms / MINUTE_MS);
    }
    putchar('\n');
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_people(const struct listing *listing)
{
    struct table table = {.headings = {"FROM", "TO", ">MIN", "REASON", "ZONE", "RULE",
                                       "DEVICE", "CHANNEL", "SEVERITY", ">WORST",
                                       ">LIMIT", "ENDED BY"}};
    size_t i;
    json_t *entry;
    json_array_foreach(listing->list, i, entry) entry_row(&table, listing, entry);
    if (i > 0) {
        table_print(&table, stdout);
        print_sums(listing);
    } else {
        puts(say("nothing was kept back"));
    }
    table_fini(&table);
}

static void print_json(const struct listing *listing)
{
    char text[CLOCK_ISO_MAX];
    json_t *sums = json_array();
    for (size_t i = 0; i < ALERT_REASON_COUNT; i++)
        if (listing->sums[i].count > 0)
            json_array_append_new(
                sums, json_pack("{s:s, s:I, s:f}", "reason",
                                alert_reason_name((enum alert_reason)i), "count",
                                (json_int_t)listing->sums[i].count, "minutes",
                                (double)listing->sums[i].ms / MINUTE_MS));
    show_json(json_pack("{s:s, s:o, s:O}", "since",
                        clock_format_iso(text, listing->from_ms), "by_reason", sums,
                        "suppressions", listing->list));
}

static enum err begin(struct listing *listing, const struct suppressions_args *args,
                      struct err_text *why)
{
    struct clock clock;
    char *since = NULL;
    clock_init(&clock);
    listing->now_ms = clock_wall_ms(&clock);
    enum err err = show_parse_time(&since, "since", args->since, listing->now_ms, why);
    if (err == ERR_OK && !clock_parse_iso(&listing->from_ms, since))
        listing->from_ms = strtoll(since, NULL, 10);
    free(since);
    if (err == ERR_OK)
        err = client_open(&listing->client, &args->client, why);
    return err;
}

static int suppressions_run(int argc, char **argv)
{
    struct suppressions_args args = {.since = SINCE_DEFAULT};
    struct listing listing = {.list = NULL};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("suppressions", "%s", why.text);
    if (argc > 1)
        return command_usage("suppressions", "nothing is expected behind the options");
    listing.list = json_array();
    enum err err = begin(&listing, &args, &why);
    if (err == ERR_OK)
        err = ask_zones(&listing, args.zone, &why);
    if (err == ERR_OK && args.wants_json)
        print_json(&listing);
    else if (err == ERR_OK)
        print_people(&listing);
    client_close(listing.client);
    json_decref(listing.list);
    return err == ERR_OK ? COMMAND_OK : command_fail("suppressions", err, &why);
}

const struct command suppressions_command = {
    .name = "suppressions",
    .summary = "what rules kept back, why and for how long",
    .usage = "[--zone Z] [--since TIME] [--json] [options]\n",
    .about =
        "Nothing is kept back silently: what a rule would have told during a defrost, "
        "with an open door, at the start of a trip, during a planned step or a "
        "maintenance, or off duty, is a record. Each is listed with the rule and the "
        "channel, from when to when, the worst that was kept back beside the level, and "
        "what ended it: the reason was over, the channel was heard again, the rule was "
        "changed, or the channel measures the zone no longer. The newest of each zone "
        "first.\n"
        "A rule that is about shapes of the air (cooling_failed, doors and defrosts "
        "without a signal) is recorded as sparse while readings come too far apart for "
        "them: WORST and LIMIT are minutes between readings then.\n"
        "Below stand records and minutes by reason. Minutes are those since TIME; of "
        "channels kept back at once each counts. WORST and LIMIT of silence are "
        "seconds.\n",
    .options = options,
    .examples = "coldchainctl suppressions\n"
                "coldchainctl suppressions --zone room-1 --since 24h\n"
                "coldchainctl suppressions --since 2026-11-01T00:00:00+08:00 --json | jq "
                "'.by_reason'\n",
    .statuses = "0 shown\n"
                "1 no such zone or the API could not be asked\n"
                "2 wrong usage\n",
    .run = suppressions_run,
};
