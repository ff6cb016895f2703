// SPDX-License-Identifier: Apache-2.0
/* The driver sysfs on a /sys of the test's own. */
#include <math.h>

#include "edge-agent/sensors/sysfs_probe.h"
#include "tests/unit/edge-agent/sensors/hardware.h"

#define HWMON "sys/class/hwmon/"
#define IIO   "sys/bus/iio/devices/"

static char name[] = "board";
static char driver[] = "sysfs";
static char air[] = "air_temperature";
static char sht[] = "hwmon/sht3x/temp1";

static void make_tree(struct folder *root)
{
    folder_make(root);
    tree_file(root, HWMON "hwmon0/name", "coretemp\n");
    tree_file(root, HWMON "hwmon0/temp2_input", "45000\n");
    tree_file(root, HWMON "hwmon0/temp2_label", "Core 0\n");
    tree_file(root, HWMON "hwmon1/name", "sht3x\n");
    tree_file(root, HWMON "hwmon1/temp1_input", "4125\n");
    tree_file(root, HWMON "hwmon1/humidity1_input", "91500\n");
    tree_file(root, HWMON "hwmon2/name", "twin\n");
    tree_file(root, HWMON "hwmon2/in0_input", "3300\n");
    tree_file(root, HWMON "hwmon3/name", "twin\n");
    tree_file(root, HWMON "hwmon3/in0_input", "5000\n");
    tree_file(root, HWMON "hwmon4/name", "ntc\n");
    tree_file(root, HWMON "hwmon4/temp1_input", "-40000\n");
    tree_file(root, HWMON "hwmon4/temp1_fault", "1\n");
    tree_file(root, "sys/devices/i2c-1/1-0044/x", "");
    tree_file(root, "sys/devices/i2c-1/1-0045/x", "");
    tree_link(root, HWMON "hwmon2/device", "../../../devices/i2c-1/1-0044");
    tree_link(root, HWMON "hwmon3/device", "../../../devices/i2c-1/1-0045");
    tree_file(root, IIO "iio:device0/name", "dht11@0\n");
    tree_file(root, IIO "iio:device0/of_node/name", "humidity_sensor");
    tree_file(root, IIO "iio:device0/in_temp_input", "21000\n");
    tree_file(root, IIO "iio:device0/in_humidityrelative_input", "45000\n");
    tree_file(root, IIO "iio:device1/name", "max31865\n");
    tree_file(root, IIO "iio:device1/label", "left wall\n");
    tree_file(root, IIO "iio:device1/in_temp_raw", "8000\n");
    tree_file(root, IIO "iio:device1/in_temp_scale", "31.25\n");
    tree_file(root, IIO "iio:device1/in_temp_offset", "-7900\n");
    tree_file(root, IIO "iio:device2/name", "bmp280\n");
    tree_file(root, IIO "iio:device2/in_pressure_input", "101.325\n");
    tree_file(root, IIO "iio:device2/in_voltage3_raw", "2048\n");
    tree_file(root, IIO "iio:device2/in_voltage_scale", "0.805\n");
}

