// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/words.h"

#include <assert.h>

#define COOLING_EN \
    { \
        "door, compressor, evaporator fan", "库门、压缩机、蒸发器风机" \
    }
#define CLOSED_TOO_COLD \
    { \
        "set point, thermostat, a valve that stays open, vents in frost", \
            "设定温度、温控器、卡住的阀门、霜冻天气的通风口" \
    }

static const struct words_kind kinds[ALERT_KIND_COUNT] = {
    [ALERT_ABOVE] = {{"${quantity} ${value}, limit ${level} (above), since ${since}",
                      "${quantity} ${value}，高于限值 ${level}，始于 ${since}"},
                     COOLING_EN},
    [ALERT_BELOW] = {{"${quantity} ${value}, limit ${level} (below), since ${since}",
                      "${quantity} ${value}，低于限值 ${level}，始于 ${since}"},
                     CLOSED_TOO_COLD},
    [ALERT_SILENT] = {{"no reading from ${device} ${channel} for ${span}, last at "
                       "${since}${alone}",
                       "${device} ${channel} 已 ${span} 无数据，最后 ${since}${alone}"},
                      {"power and network of the sensor", "传感器电源和网络"}},
    [ALERT_SILENT_DEVICE] = {{"nothing from ${device} for ${span}, last at ${since}",
                              "${device} 已 ${span} 没有任何数据，最后 ${since}"},
                             {"power and network of the device", "设备电源和网络"}},
    [ALERT_CUMULATIVE_ABOVE] = {{"${quantity} at or above ${reference} for ${value} in "
                                 "all, allowed ${level}, used up at ${since}",
                                 "${quantity} 累计 ${value} 不低于 ${reference}，允许 "
                                 "${level}，于 ${since} 用尽"},
                                {"the goods: how warm is their core; then door, "
                                 "compressor, evaporator fan",
                                 "货物中心温度；再查库门、压缩机、蒸发器风机"}},
    [ALERT_CUMULATIVE_BELOW] = {{"${quantity} at or below ${reference} for ${value} in "
                                 "all, allowed ${level}, used up at ${since}",
                                 "${quantity} 累计 ${value} 不高于 ${reference}，允许 "
                                 "${level}，于 ${since} 用尽"},
                                {"the goods for chilling injury; then set point and "
                                 "thermostat",
                                 "货物有无冷害；再查设定温度和温控器"}},
    [ALERT_DOSE_ABOVE] = {{"heat taken up above ${reference}: ${value}, allowed "
                           "${level}, used up at ${since}",
                           "超过 ${reference} 的累计热量 ${value}，允许 ${level}，于 "
                           "${since} 用尽"},
                          {"the goods: how warm is their core; then door, compressor, "
                           "evaporator fan",
                           "货物中心温度；再查库门、压缩机、蒸发器风机"}},
    [ALERT_DOSE_BELOW] = {{"cold taken up below ${reference}: ${value}, allowed "
                           "${level}, used up at ${since}",
                           "低于 ${reference} 的累计冷量 ${value}，允许 ${level}，于 "
                           "${since} 用尽"},
                          {"the goods for chilling injury; then set point and thermostat",
                           "货物有无冷害；再查设定温度和温控器"}},
    [ALERT_RATE] = {{"${quantity} rises by ${value}, allowed ${level}, since ${since}",
                     "${quantity} 上升 ${value}，允许 ${level}，始于 ${since}"},
                    {"door, compressor, warm goods just loaded",
                     "库门、压缩机、是否刚入库热货"}},
    [ALERT_PREDICTED] = {{"${quantity} will be at ${reference} in ${value}, as it goes "
                          "since ${since}",
                          "照此趋势（始于 ${since}），${quantity} 将在 ${value} 后达到 "
                          "${reference}"},
                         {"compressor and evaporator fan now: there is still time; "
                          "prepare another room for the goods",
                          "立即查压缩机和蒸发器风机，尚有时间；准备好转移货物的库房"}},
    [ALERT_STEP] = {{"${quantity} changed by ${value} within ${window}, allowed "
                     "${level}, since ${since}",
                     "${quantity} 在 ${window} 内变化 ${value}，允许 ${level}，始于 "
                     "${since}"},
                    {"door, humidifier, a probe that was moved",
                     "库门、加湿器、探头是否被移动"}},
    [ALERT_STUCK] =
        {{"${device} ${channel} has not moved for ${value}, allowed ${level}, "
          "since ${since}: nobody knows what it is there",
          "${device} ${channel} 已 ${value} 纹丝不动，允许 ${level}，始于 "
          "${since}：实际情况未知"},
         {"the probe and its cable; read another thermometer",
          "探头及其线缆；用另一支温度计核对"}},
    [ALERT_DIVERGE] =
        {{"${device} ${channel} differs from the other probes by "
          "${value}, allowed ${level}, since ${since}",
          "${device} ${channel} 与其他探头相差 ${value}，允许 ${level}，始于 "
          "${since}"},
         {"is the probe wet, iced, in the sun or in the air of the fan; "
          "else its calibration",
          "探头是否受潮、结冰、日晒或正对风机；否则查校准"}},
    [ALERT_IMPLAUSIBLE] = {{"${device} ${channel} says what cannot be (by ${value}), "
                            "since ${since}",
                            "${device} ${channel} 的读数不可能（超出 ${value}），始于 "
                            "${since}"},
                           {"plug, cable and probe; read another thermometer",
                            "插头、线缆、探头；用另一支温度计核对"}},
    [ALERT_COOLING_FAILED] =
        /* Its minutes are weighed: they are not how long it has been so. */
    {{"the cooling has failed: the air has been outside of its usual cycles since "
      "${since}, and no door or defrost explains it",
      "制冷失效：空气温度自 ${since} 起偏离平常循环，且非开门或除霜所致"},
     {"compressor (breaker, pressure, overload), then "
      "evaporator fan, then refrigerant",
      "压缩机（空开、压力、过载），再查蒸发器风机、制冷剂"}},
    [ALERT_DOOR_OPEN] = {{"the door has been open for ${value}, allowed ${level}, since "
                          "${since}",
                          "库门已开 ${value}，允许 ${level}，始于 ${since}"},
                         {"close the door; its seal and its switch",
                          "关门；再查门封和门磁"}},
    [ALERT_DEFROST_LONG] = {{"the defrost has gone on for ${value}, allowed ${level}, "
                             "since ${since}",
                             "除霜已持续 ${value}，允许 ${level}，始于 ${since}"},
                            {"end of defrost: its thermostat, heater relay, timer",
                             "除霜终止：温控、加热继电器、定时器"}},
    [ALERT_DEFROST_OFTEN] = {{"${value} defrosts within ${window}, expected less than "
                              "${level}, since ${since}",
                              "${window} 内除霜 ${value} 次，应少于 ${level} 次，始于 "
                              "${since}"},
                             {"ice on the evaporator: door seal, fan, drain heater",
                              "蒸发器结冰：门封、风机、排水加热"}},
    [ALERT_DEFROST_MISSING] = {{"a defrost is overdue by ${value}, allowed ${level}, "
                                "since ${since}",
                                "除霜已逾期 ${value}，允许 ${level}，始于 ${since}"},
                               {"defrost timer and heater; ice on the evaporator",
                                "除霜定时器和加热器；蒸发器是否结冰"}},
    [ALERT_NO_RECOVERY] =
        {{"${quantity} is still beyond ${reference} ${value} after "
          "the door was closed or the defrost ended, allowed ${level}, since ${since}",
          "开门或除霜结束 ${value} 后，${quantity} 仍超过 ${reference}，允许 "
          "${level}，始于 ${since}"},
         {"is the door really shut; compressor, evaporator fan, ice",
          "门是否关严；压缩机、蒸发器风机、结冰"}},
    [ALERT_CYCLING] = {{"the compressor starts ${value} (at most ${level}), since "
                        "${since}",
                        "压缩机启动 ${value}（上限 ${level}），始于 ${since}"},
                       {"pressure switches, thermostat's difference, refrigerant",
                        "压力开关、温控回差、制冷剂"}},
    [ALERT_MAINS_LOST] = {{"no mains for ${value}, since ${since}",
                           "停电已 ${value}，始于 ${since}"},
                          {"breakers and the supplier; start the generator, keep doors "
                           "shut",
                           "空开和供电部门；启动发电机，保持关门"}},
    [ALERT_LIFE_LEFT] =
        {{"life left ${value}${life}; warned of at ${level}, since ${since}",
          "剩余寿命 ${value}${life}；提醒值 ${level}，始于 ${since}"},
         {"sell or move these goods first; then how warm or cold it has been",
          "先出库或处理该批货物；再查近期温度"}},
    [ALERT_GOODS_LEFT] =
        {{"signs of goods though it is off duty as empty: ${quantity} "
          "for ${value}, since ${since}",
          "已登记停用（空库），但有货物迹象：${quantity}，已 ${value}，始于 ${since}"},
         {"whether goods were left behind: if so put it on duty "
          "(zone.duty), if not correct what is recorded as standing in it",
          "是否有货物遗留：如有，请用 zone.duty 启用库区；如无，请更正库内品种登记"}},
};

