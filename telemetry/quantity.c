// SPDX-License-Identifier: Apache-2.0
#include "telemetry/quantity.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static const struct quantity quantities[] = {
#define X(name_, unit_, senml_unit_, lowest_, highest_, en, zh) \
    {.name = name_, \
     .unit = unit_, \
     .senml_unit = senml_unit_, \
     .lowest = lowest_, \
     .highest = highest_, \
     .about_en = en, \
     .about_zh = zh},
#include "telemetry/quantities.def"
#undef X
};

#define QUANTITY_COUNT (sizeof quantities / sizeof quantities[0])

static_assert(QUANTITY_COUNT < INT16_MAX, "struct channel holds the index in 16 bits");

size_t quantity_count(void)
{
    return QUANTITY_COUNT;
}

const struct quantity *quantity_at(size_t index)
{
    assert(index < QUANTITY_COUNT);
    return &quantities[index];
}

int quantity_find(const char *name)
{
    /* the first letter spares most calls: this runs once per channel of every pack */
    for (size_t i = 0; i < QUANTITY_COUNT; i++)
        if (quantities[i].name[0] == name[0] && strcmp(quantities[i].name, name) == 0)
            return (int)i;
    return -1;
}

bool quantity_is_plausible(const struct quantity *quantity, double value)
{
    /* false for NaN, too */
    return value >= quantity->lowest && value <= quantity->highest;
}
