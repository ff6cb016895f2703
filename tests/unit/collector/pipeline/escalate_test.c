// SPDX-License-Identifier: Apache-2.0
/* Who is told when, through journal and state.db: by ticks, by results, after crashes. */
#include "tests/unit/collector/pipeline_house.h"

#define CHANNELS 3

static char sms[] = "sms";
static char chat[] = "chat";
static char voice[] = "voice";
static const char *const channels[CHANNELS] = {sms, chat, voice};
static const struct roster_channel given[CHANNELS] = {
    {.name = sms}, {.name = chat, .rate = 20}, {.name = voice, .rings = true}};

static char li[] = "li";
static char wang[] = "wang";
static char on_call[] = "on-call";
static char manager[] = "manager";
static char shanghai[] = "Asia/Shanghai";
static char rooms[] = "rooms";
static char number[] = "+8613800000000";

static struct config_address li_addresses[] = {{.channel = sms, .to = number},
                                               {.channel = chat}};
static struct config_address wang_addresses[] = {{.channel = voice}};
static struct config_contact contacts[] = {
    {.id = li, .addresses = li_addresses, .address_count = 2},
    {.id = wang, .addresses = wang_addresses, .address_count = 1}};
static struct config_shift li_shift = {.contact = li};
static struct config_shift wang_shift = {.contact = wang};
static struct config_duty duties[] = {
    {.id = on_call, .shifts = &li_shift, .shift_count = 1},
    {.id = manager, .shifts = &wang_shift, .shift_count = 1}};
static struct config_step steps[] = {{.duty = on_call, .repeat_ms = 300000, .most = 2},
                                     {.duty = manager, .after_ms = 600000, .most = 1}};
static struct config_policy policy = {.id = rooms, .steps = steps, .step_count = 2};
static const struct config_escalation settings = {
    .time_zone = shanghai,
    .contacts = contacts,
    .contact_count = 2,
    .duties = duties,
    .duty_count = 2,
    .policies = &policy,
    .policy_count = 1,
};
static const struct ack_links links = {.base = "https://cold.example.org",
                                       .valid_ms = 3600000};

/* Warm at 8, critical at 12; silence is nobody's business. */
static const char *const warm_room =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"S\","
    "\"name\":\"R\"}],\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\",\"zone\":\"room\","
    "\"from\":0,\"to\":0}],"
    "\"rules\":[{\"id\":\"warm\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0},{\"severity\":\"critical\",\"level\":12,"
    "\"delay\":120000,\"recovery_level\":8,\"recovery_delay\":0}]}]}";

static void open_house_of(struct house *house, const char *rules, bool has_policy)
{
    house_open(house);
    house->channels = channels;
    house->channel_count = CHANNELS;
    house->roster = has_policy ? roster_create(&settings, given, CHANNELS) : NULL;
    house->links = &links;
    house->path_ms = 600000;
    put(house, RECORD_CONFIG, START_MS, rules, strlen(rules));
}

static void open_house(struct house *house, bool has_policy)
{
    open_house_of(house, warm_room, has_policy);
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

static void on_message(void *context, const struct state_message *message)
{
    buf_format(context, "%s%dm %s>%s", ((struct buf *)context)->len > 0 ? ", " : "",
               (int)((message->created_ms - START_MS) / 60000), message->channel,
               message->contact[0] != '\0' ? message->contact : "all");
}

/* "1m sms>li": minute, channel, contact of each message. */
static const char *story(struct house *house)
{
    static char text[20000];
    struct buf out = {0};
    buf_text(&out, "");
    CHECK(state_page_messages(house->state, NULL, 0, 1000, &out, on_message) == ERR_OK);
    snprintf(text, sizeof text, "%s", out.data);
    buf_fini(&out);
    return text;
}

static void put_ticks(struct house *house, int64_t from, int64_t to)
{
    for (int64_t minute = from; minute <= to; minute++)
        put_tick(house, minute);
}

static void put_attempt(struct house *house, int64_t minute, uint64_t message)
{
    struct buf data = {0};
    const struct record_attempt attempt = {.message = message,
                                           .retry_ms = START_MS + minute * 60000};
    record_attempt_format(&attempt, &data);
    put(house, RECORD_ATTEMPT, START_MS + minute * 60000, data.data, data.len);
    buf_fini(&data);
}

static void put_result_for(struct house *house, int64_t minute, uint64_t message,
                           enum state_outbox outcome, int64_t wait_min)
{
    struct buf data = {0};
    struct record_result result = {
        .message = message,
        .outcome = outcome,
        .next_attempt_ms = START_MS + (minute + wait_min) * 60000,
        .text = "so it was",
    };
    put_attempt(house, minute, message);
    record_result_format(&result, &data);
    put(house, RECORD_RESULT, START_MS + minute * 60000, data.data, data.len);
    buf_fini(&data);
}

static void put_result(struct house *house, int64_t minute, uint64_t message,
                       enum state_outbox outcome)
{
    put_result_for(house, minute, message, outcome, 1);
}

static void keep_incident(void *context, const struct incident *incident)
{
    struct incident *kept = context;
    if (kept->id[0] == '\0')
        *kept = *incident;
}

/* The newest. */
static struct incident newest(struct house *house)
{
    struct incident incident = {0};
    const struct state_incident_query query = {.limit = 1};
    CHECK(state_page_incidents(house->state, &query, &incident, keep_incident) == ERR_OK);
    return incident;
}

static void keep_body(void *context, const struct state_message *message)
{
    buf_format(context, "%s\n", message->body);
}

static char *bodies(struct house *house)
{
    struct buf out = {0};
    buf_text(&out, "");
    CHECK(state_page_messages(house->state, NULL, 0, 1000, &out, keep_body) == ERR_OK);
    return buf_take(&out);
}

static void steps_are_told_by_ticks(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    put_result(&house, 1, 1, STATE_OUTBOX_DONE);
    put_ticks(&house, 2, 20);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 6m sms>li, 11m voice>wang");
    char *told = bodies(&house);
    CHECK(count_of(told, "\"acknowledge_url\":\"https://cold.example.org/v1/ack?t=") ==
          3);
    CHECK(count_of(told, "Nobody has acknowledged it for 5 min") == 1);
    CHECK(count_of(told, "已 10 min 无人确认") == 1);
    CHECK(count_of(told, number) == 0); /* it is not kept with what was told */
    free(told);
    close_house(&house);
}

static void a_repeat_says_what_it_is_now(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 8.2, false);
    put_ticks(&house, 2, 4);
    put_pack(&house, "d", 2, 10.0, false);
    put_pack(&house, "d", 3, 11.9, false);
    put_pack(&house, "d", 4, 11.0, false);
    put_ticks(&house, 5, 6);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 6m sms>li");
    char *told = bodies(&house);
    CHECK(count_of(told, "air temperature 8.2 °C, limit 8.0 °C") == 1);
    CHECK(count_of(told, "air temperature 11.0 °C (worst 11.9 °C), limit 8.0 °C") == 1);
    CHECK(count_of(told, "\"revision\":1") == 2);
    CHECK(count_of(told, "\"key\":\"") == 2 && count_of(told, "-1-0.0.0-li") == 1 &&
          count_of(told, "-1-0.0.1-li") == 1);
    free(told);
    struct incident incident = newest(&house);
    CHECK(incident.value == 11.0 && incident.worst == 11.9 && incident.revision == 1);
    close_house(&house);
}

