// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/message_time.h"

#include <stdio.h>

const char *message_time(char text[MESSAGE_TIME_SIZE], struct message_times *times,
                         int64_t wall_ms)
{
    char minute[TZ_TEXT_MAX];
    char zone[TZ_TEXT_MAX];
    int32_t offset_s = tz_offset_s(times->tz, wall_ms);
    bool is_known = times->is_zone_said && times->said_s == offset_s;
    tz_format(minute, times->tz, wall_ms);
    tz_format_offset(zone, times->tz, wall_ms);
    snprintf(text, MESSAGE_TIME_SIZE, "%s%s%s", minute, is_known ? "" : " ",
             is_known ? "" : zone);
    times->is_zone_said = true;
    times->said_s = offset_s;
    return text;
}
