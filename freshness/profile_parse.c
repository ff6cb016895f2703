// SPDX-License-Identifier: Apache-2.0
#include "freshness/profile.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"

#define PROFILE_FORMAT "coldchain-profile/1"

/* Copies a text of at most size - 1 bytes. An absent key leaves "". */
static enum err take_text(char *out, size_t size, json_t *object, const char *key,
                          struct err_text *why)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL)
        return ERR_OK;
    if (!json_is_string(value))
        return err_set(why, ERR_INVALID, "'%s' must be a text", key);
    if (json_string_length(value) >= size)
        return err_set(why, ERR_INVALID, "'%s' is longer than %zu bytes", key, size - 1);
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return ERR_OK;
}

static char *dup_text(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? mem_strdup(text) : NULL;
}

/* The place of the text under `key` among names; -1 when it is none of them. */
static int word_of(json_t *object, const char *key, const char *const *names,
                   size_t count)
{
    const char *text = json_string_value(json_object_get(object, key));
    for (size_t i = 0; text != NULL && i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    return -1;
}

static enum err take_mark(enum profile_mark *mark, json_t *object, const char *where,
                          struct err_text *why)
{
    static const char *const names[] = {"unknown", "specific", "inherited", "derived"};
    int found = word_of(object, "mark", names, sizeof names / sizeof names[0]);
    if (found < 0)
        return err_set(
            why, ERR_INVALID,
            "%s: 'mark' is missing; it is specific, inherited, derived or unknown",
            where);
    *mark = (enum profile_mark)found;
    return ERR_OK;
}

/* Objects carry no key that we do not know: a slip would else be a silent unknown. */
static enum err only_keys(json_t *object, const char *where, const char *const *names,
                          struct err_text *why)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; names[i] != NULL; i++)
            is_known |= strcmp(key, names[i]) == 0;
        if (!is_known)
            return err_set(why, ERR_INVALID, "%s: there is no key '%.60s'", where, key);
    }
    return ERR_OK;
}

static int key_of(const char *name)
{
    for (int i = 0; i < PROFILE_KEY_COUNT; i++)
        if (strcmp(profile_key_name((enum profile_key)i), name) == 0)
            return i;
    return -1;
}

/* The value of a number object: NaN for null, within the range of its key. */
static enum err take_value(struct profile_number *number, json_t *object,
                           enum profile_key key, struct err_text *why)
{
    const char *name = profile_key_name(key);
    json_t *value = json_object_get(object, "value");
    if (value == NULL || !(json_is_null(value) || json_is_number(value)))
        return err_set(why, ERR_INVALID,
                       "%s: 'value' must be a number, or null for unknown", name);
    number->value = json_is_null(value) ? (double)NAN : json_number_value(value);
    if (!json_is_null(value) && !(number->value >= profile_key_least(key) &&
                                  number->value <= profile_key_most(key)))
        return err_set(why, ERR_INVALID, "%s: %g is outside %g..%g %s", name,
                       number->value, profile_key_least(key), profile_key_most(key),
                       profile_key_unit(key));
    const char *unit = json_string_value(json_object_get(object, "unit"));
    if (unit == NULL)
        return err_set(why, ERR_INVALID, "%s: the unit is missing; it must be \"%s\"",
                       name, profile_key_unit(key));
    if (strcmp(unit, profile_key_unit(key)) != 0)
        return err_set(why, ERR_INVALID, "%s: the unit is \"%.20s\"; it must be \"%s\"",
                       name, unit, profile_key_unit(key));
    return ERR_OK;
}

static enum err take_number(struct profile *profile, const char *name, json_t *object,
                            struct err_text *why)
{
    static const char *const known[] = {"value", "unit", "mark", "source", "note", NULL};
    int key = key_of(name);
    if (key < 0)
        return err_set(why, ERR_INVALID, "numbers: there is no key '%.60s'", name);
    if (!json_is_object(object))
        return err_set(why, ERR_INVALID,
                       "%s: must be {\"value\": ..., \"unit\": ..., ...}", name);
    struct profile_number *number = &profile->numbers[key];
    number->is_stated = true;
    enum err err = only_keys(object, name, known, why);
    if (err == ERR_OK)
        err = take_value(number, object, (enum profile_key)key, why);
    if (err == ERR_OK)
        err = take_mark(&number->mark, object, name, why);
    if (err != ERR_OK)
        return err;
    if (isnan(number->value) != (number->mark == PROFILE_UNKNOWN))
        return err_set(why, ERR_INVALID, "%s: null and the mark 'unknown' go together",
                       name);
    number->source = dup_text(object, "source");
    number->note = dup_text(object, "note");
    return ERR_OK;
}

