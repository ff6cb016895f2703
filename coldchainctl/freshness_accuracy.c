// SPDX-License-Identifier: Apache-2.0
/*
 * The model against what was observed and not used to set it: one row per observation of
 * the profiles. `--markdown` is the table of docs/freshness.md.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/command.h"
#include "coldchainctl/freshness_cmd.h"
#include "coldchainctl/table.h"

#define HOUR_MS 3600000

struct verdict {
    const struct profile *profile;
    const struct profile_observation *seen;
    struct life_span days; /* predicted, or a ratio in all three */
    double observed;       /* the middle, or the one end that is known */
    double error_pct;      /* of the best estimate against it */
    bool is_inside;        /* the ranges meet */
    const char *unit;
};

/* Runs the stays an hour at a time and states what is left. */
static struct life predict(const struct load_model *model,
                           const struct profile_observation *seen)
{
    struct load load;
    int64_t now = 0;
    load_init(&load);
    for (size_t i = 0; i < seen->stay_count; i++) {
        int64_t end = now + llround(seen->stays[i].days * 24 * HOUR_MS);
        struct load_reading reading = {.temperature_c = seen->stays[i].at_c,
                                       .humidity_pct = (double)NAN,
                                       .pulp_c = (double)NAN};
        for (; now < end; now += HOUR_MS) {
            reading.time_ms = now;
            if (load_reading(&load, model, &reading) != ERR_OK)
                break; /* implausible: life_of() then has nothing to state */
        }
        load_hold(&load, model, end);
        now = end;
    }
    return life_of(&load, model, seen->at_c, (double)NAN);
}

static double middle_of(const double days[2])
{
    if (isnan(days[0]) || isnan(days[1]))
        return isnan(days[0]) ? days[1] : days[0];
    return (days[0] + days[1]) / 2;
}

static void judge_rate(struct verdict *verdict, const struct load_model *model)
{
    double at = kinetics_rate(&model->kinetics, verdict->seen->at_c);
    double base = kinetics_rate(&model->kinetics, verdict->seen->base_c);
    struct rates span = kinetics_rates(&model->kinetics, verdict->seen->at_c,
                                       verdict->seen->at_c, verdict->seen->at_c);
    verdict->days = (struct life_span){span.slow / base, at / base, span.fast / base};
    verdict->observed = verdict->seen->ratio;
    verdict->is_inside =
        verdict->days.low <= verdict->observed && verdict->observed <= verdict->days.high;
    verdict->unit = "x";
}

static void judge_days(struct verdict *verdict, const struct load_model *model)
{
    const struct profile_observation *seen = verdict->seen;
    struct life life = predict(model, seen);
    verdict->days =
        life.by[seen->kind == PROFILE_OBSERVED_CHILLING ? LIFE_CHILLING : LIFE_AGEING];
    verdict->observed = middle_of(seen->days);
    verdict->is_inside =
        !(seen->days[1] < verdict->days.low) && !(seen->days[0] > verdict->days.high);
    verdict->unit = "d";
}

static bool judge(struct verdict *verdict, const struct profile *profile,
                  const struct profile_observation *seen)
{
    struct load_options options = {.hold_ms = HOUR_MS};
    struct load_model model;
    if (!isnan(seen->set_days)) {
        options.life_days = seen->set_days;
        options.life_at_c = seen->set_at_c;
    }
    *verdict = (struct verdict){.profile = profile, .seen = seen};
    if (load_model_init(&model, profile, &options, NULL) != ERR_OK)
        return false;
    if (seen->kind != PROFILE_OBSERVED_RATE)
        judge_days(verdict, &model);
    else if (model.has_kinetics)
        judge_rate(verdict, &model);
    else
        return false;
    verdict->error_pct = 100 * (verdict->days.mid / verdict->observed - 1);
    verdict->is_inside |=
        fabs(verdict->error_pct) < 0.5; /* published figures are rounded */
    return !isnan(verdict->days.mid);
}

static const char *setting(char text[160], const struct verdict *verdict)
{
    const struct profile_observation *seen = verdict->seen;
    const struct profile *profile = verdict->profile;
    if (seen->kind == PROFILE_OBSERVED_RATE)
        snprintf(text, 160, "%s", profile_kinetics_name(profile->kinetics));
    else if (seen->kind == PROFILE_OBSERVED_CHILLING)
        snprintf(text, 160, "injury after %g d at %g C",
                 profile_value(profile, PROFILE_INJURY_MAX),
                 profile_value(profile, PROFILE_INJURY_AT));
    else if (!isnan(seen->set_days))
        snprintf(text, 160, "%g d at %g C", seen->set_days, seen->set_at_c);
    else
        snprintf(text, 160, "%g-%g d at %g C", profile_value(profile, PROFILE_LIFE_MIN),
                 profile_value(profile, PROFILE_LIFE_MAX),
                 profile_value(profile, PROFILE_LIFE_AT));
    return text;
}

