// SPDX-License-Identifier: Apache-2.0
/* message_harm - how long the goods bear it: a part of message. */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_HARM_H
#define COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_HARM_H

#include <jansson.h>

#include "alerts/incident.h"
#include "base/buf.h"
#include "collector/notify/message_time.h"
#include "collector/notify/words.h"

/*
 * How long until harm, which stands before what to check; `times` says when that was so
 * where it was long before told_ms. Nothing of what is over.
 */
void message_harm_say(const struct incident *incident, enum words_language language,
                      struct message_times *times, int64_t told_ms, struct buf *out);
/* The goods and their band, which stand behind. */
void message_harm_detail(const struct incident *incident, enum words_language language,
                         struct buf *out);

/* For machines; null when nothing is said. A new reference. */
json_t *message_harm_json(const struct harm *harm);

#endif
