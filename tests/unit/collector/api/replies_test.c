// SPDX-License-Identifier: Apache-2.0
/* Answers that a gateway brings: signed, recent, once; and what it is told. */
#include "tests/unit/collector/api/world.h"

#include <inttypes.h>

#include "collector/metrics.h"
#include "tests/unit/collector/replies/office.h"

#define NOW_S (WORLD_T0 / 1000)

struct gateway {
    struct world world;
    struct office office;
};

static void gateway_open(struct gateway *gateway)
{
    crypto_init();
    office_open(&gateway->office);
    gateway->world = (struct world){.desk = gateway->office.desk,
                                    .channels = gateway->office.channels,
                                    .channel_count = 2};
    world_open_with(&gateway->world);
    office_fill(gateway->world.state, WORLD_T0);
    world_run(&gateway->world);
}

static void gateway_close(struct gateway *gateway)
{
    world_close(&gateway->world);
    office_close(&gateway->office);
}

static void sign(char hex[2 * CRYPTO_HMAC_BYTES + 1], const char *secret,
                 const char *stamp, const char *body)
{
    uint8_t mac[CRYPTO_HMAC_BYTES];
    char *text = mem_format("%s.%s", stamp, body);
    crypto_hmac_sha256(mac, secret, strlen(secret), text, strlen(text));
    crypto_hex(hex, mac, sizeof mac);
    free(text);
}

/* `headers` end in line breaks. */
static void post(const struct gateway *gateway, const char *headers, const char *body,
                 struct answer *answer)
{
    char *request = mem_format("POST /v1/replies HTTP/1.1\r\nHost: test\r\n"
                               "Connection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
                               headers, strlen(body), body);
    world_raw(&gateway->world, request, strlen(request), answer);
    free(request);
}

static void bring_signed(const struct gateway *gateway, const char *body,
                         struct answer *answer)
{
    char stamp[24];
    char hex[2 * CRYPTO_HMAC_BYTES + 1];
    snprintf(stamp, sizeof stamp, "%" PRId64, NOW_S);
    sign(hex, OFFICE_SECRET, stamp, body);
    char *headers = mem_format("X-Coldchain-Timestamp: %s\r\n"
                               "X-Coldchain-Signature: sha256=%s\r\n",
                               stamp, hex);
    post(gateway, headers, body, answer);
    free(headers);
}

/* A text with the code of the first incident for that number. */
static void bring(const struct gateway *gateway, const char *from, const char *id,
                  struct answer *answer)
{
    char code[REPLY_CODE_SIZE];
    reply_code(code, office_key, "sms", from, OFFICE_FIRST);
    char *body = mem_format("{\"channel\":\"sms\",\"from\":\"%s\",\"text\":\"1 %s\","
                            "\"id\":\"%s\"}",
                            from, code, id);
    bring_signed(gateway, body, answer);
    free(body);
}

static const char *outcome_of(const struct answer *answer)
{
    const char *text = json_string_value(json_object_get(answer->json, "outcome"));
    return text != NULL ? text : "(none)";
}

static void an_answer_becomes_a_command_of_its_contact(void)
{
    struct gateway gateway;
    struct answer answer;
    gateway_open(&gateway);
    bring(&gateway, OFFICE_LI, "1", &answer);
    CHECK(answer.status == 200);
    CHECK_TEXT(outcome_of(&answer), "acknowledged");
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "by")), "p-li");
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "incident")), OFFICE_FIRST);
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "answer")),
               "Acknowledged, it is yours. Thank you");
    answer_fini(&answer);
    json_t *command = json_loads(gateway.world.command, 0, NULL);
    CHECK_TEXT(json_string_value(json_object_get(command, "verb")),
               "incident.acknowledge");
    CHECK_TEXT(json_string_value(json_object_get(command, "actor")), "p-li");
    CHECK_TEXT(json_string_value(json_object_get(command, "org")), "fengjie");
    CHECK_TEXT(json_string_value(json_object_get(command, "via")), "sms/li");
    CHECK_TEXT(json_string_value(json_object_get(json_object_get(command, "body"), "id")),
               OFFICE_FIRST);
    char *id = mem_strdup(json_string_value(json_object_get(command, "id")));
    json_decref(command);
    /* The same message, brought again, is the same command; another one is another. */
    bring(&gateway, OFFICE_LI, "1", &answer);
    CHECK(answer.status == 200 && strstr(gateway.world.command, id) != NULL);
    answer_fini(&answer);
    bring(&gateway, OFFICE_LI, "2", &answer);
    CHECK(answer.status == 200 && strstr(gateway.world.command, id) == NULL);
    answer_fini(&answer);
    free(id);
    gateway_close(&gateway);
}

