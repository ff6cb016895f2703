// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_link.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <MQTTAsync.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/mqtt_flight.h"
#include "net/mqtt_options.h"
#include "net/mqtt_uri.h"
#include "net/mqtt_why.h"

#define CONNECT_TIMEOUT_S       20
#define KEEPALIVE_S             30
#define RECEIVE_MAXIMUM         100
#define FLUSH_MS                1000
#define CLOSE_MS                2000
#define SILENT_REFUSALS_ALLOWED 2

enum task {
    TASK_NONE,
    TASK_CONNECT,
    TASK_DROP,
    TASK_STOP,
};

/* The library names its TLS library among what it says of itself, if it has one. */
bool mqtt_can_tls(void)
{
    for (const MQTTAsync_nameValue *fact = MQTTAsync_getVersionInfo();
         fact != NULL && fact->name != NULL; fact++)
        if (strstr(fact->name, "OpenSSL") != NULL)
            return true;
    return false;
}

struct mqtt_link {
    /* fixed after open */
    struct loop *loop;
    const struct mqtt_link_ops *ops;
    struct mqtt_options options; /* its texts are ours */
    struct mqtt_uri uri;
    atomic_int references;
    pthread_t worker;

    /* owned by the loop */
    void *context; /* NULL once closed */
    bool is_up;

    /* owned by the worker; the loop uses it between on_up and mqtt_link_drop */
    MQTTAsync handle;
    bool is_v5; /* of the handle */

    /*
     * Shared, under gate. Never held while Paho is called; Paho's own lock may be held
     * when it is taken.
     */
    pthread_mutex_t gate;
    pthread_cond_t changed;
    bool is_closed; /* nothing goes to the user any more */
    bool is_worker_gone;
    enum task task;
    char tls_error[MQTT_TLS_ERROR_MAX];
    bool is_old_broker;  /* it said that it does not speak MQTT 5 */
    int silent_refusals; /* MQTT 5 connections closed without an answer, in a row */

    struct mqtt_flight flight; /* has a lock of its own */
};

enum event_kind {
    EVENT_UP,
    EVENT_DOWN,
    EVENT_DROPPED,
};

struct event {
    struct mqtt_link *link;
    enum event_kind kind;
    bool session_present;
    struct err_text why;
};

static void ref(struct mqtt_link *link)
{
    atomic_fetch_add(&link->references, 1);
}

static void unref(struct mqtt_link *link)
{
    if (atomic_fetch_sub(&link->references, 1) > 1)
        return;
    assert(link->handle == NULL);
    mqtt_flight_fini(&link->flight);
    mqtt_options_fini(&link->options);
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->gate);
    free(link);
}

/* ---- from any thread to the loop ---- */

static void deliver(void *context)
{
    struct event *event = context;
    struct mqtt_link *link = event->link;
    void *owner = link->context;
    if (owner != NULL) {
        switch (event->kind) {
        case EVENT_UP:
            link->is_up = true;
            link->ops->on_up(owner, event->session_present);
            break;
        case EVENT_DOWN:
            link->ops->on_down(owner, event->why.text);
            break;
        case EVENT_DROPPED:
            link->ops->on_dropped(owner);
            break;
        }
    }
    free(event);
    unref(link);
}

static void post(struct mqtt_link *link, enum event_kind kind, bool session_present,
                 const char *why)
{
    struct event *event = mem_alloc(sizeof *event);
    *event =
        (struct event){.link = link, .kind = kind, .session_present = session_present};
    err_set(&event->why, ERR_OK, "%s", why);
    pthread_mutex_lock(&link->gate);
    if (link->is_closed) {
        free(event);
    } else {
        ref(link);
        loop_post(link->loop, deliver, event);
    }
    pthread_mutex_unlock(&link->gate);
}

/* ---- the end of publishes and subscriptions ---- */

static void tell(struct mqtt_link *link, const struct mqtt_slot *slot)
{
    if (slot->is_lost || link->context == NULL)
        return;
    struct mqtt_done done = {.tag = slot->tag,
                             .qos = slot->qos,
                             .filter = slot->filter,
                             .refusal = slot->refusal[0] != '\0' ? slot->refusal : NULL};
    link->ops->on_done(link->context, &done);
}

static void collect(void *context)
{
    struct mqtt_link *link = context;
    struct mqtt_slot landed[MQTT_FLIGHT_SLOTS];
    size_t count = mqtt_flight_collect(&link->flight, landed);
    for (size_t i = 0; i < count; i++) {
        tell(link, &landed[i]);
        free(landed[i].filter);
    }
    unref(link);
}

