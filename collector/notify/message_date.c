// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/message_date.h"

#include <assert.h>
#include <math.h>

static void put_days(double days, bool is_zh, struct buf *out)
{
    if (days < 0)
        buf_format(out, is_zh ? "已过期 %.0f 天" : "is overdue by %.0f d", -days);
    else
        buf_format(out, is_zh ? "还有 %.0f 天到期" : "is due in %.0f d", days);
}

static void put_en(const struct incident *incident, enum alert_effect_kind kind,
                   struct buf *out)
{
    bool is_calibration = incident->kind == ALERT_CALIBRATION_DUE;
    if (is_calibration)
        buf_format(out, "the calibration of %s %s ", incident->device, incident->channel);
    else
        buf_format(out, "%s of %s ", incident->channel, incident->device);
    if (kind == ALERT_EFFECT_CLOSED) {
        buf_text(out, "is seen to");
        return;
    }
    put_days(incident->value, false, out);
    buf_text(out, is_calibration
                      ? ". To do: calibrate it, then enter it by channel.calibrate"
                      : ". To do: renew it, then enter the new day by device.put");
}

static void put_zh(const struct incident *incident, enum alert_effect_kind kind,
                   struct buf *out)
{
    bool is_calibration = incident->kind == ALERT_CALIBRATION_DUE;
    buf_format(out, is_calibration ? "%s %s 的校准" : "%s 的 %s ", incident->device,
               incident->channel);
    if (kind == ALERT_EFFECT_CLOSED) {
        buf_text(out, "已处理");
        return;
    }
    put_days(incident->value, true, out);
    buf_text(out, is_calibration ? "。请校准后用 channel.calibrate 登记"
                                 : "。请续期后用 device.put 登记新日期");
}

void message_date(const struct incident *incident, enum alert_effect_kind kind,
                  bool is_zh, struct buf *out)
{
    assert(alert_kind_is_date(incident->kind));
    if (is_zh)
        put_zh(incident, kind, out);
    else
        put_en(incident, kind, out);
}
