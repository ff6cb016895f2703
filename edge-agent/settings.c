// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rule.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/number.h"
#include "edge-agent/sensors/diagnose.h"
#include "edge-agent/sensors/sensors.h"
#include "edge-agent/sensors/sim.h"
#include "telemetry/channel.h"
#include "telemetry/pack.h"

#define KIBI    1024.0
#define MEBI    (KIBI * KIBI)
#define GIBI    (MEBI * KIBI)
#define HOUR_MS 3600000.0
#define DAY_MS  (24 * HOUR_MS)

static const char *const severity_words[] = {
#define X(name, text) text,
    ALERT_SEVERITY_LIST(X)
#undef X
        NULL,
};
static const char *const rate_words[] = {"recorded", "fast", NULL};
static const char *const fault_words[] = {
#define X(name, text) text,
    SIM_FAULT_LIST(X)
#undef X
        NULL,
};

/* ---- sensors ---- */

static void check_channel(struct config *config, const void *record)
{
    const struct sensor_channel *channel = record;
    struct channel parsed;
    if (channel_parse(&parsed, channel->name) != ERR_OK)
        config_problem(config, &channel->name,
                       "'%s' is no name of a channel: letters, digits, _ and -, at most "
                       "%d; e.g. air_temperature-2",
                       channel->name, ID_MAX);
    if (channel->gain == 0)
        config_problem(config, &channel->gain,
                       "gain 0 would make every reading the same");
    struct err_text why = {0};
    if (diagnose_check(channel, &why) != ERR_OK)
        config_problem(config, &channel->name, "channel '%s': %s", channel->name,
                       why.text);
    int64_t due_ms;
    if (channel->due != NULL && !clock_parse_iso(&due_ms, channel->due))
        config_problem(config, &channel->due, "'%s' is no date; write 2027-04-01",
                       channel->due);
}

#define CHANNEL(field) .offset = offsetof(struct sensor_channel, field)
static const struct config_key channel_keys[] = {
    {.name = "name",
     .type = CONFIG_STRING,
     .is_required = true,
     CHANNEL(name),
     .help = "quantity, or quantity-probe: air_temperature-2"},
    {.name = "offset",
     .type = CONFIG_DOUBLE,
     CHANNEL(offset),
     .fallback = "0",
     .help = "value = raw * gain + offset; the raw value is kept"},
    {.name = "gain",
     .type = CONFIG_DOUBLE,
     CHANNEL(gain),
     .fallback = "1",
     .help = "of the calibration"},
    {.name = "certificate",
     .type = CONFIG_STRING,
     CHANNEL(certificate),
     .help = "of the calibration, e.g. its number and laboratory"},
    {.name = "due",
     .type = CONFIG_STRING,
     CHANNEL(due),
     .help = "date of the next calibration"},
    {.name = "probe",
     .type = CONFIG_STRING,
     CHANNEL(probe),
     .help = "drivers w1, sysfs, exec: 28-0316a2795dff; see `coldchain-agent sensors`"},
    {.name = "min",
     .type = CONFIG_STRING,
     CHANNEL(min),
     .help = "what is below reads `range`; raw values, as the next four"},
    {.name = "max",
     .type = CONFIG_STRING,
     CHANNEL(max),
     .help = "what is above reads `range`"},
    {.name = "open_at",
     .type = CONFIG_STRING,
     CHANNEL(open_at),
     .help = "where the value ends up when a wire breaks: from there on `open`"},
    {.name = "short_at",
     .type = CONFIG_STRING,
     CHANNEL(short_at),
     .help = "the same when two wires touch: `short`"},
    {.name = "max_per_minute",
     .type = CONFIG_STRING,
     CHANNEL(max_per_minute),
     .help = "what changes faster reads `fault`"},
    {.name = NULL},
};
static const struct config_schema channel_schema = {
    .keys = channel_keys, .size = sizeof(struct sensor_channel), .check = check_channel};

