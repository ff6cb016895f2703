// SPDX-License-Identifier: Apache-2.0
/* Against the real mosquitto; where it would not misbehave, against a socket that does.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/mqtt.h"
#include "tests/support/broker.h"
#include "tests/support/check.h"
#include "tests/support/until.h"

#define BOUND_MS     30000
#define CLOSE_MS     5000 /* 2 s, as promised, and what a busy machine adds */
#define MESSAGES_MAX 300

static struct broker broker;

struct heard {
    char topic[64];
    char payload[64];
    size_t payload_len;
    char content_type[64];
    bool is_retained;
    int qos;
};

struct client {
    struct loop *loop;
    struct mqtt *mqtt;
    const char *filter; /* subscribed at each connect */
    const char *want;   /* waited for in `why` */
    int retain_handling;

    int connects;
    int losses;
    int subscribed;
    bool session_present;
    char why[512];
    char refusal[128];
    uint64_t delivered[MESSAGES_MAX];
    size_t delivered_count;
    uint64_t refused_tag;

    pthread_mutex_t lock;
    struct heard heard[MESSAGES_MAX];
    size_t heard_count;
};

static void put_text(char *to, size_t size, const void *from, size_t len)
{
    snprintf(to, size, "%.*s", (int)len, (const char *)from);
}

static void on_message(void *context, const struct mqtt_message *message)
{
    struct client *client = context;
    struct heard heard = {.payload_len = message->payload_len,
                          .is_retained = message->is_retained,
                          .qos = message->qos};
    put_text(heard.topic, sizeof heard.topic, message->topic, message->topic_len);
    put_text(heard.content_type, sizeof heard.content_type, message->content_type,
             message->content_type_len);
    memcpy(heard.payload, message->payload,
           message->payload_len < 63 ? message->payload_len : 63);
    pthread_mutex_lock(&client->lock);
    if (client->heard_count < MESSAGES_MAX)
        client->heard[client->heard_count++] = heard;
    pthread_mutex_unlock(&client->lock);
}

static void on_connected(void *context, bool session_present)
{
    struct client *client = context;
    client->connects++;
    client->session_present = session_present;
    if (client->filter != NULL)
        CHECK(mqtt_subscribe(client->mqtt, client->filter, 1, client->retain_handling) ==
              ERR_OK);
}

static void on_lost(void *context, const char *why)
{
    struct client *client = context;
    client->losses++;
    snprintf(client->why, sizeof client->why, "%s", why);
}

static void on_delivered(void *context, uint64_t tag)
{
    struct client *client = context;
    if (client->delivered_count < MESSAGES_MAX)
        client->delivered[client->delivered_count++] = tag;
}

static void on_refused(void *context, uint64_t tag, const char *why)
{
    struct client *client = context;
    client->refused_tag = tag;
    snprintf(client->refusal, sizeof client->refusal, "%s", why);
}

static void on_subscribed(void *context, const char *filter, const char *refusal)
{
    struct client *client = context;
    CHECK_TEXT(filter, client->filter);
    client->subscribed++;
    snprintf(client->refusal, sizeof client->refusal, "%s",
             refusal != NULL ? refusal : "");
}

static struct mqtt_options options_of(struct client *client, const char *id)
{
    return (struct mqtt_options){
        .uri = broker.uri,
        .client_id = id,
        .username = "one",
        .password = BROKER_PASSWORD,
        .clean_start = true,
        .reconnect_min_ms = 20,
        .reconnect_max_ms = 200,
        .context = client,
        .on_message = on_message,
        .on_connected = on_connected,
        .on_lost = on_lost,
        .on_delivered = on_delivered,
        .on_refused = on_refused,
        .on_subscribed = on_subscribed,
    };
}

