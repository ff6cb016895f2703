// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "freshness/life.h"
#include "freshness/profile_lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, enum lint_severity severity, const char *key,
                   const char *text)
{
    (void)context;
    if (severity > LINT_ERROR || strlen(key) + strlen(text) > 10000)
        abort();
}

/* Whatever the parser lets through must lint, inherit and age without a number from
 * nowhere. */
static void use(const struct profile *profile)
{
    struct load_model model;
    struct load load;
    struct err_text why;
    profile_lint(profile, ignore, NULL);
    if (load_model_init(&model, profile, &(struct load_options){.is_air = true}, &why) !=
            ERR_OK &&
        load_model_init(&model, profile, &(struct load_options){.is_air = false}, &why) !=
            ERR_OK)
        abort();
    load_init(&load);
    for (int i = 0; i < 8; i++) {
        struct load_reading reading = {.time_ms = i * 600000,
                                       .temperature_c = i * 12 - 40,
                                       .humidity_pct = 90,
                                       .pulp_c = (double)NAN};
        if (load_reading(&load, &model, &reading) != ERR_OK)
            abort();
    }
    struct life life = life_of(&load, &model, 5, 80);
    if (life.verdict == LIFE_STATED && isnan(life.days.mid))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* a heap copy: one byte read too far is seen */
    struct profile profile, child;
    struct err_text why;
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    if (profile_parse(&profile, text, size, &why) == ERR_OK) {
        use(&profile);
        if (profile_parse(&child, text, size, &why) == ERR_OK) {
            profile_inherit(&child, &profile);
            use(&child);
        }
        profile_fini(&child);
    }
    profile_fini(&profile);
    free(text);
    return 0;
}
