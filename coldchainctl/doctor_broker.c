// SPDX-License-Identifier: Apache-2.0
/*
 * The broker: whether it answers, whom it lets in, what they may do.
 *
 * The collector's login is tried only while no collector is at work: a second connection
 * of the same name would end the first one. A stranger's is made up, and must be refused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "coldchainctl/doctor.h"
#include "net/mqtt_probe.h"
#include "telemetry/reading.h"

#define SOON_MS (21 * DOCTOR_DAY_MS)

static const char check_broker[] =
    "see that the broker runs (systemctl status mosquitto), that mqtt.uri names it, and "
    "that no firewall is between";

/* A name that nobody has. */
static void make_name(char name[ID_SIZE])
{
    uint8_t bytes[6];
    char hex[2 * sizeof bytes + 1];
    crypto_random(bytes, sizeof bytes);
    snprintf(name, ID_SIZE, "doctor-%s", crypto_hex(hex, bytes, sizeof bytes));
}

static enum err open_probe(const struct doctor *doctor, struct mqtt_probe **probe,
                           struct certificate *peer, struct err_text *why)
{
    const struct settings *settings = doctor->settings;
    const struct mqtt_probe_options options = {
        .uri = settings->mqtt.uri,
        .ca_file = settings->mqtt.ca_file,
        .cert_file = settings->mqtt.cert_file,
        .key_file = settings->mqtt.key_file,
        .timeout_ms = doctor->timeout_ms,
    };
    return mqtt_probe_open(probe, &options, peer, why);
}

static void say_peer(struct doctor *doctor, const struct certificate *peer)
{
    char left[32];
    int64_t left_ms = peer->until_ms - doctor->now_ms;
    if (peer->count == 0)
        return;
    if (left_ms < 0)
        doctor_say(doctor, DOCTOR_PROBLEM, "broker",
                   "give the broker a new certificate and let it read it (systemctl "
                   "reload mosquitto)",
                   "its certificate '%s' ended %s ago", peer->subject,
                   doctor_span(doctor, left, -left_ms));
    else
        doctor_say(doctor, left_ms < SOON_MS ? DOCTOR_WARNING : DOCTOR_OK, "broker",
                   left_ms < SOON_MS ? "renew it before agents stay outside" : NULL,
                   "its certificate '%s' is good for %s", peer->subject,
                   doctor_span(doctor, left, left_ms));
}

/* What the collector says, which is inside already. */
static void say_connected(struct doctor *doctor)
{
    bool is_connected = json_is_true(json_object_get(doctor->status, "connected"));
    doctor_say(doctor, is_connected ? DOCTOR_OK : DOCTOR_PROBLEM, "broker",
               is_connected ? NULL : check_broker,
               is_connected ? "the collector is connected and logged in"
                            : "the collector is not connected");
}

/* ---- what the collector may do -------------------------------------------------------
 */

static void say_refused(struct doctor *doctor, bool is_publish, const char *topic,
                        const struct err_text *why)
{
    doctor_say(doctor, DOCTOR_PROBLEM, "access",
               "compare the broker's rules with what 'coldchainctl broker acl' prints",
               is_publish ? "the collector may not publish to %s: %s"
                          : "the collector may not subscribe to %s: %s",
               topic, why->text);
}

static bool may_subscribe(struct doctor *doctor, struct mqtt_probe *probe)
{
    static const char *const filters[] = {"coldchain/v1/+/+/readings/+/+",
                                          "coldchain/v1/+/+/hello",
                                          "coldchain/v1/+/+/status"};
    struct err_text why = {""};
    bool may = true;
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (mqtt_probe_subscribe(probe, filters[i], &why) == ERR_OK)
            continue;
        say_refused(doctor, false, filters[i], &why);
        may = false;
    }
    return may;
}

/* To a device that nobody has, so that nobody is told anything. */
static bool may_publish(struct doctor *doctor, struct mqtt_probe *probe)
{
    static const char *const kinds[] = {"ack", "command", "config"};
    struct err_text why = {""};
    char device[ID_SIZE];
    char topic[256];
    bool may = true;
    make_name(device);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        snprintf(topic, sizeof topic, "coldchain/v1/%s/%s/%s", doctor->settings->org,
                 device, kinds[i]);
        if (mqtt_probe_publish(probe, topic, &why) == ERR_OK)
            continue;
        say_refused(doctor, true, topic, &why);
        may = false;
    }
    return may;
}

/* A topic that is nobody's, and that nobody listens to. */
static void look_limits(struct doctor *doctor, struct mqtt_probe *probe)
{
    struct err_text why = {""};
    char topic[256];
    char name[ID_SIZE];
    make_name(name);
    snprintf(topic, sizeof topic, "coldchain/v1/%s/%s/nothing", doctor->settings->org,
             name);
    if (mqtt_probe_publish(probe, topic, &why) == ERR_OK)
        doctor_say(
            doctor, DOCTOR_WARNING, "access",
            "put 'acl_file' into the broker's configuration ('coldchainctl broker "
            "config' and 'broker acl' print both): a device could write as another",
            "the broker lets the collector's user write anything");
}