static void client_open(struct client *client, struct loop *loop,
                        const struct mqtt_options *options)
{
    struct err_text why = {0};
    client->loop = loop;
    pthread_mutex_init(&client->lock, NULL);
    CHECK(mqtt_open(&client->mqtt, loop, options, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
}

static void client_close(struct client *client)
{
    mqtt_close(client->mqtt);
    pthread_mutex_destroy(&client->lock);
}

static size_t heard_count(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    size_t count = client->heard_count;
    pthread_mutex_unlock(&client->lock);
    return count;
}

/* ---- conditions ---- */

static bool is_connected(void *context)
{
    return mqtt_is_connected(((struct client *)context)->mqtt);
}

static bool is_lost(void *context)
{
    return ((struct client *)context)->losses > 0;
}

static bool is_lost_twice(void *context)
{
    return ((struct client *)context)->losses > 1;
}

/* On a busy machine a first attempt may fail for another reason: the server is slow. */
static bool is_lost_as_wanted(void *context)
{
    const struct client *client = context;
    return client->losses > 1 && strstr(client->why, client->want) != NULL;
}

static bool is_connected_twice(void *context)
{
    return ((struct client *)context)->connects > 1;
}

static bool is_subscribed(void *context)
{
    return ((struct client *)context)->subscribed > 0;
}

static bool is_subscribed_again(void *context)
{
    return ((struct client *)context)->subscribed > 1;
}

static bool has_heard_one(void *context)
{
    return heard_count(context) >= 1;
}

static bool has_heard_three(void *context)
{
    return heard_count(context) >= 3;
}

static bool has_delivered_one(void *context)
{
    return ((struct client *)context)->delivered_count >= 1;
}

static bool has_delivered_full(void *context)
{
    return ((struct client *)context)->delivered_count >= BROKER_RECEIVE_MAXIMUM;
}

static bool is_refused(void *context)
{
    return ((struct client *)context)->refused_tag != 0;
}

static void wait_for(struct client *client, until_fn *holds)
{
    CHECK(until_true(client->loop, holds, client, BOUND_MS));
}

static enum err say(struct client *client, const char *topic, const char *payload,
                    uint64_t tag)
{
    struct mqtt_publish publish = {.topic = topic,
                                   .payload = payload,
                                   .payload_len = strlen(payload),
                                   .qos = 1,
                                   .tag = tag};
    return mqtt_publish(client->mqtt, &publish);
}

/* ---- stories ---- */

static void publishes_arrive_whole(void)
{
    struct loop *loop = loop_create();
    struct client sub = {.filter = "t/#"};
    struct client pub = {0};
    struct mqtt_options options = options_of(&sub, "arrive-sub");
    client_open(&sub, loop, &options);
    options = options_of(&pub, "arrive-pub");
    client_open(&pub, loop, &options);
    CHECK(say(&pub, "t/early", "x", 1) == ERR_OFFLINE);
    wait_for(&sub, is_subscribed);
    wait_for(&pub, is_connected);
    CHECK(!pub.session_present && pub.connects == 1);

    struct mqtt_publish publish = {.topic = "t/a",
                                   .payload = "[1\0 2]",
                                   .payload_len = 6,
                                   .content_type = "application/senml+json",
                                   .qos = 1,
                                   .tag = 77};
    CHECK(mqtt_publish(pub.mqtt, &publish) == ERR_OK);
    wait_for(&pub, has_delivered_one);
    publish = (struct mqtt_publish){.topic = "t/冷库", .qos = 0, .tag = 78};
    CHECK(mqtt_publish(pub.mqtt, &publish) == ERR_OK);
    CHECK(say(&pub, "t/c", "plain", 79) == ERR_OK);
    wait_for(&sub, has_heard_three);

    CHECK_TEXT(sub.heard[0].topic, "t/a");
    CHECK(sub.heard[0].payload_len == 6 && sub.heard[0].qos == 1);
    CHECK(memcmp(sub.heard[0].payload, "[1\0 2]", 6) == 0);
    CHECK_TEXT(sub.heard[0].content_type, "application/senml+json");
    CHECK(!sub.heard[0].is_retained);
    CHECK_TEXT(sub.heard[1].topic, "t/冷库");
    CHECK(sub.heard[1].payload_len == 0 && sub.heard[1].qos == 0);
    CHECK_TEXT(sub.heard[1].content_type, "");
    CHECK_TEXT(sub.heard[2].payload, "plain");
    CHECK(pub.delivered[0] == 77);
    client_close(&pub);
    client_close(&sub);
    loop_destroy(loop);
}

static void what_cannot_be_sent_is_refused_at_once(void)
{
    struct loop *loop = loop_create();
    struct client pub = {0};
    struct mqtt_options options = options_of(&pub, "invalid");
    client_open(&pub, loop, &options);
    wait_for(&pub, is_connected);
    CHECK(say(&pub, "a/+/b", "x", 1) == ERR_INVALID);
    CHECK(say(&pub, "a/#", "x", 1) == ERR_INVALID);
    CHECK(say(&pub, "", "x", 1) == ERR_INVALID);
    CHECK(say(&pub, "bad\xff", "x", 1) == ERR_INVALID);
    struct mqtt_publish publish = {
        .topic = "a", .payload = "x", .payload_len = MQTT_PAYLOAD_MAX + 1, .qos = 1};
    CHECK(mqtt_publish(pub.mqtt, &publish) == ERR_LIMIT);
    client_close(&pub);
    loop_destroy(loop);
}

static void retained_messages_are_marked(void)
{
    struct loop *loop = loop_create();
    struct client pub = {0};
    struct mqtt_options options = options_of(&pub, "retain-pub");
    client_open(&pub, loop, &options);
    wait_for(&pub, is_connected);
    struct mqtt_publish publish = {.topic = "r/state",
                                   .payload = "old",
                                   .payload_len = 3,
                                   .qos = 1,
                                   .retain = true,
                                   .tag = 1};
    CHECK(mqtt_publish(pub.mqtt, &publish) == ERR_OK);
    wait_for(&pub, has_delivered_one);

    struct client eager = {.filter = "r/#"};
    options = options_of(&eager, "retain-eager");
    client_open(&eager, loop, &options);
    wait_for(&eager, has_heard_one);
    CHECK_TEXT(eager.heard[0].payload, "old");
    CHECK(eager.heard[0].is_retained);

    struct client never = {.filter = "r/#", .retain_handling = 2};
    options = options_of(&never, "retain-never");
    client_open(&never, loop, &options);
    wait_for(&never, is_subscribed);
    CHECK(say(&pub, "r/state", "new", 2) == ERR_OK);
    wait_for(&never, has_heard_one);
    CHECK_TEXT(never.heard[0].payload, "new");
    CHECK(!never.heard[0].is_retained);
    client_close(&never);
    client_close(&eager);
    client_close(&pub);
    loop_destroy(loop);
}

/* A program of its own: connects with a will and waits to be killed. */
static int connect_and_wait(const char *uri)
{
    struct loop *loop = loop_create();
    struct client client = {0};
    struct mqtt_options options = options_of(&client, "will-child");
    options.uri = uri;
    options.will_topic = "w/status";
    options.will_payload = "gone";
    struct err_text why;
    if (mqtt_open(&client.mqtt, loop, &options, &why) == ERR_OK)
        loop_run(loop);
    return EXIT_FAILURE;
}

static bool broker_has_seen(void *context)
{
    struct buf log = {0};
    bool is_seen =
        file_read(&log, folder_file(&broker.folder, "log"), 1 << 24, NULL) == ERR_OK &&
        strstr(log.data, context) != NULL;
    buf_fini(&log);
    return is_seen;
}

static pid_t start_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "mqtt_test", "wait", broker.uri, (char *)NULL);
        _exit(127);
    }
    return child;
}

