// SPDX-License-Identifier: Apache-2.0
#include "collector/replies/telegram_wire.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define ID_LIMIT   (INT64_C(1) << 52) /* what the Bot API promises of its numbers */
#define WAIT_MAX_S 3600
#define WAIT_S     30 /* when it does not say */
#define QUERY_MAX  128
#define DATA_MAX   64
#define ROW_MAX    8  /* buttons beside each other */
#define LABEL_MAX  64 /* bytes of a button's text */

/* ---- reading ---------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key, size_t *len)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    *len = text != NULL ? json_string_length(value) : 0;
    return text != NULL ? text : "";
}

/* A text without a 0 inside and not longer than that; "" for any other. */
static const char *short_text(const json_t *object, const char *key, size_t most)
{
    size_t len;
    const char *text = text_of(object, key, &len);
    return strlen(text) == len && len <= most ? text : "";
}

static bool read_id(int64_t *id, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    *id = json_integer_value(value);
    return json_is_integer(value) && *id > -ID_LIMIT && *id < ID_LIMIT && *id != 0;
}

static bool read_id_text(char text[TELEGRAM_ID_SIZE], const json_t *object)
{
    int64_t id;
    if (!read_id(&id, object, "id"))
        return false;
    snprintf(text, TELEGRAM_ID_SIZE, "%" PRId64, id);
    return true;
}

static const json_t *keyboard_of(const json_t *message)
{
    const json_t *rows =
        json_object_get(json_object_get(message, "reply_markup"), "inline_keyboard");
    return json_is_array(rows) ? rows : NULL;
}

/* The button of that row that carries data; `data` NULL: any. NULL: there is none. */
static const json_t *button_of(const json_t *row, const char *data)
{
    for (size_t i = 0; i < json_array_size(row) && i < ROW_MAX; i++) {
        const json_t *button = json_array_get(row, i);
        const char *has = short_text(button, "callback_data", DATA_MAX);
        if (has[0] != '\0' && (data == NULL || strcmp(has, data) == 0))
            return button;
    }
    return NULL;
}

/* Of the only button that carries data; "" when there are more, or none. */
static const char *only_data(const json_t *rows)
{
    const char *data = "";
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *button = button_of(json_array_get(rows, i), NULL);
        if (button != NULL && data[0] != '\0')
            return "";
        if (button != NULL)
            data = short_text(button, "callback_data", DATA_MAX);
    }
    return data;
}

/* Who it is and where; false: it is nobody's. */
static bool read_place(struct telegram_update *update, const json_t *from,
                       const json_t *message)
{
    update->is_bot = json_is_true(json_object_get(from, "is_bot"));
    return read_id_text(update->user, from) &&
           read_id_text(update->chat, json_object_get(message, "chat"));
}

static void read_button(struct telegram_update *update, const json_t *query)
{
    const json_t *message = json_object_get(query, "message");
    update->query = short_text(query, "id", QUERY_MAX);
    update->data = short_text(query, "data", DATA_MAX);
    if (!read_id(&update->message, message, "message_id"))
        update->message = 0;
    update->quoted = text_of(message, "text", &update->quoted_len);
    update->keyboard = keyboard_of(message);
    if (read_place(update, json_object_get(query, "from"), message) &&
        update->query[0] != '\0')
        update->sort = TELEGRAM_BUTTON;
}

static void read_text(struct telegram_update *update, const json_t *message)
{
    const json_t *answered = json_object_get(message, "reply_to_message");
    update->text = text_of(message, "text", &update->text_len);
    update->keyboard = keyboard_of(answered);
    update->data = only_data(update->keyboard);
    if (!read_id_text(update->author, json_object_get(answered, "from")))
        update->author[0] = '\0';
    update->quoted = text_of(answered, "text", &update->quoted_len);
    if (!read_id(&update->message, answered, "message_id"))
        update->message = 0;
    if (read_place(update, json_object_get(message, "from"), message) &&
        read_id(&update->own_message, message, "message_id") && update->text_len > 0)
        update->sort = TELEGRAM_TEXT;
}

static bool read_update(struct telegram_update *update, const json_t *entry)
{
    *update = (struct telegram_update){
        .query = "", .data = "", .text = "", .quoted = "", .sort = TELEGRAM_OTHER};
    if (!read_id(&update->id, entry, "update_id") || update->id < 0)
        return false;
    const json_t *query = json_object_get(entry, "callback_query");
    const json_t *message = json_object_get(entry, "message");
    if (json_is_object(query))
        read_button(update, query);
    else if (json_is_object(message))
        read_text(update, message);
    return true;
}

static int64_t wait_of(const json_t *root)
{
    const json_t *after =
        json_object_get(json_object_get(root, "parameters"), "retry_after");
    json_int_t seconds = json_integer_value(after);
    if (seconds <= 0)
        seconds = WAIT_S;
    return (seconds < WAIT_MAX_S ? seconds : WAIT_MAX_S) * 1000;
}

