// SPDX-License-Identifier: Apache-2.0
/* From the outbox to receivers in this process, which are not always kind. */
#include "collector/notify/notifier.h"

#include <assert.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "collector/notify/attempt.h"
#include "collector/store/state_incidents.h"
#include "tests/support/folder.h"
#include "tests/support/until.h"
#include "tests/unit/collector/notify/receiver.h"

#define BOUND_MS     30000
#define ATTEMPTS_MAX 1000

static char name_a[] = "a";
static char name_b[] = "b";
static char secret[] = "a secret of the channel";

struct world {
    struct folder folder;
    struct clock clock;
    struct loop *loop;
    struct state *state;
    struct notifier *notifier;
    struct receiver receivers[2];
    struct config_channel webhooks[2];
    const struct config_channel *channels[2];
    /* a journal of attempts: written, and applied so far */
    struct record_attempt attempts[ATTEMPTS_MAX];
    uint64_t written;
    uint64_t applied;
    size_t moments;
    size_t results;
    struct record_result last;
};

static void must(enum err err, const char *what)
{
    if (err == ERR_OK)
        return;
    printf("%s: %s\n", what, err_about(err));
    exit(EXIT_FAILURE);
}

/* What the pipeline does with a RESULT record. */
static void on_result(void *context, const struct record_result *result)
{
    struct world *world = context;
    world->results++;
    world->last = *result;
    must(state_begin(world->state), "begin");
    must(state_outbox_result(world->state, result->message, clock_wall_ms(&world->clock),
                             result->outcome, result->next_attempt_ms, result->text),
         "result");
    must(state_commit(world->state), "commit");
}

static enum err on_attempt(void *context, const struct record_attempt *attempt,
                           uint64_t *position)
{
    struct world *world = context;
    assert(world->written < ATTEMPTS_MAX);
    world->attempts[world->written++] = *attempt;
    *position = world->written;
    return ERR_OK;
}

static uint64_t applied(void *context)
{
    const struct world *world = context;
    return world->applied;
}

/* `first` is channel a but for what follows of its receiver. */
static void world_open_with(struct world *world, const struct config_channel *first,
                            int status_a, int status_b)
{
    struct err_text why = {0};
    *world = (struct world){.loop = loop_create()};
    crypto_init();
    clock_init(&world->clock);
    folder_make(&world->folder);
    must(state_open(&world->state, folder_file(&world->folder, "state.db"), &why),
         why.text);
    receiver_open(&world->receivers[0], status_a);
    receiver_open(&world->receivers[1], status_b);
    world->webhooks[0] = *first;
    world->webhooks[0].name = name_a;
    world->webhooks[0].url = world->receivers[0].url;
    world->webhooks[0].timeout_ms = 1000;
    world->webhooks[1] = (struct config_channel){
        .name = name_b, .url = world->receivers[1].url, .timeout_ms = 1000};
    world->channels[0] = &world->webhooks[0];
    world->channels[1] = &world->webhooks[1];
    const struct notifier_options options = {.state = world->state,
                                             .loop = world->loop,
                                             .clock = &world->clock,
                                             .channels = world->channels,
                                             .channel_count = 2,
                                             .context = world,
                                             .on_attempt = on_attempt,
                                             .applied = applied,
                                             .on_result = on_result};
    world->notifier = notifier_create(&options);
}

static void world_open(struct world *world, int status_a, int status_b)
{
    world_open_with(world, &(struct config_channel){.secret = secret}, status_a,
                    status_b);
}

static void world_close(struct world *world)
{
    notifier_stop(world->notifier);
    loop_destroy(world->loop);
    notifier_destroy(world->notifier);
    receiver_close(&world->receivers[0]);
    receiver_close(&world->receivers[1]);
    state_close(world->state);
    folder_remove(&world->folder);
}

/* Puts a message of (incident, revision) into the outbox; its key is "INCIDENT-REVISION".
 */
static void put_aged(struct world *world, const char *channel, int incident,
                     uint32_t revision, const char *body, int64_t age_ms)
{
    char id[ALERT_ID_SIZE];
    char key[60];
    snprintf(id, sizeof id, "%032x", incident);
    snprintf(key, sizeof key, "%d-%u", incident, revision);
    const struct state_message message = {.incident = id,
                                          .revision = revision,
                                          .channel = channel,
                                          .key = key,
                                          .body = body,
                                          .created_ms =
                                              clock_wall_ms(&world->clock) - age_ms,
                                          .next_attempt_ms = 1};
    must(state_begin(world->state), "begin");
    must(state_add_message(world->state, &message), "message");
    must(state_commit(world->state), "commit");
}

