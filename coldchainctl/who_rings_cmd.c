// SPDX-License-Identifier: Apache-2.0
/*
 * who-rings - who would be told when over what, by the collector's settings: a dry run.
 *
 * Nobody is told anything. Channels are taken to work; whether they do, doctor says.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/help.h"
#include "coldchainctl/say.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/table.h"
#include "collector/config.h"
#include "collector/notify/channel.h"
#include "collector/notify/message_time.h"
#include "collector/roster.h"

#define CONFIG_DEFAULT "/etc/coldchain/collector.yaml"
#define SPAN_MS        INT64_C(86400000) /* nobody answers for so long */
#define TOLD_MAX       1000

struct who_args {
    const char *config;
    const char *zone;
    const char *severity;
    const char *at;
    const char *time_zone;
    bool wants_json;
};

static const struct option options[] = {
    {.name = "config",
     .type = OPTION_TEXT,
     .offset = offsetof(struct who_args, config),
     .value = "a file",
     .arg = "FILE",
     .help = "the collector's configuration (" CONFIG_DEFAULT ")"},
    {.name = "zone",
     .type = OPTION_TEXT,
     .offset = offsetof(struct who_args, zone),
     .value = "a zone",
     .arg = "ZONE",
     .help = "an incident there; without it one of no zone, such as a failing channel"},
    {.name = "severity",
     .type = OPTION_TEXT,
     .offset = offsetof(struct who_args, severity),
     .value = "warning or critical",
     .arg = "SEVERITY",
     .help = "how grave it is: warning, critical (critical)"},
    {.name = "at",
     .type = OPTION_TEXT,
     .offset = offsetof(struct who_args, at),
     .value = "a time",
     .arg = "TIME",
     .help = "when it would open: RFC 3339 (now)"},
    {.name = "time-zone",
     .type = OPTION_TEXT,
     .offset = offsetof(struct who_args, time_zone),
     .value = "a time zone",
     .arg = "NAME",
     .help =
         "of the site, such as Europe/Berlin, where the configuration does not say it"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct who_args, wants_json),
     .help = "machine-readable"},
    {.name = NULL},
};

struct rehearsal {
    const struct roster *roster;
    const struct escalation_policy *policy; /* NULL: every channel at once */
    const char *time_zone;                  /* the name of incident.tz */
    struct escalation_case incident;
    struct escalation_tell told[TOLD_MAX];
    size_t count;
};

/* At once, each once; programs are told whatever a policy says. */
static void rehearse_channels(struct rehearsal *rehearsal, bool programs_only)
{
    const struct escalation_plan *plan = &rehearsal->roster->plan;
    for (size_t i = 0; i < plan->channel_count; i++)
        if (!programs_only || plan->channels[i].is_program)
            rehearsal->told[rehearsal->count++] =
                (struct escalation_tell){.contact = ESCALATION_NONE,
                                         .channel = i,
                                         .at_ms = rehearsal->incident.round_ms};
}

/* What programs were told is of no step. */
static void rehearse(struct rehearsal *rehearsal)
{
    static struct escalation_decision decision;
    int64_t now_ms = rehearsal->incident.round_ms;
    rehearse_channels(rehearsal, true);
    size_t programs = rehearsal->count;
    int64_t end_ms = now_ms + SPAN_MS;
    while (now_ms <= end_ms && rehearsal->count < TOLD_MAX) {
        escalation_next(&rehearsal->roster->plan, rehearsal->policy, &rehearsal->incident,
                        rehearsal->told + programs, rehearsal->count - programs, now_ms,
                        &decision);
        for (size_t i = 0; i < decision.count && rehearsal->count < TOLD_MAX; i++)
            rehearsal->told[rehearsal->count++] = decision.tells[i];
        now_ms = decision.next_ms;
    }
}

static bool is_program(const struct rehearsal *rehearsal,
                       const struct escalation_tell *tell)
{
    return rehearsal->policy != NULL &&
           rehearsal->roster->plan.channels[tell->channel].is_program;
}

static const char *contact_of(const struct rehearsal *rehearsal,
                              const struct escalation_tell *tell)
{
    return tell->contact != ESCALATION_NONE
               ? rehearsal->roster->plan.contacts[tell->contact].id
               : "";
}

static const char *reason_of(const struct rehearsal *rehearsal,
                             const struct escalation_tell *tell)
{
    if (is_program(rehearsal, tell))
        return say("a program: told of everything at once");
    if (tell->is_last_resort)
        return say("nobody has the duty: last resort");
    if (tell->is_in_quiet)
        return say("rings in quiet hours");
    if (tell->is_fallback)
        return say("not the first address");
    return "";
}

