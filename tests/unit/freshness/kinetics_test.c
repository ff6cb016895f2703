// SPDX-License-Identifier: Apache-2.0
#include "freshness/kinetics.h"

#include <math.h>

#include "freshness/profile_set.h"
#include "tests/support/check.h"

static bool near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        printf("\n  got %.7g, want %.7g +- %g", got, want, tolerance);
    return fabs(got - want) <= tolerance;
}

static struct kinetics of(enum profile_kinetics model, enum profile_key key, double value,
                          double ref_c)
{
    struct kinetics kinetics;
    struct profile profile = {.kinetics = model};
    for (int i = 0; i < PROFILE_KEY_COUNT; i++)
        profile.numbers[i].value = (double)NAN;
    profile.numbers[key].value = value;
    CHECK(kinetics_init(&kinetics, &profile, ref_c));
    return kinetics;
}

static struct kinetics handbook(double ref_c)
{
    return of(PROFILE_KINETICS_Q10, PROFILE_LIFE_AT, ref_c, ref_c);
}

/* USDA Handbook 66 as in Morris and Brady, Table 20.4. */
static void handbook_66_steps(void)
{
    static const struct {
        double celsius, rate, life_pct;
    } rows[] = {{0, 1, 100}, {10, 3, 33}, {20, 7.5, 13}, {30, 15, 7}, {40, 22.5, 4}};
    struct kinetics kinetics = handbook(0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double rate = kinetics_rate(&kinetics, rows[i].celsius);
        CHECK(near(rate, rows[i].rate, 1e-9));
        CHECK(near(100 / rate, rows[i].life_pct, 0.5));
    }
    CHECK(
        near(100 / kinetics_rate(&kinetics, 20), 13, 0.5));  /* 100 d at 0 = 13 d at 20 */
    CHECK(near(100 / kinetics_rate(&kinetics, 40), 4, 0.5)); /* = about 4 d at 40 */
    CHECK(
        near(kinetics_rate(&kinetics, 5), sqrt(3), 1e-12)); /* continuous between steps */
    CHECK(near(kinetics_rate(&kinetics, -10), 1 / 3.0, 1e-12));
}

static void rates_do_not_grow_beyond_40(void)
{
    struct kinetics steps = handbook(0);
    struct kinetics arrhenius =
        of(PROFILE_KINETICS_ARRHENIUS, PROFILE_KINETICS_EA, 70, 0);
    CHECK(near(kinetics_rate(&steps, 55), 22.5, 1e-9));
    CHECK(near(kinetics_rate(&arrhenius, 80), kinetics_rate(&arrhenius, 40), 1e-12));
    CHECK(!kinetics_is_valid(&steps, 40.1) && kinetics_is_valid(&steps, 40));
}

/* DTU SSSP: 21 d at 5 C are 47.2 d (square root) or 46.4 d (Arrhenius, 100 kJ/mol) at 0
 * C. */
static void relative_rate_of_spoilage(void)
{
    struct kinetics root = of(PROFILE_KINETICS_SQRT, PROFILE_KINETICS_TMIN, -10, 5);
    struct kinetics arrhenius =
        of(PROFILE_KINETICS_ARRHENIUS, PROFILE_KINETICS_EA, 100, 5);
    CHECK(near(21 / kinetics_rate(&root, 0), 47.2, 0.06));
    CHECK(near(21 / kinetics_rate(&root, 0), 47.25, 1e-9));
    CHECK(near(21 / kinetics_rate(&arrhenius, 0), 46.4, 0.06));
    CHECK(near(21 / kinetics_rate(&arrhenius, 0), 46.34, 0.005));
    CHECK(near(kinetics_rate(&root, -10), 0, 0)); /* growth stops */
    CHECK(near(kinetics_rate(&root, -15), 0, 0));
    /* Fresh temperate fish, RRS = (1 + 0.1 T)^2 against 0 C: the same with Tmin -10. */
    struct kinetics fish = of(PROFILE_KINETICS_SQRT, PROFILE_KINETICS_TMIN, -10, 0);
    for (int t = 0; t <= 15; t += 5)
        CHECK(near(kinetics_rate(&fish, t), pow(1 + 0.1 * t, 2), 1e-12));
}

/* Cold-smoked salmon, ln RRS = 0.089 T; 8.9 d at one of 5 and 15 C, then the other. */
static void stays_add_up_as_observed_for_salmon(void)
{
    struct kinetics salmon =
        of(PROFILE_KINETICS_EXPONENTIAL, PROFILE_KINETICS_SLOPE, 0.089, 5);
    double warm = kinetics_rate(&salmon, 15);
    double life = 8.9 + (20 - 8.9) * warm; /* set by the first case: 20 d in all */
    CHECK(near(life, 35.9, 0.05));
    CHECK(near(8.9 + life - 8.9 * warm, 23.1,
               0.06)); /* the second: 25 observed, 24 published */
}

