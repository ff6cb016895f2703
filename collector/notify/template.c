// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/template.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define NAME_MAX_LEN 32

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-_.~", c) != NULL);
}

void template_add_url(const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        if (is_plain(*text))
            buf_add(out, text, 1);
        else
            buf_format(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

static void add_json(const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buf_format(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_format(out, "\\u%04x", c);
        else
            buf_add(out, text, 1);
    }
}

static bool has_control(const char *text, const char *but)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < 0x20 && strchr(but, *text) == NULL) || *text == 0x7f)
            return true;
    return false;
}

static enum err add_value(const struct template_value *value, enum template_escape escape,
                          struct buf *out, struct err_text *why)
{
    switch (escape) {
    case TEMPLATE_PLAIN:
    case TEMPLATE_TEXT:
        if (has_control(value->text, escape == TEMPLATE_TEXT ? "\n\t" : ""))
            return err_set(why, ERR_INVALID,
                           "the value of ${%s} holds control characters", value->name);
        buf_text(out, value->text);
        return ERR_OK;
    case TEMPLATE_JSON:
        if (!utf8_is_valid(value->text, strlen(value->text)))
            return err_set(why, ERR_INVALID, "the value of ${%s} is not UTF-8",
                           value->name);
        add_json(value->text, out);
        return ERR_OK;
    case TEMPLATE_URL:
        template_add_url(value->text, out);
        return ERR_OK;
    case TEMPLATE_AS_IS:
        buf_text(out, value->text);
        return ERR_OK;
    }
    return ERR_INVALID;
}

static const char nested[] = "json:";

/* JSON inside of what is escaped itself: some services want it as a field of a form. */
static enum err add_nested(const struct template_value *value,
                           enum template_escape escape, struct buf *out,
                           struct err_text *why)
{
    struct buf inner = {0};
    enum err err = add_value(value, TEMPLATE_JSON, &inner, why);
    if (err == ERR_OK && inner.len > 0)
        err = add_value(&(struct template_value){value->name, inner.data}, escape, out,
                        why);
    buf_fini(&inner);
    return err;
}

static const struct template_value *find(const struct template_value *values,
                                         size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0)
            return &values[i];
    return NULL;
}

/* `text` begins with "${"; the place behind its end. */
static enum err fill_one(const char **text, enum template_escape escape,
                         const struct template_value *values, size_t count,
                         struct buf *out, struct err_text *why)
{
    const char *name = *text + 2;
    const char *end = strchr(name, '}');
    if (end == NULL || end - name > NAME_MAX_LEN)
        return err_set(why, ERR_INVALID, "a '${' of a template has no '}'");
    bool is_nested = strncmp(name, nested, sizeof nested - 1) == 0;
    if (is_nested)
        name += sizeof nested - 1;
    const struct template_value *value = find(values, count, name, (size_t)(end - name));
    if (value == NULL)
        return err_set(why, ERR_INVALID, "a template names ${%.*s}, which there is not",
                       (int)(end - name), name);
    *text = end + 1;
    return is_nested ? add_nested(value, escape, out, why)
                     : add_value(value, escape, out, why);
}

enum err template_fill(const char *text, enum template_escape escape,
                       const struct template_value *values, size_t count, struct buf *out,
                       struct err_text *why)
{
    while (*text != '\0') {
        enum err err = ERR_OK;
        if (text[0] == '$' && text[1] == '{') {
            err = fill_one(&text, escape, values, count, out, why);
        } else {
            buf_add(out, text, 1);
            text += text[0] == '$' && text[1] == '$' ? 2 : 1;
        }
        if (err != ERR_OK)
            return err;
        if (out->len > TEMPLATE_OUT_MAX)
            return err_set(why, ERR_LIMIT, "a filled template is larger than %u bytes",
                           TEMPLATE_OUT_MAX);
    }
    return ERR_OK;
}
