// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/sensors.h"

#include <math.h>
#include <unistd.h>

#include "edge-agent/sensors/sim.h"
#include "tests/support/check.h"

#define ORIGIN_MS ((int64_t)1793548800000)

static char name_air[] = "air_temperature";
static char name_humidity[] = "humidity";
static char name_door[] = "door-2";
static char sensor_name[] = "room-1";
static char driver_sim[] = "sim";
static char driver_replay[] = "replay";
static char zone_room[] = "room";

static struct sensor_channel channels[] = {
    {.name = name_air, .gain = 1},
    {.name = name_humidity, .gain = 1},
    {.name = name_door, .gain = 1},
};

static struct sensor_settings sim_settings(void)
{
    return (struct sensor_settings){
        .name = sensor_name,
        .driver = driver_sim,
        .interval_ms = 10000,
        .channels = channels,
        .channel_count = 3,
        .sim = {.zone = zone_room, .seed = 7},
    };
}

/* ---- the registry ---- */

static void every_driver_is_complete(void)
{
    size_t count = 0;
    for (; sensor_at(count) != NULL; count++) {
        const struct sensor_ops *ops = sensor_at(count);
        CHECK_ROW(ops->name, sensor_find(ops->name) == ops);
        CHECK_ROW(ops->name, ops->help != NULL && ops->open != NULL);
        CHECK_ROW(ops->name, ops->read != NULL && ops->close != NULL);
    }
    CHECK(count >= 3);
    CHECK(sensor_find("divining-rod") == NULL);
}

static void an_unknown_driver_is_named(void)
{
    char driver[] = "modbus";
    struct sensor_settings settings = sim_settings();
    settings.driver = driver;
    struct sensor *sensor;
    struct err_text why = {0};
    CHECK(sensor_open(&sensor, &settings, 0, &why) == ERR_NOT_FOUND);
    CHECK(sensor == NULL && strstr(why.text, "'modbus'") != NULL);
    sensor_close(NULL);
}

static void the_template_reads_zero(void)
{
    char driver[] = "null";
    struct sensor_settings settings = sim_settings();
    settings.driver = driver;
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, 0, NULL) == ERR_OK);
    struct samples samples = {0};
    CHECK(sensor_read(sensor, 5000, &samples) == ERR_OK);
    CHECK(samples.count == 3 && samples.list[2].channel == 2);
    CHECK(samples.list[1].value == 0 && samples.list[1].time_ms == 5000);
    CHECK(!sensor_is_resumable(sensor) && sensor_resume(sensor, 1) == ERR_INVALID);
    samples_fini(&samples);
    sensor_close(sensor);
}

static void calibration_is_gain_then_offset(void)
{
    struct sensor_channel channel = {.gain = 1.02, .offset = -0.5};
    CHECK(fabs(sensor_calibrate(&channel, 10) - 9.7) < 1e-12);
    CHECK(isnan(sensor_calibrate(&channel, NAN)));
    CHECK(sensor_is_calibrated(&channel));
    CHECK(!sensor_is_calibrated(&channels[0]));
}

static void a_failed_sensor_is_a_bad_reading(void)
{
    static const struct {
        const char *name;
        enum err err;
        enum quality want;
    } rows[] = {
        {"no answer", ERR_TIMEOUT, QUALITY_TIMEOUT},
        {"bus error", ERR_IO, QUALITY_FAULT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct samples samples = {0};
        const struct sensor_settings settings = sim_settings();
        enum err err = sensor_failed(&settings, rows[i].err, 77, &samples);
        CHECK_ROW(rows[i].name, err == ERR_OK && samples.count == 3);
        CHECK_ROW(rows[i].name, samples.list[0].quality == rows[i].want);
        CHECK_ROW(rows[i].name, isnan(samples.list[0].value));
        CHECK_ROW(rows[i].name, samples.list[0].time_ms == 77);
        samples_fini(&samples);
    }
}

/* ---- sim ---- */

static void the_simulator_reads_its_channels(void)
{
    struct sensor_settings settings = sim_settings();
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, ORIGIN_MS, NULL) == ERR_OK);
    struct samples samples = {0};
    for (int i = 1; i <= 360; i++) {
        CHECK(sensor_read(sensor, ORIGIN_MS + i * 10000, &samples) == ERR_OK);
        CHECK(samples.count == 3 && samples.list[0].quality == QUALITY_GOOD);
        CHECK(samples.list[0].value > 4 && samples.list[0].value < 8);
        CHECK(samples.list[1].value > 50 && samples.list[1].value <= 100);
        CHECK(samples.list[2].value == 0 || samples.list[2].value == 1);
        /* One decimal, as the sensor shows it. */
        double tenths = samples.list[0].value * 10;
        CHECK(fabs(tenths - round(tenths)) < 1e-9);
    }
    samples_fini(&samples);
    sensor_close(sensor);
}

