// SPDX-License-Identifier: Apache-2.0
/* What is looked at first fits what is measured, and the way it went. */
#include "collector/notify/checks.h"

#include "telemetry/quantity.h"
#include "tests/support/check.h"

static struct incident make_incident(enum alert_kind kind, const char *quantity)
{
    struct incident incident = {.kind = kind};
    snprintf(incident.quantity, sizeof incident.quantity, "%s", quantity);
    return incident;
}

static void a_check_fits_what_is_measured(void)
{
    static const struct {
        enum alert_kind kind;
        const char *quantity;
        const char *en; /* a part of it */
        const char *zh;
    } rows[] = {
        {ALERT_ABOVE, "air_temperature", "door, compressor", "压缩机"},
        {ALERT_BELOW, "product_temperature", "set point, thermostat", "温控器"},
        {ALERT_BELOW, "battery", "charger and its cable", "充电器"},
        {ALERT_PREDICTED, "battery", "charger and its cable", "充电器"},
        {ALERT_ABOVE, "battery", "the sensor, and what", "传感器"},
        {ALERT_BELOW, "humidity", "humidifier and its water", "加湿器及其供水"},
        {ALERT_CUMULATIVE_BELOW, "humidity", "humidifier and its water", "加湿器"},
        {ALERT_ABOVE, "humidity", "defrost and its drain", "除霜及排水"},
        {ALERT_RATE, "humidity", "defrost and its drain", "除霜及排水"},
        {ALERT_STEP, "humidity", "a probe that was moved", "探头是否被移动"},
        {ALERT_PREDICTED, "humidity", "the sensor, and what", "传感器"},
        {ALERT_BELOW, "vpd", "defrost and its drain", "除霜及排水"},
        {ALERT_ABOVE, "co2", "do not go in before it is aired", "通风前勿进入"},
        {ALERT_BELOW, "o2", "do not go in before it is aired", "通风前勿进入"},
        {ALERT_ABOVE, "ammonia", "get people out", "人员撤离"},
        {ALERT_BELOW, "ammonia", "the sensor, and what", "传感器"},
        {ALERT_ABOVE, "pressure", "the sensor, and what", "传感器"},
        {ALERT_STEP, "voltage", "the sensor, and what", "传感器"},
        {ALERT_STEP, "set_point", "who set it", "谁改了设定"},
        {ALERT_STEP, "air_temperature", "a probe that was moved", "探头是否被移动"},
        {ALERT_BELOW, "of-another-house", "the sensor, and what", "传感器"},
        {ALERT_ABOVE, "evaporator_temperature", "door, compressor", "压缩机"},
        {ALERT_STUCK, "humidity", "the probe and its cable", "线缆"},
        {ALERT_DOSE_ABOVE, "product_temperature", "how warm is their core", "中心温度"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct incident incident = make_incident(rows[i].kind, rows[i].quantity);
        const char *en = check_of(&incident, WORDS_EN);
        const char *zh = check_of(&incident, WORDS_ZH);
        CHECK_ROW(rows[i].quantity, strstr(en, rows[i].en) != NULL);
        CHECK_ROW(rows[i].quantity, strstr(zh, rows[i].zh) != NULL);
    }
}

static void what_is_predicted_to_freeze_needs_no_compressor(void)
{
    struct incident incident = make_incident(ALERT_PREDICTED, "air_temperature");
    CHECK(strstr(check_of(&incident, WORDS_EN), "compressor") != NULL);
    incident.harm.is_cold = true;
    CHECK(strstr(check_of(&incident, WORDS_EN), "set point, thermostat") != NULL);
    CHECK(strstr(check_of(&incident, WORDS_ZH), "压缩机") == NULL);
}

/* Of nothing but temperatures is the kind's own check said. */
static void no_other_quantity_is_told_of_its_cooling(void)
{
    static const enum alert_kind kinds[] = {ALERT_ABOVE, ALERT_BELOW, ALERT_RATE,
                                            ALERT_CUMULATIVE_ABOVE};
    size_t others = 0;
    for (size_t i = 0; i < quantity_count(); i++) {
        const struct quantity *quantity = quantity_at(i);
        bool is_temperature = strcmp(quantity->senml_unit, "Cel") == 0;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            const struct incident incident = make_incident(kinds[k], quantity->name);
            const char *en = check_of(&incident, WORDS_EN);
            const char *zh = check_of(&incident, WORDS_ZH);
            CHECK_ROW(quantity->name, en[0] != '\0' && zh[0] != '\0');
            if (is_temperature)
                continue;
            others++;
            CHECK_ROW(quantity->name,
                      strcmp(en, words_of_kind(kinds[k])->check[WORDS_EN]) != 0);
            CHECK_ROW(quantity->name,
                      strcmp(zh, words_of_kind(kinds[k])->check[WORDS_ZH]) != 0);
        }
    }
    CHECK(others > 100);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a check fits what is measured", a_check_fits_what_is_measured},
        {"what is predicted to freeze needs no compressor",
         what_is_predicted_to_freeze_needs_no_compressor},
        {"no other quantity is told of its cooling",
         no_other_quantity_is_told_of_its_cooling},
        CU_TEST_INFO_NULL,
    };
    return check_run("checks", tests);
}
