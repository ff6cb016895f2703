// SPDX-License-Identifier: Apache-2.0
/* Who may answer what: known senders, their own messages, their own organisation. */
#include "tests/unit/collector/replies/office.h"

#include <string.h>

#include "base/crypto.h"
#include "collector/metrics.h"
#include "tests/support/folder.h"

#define T0 INT64_C(1790000000000)

struct desk_house {
    struct folder folder;
    struct state *state;
    struct office office;
};

static void house_open(struct desk_house *house)
{
    struct err_text why;
    crypto_init();
    folder_make(&house->folder);
    CHECK(state_open(&house->state, folder_file(&house->folder, "state.db"), &why) ==
          ERR_OK);
    office_open(&house->office);
    office_fill(house->state, T0);
}

static void house_close(struct desk_house *house)
{
    office_close(&house->office);
    state_close(house->state);
    folder_remove(&house->folder);
}

/* `text` may hold one %s, for the code of that incident in that box. */
static struct reply_claim look(struct desk_house *house,
                               const struct config_channel *channel, const char *sender,
                               const char *text, const char *box, const char *incident)
{
    char code[REPLY_CODE_SIZE];
    char *said;
    struct reply_claim claim;
    reply_code(code, office_key, channel->name, box, incident);
    const char *at = strstr(text, "%s");
    CHECK(asprintf(&said, "%.*s%s%s", at != NULL ? (int)(at - text) : (int)strlen(text),
                   text, at != NULL ? code : "", at != NULL ? at + 2 : "") >= 0);
    const struct reply reply = {
        .channel = channel, .sender = sender, .text = said, .text_len = strlen(said)};
    reply_desk_look(house->office.desk, house->state, &reply, T0 + 1000, &claim);
    free(said);
    return claim;
}

static void an_answer_counts_from_whom_it_was_told(void)
{
    static const struct {
        const char *name;
        const char *sender;
        const char *text;
        const char *box; /* whose code is typed */
        const char *incident;
        enum reply_fate fate;
        const char *actor;
    } rows[] = {
        {"li", OFFICE_LI, "1 %s", OFFICE_LI, OFFICE_FIRST, REPLY_ACKNOWLEDGED, "p-li"},
        {"as gateways say it", "13800000000", "收到%s", OFFICE_LI, OFFICE_SECOND,
         REPLY_ACKNOWLEDGED, "p-li"},
        {"with 00", "00 86 138-0000-0000", "%s", OFFICE_LI, OFFICE_FIRST,
         REPLY_ACKNOWLEDGED, "p-li"},
        {"no person", OFFICE_GUARD, "1 %s", OFFICE_GUARD, OFFICE_FIRST,
         REPLY_ACKNOWLEDGED, "guard"},
        {"another's code", OFFICE_GUARD, "1 %s", OFFICE_LI, OFFICE_FIRST,
         REPLY_WRONG_CODE, "guard"},
        {"not told", OFFICE_GUARD, "1 %s", OFFICE_GUARD, OFFICE_SECOND, REPLY_WRONG_CODE,
         "guard"},
        {"a neighbour", OFFICE_WANG, "1 %s", OFFICE_WANG, OFFICE_FIRST, REPLY_NOT_ALLOWED,
         "p-wang"},
        {"a viewer", OFFICE_ZHAO, "1 %s", OFFICE_ZHAO, OFFICE_FIRST, REPLY_NOT_ALLOWED,
         "p-zhao"},
        {"nobody", "+8613500000000", "1 %s", OFFICE_LI, OFFICE_FIRST,
         REPLY_UNKNOWN_SENDER, REPLY_NOBODY},
        {"nobody at all", "", "1 %s", OFFICE_LI, OFFICE_FIRST, REPLY_UNKNOWN_SENDER,
         REPLY_NOBODY},
        {"no code", OFFICE_LI, "ok", OFFICE_LI, OFFICE_FIRST, REPLY_NO_CODE, "p-li"},
        {"a chat", OFFICE_LI, "is %s bad?", OFFICE_LI, OFFICE_FIRST, REPLY_NOT_UNDERSTOOD,
         "p-li"},
    };
    struct desk_house house;
    house_open(&house);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply_claim claim = look(&house, &house.office.sms, rows[i].sender,
                                        rows[i].text, rows[i].box, rows[i].incident);
        bool is_good = rows[i].fate == REPLY_ACKNOWLEDGED;
        CHECK_ROW(rows[i].name, claim.fate == rows[i].fate);
        CHECK_ROW(rows[i].name, strcmp(claim.actor, rows[i].actor) == 0);
        CHECK_ROW(rows[i].name, strcmp(claim.incident,
                                       is_good ? rows[i].incident : REPLY_REFUSED) == 0);
        CHECK_ROW(rows[i].name,
                  claim.is_command == (rows[i].fate != REPLY_NO_CODE &&
                                       rows[i].fate != REPLY_NOT_UNDERSTOOD));
        CHECK_ROW(rows[i].name, strncmp(claim.via, "sms/", 4) == 0);
    }
    house_close(&house);
}

