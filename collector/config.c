// SPDX-License-Identifier: Apache-2.0
#include "collector/config.h"

#include <arpa/inet.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "collector/api/tls.h"
#include "collector/notify/channel.h"
#include "collector/pipeline/registry.h"
#include "freshness/profile_set.h"
#include "telemetry/delivery.h"

#define KIBI    1024.0
#define MEBI    (KIBI * KIBI)
#define GIBI    (MEBI * KIBI)
#define HOUR_MS 3600000.0
#define DAY_MS  (24 * HOUR_MS)

static const char *const influx_words[] = {"v1", "v2", "v3", NULL};

#define SITE(field) .offset = offsetof(struct config_site, field)
static const struct config_key site_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     SITE(id),
     .help = "identifier"},
    {.name = "name", .type = CONFIG_STRING, SITE(name), .help = "for people"},
    {.name = "time_zone",
     .type = CONFIG_STRING,
     SITE(time_zone),
     .help = "such as Asia/Shanghai; escalation.time_zone when absent"},
    {.name = "zones",
     .type = CONFIG_RECORDS,
     SITE(zones),
     .count_offset = offsetof(struct config_site, zone_count),
     .record = &config_zone_schema,
     .help = "air volumes with one climate: rooms, van compartments"},
    {.name = NULL},
};

#define PLACEMENT(field) .offset = offsetof(struct config_placement, field)
static const struct config_key placement_keys[] = {
    {.name = "channel",
     .type = CONFIG_STRING,
     PLACEMENT(channel),
     .help = "e.g. air_temperature-2; without it all channels of the device"},
    {.name = "zone",
     .type = CONFIG_STRING,
     .is_required = true,
     PLACEMENT(zone),
     .help = "the zone it measures"},
    {.name = "from",
     .type = CONFIG_STRING,
     PLACEMENT(from),
     .help = "2026-11-01T08:00:00Z; without it always"},
    {.name = "to", .type = CONFIG_STRING, PLACEMENT(to), .help = "end, exclusive"},
    {.name = NULL},
};

#define DEVICE(field) .offset = offsetof(struct config_device, field)
static const struct config_schema placement_schema = {
    .keys = placement_keys, .size = sizeof(struct config_placement)};
static const struct config_key device_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     DEVICE(id),
     .help = "identifier, as in its topics"},
    {.name = "zone",
     .type = CONFIG_STRING,
     DEVICE(zone),
     .help = "the zone that its channels measure"},
    {.name = "placements",
     .type = CONFIG_RECORDS,
     DEVICE(placements),
     .count_offset = offsetof(struct config_device, placement_count),
     .record = &placement_schema,
     .help = "where single channels measure, and when"},
    {.name = NULL},
};

#define SETTING(field) .offset = offsetof(struct settings, field)
#define LIST(rows, count) \
    .offset = offsetof(struct settings, rows), \
    .count_offset = offsetof(struct settings, count)
static const struct config_schema site_schema = {.keys = site_keys,
                                                 .size = sizeof(struct config_site)};
static const struct config_schema device_schema = {.keys = device_keys,
                                                   .size = sizeof(struct config_device)};

