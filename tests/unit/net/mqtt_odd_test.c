// SPDX-License-Identifier: Apache-2.0
/* Against brokers that mosquitto does not play: old, silent, mute, unfriendly. */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/mqtt.h"
#include "tests/support/check.h"
#include "tests/support/until.h"

#define BOUND_MS 30000
#define CLOSE_MS 5000 /* 2 s, as promised, and what a busy machine adds */

/* How the broker answers a CONNECT of each protocol level; NULL: it closes. */
struct manners {
    const char *connack5;
    size_t connack5_len;
    const char *connack4;
    size_t connack4_len;
    bool is_mute;       /* reads, never answers */
    bool refuses_topic; /* SUBACK 0x87 */
    bool kicks;         /* DISCONNECT 0x8E right after the CONNACK */
};

struct odd_broker {
    const struct manners *manners;
    int listen_fd;
    pthread_t thread;
    char uri[64];
    atomic_int fd; /* of the connection being served */
    atomic_int connects5;
    atomic_int connects4;
};

static bool read_all(int fd, uint8_t *to, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, to, len, 0);
        if (got <= 0)
            return false;
        to += got;
        len -= (size_t)got;
    }
    return true;
}

/* One packet: its first byte in packet[0], its body from packet[1]. */
static bool read_packet(int fd, uint8_t packet[1024], size_t *len)
{
    uint8_t byte;
    size_t shift = 0;
    *len = 0;
    if (!read_all(fd, packet, 1))
        return false;
    do {
        if (!read_all(fd, &byte, 1))
            return false;
        *len |= (size_t)(byte & 0x7F) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0);
    return *len < 1023 && read_all(fd, packet + 1, *len);
}

static void put(int fd, const void *data, size_t len)
{
    if (send(fd, data, len, MSG_NOSIGNAL) < 0) {
        /* the client is gone; the next read says so */
    }
}

/* The level stands behind the protocol name "MQTT" (MQTT 5, 3.1.2.2). False: close. */
static bool answer_connect(struct odd_broker *odd, int fd, const uint8_t *packet)
{
    const struct manners *manners = odd->manners;
    bool is_v5 = packet[1 + 6] == 5;
    atomic_fetch_add(is_v5 ? &odd->connects5 : &odd->connects4, 1);
    const char *connack = is_v5 ? manners->connack5 : manners->connack4;
    if (manners->is_mute)
        return true;
    if (connack == NULL)
        return false;
    put(fd, connack, is_v5 ? manners->connack5_len : manners->connack4_len);
    if (manners->kicks)
        put(fd, "\xE0\x02\x8E\x00", 4);
    return connack[3] == 0;
}

static bool answer(struct odd_broker *odd, int fd, const uint8_t *packet, size_t len)
{
    if (packet[0] == 0x10)
        return answer_connect(odd, fd, packet);
    if (packet[0] == 0x82 && odd->manners->refuses_topic) {
        uint8_t suback[] = {0x90, 4, packet[1], packet[2], 0, 0x87};
        put(fd, suback, sizeof suback);
    } else if (packet[0] == 0x32) { /* QoS 1: the id stands behind the topic */
        size_t topic_len = (size_t)packet[1] << 8 | packet[2];
        uint8_t puback[] = {0x40, 2, packet[3 + topic_len], packet[4 + topic_len]};
        put(fd, puback, sizeof puback);
    }
    return len < 1023;
}

static void *serve(void *context)
{
    struct odd_broker *odd = context;
    for (;;) {
        int fd = accept(odd->listen_fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        atomic_store(&odd->fd, fd);
        uint8_t packet[1024];
        size_t len;
        while (read_packet(fd, packet, &len) && answer(odd, fd, packet, len))
            continue;
        atomic_store(&odd->fd, -1);
        close(fd);
    }
}

static void odd_open(struct odd_broker *odd, const struct manners *manners)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    *odd = (struct odd_broker){.manners = manners, .fd = -1};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    odd->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(odd->listen_fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(odd->listen_fd, 8) == 0);
    CHECK(getsockname(odd->listen_fd, (struct sockaddr *)&address, &len) == 0);
    snprintf(odd->uri, sizeof odd->uri, "mqtt://127.0.0.1:%u", ntohs(address.sin_port));
    CHECK(pthread_create(&odd->thread, NULL, serve, odd) == 0);
}

static void odd_close(struct odd_broker *odd)
{
    shutdown(odd->listen_fd, SHUT_RDWR);
    int fd = atomic_load(&odd->fd);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    pthread_join(odd->thread, NULL);
    close(odd->listen_fd);
}

struct client {
    struct odd_broker odd;
    struct loop *loop;
    struct mqtt *mqtt;
    int connects;
    int losses;
    int subscribed;
    uint64_t delivered;
    char why[512];
    char refusal[128];
};