static enum err take_numbers(struct profile *profile, json_t *root, struct err_text *why)
{
    json_t *numbers = json_object_get(root, "numbers");
    if (!json_is_object(numbers))
        return err_set(why, ERR_INVALID, "'numbers' is missing or not an object");
    const char *name;
    json_t *object;
    json_object_foreach(numbers, name, object)
    {
        enum err err = take_number(profile, name, object, why);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

static enum err take_sources(struct profile *profile, json_t *root, struct err_text *why)
{
    json_t *sources = json_object_get(root, "sources");
    const char *key;
    json_t *text;
    if (sources != NULL && !json_is_object(sources))
        return err_set(why, ERR_INVALID, "'sources' must be an object of texts");
    json_object_foreach(sources, key, text)
    {
        if (profile->source_count == PROFILE_SOURCES_MAX)
            return err_set(why, ERR_LIMIT, "more than %d sources", PROFILE_SOURCES_MAX);
        if (!json_is_string(text) || strlen(key) >= PROFILE_NAME_MAX)
            return err_set(why, ERR_INVALID,
                           "sources: '%.60s' must be a short key and a text", key);
        struct profile_source *source = &profile->sources[profile->source_count++];
        memcpy(source->key, key, strlen(key) + 1);
        source->text = mem_strdup(json_string_value(text));
    }
    return ERR_OK;
}

/* Exactly `count` numbers; null is NaN where that is allowed. */
static bool take_row(double *out, json_t *array, size_t count, bool allows_null)
{
    if (json_array_size(array) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_array_get(array, i);
        if (!json_is_number(value) && !(allows_null && json_is_null(value)))
            return false;
        out[i] = json_is_null(value) ? (double)NAN : json_number_value(value);
        if (fabs(out[i]) > 1e6)
            return false;
    }
    return true;
}

static enum err take_rates(struct profile_respiration *table, json_t *object,
                           struct err_text *why)
{
    json_t *rows = json_object_get(object, "rows");
    if (json_array_size(rows) == 0 || json_array_size(rows) > PROFILE_RATES_MAX)
        return err_set(why, ERR_INVALID, "respiration: 1 to %d rows", PROFILE_RATES_MAX);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        double row[3];
        if (!take_row(row, json_array_get(rows, i), 3, false) || !(row[1] > 0) ||
            !(row[2] >= row[1]) || !(fabs(row[0]) <= 60))
            return err_set(
                why, ERR_INVALID,
                "respiration: a row is [temperature C, low, high] with 0 < low <= "
                "high");
        table->rates[table->count++] =
            (struct profile_rate){.at_c = row[0], .low = row[1], .high = row[2]};
    }
    return ERR_OK;
}

static enum err take_respiration(struct profile *profile, json_t *root,
                                 struct err_text *why)
{
    static const char *const known[] = {"unit", "mark", "source", "rows", NULL};
    json_t *tables = json_object_get(root, "respiration");
    if (json_array_size(tables) > PROFILE_RESPIRATION_MAX)
        return err_set(why, ERR_LIMIT, "respiration: more than %d tables",
                       PROFILE_RESPIRATION_MAX);
    for (size_t i = 0; i < json_array_size(tables); i++) {
        json_t *object = json_array_get(tables, i);
        struct profile_respiration *table =
            &profile->respiration[profile->respiration_count++];
        enum err err = only_keys(object, "respiration", known, why);
        if (err == ERR_OK)
            err = take_text(table->unit, sizeof table->unit, object, "unit", why);
        if (err == ERR_OK && table->unit[0] == '\0')
            err = err_set(why, ERR_INVALID, "respiration: the unit is missing");
        if (err == ERR_OK)
            err = take_mark(&table->mark, object, "respiration", why);
        if (err == ERR_OK)
            err = take_rates(table, object, why);
        if (err != ERR_OK)
            return err;
        table->source = dup_text(object, "source");
    }
    return ERR_OK;
}

static enum err take_phase(struct profile_phase *phase, json_t *object,
                           struct err_text *why)
{
    static const char *const known[] = {"id",   "name",   "temperature", "days",
                                        "mark", "source", "note",        NULL};
    enum err err = only_keys(object, "phases", known, why);
    if (err == ERR_OK)
        err = take_text(phase->id, sizeof phase->id, object, "id", why);
    json_t *name = json_object_get(object, "name");
    if (err == ERR_OK)
        err = take_text(phase->name_en, sizeof phase->name_en, name, "en", why);
    if (err == ERR_OK)
        err = take_text(phase->name_zh, sizeof phase->name_zh, name, "zh", why);
    if (err == ERR_OK)
        err = take_mark(&phase->mark, object, "phases", why);
    if (err != ERR_OK)
        return err;
    if (phase->id[0] == '\0' ||
        !take_row(phase->temperature, json_object_get(object, "temperature"), 2, true) ||
        !take_row(phase->days, json_object_get(object, "days"), 2, true))
        return err_set(
            why, ERR_INVALID,
            "phases: each needs an id, \"temperature\": [low, high] and \"days\": "
            "[least, most], null where not published");
    phase->source = dup_text(object, "source");
    phase->note = dup_text(object, "note");
    return ERR_OK;
}

static enum err take_phases(struct profile *profile, json_t *root, struct err_text *why)
{
    json_t *phases = json_object_get(root, "phases");
    if (json_array_size(phases) > PROFILE_PHASES_MAX)
        return err_set(why, ERR_LIMIT, "more than %d phases", PROFILE_PHASES_MAX);
    for (size_t i = 0; i < json_array_size(phases); i++) {
        enum err err = take_phase(&profile->phases[profile->phase_count++],
                                  json_array_get(phases, i), why);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

/* An optional number; NaN when absent. */
static bool take_optional(double *out, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    *out = json_is_number(value) ? json_number_value(value) : (double)NAN;
    return value == NULL || (json_is_number(value) && fabs(*out) <= 1e4);
}

static bool take_stays(struct profile_observation *seen, json_t *object)
{
    json_t *stays = json_object_get(object, "after");
    if (json_array_size(stays) > PROFILE_STAYS_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(stays); i++) {
        double row[2];
        if (!take_row(row, json_array_get(stays, i), 2, false) || !(row[1] > 0))
            return false;
        seen->stays[i].at_c = row[0];
        seen->stays[i].days = row[1];
        seen->stay_count++;
    }
    return true;
}

static bool take_set(struct profile_observation *seen, json_t *object)
{
    json_t *set = json_object_get(object, "set");
    double row[2] = {(double)NAN, (double)NAN};
    if (set != NULL && (!take_row(row, set, 2, false) || !(row[1] > 0)))
        return false;
    seen->set_at_c = row[0];
    seen->set_days = row[1];
    return true;
}

static enum err take_observation(struct profile_observation *seen, json_t *object,
                                 struct err_text *why)
{
    static const char *const known[] = {"kind",  "set",  "after",  "at",   "days",
                                        "ratio", "base", "source", "note", NULL};
    static const char *const kinds[] = {"life", "chilling", "rate"};
    enum err err = only_keys(object, "observations", known, why);
    if (err != ERR_OK)
        return err;
    int kind = word_of(object, "kind", kinds, sizeof kinds / sizeof kinds[0]);
    json_t *days = json_object_get(object, "days");
    seen->days[0] = seen->days[1] = (double)NAN;
    bool is_good = kind >= 0 && take_optional(&seen->at_c, object, "at") &&
                   !isnan(seen->at_c) && take_optional(&seen->ratio, object, "ratio") &&
                   take_optional(&seen->base_c, object, "base") &&
                   take_set(seen, object) && take_stays(seen, object) &&
                   (days == NULL || take_row(seen->days, days, 2, true));
    bool has_figure = kind == PROFILE_OBSERVED_RATE
                          ? seen->ratio > 0 && !isnan(seen->base_c)
                          : seen->days[0] > 0 || seen->days[1] > 0;
    if (!is_good || !has_figure)
        return err_set(
            why, ERR_INVALID,
            "observations: each needs a kind (life, chilling, rate), \"at\", and "
            "\"days\": [low, high] or \"ratio\" and \"base\"");
    seen->kind = (enum profile_observed)kind;
    seen->source = dup_text(object, "source");
    seen->note = dup_text(object, "note");
    return ERR_OK;
}

static enum err take_observations(struct profile *profile, json_t *root,
                                  struct err_text *why)
{
    json_t *all = json_object_get(root, "observations");
    if (json_array_size(all) > PROFILE_OBSERVATIONS_MAX)
        return err_set(why, ERR_LIMIT, "more than %d observations",
                       PROFILE_OBSERVATIONS_MAX);
    for (size_t i = 0; i < json_array_size(all); i++) {
        enum err err =
            take_observation(&profile->observations[profile->observation_count++],
                             json_array_get(all, i), why);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

/* Identifiers as on the wire: letters, digits, '_' and '-'. */
static bool is_identifier(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
            return false;
    return text[0] != '\0';
}

static enum err take_names(struct profile *profile, json_t *root, struct err_text *why)
{
    const struct {
        char *out;
        json_t *object;
        const char *key;
    } texts[] = {
        {profile->id, root, "id"},
        {profile->inherits, root, "inherits"},
        {profile->category, root, "category"},
        {profile->name_en, json_object_get(root, "name"), "en"},
        {profile->name_zh, json_object_get(root, "name"), "zh"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        enum err err =
            take_text(texts[i].out, PROFILE_NAME_MAX, texts[i].object, texts[i].key, why);
        if (err != ERR_OK)
            return err;
    }
    if (!is_identifier(profile->id))
        return err_set(why, ERR_INVALID,
                       "'id' is missing or not of letters, digits, _ and -");
    if (profile->name_en[0] == '\0')
        return err_set(why, ERR_INVALID, "'name' needs at least {\"en\": ...}");
    json_t *ethylene = json_object_get(root, "ethylene");
    profile->notes = dup_text(root, "notes");
    profile->ethylene_production = dup_text(ethylene, "production");
    profile->ethylene_sensitivity = dup_text(ethylene, "sensitivity");
    profile->ethylene_source = dup_text(ethylene, "source");
    return ERR_OK;
}

static enum err take_models(struct profile *profile, json_t *root, struct err_text *why)
{
    static const char *const kinetics[] = {"none", "q10", "arrhenius", "sqrt",
                                           "exponential"};
    static const char *const chilling[] = {"unknown", "none", "threshold", "band"};
    profile->has_kinetics = json_object_get(root, "kinetics") != NULL;
    profile->has_chilling = json_object_get(root, "chilling") != NULL;
    json_t *mkt = json_object_get(root, "mean_kinetic_temperature");
    profile->has_mkt = mkt != NULL;
    profile->uses_mkt = json_is_true(mkt);
    int rate = word_of(root, "kinetics", kinetics, sizeof kinetics / sizeof kinetics[0]);
    int cold = word_of(root, "chilling", chilling, sizeof chilling / sizeof chilling[0]);
    if (profile->has_kinetics && rate < 0)
        return err_set(why, ERR_INVALID,
                       "'kinetics' is none, q10, arrhenius, sqrt or exponential");
    if (profile->has_chilling && cold < 0)
        return err_set(why, ERR_INVALID,
                       "'chilling' is unknown, none, threshold or band");
    if (mkt != NULL && !json_is_boolean(mkt))
        return err_set(why, ERR_INVALID, "'mean_kinetic_temperature' is true or false");
    profile->kinetics = rate >= 0 ? (enum profile_kinetics)rate : PROFILE_KINETICS_NONE;
    profile->chilling =
        cold >= 0 ? (enum profile_chilling)cold : PROFILE_CHILLING_UNKNOWN;
    return ERR_OK;
}

static enum err check_format(json_t *root, struct err_text *why)
{
    static const char *const known[] = {
        "format",      "id",       "inherits",
        "name",        "category", "mean_kinetic_temperature",
        "kinetics",    "chilling", "ethylene",
        "notes",       "sources",  "numbers",
        "respiration", "phases",   "observations",
        NULL};
    const char *format = json_string_value(json_object_get(root, "format"));
    if (format == NULL || strcmp(format, PROFILE_FORMAT) != 0)
        return err_set(why, ERR_INVALID, "'format' must be \"" PROFILE_FORMAT "\"");
    return only_keys(root, "profile", known, why);
}

static enum err take_all(struct profile *profile, json_t *root, struct err_text *why)
{
    static enum err (*const steps[])(struct profile *, json_t *, struct err_text *) = {
        take_names,       take_models, take_sources,     take_numbers,
        take_respiration, take_phases, take_observations};
    enum err err = check_format(root, why);
    for (size_t i = 0; err == ERR_OK && i < sizeof steps / sizeof steps[0]; i++)
        err = steps[i](profile, root, why);
    return err;
}

enum err profile_parse(struct profile *profile, const char *text, size_t len,
                       struct err_text *why)
{
    *profile = (struct profile){0};
    for (size_t i = 0; i < PROFILE_KEY_COUNT; i++)
        profile->numbers[i].value = (double)NAN;
    if (len > PROFILE_TEXT_MAX)
        return err_set(why, ERR_LIMIT, "a profile is at most %d bytes", PROFILE_TEXT_MAX);
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return err_set(why, ERR_INVALID, "line %d: %s", error.line, error.text);
    enum err err = take_all(profile, root, why);
    json_decref(root);
    if (err != ERR_OK)
        profile_fini(profile);
    return err;
}