/* A probe that stands still since minute 1: minutes go on as they are told. */
static void a_repeat_says_how_long_it_is_by_now(void)
{
    static const char *const stuck_probe =
        "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"S\","
        "\"name\":\"R\"}],\"devices\":[],\"placements\":[{\"org\":\"o\","
        "\"device\":\"d\",\"channel\":\"\",\"zone\":\"room\",\"from\":0,\"to\":0}],"
        "\"rules\":[{\"id\":\"still\",\"zone\":\"room\",\"quantity\":"
        "\"air_temperature\",\"kind\":\"stuck\",\"levels\":[{\"severity\":\"warning\","
        "\"level\":5,\"delay\":0,\"recovery_level\":5,\"recovery_delay\":0}]}]}";
    struct house house;
    open_house_of(&house, stuck_probe, true);
    for (uint64_t seq = 1; seq <= 11; seq++) {
        put_pack(&house, "d", seq, 5.0, false);
        put_tick(&house, (int64_t)seq);
    }
    take_all(&house);
    CHECK_TEXT(story(&house), "6m sms>li, 11m sms>li");
    char *told = bodies(&house);
    CHECK(count_of(told, "has not moved for 5 min, allowed 5 min, since 2026-09-21 "
                         "22:14 UTC+8") == 1);
    CHECK(count_of(told, "has not moved for 10 min, allowed 5 min, since 2026-09-21 "
                         "22:14 UTC+8") == 1);
    free(told);
    close_house(&house);
}

static void whoever_was_told_is_told_the_end(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    put_ticks(&house, 2, 7);
    put_pack(&house, "d", 2, 5.0, false);
    put_ticks(&house, 10, 30);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 6m sms>li, 2m sms>li");
    close_house(&house);
}

static void an_acknowledgement_ends_it_and_graver_begins_anew(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    struct incident incident = newest(&house);
    char body[100];
    snprintf(body, sizeof body, "{\"id\":\"%s\"}", incident.id);
    put_command(&house, START_MS + 2 * 60000, "c-1", "incident.acknowledge", body);
    put_ticks(&house, 3, 30);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li");
    for (uint64_t seq = 2; seq <= 5; seq++)
        put_pack(&house, "d", seq, 13.0, false); /* event time counts: 2 min of it */
    put(&house, RECORD_TICK, START_MS + 31 * 60000, "", 1);
    take_all(&house);
    CHECK(newest(&house).severity == ALERT_CRITICAL);
    CHECK(count_of(story(&house), "sms>li") == 2);
    close_house(&house);
}

static void the_second_is_told_who_was_first(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    struct incident incident = newest(&house);
    char body[100];
    snprintf(body, sizeof body, "{\"id\":\"%s\"}", incident.id);
    put_command(&house, START_MS + 120000, "c-1", "incident.acknowledge", body);
    take_all(&house);
    CHECK(house.command_err == ERR_OK);
    put_command(&house, START_MS + 120001, "c-2", "incident.acknowledge", body);
    take_all(&house);
    CHECK(house.command_err == ERR_EXISTS);
    CHECK_TEXT(newest(&house).acknowledged_by, "wang"); /* the actor of the first */
    close_house(&house);
}

static void what_fails_goes_another_way(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    put_result(&house, 2, 1, STATE_OUTBOX_PENDING);
    put_result(&house, 2, 1, STATE_OUTBOX_PENDING);
    put_tick(&house, 2);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li");
    put_result(&house, 3, 1, STATE_OUTBOX_PENDING);
    put_tick(&house, 3);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 3m chat>li");
    close_house(&house);
}

/* A token that was revoked is tried again in five minutes: nobody waits for that. */
static void what_is_not_tried_soon_goes_another_way(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    put_result_for(&house, 1, 1, STATE_OUTBOX_PENDING, 5);
    put_tick(&house, 1);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 1m chat>li");
    put_ticks(&house, 2, 5);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 1m chat>li");
    close_house(&house);
}

static void set_duty(struct house *house, int64_t minute, const char *fields)
{
    char id[16];
    char body[100];
    snprintf(id, sizeof id, "c-%d", (int)minute);
    snprintf(body, sizeof body, "{\"id\":\"room\",%s}", fields);
    put_command(house, START_MS + minute * 60000, id, "zone.duty", body);
    take_all(house);
    CHECK(house->command_err == ERR_OK);
}

static void off_duty_nobody_is_told_again(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    set_duty(&house, 2, "\"on\":false,\"why\":\"empty\"");
    put_ticks(&house, 3, 20);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li");
    set_duty(&house, 21, "\"on\":true");
    put_ticks(&house, 22, 22);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 22m sms>li, 22m voice>wang");
    close_house(&house);
}

/* Safety rings: so does what is open beside it. */
static void off_duty_safety_is_told_again(void)
{
    static const char *const safe_room =
        "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"S\","
        "\"name\":\"R\"}],\"devices\":[],\"placements\":[{\"org\":\"o\","
        "\"device\":\"d\",\"channel\":\"\",\"zone\":\"room\",\"from\":0,\"to\":0}],"
        "\"rules\":[{\"id\":\"fire\",\"zone\":\"room\",\"quantity\":"
        "\"air_temperature\",\"kind\":\"above\",\"safety\":true,\"levels\":"
        "[{\"severity\":\"critical\",\"level\":8,\"delay\":0,\"recovery_level\":8,"
        "\"recovery_delay\":0}]}]}";
    struct house house;
    open_house_of(&house, safe_room, true);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    set_duty(&house, 2, "\"on\":false,\"why\":\"empty\"");
    put_ticks(&house, 3, 20);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>li, 6m sms>li, 11m voice>wang");
    close_house(&house);
}