static const struct config_key settings_keys[] = {
    {.name = "org",
     .type = CONFIG_STRING,
     SETTING(org),
     .fallback = "main",
     .help = "the organisation of devices and zones below"},
    {.name = "data_dir",
     .type = CONFIG_STRING,
     SETTING(data_dir),
     .fallback = "/var/lib/coldchain/collector",
     .help = "folder of journal, state.db and history"},

    {.name = "mqtt.uri",
     .type = CONFIG_STRING,
     SETTING(mqtt.uri),
     .fallback = "mqtt://127.0.0.1:1883",
     .help = "mqtt://host:port or mqtts://host:port"},
    {.name = "mqtt.client_id",
     .type = CONFIG_STRING,
     SETTING(mqtt.client_id),
     .fallback = "coldchain-collector",
     .help = "names the session that the broker keeps"},
    {.name = "mqtt.username",
     .type = CONFIG_STRING,
     SETTING(mqtt.username),
     .help = "on the broker"},
    {.name = "mqtt.password",
     .type = CONFIG_SECRET,
     SETTING(mqtt.password),
     .help = "on the broker"},
    {.name = "mqtt.ca_file",
     .type = CONFIG_STRING,
     SETTING(mqtt.ca_file),
     .help = "mqtts: certificates to trust instead of the system's"},
    {.name = "mqtt.cert_file",
     .type = CONFIG_STRING,
     SETTING(mqtt.cert_file),
     .help = "mqtts: certificate of this client"},
    {.name = "mqtt.key_file",
     .type = CONFIG_STRING,
     SETTING(mqtt.key_file),
     .help = "mqtts: its key"},
    {.name = "mqtt.keepalive",
     .type = CONFIG_DURATION,
     SETTING(mqtt.keepalive_ms),
     .fallback = "30s",
     .least = 1000,
     .most = HOUR_MS,
     .help = "between pings"},
    {.name = "mqtt.session_expiry",
     .type = CONFIG_DURATION,
     SETTING(mqtt.session_expiry_ms),
     .fallback = "7d",
     .least = 0,
     .most = 365 * DAY_MS,
     .help = "how long the broker keeps messages while the collector is away"},

    {.name = "journal.segment_size",
     .type = CONFIG_SIZE,
     SETTING(journal.segment_bytes),
     .fallback = "64M",
     .least = MEBI,
     .most = GIBI,
     .help = "of one file"},
    {.name = "journal.spare_segments",
     .type = CONFIG_INT,
     SETTING(journal.spare_segments),
     .fallback = "2",
     .least = 1,
     .most = 16,
     .help = "made ahead: the reserve on a full disk"},
    {.name = "journal.commit_interval",
     .type = CONFIG_DURATION,
     SETTING(journal.commit_interval_ms),
     .fallback = "5ms",
     .least = 1,
     .most = 1000,
     .help = "a group is synced after so long"},
    {.name = "journal.commit_size",
     .type = CONFIG_SIZE,
     SETTING(journal.commit_bytes),
     .fallback = "256K",
     .least = KIBI,
     .most = 64 * MEBI,
     .help = "or when it is so large"},
    {.name = "journal.keep",
     .type = CONFIG_DURATION,
     SETTING(journal.keep_ms),
     .fallback = "30d",
     .least = 0,
     .most = 3650 * DAY_MS,
     .help = "segments that everybody has passed are kept so long"},
    {.name = "journal.keep_size",
     .type = CONFIG_SIZE,
     SETTING(journal.keep_bytes),
     .fallback = "10G",
     .least = 4 * MEBI,
     .most = 1e15,
     .help = "and at most so large"},

    {.name = "delivery.ack_interval",
     .type = CONFIG_DURATION,
     SETTING(delivery.ack_interval_ms),
     .fallback = "10s",
     .least = 50,
     .most = HOUR_MS,
     .help = "acknowledgements of a device are gathered so long"},
    {.name = "delivery.credits",
     .type = CONFIG_INT,
     SETTING(delivery.credits),
     .fallback = "16",
     .least = 1,
     .most = 1000,
     .help = "packs a device may have under way"},
    {.name = "delivery.backlog_limit",
     .type = CONFIG_SIZE,
     SETTING(delivery.backlog_max),
     .fallback = "64M",
     .least = 0,
     .most = 1e15,
     .help =
         "journal that is not evaluated and stored yet: beyond half of it devices are "
         "given fewer credits, at all of it one; 0: no limit"},

    {.name = "pipeline.checkpoint",
     .type = CONFIG_DURATION,
     SETTING(pipeline.checkpoint_ms),
     .fallback = "30s",
     .least = 100,
     .most = 60000,
     .help = "how often evaluation state is written down"},
    {.name = "pipeline.silence_grace",
     .type = CONFIG_DURATION,
     SETTING(pipeline.silence_grace_ms),
     .fallback = "5m",
     .least = 0,
     .most = DAY_MS,
     .help = "after a start nothing is called silent for so long"},

    {.name = "history.keep",
     .type = CONFIG_DURATION,
     SETTING(history.keep_ms),
     .fallback = "730d",
     .least = 0,
     .most = 36500 * DAY_MS,
     .help = "readings are kept so long; 0 for ever"},

    {.name = "influx.url",
     .type = CONFIG_STRING,
     SETTING(influx.url),
     .help = "http://host:8086; without it nothing is written to InfluxDB"},
    {.name = "influx.api",
     .type = CONFIG_ENUM,
     SETTING(influx.version),
     .words = influx_words,
     .fallback = "v1",
     .help = "v1 /write (also VictoriaMetrics), v2 /api/v2/write, v3 /api/v3/write_lp"},
    {.name = "influx.database",
     .type = CONFIG_STRING,
     SETTING(influx.database),
     .fallback = "coldchain",
     .help = "v1 and v3"},
    {.name = "influx.org", .type = CONFIG_STRING, SETTING(influx.org), .help = "v2"},
    {.name = "influx.bucket",
     .type = CONFIG_STRING,
     SETTING(influx.bucket),
     .help = "v2"},
    {.name = "influx.username",
     .type = CONFIG_STRING,
     SETTING(influx.username),
     .help = "v1"},
    {.name = "influx.password",
     .type = CONFIG_SECRET,
     SETTING(influx.password),
     .help = "v1"},
    {.name = "influx.token",
     .type = CONFIG_SECRET,
     SETTING(influx.token),
     .help = "v2 and v3"},
    {.name = "influx.ca_file",
     .type = CONFIG_STRING,
     SETTING(influx.ca_file),
     .help = "certificates to trust instead of the system's"},
    {.name = "influx.batch_lines",
     .type = CONFIG_INT,
     SETTING(influx.batch_lines),
     .fallback = "5000",
     .least = 1,
     .most = 100000,
     .help = "in one request"},
    {.name = "influx.flush",
     .type = CONFIG_DURATION,
     SETTING(influx.flush_ms),
     .fallback = "1s",
     .least = 10,
     .most = 60000,
     .help = "between requests"},

    {.name = "api.listen",
     .type = CONFIG_STRING,
     SETTING(api.listen),
     .fallback = "127.0.0.1",
     .help = "address of the API"},
    {.name = "api.port",
     .type = CONFIG_INT,
     SETTING(api.port),
     .fallback = "8480",
     .least = 0,
     .most = 65535,
     .help = "0 takes any free one"},
    {.name = "api.streams",
     .type = CONFIG_INT,
     SETTING(api.streams),
     .fallback = "64",
     .least = 1,
     .most = 1000,
     .help = "live streams at a time, beside other requests"},
    {.name = "api.token_file",
     .type = CONFIG_STRING,
     SETTING(api.token_file),
     .help = "where the first start puts its token; DATA_DIR/api.token when absent"},
    {.name = "api.cert_file",
     .type = CONFIG_STRING,
     SETTING(api.cert_file),
     .help = "PEM: certificate of the API, and those up to its authority: TLS"},
    {.name = "api.key_file",
     .type = CONFIG_STRING,
     SETTING(api.key_file),
     .help = "PEM: its key, without a passphrase"},
    {.name = "api.proxies",
     .type = CONFIG_STRINGS,
     LIST(api.proxies, api.proxy_count),
     .most = 16,
     .help = "reverse proxies, IPv4: their X-Forwarded-For and -Proto are believed"},

    {.name = "heartbeat.url",
     .type = CONFIG_STRING,
     SETTING(heartbeat.to.url),
     .help = "of a watchdog outside that rings when this is not posted to any more; see "
             "docs/alarms.md"},
    {.name = "heartbeat.every",
     .type = CONFIG_DURATION,
     SETTING(heartbeat.every_ms),
     .fallback = "1m",
     .least = 1000,
     .most = HOUR_MS,
     .help = "between two beats"},
    {.name = "heartbeat.ca_file",
     .type = CONFIG_STRING,
     SETTING(heartbeat.to.ca_file),
     .help = "certificates to trust instead of the system's"},
    {.name = "heartbeat.timeout",
     .type = CONFIG_DURATION,
     SETTING(heartbeat.to.timeout_ms),
     .fallback = "10s",
     .least = 100,
     .most = 120000,
     .help = "for one attempt"},

    {.name = "webhooks",
     .type = CONFIG_RECORDS,
     LIST(webhooks, webhook_count),
     .record = &config_webhook_schema,
     .most = 32,
     .help = "programs that are told of incidents: the same as channels of that kind"},
    {.name = "channels",
     .type = CONFIG_RECORDS,
     LIST(channels, channel_count),
     .record = &config_channel_schema,
     .most = 64,
     .help = "how people are told of incidents; see docs/alarms.md"},
    {.name = "escalation.time_zone",
     .type = CONFIG_STRING,
     SETTING(escalation.time_zone),
     .fallback = "Asia/Shanghai",
     .help = "of shifts, quiet hours and times in messages, where a site has none"},
    {.name = "escalation.link",
     .type = CONFIG_STRING,
     SETTING(escalation.link),
     .help = "where people reach this API, https://cold.example.org: messages carry a "
             "link that acknowledges with one tap"},
    {.name = "escalation.link_valid",
     .type = CONFIG_DURATION,
     SETTING(escalation.link_ms),
     .fallback = "24h",
     .least = 60000,
     .most = 30 * DAY_MS,
     .help = "how long such a link counts"},
    {.name = "escalation.alarm_path_after",
     .type = CONFIG_DURATION,
     SETTING(escalation.path_ms),
     .fallback = "10m",
     .least = 0,
     .most = DAY_MS,
     .help = "a channel that fails for so long is an incident, told over the others; 0: "
             "none is"},
    {.name = "escalation.contacts",
     .type = CONFIG_RECORDS,
     LIST(escalation.contacts, escalation.contact_count),
     .record = &config_contact_schema,
     .most = ESCALATION_CONTACTS_MAX,
     .help = "who can be told, and where; see docs/alarms.md"},
    {.name = "escalation.duties",
     .type = CONFIG_RECORDS,
     LIST(escalation.duties, escalation.duty_count),
     .record = &config_duty_schema,
     .most = 64,
     .help = "rosters"},
    {.name = "escalation.policies",
     .type = CONFIG_RECORDS,
     LIST(escalation.policies, escalation.policy_count),
     .record = &config_policy_schema,
     .most = 64,
     .help = "the first that is for an incident counts; none: every channel at once"},
    {.name = "sites",
     .type = CONFIG_RECORDS,
     LIST(sites, site_count),
     .record = &site_schema,
     .most = 100000,
     .help = "cold stores, packing houses, vans"},
    {.name = "devices",
     .type = CONFIG_RECORDS,
     LIST(devices, device_count),
     .record = &device_schema,
     .most = 1000000,
     .help = "agents and sensors, and where they are"},
    {.name = "rules",
     .type = CONFIG_RECORDS,
     LIST(rules, rule_count),
     .record = &config_rule_schema,
     .most = 1000000,
     .help = "when somebody is to be told"},
    {.name = NULL},
};

