// SPDX-License-Identifier: Apache-2.0
#include "telemetry/cbor_in.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

/* RFC 8949 section 3.1 */
enum major {
    MAJOR_UNSIGNED,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE,
};

#define INFO_ONE_BYTE     24
#define INFO_EIGHT_BYTES  27
#define INFO_INDEFINITE   31
#define SIMPLE_FALSE      20
#define SIMPLE_TRUE       21
#define SIMPLE_NULL       22
#define TAG_DECIMAL       4
#define BREAK             0xff
#define DECIMAL_POWER_MAX 400 /* beyond any double */

/* The start of a data item. */
struct head {
    enum major major;
    unsigned info;
    uint64_t argument;
};

void cbor_in_init(struct cbor_in *in, const void *data, size_t len)
{
    *in = (struct cbor_in){.start = data, .at = data, .end = (const uint8_t *)data + len};
}

static bool fail(struct cbor_in *in, const char *fault)
{
    if (in->fault == NULL)
        in->fault = fault;
    return false;
}

static bool read_head(struct cbor_in *in, struct head *head)
{
    if (in->at >= in->end)
        return fail(in, "bytes end early");
    head->major = (enum major)(*in->at >> 5);
    head->info = *in->at & 0x1f;
    head->argument = head->info;
    in->at++;
    if (head->info < INFO_ONE_BYTE || head->info == INFO_INDEFINITE)
        return true;
    if (head->info > INFO_EIGHT_BYTES)
        return fail(in, "reserved length");
    size_t len = (size_t)1 << (head->info - INFO_ONE_BYTE);
    if ((size_t)(in->end - in->at) < len)
        return fail(in, "bytes end early");
    head->argument = 0;
    for (size_t i = 0; i < len; i++)
        head->argument = head->argument << 8 | *in->at++;
    return true;
}

static bool read_group(struct cbor_in *in, enum major major, const char *fault,
                       struct cbor_group *group)
{
    struct head head;
    if (!read_head(in, &head))
        return false;
    if (head.major != major)
        return fail(in, fault);
    *group = (struct cbor_group){.left = head.argument,
                                 .is_open = head.info == INFO_INDEFINITE};
    return true;
}

bool cbor_in_array(struct cbor_in *in, struct cbor_group *group)
{
    return read_group(in, MAJOR_ARRAY, "an array is wanted", group);
}

bool cbor_in_map(struct cbor_in *in, struct cbor_group *group)
{
    return read_group(in, MAJOR_MAP, "a map is wanted", group);
}

bool cbor_in_more(struct cbor_in *in, struct cbor_group *group)
{
    if (in->fault != NULL)
        return false;
    if (!group->is_open)
        return group->left > 0 && group->left-- > 0;
    if (in->at >= in->end)
        return fail(in, "bytes end early");
    if (*in->at != BREAK)
        return true;
    in->at++;
    return false;
}

static bool read_string(struct cbor_in *in, const struct head *head, struct token *token)
{
    if (head->info == INFO_INDEFINITE)
        return fail(in, "a string of indefinite length");
    if (head->argument > (uint64_t)(in->end - in->at))
        return fail(in, "bytes end early");
    token->kind = head->major == MAJOR_TEXT ? TOKEN_TEXT : TOKEN_BYTES;
    token->text = (const char *)in->at;
    token->len = (size_t)head->argument;
    in->at += token->len;
    if (token->kind == TOKEN_TEXT && (!utf8_is_valid(token->text, token->len) ||
                                      memchr(token->text, '\0', token->len) != NULL))
        return fail(in, "not UTF-8, or NUL in a string");
    return true;
}

static double integer(const struct head *head)
{
    double value = (double)head->argument;
    return head->major == MAJOR_UNSIGNED ? value : -1 - value;
}

static bool is_integer(const struct head *head)
{
    return (head->major == MAJOR_UNSIGNED || head->major == MAJOR_NEGATIVE) &&
           head->info != INFO_INDEFINITE;
}

/* RFC 8949 appendix D */
static double half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 0x1f);
    double mantissa = (double)(bits & 0x3ff);
    double value = ldexp(mantissa + 1024, exponent - 25);
    if (exponent == 0)
        value = ldexp(mantissa, -24);
    if (exponent == 31)
        value = (double)INFINITY; /* or NaN; neither is a measured value */
    return (bits & 0x8000) != 0 ? -value : value;
}

