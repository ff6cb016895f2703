// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "coldchainctl/command.h"
#include "coldchainctl/freshness_cmd.h"
#include "coldchainctl/table.h"
#include "freshness/profile_lint.h"

static json_t *summary_json(const struct profile *profile)
{
    return json_pack(
        "{ss ss ss ss ss ss sb so so so so so}", "id", profile->id, "name",
        profile->name_en, "name_zh", profile->name_zh, "category", profile->category,
        "kinetics", profile_kinetics_name(profile->kinetics), "chilling",
        profile_chilling_name(profile->chilling), "mean_kinetic_temperature",
        profile->uses_mkt, "temperature_min",
        freshness_number(profile_value(profile, PROFILE_TEMPERATURE_MIN)),
        "temperature_max",
        freshness_number(profile_value(profile, PROFILE_TEMPERATURE_MAX)), "life_min",
        freshness_number(profile_value(profile, PROFILE_LIFE_MIN)), "life_max",
        freshness_number(profile_value(profile, PROFILE_LIFE_MAX)), "life_at",
        freshness_number(profile_value(profile, PROFILE_LIFE_AT)));
}

/* "0 .. 1", "-" when unknown. */
static const char *pair(char text[80], const struct profile *profile,
                        enum profile_key low, enum profile_key high)
{
    if (!profile_knows(profile, low) && !profile_knows(profile, high))
        snprintf(text, 80, "-");
    else
        snprintf(text, 80, "%g .. %g", profile_value(profile, low),
                 profile_value(profile, high));
    return text;
}

int freshness_profiles(const struct freshness_args *args)
{
    json_t *all = json_array();
    struct table table = {.headings = {"profile", "name", "名称", ">band C", ">RH %",
                                       ">life d", ">freezes C", "kinetics", "chilling"}};
    for (size_t i = 0; i < profile_set_count(args->set); i++) {
        const struct profile *profile = profile_set_get(args->set, i);
        char text[80];
        json_array_append_new(all, summary_json(profile));
        table_cell(&table, "%s", profile->id);
        table_cell(&table, "%s", profile->name_en);
        table_cell(&table, "%s", profile->name_zh);
        table_cell(&table, "%s",
                   pair(text, profile, PROFILE_TEMPERATURE_MIN, PROFILE_TEMPERATURE_MAX));
        table_cell(&table, "%s",
                   pair(text, profile, PROFILE_HUMIDITY_MIN, PROFILE_HUMIDITY_MAX));
        table_cell(&table, "%s", pair(text, profile, PROFILE_LIFE_MIN, PROFILE_LIFE_MAX));
        table_cell(
            &table, "%s",
            freshness_text(text, profile_value(profile, PROFILE_FREEZING_POINT), 1));
        table_cell(&table, "%s", profile_kinetics_name(profile->kinetics));
        table_cell(&table, "%s", profile_chilling_name(profile->chilling));
    }
    if (args->wants_json)
        freshness_print_json(all);
    else
        table_print(&table, stdout);
    if (!args->wants_json)
        json_decref(all);
    table_fini(&table);
    return COMMAND_OK;
}

static json_t *numbers_json(const struct profile *profile)
{
    json_t *numbers = json_object();
    for (int i = 0; i < PROFILE_KEY_COUNT; i++) {
        const struct profile_number *number = &profile->numbers[i];
        enum profile_key key = (enum profile_key)i;
        json_object_set_new(numbers, profile_key_name(key),
                            json_pack("{so ss ss ss* ss*}", "value",
                                      freshness_number(number->value), "unit",
                                      profile_key_unit(key), "mark",
                                      profile_mark_name(number->mark), "source",
                                      number->source, "note", number->note));
    }
    return numbers;
}

static json_t *phases_json(const struct profile *profile)
{
    json_t *phases = json_array();
    for (size_t i = 0; i < profile->phase_count; i++) {
        const struct profile_phase *phase = &profile->phases[i];
        json_array_append_new(phases, json_pack("{ss ss ss s[oo] s[oo] ss ss* ss*}", "id",
                                                phase->id, "name", phase->name_en,
                                                "name_zh", phase->name_zh, "temperature",
                                                freshness_number(phase->temperature[0]),
                                                freshness_number(phase->temperature[1]),
                                                "days", freshness_number(phase->days[0]),
                                                freshness_number(phase->days[1]), "mark",
                                                profile_mark_name(phase->mark), "source",
                                                phase->source, "note", phase->note));
    }
    return phases;
}

static void show_json(const struct profile *profile)
{
    json_t *root = summary_json(profile);
    json_t *sources = json_object();
    for (size_t i = 0; i < profile->source_count; i++)
        json_object_set_new(sources, profile->sources[i].key,
                            json_string(profile->sources[i].text));
    json_object_set_new(root, "inherits", json_string(profile->inherits));
    json_object_set_new(root, "numbers", numbers_json(profile));
    json_object_set_new(root, "phases", phases_json(profile));
    json_object_set_new(root, "sources", sources);
    freshness_print_json(root);
}

