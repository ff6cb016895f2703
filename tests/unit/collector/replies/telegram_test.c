// SPDX-License-Identifier: Apache-2.0
/* Buttons and texts in Telegram acknowledge; trouble with it ends nothing. */
#include "collector/replies/telegram.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"
#include "collector/command/command.h"
#include "collector/metrics.h"
#include "tests/support/folder.h"
#include "tests/support/until.h"
#include "tests/unit/collector/replies/bot.h"
#include "tests/unit/collector/replies/office.h"

#define T0       INT64_C(1790000000000)
#define BOUND_MS 20000

struct chat {
    struct folder folder;
    struct clock clock;
    struct loop *loop;
    struct state *state;
    struct office office;
    struct bot bot;
    struct telegram *telegram;
    char token[REPLY_TOKEN_SIZE]; /* of the first incident's button */
    /* what the pipeline is asked, and says */
    char command[1000];
    char id[60]; /* of the last one */
    size_t commands;
    enum err says;
    size_t want; /* of calls or polls, to wait for */
};

static enum err submit(void *context, const char *json, size_t len)
{
    struct chat *chat = context;
    struct command command;
    struct err_text why;
    snprintf(chat->command, sizeof chat->command, "%.*s", (int)len, json);
    CHECK(command_parse(&command, json, len, &why) == ERR_OK);
    snprintf(chat->id, sizeof chat->id, "%s", command.id);
    chat->commands++;
    telegram_command_done(chat->telegram, "another's", ERR_IO);
    telegram_command_done(chat->telegram, command.id, chat->says);
    command_fini(&command);
    return ERR_OK;
}

static void chat_start(struct chat *chat)
{
    const struct config_channel *const channels[] = {&chat->office.bot};
    char *path = strdup(folder_file(&chat->folder, "state.db"));
    const struct telegram_options options = {.channels = channels,
                                             .channel_count = 1,
                                             .desk = chat->office.desk,
                                             .state_path = path,
                                             .data_dir = chat->folder.path,
                                             .clock = &chat->clock,
                                             .loop = chat->loop,
                                             .poll_s = 1,
                                             .pause_ms = 5,
                                             .context = chat,
                                             .submit = submit};
    chat->telegram = telegram_create(&options);
    free(path);
}

static void chat_open(struct chat *chat)
{
    static char token[] = BOT_TOKEN;
    struct err_text why;
    *chat = (struct chat){.says = ERR_OK};
    crypto_init();
    folder_make(&chat->folder);
    clock_init_virtual(&chat->clock, T0, clock_real_ms(), 1);
    chat->loop = loop_create();
    CHECK(state_open(&chat->state, folder_file(&chat->folder, "state.db"), &why) ==
          ERR_OK);
    office_open(&chat->office);
    office_fill(chat->state, T0);
    bot_open(&chat->bot);
    chat->office.bot.url = chat->bot.url;
    chat->office.bot.token = token;
    const struct reply_token claim = {.incident = OFFICE_FIRST,
                                      .until_s = T0 / 1000 + 3600};
    CHECK(reply_token_format(chat->token, &claim, office_key, "bot"));
}

static void chat_close(struct chat *chat)
{
    telegram_stop(chat->telegram);
    loop_destroy(chat->loop);
    telegram_destroy(chat->telegram);
    CHECK_TEXT(chat->bot.complaint, "");
    bot_close(&chat->bot);
    office_close(&chat->office);
    state_close(chat->state);
    folder_remove(&chat->folder);
}

static bool has_calls(void *context)
{
    struct chat *chat = context;
    return bot_calls(&chat->bot) >= chat->want;
}

static void await_calls(struct chat *chat, size_t count)
{
    chat->want = count;
    CHECK(until_true(chat->loop, has_calls, chat, BOUND_MS));
}

static bool has_offset(void *context)
{
    struct chat *chat = context;
    return bot_offset(&chat->bot) >= (int64_t)chat->want;
}

/* Until Telegram was told that all updates below it are done with. */
static void await_offset(struct chat *chat, size_t offset)
{
    chat->want = offset;
    CHECK(until_true(chat->loop, has_offset, chat, BOUND_MS));
}

