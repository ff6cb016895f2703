// SPDX-License-Identifier: Apache-2.0
/*
 * check - a body against the fields of its verb.
 */
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/rule.h"
#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "collector/command/verb.h"
#include "telemetry/reading.h"

#define TEXT_MAX    200
#define RECORDS_MAX 64
#define TEXTS_MAX   32
#define NAME_MAX_   199
#define LIST_MAX    64

static enum err check_object(const struct field *fields, const json_t *body,
                             const char *where, json_t **clean, struct err_text *why);

static bool is_bounded(const struct field *field)
{
    return field->least != 0 || field->most != 0;
}

static bool is_within(const struct field *field, double value)
{
    return isfinite(value) &&
           (!is_bounded(field) || (value >= field->least && value <= field->most));
}

/* ---- one function per type: the value as it is kept, or NULL --------------------------
 */

static json_t *take_id(const struct field *field, const json_t *value)
{
    const char *text = json_string_value(value);
    (void)field;
    return text != NULL && id_is_valid(text) ? json_deep_copy(value) : NULL;
}

static json_t *take_name(const struct field *field, const json_t *value)
{
    const char *text = json_string_value(value);
    (void)field;
    if (text == NULL || text[0] == '\0' || strlen(text) > NAME_MAX_)
        return NULL;
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("_-/.", *at) == NULL)
            return NULL;
    return json_deep_copy(value);
}

static json_t *take_text(const struct field *field, const json_t *value)
{
    size_t most = field->most > 0 ? (size_t)field->most : TEXT_MAX;
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    bool is_good = text != NULL && len <= most && utf8_is_plain(text, len);
    return is_good ? json_deep_copy(value) : NULL;
}

static json_t *take_number(const struct field *field, const json_t *value)
{
    return json_is_number(value) && is_within(field, json_number_value(value))
               ? json_deep_copy(value)
               : NULL;
}

static json_t *take_level(const struct field *field, const json_t *value)
{
    struct alert_from_band from;
    char text[ALERT_FROM_BAND_SIZE];
    const char *given = json_string_value(value);
    if (given == NULL)
        return take_number(field, value);
    return alert_from_band_parse(&from, given)
               ? json_string(alert_from_band_format(&from, text))
               : NULL;
}

static json_t *take_bool(const struct field *field, const json_t *value)
{
    (void)field;
    return json_is_boolean(value) ? json_deep_copy(value) : NULL;
}

static json_t *take_time(const struct field *field, const json_t *value)
{
    int64_t ms = json_integer_value(value);
    const char *text = json_string_value(value);
    (void)field;
    if (text != NULL ? !clock_parse_iso(&ms, text) : !json_is_integer(value))
        return NULL;
    return ms >= 0 && ms < INT64_C(253402300800000) ? json_integer(ms) : NULL;
}

static json_t *take_duration(const struct field *field, const json_t *value)
{
    int64_t ms = json_integer_value(value);
    const char *text = json_string_value(value);
    if (text != NULL ? units_parse_duration(&ms, text) != ERR_OK
                     : !json_is_integer(value))
        return NULL;
    return is_within(field, (double)ms) && ms >= 0 ? json_integer(ms) : NULL;
}

static json_t *take_word(const struct field *field, const json_t *value)
{
    assert(field->words != NULL);
    const char *text = json_string_value(value);
    for (const char *const *word = field->words; text != NULL && *word != NULL; word++)
        if (strcmp(*word, text) == 0)
            return json_deep_copy(value);
    return NULL;
}

static json_t *take_texts(const struct field *field, const json_t *value)
{
    const char *key;
    json_t *text;
    if (!json_is_object(value) || json_object_size(value) > TEXTS_MAX)
        return NULL;
    json_object_foreach((json_t *)(uintptr_t)value, key, text)
    {
        json_t *copy = take_text(field, text);
        if (!id_is_valid(key) || copy == NULL) {
            json_decref(copy);
            return NULL;
        }
        json_decref(copy);
    }
    return json_deep_copy(value);
}

static json_t *take_list(const struct field *field, const json_t *value,
                         json_t *(*take_one)(const struct field *, const json_t *))
{
    if (!json_is_array(value) || json_array_size(value) > LIST_MAX)
        return NULL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *one = take_one(field, json_array_get(value, i));
        if (one == NULL)
            return NULL;
        json_decref(one);
    }
    return json_deep_copy(value);
}

static json_t *take_ids(const struct field *field, const json_t *value)
{
    return take_list(field, value, take_id);
}

static json_t *take_words(const struct field *field, const json_t *value)
{
    return take_list(field, value, take_word);
}

typedef json_t *take_fn(const struct field *field, const json_t *value);

static take_fn *const takes[] = {
    [FIELD_ID] = take_id,       [FIELD_NAME] = take_name,
    [FIELD_TEXT] = take_text,   [FIELD_NUMBER] = take_number,
    [FIELD_LEVEL] = take_level, [FIELD_BOOL] = take_bool,
    [FIELD_TIME] = take_time,   [FIELD_DURATION] = take_duration,
    [FIELD_WORD] = take_word,   [FIELD_IDS] = take_ids,
    [FIELD_WORDS] = take_words, [FIELD_TEXTS] = take_texts,
};

static_assert(sizeof takes / sizeof takes[0] == FIELD_RECORDS, "records come last");

/* ---- what it may be, for the sentence -------------------------------------------------
 */