static enum telegram_answer judge(const json_t *root, int status)
{
    json_int_t code = json_integer_value(json_object_get(root, "error_code"));
    if (json_is_true(json_object_get(root, "ok")) && status == 200)
        return TELEGRAM_GOOD;
    if (!json_is_false(json_object_get(root, "ok")))
        return status == 429 ? TELEGRAM_RATE : TELEGRAM_GARBAGE;
    switch (code) {
    case 409:
        return TELEGRAM_CONFLICT;
    case 429:
        return TELEGRAM_RATE;
    case 401:
    case 403:
    case 404:
        return TELEGRAM_SETTINGS;
    default:
        return TELEGRAM_GARBAGE;
    }
}

void telegram_batch_parse(struct telegram_batch *batch, int status, const void *data,
                          size_t len)
{
    batch->count = 0;
    batch->root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    batch->answer = judge(batch->root, status);
    batch->wait_ms = batch->answer == TELEGRAM_RATE ? wait_of(batch->root) : 0;
    if (batch->answer != TELEGRAM_GOOD)
        return;
    const json_t *list = json_object_get(batch->root, "result");
    if (!json_is_array(list))
        batch->answer = TELEGRAM_GARBAGE;
    for (size_t i = 0; i < json_array_size(list) && batch->count < TELEGRAM_BATCH_MAX;
         i++)
        if (read_update(&batch->updates[batch->count], json_array_get(list, i)))
            batch->count++;
    /* What cannot be numbered can never be confirmed: it would come for ever. */
    if (batch->count == 0 && json_array_size(list) > 0)
        batch->answer = TELEGRAM_GARBAGE;
}

enum telegram_answer telegram_judge(int status, const void *data, size_t len,
                                    int64_t *wait_ms)
{
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    enum telegram_answer answer = judge(root, status);
    *wait_ms = answer == TELEGRAM_RATE ? wait_of(root) : 0;
    json_decref(root);
    return answer;
}

void telegram_batch_fini(struct telegram_batch *batch)
{
    json_decref(batch->root);
    batch->root = NULL;
    batch->count = 0;
}

/* ---- asking ----------------------------------------------------------------------- */

static void dump(json_t *root, struct buf *out)
{
    assert(root != NULL);
    char *text = json_dumps(root, JSON_COMPACT);
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(root);
}

/* At most so many units of UTF-16, cut between characters; what is no text is left out.
 */
static json_t *cut(const char *text, size_t len, size_t most)
{
    json_t *value = json_stringn(text, utf8_fit_utf16(text, len, most));
    return value != NULL ? value : json_string("");
}

void telegram_get_updates(int64_t offset, int limit, int timeout_s, struct buf *out)
{
    json_t *root = json_pack("{s:i, s:i, s:[s, s]}", "limit", limit, "timeout", timeout_s,
                             "allowed_updates", "message", "callback_query");
    if (offset > 0)
        json_object_set_new(root, "offset", json_integer(offset));
    dump(root, out);
}

void telegram_answer_button(const char *query, const char *text, bool is_loud,
                            struct buf *out)
{
    dump(json_pack("{s:s, s:o, s:b}", "callback_query_id", query, "text",
                   cut(text, strlen(text), TELEGRAM_ALERT_MAX), "show_alert", is_loud),
         out);
}

/* The rows without that button's; *label is its text, *has_more whether others act. */
static json_t *other_rows(const struct telegram_update *update, const char **label,
                          bool *has_more)
{
    json_t *others = json_array();
    *has_more = false;
    *label = "";
    for (size_t i = 0; i < json_array_size(update->keyboard); i++) {
        json_t *row = json_array_get(update->keyboard, i);
        const json_t *button = button_of(row, update->data);
        if (button != NULL) {
            *label = short_text(button, "text", LABEL_MAX);
            continue;
        }
        *has_more = *has_more || button_of(row, NULL) != NULL;
        json_array_append(others, row);
    }
    return others;
}

void telegram_mark_message(const struct telegram_update *update, const char *mark,
                           struct buf *out)
{
    const char *label;
    bool has_more;
    struct buf line = {0};
    struct buf whole = {0};
    json_t *rows = other_rows(update, &label, &has_more);
    buf_format(&line, "\n\n%s%s%s", has_more ? label : "", has_more ? " " : "", mark);
    assert(line.len < TELEGRAM_TEXT_MAX / 2); /* bytes: no fewer than units */
    buf_add(
        &whole, update->quoted,
        utf8_fit_utf16(update->quoted, update->quoted_len, TELEGRAM_TEXT_MAX - line.len));
    buf_add(&whole, line.data, line.len);
    json_t *root = json_pack("{s:s, s:I, s:o}", "chat_id", update->chat, "message_id",
                             (json_int_t)update->message, "text",
                             cut(whole.data, whole.len, TELEGRAM_TEXT_MAX));
    if (has_more)
        json_object_set_new(root, "reply_markup",
                            json_pack("{s:O}", "inline_keyboard", rows));
    json_decref(rows);
    dump(root, out);
    buf_fini(&line);
    buf_fini(&whole);
}

void telegram_answer_text(const char *chat, int64_t message, const char *text,
                          struct buf *out)
{
    dump(json_pack("{s:s, s:o, s:{s:I, s:b}}", "chat_id", chat, "text",
                   cut(text, strlen(text), TELEGRAM_TEXT_MAX), "reply_parameters",
                   "message_id", (json_int_t)message, "allow_sending_without_reply", 1),
         out);
}
