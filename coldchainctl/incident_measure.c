// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/incident_measure.h"

#include <stdio.h>
#include <string.h>

#include "alerts/kind.h"
#include "coldchainctl/say.h"
#include "telemetry/quantity.h"

#define MINUTE_S 60.0

const char *incident_quantity(const json_t *incident)
{
    const char *name = show_text(incident, "quantity");
    int index = quantity_find(name);
    if (index < 0)
        return name;
    const struct quantity *quantity = quantity_at((size_t)index);
    return say_language() == SAY_ZH ? quantity->about_zh : quantity->about_en;
}

static bool is_behind_unit(const char *unit)
{
    return unit[0] == '\0' || unit[0] == '/' || unit[0] == ' ';
}

/* What stands behind the number: nothing behind a count. */
static void unit_of(const json_t *incident, char *text, size_t size)
{
    enum alert_kind kind;
    int index = quantity_find(show_text(incident, "quantity"));
    const char *own = index >= 0 ? quantity_at((size_t)index)->unit : "";
    text[0] = '\0';
    if (!alert_kind_parse(&kind, show_text(incident, "kind")))
        return;
    const char *unit = alert_kind_unit(kind);
    if (!is_behind_unit(unit))
        snprintf(text, size, "%s", strcmp(unit, "1") == 0 ? "" : unit);
    else if (unit[0] != '\0' && strcmp(own, "°C") == 0)
        snprintf(text, size, "K%s", unit);
    else
        snprintf(text, size, "%s%s", own, unit);
}

const char *incident_measure(char text[SHOW_SIZE], const json_t *incident,
                             const char *key)
{
    const json_t *value = json_object_get(incident, key);
    char unit[24];
    if (!json_is_number(value))
        return "-";
    unit_of(incident, unit, sizeof unit);
    double number = json_number_value(value);
    if (strcmp(unit, "s") == 0) {
        number /= MINUTE_S;
        snprintf(unit, sizeof unit, "min");
    }
    snprintf(text, SHOW_SIZE, "%.4g%s%s", number, unit[0] != '\0' ? " " : "", unit);
    return text;
}