static void print_table(const struct rehearsal *rehearsal)
{
    struct table table = {.headings = {">STEP", ">TIMES", "TIME", ">MIN", "CONTACT",
                                       "CHANNEL", "WHY", NULL}};
    const struct tz *tz = &rehearsal->incident.tz;
    struct message_times times = {
        .tz = tz,
        .is_zone_said = true, /* above the table */
        .said_s = tz_offset_s(tz, rehearsal->incident.round_ms),
    };
    for (size_t i = 0; i < rehearsal->count; i++) {
        const struct escalation_tell *tell = &rehearsal->told[i];
        char time[MESSAGE_TIME_SIZE];
        const char *contact = contact_of(rehearsal, tell);
        if (is_program(rehearsal, tell)) {
            table_cell(&table, "-");
            table_cell(&table, "-");
        } else {
            table_cell(&table, "%zu", tell->step + 1);
            table_cell(&table, "%u", tell->repeat + 1);
        }
        table_cell(&table, "%s", message_time(time, &times, tell->at_ms));
        table_cell(&table, "%d",
                   (int)((tell->at_ms - rehearsal->incident.round_ms) / 60000));
        table_cell(&table, "%s", contact[0] != '\0' ? contact : "-");
        table_cell(&table, "%s", rehearsal->roster->plan.channels[tell->channel].name);
        table_cell(&table, "%s", reason_of(rehearsal, tell));
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_people(const struct rehearsal *rehearsal, const char *warnings)
{
    char offset[TZ_TEXT_MAX];
    if (rehearsal->policy != NULL)
        printf(say("policy: %s\n"), rehearsal->policy->id);
    else
        printf("%s\n", say("no policy is for it: every channel at once, once"));
    printf(
        say("times: %s, %s\n"), rehearsal->time_zone,
        tz_format_offset(offset, &rehearsal->incident.tz, rehearsal->incident.round_ms));
    if (rehearsal->count == 0)
        printf("%s\n", say("nobody would be told within a day"));
    else
        print_table(rehearsal);
    if (warnings[0] != '\0')
        fprintf(stderr, "%s", warnings);
}

static void print_json(const struct rehearsal *rehearsal, const char *warnings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < rehearsal->count; i++) {
        const struct escalation_tell *tell = &rehearsal->told[i];
        char time[CLOCK_ISO_MAX];
        json_array_append_new(
            list, json_pack("{s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:b, s:b}", "step",
                            is_program(rehearsal, tell) ? 0 : (json_int_t)tell->step + 1,
                            "times", (json_int_t)tell->repeat + 1, "at",
                            clock_format_iso(time, tell->at_ms), "contact",
                            contact_of(rehearsal, tell), "channel",
                            rehearsal->roster->plan.channels[tell->channel].name,
                            "fallback", tell->is_fallback, "last_resort",
                            tell->is_last_resort, "in_quiet_hours", tell->is_in_quiet,
                            "program", is_program(rehearsal, tell)));
    }
    json_t *root =
        json_pack("{s:s, s:s, s:o, s:s}", "policy",
                  rehearsal->policy != NULL ? rehearsal->policy->id : "", "time_zone",
                  rehearsal->time_zone, "told", list, "warnings", warnings);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

/* As the settings declare it; zones that were made later are of no site here. */
static const struct config_site *site_of(const struct settings *settings,
                                         const char *zone)
{
    static char nothing[] = "";
    static const struct config_site none = {.id = nothing};
    for (size_t i = 0; i < settings->site_count; i++)
        for (size_t k = 0; k < settings->sites[i].zone_count; k++)
            if (strcmp(settings->sites[i].zones[k].id, zone) == 0)
                return &settings->sites[i];
    return &none;
}

/* Which clock hours go by there, where neither contact nor duty have their own. */
static const char *time_zone_of(const struct who_args *args,
                                const struct settings *settings,
                                const struct config_site *site)
{
    if (args->time_zone != NULL)
        return args->time_zone;
    return site->time_zone != NULL ? site->time_zone : settings->escalation.time_zone;
}

static struct roster *make_roster(const struct settings *settings,
                                  struct roster_channel **channels)
{
    size_t count = settings->webhook_count + settings->channel_count;
    *channels = mem_array(count, sizeof **channels);
    for (size_t i = 0; i < count; i++) {
        const struct config_channel *from =
            i < settings->webhook_count
                ? &settings->webhooks[i]
                : &settings->channels[i - settings->webhook_count];
        (*channels)[i] = roster_channel_of(from);
    }
    return roster_create(&settings->escalation, *channels, count);
}

/* With FILE:LINE, as the collector says it when it starts. */
static void warn_unheard(struct config *config, const struct config_channel *channels,
                         size_t count, struct buf *warnings)
{
    for (size_t i = 0; i < count; i++) {
        if (!config_is_unheard(config->settings, &channels[i]))
            continue;
        buf_format(warnings, "%s: ", config_where(config, &channels[i].name));
        buf_format(warnings, CONFIG_UNHEARD "\n", channels[i].name);
    }
}

static enum err show(const struct who_args *args, struct config *config,
                     enum alert_severity severity, int64_t at_ms, struct err_text *why)
{
    const struct settings *settings = config->settings;
    static struct rehearsal rehearsal; /* large */
    struct roster_channel *channels;
    struct buf warnings = {0};
    const char *zone = args->zone != NULL ? args->zone : "";
    const struct config_site *site = site_of(settings, zone);
    rehearsal.incident =
        (struct escalation_case){.severity = severity, .round_ms = at_ms};
    rehearsal.time_zone = time_zone_of(args, settings, site);
    enum err err = tz_load(&rehearsal.incident.tz, rehearsal.time_zone, why);
    if (err != ERR_OK)
        return err;
    struct roster *roster = make_roster(settings, &channels);
    rehearsal.roster = roster;
    rehearsal.policy = escalation_policy(&roster->plan, zone, site->id, severity);
    if (rehearsal.policy != NULL)
        rehearse(&rehearsal);
    else
        rehearse_channels(&rehearsal, false);
    buf_text(&warnings, "");
    roster_warnings(roster, at_ms, &warnings);
    warn_unheard(config, settings->webhooks, settings->webhook_count, &warnings);
    warn_unheard(config, settings->channels, settings->channel_count, &warnings);
    if (args->wants_json)
        print_json(&rehearsal, warnings.data);
    else
        print_people(&rehearsal, warnings.data);
    buf_fini(&warnings);
    roster_destroy(roster);
    free(channels);
    return ERR_OK;
}

static int who_run(int argc, char **argv)
{
    struct who_args args = {.config = CONFIG_DEFAULT, .severity = "critical"};
    struct err_text why;
    struct config config = {0};
    static struct settings settings;
    struct clock clock;
    enum alert_severity severity;
    clock_init(&clock);
    int64_t at_ms = clock_wall_ms(&clock);
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("who-rings", "%s", why.text);
    if (argc > 1)
        return command_usage("who-rings", "nothing is expected behind the options");
    if (!alert_severity_parse(&severity, args.severity) ||
        (args.at != NULL && !clock_parse_iso(&at_ms, args.at)))
        return command_usage("who-rings", "--severity is warning or critical, --at a "
                                          "time such as 2026-11-26T03:00:00+08:00");
    enum err err = config_load(&config, &settings_schema, &settings, args.config, &why);
    if (err == ERR_OK)
        err = show(&args, &config, severity, at_ms, &why);
    config_fini(&config);
    return err == ERR_OK ? COMMAND_OK : command_fail("who-rings", err, &why);
}

const struct command who_rings_command = {
    .name = "who-rings",
    .summary = "who would be told of an incident, when and over what: a dry run",
    .usage = "[--zone Z] [--severity critical] [--at TIME] [--time-zone NAME]\n"
             "[--config FILE] [--json]\n",
    .about =
        "Reads the collector's configuration and goes through the policy that is for such "
        "an incident, as if nobody acknowledged it for a day: each message with its step, "
        "its time, the contact and the channel, in quiet hours and on duty as they are "
        "then, by the clocks of the site; and the programs (webhook, Alertmanager, MQTT) that "
        "no contact's address names, which are told of everything at once. What the "
        "configuration does not know of a site that was made by a command, its time zone, "
        "is said by --time-zone. Gaps of rosters are told as warnings, and so are channels "
        "for people that no contact has an address on. Nobody is told anything, and the "
        "collector need not run; what is changed in the file counts from its next start.\n",
    .options = options,
    .examples =
        "coldchainctl who-rings --zone room-1\n"
        "coldchainctl who-rings --severity warning --at 2026-11-27T03:00:00+08:00\n"
        "coldchainctl who-rings --json | jq '.told[].contact'\n",
    .statuses = "0 shown\n"
                "1 the configuration cannot be read, or a time zone is not known\n"
                "2 wrong usage\n",
    .run = who_run,
};