static void in_a_group_anybody_of_it_answers(void)
{
    struct desk_house house;
    house_open(&house);
    struct office *office = &house.office;
    /* It was told to li, where all read it. */
    struct reply_claim claim = look(&house, &office->bot, "4", "1 %s", "", OFFICE_FIRST);
    CHECK(claim.fate == REPLY_ACKNOWLEDGED);
    CHECK_TEXT(claim.actor, "guard");
    CHECK_TEXT(claim.via, "bot/guard");
    claim = look(&house, &office->bot, "2", "1 %s", "", OFFICE_FIRST);
    CHECK(claim.fate == REPLY_NOT_ALLOWED);
    claim = look(&house, &office->bot, "5", "1 %s", "", OFFICE_FIRST);
    CHECK(claim.fate == REPLY_UNKNOWN_SENDER);
    CHECK(reply_desk_has_chat(office->desk, &office->bot, OFFICE_GROUP));
    CHECK(!reply_desk_has_chat(office->desk, &office->bot, "-101"));
    CHECK(!reply_desk_has_chat(office->desk, &office->bot, ""));
    house_close(&house);
}

static void a_button_and_a_quoted_message_name_their_incident(void)
{
    struct desk_house house;
    struct reply_claim claim;
    char text[REPLY_TOKEN_SIZE];
    char code[REPLY_CODE_SIZE];
    char quoted[40];
    house_open(&house);
    const struct office *office = &house.office;
    struct reply_token token = {.incident = OFFICE_FIRST, .until_s = T0 / 1000 + 60};
    CHECK(reply_token_format(text, &token, office_key, "bot"));
    struct reply reply = {.channel = &office->bot, .sender = "1", .token = text};
    reply_desk_look(office->desk, house.state, &reply, T0, &claim);
    CHECK(claim.fate == REPLY_ACKNOWLEDGED);
    CHECK_TEXT(claim.incident, OFFICE_FIRST);
    CHECK_TEXT(claim.org, "fengjie");
    reply_desk_look(office->desk, house.state, &reply, T0 + 61000, &claim);
    CHECK(claim.fate == REPLY_EXPIRED && claim.is_command);
    text[5] = text[5] == '0' ? '1' : '0';
    reply_desk_look(office->desk, house.state, &reply, T0, &claim);
    CHECK(claim.fate == REPLY_WRONG_CODE);
    /* Without a keyboard the text of our message tells. */
    reply_code(code, office_key, "bot", "", OFFICE_FIRST);
    snprintf(quoted, sizeof quoted, "too warm\nReply 1 %s", code);
    reply = (struct reply){.channel = &office->bot,
                           .sender = "1",
                           .text = "ok",
                           .text_len = 2,
                           .quoted = quoted,
                           .quoted_len = strlen(quoted)};
    reply_desk_look(office->desk, house.state, &reply, T0, &claim);
    CHECK(claim.fate == REPLY_ACKNOWLEDGED);
    /* An incident that is not there is nobody's. */
    struct reply_token gone = {.incident = "000000000000000000000000000000ff",
                               .until_s = T0 / 1000 + 60};
    CHECK(reply_token_format(text, &gone, office_key, "bot"));
    reply = (struct reply){.channel = &office->bot, .sender = "1", .token = text};
    reply_desk_look(office->desk, house.state, &reply, T0, &claim);
    CHECK(claim.fate == REPLY_NOT_ALLOWED);
    CHECK_TEXT(claim.incident, REPLY_REFUSED);
    house_close(&house);
}

static void an_old_message_has_no_code_any_more(void)
{
    struct desk_house house;
    house_open(&house);
    char code[REPLY_CODE_SIZE];
    struct reply_claim claim;
    reply_code(code, office_key, "sms", OFFICE_LI, OFFICE_FIRST);
    const struct reply reply = {
        .channel = &house.office.sms, .sender = OFFICE_LI, .text = code, .text_len = 4};
    reply_desk_look(house.office.desk, house.state, &reply, T0 + OFFICE_VALID_MS, &claim);
    CHECK(claim.fate == REPLY_ACKNOWLEDGED);
    reply_desk_look(house.office.desk, house.state, &reply, T0 + OFFICE_VALID_MS + 1,
                    &claim);
    CHECK(claim.fate == REPLY_WRONG_CODE);
    house_close(&house);
}