static void the_will_follows_a_kill_and_not_a_close(void)
{
    struct loop *loop = loop_create();
    struct client sub = {.filter = "w/#"};
    struct client polite = {0};
    struct mqtt_options options = options_of(&sub, "will-sub");
    client_open(&sub, loop, &options);
    wait_for(&sub, is_subscribed);
    options = options_of(&polite, "will-polite");
    options.will_topic = "w/polite";
    options.will_payload = "must not be heard";
    client_open(&polite, loop, &options);
    wait_for(&polite, is_connected);
    client_close(&polite);

    pid_t child = start_child();
    char seen[] = "as will-child";
    CHECK(until_true(loop, broker_has_seen, seen, BOUND_MS));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    wait_for(&sub, has_heard_one);
    CHECK_TEXT(sub.heard[0].topic, "w/status");
    CHECK_TEXT(sub.heard[0].payload, "gone");
    CHECK(heard_count(&sub) == 1);
    client_close(&sub);
    loop_destroy(loop);
}

static void a_restarted_broker_is_found_again(void)
{
    struct loop *loop = loop_create();
    struct client client = {.filter = "again/#"};
    struct mqtt_options options = options_of(&client, "again");
    client_open(&client, loop, &options);
    wait_for(&client, is_subscribed);
    broker_signal(&broker, SIGKILL);
    wait_for(&client, is_lost);
    CHECK_TEXT(client.why, "the connection was lost");
    CHECK(!mqtt_is_connected(client.mqtt));
    CHECK(say(&client, "again/a", "x", 1) == ERR_OFFLINE);
    CHECK(mqtt_subscribe(client.mqtt, "x", 1, 0) == ERR_OFFLINE);
    wait_for(&client, is_lost_twice);
    CHECK(strstr(client.why, "cannot connect to 127.0.0.1:") != NULL);
    CHECK(broker_start(&broker));
    wait_for(&client, is_subscribed_again);
    CHECK(say(&client, "again/a", "back", 2) == ERR_OK);
    wait_for(&client, has_heard_one);
    CHECK_TEXT(client.heard[0].payload, "back");
    client_close(&client);
    loop_destroy(loop);
}

