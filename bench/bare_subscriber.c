// SPDX-License-Identifier: Apache-2.0
/*
 * bare_subscriber - the floor: receives with Paho, parses with jansson, does nothing
 * else.
 *
 *   bare_subscriber PORT USER PASSWORD FILTER COUNT
 *
 * Prints READY once subscribed, and after COUNT messages its CPU time as JSON.
 */
#include <jansson.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <MQTTAsync.h>

struct bare {
    MQTTAsync client;
    const char *filter;
    unsigned long wanted;
    atomic_ulong received;
    atomic_ulong readings;
    sem_t done;
};

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
}

static int on_message(void *context, char *topic, int topic_len,
                      MQTTAsync_message *message)
{
    (void)topic_len;
    struct bare *bare = context;
    json_t *pack = json_loadb(message->payload, (size_t)message->payloadlen,
                              JSON_REJECT_DUPLICATES, NULL);
    atomic_fetch_add(&bare->readings, json_array_size(pack));
    json_decref(pack);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    if (atomic_fetch_add(&bare->received, 1) + 1 == bare->wanted)
        sem_post(&bare->done);
    return 1;
}

static void on_subscribed(void *context, MQTTAsync_successData5 *data)
{
    (void)context;
    (void)data;
    puts("READY");
    fflush(stdout);
}

static void on_refused(void *context, MQTTAsync_failureData5 *data)
{
    (void)context;
    fprintf(stderr, "bare_subscriber: refused, code %d\n", data != NULL ? data->code : 0);
    exit(EXIT_FAILURE);
}

static void on_connected(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    struct bare *bare = context;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess5 = on_subscribed;
    options.onFailure5 = on_refused;
    options.context = bare;
    MQTTAsync_subscribe(bare->client, bare->filter, 1, &options);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: bare_subscriber PORT USER PASSWORD FILTER COUNT\n");
        return EXIT_FAILURE;
    }
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    struct bare bare = {.filter = argv[4], .wanted = strtoul(argv[5], NULL, 10)};
    sem_init(&bare.done, 0, 0);
    char uri[64];
    snprintf(uri, sizeof uri, "tcp://127.0.0.1:%s", argv[1]);
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
    MQTTAsync_createWithOptions(&bare.client, uri, "bare", MQTTCLIENT_PERSISTENCE_NONE,
                                NULL, &create);
    MQTTAsync_setCallbacks(bare.client, &bare, NULL, on_message, NULL);
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
    connect.username = argv[2];
    connect.password = argv[3];
    connect.onSuccess5 = on_connected;
    connect.onFailure5 = on_refused;
    connect.context = &bare;
    MQTTAsync_connect(bare.client, &connect);
    sem_wait(&bare.done);
    printf("{\"received\":%lu,\"readings\":%lu,\"cpu_s\":%.4f}\n",
           atomic_load(&bare.received), atomic_load(&bare.readings), cpu_seconds());
    fflush(stdout);
    _Exit(EXIT_SUCCESS); /* Paho's threads need not be joined for a measurement */
}