/* ---- the seed --------------------------------------------------------------------- */

static bool read_number(double *number, const char *text)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

static double number_or_nan(const char *text)
{
    double number;
    return text != NULL && read_number(&number, text) ? number : (double)NAN;
}

static int64_t time_or_zero(const char *text)
{
    int64_t ms = 0;
    return text != NULL && clock_parse_iso(&ms, text) ? ms : 0;
}

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text != NULL ? text : "");
}

static void seed_zone(struct registry *registry, const struct settings *settings,
                      const struct config_site *site, const struct config_zone *from)
{
    struct registry_zone *zone = &registry->zones[registry->zone_count++];
    json_t *said = config_zone_said(from);
    copy(zone->id, sizeof zone->id, from->id);
    copy(zone->org, sizeof zone->org, settings->org);
    copy(zone->site, sizeof zone->site, site->id);
    copy(zone->site_name, sizeof zone->site_name, site->name);
    copy(zone->site_tz, sizeof zone->site_tz, site->time_zone);
    copy(zone->name, sizeof zone->name, from->name != NULL ? from->name : from->id);
    zone->band_low = number_or_nan(from->band_low);
    zone->band_high = number_or_nan(from->band_high);
    if (said != NULL)
        registry_say(registry, zone->id, said);
}

static void seed_zones(struct registry *registry, const struct settings *settings)
{
    size_t count = 0;
    for (size_t i = 0; i < settings->site_count; i++)
        count += settings->sites[i].zone_count;
    registry->zones = mem_array(count, sizeof *registry->zones);
    for (size_t i = 0; i < settings->site_count; i++)
        for (size_t k = 0; k < settings->sites[i].zone_count; k++)
            seed_zone(registry, settings, &settings->sites[i],
                      &settings->sites[i].zones[k]);
}