static void put(struct world *world, const char *channel, int incident, uint32_t revision)
{
    put_aged(world, channel, incident, revision, "{\"text\":\"\u6e29\u5ea6\"}", 0);
}

static void pump(struct world *world)
{
    struct err_text why = {0};
    must(notifier_pump(world->notifier, &why), why.text);
}

static uint64_t count(struct world *world, enum state_outbox which)
{
    uint64_t number = 0;
    must(state_count_messages(world->state, which, &number), "count");
    return number;
}

/* What the pipeline does with ATTEMPT records. */
static void apply(struct world *world)
{
    if (world->applied == world->written)
        return;
    must(state_begin(world->state), "begin");
    while (world->applied < world->written) {
        const struct record_attempt *attempt = &world->attempts[world->applied++];
        enum err err =
            state_outbox_attempt(world->state, attempt->message,
                                 clock_wall_ms(&world->clock), attempt->retry_ms);
        must(err == ERR_NOT_FOUND ? ERR_OK : err, "attempt");
    }
    must(state_commit(world->state), "commit");
    pump(world);
}

static bool nothing_is_pending(void *context)
{
    apply(context);
    return count(context, STATE_OUTBOX_PENDING) == 0;
}

static bool b_was_told(void *context)
{
    struct world *world = context;
    apply(world);
    return atomic_load(&world->receivers[1].count) > 0 &&
           count(world, STATE_OUTBOX_DONE) > 0;
}

/* Long enough for the thread of a channel to send what it was given. */
static bool a_moment_passed(void *context)
{
    struct world *world = context;
    return ++world->moments > 50;
}

static void a_message_is_told_once_signed_and_named(void)
{
    struct world world;
    world_open(&world, 200, 204);
    put(&world, "a", 1, 1);
    put(&world, "b", 1, 1);
    pump(&world);
    CHECK(until_true(world.loop, nothing_is_pending, &world, BOUND_MS));
    CHECK(count(&world, STATE_OUTBOX_DONE) == 2 && world.results == 2);
    for (size_t i = 0; i < 2; i++) {
        const struct received *request = &world.receivers[i].requests[0];
        CHECK(atomic_load(&world.receivers[i].count) == 1);
        CHECK(request->is_right);
        CHECK_TEXT(request->key, "1-1");
        CHECK_TEXT(request->body, "{\"text\":\"\u6e29\u5ea6\"}");
    }
    const struct received *request = &world.receivers[0].requests[0];
    char *text = mem_format("%s.%s", request->stamp, request->body);
    uint8_t mac[CRYPTO_HMAC_BYTES];
    char hex[2 * CRYPTO_HMAC_BYTES + 1];
    char want[100];
    crypto_hmac_sha256(mac, secret, strlen(secret), text, strlen(text));
    snprintf(want, sizeof want, "sha256=%s", crypto_hex(hex, mac, sizeof mac));
    CHECK_TEXT(request->signature, want);
    CHECK_TEXT(world.receivers[1].requests[0].signature, "");
    free(text);
    world_close(&world);
}

static void what_is_not_taken_is_told_again_with_the_same_key(void)
{
    struct world world;
    world_open(&world, 200, 200);
    atomic_store(&world.receivers[0].refuses, 1);
    put(&world, "a", 1, 1);
    put(&world, "a", 1, 2);
    pump(&world);
    CHECK(until_true(world.loop, nothing_is_pending, &world, BOUND_MS));
    const struct receiver *receiver = &world.receivers[0];
    CHECK(atomic_load(&receiver->count) == 3);
    CHECK_TEXT(receiver->requests[0].key, "1-1");
    CHECK_TEXT(receiver->requests[0].attempt, "1");
    CHECK_TEXT(receiver->requests[1].key, "1-1");
    CHECK_TEXT(receiver->requests[1].attempt, "2");
    CHECK_TEXT(receiver->requests[2].attempt, "1");
    CHECK_TEXT(receiver->requests[2].key, "1-2"); /* it does not overtake */
    CHECK(count(&world, STATE_OUTBOX_DONE) == 2);
    world_close(&world);
}