static void a_restart_reads_the_same(void)
{
    struct sensor_settings settings = sim_settings();
    double first[3];
    for (int life = 0; life < 2; life++) {
        struct sensor *sensor;
        CHECK(sensor_open(&sensor, &settings, ORIGIN_MS, NULL) == ERR_OK);
        struct samples samples = {0};
        if (life == 0)
            CHECK(sensor_read(sensor, ORIGIN_MS + 3600000, &samples) == ERR_OK);
        CHECK(sensor_read(sensor, ORIGIN_MS + 7200000, &samples) == ERR_OK);
        for (size_t i = 0; i < 3; i++) {
            if (life == 0)
                first[i] = samples.list[i].value;
            CHECK(samples.list[i].value == first[i]);
        }
        samples_fini(&samples);
        sensor_close(sensor);
    }
}

static void probes_fail_as_scheduled(void)
{
    struct sensor_sim_fault faults[] = {
        {.kind = SIM_PROBE_MISSING,
         .after_ms = 60000,
         .for_ms = 60000,
         .channel = name_humidity},
        {.kind = SIM_PROBE_STUCK, .after_ms = 120000, .channel = name_air},
    };
    struct sensor_settings settings = sim_settings();
    settings.sim.faults = faults;
    settings.sim.fault_count = 2;
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, ORIGIN_MS, NULL) == ERR_OK);
    struct samples samples = {0};
    double stuck = NAN;
    for (int64_t at_ms = 10000; at_ms <= 3600000; at_ms += 10000) {
        CHECK(sensor_read(sensor, ORIGIN_MS + at_ms, &samples) == ERR_OK);
        bool missing = at_ms >= 60000 && at_ms < 120000;
        CHECK((samples.list[1].quality == QUALITY_OPEN) == missing);
        CHECK(isnan(samples.list[1].value) == missing);
        if (at_ms == 120000)
            stuck = samples.list[0].value;
        if (at_ms > 120000)
            CHECK(samples.list[0].value == stuck);
    }
    samples_fini(&samples);
    sensor_close(sensor);
}

static void bad_simulations_do_not_open(void)
{
    char shed[] = "shed";
    char unknown[] = "wheels";
    char weight[] = "product_kg";
    char word[] = "heavy";
    char channel[] = "radon";
    struct config_pair wheels = {.name = unknown, .value = word};
    struct config_pair heavy = {.name = weight, .value = word};
    struct sensor_channel radon = {.name = channel, .gain = 1};
    struct sensor_sim_stop stop = {.stand_ms = 60000, .door_ms = 120000};
    struct sensor_settings rows[5];
    static const char *const wants[] = {"'shed'", "'wheels'", "'heavy'", "'radon'",
                                        "stop 1"};
    for (size_t i = 0; i < 5; i++)
        rows[i] = sim_settings();
    rows[0].sim.zone = shed;
    rows[1].sim.parameters = &wheels;
    rows[1].sim.parameter_count = 1;
    rows[2].sim.parameters = &heavy;
    rows[2].sim.parameter_count = 1;
    rows[3].channels = &radon;
    rows[3].channel_count = 1;
    rows[4].sim.stops = &stop;
    rows[4].sim.stop_count = 1;
    for (size_t i = 0; i < 5; i++) {
        struct sensor *sensor;
        struct err_text why = {0};
        CHECK_ROW(wants[i], sensor_open(&sensor, &rows[i], 0, &why) != ERR_OK);
        CHECK_ROW(wants[i], sensor == NULL && strstr(why.text, wants[i]) != NULL);
    }
}

