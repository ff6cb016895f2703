// SPDX-License-Identifier: Apache-2.0
#include "telemetry/json_in.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

void json_in_init(struct json_in *in, const void *data, size_t len)
{
    *in = (struct json_in){.start = data, .at = data, .end = (const char *)data + len};
}

void json_in_fini(struct json_in *in)
{
    buf_fini(&in->unescaped);
    *in = (struct json_in){0};
}

void json_in_forget(struct json_in *in)
{
    buf_clear(&in->unescaped);
}

static bool fail(struct json_in *in, const char *fault)
{
    if (in->fault == NULL)
        in->fault = fault;
    return false;
}

static void skip_space(struct json_in *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
}

bool json_in_take(struct json_in *in, char c)
{
    skip_space(in);
    if (in->at >= in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

bool json_in_want(struct json_in *in, char c, const char *fault)
{
    return json_in_take(in, c) || fail(in, in->at < in->end ? fault : "text ends early");
}

bool json_in_at_end(struct json_in *in)
{
    skip_space(in);
    return in->at == in->end;
}

/* Four hex digits at `at`; -1 when they are none. */
static int32_t hex4(const struct json_in *in)
{
    int32_t value = 0;
    if (in->end - in->at < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char c = in->at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Behind "\u": one character, of which UTF-16 may have made two escapes. */
static bool unescape_unicode(struct json_in *in)
{
    int32_t unit = hex4(in);
    if (unit < 0)
        return fail(in, "\\u wants four hex digits");
    in->at += 4;
    uint32_t character = (uint32_t)unit;
    if (unit >= 0xd800 && unit <= 0xdbff && in->end - in->at >= 6 &&
        memcmp(in->at, "\\u", 2) == 0) {
        in->at += 2;
        int32_t low = hex4(in);
        if (low < 0xdc00 || low > 0xdfff)
            return fail(in, "half a surrogate pair");
        in->at += 4;
        character =
            0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
    } else if (unit >= 0xd800 && unit <= 0xdfff) {
        return fail(in, "half a surrogate pair");
    }
    if (character == 0)
        return fail(in, "NUL in a string");
    char bytes[4];
    buf_add(&in->unescaped, bytes, utf8_write(character, bytes));
    return true;
}

/* Behind a backslash. */
static bool unescape(struct json_in *in)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (in->at >= in->end)
        return fail(in, "text ends early");
    char c = *in->at++;
    if (c == 'u')
        return unescape_unicode(in);
    const char *found = c != '\0' ? strchr(escapes, c) : NULL;
    if (found == NULL)
        return fail(in, "unknown escape");
    buf_u8(&in->unescaped, (uint8_t)meanings[found - escapes]);
    return true;
}

/* Passes over characters that stand for themselves; false for one that no string holds.
 */
static bool skip_plain(struct json_in *in)
{
    while (in->at < in->end) {
        unsigned char c = (unsigned char)*in->at;
        if (c == '"' || c == '\\')
            return true;
        if (c < 0x20)
            return fail(in, "control character in a string");
        size_t step = c < 0x80 ? 1 : utf8_len(in->at, (size_t)(in->end - in->at));
        if (step == 0)
            return fail(in, "not UTF-8");
        in->at += step;
    }
    return fail(in, "text ends early");
}

/*
 * The rest of a string that holds an escape. The room is made at once and never moves,
 * so that all tokens of a record stay valid: text gets shorter by unescaping.
 */
static bool unescape_string(struct json_in *in, const char *from, struct token *token)
{
    if (in->unescaped.capacity == 0)
        buf_reserve(&in->unescaped, (size_t)(in->end - in->start));
    size_t begin = in->unescaped.len;
    for (;;) {
        buf_add(&in->unescaped, from, (size_t)(in->at - from));
        if (*in->at == '"')
            break;
        in->at++;
        if (!unescape(in))
            return false;
        from = in->at;
        if (!skip_plain(in))
            return false;
    }
    in->at++;
    token->text = in->unescaped.data + begin;
    token->len = in->unescaped.len - begin;
    return true;
}

bool json_in_string(struct json_in *in, struct token *token)
{
    if (!json_in_want(in, '"', "a string is wanted"))
        return false;
    const char *from = in->at;
    token->kind = TOKEN_TEXT;
    if (!skip_plain(in))
        return false;
    if (*in->at == '\\')
        return unescape_string(in, from, token);
    token->text = from;
    token->len = (size_t)(in->at - from);
    in->at++;
    return true;
}

static bool word(struct json_in *in, const char *text, enum token_kind kind,
                 struct token *token)
{
    size_t len = strlen(text);
    if ((size_t)(in->end - in->at) < len || memcmp(in->at, text, len) != 0)
        return fail(in, "a value is wanted");
    in->at += len;
    token->kind = kind;
    return true;
}

static bool scalar(struct json_in *in, struct token *token)
{
    switch (*in->at) {
    case '"':
        return json_in_string(in, token);
    case 't':
        return word(in, "true", TOKEN_TRUE, token);
    case 'f':
        return word(in, "false", TOKEN_FALSE, token);
    case 'n':
        return word(in, "null", TOKEN_NULL, token);
    }
    size_t len = number_scan(&token->number, in->at, (size_t)(in->end - in->at));
    if (len == 0)
        return fail(in, "a value is wanted, or a number is too large");
    in->at += len;
    token->kind = TOKEN_NUMBER;
    return true;
}

static bool skip_value(struct json_in *in, struct token *token, unsigned depth);

/* Behind '[' or '{'. */
static bool skip_nested(struct json_in *in, bool is_object, unsigned depth)
{
    char end = is_object ? '}' : ']';
    struct token token;
    if (depth >= TOKEN_DEPTH_MAX)
        return fail(in, "nested too deep");
    if (json_in_take(in, end))
        return true;
    do {
        if (is_object && (!json_in_string(in, &token) ||
                          !json_in_want(in, ':', "':' is wanted behind a name")))
            return false;
        if (!skip_value(in, &token, depth + 1))
            return false;
    } while (json_in_take(in, ','));
    return json_in_want(in, end,
                        is_object ? "',' or '}' is wanted" : "',' or ']' is wanted");
}

/* Recursion is bounded by TOKEN_DEPTH_MAX. */
static bool skip_value(struct json_in *in, struct token *token, unsigned depth)
{
    skip_space(in);
    if (in->at >= in->end)
        return fail(in, "text ends early");
    if (*in->at != '{' && *in->at != '[')
        return scalar(in, token);
    bool is_object = *in->at++ == '{';
    token->kind = TOKEN_NESTED;
    return skip_nested(in, is_object, depth);
}

bool json_in_value(struct json_in *in, struct token *token)
{
    assert(in->fault == NULL);
    return skip_value(in, token, 0);
}
