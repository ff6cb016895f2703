// SPDX-License-Identifier: Apache-2.0
/*
 * alert_quality_bench - rule sets over worlds whose failures are known.
 *
 * usage: alert_quality_bench [YEARS [FIRST_SEED [CADENCE_S]]]: 2 worlds of a year for
 * each kind, from the first seed of the report, a reading a minute. One line of JSON for
 * each kind and rule set.
 *
 * Readings reach the engine while the place is on duty, as they arrive. Then a recorded
 * freezer, where it is there. What is counted how: docs/alert-quality.md.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bench/alert_recorded.h"
#include "bench/alert_watch.h"
#include "bench/alerts_score.h"

/* Of docs/alert-quality.md: rules were changed after looks at those before. */
#define REPORT_SEED (WORLD_REPORT_SEED + 50000)

/* All rule sets hear the same world. */
struct trial {
    struct watch watches[RULE_SETS];
    struct world_label *labels;
    size_t label_count;
    size_t label_capacity;
};

static void fail(const char *what)
{
    fprintf(stderr, "alert_quality_bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static void on_sample(void *context, const struct world_sample *sample)
{
    struct trial *trial = context;
    for (size_t i = 0; i < RULE_SETS; i++)
        watch_sample(&trial->watches[i], sample);
}

static void on_label(void *context, const struct world_label *label)
{
    struct trial *trial = context;
    mem_grow(&trial->labels, &trial->label_capacity, trial->label_count + 1,
             sizeof *label);
    trial->labels[trial->label_count++] = *label;
}

static void run_world(const struct world_options *options, struct score scores[RULE_SETS])
{
    struct trial trial = {0};
    for (size_t i = 0; i < RULE_SETS; i++)
        watch_begin(&trial.watches[i], i, options->kind);
    struct world_sink sink = {&trial, on_sample, on_label};
    struct world_totals totals;
    world_run(options, &sink, &totals);
    for (size_t i = 0; i < RULE_SETS; i++) {
        struct watch *watch = &trial.watches[i];
        score_add(&scores[i], trial.labels, trial.label_count, watch->notices,
                  watch->count, &totals);
        watch_end(watch);
    }
    free(trial.labels);
}

/* A number, or null where there is none. */
static void print_number(const char *name, double value)
{
    if (isnan(value))
        printf(", \"%s\": null", name);
    else
        printf(", \"%s\": %.2f", name, value);
}

static double ratio(uint64_t some, uint64_t of)
{
    return of == 0 ? (double)NAN : (double)some / (double)of;
}

static void print_score(const char *world, const char *rules, int years,
                        struct score *score)
{
    uint64_t true_notices = score->notices - score->false_notices;
    uint64_t told = score->to_tell - score->missed - score->not_visible;
    printf("{\"bench\": \"alert_quality\", \"world\": \"%s\", \"rules\": \"%s\", "
           "\"years\": %d, \"to_tell\": %" PRIu64 ", \"missed\": %" PRIu64
           ", \"not_visible\": %" PRIu64 ", \"dead\": %" PRIu64 ", \"dead_told\": %zu"
           ", \"harms\": %" PRIu64 ", \"harms_told_before\": %" PRIu64,
           world, rules, years, score->to_tell, score->missed, score->not_visible,
           score->dead, score->dead_after_envelope.count, score->harms,
           score->harms_told_before);
    printf(", \"missed_brief\": %" PRIu64 ", \"dead_late_there\": %" PRIu64
           ", \"harms_told_before_there\": %" PRIu64,
           score->brief, score->dead_late_there, score->harms_told_before_there);
    printf(", \"harms_with_time\": %" PRIu64 ", \"harms_short\": %" PRIu64
           ", \"harms_short_there\": %" PRIu64 ", \"silences_without_outage\": %" PRIu64,
           score->harms_with_time, score->harms_short, score->harms_short_there,
           score->silences_false);
    print_number("silences_per_month", (double)score->silences / score->months);
    print_number("false_per_month", (double)score->false_notices / score->months);
    print_number("dead_min_median", minutes_quantile(&score->dead_after_envelope, 0.5));
    print_number("dead_min_worst", minutes_quantile(&score->dead_after_envelope, 1));
    print_number("dead_there_min_median", minutes_quantile(&score->dead_there, 0.5));
    print_number("dead_there_min_worst", minutes_quantile(&score->dead_there, 1));
    print_number("warning_min_median", minutes_quantile(&score->before_harm, 0.5));
    print_number("notices_per_incident", ratio(true_notices, told));
    printf("}\n");
}

int main(int argc, char **argv)
{
    int years = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : REPORT_SEED;
    int64_t cadence_ms = argc > 3 ? strtol(argv[3], NULL, 10) * 1000 : WORLD_MINUTE_MS;
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        struct score scores[RULE_SETS] = {{0}};
        for (int year = 0; year < years; year++) {
            struct world_options options = {.kind = (enum world_kind)kind,
                                            .seed = seed + (uint64_t)year,
                                            .days = 365,
                                            .cadence_ms = cadence_ms};
            struct err_text why = {""};
            if (world_check(&options, &why) != ERR_OK)
                fail(why.text);
            run_world(&options, scores);
        }
        for (size_t i = 0; i < RULE_SETS; i++) {
            print_score(world_kind_name((enum world_kind)kind), rule_set_name(i), years,
                        &scores[i]);
            score_fini(&scores[i]);
        }
    }
    recorded_run(seed);
    return EXIT_SUCCESS;
}
