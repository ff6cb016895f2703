// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/doctor.h"
#include "coldchainctl/help.h"
#include "coldchainctl/say.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/show.h"
#include "coldchainctl/width.h"

#define CONFIG_DEFAULT "/etc/coldchain/collector.yaml"
#define AGENT_DEFAULT  "/etc/coldchain/agent.yaml"
#define TIMEOUT_MS     5000
#define SEEN_COLUMN    23 /* behind level and area */
#define NARROW         60 /* columns: what was seen goes on a line of its own */

struct doctor_args {
    struct client_args client;
    const char *config;
    const char *agent;
    double silent_minutes;
    bool is_local;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct doctor_args, client),
    {.name = "config",
     .type = OPTION_TEXT,
     .offset = offsetof(struct doctor_args, config),
     .value = "a file",
     .arg = "FILE",
     .help = "the collector's configuration (" CONFIG_DEFAULT " when it can be read)"},
    {.name = "agent",
     .type = OPTION_TEXT,
     .offset = offsetof(struct doctor_args, agent),
     .value = "a file",
     .arg = "FILE",
     .help = "the configuration of an agent on this machine, whose siren is looked at "
             "(" AGENT_DEFAULT " when it can be read)"},
    {.name = "local",
     .type = OPTION_FLAG,
     .offset = offsetof(struct doctor_args, is_local),
     .help = "files, broker and neighbours only: the collector need not run"},
    {.name = "silent-after",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct doctor_args, silent_minutes),
     .least = 1,
     .most = 525600,
     .value = "minutes",
     .arg = "MIN",
     .help = "a device that says nothing for so long is silent (15)"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct doctor_args, wants_json),
     .help = "machine-readable"},
    {.name = NULL},
};

static const char *level_name(enum doctor_level level)
{
    switch (level) {
    case DOCTOR_OK:
        return "ok";
    case DOCTOR_WARNING:
        return "warning";
    case DOCTOR_PROBLEM:
        return "problem";
    }
    return "?";
}

static size_t count_of(const struct doctor *doctor, enum doctor_level level)
{
    size_t count = 0;
    for (size_t i = 0; i < doctor->count; i++)
        count += doctor->findings[i].level == level;
    return count;
}

/* ---- what is looked at ---------------------------------------------------------------
 */

/* The configuration that was named, or the usual one when it is there to be read. */
static enum err load_config(const struct doctor_args *args, struct doctor *doctor,
                            struct config *config, struct settings *settings,
                            struct err_text *why)
{
    const char *path = args->config != NULL ? args->config : CONFIG_DEFAULT;
    if (args->config == NULL && access(path, R_OK) != 0 &&
        (!args->is_local || doctor->agent_file != NULL))
        return ERR_OK;
    enum err err = config_load(config, &settings_schema, settings, path, why);
    if (err == ERR_OK)
        doctor->settings = settings;
    if (err == ERR_OK && config->exposed != NULL)
        doctor_say(doctor, DOCTOR_PROBLEM, "certificates",
                   "take it from others (chmod o= FILE); who read it may still use what "
                   "stands there: make new secrets",
                   "everybody on this machine can read the secrets in %s",
                   config->exposed);
    return err;
}