static void a_channel_that_fails_is_told_over_the_others(void)
{
    struct house house;
    open_house(&house, false);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    CHECK_TEXT(story(&house), "1m sms>all, 1m chat>all, 1m voice>all");
    put_result(&house, 2, 1, STATE_OUTBOX_PENDING);
    put_ticks(&house, 3, 11);
    take_all(&house);
    CHECK(newest(&house).kind == ALERT_ABOVE);
    put_ticks(&house, 12, 20);
    take_all(&house);
    struct incident incident = newest(&house);
    CHECK(incident.kind == ALERT_ALARM_PATH);
    CHECK_TEXT(incident.channel, "sms");
    CHECK_TEXT(story(&house), "1m sms>all, 1m chat>all, 1m voice>all, 12m chat>all, "
                              "12m voice>all");
    char *told = bodies(&house);
    CHECK(strstr(told, "[critical]  sms: ") != NULL || strstr(told, "] sms: ") != NULL);
    free(told);
    put_result(&house, 21, 1, STATE_OUTBOX_DONE);
    take_all(&house);
    CHECK(newest(&house).state == INCIDENT_CLOSED);
    CHECK(count_of(story(&house), "21m chat>all, 21m voice>all") == 1);
    close_house(&house);
}

/* Whoever closes it says that it works: what fails after that is another incident. */
static void a_channel_that_was_closed_and_fails_is_told_again(void)
{
    struct house house;
    char body[300];
    open_house(&house, false);
    put_pack(&house, "d", 1, 9.0, false);
    put_result(&house, 2, 1, STATE_OUTBOX_PENDING);
    put_ticks(&house, 3, 12);
    take_all(&house);
    struct incident first = newest(&house);
    CHECK(first.kind == ALERT_ALARM_PATH);
    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"cause\":\"other\",\"action\":\"other\",\"note\":\"n\","
             "\"disposition\":\"unaffected\"}",
             first.id);
    put_command(&house, START_MS + 13 * 60000, "c-1", "incident.close", body);
    put_ticks(&house, 14, 40);
    take_all(&house);
    CHECK(house.command_err == ERR_OK);
    CHECK(newest(&house).state == INCIDENT_CLOSED); /* nothing was sent since */
    put_result(&house, 41, 1, STATE_OUTBOX_PENDING);
    put_ticks(&house, 42, 50);
    take_all(&house);
    CHECK(newest(&house).state == INCIDENT_CLOSED);
    put_ticks(&house, 51, 51);
    take_all(&house);
    struct incident second = newest(&house);
    CHECK(second.kind == ALERT_ALARM_PATH && second.state == INCIDENT_OPEN);
    CHECK(strcmp(first.id, second.id) != 0);
    close_house(&house);
}

static void a_message_given_up_is_an_incident_at_once(void)
{
    struct house house;
    open_house(&house, true);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    put_result(&house, 2, 1, STATE_OUTBOX_DEAD);
    put_tick(&house, 2);
    take_all(&house);
    CHECK(newest(&house).kind == ALERT_ALARM_PATH);
    /* Both go over chat: the room's message, and what is wrong with sms. */
    CHECK_TEXT(story(&house), "1m sms>li, 2m chat>li, 2m chat>li");
    close_house(&house);
}

/* li has sms alone: the next step is due, with the room's message and that of sms. */
static void who_has_no_other_way_is_passed_over(void)
{
    static struct config_contact both[2];
    struct config_escalation other = settings;
    struct house house;
    memcpy(both, contacts, sizeof both);
    both[0].address_count = 1;
    other.contacts = both;
    open_house(&house, false);
    house.roster = roster_create(&other, given, CHANNELS);
    put_pack(&house, "d", 1, 9.0, false);
    take_all(&house);
    put_result(&house, 2, 1, STATE_OUTBOX_DEAD);
    put_tick(&house, 2);
    take_all(&house);
    CHECK(newest(&house).kind == ALERT_ALARM_PATH);
    CHECK_TEXT(story(&house), "1m sms>li, 2m voice>wang, 2m voice>wang");
    close_house(&house);
}

static void dump_row(void *context, const struct state_message *message)
{
    buf_format(context, "%s %s %s %u.%u.%u %" PRId64 " %" PRId64 " %s %u %s\n%s\n",
               message->key, message->channel, message->contact, message->round,
               message->step, message->times, message->created_ms,
               message->next_attempt_ms, state_outbox_name(message->state),
               message->attempts, message->last_result, message->body);
}

static char *dump(struct house *house)
{
    struct buf out = {0};
    buf_text(&out, "");
    CHECK(state_page_messages(house->state, NULL, 0, 1000, &out, dump_row) == ERR_OK);
    char *rest = dump_state(house->state);
    buf_text(&out, rest);
    free(rest);
    return buf_take(&out);
}

static void put_everything(struct house *house)
{
    put_pack(house, "d", 1, 8.5, false);
    put_pack(house, "d", 2, 9.0, false);
    put_ticks(house, 3, 4);
    put_result(house, 4, 1, STATE_OUTBOX_PENDING);
    put_result(house, 4, 1, STATE_OUTBOX_PENDING);
    put_result(house, 5, 1, STATE_OUTBOX_PENDING);
    put_ticks(house, 5, 12);
    put_pack(house, "d", 3, 13.0, false);
    put_pack(house, "d", 4, 13.0, false);
    put_pack(house, "d", 5, 13.0, false);
    put_ticks(house, 13, 20);
    put_result(house, 21, 2, STATE_OUTBOX_DEAD);
    put_ticks(house, 21, 26);
    put_result(house, 27, 2, STATE_OUTBOX_DONE);
    put_pack(house, "d", 6, 5.0, false);
    put_ticks(house, 28, 40);
}

