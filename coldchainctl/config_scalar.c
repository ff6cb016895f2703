// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/config_scalar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alerts/rule.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/number.h"
#include "base/units.h"
#include "base/utf8.h"
#include "coldchainctl/config_model.h"
#include "coldchainctl/say.h"
#include "telemetry/reading.h"

#define LIST_SIZE  400
#define GIVEN_MOST 60

static bool is_within(const json_t *field, double value)
{
    const json_t *least = json_object_get(field, "least");
    const json_t *most = json_object_get(field, "most");
    return least == NULL ||
           (value >= json_number_value(least) && value <= json_number_value(most));
}

static json_t *take_number(const json_t *field, const struct tree *node)
{
    double value;
    size_t len = strlen(node->text);
    bool is_good = node->is_plain && len > 0 &&
                   number_scan(&value, node->text, len) == len && is_within(field, value);
    return is_good ? json_real(value) : NULL;
}

/* A number, or an end of the zone's band. */
static json_t *take_level(const json_t *field, const struct tree *node)
{
    struct alert_from_band from;
    char text[ALERT_FROM_BAND_SIZE];
    return alert_from_band_parse(&from, node->text)
               ? json_string(alert_from_band_format(&from, text))
               : take_number(field, node);
}

static json_t *take_id(const json_t *field, const struct tree *node)
{
    (void)field;
    return id_is_valid(node->text) ? json_string(node->text) : NULL;
}

static json_t *take_text(const json_t *field, const struct tree *node)
{
    (void)field;
    bool is_nothing =
        node->is_plain && (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
                           strcmp(node->text, "null") == 0);
    return is_nothing ? NULL : json_string(node->text);
}

static json_t *take_flag(const json_t *field, const struct tree *node)
{
    (void)field;
    if (!node->is_plain)
        return NULL;
    if (strcmp(node->text, "true") == 0 || strcmp(node->text, "yes") == 0)
        return json_true();
    bool is_false = strcmp(node->text, "false") == 0 || strcmp(node->text, "no") == 0;
    return is_false ? json_false() : NULL;
}

static json_t *take_time(const json_t *field, const struct tree *node)
{
    int64_t ms;
    (void)field;
    return clock_parse_iso(&ms, node->text) && ms >= 0 ? json_integer(ms) : NULL;
}

static json_t *take_duration(const json_t *field, const struct tree *node)
{
    int64_t ms;
    bool is_good = units_parse_duration(&ms, node->text) == ERR_OK && ms >= 0 &&
                   is_within(field, (double)ms);
    return is_good ? json_integer(ms) : NULL;
}

static json_t *take_word(const json_t *field, const struct tree *node)
{
    size_t i;
    json_t *word;
    json_array_foreach(json_object_get(field, "words"), i, word)
    {
        if (strcmp(json_string_value(word), node->text) == 0)
            return json_string(node->text);
    }
    return NULL;
}

static const struct {
    const char *type;
    json_t *(*take)(const json_t *field, const struct tree *node);
} scalars[] = {
    {"identifier", take_id}, {"name", take_text},      {"text", take_text},
    {"number", take_number}, {"level", take_level},    {"yes or no", take_flag},
    {"time", take_time},     {"word", take_word},      {"duration", take_duration},
    {"words", take_word},    {"identifiers", take_id},
};

/* "above, below, ...": whole words, as many as there is room for. */
static const char *words_of(const json_t *field, char text[LIST_SIZE])
{
    size_t i;
    json_t *word;
    size_t len = 0;
    text[0] = '\0';
    json_array_foreach(json_object_get(field, "words"), i, word)
    {
        const char *name = json_string_value(word);
        if (len + strlen(name) + 3 < LIST_SIZE)
            len += (size_t)snprintf(text + len, LIST_SIZE - len, "%s%s",
                                    i > 0 ? ", " : "", name);
    }
    return text;
}

static void refuse_word(const json_t *field, const char *given, char why[SCALAR_WHY_SIZE])
{
    char list[LIST_SIZE];
    size_t i;
    json_t *word;
    struct names_near near;
    names_near_init(&near, given);
    json_array_foreach(json_object_get(field, "words"), i, word)
    {
        names_near_offer(&near, json_string_value(word), json_string_length(word));
    }
    if (near.best != NULL && near.distance * 3 <= near.wanted_len)
        snprintf(why, SCALAR_WHY_SIZE, say("'%s' takes no '%s'; did you mean '%.*s'?"),
                 model_text(field, "name"), given, (int)near.best_len, near.best);
    else
        snprintf(why, SCALAR_WHY_SIZE, say("'%s' takes no '%s'; there are: %s"),
                 model_text(field, "name"), given, words_of(field, list));
}

static void put_range(const json_t *field, char text[LIST_SIZE])
{
    double least = json_number_value(json_object_get(field, "least"));
    double most = json_number_value(json_object_get(field, "most"));
    char first[UNITS_TEXT_MAX];
    char last[UNITS_TEXT_MAX];
    bool is_bounded = json_object_get(field, "least") != NULL;
    if (strcmp(model_text(field, "type"), "number") == 0 && is_bounded)
        snprintf(text, LIST_SIZE, say("a number from %g to %g"), least, most);
    else if (strcmp(model_text(field, "type"), "number") == 0)
        snprintf(text, LIST_SIZE, "%s", say("a number"));
    else if (is_bounded)
        snprintf(text, LIST_SIZE,
                 say("a duration such as 90s, 10m or 1h30m, from %s to %s"),
                 units_format_duration(first, (int64_t)least),
                 units_format_duration(last, (int64_t)most));
    else
        snprintf(text, LIST_SIZE, "%s", say("a duration such as 90s, 10m or 1h30m"));
}

/* What a field of that type is written as. */
static const char *wanted(const json_t *field, char text[LIST_SIZE])
{
    const char *type = model_text(field, "type");
    if (strcmp(type, "identifier") == 0 || strcmp(type, "identifiers") == 0)
        return say("1 to 64 of A-Z a-z 0-9 _ -");
    if (strcmp(type, "time") == 0)
        return say("a time such as 2026-11-23T08:00:00Z");
    if (strcmp(type, "yes or no") == 0)
        return say("true or false");
    if (strcmp(type, "level") == 0)
        return say("a number, or an end of the zone's band such as band_high-0.5");
    if (strcmp(type, "number") != 0 && strcmp(type, "duration") != 0)
        return say("a text");
    put_range(field, text);
    return text;
}

/* What stands there, cut to what a sentence bears. */
static void put_given(const struct tree *node, char given[GIVEN_MOST + 1])
{
    const char *text = node->kind == TREE_TEXT   ? node->text
                       : node->kind == TREE_LIST ? "[...]"
                                                 : "{...}";
    size_t len = utf8_fit(text, strlen(text), GIVEN_MOST);
    memcpy(given, text, len);
    given[len] = '\0';
}

json_t *scalar_take(const json_t *field, const struct tree *node,
                    char why[SCALAR_WHY_SIZE])
{
    char text[LIST_SIZE];
    char given[GIVEN_MOST + 1];
    put_given(node, given);
    const char *type = model_text(field, "type");
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++) {
        if (strcmp(scalars[i].type, type) != 0 || node->kind != TREE_TEXT)
            continue;
        json_t *value = scalars[i].take(field, node);
        if (value != NULL)
            return value;
    }
    if (json_object_get(field, "words") != NULL)
        refuse_word(field, given, why);
    else
        snprintf(why, SCALAR_WHY_SIZE, say("'%s' takes %s, not '%s'"),
                 model_text(field, "name"), wanted(field, text), given);
    return NULL;
}
