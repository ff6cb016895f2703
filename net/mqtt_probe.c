// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/certificate.h"
#include "net/mqtt_uri.h"
#include "net/mqtt_why.h"

#define ANSWER_MAX  4096 /* of what is for us; a message that is not is passed over */
#define PACKETS_MAX 100  /* until the answer */

struct mqtt_probe {
    struct mqtt_uri uri;
    int64_t timeout_ms;
    int fd;
    SSL_CTX *context; /* NULL: no TLS */
    SSL *ssl;
    uint16_t last_id;
    bool had_session;
    bool is_logged_in;
};

/* ---- connecting ----------------------------------------------------------------------
 */

static enum err wait_connected(int fd, int64_t timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int number = 0;
    socklen_t len = sizeof number;
    int ready = poll(&poll_fd, 1, (int)timeout_ms);
    if (ready == 0) {
        errno = ETIMEDOUT;
        return ERR_TIMEOUT;
    }
    if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0)
        return ERR_OFFLINE;
    errno = number;
    return number == 0 ? ERR_OK : ERR_OFFLINE;
}

/* From here on it blocks, each read and write for so long. */
static void set_timeouts(int fd, int64_t timeout_ms)
{
    struct timeval time = {.tv_sec = timeout_ms / 1000,
                           .tv_usec = timeout_ms % 1000 * 1000};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

static enum err try_address(struct mqtt_probe *probe, const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_OFFLINE;
    enum err err = ERR_OK;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        err = errno == EINPROGRESS ? wait_connected(fd, probe->timeout_ms) : ERR_OFFLINE;
    if (err != ERR_OK) {
        int number = errno;
        close(fd);
        errno = number;
        return err;
    }
    set_timeouts(fd, probe->timeout_ms);
    probe->fd = fd;
    return ERR_OK;
}

static enum err connect_tcp(struct mqtt_probe *probe, struct err_text *why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)probe->uri.port);
    int code = getaddrinfo(probe->uri.host, port, &hints, &list);
    if (code != 0)
        return err_set(why, ERR_OFFLINE, "%s: %s", probe->uri.host, gai_strerror(code));
    enum err err = ERR_OFFLINE;
    for (const struct addrinfo *at = list; at != NULL && err != ERR_OK; at = at->ai_next)
        err = try_address(probe, at);
    int number = errno;
    freeaddrinfo(list);
    return err == ERR_OK ? ERR_OK
                         : err_set(why, err, "%s port %s: %s", probe->uri.host, port,
                                   strerror(number));
}

/* ---- TLS -----------------------------------------------------------------------------
 */

static const char *tls_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    return text != NULL ? text : "the connection was cut";
}

static enum err set_trust(SSL_CTX *context, const struct mqtt_probe_options *options,
                          struct err_text *why)
{
    int code = options->ca_file != NULL
                   ? SSL_CTX_load_verify_locations(context, options->ca_file, NULL)
                   : SSL_CTX_set_default_verify_paths(context);
    if (code != 1)
        return err_set(why, ERR_INVALID, "%s: %s",
                       options->ca_file != NULL ? options->ca_file : "the system's store",
                       tls_reason());
    if (options->cert_file != NULL &&
        SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1)
        return err_set(why, ERR_INVALID, "%s: %s", options->cert_file, tls_reason());
    if (options->key_file != NULL &&
        SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1)
        return err_set(why, ERR_INVALID, "%s: %s", options->key_file, tls_reason());
    return ERR_OK;
}

/* Its name or its address must be that of the certificate. */
static void expect_host(SSL *ssl, const char *host)
{
    unsigned char address[16];
    bool is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (is_address) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
        return;
    }
    SSL_set1_host(ssl, host);
    /* What SSL_set_tlsext_host_name() does, without its cast. */
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             (void *)(uintptr_t)host);
}