static bool number(struct cbor_in *in, double value, struct token *token)
{
    if (!isfinite(value))
        return fail(in, "not a finite number");
    token->kind = TOKEN_NUMBER;
    token->number = value;
    return true;
}

static bool read_simple(struct cbor_in *in, const struct head *head, struct token *token)
{
    switch (head->info) {
    case SIMPLE_FALSE:
        token->kind = TOKEN_FALSE;
        return true;
    case SIMPLE_TRUE:
        token->kind = TOKEN_TRUE;
        return true;
    case SIMPLE_NULL:
        token->kind = TOKEN_NULL;
        return true;
    case 25:
        return number(in, half(head->argument), token);
    case 26: {
        uint32_t bits = (uint32_t)head->argument;
        float value;
        memcpy(&value, &bits, sizeof value);
        return number(in, (double)value, token);
    }
    case 27: {
        double value;
        memcpy(&value, &head->argument, sizeof value);
        return number(in, value, token);
    }
    }
    return fail(in, "unknown simple value");
}

/*
 * Behind tag 4: [exponent, mantissa] (RFC 8949 section 3.4.4). Through its decimal text,
 * because that is what a JSON number of the same value would be.
 */
static bool read_decimal(struct cbor_in *in, struct token *token)
{
    struct head array = {0};
    struct head exponent = {0};
    struct head mantissa = {0};
    if (!read_head(in, &array) || !read_head(in, &exponent) || !read_head(in, &mantissa))
        return false;
    if (array.major != MAJOR_ARRAY || array.info != 2 || !is_integer(&exponent) ||
        !is_integer(&mantissa) || exponent.argument > DECIMAL_POWER_MAX ||
        mantissa.argument == UINT64_MAX)
        return fail(in, "not a decimal fraction");
    bool is_negative = mantissa.major == MAJOR_NEGATIVE;
    char text[64];
    int len =
        snprintf(text, sizeof text, "%s%" PRIu64 "e%d", is_negative ? "-" : "",
                 mantissa.argument + (is_negative ? 1 : 0), (int)integer(&exponent));
    assert(len > 0 && (size_t)len < sizeof text);
    double value;
    if (number_scan(&value, text, (size_t)len) != (size_t)len)
        return fail(in, "not a finite number");
    return number(in, value, token);
}

static bool read_item(struct cbor_in *in, struct token *token, unsigned depth);

static bool skip_group(struct cbor_in *in, const struct head *head, unsigned depth)
{
    struct token token;
    struct cbor_group group = {.left = head->argument,
                               .is_open = head->info == INFO_INDEFINITE};
    while (cbor_in_more(in, &group)) {
        if (!read_item(in, &token, depth + 1))
            return false;
        if (head->major == MAJOR_MAP && !read_item(in, &token, depth + 1))
            return false;
    }
    return in->fault == NULL;
}

/* Recursion is bounded by TOKEN_DEPTH_MAX: an item in an item is one deeper. */
static bool read_item(struct cbor_in *in, struct token *token, unsigned depth)
{
    struct head head;
    if (depth > TOKEN_DEPTH_MAX)
        return fail(in, "nested too deep");
    if (!read_head(in, &head))
        return false;
    switch (head.major) {
    case MAJOR_UNSIGNED:
    case MAJOR_NEGATIVE:
        if (!is_integer(&head))
            return fail(in, "reserved length");
        return number(in, integer(&head), token);
    case MAJOR_BYTES:
    case MAJOR_TEXT:
        return read_string(in, &head, token);
    case MAJOR_ARRAY:
    case MAJOR_MAP:
        token->kind = TOKEN_NESTED;
        return skip_group(in, &head, depth);
    case MAJOR_TAG:
        if (head.info == INFO_INDEFINITE)
            return fail(in, "reserved length");
        if (head.argument == TAG_DECIMAL)
            return read_decimal(in, token);
        return read_item(in, token, depth + 1);
    case MAJOR_SIMPLE:
        return read_simple(in, &head, token);
    }
    return fail(in, "unknown item");
}

bool cbor_in_key(struct cbor_in *in, struct token *token)
{
    struct head head;
    if (!read_head(in, &head))
        return false;
    if (head.major == MAJOR_TEXT)
        return read_string(in, &head, token);
    if (!is_integer(&head))
        return fail(in, "a name is an integer or text");
    return number(in, integer(&head), token);
}

bool cbor_in_value(struct cbor_in *in, struct token *token)
{
    assert(in->fault == NULL);
    return read_item(in, token, 0);
}
