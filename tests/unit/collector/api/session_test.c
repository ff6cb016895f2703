// SPDX-License-Identifier: Apache-2.0
/* The set-up link, signing in and out, sessions that end, guesses that are slowed down.
 */
#include "collector/api/internal.h"

#include "collector/api/routes.h"
#include "tests/unit/collector/api/world.h"

#define PASSWORD "orange truck seven hill"
#define HOUR_MS  INT64_C(3600000)

static void put_person(struct world *world, const char *id, const char *login,
                       const char *org, const char *role)
{
    char hash[CRYPTO_PASSWORD_SIZE];
    CHECK(crypto_password_hash(hash, PASSWORD));
    const struct state_person person = {.id = id,
                                        .org = org,
                                        .role = role,
                                        .login = login,
                                        .name = "王",
                                        .password = hash,
                                        .created_ms = WORLD_T0};
    world_must(state_begin(world->state), "begin");
    world_must(state_put_person(world->state, &person), "person");
    world_must(state_commit(world->state), "commit");
}

/* `headers` each end with CRLF. */
static int ask(const struct world *world, const char *method, const char *path,
               const char *headers, const char *body, struct answer *answer)
{
    struct buf request = {0};
    buf_format(&request,
               "%s %s HTTP/1.1\r\nHost: box:8480\r\nConnection: close\r\n%s"
               "Content-Length: %zu\r\n\r\n%s",
               method, path, headers, strlen(body), body);
    world_raw(world, request.data, request.len, answer);
    buf_fini(&request);
    return answer->status;
}

static int status(const struct world *world, const char *method, const char *path,
                  const char *headers, const char *body)
{
    struct answer answer;
    int result = ask(world, method, path, headers, body, &answer);
    answer_fini(&answer);
    return result;
}

struct signed_in {
    char cookie[200]; /* as a request's header */
    char word[100];   /* likewise */
};

static int sign_in(const struct world *world, const char *headers, const char *login,
                   const char *password, struct signed_in *session)
{
    struct answer answer;
    char body[300];
    snprintf(body, sizeof body, "{\"login\":\"%s\",\"password\":\"%s\"}", login,
             password);
    int result = ask(world, "POST", "/api/v1/login", headers, body, &answer);
    *session = (struct signed_in){0};
    if (result == 200) {
        char secret[65] = "";
        const char *start = strstr(answer.text.data, "Set-Cookie: coldchain_session=");
        CHECK(start != NULL &&
              sscanf(start, "Set-Cookie: coldchain_session=%64[0-9a-f]", secret) == 1);
        CHECK(answer_has(&answer, "; HttpOnly; SameSite=Strict"));
        snprintf(session->cookie, sizeof session->cookie,
                 "Cookie: coldchain_session=%s\r\n", secret);
        snprintf(session->word, sizeof session->word, "X-CSRF-Token: %s\r\n",
                 json_string_value(json_object_get(answer.json, "csrf")));
    }
    answer_fini(&answer);
    return result;
}

static void who_signs_in_has_a_session_until_he_signs_out(void)
{
    struct world world;
    struct signed_in session;
    struct answer answer;
    char both[400];
    world_open(&world);
    put_person(&world, "p-1", "wang", "", "admin");
    world_run(&world);
    CHECK(sign_in(&world, "", "wang", "wrong password", &session) == 401);
    CHECK(sign_in(&world, "", "nobody", PASSWORD, &session) == 401);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 200);
    CHECK(ask(&world, "GET", "/api/v1/me", session.cookie, "", &answer) == 200);
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "id")), "p-1");
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "kind")), "person");
    answer_fini(&answer);
    CHECK(status(&world, "POST", "/api/v1/logout", session.cookie, "") == 403);
    CHECK(status(&world, "GET", "/api/v1/me", session.cookie, "") == 200);
    snprintf(both, sizeof both, "%s%s", session.cookie, session.word);
    CHECK(status(&world, "POST", "/api/v1/logout", both, "") == 200);
    CHECK(status(&world, "GET", "/api/v1/me", session.cookie, "") == 401);
    world_close(&world);
}

static void a_change_must_come_from_us(void)
{
    static const struct {
        const char *name;
        const char *headers;
        bool has_word;
        int want; /* the change itself is not understood: 404, no such incident */
    } rows[] = {
        {"with the word", "", true, 200},
        {"without it", "", false, 403},
        {"with a wrong one", "X-CSRF-Token: 0123\r\n", false, 403},
        {"from our page", "Origin: http://box:8480\r\n", true, 200},
        {"from another page", "Origin: http://evil.example\r\n", true, 403},
        {"from a page that begins like ours", "Origin: http://box:8480.evil\r\n", true,
         403},
        {"from nowhere", "Origin: null\r\n", true, 403},
        {"from two", "Origin: http://box:8480\r\nOrigin: http://evil\r\n", true, 400},
    };
    struct world world;
    struct signed_in session;
    world_open(&world);
    put_person(&world, "p-1", "wang", "", "admin");
    world_run(&world);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 200);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char headers[600];
        snprintf(headers, sizeof headers, "%s%s%s", session.cookie, rows[i].headers,
                 rows[i].has_word ? session.word : "");
        CHECK_ROW(rows[i].name, status(&world, "POST", "/api/v1/incidents/x/acknowledge",
                                       headers, "") == rows[i].want);
    }
    /* A page elsewhere cannot sign somebody in either; a token needs no word. */
    CHECK(sign_in(&world, "Origin: http://evil.example\r\n", "wang", PASSWORD,
                  &session) == 403);
    char token[200];
    snprintf(token, sizeof token, "Authorization: Bearer %s\r\n", world.token);
    CHECK(status(&world, "POST", "/api/v1/incidents/x/acknowledge", token, "") == 200);
    world_close(&world);
}