/* What was said on the command line or in the environment comes before the file. */
static enum err open_client(const struct doctor_args *args, struct doctor *doctor,
                            struct err_text *why)
{
    struct client_args asked = args->client;
    const struct settings *settings = doctor->settings;
    char *url = NULL;
    char *token = NULL;
    if (settings != NULL && asked.api == NULL && getenv("COLDCHAIN_API") == NULL &&
        settings->api.port != 0) {
        bool is_any = strcmp(settings->api.listen, "0.0.0.0") == 0 ||
                      strcmp(settings->api.listen, "::") == 0;
        bool is_ipv6 = !is_any && strchr(settings->api.listen, ':') != NULL;
        url = mem_format("%s://%s%s%s:%" PRId64,
                         settings->api.cert_file != NULL ? "https" : "http",
                         is_ipv6 ? "[" : "", is_any ? "127.0.0.1" : settings->api.listen,
                         is_ipv6 ? "]" : "", settings->api.port);
        asked.api = url;
    }
    if (settings != NULL && asked.token_file == NULL &&
        getenv("COLDCHAIN_TOKEN_FILE") == NULL) {
        token = settings->api.token_file != NULL
                    ? mem_strdup(settings->api.token_file)
                    : mem_format("%s/api.token", settings->data_dir);
        if (access(token, R_OK) == 0)
            asked.token_file = token;
    }
    /* What it shows is in this file, so that is what to trust. */
    if (url != NULL && asked.ca_file == NULL && getenv("COLDCHAIN_CA_FILE") == NULL)
        asked.ca_file = settings->api.cert_file;
    enum err err = client_open(&doctor->client, &asked, why);
    free(url);
    free(token);
    return err;
}

/* An agent's machine: a collector is neither here nor named. */
static bool is_agent_alone(const struct doctor_args *args, const struct doctor *doctor)
{
    bool is_named = args->client.api != NULL || getenv("COLDCHAIN_API") != NULL ||
                    access(CONFIG_DEFAULT, F_OK) == 0; /* who may not read it asks */
    return doctor->agent_file != NULL && doctor->settings == NULL &&
           (args->is_local || !is_named);
}

static void look(struct doctor *doctor)
{
    if (doctor->settings == NULL && doctor->client == NULL) {
        doctor_look_clock(doctor);
        doctor_look_siren(doctor);
        return;
    }
    doctor_look_collector(doctor);
    doctor_look_broker(doctor);
    doctor_look_clock(doctor);
    doctor_look_disk(doctor);
    doctor_look_certificates(doctor);
    doctor_look_sinks(doctor);
    doctor_look_alarms(doctor);
    doctor_look_siren(doctor);
    doctor_look_stores(doctor);
    doctor_look_journal(doctor);
    doctor_look_devices(doctor);
    doctor_look_rules(doctor);
}

/* ---- what is said --------------------------------------------------------------------
 */

static const char *label_of(enum doctor_level level)
{
    switch (level) {
    case DOCTOR_OK:
        return say("ok");
    case DOCTOR_WARNING:
        return say("warning");
    case DOCTOR_PROBLEM:
        return say("PROBLEM");
    }
    return "?";
}

/* And a blank behind it. */
static void print_padded(const char *text, size_t columns)
{
    size_t width = width_of(text, strlen(text));
    printf("%s%*s", text, (int)(width < columns ? columns - width : 0) + 1, "");
}

static void print_finding(const struct finding *finding, size_t columns)
{
    bool is_narrow = columns < NARROW;
    size_t indent = is_narrow ? 2 : SEEN_COLUMN;
    print_padded(label_of(finding->level), 9);
    if (is_narrow)
        printf("%s\n  ", say_of("area", finding->area));
    else
        print_padded(say_of("area", finding->area), 12);
    help_wrap_to(stdout, finding->seen, indent, indent, columns);
    if (finding->level == DOCTOR_OK || finding->todo == NULL)
        return;
    printf("%*s-> ", (int)indent, "");
    help_wrap_to(stdout, say_word(finding->todo), indent + 3, indent + 3, columns);
}

static void print_findings(const struct doctor *doctor)
{
    /* Lines are cut for a person's terminal only: scripts want a finding a line. */
    size_t columns = isatty(STDOUT_FILENO) ? screen_columns() : SIZE_MAX;
    size_t problems = count_of(doctor, DOCTOR_PROBLEM);
    size_t warnings = count_of(doctor, DOCTOR_WARNING);
    for (size_t i = 0; i < doctor->count; i++)
        print_finding(&doctor->findings[i], columns);
    printf(say("\nok %zu, warnings %zu, problems %zu\n"), count_of(doctor, DOCTOR_OK),
           warnings, problems);
    if (doctor->settings == NULL && doctor->client != NULL)
        help_wrap_to(stdout,
                     say("The configuration was not at hand: broker, disks, certificates "
                         "and files were not looked at. Run it where the collector runs, "
                         "with --config FILE."),
                     0, 0, columns);
}

