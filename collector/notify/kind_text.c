// SPDX-License-Identifier: Apache-2.0
/*
 * kind_text - the text of a message as a channel is to have it: language, link, limit.
 */
#include <string.h>

#include "base/utf8.h"
#include "collector/notify/kinds.h"
#include "collector/notify/template.h"
#include "collector/notify/words.h"
#include "collector/replies/words.h"

#define WECOM_MARKDOWN 4096 /* it takes twice the text but mentions nobody */

static const char ellipsis[] = "…";

struct limit {
    size_t max; /* SIZE_MAX: none */
    enum channel_unit unit;
};

static struct limit limit_of(const struct config_channel *config,
                             const struct channel_message *message)
{
    const struct channel_ops *ops = channel_ops(config->kind);
    struct limit limit = {ops->limit > 0 ? ops->limit : SIZE_MAX, ops->unit};
    bool is_wecom = config->kind == CHANNEL_WECOM;
    bool mentions = is_wecom && kind_to_count(config, message) > 0;
    if (is_wecom && !mentions)
        limit.max = WECOM_MARKDOWN;
    if (config->text_limit > 0 && !(mentions && (size_t)config->text_limit > limit.max))
        limit = (struct limit){(size_t)config->text_limit, CHANNEL_BYTES};
    return limit;
}

static size_t fit(const struct limit *limit, const char *text, size_t len, size_t max)
{
    return limit->unit == CHANNEL_UTF16 ? utf8_fit_utf16(text, len, max)
                                        : utf8_fit(text, len, max);
}

/* In the limit's unit, capped just above it. */
static size_t cost(const struct limit *limit, const char *text)
{
    if (limit->unit == CHANNEL_BYTES)
        return strlen(text);
    size_t units = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        units += (*at & 0xC0) != 0x80 ? (*at >= 0xF0 ? 2 : 1) : 0;
    return units;
}

/* Adds at most `max` units of the text. */
static void add_cut(const struct limit *limit, const char *text, size_t max,
                    struct buf *out)
{
    size_t len = strlen(text);
    if (fit(limit, text, len, max) == len) {
        buf_add(out, text, len);
        return;
    }
    size_t mark = cost(limit, ellipsis);
    if (max < mark)
        return;
    buf_add(out, text, fit(limit, text, len, max - mark));
    buf_text(out, ellipsis);
}

/* Each language has half of the room, and what the other does not need of its own. */
static void add_both(const struct limit *limit, const char *first, const char *second,
                     size_t room, struct buf *out)
{
    if (room < 1)
        return;
    room--; /* the line break between them */
    size_t need_first = cost(limit, first);
    size_t need_second = cost(limit, second);
    size_t half = room / 2;
    size_t share = half;
    if (need_second < room - half)
        share = room - need_second;
    if (need_first < share)
        share = need_first;
    add_cut(limit, first, share, out);
    buf_text(out, "\n");
    add_cut(limit, second, room - share, out);
}

size_t kind_to_count(const struct config_channel *config,
                     const struct channel_message *message)
{
    return message->to_count > 0 ? message->to_count : config->to_count;
}

const char *kind_to(const struct config_channel *config,
                    const struct channel_message *message, size_t index)
{
    return message->to_count > 0 ? message->to[index] : config->to[index];
}

void kind_link(const struct config_channel *config, const struct channel_message *message,
               struct buf *out)
{
    if (config->link == NULL || message->incident[0] == '\0')
        return;
    size_t len = strlen(config->link);
    bool has_slash = len > 0 && config->link[len - 1] == '/';
    buf_format(out, "%s%sincidents/%s", config->link, has_slash ? "" : "/",
               message->incident);
}

static bool wants(const struct config_channel *config, enum channel_language language,
                  const char *text, const char *other)
{
    return text[0] != '\0' && (config->language == language ||
                               config->language == CHANNEL_BOTH || other[0] == '\0');
}

