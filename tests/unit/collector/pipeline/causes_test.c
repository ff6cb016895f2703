// SPDX-License-Identifier: Apache-2.0
/*
 * What people are told of causes, and what they do to incidents: stories over a real
 * journal and a real state.db, in one go and with a crash behind every record.
 */
#include "tests/unit/collector/pipeline_house.h"

static const char *const causes_config =
    "{\"zones\":[{\"id\":\"z1\",\"org\":\"o\",\"site\":\"s\"},"
    "{\"id\":\"z2\",\"org\":\"o\",\"site\":\"s\"},{\"id\":\"z3\",\"org\":\"o\","
    "\"site\":\"s\"}],\"devices\":[{\"org\":\"o\",\"id\":\"a\"},{\"org\":\"o\","
    "\"id\":\"b\"},{\"org\":\"o\",\"id\":\"c\"},{\"org\":\"o\",\"id\":\"e\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"a\",\"zone\":\"z1\"},"
    "{\"org\":\"o\",\"device\":\"b\",\"zone\":\"z1\"},"
    "{\"org\":\"o\",\"device\":\"c\",\"zone\":\"z2\"},"
    "{\"org\":\"o\",\"device\":\"e\",\"zone\":\"z3\"}],"
    "\"rules\":[{\"id\":\"warm\",\"zone\":\"z1\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0},"
    "{\"severity\":\"critical\",\"level\":20,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0}]},"
    "{\"id\":\"total\",\"zone\":\"z1\",\"quantity\":\"air_temperature\","
    "\"kind\":\"cumulative_above\",\"limit\":30,\"levels\":[{\"severity\":\"critical\","
    "\"level\":1,\"delay\":0,\"recovery_level\":1,\"recovery_delay\":0}]},"
    "{\"id\":\"quiet1\",\"zone\":\"z1\",\"quantity\":\"\",\"kind\":\"silent_device\","
    "\"levels\":[],\"silent\":600000},"
    "{\"id\":\"quiet2\",\"zone\":\"z2\",\"quantity\":\"\",\"kind\":\"silent_device\","
    "\"levels\":[],\"silent\":600000},"
    "{\"id\":\"quiet3\",\"zone\":\"z3\",\"quantity\":\"\",\"kind\":\"silent_device\","
    "\"levels\":[],\"silent\":600000}]}";

#define CLOSE_WORDS \
    "\"cause\":\"door\",\"action\":\"door_closed\",\"disposition\":\"unaffected\""

/*
 * "a2=9": pack 2 of device a, of minute 2, says 9 degrees; "tick 12"; "take a": somebody
 * acknowledges what is open of device a, likewise "end", "later", "back" (the collector
 * reminds), "mine", "say"; each a minute after the one before, from minute 20 on.
 */
static const struct {
    const char *name;
    const char *records;
    /* Messages: o(pened), e(scalated), c(losed), r(eminded), u(pdated: a part is over).
     */
    const char *want;
    const char *open; /* what is not closed: device and, if needed, '!' */
} stories[] = {
    {"two probes are one cause", "a1=9 b1=9 a2=5 b2=5", "oc", ""},
    {"a graver one is told", "a1=9 b1=21 a2=21", "oo", "a!b!"},
    {"a follower that becomes graver", "a1=9 b1=9 b2=21", "oe", "a!b!"},
    {"soon after it ended", "a1=9 a2=5 b2=5 b3=9", "oco", "b!"},
    {"a dead gateway", "a1=5 b1=5 c1=5 c2=5 c3=5 c4=5 e1=5 e2=5 e3=5 e4=5 tick 12", "o",
     "a!b"},
    {"a whole site", "a1=5 b1=5 c1=5 e1=5 tick 12", "oo", "a!bc!e"},
    {"another device, later", "a1=5 b1=5 c1=5 e1=5 b8=5 tick 12 b20=5 tick 25 tick 31",
     "ooo", "a!b!c!e"},
    {"it comes back", "a1=5 b1=5 c1=5 e1=5 tick 12 a13=5 b13=5 c13=5 e13=5", "ooc", ""},
    {"taken together", "a1=9 b1=21 take a", "oo", "ab"},
    {"taken twice", "a1=9 take a !take a", "o", "a"},
    {"a follower needs nobody, and can be taken", "a1=9 b1=9 take b", "o", "ab"},
    {"acknowledged and forgotten", "a1=9 take a back a take a", "or", "a"},
    {"nobody took it: nothing comes back", "a1=9 !back a", "o", "a!"},
    {"put off", "a1=9 later a back a", "or", "a!"},
    {"closed with all that follows", "a1=9 b1=9 end a", "oc", ""},
    {"a follower is closed alone", "a1=9 b1=9 end b !end b", "o", "a!"},
    {"closed twice", "a1=9 end a !end a", "oc", ""},
    {"sensors lost, and what they measured", "a1=9 tick 200 end a end a", "ooocc", ""},
    {"assigned, and to another", "a1=9 mine a !yours a say a", "o", "a!"},
    {"a sum that stays mutes no later failure", "a1=31 a2=31 a3=5 b40=9", "oo", "ab!"},
    {"a sum that was closed stays so", "a1=31 a2=31 a3=5 end a a4=5 a5=5", "oc", ""},
    {"a sum beside its failure", "a1=31 a2=31 b3=9", "o", "ab"},
    {"a part that is over and was graver", "a1=5 b1=9 a4=5 a2=25 a3=5 b2=5", "ouc", ""},
    {"is told once", "a1=5 b1=9 a7=5 a2=25 a3=5 a4=25 a5=5 a6=5 b2=5", "ouc", ""},
    {"and does not mute what becomes as grave", "a1=5 b1=9 a4=5 a2=25 a3=5 b2=25", "oue",
     "b!"},
    {"one that is over cannot be put off", "a1=9 a2=5 !later a", "oc", ""},
};

