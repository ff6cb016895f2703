// SPDX-License-Identifier: Apache-2.0
/*
 * verbs - everything that can be changed, in plain sight.
 */
#include "alerts/rule.h"
#include "alerts/zones.h"
#include "collector/command/internal.h"

#define END \
    { \
        .name = NULL \
    }

static const char *const tiers[] = {
    "village_point", "township_outlet", "county_centre", "hub",
    "vehicle",       "container",       "port",          NULL};
static const char *const off_duty_words[] = {
    "empty", "pre-cooling", "ventilating", "curing", "repair", "other", NULL};
static const char *const severities[] = {"warning", "critical", NULL};

#define DAY_MS 86400000.0

static const struct field org_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "identifier", .help_zh = "标识"},
    {"name", FIELD_TEXT, .help = "for people", .help_zh = "名称"},
    END,
};

static const struct field division_fields[] = {
    {"from", FIELD_TIME, FIELD_ALWAYS, .help = "since when", .help_zh = "起始时间"},
    {"code", FIELD_TEXT, FIELD_ALWAYS, .most = 12,
     .help = "statistical code, 12 digits (GB/T 2260, GB/T 10114)",
     .help_zh = "12 位统计用区划代码"},
    {"name", FIELD_TEXT, .help = "of the division then", .help_zh = "当时的区划名称"},
    END,
};

static const struct field plate_fields[] = {
    {"from", FIELD_TIME, FIELD_ALWAYS, .help = "since when", .help_zh = "起始时间"},
    {"plate", FIELD_TEXT, FIELD_ALWAYS, .most = 32, .help = "number plate",
     .help_zh = "车牌号"},
    {"lessor", FIELD_TEXT, .help = "who leases the vehicle out", .help_zh = "出租方"},
    END,
};

static const struct field site_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "identifier", .help_zh = "标识"},
    {"org", FIELD_ID, FIELD_NEW, .help = "whose it is", .help_zh = "所属单位"},
    {"name", FIELD_TEXT, .help = "for people", .help_zh = "名称"},
    {"tier", FIELD_WORD, .words = tiers, .help = "what it is in the chain",
     .help_zh = "在冷链中的层级"},
    {"time_zone", FIELD_NAME, .help = "such as Asia/Shanghai", .help_zh = "时区"},
    {"divisions", FIELD_RECORDS, .record = division_fields,
     .help = "the administrative divisions it lay in, by time",
     .help_zh = "历次行政区划"},
    {"plates", FIELD_RECORDS, .record = plate_fields,
     .help = "a vehicle's plates and lessors, by time", .help_zh = "历次车牌与出租方"},
    {"external_ids", FIELD_TEXTS, .help = "what others call it", .help_zh = "外部标识"},
    {"archived", FIELD_BOOL, .help = "no longer in use", .help_zh = "已归档"},
    END,
};

static const struct field archive_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "identifier", .help_zh = "标识"},
    {"archived", FIELD_BOOL, .help = "false brings it back; true when absent",
     .help_zh = "填 false 表示恢复使用"},
    END,
};

static const struct field vehicle_plate_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the vehicle: a site", .help_zh = "车辆"},
    {"plate", FIELD_TEXT, FIELD_ALWAYS, .most = 32, .help = "its new number plate",
     .help_zh = "新车牌号"},
    {"lessor", FIELD_TEXT, .help = "who leases it out", .help_zh = "出租方"},
    {"from", FIELD_TIME, .help = "since when; now when absent", .help_zh = "起始时间"},
    END,
};

static const struct field step_fields[] = {
    {"from", FIELD_TIME, FIELD_ALWAYS, .help = "since when", .help_zh = "起始时间"},
    {"to", FIELD_TIME, FIELD_ALWAYS, .help = "until when, exclusive",
     .help_zh = "结束时间"},
    {"band_low", FIELD_NUMBER, .least = -100, .most = 100,
     .help = "lowest air temperature that is in order meanwhile",
     .help_zh = "其间温度下限"},
    {"band_high", FIELD_NUMBER, .least = -100, .most = 100,
     .help = "highest air temperature that is in order meanwhile",
     .help_zh = "其间温度上限"},
    {"goods", FIELD_IDS,
     .help = "profiles that it is planned for; absent: all in the zone",
     .help_zh = "计划共用此阶段的品种档案;不填表示库区内全部"},
    {"why", FIELD_TEXT, .help = "such as curing", .help_zh = "事由"},
    END,
};

static const struct field maintenance_fields[] = {
    {"from", FIELD_TIME, FIELD_ALWAYS, .help = "since when", .help_zh = "起始时间"},
    {"to", FIELD_TIME, FIELD_ALWAYS, .help = "until when, exclusive",
     .help_zh = "结束时间"},
    {"why", FIELD_TEXT, .help = "what is done", .help_zh = "事由"},
    END,
};

