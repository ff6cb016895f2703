// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/zone_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted survives being written and read again, to the byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone_rules rules;
    struct zone_rules again;
    struct err_text why = {""};
    struct buf text = {0};
    struct buf twice = {0};
    if (zone_rules_parse(&rules, data, size, &why) != ERR_OK) {
        if (why.text[0] == '\0' || rules.zones != NULL)
            abort();
        return 0;
    }
    zone_rules_format(&rules, &text);
    /* it may be longer than what was read: 1e1 is 10 */
    if (text.len <= ZONE_RULES_BYTES_MAX) {
        if (zone_rules_parse(&again, text.data, text.len, &why) != ERR_OK)
            abort();
        zone_rules_format(&again, &twice);
        if (twice.len != text.len || memcmp(twice.data, text.data, text.len) != 0)
            abort();
        zone_rules_fini(&again);
    }
    double low;
    double high;
    for (size_t i = 0; i < rules.zone_count; i++)
        if (zone_config_band(&rules.zones[i], "air_temperature", &low, &high) &&
            low != low)
            abort();
    zone_rules_zone(&rules, "air_temperature-2");
    zone_rules_fini(&rules);
    buf_fini(&text);
    buf_fini(&twice);
    return 0;
}
