// SPDX-License-Identifier: Apache-2.0
/*
 * tls - the API's certificate and key: the door to GnuTLS, which libmicrohttpd speaks.
 *
 * A certificate that was renewed is read again without a restart: connections that are
 * open keep the one they began with. Any thread may take a pair while another one loads.
 */
#ifndef COLDCHAIN_COLLECTOR_API_TLS_H
#define COLDCHAIN_COLLECTOR_API_TLS_H

#include <stdint.h>

#include "base/err.h"

/* TLS 1.2 and 1.3 only: every browser and phone of the last ten years. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls;
/* A certificate, those between it and its authority, and its key. */
struct tls_pair;

/*
 * Reads both files (PEM; the server's own certificate first, the key without a
 * passphrase) and holds them together. `why` names the file and what to do: DENIED,
 * NOT_FOUND, ... when it cannot be read, INVALID for what it holds.
 */
MUST_CHECK enum err tls_open(struct tls **tls, const char *cert_file,
                             const char *key_file, struct err_text *why);
/* No connection is left. Accepts NULL. */
void tls_close(struct tls *tls);
/* What tls_open() would say, for the check of a configuration. */
MUST_CHECK enum err tls_check(const char *cert_file, const char *key_file,
                              struct err_text *why);
/* Reads the files again; on failure the pair that was there stays in use. */
MUST_CHECK enum err tls_reload(struct tls *tls, struct err_text *why);
/* Wall time at which the newest pair's own certificate expires, in ms. */
int64_t tls_expires_ms(struct tls *tls);
/* The newest pair; it stays until tls_close(). */
struct tls_pair *tls_newest(struct tls *tls);

#endif
