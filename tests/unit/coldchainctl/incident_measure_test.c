// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/incident_measure.h"

#include <stdlib.h>

#include "tests/support/check.h"

static void a_measure_has_its_unit_and_no_dozen_digits(void)
{
    static const struct {
        const char *json;
        const char *text;
    } rows[] = {
        {"{\"kind\":\"door_open\",\"quantity\":\"door\",\"value\":39.833333333333336}",
         "39.83 min"},
        {"{\"kind\":\"above\",\"quantity\":\"air_temperature\",\"value\":8.1}", "8.1 °C"},
        {"{\"kind\":\"rate\",\"quantity\":\"air_temperature\",\"value\":6}", "6 K/h"},
        {"{\"kind\":\"dose_above\",\"quantity\":\"air_temperature\",\"value\":60.04}",
         "60.04 K min"},
        {"{\"kind\":\"above\",\"quantity\":\"humidity\",\"value\":91.25}", "91.25 %RH"},
        {"{\"kind\":\"silent\",\"quantity\":\"door\",\"value\":1200}", "20 min"},
        {"{\"kind\":\"life_left\",\"quantity\":\"product_temperature\",\"value\":18.123}",
         "18.12 %"},
        {"{\"kind\":\"fork\",\"value\":3}", "3"},
        {"{\"kind\":\"of tomorrow\",\"quantity\":\"door\",\"value\":1.5}", "1.5"},
        {"{\"kind\":\"above\",\"quantity\":\"mine\",\"value\":1.5}", "1.5"},
        {"{\"kind\":\"above\",\"quantity\":\"humidity\",\"value\":null}", "-"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *incident = json_loads(rows[i].json, 0, NULL);
        char text[SHOW_SIZE];
        CHECK_TEXT(incident_measure(text, incident, "value"), rows[i].text);
        json_decref(incident);
    }
}

static void a_quantity_is_named_as_people_do(void)
{
    json_t *incident = json_pack("{s:s}", "quantity", "air_temperature");
    setenv("COLDCHAIN_LANG", "en", 1);
    CHECK_TEXT(incident_quantity(incident), "air temperature");
    json_object_set_new(incident, "quantity", json_string("mine"));
    CHECK_TEXT(incident_quantity(incident), "mine");
    json_object_del(incident, "quantity");
    CHECK_TEXT(incident_quantity(incident), "-");
    json_decref(incident);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a measure has its unit and no dozen digits",
         a_measure_has_its_unit_and_no_dozen_digits},
        {"a quantity is named as people do", a_quantity_is_named_as_people_do},
        CU_TEST_INFO_NULL,
    };
    return check_run("incident_measure", tests);
}
