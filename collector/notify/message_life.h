// SPDX-License-Identifier: Apache-2.0
/*
 * message_life - of incidents of life_left: whose life it is, how many days it lasts, and
 * what limits it. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_LIFE_H
#define COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_LIFE_H

#include <stdbool.h>

#include "alerts/incident.h"
#include "base/buf.h"
#include "collector/pipeline/registry.h"

/* " (strawberry: 0.8 to 1.6 days at 0.0 °C), limited by ageing"; nothing for other kinds.
 * `zone` knows the goods' names; NULL: their ids. */
void message_life(const struct incident *incident, const struct registry_zone *zone,
                  bool is_zh, struct buf *out);

#endif