static void on_landed(void *context)
{
    struct mqtt_link *link = context;
    pthread_mutex_lock(&link->gate);
    if (!link->is_closed) {
        ref(link);
        loop_post(link->loop, collect, link);
    }
    pthread_mutex_unlock(&link->gate);
}

/* ---- Paho's callbacks: its threads, its lock held ---- */

static void on_success5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    mqtt_flight_land(context, false, "");
}

static void on_success3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    mqtt_flight_land(context, false, "");
}

/* In one path of 1.3.12 (a write that failed late) all but `code` is not initialised. */
static void on_failure5(void *context, MQTTAsync_failureData5 *data)
{
    bool is_lost = data->code != 0;
    mqtt_flight_land(context, is_lost,
                     is_lost ? "" : mqtt_why_reason((int)data->reasonCode));
}

static void on_failure3(void *context, MQTTAsync_failureData *data)
{
    bool is_refused = data->code == MQTT_BAD_SUBSCRIBE;
    mqtt_flight_land(context, !is_refused, is_refused ? "refused by the broker" : "");
}

static int on_message(void *context, char *topic, int topic_len, MQTTAsync_message *from)
{
    struct mqtt_link *link = context;
    struct mqtt_message message = {
        .topic = topic,
        .topic_len = topic_len > 0 ? (size_t)topic_len : strlen(topic),
        .payload = from->payload,
        .payload_len = (size_t)from->payloadlen,
        .qos = from->qos,
        .is_retained = from->retained != 0,
        .is_duplicate = from->dup != 0,
    };
    const MQTTProperty *type =
        MQTTProperties_getProperty(&from->properties, MQTTPROPERTY_CODE_CONTENT_TYPE);
    if (type != NULL) {
        message.content_type = type->value.data.data;
        message.content_type_len = (size_t)type->value.data.len;
    }
    pthread_mutex_lock(&link->gate);
    if (!link->is_closed)
        link->options.on_message(link->options.context, &message);
    pthread_mutex_unlock(&link->gate);
    MQTTAsync_freeMessage(&from);
    MQTTAsync_free(topic);
    return 1;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is Paho's */
static void on_connection_lost(void *context, char *cause)
{
    post(context, EVENT_DOWN, false, cause != NULL ? cause : "the connection was lost");
}

/* A DISCONNECT of the broker (MQTT 5): 1.3.12 does not call connectionLost for it. */
static void on_disconnected(void *context, MQTTProperties *properties,
                            enum MQTTReasonCodes reason)
{
    (void)properties;
    struct err_text why;
    err_set(&why, ERR_OK, "the broker ended the connection: %s",
            mqtt_why_reason((int)reason));
    post(context, EVENT_DOWN, false, why.text);
}

static void connected(struct mqtt_link *link, bool session_present, bool is_v5)
{
    pthread_mutex_lock(&link->gate);
    if (is_v5)
        link->silent_refusals = 0;
    else if (!link->is_old_broker)
        link->silent_refusals = 1; /* a guess that worked: try MQTT 5 again next time */
    pthread_mutex_unlock(&link->gate);
    post(link, EVENT_UP, session_present, "");
}

static size_t receive_maximum_of(MQTTProperties *properties)
{
    enum MQTTPropertyCodes name = MQTTPROPERTY_CODE_RECEIVE_MAXIMUM;
    bool is_given = MQTTProperties_hasProperty(properties, name) != 0;
    int value = is_given ? MQTTProperties_getNumericValue(properties, name) : 0;
    return value > 0 ? (size_t)value : MQTT_IN_FLIGHT_MAX;
}

static void on_connect5(void *context, MQTTAsync_successData5 *data)
{
    struct mqtt_link *link = context;
    mqtt_flight_limit(&link->flight, receive_maximum_of(&data->properties));
    connected(link, data->alt.connect.sessionPresent != 0, true);
}

static void on_connect3(void *context, MQTTAsync_successData *data)
{
    struct mqtt_link *link = context;
    mqtt_flight_limit(&link->flight, MQTT_IN_FLIGHT_MAX);
    connected(link, data->alt.connect.sessionPresent != 0, false);
}

static void refused(struct mqtt_link *link, int code, const char *message, bool is_v5)
{
    struct err_text why;
    pthread_mutex_lock(&link->gate);
    struct mqtt_failure failure = {.code = code,
                                   .message = message,
                                   .tls_error = link->tls_error,
                                   .is_v5 = is_v5,
                                   .timeout_s = CONNECT_TIMEOUT_S};
    mqtt_why_describe(&why, &link->uri, &failure);
    if (mqtt_why_is_old(&failure))
        link->is_old_broker = true;
    link->silent_refusals =
        is_v5 && mqtt_why_is_silent(&failure) ? link->silent_refusals + 1 : 0;
    pthread_mutex_unlock(&link->gate);
    post(link, EVENT_DOWN, false, why.text);
}

/* Up to 1.3.14 the CONNACK's reason is in `code`, later in `reasonCode`. */
static void on_refused5(void *context, MQTTAsync_failureData5 *data)
{
    int code = data->reasonCode > 0 ? (int)data->reasonCode : data->code;
    refused(context, code, data->message, true);
}

static void on_refused3(void *context, MQTTAsync_failureData *data)
{
    refused(context, data->code, data->message, false);
}

static int on_tls_error(const char *text, size_t len, void *context)
{
    (void)len;
    struct mqtt_link *link = context;
    pthread_mutex_lock(&link->gate);
    mqtt_why_tls(link->tls_error, text);
    pthread_mutex_unlock(&link->gate);
    return 1;
}

/* ---- the worker: makes and destroys handles ---- */

static void start_library(void)
{
    /*
     * Never connected, never destroyed: with no handle left Paho would stop its threads,
     * which takes a second at each reconnect and races with the next one. The library
     * keeps process-wide state, so this is ours too.
     */
    static MQTTAsync anchor;
    unsetenv("http_proxy"); /* 1.3.10 to 1.3.13 would take MQTT through them */
    unsetenv("https_proxy");
    /* Else 125 KB fill with what it does, for a trace that nobody reads. */
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR); /* graver ones are not heard */
    int code = MQTTAsync_create(&anchor, "tcp://localhost:1883", "anchor",
                                MQTTCLIENT_PERSISTENCE_NONE, NULL);
    assert(code == MQTTASYNC_SUCCESS);
}