static void a_wrong_password_is_said_and_tried_again(void)
{
    struct loop *loop = loop_create();
    struct client client = {0};
    struct mqtt_options options = options_of(&client, "wrong");
    options.password = "wrong";
    client_open(&client, loop, &options);
    wait_for(&client, is_lost_twice);
    char want[128];
    snprintf(want, sizeof want, "127.0.0.1:%d refused the connection: Not authorized",
             broker.port);
    CHECK_TEXT(client.why, want);
    CHECK(client.connects == 0);
    client_close(&client);
    loop_destroy(loop);
}

static void a_forbidden_publish_is_refused(void)
{
    struct loop *loop = loop_create();
    struct client client = {0};
    struct mqtt_options options = options_of(&client, "forbidden");
    client_open(&client, loop, &options);
    wait_for(&client, is_connected);
    CHECK(say(&client, "forbidden/x", "x", 42) == ERR_OK);
    wait_for(&client, is_refused);
    CHECK(client.refused_tag == 42 && client.delivered_count == 0);
    CHECK_TEXT(client.refusal, "Not authorized");
    client_close(&client);
    loop_destroy(loop);
}

static enum err say_lightly(struct client *client)
{
    struct mqtt_publish publish = {.topic = "f/a"};
    return mqtt_publish(client->mqtt, &publish);
}

/* The broker's receive maximum bounds QoS 1; QoS 0 is written at once and never waits. */
static void what_is_in_flight_is_bounded(void)
{
    struct loop *loop = loop_create();
    struct client client = {0};
    struct mqtt_options options = options_of(&client, "flight");
    client_open(&client, loop, &options);
    wait_for(&client, is_connected);
    broker_signal(&broker, SIGSTOP);
    uint64_t sent = 0;
    while (sent < 2 * MQTT_IN_FLIGHT_MAX && say(&client, "f/a", "x", sent + 1) == ERR_OK)
        sent++;
    CHECK(sent == BROKER_RECEIVE_MAXIMUM);
    CHECK(say(&client, "f/a", "x", 999) == ERR_LIMIT);
    while (sent < 2 * MQTT_IN_FLIGHT_MAX && say_lightly(&client) == ERR_OK)
        sent++; /* the loop does not run: nothing is collected */
    CHECK(sent == MQTT_IN_FLIGHT_MAX);
    CHECK(say_lightly(&client) == ERR_LIMIT);
    broker_signal(&broker, SIGCONT);
    wait_for(&client, has_delivered_full);
    for (uint64_t i = 0; i < BROKER_RECEIVE_MAXIMUM; i++)
        CHECK(client.delivered[i] == i + 1);
    CHECK(client.delivered_count == BROKER_RECEIVE_MAXIMUM);
    CHECK(say(&client, "f/a", "x", 1) == ERR_OK);
    client_close(&client);
    loop_destroy(loop);
}