#define FAULT(field) .offset = offsetof(struct sensor_sim_fault, field)
static const struct config_key fault_keys[] = {
    {.name = "kind",
     .type = CONFIG_ENUM,
     .is_required = true,
     FAULT(kind),
     .words = fault_words,
     .help = "what fails"},
    {.name = "after",
     .type = CONFIG_DURATION,
     FAULT(after_ms),
     .fallback = "0",
     .least = 0,
     .most = 3650 * DAY_MS,
     .help = "since the clock's origin"},
    {.name = "for",
     .type = CONFIG_DURATION,
     FAULT(for_ms),
     .fallback = "0",
     .least = 0,
     .most = 3650 * DAY_MS,
     .help = "how long; 0: for ever"},
    {.name = "every",
     .type = CONFIG_DURATION,
     FAULT(every_ms),
     .fallback = "0",
     .least = 0,
     .most = 3650 * DAY_MS,
     .help = "again after this time; 0: once"},
    {.name = "factor",
     .type = CONFIG_DOUBLE,
     FAULT(factor),
     .fallback = "0.3",
     .least = 0,
     .most = 1,
     .help = "compressor_weak: the share of power that is left"},
    {.name = "channel",
     .type = CONFIG_STRING,
     FAULT(channel),
     .help = "probe_*: the channel concerned; all when absent"},
    {.name = NULL},
};
static const struct config_schema fault_schema = {
    .keys = fault_keys, .size = sizeof(struct sensor_sim_fault)};

#define LOAD(field) .offset = offsetof(struct sensor_sim_load, field)
static const struct config_key load_keys[] = {
    {.name = "after",
     .type = CONFIG_DURATION,
     LOAD(after_ms),
     .fallback = "0",
     .least = 0,
     .most = 3650 * DAY_MS,
     .help = "since the clock's origin"},
    {.name = "mass_kg",
     .type = CONFIG_DOUBLE,
     .is_required = true,
     LOAD(mass_kg),
     .help = "brought in; negative: taken out"},
    {.name = "temperature_C",
     .type = CONFIG_DOUBLE,
     LOAD(temperature_C),
     .fallback = "20",
     .help = "of the produce when it comes"},
    {.name = NULL},
};
static const struct config_schema load_schema = {.keys = load_keys,
                                                 .size = sizeof(struct sensor_sim_load)};

#define STOP(field) .offset = offsetof(struct sensor_sim_stop, field)
static const struct config_key stop_keys[] = {
    {.name = "latitude",
     .type = CONFIG_DOUBLE,
     .is_required = true,
     STOP(latitude),
     .least = -90,
     .most = 90,
     .help = "degrees, WGS 84"},
    {.name = "longitude",
     .type = CONFIG_DOUBLE,
     .is_required = true,
     STOP(longitude),
     .least = -180,
     .most = 180,
     .help = "degrees, WGS 84"},
    {.name = "drive",
     .type = CONFIG_DURATION,
     STOP(drive_ms),
     .fallback = "30m",
     .least = 0,
     .most = 2 * DAY_MS,
     .help = "from the stop before"},
    {.name = "stand",
     .type = CONFIG_DURATION,
     STOP(stand_ms),
     .fallback = "10m",
     .least = 0,
     .most = 2 * DAY_MS,
     .help = "how long the van stands"},
    {.name = "door",
     .type = CONFIG_DURATION,
     STOP(door_ms),
     .fallback = "5m",
     .least = 0,
     .most = 2 * DAY_MS,
     .help = "how long its door is open meanwhile"},
    {.name = NULL},
};
static const struct config_schema stop_schema = {.keys = stop_keys,
                                                 .size = sizeof(struct sensor_sim_stop)};

static void check_driver(struct config *config, const struct sensor_settings *sensor)
{
    if (sensor_find(sensor->driver) != NULL)
        return;
    struct buf known = {0};
    struct names_near near;
    names_near_init(&near, sensor->driver);
    for (size_t i = 0; sensor_at(i) != NULL; i++) {
        const char *name = sensor_at(i)->name;
        names_near_offer(&near, name, strlen(name));
        buf_format(&known, "%s%s", i == 0 ? "" : ", ", name);
    }
    config_problem(config, &sensor->driver, "there is no driver '%s'%s%s; there are %s",
                   sensor->driver, near.best != NULL ? ", did you mean " : "",
                   near.best != NULL ? near.best : "", known.data);
    buf_fini(&known);
}

