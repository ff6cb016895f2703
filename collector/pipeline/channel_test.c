// SPDX-License-Identifier: Apache-2.0
/*
 * channel_test - a test message over a channel, the way of an alarm.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/command/change.h"
#include "collector/config_channels.h"
#include "collector/notify/template.h"
#include "collector/notify/words.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"

static const char *name_of(const struct command *command)
{
    const char *name = json_string_value(json_object_get(command->body, "id"));
    return name != NULL ? name : "";
}

static void test_body(const struct command *command, const char *key, const char *channel,
                      struct buf *out)
{
    struct buf texts[2] = {{0}, {0}};
    const struct template_value values[] = {{"channel", channel}, {"by", command->actor}};
    for (int i = 0; i < 2; i++)
        if (template_fill(words(WORDS_TEST, (enum words_language)i), TEMPLATE_AS_IS,
                          values, 2, &texts[i], NULL) != ERR_OK)
            log_error("the text of a test cannot be made");
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s}", "key", key, "event", "test",
                             "severity", "warning", "text_en", texts[WORDS_EN].data,
                             "text_zh", texts[WORDS_ZH].data);
    char *text = json_dumps(root, JSON_COMPACT);
    buf_text(out, text != NULL ? text : "{}");
    free(text);
    json_decref(root);
    buf_fini(&texts[0]);
    buf_fini(&texts[1]);
}

/* A row of the outbox like any other: what carries an alarm carries the test. */
static enum err put_test(struct pipeline *pipeline, const struct command *command,
                         struct err_text *why)
{
    const char *name = name_of(command);
    bool is_known = false;
    if (command->org[0] != '\0')
        return err_set(why, ERR_DENIED,
                       "channels are the whole installation's, and so are their tests");
    for (size_t i = 0; i < pipeline->options.channel_count; i++)
        is_known = is_known || strcmp(pipeline->options.channels[i], name) == 0;
    if (!is_known)
        return err_set(why, ERR_NOT_FOUND, "there is no channel '%.100s'", name);
    struct buf body = {0};
    char *key = mem_format(CHANNEL_TEST_START "%s", command->id);
    test_body(command, key, name, &body);
    const struct state_message message = {
        .incident = key,
        .revision = 1,
        .channel = name,
        .key = key,
        .body = body.data,
        .created_ms = pipeline->now_ms,
        .next_attempt_ms = pipeline->now_ms,
    };
    if (pipeline_begin_effects(pipeline))
        pipeline_note(pipeline, state_add_message(pipeline->options.state, &message));
    buf_fini(&body);
    free(key);
    return ERR_OK;
}

static void on_test_row(void *context, const struct state_message *message)
{
    json_object_set_new(context, "message", json_integer((json_int_t)message->id));
}

/* Which row of the outbox tells what became of it. */
static enum err name_test(struct pipeline *pipeline, const struct command *command,
                          json_t *result)
{
    char *key = mem_format(CHANNEL_TEST_START "%s", command->id);
    enum err err =
        state_page_messages(pipeline->options.state, key, 0, 1, result, on_test_row);
    free(key);
    return err;
}

enum err pipeline_test_channel(struct pipeline *pipeline, struct change *change,
                               struct err_text *why)
{
    json_object_set_new(change->result, "kind", json_string("notify"));
    enum err err = put_test(pipeline, change->command, why);
    return err == ERR_OK ? name_test(pipeline, change->command, change->result) : err;
}