static void show_numbers(const struct profile *profile)
{
    struct table table = {
        .headings = {"number", ">value", "unit", "mark", "what", "source"}};
    for (int i = 0; i < PROFILE_KEY_COUNT; i++) {
        const struct profile_number *number = &profile->numbers[i];
        enum profile_key key = (enum profile_key)i;
        char value[32];
        if (isnan(number->value))
            snprintf(value, sizeof value, "-");
        else
            snprintf(value, sizeof value, "%g", number->value);
        table_cell(&table, "%s", profile_key_name(key));
        table_cell(&table, "%s", value);
        table_cell(&table, "%s", profile_key_unit(key));
        table_cell(&table, "%s", profile_mark_name(number->mark));
        table_cell(&table, "%s", profile_key_help(key));
        table_cell(&table, "%s%s%s%s", number->source != NULL ? number->source : "",
                   number->note != NULL ? " (" : "",
                   number->note != NULL ? number->note : "",
                   number->note != NULL ? ")" : "");
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void show_phases(const struct profile *profile)
{
    for (size_t i = 0; i < profile->phase_count; i++) {
        const struct profile_phase *phase = &profile->phases[i];
        char celsius[80], days[80];
        freshness_range(celsius, phase->temperature[0], phase->temperature[1], 0);
        freshness_range(days, phase->days[0], phase->days[1], 2);
        printf("%s %s (%s): %s%s, %s d; %s%s%s; counts as dose, does not alarm\n",
               i == 0 ? "planned phases:\n " : " ", phase->name_en, phase->name_zh,
               isnan(phase->temperature[1]) ? "ambient" : celsius,
               isnan(phase->temperature[1]) ? "" : " C", days,
               profile_mark_name(phase->mark), phase->note != NULL ? "; " : "",
               phase->note != NULL ? phase->note : "");
    }
}

int freshness_profile_show(struct freshness_args *args, const char *id)
{
    const struct profile *profile = NULL;
    struct err_text why = {""};
    enum err err = freshness_find(args, id, &profile, &why);
    if (err != ERR_OK)
        return command_fail("freshness profile show", err, &why);
    if (args->wants_json) {
        show_json(profile);
        return COMMAND_OK;
    }
    printf("%s  %s  %s%s%s\n", profile->id, profile->name_en, profile->name_zh,
           profile->inherits[0] != '\0' ? "  inherits " : "", profile->inherits);
    printf("kinetics %s, chilling %s, mean kinetic temperature %s\n",
           profile_kinetics_name(profile->kinetics),
           profile_chilling_name(profile->chilling), profile->uses_mkt ? "on" : "off");
    if (profile->ethylene_source != NULL && profile->ethylene_production != NULL &&
        profile->ethylene_sensitivity != NULL)
        printf("ethylene: produces %s, sensitivity %s (%s)\n",
               profile->ethylene_production, profile->ethylene_sensitivity,
               profile->ethylene_source);
    show_numbers(profile);
    show_phases(profile);
    if (profile->notes != NULL)
        printf("notes: %s\n", profile->notes);
    puts("sources:");
    for (size_t i = 0; i < profile->source_count; i++)
        printf("  %s: %s\n", profile->sources[i].key, profile->sources[i].text);
    return COMMAND_OK;
}

struct findings {
    const char *file;
    json_t *all; /* NULL: print */
};

static void report(void *context, enum lint_severity severity, const char *key,
                   const char *text)
{
    const struct findings *findings = context;
    const char *word = severity == LINT_ERROR ? "error" : "warning";
    if (findings->all == NULL)
        printf("%s: %s: %s: %s\n", findings->file, word, key, text);
    else
        json_array_append_new(findings->all,
                              json_pack("{ss ss ss ss}", "file", findings->file,
                                        "severity", word, "key", key, "text", text));
}

/* The number of errors of one file or built-in profile. */
static size_t lint_one(struct freshness_args *args, const char *name, json_t *all)
{
    struct findings findings = {.file = name, .all = all};
    const struct profile *profile = NULL;
    struct err_text why = {""};
    if (freshness_find(args, name, &profile, &why) == ERR_OK)
        return profile_lint(profile, report, &findings);
    report(&findings, LINT_ERROR, "file", why.text);
    return 1;
}

int freshness_lint(struct freshness_args *args, char **files, int count)
{
    json_t *all = args->wants_json ? json_array() : NULL;
    size_t errors = 0;
    for (int i = 0; i < count; i++)
        errors += lint_one(args, files[i], all);
    if (args->wants_json)
        freshness_print_json(all);
    else
        printf("%d profiles, %zu errors\n", count, errors);
    return errors == 0 ? COMMAND_OK : COMMAND_FAILED;
}
