// SPDX-License-Identifier: Apache-2.0
/*
 * Commands about people against a real state.db: what they do, what the audit says of it,
 * what a crash between the two halves of one leaves, and what is left of who was erased.
 */
#include <string.h>

#include "base/file.h"
#include "collector/command/change.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_people.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define NOW INT64_C(1790000000000)

struct house {
    struct folder folder;
    struct state *state;
    uint64_t position;
};

static void house_enter(struct house *house)
{
    struct err_text why = {0};
    if (state_open(&house->state, folder_file(&house->folder, "state.db"), &why) ==
        ERR_OK)
        return;
    printf("%s\n", why.text);
    exit(EXIT_FAILURE);
}

static void house_open(struct house *house)
{
    *house = (struct house){.position = 0};
    folder_make(&house->folder);
    house_enter(house);
}

static void house_close(struct house *house)
{
    state_close(house->state);
    folder_remove(&house->folder);
}

/* Whoever was there is gone, and comes back. */
static void house_crash(struct house *house)
{
    state_close(house->state);
    house_enter(house);
}

struct asked {
    const char *org; /* of who asks */
    const char *id;  /* of the command */
    const char *verb;
    const char *body;
    int64_t if_version;
};

/* The first half; the body that the record is to have. */
static json_t *stage(struct house *house, const struct asked *asked)
{
    const struct verb *verb = verb_find(asked->verb);
    json_t *body = json_loads(asked->body, 0, NULL);
    CHECK_ROW(asked->body, body != NULL && verb != NULL);
    json_t *hidden = verb_hide(verb, body);
    if (hidden == NULL)
        return body;
    char *text = json_dumps(hidden, JSON_COMPACT);
    CHECK(state_begin(house->state) == ERR_OK);
    CHECK(state_stage_private(house->state, asked->id, NOW, text, strlen(text)) ==
          ERR_OK);
    CHECK(state_commit(house->state) == ERR_OK);
    free(text);
    json_decref(hidden);
    return body;
}

/* The second half. */
static enum err apply(struct house *house, const struct asked *asked, json_t *body,
                      struct outcome *outcome)
{
    const struct command command = {.id = asked->id,
                                    .verb = asked->verb,
                                    .actor = "root",
                                    .org = asked->org,
                                    .reason = "so",
                                    .if_version = asked->if_version,
                                    .body = body};
    CHECK(state_begin(house->state) == ERR_OK);
    CHECK_ROW(asked->body, command_apply(house->state, &command, ++house->position, NOW,
                                         outcome) == ERR_OK);
    CHECK(state_commit(house->state) == ERR_OK);
    json_decref(body);
    return outcome->err;
}

/* The new id in `made`, which may be NULL. */
static enum err run(struct house *house, const struct asked *asked, char made[ID_SIZE],
                    struct err_text *why)
{
    struct outcome outcome = {.err = ERR_OK};
    json_t *body = stage(house, asked);
    enum err err = apply(house, asked, body, &outcome);
    json_t *result = json_loads(outcome.result, 0, NULL);
    const char *id = json_string_value(json_object_get(result, "id"));
    if (made != NULL)
        snprintf(made, ID_SIZE, "%.64s", id != NULL ? id : "");
    if (why != NULL)
        *why = outcome.why;
    json_decref(result);
    outcome_fini(&outcome);
    return err;
}

static void on_count(void *context, const struct state_person *person)
{
    (void)person;
    ++*(size_t *)context;
}

static size_t people(struct house *house)
{
    size_t count = 0;
    CHECK(state_page_people(house->state, NULL, "", 0, &count, on_count) == ERR_OK);
    return count;
}

static bool is_staged(struct house *house, const char *command)
{
    struct buf data = {0};
    CHECK(state_begin(house->state) == ERR_OK);
    enum err err = state_take_private(house->state, command, &data);
    state_rollback(house->state);
    buf_fini(&data);
    return err == ERR_OK;
}

static void on_audit(void *context, const struct state_audit *row)
{
    buf_format(context, "%s %s %s %s %s %s %s\n", row->verb, row->actor, row->reason,
               row->body, row->detail, row->result, row->changes);
}

static void audit_text(struct house *house, struct buf *text)
{
    CHECK(state_page_audit(house->state, 0, 0, text, on_audit) == ERR_OK);
    buf_text(text, "");
}