struct finding {
    const char *device;
    struct incident found;
};

static void on_found(void *context, const struct incident *incident)
{
    struct finding *finding = context;
    bool is_better =
        finding->found.id[0] == '\0' ||
        (finding->found.state == INCIDENT_CLOSED && incident->state != INCIDENT_CLOSED);
    if (strcmp(incident->device, finding->device) == 0 && is_better)
        finding->found = *incident;
}

/* What is open of the device, or else what was last. */
static struct incident find(struct house *house, const char *device)
{
    struct finding finding = {.device = device};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &finding, on_found) == ERR_OK);
    CHECK(finding.found.id[0] != '\0');
    return finding.found;
}

static const struct {
    const char *word;
    const char *verb;
    const char *fields;
} acts[] = {
    {"take", "incident.acknowledge", ""},
    {"back", "incident.remind", ""},
    {"end", "incident.close", "," CLOSE_WORDS},
    {"later", "incident.snooze", ",\"for\":\"4h\""},
    {"soon", "incident.snooze", ",\"for\":\"1h\""},
    {"tomorrow", "incident.snooze", ",\"for\":\"8h\""},
    {"mine", "incident.assign", ",\"to\":\"wang\""},
    {"yours", "incident.assign", ",\"to\":\"li\""},
    {"say", "incident.comment", ",\"text\":\"so it is\""},
};

static void act(struct house *house, const char *row, const char *word,
                const char *device, unsigned number)
{
    bool is_refused = word[0] == '!';
    char id[16];
    char body[300];
    struct incident incident = find(house, device);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(acts[i].word, word + is_refused) != 0)
            continue;
        snprintf(id, sizeof id, "c%u", number);
        snprintf(body, sizeof body, "{\"id\":\"%s\"%s}", incident.id, acts[i].fields);
        put_command(house, START_MS + (INT64_C(300) + number) * 60000, id, acts[i].verb,
                    body);
        CHECK(journal_sync(house->journal, NULL) == ERR_OK);
        advance(house, 1000);
        CHECK_ROW(row, (house->command_err == ERR_EXISTS) == is_refused);
        CHECK_ROW(row, is_refused || house->command_err == ERR_OK);
    }
}

static void play(struct house *house, const char *row, const char *records)
{
    unsigned number = 0;
    int taken = 0;
    put(house, RECORD_CONFIG, START_MS, causes_config, strlen(causes_config));
    for (const char *at = records; *at != '\0'; at += taken) {
        char device[2];
        char word[16];
        unsigned minute;
        double value;
        taken = 0;
        if (sscanf(at, "tick %u %n", &minute, &taken) == 1)
            put_tick(house, minute);
        else if (sscanf(at, "%1[a-e]%u=%lf %n", device, &minute, &value, &taken) == 3)
            put_pack(house, device, minute, value, true);
        else if (sscanf(at, "%15[a-z!] %1[a-e] %n", word, device, &taken) == 2)
            act(house, row, word, device, ++number);
        CHECK_ROW(row, taken > 0);
        if (taken == 0)
            return;
        CHECK(journal_sync(house->journal, NULL) == ERR_OK);
        advance(house, 1000);
    }
}

static void on_letter(void *context, const struct state_message *message)
{
    const char *event = strstr(message->body, "\"event\":\"");
    CHECK(event != NULL);
    if (event != NULL)
        buf_add(context, event + strlen("\"event\":\""), 1);
}