static void an_attempt_of_a_former_run_is_made_again(void)
{
    struct world world;
    world_open(&world, 200, 200);
    put(&world, "a", 1, 1);
    int64_t now_ms = clock_wall_ms(&world.clock);
    must(state_begin(world.state), "begin");
    must(state_outbox_attempt(world.state, 1, now_ms - 60000, now_ms + 60000), "attempt");
    must(state_commit(world.state), "commit");
    pump(&world);
    CHECK(atomic_load(&world.receivers[0].count) == 0);
    struct err_text why = {0};
    must(notifier_resume(world.notifier, &why), why.text);
    CHECK(until_true(world.loop, nothing_is_pending, &world, BOUND_MS));
    CHECK_TEXT(world.receivers[0].requests[0].key, "1-1");
    CHECK_TEXT(world.receivers[0].requests[0].attempt, "2");
    CHECK(atomic_load(&world.receivers[0].count) == 1);
    world_close(&world);
}

static void nothing_is_sent_before_its_attempt_is_applied(void)
{
    struct world world;
    world_open(&world, 200, 200);
    put(&world, "a", 1, 1);
    for (int i = 0; i < 3; i++)
        pump(&world);
    CHECK(world.written == 1); /* asked for once */
    CHECK(until_true(world.loop, a_moment_passed, &world, BOUND_MS));
    CHECK(atomic_load(&world.receivers[0].count) == 0);
    CHECK(until_true(world.loop, nothing_is_pending, &world, BOUND_MS));
    CHECK(atomic_load(&world.receivers[0].count) == 1);
    world_close(&world);
}

/* The result of a former run stands in the journal in front of the attempt of this. */
static void what_a_result_ended_meanwhile_is_not_sent(void)
{
    struct world world;
    world_open(&world, 200, 200);
    put(&world, "a", 1, 1);
    pump(&world);
    const struct record_result result = {.message = 1, .outcome = STATE_OUTBOX_DONE};
    on_result(&world, &result);
    CHECK(until_true(world.loop, nothing_is_pending, &world, BOUND_MS));
    CHECK(world.applied == 1);
    put(&world, "a", 2, 1); /* and the channel goes on */
    pump(&world);
    CHECK(until_true(world.loop, nothing_is_pending, &world, BOUND_MS));
    CHECK(atomic_load(&world.receivers[0].count) == 1);
    CHECK_TEXT(world.receivers[0].requests[0].key, "2-1");
    world_close(&world);
}

static void what_is_refused_for_good_is_put_aside(void)
{
    struct world world;
    world_open(&world, 422, 200);
    put(&world, "a", 1, 1);
    put(&world, "gone", 2, 1);
    pump(&world);
    CHECK(until_true(world.loop, nothing_is_pending, &world, BOUND_MS));
    CHECK(count(&world, STATE_OUTBOX_DEAD) == 2);
    CHECK(atomic_load(&world.receivers[0].count) == 1);
    CHECK_TEXT(world.last.text, "status 422");
    world_close(&world);
}

/* More than a look takes, and all of them in a state in which they cannot be sent. */
static void a_dead_channel_delays_no_other(void)
{
    struct world world;
    world_open(&world, 503, 200);
    for (int i = 0; i < 100; i++) {
        put(&world, "a", i, 1);
        put(&world, "a", i, 2);
    }
    put(&world, "b", 1000, 1);
    pump(&world);
    CHECK(until_true(world.loop, b_was_told, &world, BOUND_MS));
    CHECK(count(&world, STATE_OUTBOX_DONE) == 1);
    for (size_t i = 0; i < atomic_load(&world.receivers[0].count); i++)
        CHECK(strstr(world.receivers[0].requests[i].key, "-1") != NULL);
    world_close(&world);
}

static bool a_request_hangs(void *context)
{
    struct world *world = context;
    return atomic_load(&world->receivers[0].count) > 0;
}

static void a_channel_that_hangs_delays_no_other_and_no_end(void)
{
    struct world world;
    world_open(&world, RECEIVER_HANG, 200);
    for (int i = 0; i < 50; i++)
        put(&world, "a", i, 1);
    pump(&world);
    put(&world, "b", 1000, 1);
    pump(&world);
    CHECK(until_true(world.loop, b_was_told, &world, BOUND_MS));
    CHECK(until_true(world.loop, a_request_hangs, &world, BOUND_MS));
    int64_t began_ms = clock_real_ms();
    notifier_stop(world.notifier);
    CHECK(clock_real_ms() - began_ms < 5000); /* one timeout, not fifty */
    loop_destroy(world.loop);
    notifier_destroy(world.notifier);
    /* The attempt was cut off or never made: either way it will be made again. */
    CHECK(count(&world, STATE_OUTBOX_PENDING) == 50);
    receiver_close(&world.receivers[0]);
    receiver_close(&world.receivers[1]);
    state_close(world.state);
    folder_remove(&world.folder);
}

