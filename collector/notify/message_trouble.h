// SPDX-License-Identifier: Apache-2.0
/*
 * message_trouble - what is said of trouble with the data itself, and what mends it.
 *
 * In English and in Chinese, a sentence and a remedy each, without the place in front.
 * Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_TROUBLE_H
#define COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_TROUBLE_H

#include "alerts/incident.h"
#include "base/buf.h"

/* Of an incident whose kind is a trouble. `is_zh`: in Chinese. */
void message_trouble(const struct incident *incident, enum alert_effect_kind kind,
                     bool is_zh, struct buf *out);

#endif
