// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/settings.h"

#include <dirent.h>
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "edge-agent/status.h"
#include "tests/support/check.h"

static const char FULL[] =
    "org: fengjie\n"
    "device: agent-1\n"
    "mqtt: {uri: \"mqtts://broker:8883\", password: hunter2, keepalive: 1m}\n"
    "journal: {dir: /tmp/j, max_bytes: 8M}\n"
    "pack: {readings: 30, interval: 5s}\n"
    "drain_timeout: 30s\n"
    "status: {file: /tmp/s.json}\n"
    "sensors:\n"
    "  - name: room-1\n"
    "    driver: sim\n"
    "    interval: 30s\n"
    "    channels:\n"
    "      - {name: air_temperature, offset: -0.2, gain: 1.01, certificate: L1, due: "
    "2027-03-01}\n"
    "      - {name: air_temperature-2}\n"
    "    sim:\n"
    "      zone: van\n"
    "      seed: 9\n"
    "      parameters: {set_point_C: \"2\"}\n"
    "      faults: [{kind: door_open, after: 1h, for: 5m, every: 2h}]\n"
    "      loads: [{after: 1h, mass_kg: 100, temperature_C: 15}]\n"
    "      stops: [{latitude: 31, longitude: 109.5, drive: 1h, stand: 10m, door: 5m}]\n"
    "bands:\n"
    "  - {channel: air_temperature-2, high: \"9\"}\n"
    "  - {channel: air_temperature, low: \"3\", high: \"8\"}\n";