static void look_login(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;
    const struct mqtt_login login = {
        .client_id = settings->mqtt.client_id,
        .username = settings->mqtt.username,
        .password = settings->mqtt.password,
        .session_expiry_s = (uint32_t)(settings->mqtt.session_expiry_ms / 1000),
    };
    struct mqtt_probe *probe;
    struct certificate peer;
    struct err_text why = {""};
    enum err err = open_probe(doctor, &probe, &peer, &why);
    if (err == ERR_OK)
        err = mqtt_probe_login(probe, &login, &why);
    if (err == ERR_UNSUPPORTED) {
        doctor_say(doctor, DOCTOR_WARNING, "broker",
                   "use mosquitto 2 or another broker that speaks MQTT 5", "%s",
                   why.text);
    } else if (err != ERR_OK) {
        doctor_say(doctor, DOCTOR_PROBLEM, "broker",
                   "compare mqtt.username and mqtt.password with the broker's password "
                   "file (mosquitto_passwd)",
                   "it does not let the collector in: %s", why.text);
    } else {
        doctor_say(doctor, DOCTOR_OK, "broker", NULL, "it lets the collector in");
        bool may = may_subscribe(doctor, probe);
        if (may_publish(doctor, probe) && may)
            doctor_say(doctor, DOCTOR_OK, "access", NULL,
                       "the collector may subscribe and publish what it needs");
        look_limits(doctor, probe);
        mqtt_probe_leave(probe);
    }
    mqtt_probe_close(probe);
}

/* ---- what others may do --------------------------------------------------------------
 */

static void look_stranger(struct doctor *doctor, bool has_name)
{
    char name[ID_SIZE];
    struct mqtt_probe *probe;
    struct certificate peer;
    struct err_text why = {""};
    make_name(name);
    const struct mqtt_login login = {
        .client_id = name,
        .username = has_name ? name : NULL,
        .password = has_name ? name : NULL,
        .clean_start = true,
    };
    if (open_probe(doctor, &probe, &peer, &why) != ERR_OK)
        return; /* told before */
    enum err err = mqtt_probe_login(probe, &login, &why);
    if (err == ERR_OK)
        doctor_say(doctor, DOCTOR_PROBLEM, "access",
                   "put 'allow_anonymous false' and 'password_file' into the broker's "
                   "configuration; 'coldchainctl broker config' prints one",
                   has_name ? "the broker lets in a name that nobody has"
                            : "the broker lets in who gives no name");
    else if (err == ERR_DENIED)
        doctor_say(doctor, DOCTOR_OK, "access", NULL,
                   has_name ? "a name that nobody has is refused"
                            : "who gives no name is refused");
    if (err == ERR_OK)
        mqtt_probe_leave(probe);
    mqtt_probe_close(probe);
}

static void look_reach(struct doctor *doctor, enum err err,
                       const struct certificate *peer, const struct err_text *why)
{
    const struct settings *settings = doctor->settings;
    bool is_plain = strncmp(settings->mqtt.uri, "mqtt:", 5) == 0;
    bool is_here = strstr(settings->mqtt.uri, "//127.") != NULL ||
                   strstr(settings->mqtt.uri, "//localhost") != NULL ||
                   strstr(settings->mqtt.uri, "//[::1]") != NULL;
    if (err == ERR_DENIED)
        doctor_say(doctor, DOCTOR_PROBLEM, "broker",
                   "see mqtt.ca_file and the broker's certificate: who signed it, for "
                   "which name, until when",
                   "%s", why->text);
    else if (err != ERR_OK)
        doctor_say(doctor, DOCTOR_PROBLEM, "broker", check_broker,
                   "%s is not reached: %s", settings->mqtt.uri, why->text);
    else if (is_plain && !is_here)
        doctor_say(doctor, DOCTOR_WARNING, "broker",
                   "use mqtts:// and give the broker a certificate: passwords and "
                   "readings travel in the clear",
                   "%s answers, without TLS", settings->mqtt.uri);
    else
        doctor_say(doctor, DOCTOR_OK, "broker", NULL,
                   is_plain ? "%s answers" : "%s answers, with TLS", settings->mqtt.uri);
    say_peer(doctor, peer);
}

void doctor_look_broker(struct doctor *doctor)
{
    struct mqtt_probe *probe;
    struct certificate peer;
    struct err_text why = {""};
    if (doctor->is_answering)
        say_connected(doctor);
    if (doctor->settings == NULL)
        return;
    enum err err = open_probe(doctor, &probe, &peer, &why);
    look_reach(doctor, err, &peer, &why);
    mqtt_probe_close(probe);
    if (err != ERR_OK)
        return;
    bool is_inside = doctor->is_answering &&
                     json_is_true(json_object_get(doctor->status, "connected"));
    bool is_unseen = doctor->is_running && !doctor->is_answering;
    if (is_unseen)
        doctor_say(doctor, DOCTOR_OK, "broker", NULL,
                   "the collector's login was not tried: a collector is at work, and a "
                   "second connection would end its own");
    else if (!is_inside)
        look_login(doctor);
    look_stranger(doctor, false);
    look_stranger(doctor, true);
}
