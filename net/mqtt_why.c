// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_why.h"

#include <stdio.h>
#include <string.h>

#include <MQTTAsync.h>

/* CONNACK return codes of MQTT 3.1.1, 3.2.2.3 */
#define V3_BAD_PROTOCOL 1
static const char *const v3_texts[] = {
    [V3_BAD_PROTOCOL] = "it does not speak this version of MQTT",
    [2] = "client id not allowed",
    [3] = "not available now",
    [4] = "bad user name or password",
    [5] = "not authorized",
};

const char *mqtt_why_reason(int code)
{
    const char *text = MQTTReasonCode_toString((enum MQTTReasonCodes)code);
    return text != NULL ? text : "reason not known";
}

static const char *v3_text(int code)
{
    bool is_known = code >= 1 && (size_t)code < sizeof v3_texts / sizeof v3_texts[0];
    return is_known ? v3_texts[code] : "reason not known";
}

bool mqtt_why_is_old(const struct mqtt_failure *failure)
{
    return failure->is_v5 &&
           (failure->code == V3_BAD_PROTOCOL ||
            failure->code == MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION);
}

/* The words are those of 1.3.12; with others we only miss a guess. */
static bool says(const struct mqtt_failure *failure, const char *words)
{
    return failure->message != NULL && strstr(failure->message, words) != NULL;
}

bool mqtt_why_is_silent(const struct mqtt_failure *failure)
{
    return failure->code <= 0 && failure->message != NULL && !says(failure, "timeout") &&
           !says(failure, "TCP/TLS");
}

static void describe_refusal(struct err_text *why, const struct mqtt_uri *uri,
                             const struct mqtt_failure *failure)
{
    bool is_v5 = failure->is_v5 && failure->code >= MQTTREASONCODE_UNSPECIFIED_ERROR;
    err_set(why, ERR_OK, "%s:%u refused the connection: %s", uri->host, uri->port,
            is_v5 ? mqtt_why_reason(failure->code) : v3_text(failure->code));
}

void mqtt_why_describe(struct err_text *why, const struct mqtt_uri *uri,
                       const struct mqtt_failure *failure)
{
    if (failure->code > 0)
        describe_refusal(why, uri, failure);
    else if (says(failure, "timeout"))
        err_set(why, ERR_OK, "no answer from %s:%u within %d s", uri->host, uri->port,
                failure->timeout_s);
    else if (mqtt_why_is_silent(failure))
        err_set(why, ERR_OK, "%s:%u closed the connection without an answer", uri->host,
                uri->port);
    else if (failure->tls_error[0] != '\0')
        err_set(why, ERR_OK, "no TLS with %s:%u: %s", uri->host, uri->port,
                failure->tls_error);
    else if (uri->is_tls)
        err_set(why, ERR_OK,
                "cannot connect to %s:%u: not reachable, or its certificate is for "
                "another name",
                uri->host, uri->port);
    else
        err_set(why, ERR_OK, "cannot connect to %s:%u: not reachable", uri->host,
                uri->port);
}

/* "7F1C:error:0A000086:SSL routines:function:certificate verify failed:file.c:1889:" */
void mqtt_why_tls(char text[MQTT_TLS_ERROR_MAX], const char *line)
{
    for (int field = 0; field < 5 && line != NULL; field++) {
        line = strchr(line, ':');
        line = line != NULL ? line + 1 : NULL;
    }
    text[0] = '\0';
    if (line != NULL)
        snprintf(text, MQTT_TLS_ERROR_MAX, "%.*s", (int)strcspn(line, ":\n"), line);
}