/* What the records have told is told by any pieces of them. */
static void tells_the_same_in_pieces(struct house *house, const char *want)
{
    static const size_t checkpoint_every[] = {1000, 1, 3, 7};
    for (size_t i = 0; i < sizeof checkpoint_every / sizeof checkpoint_every[0]; i++) {
        char name[32];
        pipeline_close(house->pipeline);
        state_close(house->state);
        snprintf(name, sizeof name, "pieces-%zu.db", i);
        CHECK(state_open(&house->state, folder_file(&house->folder, name),
                         &(struct err_text){0}) == ERR_OK);
        for (size_t step = 1; step <= 80; step++) {
            pipeline_start(house);
            advance(house, step % checkpoint_every[i] + 1);
            if (step % checkpoint_every[i] == 0)
                checkpoint(house);
            pipeline_close(house->pipeline);
        }
        pipeline_start(house);
        advance(house, 1000);
        checkpoint(house);
        char *got = dump(house);
        CHECK_TEXT(got, want);
        free(got);
    }
}

static void a_crash_behind_every_record_tells_the_same(void)
{
    struct house house;
    open_house(&house, true);
    put_everything(&house);
    take_all(&house);
    checkpoint(&house);
    char *want = dump(&house);
    CHECK(count_of(want, "alarm_path") > 0 && count_of(want, "voice") > 0);
    tells_the_same_in_pieces(&house, want);
    free(want);
    close_house(&house);
}

/* A room in Hamburg, whose site says so, and one of which the settings say it. */
static const char *const two_rooms =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"hamburg\","
    "\"site_name\":\"H\",\"name\":\"R\"},{\"id\":\"cellar\",\"org\":\"o\","
    "\"site\":\"fengjie\",\"site_name\":\"F\",\"name\":\"C\"}],\"devices\":[],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\",\"zone\":\"room\","
    "\"from\":0,\"to\":0},{\"org\":\"o\",\"device\":\"e\",\"channel\":\"\","
    "\"zone\":\"cellar\",\"from\":0,\"to\":0}],\"rules\":["
    "{\"id\":\"warm-r\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0}]},"
    "{\"id\":\"warm-c\",\"zone\":\"cellar\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0}]}]}";

/* It is 16:13 in the one and 22:13 in the other when it begins: one contact, one roster.
 */
static void quiet_hours_and_times_are_those_of_the_site(void)
{
    static char quiet_hour[] = "22:00-22:40";
    static char *quiet[] = {quiet_hour};
    static struct config_contact li_alone = {.id = li,
                                             .quiet = quiet,
                                             .quiet_count = 1,
                                             .addresses = li_addresses,
                                             .address_count = 1};
    struct config_escalation other = settings;
    struct config_policy once = policy;
    other.contacts = &li_alone;
    other.contact_count = 1;
    other.duty_count = 1;
    once.step_count = 1;
    other.policies = &once;
    struct house house;
    house_open(&house);
    house.channels = channels;
    house.channel_count = CHANNELS;
    house.roster = roster_create(&other, given, CHANNELS);
    put(&house, RECORD_CONFIG, START_MS, two_rooms, strlen(two_rooms));
    put_command(&house, START_MS, "c-1", "site.put",
                "{\"id\":\"hamburg\",\"time_zone\":\"Europe/Berlin\"}");
    put_pack(&house, "d", 1, 9.0, false);
    put_pack(&house, "e", 1, 9.0, false);
    put_ticks(&house, 2, 3);
    put_ticks(&house, 26, 28);
    take_all(&house);
    CHECK(house.command_err == ERR_OK);
    CHECK_TEXT(story(&house), "1m sms>li, 26m sms>li, 27m sms>li");
    char *told = bodies(&house);
    CHECK(count_of(told, "since 2026-09-21 16:14 UTC+2") == 2);
    CHECK(count_of(told, "since 2026-09-21 22:14 UTC+8") == 1);
    CHECK(count_of(told, "\"onset\":\"2026-09-21T14:14:20.000Z\"") == 3);
    free(told);
    close_house(&house);
}

static void addresses_are_added_when_it_is_sent(void)
{
    static char other[] = "+8613811111111";
    struct config_address numbers[] = {
        {.channel = chat}, {.channel = sms, .to = number}, {.channel = sms, .to = other}};
    struct config_contact of_li = {.id = li, .addresses = numbers, .address_count = 3};
    struct config_escalation own = settings;
    own.contacts = &of_li;
    own.contact_count = 1;
    own.duty_count = own.policy_count = 0;
    struct roster *roster = roster_create(&own, given, CHANNELS);
    static const char *const numbered[] = {
        "{\"key\":\"k\",\"to\":[\"+8613800000000\"]}",
        "{\"key\":\"k\",\"to\":[\"+8613811111111\"]}",
        "{\"key\":\"k\",\"to\":[\"+8613811111111\"]}", /* a third was taken away */
    };
    char *body;
    for (size_t i = 0; i < sizeof numbered / sizeof numbered[0]; i++) {
        body = roster_addressed(roster, "li", "sms", i, "{\"key\":\"k\"}");
        CHECK_TEXT(body, numbered[i]);
        free(body);
    }
    static const char *const plain[][2] = {{"li", "chat"}, {"", "sms"}, {"gone", "sms"}};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        body = roster_addressed(roster, plain[i][0], plain[i][1], 0, "{\"key\":\"k\"}");
        CHECK_TEXT(body, "{\"key\":\"k\"}");
        free(body);
    }
    roster_destroy(roster);
}

/* ---- a cause of two members ------------------------------------------------------- */

/* Warm at 8, critical at 20: devices d and e stand in one room. */
static const char *const two_probes =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"S\","
    "\"name\":\"R\"}],\"devices\":[{\"org\":\"o\",\"id\":\"d\"},{\"org\":\"o\","
    "\"id\":\"e\"}],\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\","
    "\"zone\":\"room\",\"from\":0,\"to\":0},{\"org\":\"o\",\"device\":\"e\","
    "\"channel\":\"\",\"zone\":\"room\",\"from\":0,\"to\":0}],\"rules\":[{\"id\":\"warm\","
    "\"zone\":\"room\",\"quantity\":\"air_temperature\",\"kind\":\"above\",\"levels\":["
    "{\"severity\":\"warning\",\"level\":8,\"delay\":0,\"recovery_level\":8,"
    "\"recovery_delay\":0},{\"severity\":\"critical\",\"level\":20,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0}]}]}";

/*
 * "d2=9": device d says 9 degrees at minute 2; "t3-30": ticks of these minutes; "ack4",
 * "nap4": what is told of the cause's leader is acknowledged, or put off for an hour.
 * "ok1@2": message 1 is delivered at minute 2, "no1@2" fails, "bad1@2" is given up, of
 * "try1@2" nobody knows.
 */