static json_t *message_of(int id, const char *chat, const char *text, const char *data)
{
    return json_pack("{s:i, s:{s:i, s:b}, s:{s:I}, s:s*, s:{s:[[{s:s, s:s*}]]}}",
                     "message_id", id, "from", "id", 123, "is_bot", 1, "chat", "id",
                     (json_int_t)atoll(chat), "text", text, "reply_markup",
                     "inline_keyboard", "text", "I take it", "callback_data", data);
}

static json_t *button(int update, int user, const char *chat, const char *data)
{
    return json_pack("{s:i, s:{s:s, s:{s:i, s:b}, s:o, s:s}}", "update_id", update,
                     "callback_query", "id", "q-1", "from", "id", user, "is_bot", 0,
                     "message", message_of(77, chat, "room 1 is warm", data), "data",
                     data);
}

/* `data` NULL: it answers nothing. */
static json_t *text(int update, int user, const char *chat, const char *said,
                    const char *data)
{
    json_t *message = json_pack("{s:i, s:{s:i, s:b}, s:{s:I}, s:s}", "message_id",
                                update * 10, "from", "id", user, "is_bot", 0, "chat",
                                "id", (json_int_t)atoll(chat), "text", said);
    if (data != NULL)
        json_object_set_new(message, "reply_to_message",
                            message_of(77, chat, "room 1 is warm", data));
    return json_pack("{s:i, s:o}", "update_id", update, "message", message);
}

static void a_button_acknowledges(void)
{
    struct chat chat;
    chat_open(&chat);
    bot_update(&chat.bot, button(1000, 1, OFFICE_GROUP, chat.token));
    chat_start(&chat);
    await_calls(&chat, 2);
    await_offset(&chat, 1001);
    CHECK(chat.commands == 1);
    json_t *command = json_loads(chat.command, 0, NULL);
    CHECK_TEXT(json_string_value(json_object_get(command, "verb")),
               "incident.acknowledge");
    CHECK_TEXT(json_string_value(json_object_get(command, "actor")), "p-li");
    CHECK_TEXT(json_string_value(json_object_get(command, "via")), "bot/li");
    CHECK_TEXT(json_string_value(json_object_get(json_object_get(command, "body"), "id")),
               OFFICE_FIRST);
    json_decref(command);
    CHECK_TEXT(bot_said(&chat.bot, 0),
               "answerCallbackQuery: Acknowledged, it is yours. Thank you");
    CHECK_TEXT(bot_said(&chat.bot, 1),
               "editMessageText: room 1 is warm\n\n✔ acknowledged by p-li");
    CHECK(json_object_get(chat.bot.calls[1].body, "reply_markup") == NULL);
    chat_close(&chat);
}

static void who_comes_second_is_told_who_was_first(void)
{
    struct chat chat;
    struct incident incident;
    chat_open(&chat);
    CHECK(state_get_incident(chat.state, OFFICE_FIRST, &incident) == ERR_OK);
    incident.is_acknowledged = true;
    incident.revision = 2;
    snprintf(incident.acknowledged_by, sizeof incident.acknowledged_by, "p-li");
    CHECK(state_begin(chat.state) == ERR_OK);
    CHECK(state_add_incident(chat.state, ALERT_EFFECT_UPDATED, &incident, T0, "{}") ==
          ERR_OK);
    CHECK(state_commit(chat.state) == ERR_OK);
    chat.says = ERR_EXISTS;
    bot_update(&chat.bot, button(1, 4, OFFICE_GROUP, chat.token));
    chat_start(&chat);
    await_calls(&chat, 2);
    CHECK_TEXT(bot_said(&chat.bot, 0), "answerCallbackQuery: p-li acknowledged it first");
    CHECK(json_is_true(json_object_get(chat.bot.calls[0].body, "show_alert")));
    CHECK_TEXT(bot_said(&chat.bot, 1),
               "editMessageText: room 1 is warm\n\n✔ acknowledged by p-li");
    chat_close(&chat);
}

