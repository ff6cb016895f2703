// SPDX-License-Identifier: Apache-2.0
/*
 * The channels that people are told over: whether they work, can ring now, have messages
 * left; and what of their settings keeps them from it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "coldchainctl/doctor.h"
#include "coldchainctl/show.h"
#include "net/smtp.h"

static const char area[] = "alarms";

#define TODO_CERTIFICATE \
    "see 'ca_file' of the channel, the receiver's certificate and this machine's clock; " \
    "then coldchainctl channel test NAME"
#define TODO_TLS \
    "see that the address speaks TLS on that port (smtp:// with STARTTLS, smtps://, " \
    "https://) and which certificate it shows"
#define TODO_LOGIN \
    "the mail server refuses the login: put 'username' and 'password' (often a code " \
    "made for programs) right, then restart the collector"
#define TODO_NAME \
    "the name of the service is not found: see 'url' and this machine's name service " \
    "(resolvectl query NAME)"
#define TODO_PORT \
    "see that scheme and port belong together: smtps:// with 465, smtp:// with 587"
#define TODO_WAY \
    "see that the service runs and that a firewall lets this machine through to its port"

/* What a service said, in a part that is always there, and what to do about it. */
static const struct {
    const char *said;
    const char *todo;
} remedies[] = {
    {"ertificate", TODO_CERTIFICATE},
    {"SSL", TODO_TLS},
    {"TLS", TODO_TLS},
    {" 401", "the service does not know who is calling: put a new token, or user "
             "and password, into the configuration and restart the collector"},
    {" 403", "the service does not let it in: put a new token into the "
             "configuration, or ask the service why, then restart the collector"},
    {" 404", "the address or the token in it is wrong: compare 'url' and 'token' "
             "with what the service shows, then restart the collector"},
    {" 53", TODO_LOGIN},
    {" 93000", "the robot's key is not known any more: make a new robot in the "
               "group, put its key into 'token' and restart the collector"},
    {" 310000", "the robot's security settings refuse it: compare 'secret', its "
                "keywords and its list of addresses with the configuration"},
    {" 300001", "the robot's token is not known any more: make a new robot in the "
                "group, put its token into 'token' and restart the collector"},
    {" 19021", "the signature is refused: compare 'secret' with the robot's, and this "
               "machine's clock with the time"},
    {" 19024", "the robot takes messages with its keywords only: take the keywords "
               "out of its settings, or use a signature instead"},
    {"esolve", TODO_NAME},
    {"onnect", TODO_WAY},
    {"imed", TODO_WAY},
};

static const char *remedy_of(const char *said)
{
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strstr(said, remedies[i].said) != NULL)
            return remedies[i].todo;
    return "see what it said and the service's own log; then coldchainctl channel test "
           "NAME";
}

/* ---- what the collector says of them -------------------------------------------------
 */

struct seen {
    size_t count;
    size_t rings;
    size_t can_ring;
};

/* "3 h ago", "never". Returns text. */
static const char *ago(const struct doctor *doctor, char text[48], const json_t *channel,
                       const char *key)
{
    char span[32];
    int64_t at_ms;
    if (!clock_parse_iso(&at_ms, show_text(channel, key)))
        return doctor_text(doctor, "never");
    int64_t age_ms = doctor->now_ms > at_ms ? doctor->now_ms - at_ms : 0;
    snprintf(text, 48, doctor_text(doctor, "%s ago"), doctor_span(doctor, span, age_ms));
    return text;
}

static void say_failing(struct doctor *doctor, const json_t *channel)
{
    char last[48];
    char good[48];
    bool is_down = strcmp(show_text(channel, "state"), "down") == 0;
    doctor_say(doctor, is_down ? DOCTOR_PROBLEM : DOCTOR_WARNING, area,
               remedy_of(show_text(channel, "last_result")),
               "%s: failed %" PRId64 " times in a row, last %s: %s; last delivered: %s",
               show_text(channel, "name"),
               (int64_t)json_integer_value(json_object_get(channel, "failures")),
               ago(doctor, last, channel, "last_at"), show_text(channel, "last_result"),
               ago(doctor, good, channel, "last_good_at"));
}