static void close_gives_the_last_publish_a_chance(void)
{
    struct loop *loop = loop_create();
    struct client sub = {.filter = "last/#"};
    struct client pub = {0};
    struct mqtt_options options = options_of(&sub, "last-sub");
    client_open(&sub, loop, &options);
    options = options_of(&pub, "last-pub");
    client_open(&pub, loop, &options);
    wait_for(&sub, is_subscribed);
    wait_for(&pub, is_connected);
    CHECK(say(&pub, "last/word", "offline", 1) == ERR_OK);
    client_close(&pub);
    wait_for(&sub, has_heard_one);
    CHECK_TEXT(sub.heard[0].payload, "offline");
    client_close(&sub);
    loop_destroy(loop);
}

static void close_does_not_hang_with_the_broker(void)
{
    struct loop *loop = loop_create();
    struct client client = {0};
    struct mqtt_options options = options_of(&client, "hang");
    client_open(&client, loop, &options);
    wait_for(&client, is_connected);
    broker_signal(&broker, SIGSTOP);
    for (uint64_t i = 0; i < BROKER_RECEIVE_MAXIMUM; i++)
        CHECK(say(&client, "h/a", "x", i) == ERR_OK);
    int64_t before_ms = clock_real_ms();
    client_close(&client);
    CHECK(clock_real_ms() - before_ms < CLOSE_MS);
    broker_signal(&broker, SIGCONT);
    loop_destroy(loop);
}

static void close_without_a_connection_is_quick(void)
{
    char nowhere[64];
    snprintf(nowhere, sizeof nowhere, "mqtt://127.0.0.1:%d", broker_free_port());
    for (int i = 0; i < 3; i++) {
        struct loop *loop = loop_create();
        struct client client = {0};
        struct mqtt_options options = options_of(&client, "nowhere");
        options.uri = nowhere;
        client_open(&client, loop, &options);
        if (i == 1)
            wait_for(&client, is_lost);
        if (i == 2)
            mqtt_pause(client.mqtt);
        int64_t before_ms = clock_real_ms();
        client_close(&client);
        CHECK(clock_real_ms() - before_ms < CLOSE_MS);
        loop_destroy(loop);
    }
    mqtt_close(NULL);
}

static bool has_paused(void *context)
{
    return !mqtt_is_connected(((struct client *)context)->mqtt);
}

static void a_paused_session_keeps_its_messages(void)
{
    struct loop *loop = loop_create();
    struct client sub = {.filter = "p/#"};
    struct client pub = {0};
    struct mqtt_options options = options_of(&sub, "pause-sub");
    options.clean_start = false;
    options.session_expiry_s = 600;
    client_open(&sub, loop, &options);
    options = options_of(&pub, "pause-pub");
    client_open(&pub, loop, &options);
    wait_for(&sub, is_subscribed);
    wait_for(&pub, is_connected);
    int losses = sub.losses; /* on a busy machine a first attempt may fail */
    mqtt_pause(sub.mqtt);
    mqtt_pause(sub.mqtt);
    wait_for(&sub, has_paused);
    CHECK(say(&sub, "p/x", "x", 9) == ERR_OFFLINE);
    for (uint64_t i = 1; i <= 3; i++)
        CHECK(say(&pub, "p/a", "kept", i) == ERR_OK);
    wait_for(&pub, has_delivered_one);
    CHECK(sub.losses == losses && sub.connects == 1);
    mqtt_resume(sub.mqtt);
    wait_for(&sub, has_heard_three); /* on the receiving thread, maybe before the loop */
    wait_for(&sub, is_connected_twice);
    CHECK(sub.session_present && sub.connects == 2);
    CHECK_TEXT(sub.heard[2].payload, "kept");
    client_close(&sub);
    client_close(&pub);
    loop_destroy(loop);
}