static const struct field load_fields[] = {
    {"from", FIELD_TIME, FIELD_ALWAYS, .help = "when it came in", .help_zh = "入库时间"},
    {"entry_c", FIELD_NUMBER, FIELD_ALWAYS, .least = -100, .most = 100,
     .help = "how warm the goods were then, in degree Celsius",
     .help_zh = "入库时货温(摄氏度)"},
    {"goods", FIELD_ID, .help = "profile of what came in; see zone.load",
     .help_zh = "入库品种档案,见 zone.load"},
    {"why", FIELD_TEXT, .help = "what came in", .help_zh = "货物说明"},
    END,
};

static const struct field zone_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "identifier, unique in the house",
     .help_zh = "标识"},
    {"site", FIELD_ID, FIELD_NEW, .help = "the place it is in", .help_zh = "所在场所"},
    {"name", FIELD_TEXT, .help = "for people", .help_zh = "名称"},
    {"band_low", FIELD_NUMBER, .least = -100, .most = 100,
     .help = "lowest air temperature that is in order, in degree Celsius",
     .help_zh = "温度下限(摄氏度)"},
    {"band_high", FIELD_NUMBER, .least = -100, .most = 100,
     .help = "highest air temperature that is in order, in degree Celsius",
     .help_zh = "温度上限(摄氏度)"},
    {"off_duty", FIELD_WORD, .words = off_duty_words,
     .help = "why only safety is judged there; absent: it is on duty",
     .help_zh = "停用原因;不填表示在用"},
    {"goods", FIELD_IDS,
     .help = "profiles of the produce in it: its band is what all of them bear",
     .help_zh = "库内品种档案;库区温度带取其交集"},
    {"tau", FIELD_DURATION, .least = 60000, .most = 30 * DAY_MS,
     .help = "how fast its goods follow the air: the time for 63 % of a step",
     .help_zh = "货物随空气温度变化的时间常数"},
    {"defrost_every", FIELD_DURATION, .least = 600000, .most = 30 * DAY_MS,
     .help = "its defrosts' schedule", .help_zh = "除霜周期"},
    {"defrost_at", FIELD_TIME, .help = "any one beginning of that schedule",
     .help_zh = "任一次除霜的开始时间"},
    {"defrost_most", FIELD_DURATION, .least = 60000, .most = 6 * 3600000.0,
     .help = "how long one takes at most; 45 min when absent",
     .help_zh = "一次除霜最长时间"},
    {"door_most", FIELD_DURATION, .least = 60000, .most = 6 * 3600000.0,
     .help = "how long a door without a signal may be open; 15 min when absent",
     .help_zh = "无门信号时允许的开门时间"},
    {"recovery_most", FIELD_DURATION, .least = 60000, .most = 24 * 3600000.0,
     .help = "how long after a door or a defrost the air may take to be back",
     .help_zh = "开门或除霜后恢复的最长时间"},
    {"start_most", FIELD_DURATION, .most = 24 * 3600000.0,
     .help = "how long the reason start holds once it goes on duty: a trip or a load "
             "begins; 2 h when absent",
     .help_zh = "启用(行程或入库开始)后 start 情形持续的时间;不填为 2 小时"},
    {"steps", FIELD_RECORDS, .most = ZONE_SPANS_MAX, .record = step_fields,
     .help = "planned set-point steps, see zone.plan_step",
     .help_zh = "计划的设定温度阶段"},
    {"maintenance", FIELD_RECORDS, .most = ZONE_SPANS_MAX, .record = maintenance_fields,
     .help = "see zone.maintenance", .help_zh = "检修时段"},
    {"loads", FIELD_RECORDS, .most = ALERT_LOADS_MAX, .record = load_fields,
     .help = "goods that came in warmer or colder than the zone",
     .help_zh = "与库温不同的入库货物"},
    {"external_ids", FIELD_TEXTS, .help = "what others call it", .help_zh = "外部标识"},
    {"archived", FIELD_BOOL, .help = "no longer in use", .help_zh = "已归档"},
    END,
};

static const struct field duty_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the zone", .help_zh = "库区"},
    {"on", FIELD_BOOL, FIELD_ALWAYS, .help = "on duty or not", .help_zh = "是否在用"},
    {"why", FIELD_WORD, .words = off_duty_words, .help = "it is off duty",
     .help_zh = "停用原因"},
    END,
};

