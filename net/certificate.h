// SPDX-License-Identifier: Apache-2.0
/*
 * certificate - what stands in files of certificates and keys: for whoever looks after
 * them. With mqtt_probe.h the door to OpenSSL; Paho and libcurl do TLS themselves. Any
 * thread; a key with a passphrase is refused and nobody is asked for it.
 */
#ifndef COLDCHAIN_NET_CERTIFICATE_H
#define COLDCHAIN_NET_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct certificate {
    char subject[128]; /* its common name, else all of its name */
    int64_t from_ms;   /* valid from then ... */
    int64_t until_ms;  /* ... to then */
    size_t count;      /* how many stood in the file */
};

/*
 * The certificate of a PEM file that ends first. NOT_FOUND and DENIED: the file; INVALID:
 * it holds none that can be read.
 */
MUST_CHECK enum err certificate_read(struct certificate *certificate, const char *path,
                                     struct err_text *why);

/* CONFLICT: the key is that of another certificate. Other errors as above. */
MUST_CHECK enum err certificate_check_key(const char *certificate_path,
                                          const char *key_path, struct err_text *why);

/* For the other half of the door: a certificate as OpenSSL has it (X509 *). */
void certificate_describe(struct certificate *certificate, const void *x509);
/* A pem_password_cb that has none, so that nobody is asked at a terminal. */
int certificate_no_passphrase(char *text, int size, int is_writing, void *context);

#endif