static void each_kind_is_read_in_its_unit(void)
{
    static const struct {
        const char *probe;
        enum quality quality;
        double value;
        const char *unit;
    } rows[] = {
        {"hwmon/sht3x/temp1", QUALITY_GOOD, 4.125, "Cel"},
        {"hwmon/sht3x/humidity1", QUALITY_GOOD, 91.5, "%RH"},
        {"hwmon/coretemp/Core 0", QUALITY_GOOD, 45, "Cel"},
        {"hwmon/twin@1-0044/in0", QUALITY_GOOD, 3.3, "V"},
        {"hwmon/twin@1-0045/in0", QUALITY_GOOD, 5, "V"},
        {"hwmon/twin/in0", QUALITY_FAULT, 0, NULL},
        {"hwmon/twin@1-0046/in0", QUALITY_OPEN, 0, NULL},
        {"hwmon/ntc/temp1", QUALITY_OPEN, 0, NULL},
        {"hwmon/sht3x/temp2", QUALITY_OPEN, 0, NULL},
        {"hwmon/sht3x/Core 0", QUALITY_OPEN, 0, NULL},
        {"hwmon/none/temp1", QUALITY_OPEN, 0, NULL},
        {"iio/humidity_sensor/temp", QUALITY_GOOD, 21, "Cel"},
        {"iio/left wall/temp", QUALITY_GOOD, 3.125, "Cel"},
        {"iio/max31865/temp", QUALITY_GOOD, 3.125, "Cel"},
        {"iio/bmp280/pressure", QUALITY_GOOD, 101325, "Pa"},
        {"iio/bmp280/voltage3", QUALITY_GOOD, 1.64864, "V"},
        {"iio/bmp280/voltage4", QUALITY_OPEN, 0, NULL},
    };
    struct folder root;
    make_tree(&root);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sysfs_probe probe;
        struct sysfs_answer answer;
        CHECK_ROW(rows[i].probe, sysfs_parse(&probe, rows[i].probe, NULL) == ERR_OK);
        sysfs_read(&probe, root.path, clock_real_ms() + 5000, &answer);
        CHECK_ROW(rows[i].probe, answer.quality == rows[i].quality);
        if (rows[i].unit == NULL) {
            CHECK_ROW(rows[i].probe,
                      isnan(answer.value) && answer.reason.text[0] != '\0');
            continue;
        }
        CHECK_ROW(rows[i].probe, fabs(answer.value - rows[i].value) < 1e-9);
        CHECK_ROW(rows[i].probe, strcmp(answer.unit, rows[i].unit) == 0);
    }
    tree_remove(&root, "");
}

