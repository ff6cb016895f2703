// SPDX-License-Identifier: Apache-2.0
#include "collector/api/tls.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "collector/api/tls_pair.h"

#define FILE_MAX (256u << 10)

struct tls {
    char *cert_file;
    char *key_file;

    /* shared, under lock */
    pthread_mutex_t lock;
    struct tls_pair *newest; /* the others may be of connections that are open */
};

static void pair_destroy(struct tls_pair *pair)
{
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_pcert_deinit(&pair->chain[i]);
    gnutls_privkey_deinit(pair->key);
    free(pair);
}

static gnutls_datum_t datum_of(const struct buf *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)text->data,
                            .size = (unsigned)text->len};
}

static enum err read_chain(struct tls_pair *pair, const char *path, struct err_text *why)
{
    struct buf text = {0};
    enum err err = file_read(&text, path, FILE_MAX, why);
    if (err == ERR_OK) {
        gnutls_datum_t data = datum_of(&text);
        unsigned count = TLS_CHAIN_MAX;
        int code = gnutls_pcert_list_import_x509_raw(pair->chain, &count, &data,
                                                     GNUTLS_X509_FMT_PEM, 0);
        if (code == GNUTLS_E_SHORT_MEMORY_BUFFER)
            err = err_set(why, ERR_LIMIT,
                          "%.200s holds more than %d certificates; leave those that "
                          "lead from the server's to its authority",
                          path, TLS_CHAIN_MAX);
        else if (code < 0)
            err = err_set(why, ERR_INVALID,
                          "%.200s holds no certificate that can be read (%s); it wants "
                          "PEM, -----BEGIN CERTIFICATE-----",
                          path, gnutls_strerror(code));
        else
            pair->count = count;
    }
    buf_fini(&text);
    return err;
}

static enum err read_key(struct tls_pair *pair, const char *path, struct err_text *why)
{
    struct buf text = {0};
    enum err err = file_read(&text, path, FILE_MAX, why);
    if (err == ERR_OK) {
        gnutls_datum_t data = datum_of(&text);
        int code = gnutls_privkey_import_x509_raw(pair->key, &data, GNUTLS_X509_FMT_PEM,
                                                  NULL, 0);
        if (code < 0)
            err = err_set(why, ERR_INVALID,
                          "%.200s holds no key that can be read (%s); it wants PEM "
                          "without a passphrase: openssl pkey -in OLD -out NEW",
                          path, gnutls_strerror(code));
    }
    if (text.data != NULL)
        crypto_wipe(text.data, text.len);
    buf_fini(&text);
    return err;
}

#define KEY_ID_BYTES 64

static bool key_id(gnutls_pubkey_t key, unsigned char id[KEY_ID_BYTES], size_t *len)
{
    *len = KEY_ID_BYTES;
    return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, len) >= 0;
}

static bool belong_together(const struct tls_pair *pair)
{
    unsigned char ids[2][KEY_ID_BYTES];
    size_t lens[2];
    gnutls_pubkey_t own = NULL;
    bool is_same = gnutls_pubkey_init(&own) >= 0 &&
                   gnutls_pubkey_import_privkey(own, pair->key, 0, 0) >= 0 &&
                   key_id(own, ids[0], &lens[0]) &&
                   key_id(pair->chain[0].pubkey, ids[1], &lens[1]) &&
                   lens[0] == lens[1] && memcmp(ids[0], ids[1], lens[0]) == 0;
    gnutls_pubkey_deinit(own);
    return is_same;
}

static int64_t expiry_of(gnutls_pcert_st *certificate)
{
    gnutls_x509_crt_t crt = NULL;
    time_t end = (time_t)-1;
    if (gnutls_pcert_export_x509(certificate, &crt) >= 0)
        end = gnutls_x509_crt_get_expiration_time(crt);
    gnutls_x509_crt_deinit(crt);
    return end == (time_t)-1 ? INT64_MAX : (int64_t)end * 1000;
}

static enum err pair_read(struct tls_pair **result, const char *cert_file,
                          const char *key_file, struct err_text *why)
{
    struct tls_pair *pair = mem_alloc(sizeof *pair);
    enum err err = gnutls_privkey_init(&pair->key) < 0
                       ? err_set(why, ERR_IO, "GnuTLS has no room for a key")
                       : ERR_OK;
    if (err == ERR_OK)
        err = read_chain(pair, cert_file, why);
    if (err == ERR_OK)
        err = read_key(pair, key_file, why);
    if (err == ERR_OK && !belong_together(pair))
        err = err_set(why, ERR_INVALID,
                      "the key in %.100s is not that of the certificate in %.100s; the "
                      "server's own certificate stands first in its file",
                      key_file, cert_file);
    if (err == ERR_OK) {
        pair->expires_ms = expiry_of(&pair->chain[0]);
    } else {
        pair_destroy(pair);
        pair = NULL;
    }
    *result = pair;
    return err;
}

enum err tls_check(const char *cert_file, const char *key_file, struct err_text *why)
{
    struct tls_pair *pair;
    enum err err = pair_read(&pair, cert_file, key_file, why);
    if (pair != NULL)
        pair_destroy(pair);
    return err;
}

enum err tls_open(struct tls **result, const char *cert_file, const char *key_file,
                  struct err_text *why)
{
    struct tls_pair *pair;
    struct tls *tls = NULL;
    enum err err = pair_read(&pair, cert_file, key_file, why);
    if (err == ERR_OK) {
        tls = mem_alloc(sizeof *tls);
        pthread_mutex_init(&tls->lock, NULL);
        tls->cert_file = mem_strdup(cert_file);
        tls->key_file = mem_strdup(key_file);
        tls->newest = pair;
    }
    *result = tls;
    return err;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    while (tls->newest != NULL) {
        struct tls_pair *pair = tls->newest;
        tls->newest = pair->older;
        pair_destroy(pair);
    }
    pthread_mutex_destroy(&tls->lock);
    free(tls->cert_file);
    free(tls->key_file);
    free(tls);
}

enum err tls_reload(struct tls *tls, struct err_text *why)
{
    struct tls_pair *pair;
    enum err err = pair_read(&pair, tls->cert_file, tls->key_file, why);
    if (err != ERR_OK)
        return err;
    pthread_mutex_lock(&tls->lock);
    pair->older = tls->newest;
    tls->newest = pair;
    pthread_mutex_unlock(&tls->lock);
    return ERR_OK;
}

struct tls_pair *tls_newest(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    struct tls_pair *pair = tls->newest;
    pthread_mutex_unlock(&tls->lock);
    return pair;
}

int64_t tls_expires_ms(struct tls *tls)
{
    return tls_newest(tls)->expires_ms;
}