static void say_working(struct doctor *doctor, const json_t *channel)
{
    char good[48];
    const json_t *tokens = json_object_get(channel, "tokens");
    const char *name = show_text(channel, "name");
    const char *rings =
        doctor_text(doctor, json_is_true(json_object_get(channel, "can_ring_now"))
                                ? "it can ring now"
                                : "it does not ring");
    int64_t rate = json_integer_value(json_object_get(channel, "rate"));
    const char *refused = strstr(show_text(channel, "last_result"), SMTP_REFUSED);
    if (refused != NULL) /* mail: taken for some of its receivers */
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "correct the address in the channel's `to`, or that mailbox",
                   "%s: delivered, but not to everybody: %s", name, refused);
    if (json_is_integer(tokens)) /* what waits for lack of them is told by the outbox */
        doctor_say(doctor, DOCTOR_OK, area, NULL,
                   "%s: last delivered %s; %s; %" PRId64
                   " messages may go at once, %" PRId64 " a minute",
                   name, ago(doctor, good, channel, "last_good_at"), rings,
                   (int64_t)json_integer_value(tokens), rate);
    else
        doctor_say(doctor, DOCTOR_OK, area, NULL, "%s: last delivered %s; %s", name,
                   ago(doctor, good, channel, "last_good_at"), rings);
}

static void say_channel(struct doctor *doctor, const json_t *channel)
{
    const char *state = show_text(channel, "state");
    const char *name = show_text(channel, "name");
    char until[SHOW_SIZE];
    if (strcmp(state, "failing") == 0 || strcmp(state, "down") == 0)
        say_failing(doctor, channel);
    else if (strcmp(state, "blocked") == 0)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   remedy_of(show_text(channel, "last_result")),
                   "%s: nothing is sent before %s, as it said: %s", name,
                   show_time(until, channel, "blocked_until"),
                   show_text(channel, "last_result"));
    else if (strcmp(state, "unused") == 0)
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "try it before it is needed: coldchainctl channel test NAME",
                   "%s: nothing was sent over it since the collector started", name);
    else
        say_working(doctor, channel);
}

static void say_all(struct doctor *doctor, const struct seen *seen)
{
    if (seen->count == 0)
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "name some under 'channels:' in the collector's configuration "
                   "(docs/alarms.md) and restart it",
                   "there is no channel: nobody is told of incidents");
    else if (seen->rings == 0)
        doctor_say(
            doctor, DOCTOR_WARNING, area,
            "add one that does, such as voice, sms or a robot, or say 'rings: yes' "
            "of one that is heard at night",
            "%zu in all, and none wakes anybody", seen->count);
    else if (seen->can_ring == 0)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   "mend one of those above, or call somebody to watch meanwhile",
                   "none of the %zu channels that ring can ring now", seen->rings);
}

static void channels_of_api(struct doctor *doctor)
{
    json_t *channels = NULL;
    struct err_text why = {""};
    struct seen seen = {0};
    size_t i;
    json_t *channel;
    if (client_get(doctor->client, "/api/v1/alarm-channels", &channels, &why) != ERR_OK) {
        doctor_say(doctor, DOCTOR_WARNING, area, "see the collector's log",
                   "they cannot be listed: %s", why.text);
        return;
    }
    json_array_foreach(channels, i, channel)
    {
        say_channel(doctor, channel);
        seen.count++;
        seen.rings += json_is_true(json_object_get(channel, "rings"));
        seen.can_ring += json_is_true(json_object_get(channel, "can_ring_now"));
    }
    json_decref(channels);
    say_all(doctor, &seen);
}

/* ---- what the configuration says of them --------------------------------------------
 */

static const struct {
    const char *seen;
    const char *todo; /* NULL: see what it said */
} mail_troubles[] = {
    [SMTP_IN_ORDER] = {NULL, NULL},
    [SMTP_NO_HOST] = {"its mail server is not known by that name", TODO_NAME},
    [SMTP_NO_ANSWER] = {"its mail server does not answer", TODO_WAY},
    [SMTP_SILENT] = {"its mail server is reached and says nothing", TODO_PORT},
    [SMTP_NO_TLS] = {"its mail server does not speak TLS on that port", TODO_TLS},
    [SMTP_UNTRUSTED] = {"the certificate of its mail server is not to be trusted",
                        TODO_CERTIFICATE},
    [SMTP_NO_LOGIN] = {"its mail server refuses the login", TODO_LOGIN},
    [SMTP_OTHER_REPLY] = {"what answers there is no mail server as it should be", NULL},
};