static const struct {
    const char *name;
    const char *records;
    const char *want;
} causes[] = {
    {"nobody answers", "d1=9 e1=9 t2-30", "1m sms>li, 6m sms>li, 11m voice>wang"},
    {"a follower is taken with what it follows", "d1=9 e1=9 ack2 t3-30", "1m sms>li"},
    {"what follows is taken, too", "d1=9 e1=5 ack2 e2=5 e3=9 t4-30", "1m sms>li"},
    {"what follows is put off, too", "d1=9 e1=5 nap2 e2=5 e3=9 t4-30", "1m sms>li"},
    {"what was taken ends, what followed goes on", "d1=9 e1=9 ack2 d2=9 d3=5 t4-30",
     "1m sms>li"},
    {"and is not forgotten", "d1=9 e1=9 ack2 d2=9 d3=5 t4-30 t242-242",
     "1m sms>li, 242m sms>li, 242m voice>wang"},
    {"what nobody answered ends, what followed goes on", "d1=9 e1=9 d2=9 d3=5 t4-30",
     "1m sms>li, 6m sms>li, 11m voice>wang"},
    {"one that was put off becomes graver", "d1=9 nap2 d2=9 d3=21 t4-30",
     "1m sms>li, 3m sms>li"},
    {"a graver one is told while another is put off", "d1=9 e1=9 nap2 e2=9 e3=21 t4-30",
     "1m sms>li, 3m sms>li, 8m sms>li, 13m voice>wang"},
    {"a graver part that was over changes no step", "e1=5 d1=9 e4=5 e2=21 e3=5 t4-30",
     "1m sms>li, 3m sms>li, 6m sms>li, 11m voice>wang"},
    {"nor what was taken", "e1=5 d1=9 ack2 e4=5 e2=21 e3=5 t4-30",
     "1m sms>li, 3m sms>li"},
    {"a graver one is told", "d1=9 e1=9 ack2 e2=9 e3=21 t4-30",
     "1m sms>li, 3m sms>li, 8m sms>li, 13m voice>wang"},
};

static void put_verb(struct house *house, const char *verb, int minute)
{
    char id[16];
    char body[100];
    snprintf(id, sizeof id, "c-%d", minute);
    take_all(house);
    struct state_care care;
    CHECK(state_get_care(house->state, newest(house).id, &care) == ERR_OK);
    snprintf(body, sizeof body, "{\"id\":\"%s\"%s}", care.cause,
             strcmp(verb, "nap") == 0 ? ",\"for\":\"1h\"" : "");
    put_command(house, START_MS + (int64_t)minute * 60000, id,
                strcmp(verb, "ack") == 0 ? "incident.acknowledge" : "incident.snooze",
                body);
    take_all(house);
    CHECK(house->command_err == ERR_OK);
}

static void put_fate(struct house *house, const char *fate, int message, int minute)
{
    if (strcmp(fate, "try") == 0)
        put_attempt(house, minute, (uint64_t)message);
    else
        put_result(house, minute, (uint64_t)message,
                   strcmp(fate, "ok") == 0    ? STATE_OUTBOX_DONE
                   : strcmp(fate, "bad") == 0 ? STATE_OUTBOX_DEAD
                                              : STATE_OUTBOX_PENDING);
}

static void play(struct house *house, const char *row, const char *records)
{
    int taken = 0;
    for (const char *at = records; *at != '\0'; at += taken) {
        char word[4];
        int from;
        int to;
        double value;
        taken = 0;
        if (sscanf(at, "t%d-%d %n", &from, &to, &taken) == 2)
            put_ticks(house, from, to);
        else if (sscanf(at, "%1[de]%d=%lf %n", word, &from, &value, &taken) == 3)
            put_pack(house, word, (uint64_t)from, value, false);
        else if (sscanf(at, "%3[a-z]%d@%d %n", word, &from, &to, &taken) == 3)
            put_fate(house, word, from, to);
        else if (sscanf(at, "%3[a-z]%d %n", word, &from, &taken) == 2)
            put_verb(house, word, from);
        CHECK_ROW(row, taken > 0);
        if (taken == 0)
            return;
    }
    take_all(house);
}

static void a_cause_speaks_once(void)
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        struct house house;
        open_house_of(&house, two_probes, true);
        play(&house, causes[i].name, causes[i].records);
        if (strcmp(story(&house), causes[i].want) != 0)
            printf("\n  %s: %s\n", causes[i].name, story(&house));
        CHECK_ROW(causes[i].name, strcmp(story(&house), causes[i].want) == 0);
        close_house(&house);
    }
}

/* Of 250 that came and went, the one that is open now speaks. */
static void a_flapping_cause_goes_on(void)
{
    struct house house;
    open_house_of(&house, two_probes, true);
    for (uint64_t seq = 1; seq <= 501; seq++)
        put_pack(&house, "d", seq, seq % 2 == 1 ? 9.0 : 5.0, false);
    take_all(&house);
    CHECK(count_of(story(&house), "501m sms>li") == 1);
    put_ticks(&house, 502, 515);
    take_all(&house);
    CHECK(count_of(story(&house), "506m sms>li, 511m voice>wang") == 1);
    close_house(&house);
}

/* ---- ends ------------------------------------------------------------------------- */

#define PLACES 5

static char siren[] = "siren";
static char hook[] = "hook";
static const char *const places[PLACES] = {sms, chat, voice, siren, hook};
static const struct roster_channel all_given[PLACES] = {
    {.name = sms},
    {.name = chat},
    {.name = voice, .rings = true},
    {.name = siren, .rings = true, .stops_at_end = true},
    {.name = hook, .is_machine = true}};

/* One contact on one duty. */
struct office {
    struct config_address addresses[PLACES];
    char quiet_hour[16];
    char *quiet[1];
    struct config_contact contact;
    struct config_shift shift;
    struct config_duty duty;
    struct config_step step;
    struct config_policy policy;
    struct config_escalation settings;
};