static bool wants_v5(struct mqtt_link *link)
{
    pthread_mutex_lock(&link->gate);
    bool is_v5 = !link->is_old_broker && link->silent_refusals < SILENT_REFUSALS_ALLOWED;
    link->tls_error[0] = '\0';
    pthread_mutex_unlock(&link->gate);
    return is_v5;
}

static int create_handle(struct mqtt_link *link)
{
    char uri[MQTT_PAHO_URI_MAX];
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.MQTTVersion = link->is_v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.maxBufferedMessages = 2 * MQTT_IN_FLIGHT_MAX; /* ours is the tighter bound */
    int code = MQTTAsync_createWithOptions(
        &link->handle, mqtt_uri_format_paho(uri, &link->uri), link->options.client_id,
        MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
    if (code != MQTTASYNC_SUCCESS)
        return code;
    code =
        MQTTAsync_setCallbacks(link->handle, link, on_connection_lost, on_message, NULL);
    if (code == MQTTASYNC_SUCCESS)
        code = MQTTAsync_setDisconnected(link->handle, link, on_disconnected);
    return code;
}

static void add_number(MQTTProperties *properties, enum MQTTPropertyCodes name,
                       uint32_t value)
{
    MQTTProperty property = {.identifier = name};
    if (MQTTProperty_getType(name) == MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER)
        property.value.integer2 = (unsigned short)value;
    else
        property.value.integer4 = value;
    int code = MQTTProperties_add(properties, &property);
    assert(code == 0);
}

static void set_version(struct mqtt_link *link, MQTTAsync_connectOptions *options,
                        MQTTProperties *properties)
{
    const struct mqtt_options *ours = &link->options;
    if (!link->is_v5) {
        options->MQTTVersion = MQTTVERSION_3_1_1;
        options->cleansession = ours->clean_start;
        options->onSuccess = on_connect3;
        options->onFailure = on_refused3;
        return;
    }
    options->cleanstart = ours->clean_start;
    options->onSuccess5 = on_connect5;
    options->onFailure5 = on_refused5;
    add_number(properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
               ours->session_expiry_s);
    add_number(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM,
               ours->receive_maximum > 0 ? ours->receive_maximum : RECEIVE_MAXIMUM);
    options->connectProperties = properties;
}

static int start_connect(struct mqtt_link *link)
{
    const struct mqtt_options *ours = &link->options;
    MQTTAsync_connectOptions v5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions v3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options = link->is_v5 ? v5 : v3;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    MQTTProperties properties = MQTTProperties_initializer;
    set_version(link, &options, &properties);
    options.context = link;
    options.keepAliveInterval = ours->keepalive_s > 0 ? ours->keepalive_s : KEEPALIVE_S;
    options.connectTimeout = CONNECT_TIMEOUT_S;
    options.maxInflight = MQTT_IN_FLIGHT_MAX;
    options.username = ours->username;
    options.password = ours->password;
    if (ours->will_topic != NULL) {
        will.topicName = ours->will_topic;
        will.message = ours->will_payload != NULL ? ours->will_payload : "";
        will.qos = 1;
        will.retained = 1;
        options.will = &will;
    }
    if (link->uri.is_tls) {
        tls.trustStore = ours->ca_file;
        tls.keyStore = ours->cert_file;
        tls.privateKey = ours->key_file;
        tls.enableServerCertAuth = 1;
        tls.verify = 1; /* the host name, which is not looked at by default */
        tls.ssl_error_cb = on_tls_error;
        tls.ssl_error_context = link;
        options.ssl = &tls;
    }
    int code = MQTTAsync_connect(link->handle, &options);
    MQTTProperties_free(&properties);
    return code;
}

static void run_connect(struct mqtt_link *link)
{
    assert(link->handle == NULL);
    link->is_v5 = wants_v5(link);
    int code = create_handle(link);
    if (code == MQTTASYNC_SUCCESS)
        code = start_connect(link);
    if (code == MQTTASYNC_SUCCESS)
        return;
    struct err_text why;
    const char *text = MQTTAsync_strerror(code);
    err_set(&why, ERR_OK, "cannot start to connect: %s",
            text != NULL ? text : "reason not known");
    post(link, EVENT_DOWN, false, why.text);
}

/* Sends DISCONNECT when it can; calls back for what was in flight. */
static void run_drop(struct mqtt_link *link)
{
    if (link->handle != NULL)
        MQTTAsync_destroy(&link->handle);
    assert(link->handle == NULL);
    mqtt_flight_forget(&link->flight); /* should a call-back have been forgotten */
}

static enum task next_task(struct mqtt_link *link)
{
    pthread_mutex_lock(&link->gate);
    while (link->task == TASK_NONE)
        pthread_cond_wait(&link->changed, &link->gate);
    enum task task = link->task;
    link->task = TASK_NONE;
    pthread_mutex_unlock(&link->gate);
    return task;
}

static void *work(void *context)
{
    struct mqtt_link *link = context;
    enum task task;
    while ((task = next_task(link)) != TASK_STOP) {
        if (task == TASK_CONNECT) {
            run_connect(link);
        } else {
            run_drop(link);
            post(link, EVENT_DROPPED, false, "");
        }
    }
    run_drop(link);
    pthread_mutex_lock(&link->gate);
    link->is_worker_gone = true;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->gate);
    unref(link);
    return NULL;
}