static void who_comes_second_is_told(void)
{
    struct gateway gateway;
    struct answer answer;
    gateway_open(&gateway);
    world_must(state_begin(gateway.world.state), "begin");
    struct incident incident;
    world_must(state_get_incident(gateway.world.state, OFFICE_FIRST, &incident), "get");
    incident.is_acknowledged = true;
    incident.revision = 2;
    snprintf(incident.acknowledged_by, sizeof incident.acknowledged_by, "p-li");
    world_must(state_add_incident(gateway.world.state, ALERT_EFFECT_UPDATED, &incident,
                                  WORLD_T0, "{}"),
               "put");
    world_must(state_commit(gateway.world.state), "commit");
    gateway.world.command_err = ERR_EXISTS;
    bring(&gateway, OFFICE_GUARD, "1", &answer);
    CHECK(answer.status == 200);
    CHECK_TEXT(outcome_of(&answer), "taken");
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "answer")),
               "p-li acknowledged it first");
    answer_fini(&answer);
    bring(&gateway, OFFICE_LI, "2", &answer);
    CHECK_TEXT(outcome_of(&answer), "yours_already");
    answer_fini(&answer);
    gateway_close(&gateway);
}

static void what_is_refused_says_why_and_names_no_incident(void)
{
    static const struct {
        const char *from;
        const char *text;
        const char *outcome;
        bool is_audited;
    } rows[] = {
        {"+8613500000000", "1 4F7K", "unknown_sender", true},
        {OFFICE_LI, "1 2222", "wrong_code", true},
        {OFFICE_LI, "ok", "no_code", false},
        {OFFICE_LI, "hello there", "not_understood", false},
        {OFFICE_LI, "不收到", "not_understood", false},
    };
    struct gateway gateway;
    gateway_open(&gateway);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        gateway.world.command[0] = '\0';
        gateway.world.command_err = ERR_NOT_FOUND;
        char *body = mem_format("{\"channel\":\"sms\",\"from\":\"%s\",\"text\":\"%s\"}",
                                rows[i].from, rows[i].text);
        bring_signed(&gateway, body, &answer);
        CHECK_ROW(body, answer.status == 200);
        CHECK_ROW(body, strcmp(outcome_of(&answer), rows[i].outcome) == 0);
        CHECK_ROW(body, json_is_null(json_object_get(answer.json, "incident")));
        CHECK_ROW(body, (gateway.world.command[0] != '\0') == rows[i].is_audited);
        CHECK_ROW(body, !rows[i].is_audited ||
                            strstr(gateway.world.command, "\"id\":\"refused\"") != NULL);
        /* Numbers stay out of the journal. */
        CHECK_ROW(body, strstr(gateway.world.command, "135000") == NULL);
        answer_fini(&answer);
        free(body);
    }
    gateway_close(&gateway);
}

static void what_is_not_signed_as_it_should_be_is_nobodys(void)
{
    static const char body[] =
        "{\"channel\":\"sms\",\"from\":\"" OFFICE_LI "\",\"text\":\"1 2222\"}";
    static const struct {
        const char *name;
        const char *secret;
        int64_t shift_s; /* of the timestamp */
        const char *start;
        size_t cut; /* of the signature */
        int status;
    } rows[] = {
        {"as it should be", OFFICE_SECRET, 0, "sha256=", 64, 200},
        {"four minutes old", OFFICE_SECRET, -240, "sha256=", 64, 200},
        {"four minutes ahead", OFFICE_SECRET, 240, "sha256=", 64, 200},
        {"six minutes old", OFFICE_SECRET, -360, "sha256=", 64, 401},
        {"six minutes ahead", OFFICE_SECRET, 360, "sha256=", 64, 401},
        {"1970", OFFICE_SECRET, -NOW_S, "sha256=", 64, 401},
        {"another secret", "another secret", 0, "sha256=", 64, 401},
        {"no secret", "", 0, "sha256=", 64, 401},
        {"cut", OFFICE_SECRET, 0, "sha256=", 63, 401},
        {"nothing", OFFICE_SECRET, 0, "", 0, 401},
        {"bare", OFFICE_SECRET, 0, "", 64, 401},
        {"another hash", OFFICE_SECRET, 0, "sha512=", 64, 401},
    };
    struct gateway gateway;
    gateway_open(&gateway);
    int64_t refused = metric_get(METRIC_REPLIES_REFUSED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        char stamp[24];
        char hex[2 * CRYPTO_HMAC_BYTES + 1];
        snprintf(stamp, sizeof stamp, "%" PRId64, NOW_S + rows[i].shift_s);
        sign(hex, rows[i].secret, stamp, body);
        char *headers = mem_format("X-Coldchain-Timestamp: %s\r\n"
                                   "X-Coldchain-Signature: %s%.*s\r\n",
                                   stamp, rows[i].start, (int)rows[i].cut, hex);
        post(&gateway, headers, body, &answer);
        CHECK_ROW(rows[i].name, answer.status == rows[i].status);
        answer_fini(&answer);
        free(headers);
    }
    CHECK(metric_get(METRIC_REPLIES_REFUSED) == refused + 12);
    gateway_close(&gateway);
}