/* Opening says what a driver's options lack; these drivers touch no hardware. */
static void check_sensor(struct config *config, const void *record)
{
    const struct sensor_settings *sensor = record;
    if (!id_is_valid(sensor->name))
        config_problem(config, &sensor->name,
                       "'%s' is no identifier: letters, digits, _ and -", sensor->name);
    check_driver(config, sensor);
    if (config->problems_count > 0)
        return;
    struct sensor *opened = NULL;
    struct err_text why = {0};
    if (sensor_open(&opened, sensor, 0, &why) != ERR_OK)
        config_problem(config, &sensor->driver, "%s", why.text);
    sensor_close(opened);
}

#define SENSOR(field) .offset = offsetof(struct sensor_settings, field)
static const struct config_key sensor_keys[] = {
    {.name = "name",
     .type = CONFIG_STRING,
     .is_required = true,
     SENSOR(name),
     .help = "identifier, unique on this device"},
    {.name = "driver",
     .type = CONFIG_STRING,
     .is_required = true,
     SENSOR(driver),
     .help = "null, sim, replay, sysfs, w1 or exec (docs/sensors)"},
    {.name = "interval",
     .type = CONFIG_DURATION,
     SENSOR(interval_ms),
     .fallback = "10s",
     .least = 100,
     .most = DAY_MS,
     .help = "between two readings"},
    {.name = "timeout",
     .type = CONFIG_DURATION,
     SENSOR(timeout_ms),
     .fallback = "10s",
     .least = 100,
     .most = HOUR_MS,
     .help = "drivers sysfs, w1, exec: of one measurement"},
    {.name = "root",
     .type = CONFIG_STRING,
     SENSOR(root),
     .fallback = "/",
     .help = "drivers sysfs, w1: a folder that stands for /, for tests"},
    {.name = "channels",
     .type = CONFIG_RECORDS,
     .is_required = true,
     SENSOR(channels),
     .count_offset = offsetof(struct sensor_settings, channel_count),
     .least = 1,
     .most = SENSOR_CHANNELS_MAX,
     .record = &channel_schema,
     .help = "what it measures"},
    {.name = "sim.zone",
     .type = CONFIG_STRING,
     SENSOR(sim.zone),
     .fallback = "room",
     .help = "driver sim: room or van"},
    {.name = "sim.seed",
     .type = CONFIG_INT,
     SENSOR(sim.seed),
     .fallback = "1",
     .least = 0,
     .most = 1e15,
     .help = "the same seed gives the same series"},
    {.name = "sim.parameters",
     .type = CONFIG_PAIRS,
     SENSOR(sim.parameters),
     .count_offset = offsetof(struct sensor_settings, sim.parameter_count),
     .help = "physics, e.g. set_point_C: 13"},
    {.name = "sim.faults",
     .type = CONFIG_RECORDS,
     SENSOR(sim.faults),
     .count_offset = offsetof(struct sensor_settings, sim.fault_count),
     .least = 0,
     .most = SIM_FAULTS_MAX,
     .record = &fault_schema,
     .help = "failures on a schedule"},
    {.name = "sim.loads",
     .type = CONFIG_RECORDS,
     SENSOR(sim.loads),
     .count_offset = offsetof(struct sensor_settings, sim.load_count),
     .least = 0,
     .most = SIM_LOADS_MAX,
     .record = &load_schema,
     .help = "produce brought in and taken out"},
    {.name = "sim.stops",
     .type = CONFIG_RECORDS,
     SENSOR(sim.stops),
     .count_offset = offsetof(struct sensor_settings, sim.stop_count),
     .least = 0,
     .most = SIM_STOPS_MAX,
     .record = &stop_schema,
     .help = "the round of a van, instead of the built-in one"},
    {.name = "replay.file",
     .type = CONFIG_STRING,
     SENSOR(replay.file),
     .help = "driver replay: a CSV file"},
    {.name = "replay.columns",
     .type = CONFIG_STRING,
     SENSOR(replay.columns),
     .help = "time=COLUMN[@ZONE],CHANNEL=COLUMN,..."},
    {.name = "replay.rate",
     .type = CONFIG_ENUM,
     SENSOR(replay.rate),
     .fallback = "recorded",
     .words = rate_words,
     .help = "as recorded, or as fast as the journal takes it"},
    {.name = "exec.command",
     .type = CONFIG_STRINGS,
     SENSOR(exec.command),
     .count_offset = offsetof(struct sensor_settings, exec.command_count),
     .least = 0,
     .most = 64,
     .help = "driver exec: [/usr/local/bin/program, argument]; no shell"},
    {.name = "exec.max_output",
     .type = CONFIG_SIZE,
     SENSOR(exec.max_output),
     .fallback = "64K",
     .least = 256,
     .most = MEBI,
     .help = "what prints more is ended"},
    {.name = NULL},
};
static const struct config_schema sensor_schema = {
    .keys = sensor_keys, .size = sizeof(struct sensor_settings), .check = check_sensor};