static void what_a_file_may_say(void)
{
    static const struct {
        const char *text;
        enum quality want;
    } rows[] = {
        {"4125\n", QUALITY_GOOD}, {"-500", QUALITY_GOOD},   {"", QUALITY_FAULT},
        {"\n", QUALITY_FAULT},    {"N/A\n", QUALITY_FAULT}, {"12 13", QUALITY_FAULT},
        {"1e999", QUALITY_FAULT}, {"0x10", QUALITY_FAULT},  {NULL, QUALITY_OPEN},
    };
    struct folder root;
    struct sysfs_probe probe;
    struct sysfs_answer answer;
    make_tree(&root);
    CHECK(sysfs_parse(&probe, sht, NULL) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tree_file(&root, HWMON "hwmon1/temp1_input", rows[i].text);
        sysfs_read(&probe, root.path, clock_real_ms() + 5000, &answer);
        CHECK_ROW(rows[i].text != NULL ? rows[i].text : "gone",
                  answer.quality == rows[i].want);
    }
    char large[8192];
    memset(large, '1', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    tree_file(&root, HWMON "hwmon1/temp1_input", large);
    sysfs_read(&probe, root.path, clock_real_ms() + 5000, &answer);
    CHECK(answer.quality == QUALITY_FAULT);
    tree_remove(&root, "");
}

static void probes_that_are_none_are_refused(void)
{
    static const char *const rows[] = {"",           "hwmon",        "hwmon/",
                                       "hwmon//x",   "hwmon/a",      "hwmon/a/",
                                       "hwmon/a@/t", "temp1",        "iio/a/../../etc",
                                       "hwmon/a@b",  "/sys/class/x", "hwmon/a/b/c"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sysfs_probe probe;
        struct err_text why = {0};
        CHECK_ROW(rows[i], sysfs_parse(&probe, rows[i], &why) == ERR_INVALID);
        CHECK_ROW(rows[i], strstr(why.text, "coldchain-agent sensors") != NULL);
    }
}

static struct sensor *open_air(struct folder *root, struct sensor_settings *settings,
                               struct sensor_channel *channel)
{
    struct sensor *sensor = NULL;
    *channel = (struct sensor_channel){.name = air, .gain = 1, .probe = sht};
    *settings = (struct sensor_settings){.name = name,
                                         .driver = driver,
                                         .interval_ms = 10000,
                                         .timeout_ms = 1000,
                                         .root = root->path,
                                         .channels = channel,
                                         .channel_count = 1};
    CHECK(sensor_open(&sensor, settings, WALL_MS, NULL) == ERR_OK);
    return sensor;
}

static void a_chip_that_comes_back_under_another_number(void)
{
    struct folder root;
    struct sensor_settings settings;
    struct sensor_channel channel;
    struct samples samples = {0};
    make_tree(&root);
    struct sensor *sensor = open_air(&root, &settings, &channel);
    CHECK(hardware_until(sensor, &samples, QUALITY_GOOD));
    CHECK(samples.list[0].value == 4.125);
    tree_remove(&root, HWMON "hwmon1");
    CHECK(hardware_until(sensor, &samples, QUALITY_OPEN));
    tree_file(&root, HWMON "hwmon1/name", "other\n");
    tree_file(&root, HWMON "hwmon1/temp1_input", "99000\n");
    tree_file(&root, HWMON "hwmon7/temp1_input", "5000\n");
    tree_file(&root, HWMON "hwmon7/name", "sht3x\n");
    CHECK(hardware_until(sensor, &samples, QUALITY_GOOD));
    CHECK(samples.list[0].value == 5);
    sensor_close(sensor);
    samples_fini(&samples);
    tree_remove(&root, "");
}

static void a_file_that_blocks_costs_a_timeout(void)
{
    struct folder root;
    struct sensor_settings settings;
    struct sensor_channel channel;
    struct samples samples = {0};
    make_tree(&root);
    int fd = tree_fifo(&root, HWMON "hwmon1/temp1_input");
    struct sensor *sensor = open_air(&root, &settings, &channel);
    CHECK(hardware_until(sensor, &samples, QUALITY_TIMEOUT));
    close(fd); /* nobody writes any more: it is empty */
    CHECK(hardware_until(sensor, &samples, QUALITY_FAULT));
    sensor_close(sensor);
    samples_fini(&samples);
    tree_remove(&root, "");
}

static void a_probe_of_another_quantity_is_refused(void)
{
    static char humidity[] = "humidity";
    struct sensor_channel channel = {.name = humidity, .gain = 1, .probe = sht};
    struct sensor_settings settings = {.name = name,
                                       .driver = driver,
                                       .interval_ms = 10000,
                                       .timeout_ms = 1000,
                                       .root = name,
                                       .channels = &channel,
                                       .channel_count = 1};
    struct sensor *sensor;
    struct err_text why = {0};
    CHECK(sensor_open(&sensor, &settings, 0, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "it is measured in Cel and the channel is in %RH") != NULL);
    channel.probe = NULL;
    CHECK(sensor_open(&sensor, &settings, 0, &why) == ERR_INVALID);
}

struct found {
    size_t count;
    size_t good;
    bool has_twin;
};

static void on_found(void *context, const struct sensor_found *one)
{
    struct found *found = context;
    struct sysfs_probe probe;
    found->count++;
    found->good += one->quality == QUALITY_GOOD;
    found->has_twin = found->has_twin || strcmp(one->probe, "hwmon/twin@1-0045/in0") == 0;
    CHECK_ROW(one->probe, sysfs_parse(&probe, one->probe, NULL) == ERR_OK);
}

static void everything_is_listed(void)
{
    struct folder root;
    struct found found = {0};
    make_tree(&root);
    sysfs_list(root.path, &found, on_found);
    CHECK(found.count == 11 && found.good == 10 && found.has_twin);
    tree_remove(&root, "");
    found = (struct found){0};
    sysfs_list("/nonexistent", &found, on_found);
    CHECK(found.count == 0);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"each kind is read in its unit", each_kind_is_read_in_its_unit},
        {"what a file may say", what_a_file_may_say},
        {"probes that are none are refused", probes_that_are_none_are_refused},
        {"a chip that comes back under another number",
         a_chip_that_comes_back_under_another_number},
        {"a file that blocks costs a timeout", a_file_that_blocks_costs_a_timeout},
        {"a probe of another quantity is refused",
         a_probe_of_another_quantity_is_refused},
        {"everything is listed", everything_is_listed},
        CU_TEST_INFO_NULL,
    };
    return check_run("sysfs", tests);
}
