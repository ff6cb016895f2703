// SPDX-License-Identifier: Apache-2.0
#include "collector/standing_text.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)

#define SPAN_SIZE 48

struct words {
    const char *en; /* ${span} stands for one place at most */
    const char *zh;
};

static const struct words whys[STANDING_WHY_COUNT] = {
    [STANDING_NOT_MEASURED] = {"nothing in the zone measures what it watches",
                               "库区内没有通道测量其监视的量"},
    [STANDING_NOT_HEARD] = {"no good reading of the channel has come yet",
                            "该通道尚无有效读数"},
    [STANDING_SILENT] = {"the channel gives no good readings any more",
                         "该通道已没有有效读数"},
    [STANDING_SPARSE] = {"its readings, ${span} apart, are too sparse for it",
                         "读数间隔 ${span}，太稀疏，无法判断"},
    [STANDING_LEARNING] = {"the air's usual cycles are not known yet: at "
                           "least ${span} more of undisturbed air are needed",
                           "尚未掌握空气温度的平常循环：至少还需 ${span} 未受扰动的读数"},
    [STANDING_FILLING] = {"its window holds too few readings yet: at least ${span} more",
                          "时间窗内读数还太少：至少还需 ${span}"},
    [STANDING_NO_SHAPE] = {"there is no signal of doors and defrosts, and only air has "
                           "their shape",
                           "没有开门、除霜信号，而只有空气温度的曲线可供识别"},
    [STANDING_ALONE] = {"no other probe was read at about the same time",
                        "没有其他探头在相近时间的读数"},
    [STANDING_NO_HUMIDITY] = {"no humidity was read in the zone, which it is derived "
                              "from",
                              "库区内没有推算所需的湿度读数"},
    [STANDING_NO_LIFE] = {"no goods are named in the zone, or no storage life of them is "
                          "published",
                          "库区未登记货物，或其贮藏寿命未知"},
    [STANDING_NO_DATE] = {"no date is entered for anything in the zone",
                          "库区内的通道或设备未登记相关日期"},
};

static const struct words reasons[ALERT_REASON_COUNT] = {
    [ALERT_REASON_DEFROST] = {"a defrost goes on, or the air recovers from one",
                              "正在除霜或除霜后恢复中"},
    [ALERT_REASON_DOOR] = {"a door is open, or the air recovers from that",
                           "库门开启或关门后恢复中"},
    [ALERT_REASON_OFF_DUTY] = {"the zone is off duty", "库区停用"},
    [ALERT_REASON_PLANNED_STEP] = {"a planned step goes on, and holds it back as far as "
                                   "its band goes",
                                   "正处于计划阶段，在其温度带内不判断"},
    [ALERT_REASON_MAINTENANCE] = {"maintenance goes on", "正在检修"},
    [ALERT_REASON_START] = {"a trip or a load has just begun", "行程或入库刚开始"},
    [ALERT_REASON_SPARSE] = {"its readings are too sparse for it", "读数太稀疏"},
    [ALERT_REASON_DEVICE_SILENT] = {"nothing of its device is heard",
                                    "整台设备没有任何数据"},
};

/* ---- how long ------------------------------------------------------------------------
 */

static const char *span_of(char text[SPAN_SIZE], int64_t ms, bool is_zh)
{
    long long all = (ms + MINUTE_MS - 1) / MINUTE_MS;
    long long hours = all / 60;
    long long minutes = all % 60;
    if (ms < 10 * MINUTE_MS && ms % MINUTE_MS != 0)
        snprintf(text, SPAN_SIZE, is_zh ? "%.1f 分钟" : "%.1f min",
                 (double)ms / (double)MINUTE_MS);
    else if (hours == 0)
        snprintf(text, SPAN_SIZE, is_zh ? "%lld 分钟" : "%lld min", minutes);
    else if (minutes == 0)
        snprintf(text, SPAN_SIZE, is_zh ? "%lld 小时" : "%lld h", hours);
    else
        snprintf(text, SPAN_SIZE, is_zh ? "%lld 小时 %lld 分钟" : "%lld h %lld min",
                 hours, minutes);
    return text;
}

/* ---- sentences -----------------------------------------------------------------------
 */

static void fill(char *out, size_t size, const char *start, const char *sentence,
                 const char *span)
{
    static const char mark[] = "${span}";
    const char *at = strstr(sentence, mark);
    if (at == NULL)
        snprintf(out, size, "%s%s", start, sentence);
    else
        snprintf(out, size, "%s%.*s%s%s", start, (int)(at - sentence), sentence, span,
                 at + sizeof mark - 1);
}

static void say(struct standing_text *text, const struct words *start,
                const struct words *words, int64_t span_ms)
{
    char span[SPAN_SIZE];
    fill(text->en, sizeof text->en, start->en, words->en, span_of(span, span_ms, false));
    fill(text->zh, sizeof text->zh, start->zh, words->zh, span_of(span, span_ms, true));
}

bool standing_text(struct standing_text *text, const struct standing *standing)
{
    static const struct words plain = {"", ""};
    static const struct words unseen = {
        "it judges, but what its unless names would not be seen: ",
        "正在判断，但看不到其 unless 所列的情形："};
    bool is_left =
        standing->why == STANDING_LEARNING || standing->why == STANDING_FILLING;
    if (standing->state == STANDING_HELD_BACK)
        say(text, &plain, &reasons[standing->reason], 0);
    else if (standing->why != STANDING_NONE)
        say(text, &plain, &whys[standing->why],
            is_left ? standing->left_ms : standing->apart_ms);
    else if (standing->unseen == STANDING_LEARNING)
        say(text, &unseen,
            &(struct words){"the air's usual cycles are not known yet",
                            "尚未掌握空气温度的平常循环"},
            0);
    else if (standing->unseen != STANDING_NONE)
        say(text, &unseen, &whys[standing->unseen], standing->apart_ms);
    else
        return false;
    return true;
}
