// SPDX-License-Identifier: Apache-2.0
/*
 * alert_day - a day of a world, and when whom told of it: for the picture in
 * docs/alert-quality.md.
 *
 * usage: alert_day KIND SEED FIRST_DAY DAYS. Lines "r,MS,C,DEFROST,DOOR" of readings a
 * minute, "t,MS,RULES" of messages of "threshold + 30 min" and "ours", "l,MS,EVENT" of
 * failures.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/alert_watch.h"

struct day {
    int64_t from_ms;
    int64_t to_ms;
    struct watch watches[RULE_SETS];
};

static const size_t shown[] = {2, 4}; /* of the rule sets */

static bool is_of(const struct day *day, int64_t time_ms)
{
    return time_ms >= day->from_ms && time_ms < day->to_ms;
}

static void on_sample(void *context, const struct world_sample *sample)
{
    struct day *day = context;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        watch_sample(&day->watches[shown[i]], sample);
    if (is_of(day, sample->time_ms))
        printf("r,%" PRId64 ",%.1f,%d,%d\n", sample->time_ms - day->from_ms,
               sample->reading_C, sample->defrost_on, sample->door_open);
}

static void on_label(void *context, const struct world_label *label)
{
    const struct day *day = context;
    if (world_is_failure(label->event) && is_of(day, label->onset_ms))
        printf("l,%" PRId64 ",%s\n", label->onset_ms - day->from_ms,
               world_event_name(label->event));
}

int main(int argc, char **argv)
{
    struct world_options options = {.cadence_ms = WORLD_MINUTE_MS};
    struct err_text why = {"usage: alert_day KIND SEED FIRST_DAY DAYS"};
    if (argc != 5 || !world_kind_parse(&options.kind, argv[1])) {
        fprintf(stderr, "alert_day: %s\n", why.text);
        return EXIT_FAILURE;
    }
    options.seed = strtoull(argv[2], NULL, 10);
    struct day day = {.from_ms = strtol(argv[3], NULL, 10) * WORLD_DAY_MS};
    day.to_ms = day.from_ms + strtol(argv[4], NULL, 10) * WORLD_DAY_MS;
    options.days = 365;
    if (world_check(&options, &why) != ERR_OK) {
        fprintf(stderr, "alert_day: %s\n", why.text);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        watch_begin(&day.watches[shown[i]], shown[i], options.kind);
    struct world_totals totals;
    world_run(&options, &(struct world_sink){&day, on_sample, on_label}, &totals);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        struct watch *watch = &day.watches[shown[i]];
        for (size_t n = 0; n < watch->count; n++)
            if (is_of(&day, watch->notices[n].told_ms))
                printf("t,%" PRId64 ",%s\n", watch->notices[n].told_ms - day.from_ms,
                       rule_set_name(shown[i]));
        watch_end(watch);
    }
    return EXIT_SUCCESS;
}
