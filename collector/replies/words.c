// SPDX-License-Identifier: Apache-2.0
#include "collector/replies/words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "collector/notify/template.h"

#define WHO_MAX 64

struct phrase {
    const char *zh; /* with ${who} or ${code} */
    const char *en;
};

static const struct phrase fates[REPLY_FATES] = {
    [REPLY_ACKNOWLEDGED] = {"已确认，谢谢", "Acknowledged, it is yours. Thank you"},
    [REPLY_YOURS] = {"你已经确认过了", "You have acknowledged it already"},
    [REPLY_TAKEN] = {"${who} 已先确认", "${who} acknowledged it first"},
    [REPLY_TESTED] = {"测试成功：你的回复已收到，可以用同样方式确认报警",
                      "The test was answered: alarms can be acknowledged this way"},
    [REPLY_UNKNOWN_SENDER] =
        {"未确认：系统不认识你（${who}），请管理员把它登记为联系人的 sender",
         "Not acknowledged: you (${who}) are not known here; ask "
         "who runs this house to enter it as a contact's sender"},
    [REPLY_NOT_ALLOWED] = {"未确认：此事件不属于你的单位，或你无权确认",
                           "Not acknowledged: it is not your organisation's, or not "
                           "yours to acknowledge"},
    [REPLY_WRONG_CODE] = {"未确认：代码不对，请照消息末尾的代码回复",
                          "Not acknowledged: no message to you has that code; copy it "
                          "from the end of the message"},
    [REPLY_EXPIRED] = {"未确认：此消息已过期，请用较新的消息",
                       "Not acknowledged: this message is too old; take a newer one"},
    [REPLY_NO_CODE] = {"未确认：请回复 1 和消息末尾的代码，例如 1 4F7K",
                       "Not acknowledged: reply 1 and the code at the end of the "
                       "message, such as 1 4F7K"},
    [REPLY_NOT_UNDERSTOOD] = {"未确认：没看懂，请回复 1 和消息末尾的代码，例如 1 4F7K",
                              "Not acknowledged: that was not understood; reply 1 and "
                              "the code of the message, such as 1 4F7K"},
    [REPLY_TOO_MANY] = {"未确认：尝试过多，请稍后再试",
                        "Not acknowledged: too many attempts; wait a minute"},
    [REPLY_LATER] = {"暂时无法确认，请稍后再试",
                     "It cannot be acknowledged just now; try again"},
};

static const struct phrase hint = {"回复 1 ${code} 确认",
                                   "Reply 1 ${code} to acknowledge"};
static const struct phrase hint_of_list = {"回复 1 和行末代码确认",
                                           "Reply 1 and a line's code to acknowledge"};
static const struct phrase mark = {"✔ ${who} 已确认", "✔ acknowledged by ${who}"};

const char *reply_fate_name(enum reply_fate fate)
{
    static const char *const names[] = {
#define X(id, name) name,
        REPLY_FATE_LIST(X)
#undef X
    };
    assert(fate < REPLY_FATES);
    return names[fate];
}

static void fill(const char *text, const char *name, const char *value, struct buf *out)
{
    char clean[WHO_MAX + 1];
    size_t len = utf8_fit(value, strlen(value), WHO_MAX);
    memcpy(clean, value, len);
    clean[len] = '\0';
    const struct template_value values[] = {{name, clean}};
    enum err err = template_fill(text, TEMPLATE_AS_IS, values, 1, out, NULL);
    assert(err == ERR_OK); /* the unit test fills every text there is */
    (void)err;
}

static void say(const struct phrase *phrase, enum channel_language language,
                const char *name, const char *value, struct buf *out)
{
    if (language != CHANNEL_EN)
        fill(phrase->zh, name, value, out);
    if (language == CHANNEL_BOTH)
        buf_text(out, " / ");
    if (language != CHANNEL_ZH)
        fill(phrase->en, name, value, out);
}

void reply_words(enum reply_fate fate, enum channel_language language, const char *who,
                 struct buf *out)
{
    assert(fate < REPLY_FATES);
    say(&fates[fate], language, "who", who, out);
}

void reply_hint(enum channel_language language, const char *code, struct buf *out)
{
    if (code[0] == '\0')
        say(&hint_of_list, language, "code", "", out);
    else if (language == CHANNEL_BOTH) /* short: a text message has 70 characters */
        fill("回复/Reply 1 ${code}", "code", code, out);
    else
        say(&hint, language, "code", code, out);
}

void reply_mark(enum channel_language language, const char *who, struct buf *out)
{
    say(&mark, language, "who", who, out);
}