static void on_message(void *context, const struct mqtt_message *message)
{
    (void)context;
    (void)message;
}

static void on_connected(void *context, bool session_present)
{
    struct client *client = context;
    CHECK(!session_present);
    client->connects++;
}

static void on_lost(void *context, const char *why)
{
    struct client *client = context;
    client->losses++;
    snprintf(client->why, sizeof client->why, "%s", why);
}

static void on_delivered(void *context, uint64_t tag)
{
    ((struct client *)context)->delivered = tag;
}

static void on_subscribed(void *context, const char *filter, const char *refusal)
{
    struct client *client = context;
    CHECK_TEXT(filter, "a/#");
    client->subscribed++;
    snprintf(client->refusal, sizeof client->refusal, "%s",
             refusal != NULL ? refusal : "");
}

static void client_open(struct client *client, const struct manners *manners)
{
    *client = (struct client){.loop = loop_create()};
    odd_open(&client->odd, manners);
    struct mqtt_options options = {
        .uri = client->odd.uri,
        .client_id = "odd",
        .reconnect_min_ms = 5,
        .reconnect_max_ms = 50,
        .context = client,
        .on_message = on_message,
        .on_connected = on_connected,
        .on_lost = on_lost,
        .on_delivered = on_delivered,
        .on_subscribed = on_subscribed,
    };
    CHECK(mqtt_open(&client->mqtt, client->loop, &options, NULL) == ERR_OK);
}

static void client_close(struct client *client)
{
    int64_t before_ms = clock_real_ms();
    mqtt_close(client->mqtt);
    CHECK(clock_real_ms() - before_ms < CLOSE_MS);
    odd_close(&client->odd);
    loop_destroy(client->loop);
}

static bool is_connected(void *context)
{
    return mqtt_is_connected(((struct client *)context)->mqtt);
}

static bool is_lost(void *context)
{
    return ((struct client *)context)->losses > 0;
}

static bool is_delivered(void *context)
{
    return ((struct client *)context)->delivered == 5;
}

static bool is_answered(void *context)
{
    return ((struct client *)context)->subscribed > 0;
}

static bool is_seen(void *context)
{
    return atomic_load(&((struct client *)context)->odd.connects5) > 0;
}

static void wait_for(struct client *client, until_fn *holds)
{
    CHECK(until_true(client->loop, holds, client, BOUND_MS));
}

static void publish_with_type(struct client *client)
{
    struct mqtt_publish publish = {.topic = "a/b",
                                   .payload = "x",
                                   .payload_len = 1,
                                   .content_type = "text/plain",
                                   .qos = 1,
                                   .tag = 5};
    CHECK(mqtt_publish(client->mqtt, &publish) == ERR_OK);
    wait_for(client, is_delivered);
}

/* The answer that MQTT 3.1.1, 3.1.2.2 demands, and silence, as of older brokers. */
#define OVERTAKEN_MAX 3