static void a_twin_takes_the_session_over(void)
{
    struct loop *loop = loop_create();
    struct client first = {0};
    struct client second = {0};
    struct mqtt_options options = options_of(&first, "twin");
    options.reconnect_min_ms = 60000;
    client_open(&first, loop, &options);
    wait_for(&first, is_connected);
    options = options_of(&second, "twin");
    client_open(&second, loop, &options);
    wait_for(&first, is_lost);
    CHECK(!mqtt_is_connected(first.mqtt));
    client_close(&first);
    client_close(&second);
    loop_destroy(loop);
}

static void certificates_are_verified(void)
{
    char by_address[64];
    snprintf(by_address, sizeof by_address, "mqtts://127.0.0.1:%d", broker.tls_port);
    const struct {
        const char *name;
        const char *uri;
        const char *ca_file;
        const char *want; /* NULL: connects */
    } rows[] = {
        {"right authority", broker.tls_uri, broker.ca_file, NULL},
        {"another authority", broker.tls_uri, broker.other_ca_file,
         "certificate verify failed"},
        {"the system's authorities", broker.tls_uri, NULL, "certificate verify failed"},
        {"another host", by_address, broker.ca_file,
         "its certificate is for another name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct loop *loop = loop_create();
        struct client client = {0};
        struct mqtt_options options = options_of(&client, "tls");
        options.uri = rows[i].uri;
        options.ca_file = rows[i].ca_file;
        client.want = rows[i].want;
        client_open(&client, loop, &options);
        wait_for(&client, rows[i].want == NULL ? is_connected : is_lost_as_wanted);
        CHECK_ROW(rows[i].name, (client.connects > 0) == (rows[i].want == NULL));
        if (rows[i].want != NULL && strstr(client.why, rows[i].want) == NULL)
            printf("\n  got: %s\n", client.why);
        CHECK_ROW(rows[i].name,
                  rows[i].want == NULL || strstr(client.why, rows[i].want) != NULL);
        client_close(&client);
        loop_destroy(loop);
    }
}

static void options_that_cannot_work_are_refused(void)
{
    static const struct {
        const char *name;
        const char *uri;
        const char *ca_file;
        enum err want;
    } rows[] = {
        {"no scheme", "localhost:1883", NULL, ERR_INVALID},
        {"CA file absent", "mqtts://localhost", "/nonexistent/ca.crt", ERR_NOT_FOUND},
    };
    struct loop *loop = loop_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client = {0};
        struct mqtt_options options = options_of(&client, "refused");
        struct err_text why = {0};
        options.uri = rows[i].uri;
        options.ca_file = rows[i].ca_file;
        CHECK_ROW(rows[i].name,
                  mqtt_open(&client.mqtt, loop, &options, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, client.mqtt == NULL && why.text[0] != '\0');
    }
    loop_destroy(loop);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "wait") == 0)
        return connect_and_wait(argv[2]);
    static CU_TestInfo tests[] = {
        {"publishes arrive whole", publishes_arrive_whole},
        {"what cannot be sent is refused at once",
         what_cannot_be_sent_is_refused_at_once},
        {"retained messages are marked", retained_messages_are_marked},
        {"the will follows a kill and not a close",
         the_will_follows_a_kill_and_not_a_close},
        {"a restarted broker is found again", a_restarted_broker_is_found_again},
        {"a wrong password is said and tried again",
         a_wrong_password_is_said_and_tried_again},
        {"a forbidden publish is refused", a_forbidden_publish_is_refused},
        {"what is in flight is bounded", what_is_in_flight_is_bounded},
        {"close gives the last publish a chance", close_gives_the_last_publish_a_chance},
        {"close does not hang with the broker", close_does_not_hang_with_the_broker},
        {"close without a connection is quick", close_without_a_connection_is_quick},
        {"a paused session keeps its messages", a_paused_session_keeps_its_messages},
        {"a twin takes the session over", a_twin_takes_the_session_over},
        {"certificates are verified", certificates_are_verified},
        {"options that cannot work are refused", options_that_cannot_work_are_refused},
        CU_TEST_INFO_NULL,
    };
    if (!broker_open(&broker))
        return CHECK_SKIPPED;
    int status = check_run("mqtt", tests);
    broker_close(&broker);
    return status;
}