static const struct field plan_step_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the zone", .help_zh = "库区"},
    {"from", FIELD_TIME, .help = "since when; now when absent", .help_zh = "起始时间"},
    {"to", FIELD_TIME, .help = "until when, exclusive", .help_zh = "结束时间"},
    {"band_low", FIELD_NUMBER, .least = -100, .most = 100,
     .help = "lowest air temperature that is in order meanwhile",
     .help_zh = "其间温度下限"},
    {"band_high", FIELD_NUMBER, .least = -100, .most = 100,
     .help = "highest air temperature that is in order meanwhile",
     .help_zh = "其间温度上限"},
    {"goods", FIELD_IDS,
     .help = "profiles that it is planned for; absent: all in the zone",
     .help_zh = "计划共用此阶段的品种档案;不填表示库区内全部"},
    {"why", FIELD_TEXT, .help = "such as curing", .help_zh = "事由"},
    {"cancel", FIELD_BOOL, .help = "true: the one that begins then is taken away",
     .help_zh = "填 true 表示取消该时刻开始的阶段"},
    END,
};

static const struct field zone_maintenance_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the zone", .help_zh = "库区"},
    {"from", FIELD_TIME, .help = "since when; now when absent", .help_zh = "起始时间"},
    {"to", FIELD_TIME, .help = "until when, exclusive", .help_zh = "结束时间"},
    {"why", FIELD_TEXT, .help = "what is done", .help_zh = "事由"},
    {"cancel", FIELD_BOOL, .help = "true: the one that begins then is taken away",
     .help_zh = "填 true 表示取消该时刻开始的检修"},
    END,
};

static const struct field zone_load_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the zone", .help_zh = "库区"},
    {"goods", FIELD_ID, FIELD_ALWAYS, .help = "profile of what comes in",
     .help_zh = "入库品种档案"},
    {"entry_c", FIELD_NUMBER, .least = -40, .most = 50,
     .help = "how warm the goods are, in degree Celsius; absent: as what stands there",
     .help_zh = "入库时货温(摄氏度);不填表示与库内货物相同"},
    {"from", FIELD_TIME, .help = "when they come in; now when absent",
     .help_zh = "入库时间"},
    {"why", FIELD_TEXT, .help = "whose they are, how much", .help_zh = "货物说明"},
    END,
};

static const struct field zone_unload_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the zone", .help_zh = "库区"},
    {"goods", FIELD_ID, .help = "profile of what goes out; absent: all",
     .help_zh = "出库品种档案;不填表示全部"},
    END,
};

static const struct field level_fields[] = {
    {"severity", FIELD_WORD, .words = severities, .help = "how urgent",
     .help_zh = "严重程度"},
    {"level", FIELD_LEVEL, FIELD_ALWAYS, .help = "fires at this value and beyond",
     .help_zh = "触发值"},
    {"delay", FIELD_DURATION, .most = 366 * DAY_MS,
     .help = "how long before it is an incident", .help_zh = "持续多久才报警"},
    {"recovery_level", FIELD_LEVEL,
     .help = "recovers when back past this value; the level itself when absent",
     .help_zh = "恢复值"},
    {"recovery_delay", FIELD_DURATION, .most = 366 * DAY_MS,
     .help = "how long it has to stay back", .help_zh = "恢复须持续多久"},
    END,
};

static const struct field rule_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "identifier, unique", .help_zh = "标识"},
    {"zone", FIELD_ID, FIELD_NEW, .help = "the zone it watches", .help_zh = "监视的库区"},
    {"kind", FIELD_WORD, FIELD_NEW, .words = registry_rule_kinds, .help = "what is wrong",
     .help_zh = "规则种类"},
    {"quantity", FIELD_ID, .help = "what it watches; silent: absent for all",
     .help_zh = "监视的量"},
    {"levels", FIELD_RECORDS, .most = ALERT_LEVELS_MAX, .record = level_fields,
     .help = "mildest first", .help_zh = "由轻到重的各级"},
    {"limit", FIELD_LEVEL, .least = -1e6, .most = 1e6,
     .help =
         "the value that cumulative_, dose_, predicted, no_recovery and goods_left refer to",
     .help_zh = "累计、剂量、预测、未恢复、遗留货物类规则所参照的值"},
    {"window", FIELD_DURATION, .most = 366 * DAY_MS, .help = "how far back it looks",
     .help_zh = "回看的时间窗"},
    {"unless", FIELD_WORDS, .words = registry_rule_reasons,
     .help = "what stops its clock while it lasts", .help_zh = "期间不计时的情形"},
    {"safety", FIELD_BOOL, .help = "it rings off duty, too", .help_zh = "停用时仍报警"},
    {"silent", FIELD_DURATION, .most = 366 * DAY_MS,
     .help = "silent, silent_device: no good reading for so long; silent 0: learned",
     .help_zh = "多久无读数算失联;silent 填 0 表示自动学习"},
    {"silent_severity", FIELD_WORD, .words = severities, .help = "silent: how urgent",
     .help_zh = "失联的严重程度"},
    END,
};

