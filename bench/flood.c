// SPDX-License-Identifier: Apache-2.0
/*
 * flood - publishes packs of many devices over one MQTT 3.1.1 connection, QoS 1, at a
 * rate.
 *
 * Speaks the few bytes of MQTT itself, so that the generator costs little beside what is
 * measured; its own CPU time and its greatest delay behind the rate are printed as JSON.
 *
 *   flood PORT USER PASSWORD ORG DEVICES PACKS_EACH READINGS_EACH RATE   (RATE 0: full)
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"

#define WINDOW      2000 /* PUBLISH without PUBACK */
#define CONNECT     0x10
#define PUBLISH_Q1  0x32
#define PUBACK_SIZE 4

struct flood {
    int fd;
    const char *org;
    unsigned long devices, packs, readings, rate;
    uint64_t epoch;
    struct buf out;
    size_t sent; /* of out */
    uint64_t published, acked;
    size_t partial; /* bytes of a PUBACK seen in part */
};

static void put_text(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    buf_u8(out, (uint8_t)(len >> 8));
    buf_u8(out, (uint8_t)len);
    buf_add(out, text, len);
}

static void put_head(struct buf *out, uint8_t type, size_t len)
{
    buf_u8(out, type);
    buf_varint(out, len); /* MQTT's variable byte integer is LEB128 */
}

