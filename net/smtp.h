// SPDX-License-Identifier: Apache-2.0
/*
 * smtp - the door to libcurl for mail: one message to its receivers. Blocks.
 *
 * smtps:// speaks TLS from the first byte, smtp:// begins with STARTTLS and goes no
 * further without it; only a server on this machine (127.0.0.1, ::1, localhost) may do
 * without. Certificates are verified. Any thread.
 */
#ifndef COLDCHAIN_NET_SMTP_H
#define COLDCHAIN_NET_SMTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct smtp_message {
    const char *url;      /* smtp://host:587, smtps://host:465 */
    const char *username; /* NULL: without an account */
    const char *password;
    const char *ca_file; /* NULL: the system's store */
    const char *from;
    const char *const *to; /* addresses, NULL at the end */
    const char *data;      /* headers and body, lines ending with CR LF */
    size_t len;
    int64_t timeout_ms;
};

/*
 * OK: the server took it, for one receiver at least. OFFLINE, TIMEOUT; INVALID (URL, CA
 * file). `status` is the server's last reply (RFC 5321), 0 when it gave none.
 */
MUST_CHECK enum err smtp_send(const struct smtp_message *message, int *status,
                              struct err_text *why);

#endif