static const char *question(char text[160], const struct profile_observation *seen)
{
    static const char *const kinds[] = {"life", "chilling", "rate"};
    size_t used = (size_t)snprintf(text, 160, "%s", kinds[seen->kind]);
    for (size_t i = 0; i < seen->stay_count; i++)
        used += (size_t)snprintf(text + used, 160 - used, " after %g d at %g C",
                                 seen->stays[i].days, seen->stays[i].at_c);
    snprintf(text + used, 160 - used, "%s at %g C", seen->stay_count > 0 ? "," : "",
             seen->at_c);
    return text;
}

static const char *observed(char text[80], const struct verdict *verdict)
{
    const double *days = verdict->seen->days;
    if (verdict->seen->kind == PROFILE_OBSERVED_RATE)
        snprintf(text, 80, "%g x", verdict->seen->ratio);
    else if (isnan(days[0]) || isnan(days[1]))
        snprintf(text, 80, "%s %g d", isnan(days[0]) ? "<=" : ">=", verdict->observed);
    else if (days[1] - days[0] > 0)
        snprintf(text, 80, "%g-%g d", days[0], days[1]);
    else
        snprintf(text, 80, "%g d", days[0]);
    return text;
}

static json_t *verdict_json(const struct verdict *verdict)
{
    char set[160], asked[160], was[80];
    return json_pack(
        "{ss ss ss ss so so sb ss* ss*}", "profile", verdict->profile->id, "set_by",
        setting(set, verdict), "asked", question(asked, verdict->seen), "observed",
        observed(was, verdict), "predicted", freshness_span(&verdict->days), "error_pct",
        freshness_number(verdict->error_pct), "ranges_meet", verdict->is_inside, "source",
        verdict->seen->source, "note", verdict->seen->note);
}

static void print_markdown(const struct verdict *verdict)
{
    char set[160], asked[160], was[80], range[80];
    printf("| %s | %s | %s | %s | %.1f (%s) | %+.0f %% | %s | %s%s%s |\n",
           verdict->profile->id, setting(set, verdict), question(asked, verdict->seen),
           observed(was, verdict), verdict->days.mid,
           freshness_range(range, verdict->days.low, verdict->days.high, 1),
           verdict->error_pct, verdict->is_inside ? "yes" : "**no**",
           verdict->seen->source != NULL ? verdict->seen->source : "",
           verdict->seen->note != NULL ? "; " : "",
           verdict->seen->note != NULL ? verdict->seen->note : "");
}

static void add_row(struct table *table, const struct verdict *verdict)
{
    char set[160], asked[160], was[80], range[80];
    table_cell(table, "%s", verdict->profile->id);
    table_cell(table, "%s", setting(set, verdict));
    table_cell(table, "%s", question(asked, verdict->seen));
    table_cell(table, "%s", observed(was, verdict));
    table_cell(table, "%.1f %s", verdict->days.mid, verdict->unit);
    table_cell(table, "%s",
               freshness_range(range, verdict->days.low, verdict->days.high, 1));
    table_cell(table, "%+.0f %%", verdict->error_pct);
    table_cell(table, "%s", verdict->is_inside ? "yes" : "no");
}

int freshness_accuracy(const struct freshness_args *args)
{
    struct table table = {.headings = {"profile", "set by", "asked", ">observed",
                                       ">predicted", ">range", ">error", "inside"}};
    json_t *all = json_array();
    if (args->wants_markdown)
        puts(
            "| profile | model set by | asked | observed | predicted (range) | error | ranges "
            "meet | source |\n|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < profile_set_count(args->set); i++) {
        const struct profile *profile = profile_set_get(args->set, i);
        for (size_t k = 0; k < profile->observation_count; k++) {
            struct verdict verdict;
            if (!judge(&verdict, profile, &profile->observations[k]))
                continue;
            if (args->wants_markdown)
                print_markdown(&verdict);
            add_row(&table, &verdict);
            json_array_append_new(all, verdict_json(&verdict));
        }
    }
    if (args->wants_json)
        freshness_print_json(json_incref(all));
    else if (!args->wants_markdown)
        table_print(&table, stdout);
    json_decref(all);
    table_fini(&table);
    return COMMAND_OK;
}