static void connect_broker(struct flood *flood, int port, const char *user,
                           const char *password)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    flood->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(flood->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct buf body = {0};
    struct buf packet = {0};
    put_text(&body, "MQTT");
    buf_u8(&body, 4);    /* 3.1.1 */
    buf_u8(&body, 0xc2); /* user, password, clean session */
    buf_u8(&body, 0);
    buf_u8(&body, 0);
    put_text(&body, "flood");
    put_text(&body, user);
    put_text(&body, password);
    put_head(&packet, CONNECT, body.len);
    buf_add(&packet, body.data, body.len);
    uint8_t answer[4] = {0};
    if (connect(flood->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        write(flood->fd, packet.data, packet.len) != (ssize_t)packet.len ||
        recv(flood->fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer ||
        answer[3] != 0) {
        fprintf(stderr, "flood: the broker does not let us in\n");
        exit(EXIT_FAILURE);
    }
    fcntl(flood->fd, F_SETFL, O_NONBLOCK);
    buf_fini(&body);
    buf_fini(&packet);
}

static void fill_pack(const struct flood *flood, struct pack *pack, unsigned long device,
                      uint64_t seq)
{
    static const char *const channels[] = {"air_temperature", "humidity",
                                           "product_temperature"};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    pack_clear(pack);
    snprintf(pack->device, sizeof pack->device, "dev-%lu", device);
    pack->epoch = flood->epoch;
    pack->seq = seq;
    pack->clock = PACK_CLOCK_SYNCED;
    pack->wall_ms = now_ms;
    for (unsigned long i = 0; i < flood->readings; i++) {
        struct reading reading = {.time_ms = now_ms - (int64_t)(flood->readings - i) * 3,
                                  .value = 4.0 + (double)((seq + i) % 30) / 10.0,
                                  .raw = (double)__builtin_nanf("")};
        if (pack_channel(pack, channels[i % 3], &reading.channel) != ERR_OK ||
            pack_add(pack, &reading) != ERR_OK)
            abort();
    }
}

static void publish(struct flood *flood, struct pack *pack, unsigned long device,
                    uint64_t seq)
{
    static struct buf payload;
    struct topic topic = {.kind = TOPIC_READINGS, .epoch = flood->epoch, .seq = seq};
    char text[TOPIC_MAX];
    snprintf(topic.org, sizeof topic.org, "%s", flood->org);
    snprintf(topic.device, sizeof topic.device, "dev-%lu", device);
    topic_format(&topic, text);
    fill_pack(flood, pack, device, seq);
    buf_clear(&payload);
    pack_format(pack, &payload);
    put_head(&flood->out, PUBLISH_Q1, 2 + strlen(text) + 2 + payload.len);
    put_text(&flood->out, text);
    uint16_t id = (uint16_t)(flood->published % 65535 + 1);
    buf_u8(&flood->out, (uint8_t)(id >> 8));
    buf_u8(&flood->out, (uint8_t)id);
    buf_add(&flood->out, payload.data, payload.len);
    flood->published++;
}

static void flush_out(struct flood *flood)
{
    ssize_t wrote = send(flood->fd, flood->out.data + flood->sent,
                         flood->out.len - flood->sent, MSG_NOSIGNAL);
    if (wrote < 0 && errno != EAGAIN) {
        perror("flood");
        exit(EXIT_FAILURE);
    }
    if (wrote > 0)
        flood->sent += (size_t)wrote;
    if (flood->sent == flood->out.len) {
        buf_clear(&flood->out);
        flood->sent = 0;
    }
}

static void take_acks(struct flood *flood)
{
    uint8_t data[4096];
    ssize_t got = recv(flood->fd, data, sizeof data, 0);
    if (got == 0) {
        fprintf(stderr, "flood: the broker hung up\n");
        exit(EXIT_FAILURE);
    }
    if (got < 0)
        return;
    size_t bytes = flood->partial + (size_t)got;
    flood->acked += bytes / PUBACK_SIZE;
    flood->partial = bytes % PUBACK_SIZE;
}

/* How many are due by now. */
static uint64_t due(const struct flood *flood, int64_t start_ns, uint64_t total)
{
    if (flood->rate == 0)
        return total;
    double seconds = (double)(clock_real_ns() - start_ns) / 1e9;
    uint64_t count = (uint64_t)(seconds * (double)flood->rate);
    return count < total ? count : total;
}

static uint64_t run(struct flood *flood)
{
    struct pack pack = {0};
    uint64_t total = (uint64_t)flood->devices * flood->packs;
    uint64_t worst = 0;
    int64_t start_ns = clock_real_ns();
    while (flood->acked < total) {
        uint64_t wanted = due(flood, start_ns, total);
        if (wanted - flood->published > worst && flood->rate > 0)
            worst = wanted - flood->published;
        while (flood->published < wanted && flood->published - flood->acked < WINDOW)
            publish(flood, &pack, (unsigned long)(flood->published % flood->devices),
                    flood->published / flood->devices + 1);
        struct pollfd poller = {.fd = flood->fd, .events = POLLIN};
        if (flood->out.len > 0)
            poller.events |= POLLOUT;
        poll(&poller, 1, flood->rate > 0 ? 1 : 1000);
        if (flood->out.len > 0)
            flush_out(flood);
        take_acks(flood);
    }
    pack_fini(&pack);
    return worst;
}

int main(int argc, char **argv)
{
    if (argc != 9) {
        fprintf(stderr, "usage: flood PORT USER PASSWORD ORG DEVICES PACKS_EACH "
                        "READINGS_EACH RATE\n");
        return EXIT_FAILURE;
    }
    struct flood flood = {
        .org = argv[4],
        .devices = strtoul(argv[5], NULL, 10),
        .packs = strtoul(argv[6], NULL, 10),
        .readings = strtoul(argv[7], NULL, 10),
        .rate = strtoul(argv[8], NULL, 10),
        .epoch = (uint64_t)clock_real_ns(),
    };
    connect_broker(&flood, (int)strtol(argv[1], NULL, 10), argv[2], argv[3]);
    int64_t start_ns = clock_real_ns();
    uint64_t behind = run(&flood);
    double wall = (double)(clock_real_ns() - start_ns) / 1e9;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                 (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    printf("{\"published\":%llu,\"wall_s\":%.3f,\"cpu_s\":%.3f,\"most_behind\":%llu}\n",
           (unsigned long long)flood.published, wall, cpu, (unsigned long long)behind);
    buf_fini(&flood.out);
    close(flood.fd);
    return EXIT_SUCCESS;
}