/* Shakes hands even when the certificate is not to be trusted, to see what it is. */
static enum err shake_hands(struct mqtt_probe *probe, struct certificate *peer,
                            struct err_text *why)
{
    SSL_set_fd(probe->ssl, probe->fd);
    expect_host(probe->ssl, probe->uri.host);
    if (SSL_connect(probe->ssl) != 1)
        return err_set(why, ERR_OFFLINE, "TLS with %s port %u fails: %s", probe->uri.host,
                       (unsigned)probe->uri.port, tls_reason());
    X509 *x509 = SSL_get1_peer_certificate(probe->ssl);
    if (x509 == NULL)
        return err_set(why, ERR_DENIED, "%s shows no certificate", probe->uri.host);
    certificate_describe(peer, x509);
    peer->count = 1;
    X509_free(x509);
    long verdict = SSL_get_verify_result(probe->ssl);
    if (verdict != X509_V_OK)
        return err_set(why, ERR_DENIED, "the certificate '%s' of %s is not trusted: %s",
                       peer->subject, probe->uri.host,
                       X509_verify_cert_error_string(verdict));
    return ERR_OK;
}

static enum err connect_tls(struct mqtt_probe *probe,
                            const struct mqtt_probe_options *options,
                            struct certificate *peer, struct err_text *why)
{
    ERR_clear_error();
    probe->context = SSL_CTX_new(TLS_client_method());
    if (probe->context == NULL)
        return err_set(why, ERR_IO, "TLS: %s", tls_reason());
    SSL_CTX_set_min_proto_version(probe->context, TLS1_2_VERSION);
    SSL_CTX_set_default_passwd_cb(probe->context, certificate_no_passphrase);
    SSL_CTX_set_verify(probe->context, SSL_VERIFY_NONE, NULL);
    enum err err = set_trust(probe->context, options, why);
    if (err != ERR_OK)
        return err;
    probe->ssl = SSL_new(probe->context);
    if (probe->ssl == NULL)
        return err_set(why, ERR_IO, "TLS: %s", tls_reason());
    return shake_hands(probe, peer, why);
}

enum err mqtt_probe_open(struct mqtt_probe **result,
                         const struct mqtt_probe_options *options,
                         struct certificate *peer, struct err_text *why)
{
    struct mqtt_probe *probe = mem_alloc(sizeof *probe);
    *peer = (struct certificate){0};
    *result = NULL;
    probe->fd = -1;
    probe->timeout_ms = options->timeout_ms;
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    enum err err = mqtt_uri_parse(&probe->uri, options->uri, why);
    if (err == ERR_OK)
        err = connect_tcp(probe, why);
    if (err == ERR_OK && probe->uri.is_tls)
        err = connect_tls(probe, options, peer, why);
    if (err == ERR_OK)
        *result = probe;
    else
        mqtt_probe_close(probe);
    return err;
}

void mqtt_probe_close(struct mqtt_probe *probe)
{
    if (probe == NULL)
        return;
    SSL_free(probe->ssl);
    SSL_CTX_free(probe->context);
    if (probe->fd >= 0)
        close(probe->fd);
    ERR_clear_error();
    free(probe);
}

/* ---- packets -------------------------------------------------------------------------
 */

static enum err cut_off(const struct mqtt_probe *probe, struct err_text *why)
{
    return err_set(why, ERR_OFFLINE, "%s port %u ended the connection, or says nothing",
                   probe->uri.host, (unsigned)probe->uri.port);
}

static enum err send_packet(struct mqtt_probe *probe, struct buf *packet,
                            struct err_text *why)
{
    enum err err = ERR_OK;
    for (size_t at = 0; err == ERR_OK && at < packet->len;) {
        int left = (int)(packet->len - at);
        ssize_t sent = probe->ssl != NULL ? SSL_write(probe->ssl, packet->data + at, left)
                                          : send(probe->fd, packet->data + at,
                                                 (size_t)left, MSG_NOSIGNAL);
        if (sent <= 0)
            err = cut_off(probe, why);
        else
            at += (size_t)sent;
    }
    buf_fini(packet);
    return err;
}

