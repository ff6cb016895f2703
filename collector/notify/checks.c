// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/checks.h"

#include <jansson.h>
#include <string.h>

#include "telemetry/quantity.h"

#define MOIST \
    { \
        "door, defrost and its drain, humidifier, water on the floor or the goods", \
            "库门、除霜及排水、加湿器、地面或货物积水" \
    }
#define DRY \
    { \
        "humidifier and its water, door, an evaporator much colder than the air", \
            "加湿器及其供水、库门、蒸发器温差过大" \
    }
#define EMPTY_BATTERY \
    { \
        "charger and its cable, mains; else change the battery", \
            "充电器及线缆、市电；否则更换电池" \
    }
#define LABOURS \
    { \
        "a compressor that labours (condenser, refrigerant), a heater that stays on", \
            "压缩机负荷过大（冷凝器、制冷剂）、加热器未断开" \
    }
#define STANDS_STILL \
    { \
        "breaker, overload, and whether somebody switched it off", \
            "空开、过载保护、是否被人关闭" \
    }
#define NO_SIGNAL \
    { \
        "antenna, where the device stands, gateway", "天线、设备位置、网关" \
    }
#define WAS_SET \
    { \
        "who set it, and whether it is meant", "谁改了设定、是否有意" \
    }
#define FELL_OVER \
    { \
        "the goods: did they fall over", "货物是否倾倒" \
    }

/* Where people may come to harm, that stands first. NULL: as for what is not here. */
static const struct check {
    const char *quantity;
    const char *above[2]; /* by language */
    const char *below[2];
} checks[] = {
    {"set_point", WAS_SET, WAS_SET},
    {"ambient_temperature",
     {"condenser: clean, in the shade, its fan running; keep doors shut",
      "冷凝器是否干净、遮阴、风机运转；保持关门"},
     {"frost on drains and pipes, the condenser in winter",
      "排水和管路是否结冻、冷凝器冬季运行"}},
    {"evaporator_temperature",
     {NULL, NULL},
     {"ice on the evaporator, its fan, refrigerant", "蒸发器结冰、风机、制冷剂"}},
    {"device_temperature",
     {"sun or heat on the device, its ventilation", "设备是否日晒、受热、通风不良"},
     {"whether the device itself stands in the cold; its battery",
      "设备本身是否在低温中；其电池"}},
    {"humidity", MOIST, DRY},
    {"dew_point", MOIST, DRY},
    {"vpd", DRY, MOIST},
    {"condensation_margin",
     {NULL, NULL},
     {"whether the goods are wet; door, moist air, goods colder than the air",
      "货物是否结露；库门、潮湿空气、货温低于空气"}},
    {"co2",
     {"do not go in before it is aired; then ventilation, scrubber, engines",
      "通风前勿进入；再查新风、二氧化碳脱除机、内燃设备"},
     {"door and seals, a scrubber that runs too long", "库门和密封、脱除机运行过久"}},
    {"o2",
     {"door and seals, nitrogen generator", "库门和密封、制氮机"},
     {"do not go in before it is aired: nobody can breathe there; then fresh air, "
      "nitrogen generator",
      "通风前勿进入，有窒息危险；再查新风、制氮机"}},
    {"ethylene",
     {"ripe or rotten goods, ventilation, ethylene filter",
      "成熟或腐烂的货物、新风、乙烯过滤器"},
     {"ethylene generator and its supply, door", "乙烯发生器及气源、库门"}},
    {"ammonia",
     {"get people out and stay out: refrigerant may leak; then who services the plant",
      "人员撤离、勿进入：制冷剂可能泄漏；再通知制冷维保"},
     {NULL, NULL}},
    {"battery", {NULL, NULL}, EMPTY_BATTERY},
    {"battery_voltage",
     {"the charger: it gives too much", "充电器电压是否过高"},
     EMPTY_BATTERY},
    {"fuel", {NULL, NULL}, {"refuel; a leak", "加油；是否泄漏"}},
    {"voltage",
     {"switch off what it may damage; then the supplier",
      "关闭可能受损的设备；再通知供电部门"},
     {"breakers, a phase that is missing, the supplier", "空开、是否缺相、供电部门"}},
    {"current", LABOURS, STANDS_STILL},
    {"power", LABOURS, STANDS_STILL},
    {"light", {"door, a lamp left on", "库门、灯未关"}, {"the lamp", "照明灯"}},
    {"signal_strength", {NULL, NULL}, NO_SIGNAL},
    {"signal_noise", {NULL, NULL}, NO_SIGNAL},
    {"speed", {"the driver", "司机"}, {NULL, NULL}},
    {"shock", {"the goods, and how they are stowed", "货物及其装载固定"}, {NULL, NULL}},
    {"tilt", FELL_OVER, FELL_OVER},
    {"door",
     {"close the door; its seal and its switch", "关门；再查门封和门磁"},
     {NULL, NULL}},
    {"compressor", {NULL, NULL}, STANDS_STILL},
    {"fan", {NULL, NULL}, STANDS_STILL},
    {"unit_power", {NULL, NULL}, STANDS_STILL},
    {"unit_alarm",
     {"the refrigeration unit's own display: which alarm it is",
      "制冷机组面板：是哪个报警"},
     {NULL, NULL}},
    {"mains",
     {NULL, NULL},
     {"breakers and the supplier; start the generator, keep doors shut",
      "空开和供电部门；启动发电机，保持关门"}},
    {"tamper", {"who opened the case", "谁打开了外壳"}, {NULL, NULL}},
};