static const struct field id_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "identifier", .help_zh = "标识"},
    END,
};

static const struct field date_fields[] = {
    {"name", FIELD_ID, FIELD_ALWAYS, .help = "such as sim, data, battery",
     .help_zh = "如 sim、data、battery"},
    {"due", FIELD_TIME, FIELD_ALWAYS, .help = "the day it expires, or is to be seen to",
     .help_zh = "到期或须处理的日期"},
    {"note", FIELD_TEXT, .help = "such as the card's number", .help_zh = "备注"},
    END,
};

static const struct field device_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "identifier, as in its topics",
     .help_zh = "标识"},
    {"org", FIELD_ID, FIELD_NEW, .help = "whose it is", .help_zh = "所属单位"},
    {"name", FIELD_TEXT, .help = "for people", .help_zh = "名称"},
    {"model", FIELD_TEXT, .help = "make and model", .help_zh = "型号"},
    {"serial", FIELD_TEXT, .help = "serial number", .help_zh = "序列号"},
    {"dates", FIELD_RECORDS, .most = 16, .record = date_fields,
     .help = "what falls due: SIM card, data balance; see the kind date_due",
     .help_zh = "到期事项:SIM 卡、流量等,见 date_due 规则"},
    {"archived", FIELD_BOOL, .help = "no longer in use", .help_zh = "已归档"},
    END,
};

static const struct field replace_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the device that goes", .help_zh = "旧设备"},
    {"by", FIELD_ID, FIELD_ALWAYS,
     .help = "the device that takes its place; declared when it is not",
     .help_zh = "新设备"},
    {"at", FIELD_TIME, .help = "when; now when absent", .help_zh = "更换时间"},
    END,
};

static const struct field calibrate_fields[] = {
    {"device", FIELD_ID, FIELD_ALWAYS, .help = "the device", .help_zh = "设备"},
    {"channel", FIELD_NAME, FIELD_ALWAYS, .help = "such as air_temperature-2",
     .help_zh = "通道"},
    {"from", FIELD_TIME, .help = "when it was calibrated; now when absent",
     .help_zh = "校准时间"},
    {"offset", FIELD_NUMBER, .least = -1000, .most = 1000,
     .help = "what was found, in the channel's unit", .help_zh = "偏移"},
    {"gain", FIELD_NUMBER, .least = 0.001, .most = 1000, .help = "what was found",
     .help_zh = "增益"},
    {"certificate", FIELD_TEXT, .help = "its number", .help_zh = "证书编号"},
    {"by", FIELD_TEXT, .help = "the laboratory", .help_zh = "校准机构"},
    {"due", FIELD_TIME, .help = "when the next is due", .help_zh = "下次校准时间"},
    END,
};

static const struct field swap_fields[] = {
    {"device", FIELD_ID, FIELD_ALWAYS, .help = "the device", .help_zh = "设备"},
    {"channel", FIELD_NAME, FIELD_ALWAYS, .help = "whose probe was swapped",
     .help_zh = "更换探头的通道"},
    {"serial", FIELD_TEXT, FIELD_ALWAYS, .help = "of the new probe",
     .help_zh = "新探头序列号"},
    {"from", FIELD_TIME, .help = "when; now when absent", .help_zh = "更换时间"},
    END,
};

#define DEVICE_FIELD \
    { \
        "device", FIELD_ID, FIELD_ALWAYS, \
            .help = "the device; declared for the zone's organisation when it is not", \
            .help_zh = "设备" \
    }
#define CHANNEL_FIELD \
    { \
        "channel", FIELD_NAME, \
            .help = "absent: all that have no placement of their own", \
            .help_zh = "通道;不填表示整台设备" \
    }

static const struct field placement_fields[] = {
    {"id", FIELD_ID, .help = "drawn when absent", .help_zh = "标识"},
    DEVICE_FIELD,
    CHANNEL_FIELD,
    {"zone", FIELD_ID, FIELD_ALWAYS, .help = "what it measures", .help_zh = "库区"},
    {"from", FIELD_TIME, .help = "since when; now when absent", .help_zh = "起始时间"},
    {"to", FIELD_TIME, .help = "until when, exclusive; absent: still there",
     .help_zh = "结束时间"},
    END,
};

static const struct field move_fields[] = {
    DEVICE_FIELD,
    CHANNEL_FIELD,
    {"zone", FIELD_ID, FIELD_ALWAYS, .help = "where it measures now",
     .help_zh = "新库区"},
    {"from", FIELD_TIME, .help = "since when; now when absent", .help_zh = "起始时间"},
    END,
};