/* `over`: channels in the order of preference; `quiet`: "" when nothing is. */
static void make_office(struct office *office, const char *over, const char *quiet)
{
    *office = (struct office){
        .contact = {.id = li, .addresses = office->addresses, .quiet = office->quiet},
        .shift = {.contact = li},
        .duty = {.id = on_call, .shifts = &office->shift, .shift_count = 1},
        .step = {.duty = on_call, .repeat_ms = 600000, .most = 2},
        .policy = {.id = rooms, .steps = &office->step, .step_count = 1},
        .settings = {.time_zone = shanghai,
                     .contacts = &office->contact,
                     .contact_count = 1,
                     .duties = &office->duty,
                     .duty_count = 1,
                     .policies = &office->policy,
                     .policy_count = 1},
    };
    char word[8];
    int taken = 0;
    for (; sscanf(over, "%7s %n", word, &taken) == 1; over += taken)
        for (size_t i = 0; i < PLACES; i++)
            if (strcmp(places[i], word) == 0)
                office->addresses[office->contact.address_count++].channel =
                    (char *)(uintptr_t)places[i];
    snprintf(office->quiet_hour, sizeof office->quiet_hour, "%s", quiet);
    office->quiet[0] = office->quiet_hour;
    office->contact.quiet_count = quiet[0] != '\0';
}

static void open_office(struct house *house, const struct office *office,
                        size_t channel_count)
{
    house_open(house);
    house->channels = places;
    house->channel_count = channel_count;
    house->roster = roster_create(&office->settings, all_given, channel_count);
    put(house, RECORD_CONFIG, START_MS, two_probes, strlen(two_probes));
}

static void on_fate(void *context, const struct state_message *message)
{
    const char *state = message->state == STATE_OUTBOX_DONE   ? " done"
                        : message->state == STATE_OUTBOX_DEAD ? " dead"
                                                              : "";
    buf_format(context, "%s%dm %s%s>%s%s%s", ((struct buf *)context)->len > 0 ? ", " : "",
               (int)((message->created_ms - START_MS) / 60000), message->channel,
               message->address == 1 ? "#2" : "",
               message->contact[0] != '\0' ? message->contact : "all",
               strstr(message->body, "\"is_over\":true") != NULL ? " over" : "", state);
    CHECK(message->next_attempt_ms >= message->created_ms ||
          message->state != STATE_OUTBOX_PENDING);
}

/* "2m sms>li over dead": when it may go, how it is told, what became of it. */
static const char *fates(struct house *house)
{
    static char text[2000];
    struct buf out = {0};
    buf_text(&out, "");
    CHECK(state_page_messages(house->state, NULL, 0, 1000, &out, on_fate) == ERR_OK);
    snprintf(text, sizeof text, "%s", out.data);
    buf_fini(&out);
    return text;
}

/* It is 22:14 at minute 1. The fifth channel, a program, is another table's. */
#define NIGHT "22:15-22:40"

struct fate {
    const char *name;
    const char *over;
    const char *quiet;
    const char *records;
    const char *want;
};

static void check_fates(const struct fate *rows, size_t count, size_t channel_count)
{
    for (size_t i = 0; i < count; i++) {
        struct house house;
        struct office office;
        make_office(&office, rows[i].over, rows[i].quiet);
        open_office(&house, &office, channel_count);
        play(&house, rows[i].name, rows[i].records);
        if (strcmp(fates(&house), rows[i].want) != 0)
            printf("\n  %s: %s\n", rows[i].name, fates(&house));
        CHECK_ROW(rows[i].name, strcmp(fates(&house), rows[i].want) == 0);
        close_house(&house);
    }
}

static const struct fate ends[] = {
    {"the end of a warning waits for the end of quiet hours", "sms", NIGHT,
     "d1=9 ok1@1 d2=5", "1m sms>li done, 26m sms>li"},
    {"without quiet hours it goes at once", "sms", "", "d1=9 ok1@1 d2=5",
     "1m sms>li done, 2m sms>li"},
    {"what was critical is told at once over what does not ring", "sms", NIGHT,
     "d1=21 ok1@1 d2=5", "1m sms>li done, 2m sms>li"},
    {"who was called for it is told quietly", "voice chat", NIGHT, "d1=21 ok1@1 d2=5",
     "1m voice>li done, 2m chat>li"},
    {"who has nothing but a telephone is called in the morning", "voice", NIGHT,
     "d1=21 ok1@1 d2=5", "1m voice>li done, 26m voice>li"},
    {"by day nobody is called for an end who can be written to", "voice chat", "",
     "d1=9 ok1@1 d2=5", "1m voice>li done, 2m chat>li"},
    {"by day who has nothing but a telephone is called", "voice", "", "d1=9 ok1@1 d2=5",
     "1m voice>li done, 2m voice>li"},
    {"a siren stops at once", "siren chat", NIGHT, "d1=9 ok1@1 d2=5",
     "1m siren>li done, 2m siren>li"},
    {"what was given up has no end", "sms", "", "d1=9 bad1@1 d2=5 t3-9",
     "1m sms>li dead"},
    {"what may have come has one", "sms", NIGHT, "d1=9 try1@1 d2=5",
     "1m sms>li, 26m sms>li"},
    {"what may have come and was given up then has one", "sms", "",
     "d1=9 try1@1 bad1@1 d2=5", "1m sms>li dead, 2m sms>li"},
    {"what nobody tried to tell is told once, as over", "sms", "", "d1=9 d2=5 t3-9",
     "1m sms>li dead, 2m sms>li over"},
    {"and wakes nobody, however grave it was", "sms", NIGHT, "d1=21 d2=5 t3-9",
     "1m sms>li dead, 26m sms>li over"},
    {"so is what was refused each time", "sms", "", "d1=9 no1@1 no1@1 d2=5",
     "1m sms>li dead, 2m sms>li over"},
    {"who was told another way is told the end there", "sms chat", "",
     "d1=9 bad1@1 t2-2 ok2@2 d3=5", "1m sms>li dead, 2m chat>li done, 3m chat>li"},
    {"who has two numbers is told at the second, and the end there", "sms sms chat", "",
     "d1=9 bad1@1 t2-2 ok2@2 d3=5", "1m sms>li dead, 2m sms#2>li done, 3m sms#2>li"},
    {"and elsewhere when both failed", "sms sms chat", "",
     "d1=9 bad1@1 t2-2 bad2@2 t3-3 ok3@3 d4=5",
     "1m sms>li dead, 2m sms#2>li dead, 3m chat>li done, 4m chat>li"},
    {"a repeat begins with the first again", "sms sms", "",
     "d1=9 bad1@1 t2-2 ok2@2 t3-12 ok3@12 d13=5",
     "1m sms>li dead, 2m sms#2>li done, 12m sms>li done, 13m sms>li, 13m sms#2>li"},
    {"what waits where another way worked is withdrawn", "sms chat", "",
     "d1=9 no1@1 no1@1 no1@1 t2-2 ok2@2 d3=5",
     "1m sms>li dead, 2m chat>li done, 3m chat>li"},
    {"one message for a beginning and its reminder", "sms", "",
     "d1=9 ok1@1 t2-11 ok2@11 d12=5", "1m sms>li done, 11m sms>li done, 12m sms>li"},
    {"what begins again at night leaves the end for later", "sms", NIGHT,
     "d1=9 ok1@1 d2=5 d3=9 d4=5", "1m sms>li done, 26m sms>li dead, 26m sms>li"},
    {"and in the morning, when it goes on, only that is told", "sms", NIGHT,
     "d1=9 ok1@1 d2=5 d3=9 t27-27", "1m sms>li done, 26m sms>li dead, 27m sms>li"},
    {"what is graver is not held up by an end", "sms", NIGHT, "d1=9 ok1@1 d2=5 d3=21",
     "1m sms>li done, 26m sms>li dead, 3m sms>li"},
    {"what came and went at night is told once, as over", "sms", "22:18-22:40",
     "d1=9 ok1@1 d2=5 ok2@2 d6=9 d7=5 t8-8 t28-40",
     "1m sms>li done, 2m sms>li done, 28m sms>li over"},
    {"and nobody is called for it who can be written to", "voice sms", "22:10-22:40",
     "d1=9 d2=5 t3-3 t28-28", "28m sms>li over"},
    {"a graver part that was over waits till morning, and is no end", "sms", NIGHT,
     "e1=5 d1=9 ok1@1 e4=5 e2=21 e3=5 d5=5 t26-27",
     "1m sms>li done, 26m sms>li over, 26m sms>li"},
    {"and a siren hears nothing of it", "siren chat", "",
     "e1=5 d1=9 ok1@1 e4=5 e2=21 e3=5 d5=5",
     "1m siren>li done, 3m chat>li over, 5m siren>li"},
    {"who was told it was over is not told so again", "sms", "22:18-22:40",
     "d6=9 d7=5 t8-8 t28-28 ok1@28 d29=9 ok2@29 d30=5",
     "28m sms>li over done, 29m sms>li done, 30m sms>li"},
};