static void a_text_acknowledges_where_it_answers_the_message(void)
{
    static const struct {
        int user;
        const char *chat;
        const char *said;
        bool is_reply;
        const char *answer; /* "": none */
    } rows[] = {
        {1, OFFICE_GROUP, "ok", true, "sendMessage: Acknowledged"},
        {1, OFFICE_GROUP, "收到", true, "sendMessage: Acknowledged"},
        {1, OFFICE_GROUP, "/ack@cold_bot", true, "sendMessage: Acknowledged"},
        {1, OFFICE_GROUP, "ok", false, ""}, /* said to others */
        {1, OFFICE_GROUP, "how warm?", true, "sendMessage: Not acknowledged"},
        {1, OFFICE_GROUP, "how warm?", false, ""},
        {1, OFFICE_GROUP, "/ack", false, "sendMessage: Not acknowledged"},
        {1, OFFICE_GROUP, "WARM", false, ""},
        {9, OFFICE_GROUP, "ok", true, "sendMessage: Not acknowledged: you (9)"},
        {2, OFFICE_GROUP, "ok", true, "sendMessage: Not acknowledged: it is not your"},
        {1, "-999", "ok", true, ""}, /* a chat of others */
        {1, "1", "ok", true, ""},    /* nobody is told there */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct chat chat;
        chat_open(&chat);
        bot_update(&chat.bot, text(5, rows[i].user, rows[i].chat, rows[i].said,
                                   rows[i].is_reply ? chat.token : NULL));
        chat_start(&chat);
        await_offset(&chat, 6);
        CHECK_ROW(rows[i].said, strncmp(bot_said(&chat.bot, 0), rows[i].answer,
                                        strlen(rows[i].answer)) == 0);
        CHECK_ROW(rows[i].said, rows[i].answer[0] != '\0' || bot_calls(&chat.bot) == 0);
        chat_close(&chat);
    }
}

/* A message that somebody made to look like ours. */
static void a_forged_message_is_no_message_of_ours(void)
{
    struct chat chat;
    chat_open(&chat);
    json_t *forged = text(1, 1, OFFICE_GROUP, "ok", chat.token);
    json_object_set_new(
        json_object_get(
            json_object_get(json_object_get(forged, "message"), "reply_to_message"),
            "from"),
        "id", json_integer(12));
    bot_update(&chat.bot, forged);
    chat_start(&chat);
    await_offset(&chat, 2);
    CHECK(chat.commands == 0 && bot_calls(&chat.bot) == 0);
    chat_close(&chat);
}

static void of_a_list_one_line_is_taken(void)
{
    struct chat chat;
    chat_open(&chat);
    json_t *update = button(1, 1, OFFICE_GROUP, chat.token);
    json_t *message =
        json_object_get(json_object_get(update, "callback_query"), "message");
    json_object_set_new(message, "reply_markup",
                        json_pack("{s:[[{s:s, s:s}], [{s:s, s:s}]]}", "inline_keyboard",
                                  "text", "4F7K", "callback_data", chat.token, "text",
                                  "9ABC", "callback_data", "another"));
    /* Who answers the list with "ok" does not say which line he means. */
    json_t *answer = text(2, 1, OFFICE_GROUP, "ok", chat.token);
    json_object_set_new(json_object_get(answer, "message"), "reply_to_message",
                        json_deep_copy(message));
    json_object_set_new(
        json_object_get(json_object_get(answer, "message"), "reply_to_message"), "text",
        json_string("• room 1 → 1 4F7K\n• room 2 → 1 9ABC"));
    bot_update(&chat.bot, update);
    bot_update(&chat.bot, answer);
    chat_start(&chat);
    await_offset(&chat, 3);
    CHECK(chat.commands == 1);
    CHECK_TEXT(bot_said(&chat.bot, 1),
               "editMessageText: room 1 is warm\n\n4F7K ✔ acknowledged by p-li");
    const json_t *rows = json_object_get(
        json_object_get(chat.bot.calls[1].body, "reply_markup"), "inline_keyboard");
    CHECK(json_array_size(rows) == 1);
    CHECK(strncmp(bot_said(&chat.bot, 2), "sendMessage: Not acknowledged: reply 1", 37) ==
          0);
    chat_close(&chat);
}