static void give_task(struct mqtt_link *link, enum task task)
{
    pthread_mutex_lock(&link->gate);
    link->task = task;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->gate);
}

/* ---- the loop ---- */

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum err mqtt_link_open(struct mqtt_link **link, struct loop *loop,
                        const struct mqtt_options *options,
                        const struct mqtt_link_ops *ops, void *context,
                        struct err_text *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *link = NULL;
    struct mqtt_uri uri;
    enum err err = mqtt_options_check(options, &uri, why);
    if (err == ERR_OK && uri.is_tls && !mqtt_can_tls())
        err = err_set(why, ERR_UNSUPPORTED, "this program was built without TLS");
    if (err != ERR_OK)
        return err;
    pthread_once(&once, start_library);
    struct mqtt_link *made = mem_alloc(sizeof *made);
    made->loop = loop;
    made->ops = ops;
    made->context = context;
    made->options = mqtt_options_dup(options);
    made->uri = uri;
    atomic_init(&made->references, 2); /* the owner's and the worker's */
    pthread_mutex_init(&made->gate, NULL);
    init_condition(&made->changed);
    mqtt_flight_init(&made->flight, on_landed, made);
    int failed = pthread_create(&made->worker, NULL, work, made);
    if (failed != 0) {
        atomic_store(&made->references, 1); /* there is no worker */
        unref(made);
        return err_set(why, err_from_errno(failed), "cannot start a thread: %s",
                       strerror(failed));
    }
    *link = made;
    return ERR_OK;
}