static void on_person(void *context, const struct state_person *person)
{
    buf_format(context, "%s/%s/%s/%s/%s/%s/%s/%lld", person->org, person->role,
               person->sites, person->login, person->name, person->phone,
               person->password, (long long)person->version);
}

static void check_person(struct house *house, const char *id, const char *want)
{
    struct buf text = {0};
    CHECK(state_get_person(house->state, id, &text, on_person) == ERR_OK);
    CHECK_TEXT(text.data != NULL ? text.data : "", want);
    buf_fini(&text);
}

static void the_audit_knows_who_changed_and_nothing_of_them(void)
{
    static const char *const secrets[] = {"wangxiaoming", "王小明", "13912345678",
                                          "argon", "13987654321"};
    struct house house;
    struct buf audit = {0};
    char id[ID_SIZE];
    house_open(&house);
    const struct asked add = {"", "c1", "person.add",
                              "{\"org\":\"o\",\"role\":\"operator\",\"sites\":[\"s\"],"
                              "\"login\":\"wangxiaoming\",\"name\":\"王小明\","
                              "\"phone\":\"13912345678\",\"password\":\"$argon\"}",
                              COMMAND_ANY};
    CHECK(run(&house, &add, id, NULL) == ERR_OK);
    check_person(&house, id, "o/operator/s/wangxiaoming/王小明/13912345678/$argon/1");
    char body[200];
    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"phone\":\"13987654321\",\"sites\":null}", id);
    const struct asked change = {"o", "c2", "person.change", body, 1};
    CHECK(run(&house, &change, NULL, NULL) == ERR_OK);
    check_person(&house, id, "o/operator//wangxiaoming/王小明/13987654321/$argon/2");
    audit_text(&house, &audit);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        CHECK_ROW(secrets[i], strstr(audit.data, secrets[i]) == NULL);
    CHECK(strstr(audit.data, "\"private\":[\"login\",\"name\",\"phone\",\"password\"]") !=
          NULL);
    CHECK(strstr(audit.data, "\"private\":[\"phone\"]") != NULL);
    CHECK(strstr(audit.data, "\"old\":{\"org\":\"o\",\"role\":\"operator\",\"sites\":"
                             "\"s\"}") != NULL);
    buf_fini(&audit);
    house_close(&house);
}