static enum err refuse(const struct field *field, const char *where, struct err_text *why)
{
    char words[256] = "";
    switch (field->type) {
    case FIELD_ID:
        return err_set(why, ERR_INVALID,
                       "'%s%s' is not an identifier: use 1 to 64 of A-Z a-z 0-9 _ -",
                       where, field->name);
    case FIELD_NAME:
        return err_set(why, ERR_INVALID,
                       "'%s%s' is not a name: use letters, digits and _ - / .", where,
                       field->name);
    case FIELD_TEXT:
    case FIELD_TEXTS:
        return err_set(why, ERR_INVALID, "'%s%s' is not a text of at most %d bytes",
                       where, field->name, field->most > 0 ? (int)field->most : TEXT_MAX);
    case FIELD_NUMBER:
        if (!is_bounded(field))
            return err_set(why, ERR_INVALID, "'%s%s' is not a number", where,
                           field->name);
        return err_set(why, ERR_INVALID, "'%s%s' is not a number from %g to %g", where,
                       field->name, field->least, field->most);
    case FIELD_LEVEL:
        return err_set(why, ERR_INVALID,
                       "'%s%s' is not a number, nor an end of the zone's band such as "
                       "band_high or band_high-0.5",
                       where, field->name);
    case FIELD_BOOL:
        return err_set(why, ERR_INVALID, "'%s%s' is not true or false", where,
                       field->name);
    case FIELD_TIME:
        return err_set(why, ERR_INVALID,
                       "'%s%s' is not a time such as 2026-11-01T08:00:00Z", where,
                       field->name);
    case FIELD_DURATION:
        return err_set(why, ERR_INVALID,
                       "'%s%s' is not a duration such as 90s, 10m, 2h%s", where,
                       field->name, is_bounded(field) ? ", or out of bounds" : "");
    case FIELD_IDS:
        return err_set(why, ERR_INVALID, "'%s%s' is not a list of at most %d identifiers",
                       where, field->name, LIST_MAX);
    case FIELD_WORD:
    case FIELD_WORDS:
        for (const char *const *word = field->words; *word != NULL; word++) {
            size_t len = strlen(words);
            snprintf(words + len, sizeof words - len, "%s%s", len > 0 ? ", " : "", *word);
        }
        return err_set(why, ERR_INVALID, "'%s%s' is not %s: %s", where, field->name,
                       field->type == FIELD_WORD ? "one of" : "a list of some of", words);
    case FIELD_RECORDS:
        break;
    }
    return err_set(why, ERR_INVALID, "'%s%s' is not a list of at most %d objects", where,
                   field->name, field->most > 0 ? (int)field->most : RECORDS_MAX);
}

static enum err take_records(const struct field *field, const json_t *value,
                             const char *where, json_t **clean, struct err_text *why)
{
    size_t most = field->most > 0 ? (size_t)field->most : RECORDS_MAX;
    *clean = NULL;
    if (!json_is_array(value) || json_array_size(value) > most)
        return refuse(field, where, why);
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        char below[128];
        json_t *entry;
        snprintf(below, sizeof below, "%s%s[%zu].", where, field->name, i);
        enum err err =
            check_object(field->record, json_array_get(value, i), below, &entry, why);
        if (err != ERR_OK) {
            json_decref(list);
            return err;
        }
        json_array_append_new(list, entry);
    }
    *clean = list;
    return ERR_OK;
}

static enum err take_field(const struct field *field, const json_t *value,
                           const char *where, json_t *clean, struct err_text *why)
{
    assert(field->type == FIELD_RECORDS || takes[field->type] != NULL);
    json_t *taken = NULL;
    if (json_is_null(value) && field->need != FIELD_ALWAYS)
        taken = json_null();
    else if (field->type != FIELD_RECORDS)
        taken = takes[field->type](field, value);
    else if (take_records(field, value, where, &taken, why) != ERR_OK)
        return ERR_INVALID;
    if (taken == NULL)
        return refuse(field, where, why);
    json_object_set_new(clean, field->name, taken);
    return ERR_OK;
}

static const struct field *field_find(const struct field *fields, const char *name)
{
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

static enum err unknown(const struct field *fields, const char *where, const char *key,
                        struct err_text *why)
{
    char names[300] = "";
    for (; fields->name != NULL; fields++) {
        size_t len = strlen(names);
        snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? ", " : "",
                 fields->name);
    }
    return err_set(why, ERR_INVALID, "'%.40s%.40s' is not known here; there are: %s",
                   where, key, names);
}

static enum err check_object(const struct field *fields, const json_t *body,
                             const char *where, json_t **clean, struct err_text *why)
{
    const char *key;
    json_t *value;
    *clean = NULL;
    if (!json_is_object(body))
        return err_set(why, ERR_INVALID, "'%s' is not a JSON object", where);
    json_t *taken = json_object();
    enum err err = ERR_OK;
    json_object_foreach((json_t *)(uintptr_t)body, key, value)
    {
        const struct field *field = field_find(fields, key);
        err = field != NULL ? take_field(field, value, where, taken, why)
                            : unknown(fields, where, key, why);
        if (err != ERR_OK)
            break;
    }
    for (; err == ERR_OK && fields->name != NULL; fields++)
        if (fields->need == FIELD_ALWAYS && json_object_get(taken, fields->name) == NULL)
            err = err_set(why, ERR_INVALID, "'%s%s' is missing: %s", where, fields->name,
                          fields->help);
    if (err != ERR_OK) {
        json_decref(taken);
        return err;
    }
    *clean = taken;
    return ERR_OK;
}

enum err verb_check(const struct field *fields, const json_t *body, json_t **clean,
                    struct err_text *why)
{
    assert(fields != NULL);
    return check_object(fields, body, "", clean, why);
}