static const char *const phrases[WORDS_PHRASES][2] = {
    [WORDS_HEAD] = {"[${severity}] ${zone}: ", "【${severity}】${zone}："},
    [WORDS_CHECK] = {". Check first: ", "。先查："},
    [WORDS_OVER] = {"; over after ${span}", "；已恢复，持续 ${span}"},
    [WORDS_WITHDRAWN] = {"; withdrawn: ${device} was not in this zone then",
                         "；已撤销：当时 ${device} 不在此库区"},
    [WORDS_WARNING] = {"warning", "警告"},
    [WORDS_CRITICAL] = {"critical", "严重"},
    [WORDS_DIGEST] = {"[${severity}] ${count} messages:",
                      "【${severity}】${count} 条消息："},
    [WORDS_ALONE] = {"; the rest of the device was heard", "；设备其余部分有数据传来"},
    [WORDS_ALONE_CHECK] = {"plug, cable and probe", "插头、线缆、探头"},
    [WORDS_WORST] = {" (worst ${worst})", "（最差 ${worst}）"},
    [WORDS_CAUSE] = {". Same cause as: ", "。与此同因："},
    [WORDS_LAST] = {". Ended last: ", "。最后结束的是："},
    [WORDS_THERE] = {"${zone}: ", "${zone}："},
    [WORDS_HARM_COMES] = {". If the air stays at ${air}, the goods reach ${limit} in "
                          "${minutes}",
                          "。若空气保持 ${air}，货物将在 ${minutes} 后达到 ${limit}"},
    [WORDS_HARM_ASSUMED] = {". If the air stays at ${air}, the goods reach ${limit} in "
                            "${soonest} to ${latest} (tau ${tau} assumed)",
                            "。若空气保持 ${air}，货物将在 ${soonest} 至 ${latest} "
                            "后达到 ${limit}（时间常数按 ${tau} 估计）"},
    [WORDS_HARM_STAYS_WARM] = {". While the air stays at ${air}, the goods stay below "
                               "${limit}",
                               "。空气保持 ${air} 时，货物不会升到 ${limit}"},
    [WORDS_HARM_STAYS_COLD] = {". While the air stays at ${air}, the goods stay above "
                               "${limit}",
                               "。空气保持 ${air} 时，货物不会降到 ${limit}"},
    [WORDS_HARM_THERE] =
        {". The goods are out of their band: ${goods}, limit ${limit}, "
         "air ${air}",
         "。货物已超出温度带：货温 ${goods}，限值 ${limit}，空气 ${air}"},
    [WORDS_HARM_UNSAID] = {". The air is at ${air}", "。空气温度 ${air}"},
    [WORDS_HARM_AS_OF] = {" (as of ${at})", "（截至 ${at}）"},
    [WORDS_HARM_GOODS] = {". Goods ${goods}", "。货温 ${goods}"},
    [WORDS_HARM_BAND] = {", band ${band}", "，温度带 ${band}"},
    [WORDS_RANGE] = {"${low} to ${high}", "${low} 至 ${high}"},
    [WORDS_AT_MOST] = {"at most ${high}", "不高于 ${high}"},
    [WORDS_AT_LEAST] = {"at least ${low}", "不低于 ${low}"},
    [WORDS_NOW] = {"now", "现在"},
    [WORDS_ACK] = {"Acknowledge: ${link}", "点此确认：${link}"},
    [WORDS_TEST] = {"[test] ${channel}: this is a test by ${by}; nothing is wrong",
                    "【测试】${channel}：${by} 发出的测试消息，一切正常"},
};

const struct words_kind *words_of_kind(enum alert_kind kind)
{
    assert((size_t)kind < ALERT_KIND_COUNT && kinds[kind].what[0] != NULL);
    return &kinds[kind];
}

const char *words(enum words_phrase phrase, enum words_language language)
{
    return phrases[phrase][language];
}

void words_say(enum words_phrase phrase, enum words_language language,
               const struct template_value *values, size_t count, struct buf *out)
{
    enum err err =
        template_fill(words(phrase, language), TEMPLATE_AS_IS, values, count, out, NULL);
    assert(err == ERR_OK); /* the unit test fills every text there is */
    (void)err;
}
