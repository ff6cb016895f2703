// SPDX-License-Identifier: Apache-2.0
#include "base/config_value.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

/* Bounds are doubles: whole numbers beyond this would not be exact. */
#define WHOLE_MAX 9007199254740992.0

static const char *const type_words[] = {
    [CONFIG_STRING] = "a text",
    [CONFIG_SECRET] = "a secret text",
    [CONFIG_BOOL] = "true or false",
    [CONFIG_INT] = "a whole number",
    [CONFIG_DOUBLE] = "a number",
    [CONFIG_SIZE] = "a size such as 64K, 16M or 2G",
    [CONFIG_DURATION] = "a duration such as 10s, 5m or 1h30m",
    [CONFIG_ENUM] = "one of",
    [CONFIG_STRINGS] = "a list of texts",
    [CONFIG_PAIRS] = "a map of texts",
    [CONFIG_RECORDS] = "a list of maps",
};

bool config_is_scalar(const struct config_key *key)
{
    return key->type != CONFIG_STRINGS && key->type != CONFIG_PAIRS &&
           key->type != CONFIG_RECORDS;
}

static bool is_ranged(const struct config_key *key)
{
    return key->least < key->most;
}

static bool in_range(const struct config_key *key, double value)
{
    return !is_ranged(key) || (value >= key->least && value <= key->most);
}

static enum err parse_text(void *field, const char *text)
{
    char *fresh = mem_strdup(text);
    char **held = field;
    free(*held);
    *held = fresh;
    return ERR_OK;
}

static enum err parse_bool(void *field, const char *text)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},
                 {"false", false}, {"no", false}, {"off", false}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i].word) == 0) {
            *(bool *)field = words[i].value;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

static enum err parse_whole(int64_t *number, const char *text)
{
    size_t sign = text[0] == '-' || text[0] == '+';
    if (text[sign] == '\0' || text[sign + strspn(text + sign, "0123456789")] != '\0')
        return ERR_INVALID;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno != 0)
        return ERR_INVALID;
    *number = value;
    return ERR_OK;
}

static enum err parse_double(double *number, const char *text)
{
    if (text[strspn(text, "0123456789+-.eE")] != '\0')
        return ERR_INVALID; /* no hexadecimal, no "nan" */
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return ERR_INVALID;
    *number = value;
    return ERR_OK;
}