/* Each against p-1 of organisation o and nobody else. */
static void what_is_wrong_is_refused_with_a_sentence(void)
{
    static const struct {
        struct asked asked;
        enum err want;
        const char *says;
    } rows[] = {
        {{"o", "a1", "person.add", "{\"org\":\"p\",\"role\":\"admin\"}", -1},
         ERR_NOT_FOUND,
         "there is no organisation 'p'"},
        {{"o", "a2", "person.add", "{\"org\":null,\"role\":\"admin\"}", -1},
         ERR_NOT_FOUND,
         "there is no organisation"},
        {{"o", "a3", "person.add", "{\"role\":\"viewer\"}", -1}, ERR_OK, ""},
        {{"", "a4", "person.add", "{\"role\":\"viewer\"}", -1},
         ERR_INVALID,
         "a viewer belongs to an organisation"},
        {{"", "a5", "person.add", "{\"role\":\"boss\"}", -1},
         ERR_INVALID,
         "not one of: admin, operator, viewer"},
        {{"", "a6", "person.add", "{\"role\":\"admin\",\"sites\":[\"s\"]}", -1},
         ERR_INVALID,
         "only an operator"},
        {{"", "a7", "person.add", "{\"role\":\"admin\",\"login\":\"a b\"}", -1},
         ERR_INVALID,
         "holds no spaces"},
        {{"", "a8", "person.add", "{\"role\":\"admin\",\"login\":\"wang\"}", -1},
         ERR_EXISTS,
         "somebody has that sign-in name"},
        {{"p", "b1", "person.change", "{\"id\":\"p-1\"}", -1},
         ERR_NOT_FOUND,
         "there is no person 'p-1'"},
        {{"o", "b2", "person.change", "{\"id\":\"p-1\",\"org\":\"p\"}", -1},
         ERR_NOT_FOUND,
         "there is no organisation 'p'"},
        {{"o", "b3", "person.change", "{\"id\":\"p-1\"}", 7},
         ERR_CONFLICT,
         "is of version 1, not 7"},
        {{"", "b4", "person.change", "{\"id\":\"p-2\"}", -1}, ERR_NOT_FOUND, "'p-2'"},
        {{"", "c1", "person.erase", "{\"id\":\"p-2\"}", -1}, ERR_NOT_FOUND, "'p-2'"},
        {{"p", "c2", "person.erase", "{\"id\":\"p-1\"}", -1}, ERR_NOT_FOUND, "'p-1'"},
        {{"", "d1", "person.first",
          "{\"link\":\"t-1\",\"login\":\"x\",\"password\":"
          "\"y\"}",
          -1},
         ERR_NOT_FOUND,
         "the link was used"},
        {{"o", "e1", "grant.make", "{\"holder\":\"p\",\"zone\":\"z\"}", -1},
         ERR_NOT_FOUND,
         "there is no zone 'z'"},
        {{"o", "e2", "grant.end", "{\"id\":\"g-1\"}", -1}, ERR_NOT_FOUND, "'g-1'"},
        {{"o", "f1", "token.revoke", "{\"id\":\"t-1\"}", -1}, ERR_NOT_FOUND, "'t-1'"},
        {{"o", "f2", "token.make",
          "{\"name\":\"x\",\"hash\":\"h\",\"scopes\":[\"read\"],\"expires\":1}", -1},
         ERR_INVALID,
         "a time in the coming year"},
        {{"o", "f3", "token.make",
          "{\"name\":\"x\",\"hash\":\"h\",\"expires\":1790000001000}", -1},
         ERR_INVALID,
         "has 'scopes'"},
        {{"o", "f4", "token.make",
          "{\"name\":\"x\",\"hash\":\"h\",\"scopes\":[\"all\"],\"expires\":1}", -1},
         ERR_INVALID,
         "not a list of some of: read, incidents"},
        {{"o", "f5", "token.make",
          "{\"name\":\"x\",\"hash\":\"h\",\"role\":\"share\",\"expires\":1790000001000}",
          -1},
         ERR_INVALID,
         "has 'grants'"},
        {{"o", "f6", "token.make",
          "{\"name\":\"x\",\"hash\":\"h\",\"scopes\":[\"read\"],\"expires\":"
          "1790000001000,\"org\":\"p\"}",
          -1},
         ERR_NOT_FOUND,
         "there is no organisation 'p'"},
    };
    struct house house;
    house_open(&house);
    const struct state_person wang = {.id = "p-1",
                                      .org = "o",
                                      .role = "operator",
                                      .login = "wang",
                                      .created_ms = NOW,
                                      .version = 1};
    CHECK(state_begin(house.state) == ERR_OK);
    CHECK(state_put_person(house.state, &wang) == ERR_OK);
    CHECK(state_commit(house.state) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why = {0};
        CHECK_ROW(rows[i].asked.id,
                  run(&house, &rows[i].asked, NULL, &why) == rows[i].want);
        CHECK_ROW(rows[i].says, strstr(why.text, rows[i].says) != NULL);
        CHECK_ROW(rows[i].asked.id, !is_staged(&house, rows[i].asked.id));
    }
    CHECK(people(&house) == 2);
    check_person(&house, "p-1", "o/operator//wang////1");
    house_close(&house);
}

static const struct asked adding = {
    "", "k1", "person.add", "{\"role\":\"admin\",\"login\":\"wang\",\"name\":\"王\"}",
    COMMAND_ANY};

/* Of a command in two halves a crash leaves both or none. */
static void a_crash_between_the_halves_leaves_neither(void)
{
    struct house house;
    struct outcome outcome = {.err = ERR_OK};
    house_open(&house);
    /* What is about the person is kept, its command never came into the journal. */
    json_t *body = stage(&house, &adding);
    house_crash(&house);
    CHECK(people(&house) == 0);
    CHECK(is_staged(&house, "k1"));
    CHECK(state_begin(house.state) == ERR_OK);
    CHECK(state_drop_private(house.state, NOW + 1) == ERR_OK);
    CHECK(state_commit(house.state) == ERR_OK);
    CHECK(!is_staged(&house, "k1"));
    /* The command comes, and what was about the person is lost. */
    CHECK(apply(&house, &adding, body, &outcome) == ERR_NOT_FOUND);
    CHECK(strstr(outcome.why.text, "ask again") != NULL);
    CHECK(people(&house) == 0);
    outcome_fini(&outcome);
    house_close(&house);
}