/* A program that keeps it for its person, such as coldchainctl. */
static void a_session_may_be_a_bearer_and_needs_no_word_then(void)
{
    struct world world;
    struct answer answer;
    char bearer[200];
    world_open(&world);
    put_person(&world, "p-1", "wang", "", "admin");
    world_run(&world);
    CHECK(ask(&world, "POST", "/api/v1/login", "",
              "{\"login\":\"wang\",\"password\":\"" PASSWORD "\",\"token\":true}",
              &answer) == 200);
    CHECK(!answer_has(&answer, "Set-Cookie"));
    CHECK(json_object_get(answer.json, "csrf") == NULL);
    snprintf(bearer, sizeof bearer, "Authorization: Bearer %s\r\n",
             json_string_value(json_object_get(answer.json, "token")));
    answer_fini(&answer);
    CHECK(ask(&world, "GET", "/api/v1/me", bearer, "", &answer) == 200);
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "id")), "p-1");
    answer_fini(&answer);
    CHECK(status(&world, "POST", "/api/v1/incidents/x/acknowledge", bearer, "") == 200);
    world_set_time(&world, WORLD_T0 + 13 * HOUR_MS);
    CHECK(status(&world, "GET", "/api/v1/me", bearer, "") == 401);
    world_set_time(&world, WORLD_T0);
    CHECK(status(&world, "POST", "/api/v1/logout", bearer, "") == 200);
    CHECK(status(&world, "GET", "/api/v1/me", bearer, "") == 401);
    world_close(&world);
}

static void sessions_end_when_idle_and_in_the_end(void)
{
    struct world world;
    struct signed_in session;
    world_open(&world);
    put_person(&world, "p-1", "wang", "", "admin");
    world_run(&world);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 200);
    int64_t now = WORLD_T0;
    /* Used every 11 hours it lives 7 days and no longer. */
    int hours = 0;
    while (status(&world, "GET", "/api/v1/me", session.cookie, "") == 200 &&
           hours < 400) {
        hours += 11;
        now += 11 * HOUR_MS;
        world_set_time(&world, now);
    }
    CHECK(hours == 176); /* the first multiple of 11 at or behind 168 */
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 200);
    world_set_time(&world, now + 13 * HOUR_MS);
    CHECK(status(&world, "GET", "/api/v1/me", session.cookie, "") == 401);
    world_close(&world);
}

static void signing_in_again_ends_the_session_that_came_along(void)
{
    struct world world;
    struct signed_in first;
    struct signed_in second;
    world_open(&world);
    put_person(&world, "p-1", "wang", "", "admin");
    world_run(&world);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &first) == 200);
    CHECK(sign_in(&world, first.cookie, "wang", PASSWORD, &second) == 200);
    CHECK(strcmp(first.cookie, second.cookie) != 0);
    CHECK(status(&world, "GET", "/api/v1/me", first.cookie, "") == 401);
    CHECK(status(&world, "GET", "/api/v1/me", second.cookie, "") == 200);
    world_close(&world);
}

static void guessing_is_slowed_down_and_says_for_how_long(void)
{
    struct world world;
    struct signed_in session;
    struct answer answer;
    world_open(&world);
    put_person(&world, "p-1", "wang", "", "admin");
    world_run(&world);
    for (int i = 0; i < 5; i++)
        CHECK(sign_in(&world, "", "wang", "wrong password", &session) == 401);
    CHECK(ask(&world, "POST", "/api/v1/login", "",
              "{\"login\":\"wang\",\"password\":\"" PASSWORD "\"}", &answer) == 429);
    CHECK(answer_has(&answer, "Retry-After: 1\r\n"));
    answer_fini(&answer);
    CHECK(sign_in(&world, "", "li", "wrong password", &session) == 401);
    world_set_time(&world, WORLD_T0 + 61000);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 200);
    world_close(&world);
}

static void a_session_dies_with_what_it_stands_on(void)
{
    struct world world;
    struct signed_in session;
    world_open(&world);
    put_person(&world, "p-1", "wang", "", "admin");
    world_run(&world);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 200);
    world_halt(&world);
    world_must(state_begin(world.state), "begin");
    world_must(state_erase_person(world.state, "p-1", WORLD_T0 + 1), "erase");
    world_must(state_commit(world.state), "commit");
    world_run(&world);
    CHECK(status(&world, "GET", "/api/v1/me", session.cookie, "") == 401);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 401);
    world_close(&world);
}