static void what_was_done_is_not_done_again_after_a_restart(void)
{
    struct chat chat;
    char first[60];
    chat_open(&chat);
    chat.bot.forgets = false; /* as if we had crashed before it was confirmed */
    bot_update(&chat.bot, button(41, 1, OFFICE_GROUP, chat.token));
    chat_start(&chat);
    await_offset(&chat, 42);
    CHECK(chat.commands == 1);
    snprintf(first, sizeof first, "%s", chat.id);
    telegram_stop(chat.telegram);
    telegram_destroy(chat.telegram);
    size_t polls = bot_polls(&chat.bot);
    chat.bot.offset = 0;
    chat_start(&chat);
    await_offset(&chat, 42); /* it goes on there */
    CHECK(bot_polls(&chat.bot) > polls);
    bot_update(&chat.bot, button(42, 1, OFFICE_GROUP, chat.token));
    await_offset(&chat, 43);
    CHECK(chat.commands == 2 && strcmp(first, chat.id) != 0);
    /* Without its file it takes them again, as the commands that they were. */
    telegram_stop(chat.telegram);
    telegram_destroy(chat.telegram);
    DIR *dir = opendir(chat.folder.path);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (strstr(entry->d_name, ".offset") != NULL) {
            struct err_text why;
            CHECK(strstr(entry->d_name, "secret") == NULL);
            CHECK(file_replace(folder_file(&chat.folder, entry->d_name), "no number", 9,
                               &why) == ERR_OK);
        }
    closedir(dir);
    snprintf(first, sizeof first, "%s", chat.id);
    chat.bot.offset = 0;
    chat_start(&chat);
    await_offset(&chat, 43);
    CHECK(chat.commands == 4);
    CHECK_TEXT(chat.id, first);
    chat_close(&chat);
}

static void trouble_with_telegram_passes(void)
{
    static const struct bot_trouble troubles[] = {
        {200, "<html><h1>Log in to this network</h1></html>", 0},
        {502, "<html>Bad Gateway</html>", 0},
        {200, "", 0},
        {200, "{\"ok\":true}", 0},
        {200, "{\"ok\":true,\"result\":{}}", 0},
        {200, "{\"ok\":\"yes\",\"result\":[]}", 0},
        {200, "{\"ok\":true,\"result\":[{\"update_id\":-5},{},7,null]}", 0},
        {200, "{\"ok\":true,\"result\":[{\"update_id\":99999999999999999}]}", 0},
        {200, "{\"ok\":true,\"result\":[", 0},
        {200, "{\"ok\":true,\"result\":[]}", 5 << 20},
        {401, "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}", 0},
        {409,
         "{\"ok\":false,\"error_code\":409,\"description\":\"Conflict: terminated by "
         "other getUpdates request\"}",
         0},
        {429, "{\"ok\":false,\"error_code\":429,\"parameters\":{\"retry_after\":1}}", 0},
    };
    struct chat chat;
    chat_open(&chat);
    int64_t failed = metric_get(METRIC_REPLY_POLLS_FAILED);
    chat.bot.troubles = troubles;
    chat.bot.trouble_count = sizeof troubles / sizeof troubles[0];
    bot_update(&chat.bot, button(1, 1, OFFICE_GROUP, chat.token));
    chat_start(&chat);
    await_calls(&chat, 2);
    CHECK(chat.commands == 1);
    CHECK(metric_get(METRIC_REPLY_POLLS_FAILED) - failed ==
          sizeof troubles / sizeof troubles[0]);
    await_offset(&chat, 2);
    chat_close(&chat);
}

static void what_is_too_large_together_is_asked_for_one_by_one(void)
{
    static const struct bot_trouble troubles[] = {
        {200, "{\"ok\":true,\"result\":[]}", 5 << 20},
        {502, "<html>Bad Gateway</html>", 0},
    };
    struct chat chat;
    chat_open(&chat);
    chat.bot.troubles = troubles;
    chat.bot.trouble_count = 2;
    bot_update(&chat.bot, button(1, 1, OFFICE_GROUP, chat.token));
    chat_start(&chat);
    await_offset(&chat, 2);
    CHECK(chat.commands == 1);
    CHECK(chat.bot.least_limit == 1);
    chat_close(&chat);
}