static const char *mail_in_order(const struct smtp_look *look)
{
    if (look->is_encrypted)
        return look->is_logged_in ? "its mail server takes the login, over TLS"
                                  : "its mail server answers over TLS, without a login";
    return look->is_logged_in ? "its mail server takes the login, without TLS"
                              : "its mail server answers, without TLS and a login";
}

/* As far as a mail would come, without one. */
static void look_mail(struct doctor *doctor, const struct config_channel *channel)
{
    struct err_text why = {""};
    struct smtp_look look;
    const struct smtp_message message = {
        .url = channel->url,
        .username = channel->username,
        .password = channel->password,
        .ca_file = channel->ca_file,
        .timeout_ms = doctor->timeout_ms,
    };
    if (smtp_look(&message, &look, &why) != ERR_OK)
        doctor_say(doctor, DOCTOR_PROBLEM, area,
                   mail_troubles[look.trouble].todo != NULL
                       ? mail_troubles[look.trouble].todo
                       : remedy_of(why.text),
                   "%s: %s: %s", channel->name,
                   doctor_text(doctor, mail_troubles[look.trouble].seen), why.text);
    else if (channel->username != NULL && !look.is_logged_in)
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "see that the port is the one for programs that send (587, or 465 "
                   "with smtps://); if it is, take 'username' out",
                   "%s: its mail server offers no login, so that mail goes without",
                   channel->name);
    else
        doctor_say(doctor, DOCTOR_OK, area, NULL, "%s: %s; no mail was sent",
                   channel->name, doctor_text(doctor, mail_in_order(&look)));
}

static bool is_this_machine(const char *url)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = url + strlen("http://");
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);
        if (strncmp(host, hosts[i], len) == 0 && strchr(":/?", host[len]) != NULL)
            return true; /* also at the end of the text */
    }
    return false;
}

static void look_unheard(struct doctor *doctor, const struct config_channel *channel)
{
    if (config_is_unheard(doctor->settings, channel))
        doctor_say(doctor, DOCTOR_WARNING, area,
                   "give a contact an address with this 'channel' (docs/alarms.md), or "
                   "take the channel out; see coldchainctl who-rings",
                   "%s: no contact has an address on it: policies tell nothing over it",
                   channel->name);
}

static void look_channel(struct doctor *doctor, const struct config_channel *channel)
{
    const char *url = channel->url;
    bool is_http = url != NULL && strncmp(url, "http", strlen("http")) == 0;
    bool is_open = is_http && strncmp(url, "https://", strlen("https://")) != 0;
    bool has_secret =
        channel->token != NULL || channel->password != NULL || channel->header_count > 0;
    if (is_open && !is_this_machine(url))
        doctor_say(doctor, DOCTOR_WARNING, area, "use https:// where the service has it",
                   has_secret
                       ? "%s: who is on the way can read its messages and its token (%s)"
                       : "%s: who is on the way can read its messages (%s)",
                   channel->name, url);
    if (channel->kind == CHANNEL_COMMAND)
        doctor_look_program(doctor, area, channel->name, channel->command[0]);
    else if (channel->kind == CHANNEL_EMAIL)
        look_mail(doctor, channel);
    else if (is_http)
        doctor_look_url(doctor, area, channel->name, "HEAD", url, channel->ca_file);
}

void doctor_look_alarms(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;
    if (doctor->is_answering)
        channels_of_api(doctor);
    else if (settings != NULL && settings->channel_count + settings->webhook_count == 0)
        say_all(doctor, &(struct seen){0});
    for (size_t i = 0; settings != NULL && i < settings->webhook_count; i++)
        look_unheard(doctor, &settings->webhooks[i]);
    for (size_t i = 0; settings != NULL && i < settings->channel_count; i++) {
        look_unheard(doctor, &settings->channels[i]);
        look_channel(doctor, &settings->channels[i]);
    }
}