/* In the order of devices; '!' only where people were told. */
static void note_open(struct house *house, struct buf *out)
{
    static const char *const devices[] = {"a", "b", "c", "e"};
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        struct finding finding = {.device = devices[i]};
        struct state_care care;
        const struct state_incident_query query = {.states = 7};
        CHECK(state_page_incidents(house->state, &query, &finding, on_found) == ERR_OK);
        if (finding.found.id[0] == '\0')
            continue;
        CHECK(state_get_care(house->state, finding.found.id, &care) == ERR_OK);
        buf_text(out, devices[i]);
        if (care.is_told && !finding.found.is_acknowledged)
            buf_text(out, "!");
    }
}

static void check_story(size_t i, bool with_crashes)
{
    const char *row = stories[i].name;
    struct house house;
    struct buf told = {0};
    struct buf open = {0};
    house_open(&house);
    pipeline_start(&house);
    play(&house, row, stories[i].records);
    buf_text(&told, "");
    buf_text(&open, "");
    CHECK(state_page_messages(house.state, NULL, 0, 1000, &told, on_letter) == ERR_OK);
    note_open(&house, &open);
    if (strcmp(told.data, stories[i].want) != 0 ||
        strcmp(open.data, stories[i].open) != 0)
        printf("\n  %s: %s %s\n", row, told.data, open.data);
    CHECK_ROW(row, strcmp(told.data, stories[i].want) == 0);
    CHECK_ROW(row, strcmp(open.data, stories[i].open) == 0);
    buf_fini(&told);
    buf_fini(&open);
    if (with_crashes) {
        pipeline_close(house.pipeline);
        state_close(house.state);
        check_crashes(&house, row, 1 + i % 4);
    }
    house_close(&house);
}

static void causes_are_told_once_and_people_are_heard(void)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++)
        check_story(i, false);
}

static void a_crash_behind_every_record_changes_nothing(void)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++)
        check_story(i, true);
}

static void on_body(void *context, const struct state_message *message)
{
    struct buf *out = context;
    buf_clear(out);
    buf_text(out, message->body);
}

static void a_message_names_what_it_belongs_to(void)
{
    struct house house;
    struct buf body = {0};
    house_open(&house);
    pipeline_start(&house);
    play(&house, "names", "a1=9 b1=21");
    struct incident leader = find(&house, "a");
    CHECK(state_page_messages(house.state, NULL, 0, 1000, &body, on_body) == ERR_OK);
    char cause[64];
    snprintf(cause, sizeof cause, "\"cause\":\"%s\"", leader.id);
    CHECK(strstr(body.data, cause) != NULL);
    CHECK(strstr(body.data, "Same cause as: air temperature ") != NULL);
    CHECK(strstr(body.data, "与此同因") != NULL);
    CHECK(strstr(body.data, "\"is_over\":false") != NULL);
    buf_fini(&body);
    house_close(&house);
}

static void what_a_person_said_is_kept(void)
{
    struct house house;
    struct state_care care;
    house_open(&house);
    pipeline_start(&house);
    play(&house, "said", "a1=9 take a mine a");
    struct incident incident = find(&house, "a");
    CHECK(state_get_care(house.state, incident.id, &care) == ERR_OK);
    CHECK_TEXT(care.acknowledge_reason, "so");
    CHECK_TEXT(care.assigned_to, "wang");
    CHECK(care.remind_ms == START_MS + (302 + 240) * INT64_C(60000));
    act(&house, "said", "later", "a", 3);
    CHECK(state_get_care(house.state, incident.id, &care) == ERR_OK);
    CHECK(care.snoozed_until_ms == START_MS + (303 + 240) * INT64_C(60000));
    act(&house, "said", "end", "a", 4);
    CHECK(state_get_care(house.state, incident.id, &care) == ERR_OK);
    CHECK_TEXT(care.closing.by, "wang");
    CHECK_TEXT(care.closing.cause, "door");
    CHECK_TEXT(care.closing.disposition, "unaffected");
    CHECK(care.remind_ms == 0 && care.snoozed_until_ms == 0);
    house_close(&house);
}

static int64_t reminder_minute(struct house *house, const char *device)
{
    struct state_care care;
    struct incident incident = find(house, device);
    CHECK(state_get_care(house->state, incident.id, &care) == ERR_OK);
    return care.remind_ms == 0 ? 0 : (care.remind_ms - START_MS) / 60000;
}

