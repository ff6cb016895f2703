// SPDX-License-Identifier: Apache-2.0
/* The driver w1 on a /sys of the test's own. */
#include <math.h>

#include "tests/unit/edge-agent/sensors/hardware.h"

#define BUS "sys/bus/w1/devices/"
#define ONE "28-0316a2795dff"
#define TWO "28-000000000002"
#define COLD \
    "31 00 4b 46 7f ff 0f 10 22 : crc=22 YES\n31 00 4b 46 7f ff 0f 10 22 t=3062\n"
#define HOT \
    "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"

static char name[] = "bus";
static char driver[] = "w1";
static char air[] = "air_temperature";
static char product[] = "product_temperature";
static char one[] = ONE;
static char two[] = TWO;
static struct sensor_channel channels[] = {{.name = air, .gain = 1, .probe = one},
                                           {.name = product, .gain = 1, .probe = two}};

struct bus {
    struct folder root;
    struct sensor_settings settings;
    struct sensor *sensor;
    struct samples samples;
};

static void bus_open(struct bus *bus, size_t probes)
{
    *bus = (struct bus){0};
    folder_make(&bus->root);
    tree_file(&bus->root, BUS ONE "/w1_slave", COLD);
    tree_file(&bus->root, BUS TWO "/temperature", "-18250\n");
    tree_file(&bus->root, BUS "w1_bus_master1/" ONE "/w1_slave", COLD);
    tree_file(&bus->root, BUS "w1_bus_master2/" TWO "/temperature", "-18250\n");
    bus->settings = (struct sensor_settings){.name = name,
                                             .driver = driver,
                                             .interval_ms = 10000,
                                             .timeout_ms = 10000,
                                             .root = bus->root.path,
                                             .channels = channels,
                                             .channel_count = probes};
    struct err_text why = {0};
    CHECK(sensor_open(&bus->sensor, &bus->settings, WALL_MS, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
}

static void bus_close(struct bus *bus)
{
    sensor_close(bus->sensor);
    samples_fini(&bus->samples);
    tree_remove(&bus->root, "");
}

static void both_formats_are_read(void)
{
    struct bus bus;
    bus_open(&bus, 2);
    CHECK(hardware_read(bus.sensor, &bus.samples) && bus.samples.count == 2);
    CHECK(bus.samples.list[0].value == 3.062 && bus.samples.list[1].value == -18.25);
    CHECK(llabs(bus.samples.list[0].time_ms - WALL_MS) < PATIENCE_MS);
    bus_close(&bus);
}

static void a_probe_that_leaves_and_comes_back(void)
{
    struct bus bus;
    bus_open(&bus, 1);
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_GOOD));
    tree_remove(&bus.root, BUS ONE);
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_OPEN));
    CHECK(isnan(bus.samples.list[0].value));
    tree_file(&bus.root, BUS ONE "/w1_slave", "garbage\xff\n");
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_FAULT));
    tree_file(&bus.root, BUS ONE "/w1_slave", COLD);
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_GOOD));
    CHECK(bus.samples.list[0].value == 3.062);
    bus_close(&bus);
}

static void eighty_five_after_a_power_cut_is_no_temperature(void)
{
    struct bus bus;
    bus_open(&bus, 1);
    tree_file(&bus.root, BUS ONE "/w1_slave", HOT);
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_STARTUP));
    tree_file(&bus.root, BUS ONE "/w1_slave", COLD);
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_GOOD));
    tree_file(&bus.root, BUS ONE "/w1_slave", HOT);
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_STARTUP));
    tree_file(&bus.root, BUS ONE "/w1_slave", NULL);
    tree_file(&bus.root, BUS ONE "/temperature", "84000\n");
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_GOOD));
    tree_file(&bus.root, BUS ONE "/temperature", "85000\n");
    for (int64_t end_ms = clock_real_ms() + PATIENCE_MS;
         hardware_read(bus.sensor, &bus.samples) && bus.samples.list[0].value != 85 &&
         clock_real_ms() < end_ms;)
        CHECK(bus.samples.list[0].quality == QUALITY_GOOD);
    CHECK(bus.samples.list[0].value == 85);
    bus_close(&bus);
}

static void a_probe_that_does_not_answer_costs_nobody_time(void)
{
    struct bus bus;
    bus_open(&bus, 1);
    bus.settings.timeout_ms = 1000;
    sensor_close(bus.sensor);
    int fd = tree_fifo(&bus.root, BUS ONE "/w1_slave");
    CHECK(sensor_open(&bus.sensor, &bus.settings, WALL_MS, NULL) == ERR_OK);
    int64_t begun_ms = clock_real_ms();
    CHECK(sensor_read(bus.sensor, WALL_MS, &bus.samples) == ERR_OK);
    CHECK(clock_real_ms() - begun_ms < 1000); /* the loop went on before the probe did */
    CHECK(hardware_until(bus.sensor, &bus.samples, QUALITY_TIMEOUT));
    close(fd);
    bus_close(&bus);
}

static void settings_that_cannot_be_are_refused(void)
{
    static char humidity[] = "humidity";
    static char odd[] = "28-xyz";
    const struct {
        const char *name;
        struct sensor_channel channel;
        int64_t interval_ms;
    } rows[] = {
        {"no probe", {.name = air}, 10000},
        {"no id", {.name = air, .probe = odd}, 10000},
        {"not a temperature", {.name = humidity, .probe = one}, 10000},
        {"too often", {.name = air, .probe = one}, 500},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sensor_channel channel = rows[i].channel;
        struct sensor_settings settings = {.name = name,
                                           .driver = driver,
                                           .interval_ms = rows[i].interval_ms,
                                           .timeout_ms = 10000,
                                           .root = name,
                                           .channels = &channel,
                                           .channel_count = 1};
        struct sensor *sensor;
        struct err_text why = {0};
        CHECK_ROW(rows[i].name, sensor_open(&sensor, &settings, 0, &why) == ERR_INVALID);
        CHECK_ROW(rows[i].name, strlen(why.text) > 20);
    }
}

static void count_found(void *context, const struct sensor_found *found)
{
    int *count = context;
    *count += found->quality == QUALITY_GOOD &&
              (strcmp(found->probe, ONE) == 0 || strcmp(found->probe, TWO) == 0);
}

static void the_bus_is_listed(void)
{
    struct bus bus;
    int count = 0;
    bus_open(&bus, 1);
    sensor_find("w1")->list(bus.root.path, &count, count_found);
    CHECK(count == 2);
    bus_close(&bus);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"both formats are read", both_formats_are_read},
        {"a probe that leaves and comes back", a_probe_that_leaves_and_comes_back},
        {"85 degrees after a power cut is no temperature",
         eighty_five_after_a_power_cut_is_no_temperature},
        {"a probe that does not answer costs nobody time",
         a_probe_that_does_not_answer_costs_nobody_time},
        {"settings that cannot be are refused", settings_that_cannot_be_are_refused},
        {"the bus is listed", the_bus_is_listed},
        CU_TEST_INFO_NULL,
    };
    return check_run("w1", tests);
}