static void nobody_is_woken_to_hear_that_all_is_well(void)
{
    check_fates(ends, sizeof ends / sizeof ends[0], PLACES - 1);
}

/* What the channel may be given at that minute. */
static const char *ready(struct house *house, int64_t minute)
{
    static char text[2000];
    struct buf out = {0};
    buf_text(&out, "");
    CHECK(state_outbox_ready(house->state, sms, START_MS + minute * 60000, 1000, &out,
                             on_fate) == ERR_OK);
    snprintf(text, sizeof text, "%s", out.data);
    buf_fini(&out);
    return text;
}

static void what_waits_till_morning_holds_up_nothing_graver(void)
{
    struct house house;
    struct office office;
    make_office(&office, "sms", NIGHT);
    open_office(&house, &office, PLACES - 1);
    play(&house, "a part", "e1=5 d1=9 ok1@1 e4=5 e2=21 e3=5 d4=21");
    CHECK_TEXT(fates(&house), "1m sms>li done, 26m sms>li over, 4m sms>li");
    CHECK_TEXT(ready(&house, 4), "4m sms>li");
    close_house(&house);
}

static const struct fate taken[] = {
    {"what waits is not told any more", "sms", "", "d1=9 ack2 t3-20", "1m sms>li dead"},
    {"nor what is put off", "sms", "", "d1=9 nap2 t3-20", "1m sms>li dead"},
    {"nor what failed until then", "sms chat", "",
     "d1=9 no1@1 no1@1 no1@1 t2-2 ack3 t4-20", "1m sms>li dead, 2m chat>li dead"},
    {"of all members of the cause", "sms", "", "d1=9 e1=21 ack2 t3-20",
     "1m sms>li dead, 1m sms>li dead"},
    {"what was under way and came was told, and so is its end", "sms", "",
     "d1=9 try1@1 ack2 ok1@2 d3=5", "1m sms>li done, 3m sms>li"},
    {"what was under way and failed is not tried again, and has no end", "sms", "",
     "d1=9 try1@1 ack2 no1@2 t3-9 d10=5", "1m sms>li dead"},
    {"of which nobody knows whether it came, the end is told", "sms", "",
     "d1=9 try1@1 ack2 d3=5", "1m sms>li dead, 3m sms>li"},
    {"what becomes graver is told", "sms", "", "d1=9 ack2 d3=21",
     "1m sms>li dead, 3m sms>li"},
    {"an end that waits is told all the same", "sms", NIGHT, "d1=9 ok1@1 d2=5 ack3 t4-9",
     "1m sms>li done, 26m sms>li"},
    {"so is a graver part that was over", "sms", NIGHT,
     "e1=5 d1=9 ok1@1 e4=5 e2=21 e3=5 ack5 t6-9", "1m sms>li done, 26m sms>li over"},
    {"a program that no contact names hears it all", "sms", "", "d1=9 ack2 t3-9",
     "1m hook>all, 1m sms>li dead"},
};

static void what_waits_is_not_told_once_somebody_has_it(void)
{
    check_fates(taken, sizeof taken / sizeof taken[0] - 1, PLACES - 1);
    check_fates(&taken[sizeof taken / sizeof taken[0] - 1], 1, PLACES);
}

/* How long nobody acknowledged it: since somebody was told who could. */
static const struct {
    const char *name;
    const char *over;
    const char *quiet;
    const char *records;
    const char *told;
    size_t unanswered; /* messages that say so */
    const char *want;  /* in the last of these */
} waits[] = {
    {"a repeat says how long", "sms", "", "d1=9 ok1@1 t2-11",
     "1m sms>li done, 11m sms>li", 1, "Nobody has acknowledged it for 10 min"},
    {"quiet hours were nobody's fault", "sms", "22:10-22:40", "d1=9 t2-36", "27m sms>li",
     0, ""},
    {"nor was a channel that failed", "sms chat", "", "d1=9 bad1@5 t5-5",
     "1m sms>li dead, 5m chat>li", 0, ""},
    {"it counts from the one that came", "sms chat", "", "d1=9 bad1@5 t5-5 ok2@5 t6-15",
     "1m sms>li dead, 5m chat>li done, 15m sms>li", 1,
     "Nobody has acknowledged it for 10 min"},
};

