// SPDX-License-Identifier: Apache-2.0
#include "freshness/profile.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *name;
    const char *unit;
    double least;
    double most;
    const char *help;
} keys[] = {
#define X(key, name, unit, least, most, help) {name, unit, least, most, help},
    PROFILE_KEYS(X)
#undef X
};
static_assert(sizeof keys / sizeof keys[0] == PROFILE_KEY_COUNT, "one row per key");

const char *profile_key_name(enum profile_key key)
{
    assert(key < PROFILE_KEY_COUNT);
    return keys[key].name;
}

const char *profile_key_unit(enum profile_key key)
{
    assert(key < PROFILE_KEY_COUNT);
    return keys[key].unit;
}

const char *profile_key_help(enum profile_key key)
{
    assert(key < PROFILE_KEY_COUNT);
    return keys[key].help;
}

double profile_key_least(enum profile_key key)
{
    assert(key < PROFILE_KEY_COUNT);
    return keys[key].least;
}

double profile_key_most(enum profile_key key)
{
    assert(key < PROFILE_KEY_COUNT);
    return keys[key].most;
}

const char *profile_mark_name(enum profile_mark mark)
{
    static const char *const names[] = {"unknown", "specific", "inherited", "derived"};
    assert((size_t)mark < sizeof names / sizeof names[0]);
    return names[mark];
}

const char *profile_kinetics_name(enum profile_kinetics kinetics)
{
    static const char *const names[] = {"none", "q10", "arrhenius", "sqrt",
                                        "exponential"};
    assert((size_t)kinetics < sizeof names / sizeof names[0]);
    return names[kinetics];
}

const char *profile_chilling_name(enum profile_chilling chilling)
{
    static const char *const names[] = {"unknown", "none", "threshold", "band"};
    assert((size_t)chilling < sizeof names / sizeof names[0]);
    return names[chilling];
}

double profile_value(const struct profile *profile, enum profile_key key)
{
    assert(key < PROFILE_KEY_COUNT);
    return profile->numbers[key].value;
}

bool profile_knows(const struct profile *profile, enum profile_key key)
{
    return !isnan(profile_value(profile, key));
}

void profile_fini(struct profile *profile)
{
    for (size_t i = 0; i < PROFILE_KEY_COUNT; i++) {
        free(profile->numbers[i].source);
        free(profile->numbers[i].note);
    }
    for (size_t i = 0; i < profile->source_count; i++)
        free(profile->sources[i].text);
    for (size_t i = 0; i < profile->respiration_count; i++)
        free(profile->respiration[i].source);
    for (size_t i = 0; i < profile->phase_count; i++) {
        free(profile->phases[i].source);
        free(profile->phases[i].note);
    }
    for (size_t i = 0; i < profile->observation_count; i++) {
        free(profile->observations[i].source);
        free(profile->observations[i].note);
    }
    free(profile->notes);
    free(profile->ethylene_production);
    free(profile->ethylene_sensitivity);
    free(profile->ethylene_source);
    *profile = (struct profile){0};
}

static char *dup_or_null(const char *text)
{
    return text != NULL ? mem_strdup(text) : NULL;
}

static void inherit_numbers(struct profile *child, const struct profile *parent)
{
    for (size_t i = 0; i < PROFILE_KEY_COUNT; i++) {
        const struct profile_number *from = &parent->numbers[i];
        struct profile_number *to = &child->numbers[i];
        if (to->is_stated || isnan(from->value))
            continue;
        to->value = from->value;
        to->mark = PROFILE_INHERITED;
        to->source = dup_or_null(from->source);
        to->note = dup_or_null(from->note);
    }
}

static void inherit_sources(struct profile *child, const struct profile *parent)
{
    for (size_t i = 0; i < parent->source_count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < child->source_count; j++)
            is_there |= strcmp(child->sources[j].key, parent->sources[i].key) == 0;
        if (is_there || child->source_count == PROFILE_SOURCES_MAX)
            continue;
        struct profile_source *to = &child->sources[child->source_count++];
        *to = parent->sources[i];
        to->text = dup_or_null(to->text);
    }
}

static void inherit_phases(struct profile *child, const struct profile *parent)
{
    if (child->phase_count > 0)
        return;
    for (size_t i = 0; i < parent->phase_count; i++) {
        struct profile_phase *to = &child->phases[child->phase_count++];
        *to = parent->phases[i];
        to->mark = PROFILE_INHERITED;
        to->source = dup_or_null(to->source);
        to->note = dup_or_null(to->note);
    }
}

static void inherit_respiration(struct profile *child, const struct profile *parent)
{
    if (child->respiration_count > 0)
        return;
    for (size_t i = 0; i < parent->respiration_count; i++) {
        struct profile_respiration *to = &child->respiration[child->respiration_count++];
        *to = parent->respiration[i];
        to->mark = PROFILE_INHERITED;
        to->source = dup_or_null(to->source);
    }
}

static void inherit_models(struct profile *child, const struct profile *parent)
{
    if (!child->has_kinetics)
        child->kinetics = parent->kinetics;
    if (!child->has_chilling)
        child->chilling = parent->chilling;
    if (!child->has_mkt)
        child->uses_mkt = parent->uses_mkt;
    child->has_kinetics |= parent->has_kinetics;
    child->has_chilling |= parent->has_chilling;
    child->has_mkt |= parent->has_mkt;
}

/* Observations are of the parent's fruit and stay there. */
void profile_inherit(struct profile *child, const struct profile *parent)
{
    assert(child != parent);
    inherit_numbers(child, parent);
    inherit_sources(child, parent);
    inherit_phases(child, parent);
    inherit_respiration(child, parent);
    inherit_models(child, parent);
    if (child->category[0] == '\0')
        memcpy(child->category, parent->category, sizeof child->category);
    if (child->ethylene_production == NULL && child->ethylene_sensitivity == NULL &&
        child->ethylene_source == NULL) {
        child->ethylene_production = dup_or_null(parent->ethylene_production);
        child->ethylene_sensitivity = dup_or_null(parent->ethylene_sensitivity);
        child->ethylene_source = dup_or_null(parent->ethylene_source);
    }
}
