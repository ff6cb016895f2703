// SPDX-License-Identifier: Apache-2.0
/*
 * tls_pair - a certificate with its key as GnuTLS holds them, for tls.c and for who hands
 * them to a connection.
 */
#ifndef COLDCHAIN_COLLECTOR_API_TLS_PAIR_H
#define COLDCHAIN_COLLECTOR_API_TLS_PAIR_H

#include <stdint.h>

#include <gnutls/abstract.h>

#define TLS_CHAIN_MAX 8

struct tls_pair {
    struct tls_pair *older;
    gnutls_pcert_st chain[TLS_CHAIN_MAX]; /* the server's own first */
    unsigned count;
    gnutls_privkey_t key;
    int64_t expires_ms; /* of the first; INT64_MAX: it does not say */
};

#endif
