// SPDX-License-Identifier: Apache-2.0
#include "telemetry/unit.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Value in the primary unit = value * multiply / divide + offset. */
struct unit {
    const char *name;
    const char *primary;
    double multiply;
    double divide;
    double offset;
    bool is_secondary;
};

#define PRIMARY(name_) \
    { \
        .name = name_, .primary = name_, .multiply = 1, .divide = 1 \
    }
/* A primary unit that is "not recommended", and the one to use instead. */
#define DISCOURAGED(name_, primary_, divide_) \
    { \
        .name = name_, .primary = primary_, .multiply = 1, .divide = divide_ \
    }
#define SECONDARY(name_, primary_, multiply_, divide_) \
    { \
        .name = name_, .primary = primary_, .multiply = multiply_, .divide = divide_, \
        .is_secondary = true \
    }

static const struct unit units[] = {
    PRIMARY("Cel"),
    PRIMARY("%RH"),
    PRIMARY("/"),
    PRIMARY("V"),
    PRIMARY("A"),
    PRIMARY("W"),
    PRIMARY("%EL"),
    PRIMARY("EL"),
    PRIMARY("lat"),
    PRIMARY("lon"),
    PRIMARY("m"),
    PRIMARY("kg"),
    PRIMARY("s"),
    {.name = "K", .primary = "Cel", .multiply = 1, .divide = 1, .offset = -273.15},
    PRIMARY("cd"),
    PRIMARY("mol"),
    PRIMARY("Hz"),
    PRIMARY("rad"),
    PRIMARY("sr"),
    PRIMARY("N"),
    PRIMARY("Pa"),
    PRIMARY("J"),
    PRIMARY("C"),
    PRIMARY("F"),
    PRIMARY("Ohm"),
    PRIMARY("S"),
    PRIMARY("Wb"),
    PRIMARY("T"),
    PRIMARY("H"),
    PRIMARY("lm"),
    PRIMARY("lx"),
    PRIMARY("Bq"),
    PRIMARY("Gy"),
    PRIMARY("Sv"),
    PRIMARY("kat"),
    PRIMARY("m2"),
    PRIMARY("m3"),
    PRIMARY("m/s"),
    PRIMARY("m/s2"),
    PRIMARY("m3/s"),
    PRIMARY("W/m2"),
    PRIMARY("cd/m2"),
    PRIMARY("bit"),
    PRIMARY("bit/s"),
    PRIMARY("pH"),
    PRIMARY("dB"),
    PRIMARY("dBW"),
    PRIMARY("Bspl"),
    PRIMARY("count"),
    PRIMARY("1/s"),
    PRIMARY("beat/min"),
    PRIMARY("beats"),
    PRIMARY("S/m"),
    PRIMARY("B"),
    PRIMARY("VA"),
    PRIMARY("VAs"),
    PRIMARY("var"),
    PRIMARY("vars"),
    PRIMARY("J/m"),
    PRIMARY("kg/m3"),
    PRIMARY("deg"),
    PRIMARY("NTU"),
    DISCOURAGED("%", "/", 1),
    DISCOURAGED("g", "kg", 1000),
    DISCOURAGED("l", "m3", 1000),
    DISCOURAGED("l/s", "m3/s", 1000),
    DISCOURAGED("1/min", "1/s", 60),
    SECONDARY("ms", "s", 1, 1000),
    SECONDARY("min", "s", 60, 1),
    SECONDARY("h", "s", 3600, 1),
    SECONDARY("MHz", "Hz", 1e6, 1),
    SECONDARY("kW", "W", 1000, 1),
    SECONDARY("kVA", "VA", 1000, 1),
    SECONDARY("kvar", "var", 1000, 1),
    SECONDARY("Ah", "C", 3600, 1),
    SECONDARY("Wh", "J", 3600, 1),
    SECONDARY("kWh", "J", 3.6e6, 1),
    SECONDARY("varh", "vars", 3600, 1),
    SECONDARY("kvarh", "vars", 3.6e6, 1),
    SECONDARY("VAh", "VAs", 3600, 1),
    SECONDARY("kVAh", "VAs", 3.6e6, 1),
    SECONDARY("Wh/km", "J/m", 36, 10),
    SECONDARY("KiB", "B", 1024, 1),
    SECONDARY("GB", "B", 1e9, 1),
    SECONDARY("Mbit/s", "bit/s", 1e6, 1),
    SECONDARY("B/s", "bit/s", 8, 1),
    SECONDARY("MB/s", "bit/s", 8e6, 1),
    SECONDARY("mV", "V", 1, 1000),
    SECONDARY("mA", "A", 1, 1000),
    {.name = "dBm",
     .primary = "dBW",
     .multiply = 1,
     .divide = 1,
     .offset = -30,
     .is_secondary = true},
    SECONDARY("ug/m3", "kg/m3", 1, 1e9),
    SECONDARY("mg/l", "kg/m3", 1, 1000),
    SECONDARY("ug/l", "kg/m3", 1, 1e6),
    SECONDARY("g/l", "kg/m3", 1, 1),
    SECONDARY("mm/h", "m/s", 1, 3.6e6),
    SECONDARY("m/h", "m/s", 1, 3600),
    SECONDARY("km/h", "m/s", 10, 36),
    SECONDARY("ppm", "/", 1, 1e6),
    SECONDARY("ppb", "/", 1, 1e9),
    SECONDARY("ppt", "/", 1, 1e12),
    SECONDARY("/100", "/", 1, 100),
    SECONDARY("/1000", "/", 1, 1000),
    SECONDARY("hPa", "Pa", 100, 1),
    SECONDARY("mm", "m", 1, 1000),
    SECONDARY("cm", "m", 1, 100),
    SECONDARY("km", "m", 1000, 1),
};

static const struct unit *find(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].name[0] == name[0] && strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

const char *unit_primary(const char *name)
{
    const struct unit *unit = find(name);
    return unit != NULL ? unit->primary : NULL;
}

bool unit_is_secondary(const char *name)
{
    const struct unit *unit = find(name);
    return unit != NULL && unit->is_secondary;
}

bool unit_change_find(struct unit_change *change, const char *from, const char *to)
{
    const struct unit *source = find(from);
    const struct unit *target = strcmp(from, to) == 0 ? source : find(to);
    if (source == NULL || target == NULL || strcmp(source->primary, target->primary) != 0)
        return false;
    if (source == target) {
        *change = (struct unit_change){.multiply = 1, .divide = 1};
        return true;
    }
    /* no unit of the table has both a scale and an offset, nor do two of one family */
    assert((source->offset == 0 && target->offset == 0) ||
           (source->multiply == source->divide && target->multiply == target->divide));
    *change = (struct unit_change){
        .multiply = source->multiply * target->divide,
        .divide = source->divide * target->multiply,
        .offset = source->offset - target->offset,
    };
    return true;
}

bool unit_change_is_none(const struct unit_change *change)
{
    return change->multiply == change->divide && change->offset == 0;
}

double unit_apply(const struct unit_change *change, double value)
{
    if (unit_change_is_none(change))
        return value;
    return value * change->multiply / change->divide + change->offset;
}