static void an_old_broker_is_spoken_to_in_3_1_1(void)
{
    static const struct {
        const char *name;
        struct manners manners;
        int want_connects5;
        const char *want_why;
    } rows[] = {
        {"says so",
         {"\x20\x02\x00\x01", 4, "\x20\x02\x00\x00", 4, false, false, false},
         1,
         "does not speak this version of MQTT"},
        {"closes",
         {NULL, 0, "\x20\x02\x00\x00", 4, false, false, false},
         2,
         "closed the connection without an answer"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client;
        client_open(&client, &rows[i].manners);
        wait_for(&client, is_connected);
        CHECK_ROW(rows[i].name, strstr(client.why, rows[i].want_why) != NULL);
        /* An attempt that the close overtook is no refusal, and is made again. */
        int connects5 = atomic_load(&client.odd.connects5);
        CHECK_ROW(rows[i].name, connects5 >= rows[i].want_connects5 &&
                                    connects5 <= rows[i].want_connects5 + OVERTAKEN_MAX);
        CHECK_ROW(rows[i].name, atomic_load(&client.odd.connects4) == 1);
        publish_with_type(&client);
        client_close(&client);
    }
}

static void a_refused_subscription_is_told(void)
{
    static const struct manners manners = {
        .connack5 = "\x20\x03\x00\x00\x00", .connack5_len = 5, .refuses_topic = true};
    struct client client;
    client_open(&client, &manners);
    wait_for(&client, is_connected);
    CHECK(mqtt_subscribe(client.mqtt, "a/#", 1, 1) == ERR_OK);
    wait_for(&client, is_answered);
    CHECK_TEXT(client.refusal, "Not authorized");
    client_close(&client);
}

static void subscriptions_that_wait_are_bounded(void)
{
    static const struct manners manners = {.connack5 = "\x20\x03\x00\x00\x00",
                                           .connack5_len = 5};
    struct client client;
    client_open(&client, &manners);
    wait_for(&client, is_connected);
    for (int i = 0; i < MQTT_SUBSCRIPTIONS_MAX; i++)
        CHECK(mqtt_subscribe(client.mqtt, "a/#", 1, 1) == ERR_OK);
    CHECK(mqtt_subscribe(client.mqtt, "a/#", 1, 1) == ERR_LIMIT);
    client_close(&client);
    CHECK(client.subscribed == 0);
}

static void a_kick_says_why(void)
{
    static const struct manners manners = {
        .connack5 = "\x20\x03\x00\x00\x00", .connack5_len = 5, .kicks = true};
    struct client client;
    client_open(&client, &manners);
    wait_for(&client, is_lost);
    CHECK_TEXT(client.why, "the broker ended the connection: Session taken over");
    CHECK(client.connects == 1);
    client_close(&client);
}

static void a_busy_broker_says_why(void)
{
    static const struct manners manners = {.connack5 = "\x20\x03\x00\x88\x00",
                                           .connack5_len = 5};
    struct client client;
    client_open(&client, &manners);
    wait_for(&client, is_lost);
    CHECK(strstr(client.why, "refused the connection: Server unavailable") != NULL);
    CHECK(client.connects == 0);
    client_close(&client);
}

static void closing_does_not_wait_for_a_mute_broker(void)
{
    static const struct manners manners = {.is_mute = true};
    struct client client;
    client_open(&client, &manners);
    wait_for(&client, is_seen);
    client_close(&client); /* bounds the time */
    CHECK(client.connects == 0);
}

/* A name server that does not answer: Paho waits for it with its lock held. */
static pthread_mutex_t dns_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t dns_changed = PTHREAD_COND_INITIALIZER;
static bool is_dns_asked;
static bool is_dns_answering;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's have __ */
__attribute__((visibility("default"))) int getaddrinfo(const char *name,
                                                       const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **result)
{
    static const char *const slow = "slow.example";
    (void)service;
    (void)hints;
    *result = NULL;
    pthread_mutex_lock(&dns_lock);
    is_dns_asked = strcmp(name, slow) == 0;
    while (is_dns_asked && !is_dns_answering)
        pthread_cond_wait(&dns_changed, &dns_lock);
    pthread_mutex_unlock(&dns_lock);
    if (strcmp(name, slow) == 0)
        return EAI_AGAIN;
    struct sockaddr_in *address = calloc(1, sizeof *address);
    *result = calloc(1, sizeof **result);
    CHECK(inet_pton(AF_INET, name, &address->sin_addr) == 1);
    address->sin_family = AF_INET;
    **result = (struct addrinfo){.ai_family = AF_INET,
                                 .ai_addrlen = sizeof *address,
                                 .ai_addr = (struct sockaddr *)address};
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): as above */
__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *result)
{
    free(result->ai_addr);
    free(result);
}

static bool dns_is_asked(void *context)
{
    (void)context;
    pthread_mutex_lock(&dns_lock);
    bool is_asked = is_dns_asked;
    pthread_mutex_unlock(&dns_lock);
    return is_asked;
}

static bool is_gone(void *context)
{
    return *(int *)context == 0;
}

static void note_free(void *context)
{
    (*(int *)context)--;
}

static void closing_does_not_wait_for_dns(void)
{
    struct client client = {.loop = loop_create()};
    struct mqtt_options options = {.uri = "mqtt://slow.example",
                                   .client_id = "slow",
                                   .context = &client,
                                   .on_message = on_message};
    CHECK(mqtt_open(&client.mqtt, client.loop, &options, NULL) == ERR_OK);
    CHECK(until_true(client.loop, dns_is_asked, NULL, BOUND_MS));
    int waiting = 1;
    loop_post(client.loop, note_free, &waiting);
    CHECK(until_true(client.loop, is_gone, &waiting, BOUND_MS)); /* the loop is free */
    int64_t before_ms = clock_real_ms();
    mqtt_close(client.mqtt);
    CHECK(clock_real_ms() - before_ms < CLOSE_MS);
    loop_destroy(client.loop); /* the worker is still there, and must not touch it */
    pthread_mutex_lock(&dns_lock);
    is_dns_answering = true;
    pthread_cond_broadcast(&dns_changed);
    pthread_mutex_unlock(&dns_lock);
}

static CU_TestInfo tests[] = {
    {"an old broker is spoken to in 3.1.1", an_old_broker_is_spoken_to_in_3_1_1},
    {"a refused subscription is told", a_refused_subscription_is_told},
    {"subscriptions that wait are bounded", subscriptions_that_wait_are_bounded},
    {"a kick says why", a_kick_says_why},
    {"a busy broker says why", a_busy_broker_says_why},
    {"closing does not wait for DNS", closing_does_not_wait_for_dns},
    {"closing does not wait for a mute broker", closing_does_not_wait_for_a_mute_broker},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("mqtt_odd", tests);
}