/* ---- bands ---- */

static bool parse_bound(const char *text, double *bound)
{
    size_t len = strlen(text);
    return number_scan(bound, text, len) == len && len > 0;
}

static void check_band(struct config *config, const void *record)
{
    const struct settings_band *band = record;
    double low = -INFINITY;
    double high = INFINITY;
    if (band->low == NULL && band->high == NULL)
        config_problem(config, &band->channel,
                       "the band of '%s' has neither low nor high", band->channel);
    if (band->low != NULL && !parse_bound(band->low, &low))
        config_problem(config, &band->low, "'%s' is no number", band->low);
    if (band->high != NULL && !parse_bound(band->high, &high))
        config_problem(config, &band->high, "'%s' is no number", band->high);
    if (low > high)
        config_problem(config, &band->low, "low %s is above high %s", band->low,
                       band->high);
}

#define BAND(field) .offset = offsetof(struct settings_band, field)
static const struct config_key band_keys[] = {
    {.name = "channel",
     .type = CONFIG_STRING,
     .is_required = true,
     BAND(channel),
     .help = "a channel, or a quantity for all its channels"},
    {.name = "low", .type = CONFIG_STRING, BAND(low), .help = "lowest that is in order"},
    {.name = "high",
     .type = CONFIG_STRING,
     BAND(high),
     .help = "highest that is in order"},
    {.name = NULL},
};
static const struct config_schema band_schema = {
    .keys = band_keys, .size = sizeof(struct settings_band), .check = check_band};

bool settings_band(const struct settings *settings, const char *channel, double *low,
                   double *high)
{
    struct channel parsed;
    if (channel_parse(&parsed, channel) != ERR_OK)
        return false;
    for (size_t i = 0; i < settings->band_count; i++) {
        const struct settings_band *band = &settings->bands[i];
        if (strcmp(band->channel, channel) != 0 &&
            strcmp(band->channel, parsed.quantity) != 0)
            continue;
        *low = -(double)INFINITY;
        *high = (double)INFINITY;
        bool has_low = band->low == NULL || parse_bound(band->low, low);
        bool has_high = band->high == NULL || parse_bound(band->high, high);
        return has_low && has_high;
    }
    return false;
}

/* ---- the whole ---- */

static const struct sensor_channel *find_channel(const struct settings *settings,
                                                 const char *name,
                                                 const struct sensor_channel *but)
{
    for (size_t i = 0; i < settings->sensor_count; i++) {
        const struct sensor_settings *sensor = &settings->sensors[i];
        for (size_t j = 0; j < sensor->channel_count; j++)
            if (&sensor->channels[j] != but &&
                strcmp(sensor->channels[j].name, name) == 0)
                return &sensor->channels[j];
    }
    return NULL;
}

static void check_names(struct config *config, const struct settings *settings)
{
    for (size_t i = 0; i < settings->sensor_count; i++) {
        const struct sensor_settings *sensor = &settings->sensors[i];
        for (size_t j = 0; j < i; j++)
            if (strcmp(settings->sensors[j].name, sensor->name) == 0)
                config_problem(config, &sensor->name, "sensor '%s' is there twice",
                               sensor->name);
        for (size_t j = 0; j < sensor->channel_count; j++) {
            const struct sensor_channel *channel = &sensor->channels[j];
            const struct sensor_channel *twin =
                find_channel(settings, channel->name, channel);
            if (twin != NULL && twin < channel)
                config_problem(config, &channel->name,
                               "channel '%s' is there twice; call the other %s-2",
                               channel->name, channel->name);
        }
    }
}