void mqtt_link_close(struct mqtt_link *link)
{
    struct timespec flushed = clock_deadline(FLUSH_MS);
    struct timespec end = clock_deadline(CLOSE_MS);
    if (link->is_up && !mqtt_flight_wait(&link->flight, &flushed))
        log_debug("disconnecting with publishes in flight");
    int code = 0;
    pthread_mutex_lock(&link->gate);
    link->is_closed = true;
    link->context = NULL;
    link->task = TASK_STOP;
    pthread_cond_broadcast(&link->changed);
    while (!link->is_worker_gone && code == 0)
        code = pthread_cond_timedwait(&link->changed, &link->gate, &end);
    bool is_gone = link->is_worker_gone;
    pthread_mutex_unlock(&link->gate);
    /* A worker that waits for Paho, which waits for DNS, ends by itself later. */
    if (is_gone)
        pthread_join(link->worker, NULL);
    else
        pthread_detach(link->worker);
    unref(link);
}

void mqtt_link_connect(struct mqtt_link *link)
{
    give_task(link, TASK_CONNECT);
}

void mqtt_link_drop(struct mqtt_link *link)
{
    link->is_up = false;
    give_task(link, TASK_DROP);
}

static enum err err_of(int code)
{
    switch (code) {
    case MQTTASYNC_SUCCESS:
        return ERR_OK;
    case MQTTASYNC_DISCONNECTED:
        return ERR_OFFLINE;
    case MQTTASYNC_MAX_BUFFERED_MESSAGES:
    case MQTTASYNC_NO_MORE_MSGIDS:
        return ERR_LIMIT;
    case MQTTASYNC_BAD_UTF8_STRING:
    case MQTTASYNC_BAD_QOS:
        return ERR_INVALID;
    default:
        return ERR_IO;
    }
}

/* Paho may know that the connection is gone and not have said so. */
static enum err settle(struct mqtt_link *link, struct mqtt_slot *slot, int code)
{
    enum err err = err_of(code);
    if (err == ERR_OK)
        return ERR_OK;
    mqtt_flight_return(slot);
    if (err == ERR_OFFLINE)
        post(link, EVENT_DOWN, false, "the connection was lost");
    return err;
}

static MQTTAsync_responseOptions response_of(const struct mqtt_link *link,
                                             struct mqtt_slot *slot)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = slot;
    if (link->is_v5) {
        response.onSuccess5 = on_success5;
        response.onFailure5 = on_failure5;
    } else {
        response.onSuccess = on_success3;
        response.onFailure = on_failure3;
    }
    return response;
}

static void add_content_type(MQTTProperties *properties, const char *type)
{
    char text[128];
    snprintf(text, sizeof text, "%s", type);
    MQTTProperty property = {.identifier = MQTTPROPERTY_CODE_CONTENT_TYPE};
    property.value.data.data = text;
    property.value.data.len = (int)strlen(text);
    int code = MQTTProperties_add(properties, &property); /* copies */
    assert(code == 0);
}

static bool is_topic(const char *topic)
{
    size_t len = strlen(topic);
    return len > 0 && len <= 65535 && strpbrk(topic, "+#") == NULL;
}

enum err mqtt_link_publish(struct mqtt_link *link, const struct mqtt_publish *publish)
{
    assert(link->is_up);
    if (!is_topic(publish->topic))
        return ERR_INVALID;
    if (publish->payload_len > MQTT_PAYLOAD_MAX)
        return ERR_LIMIT;
    struct mqtt_slot *slot =
        mqtt_flight_take(&link->flight, NULL, publish->tag, publish->qos);
    if (slot == NULL)
        return ERR_LIMIT;
    MQTTAsync_responseOptions response = response_of(link, slot);
    MQTTAsync_message message = MQTTAsync_message_initializer;
    memcpy(&message.payload, &publish->payload, sizeof message.payload);
    message.payloadlen = (int)publish->payload_len;
    message.qos = publish->qos;
    message.retained = publish->retain;
    if (link->is_v5 && publish->content_type != NULL)
        add_content_type(&message.properties, publish->content_type);
    int code = MQTTAsync_sendMessage(link->handle, publish->topic, &message, &response);
    MQTTProperties_free(&message.properties);
    return settle(link, slot, code);
}

enum err mqtt_link_subscribe(struct mqtt_link *link, const char *filter, int qos,
                             int retain_handling)
{
    assert(link->is_up);
    struct mqtt_slot *slot = mqtt_flight_take(&link->flight, filter, 0, qos);
    if (slot == NULL)
        return ERR_LIMIT;
    MQTTAsync_responseOptions response = response_of(link, slot);
    response.subscribeOptions.retainHandling = (unsigned char)retain_handling;
    return settle(link, slot, MQTTAsync_subscribe(link->handle, filter, qos, &response));
}
