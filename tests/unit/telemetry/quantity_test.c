// SPDX-License-Identifier: Apache-2.0
#include "telemetry/quantity.h"

#include <math.h>

#include "telemetry/reading.h"
#include "tests/support/check.h"

static void every_quantity_is_whole_and_found_by_its_name(void)
{
    CHECK(quantity_count() > 30);
    for (size_t i = 0; i < quantity_count(); i++) {
        const struct quantity *quantity = quantity_at(i);
        CHECK_ROW(quantity->name, id_is_valid(quantity->name));
        /* a dash would be taken for the start of a probe */
        CHECK_ROW(quantity->name, strchr(quantity->name, '-') == NULL);
        CHECK_ROW(quantity->name, quantity_find(quantity->name) == (int)i);
        CHECK_ROW(quantity->name, quantity->lowest < quantity->highest);
        CHECK_ROW(quantity->name, quantity->senml_unit[0] != '\0');
        CHECK_ROW(quantity->name, quantity->about_en[0] != '\0');
        CHECK_ROW(quantity->name, (unsigned char)quantity->about_zh[0] >= 0x80 ||
                                      strstr(quantity->about_zh, "CO") != NULL);
    }
}

static void what_is_not_registered_is_not_found(void)
{
    static const char *const rows[] = {"", "air", "air_temperature-2", "AIR_TEMPERATURE",
                                       "air_temperature2"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i], quantity_find(rows[i]) == -1);
}

static void plausible_values(void)
{
    static const struct {
        const char *name;
        const char *quantity;
        double value;
        bool want;
    } rows[] = {
        {"a cold room", "air_temperature", 2.5, true},
        {"deep frozen", "air_temperature", -35, true},
        {"lowest is inside", "air_temperature", -60, true},
        {"highest is inside", "air_temperature", 80, true},
        {"a probe that is missing", "air_temperature", 327.67, false},
        {"power-on value of a DS18B20", "air_temperature", 85, false},
        {"a broken DS18B20", "air_temperature", -127, false},
        {"not a number", "air_temperature", NAN, false},
        {"endless", "air_temperature", INFINITY, false},
        {"saturated air", "humidity", 100, true},
        {"beyond saturated", "humidity", 100.1, false},
        {"door", "door", 1, true},
        {"half a defrost", "defrost", 0.5, true},
        {"door 2", "door", 2, false},
        {"a longitude in China", "longitude", 109.5, true},
        {"past the pole", "latitude", 90.5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int at = quantity_find(rows[i].quantity);
        CHECK_ROW(rows[i].name, at >= 0);
        CHECK_ROW(rows[i].name,
                  at >= 0 && quantity_is_plausible(quantity_at((size_t)at),
                                                   rows[i].value) == rows[i].want);
    }
}

static void the_design_names_are_registered(void)
{
    static const char *const rows[] = {
        "air_temperature",
        "product_temperature",
        "supply_temperature",
        "return_temperature",
        "set_point",
        "humidity",
        "door",
        "defrost",
        "compressor",
        "current",
        "mains",
        "battery",
        "co2",
        "o2",
        "ethylene",
        "ambient_temperature",
        "battery_voltage",
        "latitude",
        "longitude",
        "speed",
        "signal_strength",
        "pressure",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i], quantity_find(rows[i]) >= 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every quantity is whole and found by its name",
         every_quantity_is_whole_and_found_by_its_name},
        {"what is not registered is not found", what_is_not_registered_is_not_found},
        {"plausible values", plausible_values},
        {"the quantities of the design are registered", the_design_names_are_registered},
        CU_TEST_INFO_NULL,
    };
    return check_run("quantity", tests);
}