static void how_long_nobody_answered_counts_from_the_first_who_could(void)
{
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        struct house house;
        struct office office;
        make_office(&office, waits[i].over, waits[i].quiet);
        open_office(&house, &office, PLACES - 1);
        play(&house, waits[i].name, waits[i].records);
        if (strcmp(fates(&house), waits[i].told) != 0)
            printf("\n  %s: %s\n", waits[i].name, fates(&house));
        CHECK_ROW(waits[i].name, strcmp(fates(&house), waits[i].told) == 0);
        char *told = bodies(&house);
        CHECK_ROW(waits[i].name,
                  count_of(told, "Nobody has acknowledged it") == waits[i].unanswered);
        CHECK_ROW(waits[i].name, strstr(told, waits[i].want) != NULL);
        free(told);
        close_house(&house);
    }
}

/* Without a policy: what people read, and what programs do. */
static void without_a_policy_either(void)
{
    struct house house;
    struct office office;
    make_office(&office, "sms", "");
    office.settings.policy_count = 0;
    open_office(&house, &office, PLACES);
    play(&house, "no policy", "d1=9 ok2@1 ack2");
    CHECK_TEXT(fates(&house), "1m sms>all dead, 1m chat>all done, 1m voice>all dead, "
                              "1m siren>all dead, 1m hook>all");
    close_house(&house);
}

static const struct fate programs[] = {
    {"is told of everything at once, whoever sleeps", "sms", "22:10-22:40",
     "d1=9 d2=5 t3-3 t27-27", "1m hook>all, 2m hook>all, 27m sms>li over"},
    {"is told of what is graver, and of no reminder", "sms", "", "d1=9 t2-11 d12=21",
     "1m hook>all, 1m sms>li dead, 11m sms>li, 12m hook>all, 12m sms>li"},
    {"hears the beginning before the end, late as it may be", "sms", "",
     "d1=9 no1@1 ok2@1 d2=5", "1m hook>all, 1m sms>li done, 2m sms>li, 2m hook>all"},
    {"hears no end of what it refused", "sms", "", "d1=9 bad1@1 ok2@1 d2=5",
     "1m hook>all dead, 1m sms>li done, 2m sms>li"},
    {"is told as the policy says when a contact names it", "hook", NIGHT,
     "d1=9 ok1@1 d2=5", "1m hook>li done, 26m hook>li"},
};

static void a_program_that_no_contact_names(void)
{
    check_fates(programs, sizeof programs / sizeof programs[0], PLACES);
}

/* Nobody on duty, and no last resort: every channel, the program once. */
static void a_program_is_told_once_when_all_are(void)
{
    static char never[] = "mon 00:00-00:01"; /* it is another hour */
    static char *hours[] = {never};
    struct house house;
    struct office office;
    make_office(&office, "sms", "");
    office.shift.hours = hours;
    office.shift.hours_count = 1;
    open_office(&house, &office, PLACES);
    play(&house, "nobody on duty", "d1=9 ok1@1 ok2@1 d2=5");
    CHECK_TEXT(fates(&house),
               "1m hook>all done, 1m sms>all done, 1m chat>all dead, 1m voice>all dead, "
               "1m siren>all dead, 2m sms>all, 2m chat>all over, 2m voice>all over, "
               "2m siren>all over, 2m hook>all");
    close_house(&house);
}

static void ends_are_the_same_after_crashes(void)
{
    struct house house;
    struct office office;
    make_office(&office, "voice sms chat", NIGHT);
    open_office(&house, &office, PLACES);
    play(&house, "all sorts of ends",
         "d1=9 ok1@1 try2@1 d2=5 d3=9 d4=5 d5=21 ok4@5 no5@5 no5@6 bad5@7 t8-9 e10=21 "
         "try6@10 e11=5 d12=5 t13-14 d15=9 d16=5 t17-40 "
         "d41=9 ack42 t43-43");
    checkpoint(&house);
    char *want = dump(&house);
    CHECK(count_of(want, "it began again") > 0);
    CHECK(count_of(want, "it was over before this could be told") > 0);
    tells_the_same_in_pieces(&house, want);
    free(want);
    close_house(&house);
}

int main(void)
{
    crypto_init();
    static CU_TestInfo tests[] = {
        {"steps are told by ticks", steps_are_told_by_ticks},
        {"a repeat says what it is now", a_repeat_says_what_it_is_now},
        {"a repeat says how long it is by now", a_repeat_says_how_long_it_is_by_now},
        {"whoever was told is told the end", whoever_was_told_is_told_the_end},
        {"an acknowledgement ends it, and graver begins anew",
         an_acknowledgement_ends_it_and_graver_begins_anew},
        {"the second is told who was first", the_second_is_told_who_was_first},
        {"what fails goes another way", what_fails_goes_another_way},
        {"off duty nobody is told again", off_duty_nobody_is_told_again},
        {"off duty safety is told again", off_duty_safety_is_told_again},
        {"what is not tried soon goes another way",
         what_is_not_tried_soon_goes_another_way},
        {"a channel that fails is told over the others",
         a_channel_that_fails_is_told_over_the_others},
        {"a channel that was closed and fails is told again",
         a_channel_that_was_closed_and_fails_is_told_again},
        {"a message given up is an incident at once",
         a_message_given_up_is_an_incident_at_once},
        {"who has no other way is passed over", who_has_no_other_way_is_passed_over},
        {"a crash behind every record tells the same",
         a_crash_behind_every_record_tells_the_same},
        {"quiet hours and times are those of the site",
         quiet_hours_and_times_are_those_of_the_site},
        {"a cause speaks once", a_cause_speaks_once},
        {"a flapping cause goes on", a_flapping_cause_goes_on},
        {"nobody is woken to hear that all is well",
         nobody_is_woken_to_hear_that_all_is_well},
        {"what waits till morning holds up nothing graver",
         what_waits_till_morning_holds_up_nothing_graver},
        {"what waits is not told once somebody has it",
         what_waits_is_not_told_once_somebody_has_it},
        {"how long nobody answered counts from the first who could",
         how_long_nobody_answered_counts_from_the_first_who_could},
        {"without a policy either", without_a_policy_either},
        {"a program that no contact names", a_program_that_no_contact_names},
        {"a program is told once when all are", a_program_is_told_once_when_all_are},
        {"ends are the same after crashes", ends_are_the_same_after_crashes},
        {"addresses are added when it is sent", addresses_are_added_when_it_is_sent},
        CU_TEST_INFO_NULL,
    };
    return check_run("escalate", tests);
}
