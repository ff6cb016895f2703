// SPDX-License-Identifier: Apache-2.0
#include "telemetry/line.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

/* Escaped in a measurement; in tag keys, tag values and field keys '=' as well. */
#define MEASUREMENT_ESCAPES ", "
#define KEY_ESCAPES         ",= "

static const char *const precision_names[] = {
#define X(name, text) [LINE_##name] = text,
    LINE_PRECISION_LIST(X)
#undef X
};

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Any text as a name or a tag value; `what` is what has to be escaped in it. */
static void put_name(struct buf *out, const char *text, const char *what)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        size_t step = utf8_len(text + at, len - at);
        bool is_last_backslash = text[at] == '\\' && at + 1 == len;
        if (step == 0 || is_control(text[at]) || is_last_backslash) {
            buf_u8(out, '_');
            at++;
            continue;
        }
        if (strchr(what, text[at]) != NULL)
            buf_u8(out, '\\');
        buf_add(out, text + at, step);
        at += step;
    }
}

/* Keys that are reserved, or that would make a comment of the line. */
static void put_key(struct buf *out, const char *key, const char *what)
{
    assert(key[0] != '\0');
    if (key[0] == '_' || key[0] == '#')
        buf_u8(out, 'x');
    put_name(out, key, what);
    if (strcmp(key, "time") == 0)
        buf_u8(out, '_');
}

void line_begin(struct line_writer *line, struct buf *out, const char *measurement)
{
    *line = (struct line_writer){.out = out, .begin = out->len};
    put_key(out, measurement, MEASUREMENT_ESCAPES);
}

void line_tag(struct line_writer *line, const char *key, const char *value)
{
    assert(line->field_count == 0 && line->tag_count < LINE_TAGS_MAX);
    if (value == NULL || value[0] == '\0')
        return;
    size_t at = line->tag_count++;
    for (; at > 0 && strcmp(line->tags[at - 1].key, key) > 0; at--)
        line->tags[at] = line->tags[at - 1];
    assert(at == 0 || strcmp(line->tags[at - 1].key, key) != 0);
    line->tags[at] = (struct line_tag){.key = key, .value = value};
}

static void put_tags(struct line_writer *line)
{
    for (size_t i = 0; i < line->tag_count; i++) {
        buf_u8(line->out, ',');
        put_key(line->out, line->tags[i].key, KEY_ESCAPES);
        buf_u8(line->out, '=');
        put_name(line->out, line->tags[i].value, KEY_ESCAPES);
    }
}

static void begin_field(struct line_writer *line, const char *key)
{
    if (line->field_count == 0)
        put_tags(line);
    buf_u8(line->out, line->field_count == 0 ? ' ' : ',');
    put_key(line->out, key, KEY_ESCAPES);
    buf_u8(line->out, '=');
    line->field_count++;
}

bool line_float(struct line_writer *line, const char *key, double value)
{
    char text[NUMBER_SIZE];
    if (!isfinite(value))
        return false;
    begin_field(line, key);
    buf_add(line->out, text, number_format(value, text));
    return true;
}

void line_int(struct line_writer *line, const char *key, int64_t value)
{
    char text[NUMBER_SIZE];
    begin_field(line, key);
    buf_add(line->out, text, number_format_i64(value, text));
    buf_u8(line->out, 'i');
}

void line_bool(struct line_writer *line, const char *key, bool value)
{
    begin_field(line, key);
    buf_text(line->out, value ? "true" : "false");
}

void line_text(struct line_writer *line, const char *key, const char *value)
{
    size_t len = strlen(value);
    begin_field(line, key);
    buf_u8(line->out, '"');
    for (size_t at = 0; at < len;) {
        size_t step = utf8_len(value + at, len - at);
        if (at + (step > 0 ? step : 1) > LINE_TEXT_MAX)
            break;
        if (step == 0 || is_control(value[at])) {
            buf_u8(line->out, ' ');
            at++;
            continue;
        }
        if (value[at] == '"' || value[at] == '\\')
            buf_u8(line->out, '\\');
        buf_add(line->out, value + at, step);
        at += step;
    }
    buf_u8(line->out, '"');
}

bool line_end(struct line_writer *line, int64_t timestamp)
{
    char text[NUMBER_SIZE];
    if (line->field_count == 0) {
        line->out->len = line->begin;
        line->out->data[line->begin] = '\0';
        return false;
    }
    buf_u8(line->out, ' ');
    buf_add(line->out, text, number_format_i64(timestamp, text));
    buf_u8(line->out, '\n');
    return true;
}

enum err line_timestamp(int64_t *timestamp, int64_t time_ms,
                        enum line_precision precision)
{
    int64_t scale = 1;
    switch (precision) {
    case LINE_S:
        /* floor, so that a time before 1970 does not move to the next second */
        *timestamp = time_ms / 1000 - (time_ms % 1000 < 0);
        return ERR_OK;
    case LINE_MS:
        break;
    case LINE_US:
        scale = 1000;
        break;
    case LINE_NS:
        scale = 1000000;
        break;
    }
    if (time_ms > INT64_MAX / scale || time_ms < INT64_MIN / scale)
        return ERR_LIMIT;
    *timestamp = time_ms * scale;
    return ERR_OK;
}

const char *line_precision_name(enum line_precision precision)
{
    assert((size_t)precision < sizeof precision_names / sizeof precision_names[0]);
    return precision_names[precision];
}
