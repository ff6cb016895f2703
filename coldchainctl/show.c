// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/show.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/units.h"
#include "coldchainctl/say.h"
#include "coldchainctl/width.h"

static_assert(SHOW_SIZE >= NUMBER_SIZE, "numbers have room");
static_assert(SHOW_SIZE >= CLOCK_ISO_MAX, "times have room");

const char *show_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && text[0] != '\0' ? text : "-";
}

const char *show_number(char text[SHOW_SIZE], const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value))
        snprintf(text, SHOW_SIZE, "%" PRId64, (int64_t)json_integer_value(value));
    else if (json_is_real(value))
        number_format(json_real_value(value), text);
    else
        snprintf(text, SHOW_SIZE, "-");
    return text;
}

const char *show_time(char text[SHOW_SIZE], const json_t *object, const char *key)
{
    const char *iso = show_text(object, key);
    int64_t ms;
    if (!clock_parse_iso(&ms, iso)) {
        snprintf(text, SHOW_SIZE, "-");
        return text;
    }
    snprintf(text, SHOW_SIZE, "%.10s %.8sZ", iso, iso + 11);
    return text;
}

const char *show_age(char text[SHOW_SIZE], const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    int64_t s = (int64_t)json_number_value(value) / 1000;
    if (!json_is_number(value))
        snprintf(text, SHOW_SIZE, "-");
    else if (s < 0)
        snprintf(text, SHOW_SIZE, "%s", say("ahead"));
    else if (s < 120)
        snprintf(text, SHOW_SIZE, say("%" PRId64 "s"), s);
    else if (s < 7200)
        snprintf(text, SHOW_SIZE, say("%" PRId64 "m"), s / 60);
    else if (s < 172800)
        snprintf(text, SHOW_SIZE, say("%" PRId64 "h%02" PRId64 "m"), s / 3600,
                 s / 60 % 60);
    else
        snprintf(text, SHOW_SIZE, say("%" PRId64 "d"), s / 86400);
    return text;
}

const char *show_yes_no(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        return "-";
    return json_is_true(value) ? say("yes") : say("no");
}

const char *show_word(const json_t *object, const char *key, const char *list)
{
    const char *word = show_text(object, key);
    return list != NULL ? say_of(list, word) : say_word(word);
}

void show_fact(int columns, const char *name, const char *fmt, ...)
{
    const char *said = say_word(name);
    int used = (int)width_of(said, strlen(said));
    printf("%s%*s ", said, used < columns ? columns - used : 0, "");
    va_list args;
    va_start(args, fmt);
    vprintf(say(fmt), args);
    va_end(args);
    putchar('\n');
}

static void print_object(const json_t *object)
{
    const char *key;
    const char *between = "{";
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)object, key, member)
    {
        json_t *name = json_string(key);
        fputs(between, stdout);
        json_dumpf(name, stdout, JSON_ENCODE_ANY);
        putchar(':');
        show_value(member);
        json_decref(name);
        between = ",";
    }
    fputs(json_object_size(object) > 0 ? "}" : "{}", stdout);
}

static void print_array(const json_t *array)
{
    size_t i;
    json_t *member;
    putchar('[');
    json_array_foreach((json_t *)(uintptr_t)array, i, member)
    {
        fputs(i > 0 ? ",\n " : "", stdout);
        show_value(member);
    }
    putchar(']');
}

/* jansson's own 17 digits are exact but ugly: 2.7999999999999998 for 2.8. */
void show_value(const json_t *value)
{
    char text[NUMBER_SIZE];
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        print_object(value);
        break;
    case JSON_ARRAY:
        print_array(value);
        break;
    case JSON_REAL:
        number_format(json_real_value(value), text);
        fputs(text, stdout);
        break;
    case JSON_STRING:
    case JSON_INTEGER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        json_dumpf(value, stdout, JSON_ENCODE_ANY);
        break;
    }
}

void show_json(json_t *value)
{
    show_value(value);
    putchar('\n');
    json_decref(value);
}

void show_warnings(const char *place, const json_t *answer)
{
    const char *member = say_language() == SAY_ZH ? "text_zh" : "text";
    size_t i;
    json_t *warning;
    json_array_foreach(json_object_get(answer, "warnings"), i, warning)
    {
        const char *text = json_string_value(json_object_get(warning, member));
        fprintf(stderr, "%s%s", place != NULL ? place : "", place != NULL ? ": " : "");
        fprintf(stderr, say("warning: %s\n"), text != NULL ? text : "");
    }
}

enum err show_parse_time(char **text, const char *option, const char *given,
                         int64_t now_ms, struct err_text *why)
{
    *text = NULL;
    if (given == NULL)
        return ERR_OK;
    int64_t ms;
    bool is_number = given[0] != '\0' && given[strspn(given, "0123456789")] == '\0';
    if (is_number || clock_parse_iso(&ms, given)) {
        *text = mem_strdup(given);
        return ERR_OK;
    }
    if (units_parse_duration(&ms, given) == ERR_OK && ms >= 0) {
        *text = mem_format("%" PRId64, now_ms > ms ? now_ms - ms : 0);
        return ERR_OK;
    }
    return err_set(
        why, ERR_INVALID,
        say("--%s takes a time such as 2026-11-23T08:00:00Z, or 6h for so long "
            "ago, not '%.60s'"),
        option, given);
}
