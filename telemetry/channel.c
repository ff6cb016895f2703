// SPDX-License-Identifier: Apache-2.0
#include "telemetry/channel.h"

#include <assert.h>
#include <string.h>

#include "telemetry/quantity.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

static bool name_char(char c)
{
    return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == ':' || c == '/';
}

/* Length of a well-formed name, 0 when it is none. */
static size_t name_len(const char *name)
{
    size_t len = 0;
    if (!is_alnum(name[0]))
        return 0;
    while (len <= ID_MAX && name_char(name[len]))
        len++;
    return len <= ID_MAX && name[len] == '\0' ? len : 0;
}

enum err channel_parse(struct channel *channel, const char *name)
{
    size_t len = name_len(name);
    if (len == 0)
        return ERR_INVALID;
    const char *dash = strrchr(name, '-');
    /* a name always starts with a letter or digit, so something precedes the dash */
    bool has_probe = dash != NULL && dash[1] != '\0';
    size_t quantity_len = has_probe ? (size_t)(dash - name) : len;

    memcpy(channel->name, name, len + 1);
    memcpy(channel->quantity, name, quantity_len);
    channel->quantity[quantity_len] = '\0';
    memcpy(channel->probe, has_probe ? dash + 1 : "", has_probe ? len - quantity_len : 1);
    channel->registered = (int16_t)quantity_find(channel->quantity);
    assert(channel->quantity[0] != '\0');
    return ERR_OK;
}
