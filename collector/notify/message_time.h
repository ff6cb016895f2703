// SPDX-License-Identifier: Apache-2.0
/*
 * message_time - times as they are told: by the clocks on the wall where it happens.
 *
 * "2026-11-27 05:40 UTC+8". Which zone of time that is, is said with the first of a
 * message and again when it changes, as it does twice a year. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_TIME_H
#define COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/tz.h"

#define MESSAGE_TIME_SIZE (2 * TZ_TEXT_MAX)

/* Of one message in one language. */
struct message_times {
    const struct tz *tz;
    bool is_zone_said;
    int32_t said_s; /* the offset that was */
};

const char *message_time(char text[MESSAGE_TIME_SIZE], struct message_times *times,
                         int64_t wall_ms);

#endif