static void check_command(struct config *config, const char *name, char **const *command,
                          size_t count)
{
    if (count > 0 && (*command)[0][0] != '/')
        config_problem(config, command,
                       "alarm.%s begins with '%s'; use an absolute path, like "
                       "/usr/local/bin/siren",
                       name, (*command)[0]);
}

static void check_settings(struct config *config, const void *record)
{
    const struct settings *settings = record;
    if (!id_is_valid(settings->org))
        config_problem(config, &settings->org,
                       "'%s' is no identifier: letters, digits, _ and -", settings->org);
    if (!id_is_valid(settings->device) || strcmp(settings->device, "zones") == 0)
        config_problem(config, &settings->device,
                       "'%s' is no name for a device: letters, digits, _ and -; not "
                       "'zones'",
                       settings->device);
    if (settings->mqtt.reconnect_min_ms > settings->mqtt.reconnect_max_ms)
        config_problem(config, &settings->mqtt.reconnect_min_ms,
                       "reconnect_min is above reconnect_max");
    if ((settings->mqtt.cert_file == NULL) != (settings->mqtt.key_file == NULL))
        config_problem(config,
                       settings->mqtt.cert_file != NULL ? &settings->mqtt.cert_file
                                                        : &settings->mqtt.key_file,
                       "cert_file and key_file go together");
    check_command(config, "command", &settings->alarm.command,
                  settings->alarm.command_count);
    check_command(config, "on_incident", &settings->alarm.on_incident,
                  settings->alarm.on_incident_count);
    if (settings->alarm.mute_file != NULL && settings->alarm.mute_file[0] != '/')
        config_problem(config, &settings->alarm.mute_file,
                       "alarm.mute_file '%s' is no absolute path; use one like "
                       "/run/coldchain/mute",
                       settings->alarm.mute_file);
    check_names(config, settings);
}

