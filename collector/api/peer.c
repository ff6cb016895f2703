// SPDX-License-Identifier: Apache-2.0
/*
 * peer - who is at the other end of a connection, and whether anybody can listen in.
 *
 * Behind a reverse proxy the connection's other end is the proxy. What it says of the
 * client is believed only when the configuration names its address; what anybody else
 * says in these headers counts for nothing.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"

static void connected_address(const struct api_call *call, char address[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info != NULL ? info->client_addr : NULL;
    snprintf(address, INET6_ADDRSTRLEN, "unknown");
    if (from != NULL && from->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr,
                  address, INET6_ADDRSTRLEN);
    else if (from != NULL && from->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
                  address, INET6_ADDRSTRLEN);
}

/* NULL when it is not our proxy that says so, or says nothing. */
static const char *forwarded(const struct api_call *call, const char *name)
{
    char address[INET6_ADDRSTRLEN];
    const struct api_options *options = api_options_of(call->api);
    if (options->proxy_count == 0)
        return NULL;
    connected_address(call, address);
    for (size_t i = 0; i < options->proxy_count; i++)
        if (strcmp(options->proxies[i], address) == 0)
            return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
    return NULL;
}

void api_peer_address(const struct api_call *call, char address[INET6_ADDRSTRLEN])
{
    const char *list = forwarded(call, "X-Forwarded-For");
    if (list == NULL || !query_last_address(list, address))
        connected_address(call, address);
}

bool api_is_secure(const struct api_call *call)
{
    const char *proto = forwarded(call, "X-Forwarded-Proto");
    return api_options_of(call->api)->cert_file != NULL ||
           (proto != NULL && strcasecmp(proto, "https") == 0);
}

const char *api_cookie_name(const struct api_call *call)
{
    return api_is_secure(call) ? "__Host-" API_SESSION_COOKIE : API_SESSION_COOKIE;
}
