// SPDX-License-Identifier: Apache-2.0
/*
 * The collector's own clock was eight hours ahead (of a board that keeps local time), and
 * a time service sets it right: nothing waits for those hours to pass once more.
 */
#include "base/clock.h"
#include "collector/store/state_escalation.h"
#include "tests/unit/collector/pipeline_house.h"

#define AHEAD 480 /* minutes */

static char sms[] = "sms";
static char voice[] = "voice";
static const char *const channels[] = {sms, voice};
static const struct roster_channel given[] = {{.name = sms, .rate = 10},
                                              {.name = voice, .rings = true}};
static char li[] = "li";
static char on_call[] = "on-call";
static char rooms[] = "rooms";
static char utc[] = "UTC";
static struct config_address addresses[] = {{.channel = sms}, {.channel = voice}};
static struct config_contact contact = {
    .id = li, .addresses = addresses, .address_count = 2};
static struct config_shift shift = {.contact = li};
static struct config_duty duty = {.id = on_call, .shifts = &shift, .shift_count = 1};
static struct config_step steps[] = {{.duty = on_call, .repeat_ms = 300000, .most = 3}};
static struct config_policy policy = {.id = rooms, .steps = steps, .step_count = 1};
static const struct config_escalation settings = {.time_zone = utc,
                                                  .contacts = &contact,
                                                  .contact_count = 1,
                                                  .duties = &duty,
                                                  .duty_count = 1,
                                                  .policies = &policy,
                                                  .policy_count = 1};

static int64_t minute_ms(int64_t minute)
{
    return START_MS + minute * 60000;
}

static void open_house(struct house *house)
{
    house_open(house);
    house->channels = channels;
    house->channel_count = 2;
    house->roster = roster_create(&settings, given, 2);
    house->path_ms = 600000;
    house->grace_ms = 120000;
    put(house, RECORD_CONFIG, minute_ms(AHEAD), config, strlen(config));
}

static void close_house(struct house *house)
{
    struct roster *roster = (struct roster *)(uintptr_t)house->roster;
    house_close(house);
    roster_destroy(roster);
}

static void take_all(struct house *house)
{
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    if (house->pipeline == NULL)
        pipeline_start(house);
    advance(house, 100000);
}

static void put_ticks(struct house *house, enum clock_state state, int64_t from,
                      int64_t to)
{
    uint8_t byte = (uint8_t)state;
    for (int64_t minute = from; minute <= to; minute++)
        put(house, RECORD_TICK, minute_ms(minute), &byte, 1);
}

static void put_refusal(struct house *house, uint64_t message, int64_t minute)
{
    struct buf data = {0};
    const struct record_attempt attempt = {.message = message,
                                           .retry_ms = minute_ms(minute + 2)};
    record_attempt_format(&attempt, &data);
    put(house, RECORD_ATTEMPT, minute_ms(minute), data.data, data.len);
    buf_clear(&data);
    const struct record_result result = {.message = message,
                                         .outcome = STATE_OUTBOX_PENDING,
                                         .next_attempt_ms = minute_ms(minute + 1),
                                         .text = "no route to host"};
    record_result_format(&result, &data);
    put(house, RECORD_RESULT, minute_ms(minute), data.data, data.len);
    buf_fini(&data);
}

static void on_told(void *context, const struct state_message *message)
{
    buf_format(context, "%s%dm %s", ((struct buf *)context)->len > 0 ? ", " : "",
               (int)((message->created_ms - START_MS) / 60000), message->channel);
}

static void check_told(struct house *house, const char *want)
{
    struct buf out = {0};
    buf_text(&out, "");
    CHECK(state_page_messages(house->state, NULL, 0, 100, &out, on_told) == ERR_OK);
    CHECK_TEXT(out.data, want);
    buf_fini(&out);
}

static void on_due(void *context, const struct state_message *message)
{
    (void)message;
    ++*(size_t *)context;
}

static size_t due(struct house *house, int64_t minute)
{
    size_t count = 0;
    CHECK(state_outbox_due(house->state, minute_ms(minute), 100, &count, on_due) ==
          ERR_OK);
    return count;
}

static void tell_ahead(struct house *house)
{
    put_ticks(house, CLOCK_STEPPED, AHEAD, AHEAD);
    put_pack_at(house, "d", 1, minute_ms(AHEAD + 1), 9, false);
    put_refusal(house, 1, AHEAD + 1);
    put_ticks(house, CLOCK_STEPPED, AHEAD + 2, AHEAD + 2);
    take_all(house);
    check_told(house, "481m sms");
    CHECK(due(house, 3) == 0);
}