static void seed_placement(struct registry *registry, const struct settings *settings,
                           const char *device, const struct config_placement *from)
{
    struct registry_placement *placement =
        &registry->placements[registry->placement_count++];
    placement->org = registry_name(registry, settings->org);
    placement->device = registry_name(registry, device);
    placement->channel = registry_name(registry, from->channel);
    placement->zone = registry_name(registry, from->zone);
    placement->from_ms = time_or_zero(from->from);
    placement->to_ms = time_or_zero(from->to);
}

static void seed_devices(struct registry *registry, const struct settings *settings)
{
    size_t placements = 0;
    for (size_t i = 0; i < settings->device_count; i++)
        placements += settings->devices[i].placement_count + 1;
    registry->placements = mem_array(placements, sizeof *registry->placements);
    registry->devices = mem_array(settings->device_count, sizeof *registry->devices);
    for (size_t i = 0; i < settings->device_count; i++) {
        const struct config_device *from = &settings->devices[i];
        struct registry_device *device = &registry->devices[registry->device_count++];
        device->org = registry_name(registry, settings->org);
        device->id = registry_name(registry, from->id);
        struct config_placement whole = {.zone = from->zone};
        if (from->zone != NULL)
            seed_placement(registry, settings, from->id, &whole);
        for (size_t k = 0; k < from->placement_count; k++)
            seed_placement(registry, settings, from->id, &from->placements[k]);
    }
}

