// SPDX-License-Identifier: Apache-2.0
#include "net/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

int certificate_no_passphrase(char *text, int size, int is_writing, void *context)
{
    if (size > 0)
        text[0] = '\0';
    (void)is_writing;
    (void)context;
    return -1;
}

static int64_t time_of(const ASN1_TIME *when)
{
    struct tm tm = {0};
    return ASN1_TIME_to_tm(when, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

void certificate_describe(struct certificate *certificate, const void *x509)
{
    const X509 *x = x509;
    X509_NAME *name = X509_get_subject_name(x);
    int len = X509_NAME_get_text_by_NID(name, NID_commonName, certificate->subject,
                                        (int)sizeof certificate->subject);
    if (len <= 0)
        X509_NAME_oneline(name, certificate->subject, (int)sizeof certificate->subject);
    /* It is shown to people: a name must not steer their terminal. */
    for (char *at = certificate->subject; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    certificate->from_ms = time_of(X509_get0_notBefore(x));
    certificate->until_ms = time_of(X509_get0_notAfter(x));
}

static enum err open_file(FILE **file, const char *path, struct err_text *why)
{
    *file = fopen(path, "re");
    if (*file != NULL)
        return ERR_OK;
    int number = errno;
    return err_set(why, err_from_errno(number), "%s: %s", path, strerror(number));
}

enum err certificate_read(struct certificate *certificate, const char *path,
                          struct err_text *why)
{
    *certificate = (struct certificate){0};
    FILE *file;
    enum err err = open_file(&file, path, why);
    if (err != ERR_OK)
        return err;
    size_t count = 0;
    X509 *x509;
    while ((x509 = PEM_read_X509_AUX(file, NULL, certificate_no_passphrase, NULL)) !=
           NULL) {
        struct certificate one = {0};
        certificate_describe(&one, x509);
        if (count == 0 || one.until_ms < certificate->until_ms)
            *certificate = one;
        count++;
        X509_free(x509);
    }
    ERR_clear_error();
    fclose(file);
    certificate->count = count;
    return count > 0 ? ERR_OK
                     : err_set(why, ERR_INVALID, "%s holds no certificate (PEM)", path);
}

enum err certificate_check_key(const char *certificate_path, const char *key_path,
                               struct err_text *why)
{
    FILE *file;
    enum err err = open_file(&file, certificate_path, why);
    if (err != ERR_OK)
        return err;
    X509 *x509 = PEM_read_X509_AUX(file, NULL, certificate_no_passphrase, NULL);
    fclose(file);
    EVP_PKEY *key = NULL;
    err = open_file(&file, key_path, why);
    if (err == ERR_OK) {
        key = PEM_read_PrivateKey(file, NULL, certificate_no_passphrase, NULL);
        fclose(file);
        if (x509 == NULL)
            err = err_set(why, ERR_INVALID, "%s holds no certificate (PEM)",
                          certificate_path);
        else if (key == NULL)
            err = err_set(why, ERR_INVALID,
                          "%s holds no private key that can be read (PEM, without a "
                          "passphrase)",
                          key_path);
        else if (X509_check_private_key(x509, key) != 1)
            err = err_set(why, ERR_CONFLICT, "%s is not the key of %s", key_path,
                          certificate_path);
    }
    ERR_clear_error();
    EVP_PKEY_free(key);
    X509_free(x509);
    return err;
}