static void a_crash_before_the_commit_is_as_if_it_had_not_come(void)
{
    struct house house;
    struct outcome outcome = {.err = ERR_OK};
    house_open(&house);
    json_t *body = stage(&house, &adding);
    const struct command command = {.id = adding.id,
                                    .verb = adding.verb,
                                    .actor = "root",
                                    .org = "",
                                    .reason = "so",
                                    .if_version = COMMAND_ANY,
                                    .body = body};
    CHECK(state_begin(house.state) == ERR_OK);
    CHECK(command_apply(house.state, &command, 1, NOW, &outcome) == ERR_OK);
    outcome_fini(&outcome);
    house_crash(&house); /* and the record is read again */
    CHECK(people(&house) == 0);
    CHECK(apply(&house, &adding, body, &outcome) == ERR_OK);
    CHECK(people(&house) == 1);
    CHECK(!is_staged(&house, "k1"));
    outcome_fini(&outcome);
    house_close(&house);
}

static void the_same_command_twice_is_one_person_and_leaves_nothing_staged(void)
{
    struct house house;
    char first[ID_SIZE];
    char second[ID_SIZE];
    house_open(&house);
    CHECK(run(&house, &adding, first, NULL) == ERR_OK);
    CHECK(run(&house, &adding, second, NULL) == ERR_OK);
    CHECK_TEXT(second, first);
    CHECK(people(&house) == 1);
    CHECK(!is_staged(&house, "k1"));
    struct asked other = adding;
    other.body = "{\"role\":\"operator\",\"login\":\"wang\",\"name\":\"王\"}";
    CHECK(run(&house, &other, NULL, NULL) == ERR_INVALID);
    CHECK(!is_staged(&house, "k1"));
    house_close(&house);
}

static void tokens_and_grants_end_once(void)
{
    struct house house;
    struct err_text why;
    char id[ID_SIZE];
    char body[200];
    house_open(&house);
    static const struct asked furniture[] = {
        {"", "1", "org.put", "{\"id\":\"o\"}", COMMAND_ANY},
        {"", "2", "site.put", "{\"id\":\"s\",\"org\":\"o\"}", COMMAND_ANY},
        {"", "3", "zone.put", "{\"id\":\"z\",\"site\":\"s\"}", COMMAND_ANY},
    };
    for (size_t i = 0; i < sizeof furniture / sizeof furniture[0]; i++)
        CHECK(run(&house, &furniture[i], NULL, NULL) == ERR_OK);
    const struct asked link = {
        "o", "4", "token.make",
        "{\"name\":\"buyer\",\"hash\":\"h\",\"role\":\"share\",\"expires\":1790000001000,"
        "\"grants\":[{\"zone\":\"z\",\"to\":1790000001000}]}",
        COMMAND_ANY};
    CHECK(run(&house, &link, id, NULL) == ERR_OK);
    CHECK(strncmp(id, "t-", 2) == 0);
    snprintf(body, sizeof body, "{\"id\":\"%s\"}", id);
    const struct asked theirs = {"p", "5", "token.revoke", body, COMMAND_ANY};
    const struct asked ours = {"o", "6", "token.revoke", body, COMMAND_ANY};
    const struct asked again = {"o", "7", "token.revoke", body, COMMAND_ANY};
    CHECK(run(&house, &theirs, NULL, &why) == ERR_NOT_FOUND);
    CHECK(run(&house, &ours, NULL, &why) == ERR_OK);
    CHECK(run(&house, &again, NULL, &why) == ERR_NOT_FOUND);
    CHECK(strstr(why.text, "that counts") != NULL);
    const struct asked grant = {"o", "8", "grant.make",
                                "{\"holder\":\"p\",\"zone\":\"z\",\"cause\":\"leg 7\"}",
                                COMMAND_ANY};
    CHECK(run(&house, &grant, id, NULL) == ERR_OK);
    snprintf(body, sizeof body, "{\"id\":\"%s\"}", id);
    const struct asked not_theirs = {"p", "9", "grant.end", body, COMMAND_ANY};
    const struct asked ends = {"o", "10", "grant.end", body, COMMAND_ANY};
    const struct asked ended = {"o", "11", "grant.end", body, COMMAND_ANY};
    CHECK(run(&house, &not_theirs, NULL, &why) == ERR_NOT_FOUND);
    CHECK(run(&house, &ends, NULL, &why) == ERR_OK);
    CHECK(run(&house, &ended, NULL, &why) == ERR_NOT_FOUND);
    house_close(&house);
}

