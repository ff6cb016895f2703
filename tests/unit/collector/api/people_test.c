// SPDX-License-Identifier: Apache-2.0
/* People, tokens and grants over HTTP: what is repeated, what the journal is told. */
#include "collector/api/internal.h"
#include "collector/store/state_tables.h"

#include "collector/api/replay.h"
#include "collector/api/routes.h"
#include "tests/unit/collector/api/world.h"

#define PASSWORD "orange truck seven hill"

/* With the first start's token, under that key; "": none. */
static int ask(const struct world *world, const char *token, const char *method,
               const char *path, const char *key, const char *body, struct answer *answer)
{
    struct buf request = {0};
    buf_format(&request,
               "%s %s HTTP/1.1\r\nHost: box\r\nConnection: close\r\n"
               "Authorization: Bearer %s\r\n",
               method, path, token);
    if (key[0] != '\0')
        buf_format(&request, "Idempotency-Key: %s\r\n", key);
    buf_format(&request, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    world_raw(world, request.data, request.len, answer);
    buf_fini(&request);
    return answer->status;
}

static const char *text_of(const struct answer *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer->json, name));
    return text != NULL ? text : "";
}

static void a_person_is_added_once_under_one_key(void)
{
    static const char body[] =
        "{\"role\":\"admin\",\"login\":\"wang\",\"name\":\"王小明\","
        "\"password\":\"" PASSWORD "\",\"reason\":\"joins us\"}";
    struct world world;
    struct answer first;
    struct answer second;
    world_open(&world);
    world.is_applying = true;
    world_run(&world);
    CHECK(ask(&world, world.token, "POST", "/api/v1/people", "k", body, &first) == 200);
    CHECK(ask(&world, world.token, "POST", "/api/v1/people", "k", body, &second) == 200);
    CHECK_TEXT(second.body, first.body);
    CHECK(strncmp(text_of(&first, "id"), "p-", 2) == 0);
    answer_fini(&second);
    CHECK(ask(&world, world.token, "POST", "/api/v1/people", "other", body, &second) ==
          409);
    CHECK(strstr(answer_detail(&second), "that sign-in name") != NULL);
    answer_fini(&second);
    world_ask(&world, "POST", "/api/v1/login", NULL,
              "{\"login\":\"wang\",\"password\":\"" PASSWORD "\"}", &second);
    CHECK(second.status == 200);
    answer_fini(&second);
    answer_fini(&first);
    world_close(&world);
}

static void the_journal_is_told_of_fields_and_not_of_people(void)
{
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        const char *want; /* in the command; NULL: none is made */
    } rows[] = {
        {"POST", "/api/v1/people",
         "{\"role\":\"admin\",\"login\":\"SECRET\",\"name\":\"SECRET\","
         "\"phone\":\"SECRET\",\"contact\":\"SECRET\","
         "\"password\":\"SECRET and so on\"}",
         NULL}, /* the password holds the sign-in name */
        {"POST", "/api/v1/people",
         "{\"role\":\"admin\",\"login\":\"SECRET\",\"name\":\"SECRET\","
         "\"phone\":\"SECRET\",\"contact\":\"SECRET\",\"password\":\"" PASSWORD "\"}",
         "\"private\":[\"login\",\"name\",\"phone\",\"contact\",\"password\"]"},
        {"PATCH", "/api/v1/people/p-1", "{\"phone\":\"SECRET\"}",
         "\"private\":[\"phone\"]"},
        {"PATCH", "/api/v1/people/p-1", "{\"phnoe\":\"SECRET\"}", NULL},
        {"PATCH", "/api/v1/people/p-1", "{\"role\":\"SECRET\"}", NULL},
        {"PATCH", "/api/v1/people/p-1", "{\"private\":[\"SECRET\"]}", NULL},
        {"DELETE", "/api/v1/people/p-1", "{\"name\":\"SECRET\"}", NULL},
        {"DELETE", "/api/v1/people/p-1", "", "person.erase"},
        {"POST", "/api/v1/tokens",
         "{\"name\":\"SECRET\",\"scopes\":[\"read\"],\"expires\":\"2027-06-01\"}",
         "\"private\":[\"name\",\"hash\"]"},
        {"POST", "/api/v1/commands",
         "{\"verb\":\"person.add\",\"body\":{\"role\":\"admin\",\"name\":\"SECRET\"}}",
         "\"private\":[\"name\"]"},
        {"POST", "/api/v1/commands",
         "{\"verb\":\"person.password\",\"body\":{\"id\":\"p-1\","
         "\"password\":\"SECRET\"}}",
         NULL},
        {"POST", "/api/v1/me/password", "{\"old\":\"SECRET\",\"new\":\"SECRET\"}", NULL},
    };
    struct world world;
    world_open(&world);
    world.is_applying = true;
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        world.command[0] = '\0';
        ask(&world, world.token, rows[i].method, rows[i].path, "", rows[i].body, &answer);
        CHECK_ROW(rows[i].body, strstr(world.command, "SECRET") == NULL);
        CHECK_ROW(rows[i].body, strstr(world.command, "argon2") == NULL);
        CHECK_ROW(rows[i].body, (world.command[0] == '\0') == (rows[i].want == NULL));
        CHECK_ROW(rows[i].body,
                  rows[i].want == NULL || strstr(world.command, rows[i].want) != NULL);
        CHECK_ROW(rows[i].body, rows[i].want != NULL || answer.status >= 400);
        answer_fini(&answer);
    }
    world_close(&world);
}