static const struct field end_fields[] = {
    {"id", FIELD_ID, .help = "the placement, or else:", .help_zh = "放置标识"},
    {"device", FIELD_ID, .help = "the device", .help_zh = "设备"},
    CHANNEL_FIELD,
    {"at", FIELD_TIME, .help = "when; now when absent", .help_zh = "结束时间"},
    END,
};

static const struct field correct_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the placement", .help_zh = "放置标识"},
    {"zone", FIELD_ID, .help = "what it measured in truth", .help_zh = "实际库区"},
    {"from", FIELD_TIME, .help = "since when in truth", .help_zh = "实际起始时间"},
    {"to", FIELD_TIME, .help = "until when in truth; null: still there",
     .help_zh = "实际结束时间"},
    END,
};

static const struct field incident_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the incident", .help_zh = "事件"},
    END,
};

static const struct field notify_test_fields[] = {
    {"id", FIELD_TEXT, FIELD_ALWAYS, .help = "name of the channel",
     .help_zh = "渠道名称"},
    END,
};

static const struct field comment_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the incident", .help_zh = "事件"},
    {"text", FIELD_TEXT, FIELD_ALWAYS, .most = 2000, .help = "what is to be said",
     .help_zh = "备注"},
    END,
};

static const struct field assign_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the incident", .help_zh = "事件"},
    {"to", FIELD_ID, .help = "whose it is from now on: an id; null: nobody's",
     .help_zh = "负责人标识;null 表示无人"},
    {"from", FIELD_ID, .help = "whose it is now: needed to take it from somebody",
     .help_zh = "现负责人;从他人手中接过时必填"},
    END,
};

static const char *const snooze_spans[] = {"1h", "4h", "8h", NULL};

static const struct field snooze_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the incident", .help_zh = "事件"},
    {"for", FIELD_WORD, FIELD_ALWAYS, .words = snooze_spans,
     .help = "how long nobody is called because of it; then it comes back",
     .help_zh = "暂停提醒多久,到时再提醒"},
    END,
};

const char *const incident_causes[] = {
    "door",       "loading",   "defrost",     "cooling_failed",
    "power_lost", "set_point", "sensor_lost", "sensor_wrong",
    "network",    "procedure", "false_alarm", "not_found",
    "other",      NULL};
const char *const incident_actions[] = {
    "none",       "door_closed",       "goods_moved",     "repaired", "restarted",
    "power_back", "set_point_changed", "sensor_replaced", "reported", "other",
    NULL};
const char *const incident_dispositions[] = {
    "no_product", "unaffected", "held", "downgraded", "discarded", "returned", NULL};

static const struct field close_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the incident, or one that leads a cause",
     .help_zh = "事件,或主事件"},
    {"cause", FIELD_WORD, FIELD_ALWAYS, .words = incident_causes,
     .help = "why it came to this", .help_zh = "原因"},
    {"action", FIELD_WORD, FIELD_ALWAYS, .words = incident_actions,
     .help = "what was done", .help_zh = "处置措施"},
    {"disposition", FIELD_WORD, FIELD_ALWAYS, .words = incident_dispositions,
     .help = "what became of the product", .help_zh = "产品处理"},
    {"note", FIELD_TEXT, .most = 2000,
     .help = "in words of one's own; needed where one of them is 'other'",
     .help_zh = "说明;选“other”时必填"},
    END,
};

static const char *const people_roles[] = {"admin", "operator", "viewer", NULL};
static const char *const token_roles[] = {"integrator", "share", NULL};
static const char *const scopes[] = {"read", "incidents", "registry", "metrics", NULL};
static const char *const holders[] = {"org", "person", "token", NULL};

#define PRIVATE(name_, need_, most_, help_, help_zh_) \
    { \
        .name = (name_), .type = FIELD_TEXT, .need = (need_), .most = (most_), \
        .help = (help_), .help_zh = (help_zh_), .is_private = true \
    }
#define ABOUT_PERSON \
    {"org", FIELD_ID, .help = "whose he is; null: of the whole installation", \
     .help_zh = "所属单位;null 表示整个系统"}, \
        {"sites", FIELD_IDS, .help = "of an operator; none: all of the organisation", \
         .help_zh = "操作员负责的场所;空表示全部"}, \
        PRIVATE("login", FIELD_OPTIONAL, 64, "sign-in name, without spaces", "登录名"), \
        PRIVATE("name", FIELD_OPTIONAL, 100, "for people", "姓名"), \
        PRIVATE("phone", FIELD_OPTIONAL, 40, "for people", "电话"), \
        PRIVATE("contact", FIELD_OPTIONAL, 200, "for alerts", "报警联系方式"), \
        PRIVATE("password", FIELD_OPTIONAL, 200, "kept as argon2id", "密码")