#define FORM_TYPE "Content-Type: application/x-www-form-urlencoded\r\n"

static void the_link_makes_the_first_admin_once(void)
{
    struct world world;
    struct signed_in session;
    struct answer answer;
    world_open(&world);
    world.is_applying = true;
    world_add_role(&world, "link", "setup", WORLD_T0 + HOUR_MS);
    world_run(&world);
    CHECK(ask(&world, "GET", "/setup/link", "", "", &answer) == 200);
    CHECK(answer_has(&answer, "text/html; charset=utf-8"));
    CHECK(answer_has(&answer, "default-src 'none'"));
    CHECK(answer_has(&answer, "style-src 'nonce-"));
    CHECK(answer_has(&answer, "X-Frame-Options: DENY"));
    CHECK(strstr(answer.body, "width=device-width") != NULL);
    CHECK(strstr(answer.body, "<script") == NULL && strstr(answer.body, "http") == NULL);
    answer_fini(&answer);
    /* The link is no token, and a token is no link. */
    CHECK(status(&world, "GET", "/api/v1/me", "Authorization: Bearer link\r\n", "") ==
          401);
    CHECK(status(&world, "GET", "/setup/wrong", "", "") == 404);
    CHECK(status(&world, "POST", "/setup/wrong", "", "{}") == 404);
    /* What was typed stands there again, harmless; the password does not. */
    CHECK(ask(&world, "POST", "/setup/link", FORM_TYPE,
              "login=%22%3E%3Cb%3Ewang&name=%E7%8E%8B&password=short&again=short",
              &answer) == 422);
    CHECK(strstr(answer.body, "value=\"&#34;&#62;&#60;b&#62;wang\"") != NULL);
    CHECK(strstr(answer.body, "value=\"王\"") != NULL);
    CHECK(strstr(answer.body, "short\"") == NULL);
    CHECK(strstr(answer.body, "密码不合要求") != NULL &&
          strstr(answer.body, "too short") != NULL);
    answer_fini(&answer);
    CHECK(status(&world, "POST", "/setup/link", FORM_TYPE,
                 "login=wang&password=orange+truck+seven&again=orange+truck+eight") ==
          422);
    CHECK(status(&world, "POST", "/setup/link", FORM_TYPE, "login=%zz") == 400);
    CHECK(status(&world, "POST", "/setup/link", FORM_TYPE "Origin: http://evil\r\n",
                 "login=wang&password=orange+truck+seven+hill") == 403);
    CHECK(status(&world, "POST", "/setup/link", FORM_TYPE,
                 "login=wang&name=%E7%8E%8B&password=orange+truck+seven+hill&again="
                 "orange+truck+seven+hill") == 200);
    CHECK(status(&world, "POST", "/setup/link", "",
                 "{\"login\":\"li\",\"password\":\"" PASSWORD "\"}") == 404);
    CHECK(status(&world, "GET", "/setup/link", "", "") == 404);
    CHECK(sign_in(&world, "", "wang", PASSWORD, &session) == 200);
    CHECK(sign_in(&world, "", "li", PASSWORD, &session) == 401);
    world_close(&world);
}

static void the_link_expires(void)
{
    struct world world;
    world_open(&world);
    world_add_role(&world, "link", "setup", WORLD_T0 + HOUR_MS);
    world_run(&world);
    world_set_time(&world, WORLD_T0 + HOUR_MS);
    CHECK(status(&world, "GET", "/setup/link", "", "") == 404);
    CHECK(status(&world, "POST", "/setup/link", "",
                 "{\"login\":\"li\",\"password\":\"" PASSWORD "\"}") == 404);
    world_close(&world);
}

static void every_answer_is_shielded(void)
{
    static const char *const paths[] = {"/healthz", "/api/v1/me", "/nothing", "/setup/x"};
    static const char *const headers[] = {
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "Referrer-Policy: no-referrer",
        "Cross-Origin-Resource-Policy: same-origin",
    };
    struct world world;
    world_open(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct answer answer;
        ask(&world, "GET", paths[i], "", "", &answer);
        for (size_t k = 0; k < sizeof headers / sizeof headers[0]; k++)
            CHECK_ROW(paths[i], answer_has(&answer, headers[k]));
        answer_fini(&answer);
    }
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"who signs in has a session until he signs out",
         who_signs_in_has_a_session_until_he_signs_out},
        {"a change must come from us", a_change_must_come_from_us},
        {"a session may be a bearer and needs no word then",
         a_session_may_be_a_bearer_and_needs_no_word_then},
        {"sessions end when idle and in the end", sessions_end_when_idle_and_in_the_end},
        {"signing in again ends the session that came along",
         signing_in_again_ends_the_session_that_came_along},
        {"guessing is slowed down and says for how long",
         guessing_is_slowed_down_and_says_for_how_long},
        {"a session dies with what it stands on", a_session_dies_with_what_it_stands_on},
        {"the link makes the first admin once", the_link_makes_the_first_admin_once},
        {"the link expires", the_link_expires},
        {"every answer is shielded", every_answer_is_shielded},
        CU_TEST_INFO_NULL,
    };
    return check_run("session", tests);
}