static bool read_exactly(struct mqtt_probe *probe, void *into, size_t len)
{
    for (size_t at = 0; at < len;) {
        char *to = (char *)into + at;
        ssize_t got = probe->ssl != NULL ? SSL_read(probe->ssl, to, (int)(len - at))
                                         : recv(probe->fd, to, len - at, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static bool read_header(struct mqtt_probe *probe, uint8_t *first, size_t *len)
{
    *len = 0;
    if (!read_exactly(probe, first, 1))
        return false;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
        uint8_t byte;
        if (!read_exactly(probe, &byte, 1))
            return false;
        *len |= (size_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

/* Reads the packet behind its header; what is longer than `body` is read and dropped. */
static bool read_body(struct mqtt_probe *probe, uint8_t body[ANSWER_MAX], size_t len)
{
    while (len > ANSWER_MAX) {
        if (!read_exactly(probe, body, ANSWER_MAX))
            return false;
        len -= ANSWER_MAX;
    }
    return read_exactly(probe, body, len);
}

/* Messages of the session come in between; they are left unacknowledged. */
static enum err read_answer(struct mqtt_probe *probe, enum mqtt_packet type,
                            struct mqtt_answer *answer, struct err_text *why)
{
    uint8_t body[ANSWER_MAX];
    int64_t deadline_ms = clock_real_ms() + probe->timeout_ms;
    for (int i = 0; i < PACKETS_MAX && clock_real_ms() < deadline_ms; i++) {
        uint8_t first;
        size_t len;
        if (!read_header(probe, &first, &len) || !read_body(probe, body, len))
            return cut_off(probe, why);
        if (first >> 4 != (int)type)
            continue;
        if (len > ANSWER_MAX || mqtt_wire_parse(answer, type, body, len) != ERR_OK)
            return err_set(why, ERR_CORRUPT,
                           "%s port %u does not answer as a broker does", probe->uri.host,
                           (unsigned)probe->uri.port);
        if (type == MQTT_PACKET_CONNACK || answer->id == probe->last_id)
            return ERR_OK;
    }
    return err_set(why, ERR_TIMEOUT, "the broker does not answer");
}

static enum err judge(const struct mqtt_answer *answer, struct err_text *why)
{
    if (answer->is_old)
        return err_set(why, ERR_UNSUPPORTED, "the broker speaks MQTT 3.1.1 only");
    if (answer->reason < 0x80)
        return ERR_OK;
    return err_set(why, ERR_DENIED, "%s", mqtt_why_reason(answer->reason));
}

enum err mqtt_probe_login(struct mqtt_probe *probe, const struct mqtt_login *login,
                          struct err_text *why)
{
    struct buf packet = {0};
    struct mqtt_answer answer = {0};
    mqtt_wire_connect(&packet, login);
    enum err err = send_packet(probe, &packet, why);
    if (err == ERR_OK)
        err = read_answer(probe, MQTT_PACKET_CONNACK, &answer, why);
    if (err == ERR_OK)
        err = judge(&answer, why);
    probe->is_logged_in = err == ERR_OK;
    probe->had_session = err == ERR_OK && answer.session_present;
    return err;
}

enum err mqtt_probe_publish(struct mqtt_probe *probe, const char *topic,
                            struct err_text *why)
{
    struct buf packet = {0};
    struct mqtt_answer answer = {0};
    mqtt_wire_publish(&packet, topic, ++probe->last_id);
    enum err err = send_packet(probe, &packet, why);
    if (err == ERR_OK)
        err = read_answer(probe, MQTT_PACKET_PUBACK, &answer, why);
    return err == ERR_OK ? judge(&answer, why) : err;
}

enum err mqtt_probe_subscribe(struct mqtt_probe *probe, const char *filter,
                              struct err_text *why)
{
    struct buf packet = {0};
    struct mqtt_answer answer = {0};
    mqtt_wire_subscribe(&packet, filter, ++probe->last_id);
    enum err err = send_packet(probe, &packet, why);
    if (err == ERR_OK)
        err = read_answer(probe, MQTT_PACKET_SUBACK, &answer, why);
    return err == ERR_OK ? judge(&answer, why) : err;
}

void mqtt_probe_leave(struct mqtt_probe *probe)
{
    struct buf packet = {0};
    struct err_text why;
    if (!probe->is_logged_in)
        return;
    mqtt_wire_disconnect(&packet, probe->had_session);
    if (send_packet(probe, &packet, &why) != ERR_OK)
        return; /* it is gone already */
    probe->is_logged_in = false;
    if (probe->ssl != NULL)
        SSL_shutdown(probe->ssl);
}