#define SETTING(field) .offset = offsetof(struct settings, field)
static const struct config_key settings_keys[] = {
    {.name = "org",
     .type = CONFIG_STRING,
     .is_required = true,
     SETTING(org),
     .help = "identifier of the organisation"},
    {.name = "device",
     .type = CONFIG_STRING,
     .is_required = true,
     SETTING(device),
     .help = "identifier of this device, unique in the organisation"},
    {.name = "mqtt.uri",
     .type = CONFIG_STRING,
     SETTING(mqtt.uri),
     .fallback = "mqtt://127.0.0.1:1883",
     .help = "of the broker: mqtt://HOST:PORT, or mqtts:// for TLS"},
    {.name = "mqtt.client_id",
     .type = CONFIG_STRING,
     SETTING(mqtt.client_id),
     .help = "ORG/DEVICE when absent"},
    {.name = "mqtt.username",
     .type = CONFIG_STRING,
     SETTING(mqtt.username),
     .help = "ORG/DEVICE when absent, which the broker's rules build on"},
    {.name = "mqtt.password",
     .type = CONFIG_SECRET,
     SETTING(mqtt.password),
     .help = "or password_file"},
    {.name = "mqtt.ca_file",
     .type = CONFIG_STRING,
     SETTING(mqtt.ca_file),
     .help = "mqtts: who signs the broker; the system's store when absent"},
    {.name = "mqtt.cert_file",
     .type = CONFIG_STRING,
     SETTING(mqtt.cert_file),
     .help = "mqtts: certificate of this device"},
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
     .help = "a connection that says nothing for 1.5 times this is lost"},
    {.name = "mqtt.reconnect_min",
     .type = CONFIG_DURATION,
     SETTING(mqtt.reconnect_min_ms),
     .fallback = "500ms",
     .least = 10,
     .most = HOUR_MS,
     .help = "first pause before connecting again; doubles, with jitter"},
    {.name = "mqtt.reconnect_max",
     .type = CONFIG_DURATION,
     SETTING(mqtt.reconnect_max_ms),
     .fallback = "60s",
     .least = 10,
     .most = DAY_MS,
     .help = "longest pause"},
    {.name = "journal.dir",
     .type = CONFIG_STRING,
     SETTING(journal.dir),
     .fallback = "/var/lib/coldchain/agent",
     .help = "folder of the journal"},
    {.name = "journal.max_bytes",
     .type = CONFIG_SIZE,
     SETTING(journal.max_bytes),
     .fallback = "64M",
     .least = 4 * MEBI,
     .most = 64 * GIBI,
     .help = "when full, acknowledged packs go first, then in-range ones are thinned"},
    {.name = "pack.readings",
     .type = CONFIG_INT,
     SETTING(pack.readings),
     .fallback = "64",
     .least = 1,
     .most = 1000,
     .help = "a pack is closed when it holds so many"},
    {.name = "pack.interval",
     .type = CONFIG_DURATION,
     SETTING(pack.interval_ms),
     .fallback = "10s",
     .least = 10,
     .most = HOUR_MS,
     .help = "or is so old (in real time), or a channel leaves or enters its band"},
    {.name = "drain_timeout",
     .type = CONFIG_DURATION,
     SETTING(drain_timeout_ms),
     .fallback = "2s",
     .least = 0,
     .most = HOUR_MS,
     .help = "on SIGTERM: how long to wait for acknowledgements"},
    {.name = "status.file",
     .type = CONFIG_STRING,
     SETTING(status.file),
     .help = "counters as JSON, replaced atomically, for scripts"},
    {.name = "status.interval",
     .type = CONFIG_DURATION,
     SETTING(status.interval_ms),
     .fallback = "1s",
     .least = 10,
     .most = DAY_MS,
     .help = "how often it is written"},
    {.name = "tap.socket",
     .type = CONFIG_STRING,
     SETTING(tap.socket),
     .help = "a Unix datagram socket that is told each pack once it is on the disk here"},
    {.name = "alarm.no_ack_after",
     .type = CONFIG_DURATION,
     SETTING(alarm.no_ack_after_ms),
     .fallback = "10m",
     .least = 0,
     .most = 30 * DAY_MS,
     .help = "packs wait, and nothing was acknowledged for so long: ring; 0: never"},
    {.name = "alarm.command",
     .type = CONFIG_STRINGS,
     SETTING(alarm.command),
     .count_offset = offsetof(struct settings, alarm.command_count),
     .least = 0,
     .most = 64,
     .help = "[/usr/local/bin/siren, argument]; no shell; 'lost' or 'back' is added"},
    {.name = "alarm.timeout",
     .type = CONFIG_DURATION,
     SETTING(alarm.timeout_ms),
     .fallback = "30s",
     .least = 100,
     .most = 60000,
     .help = "either command is ended then"},
    {.name = "alarm.on_incident",
     .type = CONFIG_STRINGS,
     SETTING(alarm.on_incident),
     .count_offset = offsetof(struct settings, alarm.on_incident_count),
     .least = 0,
     .most = 64,
     .help = "run for incidents that are found here, broker or none; 'opened', "
             "'escalated', 'closed', 'repeated' or 'muted' is added (docs/alarms.md)"},
    {.name = "alarm.severity",
     .type = CONFIG_ENUM,
     SETTING(alarm.severity),
     .fallback = "warning",
     .words = severity_words,
     .help = "the least for which on_incident is run"},
    {.name = "alarm.repeat",
     .type = CONFIG_DURATION,
     SETTING(alarm.repeat_ms),
     .fallback = "10m",
     .least = 0,
     .most = DAY_MS,
     .help =
         "on_incident is run again while an incident is open and not muted; 0: never"},
    {.name = "alarm.mute_file",
     .type = CONFIG_STRING,
     SETTING(alarm.mute_file),
     .help = "whenever this file is touched, what is open is quiet until it gets graver"},
    {.name = "sensors",
     .type = CONFIG_RECORDS,
     .is_required = true,
     SETTING(sensors),
     .count_offset = offsetof(struct settings, sensor_count),
     .least = 1,
     .most = 64,
     .record = &sensor_schema,
     .help = "what is measured"},
    {.name = "bands",
     .type = CONFIG_RECORDS,
     SETTING(bands),
     .count_offset = offsetof(struct settings, band_count),
     .least = 0,
     .most = 256,
     .record = &band_schema,
     .help = "outside these packs are sent at once, where the collector sends no rules"},
    {.name = NULL},
};

const struct config_schema settings_schema = {
    .keys = settings_keys, .size = sizeof(struct settings), .check = check_settings};
