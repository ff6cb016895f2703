// SPDX-License-Identifier: Apache-2.0
/* The zones' rules, as they come, in an engine that judges by them: whatever is read as
 * rules is judged by, in rooms that are warm and cold, and nothing of it ends the agent.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "edge-agent/verdict_rules.h"

#define T0 INT64_C(1790000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    (void)context;
    (void)kind;
    (void)incident;
}

static void judge(struct alerts *engine, const struct zone_rules *rules)
{
    static const char *const quantities[] = {"air_temperature", "humidity", "door"};
    const struct alert_sink sink = {.effect = on_effect};
    for (int64_t hour = 0; hour < 12; hour++)
        for (size_t i = 0; i < rules->zone_count; i++)
            for (size_t k = 0; k < sizeof quantities / sizeof quantities[0]; k++) {
                const struct alert_reading reading = {.zone = rules->zones[i].zone,
                                                      .device = "d",
                                                      .channel = quantities[k],
                                                      .quantity = quantities[k],
                                                      .time_ms = T0 + hour * 3600000,
                                                      .arrival_ms = T0 + hour * 3600000,
                                                      .value = hour < 6 ? 30 : -30};
                alerts_reading(engine, &reading, &sink);
            }
    alerts_tick(engine, T0 + INT64_C(86400000), &sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone_rules rules;
    struct zone_notes notes;
    struct verdict_spans spans = {0};
    struct err_text why = {""};
    size_t count;
    if (zone_rules_parse(&rules, data, size, &why) != ERR_OK)
        return 0;
    struct alerts *engine = alerts_create();
    struct alert_rule *made = verdict_rules(&rules, &notes, &count);
    if (alerts_set_rules(engine, made, count, T0, &why) != ERR_OK && why.text[0] == '\0')
        abort(); /* two of one name, say, are refused with a sentence */
    verdict_rooms(engine, &rules, &spans, T0);
    judge(engine, &rules);
    alerts_destroy(engine);
    verdict_spans_fini(&spans);
    zone_rules_fini(&rules);
    free(made);
    return 0;
}