static void slow_and_fast_enclose_the_best(void)
{
    struct profile_set *set = profile_set_create();
    for (size_t i = 0; i < profile_set_count(set); i++) {
        const struct profile *profile = profile_set_get(set, i);
        struct kinetics kinetics;
        if (!kinetics_init(&kinetics, profile, profile_value(profile, PROFILE_LIFE_AT)))
            continue;
        for (double t = -5; t <= 45; t += 2.5) {
            struct rates at = kinetics_rates(&kinetics, t, t, t);
            struct rates wide = kinetics_rates(&kinetics, t - 1, t, t + 1);
            CHECK_ROW(profile->id, at.slow <= at.mid && at.mid <= at.fast && at.slow > 0);
            CHECK_ROW(profile->id, wide.slow <= at.slow && wide.fast >= at.fast);
        }
        struct rates ref =
            kinetics_rates(&kinetics, kinetics.ref_c, kinetics.ref_c, kinetics.ref_c);
        CHECK_ROW(profile->id, near(ref.slow, 1, 1e-12) && near(ref.fast, 1, 1e-12));
    }
    profile_set_destroy(set);
}

/* The file's energies against a fit made here; the published spread is 54 to 95 kJ/mol.
 */
static void energies_are_what_the_respiration_gives(void)
{
    struct profile_set *set = profile_set_create();
    double least = 1000, most = 0;
    size_t count = 0;
    for (size_t i = 0; i < profile_set_count(set); i++) {
        const struct profile *profile = profile_set_get(set, i);
        double ea, error;
        if (profile->numbers[PROFILE_KINETICS_EA].mark != PROFILE_DERIVED)
            continue;
        CHECK_ROW(profile->id, kinetics_fit(&profile->respiration[0], &ea, &error));
        CHECK_ROW(profile->id,
                  near(ea, profile_value(profile, PROFILE_KINETICS_EA), 0.06));
        least = fmin(least, ea);
        most = fmax(most, ea);
        count++;
    }
    CHECK(count == 19 && near(least, 54, 0.5) && near(most, 95, 0.5));
    profile_set_destroy(set);
}

static double middle(const struct profile *profile, double at_c)
{
    for (size_t i = 0; i < profile->respiration[0].count; i++)
        if (fabs(profile->respiration[0].rates[i].at_c - at_c) < 0.01)
            return (profile->respiration[0].rates[i].low +
                    profile->respiration[0].rates[i].high) /
                   2;
    return (double)NAN;
}

/* A Q10 that falls with temperature is why one Arrhenius line is wrong over 0-40 C. */
static void respiration_q10_of_spinach_and_strawberry(void)
{
    static const struct {
        const char *id;
        double low, high;
    } rows[] = {{"spinach", 5.5, 2.08}, {"strawberry", 4.69, 2.0}};
    struct profile_set *set = profile_set_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct profile *profile = profile_set_find(set, rows[i].id);
        CHECK_ROW(rows[i].id,
                  near(middle(profile, 10) / middle(profile, 0), rows[i].low, 0.01));
        CHECK_ROW(rows[i].id,
                  near(middle(profile, 20) / middle(profile, 10), rows[i].high, 0.01));
    }
    profile_set_destroy(set);
}

static void kinetics_lacking_a_number_are_refused(void)
{
    static const enum profile_kinetics models[] = {
        PROFILE_KINETICS_NONE, PROFILE_KINETICS_ARRHENIUS, PROFILE_KINETICS_SQRT,
        PROFILE_KINETICS_EXPONENTIAL};
    struct profile profile = {.id = "x"};
    struct kinetics kinetics;
    for (int i = 0; i < PROFILE_KEY_COUNT; i++)
        profile.numbers[i].value = (double)NAN;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        profile.kinetics = models[i];
        CHECK_ROW(profile_kinetics_name(models[i]),
                  !kinetics_init(&kinetics, &profile, 5));
    }
    profile.kinetics = PROFILE_KINETICS_Q10;
    CHECK(
        !kinetics_init(&kinetics, &profile, (double)NAN)); /* a life at no temperature */
    CHECK(kinetics_init(&kinetics, &profile, 5));
    struct profile_respiration one = {.count = 1,
                                      .rates = {{.at_c = 5, .low = 1, .high = 2}}};
    double ea, error;
    CHECK(!kinetics_fit(&one, &ea, &error));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"Handbook 66 steps", handbook_66_steps},
        {"rates do not grow beyond 40 C", rates_do_not_grow_beyond_40},
        {"relative rate of spoilage", relative_rate_of_spoilage},
        {"stays add up as observed for salmon", stays_add_up_as_observed_for_salmon},
        {"slow and fast enclose the best", slow_and_fast_enclose_the_best},
        {"energies are what the respiration gives",
         energies_are_what_the_respiration_gives},
        {"respiration Q10 of spinach and strawberry",
         respiration_q10_of_spinach_and_strawberry},
        {"kinetics lacking a number are refused", kinetics_lacking_a_number_are_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("kinetics", tests);
}