static void parameters_and_loads_are_taken(void)
{
    char set_point[] = "set_point_C";
    char thirteen[] = "13.0";
    char product[] = "product_C";
    struct config_pair pairs[] = {{.name = set_point, .value = thirteen},
                                  {.name = product, .value = thirteen}};
    struct sensor_sim_load load = {
        .after_ms = 1000, .mass_kg = 30000, .temperature_C = 30};
    struct sensor_settings settings = sim_settings();
    settings.sim.parameters = pairs;
    settings.sim.parameter_count = 2;
    settings.sim.loads = &load;
    settings.sim.load_count = 1;
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, ORIGIN_MS, NULL) == ERR_OK);
    struct samples samples = {0};
    CHECK(sensor_read(sensor, ORIGIN_MS, &samples) == ERR_OK);
    CHECK(fabs(samples.list[0].value - 13) < 1);
    CHECK(sensor_read(sensor, ORIGIN_MS + 3600000, &samples) == ERR_OK);
    CHECK(samples.list[0].value > 15); /* warm fruit warms the room */
    samples_fini(&samples);
    sensor_close(sensor);
}

/* ---- replay ---- */

static char replay_path[64];

static void write_file(const char *text)
{
    snprintf(replay_path, sizeof replay_path, "/tmp/replay-test-XXXXXX");
    int fd = mkstemp(replay_path);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static struct sensor_settings replay_settings(enum sensor_replay_rate rate)
{
    static char columns[] = "time=when@utc,air_temperature=T,humidity=RH";
    return (struct sensor_settings){
        .name = sensor_name,
        .driver = driver_replay,
        .interval_ms = 1000,
        .channels = channels,
        .channel_count = 2,
        .replay = {.file = replay_path, .columns = columns, .rate = (int)rate},
    };
}

static const char SERIES[] = "when,T,RH\n"
                             "2022-07-07 12:00:00,-19.3,49\n"
                             "2022-07-07 12:01:00,-19.2,\n"
                             "yesterday,1,2\n"
                             "2022-07-07 12:02:00,-19.1,48\n";
#define NOON_MS ((int64_t)1657195200000)

static void rows_keep_their_time(void)
{
    write_file(SERIES);
    struct sensor_settings settings = replay_settings(REPLAY_FAST);
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, 0, NULL) == ERR_OK);
    struct samples samples = {0};
    CHECK(sensor_read(sensor, 5, &samples) == ERR_NOT_FOUND);
    CHECK(sensor_has_ended(sensor));
    CHECK(samples.count == 6 && samples.list[5].cursor == 4);
    CHECK(samples.list[0].cursor == 1 && samples.list[2].cursor == 2);
    CHECK(samples.list[0].time_ms == NOON_MS && samples.list[0].value == -19.3);
    CHECK(samples.list[2].time_ms == NOON_MS + 60000);
    CHECK(samples.list[3].quality == QUALITY_FAULT && isnan(samples.list[3].value));
    CHECK(samples.list[4].time_ms == NOON_MS + 120000);
    CHECK(sensor_read(sensor, 6, &samples) == ERR_NOT_FOUND && samples.count == 0);
    samples_fini(&samples);
    sensor_close(sensor);
    unlink(replay_path);
}

static void recorded_rate_follows_the_clock(void)
{
    write_file(SERIES);
    struct sensor_settings settings = replay_settings(REPLAY_RECORDED);
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, 0, NULL) == ERR_OK);
    struct samples samples = {0};
    CHECK(sensor_read(sensor, 1000, &samples) == ERR_OK && samples.count == 2);
    CHECK(sensor_read(sensor, 60999, &samples) == ERR_OK && samples.count == 0);
    CHECK(sensor_read(sensor, 61000, &samples) == ERR_OK && samples.count == 2);
    CHECK(sensor_read(sensor, 500000, &samples) == ERR_NOT_FOUND && samples.count == 2);
    samples_fini(&samples);
    sensor_close(sensor);
    unlink(replay_path);
}

