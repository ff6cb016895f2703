// SPDX-License-Identifier: Apache-2.0
/*
 * message_cause - what is said of an incident's cause, behind what is said of itself.
 */
#include "collector/notify/message.h"

static void say_over(const struct incident *incident, bool is_zh,
                     struct message_times *times, struct buf *out)
{
    char from[MESSAGE_TIME_SIZE];
    char to[MESSAGE_TIME_SIZE];
    char learned[MESSAGE_TIME_SIZE];
    message_time(from, times, incident->onset_ms); /* in the order of the sentence */
    message_time(to, times, incident->closed_ms);
    message_time(learned, times, incident->learned_ms);
    buf_format(out,
               is_zh ? "；发生于 %s 至 %s，%s 得知时已结束"
                     : "; happened %s to %s, learned %s, when it was over",
               from, to, learned);
}

void message_cause_say(const struct message_cause *cause, const struct incident *incident,
                       enum alert_effect_kind kind, bool is_zh,
                       struct message_times *times, struct buf *out)
{
    if (kind == ALERT_EFFECT_REMINDED)
        buf_text(out, is_zh ? "。已受理，至今未结束，请再派人处理"
                            : ". It was acknowledged, goes on, and needs somebody again");
    if (cause->is_over)
        say_over(incident, is_zh, times, out);
}