static void who_guesses_is_slowed_down_and_nobody_else(void)
{
    struct desk_house house;
    struct reply_claim claim;
    int64_t refused = metric_get(METRIC_REPLIES_REFUSED);
    house_open(&house);
    const struct config_channel *sms = &house.office.sms;
    int fates[REPLY_FATES] = {0};
    for (int i = 0; i < 20; i++) {
        claim = look(&house, sms, OFFICE_LI, "1 2222", "", OFFICE_FIRST);
        fates[claim.fate]++;
    }
    CHECK(fates[REPLY_WRONG_CODE] == 5 && fates[REPLY_TOO_MANY] == 15);
    CHECK(metric_get(METRIC_REPLIES_REFUSED) == refused + 20);
    claim = look(&house, sms, OFFICE_LI, "1 %s", OFFICE_LI, OFFICE_FIRST);
    CHECK(claim.fate == REPLY_TOO_MANY && !claim.is_command);
    claim = look(&house, sms, OFFICE_GUARD, "1 %s", OFFICE_GUARD, OFFICE_FIRST);
    CHECK(claim.fate == REPLY_ACKNOWLEDGED);
    /* Of strangers, however many they are, the audit takes a few. */
    int commands = 0;
    for (int i = 0; i < 100; i++) {
        char number[24];
        snprintf(number, sizeof number, "+86135%08d", i);
        claim = look(&house, sms, number, "1 2222", "", OFFICE_FIRST);
        commands += claim.is_command;
        CHECK(claim.fate == REPLY_UNKNOWN_SENDER);
    }
    CHECK(commands == 5);
    house_close(&house);
}

static void it_is_told_who_was_first(void)
{
    struct desk_house house;
    char who[ID_SIZE];
    house_open(&house);
    const struct config_channel *sms = &house.office.sms;
    struct reply_claim claim =
        look(&house, sms, OFFICE_LI, "1 %s", OFFICE_LI, OFFICE_FIRST);
    CHECK(reply_desk_fate(house.state, &claim, ERR_OK, who) == REPLY_ACKNOWLEDGED);
    CHECK_TEXT(who, "p-li");
    struct incident incident;
    CHECK(state_get_incident(house.state, OFFICE_FIRST, &incident) == ERR_OK);
    incident.is_acknowledged = true;
    incident.revision = 2;
    snprintf(incident.acknowledged_by, sizeof incident.acknowledged_by, "p-li");
    CHECK(state_begin(house.state) == ERR_OK);
    CHECK(state_add_incident(house.state, ALERT_EFFECT_UPDATED, &incident, T0, "{}") ==
          ERR_OK);
    CHECK(state_commit(house.state) == ERR_OK);
    CHECK(reply_desk_fate(house.state, &claim, ERR_EXISTS, who) == REPLY_YOURS);
    claim = look(&house, sms, OFFICE_GUARD, "1 %s", OFFICE_GUARD, OFFICE_FIRST);
    CHECK(reply_desk_fate(house.state, &claim, ERR_EXISTS, who) == REPLY_TAKEN);
    CHECK_TEXT(who, "p-li");
    CHECK(reply_desk_fate(house.state, &claim, ERR_TIMEOUT, who) == REPLY_LATER);
    CHECK(reply_desk_fate(house.state, &claim, ERR_NOT_FOUND, who) == REPLY_EXPIRED);
    claim.fate = REPLY_WRONG_CODE; /* its command is refused, of course */
    CHECK(reply_desk_fate(house.state, &claim, ERR_NOT_FOUND, who) == REPLY_WRONG_CODE);
    house_close(&house);
}