static void check_told_in_time(struct house *house)
{
    uint64_t lately;
    CHECK(due(house, 3) == 1);
    CHECK(state_count_channel(house->state, sms, minute_ms(9), minute_ms(10), &lately) ==
          ERR_OK);
    CHECK(lately == 0); /* it is not full */
    put_ticks(house, CLOCK_SYNCED, 4, 15);
    take_all(house);
    /* The call is about the channel that has failed for ten minutes. */
    check_told(house, "3m sms, 8m sms, 13m voice, 13m sms");
}

static void what_was_to_be_told_then_is_told_now(void)
{
    struct house house;
    open_house(&house);
    tell_ahead(&house);
    put_ticks(&house, CLOCK_SYNCED, 3, 3);
    take_all(&house);
    check_told_in_time(&house);
    close_house(&house);
}

/* It was set right while nobody was there. */
static void also_after_a_restart(void)
{
    struct house house;
    open_house(&house);
    tell_ahead(&house);
    pipeline_close(house.pipeline);
    house.pipeline = NULL;
    put(&house, RECORD_START, minute_ms(3), "", 0);
    put_ticks(&house, CLOCK_SYNCED, 3, 3);
    take_all(&house);
    check_told_in_time(&house);
    close_house(&house);
}

/* A clock that nobody has set says nothing: it is behind, and will be right. */
static void a_clock_that_is_not_set_moves_nothing(void)
{
    struct house house;
    open_house(&house);
    tell_ahead(&house);
    put_ticks(&house, CLOCK_UNSET, 3, 10);
    take_all(&house);
    check_told(&house, "481m sms");
    CHECK(due(&house, 10) == 0);
    close_house(&house);
}

static void keep_warm(void *context, const struct incident *incident)
{
    if (incident->kind == ALERT_ABOVE)
        *(struct incident *)context = *incident;
}

/* What is listed follows the readings, once a minute of the clock as it is now. */
static void values_go_on(void)
{
    struct house house;
    struct incident open = {.value = 0};
    const struct state_incident_query query = {.states = 1u << INCIDENT_OPEN};
    house_open(&house); /* nobody is told again, who would look at it */
    put(&house, RECORD_CONFIG, minute_ms(AHEAD), config, strlen(config));
    put_ticks(&house, CLOCK_STEPPED, AHEAD, AHEAD);
    put_pack_at(&house, "d", 1, minute_ms(AHEAD + 1), 9, false);
    put_ticks(&house, CLOCK_STEPPED, AHEAD + 2, AHEAD + 2);
    put_ticks(&house, CLOCK_SYNCED, 3, 3);
    put_pack_late(&house, "d", 2, minute_ms(3) + 500, minute_ms(3) + 1000, 11, false);
    put_ticks(&house, CLOCK_SYNCED, 4, 4);
    take_all(&house);
    CHECK(state_page_incidents(house.state, &query, &open, keep_warm) == ERR_OK);
    CHECK(open.value == 11);
    house_close(&house);
}

static void keep_silence(void *context, const struct incident *incident)
{
    if (incident->kind == ALERT_SILENT)
        *(struct incident *)context = *incident;
}

/* The grace after a start is no eight hours. */
static void what_falls_silent_is_told_in_time(void)
{
    struct house house;
    struct incident silent = {.opened_ms = 0};
    const struct state_incident_query query = {0};
    open_house(&house);
    put(&house, RECORD_START, minute_ms(AHEAD), "", 0);
    put_pack_at(&house, "d", 1, minute_ms(AHEAD + 1), 5, false);
    put_ticks(&house, CLOCK_STEPPED, AHEAD + 1, AHEAD + 1);
    put_pack_late(&house, "d", 2, minute_ms(AHEAD + 2), minute_ms(3), 5, false);
    put_ticks(&house, CLOCK_SYNCED, 4, 20);
    take_all(&house);
    CHECK(state_page_incidents(house.state, &query, &silent, keep_silence) == ERR_OK);
    CHECK(silent.opened_ms == minute_ms(13));
    close_house(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what was to be told then is told now", what_was_to_be_told_then_is_told_now},
        {"also after a restart", also_after_a_restart},
        {"a clock that is not set moves nothing", a_clock_that_is_not_set_moves_nothing},
        {"values go on", values_go_on},
        {"what falls silent is told in time", what_falls_silent_is_told_in_time},
        CU_TEST_INFO_NULL,
    };
    return check_run("own_clock", tests);
}
