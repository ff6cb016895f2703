// SPDX-License-Identifier: Apache-2.0
/*
 * quantity - the registry of what can be measured, from the table quantities.def.
 *
 * Pure, constant; any thread.
 */
#ifndef COLDCHAIN_TELEMETRY_QUANTITY_H
#define COLDCHAIN_TELEMETRY_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>

struct quantity {
    const char *name;
    const char *unit;       /* for people: "°C" */
    const char *senml_unit; /* RFC 8428 section 12.1, RFC 8798 section 3: "Cel" */
    double lowest;          /* a value outside is implausible, not impossible */
    double highest;
    const char *about_en;
    const char *about_zh;
};

size_t quantity_count(void);
/* Borrowed for ever; index < quantity_count(). */
const struct quantity *quantity_at(size_t index);
/* -1 when it is not registered. */
int quantity_find(const char *name);
bool quantity_is_plausible(const struct quantity *quantity, double value);

#endif