static void every_setting_is_taken(void)
{
    struct config config = {0};
    struct settings settings;
    struct err_text why = {0};
    CHECK(config_load_text(&config, &settings_schema, &settings, "full", FULL,
                           strlen(FULL), &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    CHECK_TEXT(settings.org, "fengjie");
    CHECK_TEXT(settings.mqtt.password, "hunter2");
    CHECK(settings.journal.max_bytes == 8 << 20 && settings.pack.readings == 30);
    CHECK(settings.pack.interval_ms == 5000 && settings.drain_timeout_ms == 30000);
    CHECK(settings.sensor_count == 1 && settings.sensors[0].channel_count == 2);
    const struct sensor_settings *sensor = &settings.sensors[0];
    CHECK(sensor->interval_ms == 30000 && sensor->sim.seed == 9);
    CHECK(sensor->channels[0].offset == -0.2 && sensor->channels[1].gain == 1);
    CHECK(sensor->sim.fault_count == 1 && sensor->sim.faults[0].every_ms == 7200000);
    CHECK(sensor->sim.load_count == 1 && sensor->sim.stop_count == 1);
    config_fini(&config);
}

static void bands_go_by_channel_then_quantity(void)
{
    static const struct {
        const char *channel;
        bool want;
        double low;
        double high;
    } rows[] = {
        {"air_temperature", true, 3, 8},
        {"air_temperature-2", true, -(double)INFINITY, 9},
        {"air_temperature-3", true, 3, 8},
        {"humidity", false, 0, 0},
        {"not a name", false, 0, 0},
    };
    struct config config = {0};
    struct settings settings;
    CHECK(config_load_text(&config, &settings_schema, &settings, "full", FULL,
                           strlen(FULL), NULL) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double low = 0;
        double high = 0;
        bool got = settings_band(&settings, rows[i].channel, &low, &high);
        CHECK_ROW(rows[i].channel, got == rows[i].want);
        CHECK_ROW(rows[i].channel, low == rows[i].low && high == rows[i].high);
    }
    config_fini(&config);
}

static void what_is_printed_loads_again(void)
{
    struct config config = {0};
    struct settings settings;
    CHECK(config_load_text(&config, &settings_schema, &settings, "full", FULL,
                           strlen(FULL), NULL) == ERR_OK);
    struct buf text = {0};
    config_print(&config, &text);
    config_fini(&config);
    struct err_text why = {0};
    CHECK(config_load_text(&config, &settings_schema, &settings, "printed", text.data,
                           text.len, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    CHECK(settings.sensors[0].sim.faults[0].after_ms == 3600000);
    CHECK(strstr(text.data, "hunter2") == NULL);
    config_fini(&config);
    buf_fini(&text);
}

/* tests/data/agent-config-invalid/CASE/{input,expect}: a case needs no C. */
static bool run_case(const char *folder, const char *name)
{
    char path[4096];
    struct config config = {0};
    struct settings settings;
    struct err_text why = {0};
    struct buf input = {0};
    struct buf expect = {0};
    snprintf(path, sizeof path, "%s/%s/input", folder, name);
    bool is_read = file_read(&input, path, 1 << 20, &why) == ERR_OK;
    snprintf(path, sizeof path, "%s/%s/expect", folder, name);
    is_read = is_read && file_read(&expect, path, 1 << 20, &why) == ERR_OK;
    enum err err = config_load_text(&config, &settings_schema, &settings, "input",
                                    input.data, input.len, &why);
    bool is_same = is_read && err == ERR_INVALID && expect.len > 0 &&
                   strlen(why.text) == expect.len - 1 &&
                   strncmp(why.text, expect.data, expect.len - 1) == 0;
    if (!is_same)
        printf("\n  %s\n  got:  %s\n  want: %s", name, why.text,
               expect.data != NULL ? expect.data : "");
    config_fini(&config);
    buf_fini(&input);
    buf_fini(&expect);
    return is_same;
}

static void broken_settings_name_line_and_remedy(void)
{
    char folder[2048];
    snprintf(folder, sizeof folder, "%s/tests/data/agent-config-invalid",
             check_source_dir());
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    if (dir == NULL)
        return;
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        CHECK_ROW(entry->d_name, run_case(folder, entry->d_name));
        count++;
    }
    closedir(dir);
    CHECK(count >= 30);
}

/* ---- status ---- */

static void status_names_calibrations(void)
{
    struct config config = {0};
    struct settings settings;
    CHECK(config_load_text(&config, &settings_schema, &settings, "full", FULL,
                           strlen(FULL), NULL) == ERR_OK);
    struct buf text = {0};
    struct rules rules = {
        .in_force = {.version = 0xab}, .refused = 3, .why = {"'x\xc3' is no \"rule\""}};
    zone_notes_add(&rules.in_force.notes, "zone", "fog");
    zone_notes_add(&rules.unjudged, "kind", "telepathy");
    rules.unjudged.left_out = 1;
    status_online(&settings, &rules, 1234, &text);
    CHECK_TEXT(text.data, "{\"state\":\"online\",\"version\":\"" COLDCHAIN_VERSION
                          "\",\"since\":1234,\"channels\":[{\"name\":\"air_temperature\","
                          "\"gain\":1.01,\"offset\":-0.20000000000000001,"
                          "\"certificate\":\"L1\",\"due\":\"2027-03-01\"},"
                          "{\"name\":\"air_temperature-2\"}],\"config\":{"
                          "\"form\":2,\"refused\":3,"
                          "\"unknown\":[\"zone.fog\",\"kind.telepathy\"],"
                          "\"left_out\":1,\"version\":\"00000000000000ab\","
                          "\"why\":\"'x?' is no \\\"rule\\\"\"}}");
    char offline[STATUS_OFFLINE_MAX];
    CHECK_TEXT(status_offline(offline, "lost"),
               "{\"state\":\"offline\",\"reason\":\"lost\"}");
    buf_fini(&text);
    config_fini(&config);
}

static void the_status_file_is_replaced_whole(void)
{
    char path[] = "/tmp/status-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    struct status status = {.is_connected = true, .readings_taken = 5, .backlog = 2};
    CHECK(status_write(&status, path) == ERR_OK);
    status.readings_taken = 6;
    CHECK(status_write(&status, path) == ERR_OK);
    struct buf text = {0};
    CHECK(file_read(&text, path, 1 << 16, NULL) == ERR_OK);
    CHECK(strstr(text.data, "{\"is_connected\":true,\"has_ended\":false,"
                            "\"is_ringing\":false,\"wall_ms\":0,") == text.data);
    CHECK(strstr(text.data, "\"readings_taken\":6,") != NULL);
    CHECK(strstr(text.data, "\"backlog\":2,") != NULL);
    buf_fini(&text);
    unlink(path);
    CHECK(status_write(&status, "/nonexistent/status.json") == ERR_NOT_FOUND);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"every setting is taken", every_setting_is_taken},
        {"bands go by channel, then quantity", bands_go_by_channel_then_quantity},
        {"what is printed loads again", what_is_printed_loads_again},
        {"broken settings name line and remedy", broken_settings_name_line_and_remedy},
        {"the status names calibrations", status_names_calibrations},
        {"the status file is replaced whole", the_status_file_is_replaced_whole},
        CU_TEST_INFO_NULL,
    };
    return check_run("settings", tests);
}