static void print_json(const struct doctor *doctor)
{
    json_t *list = json_array();
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s?}", "level", level_name(finding->level),
                            "area", finding->area, "seen", finding->seen, "todo",
                            finding->level == DOCTOR_OK ? NULL : finding->todo));
    }
    show_json(json_pack("{s:i, s:i, s:i, s:o}", "ok", (int)count_of(doctor, DOCTOR_OK),
                        "warnings", (int)count_of(doctor, DOCTOR_WARNING), "problems",
                        (int)count_of(doctor, DOCTOR_PROBLEM), "findings", list));
}

static int64_t now_ms(void)
{
    struct clock clock;
    clock_init(&clock);
    return clock_wall_ms(&clock);
}

static int doctor_run(int argc, char **argv)
{
    struct doctor_args args = {.silent_minutes = 15};
    struct doctor doctor = {.now_ms = now_ms(), .timeout_ms = TIMEOUT_MS};
    struct config config = {0};
    struct settings settings = {0};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("doctor", "%s", why.text);
    if (argc > 1)
        return command_usage("doctor", "nothing is expected behind the options");
    doctor.is_local = args.is_local;
    if (args.agent != NULL || access(AGENT_DEFAULT, R_OK) == 0)
        doctor.agent_file = args.agent != NULL ? args.agent : AGENT_DEFAULT;
    doctor.is_for_programs = args.wants_json;
    doctor.silent_ms = (int64_t)(args.silent_minutes * 60000);
    enum err err = load_config(&args, &doctor, &config, &settings, &why);
    if (err == ERR_OK && !args.is_local && !is_agent_alone(&args, &doctor))
        err = open_client(&args, &doctor, &why);
    if (err == ERR_OK) {
        look(&doctor);
        if (args.wants_json)
            print_json(&doctor);
        else
            print_findings(&doctor);
    }
    bool is_well = count_of(&doctor, DOCTOR_PROBLEM) == 0;
    client_close(doctor.client);
    doctor_fini(&doctor);
    config_fini(&config);
    if (err != ERR_OK)
        return command_fail("doctor", err, &why);
    return is_well ? COMMAND_OK : COMMAND_FAILED;
}

const struct command doctor_command = {
    .name = "doctor",
    .summary = "what is wrong or soon will be, and what to do about it",
    .usage = "[--config FILE] [--agent FILE] [--local] [--json] [options]\n",
    .about =
        "Looks at the collector, the broker (address, TLS, login, who may do what), "
        "clocks, disks (with a forecast), certificates and keys, what is sent on "
        "(InfluxDB, webhooks), alarm channels (do they work, can they ring now, how much is "
        "left), databases, journal, devices, and rules that have not been able to judge "
        "for a day. Each line is ok, warning or PROBLEM, with what was seen and what to "
        "do.\n"
        "Of a running collector it asks the API; with its configuration at hand it looks "
        "at files and neighbours too, also while the collector is down. Nothing is "
        "changed: the collector's login is tried only while none is at work, takes no "
        "message out of its session and ends none; the broker is also asked to let in "
        "somebody without a name and somebody made up, and should refuse both. Into mail "
        "servers it logs in as the collector does, and leaves: no mail is sent.\n"
        "On an agent's machine it looks at what rings there: the programs of "
        "'alarm.command' and 'alarm.on_incident', whether they can be run, failed or are "
        "muted. Nothing is run.\n",
    .options = options,
    .examples =
        "coldchainctl doctor\n"
        "coldchainctl doctor --config /etc/coldchain/collector.yaml --local\n"
        "coldchainctl doctor --agent /etc/coldchain/agent.yaml --local\n"
        "coldchainctl doctor --json | jq '.findings[] | select(.level==\"problem\")'\n",
    .statuses = "0 no problem; there may be warnings\n"
                "1 problems, or the configuration cannot be read\n"
                "2 wrong usage\n",
    .run = doctor_run,
};