static void seed_rules(struct registry *registry, const struct settings *settings)
{
    registry->rules = mem_array(settings->rule_count, sizeof *registry->rules);
    for (size_t i = 0; i < settings->rule_count; i++)
        config_rule_take(&registry->rules[registry->rule_count++], &settings->rules[i]);
}

void settings_seed(const struct settings *settings, struct buf *json)
{
    struct registry *registry = registry_create();
    seed_zones(registry, settings);
    seed_devices(registry, settings);
    seed_rules(registry, settings);
    registry_format(registry, json);
    registry_destroy(registry);
}

/* ---- what the tables cannot say --------------------------------------------------- */

/* What was seen so far, so that a check costs the same for the last row as the first. */
struct checked {
    struct config *config;
    const struct settings *settings;
    struct map zones;
    struct map devices;
    struct map rules;
    struct profile_set *profiles; /* NULL: no zone has goods so far */
};

/* True when that name is met for the first time. */
static bool is_first(struct map *names, const char *name)
{
    void **at = map_at(names, name);
    bool first = *at == NULL;
    *at = names;
    return first;
}

static void check_id(struct config *config, char *const *id)
{
    if (!id_is_valid(*id))
        config_problem(config, id,
                       "'%s' is not an identifier: use 1 to 64 of A-Z a-z 0-9 _ -", *id);
}

static void check_zone_ref(const struct checked *checked, char *const *zone)
{
    if (*zone != NULL && map_get(&checked->zones, *zone) == NULL)
        config_problem(checked->config, zone,
                       "there is no zone '%s'; zones stand below 'sites'", *zone);
}

static void check_time(struct config *config, char *const *text)
{
    int64_t ms;
    if (*text != NULL && !clock_parse_iso(&ms, *text))
        config_problem(config, text, "'%s' is not a time such as 2026-11-01T08:00:00Z",
                       *text);
}

static void check_zone(struct checked *checked, const struct config_zone *zone)
{
    struct config *config = checked->config;
    check_id(config, &zone->id);
    config_zone_check(config, zone, &checked->profiles);
    if (!is_first(&checked->zones, zone->id))
        config_problem(config, &zone->id, "zone '%s' is there twice", zone->id);
    *map_at(&checked->zones, zone->id) = (void *)(uintptr_t)zone;
}

static void check_sites(struct checked *checked)
{
    for (size_t i = 0; i < checked->settings->site_count; i++) {
        const struct config_site *site = &checked->settings->sites[i];
        check_id(checked->config, &site->id);
        config_check_time_zone(checked->config, &site->time_zone);
        for (size_t k = 0; k < site->zone_count; k++)
            check_zone(checked, &site->zones[k]);
    }
}

static void check_placement(const struct checked *checked,
                            const struct config_placement *placement)
{
    struct config *config = checked->config;
    check_zone_ref(checked, &placement->zone);
    check_time(config, &placement->from);
    check_time(config, &placement->to);
    if (placement->to != NULL &&
        time_or_zero(placement->to) <= time_or_zero(placement->from))
        config_problem(config, &placement->to, "a placement ends after it begins");
}

