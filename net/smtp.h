// SPDX-License-Identifier: Apache-2.0
/*
 * smtp - the door to libcurl for mail: one message to its receivers, or a look at the
 * server without one. Blocks.
 *
 * smtps:// speaks TLS from the first byte, smtp:// begins with STARTTLS and goes no
 * further without it; only a server on this machine (127.0.0.1, ::1, localhost) may do
 * without. Certificates are verified. Any thread.
 */
#ifndef COLDCHAIN_NET_SMTP_H
#define COLDCHAIN_NET_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SMTP_REFUSED "refused " /* the receivers whom a mail that went did not reach */

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
 * OK: the server took it, for one receiver at least; `why` then says for whom it did not,
 * and with what reply, and is "" when it did for all. OFFLINE, TIMEOUT; INVALID (URL, CA
 * file). `status` is the server's last reply (RFC 5321), 0 when it gave none.
 */
MUST_CHECK enum err smtp_send(const struct smtp_message *message, int *status,
                              struct err_text *why);

/* Where a look at a server came to its end. */
enum smtp_trouble {
    SMTP_IN_ORDER,
    SMTP_NO_HOST,     /* the name is not known */
    SMTP_NO_ANSWER,   /* refused, or silent */
    SMTP_SILENT,      /* it was reached, and says nothing: it waits for TLS, say */
    SMTP_NO_TLS,      /* it offers none, or another than ours */
    SMTP_UNTRUSTED,   /* its certificate; or ours to check it by cannot be read */
    SMTP_NO_LOGIN,    /* refused, or by no way that we know */
    SMTP_OTHER_REPLY, /* what it says is not what a mail server says */
};

struct smtp_look {
    enum smtp_trouble trouble;
    bool is_encrypted;
    bool is_logged_in; /* false, too, when it offers no login: mail would go without */
};

/*
 * Connects, begins TLS, logs in as smtp_send() would, and leaves; no mail is begun. Only
 * the message's url, account, ca_file and timeout are looked at. Errors as above; `look`
 * says what they are about.
 */
MUST_CHECK enum err smtp_look(const struct smtp_message *message, struct smtp_look *look,
                              struct err_text *why);

#endif
