// SPDX-License-Identifier: Apache-2.0
/*
 * notify - tells systemd how it goes, as sd_notify(3) describes the protocol.
 *
 * Does nothing without $NOTIFY_SOCKET.
 */
#ifndef COLDCHAIN_BASE_NOTIFY_H
#define COLDCHAIN_BASE_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

#endif