static void check_devices(struct checked *checked)
{
    for (size_t i = 0; i < checked->settings->device_count; i++) {
        const struct config_device *device = &checked->settings->devices[i];
        check_id(checked->config, &device->id);
        if (!is_first(&checked->devices, device->id))
            config_problem(checked->config, &device->id, "device '%s' is there twice",
                           device->id);
        check_zone_ref(checked, &device->zone);
        for (size_t k = 0; k < device->placement_count; k++)
            check_placement(checked, &device->placements[k]);
    }
}

static void check_rules(struct checked *checked)
{
    struct config *config = checked->config;
    for (size_t i = 0; i < checked->settings->rule_count; i++) {
        const struct config_rule *from = &checked->settings->rules[i];
        check_zone_ref(checked, &from->zone);
        const struct config_zone *zone =
            from->zone != NULL ? map_get(&checked->zones, from->zone) : NULL;
        config_rule_check(config, from, zone, &checked->profiles);
        if (!is_first(&checked->rules, from->id))
            config_problem(config, &from->id, "rule '%s' is there twice", from->id);
    }
}

static void check_tls(struct config *config, const struct settings *settings)
{
    struct err_text why;
    char *const *cert = &settings->api.cert_file;
    char *const *key = &settings->api.key_file;
    if ((*cert == NULL) != (*key == NULL))
        config_problem(config, *cert != NULL ? cert : key,
                       "api.%s is missing: api.cert_file and api.key_file go together",
                       *cert != NULL ? "key_file" : "cert_file");
    else if (*cert != NULL && tls_check(*cert, *key, &why) != ERR_OK)
        config_problem(config, strstr(why.text, *cert) == NULL ? key : cert, "%s",
                       why.text);
}

static void check_api(struct config *config, const struct settings *settings)
{
    struct in_addr address;
    check_tls(config, settings);
    for (size_t i = 0; i < settings->api.proxy_count; i++)
        if (inet_pton(AF_INET, settings->api.proxies[i], &address) != 1)
            config_problem(config, &settings->api.proxies,
                           "'%s' is not an IPv4 address such as 127.0.0.1",
                           settings->api.proxies[i]);
}

bool config_is_unheard(const struct settings *settings,
                       const struct config_channel *channel)
{
    return settings->escalation.policy_count > 0 && !channel_is_machine(channel) &&
           !config_escalation_tells_over(&settings->escalation, channel->name);
}

static void warn_unheard(struct config *config, const struct settings *settings,
                         const struct config_channel *channel)
{
    if (config_is_unheard(settings, channel))
        config_warning(config, &channel->name, CONFIG_UNHEARD, channel->name);
}

static void check_escalation(struct config *config, const struct settings *settings)
{
    size_t count = 0;
    const char **names =
        mem_array(settings->webhook_count + settings->channel_count, sizeof *names);
    for (size_t i = 0; i < settings->webhook_count; i++)
        names[count++] = settings->webhooks[i].name;
    for (size_t i = 0; i < settings->channel_count; i++)
        names[count++] = settings->channels[i].name;
    config_check_escalation(config, &settings->escalation, names, count);
    free(names);
    for (size_t i = 0; i < settings->webhook_count; i++)
        warn_unheard(config, settings, &settings->webhooks[i]);
    for (size_t i = 0; i < settings->channel_count; i++)
        warn_unheard(config, settings, &settings->channels[i]);
    const char *link = settings->escalation.link;
    if (link != NULL && strncmp(link, "https://", 8) != 0 &&
        strncmp(link, "http://", 7) != 0)
        config_problem(config, &settings->escalation.link,
                       "the link begins with https:// (or http:// within the house)");
}

static void check(struct config *config, const void *data)
{
    const struct settings *settings = data;
    struct checked checked = {.config = config, .settings = settings};
    check_id(config, &settings->org);
    check_sites(&checked);
    check_devices(&checked);
    check_rules(&checked);
    map_fini(&checked.zones);
    map_fini(&checked.devices);
    map_fini(&checked.rules);
    profile_set_destroy(checked.profiles);
    check_api(config, settings);
    config_check_channel_names(config, settings->webhooks, settings->webhook_count,
                               settings->channels, settings->channel_count);
    check_escalation(config, settings);
    if (settings->influx.url != NULL && settings->influx.version == 1 &&
        (settings->influx.org == NULL || settings->influx.bucket == NULL))
        config_problem(config, &settings->influx.url,
                       "api v2 needs influx.org and influx.bucket");
}

const struct config_schema settings_schema = {
    .keys = settings_keys,
    .size = sizeof(struct settings),
    .check = check,
};
