// SPDX-License-Identifier: Apache-2.0
/*
 * message_date - what is said of a day on which something falls due.
 *
 * In English and in Chinese, a sentence and what to do, without the place in front. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_DATE_H
#define COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_DATE_H

#include "alerts/incident.h"
#include "base/buf.h"

/* Of an incident of a kind of dates. `is_zh`: in Chinese. */
void message_date(const struct incident *incident, enum alert_effect_kind kind,
                  bool is_zh, struct buf *out);

#endif
