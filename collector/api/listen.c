// SPDX-License-Identifier: Apache-2.0
/*
 * listen - the server: its bounds, whom it makes room for, and how it speaks TLS.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/api/guests.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/server.h"
#include "collector/api/tls.h"
#include "collector/api/tls_pair.h"

#define CONNECTIONS_MAX    64
#define CONNECTIONS_PER_IP 32
/* One that is cut off still has its place for a moment. */
#define CONNECTIONS_SPARE 64
#define CONNECTION_BYTES  (size_t)(32 * 1024)
#define DAY_MS            (INT64_C(24) * 3600 * 1000)
#define EXPIRY_WARN_MS    (21 * DAY_MS)

struct listener {
    struct MHD_Daemon *daemon;
    struct guests *guests; /* locks itself */
    struct tls *tls;       /* NULL: none; likewise */
    const char *cert_file;
    const struct clock *clock;
};

/* ---- who comes and goes -------------------------------------------------------------
 */

static void on_connection(void *context, struct MHD_Connection *connection,
                          void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct listener *listener = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        guest_leave(*socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *socket_context = guest_enter(listener->guests, fd->connect_fd,
                                  from != NULL ? from->client_addr : NULL);
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

void listener_serves(struct MHD_Connection *connection)
{
    guest_is_served(guest_of(connection));
}

void listener_has_served(struct MHD_Connection *connection)
{
    guest_waits(guest_of(connection));
}

/* ---- TLS ----------------------------------------------------------------------------
 */

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
    if (connection == NULL)
        return -1;
    struct tls_pair *pair = tls_newest(guest_context(guest_of(connection)));
    *chain = pair->chain;
    *count = pair->count;
    *key = pair->key;
    return 0;
}

/* A certificate about to expire is told while there is time to renew it. */
static void tell_expiry(const struct listener *listener)
{
    int64_t left_ms = tls_expires_ms(listener->tls) - clock_wall_ms(listener->clock);
    if (left_ms <= 0)
        log_warn("the certificate %s has expired: clients refuse it; renew it and send "
                 "SIGHUP",
                 listener->cert_file);
    else if (left_ms < EXPIRY_WARN_MS)
        log_warn("the certificate %s expires in %lld days: renew it and send SIGHUP",
                 listener->cert_file, (long long)(left_ms / DAY_MS));
}

void listener_reload(struct listener *listener)
{
    struct err_text why = {0};
    if (listener->tls == NULL)
        return;
    if (tls_reload(listener->tls, &why) != ERR_OK) {
        log_error("the certificate that was there stays in use: %s", why.text);
        return;
    }
    log_info("new connections get the certificate as it is now in file=%s",
             listener->cert_file);
    tell_expiry(listener);
}

/* ---- opening ------------------------------------------------------------------------
 */

static struct MHD_Daemon *start(struct listener *listener, struct api *api,
                                const struct api_options *options,
                                const struct sockaddr_in *address)
{
    unsigned idle_s = (unsigned)(options->idle_ms + 999) / 1000;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | (listener->tls != NULL ? MHD_USE_TLS : 0);
    unsigned most = CONNECTIONS_MAX + (unsigned)options->streams + CONNECTIONS_SPARE;
    const struct MHD_OptionItem bounds[] = {
        {MHD_OPTION_CONNECTION_LIMIT, most, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, idle_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    /* What stands last is of TLS, and left out without it. */
    return MHD_start_daemon(
        flags, 0, NULL, NULL, api_on_request, api, MHD_OPTION_SOCK_ADDR, address,
        MHD_OPTION_ARRAY, bounds, MHD_OPTION_NOTIFY_COMPLETED, api_on_completed, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, api_on_uri, api, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, listener,
        listener->tls != NULL ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END,
        TLS_PRIORITIES, MHD_OPTION_HTTPS_CERT_CALLBACK, on_certificate, MHD_OPTION_END);
}

static enum err listen_on(struct listener *listener, struct api *api,
                          const struct api_options *options, struct err_text *why)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port)};
    if (inet_pton(AF_INET, options->listen, &address.sin_addr) != 1)
        return err_set(why, ERR_INVALID, "api.listen: '%s' is not an IPv4 address",
                       options->listen);
    listener->daemon = start(listener, api, options, &address);
    if (listener->daemon == NULL)
        return err_set(why, ERR_BUSY,
                       "the API cannot listen on %s:%d; is something else there? Set "
                       "api.port, or 0 for any free one",
                       options->listen, options->port);
    return ERR_OK;
}

enum err listener_open(struct listener **result, struct api *api,
                       const struct api_options *options, struct err_text *why)
{
    struct listener *listener = mem_alloc(sizeof *listener);
    enum err err = ERR_OK;
    listener->cert_file = options->cert_file;
    listener->clock = options->clock;
    if (options->cert_file != NULL)
        err = tls_open(&listener->tls, options->cert_file, options->key_file, why);
    /* Streams are bounded apart, and do not take away what is there for requests; all
     * clients of a proxy come from one address. */
    size_t streams = (size_t)options->streams;
    size_t per_ip = options->proxy_count > 0 ? CONNECTIONS_MAX : CONNECTIONS_PER_IP;
    listener->guests =
        guests_create(CONNECTIONS_MAX + streams, per_ip + streams, listener->tls);
    if (err == ERR_OK)
        err = listen_on(listener, api, options, why);
    if (err == ERR_OK && listener->tls != NULL)
        tell_expiry(listener);
    if (err != ERR_OK) {
        listener_close(listener);
        listener = NULL;
    }
    *result = listener;
    return err;
}

void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->daemon != NULL)
        MHD_stop_daemon(listener->daemon);
    guests_destroy(listener->guests);
    tls_close(listener->tls);
    free(listener);
}

int listener_port(const struct listener *listener)
{
    return MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}
