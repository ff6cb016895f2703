// SPDX-License-Identifier: Apache-2.0
/*
 * notify - tells systemd how it goes, as sd_notify(3) describes the protocol.
 *
 * Does nothing without $NOTIFY_SOCKET. The watchdog belongs to the loop: as long as it
 * turns, systemd hears of it; when it hangs, WatchdogSec= of the unit starts us again.
 */
#ifndef COLDCHAIN_BASE_NOTIFY_H
#define COLDCHAIN_BASE_NOTIFY_H

#include "base/loop.h"

void notify_ready(void);
void notify_stopping(void);

struct notify_watchdog;

/* NULL when the supervisor asks for none ($WATCHDOG_USEC, $WATCHDOG_PID). */
struct notify_watchdog *notify_watchdog_create(struct loop *loop);
/* Accepts NULL. */
void notify_watchdog_destroy(struct notify_watchdog *watchdog);

#endif
