// SPDX-License-Identifier: Apache-2.0
/*
 * listen - the server: its bounds, and how it speaks TLS.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "collector/api/internal.h"
#include "collector/api/tls.h"
#include "collector/api/tls_pair.h"

#define CONNECTIONS_MAX    64
#define CONNECTIONS_PER_IP 32
#define CONNECTION_BYTES   (size_t)(32 * 1024)

/* GnuTLS hands on no context but the connection, and that one what it is told here. */
static void on_connection(void *context, struct MHD_Connection *connection,
                          void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_context = context;
}

/* Each connection begins with the newest certificate. */
static int on_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                          int authority_count, const gnutls_pk_algorithm_t *algorithms,
                          int algorithm_count, gnutls_pcert_st **chain, unsigned *count,
                          gnutls_privkey_t *key)
{
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    struct MHD_Connection *connection = gnutls_session_get_ptr(session);
    const union MHD_ConnectionInfo *info =
        connection != NULL
            ? MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
            : NULL;
    if (info == NULL || info->socket_context == NULL)
        return -1;
    struct tls_pair *pair = tls_newest(info->socket_context);
    *chain = pair->chain;
    *count = pair->count;
    *key = pair->key;
    return 0;
}

static struct MHD_Daemon *start(struct api *api, const struct api_options *options,
                                struct tls *tls, const struct sockaddr_in *address)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | (tls != NULL ? MHD_USE_TLS : 0);
    unsigned idle_s = (unsigned)(options->idle_ms + 999) / 1000;
    /* Streams are bounded apart, and do not take away what is there for requests. */
    unsigned streams = (unsigned)options->streams;
    /* All clients of a proxy come from one address. */
    unsigned per_ip = options->proxy_count > 0 ? CONNECTIONS_MAX : CONNECTIONS_PER_IP;
    const struct MHD_OptionItem common[] = {
        {MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX + streams, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_ip + streams, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, idle_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    if (tls == NULL)
        return MHD_start_daemon(
            flags, 0, NULL, NULL, api_on_request, api, MHD_OPTION_SOCK_ADDR, address,
            MHD_OPTION_ARRAY, common, MHD_OPTION_NOTIFY_COMPLETED, api_on_completed, NULL,
            MHD_OPTION_URI_LOG_CALLBACK, api_on_uri, api, MHD_OPTION_END);
    return MHD_start_daemon(
        flags, 0, NULL, NULL, api_on_request, api, MHD_OPTION_SOCK_ADDR, address,
        MHD_OPTION_ARRAY, common, MHD_OPTION_NOTIFY_COMPLETED, api_on_completed, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, api_on_uri, api, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, tls, MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES,
        MHD_OPTION_HTTPS_CERT_CALLBACK, on_certificate, MHD_OPTION_END);
}

enum err api_listen(struct MHD_Daemon **daemon, struct api *api,
                    const struct api_options *options, struct tls *tls,
                    struct err_text *why)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port)};
    if (inet_pton(AF_INET, options->listen, &address.sin_addr) != 1)
        return err_set(why, ERR_INVALID, "api.listen: '%s' is not an IPv4 address",
                       options->listen);
    *daemon = start(api, options, tls, &address);
    if (*daemon == NULL)
        return err_set(why, ERR_BUSY,
                       "the API cannot listen on %s:%d; is something else there? Set "
                       "api.port, or 0 for any free one",
                       options->listen, options->port);
    return ERR_OK;
}
