// SPDX-License-Identifier: Apache-2.0
/*
 * kind - what each kind of rule is like, in one table.
 */
#include <assert.h>
#include <stddef.h>

#include "alerts/rule.h"

enum trait {
    FIRES_ABOVE = 1u << 0,
    NEEDS_LIMIT = 1u << 1,
    TAKES_WINDOW = 1u << 2,
    IS_VALUE = 1u << 3,
    IS_SILENCE = 1u << 4,
    IS_TROUBLE = 1u << 5,
    IS_DATE = 1u << 6,
    IS_AVAILABLE = 1u << 7,
    IS_SUM = 1u << 8,
};

struct traits {
    unsigned bits;
    const char *unit;
};

static const struct traits kinds[ALERT_KIND_COUNT] = {
    [ALERT_ABOVE] = {FIRES_ABOVE | IS_VALUE | IS_AVAILABLE, ""},
    [ALERT_BELOW] = {IS_VALUE | IS_AVAILABLE, ""},
    [ALERT_SILENT] = {FIRES_ABOVE | IS_SILENCE | IS_AVAILABLE, "s"},
    [ALERT_SILENT_DEVICE] = {FIRES_ABOVE | IS_SILENCE | IS_AVAILABLE, "s"},
    [ALERT_FORK] = {IS_TROUBLE, "1"},
    [ALERT_TWINS] = {IS_TROUBLE, "1"},
    [ALERT_REGRESSED] = {IS_TROUBLE, "1"},
    [ALERT_LOST_PACKS] = {IS_TROUBLE, "1"},
    [ALERT_JOURNAL_DAMAGE] = {IS_TROUBLE, "1"},
    [ALERT_POISON] = {IS_TROUBLE, "1"},
    [ALERT_ALARM_PATH] = {IS_TROUBLE, "1"},
    [ALERT_CUMULATIVE_ABOVE] = {FIRES_ABOVE | NEEDS_LIMIT | TAKES_WINDOW | IS_SUM |
                                    IS_AVAILABLE,
                                "min"},
    [ALERT_CUMULATIVE_BELOW] = {FIRES_ABOVE | NEEDS_LIMIT | TAKES_WINDOW | IS_SUM |
                                    IS_AVAILABLE,
                                "min"},
    [ALERT_DOSE_ABOVE] = {FIRES_ABOVE | NEEDS_LIMIT | TAKES_WINDOW | IS_SUM |
                              IS_AVAILABLE,
                          " min"},
    [ALERT_DOSE_BELOW] = {FIRES_ABOVE | NEEDS_LIMIT | TAKES_WINDOW | IS_SUM |
                              IS_AVAILABLE,
                          " min"},
    [ALERT_RATE] = {FIRES_ABOVE | TAKES_WINDOW | IS_AVAILABLE, "/h"},
    [ALERT_PREDICTED] = {NEEDS_LIMIT | TAKES_WINDOW | IS_AVAILABLE, "min"},
    [ALERT_STEP] = {FIRES_ABOVE | TAKES_WINDOW | IS_AVAILABLE, ""},
    [ALERT_STUCK] = {FIRES_ABOVE | IS_AVAILABLE, "min"},
    [ALERT_DIVERGE] = {FIRES_ABOVE | IS_AVAILABLE, ""},
    [ALERT_IMPLAUSIBLE] = {FIRES_ABOVE | IS_AVAILABLE, ""},
    [ALERT_COOLING_FAILED] = {FIRES_ABOVE | IS_AVAILABLE, "min"},
    [ALERT_DOOR_OPEN] = {FIRES_ABOVE | IS_AVAILABLE, "min"},
    [ALERT_DEFROST_LONG] = {FIRES_ABOVE | IS_AVAILABLE, "min"},
    [ALERT_DEFROST_OFTEN] = {FIRES_ABOVE | TAKES_WINDOW | IS_AVAILABLE, "1"},
    [ALERT_DEFROST_MISSING] = {FIRES_ABOVE | TAKES_WINDOW | IS_AVAILABLE, "min"},
    [ALERT_NO_RECOVERY] = {FIRES_ABOVE | NEEDS_LIMIT | IS_AVAILABLE, "min"},
    [ALERT_CYCLING] = {FIRES_ABOVE | TAKES_WINDOW | IS_AVAILABLE, "1/h"},
    [ALERT_MAINS_LOST] = {FIRES_ABOVE | IS_AVAILABLE, "min"},
    [ALERT_CALIBRATION_DUE] = {IS_DATE, "d"},
    [ALERT_DATE_DUE] = {IS_DATE, "d"},
    [ALERT_GOODS_LEFT] = {FIRES_ABOVE | NEEDS_LIMIT | IS_AVAILABLE, "min"},
    [ALERT_LIFE_LEFT] = {IS_AVAILABLE, "%"},
    [ALERT_CLOCK_WRONG] = {IS_TROUBLE, "1"},
};

static bool has(enum alert_kind kind, unsigned trait)
{
    assert((size_t)kind < ALERT_KIND_COUNT);
    return (kinds[kind].bits & trait) != 0;
}

bool alert_kind_is_silence(enum alert_kind kind)
{
    return has(kind, IS_SILENCE);
}

bool alert_kind_is_trouble(enum alert_kind kind)
{
    return has(kind, IS_TROUBLE);
}

bool alert_kind_is_above(enum alert_kind kind)
{
    return has(kind, FIRES_ABOVE);
}

bool alert_kind_has_limit(enum alert_kind kind)
{
    return has(kind, NEEDS_LIMIT);
}

bool alert_kind_has_window(enum alert_kind kind)
{
    return has(kind, TAKES_WINDOW);
}

bool alert_kind_is_value(enum alert_kind kind)
{
    return has(kind, IS_VALUE);
}

bool alert_kind_is_sum(enum alert_kind kind)
{
    return has(kind, IS_SUM);
}

bool alert_kind_is_date(enum alert_kind kind)
{
    return has(kind, IS_DATE);
}

bool alert_kind_is_available(enum alert_kind kind)
{
    return has(kind, IS_AVAILABLE | IS_DATE); /* dates are the collector's own */
}

bool alert_kind_is_of_shapes(enum alert_kind kind)
{
    switch (kind) {
    case ALERT_COOLING_FAILED:
    case ALERT_NO_RECOVERY:
    case ALERT_DOOR_OPEN:
    case ALERT_DEFROST_LONG:
    case ALERT_DEFROST_OFTEN:
    case ALERT_DEFROST_MISSING:
        return true;
    default:
        return false;
    }
}

bool alert_kind_asks_goods(enum alert_kind kind, unsigned unless)
{
    const unsigned shapes = 1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_DEFROST;
    return kind == ALERT_MAINS_LOST || alert_kind_is_of_shapes(kind) ||
           (unless & shapes) != 0;
}

bool alert_kind_asks_band(enum alert_kind kind, unsigned unless)
{
    return kind == ALERT_PREDICTED || alert_kind_asks_goods(kind, unless);
}

const char *alert_kind_unit(enum alert_kind kind)
{
    assert((size_t)kind < ALERT_KIND_COUNT);
    return kinds[kind].unit;
}
