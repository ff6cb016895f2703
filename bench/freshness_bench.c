// SPDX-License-Identifier: Apache-2.0
/*
 * freshness_bench - what one reading costs a load: ns per update and bytes of state.
 *
 * Prints one line of JSON per profile kind. Fails when the state is above its budget; the
 * time is printed beside its budget (200 ns) and judged by whoever runs it on a quiet
 * machine, for a busy one would fail it for no fault of ours.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "freshness/life.h"
#include "freshness/profile_set.h"

#define UPDATES 2000000
#define ROUNDS  5

static double measure(const struct load_model *model, double *sink)
{
    double best = (double)INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        struct load load;
        load_init(&load);
        struct load_reading reading = {.humidity_pct = 90, .pulp_c = (double)NAN};
        int64_t begun = clock_real_ns();
        for (int i = 0; i < UPDATES; i++) {
            reading.time_ms = (int64_t)i * 60000;
            reading.temperature_c = 2 + 0.01 * (i % 700);
            if (load_reading(&load, model, &reading) != ERR_OK)
                abort();
        }
        best = fmin(best, (double)(clock_real_ns() - begun) / UPDATES);
        *sink += load.aged_d.mid + load.deficit_kpa_h;
    }
    return best;
}

int main(void)
{
    static const struct {
        const char *profile;
        bool is_air;
    } kinds[] = {{"navel_orange", false},
                 {"navel_orange", true},
                 {"plum", true},
                 {"cabbage", true}};
    struct profile_set *set = profile_set_create();
    double sink = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct load_model model;
        struct err_text why = {""};
        struct load_options options = {.is_air = kinds[i].is_air};
        const struct profile *profile = profile_set_find(set, kinds[i].profile);
        if (profile == NULL || load_model_init(&model, profile, &options, &why) != ERR_OK)
            return EXIT_FAILURE;
        printf(
            "{\"bench\": \"freshness\", \"profile\": \"%s\", \"simulates_product\": %s, "
            "\"ns_per_update\": %.1f, \"budget_ns\": 200, \"state_bytes\": %zu, "
            "\"budget_bytes\": 256}\n",
            profile->id, kinds[i].is_air ? "true" : "false", measure(&model, &sink),
            sizeof(struct load));
    }
    profile_set_destroy(set);
    return isfinite(sink) && sizeof(struct load) <= 256 ? EXIT_SUCCESS : EXIT_FAILURE;
}