/* By its code, whoever is a contact there; it is no command, and known to nobody else. */
static void a_test_is_answered(void)
{
    static const char test[] = "test-0123456789abcdef0123456789abcdef";
    static const struct {
        const char *name;
        const char *sender;
        const char *text;
        const char *incident;
        enum reply_fate fate;
    } rows[] = {
        {"li", OFFICE_LI, "1 %s", test, REPLY_TESTED},
        {"who may not acknowledge", OFFICE_ZHAO, "%s", test, REPLY_TESTED},
        {"nobody", "+8613500000000", "1 %s", test, REPLY_UNKNOWN_SENDER},
        {"another test's", OFFICE_LI, "1 %s", "test-0123", REPLY_WRONG_CODE},
        {"no yes", OFFICE_LI, "is %s bad?", test, REPLY_NOT_UNDERSTOOD},
    };
    struct desk_house house;
    house_open(&house);
    CHECK(state_begin(house.state) == ERR_OK);
    office_tell(house.state, test, "sms", "", T0);
    CHECK(state_commit(house.state) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char who[ID_SIZE];
        bool is_good = rows[i].fate == REPLY_TESTED;
        uint64_t tested = (uint64_t)metric_get(METRIC_REPLIES_TESTED);
        struct reply_claim claim = look(&house, &house.office.sms, rows[i].sender,
                                        rows[i].text, "", rows[i].incident);
        CHECK_ROW(rows[i].name, claim.fate == rows[i].fate);
        CHECK_ROW(rows[i].name, !is_good || !claim.is_command);
        CHECK_ROW(rows[i].name,
                  (uint64_t)metric_get(METRIC_REPLIES_TESTED) == tested + is_good);
        CHECK_ROW(rows[i].name,
                  reply_desk_fate(house.state, &claim, ERR_OK, who) == rows[i].fate);
    }
    for (size_t k = 0; k < 2; k++) {
        char *body = reply_desk_offer(house.office.desk, house.office.channels[k], "",
                                      test, T0, strdup("{\"event\":\"test\"}"));
        CHECK(strstr(body, "\"code\":\"") != NULL);
        CHECK(strstr(body, "\"token\"") == NULL);
        free(body);
    }
    house_close(&house);
}

static void only_what_is_open_offers_an_answer(void)
{
    static const struct {
        const char *body;
        const char *incident;
        bool is_open;
    } rows[] = {
        {"{\"text_en\":\"x\",\"closed\":null}", OFFICE_FIRST, true},
        {"{\"closed\":\"2026-11-26T00:00:00.000Z\"}", OFFICE_FIRST, false},
        {"{\"withdrawn\":\"2026-11-26T00:00:00.000Z\"}", OFFICE_FIRST, false},
        {"{}", "another thing", false},
        {"[]", OFFICE_FIRST, false},
        {"no JSON", OFFICE_FIRST, false},
    };
    struct desk_house house;
    house_open(&house);
    const struct office *office = &house.office;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < 2; k++) {
            char *body = reply_desk_offer(office->desk, office->channels[k], "li",
                                          rows[i].incident, T0, strdup(rows[i].body));
            CHECK_ROW(rows[i].body,
                      (strstr(body, "\"code\":\"") != NULL) == rows[i].is_open);
            CHECK_ROW(rows[i].body, (strstr(body, "\"token\":\"") != NULL) ==
                                        (rows[i].is_open && k == 1));
            free(body);
        }
    house_close(&house);
}

static void every_fate_has_its_words(void)
{
    for (int fate = 0; fate < REPLY_FATES; fate++)
        for (int language = CHANNEL_ZH; language <= CHANNEL_BOTH; language++) {
            struct buf text = {0};
            reply_words((enum reply_fate)fate, (enum channel_language)language, "li",
                        &text);
            CHECK_ROW(reply_fate_name((enum reply_fate)fate),
                      text.len > 0 && strstr(text.data, "${") == NULL);
            buf_fini(&text);
        }
    struct buf text = {0};
    char long_name[300];
    memset(long_name, 'x', sizeof long_name);
    long_name[299] = '\0';
    reply_words(REPLY_TAKEN, CHANNEL_EN, long_name, &text);
    CHECK(text.len < 120);
    buf_clear(&text);
    reply_hint(CHANNEL_BOTH, "4F7K", &text);
    reply_mark(CHANNEL_ZH, "li", &text);
    CHECK(strstr(text.data, "1 4F7K") != NULL && strstr(text.data, "li 已确认") != NULL);
    buf_fini(&text);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"an answer counts from whom it was told",
         an_answer_counts_from_whom_it_was_told},
        {"in a group anybody of it answers", in_a_group_anybody_of_it_answers},
        {"a button and a quoted message name their incident",
         a_button_and_a_quoted_message_name_their_incident},
        {"an old message has no code any more", an_old_message_has_no_code_any_more},
        {"who guesses is slowed down, and nobody else",
         who_guesses_is_slowed_down_and_nobody_else},
        {"it is told who was first", it_is_told_who_was_first},
        {"a test is answered", a_test_is_answered},
        {"only what is open offers an answer", only_what_is_open_offers_an_answer},
        {"every fate has its words", every_fate_has_its_words},
        CU_TEST_INFO_NULL,
    };
    return check_run("desk", tests);
}
