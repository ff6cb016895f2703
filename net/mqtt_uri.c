// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *prefix;
    bool is_tls;
    uint16_t port;
} schemes[] = {
    {"mqtt://", false, 1883},
    {"mqtts://", true, 8883},
};

static bool take_scheme(struct mqtt_uri *uri, const char **at)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i].prefix);
        if (strncmp(*at, schemes[i].prefix, len) != 0)
            continue;
        uri->is_tls = schemes[i].is_tls;
        uri->port = schemes[i].port;
        *at += len;
        return true;
    }
    return false;
}

static bool is_host_char(char c, bool is_ipv6)
{
    bool is_alnum =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_alnum || c == '.' || c == '-' || c == '_' ||
           (is_ipv6 && (c == ':' || c == '%'));
}

static bool take_host(struct mqtt_uri *uri, const char **at)
{
    uri->is_ipv6 = **at == '[';
    *at += uri->is_ipv6;
    size_t len = 0;
    while (is_host_char((*at)[len], uri->is_ipv6))
        len++;
    if (len == 0 || len >= MQTT_HOST_MAX)
        return false;
    memcpy(uri->host, *at, len);
    uri->host[len] = '\0';
    *at += len;
    if (!uri->is_ipv6)
        return true;
    return *(*at)++ == ']';
}

/* The rest: nothing, or ":port"; a slash at the end is forgiven. */
static bool take_port(struct mqtt_uri *uri, const char *at)
{
    if (*at == ':') {
        size_t digits = strspn(at + 1, "0123456789");
        unsigned long port = strtoul(at + 1, NULL, 10);
        if (digits == 0 || digits > 5 || port == 0 || port > 65535)
            return false;
        uri->port = (uint16_t)port;
        at += 1 + digits;
    }
    return strcmp(at, "") == 0 || strcmp(at, "/") == 0;
}

enum err mqtt_uri_parse(struct mqtt_uri *uri, const char *text, struct err_text *why)
{
    const char *at = text;
    *uri = (struct mqtt_uri){0};
    if (!take_scheme(uri, &at))
        return err_set(
            why, ERR_INVALID,
            "'%.100s' is no broker address: it begins with mqtt:// or mqtts://", text);
    if (strchr(at, '@') != NULL)
        return err_set(
            why, ERR_INVALID,
            "the broker address holds a user name: it has a setting of its own");
    if (!take_host(uri, &at) || !take_port(uri, at))
        return err_set(why, ERR_INVALID,
                       "'%.100s' is no broker address such as %sexample.org:%u", text,
                       uri->is_tls ? "mqtts://" : "mqtt://", uri->is_tls ? 8883 : 1883);
    return ERR_OK;
}

const char *mqtt_uri_format_paho(char text[MQTT_PAHO_URI_MAX], const struct mqtt_uri *uri)
{
    snprintf(text, MQTT_PAHO_URI_MAX, "%s://%s%s%s:%u", uri->is_tls ? "ssl" : "tcp",
             uri->is_ipv6 ? "[" : "", uri->host, uri->is_ipv6 ? "]" : "", uri->port);
    return text;
}
