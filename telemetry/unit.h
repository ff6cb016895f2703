// SPDX-License-Identifier: Apache-2.0
/*
 * unit - the unit names of SenML, and how a value changes from one to another.
 *
 * Primary units are those of RFC 8428 section 12.1 and RFC 8798 section 2; secondary ones
 * (mV, hPa, ppm, ...) those of RFC 8798 section 3 and the IANA registry "Secondary Units"
 * it opened. Two conversions between primary units are added: K and Cel, and the units
 * marked "not recommended" (g, l, l/s, 1/min, %) to those recommended instead.
 *
 * Mind that "%" is no percentage in SenML but another name of "/": 0.5 % is one half.
 * Percent is "/100". Pure, constant; any thread.
 */
#ifndef COLDCHAIN_TELEMETRY_UNIT_H
#define COLDCHAIN_TELEMETRY_UNIT_H

#include <stdbool.h>

/* value * multiply / divide + offset; whole factors, so that 230 mV is 0.23 V exactly. */
struct unit_change {
    double multiply;
    double divide;
    double offset;
};

/* The primary unit that `name` is measured in, itself for a primary one; NULL unknown. */
const char *unit_primary(const char *name);
/* True for a unit that a pack may only use when its bver says so (RFC 9100). */
bool unit_is_secondary(const char *name);

/* False, and *change untouched, when one is unknown or they measure different things. */
bool unit_change_find(struct unit_change *change, const char *from, const char *to);
/* Not a change at all: returns the very value it was given. */
bool unit_change_is_none(const struct unit_change *change);
double unit_apply(const struct unit_change *change, double value);

#endif