/* ---- erased ---------------------------------------------------------------------------
 */

struct search {
    struct folder *folder;
    const char *text;
    size_t found;
};

static void search_file(void *context, const char *name)
{
    struct search *search = context;
    struct buf bytes = {0};
    struct err_text why;
    if (strstr(name, "-shm") != NULL) /* an index of the log; no rows */
        return;
    CHECK(file_read(&bytes, folder_file(search->folder, name), 64 << 20, &why) == ERR_OK);
    for (const char *at = bytes.data;
         bytes.data != NULL && (at = memmem(at, bytes.len - (size_t)(at - bytes.data),
                                            search->text, strlen(search->text))) != NULL;
         at++)
        search->found++;
    buf_fini(&bytes);
}

static size_t found(struct house *house, const char *text)
{
    struct search search = {.folder = &house->folder, .text = text};
    folder_each(&house->folder, &search, search_file);
    return search.found;
}

#define PEOPLE 2000

/* In an order that is not the ids', and of many lengths, so that rows move. */
static void put_people(struct house *house, size_t most)
{
    CHECK(state_begin(house->state) == ERR_OK);
    for (size_t i = 0; i < PEOPLE; i++) {
        char id[ID_SIZE];
        char name[64];
        char contact[201];
        size_t who = i * 1237 % PEOPLE;
        snprintf(id, sizeof id, "p-%04zu", who);
        snprintf(name, sizeof name, "王-%04zu", who);
        memset(contact, 'x', sizeof contact);
        contact[who * 7919 % most] = '\0';
        const struct state_person person = {
            .id = id, .role = "admin", .name = name, .contact = contact, .version = 1};
        CHECK(state_put_person(house->state, &person) == ERR_OK);
    }
    CHECK(state_commit(house->state) == ERR_OK);
    CHECK(state_forget(house->state) == ERR_OK);
}

/*
 * SQLite leaves copies behind of rows that move to another page, and deleting the row
 * does not reach them. The test looks for people of whom there are copies, and erases
 * those.
 */
static void who_is_erased_is_in_no_file_any_more(void)
{
    struct house house;
    size_t copied = 0;
    house_open(&house);
    for (size_t most = 10; most <= 200; most += 95)
        put_people(&house, most);
    for (size_t who = 0; who < PEOPLE && copied == 0; who++) {
        char name[32];
        char body[64];
        char command[32];
        snprintf(name, sizeof name, "王-%04zu", who);
        if (found(&house, name) < 2)
            continue;
        copied++;
        snprintf(command, sizeof command, "e%zu", who);
        snprintf(body, sizeof body, "{\"id\":\"p-%04zu\"}", who);
        const struct asked erase = {"", command, "person.erase", body, COMMAND_ANY};
        CHECK(run(&house, &erase, NULL, NULL) == ERR_OK);
        CHECK(found(&house, name) > 0); /* the log has it still */
        CHECK(state_forget(house.state) == ERR_OK);
        CHECK_ROW(name, found(&house, name) == 0);
    }
    CHECK(copied > 0);
    CHECK(people(&house) == STATE_PAGE_MAX);
    house_close(&house);
}

int main(void)
{
    crypto_init();
    CU_TestInfo tests[] = {
        {"the audit knows who changed and nothing of them",
         the_audit_knows_who_changed_and_nothing_of_them},
        {"what is wrong is refused with a sentence",
         what_is_wrong_is_refused_with_a_sentence},
        {"a crash between the halves leaves neither",
         a_crash_between_the_halves_leaves_neither},
        {"a crash before the commit is as if it had not come",
         a_crash_before_the_commit_is_as_if_it_had_not_come},
        {"the same command twice is one person and leaves nothing staged",
         the_same_command_twice_is_one_person_and_leaves_nothing_staged},
        {"tokens and grants end once", tokens_and_grants_end_once},
        {"who is erased is in no file any more", who_is_erased_is_in_no_file_any_more},
        CU_TEST_INFO_NULL,
    };
    return check_run("people", tests);
}