static void a_token_is_told_again_while_the_process_lives(void)
{
    static const char body[] =
        "{\"name\":\"grafana\",\"scopes\":[\"read\"],\"expires\":\"2027-06-01\"}";
    struct world world;
    struct answer first;
    struct answer second;
    char id[ID_SIZE];
    char path[100];
    world_open(&world);
    world.is_applying = true;
    world_run(&world);
    CHECK(ask(&world, world.token, "POST", "/api/v1/tokens", "k", body, &first) == 200);
    CHECK(ask(&world, world.token, "POST", "/api/v1/tokens", "k", body, &second) == 200);
    CHECK_TEXT(second.body, first.body);
    CHECK(strlen(text_of(&first, "secret")) == 64);
    CHECK_TEXT(text_of(&first, "expires"), "2027-06-01T00:00:00.000Z");
    answer_fini(&second);
    CHECK(ask(&world, text_of(&first, "secret"), "GET", "/api/v1/me", "", "", &second) ==
          200);
    CHECK_TEXT(text_of(&second, "role"), "integrator");
    answer_fini(&second);
    CHECK(ask(&world, world.token, "POST", "/api/v1/tokens", "l", body, &second) == 200);
    CHECK(strcmp(text_of(&second, "secret"), text_of(&first, "secret")) != 0);
    answer_fini(&second);
    snprintf(id, sizeof id, "%s", text_of(&first, "id"));
    snprintf(path, sizeof path, "/api/v1/tokens/%s", id);
    CHECK(ask(&world, world.token, "DELETE", path, "", "", &second) == 200);
    answer_fini(&second);
    CHECK(ask(&world, text_of(&first, "secret"), "GET", "/api/v1/me", "", "", &second) ==
          401);
    answer_fini(&second);
    answer_fini(&first);
    world_close(&world);
}

/* Of the process before: its key is gone, so another secret would be made. */
static void a_token_of_a_process_before_is_not_told(void)
{
    static const char body[] =
        "{\"name\":\"grafana\",\"scopes\":[\"read\"],\"expires\":\"2027-06-01\"}";
    struct world world;
    struct answer answer;
    world_open(&world);
    world.is_applying = true;
    world_run(&world);
    CHECK(ask(&world, world.token, "POST", "/api/v1/tokens", "k", body, &answer) == 200);
    answer_fini(&answer);
    world_halt(&world);
    world_must(state_begin(world.state), "begin");
    world_must(state_write(world.state,
                           "UPDATE token SET hash = 'another' WHERE org = ''"
                           " AND scopes = 'read'",
                           DB_NONE),
               "hash");
    world_must(state_commit(world.state), "commit");
    /* What this process keeps of its answers is forgotten, too. */
    world_set_time(&world, WORLD_T0 + 2 * REPLAY_LIFE_MS);
    world_run(&world);
    CHECK(ask(&world, world.token, "POST", "/api/v1/tokens", "k", body, &answer) == 200);
    CHECK(json_is_null(json_object_get(answer.json, "secret")));
    CHECK(text_of(&answer, "id")[0] == 't');
    answer_fini(&answer);
    world_close(&world);
}

/* Scope registry changes places, and who may what is no place. */
static void a_program_gives_no_rights_away(void)
{
    static const char *const wishes[] = {
        "{\"verb\":\"person.add\",\"body\":{\"role\":\"admin\"}}",
        ("{\"verb\":\"token.make\",\"body\":{\"name\":\"x\",\"scopes\":[\"read\"],"
         "\"expires\":\"2027-06-01\"}}"),
        "{\"verb\":\"grant.make\",\"body\":{\"holder\":\"p\",\"zone\":\"z\"}}",
        "{\"verb\":\"person.erase\",\"body\":{\"id\":\"p-1\"}}",
    };
    struct world world;
    struct answer made;
    world_open(&world);
    world.is_applying = true;
    world_run(&world);
    CHECK(ask(&world, world.token, "POST", "/api/v1/tokens", "",
              "{\"name\":\"erp\",\"scopes\":[\"registry\"],\"expires\":\"2027-06-01\"}",
              &made) == 200);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        struct answer answer;
        CHECK_ROW(wishes[i], ask(&world, text_of(&made, "secret"), "POST",
                                 "/api/v1/commands", "", wishes[i], &answer) == 403);
        answer_fini(&answer);
    }
    answer_fini(&made);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a person is added once under one key", a_person_is_added_once_under_one_key},
        {"the journal is told of fields and not of people",
         the_journal_is_told_of_fields_and_not_of_people},
        {"a token is told again while the process lives",
         a_token_is_told_again_while_the_process_lives},
        {"a token of a process before is not told",
         a_token_of_a_process_before_is_not_told},
        {"a program gives no rights away", a_program_gives_no_rights_away},
        CU_TEST_INFO_NULL,
    };
    return check_run("people", tests);
}