static const struct field person_add_fields[] = {
    {"role", FIELD_WORD, FIELD_ALWAYS, .words = people_roles, .help = "what he may",
     .help_zh = "角色"},
    ABOUT_PERSON,
    END,
};

static const struct field person_change_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the person", .help_zh = "人员"},
    {"role", FIELD_WORD, .words = people_roles, .help = "what he may", .help_zh = "角色"},
    ABOUT_PERSON,
    END,
};

static const struct field person_password_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the person, who asks", .help_zh = "本人"},
    PRIVATE("password", FIELD_ALWAYS, 200, "kept as argon2id", "密码"),
    PRIVATE("keep", FIELD_OPTIONAL, 64, "the session that goes on", "保留的会话"),
    END,
};

static const struct field person_sign_out_fields[] = {
    {"id", FIELD_ID, FIELD_ALWAYS, .help = "the person", .help_zh = "人员"},
    PRIVATE("keep", FIELD_OPTIONAL, 64, "the session that goes on", "保留的会话"),
    END,
};

static const struct field person_first_fields[] = {
    {"link", FIELD_ID, FIELD_ALWAYS, .help = "the set-up link", .help_zh = "设置链接"},
    PRIVATE("login", FIELD_ALWAYS, 64, "sign-in name, without spaces", "登录名"),
    PRIVATE("name", FIELD_OPTIONAL, 100, "for people", "姓名"),
    PRIVATE("password", FIELD_ALWAYS, 200, "kept as argon2id", "密码"),
    END,
};

#define GRANTED \
    {"zone", FIELD_ID, FIELD_ALWAYS, .help = "what is shown", .help_zh = "库区"}, \
        {"from", FIELD_TIME, .help = "since when; ever when absent", \
         .help_zh = "起始时间"}, \
        {"to", FIELD_TIME, .help = "until when; for good when absent", \
         .help_zh = "结束时间"}, \
    { \
        "cause", FIELD_TEXT, .help = "such as a shipment", .help_zh = "事由" \
    }

static const struct field link_grant_fields[] = {GRANTED, END};

static const struct field grant_fields[] = {
    {"holder_kind", FIELD_WORD, .words = holders, .help = "org when absent",
     .help_zh = "获权者种类"},
    {"holder", FIELD_ID, FIELD_ALWAYS, .help = "who sees it", .help_zh = "获权者"},
    GRANTED,
    END,
};

static const struct field token_fields[] = {
    PRIVATE("name", FIELD_ALWAYS, 100, "what it is for", "用途"),
    PRIVATE("hash", FIELD_OPTIONAL, 64, "drawn by the collector", "由采集程序生成"),
    {"role", FIELD_WORD, .words = token_roles, .help = "integrator when absent",
     .help_zh = "角色"},
    {"org", FIELD_ID, .help = "whose it is; null: of the whole installation",
     .help_zh = "所属单位"},
    {"sites", FIELD_IDS, .help = "none: all of the organisation", .help_zh = "场所"},
    {"scopes", FIELD_WORDS, .words = scopes, .help = "what an integrator's is for",
     .help_zh = "权限"},
    {"expires", FIELD_TIME, FIELD_ALWAYS, .help = "within a year",
     .help_zh = "失效时间,一年之内"},
    {"grants", FIELD_RECORDS, .most = 16, .record = link_grant_fields,
     .help = "the zones that a share link shows", .help_zh = "链接所示库区"},
    END,
};