/* ---- digests ---------------------------------------------------------------------- */

#define MINUTE_MS INT64_C(60000)

static char sms_body[] = "{\"text\":\"${text}\"}";

static bool three_are_told(void *context)
{
    struct world *world = context;
    apply(world);
    return world->results >= 3;
}

/* An outage of a day ends what is a day old, not what is listed with it. */
static void each_row_of_a_digest_is_given_up_by_its_own_age(void)
{
    struct world world;
    const struct config_channel sms = {
        .kind = CHANNEL_SMS, .body = sms_body, .language = CHANNEL_EN, .rate = -1};
    world_open_with(&world, &sms, 503, 200);
    put_aged(&world, "a", 1, 1, "{\"text_en\":\"old\"}", CHANNEL_GIVE_UP_MS + MINUTE_MS);
    put_aged(&world, "a", 2, 1, "{\"text_en\":\"of this minute\"}", MINUTE_MS);
    put_aged(&world, "a", 3, 1, "{\"text_en\":\"new\"}", 0);
    pump(&world);
    CHECK(until_true(world.loop, three_are_told, &world, BOUND_MS));
    CHECK(strstr(world.last.text, "of 3 messages: ") != NULL);
    CHECK(count(&world, STATE_OUTBOX_DEAD) == 1);
    CHECK(count(&world, STATE_OUTBOX_PENDING) == 2);
    CHECK(world.last.next_attempt_ms > 0);
    world_close(&world);
}

static bool one_is_told(void *context)
{
    struct world *world = context;
    apply(world);
    return world->results > 0;
}

/* One token, and texts of which two fit: the gravest, and the rest waits for the next. */
static void a_digest_counts_only_what_it_tells(void)
{
    struct world world;
    const struct config_channel sms = {
        .kind = CHANNEL_SMS, .body = sms_body, .language = CHANNEL_EN, .rate = -1};
    char body[400];
    world_open_with(&world, &sms, 200, 200);
    for (int i = 1; i <= 6; i++) {
        snprintf(body, sizeof body,
                 "{\"severity\":\"%s\",\"text_en\":\"number %d %0200d\"}",
                 i == 3 || i == 6 ? "critical" : "warning", i, 0);
        put_aged(&world, "a", i, 1, body, 0);
    }
    pump(&world);
    CHECK(until_true(world.loop, one_is_told, &world, BOUND_MS));
    const char *told = world.receivers[0].requests[0].body;
    CHECK(strstr(told, "[critical] 2 messages:") != NULL);
    CHECK(strstr(told, "number 3 ") != NULL && strstr(told, "number 6 ") != NULL);
    CHECK(strstr(told, "…") == NULL && strstr(told, "number 1 ") == NULL);
    CHECK(world.written == 2 && count(&world, STATE_OUTBOX_DONE) == 2);
    CHECK(count(&world, STATE_OUTBOX_PENDING) == 4);
    CHECK(strstr(world.last.text, "of 2 messages: ") != NULL);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a message is told once, signed and named",
         a_message_is_told_once_signed_and_named},
        {"what is not taken is told again with the same key",
         what_is_not_taken_is_told_again_with_the_same_key},
        {"an attempt of a former run is made again",
         an_attempt_of_a_former_run_is_made_again},
        {"nothing is sent before its attempt is applied",
         nothing_is_sent_before_its_attempt_is_applied},
        {"what a result ended meanwhile is not sent",
         what_a_result_ended_meanwhile_is_not_sent},
        {"what is refused for good is put aside", what_is_refused_for_good_is_put_aside},
        {"a dead channel delays no other", a_dead_channel_delays_no_other},
        {"a channel that hangs delays no other and no end",
         a_channel_that_hangs_delays_no_other_and_no_end},
        {"each row of a digest is given up by its own age",
         each_row_of_a_digest_is_given_up_by_its_own_age},
        {"a digest counts only what it tells", a_digest_counts_only_what_it_tells},
        CU_TEST_INFO_NULL,
    };
    return check_run("notifier", tests);
}
