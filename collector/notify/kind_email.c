// SPDX-License-Identifier: Apache-2.0
/*
 * kind_email - an e-mail of plain text, in one thread per incident.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "collector/notify/kinds.h"

#define WORD_BYTES \
    42                /* of an encoded word, which has 75 characters at most (RFC 2047) \
                       */
#define LINE_CHARS 76 /* of base64 (RFC 2045) */

static void add_base64(const void *data, size_t len, struct buf *out)
{
    size_t size = len / 3 * 4 + 8;
    char *text = mem_alloc(size);
    const char *made = crypto_base64(text, size, data, len);
    assert(made != NULL);
    (void)made;
    size_t left = strlen(text);
    for (size_t at = 0; left > 0;) {
        size_t part = left < LINE_CHARS ? left : LINE_CHARS;
        buf_add(out, text + at, part);
        at += part;
        left -= part;
        if (left > 0)
            buf_text(out, "\r\n");
    }
    free(text);
}

static void add_subject(const char *title, size_t len, struct buf *out)
{
    buf_text(out, "Subject:");
    while (len > 0) {
        size_t part = utf8_fit(title, len, WORD_BYTES);
        buf_text(out, " =?UTF-8?B?");
        add_base64(title, part, out);
        buf_text(out, "?=\r\n");
        title += part;
        len -= part;
    }
}

/* RFC 5322, 3.3; whatever the locale. */
static void add_date(int64_t ms, struct buf *out)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL)
        return;
    buf_format(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
               tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
               tm.tm_sec);
}

static void add_addresses(const struct config_channel *config,
                          const struct channel_message *message,
                          struct channel_request *request, struct buf *out)
{
    buf_format(out, "From: coldchain <%s>\r\nTo: ", config->from);
    channel_request_to(request, config->from);
    for (size_t i = 0; i < kind_to_count(config, message); i++) {
        const char *to = kind_to(config, message, i);
        channel_request_to(request, to);
        buf_format(out, "%s<%s>", i > 0 ? ",\r\n " : "", to);
    }
    buf_text(out, "\r\n");
}

/* The message of the opening is the root; a repeated attempt is the same message. */
static void add_thread(const struct config_channel *config,
                       const struct channel_message *message, struct buf *out)
{
    const char *domain = strrchr(config->from, '@');
    domain = domain != NULL ? domain + 1 : "localhost";
    buf_format(out, "Message-ID: <%s@%s>\r\n", message->key, domain);
    char root[80];
    snprintf(root, sizeof root, "%s-1", message->incident);
    if (message->incident[0] != '\0' && strcmp(root, message->key) != 0)
        buf_format(out, "In-Reply-To: <%s@%s>\r\nReferences: <%s@%s>\r\n", root, domain,
                   root, domain);
}

/* A line break in an address would begin a header. */
static bool are_addresses_clean(const struct config_channel *config,
                                const struct channel_message *message)
{
    for (size_t i = 0; i < kind_to_count(config, message); i++) {
        const char *to = kind_to(config, message, i);
        if (strchr(to, '@') == NULL || strpbrk(to, "<>\r\n \t\",") != NULL)
            return false;
    }
    return kind_to_count(config, message) > 0;
}

enum err kind_email_format(const struct config_channel *config,
                           const struct channel_message *message,
                           const struct channel_attempt *attempt,
                           struct channel_request *request, struct err_text *why)
{
    struct buf text = {0};
    struct buf title = {0};
    if (!are_addresses_clean(config, message))
        return err_set(why, ERR_INVALID, "no mail address to send to");
    enum err err = kind_text(config, message, &text, why);
    if (err == ERR_OK) {
        struct buf *out = &request->body;
        kind_title(config, message, &title);
        buf_text(&text, "\n");
        buf_text(&request->url, config->url);
        add_addresses(config, message, request, out);
        add_subject(title.data, title.len, out);
        add_date(attempt->stamp_ms, out);
        add_thread(config, message, out);
        if (strcmp(message->severity, "critical") == 0)
            buf_text(out, "Importance: high\r\nX-Priority: 1\r\n");
        buf_text(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: base64\r\n\r\n");
        add_base64(text.data, text.len, out);
        buf_text(out, "\r\n");
    }
    buf_fini(&title);
    buf_fini(&text);
    return err;
}
