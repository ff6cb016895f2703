// SPDX-License-Identifier: Apache-2.0
#include "telemetry/unit.h"

#include <math.h>

#include "telemetry/quantity.h"
#include "tests/support/check.h"

static void values_change_units(void)
{
    static const struct {
        const char *name;
        const char *from;
        const char *to;
        double value;
        double want;
    } rows[] = {
        {"nothing to do", "Cel", "Cel", 2.3, 2.3},
        {"a secondary unit to itself", "hPa", "hPa", 1013.25, 1013.25},
        {"the example of RFC 8798: ms", "ms", "s", 100, 0.1},
        {"the example of RFC 8798: dBm", "dBm", "dBW", 10, -20},
        {"back to dBm", "dBW", "dBm", -20, 10},
        {"millivolts", "mV", "V", 230, 0.23},
        {"hectopascals", "hPa", "Pa", 1013.25, 101325},
        {"pascals", "Pa", "hPa", 101325, 1013.25},
        {"kilometres an hour", "km/h", "m/s", 36, 10},
        {"metres a second", "m/s", "km/h", 10, 36},
        {"percent", "/100", "/", 21, 0.21},
        {"permille to percent", "/1000", "/100", 35, 3.5},
        {"ppm to percent", "ppm", "/100", 5000, 0.5},
        {"ppb to ppm", "ppb", "ppm", 400, 0.4},
        {"% is unity", "%", "/", 0.5, 0.5},
        {"kelvin", "K", "Cel", 273.15, 0},
        {"to kelvin", "Cel", "K", 0, 273.15},
        {"kilowatt hours", "kWh", "J", 1, 3.6e6},
        {"watt hours to kilowatt hours", "Wh", "kWh", 1500, 1.5},
        {"hours to minutes", "h", "min", 2, 120},
        {"grams", "g", "kg", 250, 0.25},
        {"Wh/km", "Wh/km", "J/m", 10, 36},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct unit_change change = {0};
        CHECK_ROW(rows[i].name, unit_change_find(&change, rows[i].from, rows[i].to));
        CHECK_ROW(rows[i].name, unit_apply(&change, rows[i].value) == rows[i].want);
    }
}

static void what_does_not_fit_is_refused(void)
{
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {{"C", "Cel"},  {"degC", "Cel"}, {"Cel", "degC"}, {"", "Cel"},
                {"Cel", ""},   {"%", "%RH"},    {"lat", "lon"},  {"mv", "V"},
                {"dB", "dBm"}, {"EL", "%EL"},   {"V", "A"},      {"s", "m"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct unit_change change = {.multiply = 7, .divide = 7, .offset = 7};
        CHECK_ROW(rows[i].from, !unit_change_find(&change, rows[i].from, rows[i].to));
        CHECK_ROW(rows[i].from, change.multiply == 7 && change.offset == 7);
    }
}

static void primary_and_secondary(void)
{
    CHECK_TEXT(unit_primary("mV"), "V");
    CHECK_TEXT(unit_primary("V"), "V");
    CHECK_TEXT(unit_primary("K"), "Cel");
    CHECK(unit_primary("furlong") == NULL && unit_primary("") == NULL);
    CHECK(unit_is_secondary("mV") && unit_is_secondary("/100"));
    CHECK(!unit_is_secondary("V") && !unit_is_secondary("%") && !unit_is_secondary("K"));
    CHECK(!unit_is_secondary("furlong"));
}

/* A unit that nothing changes to could never be read from another maker's pack. */
static void the_units_of_the_registry_are_known(void)
{
    for (size_t i = 0; i < quantity_count(); i++) {
        const char *unit = quantity_at(i)->senml_unit;
        const char *primary = unit_primary(unit);
        struct unit_change there;
        struct unit_change back;
        CHECK_ROW(unit, primary != NULL);
        if (primary == NULL)
            continue;
        CHECK_ROW(unit, unit_change_find(&there, unit, primary) &&
                            unit_change_find(&back, primary, unit));
        double returned = unit_apply(&back, unit_apply(&there, 12.5));
        CHECK_ROW(unit, fabs(returned - 12.5) < 1e-9);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"values change units", values_change_units},
        {"what does not fit is refused", what_does_not_fit_is_refused},
        {"primary and secondary", primary_and_secondary},
        {"the units of the registry are known", the_units_of_the_registry_are_known},
        CU_TEST_INFO_NULL,
    };
    return check_run("unit", tests);
}
