// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/message_life.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "freshness/life.h"
#include "freshness/profile.h"

static const char *name_of(const char *id, const struct registry_zone *zone, bool is_zh)
{
    for (size_t i = 0; zone != NULL && i < zone->goods_count; i++) {
        const struct profile *profile = zone->goods[i].profile;
        if (strcmp(profile->id, id) == 0)
            return is_zh ? profile->name_zh : profile->name_en;
    }
    return id;
}

static const char *process_in(const char *process, bool is_zh)
{
    static const char *const names_zh[LIFE_PROCESSES] = {
        [LIFE_AGEING] = "衰老", [LIFE_CHILLING] = "冷害", [LIFE_WATER] = "失水"};
    for (int i = 0; is_zh && i < LIFE_PROCESSES; i++)
        if (strcmp(life_process_name((enum life_process)i), process) == 0)
            return names_zh[i];
    return process;
}

static void put_days(const json_t *days, bool is_zh, struct buf *out)
{
    const json_t *low = json_array_get(days, 0);
    const json_t *high = json_array_get(days, 1);
    if (json_is_number(low) && json_is_number(high))
        buf_format(out, is_zh ? "%.1f 至 %.1f 天" : "%.1f to %.1f days",
                   json_number_value(low), json_number_value(high));
    else if (json_is_number(low))
        buf_format(out, is_zh ? "至少 %.1f 天" : "at least %.1f days",
                   json_number_value(low));
    else if (json_is_number(high))
        buf_format(out, is_zh ? "至多 %.1f 天" : "at most %.1f days",
                   json_number_value(high));
}

void message_life(const struct incident *incident, const struct registry_zone *zone,
                  bool is_zh, struct buf *out)
{
    json_t *life = json_loads(incident->life, 0, NULL);
    const char *goods = json_string_value(json_object_get(life, "goods"));
    const char *limit = json_string_value(json_object_get(life, "limited_by"));
    double at_C = json_number_value(json_object_get(life, "at_c"));
    struct buf days = {0};
    put_days(json_object_get(life, "days"), is_zh, &days);
    if (goods != NULL && limit != NULL) {
        buf_format(out, is_zh ? "（%s" : " (%s", name_of(goods, zone, is_zh));
        if (days.len > 0 && is_zh)
            buf_format(out, "：%.1f °C 下 %s", at_C, days.data);
        else if (days.len > 0)
            buf_format(out, ": %s at %.1f °C", days.data, at_C);
        buf_format(out, is_zh ? "），主因%s" : "), limited by %s",
                   process_in(limit, is_zh));
    }
    buf_fini(&days);
    json_decref(life);
}