static void a_signature_is_of_its_stamp_and_body(void)
{
    static const char body[] =
        "{\"channel\":\"sms\",\"from\":\"" OFFICE_LI "\",\"text\":\"1 2222\"}";
    static const char other[] =
        "{\"channel\":\"sms\",\"from\":\"" OFFICE_LI "\",\"text\":\"1 2223\"}";
    static const char *const stamps[] = {
        "", "-1", "abc", "1795420800.0", "99999999999999999999", "0x6b0"};
    struct gateway gateway;
    struct answer answer;
    char stamp[24];
    char hex[2 * CRYPTO_HMAC_BYTES + 1];
    gateway_open(&gateway);
    snprintf(stamp, sizeof stamp, "%" PRId64, NOW_S);
    sign(hex, OFFICE_SECRET, stamp, body);
    char *headers = mem_format("X-Coldchain-Timestamp: %s\r\n"
                               "X-Coldchain-Signature: sha256=%s\r\n",
                               stamp, hex);
    post(&gateway, headers, other, &answer);
    CHECK(answer.status == 401);
    answer_fini(&answer);
    free(headers);
    headers = mem_format("X-Coldchain-Timestamp: %" PRId64 "\r\n"
                         "X-Coldchain-Signature: sha256=%s\r\n",
                         NOW_S + 1, hex);
    post(&gateway, headers, body, &answer);
    CHECK(answer.status == 401);
    answer_fini(&answer);
    free(headers);
    for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
        sign(hex, OFFICE_SECRET, stamps[i], body);
        headers = mem_format("X-Coldchain-Timestamp: %s\r\n"
                             "X-Coldchain-Signature: sha256=%s\r\n",
                             stamps[i], hex);
        post(&gateway, headers, body, &answer);
        CHECK_ROW(stamps[i], answer.status == 401);
        answer_fini(&answer);
        free(headers);
    }
    gateway_close(&gateway);
}

static void a_body_of_another_form_is_refused(void)
{
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        {"", 400},
        {"[]", 400},
        {"{}", 400},
        {"{\"channel\":\"sms\",\"from\":\"1\"}", 400},
        {"{\"channel\":\"sms\",\"from\":1,\"text\":\"x\"}", 400},
        {"{\"channel\":\"sms\",\"from\":\"1\",\"text\":\"\"}", 400},
        {"{\"channel\":\"sms\",\"from\":\"1\",\"text\":\"a\\u0000b\"}", 400},
        {"{\"channel\":\"sms\",\"from\":\"1\",\"text\":\"x\",\"id\":7}", 400},
        {"{\"channel\":\"sms\",\"from\":\"1\",\"text\":\"x\",\"more\":\"y\"}", 400},
        {"{\"channel\":\"nobody\",\"from\":\"1\",\"text\":\"x\"}", 401},
        /* A bot's answers are fetched, never brought. */
        {"{\"channel\":\"bot\",\"from\":\"1\",\"text\":\"x\"}", 401},
    };
    struct gateway gateway;
    struct answer answer;
    gateway_open(&gateway);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bring_signed(&gateway, rows[i].body, &answer);
        CHECK_ROW(rows[i].body, answer.status == rows[i].status);
        answer_fini(&answer);
    }
    char *text = mem_alloc(60000);
    memset(text, 'x', 59999);
    char *body = mem_format("{\"channel\":\"sms\",\"from\":\"1\",\"text\":\"%s\"}", text);
    bring_signed(&gateway, body, &answer);
    CHECK(answer.status == 400);
    answer_fini(&answer);
    free(body);
    free(text);
    gateway_close(&gateway);
}

static void what_cannot_be_applied_now_may_be_brought_again(void)
{
    struct gateway gateway;
    struct answer answer;
    gateway_open(&gateway);
    gateway.world.is_never_applied = true;
    bring(&gateway, OFFICE_LI, "1", &answer);
    CHECK(answer.status == 504);
    answer_fini(&answer);
    gateway.world.is_never_applied = false;
    bring(&gateway, OFFICE_LI, "1", &answer);
    CHECK(answer.status == 200);
    CHECK_TEXT(outcome_of(&answer), "acknowledged");
    answer_fini(&answer);
    gateway_close(&gateway);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"an answer becomes a command of its contact",
         an_answer_becomes_a_command_of_its_contact},
        {"who comes second is told", who_comes_second_is_told},
        {"what is refused says why and names no incident",
         what_is_refused_says_why_and_names_no_incident},
        {"what is not signed as it should be is nobody's",
         what_is_not_signed_as_it_should_be_is_nobodys},
        {"a signature is of its stamp and body", a_signature_is_of_its_stamp_and_body},
        {"a body of another form is refused", a_body_of_another_form_is_refused},
        {"what cannot be applied now may be brought again",
         what_cannot_be_applied_now_may_be_brought_again},
        CU_TEST_INFO_NULL,
    };
    return check_run("replies", tests);
}