static enum err parse_enum(const struct config_key *key, void *field, const char *text)
{
    for (int i = 0; key->words[i] != NULL; i++) {
        if (strcmp(key->words[i], text) == 0) {
            memcpy(field, &i, sizeof i);
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

static enum err parse_number(const struct config_key *key, void *field, const char *text)
{
    int64_t number = 0;
    enum err err = ERR_INVALID;
    if (key->type == CONFIG_INT)
        err = parse_whole(&number, text);
    else if (key->type == CONFIG_SIZE)
        err = units_parse_size(&number, text);
    else if (key->type == CONFIG_DURATION)
        err = units_parse_duration(&number, text);
    if (err != ERR_OK || !in_range(key, (double)number))
        return ERR_INVALID;
    *(int64_t *)field = number;
    return ERR_OK;
}

static enum err parse_real(const struct config_key *key, void *field, const char *text)
{
    double number;
    enum err err = parse_double(&number, text);
    if (err != ERR_OK || !in_range(key, number))
        return ERR_INVALID;
    *(double *)field = number;
    return ERR_OK;
}

enum err config_value_parse(const struct config_key *key, void *field, const char *text)
{
    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
        return parse_text(field, text);
    case CONFIG_BOOL:
        return parse_bool(field, text);
    case CONFIG_INT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        return parse_number(key, field, text);
    case CONFIG_DOUBLE:
        return parse_real(key, field, text);
    case CONFIG_ENUM:
        return parse_enum(key, field, text);
    case CONFIG_STRINGS:
    case CONFIG_PAIRS:
    case CONFIG_RECORDS:
        break;
    }
    assert(!"a list is not parsed from one text");
    return ERR_INVALID;
}

/* The shortest of the usual precisions that reads back as the same number. */
static void format_double(struct buf *to, double value)
{
    char text[40];
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_text(to, text);
}

static void format_whole(enum config_type type, struct buf *to, int64_t value)
{
    char text[UNITS_TEXT_MAX];
    if (type == CONFIG_SIZE)
        buf_text(to, units_format_size(text, value));
    else if (type == CONFIG_DURATION)
        buf_text(to, units_format_duration(text, value));
    else
        buf_format(to, "%lld", (long long)value);
}

/* The code point at *at, which moves behind it; the text is valid UTF-8. */
static uint32_t next_code_point(const char **at)
{
    uint8_t first = (uint8_t) * (*at)++;
    if (first < 0x80)
        return first;
    uint32_t code = first & (first >= 0xF0 ? 0x07u : first >= 0xE0 ? 0x0Fu : 0x1Fu);
    while (((uint8_t) * *at & 0xC0) == 0x80)
        code = (code << 6) | ((uint8_t) * (*at)++ & 0x3F);
    return code;
}

/* What YAML 1.1 would not take, or would fold, when it stood there as it is. */
static bool needs_escape(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 ||
           code == 0x2029 || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

void config_quote(struct buf *to, const char *text)
{
    buf_u8(to, '"');
    while (*text != '\0') {
        const char *from = text;
        uint32_t code = next_code_point(&text);
        if (needs_escape(code)) {
            buf_format(to, "\\u%04X", (unsigned)code);
            continue;
        }
        if (code == '"' || code == '\\')
            buf_u8(to, '\\');
        buf_add(to, from, (size_t)(text - from));
    }
    buf_u8(to, '"');
}

void config_value_format(const struct config_key *key, const void *field, struct buf *to)
{
    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
        config_quote(to, *(char *const *)field);
        return;
    case CONFIG_BOOL:
        buf_text(to, *(const bool *)field ? "true" : "false");
        return;
    case CONFIG_INT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        format_whole(key->type, to, *(const int64_t *)field);
        return;
    case CONFIG_DOUBLE:
        format_double(to, *(const double *)field);
        return;
    case CONFIG_ENUM:
        buf_text(to, key->words[*(const int *)field]);
        return;
    case CONFIG_STRINGS:
    case CONFIG_PAIRS:
    case CONFIG_RECORDS:
        break;
    }
    assert(!"a list is not one text");
}

static void format_bound(const struct config_key *key, struct buf *to, double bound)
{
    if (key->type == CONFIG_DOUBLE)
        format_double(to, bound);
    else
        format_whole(key->type, to, (int64_t)bound);
}

void config_value_describe(const struct config_key *key, struct buf *to)
{
    buf_text(to, type_words[key->type]);
    for (size_t i = 0; key->type == CONFIG_ENUM && key->words[i] != NULL; i++)
        buf_format(to, "%s %s", i > 0 ? "," : "", key->words[i]);
    if (!is_ranged(key))
        return;
    buf_text(to, config_is_scalar(key) ? ", " : " with ");
    format_bound(key, to, key->least);
    buf_text(to, " to ");
    format_bound(key, to, key->most);
    if (!config_is_scalar(key))
        buf_text(to, " entries");
}

void *config_field(const struct config_key *key, const void *settings)
{
    return (char *)(uintptr_t)settings + key->offset;
}

size_t *config_count(const struct config_key *key, const void *settings)
{
    assert(!config_is_scalar(key));
    return (size_t *)(void *)((char *)(uintptr_t)settings + key->count_offset);
}

void *config_pointer(const struct config_key *key, const void *settings)
{
    void *pointer;
    memcpy(&pointer, config_field(key, settings), sizeof pointer);
    return pointer;
}

void *config_record(const struct config_key *key, const void *settings, size_t at)
{
    assert(key->type == CONFIG_RECORDS && at < *config_count(key, settings));
    return (char *)config_pointer(key, settings) + at * key->record->size;
}

void config_fallbacks(const struct config_schema *schema, void *settings)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++) {
        if (key->fallback == NULL)
            continue;
        enum err err =
            config_value_parse(key, config_field(key, settings), key->fallback);
        assert(err == ERR_OK);
    }
}

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void free_list(const struct config_key *key, void *settings)
{
    void *items = config_pointer(key, settings);
    for (size_t i = 0; i < *config_count(key, settings); i++) {
        if (key->type == CONFIG_RECORDS) {
            config_free(key->record, config_record(key, settings, i));
        } else if (key->type == CONFIG_STRINGS) {
            free(((char **)items)[i]);
        } else {
            free(((struct config_pair *)items)[i].name);
            wipe(((struct config_pair *)items)[i].value);
        }
    }
    free(items);
}