/* Minutes in which the two come back, of one cause; what is done is done from 301 on. */
static void what_is_in_hand_comes_back_together_and_in_time(void)
{
    static const struct {
        const char *acts;
        int64_t a;
        int64_t b;
    } rows[] = {
        {"soon a", 301 + 60, 301 + 60},
        {"tomorrow a", 301 + 480, 301 + 480},
        {"soon a say a", 301 + 60, 301 + 60},
        {"tomorrow a say b", 301 + 480, 301 + 480},
        {"take a tomorrow a", 302 + 480, 302 + 480},
        {"take a soon b", 302 + 60, 302 + 60},
        {"take a say b", 302 + 240, 302 + 240},
        {"take b mine a", 302 + 240, 302 + 240},
        {"take a soon a back a", 0, 302 + 60},
        {"take a soon a back a say a", 0, 302 + 60},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        char records[100];
        house_open(&house);
        pipeline_start(&house);
        snprintf(records, sizeof records, "a1=9 b1=21 %s", rows[i].acts);
        play(&house, rows[i].acts, records);
        CHECK_ROW(rows[i].acts, reminder_minute(&house, "a") == rows[i].a);
        CHECK_ROW(rows[i].acts, reminder_minute(&house, "b") == rows[i].b);
        house_close(&house);
    }
}

/* What it left open shows nothing of the zone in which it is no more. */
static void what_moved_away_mutes_no_later_failure(void)
{
    struct house house;
    struct state_care care;
    house_open(&house);
    pipeline_start(&house);
    play(&house, "moved", "a1=9 b1=5");
    struct incident moved = find(&house, "a");
    put_command(&house, START_MS + 5 * INT64_C(60000), "c1", "placement.move",
                "{\"device\":\"a\",\"zone\":\"z2\"}");
    put_tick(&house, 20);
    put_pack(&house, "b", 60, 9, true);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    advance(&house, 1000);
    CHECK(house.command_err == ERR_OK);
    CHECK(state_get_incident(house.state, moved.id, &moved) == ERR_OK);
    CHECK(moved.state == INCIDENT_UNKNOWN);
    struct incident later = find(&house, "b");
    CHECK_TEXT(later.rule, "warm");
    CHECK(state_get_care(house.state, later.id, &care) == ERR_OK);
    CHECK(care.is_told);
    house_close(&house);
}

static void count_silent(void *context, const struct incident *incident)
{
    size_t *count = context;
    *count += alert_kind_is_silence(incident->kind) && strcmp(incident->device, "a") == 0;
}

/* The last reading of before a move comes behind it: of all of it, or of one channel. */
static void a_move_leaves_no_silence_behind(void)
{
    static const struct {
        const char *verb;
        const char *channel;
    } rows[] = {
        {"placement.move", ""},
        {"placement.put", ",\"channel\":\"air_temperature\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        char body[200];
        const int64_t moved_ms = START_MS + 5 * INT64_C(60000);
        size_t silent = 0;
        house_open(&house);
        pipeline_start(&house);
        play(&house, "moved", "a1=5");
        snprintf(body, sizeof body,
                 "{\"device\":\"a\"%s,\"zone\":\"z2\",\"from\":%" PRId64 "}",
                 rows[i].channel, moved_ms);
        put_command(&house, moved_ms, "c1", rows[i].verb, body);
        put(&house, RECORD_TICK, moved_ms + 1000, "", 1);
        put_pack_late(&house, "a", 2, moved_ms - 1000, moved_ms + 5000, 5, false);
        for (uint64_t seq = 3; seq < 30; seq++) {
            put_pack_at(&house, "a", seq, moved_ms + (int64_t)seq * 60000, 5, false);
            put_tick(&house, 5 + (int64_t)seq);
        }
        CHECK(journal_sync(house.journal, NULL) == ERR_OK);
        advance(&house, 1000);
        CHECK_ROW(rows[i].verb, house.command_err == ERR_OK);
        const struct state_incident_query query = {0};
        CHECK(state_page_incidents(house.state, &query, &silent, count_silent) == ERR_OK);
        CHECK_ROW(rows[i].verb, silent == 0);
        house_close(&house);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"causes are told once and people are heard",
         causes_are_told_once_and_people_are_heard},
        {"a crash behind every record changes nothing",
         a_crash_behind_every_record_changes_nothing},
        {"a message names what it belongs to", a_message_names_what_it_belongs_to},
        {"what a person said is kept", what_a_person_said_is_kept},
        {"what is in hand comes back together and in time",
         what_is_in_hand_comes_back_together_and_in_time},
        {"what moved away mutes no later failure",
         what_moved_away_mutes_no_later_failure},
        {"a move leaves no silence behind", a_move_leaves_no_silence_behind},
        CU_TEST_INFO_NULL,
    };
    return check_run("causes", tests);
}