static void answers_that_are_not_taken_change_nothing(void)
{
    struct chat chat;
    chat_open(&chat);
    chat.bot.status = 400;
    chat.bot.said = "{\"ok\":false,\"error_code\":400,\"description\":\"query is too "
                    "old\"}";
    bot_update(&chat.bot, button(1, 1, OFFICE_GROUP, chat.token));
    bot_update(&chat.bot, button(2, 4, OFFICE_GROUP, chat.token));
    chat_start(&chat);
    await_offset(&chat, 3);
    CHECK(chat.commands == 2);
    chat_close(&chat);
}

static void hostile_updates_are_passed_over(void)
{
    struct chat chat;
    char big[5000];
    chat_open(&chat);
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    bot_update(&chat.bot, json_pack("{s:i}", "update_id", 1));
    bot_update(&chat.bot, json_pack("{s:i, s:s}", "update_id", 2, "message", "text"));
    bot_update(&chat.bot,
               json_pack("{s:i, s:{s:s}}", "update_id", 3, "callback_query", "id", "q"));
    bot_update(&chat.bot, json_pack("{s:i, s:{s:i, s:{s:s}, s:{s:f}, s:[i]}}",
                                    "update_id", 4, "message", "message_id", 1, "from",
                                    "id", "1", "chat", "id", 1.5, "text", 7));
    bot_update(&chat.bot, button(5, 1, OFFICE_GROUP, big));
    bot_update(&chat.bot, text(6, 1, OFFICE_GROUP, big, chat.token));
    json_t *robot = button(7, 1, OFFICE_GROUP, chat.token);
    json_object_set_new(json_object_get(json_object_get(robot, "callback_query"), "from"),
                        "is_bot", json_true());
    bot_update(&chat.bot, robot);
    bot_update(&chat.bot, button(8, 1, OFFICE_GROUP, "00ff"));
    chat_start(&chat);
    await_offset(&chat, 9);
    /* Buttons that are none of ours: told so, and refused in the audit. */
    CHECK(strstr(chat.command, "\"id\":\"refused\"") != NULL);
    for (size_t i = 0; i < chat.bot.call_count; i++)
        CHECK(strstr(bot_said(&chat.bot, i), "Not acknowledged") != NULL);
    chat_close(&chat);
}

static void what_cannot_be_applied_now_is_said(void)
{
    struct chat chat;
    chat_open(&chat);
    chat.says = ERR_IO; /* the journal's disk is full */
    bot_update(&chat.bot, button(1, 1, OFFICE_GROUP, chat.token));
    chat_start(&chat);
    await_calls(&chat, 1);
    CHECK_TEXT(bot_said(&chat.bot, 0),
               "answerCallbackQuery: It cannot be acknowledged just now; try again");
    chat_close(&chat);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a button acknowledges", a_button_acknowledges},
        {"who comes second is told who was first",
         who_comes_second_is_told_who_was_first},
        {"a text acknowledges where it answers the message",
         a_text_acknowledges_where_it_answers_the_message},
        {"a forged message is no message of ours",
         a_forged_message_is_no_message_of_ours},
        {"of a list one line is taken", of_a_list_one_line_is_taken},
        {"what was done is not done again after a restart",
         what_was_done_is_not_done_again_after_a_restart},
        {"trouble with Telegram passes", trouble_with_telegram_passes},
        {"what is too large together is asked for one by one",
         what_is_too_large_together_is_asked_for_one_by_one},
        {"answers that are not taken change nothing",
         answers_that_are_not_taken_change_nothing},
        {"hostile updates are passed over", hostile_updates_are_passed_over},
        {"what cannot be applied now is said", what_cannot_be_applied_now_is_said},
        CU_TEST_INFO_NULL,
    };
    return check_run("telegram", tests);
}