/* How to answer; nothing when that cannot be done. */
static void add_hint(const struct config_channel *config,
                     const struct channel_message *message, struct buf *out)
{
    if (channel_takes_replies(config) && message->closed_ms == 0 &&
        (message->lists_codes || message->code[0] != '\0'))
        reply_hint(config->language, message->code, out);
}

static void add_line(const struct buf *line, struct buf *out)
{
    if (line->len > 0)
        buf_format(out, "\n%s", line->data);
}

/*
 * One tap: once, behind both languages, and whole or not at all. A row of an earlier
 * version has it in its texts; nobody taps on what a voice reads out.
 */
static void add_ack(const struct config_channel *config,
                    const struct channel_message *message, struct buf *out)
{
    const struct template_value link = {"link", message->ack};
    bool is_english = config->language == CHANNEL_EN;
    if (message->ack[0] == '\0' || config->kind == CHANNEL_VOICE ||
        message->closed_ms != 0 || strstr(message->text_en, message->ack) != NULL)
        return;
    words_say(WORDS_ACK, is_english ? WORDS_EN : WORDS_ZH, &link, 1, out);
}

/* What is said behind the text, the most useful first. */
enum { LINE_HINT, LINE_ACK, LINE_LINK, LINES };

/* All lines, or those for which there is room beside the text. */
static size_t keep_lines(const struct limit *limit, struct buf lines[LINES])
{
    size_t room = limit->max;
    for (size_t i = 0; room != SIZE_MAX && i < LINES; i++) {
        size_t need = lines[i].len > 0 ? cost(limit, lines[i].data) + 1 : 0;
        if (need < room)
            room -= need;
        else
            buf_clear(&lines[i]);
    }
    return room;
}

static enum err text_within(const struct config_channel *config,
                            const struct channel_message *message,
                            const struct limit *limit, struct buf *out,
                            struct err_text *why)
{
    struct buf lines[LINES] = {{0}};
    add_hint(config, message, &lines[LINE_HINT]);
    add_ack(config, message, &lines[LINE_ACK]);
    kind_link(config, message, &lines[LINE_LINK]);
    size_t room = keep_lines(limit, lines);
    bool zh = wants(config, CHANNEL_ZH, message->text_zh, message->text_en);
    bool en = wants(config, CHANNEL_EN, message->text_en, message->text_zh);
    if (zh && en)
        add_both(limit, message->text_zh, message->text_en, room, out);
    else if (zh || en)
        add_cut(limit, zh ? message->text_zh : message->text_en, room, out);
    for (size_t i = 0; i < LINES; i++) {
        if (zh || en)
            add_line(&lines[i], out);
        buf_fini(&lines[i]);
    }
    return zh || en ? ERR_OK : err_set(why, ERR_INVALID, "the message has no text");
}

enum err kind_text(const struct config_channel *config,
                   const struct channel_message *message, struct buf *out,
                   struct err_text *why)
{
    struct limit limit = limit_of(config, message);
    return text_within(config, message, &limit, out, why);
}

bool kind_text_fits(const struct config_channel *config,
                    const struct channel_message *message)
{
    struct limit limit = limit_of(config, message);
    const struct limit none = {SIZE_MAX, limit.unit};
    struct buf text = {0};
    bool fits = text_within(config, message, &none, &text, NULL) != ERR_OK ||
                text.data == NULL || cost(&limit, text.data) <= limit.max;
    buf_fini(&text);
    return fits;
}

void kind_title(const struct config_channel *config,
                const struct channel_message *message, struct buf *out)
{
    static const char *const ends[] = {"：", ": ", "\n"};
    const char *text =
        config->language == CHANNEL_EN ? message->text_en : message->text_zh;
    if (text[0] == '\0')
        text = message->text_en;
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const char *end = strstr(text, ends[i]);
        if (end != NULL && (size_t)(end - text) < len)
            len = (size_t)(end - text);
    }
    buf_add(out, text, utf8_fit(text, len, 120));
}