static const char *const any_sensor[2] = {"the sensor, and what it measures",
                                          "传感器及其所测对象"};

static const struct check *row_of(const char *quantity)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (strcmp(checks[i].quantity, quantity) == 0)
            return &checks[i];
    return NULL;
}

enum way { NO_WAY, UP, DOWN, EITHER_WAY };

static enum way way_of(const struct incident *incident)
{
    switch (incident->kind) {
    case ALERT_ABOVE:
    case ALERT_CUMULATIVE_ABOVE:
    case ALERT_DOSE_ABOVE:
    case ALERT_RATE:
        return UP;
    case ALERT_BELOW:
    case ALERT_CUMULATIVE_BELOW:
    case ALERT_DOSE_BELOW:
        return DOWN;
    case ALERT_PREDICTED:
        return incident->harm.is_cold ? DOWN : EITHER_WAY;
    case ALERT_STEP:
        return EITHER_WAY;
    default:
        return NO_WAY;
    }
}

static bool is_in(const char *quantity, const char *senml_unit)
{
    int index = quantity_find(quantity);
    return index >= 0 && strcmp(quantity_at((size_t)index)->senml_unit, senml_unit) == 0;
}

/* NULL: nothing of its own is known of that. */
static const char *check_for(const struct check *row, enum way way,
                             enum words_language language)
{
    if (row == NULL)
        return NULL;
    const char *above = row->above[language];
    const char *below = row->below[language];
    if (way != EITHER_WAY)
        return way == UP ? above : below;
    if (above == NULL || below == NULL)
        return above != NULL ? above : below;
    return strcmp(above, below) == 0 ? above : NULL;
}

bool check_is_alone(const struct incident *incident)
{
    if (incident->kind != ALERT_SILENT)
        return false;
    json_t *rule = json_loads(incident->snapshot, 0, NULL);
    const json_t *unless = json_object_get(rule, "unless");
    bool is_alone = false;
    for (size_t i = 0; i < json_array_size(unless); i++) {
        const char *reason = json_string_value(json_array_get(unless, i));
        is_alone |= strcmp(reason != NULL ? reason : "",
                           alert_reason_name(ALERT_REASON_DEVICE_SILENT)) == 0;
    }
    json_decref(rule);
    return is_alone;
}

const char *check_of(const struct incident *incident, enum words_language language)
{
    enum alert_kind kind = incident->kind;
    if (check_is_alone(incident))
        return words(WORDS_ALONE_CHECK, language);
    enum way way = way_of(incident);
    const char *quantity = incident->quantity;
    if (way == NO_WAY || (kind == ALERT_STEP && is_in(quantity, "%RH")))
        return words_of_kind(kind)->check[language];
    const char *found = check_for(row_of(quantity), way, language);
    if (found != NULL)
        return found;
    if (!is_in(quantity, "Cel"))
        return any_sensor[language];
    bool will_be_cold = kind == ALERT_PREDICTED && way == DOWN;
    return words_of_kind(will_be_cold ? ALERT_BELOW : kind)->check[language];
}