void config_free(const struct config_schema *schema, void *settings)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++) {
        if (!config_is_scalar(key))
            free_list(key, settings);
        else if (key->type == CONFIG_STRING || key->type == CONFIG_SECRET)
            wipe(config_pointer(key, settings));
    }
    memset(settings, 0, schema->size);
}

static size_t section_len(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? (size_t)(dot - name) + 1 : 0;
}

static bool fallback_parses(const struct config_key *key)
{
    if (key->fallback == NULL)
        return true;
    union {
        char *text;
        int64_t whole;
        double real;
        bool truth;
    } value = {0};
    bool parses =
        config_is_scalar(key) && config_value_parse(key, &value, key->fallback) == ERR_OK;
    if (key->type == CONFIG_STRING || key->type == CONFIG_SECRET)
        free(value.text);
    return parses;
}

static bool key_is_sound(const struct config_key *key)
{
    bool has_parts = (key->type != CONFIG_ENUM || key->words != NULL) &&
                     (key->type != CONFIG_RECORDS || key->record != NULL);
    bool exact = key->type == CONFIG_DOUBLE ||
                 (fabs(key->least) <= WHOLE_MAX && fabs(key->most) <= WHOLE_MAX);
    bool needs_no_fallback = !key->is_required || key->fallback == NULL;
    return has_parts && exact && needs_no_fallback && key->help != NULL &&
           fallback_parses(key);
}

/* Nothing else is called so, nor its other name. */
static bool other_name_is_sound(const struct config_key *keys,
                                const struct config_key *key)
{
    if (key->also == NULL)
        return true;
    for (const struct config_key *other = keys; other->name != NULL; other++)
        if (strcmp(other->name, key->also) == 0 ||
            (other < key && other->also != NULL && strcmp(other->also, key->also) == 0))
            return false;
    return true;
}

/* No key twice, none that is also a section, and no section taken up again. */
static bool names_are_sound(const struct config_key *keys, const struct config_key *key)
{
    size_t len = strlen(key->name);
    size_t section = section_len(key->name);
    for (const struct config_key *other = keys; other < key; other++) {
        size_t shorter = strlen(other->name) < len ? strlen(other->name) : len;
        if (strncmp(other->name, key->name, shorter) == 0 &&
            strchr(".", other->name[shorter]) != NULL &&
            strchr(".", key->name[shorter]) != NULL)
            return false;
        if (section > 0 && strncmp(other->name, key->name, section) == 0 &&
            strncmp((key - 1)->name, key->name, section) != 0)
            return false;
    }
    return true;
}

bool config_table_is_sound(const struct config_schema *schema)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++) {
        if (!key_is_sound(key) || !names_are_sound(schema->keys, key) ||
            !other_name_is_sound(schema->keys, key)) {
            log_error("row of a key table is not sound name=%s", key->name);
            return false;
        }
        if (key->type == CONFIG_RECORDS && !config_table_is_sound(key->record))
            return false;
    }
    return true;
}