static void a_replay_goes_on_behind_its_cursor(void)
{
    write_file(SERIES);
    struct sensor_settings settings = replay_settings(REPLAY_FAST);
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, 0, NULL) == ERR_OK);
    CHECK(sensor_is_resumable(sensor));
    CHECK(sensor_resume(sensor, 2) == ERR_OK);
    struct samples samples = {0};
    CHECK(sensor_read(sensor, 1, &samples) == ERR_NOT_FOUND);
    CHECK(samples.count == 2 && samples.list[0].time_ms == NOON_MS + 120000);
    CHECK(sensor_resume(sensor, 99) == ERR_INVALID);
    samples_fini(&samples);
    sensor_close(sensor);
    unlink(replay_path);
}

static void batches_are_bounded(void)
{
    char text[20000] = "when,T,RH\n";
    size_t len = strlen(text);
    for (int i = 0; i < 600; i++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%d,1,2\n", 1657195200 + i);
    write_file(text);
    char columns[] = "time=when@s,air_temperature=T,humidity=RH";
    struct sensor_settings settings = replay_settings(REPLAY_FAST);
    settings.replay.columns = columns;
    struct sensor *sensor;
    CHECK(sensor_open(&sensor, &settings, 0, NULL) == ERR_OK);
    struct samples samples = {0};
    size_t total = 0;
    enum err err = ERR_OK;
    for (int reads = 0; err == ERR_OK && reads < 10; reads++) {
        err = sensor_read(sensor, 1, &samples);
        CHECK((err == ERR_OK) == samples.has_more);
        total += samples.count;
    }
    CHECK(total == 1200);
    samples_fini(&samples);
    sensor_close(sensor);
    unlink(replay_path);
}

static void bad_replays_do_not_open(void)
{
    write_file(SERIES);
    char nowhere[] = "/nonexistent/series.csv";
    char no_humidity[] = "time=when,air_temperature=T";
    char no_column[] = "time=when,air_temperature=T,humidity=moisture";
    struct sensor_settings rows[4];
    static const char *const wants[] = {"/nonexistent/series.csv", "'humidity'",
                                        "moisture", "needs a file"};
    for (size_t i = 0; i < 4; i++)
        rows[i] = replay_settings(REPLAY_FAST);
    rows[0].replay.file = nowhere;
    rows[1].replay.columns = no_humidity;
    rows[2].replay.columns = no_column;
    rows[3].replay.file = NULL;
    for (size_t i = 0; i < 4; i++) {
        struct sensor *sensor;
        struct err_text why = {0};
        CHECK_ROW(wants[i], sensor_open(&sensor, &rows[i], 0, &why) != ERR_OK);
        CHECK_ROW(wants[i], strstr(why.text, wants[i]) != NULL);
    }
    unlink(replay_path);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"every driver is complete", every_driver_is_complete},
        {"an unknown driver is named", an_unknown_driver_is_named},
        {"the template reads zero", the_template_reads_zero},
        {"calibration is gain, then offset", calibration_is_gain_then_offset},
        {"a failed sensor is a bad reading", a_failed_sensor_is_a_bad_reading},
        {"the simulator reads its channels", the_simulator_reads_its_channels},
        {"a restart reads the same", a_restart_reads_the_same},
        {"probes fail as scheduled", probes_fail_as_scheduled},
        {"bad simulations do not open", bad_simulations_do_not_open},
        {"parameters and loads are taken", parameters_and_loads_are_taken},
        {"rows keep their time", rows_keep_their_time},
        {"the recorded rate follows the clock", recorded_rate_follows_the_clock},
        {"a replay goes on behind its cursor", a_replay_goes_on_behind_its_cursor},
        {"batches are bounded", batches_are_bounded},
        {"bad replays do not open", bad_replays_do_not_open},
        CU_TEST_INFO_NULL,
    };
    return check_run("sensors", tests);
}