const struct verb verbs[] = {
    {"org.put", VERB_ADMIN, "org", org_fields, org_put,
     "makes an organisation, or changes it", "新建或修改单位",
     "{\"id\":\"fengjie\",\"name\":\"Fengjie Navel Orange Cooperative\"}"},
    {"site.put", VERB_ADMIN, "site", site_fields, site_put,
     "makes a place or vehicle, or changes it", "新建或修改场所、车辆",
     "{\"id\":\"store-1\",\"org\":\"fengjie\",\"tier\":\"township_outlet\"}"},
    {"site.archive", VERB_ADMIN, "site", archive_fields, site_archive,
     "takes a place out of use; its history stays", "归档场所,历史保留",
     "{\"id\":\"store-1\"}"},
    {"vehicle.plate", VERB_OPERATOR, "site", vehicle_plate_fields, vehicle_plate,
     "a vehicle has another plate or lessor from a date on", "车辆换牌或换出租方",
     "{\"id\":\"van-7\",\"plate\":\"YuF 12345\",\"from\":\"2026-11-01T00:00:00Z\"}"},
    {"zone.put", VERB_ADMIN, "zone", zone_fields, zone_put,
     "makes a zone, or changes it: name, site, band, goods", "新建或修改库区",
     "{\"id\":\"room-1\",\"site\":\"store-1\",\"band_low\":2,\"band_high\":8}"},
    {"zone.duty", VERB_OPERATOR, "zone", duty_fields, zone_duty,
     "puts a zone on or off duty: off duty only safety rings", "库区启用或停用",
     "{\"id\":\"room-1\",\"on\":false,\"why\":\"empty\"}"},
    {"zone.plan_step", VERB_OPERATOR, "zone", plan_step_fields, zone_plan_step,
     "plans another band for a time, for goods that are to share it",
     "计划一段时间内的设定温度",
     "{\"id\":\"room-1\",\"from\":\"2026-11-01T00:00:00Z\","
     "\"to\":\"2026-11-08T00:00:00Z\",\"band_low\":12,\"band_high\":15,"
     "\"why\":\"curing\"}"},
    {"zone.maintenance", VERB_OPERATOR, "zone", zone_maintenance_fields, zone_maintenance,
     "says when somebody works there", "登记检修时段",
     "{\"id\":\"room-1\",\"to\":\"2026-11-01T12:00:00Z\",\"why\":\"new fan\"}"},
    {"zone.load", VERB_OPERATOR, "zone", zone_load_fields, zone_load,
     "goods come into a zone; it answers with the band of all that stands there",
     "货物入库;返回库区新的温度带",
     "{\"id\":\"room-1\",\"goods\":\"strawberry\",\"entry_c\":18}"},
    {"zone.unload", VERB_OPERATOR, "zone", zone_unload_fields, zone_unload,
     "goods have left a zone: one sort of them, or all", "货物出库:一个品种或全部",
     "{\"id\":\"room-1\",\"goods\":\"strawberry\"}"},
    {"zone.archive", VERB_ADMIN, "zone", archive_fields, zone_archive,
     "takes a zone out of use; its history stays", "归档库区,历史保留",
     "{\"id\":\"room-1\"}"},
    {"device.put", VERB_ADMIN, "device", device_fields, device_put,
     "declares a device, or changes what is known of it", "登记或修改设备",
     "{\"id\":\"agent-9\",\"org\":\"fengjie\",\"model\":\"gateway 2\"}"},
    {"device.archive", VERB_ADMIN, "device", archive_fields, device_archive,
     "takes a device out of use; its readings stay", "归档设备,读数保留",
     "{\"id\":\"agent-9\"}"},
    {"device.replace", VERB_OPERATOR, "device", replace_fields, device_replace,
     "another device takes its place, in every zone it measures", "更换设备",
     "{\"id\":\"agent-9\",\"by\":\"agent-12\"}"},
    {"channel.calibrate", VERB_OPERATOR, "channel", calibrate_fields, channel_calibrate,
     "a channel was calibrated", "通道校准",
     "{\"device\":\"agent-9\",\"channel\":\"air_temperature\",\"offset\":-0.2}"},
    {"probe.swap", VERB_OPERATOR, "channel", swap_fields, probe_swap,
     "a channel has another probe; it goes on as it is", "更换探头",
     "{\"device\":\"agent-9\",\"channel\":\"air_temperature\",\"serial\":\"28-0004\"}"},
    {"placement.put", VERB_OPERATOR, "placement", placement_fields, placement_put,
     "a device or channel measures a zone from a time on", "放置设备或通道",
     "{\"device\":\"agent-9\",\"zone\":\"room-1\"}"},
    {"placement.move", VERB_OPERATOR, "placement", move_fields, placement_move,
     "it measures another zone from a time on", "移到另一库区",
     "{\"device\":\"agent-9\",\"zone\":\"room-2\",\"from\":\"2026-11-01T10:00:00Z\"}"},
    {"placement.end", VERB_OPERATOR, "placement", end_fields, placement_end,
     "it measures that zone no longer", "结束放置", "{\"device\":\"agent-9\"}"},
    {"placement.correct", VERB_OPERATOR, "placement", correct_fields, placement_correct,
     "a placement was wrong; the past is put right", "更正放置",
     "{\"id\":\"p-0123456789abcdef\",\"from\":\"2026-11-01T10:00:00Z\"}"},
    {"rule.put", VERB_ADMIN, "rule", rule_fields, rule_put, "makes a rule, or changes it",
     "新建或修改规则",
     "{\"id\":\"warm\",\"zone\":\"room-1\",\"kind\":\"above\",\"quantity\":"
     "\"air_temperature\",\"levels\":[{\"level\":8,\"delay\":\"10m\"}]}"},
    {"rule.delete", VERB_ADMIN, "rule", id_fields, rule_delete,
     "takes a rule away; what it opened stays", "删除规则", "{\"id\":\"warm\"}"},
    {"incident.acknowledge", VERB_OPERATOR, "incident", incident_fields, NULL,
     "somebody has taken it", "受理事件",
     "{\"id\":\"00112233445566778899aabbccddeeff\"}"},
    {"incident.assign", VERB_OPERATOR, "incident", assign_fields, NULL,
     "says whose it is", "指派事件",
     "{\"id\":\"00112233445566778899aabbccddeeff\",\"to\":\"p-0c2f9a4b7d1e6583\"}"},
    {"incident.snooze", VERB_OPERATOR, "incident", snooze_fields, NULL,
     "acknowledges it and puts it off for a time", "受理并暂停提醒",
     "{\"id\":\"00112233445566778899aabbccddeeff\",\"for\":\"4h\"}"},
    {"incident.remind", VERB_ROUTE, "incident", incident_fields, NULL,
     "it was acknowledged and forgotten, and comes back: by the collector itself",
     "受理后被遗忘的事件由系统再次提醒", "{\"id\":\"00112233445566778899aabbccddeeff\"}"},
    {"notify.test", VERB_ADMIN, "notify", notify_test_fields, NULL,
     "sends a test message over a channel that people are told by",
     "通过通知渠道发送一条测试消息", "{\"id\":\"duty\"}"},
    {"incident.close", VERB_OPERATOR, "incident", close_fields, NULL,
     "a person says that it is over, why, what was done, and what became of the product",
     "关闭事件:原因、措施、产品处理",
     "{\"id\":\"00112233445566778899aabbccddeeff\",\"cause\":\"door\","
     "\"action\":\"door_closed\",\"disposition\":\"unaffected\"}"},
    {"incident.comment", VERB_OPERATOR, "incident", comment_fields, NULL,
     "says something about it", "为事件加备注",
     "{\"id\":\"00112233445566778899aabbccddeeff\",\"text\":\"door was open\"}"},
    {"person.add", VERB_MANAGER, "person", person_add_fields, person_add, "adds a person",
     "新增人员",
     "{\"org\":\"wushan\",\"role\":\"viewer\",\"login\":\"chen\","
     "\"password\":\"orange truck seven hill\"}"},
    {"person.change", VERB_MANAGER, "person", person_change_fields, person_change,
     "changes what is given, and ends the person's sessions", "修改人员",
     "{\"id\":\"p-0c2f9a4b7d1e6583\",\"role\":\"operator\"}"},
    {"person.sign_out", VERB_MANAGER, "person", person_sign_out_fields, person_sign_out,
     "ends the person's sessions", "结束人员的全部会话",
     "{\"id\":\"p-0c2f9a4b7d1e6583\"}"},
    {"person.erase", VERB_MANAGER, "person", id_fields, person_erase,
     "erases what is kept about a person; the id stays", "删除人员资料,仅保留标识",
     "{\"id\":\"p-0c2f9a4b7d1e6583\"}"},
    {"person.password", VERB_ROUTE, "person", person_password_fields, person_password,
     "a person has another password: POST /api/v1/me/password", "本人修改密码",
     "{\"id\":\"p-0c2f9a4b7d1e6583\",\"password\":\"orange truck seven hill\"}"},
    {"person.first", VERB_ROUTE, "person", person_first_fields, person_first,
     "makes the first admin: POST /setup/LINK", "创建第一个管理员",
     "{\"link\":\"t-0c2f9a4b7d1e6583\",\"login\":\"wang\","
     "\"password\":\"orange truck seven hill\"}"},
    {"token.make", VERB_MANAGER, "token", token_fields, token_make,
     "makes a token of a program, or a link to share", "生成令牌或分享链接",
     "{\"name\":\"grafana\",\"scopes\":[\"read\"],"
     "\"expires\":\"2027-06-01T00:00:00Z\"}"},
    {"token.revoke", VERB_MANAGER, "token", id_fields, token_revoke, "it counts no more",
     "吊销令牌", "{\"id\":\"t-0c2f9a4b7d1e6583\"}"},
    {"grant.make", VERB_MANAGER, "grant", grant_fields, grant_make,
     "shows a zone for a time", "授权查看库区",
     "{\"holder\":\"wushan\",\"zone\":\"room-1\",\"from\":\"2026-11-20T00:00:00Z\"}"},
    {"grant.end", VERB_MANAGER, "grant", id_fields, grant_end, "shows it no longer",
     "取消授权", "{\"id\":\"g-0c2f9a4b7d1e6583\"}"},
    {.name = NULL},
};
