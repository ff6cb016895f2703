// SPDX-License-Identifier: Apache-2.0
/*
 * The files of the configuration that prove who somebody is: certificates, keys, secrets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "coldchainctl/doctor.h"
#include "net/certificate.h"

#define SOON_MS (21 * DOCTOR_DAY_MS)

/* Roots of a distribution's bundle end now and then; nobody is to act on those. */
#define BUNDLE_COUNT 20

static void look_certificate(struct doctor *doctor, const char *what, const char *path)
{
    static const char area[] = "certificates";
    struct certificate found;
    struct err_text why = {""};
    char span[32];
    enum err err = certificate_read(&found, path, &why);
    int64_t left_ms = found.until_ms - doctor->now_ms;
    if (err != ERR_OK)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "correct the path, or let the collector's user read the file",
                   "%s: %s", what, why.text);
    else if (found.count > BUNDLE_COUNT)
        doctor_say(doctor, DOCTOR_OK, area, NULL, "%s: %s holds %zu certificates", what,
                   path, found.count);
    else if (left_ms < 0)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "put a new certificate there, then restart the collector",
                   "%s: '%s' in %s ended %s ago", what, found.subject, path,
                   doctor_span(doctor, span, -left_ms));
    else if (found.from_ms > doctor->now_ms)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "see this machine's clock; else wait, or take another certificate",
                   "%s: '%s' in %s is good only in %s", what, found.subject, path,
                   doctor_span(doctor, span, found.from_ms - doctor->now_ms));
    else
        doctor_say(doctor, left_ms < SOON_MS ? DOCTOR_WARNING : DOCTOR_OK, area,
                   left_ms < SOON_MS ? "renew it, then restart the collector" : NULL,
                   "%s: '%s' is good for %s", what, found.subject,
                   doctor_span(doctor, span, left_ms));
}

/* Only its owner and its group may read it, only its owner write it. */
static void look_secret(struct doctor *doctor, const char *what, const char *path)
{
    static const char area[] = "certificates";
    struct stat found;
    if (stat(path, &found) != 0)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "correct the path, or let the collector's user read the file",
                   "%s: %s: %s", what, path, strerror(errno));
    else if ((found.st_mode & S_IRWXO) != 0)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "take it from others (chmod o= FILE); who read it may still use it: "
                   "make a new one",
                   "%s: everybody on this machine can read %s (mode %04o)", what, path,
                   (unsigned)(found.st_mode & 07777));
    else if ((found.st_mode & S_IWGRP) != 0)
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "let its owner alone write it (chmod "
                   "g-w FILE)",
                   "%s: its group can replace %s (mode %04o)", what, path,
                   (unsigned)(found.st_mode & 07777));
    else
        doctor_say(doctor, DOCTOR_OK, area, NULL, "%s: nobody else can read %s", what,
                   path);
}

/* What the settings call a certificate and its key; either may be NULL. */
struct pair {
    const char *cert_name;
    const char *cert_file;
    const char *key_name;
    const char *key_file;
};

static void look_pair(struct doctor *doctor, const struct pair *pair)
{
    struct err_text why = {""};
    if (pair->cert_file != NULL)
        look_certificate(doctor, pair->cert_name, pair->cert_file);
    if (pair->key_file != NULL)
        look_secret(doctor, pair->key_name, pair->key_file);
    if (pair->cert_file == NULL || pair->key_file == NULL)
        return;
    enum err err = certificate_check_key(pair->cert_file, pair->key_file, &why);
    if (err == ERR_OK)
        doctor_say(doctor, DOCTOR_OK, "certificates", NULL, "%s is the key of %s",
                   pair->key_name, pair->cert_name);
    else
        doctor_say(doctor, DOCTOR_PROBLEM, "certificates",
                   "certificate and key must be of the same pair", "%s: %s",
                   pair->key_name, why.text);
}

static void look_token(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;
    struct stat found;
    char *path = settings->api.token_file != NULL
                     ? mem_strdup(settings->api.token_file)
                     : mem_format("%s/api.token", settings->data_dir);
    if (stat(path, &found) == 0) /* who wants none left has removed it */
        look_secret(doctor, "api.token_file", path);
    free(path);
}

void doctor_look_certificates(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;
    if (settings == NULL)
        return;
    if (settings->mqtt.ca_file != NULL)
        look_certificate(doctor, "mqtt.ca_file", settings->mqtt.ca_file);
    const struct pair pairs[] = {
        {"mqtt.cert_file", settings->mqtt.cert_file, "mqtt.key_file",
         settings->mqtt.key_file},
        {"api.cert_file", settings->api.cert_file, "api.key_file",
         settings->api.key_file},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        look_pair(doctor, &pairs[i]);
    if (settings->influx.ca_file != NULL)
        look_certificate(doctor, "influx.ca_file", settings->influx.ca_file);
    for (size_t i = 0; i < settings->webhook_count; i++)
        if (settings->webhooks[i].ca_file != NULL)
            look_certificate(doctor, settings->webhooks[i].name,
                             settings->webhooks[i].ca_file);
    for (size_t i = 0; i < settings->channel_count; i++)
        if (settings->channels[i].ca_file != NULL)
            look_certificate(doctor, settings->channels[i].name,
                             settings->channels[i].ca_file);
    look_token(doctor);
}
