// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/channel_unit.h"

#include <stddef.h>

#include "telemetry/channel.h"
#include "telemetry/quantity.h"
#include "telemetry/unit.h"

enum err channel_unit(double *value, const char *unit, const char *channel,
                      struct err_text *why)
{
    struct channel parsed;
    struct unit_change change;
    if (unit[0] == '\0')
        return ERR_OK;
    if (channel_parse(&parsed, channel) != ERR_OK)
        return err_set(why, ERR_INVALID, "'%s' is no name of a channel", channel);
    const char *wanted = parsed.registered >= 0
                             ? quantity_at((size_t)parsed.registered)->senml_unit
                             : unit_primary(unit);
    if (wanted == NULL || !unit_change_find(&change, unit, wanted))
        return err_set(why, ERR_INVALID, "it is measured in %s and the channel is in %s",
                       unit, wanted != NULL ? wanted : "no unit that is known");
    *value = unit_apply(&change, *value);
    return ERR_OK;
}
